//! Customers who share an address, and customers who are held out.

use crate::harness::home::Settings;
use crate::harness::postgres::Database;
use crate::shop::{NOON, Shop, customers, on_both, rule};
use plusone::courtesy::holdout;
use plusone::store::address_places::{self, Take};
use plusone::touchpoints::Reason;
use std::sync::Arc;
use tokio::sync::Barrier;

fn offers_rule(keys: &[(&str, &str)]) -> String {
    rule(&[&[("topic", "\"offers\""), ("channels", "[\"email\"]")], keys].concat())
}

/// Two people under one address, written in two ways, and one alone.
const SHARED: [&str; 3] = ["ann,Home@shop.test,Ann,,yes", "ben,home@shop.test,Ben,,yes", "cem,cem@shop.test,Cem,,yes"];

async fn states(shop: &Shop, state: &str) -> i64 {
    shop.number(&format!("select count(*) from touchpoints where state = '{state}'")).await
}

#[tokio::test(flavor = "multi_thread")]
async fn two_customers_with_one_address_get_one_promotional_message() {
    on_both("", async |home| {
        home.write("customers.csv", &customers(&SHARED));
        home.write("config/rules/treat.toml", &offers_rule(&[]));
        home.write("config/rules/note.toml", &rule(&[]));
        let mut shop = Shop::open(&home, NOON).await;
        let runs = shop.pass(NOON).await.runs;
        assert_eq!((runs[0].counts.planned, runs[0].rule.as_str()), (3, "note"), "what they wait for reaches both");
        assert_eq!((runs[1].counts.planned, runs[1].counts.skipped[&Reason::SameAddress]), (2, 1));
        let detail =
            "select count(*) from touchpoint_events where detail like 'same_address: touchpoint ________ has it'";
        assert_eq!(shop.number(detail).await, 1);
        assert_eq!(shop.send(NOON).await["sent"], 5);
        let run = shop.pass("2026-11-03T13:00:00Z").await.runs.remove(1);
        assert_eq!((run.counts.planned, run.counts.skipped[&Reason::SameAddress]), (0, 1), "after it was sent, too");
        assert_eq!(shop.number("select count(*) from address_places").await, 2);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_shares_the_address_takes_over_when_nothing_came_of_the_first() {
    on_both("", async |home| {
        home.write("customers.csv", &customers(&SHARED[..2]));
        home.write("config/rules/treat.toml", &offers_rule(&[]));
        let mut shop = Shop::open(&home, NOON).await;
        assert_eq!(shop.tick(NOON).await.counts.planned, 1);
        shop.execute("update touchpoints set state = 'failed', reason = 'provider_refused' where state = 'planned'")
            .await;
        let run = shop.tick("2026-11-03T13:00:00Z").await;
        assert_eq!((run.counts.planned, run.counts.already_touched), (1, 1));
        assert_eq!((states(&shop, "planned").await, states(&shop, "failed").await), (1, 1));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_crowd_under_one_address_gets_one_message_across_chunks_and_parts() {
    let rows: Vec<String> = (0..2_500)
        .map(|n| format!("c{n},{}@shop.test,,,yes", if n % 5 == 0 { "all".to_owned() } else { format!("c{n}") }))
        .collect();
    let rows: Vec<&str> = rows.iter().map(String::as_str).collect();
    on_both(EVERYBODY, async |home| {
        home.write("customers.csv", &customers(&rows));
        home.write("config/rules/treat.toml", &offers_rule(&[]));
        let mut shop = Shop::open(&home, NOON).await;
        let run = shop.tick(NOON).await;
        assert_eq!((run.counts.planned, run.counts.skipped[&Reason::SameAddress]), (2_001, 499));
        let at_all = "select count(*) from touchpoints where address = 'all@shop.test' and state = 'planned'";
        assert_eq!(shop.number(at_all).await, 1);
    })
    .await;
}

/// Two plans of one rule, each of which takes addresses in two chunks, in opposite orders, step by step: neither waits
/// for the other for ever, and each address is had once.
#[tokio::test(flavor = "multi_thread")]
async fn two_planners_that_meet_the_same_addresses_never_wait_for_each_other() {
    let Some(database) = Database::create() else { return };
    let home = crate::shop::home(&Settings { database: database.url.clone(), ..Settings::default() });
    let shop = Shop::open(&home, NOON).await;
    let place = |hash: &str, holder: &str| Take {
        bucket: 1,
        address_hash: hash.to_owned(),
        occurrence: "-".to_owned(),
        holder_bucket: 1,
        touchpoint: holder.to_owned(),
    };
    let now = crate::shop::at(NOON);
    let plan = async |locks: bool, own: &str, first: &str, second: &str, meet: Arc<Barrier>| {
        let mut tx = shop.app.db.begin().await?;
        if locks {
            address_places::lock(&mut tx, "treat").await?;
            let _ = meet;
            address_places::take(&mut tx, "treat", &[place(first, own)], now).await?;
        } else {
            address_places::take(&mut tx, "treat", &[place(first, own)], now).await?;
            meet.wait().await;
        }
        address_places::take(&mut tx, "treat", &[place(second, own)], now).await?;
        tx.commit().await
    };
    let meet = Arc::new(Barrier::new(2));
    let (one, two) = tokio::join!(
        plan(true, "t-one", "aa", "bb", Arc::clone(&meet)),
        plan(true, "t-two", "bb", "aa", Arc::clone(&meet))
    );
    assert!(one.is_ok() && two.is_ok(), "{one:?} {two:?}");
    assert_eq!(shop.number("select count(*) from address_places").await, 2);
    // Without holding the rule's places first, the same two wait for each other until the database ends one of them.
    shop.execute("delete from address_places").await;
    let (one, two) = tokio::join!(
        plan(false, "t-one", "aa", "bb", Arc::clone(&meet)),
        plan(false, "t-two", "bb", "aa", Arc::clone(&meet))
    );
    assert!(one.is_err() != two.is_err(), "{one:?} {two:?}");
}

/// Rules here are about everybody, which the guard holds unless it is told that this is meant.
const EVERYBODY: &str = "[guard]\nmax_share = \"100%\"\n";

const MANY: usize = 400;

fn many() -> String {
    let rows: Vec<String> = (0..MANY).map(|n| format!("c{n},c{n}@shop.test,,,yes")).collect();
    customers(&rows.iter().map(String::as_str).collect::<Vec<_>>())
}

fn out_of_rule(share: u32) -> u64 {
    (0..MANY).filter(|n| holdout::is_out_of_rule(share, "treat", &format!("c{n}"))).count() as u64
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rules_holdout_is_written_down_where_the_message_would_have_been() {
    let more = format!("[courtesy]\ncaps = [{{ max = 1, per = \"week\" }}]\n{EVERYBODY}");
    on_both(&more, async |home| {
        home.write("customers.csv", &many());
        home.write(
            "config/offers/cookie.toml",
            "description = \"A cookie\"\nvalue = 2.50\nbudget = { total = 4000 }\n",
        );
        let keys = [("kind", "\"offer\""), ("offer", "\"cookie\""), ("holdout", "\"20%\""), ("priority", "90")];
        home.write("config/rules/treat.toml", &offers_rule(&keys));
        home.write("config/rules/note.toml", &rule(&[("priority", "10")]));
        let mut shop = Shop::open(&home, NOON).await;
        let out = out_of_rule(200_000);
        assert!((50..=110).contains(&out), "a fifth of 400, not {out}");
        let runs = shop.pass(NOON).await.runs;
        assert_eq!((runs[0].counts.held_out, runs[0].counts.planned), (out, MANY as u64 - out));
        assert_eq!(runs[0].counts.matched(), MANY as u64);
        assert_eq!(runs[0].counts.to_json()["held_out"], out);
        assert_eq!(shop.taken("cookie").await, (MANY as i64 - out as i64) * 25_000, "nothing is reserved for them");
        assert_eq!(runs[1].counts.planned, out, "and they take no place under the caps");
        let kept = "select count(*) from touchpoints where state = 'held_out' and reason = 'held_out' and counts = 0 \
                    and address is null and channel = 'email' and due_at = as_of and created_at = as_of";
        assert_eq!(shop.number(kept).await, out as i64);
        let again = shop.pass("2026-11-03T13:00:00Z").await.runs.remove(0);
        assert_eq!((again.counts.held_out, again.counts.already_touched), (0, MANY as u64), "held out is touched");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_larger_share_keeps_everyone_who_was_held_out() {
    on_both("", async |home| {
        home.write("customers.csv", &many());
        let keys = |share: &'static str| offers_rule(&[("holdout", share), ("once_per", "\"day\"")]);
        home.write("config/rules/treat.toml", &keys("\"5%\""));
        let mut shop = Shop::open(&home, NOON).await;
        assert_eq!(shop.tick(NOON).await.counts.held_out, out_of_rule(50_000));
        home.write("config/rules/treat.toml", &keys("\"30%\""));
        shop.reload().await;
        assert_eq!(shop.tick("2026-11-04T12:00:00Z").await.counts.held_out, out_of_rule(300_000));
        let left = "select count(*) from touchpoints a where a.state = 'held_out' and a.occurrence = '2026-11-03' \
                    and not exists (select 1 from touchpoints b where b.customer = a.customer and b.bucket = a.bucket \
                    and b.occurrence = '2026-11-04' and b.state = 'held_out')";
        assert_eq!(shop.number(left).await, 0);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_is_held_out_of_everything_still_gets_what_they_wait_for() {
    on_both(&format!("[courtesy]\nholdout = \"10%\"\n{EVERYBODY}"), async |home| {
        home.write("customers.csv", &many());
        home.write(
            "config/offers/cookie.toml",
            "description = \"A cookie\"\nvalue = 2.50\nbudget = { total = 4000 }\n",
        );
        home.write("config/rules/treat.toml", &offers_rule(&[]));
        home.write("config/rules/note.toml", &rule(&[("offer", "\"cookie\"")]));
        let mut shop = Shop::open(&home, NOON).await;
        shop.app.plan(&shop.lease, crate::shop::at(NOON), Some("nobody")).await.expect("data is read");
        shop.execute(
            "insert into consents (bucket, customer, topic, channel, at, value, source, recorded_at) \
             select bucket, customer, 'reminders', channel, at, 1, source, recorded_at from consents",
        )
        .await;
        let out = (0..MANY).filter(|n| holdout::is_out_of_everything(100_000, &format!("c{n}"))).count();
        let runs = shop.pass(NOON).await.runs;
        assert_eq!((runs[0].counts.planned, runs[0].counts.held_out), (MANY as u64, 0));
        assert_eq!((runs[1].counts.planned, runs[1].counts.held_out), ((MANY - out) as u64, out as u64));
        let without = "select count(*) from touchpoints where rule = 'note' and offer is null \
                       and gates like '%without its offer (held out: 10% of all customers%'";
        assert_eq!(shop.number(without).await, out as i64);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_address_is_not_reached_under_another_name_when_its_holder_is_held_out() {
    on_both("", async |home| {
        home.write("customers.csv", &customers(&SHARED[..2]));
        home.write("config/rules/treat.toml", &offers_rule(&[("holdout", "\"100%\"")]));
        let mut shop = Shop::open(&home, NOON).await;
        let run = shop.tick(NOON).await;
        assert_eq!((run.counts.held_out, run.counts.skipped[&Reason::SameAddress]), (1, 1));
    })
    .await;
}
