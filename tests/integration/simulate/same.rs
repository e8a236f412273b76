//! What `simulate` says is what `once` then does: random shops with a past are simulated, and then the very same days
//! are lived through, on both databases.
//!
//! 1. A world follows from its seed; it is lived through at every moment that the rehearsal had something to do at, and
//!    each quarter of an hour.
//! 2. A rehearsal of other rules than those that are lived with is found to differ: the comparison can fail.
//! 3. Random worlds seldom wake a refusal that sleeps; each thing that must wake one has a day of its own, in which
//!    leaving it asleep is found.

use super::world::World;
use crate::harness::home::{Home, Settings};
use crate::harness::postgres::Database;
use crate::shop::{NOON, Shop, WAY_OUT, at, customers, home, rule};
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
    said_and_done(&mut shop, now, begin.plus(PAST).plus(FUTURE), || meddle(&home)).await
}

/// What a rehearsal of `[now, to)` says, and what is then done in that time, after `meddle`.
async fn said_and_done(
    shop: &mut Shop,
    now: Timestamp,
    to: Timestamp,
    meddle: impl FnOnce(),
) -> (BTreeSet<String>, BTreeSet<String>) {
    let before = everything(shop).await;
    shop.set(&now.to_string());
    let rehearsal = rehearse(shop, now, to).await;
    assert!(everything(shop).await == before, "a rehearsal writes nothing");
    let said: Vec<Line> = rehearsal.lines().try_collect().await.expect("lines");
    let moments: Vec<Timestamp> = rehearsal.moments.iter().copied().chain(said.iter().map(|line| line.at)).collect();
    rehearsal.end().await;
    meddle();
    shop.reload().await;
    live(shop, now, to, moments).await;
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

/// Twenty hours of these rules and this offer for Ann and Ben, who said yes to everything, after the first pass of noon.
async fn a_day(rules: &[(&str, &[(&str, &str)])], offer: &str) -> BTreeSet<String> {
    let courtesy = "[courtesy]\nquiet_hours = { email = \"11:00-15:00\" }\n\
                    caps = [{ purpose = \"promotional\", max = 1, per = \"1d\" }]\n[guard]\nmax_share = \"100%\"\n";
    let home = home(&Settings { more: courtesy.to_owned(), ..Settings::default() });
    home.write("customers.csv", &customers(&["ann,ann@shop.test,,,yes", "ben,ben@shop.test,,,yes"]));
    let consent = "{ email = \"email_ok\", sms = \"email_ok\", source = \"the shop\" }";
    let data = home.read("config/data.toml").replace("{ email = \"email_ok\", source = \"the shop\" }", consent);
    home.write("config/data.toml", &data);
    home.write("templates/note/email.txt.hbs", WAY_OUT);
    home.write("config/offers/cookie.toml", offer);
    for (name, keys) in rules {
        home.write(&format!("config/rules/{name}.toml"), &rule(keys));
    }
    let begin = at(NOON).minus(Span::from_seconds(60));
    let mut shop = Shop::open(&home, &begin.to_string()).await;
    pass(&mut shop, begin).await;
    let now = begin.plus(Span::from_seconds(30));
    let (said, done) = said_and_done(&mut shop, now, now.plus(Span::from_seconds(20 * 3_600)), || {}).await;
    assert!(said == done, "{}", difference(&said, &done));
    said
}

fn is_told(said: &BTreeSet<String>, beginning: &str, of: &[&str]) {
    let is_one = |line: &&String| line.starts_with(beginning) && of.iter().all(|part| line.contains(part));
    assert!(said.iter().any(|line| is_one(&line)), "{beginning} {of:?}: {said:#?}");
}

/// What a sleeping refusal rests on may be given back before its time: whoever waited must then be judged again.
#[tokio::test(flavor = "multi_thread")]
async fn who_waits_for_a_place_gets_it_when_a_message_that_held_it_is_given_up() {
    let unless = "['customer.touchpoints.exists(t, t.rule == \"word\" && t.sent_at > ago(\"1d\"))']";
    let promotional = ("topic", "\"offers\"");
    // The letter waits for the end of quiet hours at three. At one comes the word, so that the letter is given up.
    let letter = [promotional, ("priority", "90"), ("unless", unless)];
    let word = [("channels", "[\"sms\"]"), ("schedule", "\"every day at 1pm\"")];
    let treat = [promotional, ("channels", "[\"sms\"]"), ("schedule", "\"every 15 minutes\"")];
    let offer = "description = \"A cookie\"\nvalue = 1\ncost = 1\n";
    let said = a_day(&[("letter", &letter), ("word", &word), ("treat", &treat)], offer).await;
    is_told(&said, "letter ann", &["NoLongerTrue"]);
    is_told(&said, "treat ann", &["sent", "2026-11-03T15:15:00Z"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn who_may_not_have_an_offer_is_refused_for_the_cap_once_a_message_takes_it() {
    let promotional = ("topic", "\"offers\"");
    let letter = [promotional, ("channels", "[\"sms\"]"), ("schedule", "\"every day at 3pm\"")];
    let treat = [promotional, ("channels", "[\"sms\"]"), ("offer", "\"cookie\""), ("once_per", "[\"customer\"]")];
    let offer = "description = \"A cookie\"\nvalue = 1\ncost = 1\neligible = ['customer.tier == \"silver\"']\n";
    let said = a_day(&[("letter", &letter), ("treat", &treat)], offer).await;
    is_told(&said, "letter ann", &["sent", "2026-11-03T15:00:00Z"]);
    is_told(&said, "treat ann", &["Capped", "2026-11-03T15:00:00Z"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn who_waits_for_budget_gets_what_another_did_not_use() {
    // Ann has the one that there is from the first pass on, and does not use it.
    let treat = [("topic", "\"offers\""), ("channels", "[\"sms\"]"), ("offer", "\"cookie\"")];
    let offer = "description = \"A cookie\"\nvalue = 1\ncost = 1\nbudget = { total = 1 }\nvalid_for = \"5h\"\n\
                 unused = \"return\"\ncode = { pattern = \"COOKIE-######\" }\n";
    let said = a_day(&[("treat", &treat)], offer).await;
    is_told(&said, "treat ben", &["sent", "2026-11-03T16:00:00Z"]);
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
