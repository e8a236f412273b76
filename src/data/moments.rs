//! Dates and times as files write them.
//!
//! 1. A time without a zone is in the entity's zone. One that a clock change repeats or skips is read as schedules
//!    read it: the first pass, the first instant after the gap.
//! 2. Relative cells (`today`, `today+3d`, `now-5h`, `today+1d 14:30`) count from the `now` of the import.

use crate::time::{Date, Reading, Span, Timestamp, Tz};
use chrono::{DateTime, NaiveDate, NaiveDateTime, NaiveTime};

/// What a column of dates or times is read by.
#[derive(Clone, Debug)]
pub struct Calendar {
    pub zone: Tz,
    /// A `strftime` pattern; ISO 8601 where absent.
    pub format: Option<String>,
    /// `now` where relative cells are allowed.
    pub relative_to: Option<Timestamp>,
}

impl Calendar {
    /// A calendar date.
    pub fn date(&self, text: &str) -> Option<Date> {
        if let Some(moment) = self.relative(text) {
            return Some(match moment {
                Relative::Day(date, _) => date,
                Relative::Instant(at) => at.date(self.zone),
            });
        }
        match &self.format {
            Some(format) => NaiveDate::parse_from_str(text, format).ok().map(Date::from_naive),
            None => text.parse().ok(),
        }
    }

    /// An instant; a date alone is its first instant.
    pub fn timestamp(&self, text: &str) -> Option<Timestamp> {
        match self.relative(text) {
            Some(Relative::Instant(at)) => return Some(at),
            Some(Relative::Day(date, time)) => return Some(self.local(date.naive().and_time(time))),
            None => {}
        }
        match &self.format {
            Some(format) => self.formatted(text, format),
            None => self.iso(text),
        }
    }

    fn local(&self, local: NaiveDateTime) -> Timestamp {
        Timestamp::from_local(local, self.zone, Reading::First)
    }

    fn formatted(&self, text: &str, format: &str) -> Option<Timestamp> {
        if let Ok(at) = DateTime::parse_from_str(text, format) {
            return Some(at.to_utc().into());
        }
        NaiveDateTime::parse_from_str(text, format)
            .ok()
            .or_else(|| NaiveDate::parse_from_str(text, format).ok().map(|date| date.and_time(NaiveTime::MIN)))
            .map(|local| self.local(local))
    }

    fn iso(&self, text: &str) -> Option<Timestamp> {
        if text.len() == 10 {
            return text.parse::<Date>().ok().map(|date| date.start(self.zone));
        }
        let bytes = text.as_bytes();
        if bytes.len() < 16 || !matches!(bytes[10], b'T' | b't' | b' ') {
            return None;
        }
        let (date, time) = (text.get(..10)?, text.get(11..)?);
        let date = date.parse::<Date>().ok()?.naive();
        if !time.bytes().any(|byte| matches!(byte, b'Z' | b'z' | b'+' | b'-')) {
            return civil_time(time).map(|time| self.local(date.and_time(time)));
        }
        let at = DateTime::parse_from_rfc3339(text).ok()?;
        Some(at.to_utc().into())
    }

    fn relative(&self, text: &str) -> Option<Relative> {
        let now = self.relative_to?;
        if let Some(rest) = text.strip_prefix("now") {
            return shift(rest).map(|shift| Relative::Instant(now.plus(shift)));
        }
        let rest = text.strip_prefix("today")?;
        let (rest, time) = match rest.split_once(' ') {
            Some((rest, time)) => (rest, civil_time(time)?),
            None => (rest, NaiveTime::MIN),
        };
        let shift = shift(rest)?;
        let day = Span::from_days(1).micros();
        // Whole days are calendar days: two days after a clock change are still at midnight.
        let date = Date::from_days(now.date(self.zone).days() + shift.micros().div_euclid(day));
        let within = shift.micros().rem_euclid(day);
        if within == 0 {
            return Some(Relative::Day(date, time));
        }
        let start = self.local(date.naive().and_time(time));
        Some(Relative::Instant(start.plus(Span::from_micros(within))))
    }
}

enum Relative {
    Day(Date, NaiveTime),
    Instant(Timestamp),
}

/// ``, `+3d`, `-5h`.
fn shift(text: &str) -> Option<Span> {
    if text.is_empty() {
        return Some(Span::default());
    }
    let (sign, span) = (text.chars().next()?, text.get(1..)?.parse::<Span>().ok()?);
    match sign {
        '+' => Some(span),
        '-' => Some(Span::from_micros(-span.micros())),
        _ => None,
    }
}

/// `09:00`, `09:00:30`, `09:00:30.250`.
fn civil_time(text: &str) -> Option<NaiveTime> {
    let shape = text.len() >= 5 && text.as_bytes()[2] == b':';
    if !shape {
        return None;
    }
    let format = if text.len() == 5 { "%H:%M" } else { "%H:%M:%S%.f" };
    NaiveTime::parse_from_str(text, format).ok()
}

#[cfg(test)]
mod tests {
    use super::Calendar;
    use crate::time::{Timestamp, Tz};

    fn calendar(format: Option<&str>) -> Calendar {
        let now = "2026-11-03T09:10:00Z".parse().expect("an instant");
        Calendar { zone: Tz::Europe__London, format: format.map(str::to_owned), relative_to: Some(now) }
    }

    fn instant(text: &str) -> Option<Timestamp> {
        Some(text.parse().expect("an instant"))
    }

    #[test]
    fn times_are_read_with_and_without_a_zone() {
        let calendar = calendar(None);
        for (text, expected) in [
            ("2026-07-01T09:00:00+02:00", "2026-07-01T07:00:00Z"),
            ("2026-07-01 09:00", "2026-07-01T08:00:00Z"),
            ("2026-07-01T09:00:30", "2026-07-01T08:00:30Z"),
            ("2026-07-01 09:00:30.25", "2026-07-01T08:00:30.250Z"),
            ("2026-07-01", "2026-06-30T23:00:00Z"),
            ("2027-03-28 01:30", "2027-03-28T01:00:00Z"),
            ("2026-10-25 01:30", "2026-10-25T00:30:00Z"),
        ] {
            assert_eq!(calendar.timestamp(text), instant(expected), "{text}");
        }
        for text in ["", "soon", "2026-13-01", "2026-07-01 25:00", "2026-07-01 09", "01.07.2026", "2026-07-01é09:00"] {
            assert_eq!(calendar.timestamp(text), None, "{text}");
        }
    }

    #[test]
    fn a_declared_format_is_the_only_one() {
        let calendar = calendar(Some("%d.%m.%Y"));
        assert_eq!(calendar.date("03.11.2026").map(|date| date.to_string()).as_deref(), Some("2026-11-03"));
        assert_eq!(calendar.date("2026-11-03"), None);
        assert_eq!(calendar.timestamp("01.07.2026"), instant("2026-06-30T23:00:00Z"));
    }

    #[test]
    fn relative_cells_count_from_now() {
        let calendar = calendar(None);
        for (text, expected) in [
            ("now", "2026-11-03T09:10:00Z"),
            ("now-5h", "2026-11-03T04:10:00Z"),
            ("today", "2026-11-03T00:00:00Z"),
            ("today+3d", "2026-11-06T00:00:00Z"),
            ("today-30d", "2026-10-03T23:00:00Z"),
            ("today+1d 14:30", "2026-11-04T14:30:00Z"),
            ("today+36h", "2026-11-04T12:00:00Z"),
        ] {
            assert_eq!(calendar.timestamp(text), instant(expected), "{text}");
        }
        assert_eq!(calendar.date("today+1w").map(|date| date.to_string()).as_deref(), Some("2026-11-10"));
        assert_eq!(calendar.date("tomorrow"), None);
        let strict = Calendar { relative_to: None, ..calendar };
        assert_eq!(strict.date("today"), None);
    }
}
