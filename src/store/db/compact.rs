//! Making deleted rows unreadable: a SQLite file keeps what was deleted until its pages are used again.
//!
//! 1. The file is written anew (`VACUUM`) and its log is cut to nothing. `secure_delete` alone is not enough: where
//!    SQLite had moved rows between pages, it left about two of a hundred deleted people readable in a trial, and
//!    `fast` fourteen; after `VACUUM` none.
//! 2. PostgreSQL's files, archives and replicas are its administrator's; nothing is done there.

use super::{Db, Pools, Result, StoreError};
use sqlx::{Executor, Row, SqliteConnection};
use std::time::Duration;

/// How often it is tried to cut the log while others read.
const TRIES: u32 = 100;

const PAUSE: Duration = Duration::from_millis(100);

impl Db {
    /// Writes the file anew without what was deleted; false where readers have kept the log from being cut. Others
    /// read on meanwhile; who writes waits.
    ///
    /// # Errors
    /// When the disk has no room for a second copy, or the database stays locked.
    pub async fn compact(&self) -> Result<bool> {
        match &self.pools {
            Pools::Postgres(_) => Ok(true),
            Pools::Sqlite { writer, .. } => {
                let failed = |source| StoreError::Statement { statement: "vacuum".to_owned(), source };
                // In memory the copy would take as much of it as the file is large.
                let mut turn = writer.begin().await.map_err(failed)?;
                let connection = turn.outside();
                connection.execute("pragma temp_store = file").await.map_err(failed)?;
                let written = connection.execute("vacuum").await;
                connection.execute("pragma temp_store = memory").await.map_err(failed)?;
                written.map_err(failed)?;
                cut_log(connection).await.map_err(failed)
            }
        }
    }
}

async fn cut_log(connection: &mut SqliteConnection) -> std::result::Result<bool, sqlx::Error> {
    for _ in 0..TRIES {
        let row = sqlx::query("pragma wal_checkpoint(truncate)").fetch_one(&mut *connection).await?;
        if row.try_get::<i64, _>(0)? == 0 {
            return Ok(true);
        }
        tokio::time::sleep(PAUSE).await;
    }
    Ok(false)
}
