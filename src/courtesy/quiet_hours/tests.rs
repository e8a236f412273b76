//! Quiet hours across nights, days of rest and changes of the clock.

use super::*;
use crate::time::Weekday;
use chrono_tz::{Africa::Cairo, America::New_York, Asia::Kolkata, Australia::Lord_Howe, Europe::London, UTC};
use proptest::prelude::*;

const NIGHT: QuietWindow = QuietWindow::Daily { from: 22 * 60, until: 8 * 60 };
const EVENING: QuietWindow = QuietWindow::Daily { from: 20 * 60, until: 9 * 60 };
const SUNDAY: QuietWindow = QuietWindow::Weekday(Weekday::Sun);

fn at(text: &str) -> Timestamp {
    text.parse().expect("a test writes a good instant")
}

/// The end of the wait on the local clock with its offset, `now` when there is none.
fn judged(windows: &[QuietWindow], now: &str, zone: Tz) -> String {
    match verdict(windows, at(now), zone) {
        Verdict::Send => "now".to_owned(),
        Verdict::Defer { until } => until.utc().with_timezone(&zone).format("%a %d %H:%M%z").to_string(),
    }
}

#[test]
fn a_window_is_half_open_and_may_cross_midnight() {
    for (now, expected) in [
        ("2026-11-03T21:59:59Z", "now"),
        ("2026-11-03T22:00:00Z", "Wed 04 08:00+0000"),
        ("2026-11-04T00:00:00Z", "Wed 04 08:00+0000"),
        ("2026-11-04T07:59:59Z", "Wed 04 08:00+0000"),
        ("2026-11-04T08:00:00Z", "now"),
    ] {
        assert_eq!(judged(&[NIGHT], now, UTC), expected, "{now}");
    }
    let lunch = QuietWindow::Daily { from: 720, until: 780 };
    assert_eq!(judged(&[lunch], "2026-11-04T12:30:00Z", UTC), "Wed 04 13:00+0000");
    assert_eq!(judged(&[], "2026-11-04T12:30:00Z", UTC), "now");
}

#[test]
fn windows_that_follow_on_are_waited_out_together() {
    assert_eq!(judged(&[EVENING, SUNDAY], "2026-11-07T20:30:00Z", UTC), "Mon 09 09:00+0000");
    assert_eq!(judged(&[SUNDAY, EVENING], "2026-11-08T12:00:00Z", UTC), "Mon 09 09:00+0000");
    let saturday = QuietWindow::Weekday(Weekday::Sat);
    assert_eq!(judged(&[EVENING, saturday, SUNDAY], "2026-11-06T21:00:00Z", UTC), "Mon 09 09:00+0000");
}

#[test]
fn a_night_across_a_clock_change_ends_by_the_local_clock() {
    for (now, zone, expected) in [
        ("2027-03-14T03:30:00Z", New_York, "Sun 14 08:00-0400"),
        ("2026-11-01T03:00:00Z", New_York, "Sun 01 08:00-0500"),
        ("2027-03-27T23:00:00Z", London, "Sun 28 08:00+0100"),
        ("2026-10-24T22:00:00Z", London, "Sun 25 08:00+0000"),
        ("2026-10-03T12:00:00Z", Lord_Howe, "Sun 04 08:00+1100"),
        ("2027-04-29T21:00:00Z", Cairo, "Fri 30 08:00+0300"),
        ("2026-10-29T20:30:00Z", Cairo, "Fri 30 08:00+0200"),
        ("2026-11-03T17:00:00Z", Kolkata, "Wed 04 08:00+0530"),
    ] {
        assert_eq!(judged(&[NIGHT], now, zone), expected, "{now} in {zone}");
    }
}

#[test]
fn an_end_in_a_gap_is_the_first_instant_after_it_and_a_repeated_end_its_later_reading() {
    let until_half_past_two = QuietWindow::Daily { from: 22 * 60, until: 150 };
    assert_eq!(judged(&[until_half_past_two], "2027-03-14T06:00:00Z", New_York), "Sun 14 03:00-0400");
    const UNTIL_HALF_PAST_ONE: QuietWindow = QuietWindow::Daily { from: 22 * 60, until: 90 };
    assert_eq!(judged(&[UNTIL_HALF_PAST_ONE], "2026-10-24T23:50:00Z", London), "Sun 25 01:30+0000");
    assert_eq!(judged(&[UNTIL_HALF_PAST_ONE], "2026-10-25T00:40:00Z", London), "now", "the first pass is over");
    assert_eq!(judged(&[UNTIL_HALF_PAST_ONE], "2026-10-25T01:10:00Z", London), "Sun 25 01:30+0000");
    assert_eq!(judged(&[QuietWindow::Weekday(Weekday::Thu)], "2027-04-29T12:00:00Z", Cairo), "Fri 30 01:00+0300");
}

#[test]
fn windows_over_the_whole_week_are_told() {
    const DAY: QuietWindow = QuietWindow::Daily { from: 9 * 60, until: 20 * 60 };
    assert!(covers_whole_week(&[EVENING, DAY]));
    assert!(covers_whole_week(&[QuietWindow::Daily { from: 0, until: 1_440 }]));
    assert!(!covers_whole_week(&[EVENING, SUNDAY]));
    assert!(!covers_whole_week(&[]));
    let now = at("2026-11-04T12:00:00Z");
    assert_eq!(verdict(&[EVENING, DAY], now, UTC), Verdict::Defer { until: now.plus(HORIZON) });
}

fn windows() -> impl Strategy<Value = QuietWindow> {
    let weekday = |day: u8| QuietWindow::Weekday(Weekday::try_from(day).expect("a day of the week"));
    prop_oneof![
        (0_u16..1_440, 0_u16..=1_440).prop_map(|(from, until)| QuietWindow::Daily { from, until }),
        (0_u8..7).prop_map(weekday),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(5_000))]

    #[test]
    fn a_deferred_message_goes_when_it_is_judged_again(
        windows in proptest::collection::vec(windows(), 0..4),
        second in 946_684_800_i64..2_871_763_200,
        zone in proptest::sample::select(chrono_tz::TZ_VARIANTS.to_vec()),
    ) {
        let now = Timestamp::from_seconds(second);
        let quiet = end_of_silence(&windows, now.local(zone)).is_some();
        match verdict(&windows, now, zone) {
            Verdict::Send => prop_assert!(!quiet),
            Verdict::Defer { until } => {
                prop_assert!(quiet && until > now && until <= now.plus(HORIZON));
                prop_assert!(covers_whole_week(&windows) || verdict(&windows, until, zone) == Verdict::Send);
            }
        }
    }
}
