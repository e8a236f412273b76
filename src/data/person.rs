//! One customer as the public pages know them: the ways to reach them, and what they have said so far.

use super::addresses;
use super::suppress::Hasher;
use crate::catalogue::Catalogue;
use crate::contact::{Ground, mask};
use crate::courtesy::consent::{Answer, current, deciding};
use crate::courtesy::preferences::Preferences;
use crate::ids::bucket_of;
use crate::rules::{Channel, Purpose};
use crate::settings::{Business, Settings};
use crate::store::consents::{self, Entry};
use crate::store::db::{Db, Result};
use crate::store::{pages, preferences, suppressions};
use crate::time::{Timestamp, Tz};

/// The scope of a suppression that stops whatever is promotional.
pub(super) const EXTRAS: &str = "promotional";

/// A customer, and what they have said.
#[derive(Clone, PartialEq, Debug)]
pub struct Person {
    pub bucket: i64,
    pub customer: String,
    pub email: Option<String>,
    pub phone: Option<String>,
    /// The language of the data; what they chose themselves is in `preferences`.
    pub locale: Option<String>,
    pub zone: Option<Tz>,
    pub preferences: Preferences,
    /// All entries about them.
    pub ledger: Vec<Entry>,
    /// Whether they are paused, and until when.
    pub paused: Option<Option<Timestamp>>,
    /// Whether they have asked for messages without offers and surprises.
    pub no_extras: bool,
}

impl Person {
    /// What is known of `customer`, whether the data still has them or not.
    pub async fn load(
        db: &Db,
        catalogue: &Catalogue,
        business: &Business,
        customer: &str,
        now: Timestamp,
    ) -> Result<Self> {
        let bucket = bucket_of(customer);
        let fields = pages::fields(db, catalogue, customer).await?;
        let preferences = preferences::of(db, &[(bucket, customer)]).await?.pop().map(|(_, said)| said);
        let home = addresses::country(&business.country);
        let mut person = Self {
            bucket,
            customer: customer.to_owned(),
            email: fields.email.as_deref().and_then(addresses::email),
            phone: fields.phone.as_deref().and_then(|phone| addresses::phone(phone, home)),
            locale: fields.locale,
            zone: fields.time_zone.and_then(|zone| zone.parse().ok()),
            preferences: preferences.unwrap_or_default(),
            ledger: consents::ledger(db, bucket, customer).await?,
            paused: pages::pause(db, customer, now).await?,
            no_extras: false,
        };
        person.no_extras = person.has_left_extras(db, now).await?;
        Ok(person)
    }

    async fn has_left_extras(&self, db: &Db, now: Timestamp) -> Result<bool> {
        if !suppressions::is_any(db).await? {
            return Ok(false);
        }
        let hashes = Hasher::load(db).await?.hash_all(&self.addresses());
        let found = suppressions::lookup(db, &hashes, now).await?;
        Ok(found.iter().any(|one| one.scope == EXTRAS && one.reason == Ground::Unsubscribe.as_str()))
    }

    /// Every address that is known of them.
    pub fn addresses(&self) -> Vec<&str> {
        self.email.iter().chain(&self.phone).map(String::as_str).collect()
    }

    /// The address by which a channel reaches them.
    pub fn address(&self, channel: Channel) -> Option<&str> {
        match channel {
            Channel::Email => self.email.as_deref(),
            Channel::Sms | Channel::Voice => self.phone.as_deref(),
        }
    }

    /// The same, masked: a link can be passed on.
    pub fn masked(&self, channel: Channel) -> Option<String> {
        self.address(channel).map(mask)
    }

    /// The channels that the business uses and that have an address of theirs.
    pub fn channels(&self, settings: &Settings) -> Vec<Channel> {
        let reaches = |channel: &&Channel| settings.channels.contains_key(channel) && self.address(**channel).is_some();
        Channel::ALL.iter().filter(reaches).copied().collect()
    }

    /// Whether messages of a topic may reach them on a channel: what is promotional needs a yes, the rest stops at a no.
    pub fn gets(&self, topic: &str, purpose: Purpose, channel: Channel) -> bool {
        match current(&self.ledger, topic, channel.as_str()) {
            Some(Answer::Pending) | None => purpose == Purpose::Transactional,
            Some(answer) => answer == Answer::Yes,
        }
    }

    /// When and where the answer that counts for a topic on a channel was given, if it is a yes.
    pub fn said_yes(&self, topic: &str, channel: Channel) -> Option<&Entry> {
        deciding(&self.ledger, topic, channel.as_str()).filter(|entry| entry.answer == Answer::Yes)
    }
}
