//! `time_zone = "customer"`: nine in the morning by each customer's own clock, once for each of their dates.

use super::{on_both, write_customers};
use crate::shop::{Shop, at, rule};
use chrono::{Days, NaiveDate};
use plusone::outreach::tick::History;
use plusone::sql::Sql;
use plusone::time::{Reading, Timestamp, Tz};
use std::collections::BTreeMap;

const START: &str = "2027-03-13T00:00:00Z";
const END: &str = "2027-03-16T00:00:00Z";

/// New York, Chicago, St John's and Havana change their clocks on 14 March 2027.
const ZONES: [&str; 20] = [
    "Pacific/Kiritimati",
    "Pacific/Auckland",
    "Pacific/Chatham",
    "Australia/Lord_Howe",
    "Asia/Tokyo",
    "Asia/Kathmandu",
    "Asia/Kolkata",
    "Asia/Dubai",
    "Africa/Cairo",
    "Europe/London",
    "Europe/Berlin",
    "America/St_Johns",
    "America/New_York",
    "America/Havana",
    "America/Chicago",
    "America/Phoenix",
    "America/Los_Angeles",
    "Pacific/Marquesas",
    "Pacific/Honolulu",
    "Pacific/Pago_Pago",
];

/// One customer for each zone, one in a zone that does not exist, one without, and one who moves.
fn people(moved: bool) -> Vec<String> {
    let mut people: Vec<String> = ZONES.iter().enumerate().map(|(n, zone)| format!("c{n},{zone},,,")).collect();
    people.push("odd,Nowhere/City,,,".to_owned());
    people.push("none,,,,".to_owned());
    people.push(format!("mover,{},,,", if moved { "Pacific/Honolulu" } else { "pacific/auckland" }));
    people
}

fn written(home: &crate::harness::home::Home, moved: bool) {
    let people = people(moved);
    write_customers(home, &people.iter().map(String::as_str).collect::<Vec<_>>());
}

/// The dates whose nine o'clock in `zone` lies after the start and by the end, with that instant.
fn mornings(zone: Tz) -> Vec<(NaiveDate, Timestamp)> {
    let first = NaiveDate::from_ymd_opt(2027, 3, 11).expect("a date");
    let dates = (0..7).map(|day| first + Days::new(day));
    let morning =
        |date: NaiveDate| Timestamp::from_local(date.and_hms_opt(9, 0, 0).expect("a time"), zone, Reading::First);
    dates.map(|date| (date, morning(date))).filter(|(_, at_nine)| (at(START)..=at(END)).contains(at_nine)).collect()
}

/// Goes from tick to tick as the daemon does, up to `end`.
async fn until(shop: &mut Shop, mut now: Timestamp, end: &str) {
    while now <= at(end) {
        shop.pass(&now.to_string()).await;
        let project = &shop.app.workspace.project;
        let history = History::load_with_zones(&shop.app.db, project).await.expect("the history");
        let (due, next) = history.due(&project.rules["daily"], now);
        assert!(due.is_empty(), "all that is due was run: {due:?}");
        now = next.expect("it ticks for ever");
    }
}

/// By customer the occurrences, each with when it is due.
async fn log(shop: &Shop) -> BTreeMap<String, Vec<(String, Timestamp)>> {
    let rows = Sql::new("select customer, occurrence, due_at from touchpoints where state <> 'skipped' order by 1, 3");
    let mut log: BTreeMap<String, Vec<(String, Timestamp)>> = BTreeMap::new();
    for row in shop.app.db.fetch(rows).await.expect("the log") {
        let one = (row.text(1).to_owned(), Timestamp::from_micros(row.int(2)));
        log.entry(row.text(0).to_owned()).or_default().push(one);
    }
    log
}

fn daily() -> String {
    rule(&[("schedule", "\"every day at 09:00\""), ("time_zone", "\"customer\""), ("once_per", "\"day\"")])
}

#[tokio::test(flavor = "multi_thread")]
async fn everyone_gets_one_for_each_of_their_dates_at_nine_theirs() {
    on_both("", &[], async |home| {
        written(&home, false);
        home.write("config/rules/daily.toml", &daily());
        let mut shop = Shop::open(&home, START).await;
        until(&mut shop, at(START), "2027-03-13T20:30:00Z").await;
        // Auckland's 14 March has come; in Honolulu it is still to come. And a restart in between.
        written(&home, true);
        drop(shop);
        let mut shop = Shop::open(&home, "2027-03-13T20:45:00Z").await;
        until(&mut shop, at("2027-03-13T20:45:00Z"), END).await;
        let log = log(&shop).await;
        let zones = ZONES.iter().enumerate().map(|(n, zone)| (format!("c{n}"), *zone));
        let business = ["odd", "none"].map(|id| (id.to_owned(), "Europe/London"));
        for (customer, zone) in zones.chain(business) {
            let expected: Vec<(String, Timestamp)> =
                mornings(zone.parse().expect("a zone")).into_iter().map(|(date, at)| (date.to_string(), at)).collect();
            assert_eq!(log[&customer], expected, "{customer} in {zone}");
        }
        let dates: Vec<&str> = log["mover"].iter().map(|(date, _)| date.as_str()).collect();
        assert_eq!(dates, ["2027-03-14", "2027-03-15"], "one for 14 March, in Auckland, none again in Honolulu");
        assert_eq!(log["mover"][1].1, at("2027-03-15T19:00:00Z"), "nine in Honolulu");
        assert_eq!(log.len(), ZONES.len() + 3);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_daemon_that_was_away_makes_up_for_each_zone() {
    on_both("", &["tokyo,Asia/Tokyo,,,", "berlin,Europe/Berlin,,,", "lima,America/Lima,,,"], async |home| {
        home.write("config/rules/daily.toml", &daily());
        let mut shop = Shop::open(&home, "2027-03-12T23:00:00Z").await;
        shop.pass("2027-03-12T23:00:00Z").await;
        // Tokyo's nine was at midnight, Berlin's at eight, the business's at nine; Lima's is at two in the afternoon.
        let planned = shop.pass("2027-03-13T10:00:00Z").await;
        let instants: Vec<String> = planned.runs.iter().map(|run| run.instant.to_string()).collect();
        assert_eq!(instants, ["2027-03-13T08:00:00Z", "2027-03-13T09:00:00Z"], "Tokyo's is longer ago than the window");
        assert_eq!(shop.log().await, ["berlin 2027-03-13 planned -"]);
        assert!(shop.pass("2027-03-13T10:00:01Z").await.runs.is_empty());
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_matched_before_a_rule_went_live_is_before_the_start_in_every_zone() {
    on_both("", &["tokyo,Asia/Tokyo,,,", "berlin,Europe/Berlin,,,"], async |home| {
        let keys = [("schedule", "\"every day at 09:00\""), ("time_zone", "\"customer\""), ("existing", "\"skip\"")];
        home.write("config/rules/daily.toml", &rule(&keys));
        let mut shop = Shop::open(&home, "2027-03-12T23:00:00Z").await;
        until(&mut shop, at("2027-03-12T23:00:00Z"), "2027-03-14T12:00:00Z").await;
        assert_eq!(shop.log().await, ["berlin - skipped before_start", "tokyo - skipped before_start"]);
        write_customers(&home, &["tokyo,Asia/Tokyo,,,", "berlin,Europe/Berlin,,,", "kobe,Asia/Tokyo,,,"]);
        until(&mut shop, at("2027-03-14T12:00:00Z"), "2027-03-15T12:00:00Z").await;
        assert_eq!(shop.log().await[2..], ["tokyo - skipped before_start"]);
        assert_eq!(shop.log().await[1], "kobe - planned -", "who comes later is written to");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn today_is_the_customers_in_conditions_and_in_periods_of_every_schedule() {
    on_both("", &["apia,Pacific/Apia,,,", "pago,Pacific/Pago_Pago,,,", "none,,,,"], async |home| {
        let keys = [
            ("time_zone", "\"customer\""),
            ("once_per", "\"day\""),
            ("when", "['days_between(timestamp(\"2026-11-03T12:00:00Z\"), today()) == 0']"),
        ];
        home.write("config/rules/hourly.toml", &rule(&keys));
        // Four in the morning of the 4th in Apia, five of the 3rd in Pago Pago.
        let mut shop = Shop::open(&home, "2026-11-03T15:00:00Z").await;
        let run = shop.tick("2026-11-03T15:00:00Z").await;
        assert_eq!(run.counts.planned, 3, "noon in London was on each one's own today");
        assert_eq!(
            shop.log().await,
            ["apia 2026-11-04 planned -", "none 2026-11-03 planned -", "pago 2026-11-03 planned -"]
        );
    })
    .await;
}
