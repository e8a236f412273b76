//! A group of the committer: marks of messages that are about to be on the wire, and outcomes of others, with their
//! events.
//!
//! 1. Every change of state is guarded by the state it comes from and by the epoch of the daemon that claimed the row.
//! 2. All statements of a group go to the database at once; each looks itself whether the buckets are still ours.
//! 3. Texts of statements do not depend on how many rows there are, so that each is prepared once.

use super::db::{Db, Result, Row, StoreError, Tx};
use super::leases::{self, Lease};
use super::stops;
use crate::rules::{Channel, Purpose};
use crate::sql::{ColumnType, Dialect, Sql};
use crate::time::Timestamp;
use crate::touchpoints::{Reason, State};
use std::collections::HashSet;

const TEXT: ColumnType = ColumnType::Text;
const INT: ColumnType = ColumnType::Int;
/// How many rows of words a statement has places for: the smallest that has enough is taken, and repeated.
const PLACES: [usize; 4] = [1, 8, 24, 64];

/// A message that is about to be on the wire.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Mark {
    pub bucket: i64,
    pub id: String,
    pub provider: String,
    pub address: String,
    pub locale: String,
    pub subject: Option<String>,
    /// JSON by part; `None` where an earlier attempt has kept them.
    pub words: Option<String>,
    pub going: Going,
}

/// What may still stop a message that is about to be marked.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Going {
    pub rule: String,
    pub topic: String,
    pub customer: String,
    pub channel: Channel,
    pub purpose: Purpose,
    /// The version that was read when the row was claimed.
    pub version: i64,
    pub carries_offer: bool,
    /// The count of stops before the last look; see [`stops`].
    pub stops: i64,
}

/// What became of a group.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Written {
    /// The ids of the messages that may go.
    pub marked: HashSet<String>,
    /// The count of stops, where there were marks. What was looked at under another count was not marked.
    pub stops: Option<i64>,
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

/// A group as it is written.
#[derive(Clone, Copy, Debug)]
pub struct Group<'a> {
    pub lease: &'a Lease,
    pub outcomes: &'a [&'a Outcome],
    pub marks: &'a [&'a Mark],
    pub now: Timestamp,
}

impl Group<'_> {
    /// Writes outcomes with their events, marks with their words. Rows that are no longer ours are left alone, and so
    /// are marks of messages that were looked at before the last stop.
    ///
    /// # Errors
    /// [`StoreError::LostLease`] when the buckets are no longer ours: the caller drops the transaction.
    pub async fn write(self, tx: &mut Tx) -> Result<Written> {
        self.read(&tx.batch(self.statements(tx.dialect())).await?)
    }

    /// As [`Group::write`], as a transaction of its own: one change of thread for all of it.
    ///
    /// # Errors
    /// [`StoreError::LostLease`] when the buckets are no longer ours: nothing was written.
    pub async fn write_alone(self, db: &Db) -> Result<Written> {
        let tx = db.begin().await?;
        let statements = self.statements(tx.dialect());
        self.read(&tx.batch_and_commit(statements).await?)
    }

    fn buckets(self) -> HashSet<i64> {
        let settled = self.outcomes.iter().map(|outcome| outcome.bucket);
        settled.chain(self.marks.iter().map(|mark| mark.bucket)).collect()
    }

    fn statements(self, dialect: Dialect) -> Vec<Sql> {
        let mut group = vec![leases::held(dialect, self.lease, &self.buckets())];
        if !self.marks.is_empty() {
            group.push(stops::held(dialect));
        }
        if !self.outcomes.is_empty() {
            group.extend(settle(dialect, self.lease, self.outcomes, self.now));
        }
        if !self.marks.is_empty() {
            group.extend(mark(dialect, self.lease, self.marks, self.now));
            group.extend(keep_words(self.marks, self.now));
        }
        group
    }

    fn read(self, answers: &[Row]) -> Result<Written> {
        if usize::try_from(answers.first().map_or(0, |held| held.int(0))) != Ok(self.buckets().len()) {
            return Err(StoreError::LostLease);
        }
        let marked = answers.get(2).map_or_else(|| Ok(Vec::new()), Row::unpacked)?;
        Ok(Written {
            marked: marked.iter().map(|row| row.text(0).to_owned()).collect(),
            stops: answers.get(1).map(|stops| stops.int(0)),
        })
    }
}

/// The condition that a row of `touchpoints` lies in a bucket that is ours; `$3` is the owner, `$4` the epoch.
const OURS: &str = "touchpoints.owner = $3 and touchpoints.epoch = $4 \
     and exists (select 1 from leases l where l.bucket = touchpoints.bucket and l.owner = $3 and l.epoch = $4)";

/// Marks messages as dispatching and gives the ids of those that may go.
fn mark(dialect: Dialect, lease: &Lease, marks: &[&Mark], now: Timestamp) -> [Sql; 2] {
    let data: Vec<_> = marks
        .iter()
        .map(|mark| {
            (mark.bucket, &mark.id, &mark.provider, &mark.address, &mark.locale, &mark.subject, mark.going.stops)
        })
        .collect();
    let columns = [
        ("bucket", INT),
        ("id", TEXT),
        ("provider", TEXT),
        ("address", TEXT),
        ("locale", TEXT),
        ("subject", TEXT),
        ("stops", INT),
    ];
    let rows = dialect.rows("$1", &columns, "r");
    let update = format!(
        "update touchpoints set state = 'dispatching', attempts = attempts + 1, doubt_at = $2, provider = r.provider, \
         address = r.address, locale = r.locale, subject = r.subject, updated_at = $2 from {rows} \
         where touchpoints.bucket = r.bucket and touchpoints.id = r.id and touchpoints.state = 'claimed' \
         and {OURS} and r.stops = (select generation from stops)"
    );
    let marked = format!(
        "select t.id from {rows} join touchpoints t on t.bucket = r.bucket and t.id = r.id \
         where t.state = 'dispatching' and t.doubt_at = $2 and t.owner = $3 and t.epoch = $4"
    );
    let data = serde_json::to_string(&data).expect("text and integers serialise");
    let bound = |text: String| Sql::new(text).with(data.clone()).with(now).with(&lease.owner).with(lease.epoch);
    [bound(update), bound(marked).as_one(dialect, 1)]
}

/// Keeps the words of messages that have none yet. They are bound as they are: wrapped in JSON they would be escaped,
/// parsed and unescaped, and they are the longest of all that is written.
fn keep_words(marks: &[&Mark], now: Timestamp) -> Vec<Sql> {
    let fresh: Vec<(&Mark, &String)> = marks.iter().filter_map(|mark| Some((*mark, mark.words.as_ref()?))).collect();
    let most = PLACES[PLACES.len() - 1];
    let places = |rows: usize| PLACES.into_iter().find(|places| *places >= rows).unwrap_or(most);
    fresh.chunks(most).map(|chunk| insert_words(chunk, places(chunk.len()), now)).collect()
}

/// An insert of `chunk` with `places` for rows; those that are left over are NULL and fall out, and so do words of
/// messages that were not marked.
fn insert_words(chunk: &[(&Mark, &String)], places: usize, now: Timestamp) -> Sql {
    let row = |place: usize| {
        let first = place * 3;
        format!("(${}, ${}, ${})", first + 1, first + 2, first + 3)
    };
    let rows: Vec<String> = (0..places).map(row).collect();
    let mut sql = Sql::new(format!(
        "insert into touchpoint_words (bucket, touchpoint, words) select column1, column2, column3 \
         from (values {}) as r where exists (select 1 from touchpoints t where t.bucket = column1 and t.id = column2 \
         and t.state = 'dispatching' and t.doubt_at = ${}) on conflict do nothing",
        rows.join(", "),
        places * 3 + 1
    ));
    for place in 0..places {
        let of = chunk.get(place);
        sql = sql.with(of.map(|(mark, _)| mark.bucket));
        sql = sql.with(of.map(|(mark, _)| mark.id.as_str()));
        sql = sql.with(of.map(|(_, words)| words.as_str()));
    }
    sql.with(now)
}

/// Settles outcomes and writes their events.
fn settle(dialect: Dialect, lease: &Lease, outcomes: &[&Outcome], now: Timestamp) -> [Sql; 2] {
    let data = outcomes.iter().map(|outcome| {
        debug_assert!(outcome.from.may_become(outcome.to), "{} -> {}", outcome.from, outcome.to);
        (
            outcome.bucket,
            &outcome.id,
            outcome.version + 1,
            outcome.from.as_str(),
            outcome.to.as_str(),
            outcome.reason.map(Reason::as_str),
            outcome.due_at.map(Timestamp::micros),
            &outcome.provider_id,
            outcome.cost,
            &outcome.detail,
        )
    });
    let data = serde_json::to_string(&data.collect::<Vec<_>>()).expect("text and integers serialise");
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
    let rows = dialect.rows("$1", &columns, "r");
    let update = format!(
        "update touchpoints set state = r.state, reason = r.reason, version = r.version, updated_at = $2, \
         due_at = coalesce(r.due_at, touchpoints.due_at), \
         sent_at = case when r.state = 'sent' then $2 else touchpoints.sent_at end, \
         provider_id = coalesce(r.provider_id, touchpoints.provider_id), cost = coalesce(r.cost, touchpoints.cost) \
         from {rows} \
         where touchpoints.bucket = r.bucket and touchpoints.id = r.id and touchpoints.state = r.was \
         and touchpoints.version = r.version - 1 and {OURS}"
    );
    let update = Sql::new(update).with(data.clone()).with(now).with(&lease.owner).with(lease.epoch);
    let events = format!(
        "insert into touchpoint_events (bucket, touchpoint, n, at, kind, detail) \
         select r.bucket, r.id, r.version, $2, r.state, coalesce(r.detail, r.reason) from {rows} \
         join touchpoints t on t.bucket = r.bucket and t.id = r.id and t.version = r.version and t.state = r.state \
         where r.state <> 'skipped' or not exists (select 1 from touchpoint_events e where e.bucket = r.bucket \
         and e.touchpoint = r.id and e.kind = 'skipped' and e.detail = coalesce(r.detail, r.reason) and e.n = \
         (select max(m.n) from touchpoint_events m where m.bucket = r.bucket and m.touchpoint = r.id)) \
         on conflict do nothing"
    );
    [update, Sql::new(events).with(data).with(now)]
}
