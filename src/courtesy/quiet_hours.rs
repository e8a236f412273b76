//! Quiet hours: the part of a customer's week in which a channel does not disturb them.
//!
//! Pure: the caller brings `now` and the customer's zone. Whether to send at all is decided elsewhere.
//!
//! 1. Whether an instant is quiet is asked of the local clock at that instant, which is never ambiguous. Windows are
//!    half-open, `[from, until)`, and may cross midnight.
//! 2. A message inside a window waits; it is never dropped here. It waits past every window that follows on.
//! 3. Where a clock change skips the end of a window the message goes at the first instant after the gap, where it
//!    repeats the end, at the later reading.
//! 4. A message put off to `until` goes when it is judged again at `until`.

use crate::settings::QuietWindow;
use crate::time::{Reading, Span, Timestamp, Tz, Weekday};
use chrono::{Datelike, NaiveDateTime, NaiveTime, TimeDelta, Timelike};
use std::fmt;
use std::str::FromStr;

/// How far the end of silence is looked for. Windows repeat every week, and a clock change may skip one week's only gap
/// between them.
const HORIZON: Span = Span::from_days(15);

const MINUTES_PER_DAY: u16 = 1_440;
const MINUTES_PER_HOUR: u16 = 60;

/// What quiet hours say about one message at one instant.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Verdict {
    Send,
    Defer { until: Timestamp },
}

/// Judges a message due at `now` for a customer who lives in `zone`.
///
/// Windows that [cover the whole week](covers_whole_week) leave no time to send: the message is put off by fifteen days
/// and judged again then, until it expires. `check` refuses such windows.
pub fn verdict(windows: &[QuietWindow], now: Timestamp, zone: Tz) -> Verdict {
    let mut at = now;
    while let Some(end) = end_of_silence(windows, at.local(zone)) {
        at = Timestamp::from_local(end, zone, Reading::Later);
        if at.since(now) > HORIZON {
            return Verdict::Defer { until: now.plus(HORIZON) };
        }
    }
    if at == now { Verdict::Send } else { Verdict::Defer { until: at } }
}

/// Whether no minute of the week is left to send in.
pub fn covers_whole_week(windows: &[QuietWindow]) -> bool {
    let monday = NaiveDateTime::default() + TimeDelta::days(4);
    (0..7 * i64::from(MINUTES_PER_DAY))
        .all(|minute| end_of_silence(windows, monday + TimeDelta::minutes(minute)).is_some())
}

/// The latest end of the windows that `local` lies in; `None` outside all of them.
fn end_of_silence(windows: &[QuietWindow], local: NaiveDateTime) -> Option<NaiveDateTime> {
    windows.iter().filter_map(|window| end(window, local)).max()
}

/// When the window that `local` lies in ends.
fn end(window: &QuietWindow, local: NaiveDateTime) -> Option<NaiveDateTime> {
    let midnight = local.date().and_time(NaiveTime::MIN);
    let minute = u16::try_from(local.hour() * 60 + local.minute()).expect("a day has 1440 minutes");
    let minutes_after_midnight = match *window {
        QuietWindow::Weekday(day) => (local.weekday() == day).then_some(MINUTES_PER_DAY),
        QuietWindow::Daily { from, until } if from < until => (from <= minute && minute < until).then_some(until),
        QuietWindow::Daily { from, until } if from > until && minute >= from => Some(MINUTES_PER_DAY + until),
        QuietWindow::Daily { from, until } => (from > until && minute < until).then_some(until),
    };
    minutes_after_midnight.map(|minutes| midnight + TimeDelta::minutes(i64::from(minutes)))
}

impl FromStr for QuietWindow {
    type Err = ();

    /// `20:00-09:00`, `Sun`, `sunday`.
    fn from_str(text: &str) -> Result<Self, ()> {
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
            Self::Daily { from, until } => {
                let (hour, minute) = (|minutes| minutes / MINUTES_PER_HOUR, |minutes| minutes % MINUTES_PER_HOUR);
                write!(f, "{:02}:{:02}-{:02}:{:02}", hour(from), minute(from), hour(until), minute(until))
            }
        }
    }
}

fn weekday(text: &str) -> Option<Weekday> {
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
