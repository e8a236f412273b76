//! `pace`: no more in an hour than the rule says, across ticks, beside quiet hours, and never in silence.

use super::{due, on_both, write_customers};
use crate::shop::{Shop, rule};
use plusone::touchpoints::Reason;

const SIX: [&str; 6] = ["a,,GB,,", "b,,GB,,", "c,,GB,,", "d,,GB,,", "e,,GB,,", "f,,GB,,"];

fn times(due: &[String]) -> Vec<&str> {
    due.iter().map(|line| &line[line.len() - 20..]).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn messages_get_turns_across_ticks() {
    on_both("", &SIX, async |home| {
        home.write("config/rules/note.toml", &rule(&[("expires_after", "\"2d\""), ("pace", "\"4/h\"")]));
        let mut shop = Shop::open(&home, "2026-11-03T12:00:00Z").await;
        let run = shop.tick("2026-11-03T12:00:00Z").await;
        assert_eq!((run.counts.planned, run.counts.deferred), (6, 5), "the first goes at once");
        let first = due(&shop).await;
        let expected = ["12:00", "12:15", "12:30", "12:45", "13:00", "13:15"].map(|at| format!("2026-11-03T{at}:00Z"));
        assert_eq!(times(&first), expected);
        let told = "select count(*) from touchpoint_events where kind = 'planned' and detail like 'pace: due %'";
        assert_eq!(shop.number(told).await, 5);
        assert_eq!(shop.send("2026-11-03T12:31:00Z").await["sent"], 3);
        write_customers(&home, &[&SIX[..], &["g,,GB,,", "h,,GB,,"]].concat());
        let run = shop.tick("2026-11-03T13:00:00Z").await;
        assert_eq!((run.counts.planned, run.counts.deferred), (2, 2), "after those of the tick before");
        let after = due(&shop).await;
        assert_eq!(times(&after[3..]), ["2026-11-03T13:30:00Z", "2026-11-03T13:45:00Z"]);
        assert_eq!(shop.send("2026-11-03T13:45:00Z").await["sent"], 5);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_would_go_after_it_expires_is_refused_and_says_so() {
    on_both("", &SIX, async |home| {
        let keys = [("pace", "\"4/h\""), ("expires_after", "\"1h\"")];
        home.write("config/rules/note.toml", &rule(&keys));
        let mut shop = Shop::open(&home, "2026-11-03T12:00:00Z").await;
        let run = shop.tick("2026-11-03T12:00:00Z").await;
        assert_eq!((run.counts.planned, run.counts.skipped.get(&Reason::Expired)), (5, Some(&1)));
        let told = "select count(*) from touchpoint_events where detail = \
                    'expired: its turn by `pace` is 2026-11-03 13:15, after it expires'";
        assert_eq!(shop.number(told).await, 1);
        let counts = plusone::outreach::foresee::Foresight {
            db: &shop.app.db,
            project: &shop.app.workspace.project,
            rule: &shop.app.workspace.project.rules["note"],
            at: "2026-11-03T13:00:00Z".parse().expect("an instant"),
            pauses: &plusone::courtesy::pauses::Pauses::default(),
            first_run: false,
        };
        let counts = counts.everyone(&plusone::progress::Progress::default(), |_| ()).await.expect("foreseen");
        assert_eq!((counts.planned, counts.deferred), (1, 1), "`who` sees the turns that are gone");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn turns_lie_outside_quiet_hours_and_keep_the_pace_after_the_night() {
    let more = "[courtesy]\nquiet_hours = { email = \"20:00-09:00\" }\n";
    on_both(more, &SIX, async |home| {
        home.write("config/rules/note.toml", &rule(&[("expires_after", "\"2d\""), ("pace", "\"4/h\"")]));
        let mut shop = Shop::open(&home, "2026-11-03T19:30:00Z").await;
        shop.tick("2026-11-03T19:30:00Z").await;
        let expected = ["03T19:30", "03T19:45", "04T09:00", "04T09:15", "04T09:30", "04T09:45"];
        assert_eq!(times(&due(&shop).await), expected.map(|at| format!("2026-11-{at}:00Z")));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_waits_for_a_place_under_a_cap_gets_a_turn_once_there_is_one() {
    let more = "[courtesy]\ncaps = [{ max = 1, per = \"day\" }]\nquiet_hours = { email = \"20:00-09:00\" }\n";
    on_both(more, &SIX, async |home| {
        let first = [("priority", "90"), ("expires_after", "\"5d\"")];
        let paced = [("priority", "10"), ("expires_after", "\"5d\""), ("pace", "\"4/h\""), ("on_cap", "\"defer\"")];
        home.write("config/rules/first.toml", &rule(&first));
        home.write("config/rules/paced.toml", &rule(&paced));
        let mut shop = Shop::open(&home, "2026-11-03T12:00:00Z").await;
        shop.pass("2026-11-03T12:00:00Z").await;
        // A place is free at midnight, the night ends at nine, and then there are four turns an hour.
        let after = due(&shop).await.split_off(6);
        let expected = ["09:00", "09:15", "09:30", "09:45", "10:00", "10:15"].map(|at| format!("2026-11-04T{at}:00Z"));
        assert_eq!(times(&after), expected);
        assert_eq!(shop.send("2026-11-03T12:00:00Z").await["sent"], 6);
        let mut sent = Vec::new();
        for at in ["08:59", "09:00", "09:29", "09:59", "10:14", "10:15"] {
            sent.push(shop.send(&format!("2026-11-04T{at}:00Z")).await["sent"].as_i64().expect("a number"));
        }
        assert_eq!(sent, [0, 1, 1, 2, 1, 1]);
    })
    .await;
}
