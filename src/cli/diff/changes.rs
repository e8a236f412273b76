//! What else a changed rule changes: its settings, a line each, in words.

use crate::rules::{Channel, Live, OncePart, OncePer, Rule, Variant};
use crate::time::{Span, Timestamp};
use serde_json::{Value, json};
use std::fmt;

/// One setting that differs; text is as a person writes it, absent where the setting is not there.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Change {
    pub key: &'static str,
    pub from: Option<String>,
    pub to: Option<String>,
}

impl Change {
    pub fn to_json(&self) -> Value {
        json!({ "key": self.key, "from": self.from, "to": self.to })
    }
}

impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (&self.from, &self.to) {
            (Some(from), Some(to)) => write!(f, "{}: {from} becomes {to}", self.key),
            (None, Some(to)) => write!(f, "{}: now also {to}", self.key),
            (Some(from), None) => write!(f, "{}: no longer {from}", self.key),
            (None, None) => write!(f, "{}", self.key),
        }
    }
}

/// Everything in which the two differ, conditions first.
pub fn changes(before: &Rule, after: &Rule) -> Vec<Change> {
    let mut found = Vec::new();
    clauses("when", before, after, |rule| rule.when.iter().map(|clause| clause.text.clone()).collect(), &mut found);
    clauses("unless", before, after, |rule| rule.unless.iter().map(|clause| clause.text.clone()).collect(), &mut found);
    for (key, value) in SETTINGS {
        let (from, to) = (value(before), value(after));
        if from != to {
            found.push(Change { key, from, to });
        }
    }
    found
}

/// Clauses that went, then those that came.
fn clauses(key: &'static str, before: &Rule, after: &Rule, of: fn(&Rule) -> Vec<String>, found: &mut Vec<Change>) {
    let (before, after) = (of(before), of(after));
    let gone = before.iter().filter(|text| !after.contains(text));
    found.extend(gone.map(|text| Change { key, from: Some(text.clone()), to: None }));
    let came = after.iter().filter(|text| !before.contains(text));
    found.extend(came.map(|text| Change { key, from: None, to: Some(text.clone()) }));
}

/// A setting and its words, where it is set.
type Setting = (&'static str, fn(&Rule) -> Option<String>);

const SETTINGS: [Setting; 19] = [
    ("live", |rule| Some(live(rule.live))),
    ("kind", |rule| Some(rule.kind.to_string())),
    ("for_each", |rule| Some(rule.for_each.clone())),
    ("schedule", |rule| Some(rule.rhythm())),
    ("time_zone", |rule| Some(if rule.in_customers_time { "customer".to_owned() } else { rule.time_zone.to_string() })),
    ("once_per", |rule| Some(once_per(&rule.once_per))),
    ("again_after", |rule| rule.again_after.map(span)),
    ("channels", |rule| {
        Some(rule.channels.iter().map(|channel: &Channel| channel.as_str()).collect::<Vec<_>>().join(", "))
    }),
    ("template", |rule| Some(rule.template.clone())),
    ("topic", |rule| Some(format!("{} ({})", rule.topic, rule.purpose))),
    ("offer", |rule| (!rule.offers.is_empty()).then(|| rule.offers.join(", "))),
    ("variants", variants),
    ("priority", |rule| Some(rule.priority.to_string())),
    ("expires_after", |rule| Some(span(rule.expires_after))),
    ("existing", |rule| Some(rule.existing.to_string())),
    ("holdout", |rule| (rule.holdout > 0).then(|| format!("{}%", f64::from(rule.holdout) / 10_000.0))),
    ("pace", |rule| rule.pace.map(|rate| format!("{} in {}", rate.count, span(rate.per)))),
    ("urgent", |rule| rule.urgent.then(|| "true".to_owned())),
    ("recheck", |rule| (!rule.recheck).then(|| "false".to_owned())),
];

/// `letter 50%, cookie 50%`.
fn variants(rule: &Rule) -> Option<String> {
    let one = |variant: &Variant| format!("{} {}%", variant.name, f64::from(variant.share) / 10_000.0);
    (!rule.variants.is_empty()).then(|| rule.variants.iter().map(one).collect::<Vec<_>>().join(", "))
}

fn span(span: Span) -> String {
    crate::cli::print::spoken(span)
}

fn live(live: Live) -> String {
    let day = |at: Option<Timestamp>| at.map_or_else(|| "ever".to_owned(), |at| at.to_string());
    match live {
        Live::Draft => "a draft".to_owned(),
        Live::Always => "live".to_owned(),
        Live::Between { from, until } => format!("live from {} until {}", day(from), day(until)),
    }
}

fn once_per(once: &OncePer) -> String {
    let part = |part: &OncePart| match part {
        OncePart::Customer => "customer".to_owned(),
        OncePart::Entity(entity) => entity.clone(),
        OncePart::Field { entity, field } => format!("{entity}.{field}"),
        OncePart::Period(period) => period.to_string(),
    };
    match once {
        OncePer::Numbered => "numbered times, by again_after".to_owned(),
        OncePer::Parts(parts) => parts.iter().map(part).collect::<Vec<_>>().join(", "),
    }
}
