//! The ledger of consent: append-only entries, and the current answer read from them.
//!
//! Which answer counts is said once, in [`ORDER`]: the latest by `at`; of two at one instant the no. `data::consent`
//! says the same as a pure function.

use super::db::{Result, Row, Tx};
use crate::courtesy::consent::EVERY_CHANNEL;
use crate::sql::{ColumnType, Sql};
use crate::time::Timestamp;

const ORDER: &str = "order by at desc, value";

/// One entry of the ledger.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Entry {
    pub bucket: i64,
    pub customer: String,
    pub topic: String,
    /// A channel, or [`EVERY_CHANNEL`].
    pub channel: String,
    pub at: Timestamp,
    pub value: bool,
    pub source: String,
}

const COLUMNS: [(&str, ColumnType); 7] = [
    ("bucket", ColumnType::Int),
    ("customer", ColumnType::Text),
    ("topic", ColumnType::Text),
    ("channel", ColumnType::Text),
    ("at", ColumnType::Int),
    ("value", ColumnType::Int),
    ("source", ColumnType::Text),
];

type Tuple<'a> = (i64, &'a str, &'a str, &'a str, i64, i64, &'a str);

fn json(entries: &[Entry]) -> String {
    let tuples: Vec<Tuple<'_>> = entries
        .iter()
        .map(|e| (e.bucket, &*e.customer, &*e.topic, &*e.channel, e.at.micros(), i64::from(e.value), &*e.source))
        .collect();
    serde_json::to_string(&tuples).expect("text and integers are JSON")
}

/// Adds entries; one that is there already (same customer, topic, channel, time and value) is not added again. Gives
/// how many were new.
pub async fn add(tx: &mut Tx, entries: &[Entry], now: Timestamp) -> Result<u64> {
    if entries.is_empty() {
        return Ok(0);
    }
    if entries.iter().any(|entry| !entry.value) {
        super::stops::raise(tx).await?;
    }
    let item = tx.dialect().rows("$1", &COLUMNS, "r");
    let text = format!(
        "insert into consents (bucket, customer, topic, channel, at, value, source, recorded_at) \
         select bucket, customer, topic, channel, at, value, source, $2 from {item} where true on conflict do nothing"
    );
    tx.execute(Sql::new(text).with(json(entries)).with(now)).await
}

/// For each of `asked` that has an answer (`at`, `value` and `source` of what is asked are not looked at): its place
/// and the current value and source.
pub async fn current(tx: &mut Tx, asked: &[Entry]) -> Result<Vec<(usize, bool, String)>> {
    let tuples: Vec<(usize, i64, &str, &str, &str)> =
        asked.iter().enumerate().map(|(index, e)| (index, e.bucket, &*e.customer, &*e.topic, &*e.channel)).collect();
    let columns = [("i", ColumnType::Int), COLUMNS[0], COLUMNS[1], COLUMNS[2], COLUMNS[3]];
    let item = tx.dialect().rows("$1", &columns, "r");
    let of = |column: &str| {
        format!(
            "(select k.{column} from consents as k where k.bucket = r.bucket and k.customer = r.customer \
             and k.topic = r.topic and k.channel in (r.channel, '{EVERY_CHANNEL}') {ORDER} limit 1)"
        )
    };
    let text = format!("select r.i, {}, {} from {item}", of("value"), of("source"));
    let json = serde_json::to_string(&tuples).expect("text and integers are JSON");
    let rows = tx.fetch(Sql::new(text).with(json)).await?;
    let answer = |row: &Row| {
        let index = usize::try_from(row.int(0)).expect("the index that was sent");
        Some((index, row.opt_int(1)? == 1, row.opt_text(2)?.to_owned()))
    };
    Ok(rows.iter().filter_map(answer).collect())
}

/// Everything the ledger has about a customer, by topic, channel and time.
pub async fn ledger(db: &super::db::Db, bucket: i64, customer: &str) -> Result<Vec<Entry>> {
    let text = "select topic, channel, at, value, source from consents where bucket = $1 and customer = $2 \
                order by topic, channel, at, value desc";
    let rows = db.fetch(Sql::new(text).with(bucket).with(customer)).await?;
    let entry = |row: &Row| Entry {
        bucket,
        customer: customer.to_owned(),
        topic: row.text(0).to_owned(),
        channel: row.text(1).to_owned(),
        at: Timestamp::from_micros(row.int(2)),
        value: row.int(3) == 1,
        source: row.text(4).to_owned(),
    };
    Ok(rows.iter().map(entry).collect())
}
