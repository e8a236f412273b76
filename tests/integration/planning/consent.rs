//! What topics ask for before a promotional message may go: a yes, a confirmed one, or a purchase.

use crate::harness::home::Home;
use crate::shop::{NOON, Shop, at, customers, on_both, rule};
use plusone::courtesy::consent::{Answer, SourceKind};
use plusone::data::answers::{self, Said};
use plusone::store::consents;

const TOPICS: &str = r#"news = { purpose = "promotional", name = "News", opt_in = "double" }
treats = { purpose = "promotional", name = "Treats", opt_in = "soft", soft_opt_in = 'customer.carts.exists(c, c.status == "bought")' }
"#;

fn about(topic: &str) -> String {
    rule(&[("topic", &format!("\"{topic}\"")), ("existing", "\"include\"")])
}

async fn say(shop: &Shop, customer: &str, topic: &str, channel: Option<&str>, answer: Answer, when: &str) {
    let settings = &shop.app.workspace.project.settings;
    let said = Said { customer, topic, channel, answer, at: at(when), source: "till", kind: SourceKind::Support };
    assert!(answers::set(&shop.app.db, settings, said, at(when)).await.expect("an answer"));
}

/// Every letter in the outbox.
fn letters(home: &Home) -> Vec<String> {
    let mut letters = Vec::new();
    let mut folders = vec![home.path().join("var/outbox")];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).expect("an outbox") {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "eml") {
                letters.push(std::fs::read_to_string(path).expect("a letter"));
            }
        }
    }
    letters
}

#[tokio::test(flavor = "multi_thread")]
async fn a_double_opt_in_counts_once_it_is_confirmed_and_is_asked_about_once() {
    on_both(TOPICS, async |home| {
        home.write("customers.csv", &customers(&["ann,ann@shop.test,Ann,,no", "bob,bob@shop.test,Bob,,no"]));
        home.write("config/rules/letter.toml", &about("news"));
        let mut shop = Shop::open(&home, NOON).await;
        shop.app.refresh().await.expect("synced");
        say(&shop, "ann", "news", None, Answer::Yes, "2026-11-03T11:59:00Z").await;
        shop.pass(NOON).await;
        let asked = "ann 2026-11-03T11:59:00Z planned -";
        assert_eq!(shop.log().await, ["ann - skipped unconfirmed", asked, "bob - skipped no_consent"]);
        shop.send(NOON).await;
        let sent = letters(&home);
        assert_eq!(sent.len(), 1);
        assert!(sent[0].contains("/y/") && sent[0].contains("Please confirm: News"), "{}", sent[0]);
        assert!(!sent[0].contains("List-Unsubscribe"), "it is no promotional mail");
        for later in ["2026-11-03T12:05:00Z", "2026-11-03T13:00:00Z", "2026-11-05T12:00:00Z"] {
            shop.pass(later).await;
            shop.send(later).await;
        }
        assert_eq!(letters(&home).len(), 1, "a yes is asked about once");

        let mut tx = shop.app.db.begin().await.expect("begun");
        let now = at("2026-11-05T12:30:00Z");
        consents::confirm(&mut tx, "ann", "news", None, None, now).await.expect("confirmed");
        tx.commit().await.expect("committed");
        shop.pass("2026-11-05T13:00:00Z").await;
        shop.send("2026-11-05T13:00:00Z").await;
        let log = shop.log().await;
        assert!(log.contains(&"ann - sent -".to_owned()), "{log:?}");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_says_no_meanwhile_is_not_asked_to_confirm() {
    on_both(TOPICS, async |home| {
        home.write("customers.csv", &customers(&["ann,ann@shop.test,Ann,,no", "bob,bob@shop.test,Bob,,no"]));
        let mut shop = Shop::open(&home, NOON).await;
        shop.app.refresh().await.expect("synced");
        say(&shop, "ann", "news", None, Answer::Yes, "2026-11-03T11:00:00Z").await;
        say(&shop, "bob", "news", Some("sms"), Answer::Yes, "2026-10-01T11:00:00Z").await;
        shop.pass(NOON).await;
        assert_eq!(shop.log().await, ["ann 2026-11-03T11:00:00Z planned -"], "a month is too long to ask after");
        say(&shop, "ann", "news", None, Answer::No, "2026-11-03T12:01:00Z").await;
        shop.send("2026-11-03T12:02:00Z").await;
        assert_eq!(shop.log().await, ["ann 2026-11-03T11:00:00Z skipped no_longer_true"]);
        assert!(letters(&home).is_empty());
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_purchase_stands_for_a_yes_where_nobody_said_no() {
    on_both(TOPICS, async |home| {
        let rows =
            ["buyer,a@shop.test,A,,no", "looker,b@shop.test,B,,no", "left,c@shop.test,C,,no", "back,d@shop.test,D,,no"];
        home.write("customers.csv", &customers(&rows));
        home.write("carts.csv", "id,customer_id,status\n1,buyer,bought\n2,looker,open\n3,left,bought\n4,back,bought\n");
        home.write("config/rules/treat.toml", &about("treats"));
        let mut shop = Shop::open(&home, NOON).await;
        shop.app.refresh().await.expect("synced");
        say(&shop, "left", "treats", Some("sms"), Answer::No, "2026-11-01T11:00:00Z").await;
        say(&shop, "back", "treats", None, Answer::No, "2026-11-01T11:00:00Z").await;
        say(&shop, "back", "treats", None, Answer::Yes, "2026-11-02T11:00:00Z").await;
        shop.pass(NOON).await;
        let expected =
            ["back - planned -", "buyer - planned -", "left - skipped no_consent", "looker - skipped no_consent"];
        assert_eq!(shop.log().await, expected, "a no on any channel ends it; a yes is a yes");
        let told = "select count(*) from touchpoints where customer = 'buyer' and gates like '%soft opt-in%'";
        assert_eq!(shop.number(told).await, 1);
        say(&shop, "buyer", "treats", None, Answer::No, "2026-11-03T12:01:00Z").await;
        shop.send("2026-11-03T12:02:00Z").await;
        let expected =
            ["back - sent -", "buyer - skipped no_consent", "left - skipped no_consent", "looker - skipped no_consent"];
        assert_eq!(shop.log().await, expected, "a no is heard at once");
    })
    .await;
}
