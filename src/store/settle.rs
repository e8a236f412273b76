//! Changes of state by hand: a held run let go or cancelled, planned messages cancelled, a doubt settled.
//!
//! 1. Every change is a [`Step`] that the state machine has; `touchpoints::state` alone says which there are.
//! 2. An update is guarded by the state it comes from, and its event is written in the same transaction, numbered by
//!    the version that the update gave.
//! 3. Many are changed in chunks of [`CHUNK`], two statements each, whatever their number.
//! 4. The functions work inside the caller's transaction. The offer of a touchpoint is settled in it: freed when it
//!    is cancelled, spent when it was sent. What was freed goes back to the budgets by [`super::offers::put_back`],
//!    which the caller runs after the commit and the daemon every few seconds.

use super::db::{Db, Result, StoreError, Tx};
use super::log::{OPEN, id_range, waiting};
use super::offers::grants;
use super::rule_states;
use crate::offers::grant::Shown;
use crate::sql::{ColumnType, Dialect, Sql};
use crate::time::Timestamp;
use crate::touchpoints::{State, Touchpoint};
use serde_json::{Value, json};

/// How many touchpoints are changed by one statement.
pub const CHUNK: i64 = 10_000;

/// Why something was not settled.
#[derive(Debug, thiserror::Error)]
pub enum SettleError {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error("no run has an id that is or begins with `{0}`: `plusone status` lists the held ones")]
    NoRun(String),
    #[error("more than one run has an id that begins with `{0}`: write more of it")]
    SeveralRuns(String),
    #[error("run {run} of rule {rule} is `{state}`: only a run that is `held` can be approved or cancelled")]
    NotHeld { run: String, rule: String, state: String },
    #[error("touchpoint {id} is `{state}`: only one that is `in_doubt` can be settled by hand")]
    NotInDoubt { id: String, state: State },
    #[error("touchpoint {id} changed at this very moment: look at it again with `plusone show {id}`")]
    Changed { id: String },
}

/// A run, as far as it is settled by hand.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Run {
    pub id: String,
    pub rule: String,
    pub instant: Timestamp,
    pub state: String,
}

/// What was changed.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Changed {
    pub runs: u64,
    pub touchpoints: u64,
    /// Offers that are no longer spoken for.
    pub freed: u64,
}

/// How a doubt was settled.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Verdict {
    Sent,
    NotSent,
}

/// A change of state that the state machine has.
#[derive(Clone, Copy, Debug)]
struct Step {
    from: State,
    to: State,
}

impl Step {
    fn new(from: State, to: State) -> Self {
        assert!(from.may_become(to), "`{from}` never becomes `{to}`");
        Self { from, to }
    }
}

/// Whose touchpoints are changed.
#[derive(Clone, Copy)]
enum Of<'a> {
    Run(&'a str),
    Rule(&'a str),
}

/// The run whose id is `text`, or begins with it (8 characters or more).
pub async fn run(db: &Db, text: &str) -> std::result::Result<Run, SettleError> {
    let (first, last) = id_range(text).ok_or_else(|| SettleError::NoRun(text.to_owned()))?;
    let sql = Sql::new("select id, rule, instant, state from runs where id between $1 and $2 limit 2");
    let rows = db.fetch(sql.with(first).with(last)).await?;
    match rows.as_slice() {
        [] => Err(SettleError::NoRun(text.to_owned())),
        [row] => Ok(Run {
            id: row.text(0).to_owned(),
            rule: row.text(1).to_owned(),
            instant: Timestamp::from_micros(row.int(2)),
            state: row.text(3).to_owned(),
        }),
        _ => Err(SettleError::SeveralRuns(text.to_owned())),
    }
}

/// Lets a held run go: its touchpoints are planned, due when they were due.
///
/// # Errors
/// When the run is not held.
pub async fn approve(tx: &mut Tx, run: &Run, by: &str, now: Timestamp) -> std::result::Result<Changed, SettleError> {
    end_hold(tx, run, "released", by, now).await?;
    let mut changed = Changed { runs: 1, ..Changed::default() };
    let step = Step::new(State::Held, State::Planned);
    move_all(tx, Of::Run(&run.id), step, "approve", now, &mut changed).await?;
    rule_states::clear_hold(tx, &run.rule).await?;
    Ok(changed)
}

/// Cancels a held run and its touchpoints.
///
/// # Errors
/// When the run is not held.
pub async fn cancel_run(tx: &mut Tx, run: &Run, by: &str, now: Timestamp) -> std::result::Result<Changed, SettleError> {
    end_hold(tx, run, "cancelled", by, now).await?;
    let mut changed = Changed { runs: 1, ..Changed::default() };
    let step = Step::new(State::Held, State::Cancelled);
    move_all(tx, Of::Run(&run.id), step, "cancel", now, &mut changed).await?;
    Ok(changed)
}

/// Cancels what a rule has planned, its held runs included. What is on its way already is left alone.
pub async fn cancel_rule(tx: &mut Tx, rule: &str, by: &str, now: Timestamp) -> Result<Changed> {
    let runs = "update runs set state = 'cancelled', released_at = $1, released_by = $2 \
                where rule = $3 and state = 'held'";
    let runs = tx.execute(Sql::new(runs).with(now).with(by).with(rule)).await?;
    let mut changed = Changed { runs, ..Changed::default() };
    cancel_touchpoints(tx, rule, "cancel", now, &mut changed).await?;
    Ok(changed)
}

/// Cancels what waits of a rule, for approval or to be sent; `why` is told by the events.
pub async fn cancel_touchpoints(
    tx: &mut Tx,
    rule: &str,
    why: &str,
    now: Timestamp,
    changed: &mut Changed,
) -> Result<()> {
    for from in [State::Held, State::Planned] {
        move_all(tx, Of::Rule(rule), Step::new(from, State::Cancelled), why, now, changed).await?;
    }
    Ok(())
}

/// Settles a doubt by hand: it was sent, or it was not and is due again at once.
///
/// # Errors
/// When the touchpoint is not in doubt, or is no longer as `touchpoint` says.
pub async fn resolve(
    tx: &mut Tx,
    touchpoint: &Touchpoint,
    verdict: Verdict,
    now: Timestamp,
) -> std::result::Result<Changed, SettleError> {
    let id = touchpoint.id.clone();
    if touchpoint.state != State::InDoubt {
        return Err(SettleError::NotInDoubt { id, state: touchpoint.state });
    }
    let (to, set) = match verdict {
        Verdict::Sent => (State::Sent, "sent_at = coalesce(sent_at, doubt_at, $1)"),
        Verdict::NotSent => (State::Planned, "due_at = $1"),
    };
    let step = Step::new(State::InDoubt, to);
    let update = format!(
        "update touchpoints set state = '{}', {set}, reason = null, owner = null, epoch = null, \
         version = version + 1, updated_at = $1 \
         where bucket = $2 and id = $3 and version = $4 and state = '{}'",
        step.to, step.from
    );
    let update = Sql::new(update).with(now).with(touchpoint.bucket).with(&id).with(touchpoint.version);
    if tx.execute(update).await? != 1 {
        return Err(SettleError::Changed { id });
    }
    let events = json!([[touchpoint.bucket, id, touchpoint.version + 1]]);
    write_events(tx, step, "resolve", &events, now).await?;
    if to == State::Sent && touchpoint.offer.is_some() {
        grants::settle(tx, &[(touchpoint.bucket, id.as_str(), Shown::Yes)], now).await?;
    }
    Ok(Changed { runs: 0, touchpoints: 1, freed: 0 })
}

/// How many messages of `rule` are on their way and can no longer be cancelled.
pub async fn on_their_way(db: &Db, rule: &str) -> Result<i64> {
    let sql =
        format!("select count(*) from touchpoints where {OPEN} and state in ('claimed', 'dispatching') and rule = $1");
    Ok(db.fetch_one(Sql::new(sql).with(rule)).await?.map_or(0, |row| row.int(0)))
}

/// Takes the run's row first: from here on nobody else settles this run.
async fn end_hold(
    tx: &mut Tx,
    run: &Run,
    state: &str,
    by: &str,
    now: Timestamp,
) -> std::result::Result<(), SettleError> {
    let sql = "update runs set state = $1, released_at = $2, released_by = $3 where id = $4 and state = 'held'";
    if tx.execute(Sql::new(sql).with(state).with(now).with(by).with(&run.id)).await? == 1 {
        return Ok(());
    }
    let state = tx.fetch_one(Sql::new("select state from runs where id = $1").with(&run.id)).await?;
    let state = state.map_or_else(|| run.state.clone(), |row| row.text(0).to_owned());
    Err(SettleError::NotHeld { run: run.id.clone(), rule: run.rule.clone(), state })
}

/// Takes one step with every touchpoint of a run or a rule that stands at its beginning.
async fn move_all(tx: &mut Tx, of: Of<'_>, step: Step, by: &str, now: Timestamp, changed: &mut Changed) -> Result<()> {
    let update = move_statement(of, step, tx.dialect());
    let (Of::Run(value) | Of::Rule(value)) = of;
    loop {
        let rows = tx.fetch(Sql::new(update.as_str()).with(now).with(value)).await?;
        if rows.is_empty() {
            return Ok(());
        }
        changed.touchpoints += rows.len() as u64;
        if step.to == State::Cancelled {
            let with_offer = rows.iter().filter(|row| row.opt_text(3).is_some());
            let fates: Vec<_> = with_offer.map(|row| (row.int(0), row.text(1), Shown::No)).collect();
            changed.freed += grants::settle(tx, &fates, now).await?;
        }
        let events: Value = rows.iter().map(|row| json!([row.int(0), row.text(1), row.int(2)])).collect();
        write_events(tx, step, by, &events, now).await?;
    }
}

fn move_statement(of: Of<'_>, step: Step, dialect: Dialect) -> String {
    let column = match of {
        Of::Run(_) => "run_id",
        Of::Rule(_) => "rule",
    };
    // What was held was held for a reason, which ends with the hold.
    let reason = if step.to == State::Planned { ", reason = null" } else { "" };
    // What finds the rows by the index of the open states, or by that of what is due.
    let found = match step.from {
        State::Planned => waiting(),
        from => format!("state = '{from}' and {OPEN}"),
    };
    // A row that a daemon has just locked is being claimed: it is on its way, and is not waited for.
    format!(
        "update touchpoints set state = '{to}'{reason}, version = version + 1, updated_at = $1 \
         from (select bucket as b, id as i from touchpoints where {column} = $2 and {found} \
         limit {CHUNK}{skip_locked}) chosen \
         where bucket = b and id = i and state = '{from}' returning bucket, id, version, offer",
        from = step.from,
        to = step.to,
        skip_locked = dialect.skip_locked(),
    )
}

/// Writes one event for each `[bucket, id, n]`.
async fn write_events(tx: &mut Tx, step: Step, by: &str, events: &Value, now: Timestamp) -> Result<()> {
    let columns = [("bucket", ColumnType::Int), ("id", ColumnType::Text), ("n", ColumnType::Int)];
    let rows = tx.dialect().rows("$1", &columns, "r");
    let sql = format!(
        "insert into touchpoint_events (bucket, touchpoint, n, at, kind, detail) \
         select r.bucket, r.id, r.n, $2, $3, $4 from {rows}"
    );
    let detail = json!({ "from": step.from.as_str(), "by": by }).to_string();
    tx.execute(Sql::new(sql).with(events.to_string()).with(now).with(step.to.as_str()).with(detail)).await?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::migrate::migrate;

    #[tokio::test]
    async fn what_waits_is_found_by_an_index_however_long_the_log_is() {
        let folder = tempfile::tempdir().expect("a folder");
        let db = Db::open("sqlite://test.db", folder.path()).await.expect("a database");
        migrate(&db).await.expect("a schema");
        for (of, from, to, index) in [
            (Of::Rule("note"), State::Planned, State::Cancelled, "touchpoints_due (channel=? AND purpose=?)"),
            (Of::Rule("note"), State::Held, State::Cancelled, "touchpoints_open (state=?)"),
            (Of::Run("run"), State::Held, State::Planned, "touchpoints_open (state=?)"),
        ] {
            let statement = move_statement(of, Step::new(from, to), db.dialect());
            let plan = db.fetch(Sql::new(format!("explain query plan {statement}"))).await.expect("a plan");
            let steps: Vec<&str> = plan.iter().map(|row| row.text(3)).collect();
            assert!(steps.iter().any(|step| step.contains(index)), "{statement}: {steps:?}");
            assert!(!steps.iter().any(|step| step.starts_with("SCAN touchpoints")), "{statement}: {steps:?}");
        }
    }
}
