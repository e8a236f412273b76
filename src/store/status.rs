//! What the database says about how things stand: what waits, what is in doubt, which runs are held, who is at work.
//!
//! One short statement for each; the partial indexes of the open states keep them cheap however long the log is.

use super::db::{Db, Result, Row, StoreError};
use super::log::OPEN;
use crate::plan::Counts;
use crate::rules::{Channel, Purpose};
use crate::sql::Sql;
use crate::time::{Span, Timestamp};
use serde_json::Value;

/// What waits to be sent on one channel for one purpose.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Lane {
    /// Not chosen yet, where absent.
    pub channel: Option<Channel>,
    pub purpose: Purpose,
    /// All that is planned, now or later.
    pub waiting: i64,
    /// Of these, what is due already.
    pub due: i64,
    /// When the one that waits longest was due, or the first that is not due yet will be.
    pub first_due_at: Option<Timestamp>,
}

impl Lane {
    /// How long the oldest has waited past its time.
    pub fn oldest_age(&self, now: Timestamp) -> Span {
        self.first_due_at.filter(|due| *due < now).map_or(Span::default(), |due| now.since(due))
    }
}

/// A run that waits for approval.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct HeldRun {
    pub id: String,
    pub rule: String,
    pub instant: Timestamp,
    pub reason: Option<String>,
    pub touchpoints: i64,
}

/// A rule's latest run.
#[derive(Clone, PartialEq, Debug)]
pub struct LastRun {
    pub id: String,
    pub rule: String,
    pub instant: Timestamp,
    pub cause: String,
    pub state: String,
    /// As the planner counted: `matched`, `planned`, …
    pub counts: Value,
}

/// A daemon, by the leases it holds.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Daemon {
    pub owner: String,
    pub buckets: i64,
    pub lease_until: Timestamp,
}

impl Daemon {
    /// Whether its lease still holds: a daemon that ended well or badly lets it run out.
    pub fn is_fresh(&self, now: Timestamp) -> bool {
        now < self.lease_until
    }
}

/// What went through a provider in the last 24 hours.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Traffic {
    pub provider: String,
    pub sent: i64,
    pub failed: i64,
    pub last_sent_at: Option<Timestamp>,
}

/// What is known of a rule from its past.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct RuleState {
    pub rule: String,
    pub live_since: Option<Timestamp>,
    pub vanished_at: Option<Timestamp>,
    pub held_reason: Option<String>,
}

/// How things stand.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Standing {
    pub lanes: Vec<Lane>,
    /// Claimed or on the wire at this moment.
    pub on_their_way: i64,
    pub in_doubt: i64,
    pub oldest_doubt_at: Option<Timestamp>,
    pub held: Vec<HeldRun>,
    pub last_runs: Vec<LastRun>,
    pub daemons: Vec<Daemon>,
    pub traffic: Vec<Traffic>,
    pub rules: Vec<RuleState>,
}

/// How things stand at `now`.
pub async fn standing(db: &Db, now: Timestamp) -> Result<Standing> {
    let open = format!(
        "select count(case when state <> 'in_doubt' then 1 end), count(case when state = 'in_doubt' then 1 end), \
         min(case when state = 'in_doubt' then coalesce(doubt_at, updated_at) end) \
         from touchpoints where {OPEN} and state <> 'held'"
    );
    let open = db.fetch_one(Sql::new(open)).await?;
    let count = |index| open.as_ref().map_or(0, |row| row.int(index));
    Ok(Standing {
        lanes: lanes(db, now).await?,
        on_their_way: count(0),
        in_doubt: count(1),
        oldest_doubt_at: open.as_ref().and_then(|row| time(row, 2)),
        held: held_runs(db).await?,
        last_runs: last_runs(db).await?,
        daemons: daemons(db).await?,
        traffic: traffic(db, now).await?,
        rules: rule_states(db).await?,
    })
}

/// What waits, by channel and purpose. Also what the queue's metrics show.
pub async fn lanes(db: &Db, now: Timestamp) -> Result<Vec<Lane>> {
    let sql = "select channel, purpose, count(*), count(case when due_at <= $1 then 1 end), min(due_at) \
               from touchpoints where state = 'planned' group by channel, purpose order by channel, purpose";
    let rows = db.fetch(Sql::new(sql).with(now)).await?;
    let lane = |row: &Row| {
        Ok(Lane {
            channel: row.opt_text(0).map(str::parse).transpose().map_err(StoreError::Column)?,
            purpose: row.text(1).parse().map_err(StoreError::Column)?,
            waiting: row.int(2),
            due: row.int(3),
            first_due_at: time(row, 4),
        })
    };
    rows.iter().map(lane).collect()
}

async fn held_runs(db: &Db) -> Result<Vec<HeldRun>> {
    let sql = format!(
        "select r.id, r.rule, r.instant, r.reason, \
         (select count(*) from touchpoints t where t.run_id = r.id and t.state = 'held' and {OPEN}) \
         from runs r where r.state = 'held' and r.state in ('planning', 'held') order by r.instant, r.id"
    );
    let rows = db.fetch(Sql::new(sql)).await?;
    let run = |row: &Row| HeldRun {
        id: row.text(0).to_owned(),
        rule: row.text(1).to_owned(),
        instant: Timestamp::from_micros(row.int(2)),
        reason: row.opt_text(3).map(str::to_owned),
        touchpoints: row.int(4),
    };
    Ok(rows.iter().map(run).collect())
}

async fn last_runs(db: &Db) -> Result<Vec<LastRun>> {
    let sql = "select r.id, r.rule, r.instant, r.cause, r.state, r.counts from runs r \
               join (select rule, max(instant) as instant from runs group by rule) latest \
               on latest.rule = r.rule and latest.instant = r.instant order by r.rule, r.created_at";
    let rows = db.fetch(Sql::new(sql)).await?;
    let run = |row: &Row| LastRun {
        id: row.text(0).to_owned(),
        rule: row.text(1).to_owned(),
        instant: Timestamp::from_micros(row.int(2)),
        cause: row.text(3).to_owned(),
        state: row.text(4).to_owned(),
        counts: row.opt_text(5).map(Counts::from_text).unwrap_or_default().to_json(),
    };
    Ok(rows.iter().map(run).collect())
}

async fn daemons(db: &Db) -> Result<Vec<Daemon>> {
    let sql =
        "select owner, count(*), max(lease_until) from leases where lease_until > 0 group by owner order by owner";
    let rows = db.fetch(Sql::new(sql)).await?;
    let daemon = |row: &Row| Daemon {
        owner: row.text(0).to_owned(),
        buckets: row.int(1),
        lease_until: Timestamp::from_micros(row.int(2)),
    };
    Ok(rows.iter().map(daemon).collect())
}

async fn traffic(db: &Db, now: Timestamp) -> Result<Vec<Traffic>> {
    let sql = "select provider, count(sent_at), count(case when state in ('failed', 'bounced') then 1 end), max(sent_at) \
               from touchpoints where created_at >= $1 and provider is not null and test = 0 group by provider order by provider";
    let rows = db.fetch(Sql::new(sql).with(now.minus(Span::from_days(1)))).await?;
    let traffic = |row: &Row| Traffic {
        provider: row.text(0).to_owned(),
        sent: row.int(1),
        failed: row.int(2),
        last_sent_at: time(row, 3),
    };
    Ok(rows.iter().map(traffic).collect())
}

/// Every rule that was ever in force.
pub async fn rule_states(db: &Db) -> Result<Vec<RuleState>> {
    let sql = "select rule, live_since, vanished_at, held_reason from rule_states order by rule";
    let rows = db.fetch(Sql::new(sql)).await?;
    let state = |row: &Row| RuleState {
        rule: row.text(0).to_owned(),
        live_since: time(row, 1),
        vanished_at: time(row, 2),
        held_reason: row.opt_text(3).map(str::to_owned),
    };
    Ok(rows.iter().map(state).collect())
}

fn time(row: &Row, index: usize) -> Option<Timestamp> {
    row.opt_int(index).map(Timestamp::from_micros)
}
