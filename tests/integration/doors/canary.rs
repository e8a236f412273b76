//! Canaries: a secret and a contact planted where secrets and contacts stand, looked for wherever they must not be.
//!
//! What shows addresses by decision (`log`, `show`, `customer`, `find`) is for people who answer customers, and is left
//! out here; secrets are looked for there too.

use super::{DATA, outbox, shop};
use crate::harness::daemon::Daemon;
use crate::harness::home::{Home, Settings};
use crate::harness::{address, free_port, wait_for};
use std::time::Duration;

const SECRETS: [&str; 3] = ["c4n4ry-relay", "c4n4ry-twilio", "00c4a4c4a4c4"];
const CONTACTS: [&str; 3] = ["canary.person@nest.test", "7946000777", "Canaryname"];

/// A shop with a relay and a phone provider that are both not there, and one customer who has both addresses.
fn aviary() -> Home {
    let (relay, phone) = (free_port(), free_port());
    let host = address();
    let more = format!(
        r#"[providers.relay]
type = "smtp"
url = "smtp://shop:c4n4ry-relay@{host}:{relay}"
[providers.phone]
type = "twilio"
account_sid = "AC00c4a4c4a4c4a4c4a4c4a4c4a4c4a4c4"
auth_token = "${{CANARY_TOKEN}}"
api_base = "http://{host}:{phone}"
"#
    );
    let settings = Settings { email: vec!["relay", "outbox"], more, ..Settings::default() };
    let home = shop(0, &settings).with("CANARY_TOKEN", "c4n4ry-twilio").with("RUST_LOG", "trace");
    let text = home.read("config/plusone.toml").replace(
        "from = \"+442079460000\"\nproviders = [\"outbox\"]\n[channels.voice]",
        "from = \"+442079460000\"\nproviders = [\"phone\", \"outbox\"]\n[channels.voice]",
    );
    home.write("config/plusone.toml", &text);
    home.write("config/rules/text.toml", &super::RULE.replace("\"email\"", "\"sms\""));
    home.write("templates/hello/sms.hbs", "Hello {{default customer.first_name \"you\"}}");
    home.write(
        "customers.csv",
        "id,first_name,email,phone\nk1,Canaryname,canary.person@nest.test,+447946000777\nk2,Bob,not an address canary.person@nest.test,+44 7946000777 x\n",
    );
    home
}

#[track_caller]
fn expect_none(what: &str, text: &str, canaries: &[&str]) {
    for canary in canaries {
        let line = text.lines().find(|line| line.contains(canary));
        assert_eq!(line, None, "{canary} in {what}");
    }
}

#[test]
fn no_secret_and_no_contact_is_told_where_machines_and_operators_read() {
    let home = aviary();
    let mut daemon = Daemon::start(&home);
    daemon.wait_until_ready();
    wait_for("a try of each channel", Duration::from_secs(60), || {
        let log = home.plusone(&["log", "--json"]).ended_with(0).json_lines();
        let tried = |one: &serde_json::Value| one["attempts"].as_i64().unwrap_or(0) > 0 || one["state"] == "sent";
        (log.iter().filter(|one| tried(one)).count() >= 2).then_some(())
    });
    let both: Vec<&str> = SECRETS.iter().chain(&CONTACTS).copied().collect();
    for path in ["/readyz", "/livez", "/metrics", "/nothing?canary.person@nest.test"] {
        let (_, body) = daemon.get(path).expect("an answer");
        expect_none(path, &body, &both);
    }
    for arguments in [&["status"][..], &["status", "--json"], &["check"], &["check", "--json"], &["offers"]] {
        let ran = home.plusone(arguments);
        expect_none(&format!("{arguments:?}"), &super::said(&ran), &both);
    }
    for arguments in [&["log", "--json"][..], &["customer", "k1"], &["customer", "k1", "--json"], &["find", "k1"]] {
        expect_none(&format!("{arguments:?}"), &super::said(&home.plusone(arguments)), &SECRETS);
    }
    let (_, said) = daemon.terminate();
    expect_none("the daemon's output at trace", &said, &both);
    assert!(said.lines().count() > 20, "trace was on: {said}");
    for name in outbox(&home) {
        expect_none(&name, &home.read(&format!("var/outbox/{name}")), &SECRETS);
    }
}

#[test]
fn no_secret_is_told_by_a_message_about_bad_settings() {
    let home = aviary();
    let good = home.read("config/plusone.toml");
    let cases = [
        good.replace("smtp://shop", "smtq://shop"),
        good.replace("type = \"smtp\"", "type = \"smpt\""),
        good.replace(
            "auth_token = \"${CANARY_TOKEN}\"",
            "auth_token = \"${CANARY_TOKEN}\"\nauth_tokne = \"${CANARY_TOKEN}\"",
        ),
        good.replace("sqlite://var/plusone.db", "mysql://shop:${CANARY_TOKEN}@db/x"),
        good.replace("sqlite://var/plusone.db", "postgres://shop:${CANARY_TOKEN}@127.0.0.1:1/x"),
        good.replace("sqlite://var/plusone.db", "postgres://shop:${CANARY_TOKEN}%zz@127.0.0.1:port/x"),
        good.replace("name = \"Test Shop\"", "name = \"${CANARY_TOKEN}\"\ncountry = \"${CANARY_TOKEN}\""),
        good.replace("locale = \"en-GB\"", "locale = \"${CANARY_TOKEN}\""),
    ];
    for text in cases {
        assert_ne!(text, good);
        home.write("config/plusone.toml", &text);
        for arguments in [&["once"][..], &["check", "--json"]] {
            let ran = home.plusone(arguments);
            expect_none(&text, &super::said(&ran), &["c4n4ry-twilio"]);
        }
    }
    home.write("config/plusone.toml", &good);
    home.write("config/data.toml", &DATA.replace("source = \"customers.csv\"", "source = \"${CANARY_TOKEN}.csv\""));
    expect_none("once", &super::said(&home.plusone(&["once"])), &[]);
}
