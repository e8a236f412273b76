//! What became of everyone whom a run matched, in numbers.

use crate::plan::decide::Message;
use crate::touchpoints::Reason;
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// `matched` = planned + held + held_out + already_touched + the sum of skipped; deferred is part of planned.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Counts {
    pub planned: u64,
    pub deferred: u64,
    pub held: u64,
    pub held_out: u64,
    pub already_touched: u64,
    pub skipped: BTreeMap<Reason, u64>,
    /// What the planned messages will cost by the providers' prices, at one segment or minute each; money, scaled.
    pub cost: i64,
    /// When the first of the deferred messages goes; microseconds.
    pub deferred_until: Option<i64>,
}

impl Counts {
    pub fn matched(&self) -> u64 {
        self.planned + self.held + self.held_out + self.already_touched + self.skipped.values().sum::<u64>()
    }

    /// Counts a planned message that costs `price`.
    pub fn plan(&mut self, message: &Message, price: i64) {
        self.planned += 1;
        self.cost += price;
        if message.deferred.is_some() || message.waits.is_some() {
            self.deferred += 1;
            self.deferred_until = self.deferred_until.into_iter().chain([message.due_at.micros()]).min();
        }
    }

    pub fn skip(&mut self, reason: Reason) {
        *self.skipped.entry(reason).or_default() += 1;
    }

    /// Adds the counts of another part of the same run.
    pub fn add(&mut self, other: &Self) {
        self.planned += other.planned;
        self.deferred += other.deferred;
        self.held += other.held;
        self.held_out += other.held_out;
        self.already_touched += other.already_touched;
        self.cost += other.cost;
        for (reason, count) in &other.skipped {
            *self.skipped.entry(*reason).or_default() += count;
        }
        self.deferred_until = self.deferred_until.into_iter().chain(other.deferred_until).min();
    }

    /// A run that waits for approval: what was planned is held.
    pub fn hold(&mut self) {
        self.held += self.planned;
        self.planned = 0;
        self.deferred = 0;
    }

    /// With the names of `once --json`.
    pub fn to_json(&self) -> Value {
        let skipped: BTreeMap<&str, u64> = self.skipped.iter().map(|(reason, n)| (reason.as_str(), *n)).collect();
        json!({
            "matched": self.matched(), "planned": self.planned, "deferred": self.deferred, "held": self.held,
            "held_out": self.held_out, "already_touched": self.already_touched, "skipped": skipped,
        })
    }

    /// As kept with a run or a part of one.
    pub fn to_text(&self) -> String {
        let mut value = self.to_json();
        value["cost"] = json!(self.cost);
        value["deferred_until"] = json!(self.deferred_until);
        value.to_string()
    }

    /// Reads what [`Counts::to_text`] wrote; what it does not know counts as zero.
    pub fn from_text(text: &str) -> Self {
        let value: Value = serde_json::from_str(text).unwrap_or(Value::Null);
        let number = |name: &str| value[name].as_u64().unwrap_or(0);
        let skipped = value["skipped"].as_object().into_iter().flatten();
        let skipped = skipped.filter_map(|(reason, n)| Some((reason.parse().ok()?, n.as_u64()?)));
        Self {
            planned: number("planned"),
            deferred: number("deferred"),
            held: number("held"),
            held_out: number("held_out"),
            already_touched: number("already_touched"),
            skipped: skipped.collect(),
            cost: value["cost"].as_i64().unwrap_or(0),
            deferred_until: value["deferred_until"].as_i64(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_are_kept_and_read_back() {
        let mut counts = Counts { planned: 3, deferred: 1, already_touched: 2, cost: 420, ..Counts::default() };
        counts.skip(Reason::NoConsent);
        counts.skip(Reason::NoConsent);
        counts.deferred_until = Some(7);
        assert_eq!(Counts::from_text(&counts.to_text()), counts);
        assert_eq!(counts.matched(), 7);
    }
}
