//! Events and the rules that wait for them: what comes in is noted in the transaction that brings it, and taken up by a
//! run that says from where to where.
//!
//! 1. Whoever brings events raises the count of arrivals first and holds its row to the end: a run that reads the count
//!    sees every event below it. So none is missed between two runs.
//! 2. A run and the rule's mark are one transaction: an event belongs to exactly one run of a rule, and a run that a
//!    crash left behind still knows which are its own.
//! 3. What no live rule waits for is not noted, and what every one has taken up is forgotten: an inbox is empty but for
//!    a moment.

use super::db::{Db, Result, Tx};
use super::runs::{self, Cause, Part, Run};
use crate::plan::audience::Arrived;
use crate::sql::{ColumnType, Sql};
use crate::time::Timestamp;

/// An event that was just written.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Event<'a> {
    pub bucket: i64,
    pub key: &'a str,
    pub customer: &'a str,
    pub name: &'a str,
}

/// A rule that has events to take up; `after` is where it left off, `None` where it has not begun.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Pending {
    pub rule: String,
    pub after: Option<i64>,
}

/// Numbers what this transaction brings in. Asked before anything else of it is.
pub async fn arrive(tx: &mut Tx) -> Result<i64> {
    tx.execute(Sql::new("update event_arrivals set arrivals = arrivals + 1 where one = 0")).await?;
    count(tx).await
}

async fn count(tx: &mut Tx) -> Result<i64> {
    let row = tx.fetch_one(Sql::new("select arrivals from event_arrivals where one = 0")).await?;
    Ok(row.map_or(0, |row| row.int(0)))
}

/// Notes those of the events that a rule waits for.
pub async fn note(tx: &mut Tx, arrival: i64, events: &[Event<'_>]) -> Result<u64> {
    if events.is_empty() {
        return Ok(0);
    }
    let rows: Vec<_> = events.iter().map(|one| (one.bucket, one.key, one.customer, one.name)).collect();
    let rows = serde_json::to_string(&rows).expect("text and integers serialise");
    let columns = [
        ("bucket", ColumnType::Int),
        ("event", ColumnType::Text),
        ("customer", ColumnType::Text),
        ("name", ColumnType::Text),
    ];
    let sql = format!(
        "insert into event_inbox (bucket, event, customer, name, arrival) \
         select r.bucket, r.event, r.customer, r.name, $2 from {} \
         where r.name in (select on_event from rule_states where on_event is not null) on conflict do nothing",
        tx.dialect().rows("$1", &columns, "r")
    );
    tx.execute(Sql::new(sql).with(rows).with(arrival)).await
}

const PENDING: &str = "select s.rule, s.events_until from rule_states s where s.on_event is not null \
                       and (s.events_until is null or exists (select 1 from event_inbox i \
                       where i.name = s.on_event and i.arrival > s.events_until)) order by s.rule";

/// The rules for which something came in, or that have yet to begin. Where nothing waits it reads an empty table.
pub async fn pending(db: &Db) -> Result<Vec<Pending>> {
    let rows = db.fetch(Sql::new(PENDING)).await?;
    Ok(rows.iter().map(|row| Pending { rule: row.text(0).to_owned(), after: row.opt_int(1) }).collect())
}

/// Opens the run that takes up what a rule waits for, and moves its mark; `None` where another was quicker.
pub async fn take_up(db: &Db, pending: &Pending, version: &str, parts: &[Part], now: Timestamp) -> Result<Option<Run>> {
    let (mut tx, rule) = (db.begin().await?, &pending.rule);
    // Waits for whoever is bringing events in at this moment.
    tx.execute(Sql::new("update event_arrivals set arrivals = arrivals where one = 0")).await?;
    let arrived = Arrived { after: pending.after, until: count(&mut tx).await? };
    let mark = "update rule_states set events_until = $1 where rule = $2 and on_event is not null \
                and events_until is not distinct from $3";
    if tx.execute(Sql::new(mark).with(arrived.until).with(rule).with(arrived.after)).await? == 0 {
        return Ok(None);
    }
    let last = "select max(instant) from runs where rule = $1 and cause = 'event'";
    let last = tx.fetch_one(Sql::new(last).with(rule)).await?.and_then(|row| row.opt_int(0));
    // A run is named by its instant: two at one instant would be one.
    let instant = last.map_or(now, |last| now.max(Timestamp::from_micros(last + 1)));
    let run = runs::insert(&mut tx, rule, version, instant, Cause::Event(arrived), parts, now).await?;
    tx.commit().await?;
    Ok(Some(run))
}

/// Forgets what every rule that waits for it has taken up and planned.
pub async fn forget(db: &Db) -> Result<u64> {
    let sql = "delete from event_inbox where not exists (select 1 from rule_states s \
               where s.on_event = event_inbox.name and s.events_until < event_inbox.arrival) \
               and not exists (select 1 from runs r join rule_states s on s.rule = r.rule \
               where r.state = 'planning' and s.on_event = event_inbox.name and r.arrived_until >= event_inbox.arrival)";
    db.execute(Sql::new(sql)).await
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::migrate::migrate;

    #[tokio::test]
    async fn a_look_at_an_idle_inbox_reads_an_index() {
        let folder = tempfile::tempdir().expect("a folder");
        let db = Db::open("sqlite://test.db", folder.path()).await.expect("a database");
        migrate(&db).await.expect("a schema");
        let plan = db.fetch(Sql::new(format!("explain query plan {PENDING}"))).await.expect("a plan");
        let steps: Vec<&str> = plan.iter().map(|row| row.text(3)).collect();
        let index = "USING COVERING INDEX event_inbox_arrival (name=? AND arrival>?)";
        assert!(steps.iter().any(|step| step.contains(index)), "{steps:?}");
        assert_eq!(pending(&db).await.expect("an answer"), []);
    }
}
