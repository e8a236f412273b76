//! The door of rules, offers and templates: one broken file takes out itself alone, and its last good text stays.

use super::{RULE, expect, in_state, outbox, shop};
use crate::harness::home::{Home, Settings};

const OTHER: &str = "templates/other/email.txt.hbs";

/// The shop with a second rule, `other`, that is good throughout.
fn two_rules() -> Home {
    let home = shop(2, &Settings::default());
    home.file("config/rules/other.toml", &RULE.replace("\"hello\"", "\"other\""))
        .file("templates/other/subject.hbs", "Other")
        .file(OTHER, "Other words.")
}

/// `hello` with this condition, as a TOML literal.
fn with_condition(condition: &str) -> String {
    let literal = serde_json::to_string(condition).expect("text serialises");
    RULE.replace("'has(customer.id)'", &literal)
}

#[test]
fn bombs_in_conditions_are_told_at_their_place() {
    let home = two_rules();
    let cases: [(String, &[&str]); 12] = [
        (format!("{}true{}", "(".repeat(500), ")".repeat(500)), &["nested deeper than 32", "computed field"]),
        (format!("{} > 1", vec!["1"; 5_000].join("+")), &["at most 4096", "split it"]),
        (format!("{} > 1", vec!["1"; 300].join("+")), &["at most 400", "split it"]),
        (format!("customer{} == 1", ".a".repeat(190)), &["no field `a`"]),
        (format!("{}true", "!".repeat(5_000)), &["at most"]),
        (format!("{}1 > 0", "-".repeat(390)), &[]),
        (format!("{}{} == 1", "[".repeat(300), "]".repeat(300)), &["nested deeper than 32"]),
        ("true ? ".repeat(90) + "true" + &" : true".repeat(90), &["not expected here"]),
        ("customer.id == \"abc".to_owned(), &["never closed"]),
        ("customer.id == \"\u{1f600}\" && \u{2603}".to_owned(), &["not understood"]),
        ("customer.id.matches(\"(a{1000}){1000}\")".to_owned(), &["pattern"]),
        ("\"\"\"abc".to_owned(), &["never closed"]),
    ];
    for (condition, words) in cases {
        home.write("config/rules/hello.toml", &with_condition(&condition));
        let code = if words.is_empty() { 0 } else { 2 };
        let words: Vec<&str> = words.iter().copied().chain((code == 2).then_some("config/rules/hello.toml:")).collect();
        expect(home.plusone(&["check"]), code, &words);
    }
}

#[test]
fn bombs_in_templates_are_told_at_their_place() {
    let home = two_rules();
    let cases: [(String, &[&str]); 14] = [
        (format!("{{{{a {}{}}}}}", "(".repeat(3_000), ")".repeat(3_000)), &["brackets"]),
        ("{{#if customer.id}}".repeat(1_000) + &"{{/if}}".repeat(1_000), &["more than 32 blocks"]),
        ("{{#each customer.touchpoints}}".repeat(20) + &"{{/each}}".repeat(20), &["email.txt.hbs"]),
        ("{{#if customer.id}} hello".to_owned(), &["never closed"]),
        ("{{".to_owned(), &["never closed"]),
        ("{{> hello}}".to_owned(), &["partial", "_partials"]),
        ("{{> (lookup . \"x\")}}".to_owned(), &["cannot be computed"]),
        ("{{env \"HOME\"}}".to_owned(), &["no helper is called `env`", "helpers are"]),
        ("{{lookup customer \"first_name\"}}".to_owned(), &["lookup"]),
        ("{{../../../secret}}".to_owned(), &["leads out"]),
        ("{{#*inline \"a\"}}{{> a}}{{/inline}}{{> a}}".to_owned(), &["inline partials"]),
        ("{{{{raw}}}}{{{{/raw}}}}".to_owned(), &["raw blocks"]),
        ("x".repeat(2_000_000), &["bytes"]),
        ("{{default customer.first_name \"x\"}}".repeat(20_000), &["bytes", "_partials"]),
    ];
    for (text, words) in cases {
        home.write("templates/hello/email.txt.hbs", &text);
        let words: Vec<&str> = words.iter().copied().chain(["templates/hello/email.txt.hbs"]).collect();
        expect(home.plusone(&["check"]), 2, &words);
    }
}

#[test]
fn partials_that_call_each_other_are_refused() {
    let home = two_rules().file("templates/_partials/a.hbs", "{{> b}}").file("templates/_partials/b.hbs", "{{> a}}");
    home.write("templates/hello/email.txt.hbs", "{{> a}}");
    expect(home.plusone(&["check"]), 2, &["_partials/"]);
    home.plusone(&["once"]).ended_with(0);
    assert_eq!(outbox(&home).len(), 2, "the other rule works");
}

#[test]
fn a_broken_file_takes_out_itself_alone_and_its_last_good_text_stays_in_force() {
    let good_template = "Dear {{default customer.first_name \"you\"}}, see you soon.";
    let cases = [
        ("config/rules/hello.toml", RULE, "live = ["),
        ("config/rules/hello.toml", RULE, ""),
        ("config/rules/hello.toml", RULE, "when = 'customer.nmae == 1'"),
        ("templates/hello/email.txt.hbs", good_template, "{{#if"),
    ];
    for (path, good, bad) in cases {
        let home = two_rules();
        home.plusone(&["once", "--rule", "hello"]).ended_with(0);
        home.write(path, bad);
        home.write("customers.csv", &super::customers_csv(3));
        let ran = home.plusone(&["once"]);
        expect(ran, 0, &[path]);
        let sent = in_state(&home, "sent");
        assert_eq!(sent, 3 + 3, "{path}: both rules wrote to all three, `hello` as it was last good ({bad})");
        expect(home.plusone(&["status"]), 0, &["hello"]);
        home.write(path, good);
        home.plusone(&["once", "--rule", "hello"]).ended_with(0);
        assert_eq!((in_state(&home, "sent"), outbox(&home).len()), (6, 6), "{path}: nobody is written to again");
    }
}

#[test]
fn a_rule_that_was_never_good_is_left_out_and_named() {
    let home = two_rules();
    std::fs::write(home.path().join("config/rules/hello.toml"), b"description = \"caf\xe9\"")
        .expect("the home is ours");
    expect(home.plusone(&["once"]), 0, &["config/rules/hello.toml", "not UTF-8", "broken", "hello"]);
    assert_eq!(in_state(&home, "sent"), 2);
    expect(home.plusone(&["who", "hello"]), 2, &["broken", "plusone check"]);
}

#[test]
fn an_empty_message_is_not_sent() {
    let home = two_rules();
    home.write("templates/hello/email.txt.hbs", "");
    let ran = home.plusone(&["once"]).ended_with(0);
    let empty = in_state(&home, "sent") - 2;
    assert_eq!(empty, 0, "{}{}", ran.stdout, ran.stderr);
}
