//! The decision about one candidate: a planned message, or the reason why not.
//!
//! Pure: rule, candidate, policy and `now` in, [`Decision`] out. Laws:
//!
//! 1. The first gate that refuses gives the reason; the gates passed before it are told with it.
//! 2. A message that carries an offer is promotional. Where that is refused, a transactional message goes without its
//!    offer; a rule of kind `offer` does not go at all.
//! 3. A holdout is asked of a message that would go otherwise, and budget last, so that nothing is reserved for a
//!    message that will not go.
//!
//! [`super::route`] finds the way of the message: channel, hour, offer.

use super::candidate::Candidate;
use super::hour::Deferral;
use super::pace::Turns;
use super::route::{self, Budget};
use crate::courtesy::caps::Cap;
use crate::courtesy::holdout;
use crate::courtesy::legal_hours::LegalHours;
use crate::courtesy::pauses::Pauses;
use crate::rules::{Channel, Existing, Kind, Purpose, Rule};
use crate::settings::{Guard, QuietWindow};
use crate::time::{Timestamp, Tz};
use crate::touchpoints::Reason;
use std::collections::BTreeMap;

/// What holds for every candidate of a run.
#[derive(Clone, Copy, Debug)]
pub struct Policy<'a> {
    pub quiet_hours: &'a BTreeMap<Channel, Vec<QuietWindow>>,
    /// The quiet hours of the rule's topic.
    pub topic_quiet: &'a [QuietWindow],
    pub legal_hours: &'a LegalHours,
    /// For customers of whose country nothing is known.
    pub country: &'a str,
    /// Those that the rule's messages are subject to.
    pub caps: &'a [&'a Cap],
    /// The business's, in parts per million of all customers.
    pub holdout: u32,
    pub guard: &'a Guard,
    pub pauses: &'a Pauses,
    /// For customers without a zone of their own.
    pub zone: Tz,
    /// The rule's first run since it went live.
    pub first_run: bool,
}

#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Decision {
    Plan(Message),
    /// It would have gone, and does not, for the holdout that the detail names.
    HoldOut(Message, String),
    Refuse(Refusal),
}

impl Decision {
    /// A second message of a rule with `again_after` to a customer who was planned a moment ago.
    pub fn too_soon() -> Self {
        let gate = Gate { name: "again_after", passed: false, detail: None };
        Self::Refuse(Refusal { reason: Reason::AgainTooSoon, detail: None, gates: vec![gate] })
    }
}

/// A message that is to go.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Message {
    pub channel: Channel,
    pub address: String,
    pub purpose: Purpose,
    pub due_at: Timestamp,
    /// Why it does not go at once.
    pub deferred: Option<Deferral>,
    /// It waits for a place under the cap that is told, and asks again when it is due.
    pub waits: Option<String>,
    /// The place in the rule's list of offers.
    pub offer: Option<usize>,
    /// The name of the rule's variant that it is; of one that is held out, none.
    pub variant: Option<String>,
    pub gates: Vec<Gate>,
}

/// Why there is no message.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Refusal {
    pub reason: Reason,
    pub detail: Option<String>,
    pub gates: Vec<Gate>,
}

/// One question that was asked on the way.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Gate {
    pub name: &'static str,
    pub passed: bool,
    pub detail: Option<String>,
}

impl Refusal {
    /// Whether the refusal is written down as a row. What was touched already, or too recently, leaves none.
    pub const fn leaves_row(&self) -> bool {
        !matches!(self.reason, Reason::AlreadyTouched | Reason::AgainTooSoon)
    }
}

/// One candidate under one rule at one instant: what every gate is asked about.
#[derive(Clone, Copy, Debug)]
pub struct Case<'a> {
    pub rule: &'a Rule,
    pub candidate: &'a Candidate,
    pub policy: &'a Policy<'a>,
    pub now: Timestamp,
    /// Where the rule has a pace.
    pub turns: Option<&'a Turns>,
}

impl Case<'_> {
    /// The last moment at which a message may go: an event's news grows old from when it was, not from when it came in.
    pub fn last(&self) -> Timestamp {
        let from = self.candidate.event_at.map_or(self.now, |at| at.min(self.now));
        from.plus(self.rule.expires_after)
    }

    /// An instant as a detail tells it: by the business's clock.
    pub(super) fn told(&self, at: Timestamp) -> String {
        at.to_minute(self.policy.zone)
    }
}

/// A reason to refuse, and what is told with it.
pub type Refused = (Reason, Option<String>);

/// The gates that were passed on the way.
#[derive(Default)]
pub(super) struct Gates(pub(super) Vec<Gate>);

impl Gates {
    pub(super) fn passed(&mut self, name: &'static str, detail: Option<String>) {
        self.0.push(Gate { name, passed: true, detail });
    }

    fn refused(&mut self, reason: Reason, detail: Option<String>) {
        self.0.push(Gate { name: reason.gate(), passed: false, detail });
    }
}

/// Decides about one case. `take` asks for one unit of the budget of the rule's offer at that place and gives whether
/// there was one; it is asked only for a message that will go.
pub fn decide(case: Case<'_>, take: Budget<'_>) -> Decision {
    let mut gates = Gates::default();
    match judge(case, take, &mut gates) {
        Ok((message, None)) => {
            let variant = case.rule.variant_of(&case.candidate.customer).map(|variant| variant.name.clone());
            if variant.is_some() {
                gates.passed("variant", variant.clone());
            }
            Decision::Plan(Message { gates: gates.0, variant, ..message })
        }
        Ok((message, Some(by))) => {
            gates.refused(Reason::HeldOut, Some(by.clone()));
            Decision::HoldOut(Message { gates: gates.0, ..message }, by)
        }
        Err((reason, detail)) => {
            gates.refused(reason, detail.clone());
            Decision::Refuse(Refusal { reason, detail, gates: gates.0 })
        }
    }
}

/// A message that would go, and the holdout that keeps it back where one does.
pub(super) type Fate = (Message, Option<String>);

fn judge(case: Case<'_>, take: Budget<'_>, gates: &mut Gates) -> Result<Fate, Refused> {
    seen_before(case)?;
    gates.passed("seen_before", None);
    fresh(case)?;
    again_after(case)?;
    gates.passed("again_after", None);
    let Case { rule, candidate, policy, now, .. } = case;
    if policy.pauses.is_paused(&rule.name, None, None, &candidate.customer, now) {
        return Err((Reason::Paused, None));
    }
    gates.passed("pauses", None);

    let mut offer_refused = None;
    let offers = rule.offers_of(&candidate.customer);
    if !offers.is_empty() {
        match route::with_offer(case, &offers, take, gates) {
            Ok(fate) => return Ok(fate),
            Err(refused) if rule.kind == Kind::Offer || rule.purpose == Purpose::Promotional => return Err(refused),
            Err(refused) => offer_refused = Some(refused),
        }
    }
    let message = route::plain(case, gates)?;
    if let Some((reason, detail)) = offer_refused {
        let told = detail.map_or_else(|| reason.told().to_owned(), |detail| format!("{}: {detail}", reason.told()));
        gates.passed("offer", Some(format!("without its offer ({told})")));
    }
    let held = held_out(case, message.purpose);
    Ok((message, held))
}

/// The holdout that the customer is in, if any: the business's for what is promotional, the rule's for all it sends.
pub(super) fn held_out(case: Case<'_>, purpose: Purpose) -> Option<String> {
    let (rule, customer) = (case.rule, case.candidate.customer.as_str());
    if holdout::is_out_of_rule(rule.holdout, &rule.name, customer) {
        return Some(format!("{}% of the rule's audience", percent(rule.holdout)));
    }
    let is_out = purpose == Purpose::Promotional && holdout::is_out_of_everything(case.policy.holdout, customer);
    is_out.then(|| format!("{}% of all customers, for everything promotional", percent(case.policy.holdout)))
}

/// Parts per million as a number of percent.
fn percent(share: u32) -> f64 {
    f64::from(share) / 10_000.0
}

fn seen_before(case: Case<'_>) -> Result<(), Refused> {
    if let Some(row) = &case.candidate.existing {
        if row.state.counts_as_touched() {
            return Err((Reason::AlreadyTouched, Some(format!("touchpoint {} is {}", &row.id[..8], row.state))));
        }
        if row.reason == Some(Reason::BeforeStart) {
            return Err((Reason::BeforeStart, None));
        }
    }
    if case.policy.first_run && case.rule.existing == Existing::Skip {
        return Err((Reason::BeforeStart, None));
    }
    Ok(())
}

/// Whether the event that brought this up is no older than a message about it may be.
fn fresh(case: Case<'_>) -> Result<(), Refused> {
    match case.candidate.event_at {
        Some(at) if case.last() < case.now => {
            Err((Reason::Expired, Some(format!("the event was at {}", case.told(at)))))
        }
        _ => Ok(()),
    }
}

fn again_after(case: Case<'_>) -> Result<(), Refused> {
    match (case.rule.again_after, case.candidate.last_touch) {
        (Some(span), Some(last)) if last.plus(span) > case.now => {
            Err((Reason::AgainTooSoon, Some(format!("not before {}", case.told(last.plus(span))))))
        }
        _ => Ok(()),
    }
}
