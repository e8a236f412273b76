//! Why something was not sent: one list of words for log, API, console and metrics.

use crate::rules::words;
use std::fmt;
use std::str::FromStr;

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Reason {
    AlreadyTouched,
    AgainTooSoon,
    BeforeStart,
    NoAddress,
    BadAddress,
    NoConsent,
    Unconfirmed,
    Suppressed,
    Capped,
    BadMoment,
    OutsideLegalHours,
    SameAddress,
    HeldOut,
    Guard,
    NoBudget,
    NotEligible,
    NoLongerTrue,
    Expired,
    Paused,
    NotAllowedHere,
    MissingValue,
    RenderError,
    ProviderRefused,
    AttemptsExhausted,
    OutcomeUnknown,
    QuietHours,
}

words!(Reason {
    AlreadyTouched = "already_touched",
    AgainTooSoon = "again_too_soon",
    BeforeStart = "before_start",
    NoAddress = "no_address",
    BadAddress = "bad_address",
    NoConsent = "no_consent",
    Unconfirmed = "unconfirmed",
    Suppressed = "suppressed",
    Capped = "capped",
    BadMoment = "bad_moment",
    OutsideLegalHours = "outside_legal_hours",
    SameAddress = "same_address",
    HeldOut = "held_out",
    Guard = "guard",
    NoBudget = "no_budget",
    NotEligible = "not_eligible",
    NoLongerTrue = "no_longer_true",
    Expired = "expired",
    Paused = "paused",
    NotAllowedHere = "not_allowed_here",
    MissingValue = "missing_value",
    RenderError = "render_error",
    ProviderRefused = "provider_refused",
    AttemptsExhausted = "attempts_exhausted",
    OutcomeUnknown = "outcome_unknown",
    QuietHours = "quiet_hours",
});

impl Reason {
    /// A refusal that stands until something about the customer changes: rules with period or numbered
    /// occurrences keep one row of it per customer.
    pub const fn is_standing(self) -> bool {
        matches!(
            self,
            Self::NoConsent | Self::Unconfirmed | Self::Suppressed | Self::NoAddress | Self::BadAddress | Self::Paused
        )
    }

    /// The gate at which it refuses.
    pub const fn gate(self) -> &'static str {
        match self {
            Self::AlreadyTouched | Self::BeforeStart => "seen_before",
            Self::AgainTooSoon => "again_after",
            Self::Paused => "pauses",
            Self::NoAddress | Self::BadAddress | Self::NotAllowedHere | Self::SameAddress => "address",
            Self::NoConsent | Self::Unconfirmed => "consent",
            Self::Suppressed => "suppression",
            Self::Capped => "caps",
            Self::BadMoment => "moment",
            Self::HeldOut => "holdout",
            Self::NoBudget => "budget",
            Self::NotEligible => "eligibility",
            _ => "hours",
        }
    }

    /// How far a channel came that was refused for this reason: of several channels the one that came furthest says
    /// what would have to change.
    pub const fn depth(self) -> u8 {
        match self {
            Self::NoAddress => 0,
            Self::BadAddress => 1,
            Self::NotAllowedHere => 2,
            Self::NoConsent => 3,
            Self::Unconfirmed => 4,
            Self::Suppressed => 5,
            Self::Capped => 7,
            _ => 6,
        }
    }

    /// One sentence for support.
    pub const fn meaning(self) -> &'static str {
        match self {
            Self::AlreadyTouched => "this occurrence was already sent, is on its way, or was held out",
            Self::AgainTooSoon => "the rule's last message to this customer is not yet `again_after` ago",
            Self::BeforeStart => "matched already when the rule first went live, and `existing = \"skip\"`",
            Self::NoAddress => "the customer has no address for any of the rule's channels",
            Self::BadAddress => "the customer's address is not a valid one",
            Self::NoConsent => {
                "a promotional message without consent for its topic on any of the rule's channels, or a topic that the customer has left"
            }
            Self::Unconfirmed => "the customer's yes to the topic is not confirmed yet",
            Self::Suppressed => "the address is on the suppression list",
            Self::Capped => "the customer has had as many messages as `caps` allow; what took the place is named",
            Self::BadMoment => "one of `no_promotions_while` holds for the customer; it is named",
            Self::OutsideLegalHours => "the law lets nobody send on this channel before the message expires",
            Self::SameAddress => "another customer with this address gets the message",
            Self::HeldOut => "in a holdout: not written to, so that one can tell what writing does",
            Self::Guard => "the run is larger than `[guard]` allows: it waits for approval, or was cancelled",
            Self::NoBudget => "no offer of the rule has budget left",
            Self::NotEligible => "the customer is not eligible for any offer of the rule",
            Self::NoLongerTrue => "at the moment of sending the conditions held no more",
            Self::Expired => "could not be sent within `expires_after`",
            Self::Paused => "the rule, the channel, the customer or everything is paused",
            Self::NotAllowedHere => "`[guard] only_to` does not list this address",
            Self::MissingValue => "the template needs a value that this customer does not have",
            Self::RenderError => "the template could not be rendered",
            Self::ProviderRefused => "the provider refused the message for good",
            Self::AttemptsExhausted => "every attempt met a temporary refusal",
            Self::OutcomeUnknown => "nobody can say whether it was sent, and the rule says to leave it at that",
            Self::QuietHours => "deferred to the end of the customer's quiet hours",
        }
    }
}
