//! A stop that somebody said on a channel: to everything at their number, and to every promotional topic there.

use crate::contact::mask;
use crate::data::suppress::Hasher;
use crate::ids::bucket_of;
use crate::rules::{Channel, Purpose};
use crate::settings::Settings;
use crate::store::consents::{self, Entry};
use crate::store::db::{Result, Tx};
use crate::store::suppressions::{self, Suppression};
use crate::time::Timestamp;

/// The reason of a suppression that its owner asked for.
pub const REASON: &str = "stop";

/// Who says stop, where, and how.
#[derive(Clone, Copy)]
pub struct Stop<'a> {
    pub channel: Channel,
    /// E.164.
    pub number: &'a str,
    /// Every customer with this number.
    pub customers: &'a [String],
    /// As the ledger names it: `reply STOP`, `call key 9`.
    pub source: &'a str,
}

/// Hears a stop. The number gets nothing more on the channel, whoever has it; its customers' answer to promotional
/// topics there is no.
pub async fn hear(tx: &mut Tx, settings: &Settings, hasher: &Hasher, stop: Stop<'_>, now: Timestamp) -> Result<()> {
    let suppression = Suppression {
        address_hash: hasher.hash(stop.number),
        scope: scope(stop.channel),
        shown: mask(stop.number),
        reason: REASON.to_owned(),
        at: now,
    };
    suppressions::add(tx, &[suppression]).await?;
    let topics = settings.topics.iter().filter(|(_, topic)| topic.purpose == Purpose::Promotional);
    let no = |(topic, customer): (&String, &String)| Entry {
        bucket: bucket_of(customer),
        customer: customer.clone(),
        topic: topic.clone(),
        channel: stop.channel.as_str().to_owned(),
        at: now,
        value: false,
        source: stop.source.to_owned(),
    };
    let entries = topics.flat_map(|(topic, _)| stop.customers.iter().map(move |customer| (topic, customer))).map(no);
    consents::add(tx, &entries.collect::<Vec<_>>(), now).await?;
    Ok(())
}

/// Everything on a channel.
pub fn scope(channel: Channel) -> String {
    format!("channel:{channel}")
}
