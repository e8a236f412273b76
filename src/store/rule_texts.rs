//! What each version of a rule said: a decision of the past is read with the rule it was made by.

use super::db::{Db, Result};
use crate::sql::{ColumnType, Sql};
use crate::time::Timestamp;

/// Keeps the texts of these versions; one that is kept stays as it is.
pub async fn keep(db: &Db, texts: &[(String, String)], now: Timestamp) -> Result<()> {
    let rows = serde_json::to_string(texts).expect("text serialises");
    let columns = [("version", ColumnType::Text), ("content", ColumnType::Text)];
    let item = db.dialect().rows("$1", &columns, "r");
    let fresh = format!(
        "select count(*) from {item} where not exists (select 1 from rule_texts k where k.version = r.version)"
    );
    if db.fetch_one(Sql::new(fresh).with(&rows)).await?.is_none_or(|row| row.int(0) == 0) {
        return Ok(());
    }
    let sql = format!(
        "insert into rule_texts (version, content, first_at) select r.version, r.content, $2 from {item} \
         where true on conflict do nothing"
    );
    db.execute(Sql::new(sql).with(rows).with(now)).await.map(|_| ())
}

/// What the rule of this version said.
pub async fn of_version(db: &Db, version: &str) -> Result<Option<String>> {
    let row = db.fetch_one(Sql::new("select content from rule_texts where version = $1").with(version)).await?;
    Ok(row.map(|row| row.text(0).to_owned()))
}
