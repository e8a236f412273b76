//! The way of a message: the first channel that may be used, the hour, and the offer that it carries.
//!
//! 1. The customer's own order of channels goes first, then the rule's. A channel without address, consent or leave is
//!    passed over, and the gates say why.
//! 2. [`open`] and [`hour`] are asked again just before sending, of the customer as they are then.

use super::candidate::{Address, Candidate};
use super::decide::{Case, Gates, Message, Refused};
use super::hour::{Deferral, Hour, hour};
use crate::contact::is_covered;
use crate::courtesy::pauses::Scope;
use crate::ids;
use crate::rules::{Channel, Purpose, Rule};
use crate::time::Timestamp;
use crate::touchpoints::Reason;

/// Asks for one unit of the budget of the rule's offer at a place, and gives whether there was one.
pub type Budget<'a> = &'a mut dyn FnMut(usize) -> bool;

/// The message without an offer.
pub(super) fn plain(case: Case<'_>, gates: &mut Gates) -> Result<Message, Refused> {
    route(case, case.rule.purpose, gates)
}

/// The message with the first offer that may and can be given.
pub(super) fn with_offer(case: Case<'_>, take: Budget<'_>, gates: &mut Gates) -> Result<Message, Refused> {
    let rule = case.rule;
    let mut tried = Gates::default();
    let message = route(case, Purpose::Promotional, &mut tried)?;
    let eligible: Vec<usize> = (0..rule.offers.len())
        .filter(|&place| case.candidate.offers.get(place).is_some_and(|facts| facts.eligible && facts.left > 0))
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

/// The first of the channels that may be used, and when.
fn route(case: Case<'_>, purpose: Purpose, gates: &mut Gates) -> Result<Message, Refused> {
    let mut refusals = Vec::new();
    for channel in in_order(case.rule, case.candidate) {
        match open(case, channel, purpose) {
            Ok(address) => {
                gates.passed("channel", Some(channel.to_string()));
                if purpose == Purpose::Promotional {
                    let is_yes = case.candidate.consents.contains(&channel);
                    gates.passed("consent", Some(if is_yes { "yes" } else { "soft opt-in" }.to_owned()));
                }
                if !refusals.is_empty() {
                    gates.passed("passed_over", Some(told(&refusals)));
                }
                let (due_at, deferred) = release(case, channel, purpose, gates)?;
                let gates = Vec::new();
                return Ok(Message { channel, address, purpose, due_at, deferred, offer: None, gates });
            }
            Err(reason) => refusals.push((channel, reason)),
        }
    }
    // Of several channels the one that came furthest says what would have to change.
    let furthest = refusals.iter().map(|(_, reason)| *reason).max_by_key(|reason| reason.depth());
    Err((furthest.unwrap_or(Reason::NoAddress), Some(told(&refusals))))
}

fn told(refusals: &[(Channel, Reason)]) -> String {
    refusals.iter().map(|(channel, reason)| format!("{channel}: {reason}")).collect::<Vec<_>>().join(", ")
}

/// The rule's channels, those that the customer prefers first, in the customer's order.
fn in_order(rule: &Rule, candidate: &Candidate) -> Vec<Channel> {
    let preferred = candidate.preferences.channels.iter().filter(|channel| rule.channels.contains(channel));
    let mut order: Vec<Channel> = preferred.copied().collect();
    order.extend(rule.channels.iter().filter(|channel| !candidate.preferences.channels.contains(channel)));
    order
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
    let key = || match &case.candidate.existing {
        Some(existing) => existing.id.clone(),
        None => ids::touchpoint(&case.rule.name, &case.candidate.customer, &case.candidate.occurrence, 0),
    };
    let (due_at, deferred) = match hour(case, channel, purpose, case.now.plus(case.rule.expires_after), key) {
        Hour::Now => (case.now, None),
        Hour::Later(due_at, why) => (due_at, why),
        Hour::Never(reason, detail) => return Err((reason, Some(detail))),
    };
    gates.passed("hours", deferred.map(|why| format!("deferred to {due_at} ({why})")));
    Ok((due_at, deferred))
}
