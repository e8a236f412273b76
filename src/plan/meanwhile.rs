//! What one tick has decided so far for the customer whose candidates are being read: the database does not know of it
//! yet. Candidates come ordered by customer.

use super::candidate::{Candidate, OfferFacts};
use super::decide::{Case, Decision, Policy, decide};
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
}

impl Meanwhile {
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
        let decision = decide(Case { rule, candidate, policy, now }, take);
        if let Decision::Plan(message) = &decision {
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
