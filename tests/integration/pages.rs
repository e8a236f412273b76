//! The public pages over the real program: leaving by one click, by the button, by scanners who must not; the
//! preference centre, why, and what is wrong, driven in Chromium and looked at by axe.
//!
//! 1. What counts is what the ledger holds afterwards, read from the database beside the daemon.
//! 2. Letters are those that the program itself has written; links are taken from them as a mail program would.

use crate::harness::daemon::Daemon;
use crate::harness::home::{Home, Settings};
use crate::harness::{chromium, node_modules, root};
use plusone::sql::Sql;
use plusone::store::db::Db;
use plusone::store::token_keys;
use plusone::time::Timestamp;
use plusone::tokens::{Keyring, Purpose};
use serde_json::{Value, json};
use std::path::Path;
use std::process::Command;

/// How many letters a crowd gets.
const CROWD: usize = 1_000;

const DATA: &str = r#"[customer]
source = "customers.csv"
key = "id"
roles = { email = "email", phone = "phone", name = "first_name", locale = "locale" }
[customer.fields]
id = "text"
first_name = "text"
email = "text"
phone = "text"
locale = "text"
points = { type = "integer", required = true }
yes = "boolean"
[customer.consent]
offers = { email = "yes", source = "checkout of the shop" }
reminders = { email = "yes", source = "checkout of the shop" }
"#;
const RULE: &str = r#"description = "A thank-you for everybody who has at least one point"
live = true
kind = "reminder"
topic = "offers"
schedule = "every minute"
when = ['customer.points >= 1']
channels = ["email"]
template = "thanks"
"#;
const STATUS: &str = r#"description = "Tells how many points there are"
live = true
kind = "reminder"
topic = "reminders"
schedule = "every minute"
when = ['customer.points >= 2']
channels = ["email"]
template = "thanks"
offer = "cookie"
"#;
const OFFER: &str = "description = \"A cookie\"\nvalue = 2\ncost = 1\nbudget = { total = 5000 }\n";
const LETTER: &str = "<!doctype html><html lang=\"en\"><head><title>Thanks</title></head><body>\
    <p>Hello {{default customer.first_name \"there\"}}, you have {{number customer.points}} points.</p>\
    <p>{{business.name}}, {{business.postal_address}}</p><p><a href=\"{{links.unsubscribe}}\">Unsubscribe</a> \
    <a href=\"{{links.preferences}}\">Choose</a> <a href=\"{{links.why}}\">Why?</a></p></body></html>";

/// A shop whose customers have all had their letters.
struct Written {
    home: Home,
    db: Db,
    keys: Keyring,
}

impl Written {
    async fn to(customers: usize) -> Self {
        let mut rows = "id,first_name,email,phone,locale,points,yes\n".to_owned();
        for n in 0..customers {
            let locale = ["en-GB", "fr-FR", "de-DE", "es-ES"][n % 4];
            // Every tenth gets the status letter with an offer as well.
            let points = if n % 10 == 9 { 2 } else { 1 };
            rows.push_str(&format!("c{n},Name{n},person{n}@customers.test,+4420794{n:05},{locale},{points},yes\n"));
        }
        let guard = "[guard]\nmax_share = \"100%\"\nmax_recipients = 100000\n".to_owned();
        let home = Home::new()
            .settings(&Settings { more: guard, ..Settings::default() })
            .file("config/data.toml", DATA)
            .file("config/rules/thanks.toml", RULE)
            .file("config/rules/points.toml", STATUS)
            .file("config/offers/cookie.toml", OFFER)
            .file("templates/thanks/subject.hbs", "Thank you")
            .file("templates/thanks/email.html.hbs", LETTER)
            .file("customers.csv", &rows);
        home.plusone(&["check"]).ended_with(0);
        home.plusone(&["once"]).ended_with(0);
        let db = Db::open("sqlite://var/plusone.db", home.path()).await.expect("the database is there");
        let keys = token_keys::load(&db, Timestamp::from_micros(0)).await.expect("keys");
        Self { home, db, keys }
    }

    async fn count(&self, sql: &str) -> i64 {
        self.db.fetch_one(Sql::new(sql)).await.expect("it can be read").expect("a row").int(0)
    }

    /// Everything that a page could change, as one text.
    async fn state(&self) -> String {
        let mut state = String::new();
        for (table, columns) in [
            ("consents", "customer || topic || channel || at || value"),
            ("suppressions", "address_hash || scope"),
            ("preferences", "customer || updated_at"),
            ("pauses", "scope"),
        ] {
            let rows = self.db.fetch(Sql::new(format!("select {columns} from {table} order by 1"))).await;
            state.extend(rows.expect("it can be read").iter().map(|row| format!("{table} {}\n", row.text(0))));
        }
        state
    }

    /// The id of the letter that a customer got by a rule.
    async fn letter(&self, rule: &str, customer: &str) -> String {
        let sql = Sql::new("select id from touchpoints where rule = $1 and customer = $2 and state = 'sent'");
        let row = self.db.fetch_one(sql.with(rule).with(customer)).await.expect("it can be read");
        row.unwrap_or_else(|| panic!("no letter of {rule} to {customer}")).text(0).to_owned()
    }

    fn url(&self, purpose: Purpose, touchpoint: &str) -> String {
        let token = self.keys.sign(purpose, touchpoint, &[]).expect("an id");
        let path = purpose.path().expect("a page");
        format!("http://{}/{path}/{token}", crate::harness::socket(self.home.port))
    }

    fn daemon(&self) -> Daemon {
        let mut daemon = Daemon::start(&self.home);
        daemon.wait_until_ready();
        daemon
    }
}

/// Runs one of the scripts beside the parts and gives the JSON that it prints.
fn node(script: &str, arguments: &[&Path]) -> Value {
    let mut command = Command::new("node");
    command.arg(root().join("tests/parts").join(script)).args(arguments);
    let output = command.output().expect("node can be started");
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let said = String::from_utf8_lossy(&output.stderr);
    serde_json::from_str(text.trim()).unwrap_or_else(|error| panic!("{script}: {error}\n{text}\n{said}"))
}

#[tokio::test]
async fn scanners_change_nothing_and_one_click_leaves_a_thousand_times() {
    let (Some(modules), Some(browser)) = (node_modules(), chromium()) else { return };
    let written = Written::to(CROWD).await;
    let outbox = written.home.path().join("var/outbox");
    let letters = CROWD + CROWD / 10;
    let daemon = written.daemon();
    let before = written.state().await;
    let looked = node("crawl.mjs", &["look".as_ref(), &outbox, &modules, &browser]);
    assert_eq!((&looked["letters"], &looked["faulty"]), (&json!(letters), &json!(0)), "{looked}");
    assert_eq!(looked["links"], json!(letters * 4 * 2), "{looked}");
    let opened = node("crawl.mjs", &["scripts".as_ref(), &outbox, &modules, &browser]);
    assert_eq!((&opened["links"], &opened["faulty"]), (&json!(letters * 3), &json!(0)), "{opened}");
    assert_eq!(written.state().await, before, "looking changes nothing");
    let left = node("crawl.mjs", &["leave".as_ref(), &outbox, &modules, &browser]);
    assert_eq!((&left["letters"], &left["faulty"]), (&json!(letters), &json!(0)), "{left}");
    let noes = "select count(*) from consents where topic = 'offers' and channel = '*' and value = 0 and \
                kind = 'one_click' and ip is not null and wording is not null";
    assert_eq!(written.count(noes).await, CROWD as i64, "each has left once, however often it was posted");
    // The status letters carried an offer: what stops is the offers, by both addresses, and not the topic.
    let extras = "select count(*) from suppressions where scope = 'promotional' and reason = 'unsubscribe'";
    assert_eq!(written.count(extras).await, (CROWD / 10 * 2) as i64);
    assert_eq!(written.count("select count(*) from consents where topic = 'reminders' and value = 0").await, 0);
    daemon.terminate();
}

/// A form as a browser posts it, over a connection of its own.
fn post(port: u16, url: &str, body: &str) -> (u16, String) {
    ask(port, "POST", url, "Content-Type: application/x-www-form-urlencoded\r\n", body)
}

/// Any request of a browser, with more headers.
fn ask(port: u16, method: &str, url: &str, headers: &str, body: &str) -> (u16, String) {
    use std::io::{Read, Write};
    let address = crate::harness::socket(port);
    let path = url.split_once(&address.to_string()).map_or(url, |(_, path)| path);
    let mut stream = std::net::TcpStream::connect(address).expect("the daemon listens");
    let head = format!(
        "{method} {path} HTTP/1.0\r\nHost: {address}\r\nAccept: text/html\r\nContent-Length: {}\r\n{headers}\r\n{body}",
        body.len()
    );
    stream.write_all(head.as_bytes()).expect("written");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).expect("an answer");
    let status = answer.split(' ').nth(1).and_then(|status| status.parse().ok()).expect("a status");
    (status, answer)
}

#[tokio::test]
async fn a_token_opens_one_page_of_one_person_and_no_other() {
    let written = Written::to(10).await;
    let daemon = written.daemon();
    let pages = [Purpose::Unsubscribe, Purpose::Preferences, Purpose::Confirm, Purpose::Why];
    let links = regex::Regex::new("/[upwy]/[A-Za-z0-9_-]+\"").expect("a good pattern");
    for n in 0..10 {
        let id = written.letter("thanks", &format!("c{n}")).await;
        for signed in pages {
            let token = written.url(signed, &id);
            let token = token.rsplit('/').next().expect("a token");
            for asked in pages {
                let path = format!("/{}/{token}", asked.path().expect("a page"));
                let (status, body) = daemon.get(&path).expect("an answer");
                assert_eq!(status, if asked == signed { 200 } else { 404 }, "{signed:?} as {asked:?}");
                // A token may end in anything, in the id of somebody else, too.
                let unsigned = links.replace_all(&body, "\"");
                for other in 0..10 {
                    assert!(!body.contains(&format!("person{other}@")), "an address in clear");
                    assert!(!body.contains(&format!("Name{other}")) && !body.contains(&format!("+4420794{other:05}")));
                    assert!(!unsigned.contains(&format!("c{other}\"")), "a customer's id");
                }
            }
        }
    }
    // What nobody has signed, and what was signed for a letter that never was, look the same.
    let never = written.url(Purpose::Unsubscribe, &plusone::ids::touchpoint("none", "c1", "-", 0));
    let (_, of_never) = daemon
        .get(never.split_once("/u/").map(|(_, token)| format!("/u/{token}")).expect("a path").as_str())
        .expect("an answer");
    let (_, of_nonsense) = daemon.get("/u/nonsense").expect("an answer");
    assert_eq!(of_never, of_nonsense);
    daemon.terminate();
}

#[tokio::test]
async fn leaving_is_taken_back_as_it_was_and_saving_twice_is_once() {
    let written = Written::to(10).await;
    let daemon = written.daemon();
    let (one, status) = (written.letter("thanks", "c1").await, written.letter("points", "c9").await);
    let port = written.home.port;
    let yes = "select count(*) from consents where customer = 'c1' and topic = 'offers' and value = 1";
    let before = written.count(yes).await;
    assert_eq!(post(port, &written.url(Purpose::Unsubscribe, &one), "wish=leave").0, 200);
    assert_eq!(post(port, &written.url(Purpose::Unsubscribe, &one), "wish=stay-topic").0, 200);
    // Email alone was agreed to, and email alone comes back.
    assert_eq!(written.count(yes).await, before + 1);
    let back = "select count(*) from consents where customer = 'c1' and value = 1 and channel = 'email' and kind = 'unsubscribe_page'";
    assert_eq!(written.count(back).await, 1);
    // The same form twice.
    let form = "form=1&yes.offers.sms=yes&yes.reminders.email=yes&first=sms&second=email&language=fr-FR&quiet-from=21:00\
                &quiet-until=08:00&day.Sun=yes&extras=yes&pause=yes&unheard-of=1";
    let preferences = written.url(Purpose::Preferences, &one);
    let (code, page) = post(port, &preferences, form);
    assert_eq!(code, 200, "{page}");
    assert!(page.contains("Enregistré"), "the page answers in the language that was chosen: {page}");
    let saved = written.state().await;
    assert_eq!(post(port, &preferences, form).0, 200);
    assert_eq!(written.state().await, saved, "the second time changes nothing");
    let kept = "select channels || ', ' || locale || ', ' || quiet from preferences where customer = 'c1'";
    let kept = written.db.fetch_one(Sql::new(kept)).await.expect("a good statement").expect("a row");
    assert_eq!(kept.text(0), "sms email, fr-FR, 21:00-08:00 Sun");
    assert_eq!(written.count("select count(*) from pauses where scope = 'customer:c1'").await, 1);
    // Faults are told at their fields, and nothing is saved.
    let (code, page) = post(port, &preferences, "form=1&first=sms&second=sms&quiet-from=21:00&quiet-until=");
    assert_eq!(code, 422);
    assert!(page.contains("id=\"second-fault\"") && page.contains("id=\"quiet-from-fault\""), "{page}");
    assert_eq!(post(port, &preferences, "anything=1").0, 400, "a form that is not ours takes no tick away");
    assert_eq!(written.state().await, saved);
    // Offers in a status letter stop and come back without the topic being touched.
    let url = written.url(Purpose::Unsubscribe, &status);
    let extras = "select count(*) from suppressions where scope = 'promotional'";
    assert_eq!(post(port, &url, "List-Unsubscribe=One-Click").0, 200);
    assert_eq!(written.count(extras).await, 2);
    assert_eq!(post(port, &url, "wish=stay").0, 200);
    assert_eq!(written.count(extras).await, 0);
    assert_eq!(written.count("select count(*) from consents where topic = 'reminders' and customer = 'c9'").await, 1);
    daemon.terminate();
}

#[tokio::test]
async fn an_old_letter_still_unsubscribes_but_edits_nothing() {
    let written = Written::to(4).await;
    let id = written.letter("thanks", "c1").await;
    let age = "update touchpoints set sent_at = sent_at - 3888000000000, created_at = created_at - 3888000000000";
    written.db.execute(Sql::new(age)).await.expect("it is ours");
    let daemon = written.daemon();
    let port = written.home.port;
    let before = written.state().await;
    let (status, page) = post(port, &written.url(Purpose::Preferences, &id), "form=1");
    assert_eq!(status, 200);
    assert!(page.contains("trop ancien") && page.contains("../u/"), "{page}");
    assert_eq!(written.state().await, before);
    assert_eq!(post(port, &written.url(Purpose::Unsubscribe, &id), "").0, 200);
    assert_eq!(written.count("select count(*) from consents where value = 0 and channel = '*'").await, 1);
    daemon.terminate();
}

#[tokio::test]
async fn people_can_use_every_page_by_keyboard_and_screen_reader() {
    let (Some(modules), Some(browser)) = (node_modules(), chromium()) else { return };
    let written = Written::to(20).await;
    let daemon = written.daemon();
    let mut letters = Vec::new();
    for customer in ["c0", "c1", "c2", "c3", "c9"] {
        let rule = if customer == "c9" { "points" } else { "thanks" };
        letters.push(written.letter(rule, customer).await);
    }
    let [en, fr, de, es, status] = &letters[..] else { unreachable!("five letters") };
    let steps = json!([
        { "name": "unsubscribe", "url": written.url(Purpose::Unsubscribe, en), "press": "Stop", "script": false,
          "expect": ["It stops now", "What goes on: Reminders"] },
        { "name": "unsubscribe-again", "url": written.url(Purpose::Unsubscribe, en), "press": "Keep",
          "expect": ["Good to have you back"] },
        { "name": "unsubscribe-page", "url": written.url(Purpose::Unsubscribe, en), "expect": ["Stop “Treats”?"] },
        { "name": "extras", "url": written.url(Purpose::Unsubscribe, status), "press": "Arrêter les offres", "expect": ["C’est arrêté"],
          "never": ["person9@"] },
        { "name": "preferences", "url": written.url(Purpose::Preferences, en), "press": "Save",
          "fill": { "yes.offers.sms": true, "first": "sms", "language": "de", "quiet-from": "21:00", "quiet-until": "08:00",
                    "day.Sun": true, "pause": true },
          "expect": ["Gespeichert", "Treats: E-Mail, SMS", "Zuerst erreichen wir Sie per: SMS", "21:00–08:00, Sonntag"],
          "never": ["person0@", "Name0"] },
        { "name": "preferences-fault", "url": written.url(Purpose::Preferences, fr), "press": "Enregistrer", "status": 422,
          "fill": { "first": "sms", "second": "sms", "quiet-from": "21:00" },
          "expect": ["Rien n’est encore enregistré", "Choisissez une autre voie"] },
        { "name": "why", "url": written.url(Purpose::Why, de), "expect": ["Warum habe ich das bekommen?", "A thank-you for everybody", "points"],
          "never": ["person2@"] },
        { "name": "confirm", "url": written.url(Purpose::Confirm, es), "press": "Sí", "expect": ["No hay nada que confirmar"] },
    ]);
    let seen = drive(&written.home, &modules, &browser, &steps);
    assert!(seen["looked"].as_u64() >= Some(40), "{seen}");
    daemon.terminate();
}

#[tokio::test(flavor = "multi_thread")]
async fn of_a_yes_without_a_date_the_page_says_since_when_it_is_known() {
    let written = Written::to(4).await;
    let daemon = written.daemon();
    let undated = [
        "yes to these since {}; on which day you gave it is not in our records",
        "accord nous est connu depuis le {} ; le jour où vous l’avez donné n’est pas noté chez nous",
        "Ja dazu wissen wir seit dem {}; an welchem Tag Sie es gegeben haben, ist bei uns nicht vermerkt",
        "Sabemos de su sí desde el {}; no consta qué día lo dio",
    ];
    for (n, said) in undated.iter().enumerate() {
        let url = written.url(Purpose::Why, &written.letter("thanks", &format!("c{n}")).await);
        let (_, page) = ask(written.home.port, "GET", &url, "", "");
        let (before, after) = said.split_once("{}").expect("a place for the date");
        let (_, rest) = page.split_once(before).unwrap_or_else(|| panic!("{before} in {page}"));
        let (since, _) = rest.split_once(after).unwrap_or_else(|| panic!("{after} in {page}"));
        assert!(since.contains("20") && since.ends_with("(checkout of the shop)"), "{since}");
    }
    written.home.plusone(&["consent", "set", "c0", "offers/email", "yes", "--source", "a call"]).ended_with(0);
    let url = written.url(Purpose::Why, &written.letter("thanks", "c0").await);
    let (_, page) = ask(written.home.port, "GET", &url, "", "");
    daemon.terminate();
    assert!(page.contains("on record since") && page.contains("(a call)") && !page.contains("on which day"), "{page}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_reason_is_the_rules_description_or_nothing_made_up() {
    let written = Written::to(1).await;
    let url = written.url(Purpose::Why, &written.letter("thanks", "c0").await);
    let answers = [
        (Some(RULE.to_owned()), vec!["The reason", "A thank-you for everybody", "points"], vec!["no longer in use"]),
        (
            Some(RULE.split_once('\n').expect("a line").1.to_owned()),
            vec!["points"],
            vec!["The reason", "no longer in use"],
        ),
        (None, vec!["The reason", "no longer in use"], vec!["A thank-you"]),
    ];
    for (rule, said, unsaid) in answers {
        match rule {
            Some(rule) => written.home.write("config/rules/thanks.toml", &rule),
            None => std::fs::remove_file(written.home.path().join("config/rules/thanks.toml")).expect("it is there"),
        }
        let daemon = written.daemon();
        let (status, page) = ask(written.home.port, "GET", &url, "", "");
        daemon.terminate();
        assert_eq!(status, 200, "{page}");
        assert!(said.iter().all(|part| page.contains(part)), "{said:?} in {page}");
        assert!(!unsaid.iter().any(|part| page.contains(part)), "{unsaid:?} in {page}");
    }
}

/// Walks through the steps in Chromium; nothing may be wrong with any page. `PLUSONE_TEST_PICTURES` names a folder for
/// pictures of them.
pub fn drive(home: &Home, modules: &Path, browser: &Path, steps: &Value) -> Value {
    let file = home.path().join("steps.json");
    std::fs::write(&file, steps.to_string()).expect("the home is ours");
    let mut arguments: Vec<&Path> = vec![modules, browser, &file];
    let pictures = std::env::var_os("PLUSONE_TEST_PICTURES").map(std::path::PathBuf::from);
    arguments.extend(pictures.as_deref());
    let seen = node("pages.mjs", &arguments);
    assert_eq!(seen["faults"], json!([]), "{seen:#}");
    seen
}

const LOGO: &str = "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 120 40\"><rect width=\"120\" height=\"40\" rx=\"8\" \
    fill=\"#7a3b12\"/><circle cx=\"20\" cy=\"20\" r=\"12\" fill=\"#f4e3d0\"/></svg>";

#[tokio::test]
async fn what_is_wrong_is_told_in_the_look_of_the_business() {
    let (Some(modules), Some(browser)) = (node_modules(), chromium()) else { return };
    let written = Written::to(10).await;
    let settings = written.home.read("config/plusone.toml");
    let branded =
        settings.replacen("[business]\n", "[business]\nlogo = \"config/logo.svg\"\ncolour = \"#e0b070\"\n", 1);
    assert_ne!(branded, settings);
    written.home.write("config/plusone.toml", &branded);
    written.home.write("config/logo.svg", LOGO);
    let daemon = written.daemon();
    let (en, status) = (written.letter("thanks", "c0").await, written.letter("points", "c9").await);
    let (leave, choose) = (written.url(Purpose::Unsubscribe, &en), written.url(Purpose::Preferences, &en));
    let base = format!("http://{}", crate::harness::socket(written.home.port));
    let wrong = json!([
        { "name": "brand", "url": leave, "expect": ["Stop “Treats”?"] },
        { "name": "brand-preferences", "url": choose, "expect": ["What would you like to hear"] },
        { "name": "error-404", "url": format!("{base}/u/nonsense"), "status": 404, "expect": ["This page is not there", "hello@shop.test"] },
        { "name": "error-deep", "url": format!("{base}/a/b/c"), "status": 404, "expect": ["This page is not there"] },
        { "name": "error-405", "url": written.url(Purpose::Why, &en), "method": "POST", "status": 405, "expect": ["That does not work here"] },
        { "name": "error-413", "url": choose, "method": "POST", "body": "x".repeat(70_000), "status": 413, "expect": ["That was too much"] },
        { "name": "error-400", "url": choose, "method": "POST", "body": "anything=1", "status": 400, "expect": ["That did not work"], "never": ["person0@"] },
    ]);
    drive(&written.home, &modules, &browser, &wrong);
    // From one address, through a proxy that names it, as much as it may ask: then it is told to wait, and may leave.
    let from = json!({ "X-Forwarded-For": "203.0.113.7", "Accept-Language": "fr" });
    let mut tried = 0;
    let refused = loop {
        let (status, answer) = ask(written.home.port, "GET", "/w/nonsense", "X-Forwarded-For: 203.0.113.7\r\n", "");
        tried += 1;
        if status != 404 || tried == 200 {
            break (status, answer.to_lowercase().contains("retry-after: 1"));
        }
    };
    assert_eq!(refused, (429, true), "after {tried}");
    let busy = json!([
        { "name": "error-429", "url": choose, "headers": from, "status": 429, "again": true, "expect": ["Un petit moment"] },
        { "name": "leave-all-the-same", "url": written.url(Purpose::Unsubscribe, &status), "headers": from, "press": "Arrêter les offres",
          "expect": ["C’est arrêté"] },
        { "name": "another", "url": choose, "headers": { "X-Forwarded-For": "203.0.113.8" }, "expect": ["What would you like to hear"] },
    ]);
    let (port, done) = (written.home.port, &std::sync::atomic::AtomicBool::new(false));
    std::thread::scope(|scope| {
        scope.spawn(move || {
            while !done.load(std::sync::atomic::Ordering::Relaxed) {
                ask(port, "GET", "/w/nonsense", "X-Forwarded-For: 203.0.113.7\r\n", "");
            }
        });
        // The thread ends whatever the browser finds.
        let found =
            std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| drive(&written.home, &modules, &browser, &busy)));
        done.store(true, std::sync::atomic::Ordering::Relaxed);
        found.unwrap_or_else(|panic| std::panic::resume_unwind(panic));
    });
    // Somebody else holds the database: nothing is changed, and trying again is worth it.
    let before = written.state().await;
    let mut held = written.db.begin().await.expect("a transaction");
    held.execute(Sql::new("update preferences set updated_at = updated_at")).await.expect("it is held");
    let away = json!([{ "name": "error-503", "url": leave, "press": "Stop", "status": 503, "expect": ["One moment, please"] }]);
    drive(&written.home, &modules, &browser, &away);
    drop(held);
    written.db.execute(Sql::new("alter table preferences rename to preferences_away")).await.expect("it is ours");
    let broken =
        json!([{ "name": "error-500", "url": leave, "status": 500, "expect": ["Something broke on our side"] }]);
    drive(&written.home, &modules, &browser, &broken);
    written.db.execute(Sql::new("alter table preferences_away rename to preferences")).await.expect("it is ours");
    assert_eq!(written.state().await, before);
    daemon.terminate();
}
