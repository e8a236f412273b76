//! The laws of schedules, in all zones, from 2000 to 2060.

use super::due::Timetable;
use super::*;
use crate::rules::CatchUp;
use crate::time::Date;
use chrono::{LocalResult, NaiveDate, TimeDelta, TimeZone};
use proptest::prelude::*;

const MINUTE: Span = Span::from_seconds(60);
const INSTANT: Span = Span::from_micros(1);

fn zones() -> impl Strategy<Value = Tz> {
    proptest::sample::select(chrono_tz::TZ_VARIANTS.to_vec())
}

/// Instants of 2000 to 2060, whole seconds.
fn instants() -> impl Strategy<Value = Timestamp> {
    (946_684_800_i64..2_871_763_200).prop_map(Timestamp::from_seconds)
}

/// An instant near a clock change of `zone` at or after `from`, `from` itself where it has none within two years.
fn near_a_change(from: Timestamp, zone: Tz) -> Timestamp {
    let offset = |at: Timestamp| at.local(zone).and_utc().timestamp_micros() - at.micros();
    (0..730)
        .map(|day| from.plus(Span::from_days(day)))
        .find(|at| offset(*at) != offset(at.plus(Span::from_days(1))))
        .unwrap_or(from)
}

/// Each of `days` dates from `first` on that exists in `zone` has exactly one tick, at the first instant when the local
/// clock has reached `minute`.
fn one_tick_a_day(zone: Tz, first: NaiveDate, days: usize, minute: u16) {
    let text = format!("every day at {:02}:{:02}", minute / 60, minute % 60);
    let schedule = Schedule::parse(&text, zone).expect("a sentence");
    let mut previous = schedule.latest(Date::from_naive(first).start(zone).minus(INSTANT), zone);
    for date in first.iter_days().take(days) {
        let day = Date::from_naive(date);
        if day.start(zone).date(zone) != day {
            continue;
        }
        let civil = date.and_time(chrono::NaiveTime::MIN) + TimeDelta::minutes(i64::from(minute));
        let tick = schedule.next_after(previous.expect("a tick before"), zone).expect("a tick");
        let place = || format!("{text} in {zone} on {date}: {tick}");
        assert!(Some(tick) > previous, "{}", place());
        assert_eq!(schedule.latest(tick, zone), Some(tick), "{}", place());
        assert_eq!(schedule.latest(tick.minus(INSTANT), zone), previous, "{}", place());
        assert!(tick.local(zone) >= civil, "{}", place());
        assert!(tick.minus(INSTANT).local(zone) < civil, "{}", place());
        let earlier = (1..=6).map(|half_hours| tick.minus(Span::from_seconds(1_800 * half_hours)));
        assert!(earlier.into_iter().all(|at| at.local(zone) < civil), "{}: not the first pass", place());
        let skipped = matches!(zone.from_local_datetime(&civil), LocalResult::None);
        assert_eq!(tick.local(zone) == civil, !skipped, "{}", place());
        previous = Some(tick);
    }
}

/// The first day of a year.
fn first_of(year: i32) -> NaiveDate {
    NaiveDate::from_ymd_opt(year, 1, 1).expect("a date")
}

/// Every change of every zone's clock from 2000 to 2060, with times of day before, in and after the gap or the repeat.
/// Between two changes a zone's clock runs like any other, which some weeks of each zone stand for.
#[test]
fn around_every_clock_change_of_every_zone_every_day_has_exactly_one_tick() {
    let mut seen = std::collections::HashSet::new();
    let mut changes = 0;
    for zone in chrono_tz::TZ_VARIANTS {
        for (change, before, after) in crate::expr::calendar::changes(zone, 2000, 2060) {
            // Zones that make the same change at the same instant agree.
            if !seen.insert((change, before, after)) {
                continue;
            }
            changes += 1;
            let first = before.min(after).date() - TimeDelta::days(1);
            let of_day = |local: chrono::NaiveDateTime, more: i64| {
                let minute = i64::from(chrono::Timelike::num_seconds_from_midnight(&local) / 60) + more;
                u16::try_from(minute.rem_euclid(1_440)).expect("a minute of a day")
            };
            for minute in [of_day(before, -30), of_day(before, 1), of_day(after, 0), of_day(after, 30)] {
                one_tick_a_day(zone, first, 3, minute);
            }
        }
    }
    assert!(changes > 4_000, "{changes}");
    for (number, zone) in chrono_tz::TZ_VARIANTS.iter().enumerate() {
        let year = 2000 + i32::try_from(number % 60).expect("small");
        one_tick_a_day(*zone, first_of(year), 40, u16::try_from(number * 37 % 1_440).expect("a minute"));
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn every_day_has_exactly_one_tick(zone in zones(), year in 2000..2060, minute in prop_oneof![0_u16..240, 0_u16..1440]) {
        one_tick_a_day(zone, first_of(year), 370, minute);
    }

    #[test]
    fn cron_by_the_local_clock_ticks_in_just_the_minutes_that_match(
        zone in zones(),
        from in instants(),
        text in proptest::sample::select(vec![
            "*/15 * * * *", "*/7 * * * *", "0 1-3 * * *", "30 */2 * * *", "*/20 0,23 * * SUN", "5-10 1 * * *", "*/45 2 1-15 * *",
        ]),
    ) {
        let schedule = Schedule::parse(text, zone).expect("cron");
        let oracle = croner::parser::CronParser::new().parse(text).expect("cron");
        let start = near_a_change(from, zone).minus(Span::from_days(1));
        let start = start.minus(Span::from_micros(start.micros().rem_euclid(MINUTE.micros())));
        let mut expected = Vec::new();
        let mut latest = schedule.latest(start.minus(INSTANT), zone);
        for minute in 0..3 * 1_440 {
            let at = start.plus(Span::from_seconds(60 * minute));
            if oracle.is_time_matching(&at.utc().with_timezone(&zone)).expect("an answer") {
                expected.push(at);
                latest = Some(at);
            }
            if minute % 29 == 0 {
                prop_assert_eq!(schedule.latest(at, zone), latest, "{} in {} at {}", text, zone, at);
            }
        }
        let end = start.plus(Span::from_days(3));
        let next = |at: &Timestamp| schedule.next_after(*at, zone);
        let ticks: Vec<_> = std::iter::successors(schedule.next_after(start.minus(INSTANT), zone), next)
            .take_while(|tick| *tick < end)
            .collect();
        prop_assert_eq!(ticks, expected, "{} in {} from {}", text, zone, start);
    }

    #[test]
    fn the_two_readings_of_a_schedule_agree(
        zone in zones(),
        at in instants(),
        text in proptest::sample::select(vec![
            "every 15 minutes", "every 8 hours", "every weekday at 9am", "every weekend at 00:30, 01:30 and 2:30",
            "on the 1st, 31st and last day of the month at midnight", "every year on 29 february at 02:30", "0 2 29 2 *",
            "30 0,1,2,3 * * *", "0 0 * * FRI#2", "*/10 2 * 3,10 SUN", "2030-03-31 02:30",
        ]),
    ) {
        let schedule = Schedule::parse(text, zone).expect("a schedule");
        if let Some(next) = schedule.next_after(at, zone) {
            prop_assert!(next > at);
            prop_assert_eq!(schedule.latest(next, zone), Some(next));
            prop_assert_eq!(schedule.latest(next.minus(INSTANT), zone), schedule.latest(at, zone));
        }
        if let Some(latest) = schedule.latest(at, zone) {
            prop_assert!(latest <= at);
            prop_assert_eq!(schedule.next_after(latest.minus(INSTANT), zone), Some(latest));
            prop_assert_eq!(schedule.next_after(latest, zone), schedule.next_after(at, zone));
        }
    }

    #[test]
    fn ticks_are_due_once_in_order_and_all_of_them_when_all_are_asked_for(
        zone in zones(),
        start in instants(),
        looks in proptest::collection::vec(1_i64..20_000, 1..40),
        text in proptest::sample::select(vec!["every 30 minutes", "every hour", "*/20 * * * *", "every day at 01:30 and 02:30"]),
        catch_up in proptest::sample::select(vec![CatchUp::None, CatchUp::Latest, CatchUp::All]),
    ) {
        let schedule = Schedule::parse(text, zone).expect("a schedule");
        let live_since = near_a_change(start, zone);
        let (mut now, mut last_run, mut ran) = (live_since, None, Vec::new());
        for look in looks {
            let timetable = Timetable {
                schedule: &schedule, zone, live_since, last_run, catch_up, catch_up_window: Span::from_days(30),
            };
            let due = timetable.due(now);
            prop_assert_eq!(due.next, schedule.next_after(now, zone));
            prop_assert!(due.instants.iter().all(|tick| *tick <= now));
            ran.extend(due.instants);
            last_run = ran.last().copied();
            now = now.plus(Span::from_seconds(look));
        }
        prop_assert!(ran.windows(2).all(|pair| pair[0] < pair[1]));
        if catch_up == CatchUp::All {
            let gaps = ran.windows(2).all(|pair| schedule.next_after(pair[0], zone) == Some(pair[1]));
            prop_assert!(gaps, "{} in {}: a tick was left out", text, zone);
        }
    }

    #[test]
    fn whatever_is_written_is_read_or_refused_with_a_cure(text in "\\PC{0,40}") {
        if let Err(fault) = Schedule::parse(&text, Tz::UTC) {
            prop_assert!(text.get(fault.span.clone()).is_some() && fault.help.is_some(), "{fault:?}");
        }
    }

    #[test]
    fn words_in_any_order_are_read_or_refused_with_a_cure(words in proptest::collection::vec(proptest::sample::select(vec![
        "every", "on", "the", "1st", "last", "day", "of", "month", "at", "9am", "17:00", "and", ",", "monday", "weekday", "15",
        "minutes", "hours", "year", "24", "december", "*", "*/5", "MON", "é",
    ]), 0..9)) {
        let text = words.join(" ");
        match Schedule::parse(&text, Tz::UTC) {
            Ok(schedule) => {
                let words = schedule.describe();
                prop_assert!(matches!(&schedule, Schedule::Calendar(_)) || Schedule::parse(&words, Tz::UTC).as_ref() == Ok(&schedule));
            }
            Err(fault) => prop_assert!(text.get(fault.span.clone()).is_some() && fault.help.is_some(), "{fault:?}"),
        }
    }
}
