//! What makes a message unique: keys, periods, numbers, and time between two messages.

use crate::shop::{NOON, Shop, customers, on_both, rule};
use plusone::touchpoints::Reason;

const CARTS: &str = "id,customer_id,status\nk1,ann,open\nk2,ann,open\nk3,bob,open\n";

fn cart_rule(keys: &[(&str, &str)]) -> String {
    let usual = [("for_each", "\"cart\""), ("when", "['cart.status == \"open\"']")];
    let usual: Vec<_> = usual.into_iter().filter(|(name, _)| keys.iter().all(|(key, _)| key != name)).collect();
    rule(&[&usual, keys].concat())
}

async fn carts(keys: &[(&str, &str)], test: impl AsyncFn(Shop, &crate::harness::home::Home)) {
    on_both("", async |home| {
        home.write("customers.csv", &customers(&["ann,ann@shop.test,Ann,gold,yes", "bob,bob@shop.test,Bob,,yes"]));
        home.write("carts.csv", CARTS);
        home.write("config/rules/cart.toml", &cart_rule(keys));
        test(Shop::open(&home, NOON).await, &home).await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn each_cart_is_told_of_once() {
    carts(&[], async |mut shop, _| {
        assert_eq!(shop.tick(NOON).await.counts.planned, 3);
        let again = shop.tick("2026-11-03T13:00:00Z").await;
        assert_eq!((again.counts.planned, again.counts.already_touched, again.counts.matched()), (0, 3, 3));
        assert_eq!(shop.log().await, ["ann k1 planned -", "ann k2 planned -", "bob k3 planned -"]);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn of_several_rows_with_one_key_the_smallest_wins() {
    carts(&[("once_per", "\"customer\"")], async |mut shop, _| {
        let run = shop.tick(NOON).await;
        assert_eq!((run.counts.planned, run.counts.already_touched), (2, 1));
        assert_eq!(shop.number("select count(*) from touchpoints where entity_id = 'k1'").await, 1);
        assert_eq!(shop.log().await, ["ann - planned -", "bob - planned -"]);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_field_of_the_row_makes_a_message_for_each_of_its_values() {
    carts(&[("once_per", "[\"cart\", \"cart.status\"]"), ("when", "['cart.id == \"k3\"']")], async |mut shop, home| {
        shop.tick(NOON).await;
        home.write("carts.csv", &CARTS.replace("k3,bob,open", "k3,bob,left"));
        shop.tick("2026-11-03T13:00:00Z").await;
        home.write("carts.csv", CARTS);
        shop.tick("2026-11-03T14:00:00Z").await;
        assert_eq!(shop.log().await, ["bob k3|left planned -", "bob k3|open planned -"]);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn two_carts_of_one_customer_in_one_tick_are_too_soon_after_each_other() {
    carts(&[("again_after", "\"7d\"")], async |mut shop, _| {
        let run = shop.tick(NOON).await;
        assert_eq!((run.counts.planned, run.counts.skipped[&Reason::AgainTooSoon]), (2, 1));
        assert_eq!(shop.log().await, ["ann k1 planned -", "bob k3 planned -"], "too soon leaves no row");
        shop.send("2026-11-03T12:01:00Z").await;
        assert_eq!(shop.tick("2026-11-09T12:00:00Z").await.counts.planned, 0);
        assert_eq!(shop.tick("2026-11-10T13:00:00Z").await.counts.planned, 1);
        assert_eq!(shop.log().await, ["ann k1 sent -", "ann k2 planned -", "bob k3 sent -"]);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn numbered_times_open_when_the_last_was_long_enough_ago() {
    on_both("", async |home| {
        home.write("customers.csv", &customers(&["ann,ann@shop.test,Ann,,yes"]));
        home.write("config/rules/again.toml", &rule(&[("again_after", "\"2d\"")]));
        let mut shop = Shop::open(&home, NOON).await;
        for (now, planned) in [("03T12", 1), ("03T13", 0), ("05T11", 0), ("05T13", 1), ("06T13", 0), ("07T14", 1)] {
            let run = shop.tick(&format!("2026-11-{now}:00:00Z")).await;
            assert_eq!(run.counts.planned, planned, "{now}");
            shop.send(&format!("2026-11-{now}:01:00Z")).await;
        }
        assert_eq!(shop.log().await, ["ann #1 sent -", "ann #2 sent -", "ann #3 sent -"]);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn periods_and_calendar_days_are_those_of_the_rules_zone() {
    on_both("", async |home| {
        home.write("customers.csv", &customers(&["ann,ann@shop.test,Ann,,yes"]));
        let keys = [
            ("once_per", "[\"day\", \"week\", \"month\", \"year\"]"),
            ("time_zone", "\"Pacific/Auckland\""),
            ("when", "['days_since(customer.joined) == 1']"),
        ];
        home.write("config/rules/day.toml", &rule(&keys));
        let mut shop = Shop::open(&home, NOON).await;
        // 3 November in Bristol, the 4th in Auckland: a day after she joined there
        shop.tick(NOON).await;
        assert_eq!(shop.log().await, ["ann 2026-11-04|2026-W45|2026-11|2026 planned -"]);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_name_that_was_used_before_does_not_keep_anybody_from_being_written_to() {
    on_both("", async |home| {
        home.write("customers.csv", &customers(&["ann,ann@shop.test,Ann,,yes"]));
        home.write("config/rules/spring.toml", &rule(&[]));
        let mut shop = Shop::open(&home, NOON).await;
        shop.tick(NOON).await;
        std::fs::remove_file(home.path().join("config/rules/spring.toml")).expect("a file");
        home.write("config/rules/winter.toml", &rule(&[("was", "\"spring\"")]));
        shop.reload().await;
        assert_eq!(shop.tick("2026-11-03T13:00:00Z").await.counts.already_touched, 1);
        home.write(
            "config/rules/spring.toml",
            &rule(&[("when", "['customer.id == \"ann\"']"), ("template", "\"other\"")]),
        );
        home.write("templates/other/subject.hbs", "Other");
        home.write("templates/other/email.txt.hbs", "Other");
        shop.reload().await;
        let runs = shop.pass("2026-11-03T14:00:00Z").await.runs;
        assert_eq!(runs.iter().map(|run| run.counts.planned).sum::<u64>(), 1);
        assert_eq!(shop.log().await, ["ann - planned -", "ann - planned -"]);
    })
    .await;
}
