//! Schedules: when a rule ticks. What is due is decided by [`due`] from the stored runs.
//!
//! Pure. Waking the planner is elsewhere (`outreach::wake`): it remembers nothing and decides nothing.
//!
//! 1. A fixed time of day that a clock change skips ticks at the first instant after the gap, one that is repeated
//!    ticks at its first pass. A date that a zone skipped wholly has no ticks.
//! 2. `every N minutes | hours` counts in UTC from 1970-01-01T00:00:00Z and knows no clock change.
//! 3. Cron with a `*`, a step or a range among its minutes or hours follows the local clock: it ticks whenever that
//!    clock shows a matching time, so never in a gap and in both passes of a repeat.
//! 4. `next_after` and `latest` are two readings of one ascending list of instants.

mod calendar;
mod cron;
mod describe;
pub mod due;
mod nearest;
pub mod parse_when;
mod sentence;

use crate::problem::Fault;
use crate::time::{Reading, Span, Timestamp, Tz};
use calendar::Calendar;
use chrono::NaiveDateTime;
use std::borrow::Cow;

const HOUR: Span = Span::from_seconds(3_600);

/// When a rule is evaluated.
#[derive(Clone, PartialEq, Debug)]
pub enum Schedule {
    /// Only by `plusone fire`.
    Manual,
    /// At one instant: a civil time in the rule's zone.
    Once {
        at: Timestamp,
        civil: NaiveDateTime,
    },
    /// Each `Span`, counted from 1970-01-01T00:00:00Z. A whole number of minutes that divides a day.
    Every(Span),
    Calendar(Calendar),
}

impl Schedule {
    /// Reads a schedule as it is written in a rule's file: `manual`, one instant (`2026-12-01 10:00`, taken in
    /// `zone`), cron with five fields, or a sentence of the grammar (`every weekday at 9am`).
    ///
    /// # Errors
    /// One fault with the nearest sentence the grammar knows.
    pub fn parse(text: &str, zone: Tz) -> Result<Self, Fault> {
        let trimmed = text.trim();
        if trimmed.eq_ignore_ascii_case("manual") {
            Ok(Self::Manual)
        } else if looks_like_an_instant(trimmed) {
            parse_instant(text, zone)
        } else if cron::looks_like(trimmed) {
            cron::parse(text).map(Self::Calendar)
        } else {
            sentence::parse(text)
        }
    }

    /// The first tick strictly after `after`. `None` when there is none (and for a calendar, none in 41 years).
    pub fn next_after(&self, after: Timestamp, zone: Tz) -> Option<Timestamp> {
        match self {
            Self::Manual => None,
            Self::Once { at, .. } => Some(*at).filter(|at| *at > after),
            Self::Every(step) => Some(floor(after, *step).plus(*step)),
            Self::Calendar(calendar) => calendar.next_after(after, zone),
        }
    }

    /// The latest tick at or before `now`.
    pub fn latest(&self, now: Timestamp, zone: Tz) -> Option<Timestamp> {
        match self {
            Self::Manual => None,
            Self::Once { at, .. } => Some(*at).filter(|at| *at <= now),
            Self::Every(step) => Some(floor(now, *step)),
            Self::Calendar(calendar) => calendar.latest(now, zone),
        }
    }

    /// Whether it names times of a local clock, which come at other instants in other zones.
    pub const fn is_civil(&self) -> bool {
        matches!(self, Self::Once { .. } | Self::Calendar(_))
    }

    /// The same schedule by the clocks of `zone`.
    pub fn in_zone(&self, zone: Tz) -> Cow<'_, Self> {
        match self {
            Self::Once { civil, .. } => {
                Cow::Owned(Self::Once { at: Timestamp::from_local(*civil, zone, Reading::First), civil: *civil })
            }
            _ => Cow::Borrowed(self),
        }
    }

    /// Whether ticks are at most an hour apart: such a rule is due at once when it goes live.
    pub fn keeps_looking(&self) -> bool {
        match self {
            Self::Manual | Self::Once { .. } => false,
            Self::Every(step) => *step <= HOUR,
            Self::Calendar(calendar) => calendar.keeps_looking(),
        }
    }

    /// Whether ticks follow the local clock through its changes (law 3): `check` says so.
    pub fn follows_the_local_clock(&self) -> bool {
        matches!(self, Self::Calendar(calendar) if calendar.follows_the_local_clock())
    }

    /// The schedule read back in plain words: `every weekday at 09:00`.
    pub fn describe(&self) -> String {
        describe::describe(self)
    }
}

/// The latest multiple of `step` at or before `at`.
fn floor(at: Timestamp, step: Span) -> Timestamp {
    at.minus(Span::from_micros(at.micros().rem_euclid(step.micros())))
}

/// Four digits and a `-`: no cron field and no sentence begins so.
fn looks_like_an_instant(text: &str) -> bool {
    let bytes = text.as_bytes();
    bytes.len() > 4 && bytes[..4].iter().all(u8::is_ascii_digit) && bytes[4] == b'-'
}

fn parse_instant(text: &str, zone: Tz) -> Result<Schedule, Fault> {
    let trimmed = text.trim();
    let start = text.len() - text.trim_start().len();
    let shape = trimmed.len() == 16 && trimmed.as_bytes()[10] == b' ';
    let civil = NaiveDateTime::parse_from_str(trimmed, "%Y-%m-%d %H:%M").ok().filter(|_| shape).ok_or_else(|| {
        Fault::new(start..start + trimmed.len(), format!("`{trimmed}` is not a date and a time of day"))
            .help("one instant is written `2026-12-01 10:00`, in the rule's time zone")
    })?;
    Ok(Schedule::Once { at: Timestamp::from_local(civil, zone, Reading::First), civil })
}

#[cfg(test)]
mod laws;
#[cfg(test)]
mod tests;
