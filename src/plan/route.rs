//! The way of a message: the first channel that may be used, the hour, the caps, and the offer that it carries.
//!
//! 1. The customer's own order of channels goes first, then the rule's. A channel without address, consent, leave, an
//!    allowed hour before the message expires or a place under its caps is passed over, and the gates say why. A
//!    preferred channel that is merely quiet is waited for: which way a customer is reached matters more than when.
//! 2. A message that may wait for a place (`on_cap = "defer"`) waits only where no channel has one.
//! 3. [`moment`], [`open`] and [`hour`] are asked again just before sending, of the customer as they are then.

use super::candidate::{Address, Candidate};
use super::decide::{Case, Fate, Gates, Message, Refused, held_out};
use super::hour::{Deferral, Hour, hour};
use crate::contact::is_covered;
use crate::courtesy::caps::{self, Asked, Full, OnCap};
use crate::courtesy::pauses::Scope;
use crate::ids;
use crate::offers::Spent;
use crate::rules::{Channel, Purpose, Rule};
use crate::time::Timestamp;
use crate::touchpoints::Reason;

/// Asks for one unit of the budget of the rule's offer at a place, or what it is that there is no more of.
pub type Budget<'a> = &'a mut dyn FnMut(usize) -> Result<(), Spent>;

/// The message without an offer.
pub(super) fn plain(case: Case<'_>, gates: &mut Gates) -> Result<Message, Refused> {
    route(case, case.rule.purpose, gates)
}

/// The message with the first of `offers`, places in the rule's list, that may and can be given.
pub(super) fn with_offer(
    case: Case<'_>,
    offers: &[usize],
    take: Budget<'_>,
    gates: &mut Gates,
) -> Result<Fate, Refused> {
    let rule = case.rule;
    let mut tried = Gates::default();
    let message = route(case, Purpose::Promotional, &mut tried)?;
    let may_have =
        |place: &usize| case.candidate.offers.get(*place).is_some_and(|facts| facts.eligible && facts.left > 0);
    let eligible: Vec<usize> = offers.iter().copied().filter(may_have).collect();
    let all = || offers.iter().map(|&place| rule.offers[place].as_str()).collect::<Vec<_>>().join(", ");
    if eligible.is_empty() {
        return Err((Reason::NotEligible, Some(all())));
    }
    if let Some(by) = held_out(case, message.purpose) {
        // What customers wait for still goes to those who are to get nothing promotional: without its offer.
        if rule.purpose == Purpose::Transactional && held_out(case, rule.purpose).is_none() {
            return Err((Reason::HeldOut, Some(by)));
        }
        gates.0.append(&mut tried.0);
        return Ok((message, Some(by)));
    }
    let mut spent = Vec::new();
    let taken = eligible.into_iter().find(|&place| {
        let taken = take(place);
        spent.extend(taken.err().map(|spent| format!("{}: {}", rule.offers[place], spent.told())));
        taken.is_ok()
    });
    let Some(place) = taken else {
        return Err((Reason::NoBudget, Some(spent.join("; "))));
    };
    gates.0.append(&mut tried.0);
    gates.passed("offer", Some(rule.offers[place].clone()));
    Ok((Message { offer: Some(place), ..message }, None))
}

/// A message on one channel, with the gates that were passed there.
type Attempt = (Message, Gates);

/// The first of the channels that may be used, and when.
fn route(case: Case<'_>, purpose: Purpose, gates: &mut Gates) -> Result<Message, Refused> {
    moment(case.candidate, purpose)?;
    let mut refusals = Vec::new();
    let mut waiting = None;
    for channel in in_order(case.rule, case.candidate) {
        match attempt(case, channel, purpose) {
            Ok((message, passed)) if message.waits.is_none() => {
                return taken(case, (message, passed), &refusals, gates);
            }
            Ok(attempt) if waiting.is_none() => waiting = Some((attempt, refusals.len())),
            Ok(_) => {}
            Err(refused) => refusals.push((channel, refused)),
        }
    }
    if let Some((attempt, passed_over)) = waiting {
        return taken(case, attempt, &refusals[..passed_over], gates);
    }
    Err(furthest(refusals))
}

/// The message of an attempt, unless its address has had one.
fn taken(
    case: Case<'_>,
    (message, passed): Attempt,
    refusals: &[(Channel, Refused)],
    gates: &mut Gates,
) -> Result<Message, Refused> {
    gates.passed("channel", Some(message.channel.to_string()));
    if message.purpose == Purpose::Promotional {
        let is_yes = case.candidate.consents.contains(&message.channel);
        gates.passed("consent", Some(if is_yes { "yes" } else { "soft opt-in" }.to_owned()));
    }
    if !refusals.is_empty() {
        gates.passed("passed_over", Some(told(refusals)));
    }
    gates.0.extend(passed.0);
    if message.purpose == Purpose::Promotional
        && let Some(holder) = case.candidate.place(message.channel).and_then(|place| place.holder.as_deref())
    {
        // Another channel would only reach the same person another way.
        return Err((Reason::SameAddress, Some(format!("touchpoint {} has it", &holder[..8]))));
    }
    Ok(message)
}

/// Of several channels the one that came furthest says what would have to change.
fn furthest(refusals: Vec<(Channel, Refused)>) -> Refused {
    if let [(channel, (reason, detail))] = &refusals[..] {
        return (*reason, Some(detail.clone().unwrap_or_else(|| channel.to_string())));
    }
    let furthest = refusals.iter().map(|(_, (reason, _))| *reason).max_by_key(|reason| reason.depth());
    (furthest.unwrap_or(Reason::NoAddress), Some(told(&refusals)))
}

/// `email: address not valid (ann@example), sms: no consent`.
fn told(refusals: &[(Channel, Refused)]) -> String {
    let one = |(channel, (reason, detail)): &(Channel, Refused)| match detail {
        Some(detail) => format!("{channel}: {} ({detail})", reason.told()),
        None => format!("{channel}: {}", reason.told()),
    };
    refusals.iter().map(one).collect::<Vec<_>>().join(", ")
}

/// The channels of the customer's message, those that the customer prefers first, in the customer's order.
pub(super) fn in_order(rule: &Rule, candidate: &Candidate) -> Vec<Channel> {
    let channels = rule.channels_of(&candidate.customer);
    let preferred = candidate.preferences.channels.iter().filter(|channel| channels.contains(channel));
    let mut order: Vec<Channel> = preferred.copied().collect();
    order.extend(channels.iter().filter(|channel| !candidate.preferences.channels.contains(channel)));
    order
}

/// The message on one channel: when it may go, and whether it waits for a place.
fn attempt(case: Case<'_>, channel: Channel, purpose: Purpose) -> Result<Attempt, Refused> {
    let written = || match case.candidate.address(channel) {
        Address::Bad(written) => Some(written.clone()),
        Address::Good(_) | Address::None => None,
    };
    let address = open(case, channel, purpose).map_err(|reason| (reason, written()))?;
    let mut gates = Gates::default();
    let (due_at, deferred) = release(case, channel, purpose, &mut gates)?;
    let message = Message {
        channel,
        address,
        purpose,
        due_at,
        deferred,
        waits: None,
        offer: None,
        variant: None,
        gates: Vec::new(),
    };
    if case.policy.caps.is_empty() {
        return Ok((message, gates));
    }
    let Some(full) = full(case, channel, purpose, due_at) else {
        gates.passed("caps", None);
        return Ok((message, gates));
    };
    let (due_at, why) =
        wait(case, channel, purpose, &full).ok_or_else(|| (Reason::Capped, Some(full.detail.clone())))?;
    gates.passed("caps", Some(format!("waits for a place until {}: {}", case.told(due_at), full.detail)));
    Ok((Message { due_at, deferred: why, waits: Some(full.detail), ..message }, gates))
}

/// The cap that has no place left for a message due at `at`.
pub fn full(case: Case<'_>, channel: Channel, purpose: Purpose, at: Timestamp) -> Option<Full> {
    caps::full(case.policy.caps, &case.candidate.taken, asked(case, channel, purpose, at))
}

/// The message as the caps see it.
pub(super) fn asked(case: Case<'_>, channel: Channel, purpose: Purpose, at: Timestamp) -> Asked<'_> {
    let zone = case.candidate.zone.unwrap_or(case.policy.zone);
    Asked { topic: &case.rule.topic, purpose, channel, at, zone }
}

/// When a message that may wait for a place would go, if that is before it expires: the first allowed hour, and turn,
/// once a place is free.
fn wait(case: Case<'_>, channel: Channel, purpose: Purpose, full: &Full) -> Option<(Timestamp, Option<Deferral>)> {
    let last = case.last();
    if case.rule.on_cap != OnCap::Defer || full.free_at > last {
        return None;
    }
    match hour(Case { now: full.free_at, ..case }, channel, purpose, last, || key(case)) {
        Hour::Now => Some((full.free_at, None)),
        Hour::Later(due_at, why) => Some((due_at, why)),
        Hour::Never(..) => None,
    }
}

/// Whether this is a moment for a message of this purpose.
///
/// # Errors
/// The names of `no_promotions_while` that hold.
pub fn moment(candidate: &Candidate, purpose: Purpose) -> Result<(), Refused> {
    if purpose == Purpose::Promotional && !candidate.bad_moments.is_empty() {
        return Err((Reason::BadMoment, Some(candidate.bad_moments.join(", "))));
    }
    Ok(())
}

/// Whether a purchase stands for a yes: by email and SMS alone, never for a call (PECR, regulation 22).
const fn is_soft(candidate: &Candidate, channel: Channel) -> bool {
    candidate.soft_opt_in && !matches!(channel, Channel::Voice)
}

/// The address on `channel`, if the customer may be written to there with a message of this purpose.
pub fn open(case: Case<'_>, channel: Channel, purpose: Purpose) -> Result<String, Reason> {
    let Case { rule, candidate, policy, now, .. } = case;
    let address = match candidate.address(channel) {
        Address::None => return Err(Reason::NoAddress),
        Address::Bad(_) => return Err(Reason::BadAddress),
        Address::Good(address) => address,
    };
    if !policy.guard.allows(address) {
        return Err(Reason::NotAllowedHere);
    }
    if candidate.refused.contains(&channel) {
        return Err(Reason::NoConsent);
    }
    if purpose == Purpose::Promotional && !candidate.consents.contains(&channel) {
        if candidate.unconfirmed.contains(&channel) {
            return Err(Reason::Unconfirmed);
        }
        if !is_soft(candidate, channel) {
            return Err(Reason::NoConsent);
        }
    }
    let is_suppressed =
        |(of, scope): &(Channel, String)| *of == channel && is_covered(scope, &rule.topic, purpose, channel);
    if candidate.suppressed.iter().any(is_suppressed) {
        return Err(Reason::Suppressed);
    }
    if policy.pauses.holds(&Scope::Channel(channel), now) {
        return Err(Reason::Paused);
    }
    Ok(address.clone())
}

/// When the message may go, and why not at once.
fn release(
    case: Case<'_>,
    channel: Channel,
    purpose: Purpose,
    gates: &mut Gates,
) -> Result<(Timestamp, Option<Deferral>), Refused> {
    let last = case.last();
    let (due_at, deferred) = match hour(case, channel, purpose, last, || key(case)) {
        Hour::Now => (case.now, None),
        Hour::Later(due_at, why) => (due_at, why),
        Hour::Never(reason, detail) => return Err((reason, Some(detail))),
    };
    gates.passed("hours", deferred.map(|why| format!("waits until {} ({why})", case.told(due_at))));
    Ok((due_at, deferred))
}

/// The id that the message's touchpoint has, or will have.
pub(super) fn key(case: Case<'_>) -> String {
    match &case.candidate.existing {
        Some(existing) => existing.id.clone(),
        None => ids::touchpoint(&case.rule.name, &case.candidate.customer, &case.candidate.occurrence, 0),
    }
}
