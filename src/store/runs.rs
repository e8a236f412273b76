//! Runs and their parts: one rule at one instant, planned in slices of buckets, released or held as a whole.

use super::db::{Db, Result, Row, Tx};
use super::log;
use crate::ids;
use crate::plan::Counts;
use crate::plan::audience::Arrived;
use crate::sql::{ColumnType, Sql};
use crate::time::Timestamp;

/// Why a run took place.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Cause {
    Schedule,
    /// By `fire`, or by `once --rule`: whatever the schedule says.
    Asked,
    /// By events that came in.
    Event(Arrived),
}

impl Cause {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Schedule => "schedule",
            Self::Asked => "asked",
            Self::Event(_) => "event",
        }
    }
}

/// One run.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Run {
    pub id: String,
    pub rule: String,
    pub rule_version: String,
    pub instant: Timestamp,
    pub cause: Cause,
    /// `planning`, `released`, `held` or `cancelled`.
    pub state: String,
    pub reason: Option<String>,
    pub counts: Counts,
    pub created_at: Timestamp,
}

/// A slice of buckets, both ends included.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Part {
    pub number: i64,
    pub from: i64,
    pub until: i64,
}

const COLUMNS: &str = "id, rule, rule_version, instant, state, reason, counts, cause, created_at, \
                       arrived_after, arrived_until";

fn read(row: &Row) -> Run {
    Run {
        id: row.text(0).to_owned(),
        rule: row.text(1).to_owned(),
        rule_version: row.text(2).to_owned(),
        instant: Timestamp::from_micros(row.int(3)),
        state: row.text(4).to_owned(),
        reason: row.opt_text(5).map(str::to_owned),
        counts: row.opt_text(6).map(Counts::from_text).unwrap_or_default(),
        cause: match (row.text(7), row.opt_int(10)) {
            ("asked", _) => Cause::Asked,
            (_, Some(until)) => Cause::Event(Arrived { after: row.opt_int(9), until }),
            _ => Cause::Schedule,
        },
        created_at: Timestamp::from_micros(row.int(8)),
    }
}

/// Inserts the run of this tick with its parts, or finds the one that another has inserted.
pub async fn open(
    db: &Db,
    rule: &str,
    version: &str,
    instant: Timestamp,
    cause: Cause,
    parts: &[Part],
    now: Timestamp,
) -> Result<Run> {
    let mut tx = db.begin().await?;
    let run = insert(&mut tx, rule, version, instant, cause, parts, now).await?;
    tx.commit().await?;
    Ok(run)
}

/// As [`open`], within a transaction.
pub async fn insert(
    tx: &mut Tx,
    rule: &str,
    version: &str,
    instant: Timestamp,
    cause: Cause,
    parts: &[Part],
    now: Timestamp,
) -> Result<Run> {
    let id = ids::run(rule, instant.micros(), cause.as_str());
    let arrived = match cause {
        Cause::Event(arrived) => Some(arrived),
        Cause::Schedule | Cause::Asked => None,
    };
    let insert = "insert into runs (id, rule, rule_version, instant, cause, state, parts, parts_done, created_at, \
                  arrived_after, arrived_until) values ($1, $2, $3, $4, $5, 'planning', $6, 0, $7, $8, $9) \
                  on conflict do nothing";
    let count = i64::try_from(parts.len()).expect("at most 256 parts");
    let insert = Sql::new(insert)
        .with(&id)
        .with(rule)
        .with(version)
        .with(instant)
        .with(cause.as_str())
        .with(count)
        .with(now)
        .with(arrived.and_then(|arrived| arrived.after))
        .with(arrived.map(|arrived| arrived.until));
    // A run that another has inserted has its parts.
    let slices: Vec<_> = parts.iter().map(|part| (part.number, part.from, part.until)).collect();
    let columns = ["number", "bucket_from", "bucket_until"].map(|column| (column, ColumnType::Int));
    let insert_parts = format!(
        "insert into run_parts (run_id, part, bucket_from, bucket_until, state) \
         select $1, r.number, r.bucket_from, r.bucket_until, 'open' from {} \
         where exists (select 1 from runs where id = $1 and state = 'planning') \
         and not exists (select 1 from run_parts where run_id = $1)",
        tx.dialect().rows("$2", &columns, "r")
    );
    let slices = serde_json::to_string(&slices).expect("integers are JSON");
    let insert_parts = Sql::new(insert_parts).with(&id).with(slices);
    let read_back = Sql::new(format!("select {COLUMNS} from runs where id = $1")).with(&id);
    let rows = tx.batch(vec![insert, insert_parts, read_back]).await?;
    Ok(read(rows.first().expect("the run was just inserted or found")))
}

/// The parts of a run that are not planned yet.
pub async fn open_parts(tx: &mut Tx, run: &str) -> Result<Vec<Part>> {
    let sql = Sql::new(
        "select part, bucket_from, bucket_until from run_parts where run_id = $1 and state = 'open' order by part",
    );
    let rows = tx.fetch(sql.with(run)).await?;
    Ok(rows.iter().map(|row| Part { number: row.int(0), from: row.int(1), until: row.int(2) }).collect())
}

/// Marks a part as planned, with its counts. False when it was planned before: the caller drops the transaction.
pub async fn close_part(tx: &mut Tx, run: &str, part: Part, counts: &Counts) -> Result<bool> {
    let close = "update run_parts set state = 'done', counts = $1 \
                 where run_id = $2 and part = $3 and state = 'open' returning part";
    let close = Sql::new(close).with(counts.to_text()).with(run).with(part.number);
    let count = Sql::new("update runs set parts_done = parts_done + 1 where id = $1").with(run);
    Ok(!tx.batch(vec![close, count]).await?.is_empty())
}

/// The sum of the counts of all parts, once every part is planned.
pub async fn sum_of_parts(tx: &mut Tx, run: &str) -> Result<Option<Counts>> {
    let rows = tx.fetch(Sql::new("select state, counts from run_parts where run_id = $1").with(run)).await?;
    if rows.iter().any(|row| row.text(0) == "open") {
        return Ok(None);
    }
    let mut sum = Counts::default();
    for row in &rows {
        sum.add(&Counts::from_text(row.text(1)));
    }
    Ok(Some(sum))
}

/// Ends planning: the run is released, or held as a whole for the reason given.
pub async fn finish(tx: &mut Tx, run: &str, counts: &Counts, held: Option<&str>, now: Timestamp) -> Result<()> {
    let state = if held.is_some() { "held" } else { "released" };
    let released = held.is_none().then_some(now);
    let reached = i64::try_from(counts.planned + counts.held).unwrap_or(i64::MAX);
    let sql = "update runs set state = $1, reason = $2, counts = $3, released_at = $4, reached = $5 \
               where id = $6 and state = 'planning'";
    let sql = Sql::new(sql).with(state).with(held).with(counts.to_text()).with(released).with(reached).with(run);
    tx.execute(sql).await?;
    if held.is_some() {
        let [hold, events] = hold_statements();
        tx.execute(Sql::new(hold).with(now).with(run)).await?;
        tx.execute(Sql::new(events).with(now).with(held).with(run)).await?;
    }
    Ok(())
}

fn hold_statements() -> [String; 2] {
    [
        format!(
            "update touchpoints set state = 'held', reason = 'guard', version = version + 1, updated_at = $1 \
             where run_id = $2 and {}",
            log::waiting()
        ),
        format!(
            "insert into touchpoint_events (bucket, touchpoint, n, at, kind, detail) \
             select bucket, id, version, $1, 'held', $2 from touchpoints where run_id = $3 and state = 'held' and {}",
            log::OPEN
        ),
    ]
}

/// How many each of the rule's last `limit` released runs reached that reached anybody, the newest first.
pub async fn last_sizes(db: &Db, rule: &str, limit: i64) -> Result<Vec<i64>> {
    let sql = "select reached from runs where rule = $1 and reached > 0 and state = 'released' \
               order by instant desc limit $2";
    let rows = db.fetch(Sql::new(sql).with(rule).with(limit)).await?;
    Ok(rows.iter().map(|row| row.int(0)).collect())
}

/// Whether the rule has ever run.
pub async fn any(db: &Db, rule: &str) -> Result<bool> {
    Ok(db.fetch_one(Sql::new("select 1 from runs where rule = $1 limit 1").with(rule)).await?.is_some())
}

/// The newest run of a rule that waits for approval.
pub async fn newest_held(db: &Db, rule: &str) -> Result<Option<Run>> {
    let sql = format!("select {COLUMNS} from runs where rule = $1 and state = 'held' order by instant desc limit 1");
    Ok(db.fetch_one(Sql::new(sql).with(rule)).await?.as_ref().map(read))
}

/// The newest run of a rule at or before an instant.
pub async fn newest_until(db: &Db, rule: &str, at: Timestamp) -> Result<Option<Run>> {
    let sql = format!("select {COLUMNS} from runs where rule = $1 and instant <= $2 order by instant desc limit 1");
    Ok(db.fetch_one(Sql::new(sql).with(rule).with(at)).await?.as_ref().map(read))
}

/// A run by its id.
pub async fn by_id(db: &Db, id: &str) -> Result<Option<Run>> {
    let sql = format!("select {COLUMNS} from runs where id = $1");
    Ok(db.fetch_one(Sql::new(sql).with(id)).await?.as_ref().map(read))
}

/// Whether somebody has approved a run of the rule that was held for this very reason.
pub async fn was_approved(db: &Db, rule: &str, reason: &str) -> Result<bool> {
    let sql = "select 1 from runs where rule = $1 and reached > 0 and state = 'released' and reason = $2 limit 1";
    Ok(db.fetch_one(Sql::new(sql).with(rule).with(reason)).await?.is_some())
}

/// Ends a run that was not planned to its end and never will be.
pub async fn cancel(db: &Db, run: &str, why: &str, now: Timestamp) -> Result<()> {
    let sql = "update runs set state = 'cancelled', reason = $1, released_at = $2 where id = $3 and state = 'planning'";
    db.execute(Sql::new(sql).with(why).with(now).with(run)).await.map(|_| ())
}

/// Runs that a crash left in the middle of planning, oldest first.
pub async fn unfinished(db: &Db) -> Result<Vec<Run>> {
    let sql = format!("select {COLUMNS} from runs where state = 'planning' order by instant, rule");
    Ok(db.fetch(Sql::new(sql)).await?.iter().map(read).collect())
}

/// What is known of the runs of one rule.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Past {
    /// The newest scheduled instant.
    pub newest: Option<Timestamp>,
    /// Whether any run was planned to its end. One that a crash left half planned does not count: what is left of it is
    /// still the rule's first.
    pub has_ended: bool,
    /// The instant of the first that was.
    pub began: Option<Timestamp>,
}

/// The past of every rule that has any.
pub async fn pasts(db: &Db) -> Result<Vec<(String, Past)>> {
    let sql = "select rule, max(case when cause = 'schedule' then instant end), \
               max(case when state = 'planning' then 0 else 1 end), min(case when state <> 'planning' then instant end) \
               from runs group by rule";
    let rows = db.fetch(Sql::new(sql)).await?;
    let past = |row: &Row| Past {
        newest: row.opt_int(1).map(Timestamp::from_micros),
        has_ended: row.int(2) == 1,
        began: row.opt_int(3).map(Timestamp::from_micros),
    };
    Ok(rows.iter().map(|row| (row.text(0).to_owned(), past(row))).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::migrate::migrate;

    #[tokio::test]
    async fn a_run_is_held_by_the_indexes_of_what_waits() {
        let folder = tempfile::tempdir().expect("a folder");
        let db = Db::open("sqlite://test.db", folder.path()).await.expect("a database");
        migrate(&db).await.expect("a schema");
        for (statement, index) in hold_statements().into_iter().zip(["touchpoints_due", "touchpoints_open"]) {
            let plan = db.fetch(Sql::new(format!("explain query plan {statement}"))).await.expect("a plan");
            let steps: Vec<&str> = plan.iter().map(|row| row.text(3)).collect();
            assert!(steps[0].starts_with("SEARCH") && steps[0].contains(index), "{statement}: {steps:?}");
        }
    }
}
