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

fn verdict(windows: &[QuietWindow], now: Timestamp, zone: Tz) -> Verdict {
    quiet(windows).verdict(now, &[zone])
}

fn quiet(windows: &[QuietWindow]) -> Silence<'_> {
    Silence { quiet: vec![windows], ..Silence::default() }
}

fn covers_whole_week(windows: &[QuietWindow]) -> bool {
    quiet(windows).covers_whole_week()
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

#[test]
fn holidays_of_the_customers_country_are_silent() {
    let windows = [QuietWindow::Holidays, EVENING];
    let judged =
        |country, now| Silence { quiet: vec![&windows], country, ..Silence::default() }.verdict(at(now), &[UTC]);
    assert_eq!(judged("FR", "2027-07-14T12:00:00Z"), Verdict::Defer { until: at("2027-07-15T09:00:00Z") });
    assert_eq!(judged("GB", "2027-07-14T12:00:00Z"), Verdict::Send);
}

#[test]
fn nothing_goes_outside_legal_hours_and_quiet_hours_hold_beside_them() {
    let open = OpenHours::read(["Mon-Fri 10:00-13:00", "Mon-Fri 14:00-20:00", "not on holidays"]).expect("hours");
    let silence = Silence { quiet: vec![&[NIGHT]], open: vec![&open], country: "FR" };
    let judged = |now| match silence.verdict(at(now), &[UTC]) {
        Verdict::Send => now.to_owned(),
        Verdict::Defer { until } => until.to_string(),
    };
    for (now, goes) in [
        ("2026-11-03T12:59:59Z", "2026-11-03T12:59:59Z"),
        ("2026-11-03T13:00:00Z", "2026-11-03T14:00:00Z"),
        ("2026-11-03T20:00:00Z", "2026-11-04T10:00:00Z"),
        ("2026-11-06T20:00:00Z", "2026-11-09T10:00:00Z"),
        ("2026-11-10T20:00:00Z", "2026-11-12T10:00:00Z"),
    ] {
        assert_eq!(judged(now), goes, "{now}");
    }
}

#[test]
fn a_customer_whose_zone_is_not_known_is_left_alone_while_it_is_night_in_any_of_them() {
    let windows = [EVENING];
    let zones = crate::courtesy::zones::of_country("US");
    let judged = |now| quiet(&windows).verdict(at(now), zones);
    // Nine in Honolulu is three in the afternoon in New York; eight there is two in the afternoon in Honolulu.
    assert_eq!(judged("2026-11-03T14:00:00Z"), Verdict::Defer { until: at("2026-11-03T19:00:00Z") });
    assert_eq!(judged("2026-11-03T19:00:00Z"), Verdict::Send);
    assert_eq!(judged("2026-11-04T00:59:00Z"), Verdict::Send);
    assert_eq!(judged("2026-11-04T01:00:00Z"), Verdict::Defer { until: at("2026-11-04T19:00:00Z") });
}

#[test]
fn what_waited_leaves_over_a_quarter_of_an_hour_at_the_same_place_each_time() {
    let windows = [EVENING];
    let (silence, until, last) = (quiet(&windows), at("2026-11-04T09:00:00Z"), at("2026-11-05T09:00:00Z"));
    let place = |key: usize, last| silence.spread(until, &[UTC], last, &key.to_string()).since(until).seconds();
    let places: Vec<i64> = (0..1_000).map(|key| place(key, last)).collect();
    assert!(places.iter().all(|seconds| (0..900).contains(seconds)));
    for quarter in 0..4 {
        let there = places.iter().filter(|seconds| **seconds / 225 == quarter).count();
        assert!((200..300).contains(&there), "{there} of 1000 in quarter {quarter}");
    }
    assert_eq!(places, (0..1_000).map(|key| place(key, last)).collect::<Vec<_>>());
    let soon = until.plus(Span::from_seconds(30));
    assert!((0..1_000).all(|key| until.plus(Span::from_seconds(place(key, soon))) <= soon), "never after it expires");
    assert!((0..100).all(|key| place(key, until) == 0));
    let lunch = [EVENING, QuietWindow::Daily { from: 9 * 60 + 4, until: 12 * 60 }];
    let before_lunch = |key: usize| quiet(&lunch).spread(until, &[UTC], last, &key.to_string());
    assert!((0..1_000).all(|key| before_lunch(key) < at("2026-11-04T09:04:00Z")), "never beyond the next window");
}

fn windows() -> impl Strategy<Value = QuietWindow> {
    let weekday = |day: u8| QuietWindow::Weekday(Weekday::try_from(day).expect("a day of the week"));
    prop_oneof![
        (0_u16..1_440, 0_u16..=1_440).prop_map(|(from, until)| QuietWindow::Daily { from, until }),
        (0_u8..7).prop_map(weekday),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn a_deferred_message_goes_at_the_earliest_minute_that_is_not_silent(
        windows in proptest::collection::vec(windows(), 0..4),
        second in 946_684_800_i64..2_871_763_200,
        zone in proptest::sample::select(chrono_tz::TZ_VARIANTS.to_vec()),
    ) {
        let now = Timestamp::from_seconds(second);
        if !covers_whole_week(&windows) {
            prop_assert_eq!(release(&windows, now, zone), stepped(&windows, now, zone), "{} in {}", now, zone);
        }
    }

    #[test]
    fn nothing_waits_longer_than_the_longest_wait(
        windows in proptest::collection::vec(windows(), 0..4),
        second in 946_684_800_i64..2_871_763_200,
        zone in proptest::sample::select(chrono_tz::TZ_VARIANTS.to_vec()),
    ) {
        let (now, silence) = (Timestamp::from_seconds(second), quiet(&windows));
        if let (Some(longest), Verdict::Defer { until }) = (silence.longest(), verdict(&windows, now, zone)) {
            let goes = silence.spread(until, &[zone], until.plus(HORIZON), &second.to_string());
            prop_assert!(goes <= now.plus(longest), "{} in {}: {}", now, zone, goes);
        }
    }

    #[test]
    fn a_deferred_message_goes_when_it_is_judged_again(
        windows in proptest::collection::vec(windows(), 0..4),
        second in 946_684_800_i64..2_871_763_200,
        zone in proptest::sample::select(chrono_tz::TZ_VARIANTS.to_vec()),
    ) {
        let now = Timestamp::from_seconds(second);
        let quiet = quiet(&windows).end(now.local(zone)).is_some();
        match verdict(&windows, now, zone) {
            Verdict::Send => prop_assert!(!quiet),
            Verdict::Defer { until } => {
                prop_assert!(quiet && until > now && until <= now.plus(HORIZON));
                prop_assert!(covers_whole_week(&windows) || verdict(&windows, until, zone) == Verdict::Send);
            }
        }
    }
}

fn release(windows: &[QuietWindow], now: Timestamp, zone: Tz) -> Timestamp {
    match verdict(windows, now, zone) {
        Verdict::Send => now,
        Verdict::Defer { until } => until,
    }
}

/// The local clock, read once for each minute of a stretch of time.
struct Clock {
    from: i64,
    /// What it shows, and whether it will show the same again.
    shows: Vec<(NaiveDateTime, bool)>,
}

impl Clock {
    /// The clock of `zone` for so many minutes from the whole minute of `from` on.
    fn read(from: Timestamp, minutes: i64, zone: Tz) -> Self {
        let first = from.micros().div_euclid(60_000_000);
        let read = |minute: i64| {
            let at = Timestamp::from_seconds(60 * minute);
            let local = at.local(zone);
            (local, Timestamp::from_local(local, zone, Reading::Later) > at)
        };
        Self { from: first, shows: (first..first + minutes).map(read).collect() }
    }

    /// When a message that is due at `now` goes, by looking at the clock minute by minute: no window is around it, and
    /// after a wait it is not the first of two times that the clock shows this minute.
    fn release(&self, windows: &[QuietWindow], now: Timestamp, zone: Tz) -> Option<Timestamp> {
        let is_silent = |local: NaiveDateTime| quiet(windows).end(local).is_some();
        if !is_silent(now.local(zone)) {
            return Some(now);
        }
        let first = now.micros().div_euclid(60_000_000) + 1;
        let skipped = usize::try_from(first - self.from).expect("the clock was read from before now on");
        let minutes = (first..).zip(self.shows.iter().skip(skipped));
        let mut free = minutes.filter(|(_, (local, comes_again))| !is_silent(*local) && !comes_again);
        free.next().map(|(minute, _)| Timestamp::from_seconds(60 * minute))
    }
}

/// [`Clock::release`] for a single instant; after the horizon it is judged again.
fn stepped(windows: &[QuietWindow], now: Timestamp, zone: Tz) -> Timestamp {
    let near = Clock::read(now, i64::from(MINUTES_PER_DAY), zone).release(windows, now, zone);
    let far = || Clock::read(now, 15 * i64::from(MINUTES_PER_DAY) + 1, zone).release(windows, now, zone);
    near.or_else(far).unwrap_or_else(|| now.plus(HORIZON))
}

/// Every change of every zone's clock from 2000 to 2060 with windows that begin, end and lie around it, against the
/// stepping clock, each minute of which is asked.
#[test]
fn around_every_clock_change_of_every_zone_the_release_is_the_earliest_minute() {
    let mut judged = 0_u64;
    let mut seen = std::collections::HashSet::new();
    for zone in chrono_tz::TZ_VARIANTS {
        for (change, before, after) in crate::expr::calendar::changes(zone, 2000, 2060) {
            // Zones that make the same change at the same instant agree.
            if !seen.insert((change, before, after)) {
                continue;
            }
            let clock = Clock::read(change.minus(Span::from_seconds(3 * 3_600)), 8 * 60, zone);
            let minute = |local: NaiveDateTime, more: i64| {
                u16::try_from((i64::from(local.hour() * 60 + local.minute()) + more).rem_euclid(1_440))
                    .expect("of a day")
            };
            let ends = [minute(before, -30), minute(before, 1), minute(after, 0), minute(after, 30), minute(after, 75)];
            for until in ends {
                let windows = [QuietWindow::Daily { from: (until + 1_440 - 180) % 1_440, until }];
                for minutes in [-150, -61, -31, -1, 0, 29, 59, 61] {
                    let now = change.plus(Span::from_seconds(60 * minutes));
                    let expected = clock.release(&windows, now, zone);
                    assert_eq!(Some(release(&windows, now, zone)), expected, "{now} in {zone}, {windows:?}");
                    judged += 1;
                }
            }
        }
    }
    assert!(judged > 100_000, "{judged}");
}

/// The nights that a person would name, across each change of a clock that the conventions of the field list.
#[test]
fn the_night_across_the_changes_that_others_trip_over_ends_at_eight() {
    for (zone, evening) in [
        (New_York, "2027-03-14T03:00:00Z"),
        (New_York, "2026-11-01T02:00:00Z"),
        (London, "2027-03-27T22:00:00Z"),
        (London, "2026-10-24T21:00:00Z"),
        (Lord_Howe, "2026-10-03T11:30:00Z"),
        (Cairo, "2027-04-29T20:00:00Z"),
        (Cairo, "2026-10-29T19:00:00Z"),
        (Kolkata, "2026-10-29T16:30:00Z"),
    ] {
        for minutes in 0..14 * 60 {
            let now = at(evening).plus(Span::from_seconds(60 * minutes));
            let goes = release(&[NIGHT], now, zone);
            assert_eq!(goes, stepped(&[NIGHT], now, zone), "{now} in {zone}");
            let hour = goes.local(zone).hour();
            assert!((8..22).contains(&hour), "{now} in {zone}: {goes}");
        }
    }
}
