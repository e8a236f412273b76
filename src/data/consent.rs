//! Consent as customer data states it, and what becomes of it in the ledger. What people write down is for `answers`.
//!
//! 1. What the entries of the ledger add up to is said in [`crate::courtesy::consent`].
//! 2. A yes of the data is written down once, with its source and time. After a no only a yes with a later time
//!    counts; a yes without a time of its own never follows a no, because nobody knows which was said last.
//! 3. A column that no longer says yes takes back the yes that it gave, and no other: a customer who said yes
//!    elsewhere is not silenced by a column that never knew.

use super::DataError;
use crate::catalogue::{Catalogue, ConsentColumns, Type};
use crate::courtesy::consent::{Answer, Source, SourceKind};
use crate::store::consents::{self, Entry};
use crate::store::db::{Cell, Tx};
use crate::store::rows::Record;
use crate::time::{Date, Timestamp, Tz};

/// The source of a yes whose declaration names none.
const UNNAMED_SOURCE: &str = "customer data";

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
    let mut answers: Vec<Option<Entry>> = vec![None; asked.len()];
    for (index, entry) in consents::current(tx, &asked).await? {
        answers[index] = Some(entry);
    }
    let entries: Vec<Entry> = statements
        .into_iter()
        .zip(answers)
        .filter(|(statement, answer)| is_news(statement, answer.as_ref()))
        .map(|(statement, _)| statement.entry)
        .collect();
    Ok(consents::add(tx, &entries, now).await?)
}

/// Whether a statement belongs into the ledger, given the entry that decides now.
fn is_news(statement: &Statement, current: Option<&Entry>) -> bool {
    let is_yes = statement.entry.answer != Answer::No;
    match current {
        _ if is_yes && statement.dated => true,
        None => is_yes,
        Some(current) => {
            let is_ours =
                current.source.kind == SourceKind::Data || current.source.words == statement.entry.source.words;
            !is_yes && current.answer != Answer::No && is_ours
        }
    }
}

fn statements(catalogue: &Catalogue, columns: &ConsentColumns, record: &Record, now: Timestamp) -> Vec<Statement> {
    let customer = catalogue.customer();
    let place = |name: &String| customer.fields.iter().position(|field| field.name == *name);
    let Some(key) = record.customer.clone() else { return Vec::new() };
    let at = columns.at.as_ref().and_then(place).and_then(|place| {
        match (&record.values[place], customer.fields[place].ty) {
            (Cell::Int(days), Type::Date) => Some(Date::from_days(*days).start(Tz::UTC)),
            (Cell::Int(micros), _) => Some(Timestamp::from_micros(*micros)),
            (Cell::Null | Cell::Text(_), _) => None,
        }
    });
    // A yes from the future would outlive every no until then: nobody knows when it was said.
    let at = at.filter(|at| *at <= now);
    let words = match columns.source.as_ref().map(|source| place(source).map_or(Ok(source), Err)) {
        Some(Ok(words)) => Some(words.as_str()),
        Some(Err(place)) => match &record.values[place] {
            Cell::Text(words) => Some(words.as_str()),
            Cell::Null | Cell::Int(_) => None,
        },
        None => None,
    };
    let source = Source::new(SourceKind::Data, words.unwrap_or(UNNAMED_SOURCE));
    let statement = |(channel, field): (&String, &String)| {
        let value = record.values[place(field)?] == Cell::Int(1);
        let dated = at.is_some();
        // A no is said by this file, now.
        let (answer, at) = if value { (columns.yes, at.unwrap_or(now)) } else { (Answer::No, now) };
        let entry = Entry::said(&key, &columns.topic, channel, answer, at, source.clone());
        Some(Statement { entry, dated })
    };
    columns.channels.iter().filter_map(statement).collect()
}
