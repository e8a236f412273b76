//! Consent: what the rows of an import say yes to, and what becomes of it in the ledger.
//!
//! 1. The current answer is the latest by `at`; of two at one instant the no. [`current`] is the law, the statements
//!    in `store::consents` say the same.
//! 2. A yes of the data is written down once, with its source and time. After a no only a yes with a later time
//!    counts; a yes without a time of its own never follows a no, because nobody knows which was said last.
//! 3. A column that no longer says yes takes back the yes that it gave, and no other: a customer who said yes
//!    elsewhere is not silenced by a column that never knew.

use super::DataError;
use crate::catalogue::{Catalogue, ConsentColumns};
use crate::ids::bucket_of;
use crate::store::consents::{self, EVERY_CHANNEL, Entry};
use crate::store::db::{Cell, Tx};
use crate::store::rows::Record;
use crate::time::Timestamp;

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
