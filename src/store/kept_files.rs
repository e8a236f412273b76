//! The last good text of each rule, offer and template: what stays in force when a file is broken, after a restart too.

use super::db::{Db, Result};
use crate::ids::content_hash;
use crate::sql::{ColumnType, Sql};
use crate::time::Timestamp;
use std::collections::BTreeMap;

/// Texts by path.
pub async fn all(db: &Db) -> Result<BTreeMap<String, String>> {
    let rows = db.fetch(Sql::new("select path, content from kept_files")).await?;
    Ok(rows.iter().map(|row| (row.text(0).to_owned(), row.text(1).to_owned())).collect())
}

/// When each was kept first: since when it has been in force.
pub async fn since(db: &Db) -> Result<BTreeMap<String, Timestamp>> {
    let rows = db.fetch(Sql::new("select path, kept_at from kept_files")).await?;
    Ok(rows.iter().map(|row| (row.text(0).to_owned(), Timestamp::from_micros(row.int(1)))).collect())
}

/// Keeps these texts and forgets every path that is not among `known`.
pub async fn keep(db: &Db, good: &BTreeMap<String, String>, known: &[String], now: Timestamp) -> Result<()> {
    const TEXT: ColumnType = ColumnType::Text;
    let rows: Vec<_> = good.iter().map(|(path, text)| (path, content_hash(&[text]), text)).collect();
    let rows = serde_json::to_string(&rows).expect("text serialises");
    let known: Vec<[&String; 1]> = known.iter().map(|path| [path]).collect();
    let known = serde_json::to_string(&known).expect("text serialises");
    let dialect = db.dialect();
    let mut tx = db.begin().await?;
    let item = dialect.rows("$1", &[("path", TEXT), ("hash", TEXT), ("content", TEXT)], "r");
    let save = format!(
        "insert into kept_files (path, hash, content, kept_at) select r.path, r.hash, r.content, $2 from {item} \
         where true on conflict (path) do update set hash = excluded.hash, content = excluded.content, \
         kept_at = excluded.kept_at where kept_files.hash <> excluded.hash"
    );
    tx.execute(Sql::new(save).with(rows).with(now)).await?;
    let item = dialect.rows("$1", &[("path", TEXT)], "r");
    let forget = format!("delete from kept_files where path not in (select r.path from {item})");
    tx.execute(Sql::new(forget).with(known)).await?;
    tx.commit().await
}
