//! What one tick has decided so far for the customer whose candidates are being read: the database does not know of it
//! yet. Candidates come ordered by customer.

use super::candidate::{Candidate, OfferFacts};
use super::decide::{Case, Decision, Policy, decide};
use super::pace::Turns;
use super::route::Budget;
use crate::rules::Rule;
use crate::time::Timestamp;

/// Decides about a rule's candidates one after the other.
#[derive(Debug, Default)]
pub struct Meanwhile {
    /// The customer who was planned last.
    customer: String,
    /// Places in the rule's list of offers, one for each message.
    given: Vec<usize>,
    /// Where the rule has a pace.
    turns: Option<Turns>,
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
        }
        let decision = decide(Case { rule, candidate, policy, now, turns: self.turns.as_ref() }, take);
        if let Decision::Plan(message) = &decision {
            if let Some(turns) = &mut self.turns {
                turns.take(message.due_at);
            }
            if self.customer != candidate.customer {
                self.customer.clone_from(&candidate.customer);
                self.given.clear();
            }
            self.given.extend(message.offer);
        }
        decision
    }

    fn count_against(&self, offers: &mut [OfferFacts]) {
        for place in &self.given {
            offers[*place].left = offers[*place].left.saturating_sub(1);
        }
    }
}
