//! What `simulate` says is what `once` then does: random shops with a past are simulated, and then the very same days
//! are lived through, on both databases.
//!
//! 1. A world follows from its seed; it is lived through at every moment that the rehearsal had something to do at, and
//!    each quarter of an hour.
//! 2. A rehearsal of other rules than those that are lived with is found to differ: the comparison can fail.

use super::world::World;
use crate::harness::home::{Home, Settings};
use crate::harness::postgres::Database;
use crate::shop::{NOON, Shop, at, customers, home, rule};
use futures_util::TryStreamExt;
use plusone::outreach::simulate::{Rehearsal, Wish, simulate};
use plusone::sql::{Dialect, Sql};
use plusone::store::rehearsal::lines::{self, Line};
use plusone::store::settle;
use plusone::time::{Span, Timestamp};
use plusone::touchpoints::State;
use std::collections::{BTreeMap, BTreeSet};

/// A Tuesday; the clocks of New York go back on the Sunday before, those of London a week earlier.
const BEGIN: &str = "2026-10-31T09:00:00Z";
const PAST: Span = Span::from_seconds(20 * 3_600);
const FUTURE: Span = Span::from_seconds(50 * 3_600);

/// What can be compared of a touchpoint: all of it, but at which of its occurrences a refusal stands: a daemon moves it
/// on while nothing else changes.
fn told(lines: Vec<Line>) -> BTreeSet<String> {
    let one = |line: &Line| {
        let Line { id, rule, customer, entity, state, channel, at, reason, offer, offer_cost, cost, .. } = line;
        let occurrence = if *state == State::Skipped { "" } else { &line.occurrence };
        format!(
            "{rule} {customer} {entity} {occurrence} {state} {channel:?} {at} {reason:?} {offer:?} {offer_cost} {cost} {id}"
        )
    };
    lines.iter().map(one).collect()
}

async fn pass(shop: &mut Shop, now: Timestamp) {
    shop.pass(&now.to_string()).await;
    let held = "select id, rule, instant from runs where state = 'held'";
    for row in shop.app.db.fetch(Sql::new(held)).await.expect("the runs") {
        let run = settle::Run {
            id: row.text(0).to_owned(),
            rule: row.text(1).to_owned(),
            instant: Timestamp::from_micros(row.int(2)),
            state: "held".to_owned(),
        };
        let mut tx = shop.app.db.begin().await.expect("a transaction");
        settle::approve(&mut tx, &run, "the test", now).await.expect("it was held");
        tx.commit().await.expect("committed");
    }
    shop.send(&now.to_string()).await;
}

/// Every row of every table.
async fn everything(shop: &Shop) -> BTreeMap<String, Vec<String>> {
    let db = &shop.app.db;
    let tables = match db.dialect() {
        Dialect::Sqlite => "select name from sqlite_schema where type = 'table'",
        Dialect::Postgres => "select tablename::text from pg_tables where schemaname = 'public'",
    };
    let mut all = BTreeMap::new();
    for table in db.fetch(Sql::new(tables)).await.expect("tables") {
        let rows = db.fetch(Sql::new(format!("select * from \"{}\"", table.text(0)))).await.expect("rows");
        let mut rows: Vec<String> = rows.iter().map(|row| format!("{row:?}")).collect();
        rows.sort_unstable();
        all.insert(table.text(0).to_owned(), rows);
    }
    all
}

/// Passes at `moments` and each quarter of an hour in `[from, to)`.
async fn live(shop: &mut Shop, from: Timestamp, to: Timestamp, moments: impl IntoIterator<Item = Timestamp>) {
    let mut all: BTreeSet<Timestamp> = moments.into_iter().filter(|at| (from..to).contains(at)).collect();
    let quarters = (0..).map(|count| Timestamp::from_seconds(from.micros() / 1_000_000 / 900 * 900 + 900 * count));
    all.extend(quarters.take_while(|quarter| *quarter < to).filter(|quarter| *quarter >= from));
    all.insert(from);
    for now in all {
        pass(shop, now).await;
    }
}

async fn rehearse(shop: &Shop, now: Timestamp, to: Timestamp) -> Rehearsal {
    let wish = Wish { now, to, drafts: &[] };
    simulate(&shop.app, wish).await.expect("a rehearsal")
}

/// Gives what was said and what was done in the world of a seed, and whether anything happened at all.
async fn compare(
    seed: u64,
    database: Option<&Database>,
    meddle: impl FnOnce(&Home),
) -> (BTreeSet<String>, BTreeSet<String>) {
    let begin = at(BEGIN);
    let home = World::new(seed, begin.plus(PAST)).home(database);
    let mut shop = Shop::open(&home, BEGIN).await;
    live(&mut shop, begin, begin.plus(PAST), []).await;
    let now = begin.plus(PAST).plus(Span::from_seconds(421));
    let to = begin.plus(PAST).plus(FUTURE);
    let before = everything(&shop).await;
    shop.set(&now.to_string());
    let rehearsal = rehearse(&shop, now, to).await;
    assert!(everything(&shop).await == before, "a rehearsal writes nothing");
    let said: Vec<Line> = rehearsal.lines().try_collect().await.expect("lines");
    let moments: Vec<Timestamp> = rehearsal.moments.iter().copied().chain(said.iter().map(|line| line.at)).collect();
    rehearsal.end().await;
    meddle(&home);
    shop.reload().await;
    live(&mut shop, now, to, moments).await;
    let done = lines::written(&shop.app.db, now).try_collect().await.expect("lines");
    (told(said), told(done))
}

fn difference(said: &BTreeSet<String>, done: &BTreeSet<String>) -> String {
    let said_only: Vec<_> = said.difference(done).take(8).collect();
    let done_only: Vec<_> = done.difference(said).take(8).collect();
    format!("said and not done: {said_only:#?}\ndone and not said: {done_only:#?}")
}

#[tokio::test(flavor = "multi_thread")]
async fn what_simulate_says_is_what_once_then_does() {
    let (first, count) = seeds();
    let mut lines = 0;
    for seed in first..first + count {
        let (said, done) = compare(seed, None, |_| {}).await;
        assert!(said == done, "seed {seed}: {}", difference(&said, &done));
        lines += said.len();
    }
    assert!(lines as u64 > 5 * count, "{lines} lines of {count} worlds");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_simulate_says_of_postgresql_is_what_once_then_does_there() {
    let (first, count) = seeds();
    for seed in first..first + count.div_ceil(4) {
        let Some(database) = Database::create() else { return };
        let (said, done) = compare(seed, Some(&database), |_| {}).await;
        assert!(said == done, "seed {seed}: {}", difference(&said, &done));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn other_rules_than_those_that_were_simulated_are_found_to_do_something_else() {
    let (said, done) = compare(1, None, |home| {
        let file = "config/rules/rule-0.toml";
        let text = home.read(file).replacen("live = true", "live = false", 1);
        home.write(file, &text);
        let file = "config/rules/rule-1.toml";
        let text = home.read(file).replacen("live = true", "live = false", 1);
        home.write(file, &text);
    })
    .await;
    assert!(said != done, "two rules fewer, and nothing else happened");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_waited_before_goes_when_it_is_due_however_seldom_its_rule_ticks() {
    let quiet = "[courtesy]\nquiet_hours = { email = \"11:00-15:00\" }\n".to_owned();
    let home = home(&Settings { more: quiet, ..Settings::default() });
    home.write("customers.csv", &customers(&["ann,ann@shop.test,,,"]));
    let keys = [("schedule", "\"every day at 9am\""), ("expires_after", "\"4h\"")];
    home.write("config/rules/note.toml", &rule(&keys));
    let mut shop = Shop::open(&home, NOON).await;
    shop.app.plan(&shop.lease, at(NOON), Some("note")).await.expect("planned");
    let now = at(NOON).plus(Span::from_seconds(60));
    shop.set(&now.to_string());
    let rehearsal = rehearse(&shop, now, now.plus(Span::from_days(2))).await;
    let lines: Vec<Line> = rehearsal.lines().try_collect().await.expect("lines");
    rehearsal.end().await;
    let [line] = &lines[..] else { panic!("{lines:?}") };
    assert_eq!(line.state, State::Sent, "{line:?}");
    assert!((at("2026-11-03T15:00:00Z")..at("2026-11-03T15:15:00Z")).contains(&line.at), "{line:?}");
}

/// The first seed and how many: more by `PLUSONE_TEST_SEEDS=first,count`.
fn seeds() -> (u64, u64) {
    let asked = crate::harness::text_of("PLUSONE_TEST_SEEDS");
    let asked = asked.as_deref().and_then(|text| text.split_once(','));
    asked.and_then(|(first, count)| Some((first.parse().ok()?, count.parse().ok()?))).unwrap_or((1, 8))
}
