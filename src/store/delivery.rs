//! The statements of delivery: peek at what is due, take it, find and end doubts. What is marked as about to be on the
//! wire and what became of it is written by [`super::outcomes`].
//!
//! Every change of state is guarded by the state it comes from and by the epoch of the daemon that claimed the row.

use super::db::{Db, Result, Row, StoreError, Tx};
use super::leases::{self, Lease};
use super::log::OPEN;
use crate::rules::{Channel, Purpose};
use crate::sql::{ColumnType, Sql};
use crate::time::Timestamp;
use crate::touchpoints::{Reason, State};
use std::collections::HashSet;

const TEXT: ColumnType = ColumnType::Text;
const INT: ColumnType = ColumnType::Int;

/// Messages that wait in one line: those of one channel and one purpose.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Lane {
    pub channel: Channel,
    pub purpose: Purpose,
}

impl Lane {
    /// Every lane, the transactional ones first.
    pub fn all() -> impl Iterator<Item = Self> {
        Purpose::ALL.iter().flat_map(|&purpose| Channel::ALL.iter().map(move |&channel| Self { channel, purpose }))
    }
}

/// What may not be claimed now, whatever is due.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Withheld {
    pub rules: Vec<String>,
    pub customers: Vec<String>,
}

/// A touchpoint in hand: what delivery needs of it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Claimed {
    pub bucket: i64,
    pub id: String,
    pub version: i64,
    pub rule: String,
    pub customer: String,
    pub entity: String,
    pub as_of: Timestamp,
    pub purpose: Purpose,
    pub expires_at: Timestamp,
    pub attempts: i64,
    pub offer: Option<String>,
    pub code: Option<String>,
    pub variant: Option<String>,
    /// The words of an earlier attempt, kept as they were: JSON by part.
    pub words: Option<String>,
    pub created_at: Timestamp,
    /// It waits for a place under the caps, and asks again before it goes.
    pub waits: bool,
}

/// Keys of rows that are due in a lane, oldest first; nothing is locked.
pub async fn peek(
    db: &Db,
    lane: Lane,
    withheld: &Withheld,
    now: Timestamp,
    limit: usize,
) -> Result<Vec<(i64, String)>> {
    let mut sql = Sql::default();
    sql.push("select bucket, id from touchpoints where state = 'planned' and channel = ").bind(lane.channel.as_str());
    sql.push(" and purpose = ").bind(lane.purpose.as_str()).push(" and due_at <= ").bind(now);
    sql.push(" and run_id not in (select id from runs where state = 'planning')");
    for (column, names) in [("rule", &withheld.rules), ("customer", &withheld.customers)] {
        for name in names {
            sql.push(&format!(" and {column} <> ")).bind(name);
        }
    }
    sql.push(" order by due_at, bucket, id limit ").bind(i64::try_from(limit).unwrap_or(i64::MAX));
    let rows = db.fetch_as_one(sql, 2).await?;
    Ok(rows.iter().map(|row| (row.int(0), row.text(1).to_owned())).collect())
}

/// When the next message of any lane is due.
pub async fn next_due(db: &Db) -> Result<Option<Timestamp>> {
    let mut sql = Sql::default();
    for (place, lane) in Lane::all().enumerate() {
        sql.push(if place > 0 { " union all " } else { "select min(due_at) from (" });
        sql.push("select min(due_at) as due_at from touchpoints where state = 'planned' and channel = ");
        sql.bind(lane.channel.as_str()).push(" and purpose = ").bind(lane.purpose.as_str());
    }
    sql.push(") as lanes");
    let row = db.fetch_one(sql).await?;
    Ok(row.and_then(|row| row.opt_int(0)).map(Timestamp::from_micros))
}

/// Takes rows that were peeked at, those that are still planned. `None` when their buckets are no longer ours: the
/// caller drops the transaction.
pub async fn take(tx: &mut Tx, lease: &Lease, keys: &[(i64, String)]) -> Result<Option<Vec<Claimed>>> {
    let dialect = tx.dialect();
    let buckets: HashSet<i64> = keys.iter().map(|(bucket, _)| *bucket).collect();
    let rows = serde_json::to_string(keys).expect("text and integers serialise");
    let item = dialect.rows("$1", &[("bucket", INT), ("id", TEXT)], "r");
    let bound = |text: String| Sql::new(text).with(rows.clone()).with(&lease.owner).with(lease.epoch);
    let update = bound(format!(
        "update touchpoints set state = 'claimed', owner = $2, epoch = $3, room = null from {item} \
         where touchpoints.bucket = r.bucket and touchpoints.id = r.id and touchpoints.state = 'planned'"
    ));
    let read = bound(format!(
        "select t.bucket, t.id, t.version, t.rule, t.customer, t.entity_id, t.as_of, t.purpose, t.expires_at, \
         t.attempts, t.offer, t.code, t.created_at, t.counts, t.variant from {item} join touchpoints t on t.bucket = r.bucket \
         and t.id = r.id where t.state = 'claimed' and t.owner = $2 and t.epoch = $3"
    ));
    let answers = tx.batch(vec![leases::held(dialect, lease, &buckets), update, read.as_one(dialect, 15)]).await?;
    let [held, taken] = &answers[..] else { return Err(StoreError::Column("a claim has two answers".to_owned())) };
    if usize::try_from(held.int(0)) != Ok(buckets.len()) {
        return Ok(None);
    }
    Ok(Some(taken.unpacked()?.iter().map(claimed).collect()))
}

fn claimed(row: &Row) -> Claimed {
    Claimed {
        bucket: row.int(0),
        id: row.text(1).to_owned(),
        version: row.int(2),
        rule: row.text(3).to_owned(),
        customer: row.text(4).to_owned(),
        entity: row.text(5).to_owned(),
        as_of: Timestamp::from_micros(row.int(6)),
        purpose: row.text(7).parse().expect("the table holds purposes of ours"),
        expires_at: row.opt_int(8).map_or(Timestamp::from_micros(i64::MAX), Timestamp::from_micros),
        attempts: row.int(9),
        offer: row.opt_text(10).map(str::to_owned),
        code: row.opt_text(11).map(str::to_owned),
        words: None,
        created_at: Timestamp::from_micros(row.int(12)),
        waits: super::caps::waits(row.int(13)),
        variant: row.opt_text(14).map(str::to_owned),
    }
}

/// The words of earlier attempts.
pub async fn words(db: &Db, keys: &[(i64, &str)]) -> Result<Vec<(String, String)>> {
    let rows = serde_json::to_string(keys).expect("text and integers serialise");
    let item = db.dialect().rows("$1", &[("bucket", INT), ("id", TEXT)], "r");
    let sql = format!(
        "select w.touchpoint, w.words from {item} join touchpoint_words w on w.bucket = r.bucket and w.touchpoint = r.id"
    );
    let rows = db.fetch(Sql::new(sql).with(rows)).await?;
    Ok(rows.iter().map(|row| (row.text(0).to_owned(), row.text(1).to_owned())).collect())
}

/// Frees what daemons that are gone had in hand: claims go back to planned, what was about to be on the wire is in
/// doubt. Gives how many of each.
pub async fn rescue(tx: &mut Tx, lease: &Lease, now: Timestamp) -> Result<(u64, u64)> {
    let [free, doubt, events] = rescue_statements();
    let freed = tx.execute(Sql::new(free).with(lease.epoch)).await?;
    let doubted = tx.execute(Sql::new(doubt).with(lease.epoch).with(now)).await?;
    tx.execute(Sql::new(events).with(lease.epoch).with(now)).await?;
    Ok((freed, doubted))
}

fn rescue_statements() -> [String; 3] {
    [
        format!(
            "update touchpoints set state = 'planned', owner = null, epoch = null \
             where {OPEN} and state = 'claimed' and epoch < $1"
        ),
        format!(
            "update touchpoints set state = 'in_doubt', version = version + 1, updated_at = $2 \
             where {OPEN} and state = 'dispatching' and epoch < $1"
        ),
        format!(
            "insert into touchpoint_events (bucket, touchpoint, n, at, kind, detail) \
             select bucket, id, version, $2, 'in_doubt', 'the daemon stopped while it was being sent' \
             from touchpoints where {OPEN} and state = 'in_doubt' and epoch < $1 and updated_at = $2 \
             on conflict do nothing"
        ),
    ]
}

/// A touchpoint of which nobody knows whether it was sent.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Doubt {
    pub bucket: i64,
    pub id: String,
    pub version: i64,
    pub channel: Channel,
    pub provider: String,
    pub address: String,
    pub on_doubt: String,
    pub doubt_at: Timestamp,
    pub possible_duplicate: bool,
    /// JSON by part.
    pub words: Option<String>,
}

/// Touchpoints in doubt since before `before`, the oldest first, without those that wait for a person.
pub async fn doubts(db: &Db, before: Timestamp, limit: i64) -> Result<Vec<Doubt>> {
    let rows = db.fetch(Sql::new(doubts_statement()).with(before).with(limit)).await?;
    let read = |row: &Row| Doubt {
        bucket: row.int(0),
        id: row.text(1).to_owned(),
        version: row.int(2),
        channel: row.text(3).parse().expect("the table holds channels of ours"),
        provider: row.opt_text(4).unwrap_or_default().to_owned(),
        address: row.opt_text(5).unwrap_or_default().to_owned(),
        on_doubt: row.text(6).to_owned(),
        doubt_at: Timestamp::from_micros(row.int(7)),
        possible_duplicate: row.int(8) == 1,
        words: row.opt_text(9).map(str::to_owned),
    };
    Ok(rows.iter().map(read).collect())
}

fn doubts_statement() -> String {
    format!(
        "select t.bucket, t.id, t.version, t.channel, t.provider, t.address, t.on_doubt, t.doubt_at, \
         t.possible_duplicate, w.words from touchpoints t \
         left join touchpoint_words w on w.bucket = t.bucket and w.touchpoint = t.id \
         where t.{OPEN} and t.state = 'in_doubt' and t.doubt_at <= $1 and t.reason is null \
         order by t.doubt_at limit $2"
    )
}

/// How one doubt ends.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Resolution {
    pub bucket: i64,
    pub id: String,
    pub version: i64,
    /// `sent`, `planned` or `failed`; `in_doubt` where a person is to be asked.
    pub to: State,
    pub provider_id: Option<String>,
    /// The next copy may be the second one.
    pub possible_duplicate: bool,
    pub detail: String,
}

/// Ends doubts, one statement for all, with their events.
pub async fn resolve(tx: &mut Tx, resolutions: &[Resolution], now: Timestamp) -> Result<u64> {
    let tuple = |one: &Resolution| {
        let reason = match one.to {
            State::Failed | State::InDoubt => Some(Reason::OutcomeUnknown.as_str()),
            _ => None,
        };
        serde_json::json!([
            one.bucket,
            one.id,
            one.version + 1,
            one.to.as_str(),
            reason,
            one.provider_id,
            i64::from(one.possible_duplicate),
            one.detail
        ])
    };
    let data = serde_json::Value::Array(resolutions.iter().map(tuple).collect()).to_string();
    let columns = [
        ("bucket", INT),
        ("id", TEXT),
        ("version", INT),
        ("state", TEXT),
        ("reason", TEXT),
        ("provider_id", TEXT),
        ("duplicate", INT),
        ("detail", TEXT),
    ];
    let rows = tx.dialect().rows("$1", &columns, "r");
    let update = format!(
        "update touchpoints set state = r.state, reason = r.reason, version = r.version, updated_at = $2, \
         provider_id = coalesce(r.provider_id, touchpoints.provider_id), \
         possible_duplicate = case when r.duplicate = 1 then 1 else possible_duplicate end, \
         due_at = case when r.state = 'planned' then $2 else due_at end, \
         sent_at = case when r.state = 'sent' then coalesce(doubt_at, $2) else sent_at end from {rows} \
         where touchpoints.bucket = r.bucket and touchpoints.id = r.id and touchpoints.state = 'in_doubt' \
         and touchpoints.version = r.version - 1"
    );
    let resolved = tx.execute(Sql::new(update).with(data.clone()).with(now)).await?;
    let events = format!(
        "insert into touchpoint_events (bucket, touchpoint, n, at, kind, detail) \
         select r.bucket, r.id, r.version, $2, r.state, r.detail from {rows} \
         join touchpoints t on t.bucket = r.bucket and t.id = r.id and t.version = r.version \
         where true on conflict do nothing"
    );
    tx.execute(Sql::new(events).with(data).with(now)).await?;
    Ok(resolved)
}

/// Which of a provider's ids belong to touchpoints already.
pub async fn known_provider_ids(db: &Db, ids: &[String]) -> Result<Vec<String>> {
    let rows: Vec<[&String; 1]> = ids.iter().map(|id| [id]).collect();
    let rows = serde_json::to_string(&rows).expect("text serialises");
    let item = db.dialect().rows("$1", &[("id", TEXT)], "r");
    let sql = format!("select distinct t.provider_id from {item} join touchpoints t on t.provider_id = r.id");
    Ok(db.fetch(Sql::new(sql).with(rows)).await?.iter().map(|row| row.text(0).to_owned()).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::migrate::migrate;

    #[tokio::test]
    async fn what_looks_for_open_touchpoints_does_not_read_all_of_them() {
        let folder = tempfile::tempdir().expect("a folder");
        let db = Db::open("sqlite://test.db", folder.path()).await.expect("a database");
        migrate(&db).await.expect("a schema");
        for statement in rescue_statements().into_iter().chain([doubts_statement()]) {
            let plan = db.fetch(Sql::new(format!("explain query plan {statement}"))).await.expect("a plan");
            let steps: Vec<&str> = plan.iter().map(|row| row.text(3)).collect();
            assert!(
                steps.iter().any(|step| step.contains("INDEX touchpoints_open (state=?")),
                "{statement}: {steps:?}"
            );
            assert!(steps.iter().all(|step| !step.starts_with("SCAN")), "{statement}: {steps:?}");
        }
    }
}
