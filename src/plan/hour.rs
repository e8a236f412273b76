//! When a message may go on a channel: quiet hours, legal hours and the rule's pace, and what becomes of one that waits.
//!
//! 1. The business's, the topic's and the customer's own quiet hours and all legal hours hold together; of a customer
//!    whose zone is not known in every zone that may be theirs.
//! 2. A rule that is `urgent` passes quiet hours. Legal hours are never passed, whatever a rule says.
//! 3. A paced message takes the first turn that lies outside silence; what waited without a pace is spread over the
//!    quarter of an hour after it. What would go after it expires is refused, and says what kept it.

use super::candidate::Candidate;
use super::decide::{Case, Policy};
use crate::courtesy::quiet_hours::{Silence, Verdict};
use crate::rules::{Channel, Purpose, words};
use crate::time::{Timestamp, Tz};
use crate::touchpoints::Reason;
use std::fmt;
use std::str::FromStr;

/// Why a message does not go at once.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Deferral {
    QuietHours,
    LegalHours,
    Pace,
}

words!(Deferral { QuietHours = "quiet_hours", LegalHours = "legal_hours", Pace = "pace" });

/// What the hours say of one message.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Hour {
    Now,
    /// Then; without a reason where it is this very turn.
    Later(Timestamp, Option<Deferral>),
    /// It would go after it expires.
    Never(Reason, String),
}

/// Judges a message on `channel` at the case's `now`. After `last` it is not sent; `key` names its touchpoint.
pub fn hour(case: Case<'_>, channel: Channel, purpose: Purpose, last: Timestamp, key: impl Fn() -> String) -> Hour {
    let silence = silence(case, channel, purpose);
    let business = [case.policy.zone];
    let zones = zones(case.candidate, &business);
    let (at, why) = match case.turns {
        Some(turns) => {
            let mut at = turns.next(case.now);
            while let Verdict::Defer { until } = silence.verdict(at, zones)
                && until <= last
            {
                at = turns.next(until);
            }
            match silence.verdict(at, zones) {
                Verdict::Defer { until } => (until, Some(cause(&silence, at, zones))),
                Verdict::Send => (at, (at > turns.from()).then_some(Deferral::Pace)),
            }
        }
        None => match silence.verdict(case.now, zones) {
            Verdict::Send => return Hour::Now,
            Verdict::Defer { until } if until > last => (until, Some(cause(&silence, case.now, zones))),
            Verdict::Defer { until } => {
                (silence.spread(until, zones, last, &key()), Some(cause(&silence, case.now, zones)))
            }
        },
    };
    if at <= last {
        return Hour::Later(at, why);
    }
    let legal = Silence { quiet: Vec::new(), ..silence };
    match (legal.verdict(case.now, zones), why) {
        (Verdict::Defer { until }, _) if until > last => Hour::Never(
            Reason::OutsideLegalHours,
            format!("legal hours begin at {}, after it expires", case.told(until)),
        ),
        (_, Some(Deferral::Pace)) => {
            Hour::Never(Reason::Expired, format!("its turn by `pace` is {}, after it expires", case.told(at)))
        }
        (_, Some(Deferral::LegalHours)) => {
            Hour::Never(Reason::Expired, format!("legal hours begin at {}, after it expires", case.told(at)))
        }
        _ => Hour::Never(Reason::Expired, format!("quiet hours end at {}, after it expires", case.told(at))),
    }
}

/// Everything that silences a message of this case.
pub(super) fn silence<'a>(case: Case<'a>, channel: Channel, purpose: Purpose) -> Silence<'a> {
    let Policy { quiet_hours, topic_quiet, legal_hours, country, .. } = *case.policy;
    let candidate = case.candidate;
    let country = candidate.country.as_deref().unwrap_or(country);
    let quiet = [quiet_hours.get(&channel).map_or(&[][..], Vec::as_slice), topic_quiet, &candidate.preferences.quiet];
    Silence {
        quiet: quiet.into_iter().filter(|windows| !windows.is_empty() && !case.rule.urgent).collect(),
        open: legal_hours.of(country, candidate.region.as_deref(), channel, purpose).collect(),
        country,
    }
}

/// The zones that the customer may live in: their own, those of their country, the business's.
pub(super) fn zones<'a>(candidate: &'a Candidate, business: &'a [Tz]) -> &'a [Tz] {
    match &candidate.zone {
        Some(zone) => std::slice::from_ref(zone),
        None if candidate.zones.is_empty() => business,
        None => &candidate.zones,
    }
}

/// Which hours silence a message that may not go at `at`.
fn cause(silence: &Silence<'_>, at: Timestamp, zones: &[Tz]) -> Deferral {
    let quiet = Silence { open: Vec::new(), ..silence.clone() };
    if quiet.verdict(at, zones) == Verdict::Send { Deferral::LegalHours } else { Deferral::QuietHours }
}
