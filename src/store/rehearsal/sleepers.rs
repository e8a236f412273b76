//! Refusals that stand, marked in a rehearsal's touchpoints: nobody judges them again before they may be other.

use crate::catalogue::{Catalogue, quoted};
use crate::sql::{ColumnType, Sql};
use crate::store::db::{Db, Result, Tx};
use crate::time::Timestamp;
use crate::touchpoints::Reason;
use serde_json::json;
use std::collections::HashSet;

/// The column, and how those who have it are found.
pub(super) const COLUMN: &str = "
    alter table touchpoints add column asleep_until bigint;
    create index rehearsal_asleep on touchpoints (bucket, customer, rule) where asleep_until is not null;
    create index rehearsal_moved on touchpoints (updated_at, bucket, customer) where channel is not null;
";

/// A refusal that stands up to and including an instant.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Sleeper {
    pub bucket: i64,
    /// Of its touchpoint.
    pub id: String,
    pub until: Timestamp,
}

/// The addresses that several customers have, in small letters.
///
/// # Errors
/// When the database refuses.
pub async fn shared_addresses(db: &Db, catalogue: &Catalogue) -> Result<HashSet<String>> {
    let mut shared = HashSet::new();
    for field in [&catalogue.roles.email, &catalogue.roles.phone].into_iter().flatten() {
        let (column, customers) = (quoted(field), catalogue.customer().table());
        let sql = format!("select lower({column}) from {customers} group by 1 having count({column}) > 1");
        shared.extend(db.fetch(Sql::new(sql)).await?.iter().map(|row| row.text(0).to_owned()));
    }
    Ok(shared)
}

/// Lets refusals sleep.
///
/// # Errors
/// When the database refuses.
pub async fn lay(tx: &mut Tx, sleepers: &[Sleeper]) -> Result<()> {
    if sleepers.is_empty() {
        return Ok(());
    }
    let rows = sleepers.iter().map(|one| json!([one.bucket, one.id, one.until.micros()]));
    let rows = serde_json::Value::from_iter(rows).to_string();
    let columns = [("bucket", ColumnType::Int), ("id", ColumnType::Text), ("until", ColumnType::Int)];
    let sql = format!(
        "update touchpoints set asleep_until = r.until from {} where touchpoints.bucket = r.bucket \
         and touchpoints.id = r.id and touchpoints.state = 'skipped'",
        tx.dialect().rows("$1", &columns, "r")
    );
    tx.execute(Sql::new(sql).with(rows)).await.map(|_| ())
}

/// Lets those who wait for the budget of `rule` sleep on: it is out until then.
///
/// # Errors
/// When the database refuses.
pub async fn lay_all_without_budget(tx: &mut Tx, rule: &str, until: Timestamp) -> Result<()> {
    let sql = "update touchpoints set asleep_until = $1 where asleep_until < $1 and rule = $2 and state = 'skipped' \
               and reason = $3";
    tx.execute(Sql::new(sql).with(until).with(rule).with(Reason::NoBudget.as_str())).await.map(|_| ())
}

/// Wakes the sleepers of customers of whom something was planned, or given up, at `since` or later. Gives the rule, the
/// bucket and the customer of each.
///
/// # Errors
/// When the database refuses.
pub async fn wake(db: &Db, since: Timestamp) -> Result<Vec<(String, i64, String)>> {
    let moved = "select bucket, customer from touchpoints where channel is not null and updated_at >= $1 \
                 and (state <> 'sent' or created_at >= $1)";
    woken(db, Sql::new(format!("asleep_until is not null and (bucket, customer) in ({moved})")).with(since)).await
}

/// Wakes all who wait for budget: some has come back.
///
/// # Errors
/// When the database refuses.
pub async fn wake_for_budget(db: &Db) -> Result<Vec<(String, i64, String)>> {
    woken(db, Sql::new("asleep_until is not null and reason = $1").with(Reason::NoBudget.as_str())).await
}

async fn woken(db: &Db, those: Sql) -> Result<Vec<(String, i64, String)>> {
    let Sql { text, binds } = those;
    let text = format!("update touchpoints set asleep_until = null where {text} returning rule, bucket, customer");
    let mut tx = db.begin().await?;
    let rows = tx.fetch(Sql { text, binds }).await?;
    tx.commit().await?;
    Ok(rows.iter().map(|row| (row.text(0).to_owned(), row.int(1), row.text(2).to_owned())).collect())
}
