//! Customer data that means harm: it is inert in SQL, HTML, headers, SMS, TwiML, logs and on the terminal.

use super::{DATA, RULE, expect, outbox, shop};
use crate::harness::home::{Home, Settings};
use std::collections::BTreeMap;

const HOSTILE: [&str; 12] = [
    "'; drop table \"e_customer\"; --",
    "\" or 1=1 --",
    "$1 ? :name @p %s %n {}",
    "{{business.name}} {{{business.name}}} {{> letter}} {{env \"HOME\"}}",
    "<script>alert(1)</script><img src=x onerror=alert(1)>",
    "\" onmouseover=\"alert(1)",
    "Ann\r\nBcc: victim@elsewhere.test\r\n\r\nInjected",
    "\u{1b}[2J\u{1b}]0;owned\u{7}\u{9b}31m\u{8}\u{8}",
    "\u{202e}gnp.exe\u{2066}",
    "</Say><Dial>+19005550100</Dial><Say>",
    "\r\n.\r\nMAIL FROM:<x@y.test>\r\n",
    "${HOME} ${SMTP_PASSWORD} `id` $(id)",
];

/// A shop that writes to customers with hostile names on every channel.
fn hostile_shop() -> Home {
    let home = shop(0, &Settings::default());
    for channel in ["sms", "voice"] {
        home.write(&format!("config/rules/{channel}.toml"), &RULE.replace("\"email\"", &format!("\"{channel}\"")));
        home.write(&format!("templates/hello/{channel}.hbs"), "Hello {{default customer.first_name \"you\"}}.");
    }
    home.write(
        "templates/hello/email.html.hbs",
        "<p title=\"{{default customer.first_name \"you\"}}\">Hello {{default customer.first_name \"you\"}}</p>",
    );
    let mut csv = "id,first_name,email,phone\n".to_owned();
    for (n, name) in HOSTILE.iter().enumerate() {
        csv.push_str(&format!("h{n},\"{}\",h{n}@customers.test,+4479460{n:05}\n", name.replace('"', "\"\"")));
    }
    home.write("customers.csv", &csv);
    home
}

#[test]
fn hostile_names_arrive_as_text_and_do_nothing() {
    let home = hostile_shop();
    let ran = home.plusone(&["once"]).ended_with(0);
    let files = outbox(&home);
    assert_eq!(files.len(), 3 * HOSTILE.len(), "{}{}", ran.stdout, ran.stderr);
    for name in &files {
        let text = home.read(&format!("var/outbox/{name}"));
        assert!(!text.contains("Test Shop</script>") && !text.contains("Hello Test Shop"), "compiled: {text}");
        if name.ends_with(".eml") {
            mail(&text);
        } else {
            let value: serde_json::Value = serde_json::from_str(&text).expect("JSON");
            let controls = |text: &str| text.chars().any(|c| c.is_control() && c != '\n' && c != '\t');
            assert!(!controls(value["text"].as_str().or(value["spoken"].as_str()).expect("words")), "{text}");
            if let Some(twiml) = value["twiml"].as_str() {
                assert_eq!((twiml.matches("<Say").count(), twiml.contains("<Dial")), (1, false), "{twiml}");
            }
        }
    }
}

/// One message: its header holds no line that the data wrote, its HTML no tag or attribute of theirs.
fn mail(text: &str) {
    let (header, _) = text.split_once("\r\n\r\n").expect("a header and a body");
    let mut names: BTreeMap<String, usize> = BTreeMap::new();
    for line in header.split("\r\n").filter(|line| !line.starts_with([' ', '\t'])) {
        let (name, _) = line.split_once(':').expect("a header line has a name");
        *names.entry(name.to_lowercase()).or_default() += 1;
    }
    for (name, count) in &names {
        assert_eq!(*count, 1, "{name} in {header}");
        assert!(name != "bcc" && name != "cc", "{header}");
    }
    assert!(!header.chars().any(|c| c.is_control() && c != '\r' && c != '\n'), "{header}");
    let plain = text.replace("=\r\n", "").replace("=3D", "=");
    let html = plain.split_once("text/html").expect("an HTML part").1;
    assert!(!html.contains("<script") && !html.contains("<img") && !html.contains("\" onmouseover="), "{html}");
}

#[test]
fn hostile_names_do_nothing_on_a_terminal_or_in_the_database() {
    let home = hostile_shop();
    home.plusone(&["once"]).ended_with(0);
    let commands: [&[&str]; 9] = [
        &["log"],
        &["status"],
        &["customer", "h7"],
        &["find", "owned"],
        &["who", "hello"],
        &["why", "h7"],
        &["why", "h7", "hello"],
        &["preview", "hello", "--customer", "h7"],
        &["once"],
    ];
    for arguments in commands {
        let ran = home.plusone(arguments).ended_with(0);
        let steering = |c: char| c.is_control() && c != '\n' && c != '\t' || c == '\u{202e}' || c == '\u{2066}';
        let found = ran.stdout.chars().chain(ran.stderr.chars()).find(|c| steering(*c));
        assert_eq!(found, None, "{arguments:?}: {}", ran.stdout);
    }
    for name in HOSTILE {
        let ran = home.plusone(&["find", name]);
        assert!(!ran.stderr.contains("database") && !ran.stderr.contains("panicked"), "{name}: {}", ran.stderr);
    }
    for words in ["'", "%", "_", "\\", "\u{1b}", "a' union select 1 --", ""] {
        let ran = home.plusone(&["find", words]);
        assert!(!ran.stderr.contains("the database refused"), "{words}: {}", ran.stderr);
    }
    let log = home.plusone(&["log", "--json", "--limit", "1000"]).ended_with(0).json_lines();
    assert_eq!(log.len(), 3 * HOSTILE.len(), "nothing was dropped");
}

#[test]
fn a_condition_binds_what_looks_like_sql() {
    let home = shop(2, &Settings::default());
    let condition = r#"when = 'customer.id != "\" ; drop table e_customer; --" && customer.first_name != "$1"'"#;
    home.write("config/rules/hello.toml", &RULE.replace("when = 'has(customer.id)'", condition));
    home.plusone(&["once"]).ended_with(0);
    assert_eq!(outbox(&home).len(), 2);
}

#[test]
fn names_in_the_declaration_cannot_become_sql() {
    for name in ["id; drop table x", "a\\\"b", "a b", "\u{e9}", "_bucket", ""] {
        let home = shop(1, &Settings::default());
        home.write("config/data.toml", &DATA.replace("first_name = \"text\"", &format!("\"{name}\" = \"text\"")));
        expect(home.plusone(&["check"]), 2, &["config/data.toml:"]);
    }
}
