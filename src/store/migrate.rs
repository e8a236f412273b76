//! The schema and its versions. Migrations only add; a database newer than the program is refused.

use super::db::{Db, Result, StoreError};
use crate::sql::Sql;

/// Every migration in order; its number is its place, from 1.
const MIGRATIONS: &[&str] = &[
    include_str!("../../migrations/0001_core.sql"),
    include_str!("../../migrations/0002_courtesy.sql"),
    include_str!("../../migrations/0003_hours.sql"),
    include_str!("../../migrations/0004_rule_texts.sql"),
    include_str!("../../migrations/0005_events.sql"),
    include_str!("../../migrations/0006_room.sql"),
    include_str!("../../migrations/0007_rows_left_out.sql"),
];

/// Brings the schema up to date, each step in a transaction of its own.
///
/// # Errors
/// When the database refuses, or when it was written by a newer plusone.
pub async fn migrate(db: &Db) -> Result<()> {
    loop {
        let mut tx = db.begin().await?;
        tx.script("create table if not exists schema_version (version bigint not null)").await?;
        let row = tx.fetch_one(Sql::new("select coalesce(max(version), 0) from schema_version")).await?;
        let version = usize::try_from(row.map_or(0, |row| row.int(0))).unwrap_or(usize::MAX);
        if version > MIGRATIONS.len() {
            return Err(StoreError::Schema(format!(
                "the database has schema {version}, this plusone knows {}: use the newer program, or restore a backup",
                MIGRATIONS.len()
            )));
        }
        let Some(script) = MIGRATIONS.get(version) else { return tx.commit().await };
        tx.script(script).await?;
        let next = i64::try_from(version + 1).expect("few migrations");
        tx.execute(Sql::new("insert into schema_version (version) values ($1)").with(next)).await?;
        tx.commit().await?;
    }
}

/// Whether the schema is exactly the one that this program knows.
///
/// # Errors
/// When the database does not answer, or was never migrated.
pub async fn is_current(db: &Db) -> Result<bool> {
    let row = db.fetch_one(Sql::new("select coalesce(max(version), 0) from schema_version")).await?;
    Ok(row.is_some_and(|row| usize::try_from(row.int(0)) == Ok(MIGRATIONS.len())))
}
