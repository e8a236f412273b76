//! What is known of each rule over time: since when it is live, what it said last, whether its file is gone.

use super::db::{Db, Result, Row, Tx};
use super::settle::{self, Changed};
use crate::sql::Sql;
use crate::time::Timestamp;

#[derive(Clone, PartialEq, Eq, Debug)]
pub struct RuleState {
    pub rule: String,
    pub version: String,
    pub conditions_hash: String,
    pub template: String,
    pub live_since: Option<Timestamp>,
    pub vanished: bool,
    /// Why its runs wait for approval whatever their size.
    pub held_reason: Option<String>,
    /// The event that it waits for while it is live.
    pub on_event: Option<String>,
}

pub async fn all(db: &Db) -> Result<Vec<RuleState>> {
    let sql = "select rule, version, conditions_hash, template, live_since, vanished_at, held_reason, on_event \
               from rule_states";
    let read = |row: &Row| RuleState {
        rule: row.text(0).to_owned(),
        version: row.text(1).to_owned(),
        conditions_hash: row.text(2).to_owned(),
        template: row.text(3).to_owned(),
        live_since: row.opt_int(4).map(Timestamp::from_micros),
        vanished: row.opt_int(5).is_some(),
        held_reason: row.opt_text(6).map(str::to_owned),
        on_event: row.opt_text(7).map(str::to_owned),
    };
    Ok(db.fetch(Sql::new(sql)).await?.iter().map(read).collect())
}

pub async fn save(tx: &mut Tx, state: &RuleState) -> Result<()> {
    let sql = "insert into rule_states (rule, version, conditions_hash, template, live_since, vanished_at, held_reason, \
               on_event) values ($1, $2, $3, $4, $5, null, $6, $7) on conflict (rule) do update set version = $2, \
               conditions_hash = $3, template = $4, live_since = $5, vanished_at = null, held_reason = $6, \
               events_until = case when rule_states.on_event = $7 then rule_states.events_until end, on_event = $7";
    let sql = Sql::new(sql).with(&state.rule).with(&state.version).with(&state.conditions_hash).with(&state.template);
    tx.execute(sql.with(state.live_since).with(state.held_reason.clone()).with(state.on_event.clone()))
        .await
        .map(|_| ())
}

/// Lets a rule's runs go by their size alone again: somebody has approved one.
pub async fn clear_hold(tx: &mut Tx, rule: &str) -> Result<()> {
    tx.execute(Sql::new("update rule_states set held_reason = null where rule = $1").with(rule)).await.map(|_| ())
}

/// Gives the history of `was` to `rule`: one pass over what was sent, once in a rule's life. A pause comes along.
pub async fn rename(db: &Db, was: &str, rule: &str, now: Timestamp) -> Result<()> {
    let mut tx = db.begin().await?;
    forget_unsent(&mut tx, rule, now).await?;
    for table in ["rule_states", "runs", "touchpoints", "address_places"] {
        let sql = format!("update {table} set rule = $1 where rule = $2");
        tx.execute(Sql::new(sql).with(rule).with(was)).await?;
    }
    let pause = "update pauses set scope = 'rule:' || $1 where scope = 'rule:' || $2 \
                 and not exists (select 1 from pauses where scope = 'rule:' || $1)";
    tx.execute(Sql::new(pause).with(rule).with(was)).await?;
    tx.commit().await
}

/// Forgets a rule that was held since it first ran, and so has sent nothing: its place is taken by its predecessor.
async fn forget_unsent(tx: &mut Tx, rule: &str, now: Timestamp) -> Result<()> {
    let of_rule = "(bucket, touchpoint) in (select bucket, id from touchpoints where rule = $1)";
    let free =
        format!("update offer_grants set state = 'freed', settled_at = $2 where state = 'reserved' and {of_rule}");
    tx.execute(Sql::new(free).with(rule).with(now)).await?;
    for sql in [
        format!("delete from touchpoint_events where {of_rule}"),
        "delete from touchpoints where rule = $1".to_owned(),
        "delete from run_parts where run_id in (select id from runs where rule = $1)".to_owned(),
        "delete from runs where rule = $1".to_owned(),
        "delete from address_places where rule = $1".to_owned(),
        "delete from rule_states where rule = $1".to_owned(),
    ] {
        tx.execute(Sql::new(sql).with(rule)).await?;
    }
    Ok(())
}

/// Notes that a rule's file is gone and cancels what it had planned; gives how many messages that were.
pub async fn vanish(tx: &mut Tx, rule: &str, now: Timestamp) -> Result<u64> {
    let gone = "update rule_states set vanished_at = $1, on_event = null, events_until = null where rule = $2";
    tx.execute(Sql::new(gone).with(now).with(rule)).await?;
    cancel_planned(tx, rule, "the rule is gone", now).await
}

/// Cancels what a rule has planned, its open runs included, and frees the offers; gives how many messages that were.
async fn cancel_planned(tx: &mut Tx, rule: &str, why: &str, now: Timestamp) -> Result<u64> {
    let runs = "update runs set state = 'cancelled', reason = $1, released_at = $2 \
                where rule = $3 and state in ('planning', 'held')";
    tx.execute(Sql::new(runs).with(why).with(now).with(rule)).await?;
    let mut changed = Changed::default();
    settle::cancel_touchpoints(tx, rule, why, now, &mut changed).await?;
    Ok(changed.touchpoints)
}
