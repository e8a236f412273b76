//! A stop and a message race each other. Whoever is stopped before their message is marked gets none; what was marked
//! before may go. The daemon itself, with the machine's clock, on both databases.
//!
//! A negative control: with the count of stops frozen, the same race must find messages that went out all the same.

use super::lanes::{IN_HAND, crowd, start};
use super::relay::Relay;
use crate::harness::home::{Home, Settings};
use crate::harness::postgres::Database;
use crate::harness::{number, wait_for_number};
use crate::shop::{home, rule};
use plusone::clock::Clock;
use plusone::courtesy::consent::{Answer, SourceKind};
use plusone::courtesy::pauses::Scope;
use plusone::data::answers::{self, Said};
use plusone::data::suppress::{self, Wish};
use plusone::sql::{Dialect, Sql};
use plusone::store::db::Db;
use plusone::store::pauses;
use plusone::workspace::Workspace;
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use std::collections::BTreeSet;

const STOPS: usize = 60;
/// Before each stop the relay has taken so many messages more than before the last, and may be taking so many others
/// meanwhile: the daemon is at work and cannot be done before the stops are said.
const EACH: usize = 5;
const AHEAD: usize = 10;
const OPEN: &str = "select count(*) from touchpoints where state in ('planned', 'claimed', 'dispatching')";

/// What a race came to.
struct Race {
    /// Customers who said stop before their message was marked.
    stopped: BTreeSet<String>,
    /// Those of them who were written to.
    written_to: BTreeSet<String>,
    /// Their touchpoints: `state reason`, each once.
    ended: BTreeSet<String>,
}

/// A shop whose relay takes a few at a time, so that many messages are in hand and not yet marked.
fn slow_shop(relay: &Relay, rate: &str, database: Option<&Database>) -> Home {
    let more = format!("{}\n[guard]\nmax_share = \"100%\"\n", relay.section(&format!("rate = \"{rate}\"")));
    let mut settings = Settings { email: vec!["relay"], more, ..Settings::default() };
    if let Some(database) = database {
        settings.database.clone_from(&database.url);
    }
    let home = home(&settings);
    home.write("customers.csv", &crowd());
    home.write("config/rules/note.toml", &rule(&[]));
    home
}

/// Makes the count of stops stand still.
async fn freeze(db: &Db) {
    let sql = match db.dialect() {
        Dialect::Sqlite => "create trigger frozen before update on stops begin select raise(ignore); end",
        Dialect::Postgres => "create rule frozen as on update to stops do instead nothing",
    };
    let mut tx = db.begin().await.expect("a transaction");
    tx.script(sql).await.expect("a frozen count");
    tx.commit().await.expect("committed");
}

async fn texts(db: &Db, sql: &str) -> Vec<String> {
    let rows = db.fetch(Sql::new(sql)).await.expect("a good statement");
    rows.iter().map(|row| row.text(0).to_owned()).collect()
}

/// Says stop for `customer` in one of two ways; committed when it returns.
async fn say_stop(db: &Db, workspace: &Workspace, customer: &str, by_suppression: bool) {
    let settings = &workspace.project.settings;
    let now = Clock::System.now();
    let said = if by_suppression {
        let address = format!("{customer}@shop.test");
        let wish = Wish::of(&address, "unsubscribe", "the page");
        suppress::add(db, &settings.business, wish, now).await
    } else {
        let (answer, kind) = (Answer::No, SourceKind::PreferencePage);
        let said = Said { customer, topic: "reminders", channel: None, answer, at: now, source: "the page", kind };
        answers::set(db, settings, said, now).await
    };
    assert!(said.expect("it is written down"), "{customer} had said it before");
}

async fn race(database: Option<&Database>, seed: u64, with_control: bool) -> Race {
    let relay = Relay::start(&[]);
    relay.take_no_more_than(AHEAD);
    let home = slow_shop(&relay, "200/s", database);
    let workspace = crate::shop::Shop::open(&home, crate::shop::NOON).await.app.workspace;
    let (db, stop, working) = start(&home).await;
    if with_control {
        freeze(&db).await;
    }
    let mut random = StdRng::seed_from_u64(seed);
    let mut stopped = BTreeSet::new();
    for number in 0..STOPS {
        relay.take_no_more_than(EACH * number + AHEAD);
        let done = "select count(*) from touchpoints where state in ('sent', 'skipped')";
        wait_for_number(&db, done, |found| found >= (EACH * number) as i64).await;
        let claimed = texts(&db, "select customer from touchpoints where state = 'claimed' order by customer").await;
        if claimed.is_empty() {
            continue;
        }
        let customer = &claimed[random.random_range(0..claimed.len())];
        if stopped.contains(customer) {
            continue;
        }
        say_stop(&db, &workspace, customer, number % 2 == 0).await;
        let state = texts(&db, &format!("select state from touchpoints where customer = '{customer}'")).await;
        if state.iter().any(|state| state == "claimed" || state == "planned") {
            stopped.insert(customer.clone());
        }
    }
    relay.take_no_more_than(usize::MAX);
    wait_for_number(&db, OPEN, |found| found == 0).await;
    stop.now();
    working.await.expect("it ends");
    let ended = texts(&db, "select customer || ' ' || state || ' ' || coalesce(reason, '-') from touchpoints").await;
    let ended = ended.into_iter().filter_map(|line| {
        let (customer, ended) = line.split_once(' ').expect("a customer and more");
        stopped.contains(customer).then(|| ended.to_owned())
    });
    let ended = ended.collect();
    let went = relay.messages();
    let was_written_to = |customer: &&String| {
        let to = format!("To: {customer}@shop.test\r\n");
        went.iter().any(|message| message.contains(&to))
    };
    let written_to = stopped.iter().filter(was_written_to).cloned().collect();
    Race { stopped, written_to, ended }
}

fn holds(race: &Race) {
    assert!(race.stopped.len() >= 20, "only {} stops came in time", race.stopped.len());
    assert_eq!(race.written_to, BTreeSet::new());
    let expected = ["skipped no_consent", "skipped suppressed"].map(str::to_owned);
    assert_eq!(race.ended, BTreeSet::from(expected));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stop_that_is_committed_before_the_mark_is_heard_on_sqlite() {
    holds(&race(None, 11, false).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stop_that_is_committed_before_the_mark_is_heard_on_postgresql() {
    let Some(database) = Database::create() else { return };
    holds(&race(Some(&database), 12, false).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn without_the_count_of_stops_the_race_is_lost() {
    let lost = race(None, 13, true).await;
    assert_ne!(lost.written_to, BTreeSet::new(), "{} were stopped", lost.stopped.len());
    let Some(database) = Database::create() else { return };
    let lost = race(Some(&database), 14, true).await;
    assert_ne!(lost.written_to, BTreeSet::new(), "{} were stopped", lost.stopped.len());
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_marked_after_a_pause_of_all_is_committed() {
    for database in [None, Database::create()] {
        let relay = Relay::start(&[]);
        let home = slow_shop(&relay, "20/s", database.as_ref());
        let (db, stop, working) = start(&home).await;
        wait_for_number(&db, "select count(*) from touchpoints where state = 'sent'", |found| found >= 10).await;
        pauses::pause(&db, &Scope::All, None, Clock::System.now()).await.expect("paused");
        let begun = "select count(*) from touchpoints where attempts > 0";
        let before = number(&db, begun).await;
        wait_for_number(&db, IN_HAND, |found| found == 0).await;
        assert_eq!(number(&db, begun).await, before, "marked after the pause");
        let sent = number(&db, "select count(*) from touchpoints where state = 'sent'").await;
        assert_eq!(sent, before, "what was on the wire has finished");
        assert!(number(&db, "select count(*) from touchpoints where state = 'planned'").await > 200);
        stop.now();
        working.await.expect("it ends");
    }
}
