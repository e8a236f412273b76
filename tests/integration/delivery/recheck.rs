//! The last look before a message goes.

use crate::harness::home::Home;
use crate::shop::{NOON, Shop, at, customers, on_both, rule};
use plusone::courtesy::pauses::Scope;
use plusone::data::suppress::{self, Wish};
use plusone::store::pauses;
use plusone::time::Timestamp;

async fn planned(more: &str, keys: &[(&str, &str)], test: impl AsyncFn(Shop, &Home)) {
    on_both(more, async |home| {
        home.write("customers.csv", &customers(&["ann,ann@shop.test,Ann,,yes", "bob,bob@shop.test,Bob,,yes"]));
        home.write("carts.csv", "id,customer_id,status\nk1,ann,open\n");
        home.write("config/rules/note.toml", &rule(keys));
        let mut shop = Shop::open(&home, NOON).await;
        shop.tick(NOON).await;
        test(shop, &home).await;
    })
    .await;
}

const CARTS: [(&str, &str); 2] = [("for_each", "\"cart\""), ("when", "['cart.status == \"open\"']")];

async fn read(shop: &Shop, now: &str) {
    shop.app.plan(&shop.lease, at(now), Some("nobody")).await.expect("data is read");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_longer_true_is_not_sent() {
    planned("", &CARTS, async |mut shop, home| {
        home.write("carts.csv", "id,customer_id,status\nk1,ann,paid\n");
        read(&shop, "2026-11-03T12:01:00Z").await;
        shop.send("2026-11-03T12:02:00Z").await;
        assert_eq!(shop.log().await, ["ann k1 skipped no_longer_true"]);
        assert_eq!(shop.events("ann").await, ["planned", "skipped"]);
    })
    .await;
    planned("", &[CARTS[0], CARTS[1], ("recheck", "false")], async |mut shop, home| {
        home.write("carts.csv", "id,customer_id,status\nk1,ann,paid\n");
        read(&shop, "2026-11-03T12:01:00Z").await;
        shop.send("2026-11-03T12:02:00Z").await;
        assert_eq!(shop.log().await, ["ann k1 sent -"]);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cart_that_changed_hands_is_not_told_to_its_new_owner_in_the_name_of_the_old() {
    planned("", &CARTS, async |mut shop, _| {
        // bob is put into ann's bucket, where only the customer tells them apart
        shop.execute("update d_customer set \"_bucket\" = (select \"_bucket\" from d_cart) where id = 'bob'").await;
        shop.execute("update d_cart set \"_customer\" = 'bob', customer_id = 'bob'").await;
        shop.send("2026-11-03T12:02:00Z").await;
        assert_eq!(shop.log().await, ["ann k1 skipped no_longer_true"]);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_suppressed_address_and_a_customer_who_is_gone_get_nothing() {
    planned("", &[], async |mut shop, _| {
        let business = shop.app.workspace.project.settings.business.clone();
        let wish = Wish::of("Ann@Shop.test", "asked", "support");
        suppress::add(&shop.app.db, &business, wish, at("2026-11-03T12:01:00Z")).await.expect("suppressed");
        shop.execute("delete from d_customer where id = 'bob'").await;
        shop.send("2026-11-03T12:02:00Z").await;
        assert_eq!(shop.log().await, ["ann - skipped suppressed", "bob - skipped no_longer_true"]);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_paused_waits_and_goes_when_it_may() {
    for scope in ["all", "rule:note", "channel:email", "provider:outbox", "customer:ann"] {
        planned("", &[("when", "['customer.id == \"ann\"']")], async |mut shop, _| {
            let scope: Scope = scope.parse().expect("a scope");
            pauses::pause(&shop.app.db, &scope, None, at("2026-11-03T12:01:00Z")).await.expect("paused");
            let counts = shop.send("2026-11-03T12:02:00Z").await;
            assert_eq!((&counts["sent"], &counts["skipped"]), (&0.into(), &0.into()), "{scope}");
            assert_eq!(shop.log().await, ["ann - planned -"], "{scope}");
            pauses::resume(&shop.app.db, &scope, at("2026-11-03T12:03:00Z")).await.expect("resumed");
            assert_eq!(shop.send("2026-11-03T12:04:00Z").await["sent"], 1, "{scope}");
        })
        .await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn quiet_hours_defer_at_the_tick_and_at_sending() {
    let more = "[courtesy]\nquiet_hours = { email = \"20:00-09:00\" }\n";
    planned(more, &[("once_per", "\"day\"")], async |mut shop, _| {
        let counts = shop.send("2026-11-03T20:30:00Z").await;
        assert_eq!((&counts["sent"], &counts["skipped"]), (&0.into(), &0.into()));
        let quarter = |day: u8| at(&format!("2026-11-0{day}T09:00:00Z"))..at(&format!("2026-11-0{day}T09:15:00Z"));
        for least in ["min", "max"] {
            let due = shop.number(&format!("select {least}(due_at) from touchpoints")).await;
            assert!(quarter(4).contains(&Timestamp::from_micros(due)), "spread over the quarter after the night");
        }
        assert_eq!(shop.send("2026-11-04T09:15:00Z").await["sent"], 2);
        let run = shop.tick("2026-11-04T20:00:00Z").await;
        assert_eq!((run.counts.planned, run.counts.deferred), (2, 2));
        let first = Timestamp::from_micros(run.counts.deferred_until.expect("the first of them"));
        assert!(quarter(5).contains(&first), "{first}");
        assert_eq!(shop.send("2026-11-05T08:59:59Z").await["sent"], 0);
        assert_eq!(shop.send("2026-11-05T09:15:00Z").await["sent"], 2);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_too_late_expires() {
    planned("", &[("expires_after", "\"1h\"")], async |mut shop, _| {
        assert_eq!(shop.send("2026-11-03T13:00:01Z").await["expired"], 2);
        assert_eq!(shop.log().await, ["ann - expired expired", "bob - expired expired"]);
    })
    .await;
}
