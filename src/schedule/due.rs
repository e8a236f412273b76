//! Which ticks of a rule are due, decided from what is stored and from nothing else.
//!
//! 1. The same arguments give the same instants, after a restart too: what was decided is in the stored runs.
//! 2. No tick at or before the last run, none after `now`, and none twice.
//! 3. A rule that has just gone live is due at once at its latest tick if it keeps looking; with a fixed time of day
//!    it waits for the next one.

use super::Schedule;
use crate::rules::CatchUp;
use crate::time::{Span, Timestamp, Tz};

/// A tick seen within this long after its instant was not missed, whatever `catch_up` says.
pub const PUNCTUAL: Span = Span::from_seconds(300);

/// The most ticks that `catch_up = "all"` makes up for; the newest are kept.
pub const MAX_CAUGHT_UP: usize = 1_000;

/// What a decision about a rule's ticks rests on.
#[derive(Clone, Copy, Debug)]
pub struct Timetable<'a> {
    pub schedule: &'a Schedule,
    /// The rule's zone.
    pub zone: Tz,
    /// Since when the rule is live; later than `now` for a rule that will be.
    pub live_since: Timestamp,
    /// The instant of the newest stored tick, whatever became of it.
    pub last_run: Option<Timestamp>,
    pub catch_up: CatchUp,
    /// How far back missed ticks are made up for.
    pub catch_up_window: Span,
}

/// What is due, and when to look again.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Due {
    /// In ascending order.
    pub instants: Vec<Timestamp>,
    /// The first tick after `now`.
    pub next: Option<Timestamp>,
}

impl Timetable<'_> {
    /// The ticks that are due at `now` where each of `zones` has its own: the instants at which the schedule is due in
    /// any of them. Zones miss ticks one by one, so each makes up for its own.
    pub fn due_in(&self, zones: &[Tz], now: Timestamp) -> Due {
        let mut due = Due::default();
        for zone in zones {
            let schedule = self.schedule.in_zone(*zone);
            let here = Timetable { schedule: &schedule, zone: *zone, ..*self }.due(now);
            due.instants.extend(here.instants);
            due.next = due.next.into_iter().chain(here.next).min();
        }
        due.instants.sort_unstable();
        due.instants.dedup();
        due.instants.drain(..due.instants.len().saturating_sub(MAX_CAUGHT_UP));
        due
    }

    /// The ticks that are due at `now`.
    pub fn due(&self, now: Timestamp) -> Due {
        let keeps_looking = self.schedule.keeps_looking();
        if self.live_since > now {
            let first = if keeps_looking { Some(self.live_since) } else { self.first_from(self.live_since) };
            return Due { instants: Vec::new(), next: first };
        }
        let next = self.schedule.next_after(now, self.zone);
        let Some(latest) = self.schedule.latest(now, self.zone).filter(|tick| self.is_open(*tick)) else {
            return Due { instants: Vec::new(), next };
        };
        let at_once = keeps_looking && self.has_yet_to_tick();
        let instants = if at_once { vec![latest] } else { self.missed(latest, now) };
        Due { instants, next }
    }

    /// No tick of this rule at or after `tick` was run before.
    fn is_open(&self, tick: Timestamp) -> bool {
        self.last_run.is_none_or(|last| tick > last)
    }

    /// Whether the rule has not run since it went live; its first tick may lie just before that.
    fn has_yet_to_tick(&self) -> bool {
        self.last_run < self.schedule.latest(self.live_since, self.zone)
    }

    fn first_from(&self, instant: Timestamp) -> Option<Timestamp> {
        self.schedule.next_after(instant.minus(Span::from_micros(1)), self.zone)
    }

    /// The ticks up to `latest` that count, by the rule's policy.
    fn missed(&self, latest: Timestamp, now: Timestamp) -> Vec<Timestamp> {
        let window = match self.catch_up {
            CatchUp::None => PUNCTUAL,
            CatchUp::Latest | CatchUp::All => self.catch_up_window.max(PUNCTUAL),
        };
        let oldest = now.minus(window).max(self.live_since);
        if latest < oldest {
            return Vec::new();
        }
        if self.catch_up != CatchUp::All {
            return vec![latest];
        }
        let mut ticks = vec![latest];
        while ticks.len() < MAX_CAUGHT_UP {
            let before = ticks[ticks.len() - 1].minus(Span::from_micros(1));
            match self.schedule.latest(before, self.zone) {
                Some(tick) if tick >= oldest && self.is_open(tick) => ticks.push(tick),
                _ => break,
            }
        }
        ticks.reverse();
        ticks
    }
}

#[cfg(test)]
mod tests;
