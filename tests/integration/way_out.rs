//! `check` and `preview`: no promotional text message or call is without a way out.

use crate::harness::home::Home;
use crate::harness::root;
use plusone::config::{Environment, Files};
use plusone::problem::Severity;
use plusone::workspace::Workspace;
use std::collections::BTreeMap;

const PLUSONE: &str = "config/plusone.toml";
const CALL: &str = "config/rules/invoice-call.toml";
/// What the sample says of opt-out words.
const ADDED: &str = "opt_out = { every = \"always\" }";
const TWILIO: &str =
    "[providers.phone]\ntype = \"twilio\"\naccount_sid = \"AC00000000000000000000000000000000\"\nauth_token = \"x\"\n";

/// What is wrong with the sample after a change: `error file: message`.
fn told(change: impl FnOnce(&mut Files)) -> Vec<String> {
    let mut files = Files::read(root());
    change(&mut files);
    let workspace = Workspace::open(&files, &Environment::default(), &BTreeMap::new()).expect("good settings");
    let line = |severity| if severity == Severity::Error { "error" } else { "warning" };
    let problems = workspace.problems.iter();
    problems.map(|problem| format!("{} {}: {}", line(problem.severity), problem.source.name, problem.message)).collect()
}

fn replace(files: &mut Files, path: &str, old: &str, new: &str) {
    let text = files.get(path).expect("a file of the sample").text.to_string();
    assert!(text.contains(old), "{path} has no {old}");
    files.insert(path, &text.replace(old, new));
}

/// The sample's call made promotional.
fn promotional_call(files: &mut Files) {
    replace(files, CALL, "topic = \"reminders\"", "topic = \"offers\"");
}

fn by_twilio(files: &mut Files, public_url: &str) {
    let text = files.get(PLUSONE).expect("settings").text.to_string();
    let at = text.find("[channels.voice]").expect("calls");
    let (before, after) = text.split_at(at);
    let text = format!("{before}{}{TWILIO}", after.replacen("[\"outbox\"]", "[\"phone\"]", 1));
    files.insert(PLUSONE, &text.replace("http://127.0.0.1:8470", public_url));
}

#[test]
fn the_sample_has_a_way_out_everywhere() {
    assert_eq!(told(|_| {}), Vec::<String>::new());
}

#[test]
fn a_text_message_that_plusone_may_not_add_to_must_say_it_itself() {
    let never = |files: &mut Files| {
        replace(files, PLUSONE, ADDED, "opt_out = { every = \"never\" }");
    };
    let expected = "error templates/birthday/sms.hbs: a promotional text message says no way out, and `opt_out` of \
                    `[channels.sms]` adds none";
    assert_eq!(told(never), [expected]);
    let says = |text: &'static str| {
        told(move |files| {
            never(files);
            files.insert("templates/birthday/sms.hbs", text);
        })
    };
    assert_eq!(says("Happy birthday! {{offer.code}} Reply STOP to opt out."), Vec::<String>::new());
    assert_eq!(
        says("Hi {{offer.code}}{{#if customer.first_name}}. Reply STOP.{{else}}. STOP ends this.{{/if}}"),
        Vec::<String>::new()
    );
    assert_eq!(
        says("Hi {{offer.code}}{{#if customer.first_name}}. Reply STOP.{{/if}}"),
        [expected],
        "not in every case"
    );
}

#[test]
fn a_sender_that_nobody_can_answer_needs_another_way_out() {
    let name = |text: &'static str| {
        told(move |files| {
            replace(files, PLUSONE, "[channels.sms]\nfrom = \"+442079460018\"", "[channels.sms]\nfrom = \"HARBOUR\"");
            files.insert("templates/birthday/sms.hbs", text);
        })
    };
    let expected = "error templates/birthday/sms.hbs: a promotional text message names no way out, and nobody can answer \
                    the sender `HARBOUR`";
    assert_eq!(name("Happy birthday! {{offer.code}} Reply STOP to opt out."), [expected]);
    assert_eq!(name("Happy birthday! {{offer.code}} STOP to 36111"), Vec::<String>::new());
    assert_eq!(name("Happy birthday! {{offer.code}} No more: {{links.unsubscribe}}"), Vec::<String>::new());
}

#[test]
fn words_in_a_language_that_plusone_does_not_have_are_asked_for() {
    let locale = |words: &'static str| {
        told(move |files| {
            files.insert("templates/birthday/nl/sms.hbs", "Gefeliciteerd! {{offer.code}}");
            replace(files, PLUSONE, ADDED, words);
        })
    };
    let expected =
        "warning templates/birthday/nl/sms.hbs: plusone has no opt-out words in `nl` and adds them in English";
    assert_eq!(locale(""), [expected]);
    assert_eq!(locale("opt_out = { words = { nl = \"Antwoord STOP om te stoppen.\" } }"), Vec::<String>::new());
}

#[test]
fn opt_out_words_name_a_word_to_answer_with_and_a_language() {
    let mut files = Files::read(root());
    let words = "opt_out = { words = { nl = \"Laat maar\", Dutch = \"STOP\" } }";
    replace(&mut files, PLUSONE, ADDED, words);
    let problems = Workspace::open(&files, &Environment::default(), &BTreeMap::new()).expect_err("bad settings");
    let messages: Vec<&str> = problems.iter().map(|problem| problem.message.as_str()).collect();
    assert_eq!(messages, ["these words name no word that customers can answer with", "`Dutch` is not a language"]);
}

#[test]
fn a_promotional_call_whose_keys_reach_nobody_is_refused() {
    let voice = |promotional: bool, public_url: &'static str| {
        let mut told = told(move |files| {
            if promotional {
                promotional_call(files);
            }
            by_twilio(files, public_url);
        });
        // what is said of the address itself is another matter
        told.retain(|line| line.contains(" templates/"));
        told
    };
    let expected = "error templates/invoice-call/voice.toml: a promotional call could not be stopped: no key that is \
                    pressed reaches plusone";
    assert_eq!(voice(true, "http://127.0.0.1:8470"), [expected]);
    assert_eq!(voice(true, "https://plus.harbour.example"), Vec::<String>::new());
    let left_out =
        "warning templates/invoice-call/voice.toml: this menu is left out: no key that is pressed reaches plusone";
    assert_eq!(voice(false, "http://127.0.0.1:8470"), [left_out]);
}

#[test]
fn a_menu_is_checked_key_by_key_and_keeps_its_rule_from_sending() {
    let menu = |text: &'static str| told(move |files| files.insert("templates/invoice-call/voice.toml", text));
    let place = "templates/invoice-call/voice.toml";
    for (text, expected) in [
        ("[keys.9]\ndoes = \"stpo\"\n", "`stpo` is not known here"),
        ("[keys.10]\ndoes = \"stop\"\n", "`10` is not a good key name"),
        ("[keys.1]\ndoes = \"repeat\"\nsays = \"Again.\"\n", "a key that repeats says the call itself"),
        ("[keys.2]\ndoes = \"say\"\nprompt = \"Press 2.\"\n", "a key that says something has no `says`"),
        ("[keys.1]\ndoes = \"stop\"\n[keys.2]\ndoes = \"stop\"\n", "another key stops already"),
        ("[keys.9]\ndoes = \"repeat\"\n", "no key stops: key 9, which would, does `repeat`"),
        ("[key.9]\ndoes = \"stop\"\n", "`key` is not a key of voice.toml"),
        ("", "voice.toml has no `keys`"),
    ] {
        let told = menu(text);
        assert!(told.iter().any(|line| line == &format!("error {place}: {expected}")), "{text}: {told:?}");
    }
    let mut files = Files::read(root());
    files.insert(place, "[keys.9]\ndoes = \"stpo\"\n");
    let none = BTreeMap::new();
    let broken = Workspace::open(&files, &Environment::default(), &none).expect("good settings");
    assert!(!broken.project.rules.contains_key("invoice-call"));
    // what was good last stays in force
    let sample = Files::read(root());
    let kept = sample.texts().map(|(path, text)| (path.to_owned(), text.to_owned())).collect();
    let workspace = Workspace::open(&files, &Environment::default(), &kept).expect("good settings");
    assert!(workspace.project.rules.contains_key("invoice-call"));
    assert!(!workspace.problems.is_empty());
}

#[test]
fn keys_are_told_in_the_language_of_the_call() {
    let french =
        "error templates/invoice-call/fr/voice.hbs: the keys of this call would be told in another language than `fr`";
    let menu = "[keys.2]\ndoes = \"say\"\nprompt = \"Press 2.\"\nsays = \"Nine to five.\"\n";
    let with = |locale: &'static str, own: &'static str| {
        told(move |files| {
            files.insert("templates/invoice-call/voice.toml", menu);
            files.insert(&format!("templates/invoice-call/{locale}/voice.hbs"), "Allô.");
            if !own.is_empty() {
                files.insert(&format!("templates/invoice-call/{locale}/voice.toml"), own);
            }
        })
    };
    assert_eq!(with("fr", ""), [french]);
    assert_eq!(with("fr", "[keys.1]\ndoes = \"repeat\"\n"), Vec::<String>::new());
    let dutch = "error templates/invoice-call/nl/voice.toml: plusone has no sentences in `nl` for the keys of a call";
    assert_eq!(with("nl", "[keys.9]\ndoes = \"stop\"\n"), [dutch]);
    assert_eq!(with("nl", "[keys.9]\ndoes = \"stop\"\nprompt = \"Toets 9.\"\nsays = \"Dag.\"\n"), Vec::<String>::new());
}

#[test]
fn preview_shows_the_words_that_are_added_and_the_menu() {
    let home = Home::new();
    home.copy("config");
    home.copy("templates");
    let text = home.plusone(&["preview", "birthday", "--customer", "c01", "--channel", "sms", "--json"]);
    let text: serde_json::Value = serde_json::from_str(&text.ended_with(0).stdout).expect("JSON");
    let sms = text["messages"][0]["sms"]["text"].as_str().expect("a text");
    assert!(sms.ends_with(" Reply STOP to opt out."), "{sms}");
    let call = home.plusone(&["preview", "invoice-call", "--customer", "c12"]).ended_with(0);
    assert!(call.stdout.contains("press 9."), "{}", call.stdout);
    assert!(
        call.stdout.contains("-- key 9 stops all calls: We will not call you again. Goodbye. --"),
        "{}",
        call.stdout
    );
}
