//! The statements of an erasure: what is on its way is looked at, what is planned is stopped, and rows go.
//!
//! 1. A transaction that stops a person's messages holds the lease row of their bucket: nothing of theirs is planned,
//!    claimed, marked or settled meanwhile.
//! 2. A chunk of touchpoints goes with all that hangs on it, in one transaction: after a crash the rest is found again.
//!    It first holds the addresses' places of their rules, in the order of their names, so that no plan and it wait for
//!    each other.

use super::address_places;
use super::db::{Db, Result, Tx};
use super::person::{By, DataTable, TABLES};
use crate::catalogue::quoted;
use crate::ids::bucket_of;
use crate::sql::{ColumnType, Dialect, Sql};
use crate::time::Timestamp;
use crate::touchpoints::State;

/// Rows that go in one transaction.
pub const CHUNK: i64 = 500;

/// A person among the others of their bucket.
#[derive(Clone, Copy, Debug)]
pub struct Person<'a> {
    pub bucket: i64,
    pub customer: &'a str,
}

/// A message that nobody can take back now.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct OnItsWay {
    pub id: String,
    pub rule: String,
    pub state: State,
}

/// Keeps daemons from working on the person's bucket until the transaction ends.
pub async fn lock(tx: &mut Tx, person: Person<'_>) -> Result<()> {
    let lock = match tx.dialect() {
        Dialect::Sqlite => return Ok(()),
        Dialect::Postgres => "select bucket from leases where bucket = $1 for update",
    };
    tx.fetch(Sql::new(lock).with(person.bucket)).await.map(drop)
}

/// The person's messages that a daemon has in hand, or that nobody knows the fate of.
pub async fn on_their_way(tx: &mut Tx, person: Person<'_>) -> Result<Vec<OnItsWay>> {
    let sql = "select id, rule, state from touchpoints where bucket = $1 and customer = $2 \
               and state in ('claimed', 'dispatching', 'in_doubt') order by id";
    let rows = tx.fetch(Sql::new(sql).with(person.bucket).with(person.customer)).await?;
    let read = |row: &super::db::Row| OnItsWay {
        id: row.text(0).to_owned(),
        rule: row.text(1).to_owned(),
        state: row.text(2).parse().expect("the table holds states of ours"),
    };
    Ok(rows.iter().map(read).collect())
}

/// Cancels what is planned for the person, and frees the offers of it.
pub async fn stop(tx: &mut Tx, person: Person<'_>, now: Timestamp) -> Result<()> {
    let free = "update offer_grants set state = 'freed', settled_at = $3 \
                where bucket = $1 and customer = $2 and state = 'reserved'";
    tx.execute(Sql::new(free).with(person.bucket).with(person.customer).with(now)).await?;
    let cancel = "update touchpoints set state = 'cancelled', version = version + 1, updated_at = $3 \
                  where bucket = $1 and customer = $2 and state in ('planned', 'held')";
    tx.execute(Sql::new(cancel).with(person.bucket).with(person.customer).with(now)).await.map(drop)
}

/// Every address that a message to the person went to, or was to go to.
pub async fn addresses(db: &Db, person: Person<'_>) -> Result<Vec<String>> {
    let sql = "select distinct address from touchpoints where bucket = $1 and customer = $2 and test = 0 \
               and address is not null order by address";
    let rows = db.fetch(Sql::new(sql).with(person.bucket).with(person.customer)).await?;
    Ok(rows.iter().map(|row| row.text(0).to_owned()).collect())
}

/// Some of the person's touchpoints, at most [`CHUNK`].
pub async fn touchpoints(db: &Db, person: Person<'_>) -> Result<Vec<String>> {
    let sql = "select id from touchpoints where bucket = $1 and customer = $2 limit $3";
    let rows = db.fetch(Sql::new(sql).with(person.bucket).with(person.customer).with(CHUNK)).await?;
    Ok(rows.iter().map(|row| row.text(0).to_owned()).collect())
}

/// Deletes these touchpoints with all that hangs on them; gives how many rows of each table.
pub async fn remove_touchpoints(tx: &mut Tx, person: Person<'_>, ids: &[String]) -> Result<Vec<(&'static str, u64)>> {
    let rows: Vec<[&str; 1]> = ids.iter().map(|id| [id.as_str()]).collect();
    let json = serde_json::to_string(&rows).expect("text is JSON");
    let item = tx.dialect().rows("$2", &[("id", ColumnType::Text)], "r");
    let rules = format!(
        "select distinct rule from touchpoints where bucket = $1 and id in (select r.id from {item}) order by rule"
    );
    for row in tx.fetch(Sql::new(rules).with(person.bucket).with(&json)).await? {
        address_places::lock(tx, row.text(0)).await?;
    }
    let mut removed = Vec::new();
    let hanging = TABLES.iter().filter(|table| table.by == By::Touchpoint).map(|table| (table.name, "touchpoint"));
    for (table, column) in hanging.chain([("touchpoints", "id")]) {
        let sql = format!("delete from {table} where bucket = $1 and {column} in (select r.id from {item})");
        removed.push((table, tx.execute(Sql::new(sql).with(person.bucket).with(&json)).await?));
    }
    let item = tx.dialect().rows("$1", &[("id", ColumnType::Text)], "r");
    for table in TABLES.iter().filter(|table| table.by == By::Notice) {
        let sql = format!("delete from {} where touchpoint in (select r.id from {item})", table.name);
        removed.push((table.name, tx.execute(Sql::new(sql).with(&json)).await?));
    }
    Ok(removed)
}

/// Deletes the person's rows of one of [`TABLES`] that names customers.
pub async fn remove_rows(tx: &mut Tx, person: Person<'_>, table: &str) -> Result<u64> {
    let sql = format!("delete from {table} where bucket = $1 and customer = $2");
    tx.execute(Sql::new(sql).with(person.bucket).with(person.customer)).await
}

/// Deletes what was written back from an address while nobody was known by it.
pub async fn remove_nameless_replies(tx: &mut Tx, address_hash: &str) -> Result<u64> {
    let sql = "delete from replies where bucket = $1 and customer is null and address_hash = $2";
    tx.execute(Sql::new(sql).with(bucket_of(address_hash)).with(address_hash)).await
}

/// The keys of some of the person's rows of customer data, at most [`CHUNK`].
pub async fn data_keys(tx: &mut Tx, person: Person<'_>, table: &DataTable) -> Result<Vec<String>> {
    let sql = format!(
        "select {} from {} where \"_bucket\" = $1 and \"_customer\" = $2 limit $3",
        quoted(&table.key),
        table.name()
    );
    let rows = tx.fetch(Sql::new(sql).with(person.bucket).with(person.customer).with(CHUNK)).await?;
    Ok(rows.iter().map(|row| row.text(0).to_owned()).collect())
}

/// Deletes rows of customer data by their keys.
pub async fn remove_data(tx: &mut Tx, person: Person<'_>, table: &DataTable, keys: &[String]) -> Result<u64> {
    let rows: Vec<[&str; 1]> = keys.iter().map(|key| [key.as_str()]).collect();
    let item = tx.dialect().rows("$3", &[("k", ColumnType::Text)], "r");
    let sql = format!(
        "delete from {} where \"_bucket\" = $1 and \"_customer\" = $2 and {} in (select r.k from {item})",
        table.name(),
        quoted(&table.key)
    );
    let json = serde_json::to_string(&rows).expect("text is JSON");
    tx.execute(Sql::new(sql).with(person.bucket).with(person.customer).with(json)).await
}

/// Deletes what names the person outside the tables with buckets: their pause, their bucket's entry, and the samples
/// that `analyze` took of columns. Gives how many pauses there were.
pub async fn remove_traces(tx: &mut Tx, person: Person<'_>) -> Result<u64> {
    let pause = Sql::new("delete from pauses where scope = $1").with(format!("customer:{}", person.customer));
    let pauses = tx.execute(pause).await?;
    if tx.dialect() == Dialect::Sqlite {
        let there = "select name from sqlite_schema where name in ('customer_buckets', 'sqlite_stat4')";
        for row in tx.fetch(Sql::new(there)).await? {
            let sql = match row.text(0) {
                "sqlite_stat4" => Sql::new("delete from sqlite_stat4"),
                _ => Sql::new("delete from customer_buckets where customer = $1").with(person.customer),
            };
            tx.execute(sql).await?;
        }
    }
    Ok(pauses)
}
