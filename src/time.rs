//! Time as values: instants, calendar dates, spans, and the civil time of a zone.
//!
//! 1. An instant is whole microseconds since 1970-01-01T00:00:00Z, a date whole days since 1970-01-01: the form
//!    in which both databases store them.
//! 2. Nothing here asks a clock. `now` is always an argument; the one clock is [`crate::clock`].
//! 3. A civil time that a clock change skips or repeats is never resolved silently: the caller names the reading.

pub mod habits;

use chrono::{DateTime, Datelike, LocalResult, NaiveDate, NaiveDateTime, NaiveTime, TimeDelta, TimeZone, Utc};
use std::fmt;
use std::str::FromStr;

pub use chrono::Weekday;
pub use chrono_tz::Tz;

const MICROS_PER_SECOND: i64 = 1_000_000;
const SECONDS_PER_DAY: i64 = 86_400;

/// An instant: microseconds since 1970-01-01T00:00:00Z.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
pub struct Timestamp(i64);

/// A calendar date: days since 1970-01-01.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Date(i64);

/// An elapsed time, written `90s 15m 4h 14d 2w 3y`; a day is 24 hours here, a year 365 days.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
pub struct Span(i64);

/// Which instant a skipped or repeated civil time means.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Reading {
    /// Skipped: the first instant after the gap. Repeated: the first pass. (Schedules.)
    First,
    /// Skipped: the first instant after the gap. Repeated: the second pass. (Ends of quiet hours.)
    Later,
}

/// The IANA zone that data names, in capitals or not; `None` for what is none.
///
/// ```
/// use plusone::time::zone_named;
/// assert_eq!(zone_named("europe/london").map(|zone| zone.name()), Some("Europe/London"));
/// assert_eq!(zone_named("Nowhere/City"), None);
/// ```
pub fn zone_named(text: &str) -> Option<Tz> {
    Tz::from_str_insensitive(text).ok()
}

/// Why a text is not a time, a date or a span.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum TimeError {
    #[error("`{0}` is not a span: write a whole number and a unit, such as `90s`, `15m`, `4h`, `14d`, `2w` or `3y`")]
    Span(String),
    #[error("`{0}` is not an instant: write `2026-11-03T09:00:00Z`")]
    Timestamp(String),
    #[error("`{0}` is not a date: write `2026-11-03`")]
    Date(String),
}

impl Timestamp {
    /// The instant `micros` microseconds after 1970-01-01T00:00:00Z.
    pub const fn from_micros(micros: i64) -> Self {
        Self(micros)
    }

    /// The instant `seconds` after 1970-01-01T00:00:00Z.
    pub const fn from_seconds(seconds: i64) -> Self {
        Self(seconds * MICROS_PER_SECOND)
    }

    pub const fn micros(self) -> i64 {
        self.0
    }

    /// `self + span`, at the end of time where that would overflow.
    pub const fn plus(self, span: Span) -> Self {
        Self(self.0.saturating_add(span.0))
    }

    /// `self - span`, at the start of time where that would overflow.
    pub const fn minus(self, span: Span) -> Self {
        Self(self.0.saturating_sub(span.0))
    }

    /// The time from `earlier` to `self`, negative when `self` is before it.
    pub const fn since(self, earlier: Self) -> Span {
        Span(self.0.saturating_sub(earlier.0))
    }

    /// This instant as `chrono` has it, for the calendar and for formatting.
    pub fn utc(self) -> DateTime<Utc> {
        DateTime::from_timestamp_micros(self.0).unwrap_or(if self.0 < 0 {
            DateTime::<Utc>::MIN_UTC
        } else {
            DateTime::<Utc>::MAX_UTC
        })
    }

    /// The civil date and time of this instant in `zone`.
    pub fn local(self, zone: Tz) -> NaiveDateTime {
        self.utc().with_timezone(&zone).naive_local()
    }

    /// `2026-11-03 09:00` in `zone`: as people are told it.
    pub fn to_minute(self, zone: Tz) -> String {
        self.local(zone).format("%Y-%m-%d %H:%M").to_string()
    }

    /// RFC 3339 in UTC to the second: `2026-11-03T09:00:00Z`.
    pub fn to_second(self) -> String {
        self.utc().to_rfc3339_opts(chrono::SecondsFormat::Secs, true)
    }

    /// The civil date of this instant in `zone`.
    pub fn date(self, zone: Tz) -> Date {
        Date::from_naive(self.local(zone).date())
    }

    /// For an instant in the first pass of an hour that `zone` repeats: when the second pass begins.
    pub fn end_of_first_pass(self, zone: Tz) -> Option<Self> {
        let local = self.local(zone);
        let later = Self::from_local(local, zone, Reading::Later);
        if self >= later || self != Self::from_local(local, zone, Reading::First) {
            return None;
        }
        // The clock goes back once between the two readings, on a whole second.
        let goes_on =
            |second: i64| Self::from_seconds(second).local(zone) - Self::from_seconds(second).utc().naive_utc();
        let (mut low, mut high) = (self.0.div_euclid(MICROS_PER_SECOND), later.0.div_euclid(MICROS_PER_SECOND) + 1);
        let before = goes_on(low);
        while low + 1 < high {
            let middle = low + (high - low) / 2;
            if goes_on(middle) == before { low = middle } else { high = middle }
        }
        Some(Self::from_seconds(high))
    }

    /// The instant that `local` means in `zone`; see [`Reading`] for skipped and repeated times.
    pub fn from_local(local: NaiveDateTime, zone: Tz, reading: Reading) -> Self {
        match zone.from_local_datetime(&local) {
            LocalResult::Single(at) => at.with_timezone(&Utc).into(),
            LocalResult::Ambiguous(first, second) => match reading {
                Reading::First => first.with_timezone(&Utc).into(),
                Reading::Later => second.with_timezone(&Utc).into(),
            },
            LocalResult::None => end_of_gap(local, zone),
        }
    }
}

/// The first instant after the gap in which `local` lies.
fn end_of_gap(local: NaiveDateTime, zone: Tz) -> Timestamp {
    // The offset a day before still names an instant at or after the change; walk back to the change itself,
    // which lies on a whole second. No zone has ever skipped more than a day.
    let mut high = local.and_utc().timestamp() + SECONDS_PER_DAY;
    let mut low = local.and_utc().timestamp() - 2 * SECONDS_PER_DAY;
    let is_after = |second: i64| Timestamp::from_seconds(second).local(zone) > local;
    while low + 1 < high {
        let middle = low + (high - low) / 2;
        if is_after(middle) {
            high = middle;
        } else {
            low = middle;
        }
    }
    Timestamp::from_seconds(high)
}

impl From<DateTime<Utc>> for Timestamp {
    fn from(at: DateTime<Utc>) -> Self {
        Self(at.timestamp_micros())
    }
}

impl fmt::Display for Timestamp {
    /// RFC 3339 in UTC, with a fraction only where there is one: `2026-11-03T09:00:00Z`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.utc().to_rfc3339_opts(chrono::SecondsFormat::AutoSi, true))
    }
}

impl FromStr for Timestamp {
    type Err = TimeError;

    /// Reads RFC 3339, with any offset.
    fn from_str(text: &str) -> Result<Self, TimeError> {
        DateTime::parse_from_rfc3339(text)
            .map(|at| at.with_timezone(&Utc).into())
            .map_err(|_| TimeError::Timestamp(text.to_owned()))
    }
}

impl Date {
    pub const fn from_days(days: i64) -> Self {
        Self(days)
    }

    pub const fn days(self) -> i64 {
        self.0
    }

    pub fn from_naive(date: NaiveDate) -> Self {
        Self(i64::from(date.num_days_from_ce()) - i64::from(NaiveDate::default().num_days_from_ce()))
    }

    /// This date as `chrono` has it; the calendar's ends where it lies beyond them.
    pub fn naive(self) -> NaiveDate {
        TimeDelta::try_days(self.0)
            .and_then(|days| NaiveDate::default().checked_add_signed(days))
            .unwrap_or(if self.0 < 0 { NaiveDate::MIN } else { NaiveDate::MAX })
    }

    /// The first instant of this date in `zone`.
    pub fn start(self, zone: Tz) -> Timestamp {
        Timestamp::from_local(self.naive().and_time(NaiveTime::MIN), zone, Reading::First)
    }
}

impl fmt::Display for Date {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.naive().format("%Y-%m-%d"))
    }
}

impl FromStr for Date {
    type Err = TimeError;

    /// Reads `2026-11-03`.
    fn from_str(text: &str) -> Result<Self, TimeError> {
        let shape = text.len() == 10 && text.is_ascii();
        NaiveDate::parse_from_str(text, "%Y-%m-%d")
            .ok()
            .filter(|_| shape)
            .map(Self::from_naive)
            .ok_or_else(|| TimeError::Date(text.to_owned()))
    }
}

impl Span {
    pub const fn from_micros(micros: i64) -> Self {
        Self(micros)
    }

    pub const fn from_millis(millis: i64) -> Self {
        Self(millis * 1_000)
    }

    pub const fn from_seconds(seconds: i64) -> Self {
        Self(seconds * MICROS_PER_SECOND)
    }

    pub const fn from_days(days: i64) -> Self {
        Self(days * SECONDS_PER_DAY * MICROS_PER_SECOND)
    }

    pub const fn micros(self) -> i64 {
        self.0
    }

    pub const fn seconds(self) -> i64 {
        self.0 / MICROS_PER_SECOND
    }

    /// For timers; zero for a negative span.
    pub fn to_std(self) -> std::time::Duration {
        std::time::Duration::from_micros(u64::try_from(self.0).unwrap_or(0))
    }
}

impl fmt::Display for Span {
    /// In the largest unit that says it exactly, as it is written in files: `14d`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let seconds = self.seconds();
        let (unit, name) = [(31_536_000, 'y'), (604_800, 'w'), (86_400, 'd'), (3_600, 'h'), (60, 'm')]
            .into_iter()
            .find(|(unit, _)| seconds != 0 && seconds % unit == 0)
            .unwrap_or((1, 's'));
        write!(f, "{}{name}", seconds / unit)
    }
}

impl FromStr for Span {
    type Err = TimeError;

    /// Reads one whole number and one unit of `s m h d w y`.
    fn from_str(text: &str) -> Result<Self, TimeError> {
        let wrong = || TimeError::Span(text.to_owned());
        let unit = text.chars().last().ok_or_else(wrong)?;
        let seconds_per_unit = match unit {
            's' => 1,
            'm' => 60,
            'h' => 3_600,
            'd' => SECONDS_PER_DAY,
            'w' => 7 * SECONDS_PER_DAY,
            'y' => 365 * SECONDS_PER_DAY,
            _ => return Err(wrong()),
        };
        let digits = &text[..text.len() - 1];
        if digits.is_empty() || !digits.bytes().all(|b| b.is_ascii_digit()) {
            return Err(wrong());
        }
        let count: i64 = digits.parse().map_err(|_| wrong())?;
        count
            .checked_mul(seconds_per_unit)
            .and_then(|seconds| seconds.checked_mul(MICROS_PER_SECOND))
            .map(Self)
            .ok_or_else(wrong)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn instant(text: &str) -> Timestamp {
        text.parse().expect("a test writes a good instant")
    }

    fn local(text: &str, zone: Tz, reading: Reading) -> Timestamp {
        let civil = NaiveDateTime::parse_from_str(text, "%Y-%m-%d %H:%M").expect("a test writes a good civil time");
        Timestamp::from_local(civil, zone, reading)
    }

    #[test]
    fn a_skipped_time_is_the_first_instant_after_the_gap() {
        use chrono_tz::{Africa::Cairo, America::New_York, Australia::Lord_Howe, Europe::London};
        for (text, zone, expected) in [
            ("2027-03-14 02:30", New_York, "2027-03-14T07:00:00Z"),
            ("2027-03-28 01:30", London, "2027-03-28T01:00:00Z"),
            ("2026-10-04 02:15", Lord_Howe, "2026-10-03T15:30:00Z"),
            ("2027-04-30 00:00", Cairo, "2027-04-29T22:00:00Z"),
        ] {
            assert_eq!(local(text, zone, Reading::First), instant(expected), "{text} in {zone}");
            assert_eq!(local(text, zone, Reading::Later), instant(expected), "{text} in {zone}");
        }
    }

    #[test]
    fn a_repeated_time_has_two_readings() {
        use chrono_tz::{America::New_York, Europe::London};
        for (text, zone, first, later) in [
            ("2026-11-01 01:30", New_York, "2026-11-01T05:30:00Z", "2026-11-01T06:30:00Z"),
            ("2026-10-25 01:30", London, "2026-10-25T00:30:00Z", "2026-10-25T01:30:00Z"),
        ] {
            assert_eq!(local(text, zone, Reading::First), instant(first));
            assert_eq!(local(text, zone, Reading::Later), instant(later));
        }
    }

    #[test]
    fn spans_are_read_and_written_alike() {
        for text in ["90s", "15m", "4h", "2d", "2w", "3y", "0s"] {
            assert_eq!(text.parse::<Span>().expect("a good span").to_string(), text);
        }
        for text in ["", "4", "h", "-4h", "1.5h", "4 h", "4h30m", "99999999999999w"] {
            assert!(text.parse::<Span>().is_err(), "{text}");
        }
    }

    #[test]
    fn dates_are_days_since_1970() {
        assert_eq!("1970-01-01".parse::<Date>().expect("a date").days(), 0);
        assert_eq!("2000-02-29".parse::<Date>().expect("a date").days(), 11_016);
        assert_eq!(Date::from_days(-1).to_string(), "1969-12-31");
        assert!("2026-1-3".parse::<Date>().is_err());
        assert!("2026-02-29".parse::<Date>().is_err());
    }
}
