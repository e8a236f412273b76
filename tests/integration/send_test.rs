//! `send-test`: a real message that nobody takes for one, that speaks for nobody and that nothing counts.

use crate::harness::home::{Home, Ran, Settings};
use crate::shop::{self, customers, rule};

const OFFER: &str = "description = \"A cookie\"\nvalue = 2.50\ncost = 0.80\nbudget = { total = 10 }\n\
                     code = { pattern = \"COOKIE-######\" }\nvalid_for = \"30d\"\n";

fn home(more: &str) -> Home {
    let home = shop::home(&Settings { more: more.to_owned(), ..Settings::default() })
        .file("customers.csv", &customers(&["c1,ann@shop.test,Ann,,yes", "c2,bo@shop.test,Bo,,yes"]))
        .file("config/offers/cookie.toml", OFFER)
        .file("templates/treat/subject.hbs", "A cookie for {{default customer.first_name \"you\"}}")
        .file("templates/treat/sms.hbs", "Your code: {{offer.code}}. {{links.unsubscribe}}");
    home.write("templates/treat/email.txt.hbs", &format!("Your code is {{{{offer.code}}}}.\n{}", shop::WAY_OUT));
    let keys = [
        ("topic", "\"offers\""),
        ("kind", "\"offer\""),
        ("offer", "[\"cookie\"]"),
        ("template", "\"treat\""),
        ("channels", "[\"email\", \"sms\"]"),
        ("again_after", "\"30d\""),
    ];
    home.write("config/rules/treat.toml", &rule(&keys));
    home
}

fn test(home: &Home, to: &str, more: &[&str]) -> Ran {
    home.plusone(&[&["send-test", "treat", "--customer", "c1", "--to", to], more].concat())
}

fn sent(home: &Home, extension: &str) -> Vec<String> {
    let entries = std::fs::read_dir(home.path().join("var/outbox")).into_iter().flatten();
    let paths = entries.map(|entry| entry.expect("the folder can be read").path());
    let paths = paths.filter(|path| path.to_string_lossy().ends_with(extension));
    paths.map(|path| std::fs::read_to_string(path).expect("a message")).collect()
}

#[test]
fn a_test_is_marked_and_its_links_and_code_are_nobodys() {
    let home = home("");
    test(&home, "Me@Example.COM", &[]).ended_with(0);
    let mail = sent(&home, ".eml").remove(0);
    for part in
        ["X-Plusone-Test: true\r\n", "To: Me@example.com\r\n", "Subject: [Test] A cookie for Ann\r\n", "/u/preview"]
    {
        assert!(mail.contains(part), "no `{part}` in\n{mail}");
    }
    assert!(mail.contains("COOKIE-XXXXXX"), "{mail}");
    test(&home, "020 7946 0123", &[]).ended_with(0);
    let text = sent(&home, ".sms.json").remove(0);
    assert!(
        text.contains("\"to\": \"+442079460123\"") && text.contains("\"text\": \"Test: Your code: COOKIE-XXXXXX"),
        "{text}"
    );
}

#[test]
fn a_test_is_in_the_log_and_counted_nowhere() {
    let home = home("");
    let told = test(&home, "me@example.com", &["--json"]).ended_with(0).json();
    let log = home.plusone(&["log", "--customer", "c1", "--json"]).ended_with(0).json_lines();
    assert_eq!(log.len(), 1);
    assert_eq!(
        (&log[0]["test"], &log[0]["state"], &log[0]["address"]),
        (&true.into(), &"sent".into(), &"me@example.com".into())
    );
    assert_eq!(log[0]["id"], told["touchpoint"]);
    let shown =
        home.plusone(&["show", &told["touchpoint"].as_str().expect("an id")[..8], "--json"]).ended_with(0).json();
    assert_eq!(shown["words"]["subject"], "[Test] A cookie for Ann");
    // the customer's own message is the first of this rule, with a code and budget of its own
    let once = home.plusone(&["once", "--json"]).ended_with(0).json();
    let run = &once["rules"][0];
    assert_eq!((&run["matched"], &run["planned"]), (&2.into(), &2.into()), "{once}");
    let log = home.plusone(&["log", "--customer", "c1", "--json"]).ended_with(0).json_lines();
    let real = log.iter().find(|one| one["test"] == false).expect("the customer's own");
    assert_eq!(real["occurrence"], "#1");
    let report = home.plusone(&["report", "--json"]).ended_with(0).json();
    assert_eq!(report["rules"][0]["funnel"]["sent"], 2, "{report}");
}

#[test]
fn what_holds_for_the_address_or_the_house_holds_for_tests() {
    let home = home("[guard]\nonly_to = [\"*@example.com\"]");
    let refused = |to: &str, code: i32, why: &str| {
        let ran = test(&home, to, &[]).ended_with(code);
        assert!(ran.stderr.contains(why), "no `{why}` in\n{}", ran.stderr);
    };
    refused("me@elsewhere.test", 1, "`only_to` of [guard] lets nothing go to me@elsewhere.test");
    refused("nobody", 2, "`nobody` is neither an email address nor a phone number");
    home.plusone(&["suppress", "add", "me@example.com", "--reason", "complaint"]).ended_with(0);
    refused("me@example.com", 1, "me@example.com is suppressed");
    home.plusone(&["pause", "all"]).ended_with(0);
    refused("you@example.com", 1, "all is paused");
    let ran = test(&home, "you@example.com", &["--channel", "sms"]).ended_with(2);
    assert!(ran.stderr.contains("is an email address, and sms does not go there"), "{}", ran.stderr);
    assert!(sent(&home, "").is_empty());
}

#[test]
fn a_provider_that_cannot_be_reached_is_named() {
    let port = crate::harness::free_port();
    let relay =
        format!("[providers.relay]\ntype = \"smtp\"\nurl = \"smtp://{}:{port}?tls=none\"\n", crate::harness::address());
    let settings = Settings { more: relay, email: vec!["relay"], ..Settings::default() };
    let home = shop::home(&settings)
        .file("customers.csv", &customers(&["c1,ann@shop.test,Ann,,"]))
        .file("config/rules/note.toml", &rule(&[]));
    let ran = home.plusone(&["send-test", "note", "--customer", "c1", "--to", "me@example.com"]).ended_with(1);
    assert!(ran.stderr.contains("no test was sent: no provider of email can be used: relay: "), "{}", ran.stderr);
    assert!(home.plusone(&["log", "--json"]).ended_with(0).stdout.is_empty());
}
