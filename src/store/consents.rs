//! The ledger of consent: entries are added, never changed. What they add up to is said in [`crate::courtesy::consent`].

use super::db::{Db, Result, Row, Tx};
pub use crate::courtesy::consent::Entry;
use crate::courtesy::consent::{Answer, EVERY_CHANNEL, Source, SourceKind, deciding};
use crate::ids::bucket_of;
use crate::rules::Channel;
use crate::sql::{ColumnType, Sql};
use crate::time::Timestamp;
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;

const COLUMNS: [(&str, ColumnType); 11] = [
    ("bucket", ColumnType::Int),
    ("customer", ColumnType::Text),
    ("topic", ColumnType::Text),
    ("channel", ColumnType::Text),
    ("at", ColumnType::Int),
    ("value", ColumnType::Int),
    ("source", ColumnType::Text),
    ("kind", ColumnType::Text),
    ("ip", ColumnType::Text),
    ("wording", ColumnType::Text),
    ("evidence", ColumnType::Text),
];

/// As an entry is read: without bucket and customer, with the words that were shown.
const READ: &str = "k.topic, k.channel, k.at, k.value, k.source, k.kind, k.ip, w.text, k.evidence, k.recorded_at";

/// The name of a wording: its SHA-256 in hexadecimal.
fn hash(wording: &str) -> String {
    Sha256::digest(wording.as_bytes()).iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Adds entries, and the wordings that they were given to. One that is there already (same customer, topic, channel,
/// time and answer) is not added again. Gives how many were new.
pub async fn add(tx: &mut Tx, entries: &[Entry], now: Timestamp) -> Result<u64> {
    if entries.is_empty() {
        return Ok(0);
    }
    if entries.iter().any(|entry| entry.answer == Answer::No) {
        super::stops::raise(tx).await?;
    }
    archive(tx, entries, now).await?;
    let tuple = |e: &Entry| {
        let wording = e.wording.as_deref().map(hash);
        let (kind, at) = (e.source.kind.as_str(), e.at.micros());
        serde_json::json!([
            e.bucket,
            e.customer,
            e.topic,
            e.channel,
            at,
            e.answer.code(),
            e.source.words,
            kind,
            e.ip,
            wording,
            e.evidence
        ])
    };
    let json = serde_json::Value::Array(entries.iter().map(tuple).collect()).to_string();
    let names = COLUMNS.map(|(name, _)| name).join(", ");
    let item = tx.dialect().rows("$1", &COLUMNS, "r");
    let text = format!(
        "insert into consents ({names}, recorded_at) select {names}, $2 from {item} where true on conflict do nothing"
    );
    tx.execute(Sql::new(text).with(json).with(now)).await
}

/// Keeps each wording once.
async fn archive(tx: &mut Tx, entries: &[Entry], now: Timestamp) -> Result<()> {
    let shown: BTreeMap<String, &str> =
        entries.iter().filter_map(|entry| entry.wording.as_deref()).map(|text| (hash(text), text)).collect();
    if shown.is_empty() {
        return Ok(());
    }
    let item = tx.dialect().rows("$1", &[("hash", ColumnType::Text), ("text", ColumnType::Text)], "r");
    let text = format!(
        "insert into wordings (hash, text, first_at) select hash, text, $2 from {item} where true on conflict do nothing"
    );
    let json = serde_json::to_string(&Vec::from_iter(shown)).expect("text is JSON");
    tx.execute(Sql::new(text).with(json).with(now)).await.map(|_| ())
}

/// The deciding entry for each of `asked` that has one (of what is asked only customer, topic and channel are looked
/// at), with its place. An entry for one of the channels that `asked` names by [`EVERY_CHANNEL`] does not count.
pub async fn current(tx: &mut Tx, asked: &[Entry]) -> Result<Vec<(usize, Entry)>> {
    let tuples: Vec<(usize, i64, &str, &str, &str)> =
        asked.iter().enumerate().map(|(index, e)| (index, e.bucket, &*e.customer, &*e.topic, &*e.channel)).collect();
    let columns = [("i", ColumnType::Int), COLUMNS[0], COLUMNS[1], COLUMNS[2], COLUMNS[3]];
    let item = tx.dialect().rows("$1", &columns, "r");
    // The cross join keeps SQLite from walking the ledger instead of what is asked.
    let text = format!(
        "select {READ}, r.i from {item} cross join consents as k left join wordings as w on w.hash = k.wording \
         where k.bucket = r.bucket and k.customer = r.customer and k.topic = r.topic \
         and k.channel in (r.channel, '{EVERY_CHANNEL}')"
    );
    let json = serde_json::to_string(&tuples).expect("text and integers are JSON");
    let mut ledgers: BTreeMap<usize, Vec<Entry>> = BTreeMap::new();
    for row in tx.fetch(Sql::new(text).with(json)).await? {
        let index = usize::try_from(row.int(10)).expect("the index that was sent");
        ledgers.entry(index).or_default().push(read(&row, &asked[index].customer));
    }
    let decided = |(index, ledger): (usize, Vec<Entry>)| {
        let asked = &asked[index];
        Some((index, deciding(&ledger, &asked.topic, &asked.channel)?.clone()))
    };
    Ok(ledgers.into_iter().filter_map(decided).collect())
}

/// Everything the ledger has about a customer, by topic, channel and time.
pub async fn ledger(db: &Db, bucket: i64, customer: &str) -> Result<Vec<Entry>> {
    let rows = db.fetch(of_customer("").with(bucket).with(customer)).await?;
    Ok(rows.iter().map(|row| read(row, customer)).collect())
}

/// As [`ledger`], of one topic, in a transaction.
pub async fn ledger_of(tx: &mut Tx, bucket: i64, customer: &str, topic: &str) -> Result<Vec<Entry>> {
    let rows = tx.fetch(of_customer(" and k.topic = $3").with(bucket).with(customer).with(topic)).await?;
    Ok(rows.iter().map(|row| read(row, customer)).collect())
}

fn of_customer(condition: &str) -> Sql {
    Sql::new(format!(
        "select {READ} from consents as k left join wordings as w on w.hash = k.wording \
         where k.bucket = $1 and k.customer = $2{condition} order by k.topic, k.channel, k.at, k.value desc"
    ))
}

fn read(row: &Row, customer: &str) -> Entry {
    let opt = |index: usize| row.opt_text(index).map(str::to_owned);
    let source = Source::new(row.text(5).parse().unwrap_or(SourceKind::Unknown), row.text(4));
    let (at, answer) = (Timestamp::from_micros(row.int(2)), Answer::of_code(row.int(3)));
    let recorded = Timestamp::from_micros(row.int(9));
    let entry = Entry::said(customer, row.text(0), row.text(1), answer, at, source);
    entry.from_ip(opt(6)).shown(opt(7)).proved_by(opt(8)).recorded(recorded)
}

/// Confirms what a customer said yes to under a topic: each channel on which a yes waits gets the yes itself, with the
/// source of the one that waited. Gives these channels; none where nothing waits, as on a link followed twice or
/// after a later no.
///
/// `evidence` says by what (a message's id), `ip` from where.
pub async fn confirm(
    tx: &mut Tx,
    customer: &str,
    topic: &str,
    ip: Option<String>,
    evidence: Option<String>,
    now: Timestamp,
) -> Result<Vec<Channel>> {
    let ledger = ledger_of(tx, bucket_of(customer), customer, topic).await?;
    // Channel by channel: a yes about every channel that waits may have been left on one of them since.
    let waiting =
        |channel: &Channel| deciding(&ledger, topic, channel.as_str()).filter(|entry| entry.answer == Answer::Pending);
    let confirmed = |channel: &Channel| {
        let entry = waiting(channel)?;
        let source = Source::new(SourceKind::Confirmation, entry.source.words.clone());
        let confirmed = Entry::said(customer, topic, channel.as_str(), Answer::Yes, now, source)
            .from_ip(ip.clone())
            .shown(entry.wording.clone())
            .proved_by(evidence.clone());
        Some((*channel, confirmed))
    };
    let (channels, entries): (Vec<Channel>, Vec<Entry>) = Channel::ALL.iter().filter_map(confirmed).unzip();
    add(tx, &entries, now).await?;
    Ok(channels)
}
