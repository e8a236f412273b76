//! Answers that people write down: one by hand, or a list from another system.
//!
//! 1. An answer names its source. Who says yes elsewhere did so at a time that is over, never in the future.
//! 2. A list only adds: an older yes of it never outlives a later no, and what it leaves out stays as it is.
//! 3. A topic or channel that does not exist is refused: an answer about nothing proves nothing.

use super::erased::Erased;
use super::lists::List;
use super::{DataError, ListReport};
use crate::amount::counted;
use crate::catalogue::{Entity, Field, Type};
use crate::courtesy::consent::{Answer, EVERY_CHANNEL, Source, SourceKind};
use crate::problem::nearest;
use crate::rules::Channel;
use crate::settings::Settings;
use crate::store::consents::{self, Entry};
use crate::store::db::{Cell, Db};
use crate::time::Timestamp;
use std::net::IpAddr;
use std::path::Path;

/// One answer of a customer, as people write it down.
#[derive(Clone, Copy, Debug)]
pub struct Said<'a> {
    /// The customer's key.
    pub customer: &'a str,
    pub topic: &'a str,
    /// Every channel where absent.
    pub channel: Option<&'a str>,
    /// A yes or a no; what a yes counts for is the topic's business, unless it was confirmed already.
    pub answer: Answer,
    pub at: Timestamp,
    /// Where the customer said so, as [`Source::read`] reads it.
    pub source: &'a str,
    /// What the source is when its words do not say.
    pub kind: SourceKind,
}

impl Said<'_> {
    /// The ledger's entry. Under a double opt-in a yes waits for its confirmation, unless it is `confirmed`.
    fn entry(self, settings: &Settings, confirmed: bool) -> Result<Entry, String> {
        let Some(topic) = settings.topics.get(self.topic) else {
            let near = nearest(self.topic, settings.topics.keys().map(String::as_str));
            let near = near.map(|name| format!("; the nearest is `{name}`")).unwrap_or_default();
            return Err(format!("`{}` is not a topic of config/plusone.toml{near}", self.topic));
        };
        let channel = match self.channel {
            None | Some(EVERY_CHANNEL) => EVERY_CHANNEL,
            Some(channel) => channel.parse::<Channel>()?.as_str(),
        };
        let answer = if confirmed { self.answer } else { topic.answer(self.answer != Answer::No) };
        let source = Source::read(self.source, self.kind);
        Ok(Entry::said(self.customer, self.topic, channel, answer, self.at, source))
    }
}

/// Writes one answer down; false where the ledger had it already. Under a double opt-in a yes waits for its confirmation.
///
/// # Errors
/// [`DataError::Refused`] for a topic or channel that does not exist.
pub async fn set(db: &Db, settings: &Settings, said: Said<'_>, now: Timestamp) -> Result<bool, DataError> {
    let entry = said.entry(settings, false).map_err(DataError::Refused)?;
    let mut tx = db.begin().await?;
    let added = consents::add(&mut tx, &[entry], now).await?;
    tx.commit().await?;
    Ok(added > 0)
}

/// The columns of a list of answers. Only customer, topic, value and source must have a value: an answer without a
/// channel is about every channel, one without a time is of now.
fn columns() -> Entity {
    let mut list = Entity::new("consent", "customer");
    let needed = |name: &str, ty| Field { required: true, ..Field::new(name, ty) };
    list.fields.extend([
        needed("topic", Type::Text),
        Field::new("channel", Type::Text),
        needed("value", Type::Boolean),
        Field::new("at", Type::Timestamp),
        needed("source", Type::Text),
        Field::new("wording", Type::Text),
        Field::new("ip", Type::Text),
        Field::new("evidence", Type::Text),
        Field::new("confirmed", Type::Boolean),
    ]);
    list
}

/// The entry that a row of a list states.
fn row(settings: &Settings, values: &[Cell], now: Timestamp) -> Result<Entry, String> {
    let text = |index: usize| match &values[index] {
        Cell::Text(text) => Some(text.as_str()),
        Cell::Null | Cell::Int(_) => None,
    };
    let at = match values[4] {
        Cell::Int(micros) => Timestamp::from_micros(micros),
        Cell::Null | Cell::Text(_) => now,
    };
    if at > now {
        return Err(format!("`at` is in the future: {at}"));
    }
    let ip = text(7).map(|ip| ip.parse::<IpAddr>().map_err(|_| format!("`{ip}` is not an IP address"))).transpose()?;
    let said = Said {
        customer: text(0).unwrap_or_default(),
        topic: text(1).unwrap_or_default(),
        channel: text(2),
        answer: if values[3] == Cell::Int(1) { Answer::Yes } else { Answer::No },
        at,
        source: text(5).unwrap_or_default(),
        kind: SourceKind::Import,
    };
    let owned = |index: usize| text(index).map(str::to_owned);
    let entry = said.entry(settings, values[9] == Cell::Int(1))?;
    Ok(entry.shown(owned(6)).from_ip(ip.map(|ip| ip.to_string())).proved_by(owned(8)))
}

/// Writes down every answer of a file with the columns customer, topic, channel, value, at, source, wording, ip,
/// evidence, confirmed. `confirmed` says that a yes was confirmed where the list comes from.
///
/// # Errors
/// When the file as a whole cannot be used.
pub async fn import(db: &Db, settings: &Settings, path: &Path, now: Timestamp) -> Result<ListReport, DataError> {
    let mut list = List::open(path, &columns(), &settings.business, now)?;
    let (mut added, mut left_out) = (0, 0);
    let mut erased = Erased::new(db);
    while let Some(mut chunk) = list.chunk(|values| row(settings, values, now))? {
        let mut tx = db.begin().await?;
        let customers: Vec<&str> = chunk.iter().map(|entry| entry.customer.as_str()).collect();
        let gone = erased.among(&mut tx, &customers).await?;
        let mut places = 0..;
        chunk.retain(|_| places.next().is_some_and(|place| !gone.contains(&place)));
        left_out += gone.len();
        added += consents::add(&mut tx, &chunk, now).await?;
        tx.commit().await?;
    }
    let mut report = list.close(added);
    if left_out > 0 {
        report
            .note
            .get_or_insert_with(|| format!("{} of people who were erased left out", counted(left_out, "answer")));
    }
    Ok(report)
}
