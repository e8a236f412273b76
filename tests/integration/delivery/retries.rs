//! Temporary refusals, final ones, and providers that cannot be reached.

use super::relay::{Relay, Reply};
use crate::harness::home::Settings;
use crate::harness::{address, free_port};
use crate::shop::{NOON, Shop, at, customers, home, rule};
use plusone::time::Timestamp;

const ANN: [&str; 1] = ["ann,ann@shop.test,Ann,,yes"];

fn settings(email: Vec<&'static str>, more: String) -> Settings {
    Settings { email, more, ..Settings::default() }
}

async fn due(shop: &Shop) -> Timestamp {
    Timestamp::from_micros(shop.number("select due_at from touchpoints").await)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_temporary_refusal_is_tried_again_with_the_same_words() {
    let relay = Relay::start(&[Reply::Line("451 4.7.1 Greylisted"), Reply::Line("451 4.7.1 Greylisted")]);
    let home = home(&settings(vec!["relay"], relay.section("")));
    home.write("customers.csv", &customers(&ANN));
    home.write("config/rules/note.toml", &rule(&[]));
    let mut shop = Shop::open(&home, NOON).await;
    shop.tick(NOON).await;
    assert_eq!(shop.send(NOON).await["retry"], 1);
    let first = due(&shop).await.since(at(NOON)).seconds();
    assert!((60..=66).contains(&first), "{first}");
    assert_eq!(shop.send("2026-11-03T12:00:30Z").await["retry"], 0, "not before it is due");
    home.write("templates/note/email.txt.hbs", "Other words");
    shop.reload().await;
    assert_eq!(shop.send("2026-11-03T12:01:10Z").await["retry"], 1);
    let second = due(&shop).await.since(at("2026-11-03T12:01:10Z")).seconds();
    assert!((300..=330).contains(&second), "{second}");
    assert_eq!(shop.send("2026-11-03T12:10:00Z").await["sent"], 1);
    let messages = relay.messages();
    assert_eq!(messages.len(), 3);
    assert!(messages[0].contains("Hello Ann") && messages.iter().all(|message| *message == messages[0]));
    assert_eq!(shop.number("select attempts from touchpoints").await, 3);
    assert_eq!(shop.events("ann").await, ["planned", "planned", "planned", "sent"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn eight_attempts_are_made_and_no_more() {
    let relay = Relay::start(&[Reply::Line("451 4.3.0 Later"); 20]);
    let home = home(&settings(vec!["relay"], relay.section("")));
    home.write("customers.csv", &customers(&ANN));
    home.write("config/rules/note.toml", &rule(&[("expires_after", "\"2w\"")]));
    let mut shop = Shop::open(&home, NOON).await;
    shop.tick(NOON).await;
    for _ in 0..12 {
        let next = due(&shop).await;
        shop.send(&next.to_string()).await;
    }
    assert_eq!(shop.log().await, ["ann - failed attempts_exhausted"]);
    assert_eq!(relay.messages().len(), 8);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_that_would_expire_before_its_next_attempt_has_failed() {
    let relay = Relay::start(&[Reply::Line("451 4.3.0 Later"); 20]);
    let home = home(&settings(vec!["relay"], relay.section("")));
    home.write("customers.csv", &customers(&ANN));
    home.write("config/rules/note.toml", &rule(&[("expires_after", "\"30s\"")]));
    let mut shop = Shop::open(&home, NOON).await;
    shop.tick(NOON).await;
    shop.send(NOON).await;
    assert_eq!(shop.log().await, ["ann - failed attempts_exhausted"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_address_that_does_not_exist_is_never_written_to_again() {
    let relay = Relay::start(&[Reply::Line("550 5.1.1 No such user")]);
    let home = home(&settings(vec!["relay"], relay.section("")));
    home.write("customers.csv", &customers(&ANN));
    home.write("config/rules/note.toml", &rule(&[("once_per", "\"day\"")]));
    let mut shop = Shop::open(&home, NOON).await;
    shop.tick(NOON).await;
    assert_eq!(shop.send(NOON).await["failed"], 1);
    shop.tick("2026-11-04T12:00:00Z").await;
    assert_eq!(shop.log().await, ["ann 2026-11-03 failed provider_refused", "ann 2026-11-04 skipped suppressed"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_relay_that_cannot_be_reached_rests_and_burns_no_more_attempts() {
    let nobody = format!(
        "[providers.relay]\ntype = \"smtp\"\nurl = \"smtp://{}:{}?tls=none\"\nconnections = 1\n",
        address(),
        free_port()
    );
    let rows: Vec<String> = (0..40).map(|n| format!("c{n},c{n}@shop.test,,,no")).collect();
    let rows: Vec<&str> = rows.iter().map(String::as_str).collect();
    let home = home(&settings(vec!["relay", "outbox"], nobody));
    home.write("customers.csv", &customers(&rows));
    home.write("config/rules/note.toml", &rule(&[]));
    let mut shop = Shop::open(&home, NOON).await;
    shop.tick(NOON).await;
    shop.send(NOON).await;
    let burned = shop.number("select count(*) from touchpoints where attempts > 0 and state = 'planned'").await;
    assert!((5..=8).contains(&burned), "{burned}");
    assert_eq!(shop.number("select max(attempts) from touchpoints").await, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_providers_rate_is_kept_whatever_is_taken_for_now() {
    let relay = Relay::start(&[]);
    let rows: Vec<String> = (0..30).map(|n| format!("c{n},c{n}@shop.test,,,no")).collect();
    let rows: Vec<&str> = rows.iter().map(String::as_str).collect();
    let home = home(&settings(vec!["relay"], relay.section("rate = \"50/s\"")));
    home.write("customers.csv", &customers(&rows));
    home.write("config/rules/note.toml", &rule(&[]));
    let mut shop = Shop::open(&home, NOON).await;
    shop.tick(NOON).await;
    let begun = std::time::Instant::now();
    assert_eq!(shop.send(NOON).await["sent"], 30, "a clock that stands still does not stop the rate");
    assert!(begun.elapsed() >= std::time::Duration::from_millis(480), "thirty at fifty a second, five at once");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_outcome_that_the_database_refuses_is_kept_until_it_takes_it() {
    let relay = Relay::start(&[]);
    let home = home(&settings(vec!["relay"], relay.section("")));
    home.write("customers.csv", &customers(&ANN));
    home.write("config/rules/note.toml", &rule(&[]));
    let mut shop = Shop::open(&home, NOON).await;
    shop.tick(NOON).await;
    let mut tx = shop.app.db.begin().await.expect("a transaction");
    let full = "create trigger full before update on touchpoints when new.state = 'sent' \
                begin select raise(abort, 'disk full'); end";
    tx.script(full).await.expect("a trigger");
    tx.commit().await.expect("committed");
    let db = shop.app.db.clone();
    let emptied = async {
        while relay.messages().is_empty() {
            tokio::task::yield_now().await;
        }
        assert_eq!(shop.number("select count(*) from touchpoints where state = 'dispatching'").await, 1);
        let mut tx = db.begin().await.expect("a transaction");
        tx.script("drop trigger full").await.expect("no trigger");
        tx.commit().await.expect("committed");
    };
    let (tally, ()) = tokio::join!(shop.app.deliver(&shop.lease), emptied);
    assert_eq!(tally.expect("delivered").sent(), 1);
    assert_eq!(shop.log().await, ["ann - sent -"]);
    assert_eq!(relay.messages().len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_that_no_database_takes_as_text_is_written_down_all_the_same() {
    let Some(database) = crate::harness::postgres::Database::create() else { return };
    let relay = Relay::start(&[Reply::Line("250 2.0.0 Ok \0 \u{1}")]);
    let home = home(&Settings { database: database.url.clone(), ..settings(vec!["relay"], relay.section("")) });
    home.write("customers.csv", &customers(&ANN));
    home.write("config/rules/note.toml", &rule(&[]));
    let mut shop = Shop::open(&home, NOON).await;
    shop.tick(NOON).await;
    assert_eq!(shop.send(NOON).await["sent"], 1);
    assert_eq!(shop.log().await, ["ann - sent -"]);
}
