//! How a rule stands, for those who ask what it would do: live or not, broken or not, and when it ticks next.

use super::print::local;
use crate::app::{App, rule_path};
use crate::outreach::tick::History;
use crate::problem::Severity;
use crate::rules::{Live, Rule};
use crate::time::{Timestamp, Tz};
use serde_json::{Value, json};

/// A rule's standing at one moment.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Standing {
    pub life: Life,
    /// The file is broken; what is judged is its last good version.
    pub broken: bool,
    pub next_tick: Option<Timestamp>,
    /// The moment at which it stands so.
    pub now: Timestamp,
    /// The rule whose history this one takes over at the next pass: what is judged does not know of it yet.
    pub heir_of: Option<String>,
}

/// Whether a rule sends.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Life {
    Live,
    Draft,
    From(Timestamp),
    Over,
}

impl Standing {
    /// `zone` is that of the customer who asks, where there is one.
    pub fn of(app: &App, history: &History, rule: &Rule, zone: Option<Tz>, now: Timestamp) -> Self {
        let life = match rule.live {
            Live::Draft => Life::Draft,
            Live::Always => Life::Live,
            Live::Between { .. } if rule.live.at(now) => Life::Live,
            Live::Between { from: Some(from), .. } if from > now => Life::From(from),
            Live::Between { .. } => Life::Over,
        };
        let path = rule_path(&rule.name);
        let is_of_rule = |problem: &crate::problem::Problem| *problem.source.name == *path;
        let errors = app.workspace.problems.iter().filter(|problem| problem.severity == Severity::Error);
        let broken = errors.filter(|problem| is_of_rule(problem)).count() > 0;
        let heir_of = history.heir_of(rule, &app.workspace.project).map(str::to_owned);
        Self { life, broken, next_tick: history.next_tick(rule, zone, now), now, heir_of }
    }

    /// What goes after "would be sent", where that is not so, or not at the instant that was asked about.
    pub fn condition(&self, at: Timestamp, zone: Tz) -> String {
        let life = match self.life {
            Life::Live => String::new(),
            Life::Draft => ", once the rule is live".to_owned(),
            Life::From(from) => format!(", once the rule is live, from {}", local(from, zone)),
            Life::Over => return ", but the rule's last day is over".to_owned(),
        };
        let then = if at == self.now { "now" } else { "then" };
        let moment = if self.is_between_ticks(at) { format!(", if it ran {then}") } else { String::new() };
        format!("{life}{moment}")
    }

    /// How to ask about the next tick, for those who asked about an instant before it.
    pub fn next_asked(&self, question: &str, at: Timestamp, zone: Tz) -> Option<String> {
        let tick = local(self.next_tick.filter(|_| self.is_between_ticks(at) && self.life != Life::Over)?, zone);
        Some(format!("its next tick is at {tick}, and `plusone {question} --at \"{tick}\"` says what that would do"))
    }

    /// Whether nothing happens at `at` by itself.
    fn is_between_ticks(&self, at: Timestamp) -> bool {
        self.now <= at && self.next_tick.is_some_and(|tick| at < tick)
    }

    /// `live, every 15 minutes; next tick 2026-11-03 12:15`.
    pub fn sentence(&self, rule: &Rule, zone: Tz) -> String {
        let life = match self.life {
            Life::Live => "live".to_owned(),
            Life::Draft => "a draft (never sends until `live = true`)".to_owned(),
            Life::From(from) => format!("live from {}", local(from, zone)),
            Life::Over => "its last day is over".to_owned(),
        };
        let broken = if self.broken { "; its file is broken, and its last good version is in force" } else { "" };
        let next = match (self.life, self.next_tick) {
            (Life::Over, _) => String::new(),
            (_, None) => "; runs only when somebody says so (`plusone fire`)".to_owned(),
            (Life::Live, Some(at)) if at <= self.now => "; due now".to_owned(),
            (Life::Draft, Some(at)) => format!("; if it were live it would tick next at {}", local(at, zone)),
            (_, Some(at)) => format!("; next tick {}", local(at, zone)),
        };
        let heir = self.heir_of.as_ref().map(|was| {
            format!("; takes over the history of {was} at the next pass, until then whoever had that is judged as new")
        });
        format!("{life}, {}{next}{broken}{}", rule.schedule.describe(), heir.unwrap_or_default())
    }

    /// With the names that `who` and `why` add to theirs.
    pub fn add_to(&self, answer: &mut Value) {
        let life = match self.life {
            Life::Live => "live",
            Life::Draft => "draft",
            Life::From(_) => "not_yet",
            Life::Over => "over",
        };
        answer["rule_state"] = json!(life);
        answer["rule_broken"] = json!(self.broken);
        answer["next_tick"] = json!(self.next_tick.map(|at| at.to_string()));
    }
}
