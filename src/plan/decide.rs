//! The decision about one candidate: a planned message, or the reason why not.
//!
//! Pure: rule, candidate, policy and `now` in, [`Decision`] out. Laws:
//!
//! 1. The first gate that refuses gives the reason; the gates passed before it are told with it.
//! 2. A message that carries an offer is promotional. Where that is refused, a transactional message goes without its
//!    offer; a rule of kind `offer` does not go at all.
//! 3. Budget is asked last, so that nothing is reserved for a message that will not go.

use crate::contact::is_covered;
use crate::courtesy::pauses::{Pauses, Scope};
use crate::courtesy::quiet_hours::{self, Verdict};
use crate::rules::{Channel, Existing, Kind, Purpose, Rule};
use crate::settings::{Guard, QuietWindow};
use crate::time::{Timestamp, Tz};
use crate::touchpoints::{Reason, State};
use std::collections::BTreeMap;

/// What is known of one row that a rule's conditions select.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Candidate {
    pub bucket: i64,
    pub customer: String,
    /// The key of the `for_each` row.
    pub entity: String,
    pub occurrence: String,
    pub email: Address,
    pub phone: Address,
    pub zone: Option<Tz>,
    pub locale: Option<String>,
    pub existing: Option<ExistingRow>,
    /// When this rule last touched this customer.
    pub last_touch: Option<Timestamp>,
    /// Channels with a current yes for the rule's topic.
    pub consents: Vec<Channel>,
    /// Channels with a current no for it: even a transactional topic can be left.
    pub refused: Vec<Channel>,
    /// Scopes of suppressions by the channel whose address they are of; see [`crate::contact::is_covered`].
    pub suppressed: Vec<(Channel, String)>,
    /// By place in the rule's list of offers.
    pub offers: Vec<OfferFacts>,
}

/// A customer's address for one or more channels.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub enum Address {
    #[default]
    None,
    Bad(String),
    Good(String),
}

/// The row that this occurrence has already.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ExistingRow {
    pub id: String,
    pub state: State,
    pub reason: Option<Reason>,
    pub version: i64,
    pub occurrence: String,
}

/// What is known of one of the rule's offers for this customer.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct OfferFacts {
    pub eligible: bool,
    /// How many more the customer may have by the offer's `per_customer` limit.
    pub left: i64,
}

/// What holds for every candidate of a run.
#[derive(Clone, Copy, Debug)]
pub struct Policy<'a> {
    pub quiet_hours: &'a BTreeMap<Channel, Vec<QuietWindow>>,
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
    pub deferred: bool,
    /// The place in the rule's list of offers.
    pub offer: Option<usize>,
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

/// Decides about one candidate at `now`. `take` asks for one unit of the budget of the rule's offer at that place
/// and gives whether there was one; it is asked only for a message that will go.
pub fn decide(
    rule: &Rule,
    candidate: &Candidate,
    policy: &Policy<'_>,
    now: Timestamp,
    take: &mut dyn FnMut(usize) -> bool,
) -> Decision {
    let mut gates = Gates(Vec::new());
    match judge(rule, candidate, policy, now, take, &mut gates) {
        Ok(message) => Decision::Plan(Message { gates: gates.0, ..message }),
        Err((reason, detail)) => {
            gates.refused(reason, detail.clone());
            Decision::Refuse(Refusal { reason, detail, gates: gates.0 })
        }
    }
}

type Refused = (Reason, Option<String>);

struct Gates(Vec<Gate>);

impl Gates {
    fn passed(&mut self, name: &'static str, detail: Option<String>) {
        self.0.push(Gate { name, passed: true, detail });
    }

    fn refused(&mut self, reason: Reason, detail: Option<String>) {
        self.0.push(Gate { name: gate_of(reason), passed: false, detail });
    }
}

/// The gate at which a reason refuses.
const fn gate_of(reason: Reason) -> &'static str {
    match reason {
        Reason::AlreadyTouched | Reason::BeforeStart => "seen_before",
        Reason::AgainTooSoon => "again_after",
        Reason::Paused => "pauses",
        Reason::NoAddress | Reason::BadAddress | Reason::NotAllowedHere => "address",
        Reason::NoConsent => "consent",
        Reason::Suppressed => "suppression",
        Reason::NoBudget => "budget",
        Reason::NotEligible => "eligibility",
        _ => "hours",
    }
}

fn judge(
    rule: &Rule,
    candidate: &Candidate,
    policy: &Policy<'_>,
    now: Timestamp,
    take: &mut dyn FnMut(usize) -> bool,
    gates: &mut Gates,
) -> Result<Message, Refused> {
    seen_before(rule, candidate, policy)?;
    gates.passed("seen_before", None);
    again_after(rule, candidate, now)?;
    gates.passed("again_after", None);
    if policy.pauses.is_paused(&rule.name, None, None, &candidate.customer, now) {
        return Err((Reason::Paused, None));
    }
    gates.passed("pauses", None);

    let mut offer_refused = None;
    if !rule.offers.is_empty() {
        match with_offer(rule, candidate, policy, now, take, gates) {
            Ok(message) => return Ok(message),
            Err(refused) if rule.kind == Kind::Offer || rule.purpose == Purpose::Promotional => return Err(refused),
            Err(refused) => offer_refused = Some(refused),
        }
    }
    let mut message = route(rule, candidate, policy, now, rule.purpose, gates)?;
    if let Some((reason, detail)) = offer_refused {
        let told = detail.map_or_else(|| reason.to_string(), |detail| format!("{reason}: {detail}"));
        gates.passed("offer", Some(format!("without its offer ({told})")));
        message.offer = None;
    }
    Ok(message)
}

fn seen_before(rule: &Rule, candidate: &Candidate, policy: &Policy<'_>) -> Result<(), Refused> {
    if let Some(row) = &candidate.existing {
        if row.state.counts_as_touched() {
            return Err((Reason::AlreadyTouched, Some(format!("touchpoint {} is {}", &row.id[..8], row.state))));
        }
        if row.reason == Some(Reason::BeforeStart) {
            return Err((Reason::BeforeStart, None));
        }
    }
    if policy.first_run && rule.existing == Existing::Skip {
        return Err((Reason::BeforeStart, None));
    }
    Ok(())
}

fn again_after(rule: &Rule, candidate: &Candidate, now: Timestamp) -> Result<(), Refused> {
    match (rule.again_after, candidate.last_touch) {
        (Some(span), Some(last)) if last.plus(span) > now => {
            Err((Reason::AgainTooSoon, Some(format!("not before {}", last.plus(span)))))
        }
        _ => Ok(()),
    }
}

/// The message with the first offer that may and can be given.
fn with_offer(
    rule: &Rule,
    candidate: &Candidate,
    policy: &Policy<'_>,
    now: Timestamp,
    take: &mut dyn FnMut(usize) -> bool,
    gates: &mut Gates,
) -> Result<Message, Refused> {
    let mut tried = Gates(Vec::new());
    let message = route(rule, candidate, policy, now, Purpose::Promotional, &mut tried)?;
    let eligible: Vec<usize> = (0..rule.offers.len())
        .filter(|&place| candidate.offers.get(place).is_some_and(|facts| facts.eligible && facts.left > 0))
        .collect();
    if eligible.is_empty() {
        return Err((Reason::NotEligible, Some(format!("of {}", rule.offers.join(", ")))));
    }
    let Some(place) = eligible.into_iter().find(|&place| take(place)) else {
        return Err((Reason::NoBudget, Some(format!("of {}", rule.offers.join(", ")))));
    };
    gates.0.append(&mut tried.0);
    gates.passed("offer", Some(rule.offers[place].clone()));
    Ok(Message { offer: Some(place), ..message })
}

/// The first of the rule's channels that may be used, and when.
fn route(
    rule: &Rule,
    candidate: &Candidate,
    policy: &Policy<'_>,
    now: Timestamp,
    purpose: Purpose,
    gates: &mut Gates,
) -> Result<Message, Refused> {
    let mut refusals = Vec::new();
    for &channel in &rule.channels {
        match open(channel, candidate, policy, now, (&rule.topic, purpose)) {
            Ok(address) => {
                let passed_over = refusals.iter().map(|(channel, reason)| format!("{channel}: {reason}"));
                let passed_over = passed_over.collect::<Vec<_>>().join(", ");
                gates.passed("channel", Some(channel.to_string()));
                if !passed_over.is_empty() {
                    gates.passed("passed_over", Some(passed_over));
                }
                return hours(rule, candidate, policy, now, channel, gates).map(|(due_at, deferred)| Message {
                    channel,
                    address,
                    purpose,
                    due_at,
                    deferred,
                    offer: None,
                    gates: Vec::new(),
                });
            }
            Err(reason) => refusals.push((channel, reason)),
        }
    }
    // Of several channels the one that came furthest says what would have to change.
    let furthest = refusals.iter().map(|(_, reason)| *reason).max_by_key(|reason| gate_depth(*reason));
    let told = refusals.iter().map(|(channel, reason)| format!("{channel}: {reason}")).collect::<Vec<_>>();
    Err((furthest.unwrap_or(Reason::NoAddress), Some(told.join(", "))))
}

const fn gate_depth(reason: Reason) -> u8 {
    match reason {
        Reason::NoAddress => 0,
        Reason::BadAddress => 1,
        Reason::NotAllowedHere => 2,
        Reason::NoConsent => 3,
        Reason::Suppressed => 4,
        _ => 5,
    }
}

/// The address on `channel`, if the customer may be written to there.
pub fn open(
    channel: Channel,
    candidate: &Candidate,
    policy: &Policy<'_>,
    now: Timestamp,
    (topic, purpose): (&str, Purpose),
) -> Result<String, Reason> {
    let address = match channel {
        Channel::Email => &candidate.email,
        Channel::Sms | Channel::Voice => &candidate.phone,
    };
    let address = match address {
        Address::None => return Err(Reason::NoAddress),
        Address::Bad(_) => return Err(Reason::BadAddress),
        Address::Good(address) => address,
    };
    if !policy.guard.allows(address) {
        return Err(Reason::NotAllowedHere);
    }
    let is_missing = purpose == Purpose::Promotional && !candidate.consents.contains(&channel);
    if is_missing || candidate.refused.contains(&channel) {
        return Err(Reason::NoConsent);
    }
    let is_suppressed = |(of, scope): &(Channel, String)| *of == channel && is_covered(scope, topic, purpose, channel);
    if candidate.suppressed.iter().any(is_suppressed) {
        return Err(Reason::Suppressed);
    }
    if policy.pauses.holds(&Scope::Channel(channel), now) {
        return Err(Reason::Paused);
    }
    Ok(address.clone())
}

/// When the message may go: at once, or at the end of the customer's quiet hours.
fn hours(
    rule: &Rule,
    candidate: &Candidate,
    policy: &Policy<'_>,
    now: Timestamp,
    channel: Channel,
    gates: &mut Gates,
) -> Result<(Timestamp, bool), Refused> {
    let zone = candidate.zone.unwrap_or(policy.zone);
    let windows = policy.quiet_hours.get(&channel).map_or(&[][..], Vec::as_slice);
    let until = match quiet_hours::verdict(windows, now, zone) {
        Verdict::Send => {
            gates.passed("hours", None);
            return Ok((now, false));
        }
        Verdict::Defer { until } => until,
    };
    if until > now.plus(rule.expires_after) {
        return Err((Reason::Expired, Some(format!("quiet hours end at {until}, after it expires"))));
    }
    gates.passed("hours", Some(format!("deferred to {until}")));
    Ok((until, true))
}

impl Guard {
    /// Whether `only_to` lets a message go to `address`. `*` stands for any characters.
    pub fn allows(&self, address: &str) -> bool {
        self.only_to.is_empty() || self.only_to.iter().any(|pattern| fits(pattern, address))
    }
}

/// Whether `text` fits a pattern in which `*` stands for any characters; capital letters do not matter.
fn fits(pattern: &str, text: &str) -> bool {
    let (pattern, text) = (pattern.to_lowercase(), text.to_lowercase());
    let mut parts = pattern.split('*');
    let Some(mut rest) = parts.next().and_then(|first| text.strip_prefix(first)) else { return false };
    let parts: Vec<&str> = parts.collect();
    let Some((last, middle)) = parts.split_last() else { return rest.is_empty() };
    for part in middle {
        let Some(at) = rest.find(part) else { return false };
        rest = &rest[at + part.len()..];
    }
    rest.ends_with(last)
}
