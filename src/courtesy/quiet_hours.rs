//! Hours: when a message may reach a customer, and when it is put off to.
//!
//! Quiet hours are times of silence, legal hours the times outside which nothing goes. Pure: the caller brings `now` and
//! the zones that the customer may live in. Whether to send at all is decided elsewhere.
//!
//! 1. Whether an instant is silent is asked of the local clock at that instant, which is never ambiguous. Windows are
//!    half-open, `[from, until)`, and may cross midnight.
//! 2. A message inside a window waits; it is never dropped here. It waits past every window that follows on.
//! 3. Where a clock change skips the end of a window the message goes at the first instant after the gap. No wait ends
//!    in the first pass of an hour that a clock change repeats: a repeated end is taken at its later reading.
//! 4. It goes at the earliest instant that this leaves, and is not silent when it is judged again then.
//! 5. Where a customer may live in several zones, an instant is silent if it is silent in one of them.

use super::holidays;
use super::legal_hours::OpenHours;
use crate::settings::QuietWindow;
use crate::time::{Date, Reading, Span, Timestamp, Tz, Weekday};
use chrono::{Datelike, NaiveDateTime, NaiveTime, TimeDelta, Timelike};
use std::fmt;
use std::str::FromStr;

/// How far the end of silence is looked for. Windows repeat every week, and a clock change may skip one week's only gap
/// between them.
const HORIZON: Span = Span::from_days(15);
const MINUTE: Span = Span::from_seconds(60);
/// Over how many minutes what waited for the end of a window is spread.
const SPREAD: u64 = 15;

const MINUTES_PER_DAY: u16 = 1_440;
const MINUTES_PER_HOUR: u16 = 60;
/// The word for public holidays.
pub const HOLIDAYS: &str = "holidays";

/// What the hours say about one message at one instant.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Verdict {
    Send,
    Defer { until: Timestamp },
}

/// Everything that silences one message.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Silence<'a> {
    pub quiet: Vec<&'a [QuietWindow]>,
    /// Nothing goes outside any of these.
    pub open: Vec<&'a OpenHours>,
    /// Whose holidays count: ISO 3166-1 alpha-2.
    pub country: &'a str,
}

impl Silence<'_> {
    /// Judges a message due at `now` for a customer who lives in one of `zones`.
    ///
    /// Hours that [cover the whole week](Silence::covers_whole_week) leave no time to send: the message is put off by
    /// fifteen days and judged again then, until it expires. `check` warns of such hours.
    pub fn verdict(&self, now: Timestamp, zones: &[Tz]) -> Verdict {
        let mut at = now;
        while let Some(later) = zones.iter().filter_map(|zone| self.wait(at, *zone, at > now)).max() {
            at = later;
            if at.since(now) > HORIZON {
                return Verdict::Defer { until: now.plus(HORIZON) };
            }
        }
        if at == now { Verdict::Send } else { Verdict::Defer { until: at } }
    }

    /// Until when a message that may not go at `at` has to wait at least.
    fn wait(&self, at: Timestamp, zone: Tz, is_waiting: bool) -> Option<Timestamp> {
        if let Some(end) = self.end(at.local(zone)) {
            let first = Timestamp::from_local(end, zone, Reading::First);
            return Some(if first > at { first } else { Timestamp::from_local(end, zone, Reading::Later) });
        }
        if is_waiting { at.end_of_first_pass(zone) } else { None }
    }

    /// Where in the quarter of an hour after `until`, the end of a wait, the message with this key goes: the same place
    /// for every daemon and every attempt, so that not all that waited leaves in one instant. Never in a window, nor
    /// after `last`.
    pub fn spread(&self, until: Timestamp, zones: &[Tz], last: Timestamp, key: &str) -> Timestamp {
        let is_open = |minute: u64| {
            let at = after(until, 60 * minute);
            zones.iter().all(|zone| self.end(at.local(*zone)).is_none())
        };
        let minutes = (0..SPREAD).take_while(|minute| is_open(*minute)).count() as u64;
        let left = u64::try_from(last.since(until).seconds()).unwrap_or(0);
        after(until, crate::ids::number(key) % (60 * minutes).min(left + 1).max(1))
    }

    /// Whether no minute of a week without holidays is left to send in.
    pub fn covers_whole_week(&self) -> bool {
        let monday = NaiveDateTime::default() + TimeDelta::days(4);
        (0..7 * i64::from(MINUTES_PER_DAY)).all(|minute| self.end(monday + TimeDelta::minutes(minute)).is_some())
    }

    /// How long one message may have to wait in one zone at most: every window after the other, the hours that a
    /// clock change repeats, and the quarter of an hour over which what waited is spread. `None` where that cannot be said:
    /// legal hours and holidays follow on one another as they come.
    pub fn longest(&self) -> Option<Span> {
        if !self.open.is_empty() {
            return None;
        }
        let (mut daily, mut days) = (0, 0);
        for window in self.quiet.iter().copied().flatten() {
            match *window {
                QuietWindow::Holidays => return None,
                QuietWindow::Weekday(_) => days += i64::from(MINUTES_PER_DAY),
                QuietWindow::Daily { from, until } if from < until => daily += i64::from(until - from),
                QuietWindow::Daily { from, until } => daily += i64::from(MINUTES_PER_DAY - from + until),
            }
        }
        if daily >= i64::from(MINUTES_PER_DAY) {
            return None;
        }
        // Silent days may have the hours before the first of them and those after the last.
        let minutes = if days > 0 { days + 2 * daily } else { daily };
        let more = if minutes > 0 { 2 * i64::from(MINUTES_PER_HOUR) + SPREAD.cast_signed() } else { 0 };
        Some(Span::from_seconds(60 * (minutes + more)))
    }

    /// The latest end of what silences `local`; `None` where nothing does.
    fn end(&self, local: NaiveDateTime) -> Option<NaiveDateTime> {
        let midnight = local.date().and_time(NaiveTime::MIN);
        let minute = u16::try_from(local.hour() * 60 + local.minute()).expect("a day has 1440 minutes");
        let is_holiday = || holidays::is_holiday(self.country, Date::from_naive(local.date()));
        let quiet = self.quiet.iter().copied().flatten();
        let quiet = quiet.filter_map(|window| end(window, local.weekday(), minute, is_holiday));
        let closed = self.open.iter().filter_map(|hours| hours.opens(local.weekday(), minute, is_holiday));
        let minutes_after_midnight = quiet.chain(closed).max()?;
        Some(midnight + TimeDelta::minutes(i64::from(minutes_after_midnight)))
    }
}

const fn after(at: Timestamp, seconds: u64) -> Timestamp {
    at.plus(Span::from_micros(MINUTE.micros() / 60 * seconds.cast_signed()))
}

/// When the window that this minute lies in ends, in minutes after midnight.
fn end(window: &QuietWindow, weekday: Weekday, minute: u16, is_holiday: impl Fn() -> bool) -> Option<u16> {
    match *window {
        QuietWindow::Weekday(day) => (weekday == day).then_some(MINUTES_PER_DAY),
        QuietWindow::Holidays => is_holiday().then_some(MINUTES_PER_DAY),
        QuietWindow::Daily { from, until } if from < until => (from <= minute && minute < until).then_some(until),
        QuietWindow::Daily { from, until } if from > until && minute >= from => Some(MINUTES_PER_DAY + until),
        QuietWindow::Daily { from, until } => (from > until && minute < until).then_some(until),
    }
}

impl FromStr for QuietWindow {
    type Err = ();

    /// `20:00-09:00`, `Sun`, `sunday`, `holidays`.
    fn from_str(text: &str) -> Result<Self, ()> {
        if text.eq_ignore_ascii_case(HOLIDAYS) {
            return Ok(Self::Holidays);
        }
        if let Some(day) = weekday(text) {
            return Ok(Self::Weekday(day));
        }
        let (from, until) = text.split_once('-').ok_or(())?;
        match (minute(from), minute(until)) {
            (Some(from), Some(until)) if from != until => Ok(Self::Daily { from, until }),
            _ => Err(()),
        }
    }
}

impl fmt::Display for QuietWindow {
    /// As it is read.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Weekday(day) => write!(f, "{day}"),
            Self::Holidays => f.write_str(HOLIDAYS),
            Self::Daily { from, until } => {
                let (hour, minute) = (|minutes| minutes / MINUTES_PER_HOUR, |minutes| minutes % MINUTES_PER_HOUR);
                write!(f, "{:02}:{:02}-{:02}:{:02}", hour(from), minute(from), hour(until), minute(until))
            }
        }
    }
}

/// A day of the week by its name or its first three letters.
pub fn weekday(text: &str) -> Option<Weekday> {
    let day: Weekday = text.parse().ok()?;
    let short = day.to_string();
    (text.len() == short.len() || text.to_lowercase().ends_with("day")).then_some(day)
}

/// Minutes after midnight of `HH:MM`; `24:00` is the end of the day.
pub fn minute(text: &str) -> Option<u16> {
    let (hour, minute) = text.trim().split_once(':')?;
    let two_digits = |part: &str| part.len() == 2 && part.bytes().all(|byte| byte.is_ascii_digit());
    if !two_digits(hour) || !two_digits(minute) {
        return None;
    }
    let (hour, minute): (u16, u16) = (hour.parse().ok()?, minute.parse().ok()?);
    match (hour, minute) {
        (24, 0) => Some(0),
        (0..=23, 0..=59) => Some(hour * MINUTES_PER_HOUR + minute),
        _ => None,
    }
}

#[cfg(test)]
mod tests;
