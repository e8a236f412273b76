//! The sample business on its way to customers: through a real relay, and through Twilio's own description of its API.

use super::harness::home::Home;
use super::harness::postfix::Postfix;
use super::harness::prism::Prism;
use super::harness::{address, mail};
use serde_json::Value;

/// Noon on a Monday in Bristol: every channel is open.
const NOON: &str = "2026-11-23 12:00";

/// The sample with other ways out, whose customers live where the test's mail server delivers.
fn sample(changes: &[(&str, &str)], providers: &str) -> Home {
    let home = Home::new();
    home.copy("config");
    home.copy("templates");
    let mut settings = home.read("config/plusone.toml");
    for (from, to) in changes {
        assert!(settings.contains(from), "the sample no longer says {from}");
        settings = settings.replace(from, to);
    }
    home.write("config/plusone.toml", &format!("{settings}\n{providers}"));
    let customers = home.read("config/sample/customers.csv");
    let customers = ["example.com", "example.net", "example.org"]
        .iter()
        .fold(customers, |text, domain| text.replace(domain, "customers.test"));
    home.write("config/sample/customers.csv", &customers);
    home
}

fn sent(home: &Home, channel: &str) -> Vec<Value> {
    let log = home.plusone(&["log", "--json", "--state", "sent", "--channel", channel]).ended_with(0);
    log.json_lines()
}

#[test]
fn a_real_relay_delivers_the_words_that_the_log_shows() {
    let Some(postfix) = Postfix::start() else { return };
    let relay = format!(
        "[providers.relay]\ntype = \"smtp\"\nurl = \"smtp://shop:secret@{}:{}\"\nca_file = \"{}\"\nconnections = 3\n",
        address(),
        postfix.submission,
        postfix.ca_file().display()
    );
    let providers = "providers = [\"outbox\"]                # the first healthy one sends; the next is the fallback";
    let home = sample(&[(providers, "providers = [\"relay\"]")], &relay);
    let pass = home.plusone(&["once", "--json", "--at", NOON]).ended_with(0).json();
    assert_eq!(pass["delivery"]["failed"], 0, "{pass:#}");
    let log = sent(&home, "email");
    assert!(log.len() >= 8, "the sample sends mail at noon: {pass:#}");
    let mails = postfix.wait_for_mail("customers.test", log.len());
    assert_eq!(mails.len(), log.len());
    for touchpoint in log {
        let id = touchpoint["id"].as_str().expect("an id");
        let message_id = format!("<{id}@harbour.example>");
        let mail = mails.iter().find(|mail| mail::header(mail, "message-id") == message_id).expect("it arrived");
        assert_eq!(mail["defects"], Value::Array(Vec::new()), "{mail:#}");
        assert_eq!(mail::header(mail, "auto-submitted"), "auto-generated");
        let shown = home.plusone(&["show", id, "--json"]).ended_with(0).json();
        assert_eq!(mail::header(mail, "subject"), shown["words"]["subject"].as_str().expect("a subject"));
        for (part, content_type) in [("text", "text/plain"), ("html", "text/html")] {
            let said = shown["words"][part].as_str().expect("both parts");
            let read = mail::part(mail, content_type).expect("both parts");
            assert_eq!(read.trim_end().replace("\r\n", "\n"), said.trim_end().replace("\r\n", "\n"), "{id} {part}");
        }
        assert_eq!(touchpoint["provider"], "relay");
    }
}

#[test]
fn twilio_takes_every_message_and_call_of_the_sample() {
    let Some(prism) = Prism::mock("twilio-messages-calls.strict.json") else { return };
    let twilio = format!(
        "[providers.twilio]\ntype = \"twilio\"\naccount_sid = \"AC{}\"\nauth_token = \"${{TWILIO_AUTH_TOKEN}}\"\n\
         api_base = \"{}\"\nprice = {{ sms = \"0.042\", voice = \"0.015\" }}\n",
        "0123456789abcdef".repeat(2),
        prism.url()
    );
    let changes = [
        (
            "[channels.sms]\nfrom = \"+442079460018\"\nproviders = [\"outbox\"]",
            "[channels.sms]\nfrom = \"+442079460018\"\nproviders = [\"twilio\"]",
        ),
        (
            "[channels.voice]\nfrom = \"+442079460018\"\nproviders = [\"outbox\"]",
            "[channels.voice]\nfrom = \"+442079460018\"\nproviders = [\"twilio\"]",
        ),
    ];
    let home = sample(&changes, &twilio).with("TWILIO_AUTH_TOKEN", "not-a-real-token");
    let pass = home.plusone(&["once", "--json", "--at", NOON]).ended_with(0).json();
    assert_eq!(pass["delivery"]["failed"], 0, "{pass:#}");
    assert_eq!(pass["delivery"]["in_doubt"], 0, "{pass:#}");
    for channel in ["sms", "voice"] {
        let log = sent(&home, channel);
        assert!(!log.is_empty(), "the sample uses {channel} at noon: {pass:#}");
        for touchpoint in log {
            assert_eq!(touchpoint["provider"], "twilio");
            let sid = touchpoint["provider_id"].as_str().expect("Twilio's id");
            assert!(sid.starts_with("SM") || sid.starts_with("CA"), "{sid}");
            assert!(touchpoint["cost"]["amount"].is_string(), "{touchpoint:#}");
        }
    }
}
