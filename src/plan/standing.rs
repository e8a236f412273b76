//! How long a refusal stands while nothing but the clock moves: what a simulation need not judge again at every tick.
//!
//! 1. Nothing is said where anything is uncertain: then the next tick judges again, as a daemon does.
//! 2. What is said holds until a touchpoint of the customer is written, or budget comes back.

use super::candidate::{Candidate, OfferFacts};
use super::decide::Case;
use super::hour::{Hour, hour, silence, zones};
use super::route::{asked, full, in_order, key, open};
use crate::courtesy::caps::{self, OnCap};
use crate::expr::Clause;
use crate::offers::{Offer, PerCustomer};
use crate::rules::{Channel, Kind, Purpose, Rule};
use crate::settings::BadMoment;
use crate::time::{Span, Timestamp};
use crate::touchpoints::Reason;

/// How long a refusal stands.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Standing {
    /// At every instant before this one.
    Until(Timestamp),
    /// While the rule's offer has no budget.
    WhileBudgetIsOut,
}

/// The end of time.
const NEVER: Timestamp = Timestamp::from_micros(i64::MAX);

/// Whether anything can be said of the rule's refusals: what they rest on stands still.
pub fn may_stand(rule: &Rule, offers: &[&Offer], moments: &[BadMoment]) -> bool {
    let moments = moments.iter().filter(|_| rule.may_be_promotional()).map(|moment| &moment.clause);
    let mut clauses = moments.chain(offers.iter().flat_map(|offer| &offer.eligible));
    let falls_back = !rule.offers.is_empty() && rule.kind != Kind::Offer && rule.purpose != Purpose::Promotional;
    clauses.all(Clause::stands_still)
        && !falls_back
        && !rule.confirms
        && rule.soft_opt_in.is_none()
        && rule.pace.is_none()
        && rule.variants.is_empty()
}

/// How long the refusal of `case` for `reason` stands, of a rule that [`may_stand`] while nothing is paused and no
/// suppression ends; `None` where that is not certain. `offers` are the rule's; `shares_address` says whether another
/// customer may come to have the message in the place of this one.
pub fn standing(case: Case<'_>, reason: Reason, offers: &[&Offer], shares_address: bool) -> Option<Standing> {
    if reason == Reason::BadMoment {
        return Some(Standing::Until(NEVER));
    }
    if !matches!(reason, Reason::Capped | Reason::NoBudget | Reason::NotEligible) {
        return None;
    }
    let ways = Ways::of(case)?;
    let may_be_next = ways.is_open && !shares_address && has_no_holder(case.candidate);
    match reason {
        Reason::Capped => {
            let waits = match case.rule.on_cap {
                OnCap::Drop => Span::default(),
                OnCap::Defer => case.rule.expires_after,
            };
            let until = ways.free_at.minus(ways.longest).minus(waits);
            (until > case.now).then_some(Standing::Until(until))
        }
        Reason::NoBudget if may_be_next && offers.len() == 1 => Some(Standing::WhileBudgetIsOut),
        Reason::NotEligible if may_be_next => {
            let until =
                offers.iter().zip(&case.candidate.offers).map(|(offer, facts)| not_eligible_until(offer, facts));
            until.collect::<Option<Vec<_>>>()?.into_iter().min().map(Standing::Until)
        }
        _ => None,
    }
}

/// Up to when the customer may not have an offer, at least.
fn not_eligible_until(offer: &Offer, facts: &OfferFacts) -> Option<Timestamp> {
    match offer.per_customer {
        _ if !facts.eligible => Some(NEVER),
        Some(PerCustomer { per: None, .. }) => Some(NEVER),
        Some(PerCustomer { per: Some(span), .. }) => Some(facts.first?.plus(span)),
        None => None,
    }
}

fn has_no_holder(candidate: &Candidate) -> bool {
    let mut places = candidate.email_place.iter().chain(&candidate.phone_place);
    places.all(|place| place.holder.is_none())
}

/// What the customer's channels say.
struct Ways {
    /// One of them may be used now, and so from now on: places come free, and are not taken.
    is_open: bool,
    /// When the first that has no place may have one again.
    free_at: Timestamp,
    /// How long quiet hours put a message off at most.
    longest: Span,
}

impl Ways {
    /// `None` where a message could come to expire while it waits for an hour.
    fn of(case: Case<'_>) -> Option<Self> {
        let purpose = if case.rule.offers.is_empty() { case.rule.purpose } else { Purpose::Promotional };
        let mut ways = Self { is_open: false, free_at: NEVER, longest: Span::default() };
        for channel in in_order(case.rule, case.candidate) {
            if open(case, channel, purpose).is_err() {
                continue;
            }
            let longest = longest(case, channel, purpose)?;
            ways.longest = ways.longest.max(longest);
            let due_at = match hour(case, channel, purpose, case.last(), || key(case)) {
                Hour::Now => case.now,
                Hour::Later(due_at, _) => due_at,
                Hour::Never(..) => return None,
            };
            if full(case, channel, purpose, due_at).is_some() {
                let asked = asked(case, channel, purpose, due_at);
                let until = caps::full_until(case.policy.caps, &case.candidate.taken, asked)?;
                ways.free_at = ways.free_at.min(until);
            } else {
                ways.is_open |= full(case, channel, purpose, case.now).is_none();
            }
        }
        Some(ways)
    }
}

/// How long the quiet hours of one way may put a message off; `None` where legal hours, or too many quiet ones, may do
/// so until it expires.
fn longest(case: Case<'_>, channel: Channel, purpose: Purpose) -> Option<Span> {
    let silence = silence(case, channel, purpose);
    let business = [case.policy.zone];
    let zones = zones(case.candidate, &business).len();
    let one = silence.longest()?;
    let longest = Span::from_micros(one.micros().checked_mul(i64::try_from(zones).ok()?)?);
    (longest <= case.rule.expires_after && case.candidate.event_at.is_none()).then_some(longest)
}
