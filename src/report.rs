//! What rules did, in numbers: the funnel from match to goal, reach, cost, time to send, and the lift against those
//! who were held out. Pure: `store::report` counts, `cli` shows.
//!
//! 1. Each occurrence counts once, as it stands today: `matched` is the sum of refused, held out and planned, and
//!    `planned` the sum of all that became of it. Messages marked as tests count nowhere.
//! 2. What nothing tells is said to be not measured: it is never a zero.
//! 3. A share is never shown without what it is a share of, and a difference never without its interval.

pub mod goal;
pub mod interval;
pub mod variants;

use crate::amount::grouped;
use crate::time::{Span, Timestamp};
use crate::touchpoints::later::Later;
use crate::touchpoints::record::{money_json, time_json};
use crate::touchpoints::{Reason, State};
use interval::Interval;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use variants::VariantReport;

/// The report of all rules, or of one.
#[derive(Clone, PartialEq, Debug)]
pub struct Report {
    pub at: Timestamp,
    /// Only what was planned at or after.
    pub since: Option<Timestamp>,
    /// What of it is of later than `at`, or the runs that wrote nothing of it.
    pub later: Option<Later>,
    pub rules: Vec<RuleReport>,
}

/// What one rule did.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct RuleReport {
    pub rule: String,
    /// Empty for a rule whose file is gone.
    pub description: String,
    pub funnel: Funnel,
    /// How many different customers were sent something.
    pub reach: u64,
    /// What providers charged; money, scaled.
    pub cost: i64,
    /// What the offers sent cost; money, scaled.
    pub offer_cost: i64,
    pub time_to_send: Option<TimeToSend>,
    pub goal: Option<GoalReport>,
    /// Those of the rule in the order in which it has them, then those that it had; none where it never had any.
    pub variants: Vec<VariantReport>,
}

/// From the plan to the provider's yes: quiet hours and further attempts are part of it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct TimeToSend {
    pub median: Span,
    /// Of a hundred messages ninety-five were sent within this.
    pub most: Span,
}

impl TimeToSend {
    /// From how many messages took how long, in ascending order.
    pub fn of(times: &[(Span, u64)]) -> Option<Self> {
        let all: u64 = times.iter().map(|(_, count)| count).sum();
        let at = |place: u64| {
            let mut seen = 0;
            let found = times.iter().find(|(_, count)| {
                seen += count;
                seen >= place
            });
            found.map(|(took, _)| *took)
        };
        let (median, most) = (at(all.div_ceil(2))?, at((all * 95).div_ceil(100))?);
        (all > 0).then_some(Self { median, most })
    }
}

/// What became of every occurrence that a rule matched.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Funnel {
    pub refused: BTreeMap<Reason, u64>,
    pub held_out: u64,
    /// Planned, or on the way at this moment.
    pub waiting: u64,
    /// Waits for approval.
    pub held: u64,
    /// A provider took it: delivered and bounced ones included.
    pub sent: u64,
    pub delivered: u64,
    pub bounced: u64,
    pub complained: u64,
    pub failed: u64,
    pub in_doubt: u64,
    pub expired: u64,
    pub cancelled: u64,
}

impl Funnel {
    /// Counts `count` occurrences that stand in this state.
    pub fn add(&mut self, state: State, reason: Option<Reason>, count: u64) {
        let place = match (state, reason) {
            (State::Skipped, Some(reason)) => self.refused.entry(reason).or_default(),
            // A skip without a word of ours was written by a newer program; it is no message all the same.
            (State::Skipped, None) => self.refused.entry(Reason::NoLongerTrue).or_default(),
            (State::HeldOut, _) => &mut self.held_out,
            (State::Planned | State::Claimed | State::Dispatching, _) => &mut self.waiting,
            (State::Held, _) => &mut self.held,
            (State::Sent | State::Delivered | State::Bounced, _) => &mut self.sent,
            (State::Failed, _) => &mut self.failed,
            (State::InDoubt, _) => &mut self.in_doubt,
            (State::Expired, _) => &mut self.expired,
            (State::Cancelled, _) => &mut self.cancelled,
        };
        *place += count;
        match state {
            State::Delivered => self.delivered += count,
            State::Bounced => self.bounced += count,
            _ => {}
        }
    }

    pub fn refusals(&self) -> u64 {
        self.refused.values().sum()
    }

    pub const fn planned(&self) -> u64 {
        self.waiting + self.held + self.sent + self.failed + self.in_doubt + self.expired + self.cancelled
    }

    pub fn matched(&self) -> u64 {
        self.refusals() + self.held_out + self.planned()
    }

    /// How many were delivered, where any receipt tells: relays of mail send none.
    pub fn delivery_told(&self) -> Option<u64> {
        (self.delivered > 0).then_some(self.delivered)
    }

    fn to_json(&self) -> Value {
        let refused: BTreeMap<&str, u64> = self.refused.iter().map(|(reason, n)| (reason.as_str(), *n)).collect();
        json!({
            "matched": self.matched(), "refused": refused, "held_out": self.held_out, "planned": self.planned(),
            "waiting": self.waiting, "held": self.held, "sent": self.sent, "delivered": self.delivery_told(),
            "opened": Value::Null, "clicked": Value::Null,
            "bounced": self.bounced, "complained": self.complained, "failed": self.failed,
            "in_doubt": self.in_doubt, "expired": self.expired, "cancelled": self.cancelled,
        })
    }
}

/// How many of a group reached the goal.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Group {
    pub count: u64,
    pub reached: u64,
    /// Of those who have not, how many still may: their time is not over.
    pub open: u64,
}

impl Group {
    pub const fn add(&mut self, other: Self) {
        self.count += other.count;
        self.reached += other.reached;
        self.open += other.open;
    }

    /// Of 1; nothing of nobody.
    pub fn rate(self) -> Option<f64> {
        (self.count > 0).then(|| share(self.reached, self.count))
    }

    pub(super) fn to_json(self) -> Value {
        json!({ "count": self.count, "reached": self.reached, "rate": self.rate(), "open": self.open })
    }
}

/// `part` of `whole`, of 1; nothing of nothing is nothing.
pub fn share(part: u64, whole: u64) -> f64 {
    if whole == 0 { 0.0 } else { part as f64 / whole as f64 }
}

/// How often the goal was reached, by those who were sent something and by those who were held out.
#[derive(Clone, PartialEq, Debug)]
pub struct GoalReport {
    /// The conditions as written.
    pub when: Vec<String>,
    pub within: Span,
    pub sent: Group,
    pub held_out: Group,
}

impl GoalReport {
    /// The difference of the two rates, sent less held out, where there are both.
    pub fn lift(&self) -> Option<Interval> {
        let (sent, held_out) = (self.sent, self.held_out);
        (sent.count > 0 && held_out.count > 0)
            .then(|| interval::difference((sent.reached, sent.count), (held_out.reached, held_out.count)))
    }

    /// Whether it means anything, in a few words.
    pub fn in_short(&self) -> &'static str {
        match self.lift() {
            None if self.sent.count == 0 => "nothing sent yet",
            None => "nobody held out",
            Some(lift) if lift.low > 0.0 => "makes a difference",
            Some(lift) if lift.high < 0.0 => "does harm",
            Some(_) => "too few to tell",
        }
    }

    /// What it came to, and whether that means anything yet, in one sentence.
    pub fn sentence(&self) -> String {
        let (sent, held_out) = (self.sent, self.held_out);
        let mut text = match (sent.rate(), held_out.rate()) {
            (None, _) => return "nothing was sent yet, so nobody can have reached the goal".to_owned(),
            (Some(rate), None) => format!(
                "{} of {} reached the goal; nobody was held out, so nothing says how many would have without it \
                 (`holdout = \"5%\"` in the rule)",
                percent(rate),
                grouped(sent.count)
            ),
            (Some(rate), Some(without)) => {
                let (rate, without) = (percent(rate), percent(without));
                let verdict = self.lift().map_or_else(String::new, verdict);
                let (sent, held_out) = (grouped(sent.count), grouped(held_out.count));
                format!("{rate} of {sent} reached the goal, {without} of {held_out} held out: {verdict}")
            }
        };
        let open = sent.open + held_out.open;
        if open > 0 {
            text.push_str(&format!("; {} may still reach it", grouped(open)));
        }
        text
    }

    fn to_json(&self) -> Value {
        let lift = self.lift().map(|lift| {
            json!({
                "difference": lift.value, "low": lift.low, "high": lift.high, "level": interval::LEVEL,
                "conclusive": lift.is_conclusive(),
            })
        });
        json!({
            "when": self.when, "within_seconds": self.within.seconds(), "sent": self.sent.to_json(),
            "held_out": self.held_out.to_json(), "lift": lift, "summary": self.sentence(),
        })
    }
}

/// The interval in points, and what it allows to be said.
fn verdict(lift: Interval) -> String {
    let (low, high) = (points(lift.low), points(lift.high));
    if lift.low > 0.0 {
        format!("between {low} and {high} points more; the message makes that difference")
    } else if lift.high < 0.0 {
        format!("between {high} and {low} points fewer; the message does more harm than good")
    } else {
        format!("between {low} points fewer and {high} more; too few to tell")
    }
}

/// A difference of shares in points, without its sign: `2.1`.
fn points(value: f64) -> String {
    format!("{:.1}", value.abs() * 100.0)
}

/// `7.1%`.
pub fn percent(rate: f64) -> String {
    format!("{:.1}%", rate * 100.0)
}

impl RuleReport {
    fn to_json(&self, currency: &str) -> Value {
        json!({
            "rule": self.rule, "description": self.description, "funnel": self.funnel.to_json(),
            "reach": self.reach, "cost": money_json(Some(self.cost), currency),
            "offer_cost": money_json(Some(self.offer_cost), currency),
            "time_to_send": self.time_to_send.map(|time| json!({
                "median_seconds": time.median.seconds(), "p95_seconds": time.most.seconds(),
            })),
            "goal": self.goal.as_ref().map(GoalReport::to_json),
            "variants": self.variants.iter().map(|one| one.to_json(&self.variants, currency)).collect::<Value>(),
            "variants_summary": variants::sentences(&self.variants),
        })
    }
}

impl Report {
    /// One document with stable names.
    pub fn to_json(&self, currency: &str) -> Value {
        json!({
            "at": self.at.to_string(), "since": time_json(self.since), "later": self.later.map(Later::to_json),
            "rules": self.rules.iter().map(|rule| rule.to_json(currency)).collect::<Value>(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn goal(sent: (u64, u64), held_out: (u64, u64)) -> GoalReport {
        let group = |(reached, count)| Group { count, reached, open: 0 };
        GoalReport { when: Vec::new(), within: Span::from_days(3), sent: group(sent), held_out: group(held_out) }
    }

    #[test]
    fn a_funnel_adds_up() {
        let mut funnel = Funnel::default();
        for (place, state) in State::ALL.iter().enumerate() {
            let reason = (*state == State::Skipped).then_some(Reason::NoConsent);
            funnel.add(*state, reason, 1 << place);
        }
        assert_eq!(funnel.matched(), (1 << State::ALL.len()) - 1);
        assert_eq!(funnel.matched(), funnel.refusals() + funnel.held_out + funnel.planned());
        assert!(funnel.sent > funnel.delivered + funnel.bounced);
    }

    #[test]
    fn the_sentence_says_whether_the_difference_means_anything() {
        let said = |sent, held_out| goal(sent, held_out).sentence();
        assert_eq!(
            said((142, 2_000), (5, 100)),
            "7.1% of 2,000 reached the goal, 5.0% of 100 held out: between 4.2 points fewer and 5.2 more; too few to tell"
        );
        assert_eq!(
            said((300, 2_000), (20, 1_000)),
            "15.0% of 2,000 reached the goal, 2.0% of 1,000 held out: between 11.2 and 14.8 points more; the message makes that difference"
        );
        let short = |sent, held_out| goal(sent, held_out).in_short();
        assert_eq!(short((142, 2_000), (5, 100)), "too few to tell");
        assert_eq!(short((300, 2_000), (20, 1_000)), "makes a difference");
        assert_eq!(short((20, 1_000), (300, 2_000)), "does harm");
        assert_eq!((short((3, 60), (0, 0)), short((0, 0), (0, 9))), ("nobody held out", "nothing sent yet"));
        assert!(said((20, 1_000), (300, 2_000)).contains("points fewer; the message does more harm than good"));
        assert!(said((3, 60), (0, 0)).contains("nobody was held out"));
        assert!(said((0, 0), (0, 0)).contains("nothing was sent yet"));
        let open = GoalReport { sent: Group { count: 2, reached: 0, open: 2 }, ..goal((0, 2), (0, 2)) };
        assert!(open.sentence().ends_with("; 2 may still reach it"));
    }

    #[test]
    fn the_median_and_the_ninety_fifth_of_a_hundred_are_messages_that_there_were() {
        let seconds = |times: &[(i64, u64)]| {
            let times: Vec<_> = times.iter().map(|(took, count)| (Span::from_seconds(*took), *count)).collect();
            TimeToSend::of(&times).map(|time| (time.median.seconds(), time.most.seconds()))
        };
        assert_eq!(seconds(&[]), None);
        assert_eq!(seconds(&[(7, 1)]), Some((7, 7)));
        assert_eq!(seconds(&[(1, 1), (2, 1), (3, 1)]), Some((2, 3)));
        let hundred: Vec<(i64, u64)> = (1..=100).map(|took| (took, 1)).collect();
        assert_eq!(seconds(&hundred), Some((50, 95)));
        assert_eq!(seconds(&[(1, 94), (60, 1), (600, 5)]), Some((1, 60)));
    }
}
