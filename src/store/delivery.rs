//! The statements of delivery: peek at what is due, take it, mark it as about to be on the wire, settle its outcome.
//!
//! Every change of state is guarded by the state it comes from and by the epoch of the daemon that claimed the row.

use super::db::{Db, Result, Row, Tx};
use super::leases::Lease;
use super::log::OPEN;
use crate::rules::{Channel, Purpose};
use crate::sql::{ColumnType, Sql};
use crate::time::Timestamp;
use crate::touchpoints::{Reason, State};
use serde::Serialize;

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
    let rows = db.fetch(sql).await?;
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

/// Takes rows that were peeked at, those that are still planned.
pub async fn take(tx: &mut Tx, lease: &Lease, keys: &[(i64, String)]) -> Result<Vec<Claimed>> {
    let rows = serde_json::to_string(keys).expect("text and integers serialise");
    let item = tx.dialect().rows("$1", &[("bucket", INT), ("id", TEXT)], "r");
    let sql = format!(
        "update touchpoints set state = 'claimed', owner = $2, epoch = $3 from {item} \
         where touchpoints.bucket = r.bucket and touchpoints.id = r.id and touchpoints.state = 'planned' \
         returning touchpoints.bucket, touchpoints.id, touchpoints.version, touchpoints.rule, touchpoints.customer, \
         touchpoints.entity_id, touchpoints.as_of, touchpoints.purpose, touchpoints.expires_at, touchpoints.attempts, \
         touchpoints.offer, touchpoints.code, touchpoints.created_at, touchpoints.counts"
    );
    let taken = tx.fetch(Sql::new(sql).with(rows).with(&lease.owner).with(lease.epoch)).await?;
    Ok(taken.iter().map(claimed).collect())
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

/// A message that is about to be on the wire.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Mark {
    pub bucket: i64,
    pub id: String,
    pub provider: String,
    pub address: String,
    pub locale: String,
    pub subject: Option<String>,
    /// JSON by part; `None` where an earlier attempt has kept them.
    pub words: Option<String>,
}

/// Marks messages as dispatching and keeps their words; gives the ids of those that may go.
pub async fn mark(tx: &mut Tx, lease: &Lease, marks: &[&Mark], now: Timestamp) -> Result<Vec<String>> {
    let tuple = |mark: &&Mark| {
        serde_json::json!([mark.bucket, mark.id, mark.provider, mark.address, mark.locale, mark.subject])
    };
    let data = serde_json::Value::Array(marks.iter().map(tuple).collect()).to_string();
    let columns =
        [("bucket", INT), ("id", TEXT), ("provider", TEXT), ("address", TEXT), ("locale", TEXT), ("subject", TEXT)];
    let sql = format!(
        "update touchpoints set state = 'dispatching', attempts = attempts + 1, doubt_at = $2, provider = r.provider, \
         address = r.address, locale = r.locale, subject = r.subject, updated_at = $2 from {} \
         where touchpoints.bucket = r.bucket and touchpoints.id = r.id and touchpoints.state = 'claimed' \
         and touchpoints.owner = $3 and touchpoints.epoch = $4 returning touchpoints.id",
        tx.dialect().rows("$1", &columns, "r")
    );
    let marked = tx.fetch(Sql::new(sql).with(data).with(now).with(&lease.owner).with(lease.epoch)).await?;
    keep_words(tx, marks).await?;
    Ok(marked.iter().map(|row| row.text(0).to_owned()).collect())
}

async fn keep_words(tx: &mut Tx, marks: &[&Mark]) -> Result<()> {
    let fresh: Vec<_> = marks.iter().filter_map(|mark| Some((mark.bucket, &mark.id, mark.words.as_ref()?))).collect();
    if fresh.is_empty() {
        return Ok(());
    }
    let columns = [("bucket", INT), ("id", TEXT), ("words", TEXT)];
    let sql = format!(
        "insert into touchpoint_words (bucket, touchpoint, words) select r.bucket, r.id, r.words from {} where true \
         on conflict do nothing",
        tx.dialect().rows("$1", &columns, "r")
    );
    tx.execute(Sql::new(sql).with(serde_json::to_string(&fresh).expect("text serialises"))).await.map(|_| ())
}

/// What became of a message, or of a claim on it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Outcome {
    pub bucket: i64,
    pub id: String,
    /// The version that was read when the row was claimed.
    pub version: i64,
    pub from: State,
    pub to: State,
    pub reason: Option<Reason>,
    /// What the event says.
    pub detail: Option<String>,
    /// When it is due again, for `planned`.
    pub due_at: Option<Timestamp>,
    pub provider_id: Option<String>,
    /// Money, scaled.
    pub cost: Option<i64>,
}

/// Writes outcomes with their events, one statement each. Rows that are no longer ours are left alone.
pub async fn settle(tx: &mut Tx, lease: &Lease, outcomes: &[&Outcome], now: Timestamp) -> Result<u64> {
    let tuple = |outcome: &&Outcome| {
        debug_assert!(outcome.from.may_become(outcome.to), "{} -> {}", outcome.from, outcome.to);
        serde_json::json!([
            outcome.bucket,
            outcome.id,
            outcome.version + 1,
            outcome.from.as_str(),
            outcome.to.as_str(),
            outcome.reason.map(Reason::as_str),
            outcome.due_at.map(Timestamp::micros),
            outcome.provider_id,
            outcome.cost,
            outcome.detail,
        ])
    };
    let data = serde_json::Value::Array(outcomes.iter().map(tuple).collect()).to_string();
    let columns = [
        ("bucket", INT),
        ("id", TEXT),
        ("version", INT),
        ("was", TEXT),
        ("state", TEXT),
        ("reason", TEXT),
        ("due_at", INT),
        ("provider_id", TEXT),
        ("cost", INT),
        ("detail", TEXT),
    ];
    let rows = tx.dialect().rows("$1", &columns, "r");
    let update = format!(
        "update touchpoints set state = r.state, reason = r.reason, version = r.version, updated_at = $2, \
         due_at = coalesce(r.due_at, touchpoints.due_at), \
         sent_at = case when r.state = 'sent' then $2 else touchpoints.sent_at end, \
         provider_id = coalesce(r.provider_id, touchpoints.provider_id), cost = coalesce(r.cost, touchpoints.cost) \
         from {rows} \
         where touchpoints.bucket = r.bucket and touchpoints.id = r.id and touchpoints.state = r.was \
         and touchpoints.version = r.version - 1 and touchpoints.owner = $3 and touchpoints.epoch = $4"
    );
    let update = Sql::new(update).with(data.clone()).with(now).with(&lease.owner).with(lease.epoch);
    let settled = tx.execute(update).await?;
    let events = format!(
        "insert into touchpoint_events (bucket, touchpoint, n, at, kind, detail) \
         select r.bucket, r.id, r.version, $2, r.state, coalesce(r.detail, r.reason) from {rows} \
         join touchpoints t on t.bucket = r.bucket and t.id = r.id and t.version = r.version and t.state = r.state \
         where r.state <> 'skipped' or not exists (select 1 from touchpoint_events e where e.bucket = r.bucket \
         and e.touchpoint = r.id and e.kind = 'skipped' and e.detail = coalesce(r.detail, r.reason) and e.n = \
         (select max(m.n) from touchpoint_events m where m.bucket = r.bucket and m.touchpoint = r.id)) \
         on conflict do nothing"
    );
    tx.execute(Sql::new(events).with(data).with(now)).await?;
    Ok(settled)
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
         where t.{OPEN} and t.state = 'in_doubt' and t.doubt_at <= $1 and (t.on_doubt <> 'ask' or t.reason is null) \
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
