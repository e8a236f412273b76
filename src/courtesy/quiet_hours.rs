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
use crate::time::{Reading, Span, Timestamp, Tz};
use chrono::{Datelike, NaiveDateTime, NaiveTime, TimeDelta, Timelike};

/// How far the end of silence is looked for. Windows repeat every week, and a clock change may skip one week's only gap
/// between them.
const HORIZON: Span = Span::from_days(15);

const MINUTES_PER_DAY: u16 = 1_440;

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

#[cfg(test)]
mod tests;
