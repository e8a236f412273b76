//! A stop that somebody said on a channel: to everything at their number, and to every promotional topic there.

use crate::contact::mask;
use crate::courtesy::consent::{Answer, Entry, Source, SourceKind};
use crate::data::suppress::Hasher;
use crate::rules::{Channel, Purpose};
use crate::settings::Settings;
use crate::store::consents;
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
    /// The provider's name for what was said, which the suppression keeps: no words of the person outlive an erasure.
    pub event: &'a str,
    /// What was said, word for word, which the ledger keeps.
    pub words: &'a str,
}

/// Hears a stop. The number gets nothing more on the channel, whoever has it; its customers' answer to promotional
/// topics there is no.
pub async fn hear(tx: &mut Tx, settings: &Settings, hasher: &Hasher, stop: Stop<'_>, now: Timestamp) -> Result<()> {
    let (hash, scope, shown) = (hasher.hash(stop.number), scope(stop.channel), mask(stop.number));
    let suppression =
        Suppression::of(&hash, &scope, &shown, REASON, now, stop.source).proved_by(Some(stop.event.to_owned()));
    suppressions::add(tx, &[suppression]).await?;
    let topics = settings.topics.iter().filter(|(_, topic)| topic.purpose == Purpose::Promotional);
    let kind = if stop.channel == Channel::Voice { SourceKind::CallKey } else { SourceKind::Reply };
    let no = |(topic, customer): (&String, &String)| {
        let source = Source::new(kind, stop.source);
        Entry::said(customer, topic, stop.channel.as_str(), Answer::No, now, source)
            .proved_by(Some(stop.words.to_owned()))
    };
    let entries = topics.flat_map(|(topic, _)| stop.customers.iter().map(move |customer| (topic, customer))).map(no);
    consents::add(tx, &entries.collect::<Vec<_>>(), now).await?;
    Ok(())
}

/// Everything on a channel.
pub fn scope(channel: Channel) -> String {
    format!("channel:{channel}")
}
