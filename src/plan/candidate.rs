//! What the decision is told about one row that a rule's conditions select.
//!
//! The statement of [`super::audience`] gives most of it; what SQL cannot say is added to each chunk by
//! `outreach::complete`. A candidate holds facts, no judgement.

use crate::courtesy::caps::Taken;
use crate::courtesy::preferences::Preferences;
use crate::rules::Channel;
use crate::time::{Timestamp, Tz};
use crate::touchpoints::{Reason, State};

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
    /// As the data has it, or that of a country with one zone.
    pub zone: Option<Tz>,
    /// Where `zone` is not known: the zones they may live in; none where nothing is known of them.
    pub zones: Vec<Tz>,
    /// As the data has it, else that of their phone number; ISO 3166-1 alpha-2.
    pub country: Option<String>,
    /// The part of an ISO 3166-2 code after the country.
    pub region: Option<String>,
    pub locale: Option<String>,
    pub existing: Option<ExistingRow>,
    /// When this rule last touched this customer.
    pub last_touch: Option<Timestamp>,
    /// Channels with a current yes for the rule's topic.
    pub consents: Vec<Channel>,
    /// Channels with a current no for it: even a transactional topic can be left.
    pub refused: Vec<Channel>,
    /// Channels with a yes that waits for its confirmation.
    pub unconfirmed: Vec<Channel>,
    /// Whether a purchase may stand for a yes by email and SMS (soft opt-in).
    pub soft_opt_in: bool,
    /// Scopes of suppressions by the channel whose address they are of; see [`crate::contact::is_covered`].
    pub suppressed: Vec<(Channel, String)>,
    /// By place in the rule's list of offers.
    pub offers: Vec<OfferFacts>,
    /// What the customer asked for on the preference page.
    pub preferences: Preferences,
    /// Names of `no_promotions_while` that hold.
    pub bad_moments: Vec<String>,
    /// What has taken places under the caps; only for rules that are subject to any.
    pub taken: Vec<Taken>,
    /// Only for rules that may be promotional.
    pub email_place: Option<Place>,
    pub phone_place: Option<Place>,
    /// When the event was that the rule was waiting for.
    pub event_at: Option<Timestamp>,
}

/// An address's place under one occurrence of a rule: one promotional message.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Place {
    /// The address as a keyed hash.
    pub hash: String,
    /// The touchpoint of another customer that has it: its id, or the first eight characters of that.
    pub holder: Option<String>,
}

impl Candidate {
    pub const fn address(&self, channel: Channel) -> &Address {
        match channel {
            Channel::Email => &self.email,
            Channel::Sms | Channel::Voice => &self.phone,
        }
    }

    pub const fn place(&self, channel: Channel) -> Option<&Place> {
        match channel {
            Channel::Email => self.email_place.as_ref(),
            Channel::Sms | Channel::Voice => self.phone_place.as_ref(),
        }
    }

    /// The places of its addresses.
    pub fn places_mut(&mut self) -> impl Iterator<Item = &mut Place> {
        self.email_place.iter_mut().chain(&mut self.phone_place)
    }
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
    /// When the first of those was given that count against the limit: asked for in a rehearsal alone.
    pub first: Option<Timestamp>,
}
