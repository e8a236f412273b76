//! A database to try things in: plusone's own tables on SQLite, empty, in a folder that goes away with it.
//!
//! What is judged in it (the tests of a rule, a simulated month) is judged by the same statements as ever; it never
//! touches the database of the business, and works the same where that is PostgreSQL.

use super::db::{Db, Result, StoreError};
use super::migrate::migrate;
use tempfile::TempDir;

/// A scratch database. Close it when done: its folder goes when it is dropped.
#[derive(Debug)]
pub struct Scratch {
    pub db: Db,
    _folder: TempDir,
}

impl Scratch {
    /// Opens an empty one in the system's folder for temporary files.
    ///
    /// # Errors
    /// When there is no place for it.
    pub async fn open() -> Result<Self> {
        let failed = |error| StoreError::Open { url: "a scratch database".to_owned(), source: sqlx::Error::Io(error) };
        let folder = tempfile::Builder::new().prefix("plusone-").tempdir().map_err(failed)?;
        let db = Db::open_scratch(&folder.path().join("scratch.db")).await?;
        migrate(&db).await?;
        Ok(Self { db, _folder: folder })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sql::Sql;

    #[tokio::test]
    async fn a_scratch_database_has_the_tables_and_leaves_no_file() {
        let scratch = Scratch::open().await.unwrap();
        let rows = scratch.db.fetch(Sql::new("select count(*) from touchpoints")).await.unwrap();
        assert_eq!(rows[0].int(0), 0);
        let folder = scratch._folder.path().to_owned();
        scratch.db.close().await;
        drop(scratch);
        assert!(!folder.exists());
    }
}
