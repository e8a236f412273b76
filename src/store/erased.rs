//! People who were erased, as keyed hashes: what imports leave out. How they are hashed is for `data::erased`.

use super::db::{Db, Result, Tx};
use crate::sql::{ColumnType, Sql};
use crate::time::Timestamp;

/// How many hashes there are.
pub async fn count(tx: &mut Tx) -> Result<i64> {
    Ok(tx.fetch_one(Sql::new("select count(*) from erased")).await?.map_or(0, |row| row.int(0)))
}

/// Every hash.
pub async fn all(tx: &mut Tx) -> Result<Vec<String>> {
    let rows = tx.fetch(Sql::new("select distinct hash from erased")).await?;
    Ok(rows.iter().map(|row| row.text(0).to_owned()).collect())
}

/// Adds hashes of a person; those that are there stay.
pub async fn add(tx: &mut Tx, pairs: &[(String, String)], now: Timestamp) -> Result<u64> {
    if pairs.is_empty() {
        return Ok(0);
    }
    let item = tx.dialect().rows("$1", &[("person", ColumnType::Text), ("hash", ColumnType::Text)], "r");
    let sql = format!(
        "insert into erased (person, hash, at) select person, hash, $2 from {item} where true on conflict do nothing"
    );
    let json = serde_json::to_string(pairs).expect("text is JSON");
    tx.execute(Sql::new(sql).with(json).with(now)).await
}

/// For each of these hashes that is of an erased person: the hash and the person.
pub async fn people(tx: &mut Tx, hashes: &[String]) -> Result<Vec<(String, String)>> {
    let rows: Vec<[&str; 1]> = hashes.iter().map(|hash| [hash.as_str()]).collect();
    let item = tx.dialect().rows("$1", &[("h", ColumnType::Text)], "r");
    let sql = format!("select e.hash, e.person from {item} cross join erased e where e.hash = r.h");
    let json = serde_json::to_string(&rows).expect("text is JSON");
    let rows = tx.fetch(Sql::new(sql).with(json)).await?;
    Ok(rows.iter().map(|row| (row.text(0).to_owned(), row.text(1).to_owned())).collect())
}

/// Whether this hash is of an erased person.
pub async fn knows(db: &Db, hash: &str) -> Result<bool> {
    Ok(db.fetch_one(Sql::new("select 1 from erased where hash = $1 limit 1").with(hash)).await?.is_some())
}

/// Lets a person's rows come again: their hashes go, what stops their addresses is narrowed to what needs a yes, and
/// every source counts as unread. Gives how many addresses are still stopped for promotional messages.
pub async fn forget(tx: &mut Tx, person: &str, reason: &str) -> Result<u64> {
    let again = "delete from suppressions where scope = 'promotional' and reason = $2 \
                 and address_hash in (select hash from erased where person = $1)";
    tx.execute(Sql::new(again).with(person).with(reason)).await?;
    let narrow = "update suppressions set scope = 'promotional' where scope = 'all' and reason = $2 \
                  and address_hash in (select hash from erased where person = $1)";
    let narrowed = tx.execute(Sql::new(narrow).with(person).with(reason)).await?;
    tx.execute(Sql::new("delete from erased where person = $1").with(person)).await?;
    tx.execute(Sql::new("update sources set fingerprint = '', mark = null")).await?;
    Ok(narrowed)
}
