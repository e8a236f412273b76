//! Civil calendars: minutes of the day on certain dates, turned into instants of a zone.
//!
//! 1. A date's ticks follow from the date alone; a search looks at neighbouring dates because a clock change near
//!    midnight may move ticks across it.
//! 2. Searches end: no calendar of the kinds below is silent for more than 40 years and then ticks again.

use crate::time::{Date, Reading, Timestamp, Tz};
use chrono::{DateTime, Datelike, Days, Duration, LocalResult, Months, NaiveDate, NaiveDateTime, TimeZone, Timelike};
use croner::Cron;

/// How far a search goes: 29 February on a given weekday comes again after 40 years at most.
const HORIZON_DAYS: u64 = 41 * 366;

/// Minutes of the day on certain dates.
#[derive(Clone, PartialEq, Debug)]
pub struct Calendar {
    dates: Dates,
    /// Minutes after midnight, ascending, without repeats, at least one.
    minutes: Vec<u16>,
    pace: Pace,
}

/// On which dates.
#[derive(Clone, PartialEq, Debug)]
pub(super) enum Dates {
    /// Bit 0 is Monday.
    Weekdays(u8),
    /// Bit `n` is the `n`th; bit 0 is the last day of the month.
    OfMonth(u32),
    /// Each year; 29 February is kept on the 28th in other years.
    OfYear {
        month: u32,
        day: u32,
    },
    Cron(Box<Cron>),
}

/// How ticks meet a clock change.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Pace {
    /// Each minute of the day once a date.
    Fixed,
    /// Whenever the local clock shows the minute.
    LocalClock { keeps_looking: bool },
}

impl Dates {
    fn include(&self, date: NaiveDate) -> bool {
        match self {
            Self::Weekdays(set) => set & (1 << date.weekday().num_days_from_monday()) != 0,
            Self::OfMonth(set) => set & (1 << date.day()) != 0 || set & 1 != 0 && is_last_of_month(date),
            Self::OfYear { month, day } => {
                let kept = *month == 2 && *day == 29 && !date.leap_year() && date.day() == 28;
                date.month() == *month && (date.day() == *day || kept)
            }
            Self::Cron(cron) => cron.pattern.day_match(date.year(), date.month(), date.day()).unwrap_or(false),
        }
    }

    fn include_month(&self, month: u32) -> bool {
        match self {
            Self::Weekdays(_) | Self::OfMonth(_) => true,
            Self::OfYear { month: only, .. } => month == *only,
            Self::Cron(cron) => cron.pattern.month_match(month).unwrap_or(false),
        }
    }

    /// The first date at or after `from`.
    fn at_or_after(&self, from: NaiveDate) -> Option<NaiveDate> {
        let end = from.checked_add_days(Days::new(HORIZON_DAYS))?;
        let mut date = from;
        while date <= end {
            if !self.include_month(date.month()) {
                date = date.with_day(1)?.checked_add_months(Months::new(1))?;
            } else if self.include(date) {
                return Some(date);
            } else {
                date = date.succ_opt()?;
            }
        }
        None
    }

    /// The last date at or before `from`.
    fn at_or_before(&self, from: NaiveDate) -> Option<NaiveDate> {
        let end = from.checked_sub_days(Days::new(HORIZON_DAYS))?;
        let mut date = from;
        while date >= end {
            if !self.include_month(date.month()) {
                date = date.with_day(1)?.pred_opt()?;
            } else if self.include(date) {
                return Some(date);
            } else {
                date = date.pred_opt()?;
            }
        }
        None
    }
}

fn is_last_of_month(date: NaiveDate) -> bool {
    date.succ_opt().is_none_or(|next| next.month() != date.month())
}

impl Calendar {
    /// `minutes` after midnight on `dates`, in any order; none given is no calendar.
    pub(super) fn new(dates: Dates, mut minutes: Vec<u16>, pace: Pace) -> Self {
        minutes.sort_unstable();
        minutes.dedup();
        Self { dates, minutes, pace }
    }

    pub(super) fn dates(&self) -> &Dates {
        &self.dates
    }

    pub(super) fn minutes(&self) -> &[u16] {
        &self.minutes
    }

    pub(super) fn follows_the_local_clock(&self) -> bool {
        matches!(self.pace, Pace::LocalClock { .. })
    }

    pub(super) fn keeps_looking(&self) -> bool {
        self.pace == Pace::LocalClock { keeps_looking: true }
    }

    /// Whether any date from `from` on within the horizon ticks.
    pub(super) fn ever_ticks(&self, from: NaiveDate) -> bool {
        self.dates.at_or_after(from).is_some()
    }

    pub(super) fn next_after(&self, after: Timestamp, zone: Tz) -> Option<Timestamp> {
        if let Some(near) = self.next_nearby(after, zone) {
            return Some(near);
        }
        let mut from = after.local(zone).date().pred_opt()?;
        loop {
            let date = self.dates.at_or_after(from)?;
            let first = |date| self.ticks(date, zone).into_iter().filter(|tick| *tick > after).min();
            let next = date.succ_opt()?;
            if let Some(tick) = first(date) {
                return Some(first(next).map_or(tick, |other| tick.min(other)));
            }
            from = next;
        }
    }

    pub(super) fn latest(&self, now: Timestamp, zone: Tz) -> Option<Timestamp> {
        if let Some(near) = self.latest_nearby(now, zone) {
            return Some(near);
        }
        let mut from = now.local(zone).date().succ_opt()?;
        loop {
            let date = self.dates.at_or_before(from)?;
            let last = |date| self.ticks(date, zone).into_iter().filter(|tick| *tick <= now).max();
            let previous = date.pred_opt()?;
            if let Some(tick) = last(date) {
                return Some(last(previous).map_or(tick, |other| tick.max(other)));
            }
            from = previous;
        }
    }

    /// The ticks of one civil date.
    fn ticks(&self, date: NaiveDate, zone: Tz) -> Vec<Timestamp> {
        let skipped = || Date::from_naive(date).start(zone).date(zone) != Date::from_naive(date);
        if !self.dates.include_month(date.month()) || !self.dates.include(date) || skipped() {
            return Vec::new();
        }
        let mut ticks = Vec::with_capacity(self.minutes.len());
        for minute in &self.minutes {
            let civil = at_minute(date, *minute);
            match self.pace {
                Pace::Fixed => ticks.push(Timestamp::from_local(civil, zone, Reading::First)),
                Pace::LocalClock { .. } => match zone.from_local_datetime(&civil) {
                    LocalResult::Single(at) => ticks.push(instant(at)),
                    LocalResult::Ambiguous(first, second) => ticks.extend([instant(first), instant(second)]),
                    LocalResult::None => {}
                },
            }
        }
        ticks
    }

    /// The next tick of a local-clock calendar where no clock change lies before it: within a day, the same offset
    /// at both ends.
    fn next_nearby(&self, after: Timestamp, zone: Tz) -> Option<Timestamp> {
        let local = self.local_clock(after, zone)?;
        let today = minute_of(local);
        let civil = match self.minutes.iter().find(|minute| **minute > today) {
            Some(minute) if self.dates_include(local.date()) => at_minute(local.date(), *minute),
            _ => at_minute(self.dates.at_or_after(local.date().succ_opt()?)?, self.minutes[0]),
        };
        same_offset(after, local, civil, zone)
    }

    fn latest_nearby(&self, now: Timestamp, zone: Tz) -> Option<Timestamp> {
        let local = self.local_clock(now, zone)?;
        let today = minute_of(local);
        let civil = match self.minutes.iter().rev().find(|minute| **minute <= today) {
            Some(minute) if self.dates_include(local.date()) => at_minute(local.date(), *minute),
            _ => at_minute(self.dates.at_or_before(local.date().pred_opt()?)?, *self.minutes.last()?),
        };
        same_offset(now, local, civil, zone)
    }

    fn local_clock(&self, at: Timestamp, zone: Tz) -> Option<NaiveDateTime> {
        self.follows_the_local_clock().then(|| at.local(zone))
    }

    fn dates_include(&self, date: NaiveDate) -> bool {
        self.dates.include_month(date.month()) && self.dates.include(date)
    }
}

/// The instant at which the local clock, which shows `local` at `at`, shows `civil`, provided that it is less than a
/// day away and the clock is not changed in between.
fn same_offset(at: Timestamp, local: NaiveDateTime, civil: NaiveDateTime, zone: Tz) -> Option<Timestamp> {
    let apart = civil - local;
    let tick = Timestamp::from_micros(at.micros().checked_add(apart.num_microseconds()?)?);
    (apart.abs() < Duration::days(1) && tick.local(zone) == civil).then_some(tick)
}

fn minute_of(local: NaiveDateTime) -> u16 {
    u16::try_from(local.hour() * 60 + local.minute()).expect("a day has 1440 minutes")
}

fn at_minute(date: NaiveDate, minute: u16) -> NaiveDateTime {
    date.and_time(chrono::NaiveTime::MIN) + Duration::minutes(i64::from(minute))
}

fn instant(at: DateTime<Tz>) -> Timestamp {
    Timestamp::from_micros(at.timestamp_micros())
}
