//! Consent: what the rows of an import say yes to, and what becomes of it in the ledger.
//!
//! 1. The current answer is the latest by `at`; of two at one instant the no. [`current`] is the law, the statements
//!    in `store::consents` say the same.
//! 2. A yes of the data is written down once, with its source and time. After a no only a yes with a later time
//!    counts; a yes without a time of its own never follows a no, because nobody knows which was said last.
//! 3. A column that no longer says yes takes back the yes that it gave, and no other: a customer who said yes
//!    elsewhere is not silenced by a column that never knew.

use super::erased::Erased;
use super::lists::List;
use super::{DataError, ListReport};
use crate::catalogue::{Catalogue, ConsentColumns, Entity, Field, Type};
use crate::courtesy::consent::EVERY_CHANNEL;
use crate::ids::bucket_of;
use crate::problem::nearest;
use crate::rules::Channel;
use crate::settings::Settings;
use crate::store::consents::{self, Entry};
use crate::store::db::{Cell, Db, Tx};
use crate::store::rows::Record;
use crate::time::Timestamp;
use std::path::Path;

/// The source of a yes whose declaration names none.
const UNNAMED_SOURCE: &str = "customer data";

/// The current answer about a topic on a channel, from a customer's ledger in any order.
pub fn current(ledger: &[Entry], topic: &str, channel: &str) -> Option<bool> {
    let about = |entry: &&Entry| entry.topic == topic && (entry.channel == channel || entry.channel == EVERY_CHANNEL);
    ledger.iter().filter(about).max_by_key(|entry| (entry.at, !entry.value)).map(|entry| entry.value)
}

/// What one row says about one topic on one channel.
struct Statement {
    entry: Entry,
    /// Whether the row itself says when.
    dated: bool,
}

/// Writes down what customers' rows say; gives how many entries were new.
pub(super) async fn from_rows(
    tx: &mut Tx,
    catalogue: &Catalogue,
    records: &[&Record],
    now: Timestamp,
) -> Result<u64, DataError> {
    let statements: Vec<Statement> = catalogue
        .consent
        .iter()
        .flat_map(|columns| records.iter().flat_map(move |record| statements(catalogue, columns, record, now)))
        .collect();
    if statements.is_empty() {
        return Ok(0);
    }
    let asked: Vec<Entry> = statements.iter().map(|statement| statement.entry.clone()).collect();
    let mut answers: Vec<Option<(bool, String)>> = vec![None; asked.len()];
    for (index, value, source) in consents::current(tx, &asked).await? {
        answers[index] = Some((value, source));
    }
    let entries: Vec<Entry> = statements
        .into_iter()
        .zip(answers)
        .filter(|(statement, answer)| is_news(statement, answer.as_ref()))
        .map(|(statement, _)| statement.entry)
        .collect();
    Ok(consents::add(tx, &entries, now).await?)
}

/// Whether a statement belongs into the ledger, given the current answer and its source.
fn is_news(statement: &Statement, current: Option<&(bool, String)>) -> bool {
    match (statement.entry.value, statement.dated, current) {
        (true, true, _) | (true, false, None) => true,
        (true, false, Some(_)) => false,
        (false, _, Some((true, source))) => *source == statement.entry.source,
        (false, _, _) => false,
    }
}

fn statements(catalogue: &Catalogue, columns: &ConsentColumns, record: &Record, now: Timestamp) -> Vec<Statement> {
    let customer = catalogue.customer();
    let place = |name: &String| customer.fields.iter().position(|field| field.name == *name);
    let Some(key) = record.customer.clone() else { return Vec::new() };
    let at = columns.at.as_ref().and_then(place).and_then(|place| match record.values[place] {
        Cell::Int(micros) => Some(Timestamp::from_micros(micros)),
        Cell::Null | Cell::Text(_) => None,
    });
    let source = columns.source.clone().unwrap_or_else(|| UNNAMED_SOURCE.to_owned());
    let statement = |(channel, field): (&String, &String)| {
        let value = record.values[place(field)?] == Cell::Int(1);
        let entry = Entry {
            bucket: bucket_of(&key),
            customer: key.clone(),
            topic: columns.topic.clone(),
            channel: channel.clone(),
            // A yes from the future would outlive every no until then; a no is said by this file, now.
            at: if value { at.unwrap_or(now).min(now) } else { now },
            value,
            source: source.clone(),
        };
        Some(Statement { entry, dated: at.is_some() })
    };
    columns.channels.iter().filter_map(statement).collect()
}

/// One answer of a customer, as people say it.
#[derive(Clone, Copy, Debug)]
pub struct Answer<'a> {
    /// The customer's key.
    pub customer: &'a str,
    pub topic: &'a str,
    /// Every channel where absent.
    pub channel: Option<&'a str>,
    pub value: bool,
    pub at: Timestamp,
    /// Where the customer said so.
    pub source: &'a str,
}

/// The ledger's entry for an answer.
fn entry(settings: &Settings, answer: Answer<'_>) -> Result<Entry, String> {
    if !settings.topics.contains_key(answer.topic) {
        let near = nearest(answer.topic, settings.topics.keys().map(String::as_str));
        let near = near.map(|name| format!("; the nearest is `{name}`")).unwrap_or_default();
        return Err(format!("`{}` is not a topic of config/plusone.toml{near}", answer.topic));
    }
    let channel = match answer.channel {
        None | Some(EVERY_CHANNEL) => EVERY_CHANNEL,
        Some(channel) => channel.parse::<Channel>()?.as_str(),
    };
    Ok(Entry {
        bucket: bucket_of(answer.customer),
        customer: answer.customer.to_owned(),
        topic: answer.topic.to_owned(),
        channel: channel.to_owned(),
        at: answer.at,
        value: answer.value,
        source: answer.source.to_owned(),
    })
}

/// Writes one answer down; false where the ledger had it already.
///
/// # Errors
/// [`DataError::Refused`] for a topic or channel that does not exist.
pub async fn set(db: &Db, settings: &Settings, answer: Answer<'_>, now: Timestamp) -> Result<bool, DataError> {
    let entry = entry(settings, answer).map_err(DataError::Refused)?;
    let mut tx = db.begin().await?;
    let added = consents::add(&mut tx, &[entry], now).await?;
    tx.commit().await?;
    Ok(added > 0)
}

/// The columns of a list of answers; `channel` may be empty or missing (every channel), `at` too (now).
fn columns() -> Entity {
    let mut list = Entity::new("consent", "customer");
    let needed = |name: &str, ty| Field { required: true, ..Field::new(name, ty) };
    list.fields.extend([
        needed("topic", Type::Text),
        Field::new("channel", Type::Text),
        needed("value", Type::Boolean),
        Field::new("at", Type::Timestamp),
        needed("source", Type::Text),
    ]);
    list
}

/// Writes down every answer of a file with the columns customer, topic, channel, value, at, source.
///
/// # Errors
/// When the file as a whole cannot be used.
pub async fn import(db: &Db, settings: &Settings, path: &Path, now: Timestamp) -> Result<ListReport, DataError> {
    let mut list = List::open(path, &columns(), &settings.business, now)?;
    let read = |values: &[Cell]| {
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
        let answer = Answer {
            customer: text(0).unwrap_or_default(),
            topic: text(1).unwrap_or_default(),
            channel: text(2),
            value: values[3] == Cell::Int(1),
            at,
            source: text(5).unwrap_or_default(),
        };
        entry(settings, answer)
    };
    let (mut added, mut left_out) = (0, 0);
    let mut erased = Erased::new(db);
    while let Some(mut chunk) = list.chunk(read)? {
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
            .get_or_insert_with(|| format!("{left_out} answers are of people who were erased; they are left out"));
    }
    Ok(report)
}
