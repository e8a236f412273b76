//! Forgetting in time: words and details go, and nothing is sent again because it was forgotten.

use crate::shop::{Shop, at, customers, on_both, rule};
use plusone::data::prune::{Bounds, Forgotten, prune};
use plusone::settings::Retention;
use plusone::time::Span;

const HOUR: &str = "[retention]\nwords = \"1h\"\ntouchpoints = \"1h\"";

/// Rules whose messages are unique in every way there is.
const RULES: &[(&str, &[(&str, &str)])] = &[
    ("ever", &[]),
    ("yearly", &[("once_per", "[\"year\"]")]),
    ("again", &[("again_after", "\"30d\"")]),
    ("field", &[("once_per", "[\"customer.tier\"]")]),
    ("status", &[("kind", "\"status\"")]),
    ("gift", &[("topic", "\"offers\""), ("kind", "\"offer\""), ("offer", "[\"cookie\"]")]),
];

const COOKIE: &str = "description = \"A cookie\"\nvalue = 2.50\ncost = 0.80\nbudget = { total = 500 }\n\
                      per_customer = { max = 1 }\ncode = { pattern = \"COOKIE-######\" }\nvalid_for = \"1h\"\n";

async fn forget(shop: &Shop, now: &str, bounds: Bounds) -> Forgotten {
    let retention = shop.app.workspace.project.settings.retention;
    prune(&shop.app.db, &retention, at(now), bounds).await.expect("forgotten")
}

#[tokio::test]
async fn what_is_forgotten_is_not_sent_again() {
    on_both(HOUR, async |home| {
        for (name, keys) in RULES {
            home.write(&format!("config/rules/{name}.toml"), &rule(keys));
        }
        home.write("config/offers/cookie.toml", COOKIE);
        home.write("customers.csv", &customers(&["ada,ada@one.test,Ada,gold,true", "bob,,Bob,basic,true"]));
        let mut shop = Shop::open(&home, "2026-11-03T12:00:00Z").await;
        shop.pass("2026-11-03T12:00:00Z").await;
        let sent = shop.send("2026-11-03T12:00:00Z").await["sent"].as_u64().expect("a number");
        assert_eq!(sent, 5, "all but the one that was there before its rule; {:?}", shop.log().await);
        let before = shop.log().await;
        assert!(before.iter().any(|row| row.ends_with("skipped before_start")), "{before:?}");

        for (event, pending) in [("e1", 0), ("e2", 1)] {
            shop.execute(&format!(
                "insert into provider_events (bucket, provider, event_id, kind, at, pending) \
                 values (1, 'twilio', '{event}', 'status', 1, {pending})"
            ))
            .await;
        }
        shop.execute(
            "insert into replies (bucket, provider, event_id, channel, address_hash, shown, words, meaning, review, at) \
             values (1, 'twilio', 'e1', 'sms', 'x', 'x', 'hello', 'other', 0, 1)",
        )
        .await;
        let counted = forget(&shop, "2026-11-03T15:00:00Z", Bounds { dry_run: true, ..Bounds::ALL }).await;
        assert_eq!(shop.number("select count(*) from touchpoint_words").await, 5, "a dry run forgets nothing");
        let told = forget(&shop, "2026-11-03T15:00:00Z", Bounds::ALL).await;
        assert_eq!(Forgotten { more: false, ..counted }, told);
        assert_eq!((told.places, shop.number("select count(*) from address_places").await), (1, 0), "the gift's address");
        assert_eq!((told.words, told.codes), (5, 1));
        assert_eq!((told.replies, told.receipts), (1, 1), "what waits for its touchpoint stays");
        assert!(told.refusals >= 4, "Bob has no address: {told:?}");
        for left in [
            "select count(*) from touchpoint_words",
            "select count(*) from touchpoint_events",
            "select count(*) from offer_grants where code is not null",
            "select count(*) from touchpoints where coalesce(address, facts, gates, subject, code, locale) is not null",
            "select count(*) from touchpoints where state = 'skipped' and reason <> 'before_start'",
        ] {
            assert_eq!(shop.number(left).await, 0, "{left}");
        }
        let kept = "select count(*) from touchpoints where state = 'sent' and customer = 'ada' and purpose is not null \
                    and topic is not null and channel = 'email' and sent_at is not null";
        assert_eq!(shop.number(kept).await, 5, "a link in an old mail finds its row");
        assert_eq!(forget(&shop, "2026-11-03T15:00:00Z", Bounds::ALL).await, Forgotten::default());

        shop.pass("2026-11-03T16:00:00Z").await;
        assert_eq!(shop.number("select count(*) from touchpoints where state = 'planned'").await, 0);
        assert_eq!(shop.send("2026-11-03T16:00:00Z").await["sent"], 0);
        let judged_again = shop.log().await.into_iter().filter(|row| !row.contains("paused")).collect::<Vec<_>>();
        assert_eq!(judged_again, before, "what was refused is refused again, and nothing else is new");
    })
    .await;
}

#[tokio::test]
async fn what_still_waits_keeps_its_row_and_a_later_call_goes_on() {
    on_both(HOUR, async |home| {
        home.write("config/rules/wait.toml", &rule(&[("expires_after", "\"30d\"")]));
        home.write("customers.csv", &customers(&["ada,ada@one.test,Ada,gold,true"]));
        let mut shop = Shop::open(&home, "2026-11-03T12:00:00Z").await;
        shop.pass("2026-11-03T12:00:00Z").await;
        let told = forget(&shop, "2026-11-03T15:00:00Z", Bounds::ALL).await;
        assert_eq!(told, Forgotten::default());
        assert_eq!(shop.number("select count(*) from touchpoints where facts is not null").await, 1);
        assert_eq!(shop.send("2026-11-03T15:00:00Z").await["sent"], 1);
        shop.execute(
            "insert into touchpoints select bucket, id || '-' || n, rule, rule_version, kind, topic, purpose, customer, \
             entity_kind, entity_id, occurrence || n, step, run_id, as_of, channel, address, state, reason, due_at, \
             expires_at, priority, on_doubt, owner, epoch, doubt_at, attempts, provider, provider_id, cost, offer, code, \
             variant, locale, subject, possible_duplicate, test, facts, gates, version, created_at + n, updated_at, \
             sent_at, counts, room from touchpoints cross join (with recursive r (n) as (select 1 union all select n + 1 from r \
             where n < 2500) select n from r) as many",
        )
        .await;
        let bounds = Bounds { chunks: 1, dry_run: false };
        let mut bared = 0;
        for _ in 0..3 {
            bared += forget(&shop, "2026-11-03T17:00:00Z", bounds).await.touchpoints;
        }
        assert_eq!(bared, 2500, "chunk by chunk, each where the one before ended");
    })
    .await;
}

#[test]
fn what_nobody_configured_is_forgotten_all_the_same() {
    let usual = Retention::default();
    assert_eq!((usual.words, usual.touchpoints), (Span::from_days(180), "3y".parse().expect("three years")));
}
