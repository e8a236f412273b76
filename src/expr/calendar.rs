//! The calendar in whole numbers: days, years from 1 March, offsets of zones. Shared by constants and by SQL.
//!
//! 1. A year is counted from 1 March, so that 29 February is its last day and month and day are one number: the day
//!    of that year from 0. The arithmetic is that of Neri and Schneider, "Euclidean affine functions and their
//!    application to calendar algorithms" (2022).
//! 2. A clock is never asked; zones come from `chrono-tz`.

use crate::time::{Date, Timestamp, Tz};
use chrono::Offset;
use chrono::TimeZone;

pub const MICROS_PER_DAY: i64 = 86_400_000_000;
/// The dates of `chrono`'s calendar lie within.
pub const DAYS: i64 = 100_000_000;
/// Added to days since 1970-01-01 to count them from a 1 March early enough that none is negative.
pub const SHIFT: i64 = 719_468 + 700 * DAYS_PER_ERA;
const DAYS_PER_ERA: i64 = 146_097;
/// 29 February, as the last day of a year from 1 March.
pub const LEAP_DAY: i64 = 365;

/// A date as a year from 1 March (on a scale of its own) and the day in it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct MarchDate {
    pub year: i64,
    pub day: i64,
}

impl MarchDate {
    pub fn of(date: Date) -> Self {
        let n = 4 * (date.days() + SHIFT) + 3;
        let r = 4 * (n % DAYS_PER_ERA / 4) + 3;
        Self { year: 100 * (n / DAYS_PER_ERA) + r / 1461, day: r % 1461 / 4 }
    }

    /// The last day of this year: [`LEAP_DAY`] or the day before it.
    pub fn last_day(self) -> i64 {
        let february = self.year + 1;
        let leap = february % 4 == 0 && (february % 100 != 0 || february % 400 == 0);
        if leap { LEAP_DAY } else { LEAP_DAY - 1 }
    }

    pub fn next_year(self) -> Self {
        Self { year: self.year + 1, day: 0 }
    }

    /// The greatest day of a year that this day keeps: 28 February keeps the 29th where there is none.
    pub fn keeps(self) -> i64 {
        if self.day == self.last_day() { LEAP_DAY } else { self.day }
    }
}

/// The first instant of `date` in `zone`, if every instant before it has an earlier date and none after it has:
/// `None` where a clock went back across midnight near it.
pub fn start_of(date: i64, zone: Tz) -> Option<Timestamp> {
    if !(-DAYS / 2..DAYS / 2).contains(&date) {
        return None;
    }
    let start = Date::from_days(date).start(zone);
    let hour = 3_600_i64;
    let center = start.micros().div_euclid(1_000_000);
    let steps = (-48..48).map(|step| center + step * hour);
    let goes_back = |from: i64| {
        let (mut low, mut high) = (from, from + hour);
        if offset(low, zone) <= offset(high, zone) {
            return false;
        }
        while low + 1 < high {
            let middle = low + (high - low) / 2;
            if offset(middle, zone) == offset(from, zone) { low = middle } else { high = middle }
        }
        Timestamp::from_seconds(low).date(zone) > Timestamp::from_seconds(high).date(zone)
    };
    (!steps.into_iter().any(goes_back)).then_some(start)
}

/// Seconds that local time is ahead of UTC at `second`.
fn offset(second: i64, zone: Tz) -> i64 {
    zone.offset_from_utc_datetime(&Timestamp::from_seconds(second).utc().naive_utc()).fix().local_minus_utc().into()
}

/// The offsets of `zone`: from which instant on (microseconds UTC), and local time less UTC in microseconds. The first
/// reaches back for ever, the last for ever on; changes lie between 1800 and 2101.
pub fn offsets(zone: Tz) -> Vec<(i64, i64)> {
    const FIRST: i64 = -5_364_662_400;
    const LAST: i64 = 4_133_980_800;
    const STEP: i64 = 6 * 3_600;
    let micros = |seconds: i64| seconds * 1_000_000;
    let mut known = offset(FIRST, zone);
    let mut found = vec![(i64::MIN, micros(known))];
    let mut from = FIRST;
    while from < LAST {
        let next = offset(from + STEP, zone);
        if next != known {
            let (mut low, mut high) = (from, from + STEP);
            while low + 1 < high {
                let middle = low + (high - low) / 2;
                if offset(middle, zone) == known { low = middle } else { high = middle }
            }
            known = offset(high, zone);
            found.push((micros(high), micros(known)));
            from = high;
        } else {
            from += STEP;
        }
    }
    found
}

/// When the clock of `zone` is changed from the start of one year to that of another: the instant, what the clock shows
/// a moment before it, and what it shows then. For tests that walk around every change there is.
#[cfg(test)]
pub fn changes(zone: Tz, from: i32, until: i32) -> Vec<(Timestamp, chrono::NaiveDateTime, chrono::NaiveDateTime)> {
    const DAY: i64 = 86_400;
    let start = |year| {
        let day = chrono::NaiveDate::from_ymd_opt(year, 1, 1).expect("a date");
        Date::from_naive(day).start(Tz::UTC).micros() / 1_000_000
    };
    let days = (start(from)..start(until)).step_by(usize::try_from(DAY).expect("small"));
    let found = days.filter(|day| offset(*day, zone) != offset(day + DAY, zone)).map(|day| {
        let (mut low, mut high) = (day, day + DAY);
        while low + 1 < high {
            let middle = low + (high - low) / 2;
            if offset(middle, zone) == offset(day, zone) { low = middle } else { high = middle }
        }
        high
    });
    let told = |at| {
        let at = Timestamp::from_seconds(at);
        (at, at.minus(crate::time::Span::from_micros(1)).local(zone), at.local(zone))
    };
    found.map(told).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use chrono::Datelike;

    #[test]
    fn years_from_march_agree_with_the_calendar() {
        for days in (-95_000_000..95_000_000).step_by(9_973).chain(-1_000..40_000) {
            let date = Date::from_days(days).naive();
            let march = MarchDate::of(Date::from_days(days));
            let first =
                chrono::NaiveDate::from_ymd_opt(date.year() - i32::from(date.month() < 3), 3, 1).expect("a date");
            assert_eq!(march.day, (date - first).num_days(), "{date}");
            assert_eq!(march.year - 280_000, i64::from(first.year()), "{date}");
        }
    }

    #[test]
    fn offsets_give_the_local_date_of_any_instant() {
        use chrono_tz::{America::St_Johns, Australia::Lord_Howe, Europe::London, Pacific::Apia, UTC};
        for zone in [St_Johns, Lord_Howe, London, Apia, UTC] {
            let offsets = offsets(zone);
            for hours in (-1_500_000..1_140_000).step_by(7) {
                let at = Timestamp::from_seconds(hours * 3_600 + 59);
                let place = offsets.partition_point(|(from, _)| *from <= at.micros()) - 1;
                let local = (at.micros() + offsets[place].1).div_euclid(MICROS_PER_DAY);
                assert_eq!(local, at.date(zone).days(), "{at} in {zone}");
            }
        }
    }

    #[test]
    fn a_day_whose_midnight_comes_twice_has_no_single_start() {
        use chrono_tz::{America::St_Johns, Europe::London};
        let day = |text: &str| text.parse::<Date>().expect("a date").days();
        assert_eq!(start_of(day("2006-10-29"), St_Johns), None, "00:01 went back to 23:01");
        assert_eq!(
            start_of(day("2026-10-25"), London).map(|at| at.to_string()),
            Some("2026-10-24T23:00:00Z".to_owned())
        );
    }
}
