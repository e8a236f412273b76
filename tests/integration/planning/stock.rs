//! Rules that come, go, change their name, are drafts, are held, and runs that a crash left half done.

use crate::harness::home::{Home, Settings};
use crate::shop::{NOON, Shop, at, customers, home, on_both, rule};
use plusone::app::{App, AppError};
use plusone::clock::Clock;
use plusone::outreach::tick::History;
use plusone::store::db::StoreError;
use plusone::store::runs::{self, Cause, Part};
use plusone::store::{leases, offers, settle};
use plusone::touchpoints::Reason;

const TWO: [&str; 2] = ["ann,ann@shop.test,Ann,gold,yes", "bob,bob@shop.test,Bob,,yes"];

const COOKIE: &str = "description = \"A cookie\"\nvalue = 2.50\ncost = 1.00\nbudget = { total = 100 }\n";

fn remove(home: &Home, path: &str) {
    std::fs::remove_file(home.path().join(path)).expect("a file");
}

async fn with_two(more: &str, keys: &[(&str, &str)], test: impl AsyncFn(Shop, &Home)) {
    on_both(more, async |home| {
        home.write("customers.csv", &customers(&TWO));
        home.write("config/offers/cookie.toml", COOKIE);
        home.write("config/rules/note.toml", &rule(keys));
        test(Shop::open(&home, NOON).await, &home).await;
    })
    .await;
}

/// What a planner leaves that is killed right after it has inserted its run.
async fn begin(shop: &Shop, name: &str, instant: &str) {
    let version = shop.app.workspace.project.rules[name].version.clone();
    let parts = [Part { number: 0, from: 0, until: 127 }, Part { number: 1, from: 128, until: 255 }];
    runs::open(&shop.app.db, name, &version, at(instant), Cause::Schedule, &parts, at(instant)).await.expect("a run");
}

#[tokio::test(flavor = "multi_thread")]
async fn who_matches_already_is_skipped_even_when_the_first_run_was_cut_short() {
    with_two("", &[("existing", "\"skip\"")], async |mut shop, home| {
        shop.app.plan(&shop.lease, at("2026-11-03T11:59:00Z"), Some("nobody")).await.expect("stock is taken");
        begin(&shop, "note", NOON).await;
        let run = shop.tick("2026-11-03T12:00:10Z").await;
        assert_eq!(run.counts.skipped[&Reason::BeforeStart], 2, "{run:?}");
        home.write("customers.csv", &customers(&[TWO[0], TWO[1], "cid,cid@shop.test,,,"]));
        shop.tick("2026-11-03T13:00:00Z").await;
        let expected = ["ann - skipped before_start", "bob - skipped before_start", "cid - planned -"];
        assert_eq!(shop.log().await, expected);
        assert!(History::load(&shop.app.db).await.expect("runs").newest_tick().is_some());
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_cut_short_is_planned_to_its_end_once() {
    with_two("", &[], async |mut shop, _| {
        shop.app.plan(&shop.lease, at("2026-11-03T11:59:00Z"), Some("nobody")).await.expect("stock is taken");
        begin(&shop, "note", NOON).await;
        assert_eq!(shop.send("2026-11-03T12:00:05Z").await["sent"], 0);
        let run = shop.tick("2026-11-03T12:00:10Z").await;
        assert_eq!((run.state.as_str(), run.counts.planned, run.instant), ("released", 2, at(NOON)));
        assert!(shop.pass("2026-11-03T12:00:20Z").await.runs.is_empty());
        assert_eq!(shop.send("2026-11-03T12:00:30Z").await["sent"], 2);
        assert_eq!(shop.number("select count(*) from touchpoint_events where kind = 'planned'").await, 2);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_of_a_run_goes_out_before_all_of_it_is_planned() {
    with_two("", &[], async |mut shop, _| {
        shop.tick(NOON).await;
        shop.execute("update runs set state = 'planning'").await;
        assert_eq!(shop.send("2026-11-03T12:01:00Z").await["sent"], 0);
        shop.execute("update runs set state = 'released'").await;
        assert_eq!(shop.send("2026-11-03T12:02:00Z").await["sent"], 2);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_draft_sends_nothing_whoever_asks() {
    with_two("", &[("live", "false")], async |mut shop, home| {
        assert!(shop.pass(NOON).await.runs.is_empty());
        let asked = shop.app.plan(&shop.lease, at(NOON), Some("note")).await.expect("a pass");
        assert!(asked.runs.is_empty());
        home.write("config/rules/note.toml", &rule(&[]));
        shop.reload().await;
        assert_eq!(shop.tick("2026-11-03T12:30:00Z").await.counts.planned, 2, "just live: due at once");
        home.write("config/rules/note.toml", &rule(&[("live", "false")]));
        shop.reload().await;
        shop.pass("2026-11-03T12:31:00Z").await;
        assert_eq!(shop.send("2026-11-03T12:32:00Z").await["skipped"], 2);
        home.write("config/rules/note.toml", &rule(&[]));
        shop.reload().await;
        shop.pass("2026-11-03T12:40:00Z").await;
        shop.pass("2026-11-03T13:00:00Z").await;
        assert_eq!(shop.send("2026-11-03T13:01:00Z").await["sent"], 2);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rule_is_live_within_its_window_only() {
    with_two(
        "",
        &[("live", "{ from = 2026-11-04, until = 2026-11-04 }"), ("once_per", "\"day\""), ("expires_after", "\"2d\"")],
        async |mut shop, _| {
            assert!(shop.pass(NOON).await.runs.is_empty());
            assert_eq!(shop.tick("2026-11-04T00:00:00Z").await.counts.planned, 2);
            assert!(shop.pass("2026-11-05T00:00:00Z").await.runs.is_empty());
            assert_eq!(shop.send("2026-11-05T00:00:01Z").await["skipped"], 2, "the window has closed");
        },
    )
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_deleted_rule_had_planned_is_cancelled_and_its_offers_freed() {
    let keys = [("kind", "\"offer\""), ("topic", "\"offers\""), ("offer", "[\"cookie\"]")];
    with_two("[guard]\nmax_recipients = 1\n", &keys, async |mut shop, home| {
        assert_eq!(shop.tick(NOON).await.counts.held, 2);
        assert_eq!(shop.taken("cookie").await, 20_000);
        remove(home, "config/rules/note.toml");
        shop.reload().await;
        shop.pass("2026-11-03T12:10:00Z").await;
        assert_eq!(shop.log().await, ["ann - cancelled guard", "bob - cancelled guard"]);
        assert_eq!(shop.taken("cookie").await, 0);
        assert_eq!(shop.number("select count(*) from runs where state = 'held'").await, 0);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_guard_holds_a_whole_run_until_somebody_approves_or_cancels() {
    let keys = [("kind", "\"offer\""), ("topic", "\"offers\""), ("offer", "[\"cookie\"]"), ("once_per", "\"day\"")];
    with_two("[guard]\nmax_recipients = 1\n", &keys, async |mut shop, _| {
        let run = shop.tick(NOON).await;
        assert_eq!((run.state.as_str(), run.counts.held, run.counts.planned), ("held", 2, 0));
        assert_eq!(run.reason.as_deref(), Some("would reach 2 customers; guard.max_recipients is 1"));
        assert_eq!(shop.send("2026-11-03T12:10:00Z").await["sent"], 0);
        let held = settle::run(&shop.app.db, &run.id[..8]).await.expect("a run");
        let mut tx = shop.app.db.begin().await.expect("a transaction");
        settle::approve(&mut tx, &held, "the test", at("2026-11-03T12:20:00Z")).await.expect("approved");
        tx.commit().await.expect("committed");
        assert_eq!(shop.send("2026-11-03T12:30:00Z").await["sent"], 2);
        assert_eq!(shop.number("select count(*) from offer_grants where state = 'spent'").await, 2);
        let run = shop.tick("2026-11-04T12:00:00Z").await;
        let held = settle::run(&shop.app.db, &run.id).await.expect("a run");
        let mut tx = shop.app.db.begin().await.expect("a transaction");
        let changed =
            settle::cancel_run(&mut tx, &held, "the test", at("2026-11-04T12:20:00Z")).await.expect("cancelled");
        tx.commit().await.expect("committed");
        assert_eq!((changed.touchpoints, changed.freed), (2, 2));
        assert_eq!(offers::put_back(&shop.app.db).await.expect("put back"), 2);
        assert_eq!(shop.taken("cookie").await, 20_000);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_renamed_rule_brings_its_history_along() {
    with_two("", &[], async |mut shop, home| {
        shop.tick(NOON).await;
        shop.send("2026-11-03T12:01:00Z").await;
        remove(home, "config/rules/note.toml");
        home.write("config/rules/news.toml", &rule(&[("was", "\"note\"")]));
        shop.reload().await;
        let planned = shop.pass("2026-11-03T13:00:00Z").await;
        assert_eq!(planned.told, ["rule news has taken over the history of note"]);
        assert_eq!(planned.runs[0].counts.already_touched, 2);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_copy_of_a_rule_that_is_gone_waits_until_it_says_so_or_is_approved() {
    with_two("", &[], async |mut shop, home| {
        shop.tick(NOON).await;
        shop.send("2026-11-03T12:01:00Z").await;
        remove(home, "config/rules/note.toml");
        home.write("config/rules/news.toml", &rule(&[]));
        shop.reload().await;
        let run = shop.tick("2026-11-03T13:00:00Z").await;
        assert_eq!((run.state.as_str(), run.counts.held), ("held", 2), "{run:?}");
        home.write("config/rules/news.toml", &rule(&[("was", "\"note\"")]));
        shop.reload().await;
        let run = shop.tick("2026-11-03T14:00:00Z").await;
        assert_eq!((run.counts.already_touched, run.counts.held), (2, 0), "{run:?}");
        assert_eq!(shop.log().await, ["ann - sent -", "bob - sent -"]);
    })
    .await;
    with_two("", &[("once_per", "\"day\"")], async |mut shop, home| {
        shop.tick(NOON).await;
        remove(home, "config/rules/note.toml");
        home.write("config/rules/news.toml", &rule(&[("once_per", "\"day\"")]));
        shop.reload().await;
        let run = shop.tick("2026-11-03T13:00:00Z").await;
        let held = settle::run(&shop.app.db, &run.id).await.expect("a run");
        let mut tx = shop.app.db.begin().await.expect("a transaction");
        settle::approve(&mut tx, &held, "the test", at("2026-11-03T13:20:00Z")).await.expect("approved");
        tx.commit().await.expect("committed");
        assert_eq!(shop.tick("2026-11-04T13:00:00Z").await.counts.planned, 2, "approved once, it goes by its size");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn missed_ticks_are_caught_up_with_as_the_rule_says() {
    for (catch_up, expected) in [("none", 0), ("latest", 1), ("all", 3)] {
        let keys = [("schedule", "\"every day at 9:00, 10:00 and 11:00\""), ("catch_up", catch_up)];
        let catch_up = format!("\"{catch_up}\"");
        let keys = [keys[0], ("catch_up", catch_up.as_str()), ("once_per", "\"day\"")];
        with_two("", &keys, async |mut shop, _| {
            shop.pass("2026-11-03T08:00:00Z").await;
            assert_eq!(shop.pass(NOON).await.runs.len(), expected, "{catch_up}");
            assert!(shop.pass("2026-11-03T12:01:00Z").await.runs.is_empty());
        })
        .await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_scheduled_for_a_time_of_day_waits_for_it() {
    with_two("", &[("schedule", "\"every day at 9:00\"")], async |mut shop, _| {
        assert!(shop.pass("2026-11-03T14:00:00Z").await.runs.is_empty(), "saved at two, it does not go out at two");
        assert_eq!(shop.tick("2026-11-04T09:00:01Z").await.instant, at("2026-11-04T09:00:00Z"));
    })
    .await;
    with_two("", &[("schedule", "\"2026-11-03 13:00\"")], async |mut shop, _| {
        assert!(shop.pass(NOON).await.runs.is_empty());
        assert_eq!(shop.tick("2026-11-03T13:00:00Z").await.counts.planned, 2);
        assert!(shop.pass("2026-11-03T14:00:00Z").await.runs.is_empty(), "one instant is one run");
    })
    .await;
    with_two("", &[("schedule", "\"manual\"")], async |mut shop, _| {
        assert!(shop.pass(NOON).await.runs.is_empty());
        let asked = shop.app.plan(&shop.lease, at("2026-11-03T12:10:00Z"), Some("note")).await.expect("a pass");
        assert_eq!(asked.runs[0].counts.planned, 2);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_daemon_that_has_lost_its_buckets_writes_nothing() {
    with_two("", &[], async |mut shop, home| {
        shop.tick(NOON).await;
        let other = App::open(home.path(), Clock::manual(at("2026-11-03T12:05:00Z"))).await.expect("another");
        let taken = other.lease("the other", true).await.expect("taken by force");
        assert!(taken.epoch > shop.lease.epoch);
        assert_eq!(shop.send("2026-11-03T13:00:00Z").await["sent"], 0);
        let planned = shop.app.plan(&shop.lease, at("2026-11-03T13:00:00Z"), None).await;
        assert!(matches!(planned, Err(AppError::Store(StoreError::LostLease))), "{planned:?}");
        assert_eq!(shop.log().await, ["ann - planned -", "bob - planned -"]);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_daemon_waits_on_postgres_until_the_lease_ends_and_plans_no_tick_twice() {
    let Some(database) = crate::harness::postgres::Database::create() else { return };
    let home = home(&Settings { database: database.url.clone(), ..Settings::default() });
    home.write("customers.csv", &customers(&TWO));
    home.write("config/rules/note.toml", &rule(&[]));
    let mut first = Shop::open(&home, NOON).await;
    first.tick(NOON).await;
    let second = App::open(home.path(), Clock::manual(at("2026-11-03T12:00:29Z"))).await.expect("another");
    match second.lease("the second", false).await {
        Err(AppError::Held { owner, .. }) => assert_eq!(owner, "the test"),
        other => panic!("{other:?}"),
    }
    let later = at("2026-11-03T12:00:31Z");
    let second = App { clock: Clock::manual(later), ..second };
    let lease = second.lease("the second", false).await.expect("the first one's lease has ended");
    let planned = second.plan(&lease, later, None).await.expect("a pass");
    assert!(planned.runs.is_empty(), "the tick was run");
    assert_eq!(first.number("select count(*) from touchpoints").await, 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn two_planners_on_one_postgres_never_run_one_tick_twice() {
    let Some(database) = crate::harness::postgres::Database::create() else { return };
    let home = home(&Settings { database: database.url.clone(), ..Settings::default() });
    let rows: Vec<String> = (0..300).map(|n| format!("c{n},c{n}@shop.test,,,no")).collect();
    home.write("customers.csv", &customers(&rows.iter().map(String::as_str).collect::<Vec<_>>()));
    home.write("config/rules/note.toml", &rule(&[("topic", "\"offers\"")]));
    let shop = Shop::open(&home, NOON).await;
    shop.app.plan(&shop.lease, at("2026-11-03T11:59:00Z"), Some("nobody")).await.expect("data is read");
    let other = App::open(home.path(), Clock::manual(at(NOON))).await.expect("another");
    let (one, two) = tokio::join!(shop.app.plan(&shop.lease, at(NOON), None), other.plan(&shop.lease, at(NOON), None),);
    assert!(one.is_ok() || two.is_ok());
    assert_eq!(shop.number("select count(*) from touchpoints").await, 300);
    assert_eq!(shop.number("select count(*) from touchpoint_events").await, 300);
    assert_eq!(shop.number("select count(*) from runs where state = 'released' and parts_done = parts").await, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn on_sqlite_a_second_daemon_is_refused_and_told_of_the_first() {
    let home = home(&Settings::default());
    let first = App::open(home.path(), Clock::manual(at(NOON))).await.expect("the first");
    let _held = first.lock("the first daemon").expect("nobody else has it");
    let refused = first.lock("the second daemon").expect_err("the first one has it");
    assert!(refused.to_string().contains("the first daemon"), "{refused}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_goes_wrong_with_one_rule_keeps_no_other_from_being_planned() {
    with_two("", &[("priority", "1")], async |mut shop, home| {
        let keys = [("for_each", "\"cart\""), ("when", "['cart.status == \"open\"']"), ("priority", "99")];
        home.write("config/rules/cart.toml", &rule(&keys));
        shop.reload().await;
        shop.app.plan(&shop.lease, at("2026-11-03T11:59:00Z"), Some("nobody")).await.expect("data is read");
        shop.execute("drop table d_cart").await;
        let planned = shop.app.plan(&shop.lease, at(NOON), None).await;
        assert!(matches!(planned, Err(AppError::Store(StoreError::Statement { .. }))), "{planned:?}");
        assert_eq!(shop.log().await, ["ann - planned -", "bob - planned -"]);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn on_postgres_a_lease_is_renewed_while_its_daemon_writes_and_taken_over_only_after() {
    let Some(database) = crate::harness::postgres::Database::create() else { return };
    let home = home(&Settings { database: database.url.clone(), ..Settings::default() });
    let shop = Shop::open(&home, NOON).await;
    let db = &shop.app.db;
    let mut writing = db.begin().await.expect("a transaction");
    assert!(leases::lock(&mut writing, &shop.lease, 0, 255).await.expect("locked"));
    assert!(leases::renew(db, &shop.lease, at("2026-11-03T12:00:40Z")).await.expect("not held up"));
    let (late, until) = (at("2026-11-03T13:00:00Z"), at("2026-11-03T13:00:30Z"));
    let mut taking = Box::pin(leases::acquire(db, "the second", late, until, false));
    let is_waiting = async {
        let sql = "select count(*) from pg_locks where not granted";
        while shop.number(sql).await == 0 {
            tokio::task::yield_now().await;
        }
    };
    tokio::select! {
        taken = &mut taking => panic!("taken over in the middle of a transaction: {taken:?}"),
        () = is_waiting => {}
    }
    writing.commit().await.expect("committed");
    assert!(taking.await.expect("taken").is_some());
    assert!(!leases::renew(db, &shop.lease, until).await.expect("asked"), "it has been taken over");
    let mut tx = db.begin().await.expect("a transaction");
    assert!(!leases::lock(&mut tx, &shop.lease, 0, 255).await.expect("asked"));
}

#[tokio::test(flavor = "multi_thread")]
async fn once_refuses_to_run_a_draft_and_keeps_its_answer_apart_from_what_it_says() {
    let home = home(&Settings::default());
    home.write("customers.csv", &customers(&TWO));
    home.write("config/rules/note.toml", &rule(&[("live", "false")]));
    let ran = home.plusone(&["once", "--rule", "note"]).ended_with(2);
    assert!(ran.stderr.contains("it is a draft: `live = true`"), "{}", ran.stderr);
    home.write("config/rules/note.toml", &rule(&[]));
    let ran = home.plusone(&["once", "--json", "--at", "2026-11-03 12:00"]).ended_with(0);
    assert_eq!(ran.json()["delivery"]["sent"], 2);
}
