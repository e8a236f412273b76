//! Reading statements that sort or group much. SQLite sorts such rows in memory where it is told to keep temporary
//! data there, as it is for everything else; here it is told to use files, so that memory does not grow with the log.

use super::{Db, Pools, Result, Row, StoreError, read, sqlite_arguments};
use crate::sql::Sql;
use sqlx::{AssertSqlSafe, Executor};

impl Db {
    /// All rows of a reading statement, as [`Db::fetch`].
    ///
    /// # Errors
    /// When the database refuses.
    pub async fn fetch_sorting(&self, sql: Sql) -> Result<Vec<Row>> {
        let Pools::Sqlite { readers, .. } = &self.pools else { return self.fetch(sql).await };
        let Sql { text, binds } = sql;
        let failed = |source| StoreError::Statement { statement: text.clone(), source };
        let mut connection = readers.acquire().await.map_err(failed)?;
        connection.execute("pragma temp_store = file").await.map_err(failed)?;
        let statement = sqlx::query_with(AssertSqlSafe(text.clone()), sqlite_arguments(binds));
        let rows = statement.fetch_all(&mut *connection).await;
        connection.execute("pragma temp_store = memory").await.map_err(failed)?;
        rows.map_err(failed)?.iter().map(read).collect()
    }
}
