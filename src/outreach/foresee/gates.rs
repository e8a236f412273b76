//! Every gate in the order in which it is asked, for people who ask why: passed, refused, or not asked.

use crate::plan::decide::{Decision, Message};
use crate::rules::{Channel, Purpose, Rule};
use crate::touchpoints::record::parsed_json;
use crate::touchpoints::{Contact, Detail, Reason, State};
use serde_json::{Value, json};

/// The gates of one candidate, in the order in which they are asked. What the run as a whole is asked, [`GUARD`],
/// comes after them.
pub const ORDER: [&str; 13] = [
    "seen_before",
    "again_after",
    "pauses",
    "moment",
    "address",
    "consent",
    "suppression",
    "hours",
    "caps",
    "same_address",
    "eligibility",
    "holdout",
    "budget",
];

/// Whether the run that the message belongs to waits for approval.
pub const GUARD: &str = "guard";

/// One gate and what it said.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Asked {
    pub gate: &'static str,
    /// `None`: not asked, or nobody can say.
    pub passed: Option<bool>,
    pub reason: Option<Reason>,
    pub detail: Option<String>,
}

impl Asked {
    /// A gate of which nothing more is told.
    pub const fn silent(gate: &'static str, passed: Option<bool>) -> Self {
        Self { gate, passed, reason: None, detail: None }
    }

    /// With the names of `why --json`.
    pub fn to_json(&self) -> Value {
        let reason = self.reason.map(Reason::as_str);
        json!({ "gate": self.gate, "passed": self.passed, "reason": reason, "detail": self.detail })
    }
}

/// What a message goes to, as far as it is known, for the gates that tell it.
#[derive(Clone, Copy, Default)]
struct Way<'a> {
    channel: Option<Channel>,
    address: Option<&'a str>,
    purpose: Option<Purpose>,
}

/// What the details of gates hang on.
#[derive(Clone, Copy)]
struct About<'a> {
    topic: &'a str,
    /// `None` where nobody knows.
    carries_offer: Option<bool>,
    way: Way<'a>,
}

/// All gates of [`ORDER`] for a decision: those after a refusal were not asked.
pub fn in_order(rule: &Rule, decision: &Decision) -> Vec<Asked> {
    let of = |message: &'_ Message| (Some(message.channel), message.address.clone(), Some(message.purpose));
    let ((channel, address, purpose), kept) = match decision {
        Decision::Plan(message) | Decision::HoldOut(message, _) => (of(message), &message.gates),
        Decision::Refuse(refusal) => ((None, String::new(), None), &refusal.gates),
    };
    let refused = match decision {
        Decision::Plan(_) => None,
        Decision::HoldOut(_, by) => Some((Reason::HeldOut, Some(by.clone()))),
        Decision::Refuse(refusal) => Some((refusal.reason, refusal.detail.clone())),
    };
    let way = Way { channel, address: Some(&address), purpose };
    let about = About { topic: &rule.topic, carries_offer: Some(!rule.offers.is_empty()), way };
    listed(refused, |gate| told(gate, about, |name| kept.iter().find(|one| one.name == name)?.detail.clone()))
}

/// All gates of [`ORDER`] as a touchpoint recorded them. What was planned passed all of them, whatever came later.
/// `rule` is as it read then, if that is known.
pub fn recorded(rule: Option<&Rule>, detail: &Detail) -> Vec<Asked> {
    let (one, gates) = (&detail.touchpoint, detail.gates.as_deref());
    let said = detail.events.iter().rev().find(|event| event.kind == one.state.as_str());
    let said = said.and_then(|event| event.detail.as_deref());
    let refused = match (gates, one.state, one.reason) {
        (_, State::HeldOut, _) => Some(Reason::HeldOut),
        (None, State::Skipped, Some(reason)) => Some(reason),
        _ => None,
    };
    let behind = |reason: &Reason| {
        let said = said?.strip_prefix(reason.as_str())?;
        said.strip_prefix(": ").map(str::to_owned)
    };
    let refused = refused.map(|reason| (reason, behind(&reason)));
    let kept = parsed_json(gates);
    let kept = |name: &str| {
        let found = kept.as_array()?.iter().find(|gate| gate.get(0).and_then(Value::as_str) == Some(name))?;
        found.get(1).and_then(Value::as_str).map(str::to_owned)
    };
    let address = one.address.as_ref().map(Contact::clear);
    let way = Way { channel: one.channel, address, purpose: one.channel.map(|_| one.purpose) };
    let about = About { topic: &one.topic, carries_offer: rule.map(|rule| !rule.offers.is_empty()), way };
    listed(refused, |gate| told(gate, about, kept))
}

fn listed(refused: Option<(Reason, Option<String>)>, told: impl Fn(&str) -> Option<String>) -> Vec<Asked> {
    let stop = refused.as_ref().map_or(ORDER.len(), |(reason, _)| place(*reason));
    let asked = ORDER.iter().enumerate().map(|(at, gate)| match &refused {
        Some((reason, detail)) if at == stop => {
            Asked { reason: Some(*reason), detail: detail.clone(), ..Asked::silent(gate, Some(false)) }
        }
        _ if at < stop => Asked { detail: told(gate), ..Asked::silent(gate, Some(true)) },
        _ => Asked::silent(gate, None),
    });
    asked.collect()
}

/// The gate of [`ORDER`] at which a reason refuses.
fn place(reason: Reason) -> usize {
    let gate = if reason == Reason::SameAddress { "same_address" } else { reason.gate() };
    ORDER.iter().position(|name| *name == gate).unwrap_or(ORDER.len() - 1)
}

/// What is worth knowing of a gate that was passed.
fn told(gate: &str, about: About<'_>, kept: impl Fn(&str) -> Option<String>) -> Option<String> {
    let About { topic, carries_offer, way } = about;
    match gate {
        "address" => {
            let to = way.channel.map(|channel| match way.address {
                Some(address) if !address.is_empty() => format!("{channel} to {address}"),
                _ => channel.to_string(),
            });
            let over = kept("passed_over").map(|over| format!("passed over: {over}"));
            let told: Vec<String> = to.into_iter().chain(over).collect();
            (!told.is_empty()).then(|| told.join("; "))
        }
        "consent" if way.purpose == Some(Purpose::Transactional) => {
            Some(format!("not needed for {topic}, which is transactional; the customer has not left it"))
        }
        "eligibility" | "budget" if carries_offer == Some(false) => Some("the rule carries no offer".to_owned()),
        "consent" => kept("consent").map(|said| match said.as_str() {
            "yes" => format!("the customer said yes to {topic}"),
            "soft opt-in" => "a purchase stands for a yes (soft opt-in)".to_owned(),
            _ => said,
        }),
        "budget" => kept("offer").map(|offer| match offer.starts_with("without ") {
            true => offer,
            false => format!("there is some of {offer} left"),
        }),
        gate => kept(gate),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_reason_that_a_decision_gives_has_its_gate() {
        for (reason, gate) in [
            (Reason::AlreadyTouched, "seen_before"),
            (Reason::BeforeStart, "seen_before"),
            (Reason::AgainTooSoon, "again_after"),
            (Reason::Paused, "pauses"),
            (Reason::BadMoment, "moment"),
            (Reason::NotAllowedHere, "address"),
            (Reason::Unconfirmed, "consent"),
            (Reason::Suppressed, "suppression"),
            (Reason::OutsideLegalHours, "hours"),
            (Reason::Expired, "hours"),
            (Reason::Capped, "caps"),
            (Reason::SameAddress, "same_address"),
            (Reason::NotEligible, "eligibility"),
            (Reason::HeldOut, "holdout"),
            (Reason::NoBudget, "budget"),
        ] {
            assert_eq!(ORDER[place(reason)], gate, "{reason}");
        }
    }
}
