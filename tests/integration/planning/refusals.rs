//! Refusals: written once, judged again, moved on, and never in the way of what comes later.

use crate::shop::{NOON, Shop, at, customers, on_both, rule};
use plusone::courtesy::consent::{Answer, SourceKind};
use plusone::data::answers::{self, Said};
use plusone::data::suppress::{self, Wish};
use plusone::touchpoints::Reason;

fn offers_rule(keys: &[(&str, &str)]) -> String {
    rule(&[&[("topic", "\"offers\""), ("existing", "\"include\"")], keys].concat())
}

async fn answer(shop: &Shop, customer: &str, channel: Option<&str>, value: bool, when: &str) {
    let settings = &shop.app.workspace.project.settings;
    let (answer, kind) = (if value { Answer::Yes } else { Answer::No }, SourceKind::Support);
    let said = Said { customer, topic: "offers", channel, answer, at: at(when), source: "desk", kind };
    assert!(answers::set(&shop.app.db, settings, said, at(when)).await.expect("an answer"));
}

#[tokio::test(flavor = "multi_thread")]
async fn ticking_refused_customers_again_grows_nothing() {
    let rows: Vec<String> = (0..2_000).map(|n| format!("c{n},c{n}@shop.test,,,no")).collect();
    let rows: Vec<&str> = rows.iter().map(String::as_str).collect();
    on_both("", async |home| {
        home.write("customers.csv", &customers(&rows));
        home.write("config/rules/treat.toml", &offers_rule(&[]));
        let mut shop = Shop::open(&home, NOON).await;
        let first = shop.tick(NOON).await;
        assert_eq!(first.counts.skipped[&Reason::NoConsent], 2_000);
        let sizes = async |shop: &Shop| {
            let mut sizes = Vec::new();
            for table in ["touchpoints", "touchpoint_events", "touchpoint_words", "offer_grants"] {
                sizes.push(shop.number(&format!("select count(*) from {table}")).await);
            }
            sizes.push(shop.number("select cast(sum(version) as bigint) + max(updated_at) from touchpoints").await);
            sizes
        };
        let before = sizes(&shop).await;
        assert_eq!(before[..2], [2_000, 2_000]);
        for hour in 13..23 {
            let run = shop.tick(&format!("2026-11-03T{hour}:00:00Z")).await;
            assert_eq!(run.counts.skipped[&Reason::NoConsent], 2_000);
            assert_eq!(run.counts.matched(), 2_000);
        }
        assert_eq!(sizes(&shop).await, before);
        assert_eq!(shop.number("select count(*) from runs").await, 11);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "a minute on the release build"]
async fn a_hundred_thousand_refused_customers_ticked_ten_times_leave_the_database_as_it_was() {
    let rows: Vec<String> = (0..100_000).map(|n| format!("c{n},c{n}@shop.test,,,no")).collect();
    let rows: Vec<&str> = rows.iter().map(String::as_str).collect();
    on_both("", async |home| {
        home.write("customers.csv", &customers(&rows));
        home.write("config/rules/treat.toml", &offers_rule(&[]));
        let mut shop = Shop::open(&home, NOON).await;
        shop.tick(NOON).await;
        let size = match shop.app.db.dialect() {
            plusone::sql::Dialect::Sqlite => {
                "select page_count * page_size from pragma_page_count(), pragma_page_size()"
            }
            plusone::sql::Dialect::Postgres => {
                "select sum(pg_total_relation_size(name::regclass))::bigint \
                 from (values ('touchpoints'), ('touchpoint_events')) as t(name)"
            }
        };
        let before = shop.number(size).await;
        for hour in 13..23 {
            let run = shop.tick(&format!("2026-11-03T{hour}:00:00Z")).await;
            assert_eq!(run.counts.skipped[&Reason::NoConsent], 100_000);
        }
        let grown = shop.number(size).await - before;
        // the runs themselves: a page or two each
        assert!(grown <= 256 * 1024, "{grown} bytes more");
        assert_eq!(shop.number("select count(*) from touchpoint_events").await, 100_000);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refusal_turns_into_a_message_when_consent_comes() {
    on_both("", async |home| {
        home.write("customers.csv", &customers(&["ann,ann@shop.test,Ann,,no", "bob,bob@shop.test,Bob,,no"]));
        home.write("config/rules/treat.toml", &offers_rule(&[]));
        let mut shop = Shop::open(&home, NOON).await;
        shop.tick(NOON).await;
        answer(&shop, "ann", Some("email"), true, "2026-11-03T12:30:00Z").await;
        answer(&shop, "bob", None, true, "2026-11-03T12:30:00Z").await;
        let run = shop.tick("2026-11-03T13:00:00Z").await;
        assert_eq!(run.counts.planned, 2, "a yes to every channel is a yes to this one");
        assert_eq!(shop.log().await, ["ann - planned -", "bob - planned -"]);
        assert_eq!(shop.events("ann").await, ["skipped", "planned"]);
        let created = shop.number("select min(created_at) from touchpoints").await;
        assert_eq!(created, at("2026-11-03T13:00:00Z").micros(), "found by when it was planned");
        answer(&shop, "bob", None, false, "2026-11-03T13:10:00Z").await;
        let sent = shop.send("2026-11-03T13:20:00Z").await;
        assert_eq!((sent["sent"].as_u64(), sent["skipped"].as_u64()), (Some(1), Some(1)));
        assert_eq!(shop.log().await, ["ann - sent -", "bob - skipped no_consent"], "a no is heard at once");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_topic_that_was_left_is_left_even_where_no_consent_is_needed() {
    on_both("", async |home| {
        home.write("customers.csv", &customers(&["ann,ann@shop.test,Ann,,no"]));
        home.write("config/rules/news.toml", &rule(&[]));
        let mut shop = Shop::open(&home, NOON).await;
        shop.pass(NOON).await;
        let settings = shop.app.workspace.project.settings.clone();
        let when = at("2026-11-03T12:10:00Z");
        let (answer, kind) = (Answer::No, SourceKind::Support);
        let no = Said { customer: "ann", topic: "reminders", channel: None, answer, at: when, source: "desk", kind };
        answers::set(&shop.app.db, &settings, no, when).await.expect("an answer");
        shop.send("2026-11-03T12:20:00Z").await;
        assert_eq!(shop.log().await, ["ann - skipped no_consent"]);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn every_refusal_says_its_reason() {
    let more = "[guard]\nonly_to = [\"*@shop.test\", \"+44*\"]\n";
    on_both(more, async |home| {
        home.write(
            "customers.csv",
            &customers(&[
                "none,,,,yes",
                "bad,not an address,,,yes",
                "no,no@shop.test,,,no",
                "else,else@other.test,,,yes",
                "stop,stop@shop.test,,,yes",
                "ok,ok@shop.test,,,yes",
            ]),
        );
        home.write("config/rules/treat.toml", &offers_rule(&[]));
        let mut shop = Shop::open(&home, NOON).await;
        let business = shop.app.workspace.project.settings.business.clone();
        let wish = Wish::of("stop@shop.test", "asked", "support");
        suppress::add(&shop.app.db, &business, wish, at(NOON)).await.expect("suppressed");
        shop.tick(NOON).await;
        let expected = [
            "bad - skipped bad_address",
            "else - skipped not_allowed_here",
            "no - skipped no_consent",
            "none - skipped no_address",
            "ok - planned -",
            "stop - skipped suppressed",
        ];
        assert_eq!(shop.log().await, expected);
        let skipped = shop.number(
            "select count(*) from touchpoints where state = 'skipped' and (facts is not null or channel is not null)",
        );
        assert_eq!(skipped.await, 0, "a skipped row holds no words and no facts");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_standing_refusal_keeps_one_row_and_moves_on_with_the_days() {
    on_both("", async |home| {
        home.write("customers.csv", &customers(&["ann,ann@shop.test,Ann,,no"]));
        home.write("config/rules/daily.toml", &offers_rule(&[("once_per", "[\"day\"]")]));
        let mut shop = Shop::open(&home, NOON).await;
        for day in ["03", "04", "05"] {
            shop.tick(&format!("2026-11-{day}T12:00:00Z")).await;
            assert_eq!(shop.log().await, [format!("ann 2026-11-{day} skipped no_consent")]);
        }
        assert_eq!(shop.events("ann").await, ["skipped"]);
        answer(&shop, "ann", Some("email"), true, "2026-11-05T12:30:00Z").await;
        shop.tick("2026-11-06T12:00:00Z").await;
        shop.tick("2026-11-07T12:00:00Z").await;
        assert_eq!(shop.log().await, ["ann 2026-11-06 planned -", "ann 2026-11-07 planned -"]);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn each_cart_keeps_its_own_standing_refusal() {
    on_both("", async |home| {
        home.write("customers.csv", &customers(&["ann,ann@shop.test,Ann,,no"]));
        home.write("carts.csv", "id,customer_id,status\nk1,ann,open\nk2,ann,open\n");
        let keys =
            [("for_each", "\"cart\""), ("when", "['cart.status == \"open\"']"), ("once_per", "[\"cart\", \"day\"]")];
        home.write("config/rules/daily.toml", &offers_rule(&keys));
        let mut shop = Shop::open(&home, NOON).await;
        shop.tick(NOON).await;
        for hour in [10, 11, 12] {
            shop.tick(&format!("2026-11-04T{hour}:00:00Z")).await;
            let day = ["ann k1|2026-11-04 skipped no_consent", "ann k2|2026-11-04 skipped no_consent"];
            assert_eq!(shop.log().await, day);
        }
        answer(&shop, "ann", Some("email"), true, "2026-11-04T12:30:00Z").await;
        let run = shop.tick("2026-11-05T12:00:00Z").await;
        assert_eq!(run.counts.planned, 2);
        assert_eq!(shop.log().await, ["ann k1|2026-11-05 planned -", "ann k2|2026-11-05 planned -"]);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_that_cannot_be_rendered_is_tried_each_tick_and_told_once() {
    on_both("", async |home| {
        home.write("customers.csv", &customers(&["ann,ann@shop.test,,,no"]));
        home.write("templates/note/email.txt.hbs", "With us since {{date customer.joined}}");
        home.write("config/rules/news.toml", &rule(&[]));
        let mut shop = Shop::open(&home, NOON).await;
        for hour in 12..16 {
            shop.tick(&format!("2026-11-03T{hour}:00:00Z")).await;
            shop.execute("update d_customer set joined = null").await;
            shop.send(&format!("2026-11-03T{hour}:01:00Z")).await;
        }
        assert_eq!(shop.log().await, ["ann - skipped missing_value"]);
        assert_eq!(shop.events("ann").await, ["planned", "skipped"]);
        shop.execute("update d_customer set joined = 20000").await;
        shop.tick("2026-11-03T16:00:00Z").await;
        shop.send("2026-11-03T16:01:00Z").await;
        assert_eq!(shop.log().await, ["ann - sent -"]);
        assert_eq!(shop.events("ann").await, ["planned", "skipped", "sent"]);
    })
    .await;
}
