//! Which file each entity was last filled from.

use super::db::{Db, Result};
use crate::sql::Sql;
use crate::time::Timestamp;

/// The fingerprint of the file that `entity` was last filled from.
pub async fn fingerprint(db: &Db, entity: &str) -> Result<Option<String>> {
    let row = db.fetch_one(Sql::new("select fingerprint from sources where entity = $1").with(entity)).await?;
    Ok(row.map(|row| row.text(0).to_owned()))
}

/// Remembers a file that has been read to its end.
pub async fn remember(db: &Db, entity: &str, fingerprint: &str, rows_read: u64, now: Timestamp) -> Result<()> {
    let text = "insert into sources (entity, fingerprint, rows_read, synced_at) values ($1, $2, $3, $4) \
                on conflict (entity) do update set fingerprint = excluded.fingerprint, \
                rows_read = excluded.rows_read, synced_at = excluded.synced_at";
    let rows_read = i64::try_from(rows_read).unwrap_or(i64::MAX);
    db.execute(Sql::new(text).with(entity).with(fingerprint).with(rows_read).with(now)).await?;
    Ok(())
}
