//! The table of pauses.

use super::db::{Db, Result, StoreError};
use crate::courtesy::pauses::{Pause, Pauses, Scope};
use crate::sql::Sql;
use crate::time::Timestamp;

/// Every pause there is, ended ones too, in one statement.
pub async fn load(db: &Db) -> Result<Pauses> {
    let rows = db.fetch(Sql::new("select scope, paused_at, paused_until, reason from pauses")).await?;
    rows.iter()
        .map(|row| {
            Ok(Pause {
                scope: row.text(0).parse().map_err(StoreError::Column)?,
                paused_at: Timestamp::from_micros(row.int(1)),
                paused_until: row.opt_int(2).map(Timestamp::from_micros),
                reason: row.opt_text(3).map(str::to_owned),
            })
        })
        .collect()
}

/// Pauses `scope`; a pause that it has already is replaced, and keeps the time it began while it still holds. A rule
/// that paused itself stays so: only [`resume`] ends that.
pub async fn pause(db: &Db, scope: &Scope, until: Option<Timestamp>, now: Timestamp) -> Result<()> {
    let sql = Sql::new(
        "insert into pauses (scope, paused_at, paused_until) values ($1, $2, $3) \
         on conflict (scope) do update set \
         paused_until = case when pauses.reason is null then excluded.paused_until else pauses.paused_until end, \
         paused_at = case when pauses.paused_until <= excluded.paused_at then excluded.paused_at \
         else pauses.paused_at end",
    );
    let mut tx = db.begin().await?;
    super::stops::raise(&mut tx).await?;
    tx.execute(sql.with(scope.to_string()).with(now).with(until)).await?;
    tx.commit().await
}

/// Writes that a rule has paused itself, and why; says whether that is new.
pub async fn pause_itself(db: &Db, rule: &str, reason: &str, now: Timestamp) -> Result<bool> {
    let sql = "insert into pauses (scope, paused_at, paused_until, reason) values ($1, $2, null, $3) \
               on conflict (scope) do update set paused_until = null, reason = excluded.reason, \
               paused_at = excluded.paused_at where pauses.reason is null";
    let sql = Sql::new(sql).with(Scope::Rule(rule.to_owned()).to_string()).with(now).with(reason);
    let mut tx = db.begin().await?;
    super::stops::raise(&mut tx).await?;
    let is_new = tx.execute(sql).await? > 0;
    // What was so already is no stop: dropped, the transaction never was.
    if is_new {
        tx.commit().await?;
    }
    Ok(is_new)
}

/// Takes the pause of `scope` back; says whether there was one that still held. How a rule's messages were received is
/// counted anew from now on.
pub async fn resume(db: &Db, scope: &Scope, now: Timestamp) -> Result<bool> {
    let mut tx = db.begin().await?;
    let held = "select 1 from pauses where scope = $1 and (paused_until is null or paused_until > $2)";
    let held = tx.fetch_one(Sql::new(held).with(scope.to_string()).with(now)).await?.is_some();
    tx.execute(Sql::new("delete from pauses where scope = $1").with(scope.to_string())).await?;
    if let Scope::Rule(rule) = scope {
        let anew = "update rule_states set counted_from = $1 where rule = $2";
        tx.execute(Sql::new(anew).with(now).with(rule)).await?;
    }
    tx.commit().await?;
    Ok(held)
}
