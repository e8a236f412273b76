//! Addresses that are never written to: kept as keyed hashes, shown masked.
//!
//! Which address, in which form, and how it is hashed is for `data::suppress`.

use super::db::{Db, Result, Row, Tx};
use crate::sql::{ColumnType, Sql};
use crate::time::Timestamp;
use futures_util::stream::{BoxStream, StreamExt};

/// One suppression.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Suppression {
    pub address_hash: String,
    /// See [`crate::contact::is_covered`].
    pub scope: String,
    /// The address, masked.
    pub shown: String,
    pub reason: String,
    pub at: Timestamp,
}

const KEY: &str = "suppression_key";

/// The key under which addresses are hashed, in hexadecimal; `made` becomes it where there is none yet.
pub async fn key(db: &Db, made: impl FnOnce() -> String) -> Result<String> {
    if let Some(row) = db.fetch_one(Sql::new("select value from meta where name = $1").with(KEY)).await? {
        return Ok(row.text(0).to_owned());
    }
    let mut tx = db.begin().await?;
    let insert = "insert into meta (name, value) values ($1, $2) on conflict do nothing";
    tx.execute(Sql::new(insert).with(KEY).with(made())).await?;
    // Whoever was first has set it.
    let row = tx.fetch_one(Sql::new("select value from meta where name = $1").with(KEY)).await?;
    tx.commit().await?;
    Ok(row.expect("it has just been set").text(0).to_owned())
}

/// Adds suppressions; one that is there already stays as it is. Gives how many were new.
pub async fn add(tx: &mut Tx, suppressions: &[Suppression]) -> Result<u64> {
    let columns = [
        ("address_hash", ColumnType::Text),
        ("scope", ColumnType::Text),
        ("shown", ColumnType::Text),
        ("reason", ColumnType::Text),
        ("at", ColumnType::Int),
    ];
    let rows: Vec<(&str, &str, &str, &str, i64)> =
        suppressions.iter().map(|s| (&*s.address_hash, &*s.scope, &*s.shown, &*s.reason, s.at.micros())).collect();
    let json = serde_json::to_string(&rows).expect("text and integers are JSON");
    let item = tx.dialect().rows("$1", &columns, "r");
    let text = format!(
        "insert into suppressions (address_hash, scope, shown, reason, at) \
         select address_hash, scope, shown, reason, at from {item} where true on conflict do nothing"
    );
    tx.execute(Sql::new(text).with(json)).await
}

/// Takes suppressions of an address away: those of one scope, or all. Gives how many there were.
pub async fn remove(db: &Db, address_hash: &str, scope: Option<&str>) -> Result<u64> {
    let text = "delete from suppressions where address_hash = $1 and scope = coalesce($2, scope)";
    db.execute(Sql::new(text).with(address_hash).with(scope)).await
}

/// As [`remove`] of every scope, in a transaction.
pub async fn remove_in(tx: &mut Tx, address_hash: &str) -> Result<u64> {
    tx.execute(Sql::new("delete from suppressions where address_hash = $1").with(address_hash)).await
}

/// Whether anything is suppressed at all: where nothing is, no address need be hashed.
pub async fn is_any(db: &Db) -> Result<bool> {
    Ok(db.fetch_one(Sql::new("select 1 from suppressions limit 1")).await?.is_some())
}

/// The suppressions of a batch of addresses, by hash, in one statement.
pub async fn lookup(db: &Db, hashes: &[String]) -> Result<Vec<Suppression>> {
    let rows: Vec<[&str; 1]> = hashes.iter().map(|hash| [hash.as_str()]).collect();
    let item = db.dialect().rows("$1", &[("h", ColumnType::Text)], "r");
    let text = format!("select {COLUMNS} from {item} cross join suppressions as s where s.address_hash = r.h");
    let json = serde_json::to_string(&rows).expect("text is JSON");
    Ok(db.fetch(Sql::new(text).with(json)).await?.iter().map(read).collect())
}

/// Every suppression, newest first.
pub fn list(db: &Db) -> BoxStream<'static, Result<Suppression>> {
    let rows = db.stream(Sql::new(format!("select {COLUMNS} from suppressions as s order by s.at desc, s.shown")));
    rows.map(|row| row.map(|row| read(&row))).boxed()
}

const COLUMNS: &str = "s.address_hash, s.scope, s.shown, s.reason, s.at";

fn read(row: &Row) -> Suppression {
    Suppression {
        address_hash: row.text(0).to_owned(),
        scope: row.text(1).to_owned(),
        shown: row.text(2).to_owned(),
        reason: row.text(3).to_owned(),
        at: Timestamp::from_micros(row.int(4)),
    }
}
