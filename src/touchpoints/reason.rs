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

    /// A few words for a list: `20 no consent`.
    pub const fn told(self) -> &'static str {
        match self {
            Self::AlreadyTouched => "had it already",
            Self::AgainTooSoon => "had one too lately",
            Self::BeforeStart => "matched before the rule began",
            Self::NoAddress => "no address",
            Self::BadAddress => "address not valid",
            Self::NoConsent => "no consent",
            Self::Unconfirmed => "yes not confirmed",
            Self::Suppressed => "address suppressed",
            Self::Capped => "had as many as caps allow",
            Self::BadMoment => "left alone for the moment",
            Self::OutsideLegalHours => "outside legal hours",
            Self::SameAddress => "another with the address gets it",
            Self::HeldOut => "held out",
            Self::Guard => "not approved",
            Self::NoBudget => "no budget left",
            Self::NotEligible => "not eligible for the offer",
            Self::NoLongerTrue => "no longer true at sending",
            Self::Expired => "too late",
            Self::Paused => "paused",
            Self::NotAllowedHere => "not among `only_to`",
            Self::MissingValue => "a value is missing",
            Self::RenderError => "template not rendered",
            Self::ProviderRefused => "refused by the provider",
            Self::AttemptsExhausted => "attempts used up",
            Self::OutcomeUnknown => "outcome unknown",
            Self::QuietHours => "quiet hours",
        }
    }

    /// When this happens, for one.
    pub const fn example(self) -> &'static str {
        match self {
            Self::AlreadyTouched => "`once_per = \"year\"`, and this year's birthday letter went in the morning",
            Self::AgainTooSoon => "`again_after = \"14d\"`, and the last letter went three days ago",
            Self::BeforeStart => "a parcel that was shipped before the rule about parcels went live",
            Self::NoAddress => "`channels = [\"sms\"]`, and no phone number is known",
            Self::BadAddress => "`ann@example` or `12345` as it stands in the data",
            Self::NoConsent => "`topic = \"offers\"`, and the customer never said yes to offers by email",
            Self::Unconfirmed => "`opt_in = \"double\"`, and the link in the mail was not pressed yet",
            Self::Suppressed => "a mail to this address bounced, or `plusone suppress add` names it",
            Self::Capped => "`caps = [{ purpose = \"promotional\", max = 2, per = \"7d\" }]`, and two went this week",
            Self::BadMoment => "`no_promotions_while = { open_complaint = … }`, and a complaint is open",
            Self::OutsideLegalHours => "a call at nine in the evening that expires before the morning",
            Self::SameAddress => "a couple shares one address, and the first of them gets the letter",
            Self::HeldOut => "`holdout = \"5%\"`, and the customer is one of these",
            Self::Guard => "`[guard] max_recipients = 5000`, and the run would reach 6,000",
            Self::NoBudget => "`budget = { per_day = 50 }`, and fifty were given today",
            Self::NotEligible => "`per_customer = { max = 1, per = \"300d\" }`, and they had one in spring",
            Self::NoLongerTrue => "the cart was ordered between the tick and the sending",
            Self::Expired => "`expires_after = \"4h\"`, and the relay was away for five",
            Self::Paused => "`plusone pause birthday` was said, and no `resume`",
            Self::NotAllowedHere => "a test system with `only_to = [\"*@harbour.example\"]`",
            Self::MissingValue => "`{{customer.first_name}}` of a table in place, where one has no name",
            Self::RenderError => "a letter that grew beyond the size that mail readers show",
            Self::ProviderRefused => "`550 no such user` from the relay",
            Self::AttemptsExhausted => "`450 try again later`, eight times",
            Self::OutcomeUnknown => "the line broke behind the last byte, and `on_doubt = \"drop\"`",
            Self::QuietHours => "`quiet_hours = { sms = \"20:00-09:00\" }`, and it is nine in the evening",
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
                "the customer has not said yes to the promotional topic by any of the rule's channels, or has said no to the topic"
            }
            Self::Unconfirmed => "the customer's yes to the topic is not confirmed yet",
            Self::Suppressed => "the address is on the suppression list",
            Self::Capped => "the customer has had as many messages as `caps` allow; what took the place is named",
            Self::BadMoment => "one of `no_promotions_while` holds for the customer; it is named",
            Self::OutsideLegalHours => "the law lets nobody send on this channel before the message expires",
            Self::SameAddress => "another customer with this address gets the message",
            Self::HeldOut => "in a holdout: not written to, so that one can tell what writing does",
            Self::Guard => "the run is larger than `[guard]` allows: it waits for approval, or was cancelled",
            Self::NoBudget => {
                "no offer of the rule has budget left, today's or in all: `plusone offers` tells what is left of each"
            }
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
