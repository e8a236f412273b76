//! Runs beyond their usual size, and clauses that leave nobody out: held as a whole, and let go.

use crate::shop::{Shop, customers, on_both, rule};
use plusone::store::runs::Run;
use plusone::store::settle;

/// So many customers, of whom the first `in_tier` have the tier `a`. All have agreed to offers.
fn people(count: usize, in_tier: usize) -> String {
    let row = |n: usize| format!("c{n},c{n}@shop.test,,{},yes", if n < in_tier { "a" } else { "b" });
    let rows: Vec<String> = (0..count).map(row).collect();
    customers(&rows.iter().map(String::as_str).collect::<Vec<_>>())
}

async fn approve(shop: &Shop, run: &Run) {
    let held = settle::run(&shop.app.db, &run.id).await.expect("a run");
    let mut tx = shop.app.db.begin().await.expect("a transaction");
    settle::approve(&mut tx, &held, "the test", shop.app.clock.now()).await.expect("approved");
    tx.commit().await.expect("committed");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_far_beyond_the_rules_usual_size_waits() {
    on_both("", async |home| {
        home.write("customers.csv", &people(150, 20));
        let keys =
            [("when", "['customer.tier == \"a\"']"), ("once_per", "\"day\""), ("schedule", "\"every day at 12:00\"")];
        home.write("config/rules/note.toml", &rule(&keys));
        let mut shop = Shop::open(&home, "2026-11-01T11:00:00Z").await;
        shop.pass("2026-11-01T11:00:00Z").await;
        for day in 1..=3 {
            assert_eq!(shop.tick(&format!("2026-11-0{day}T12:00:00Z")).await.counts.planned, 20);
        }
        home.write("customers.csv", &people(150, 60));
        assert_eq!(shop.tick("2026-11-04T12:00:00Z").await.state, "released", "three times is still usual");
        home.write("customers.csv", &people(150, 61));
        let run = shop.tick("2026-11-05T12:00:00Z").await;
        assert_eq!((run.state.as_str(), run.counts.held), ("held", 61));
        let reason = "would reach 61 customers; its last 4 runs reached 20 in the median";
        assert_eq!(run.reason.as_deref(), Some(reason));
        assert_eq!(shop.send("2026-11-05T12:01:00Z").await["sent"], 0);
        approve(&shop, &run).await;
        let run = shop.tick("2026-11-06T12:00:00Z").await;
        assert_eq!(run.reason.as_deref(), Some("would reach 61 customers; its last 5 runs reached 20 in the median"));
        approve(&shop, &run).await;
        assert_eq!(
            shop.tick("2026-11-07T12:00:00Z").await.state,
            "released",
            "the approved ones count: 40 is the middle"
        );
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_clause_that_cannot_be_false_holds_the_run_until_it_was_approved_once() {
    on_both("", async |home| {
        home.write("customers.csv", &people(200, 0));
        let keys = [("when", "['customer.tier != \"a\" || customer.tier != \"b\"']"), ("once_per", "\"day\"")];
        home.write("config/rules/note.toml", &rule(&keys));
        let mut shop = Shop::open(&home, "2026-11-03T12:00:00Z").await;
        let run = shop.tick("2026-11-03T12:00:00Z").await;
        assert_eq!((run.state.as_str(), run.counts.held), ("held", 200));
        let reason =
            "the clause `customer.tier != \"a\" || customer.tier != \"b\"` cannot be false, so it leaves nobody out";
        assert_eq!(run.reason.as_deref(), Some(reason));
        let status = home.plusone(&["status"]).ended_with(0);
        assert!(status.stdout.contains("a run of note with 200 messages waits: `plusone approve"), "{}", status.stdout);
        approve(&shop, &run).await;
        assert_eq!(shop.send("2026-11-03T12:01:00Z").await["sent"], 200);
        let run = shop.tick("2026-11-04T12:00:00Z").await;
        assert_eq!((run.state.as_str(), run.counts.planned), ("released", 200), "nobody is asked twice");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_promotional_clause_that_is_true_of_everybody_today_holds_the_run() {
    let keys = [("when", "['has(customer.email)']"), ("topic", "\"offers\""), ("once_per", "\"day\"")];
    on_both("", async |home| {
        home.write("customers.csv", &people(200, 0));
        home.write("config/rules/note.toml", &rule(&keys));
        let mut shop = Shop::open(&home, "2026-11-03T12:00:00Z").await;
        let run = shop.tick("2026-11-03T12:00:00Z").await;
        let reason = "the clause `has(customer.email)` is true of every customer, so it leaves nobody out";
        assert_eq!((run.counts.held, run.reason.as_deref()), (200, Some(reason)));
        home.write("customers.csv", &format!("{}cx,,,,yes,+447911129999,2026-11-03\n", people(200, 0)));
        let run = shop.tick("2026-11-04T12:00:00Z").await;
        assert_eq!((run.counts.planned, run.reason), (200, None), "it leaves out one");
    })
    .await;
    // A notice to all is nothing unusual, and neither is what the settings allow.
    let notice = rule(&[keys[0], keys[2]]);
    for (more, file) in [("", notice), ("[guard]\nmax_share = \"100%\"\n", rule(&keys))] {
        on_both(more, async |home| {
            home.write("customers.csv", &people(200, 0));
            home.write("config/rules/note.toml", &file);
            let mut shop = Shop::open(&home, "2026-11-03T12:00:00Z").await;
            assert_eq!(shop.tick("2026-11-03T12:00:00Z").await.counts.planned, 200);
        })
        .await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_waits_is_cancelled_by_its_run_or_by_its_rule() {
    on_both("[guard]\nmax_recipients = 10\n", async |home| {
        home.write("customers.csv", &people(20, 0));
        home.write("config/rules/note.toml", &rule(&[("once_per", "\"day\"")]));
        let mut shop = Shop::open(&home, "2026-11-03T12:00:00Z").await;
        let run = shop.tick("2026-11-03T12:00:00Z").await;
        let said = home.plusone(&["cancel", &run.id[..8]]).ended_with(0);
        assert!(said.stdout.contains("Cancelled the run of note: 20 messages will not be sent."), "{}", said.stdout);
        shop.tick("2026-11-04T12:00:00Z").await;
        let said = home.plusone(&["cancel", "note"]).ended_with(0);
        assert!(said.stdout.contains("Cancelled 20 planned messages of note."), "{}", said.stdout);
        assert_eq!(shop.send("2026-11-04T12:01:00Z").await["sent"], 0);
        assert_eq!(shop.number("select count(*) from touchpoints where state = 'cancelled'").await, 40);
        let again = home.plusone(&["approve", &run.id[..8]]).ended_with(1);
        assert!(again.stderr.contains("only a run that is `held`"), "{}", again.stderr);
    })
    .await;
}
