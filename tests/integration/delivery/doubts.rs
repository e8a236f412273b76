//! What nobody can say of a message, and what is made of it.

use super::relay::{Relay, Reply};
use crate::harness::home::{Home, Settings};
use crate::shop::{NOON, Shop, at, customers, home, on_both, rule};
use plusone::app::App;
use plusone::clock::Clock;
use plusone::store::log::{Named, by_id};
use plusone::store::settle::{self, Verdict};

const ANN: [&str; 1] = ["ann,ann@shop.test,Ann,,yes"];
const COOKIE: &str = "description = \"A cookie\"\nvalue = 2.50\ncost = 1.00\nbudget = { total = 100 }\n";

async fn doubted(replies: &[Reply], on_doubt: &str, test: impl AsyncFn(Shop, &Relay)) {
    let relay = Relay::start(replies);
    let settings = Settings { email: vec!["relay"], more: relay.section(""), ..Settings::default() };
    let home = home(&settings);
    home.write("customers.csv", &customers(&ANN));
    home.write("config/offers/cookie.toml", COOKIE);
    let on_doubt = format!("\"{on_doubt}\"");
    let keys =
        [("kind", "\"offer\""), ("topic", "\"offers\""), ("offer", "[\"cookie\"]"), ("on_doubt", on_doubt.as_str())];
    home.write("config/rules/note.toml", &rule(&keys));
    let mut shop = Shop::open(&home, NOON).await;
    shop.tick(NOON).await;
    assert_eq!(shop.send(NOON).await["in_doubt"], 1);
    assert_eq!(shop.log().await, ["ann - in_doubt -"]);
    assert_eq!(grant(&shop).await, "reserved");
    test(shop, &relay).await;
}

async fn grant(shop: &Shop) -> String {
    let sql = plusone::sql::Sql::new("select state from offer_grants");
    shop.app.db.fetch_one(sql).await.expect("the ledger").expect("a grant").text(0).to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn resend_sends_once_more_and_says_that_it_may_be_the_second() {
    doubted(&[Reply::HangUp, Reply::HangUp], "resend", async |mut shop, relay| {
        shop.send("2026-11-03T12:10:00Z").await;
        assert_eq!(shop.log().await, ["ann - in_doubt -"]);
        assert_eq!(shop.number("select possible_duplicate from touchpoints").await, 1);
        assert_eq!(relay.messages().len(), 2);
        shop.send("2026-11-03T12:20:00Z").await;
        assert_eq!(shop.log().await, ["ann - in_doubt outcome_unknown"], "once, not again and again");
        assert_eq!((relay.messages().len(), grant(&shop).await.as_str()), (2, "reserved"));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn ask_waits_for_a_person_whose_word_settles_message_and_offer() {
    for (verdict, state, budget) in [(Verdict::Sent, "sent", "spent"), (Verdict::NotSent, "planned", "reserved")] {
        doubted(&[Reply::HangUp], "ask", async |mut shop, relay| {
            for hour in 13..16 {
                shop.send(&format!("2026-11-03T{hour}:00:00Z")).await;
            }
            assert_eq!(shop.log().await, ["ann - in_doubt outcome_unknown"]);
            assert_eq!(relay.messages().len(), 1);
            let id = plusone::sql::Sql::new("select id from touchpoints");
            let id = shop.app.db.fetch_one(id).await.expect("the log").expect("one").text(0).to_owned();
            let Named::One(touchpoint) = by_id(&shop.app.db, &id).await.expect("the log") else { panic!("{id}") };
            let mut tx = shop.app.db.begin().await.expect("a transaction");
            settle::resolve(&mut tx, &touchpoint, verdict, at("2026-11-03T16:00:00Z")).await.expect("settled");
            tx.commit().await.expect("committed");
            assert_eq!(shop.log().await, [format!("ann - {state} -")]);
            assert_eq!(grant(&shop).await, budget);
        })
        .await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn drop_leaves_it_at_that_and_counts_the_offer_as_spent() {
    doubted(&[Reply::HangUp], "drop", async |mut shop, relay| {
        shop.send("2026-11-03T12:10:00Z").await;
        assert_eq!(shop.log().await, ["ann - failed outcome_unknown"]);
        assert_eq!((relay.messages().len(), grant(&shop).await.as_str()), (1, "spent"));
    })
    .await;
}

/// What a daemon leaves that was killed: one message claimed, one about to be on the wire.
async fn killed(test: impl AsyncFn(Shop, App, &Home)) {
    on_both("", async |home| {
        home.write("customers.csv", &customers(&["ann,ann@shop.test,Ann,,yes", "bob,bob@shop.test,Bob,,yes"]));
        home.write("config/rules/note.toml", &rule(&[]));
        let mut shop = Shop::open(&home, NOON).await;
        shop.tick(NOON).await;
        let epoch = shop.lease.epoch;
        shop.execute(&format!("update touchpoints set owner = 'the test', epoch = {epoch}, state = 'claimed'")).await;
        let doubt = format!(
            "update touchpoints set state = 'dispatching', attempts = 1, provider = 'outbox', doubt_at = {} \
             where customer = 'bob'",
            at(NOON).micros()
        );
        shop.execute(&doubt).await;
        let next = App::open(home.path(), Clock::manual(at("2026-11-03T12:01:00Z"))).await.expect("the next one");
        test(shop, next, &home).await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_next_daemon_frees_what_was_claimed_and_asks_about_what_was_on_the_wire() {
    killed(async |shop, next, _| {
        let lease = next.lease("the next one", true).await.expect("the buckets");
        assert_eq!(shop.log().await, ["ann - planned -", "bob - in_doubt -"]);
        next.deliver(&lease).await.expect("delivered");
        assert_eq!(shop.log().await, ["ann - sent -", "bob - sent -"], "the folder does not have it: it goes");
        assert_eq!(shop.number("select max(possible_duplicate) from touchpoints").await, 0);
        assert_eq!(shop.events("bob").await, ["planned", "in_doubt", "planned", "sent"]);
    })
    .await;
    killed(async |shop, next, home| {
        let id = plusone::sql::Sql::new("select id from touchpoints where customer = 'bob'");
        let id = next.db.fetch_one(id).await.expect("the log").expect("one").text(0).to_owned();
        home.write(&format!("var/outbox/{id}.eml"), "there");
        let lease = next.lease("the next one", true).await.expect("the buckets");
        next.deliver(&lease).await.expect("delivered");
        assert_eq!(shop.log().await, ["ann - sent -", "bob - sent -"]);
        assert_eq!(home.read(&format!("var/outbox/{id}.eml")), "there", "it was not sent again");
    })
    .await;
}
