//! A database as it stands at one moment: whatever others write meanwhile, every statement sees the same rows.
//!
//! Reads only. On SQLite a connection of the readers' pool holds it, so that nobody who writes waits.

use super::{Db, Pools, Result, Row, StoreError, postgres_arguments, read, refused, sqlite_arguments};
use crate::sql::{Dialect, Sql};
use futures_util::TryStreamExt;
use futures_util::stream::{BoxStream, StreamExt};
use sqlx::AssertSqlSafe;

/// A reading transaction. It ends when it is dropped.
pub struct Snapshot(Reading);

enum Reading {
    Sqlite(sqlx::Transaction<'static, sqlx::Sqlite>),
    Postgres(sqlx::Transaction<'static, sqlx::Postgres>),
}

impl Db {
    /// Begins to read the database as it stands now.
    ///
    /// # Errors
    /// When the database refuses.
    pub async fn snapshot(&self) -> Result<Snapshot> {
        let failed = |source| StoreError::Statement { statement: "begin".to_owned(), source };
        match &self.pools {
            Pools::Sqlite { readers, .. } => Ok(Snapshot(Reading::Sqlite(readers.begin().await.map_err(failed)?))),
            Pools::Postgres(pool) => {
                let mut tx = pool.begin().await.map_err(failed)?;
                let whole = "set transaction isolation level repeatable read, read only";
                sqlx::raw_sql(whole).execute(&mut *tx).await.map_err(failed)?;
                Ok(Snapshot(Reading::Postgres(tx)))
            }
        }
    }
}

impl Snapshot {
    pub const fn dialect(&self) -> Dialect {
        match self.0 {
            Reading::Sqlite(_) => Dialect::Sqlite,
            Reading::Postgres(_) => Dialect::Postgres,
        }
    }

    /// The rows of a reading statement as they come.
    pub fn stream(&mut self, sql: Sql) -> BoxStream<'_, Result<Row>> {
        let Sql { text, binds } = sql;
        let shown = text.clone();
        let text = AssertSqlSafe(text);
        let failed = move |source| refused(&shown)(source);
        match &mut self.0 {
            Reading::Sqlite(tx) => {
                let rows = sqlx::query_with(text, sqlite_arguments(binds)).fetch(&mut **tx);
                rows.map(move |row| row.map_err(&failed).and_then(|row| read(&row))).boxed()
            }
            Reading::Postgres(tx) => {
                let rows = sqlx::query_with(text, postgres_arguments(binds)).fetch(&mut **tx);
                rows.map(move |row| row.map_err(&failed).and_then(|row| read(&row))).boxed()
            }
        }
    }

    /// All rows of a reading statement.
    ///
    /// # Errors
    /// When the database refuses.
    pub async fn fetch(&mut self, sql: Sql) -> Result<Vec<Row>> {
        self.stream(sql).try_collect().await
    }
}
