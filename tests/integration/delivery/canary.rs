//! Rules that pause themselves, and `pause` as a switch that stops what has not begun.

use super::relay::{Relay, Reply};
use crate::harness::daemon::Daemon;
use crate::harness::faulty_sink::{Faults, FaultySink};
use crate::harness::home::{Home, Settings};
use crate::harness::wait_for;
use crate::shop::{NOON, Shop, customers, home, on_both, rule};
use std::time::Duration;

fn with_people(settings: &Settings, count: usize) -> Home {
    let home = home(settings);
    let rows: Vec<String> = (0..count).map(|n| format!("c{n},c{n}@shop.test,,,yes")).collect();
    home.write("customers.csv", &customers(&rows.iter().map(String::as_str).collect::<Vec<_>>()));
    home.write("config/rules/note.toml", &rule(&[("once_per", "\"day\"")]));
    home
}

/// Every third address does not exist.
fn a_third_is_refused() -> Relay {
    const GOOD: Reply = Reply::Line("250 2.0.0 Ok");
    const BAD: Reply = Reply::Line("550 5.1.1 No such user");
    Relay::start(&[GOOD, GOOD, BAD].repeat(100))
}

async fn tried(shop: &Shop) -> i64 {
    shop.number("select count(*) from touchpoints where attempts > 0").await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rule_that_meets_too_many_dead_addresses_pauses_itself_after_its_first_messages() {
    let relay = a_third_is_refused();
    let more = relay.section("");
    let home = with_people(&Settings { email: vec!["relay"], more, ..Settings::default() }, 150);
    let mut shop = Shop::open(&home, NOON).await;
    assert_eq!(shop.tick(NOON).await.counts.planned, 150);
    shop.send(NOON).await;
    let first = tried(&shop).await;
    assert!((20..=30).contains(&first), "{first}: twenty, the one that tells, and what was on the wire");
    assert_eq!(relay.messages().len() as i64, first);
    let status = home.plusone(&["status"]).ended_with(0).stdout;
    assert!(status.contains("note has paused itself: "), "{status}");
    assert!(status.contains("met addresses that do not exist; guard.max_bounce is 5%"), "{status}");
    let reason = home.plusone(&["status", "--json"]).ended_with(0).json()["pauses"][0]["reason"].clone();
    assert!(reason.as_str().is_some_and(|reason| reason.contains("messages within 7 days")), "{reason}");
    assert_eq!(shop.send(NOON).await["sent"], 0, "it stays paused");
    home.plusone(&["pause", "note", "--until", "+1d"]).ended_with(0);
    let until = home.plusone(&["status", "--json"]).ended_with(0).json()["pauses"][0]["paused_until"].clone();
    assert!(until.is_null(), "only `resume` ends it: {until}");
}

#[tokio::test(flavor = "multi_thread")]
async fn after_resume_the_count_starts_anew() {
    on_both("", async |home| {
        let rows: Vec<String> = (0..60).map(|n| format!("c{n},c{n}@shop.test,,,yes")).collect();
        home.write("customers.csv", &customers(&rows.iter().map(String::as_str).collect::<Vec<_>>()));
        home.write("config/rules/note.toml", &rule(&[("once_per", "\"day\"")]));
        let mut shop = Shop::open(&home, NOON).await;
        shop.tick(NOON).await;
        assert_eq!(shop.send(NOON).await["sent"], 60);
        // As receipts will write it: three bounced, one complained.
        shop.execute("update touchpoints set state = 'bounced' where customer in ('c1', 'c2', 'c3')").await;
        let planned = shop.pass("2026-11-04T12:00:00Z").await;
        assert_eq!(planned.runs[0].counts.planned, 60, "three of sixty are five in a hundred, which is the limit");
        shop.execute(
            "insert into touchpoint_events (bucket, touchpoint, n, at, kind, detail) \
             select bucket, id, 99, updated_at, 'complained', null from touchpoints where customer = 'c4' and sent_at > 0",
        )
        .await;
        let planned = shop.pass("2026-11-05T12:00:00Z").await;
        let skipped: u64 = planned.runs[0].counts.skipped.values().sum();
        assert_eq!((planned.runs[0].counts.planned, skipped), (0, 60));
        let sql = "select count(*) from pauses where reason = \
                   '1 of 60 messages within 7 days were complained about; guard.max_complaint is 0.3%'";
        assert_eq!(shop.number(sql).await, 1);
        let scope = "rule:note".parse().expect("a scope");
        shop.set("2026-11-05T12:30:00Z");
        assert!(plusone::store::pauses::resume(&shop.app.db, &scope, shop.app.clock.now()).await.expect("resumed"));
        let planned = shop.pass("2026-11-06T12:00:00Z").await;
        assert_eq!(planned.runs[0].counts.planned, 60, "what was before does not count");
        shop.pass("2026-11-13T12:00:00Z").await;
        assert_eq!(shop.number("select count(*) from pauses").await, 0);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rule_of_good_addresses_goes_on_whatever_the_provider_says_of_some_messages() {
    let relay = Relay::start(&[Reply::Line("550 5.7.1 Not today"), Reply::Line("250 2.0.0 Ok")].repeat(100));
    let more = relay.section("");
    let home = with_people(&Settings { email: vec!["relay"], more, ..Settings::default() }, 100);
    let mut shop = Shop::open(&home, NOON).await;
    shop.tick(NOON).await;
    let sent = shop.send(NOON).await;
    assert_eq!((&sent["sent"], &sent["failed"]), (&50.into(), &50.into()), "a policy is no dead address");
    assert_eq!(shop.number("select count(*) from pauses").await, 0);
}

#[test]
fn pause_all_stops_a_daemon_at_full_rate_and_what_is_on_the_wire_finishes() {
    let sink = FaultySink::start(Faults::default());
    let more =
        format!("[providers.relay]\ntype = \"smtp\"\nurl = \"{}\"\nconnections = 2\nrate = \"40/s\"\n", sink.url());
    let home = with_people(&Settings { email: vec!["relay"], more, ..Settings::default() }, 190);
    home.write("config/rules/note.toml", &rule(&[("schedule", "\"every minute\"")]));
    let mut daemon = Daemon::start(&home);
    daemon.wait_until_ready();
    assert!(sink.wait_for(20, Duration::from_secs(60)), "{}", daemon.said());
    home.plusone(&["pause", "all"]).ended_with(0);
    let at_pause = sink.accepted().len();
    let on_their_way = || home.plusone(&["status", "--json"]).ended_with(0).json()["on_their_way"].clone();
    wait_for("nothing on its way", Duration::from_secs(30), || (on_their_way() == 0).then_some(()));
    let stopped = sink.accepted().len();
    assert!(stopped < 190, "it was to be paused in the middle");
    assert!(
        stopped <= at_pause + 40 + 8 + 40,
        "{at_pause} at the pause, {stopped} after: a second and what was on the wire"
    );
    let log = home.plusone(&["log", "--json", "--limit", "1000"]).ended_with(0).json_lines();
    let count = |state: &str| log.iter().filter(|touchpoint| touchpoint["state"] == state).count();
    assert_eq!((count("sent"), count("planned"), count("in_doubt")), (stopped, 190 - stopped, 0));
    home.plusone(&["resume", "all"]).ended_with(0);
    assert!(sink.wait_for(190, Duration::from_secs(60)), "{}", daemon.said());
    assert_eq!(sink.accepted().len(), 190);
}
