//! Which turns of rules with a pace are taken: one row per rule and period of an hour or more.

use super::db::{Result, Row, Tx};
use crate::sql::{ColumnType, Sql};
use crate::time::Span;
use std::collections::BTreeMap;

/// The row that whoever takes turns of a rule locks.
const LOCK: i64 = -1;
/// How long periods that are over are kept: longer than any clock is wrong.
const KEPT: Span = Span::from_days(2);

/// Holds the turns of `rule` until the transaction ends.
///
/// # Errors
/// When the database refuses.
pub async fn lock(tx: &mut Tx, rule: &str) -> Result<()> {
    let sql = "insert into rule_turns (rule, starts_at, gone) values ($1, $2, 0) \
               on conflict (rule, starts_at) do update set gone = 0";
    tx.execute(Sql::new(sql).with(rule).with(LOCK)).await.map(|_| ())
}

/// The question how many turns are gone of the periods that start at `start` (microseconds) or later.
pub fn since(rule: &str, start: i64) -> Sql {
    Sql::new("select starts_at, gone from rule_turns where rule = $1 and starts_at >= $2").with(rule).with(start)
}

/// The answer to [`since`].
pub fn gone(rows: Vec<Row>) -> BTreeMap<i64, i64> {
    rows.iter().map(|row| (row.int(0), row.int(1))).collect()
}

/// Writes down what was taken, and forgets what is long over.
///
/// # Errors
/// When the database refuses.
pub async fn take(tx: &mut Tx, rule: &str, gone: &BTreeMap<i64, i64>) -> Result<()> {
    let Some(first) = gone.keys().next() else { return Ok(()) };
    let forget = "delete from rule_turns where rule = $1 and starts_at > $2 and starts_at < $3";
    tx.execute(Sql::new(forget).with(rule).with(LOCK).with(first - KEPT.micros())).await?;
    let columns = [("starts_at", ColumnType::Int), ("gone", ColumnType::Int)];
    let rows = serde_json::to_string(&gone.iter().collect::<Vec<_>>()).expect("integers serialise");
    let mut sql = Sql::new("insert into rule_turns (rule, starts_at, gone) select ");
    sql.bind(rule).push(", r.starts_at, r.gone from ");
    let place = sql.reserve(rows);
    sql.push(&tx.dialect().rows(&place, &columns, "r"));
    sql.push(" where true on conflict (rule, starts_at) do update set gone = excluded.gone");
    tx.execute(sql).await.map(|_| ())
}
