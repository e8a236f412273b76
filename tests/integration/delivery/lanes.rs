//! Lanes: nothing slow or large stands before a transactional message. The daemon itself, with the machine's clock.

use super::relay::Relay;
use crate::harness::home::{Home, Settings};
use crate::harness::{address, free_port, number, wait_for_number};
use crate::shop::{customers, home, rule};
use plusone::app::App;
use plusone::clock::Clock;
use plusone::courtesy::pauses::Scope;
use plusone::daemon::{Daemon, Stop};
use plusone::delivery::Tally;
use plusone::health::Health;
use plusone::metrics::Metrics;
use plusone::store::db::Db;
use plusone::store::pauses;
use std::sync::Arc;

pub(super) const IN_HAND: &str = "select count(*) from touchpoints where state in ('claimed', 'dispatching')";

/// Starts a daemon in this process.
pub(super) async fn start(home: &Home) -> (Db, Stop, tokio::task::JoinHandle<Tally>) {
    let app = App::open(home.path(), Clock::System).await.expect("a good home");
    let _lock = app.lock("the test").expect("nobody else has it");
    let lease = app.lease("the test", true).await.expect("the buckets");
    let (db, stop) = (app.db.clone(), Stop::default());
    let metrics = Metrics::start(app.ways_out());
    let daemon = Daemon::new(app, lease, stop.clone(), Health::default(), Arc::new(|_| {}));
    let runtime = tokio::runtime::Handle::current();
    let working = tokio::task::spawn_blocking(move || runtime.block_on(daemon.work(metrics)).expect("worked"));
    (db, stop, working)
}

pub(super) fn crowd() -> String {
    let rows: Vec<String> = (0..400).map(|n| format!("c{n},c{n}@shop.test,,,yes")).collect();
    customers(&rows.iter().map(String::as_str).collect::<Vec<_>>())
}

const PROMOTIONAL: [(&str, &str); 2] = [("topic", "\"offers\""), ("kind", "\"offer\"")];

#[tokio::test(flavor = "multi_thread")]
async fn a_slow_provider_with_a_crowd_before_it_holds_up_no_transactional_message() {
    let relay = Relay::start(&[]);
    let more = format!("{}\n[guard]\nmax_share = \"100%\"\n", relay.section("rate = \"1/m\""));
    let home = home(&Settings { email: vec!["relay"], more, ..Settings::default() });
    home.write("customers.csv", &crowd());
    home.write(
        "config/offers/cookie.toml",
        "description = \"A cookie\"\nvalue = 1\ncost = 1\nbudget = { total = 1000 }\n",
    );
    let keys = [PROMOTIONAL[0], PROMOTIONAL[1], ("offer", "[\"cookie\"]")];
    home.write("config/rules/treat.toml", &rule(&keys));
    let (db, stop, working) = start(&home).await;
    wait_for_number(&db, IN_HAND, |found| found >= 64).await;
    home.write("config/rules/note.toml", &rule(&[("channels", "[\"sms\"]"), ("when", "['customer.id == \"c7\"']")]));
    wait_for_number(&db, "select count(*) from touchpoints where channel = 'sms' and state = 'sent'", |found| {
        found >= 1
    })
    .await;
    stop.now();
    working.await.expect("it ends");
    assert_eq!(number(&db, IN_HAND).await, 0);
    let written = number(&db, "select count(*) from touchpoints where state = 'sent' and channel = 'email'").await;
    assert_eq!(usize::try_from(written).expect("a count"), relay.messages().len());
}

#[tokio::test(flavor = "multi_thread")]
async fn pause_all_stops_a_daemon_and_what_it_had_claimed_goes_back() {
    let relay = Relay::start(&[]);
    let more = format!("{}\n[guard]\nmax_share = \"100%\"\n", relay.section("rate = \"20/s\""));
    let home = home(&Settings { email: vec!["relay"], more, ..Settings::default() });
    home.write("customers.csv", &crowd());
    home.write("config/rules/note.toml", &rule(&[]));
    let (db, stop, working) = start(&home).await;
    wait_for_number(&db, "select count(*) from touchpoints where state = 'sent'", |found| found >= 5).await;
    pauses::pause(&db, &Scope::All, None, Clock::System.now()).await.expect("paused");
    let begun = number(&db, "select count(*) from touchpoints where attempts > 0").await;
    wait_for_number(&db, "select count(*) from touchpoint_events where detail like 'put back%'", |found| found >= 20)
        .await;
    wait_for_number(&db, IN_HAND, |found| found == 0).await;
    let sent = relay.messages().len();
    assert!(sent <= usize::try_from(begun).expect("a count"), "{sent} went out, {begun} had begun");
    pauses::resume(&db, &Scope::All, Clock::System.now()).await.expect("resumed");
    relay.wait_for(sent + 1);
    stop.now();
    working.await.expect("it ends");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_relay_that_is_down_is_left_for_the_next_provider() {
    let nobody = format!(
        "[providers.relay]\ntype = \"smtp\"\nurl = \"smtp://{}:{}?tls=none\"\nconnections = 1\n[guard]\nmax_share = \"100%\"\n",
        address(),
        free_port()
    );
    let home = home(&Settings { email: vec!["relay", "outbox"], more: nobody, ..Settings::default() });
    home.write("customers.csv", &crowd());
    home.write("config/rules/note.toml", &rule(&[]));
    let (db, stop, working) = start(&home).await;
    wait_for_number(&db, "select count(*) from touchpoints where state = 'sent' and provider = 'outbox'", |found| {
        found >= 380
    })
    .await;
    let burned = number(&db, "select count(*) from touchpoints where attempts > 0 and state <> 'sent'").await;
    assert!((5..=20).contains(&burned), "{burned}");
    stop.now();
    working.await.expect("it ends");
}
