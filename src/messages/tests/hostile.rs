//! Templates and data that mean harm: refused or inert, never the end of the process.

use super::fixtures::{compile, data, email, html, problems_of, row, sms, text};
use crate::messages::RenderError;
use crate::messages::context::Record;

fn named(name: &str) -> Record {
    let mut data = data();
    data.insert("customer".to_owned(), row(&[("first_name", text(name)), ("homepage", text(name))]));
    data
}

#[test]
fn bombs_are_refused_before_they_go_off() {
    let bombs = [
        "{{#*inline \"a\"}}{{> a}}{{/inline}}{{> a}}".to_owned(),
        "{{#> a}}x{{/a}}".to_owned(),
        "{{> (lookup . \"a\")}}".to_owned(),
        "{{> @partial-block}}".to_owned(),
        "{{{{raw}}}}x{{{{/raw}}}}".to_owned(),
        format!("{}x{}", "{{#if a}}".repeat(2_000), "{{/if}}".repeat(2_000)),
        format!("{{{{#if a}}}}{}x{{{{/if}}}}", "{{else if a}}".repeat(2_000)),
        format!("{{{{{}a{}}}}}", "(and ".repeat(2_000), ")".repeat(2_000)),
        format!("{{{{default a {}{}}}}}", "[".repeat(9_000), "]".repeat(9_000)),
        format!("{{{{#if a}}}}{}", "{{".repeat(3_000)),
        "x".repeat(64 * 1024 + 1),
        "{{#if".to_owned(),
        "{{/if}}{{#if a}}".to_owned(),
        "{{else}}".to_owned(),
        "{{!-- never closed".to_owned(),
        "{{\"".to_owned(),
        "{{#if a}}{{/unless}}".to_owned(),
        "{{a {b}}}".to_owned(),
        "{{lookup customer \"id\"}}".to_owned(),
        "{{log \"x\"}}".to_owned(),
        "{{*decorator}}".to_owned(),
        "\\{{customer.id}}".to_owned(),
        "{{#customer}}x{{/customer}}".to_owned(),
        "{{../../customer.id}}".to_owned(),
    ];
    for bomb in bombs {
        let problems = problems_of(&bomb);
        assert_eq!(problems.len(), 1, "{:.60}: {problems:?}", bomb);
    }
}

#[test]
fn the_deepest_template_that_is_allowed_is_read_on_a_small_stack() {
    let deep =
        format!("{}x{}", "{{#if (and customer.gold (not (not customer.gold)))}}".repeat(32), "{{/if}}".repeat(32));
    assert_eq!(sms(&deep, &data()), Ok("x".to_owned()));
    let sub = format!("{{{{#if {}customer.gold{}}}}}x{{{{/if}}}}", "(not ".repeat(8), ")".repeat(8));
    assert_eq!(sms(&sub, &data()), Ok("x".to_owned()));
}

#[test]
fn partials_that_lead_to_themselves_or_grow_without_end_are_refused() {
    let cycle = [
        ("templates/t/sms.hbs", "{{> a}}"),
        ("templates/_partials/a.hbs", "{{> b}}"),
        ("templates/_partials/b.hbs", "{{> a}}"),
    ];
    let told = "the partial `a` leads to itself (`a` prints `b` prints `a`: take one of these out)";
    assert_eq!(compile(&cycle).1, [format!("templates/_partials/b.hbs:1:5: {told}")]);
    let doubling: Vec<(String, String)> = (0..30)
        .map(|n| (format!("templates/_partials/p{n}.hbs"), format!("{{{{> p{0}}}}}{{{{> p{0}}}}}", n + 1)))
        .chain([("templates/_partials/p30.hbs".to_owned(), "x".to_owned())])
        .chain([("templates/t/sms.hbs".to_owned(), "{{> p0}}".to_owned())])
        .collect();
    let files: Vec<_> = doubling.iter().map(|(path, text)| (path.as_str(), text.as_str())).collect();
    let problems = compile(&files).1;
    assert_eq!(problems.len(), 1, "{problems:?}");
    assert!(problems[0].contains("more than 20000 parts"), "{problems:?}");
}

#[test]
fn lists_within_lists_end_at_their_budget() {
    let nested = "{{#each cart.lines}}{{#each @root.cart.lines}}{{#each @root.cart.lines}}{{/each}}{{/each}}{{/each}}";
    let mut data = data();
    let lines = (0..60).map(|n| row(&[("id", text(&n.to_string()))])).collect();
    data.insert("cart".to_owned(), row(&[("lines", crate::messages::context::Value::List(lines))]));
    assert_eq!(sms(nested, &data), Err(RenderError::TooManyRows));
    assert_eq!(sms("{{#each cart.lines}}x{{/each}}", &data), Ok("x".repeat(50)));
}

#[test]
fn names_full_of_syntax_are_only_names() {
    for name in
        ["{{7*7}}", "{{customer.id}}", "{{> a}}", "${7*7}", "<script>alert(1)</script>", "\"><img src=x onerror=x>"]
    {
        assert_eq!(sms("{{customer.first_name}}", &named(name)), Ok(name.to_owned()));
        let page = html("<p title=\"{{customer.first_name}}\">{{customer.first_name}}</p>", &named(name));
        let page = page.expect("a rendered mail");
        assert_eq!(page.matches(['<', '>', '"']).count(), 6, "{page}");
    }
    let escaped = html("<p>{{default customer.nick customer.first_name}}</p>", &named("Tom & Ann's")).expect("a mail");
    assert_eq!(escaped, "<p>Tom &amp; Ann&#x27;s</p>");
}

#[test]
fn a_subject_is_one_line_and_text_has_no_controls() {
    let files = [
        ("templates/t/subject.hbs", "Hi\n {{customer.first_name}}"),
        ("templates/t/email.txt.hbs", "{{customer.first_name}}"),
    ];
    let words = email(&files, &named("Ana\r\nBcc: x@example.com\0\u{7}")).expect("a mail");
    assert_eq!(words.subject.as_deref(), Some("Hi Ana Bcc: x@example.com"));
    assert_eq!(words.text.as_deref(), Some("Ana\nBcc: x@example.com\n"));
}

#[test]
fn links_lead_to_the_web_mail_or_phone_only() {
    let link = "<a href=\"{{customer.homepage}}\">x</a>";
    for bad in [
        "javascript:alert(1)",
        "JaVaScRiPt:alert(1)",
        " java\tscript:alert(1)",
        "data:text/html,x",
        "vbscript:x",
        "file:///etc/passwd",
        "//evil.example/",
        "javascript&colon;alert(1)",
        "&#106;avascript:alert(1)",
    ] {
        assert!(matches!(html(link, &named(bad)), Err(RenderError::BadLink(_))), "{bad}");
    }
    for good in ["https://ana.example/?a=1&b=2", "mailto:ana@example.com", "tel:+447700900123", "HTTP://x.example"] {
        assert!(html(link, &named(good)).is_ok(), "{good}");
    }
    let split = "<a href=\"java{{customer.homepage}}\">x</a>";
    assert!(html(split, &named("script:alert(1)")).is_err());
}

#[test]
fn markup_that_could_turn_values_into_code_is_refused() {
    for (source, message) in [
        ("<p title={{customer.first_name}}>", "a value outside of quotes in a tag"),
        ("<{{customer.first_name}}>", "a value outside of quotes in a tag"),
        ("<script>x</script>", "scripts do not run in mail"),
        ("<style>{{customer.first_name}}</style>", "a value in `<style>` or `<script>`"),
        ("<p onclick=\"x\">", "`onclick` is a script"),
        ("<a href=\"javascript:x\">", "leads nowhere from a mail"),
        ("<img src=\"logo.png\">", "leads nowhere from a mail"),
        ("{{{customer.first_name}}}", "a value without escaping"),
        ("{{&customer.first_name}}", "a value without escaping"),
    ] {
        let problems = compile(&[("templates/t/email.html.hbs", source)]).1;
        assert_eq!(problems.len(), 1, "{source}: {problems:?}");
        assert!(problems[0].contains(message), "{source}: {problems:?}");
    }
}
