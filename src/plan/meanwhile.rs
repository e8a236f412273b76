//! What one tick has decided so far: the database does not know of it yet. Candidates come ordered by customer.
//!
//! 1. What is remembered of a customer ends with the customer: memory does not grow with the audience.
//! 2. Addresses are shared between customers, so they are remembered until they are written down, which the caller
//!    says with [`Meanwhile::forget_addresses`]. A forecast, which writes nothing, remembers them all: of each 16 bytes.

use super::candidate::{Candidate, OfferFacts, Place};
use super::decide::{Case, Decision, Message, Policy, decide};
use super::pace::Turns;
use super::route::Budget;
use crate::courtesy::caps::Taken;
use crate::ids;
use crate::rules::{Purpose, Rule};
use crate::time::Timestamp;
use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash, Hasher};

/// Decides about a rule's candidates one after the other.
#[derive(Debug, Default)]
pub struct Meanwhile {
    /// The customer who was planned last.
    customer: String,
    /// Places in the rule's list of offers, one for each message.
    given: Vec<usize>,
    /// Where the rule has a pace.
    turns: Option<Turns>,
    /// Places under the caps, one for each message.
    taken: Vec<Taken>,
    addresses: HashMap<Held, Holder>,
}

/// An address under an occurrence, as 64 bits of hash: a forecast remembers millions of them.
type Held = u64;

/// The first characters of the id of the touchpoint that has the address.
type Holder = [u8; 8];

fn held(place: &Place, occurrence: &str) -> Held {
    let mut hash = DefaultHasher::new();
    (&place.hash, occurrence).hash(&mut hash);
    hash.finish()
}

fn holder(id: &str) -> Holder {
    std::array::from_fn(|at| id.as_bytes().get(at).copied().unwrap_or(b'-'))
}

impl Meanwhile {
    pub fn paced(turns: Option<Turns>) -> Self {
        Self { turns, ..Self::default() }
    }

    /// The turns as they are left.
    pub const fn turns(&self) -> Option<&Turns> {
        self.turns.as_ref()
    }

    /// Decides about the next candidate. With `again_after` a second message for one customer is too soon.
    pub fn decide(
        &mut self,
        rule: &Rule,
        candidate: &mut Candidate,
        policy: &Policy<'_>,
        now: Timestamp,
        take: Budget<'_>,
    ) -> Decision {
        if self.customer == candidate.customer {
            if rule.again_after.is_some() {
                return Decision::too_soon();
            }
            self.count_against(&mut candidate.offers);
            candidate.taken.extend_from_slice(&self.taken);
        }
        self.hold_addresses(candidate);
        let decision = decide(Case { rule, candidate, policy, now, turns: self.turns.as_ref() }, take);
        if let Decision::Plan(message) | Decision::HoldOut(message, _) = &decision {
            if self.customer != candidate.customer {
                self.customer.clone_from(&candidate.customer);
                self.given.clear();
                self.taken.clear();
            }
            self.note(rule, candidate, message);
            if matches!(decision, Decision::Plan(_)) {
                if let Some(turns) = &mut self.turns {
                    turns.take(message.due_at);
                }
                self.given.extend(message.offer);
                self.taken.extend(rule.counts_toward_cap.then(|| as_taken(rule, message)));
            }
        }
        decision
    }

    /// What was decided so far is written down: whoever looks addresses up finds them in the database.
    pub fn forget_addresses(&mut self) {
        self.addresses.clear();
    }

    fn count_against(&self, offers: &mut [OfferFacts]) {
        for place in &self.given {
            offers[*place].left = offers[*place].left.saturating_sub(1);
        }
    }

    fn hold_addresses(&self, candidate: &mut Candidate) {
        if self.addresses.is_empty() {
            return;
        }
        let Candidate { occurrence, email_place, phone_place, .. } = candidate;
        for place in email_place.iter_mut().chain(phone_place) {
            if let Some(holder) = self.addresses.get(&held(place, occurrence)) {
                place.holder = Some(String::from_utf8_lossy(holder).into_owned());
            }
        }
    }

    /// A promotional message has its address for this occurrence; one that is held out too, or the same person would
    /// get it under another name.
    fn note(&mut self, rule: &Rule, candidate: &Candidate, message: &Message) {
        if message.purpose == Purpose::Promotional
            && let Some(place) = candidate.place(message.channel)
        {
            let id = match &candidate.existing {
                Some(existing) => existing.id.clone(),
                None => ids::touchpoint(&rule.name, &candidate.customer, &candidate.occurrence, 0),
            };
            self.addresses.insert(held(place, &candidate.occurrence), holder(&id));
        }
    }
}

fn as_taken(rule: &Rule, message: &Message) -> Taken {
    Taken {
        rule: rule.name.clone(),
        topic: rule.topic.clone(),
        purpose: message.purpose,
        channel: message.channel,
        at: message.due_at,
        is_open: true,
        waits: message.waits.is_some(),
    }
}
