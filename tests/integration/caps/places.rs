//! Places under the caps: who takes them, who waits for them, and when they are free again.

use crate::shop::{NOON, Shop, at, customers, on_both, rule};
use plusone::courtesy::pauses::Pauses;
use plusone::outreach::foresee::Foresight;
use plusone::progress::Progress;
use plusone::sql::Sql;
use plusone::touchpoints::Reason;

const ANN: [&str; 1] = ["ann,ann@shop.test,Ann,,yes"];
const WEEKLY: &str = "[courtesy]\ncaps = [{ max = 1, per = \"7d\" }]\n";
const DAILY: &str = "[courtesy]\ncaps = [{ max = 1, per = \"day\" }]\n";

/// A shop with one customer and these rules.
async fn shop(more: &str, rules: &[(&str, String)], test: impl AsyncFn(Shop)) {
    on_both(more, async |home| {
        home.write("customers.csv", &customers(&ANN));
        home.write("carts.csv", "id,customer_id,status\nk1,ann,open\nk2,ann,open\nk3,ann,open\n");
        home.write("config/offers/cookie.toml", "description = \"A cookie\"\nvalue = 2.50\nbudget = { total = 100 }\n");
        for (name, text) in rules {
            home.write(&format!("config/rules/{name}.toml"), text);
        }
        test(Shop::open(&home, NOON).await).await;
    })
    .await;
}

/// `rule state reason` of every touchpoint.
async fn fates(shop: &Shop) -> Vec<String> {
    let sql = "select rule || ' ' || state || ' ' || coalesce(reason, '-') from touchpoints order by rule, occurrence";
    shop.app.db.fetch(Sql::new(sql)).await.expect("the log").iter().map(|row| row.text(0).to_owned()).collect()
}

/// What the last event of a rule's touchpoint says.
async fn said(shop: &Shop, rule: &str) -> String {
    let sql = "select e.detail from touchpoint_events e join touchpoints t on t.bucket = e.bucket and t.id = e.touchpoint \
               where t.rule = $1 order by e.n desc limit 1";
    let row = shop.app.db.fetch_one(Sql::new(sql).with(rule)).await.expect("the events");
    row.expect("an event").opt_text(0).unwrap_or_default().to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn of_rules_that_compete_the_higher_priority_goes_and_the_loser_names_the_winner() {
    let rules = [("apple", rule(&[("priority", "10")])), ("zebra", rule(&[("priority", "90")]))];
    shop(WEEKLY, &rules, async |mut shop| {
        shop.pass(NOON).await;
        assert_eq!(fates(&shop).await, ["apple skipped capped", "zebra planned -"]);
        assert_eq!(said(&shop, "apple").await, "capped: by zebra, planned for 3 Nov; at most 1 in 7d");
        shop.send(NOON).await;
        shop.pass("2026-11-10T11:59:00Z").await;
        assert_eq!(fates(&shop).await, ["apple skipped capped", "zebra sent -"]);
        shop.pass("2026-11-10T12:00:00Z").await;
        assert_eq!(fates(&shop).await, ["apple planned -", "zebra sent -"], "a week to the second later");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn ticks_of_one_pass_are_planned_by_priority_then_instant_then_name() {
    let often = [("schedule", "\"every hour\""), ("catch_up", "\"all\""), ("once_per", "\"day\"")];
    let with = |priority| rule(&[&often[..], &[("priority", priority)]].concat());
    let rules = [("b", with("50")), ("c", with("50")), ("a", with("40"))];
    shop("", &rules, async |mut shop| {
        shop.pass(NOON).await;
        let runs = shop.pass("2026-11-03T14:10:00Z").await.runs;
        let order: Vec<String> =
            runs.iter().map(|run| format!("{} {}", run.rule, &run.instant.to_string()[11..16])).collect();
        assert_eq!(order, ["b 13:00", "c 13:00", "b 14:00", "c 14:00", "a 13:00", "a 14:00"]);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_place_is_free_again_when_nothing_was_sent() {
    let rules = [("apple", rule(&[("priority", "10")])), ("zebra", rule(&[("priority", "90")]))];
    for came_to_nothing in ["failed", "expired", "cancelled"] {
        shop(WEEKLY, &rules, async |mut shop| {
            shop.pass(NOON).await;
            shop.execute(&format!("update touchpoints set state = '{came_to_nothing}' where rule = 'zebra'")).await;
            shop.pass("2026-11-03T13:00:00Z").await;
            assert_eq!(fates(&shop).await[0], "apple planned -", "{came_to_nothing}");
        })
        .await;
    }
    let may_still_go = ["planned", "held", "claimed", "dispatching", "in_doubt"];
    for state in may_still_go {
        shop(WEEKLY, &rules, async |mut shop| {
            shop.pass(NOON).await;
            shop.execute(&format!("update touchpoints set state = '{state}' where rule = 'zebra'")).await;
            shop.pass("2026-11-03T13:00:00Z").await;
            assert_eq!(fates(&shop).await[0], "apple skipped capped", "{state}");
        })
        .await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_may_have_been_sent_keeps_its_place_and_what_never_went_in_time_does_not() {
    let rules = [("apple", rule(&[("priority", "10")])), ("zebra", rule(&[("priority", "90")]))];
    shop(WEEKLY, &rules, async |mut shop| {
        shop.pass(NOON).await;
        let lost = "update touchpoints set state = 'failed', reason = 'outcome_unknown', doubt_at = due_at where rule = 'zebra'";
        shop.execute(lost).await;
        shop.pass("2026-11-03T13:00:00Z").await;
        assert_eq!(fates(&shop).await[0], "apple skipped capped");
        // A run that nobody approved takes no places for ever.
        shop.execute("update touchpoints set state = 'held', reason = 'guard' where rule = 'zebra'").await;
        shop.pass("2026-11-04T12:00:00Z").await;
        assert_eq!(fates(&shop).await[0], "apple skipped capped");
        shop.pass("2026-11-04T13:00:00Z").await;
        assert_eq!(fates(&shop).await[0], "apple planned -");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn rules_may_leave_places_to_others_and_urgent_ones_pass() {
    let rules = [
        ("a-quiet", rule(&[("priority", "90"), ("counts_toward_cap", "false")])),
        ("b-plain", rule(&[("priority", "80")])),
        ("c-urgent", rule(&[("priority", "70"), ("urgent", "true")])),
        ("d-late", rule(&[("priority", "60")])),
    ];
    shop(WEEKLY, &rules, async |mut shop| {
        shop.pass(NOON).await;
        let expected = ["a-quiet planned -", "b-plain planned -", "c-urgent planned -", "d-late skipped capped"];
        assert_eq!(fates(&shop).await, expected);
        assert!(
            said(&shop, "d-late").await.contains("by b-plain, planned for 3 Nov and by c-urgent, planned for 3 Nov")
        );
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_that_may_wait_goes_when_a_place_is_free() {
    let rules = [
        ("apple", rule(&[("priority", "10"), ("on_cap", "\"defer\""), ("expires_after", "\"3d\"")])),
        ("zebra", rule(&[("priority", "90"), ("expires_after", "\"3d\"")])),
        ("later", rule(&[("priority", "5"), ("on_cap", "\"defer\""), ("expires_after", "\"1d\"")])),
    ];
    shop(DAILY, &rules, async |mut shop| {
        let runs = shop.pass(NOON).await.runs;
        assert_eq!(fates(&shop).await, ["apple planned -", "later skipped capped", "zebra planned -"]);
        assert!(runs.iter().any(|run| run.rule == "apple" && run.counts.deferred == 1));
        let waits = "capped: due 2026-11-04T00:00:00Z, by zebra, planned for 3 Nov; at most 1 a day";
        assert_eq!(said(&shop, "apple").await, waits);
        assert_eq!(shop.send("2026-11-03T23:59:00Z").await["sent"], 1);
        assert_eq!(shop.send("2026-11-04T00:00:00Z").await["sent"], 1);
        assert_eq!(fates(&shop).await, ["apple sent -", "later skipped capped", "zebra sent -"]);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_that_waits_asks_again_when_it_is_due_and_ends_as_capped_when_it_would_be_too_late() {
    let rules = [
        ("apple", rule(&[("priority", "10"), ("on_cap", "\"defer\""), ("expires_after", "\"40h\"")])),
        ("zebra", rule(&[("priority", "90"), ("expires_after", "\"5d\"")])),
    ];
    shop(DAILY, &rules, async |mut shop| {
        shop.pass(NOON).await;
        // The winner is late: a pause, a provider that is away.
        shop.execute("update touchpoints set due_at = 1793779200000000 where rule = 'zebra'").await;
        assert_eq!(at("2026-11-04T08:00:00Z").micros(), 1_793_779_200_000_000);
        assert_eq!(shop.send("2026-11-04T00:00:00Z").await["sent"], 0);
        assert_eq!(said(&shop, "apple").await.split(',').next(), Some("capped: due 2026-11-05T00:00:00Z"));
        assert_eq!(shop.send("2026-11-04T09:00:00Z").await["sent"], 1);
        shop.execute("update touchpoints set sent_at = 1793862000000000 where rule = 'zebra'").await;
        assert_eq!(at("2026-11-05T07:00:00Z").micros(), 1_793_862_000_000_000);
        let told = shop.send("2026-11-05T01:00:00Z").await;
        assert_eq!((&told["sent"], &told["skipped"]), (&0.into(), &1.into()));
        assert_eq!(fates(&shop).await, ["apple skipped capped", "zebra sent -"]);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_with_an_offer_is_judged_as_promotional_and_goes_without_it() {
    let more = "[courtesy]\ncaps = [{ purpose = \"promotional\", max = 1, per = \"week\" }]\n";
    let consent = [("topic", "\"offers\""), ("kind", "\"offer\""), ("offer", "[\"cookie\"]")];
    let rules = [
        ("treat", rule(&[&consent[..], &[("priority", "90")]].concat())),
        ("second", rule(&[&consent[..], &[("priority", "20")]].concat())),
        ("note", rule(&[("offer", "[\"cookie\"]"), ("topic", "\"reminders\""), ("priority", "10")])),
    ];
    shop(more, &rules, async |mut shop| {
        shop.app.plan(&shop.lease, at(NOON), Some("nobody")).await.expect("data is read");
        shop.execute(
            "insert into consents (bucket, customer, topic, channel, at, value, source, recorded_at) \
             select bucket, customer, 'reminders', channel, at, 1, source, recorded_at from consents",
        )
        .await;
        shop.pass(NOON).await;
        shop.pass("2026-11-03T13:00:00Z").await;
        assert_eq!(fates(&shop).await, ["note planned -", "second skipped capped", "treat planned -"]);
        assert_eq!(shop.number("select count(*) from touchpoints where rule = 'note' and offer is null").await, 1);
        assert_eq!(shop.taken("cookie").await, 25_000);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_channel_whose_cap_is_full_is_passed_over() {
    let more = "[courtesy]\ncaps = [{ channel = \"email\", max = 1, per = \"day\" }]\n";
    let rules = [
        ("apple", rule(&[("priority", "10"), ("channels", "[\"email\", \"sms\"]")])),
        ("zebra", rule(&[("priority", "90")])),
    ];
    shop(more, &rules, async |mut shop| {
        shop.pass(NOON).await;
        assert_eq!(fates(&shop).await, ["apple planned -", "zebra planned -"]);
        let told = "select count(*) from touchpoints where rule = 'apple' and channel = 'sms' \
                    and gates like '%email: had as many as caps allow (by zebra, planned for 3 Nov; at most 1 by email a day)%'";
        assert_eq!(shop.number(told).await, 1);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_one_tick_plans_counts_within_it_and_the_forecast_knows() {
    let more = "[courtesy]\ncaps = [{ topic = \"reminders\", max = 2, per = \"month\" }]\n";
    let rules = [("note", rule(&[("for_each", "\"cart\""), ("when", "['cart.status == \"open\"']")]))];
    shop(more, &rules, async |mut shop| {
        shop.app.plan(&shop.lease, at(NOON), Some("nobody")).await.expect("data is read");
        let (project, pauses) = (&shop.app.workspace.project, Pauses::default());
        let rule = &project.rules["note"];
        let foresight = Foresight { db: &shop.app.db, project, rule, at: at(NOON), pauses: &pauses, first_run: false };
        let foreseen = foresight.everyone(&Progress::default(), |_| {}).await.expect("a forecast");
        assert_eq!((foreseen.planned, foreseen.skipped[&Reason::Capped]), (2, 1));
        let explained = foresight.explain("ann").await.expect("reasons");
        let outcomes: Vec<String> = explained
            .iter()
            .map(|row| row.to_json("ann", rule, at(NOON))["outcome"].as_str().expect("an outcome").to_owned())
            .collect();
        assert_eq!(outcomes, ["planned", "planned", "capped"]);
        let run = shop.tick(NOON).await;
        assert_eq!((run.counts.planned, run.counts.skipped[&Reason::Capped]), (2, 1));
    })
    .await;
}
