//! `new`: a rule to begin with, which passes `check` as it is and never goes live with words that nobody wrote.

use crate::harness::home::{Home, Ran};

const WHY: &str = "We invite guests who stayed away";

fn sample() -> Home {
    let home = Home::new();
    home.copy("config");
    home.copy("templates");
    home
}

/// What `check` says; ends with how many tests passed.
fn checked(home: &Home, code: i32) -> String {
    let Ran { stdout, stderr, .. } = home.plusone(&["check"]).ended_with(code);
    stdout + &stderr
}

#[test]
fn each_entity_and_channel_has_a_draft_whose_tests_pass() {
    for (channel, parts) in
        [("email", &["subject.hbs", "email.html.hbs"][..]), ("sms", &["sms.hbs"]), ("voice", &["voice.hbs"])]
    {
        let home = sample();
        let drafts = |home: &Home| checked(home, 0).matches(": draft").count();
        assert_eq!(drafts(&home), 0);
        for (at, entity) in ["customer", "order", "cart", "cart_line", "delivery"].into_iter().enumerate() {
            let name = format!("mine-{at}");
            let ran = home.plusone(&["new", &name, WHY, "--for-each", entity, "--channel", channel]).ended_with(0);
            for part in parts {
                assert!(ran.stdout.contains(&format!("templates/{name}/{part}")), "{}", ran.stdout);
            }
            assert_eq!(drafts(&home), at + 1, "{entity} by {channel}: {}", checked(&home, 0));
            let tests = home.read(&format!("config/rules/{name}.test.toml"));
            assert!(tests.contains("expect = \"not selected\"") && tests.contains("consent = { offers"), "{tests}");
            home.plusone(&["preview", &name]).ended_with(0);
        }
    }
}

#[test]
fn what_is_commented_out_counts_once_its_sign_is_gone() {
    let home = sample();
    for (name, entity) in [("a", "customer"), ("b", "cart")] {
        home.plusone(&["new", name, WHY, "--for-each", entity, "--topic", "reminders"]).ended_with(0);
        let path = format!("config/rules/{name}.toml");
        let text = home.read(&path).replace("  # '", "  '").replace("# again_after", "again_after");
        assert!(text.lines().filter(|line| line.starts_with("  '")).count() > 5, "{text}");
        home.write(&path, &text);
        // Such a rule asks for more than its tests say: they fail, and nothing else does.
        std::fs::remove_file(home.path().join(format!("config/rules/{name}.test.toml"))).expect("it is there");
    }
    let said = checked(&home, 0);
    assert!(said.contains("2 draft, 0 broken"), "{said}");
    // What is said to be known can be printed.
    let letter = home.read("templates/b/email.html.hbs").replace("{{!--", "").replace("--}}", "");
    assert!(letter.contains("{{money cart.total}}") && letter.contains("{{#if customer.birthday}}"), "{letter}");
    home.write("templates/b/email.html.hbs", &letter);
    assert!(checked(&home, 0).contains("2 draft, 0 broken"));
}

#[test]
fn words_that_nobody_wrote_are_never_sent() {
    let home = sample();
    home.plusone(&["new", "mine", WHY]).ended_with(0);
    let said = checked(&home, 0);
    assert!(said.contains("`[[your words]]` is yet to be written"), "{said}");
    let rule = home.read("config/rules/mine.toml").replace("# live = true", "live = true");
    home.write("config/rules/mine.toml", &rule);
    let said = checked(&home, 2);
    assert!(said.contains("or take `live` out of the rule until then") && said.contains("1 broken"), "{said}");
    home.write("templates/mine/subject.hbs", "The kettle is on");
    let letter = home.read("templates/mine/email.html.hbs").replace("[[your words]]", "It is.");
    home.write("templates/mine/email.html.hbs", &letter);
    assert!(checked(&home, 0).contains("10 live, 0 draft, 0 broken"), "{}", checked(&home, 0));
}

#[test]
fn a_message_speaks_the_language_of_the_business() {
    for (locale, words) in [("de-AT", "Warum erhalte ich diese"), ("es", "¿Por qué"), ("nl-NL", "Why did I get this?")]
    {
        let home = Home::new();
        home.plusone(&["init", "."]).ended_with(0);
        let settings = home.read("config/plusone.toml");
        let settings = settings.replace("en-GB", locale).replace("# postal_address", "postal_address");
        home.write("config/plusone.toml", &settings);
        // A home without the frame gets a whole letter.
        std::fs::remove_dir_all(home.path().join("templates/_partials")).expect("they are there");
        std::fs::remove_dir_all(home.path().join("templates/welcome")).expect("it is there");
        std::fs::remove_file(home.path().join("config/rules/welcome.toml")).expect("it is there");
        home.plusone(&["new", "mine", WHY]).ended_with(0);
        let letter = home.read("templates/mine/email.html.hbs");
        assert!(letter.contains(words) && letter.contains("<!doctype html>"), "{letter}");
        assert!(checked(&home, 0).contains("1 draft, 0 broken"));
    }
}

#[test]
fn words_of_the_data_with_quotes_in_them_stay_whole() {
    let home = Home::new();
    home.plusone(&["init", "."]).ended_with(0);
    let data = home.read("config/data.toml");
    let data =
        data.replace("joined_on = \"date\"", r#"size = { type = "text", one_of = ["men's", '11" "wide"', 'a\b'] }"#);
    home.write("config/data.toml", &data);
    home.write(
        "config/rules/welcome.toml",
        &home.read("config/rules/welcome.toml").replace("customer.joined_on <= today()", "has(customer.email)"),
    );
    home.plusone(&["new", "mine", WHY, "--topic", "service"]).ended_with(0);
    assert!(home.read("config/rules/mine.toml").contains(r#"men's"#));
    assert!(checked(&home, 0).contains("1 draft, 0 broken; 2 tests passed"), "{}", checked(&home, 0));
    let explained = home.plusone(&["explain", "fields", "customer"]).ended_with(0).stdout;
    assert!(explained.contains("customer.size == \"men's\""), "{explained}");
}

#[test]
fn nothing_that_is_there_is_touched() {
    let home = sample();
    let before = home.read("config/rules/birthday.toml");
    let ran = home.plusone(&["new", "birthday", WHY]).ended_with(2);
    assert!(ran.stderr.contains("config/rules/birthday.toml is there already"), "{}", ran.stderr);
    assert_eq!(home.read("config/rules/birthday.toml"), before);
    home.write("templates/mine/subject.hbs", "my own");
    home.plusone(&["new", "mine", WHY]).ended_with(2);
    assert_eq!(home.read("templates/mine/subject.hbs"), "my own");
    assert!(!home.path().join("config/rules/mine.toml").exists(), "all of it or nothing");
}

#[test]
fn what_cannot_be_is_refused_with_the_cure() {
    let home = sample();
    for (arguments, cure) in [
        (&["Come Back", WHY][..], "`come-back` can"),
        (&["mine", " "], "say in a sentence what the rule is for"),
        (&["mine", WHY, "--for-each", "ordr"], "closest: order"),
        (&["mine", WHY, "--for-each", "event"], "there are"),
        (&["mine", WHY, "--topic", "ofers"], "there are deliveries"),
        (&["mine", WHY, "--channel", "post"], "`post` is not one of `email`, `sms`, `voice`"),
    ] {
        let ran = home.plusone(&[&["new"], arguments].concat()).ended_with(2);
        assert!(ran.stderr.contains(cure), "{arguments:?}: {}", ran.stderr);
    }
    home.write("config/data.toml", "[customer]\nkey = \"id\"\n[customer.fields]\nid = \"text\"\n");
    let ran = home.plusone(&["new", "mine", WHY]).ended_with(2);
    assert!(ran.stderr.contains("customers have no address on any channel"), "{}", ran.stderr);
    home.write("config/data.toml", "[customer");
    assert!(home.plusone(&["new", "mine", WHY]).ended_with(2).stderr.contains("config/data.toml:1"));
    let nowhere = Home::new();
    assert!(nowhere.plusone(&["new", "mine", WHY]).ended_with(2).stderr.contains("plusone init DIR"));
}

#[test]
fn who_names_the_cure_where_no_column_holds_a_yes() {
    let home = Home::new();
    home.plusone(&["init", ".", "--address", "1 Quay Street"]).ended_with(0);
    home.plusone(&["new", "mine", WHY]).ended_with(0);
    let data = home.read("config/data.toml");
    let (before, after) = data.split_once("[customer.consent]").expect("the sample has one");
    let after = after.split_once('\n').and_then(|(_, rest)| rest.split_once('\n')).expect("with one topic").1;
    home.write(
        "config/rules/mine.toml",
        &home.read("config/rules/mine.toml").replace("customer.joined_on) >= 30", "customer.joined_on) >= 0"),
    );
    let cure = "a yes to `offers` is read from the column that `[customer.consent]` of data.toml names";
    let said = home.plusone(&["who", "mine"]).ended_with(0).stdout;
    assert!(!said.contains(cure) && said.contains("no_consent"), "{said}");
    home.write("config/data.toml", &format!("{before}{after}"));
    std::fs::remove_dir_all(home.path().join("var")).expect("the database");
    let said = home.plusone(&["who", "mine"]).ended_with(0).stdout;
    assert!(said.contains(cure), "{said}");
}
