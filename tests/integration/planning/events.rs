//! Rules that wait for an event: each event is taken up once, by the same gates, on both databases.

use crate::harness::daemon::Daemon;
use crate::harness::home::{Home, Settings};
use crate::harness::postgres::Database;
use crate::harness::wait_for;
use crate::shop::{NOON, Shop, WAY_OUT, customers, on_both, rule};
use plusone::catalogue::Absent;
use plusone::data::import::{Import, import};
use plusone::progress::Progress;
use plusone::store::events;
use plusone::store::runs::Cause;
use plusone::touchpoints::Reason;
use std::time::Duration;

const THREE: [&str; 3] = ["a,a@shop.test,Ann,gold,yes", "b,b@shop.test,,,yes", "c,,,,no"];
const HEAD: &str = "id,customer_id,name,at,total\n";

/// A rule that thanks for an order.
fn thanks(keys: &[(&str, &str)]) -> String {
    let usual = [("schedule", ""), ("on_event", "\"Order Completed\""), ("when", "['event.total >= 20']")];
    let usual: Vec<_> = usual.into_iter().filter(|(name, _)| keys.iter().all(|(key, _)| key != name)).collect();
    rule(&[&usual[..], keys].concat()).replace("schedule = \n", "")
}

fn write(home: &Home, keys: &[(&str, &str)]) {
    home.write("config/rules/thanks.toml", &thanks(keys));
    home.write("customers.csv", &customers(&THREE));
    let data = home.read("config/data.toml");
    home.write("config/data.toml", &format!("{data}[event.\"Order Completed\".fields]\ntotal = \"money\"\n"));
    home.write("templates/note/email.txt.hbs", &format!("{{{{default event.name \"?\"}}}} {WAY_OUT}"));
}

impl Shop {
    /// Brings events in, as `plusone import event` does, at the shop's time.
    async fn tracked(&self, home: &Home, rows: &str) -> u64 {
        home.write("events.csv", &format!("{HEAD}{rows}"));
        let project = &self.app.workspace.project;
        let job = Import {
            catalogue: &project.catalogue,
            business: &project.settings.business,
            entity: "event",
            path: &home.path().join("events.csv"),
            now: self.app.clock.now(),
            absent: Absent::Keep,
            confirmed: false,
            dry_run: false,
            progress: Progress::default(),
        };
        import(&self.app.db, &job).await.expect("imported").created
    }

    async fn inbox(&self) -> i64 {
        self.number("select count(*) from event_inbox").await
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn each_event_is_taken_up_once_by_the_same_gates() {
    on_both("", async |home| {
        write(&home, &[]);
        let mut shop = Shop::open(&home, NOON).await;
        let first = shop.tick(NOON).await;
        assert_eq!((first.counts.matched(), first.cause.as_str()), (0, "event"), "nothing was there before");
        assert!(shop.pass("2026-11-03T12:00:01Z").await.runs.is_empty(), "no event, no run");
        shop.tracked(
            &home,
            "e1,a,Order Completed,2026-11-03T12:00:01Z,30\ne2,b,Order Completed,2026-11-03T12:00:01Z,5\n\
             e3,c,Order Completed,2026-11-03T12:00:01Z,40\ne4,a,Cart Updated,2026-11-03T12:00:01Z,99\n\
             e5,nobody,Order Completed,2026-11-03T12:00:01Z,50\n",
        )
        .await;
        assert_eq!(shop.inbox().await, 4, "what no rule waits for is not noted");
        let run = shop.tick("2026-11-03T12:00:02Z").await;
        assert_eq!((run.counts.planned, run.counts.skipped[&Reason::NoAddress], run.counts.matched()), (1, 1, 2));
        assert_eq!(shop.log().await, ["a e1 planned -", "c e3 skipped no_address"]);
        assert_eq!(shop.inbox().await, 0, "what was taken up is forgotten");
        assert!(shop.pass("2026-11-03T12:00:03Z").await.runs.is_empty());
        let row = "e1,a,Order Completed,2026-11-03T12:00:01Z,30\n";
        assert_eq!(shop.tracked(&home, row).await, 0, "told again it is no news");
        shop.tracked(&home, &format!("{row}e6,a,Order Completed,2026-11-03T12:00:04Z,21\n")).await;
        let run = shop.tick("2026-11-03T12:00:05Z").await;
        assert_eq!((run.counts.planned, run.counts.matched()), (1, 1), "a second order is a second occasion");
        assert_eq!(shop.send("2026-11-03T12:00:06Z").await["sent"], 2);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_there_before_follows_existing_and_what_is_old_expires() {
    let before = "e1,a,Order Completed,2026-11-03T11:00:00Z,30\ne2,b,Order Completed,2026-10-01T11:00:00Z,30\n";
    let late = "e3,a,Order Completed,2026-11-02T11:00:00Z,30\ne4,b,Order Completed,2026-11-02T13:00:00Z,30\n";
    for (existing, expected) in [("\"include\"", "planned -"), ("\"skip\"", "skipped before_start")] {
        on_both("", async |home| {
            write(&home, &[("existing", existing), ("live", "false")]);
            let mut shop = Shop::open(&home, NOON).await;
            assert!(shop.pass(NOON).await.runs.is_empty(), "a draft waits for nothing");
            shop.tracked(&home, before).await;
            assert_eq!(shop.inbox().await, 0);
            home.write("config/rules/thanks.toml", &thanks(&[("existing", existing)]));
            shop.reload().await;
            let run = shop.tick("2026-11-03T12:00:01Z").await;
            assert_eq!(run.counts.matched(), 1, "as far back as a message may go");
            assert_eq!(shop.log().await, [format!("a e1 {expected}")]);
            shop.tracked(&home, late).await;
            let run = shop.tick("2026-11-03T12:00:02Z").await;
            assert_eq!((run.counts.planned, run.counts.skipped[&Reason::Expired]), (1, 1));
            let expires = shop.number("select expires_at from touchpoints where occurrence = 'e4'").await;
            assert_eq!(expires, crate::shop::at("2026-11-03T13:00:00Z").micros(), "counted from the event");
            shop.send("2026-11-03T13:00:01Z").await;
            assert_eq!(
                shop.number("select count(*) from touchpoints where occurrence = 'e4' and state = 'expired'").await,
                1
            );
        })
        .await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_that_a_crash_left_behind_knows_its_events_and_the_next_knows_its_own() {
    on_both("", async |home| {
        write(&home, &[]);
        let mut shop = Shop::open(&home, NOON).await;
        shop.tick(NOON).await;
        shop.tracked(&home, "e1,a,Order Completed,2026-11-03T12:00:01Z,30\n").await;
        let pending = events::pending(&shop.app.db).await.expect("an answer").remove(0);
        let parts = plusone::outreach::run::parts(shop.app.db.dialect());
        let now = crate::shop::at("2026-11-03T12:00:02Z");
        let take_up = async || events::take_up(&shop.app.db, &pending, "v", &parts, now).await.expect("an answer");
        let opened = take_up().await.expect("a run");
        assert!(matches!(opened.cause, Cause::Event(_)));
        assert_eq!(take_up().await, None, "its events are taken");
        // The program ends here; more comes in before another one begins.
        shop.tracked(&home, "e2,b,Order Completed,2026-11-03T12:00:02Z,30\n").await;
        let planned = shop.pass("2026-11-03T12:00:02Z").await;
        assert_eq!(planned.runs.iter().map(|run| run.counts.planned).collect::<Vec<_>>(), [1, 1]);
        assert_eq!(planned.runs[0].id, opened.id);
        assert_eq!(shop.log().await, ["a e1 planned -", "b e2 planned -"]);
        assert_eq!(shop.inbox().await, 0);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_paused_rule_leaves_events_where_they_are_until_it_goes_on() {
    on_both("", async |home| {
        write(&home, &[]);
        let mut shop = Shop::open(&home, NOON).await;
        shop.tick(NOON).await;
        home.plusone(&["pause", "thanks"]).ended_with(0);
        shop.tracked(&home, "e1,a,Order Completed,2026-11-03T12:00:01Z,30\n").await;
        assert!(shop.pass("2026-11-03T12:00:02Z").await.runs.is_empty());
        assert_eq!((shop.inbox().await, shop.log().await.len()), (1, 0));
        home.plusone(&["resume", "thanks"]).ended_with(0);
        assert_eq!(shop.tick("2026-11-03T12:00:03Z").await.counts.planned, 1);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rule_about_something_else_looks_at_that_of_the_events_customers_alone() {
    on_both("", async |home| {
        write(&home, &[("for_each", "\"customer\""), ("when", "['customer.email_ok']"), ("once_per", "\"day\"")]);
        home.write("templates/note/email.txt.hbs", WAY_OUT);
        let mut shop = Shop::open(&home, NOON).await;
        shop.tick(NOON).await;
        shop.tracked(
            &home,
            "e1,a,Order Completed,2026-11-03T12:00:01Z,30\ne2,a,Order Completed,2026-11-03T12:00:01Z,3\n",
        )
        .await;
        let run = shop.tick("2026-11-03T12:00:02Z").await;
        assert_eq!((run.counts.planned, run.counts.matched()), (1, 1), "two events of one customer are one occasion");
        assert_eq!(shop.log().await, ["a 2026-11-03 planned -"]);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn firing_a_rule_that_waits_for_an_event_is_refused_with_the_way() {
    on_both("", async |home| {
        write(&home, &[]);
        let said = home.plusone(&["fire", "thanks"]).ended_with(2).stderr;
        assert!(
            said.contains("rule thanks waits for the event `Order Completed`") && said.contains("import event"),
            "{said}"
        );
        let told = home.plusone(&["check"]).ended_with(0).stdout;
        assert!(told.contains("when `Order Completed` comes in"), "{told}");
        home.write("config/rules/thanks.toml", &thanks(&[("on_event", "\"Order Complted\"")]));
        let told = home.plusone(&["check"]).ended_with(0).stdout;
        assert!(told.contains("no event `Order Complted` is declared") && told.contains("`Order Completed`"), "{told}");
        home.write("config/rules/thanks.toml", &format!("{}schedule = \"every hour\"\n", thanks(&[])));
        let told = home.plusone(&["check"]).ended_with(2).stdout;
        assert!(told.contains("a rule that waits for an event has no `schedule`"), "{told}");
    })
    .await;
}

#[test]
fn a_running_daemon_sends_what_an_import_beside_it_brings_in() {
    let database = Database::create();
    let settings = database.iter().map(|database| Settings { database: database.url.clone(), ..Settings::default() });
    for settings in [Settings::default()].into_iter().chain(settings) {
        let home = crate::shop::home(&settings);
        write(&home, &[("expires_after", "\"10w\"")]);
        let mut daemon = Daemon::start(&home);
        daemon.wait_until_ready();
        let now = plusone::clock::Clock::System.now();
        home.write("events.csv", &format!("{HEAD}e1,a,Order Completed,{now},30\ne2,b,Order Completed,{now},30\n"));
        home.plusone(&["import", "event", "events.csv"]).ended_with(0);
        let sent = wait_for("both messages", Duration::from_secs(60), || {
            let log =
                home.plusone(&["log", "--rule", "thanks", "--state", "sent", "--json"]).ended_with(0).json_lines();
            (log.len() == 2).then_some(log)
        });
        assert!(sent.iter().all(|one| one["entity"]["kind"] == "event"), "{sent:?}");
        let (status, said) = daemon.terminate();
        assert!(status.success(), "{said}");
    }
}
