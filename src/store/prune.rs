//! The statements of forgetting: words, then all but the bare row of a touchpoint, then codes that are of no use.
//!
//! What is old enough is decided in `data::prune`.
//!
//! 1. A bare row keeps what later messages and old links rest on: bucket, id, key, customer, topic, purpose, channel,
//!    state, reason and times. So what was touched once is never touched again, caps and `again_after` count on, and a
//!    link in an old mail still says whose it is.
//! 2. Only a refusal goes altogether: it is judged again anyway. One that says `before_start` stays, because it alone
//!    keeps a rule from those who were there before it.
//! 3. A chunk is one transaction. On PostgreSQL it works only in buckets whose lease rows nobody holds at that moment,
//!    so that nothing is taken from under a run that is being planned.

use super::db::{Db, Result, Row, Tx};
use crate::sql::{ColumnType, Dialect, Sql};
use crate::time::Timestamp;
use crate::touchpoints::{Reason, State};
use std::collections::BTreeSet;

/// Rows that are looked at in one transaction.
pub const CHUNK: i64 = 1_000;

/// A touchpoint that is old.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Old {
    pub bucket: i64,
    pub id: String,
    pub created_at: i64,
    /// Whether it waits to be sent or to be settled, and has time left.
    pub is_open: bool,
    /// Whether nothing rests on it.
    pub is_bare_refusal: bool,
}

/// How far forgetting has come: the last row it looked at.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Mark {
    pub number: i64,
    pub id: String,
}

impl Mark {
    pub const START: Self = Self { number: i64::MIN, id: String::new() };
}

/// How far `what` has come.
pub async fn mark(db: &Db, what: &str) -> Result<Mark> {
    let sql = Sql::new("select value from meta where name = $1").with(format!("pruned:{what}"));
    let row = db.fetch_one(sql).await?;
    let mark = row.and_then(|row| {
        let (number, id) = row.text(0).split_once(' ')?;
        Some(Mark { number: number.parse().ok()?, id: id.to_owned() })
    });
    Ok(mark.unwrap_or(Mark::START))
}

/// Remembers how far `what` has come.
pub async fn set_mark(tx: &mut Tx, what: &str, mark: &Mark) -> Result<()> {
    let text = "insert into meta (name, value) values ($1, $2) on conflict (name) do update set value = excluded.value";
    let value = format!("{} {}", mark.number, mark.id);
    tx.execute(Sql::new(text).with(format!("pruned:{what}")).with(value)).await.map(drop)
}

/// The next touchpoints after `mark` that were written before `before`, oldest first.
pub async fn older(db: &Db, mark: &Mark, before: Timestamp, now: Timestamp) -> Result<Vec<Old>> {
    let sql = "select bucket, id, created_at, state, reason, expires_at from touchpoints \
               where (created_at, id) > ($1, $2) and created_at < $3 order by created_at, id limit $4";
    let sql = Sql::new(sql).with(mark.number).with(&mark.id).with(before).with(CHUNK);
    let read = |row: &Row| {
        let state = row.text(3).parse().expect("the table holds states of ours");
        let waits =
            matches!(state, State::Planned | State::Held | State::Claimed | State::Dispatching | State::InDoubt);
        Old {
            bucket: row.int(0),
            id: row.text(1).to_owned(),
            created_at: row.int(2),
            is_open: waits && row.opt_int(5).is_none_or(|until| until > now.micros()),
            is_bare_refusal: state == State::Skipped && row.opt_text(4) != Some(Reason::BeforeStart.as_str()),
        }
    };
    Ok(db.fetch(sql).await?.iter().map(read).collect())
}

/// Takes the lease rows of these buckets for this transaction; false where a daemon works in one of them.
pub async fn lock(tx: &mut Tx, rows: &[Old]) -> Result<bool> {
    if tx.dialect() == Dialect::Sqlite {
        return Ok(true);
    }
    let buckets: BTreeSet<[i64; 1]> = rows.iter().map(|row| [row.bucket]).collect();
    let item = tx.dialect().rows("$1", &[("bucket", ColumnType::Int)], "r");
    let sql = format!(
        "select l.bucket from leases l join {item} on r.bucket = l.bucket order by l.bucket for update of l skip locked"
    );
    let there = format!("select count(*) from leases l join {item} on r.bucket = l.bucket");
    let json = serde_json::to_string(&buckets).expect("integers serialise");
    let locked = tx.fetch(Sql::new(sql).with(&json)).await?.len();
    let wanted = tx.fetch_one(Sql::new(there).with(json)).await?.map_or(0, |row| row.int(0));
    Ok(i64::try_from(locked).unwrap_or(0) == wanted)
}

/// What one chunk lost.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Lost {
    pub words: u64,
    pub bared: u64,
    pub refusals: u64,
    pub codes: u64,
}

/// How many of these have words still.
pub async fn with_words(db: &Db, rows: &[Old]) -> Result<u64> {
    let sql = format!("select count(*) from touchpoint_words where (bucket, touchpoint) in {}", keys(db.dialect()));
    let row = db.fetch_one(Sql::new(sql).with(json(rows))).await?;
    Ok(row.map_or(0, |row| u64::try_from(row.int(0)).unwrap_or(0)))
}

/// How many of these hold more than a bare row has.
pub async fn with_more(db: &Db, rows: &[Old]) -> Result<u64> {
    let keys = keys(db.dialect());
    let sql = format!("select count(*) from touchpoints where (bucket, id) in {keys} and {NOT_BARE}");
    let row = db.fetch_one(Sql::new(sql).with(json(rows))).await?;
    Ok(row.map_or(0, |row| u64::try_from(row.int(0)).unwrap_or(0)))
}

/// Removes the words of these touchpoints; gives of how many.
pub async fn forget_words(tx: &mut Tx, rows: &[Old]) -> Result<u64> {
    let (keys, rows) = (keys(tx.dialect()), json(rows));
    let words = format!("delete from touchpoint_words where (bucket, touchpoint) in {keys}");
    let forgotten = tx.execute(Sql::new(words).with(&rows)).await?;
    let subject = format!("update touchpoints set subject = null where (bucket, id) in {keys} and subject is not null");
    tx.execute(Sql::new(subject).with(rows)).await?;
    Ok(forgotten)
}

/// True of a row that holds more than a bare one.
const NOT_BARE: &str = "(address is not null or facts is not null or gates is not null or subject is not null or code \
                        is not null or locale is not null or provider_id is not null)";

/// Makes these rows bare; gives how many were not.
pub async fn make_bare(tx: &mut Tx, rows: &[Old]) -> Result<u64> {
    let (keys, rows) = (keys(tx.dialect()), json(rows));
    let events = format!("delete from touchpoint_events where (bucket, touchpoint) in {keys}");
    tx.execute(Sql::new(events).with(&rows)).await?;
    let bare = format!(
        "update touchpoints set address = null, facts = null, gates = null, subject = null, code = null, locale = null, \
         provider_id = null where (bucket, id) in {keys} and {NOT_BARE}"
    );
    tx.execute(Sql::new(bare).with(rows)).await
}

/// Removes refusals that nothing rests on, with their events; gives how many.
pub async fn remove_refusals(tx: &mut Tx, rows: &[Old]) -> Result<u64> {
    let (keys, rows) = (keys(tx.dialect()), json(rows));
    let removed = format!(
        "delete from touchpoints where (bucket, id) in {keys} and state = 'skipped' \
         and (reason is null or reason <> '{}')",
        Reason::BeforeStart
    );
    let removed = tx.execute(Sql::new(removed).with(&rows)).await?;
    for table in ["touchpoint_events", "touchpoint_words"] {
        let sql = format!(
            "delete from {table} where (bucket, touchpoint) in {keys} and not exists (select 1 from touchpoints t \
             where t.bucket = {table}.bucket and t.id = {table}.touchpoint)"
        );
        tx.execute(Sql::new(sql).with(&rows)).await?;
    }
    Ok(removed)
}

/// The next grants after `mark`, by bucket and touchpoint; `None` at the end.
pub async fn next_grants(db: &Db, mark: &Mark) -> Result<Option<Mark>> {
    let sql = "select bucket, touchpoint from offer_grants where (bucket, touchpoint) > ($1, $2) \
               order by bucket, touchpoint limit $3";
    let rows = db.fetch(Sql::new(sql).with(mark.number).with(&mark.id).with(CHUNK)).await?;
    Ok(rows.last().map(|row| Mark { number: row.int(0), id: row.text(1).to_owned() }))
}

const USELESS_CODES: &str = "(bucket, touchpoint) > ($1, $2) and (bucket, touchpoint) <= ($3, $4) and granted_at < $5 \
                             and code is not null and state <> 'reserved' and (state <> 'spent' or expires_at <= $6)";

fn codes(text: &str, from: &Mark, until: &Mark, before: Timestamp, now: Timestamp) -> Sql {
    let sql = Sql::new(format!("{text} where {USELESS_CODES}"));
    sql.with(from.number).with(&from.id).with(until.number).with(&until.id).with(before).with(now)
}

/// How many of the grants after `from` up to `until` have a code that is of no use any more.
pub async fn useless_codes(db: &Db, from: &Mark, until: &Mark, before: Timestamp, now: Timestamp) -> Result<u64> {
    let row = db.fetch_one(codes("select count(*) from offer_grants", from, until, before, now)).await?;
    Ok(row.map_or(0, |row| u64::try_from(row.int(0)).unwrap_or(0)))
}

/// Forgets those codes; the grants stay, because limits per customer and budgets count them.
pub async fn forget_codes(tx: &mut Tx, from: &Mark, until: &Mark, before: Timestamp, now: Timestamp) -> Result<u64> {
    tx.execute(codes("update offer_grants set code = null", from, until, before, now)).await
}

/// The oldest replies with something in them that are to be forgotten: of their words, or altogether.
const REPLIES: &str = "(bucket, provider, event_id) in (select bucket, provider, event_id from replies where at < $1";

/// How many replies were written before `before` and still have words.
pub async fn spoken_replies(db: &Db, before: Timestamp) -> Result<u64> {
    let sql = "select count(*) from replies where at < $1 and words <> ''";
    let row = db.fetch_one(Sql::new(sql).with(before)).await?;
    Ok(row.map_or(0, |row| u64::try_from(row.int(0)).unwrap_or(0)))
}

/// Forgets the words of one chunk of replies; gives of how many.
pub async fn forget_reply_words(db: &Db, before: Timestamp) -> Result<u64> {
    let sql = format!("update replies set words = '' where {REPLIES} and words <> '' order by at limit {CHUNK})");
    db.execute(Sql::new(sql).with(before)).await
}

/// Forgets one chunk of replies altogether; gives how many.
pub async fn forget_replies(db: &Db, before: Timestamp) -> Result<u64> {
    let sql = format!("delete from replies where {REPLIES} order by at limit {CHUNK})");
    db.execute(Sql::new(sql).with(before)).await
}

/// How many receipts that were dealt with came before `before`.
pub async fn old_receipts(db: &Db, before: Timestamp) -> Result<u64> {
    let sql = "select count(*) from provider_events where pending = 0 and at < $1";
    let row = db.fetch_one(Sql::new(sql).with(before)).await?;
    Ok(row.map_or(0, |row| u64::try_from(row.int(0)).unwrap_or(0)))
}

/// Forgets one chunk of receipts that were dealt with; gives how many.
pub async fn forget_receipts(db: &Db, before: Timestamp) -> Result<u64> {
    let sql = "delete from provider_events where (bucket, provider, event_id) in (select bucket, provider, event_id \
               from provider_events where pending = 0 and at < $1 order by at limit $2)";
    db.execute(Sql::new(sql).with(before).with(CHUNK)).await
}

fn keys(dialect: Dialect) -> String {
    let item = dialect.rows("$1", &[("bucket", ColumnType::Int), ("id", ColumnType::Text)], "r");
    format!("(select r.bucket, r.id from {item})")
}

fn json(rows: &[Old]) -> String {
    let keys: Vec<(i64, &str)> = rows.iter().map(|row| (row.bucket, row.id.as_str())).collect();
    serde_json::to_string(&keys).expect("text and integers serialise")
}
