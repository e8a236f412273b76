//! One database, SQLite or PostgreSQL, behind one small face: run a statement, fetch rows, stream rows, transact.
//!
//! 1. The two databases share their SQL text ([`Sql`]); what differs is in [`Dialect`].
//! 2. SQLite has one writer connection; every write transaction begins `IMMEDIATE`. Readers have their own pool.
//! 3. A column is text, a 64-bit integer or NULL, on both.

mod compact;

use super::writer::{WriteTx, Writer};
use crate::sql::{Bind, Dialect, Sql};
use futures_util::TryStreamExt;
use futures_util::stream::{BoxStream, StreamExt};
use sqlx::postgres::{PgArguments, PgConnectOptions, PgConnection, PgPool, PgPoolOptions};
use sqlx::sqlite::{SqliteArguments, SqliteConnectOptions, SqliteJournalMode, SqlitePool, SqlitePoolOptions};
use sqlx::{Arguments, AssertSqlSafe, Connection, Decode, Type, TypeInfo, ValueRef};
use std::path::Path;
use std::str::FromStr;
use std::time::Duration;

/// What the database could not do.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    #[error("cannot open the database {url}: {}; {}", words(.source), cure(.source))]
    Open { url: String, source: sqlx::Error },
    #[error("the database refused a statement: {}", words(.source))]
    Statement { statement: String, source: sqlx::Error },
    #[error("the database gave a column that plusone cannot read: {0}")]
    Column(String),
    #[error("this SQLite is {found}; plusone needs 3.51.3 or newer, which does not corrupt its log")]
    OldSqlite { found: String },
    /// Another process works on this SQLite database.
    #[error("another plusone works on this database already: {0}; stop it first, or use commands that work beside it")]
    Locked(String),
    #[error("{0}")]
    Schema(String),
    /// What was to be written was not.
    #[error("another daemon has taken over the buckets of this one, which writes nothing more")]
    LostLease,
}

pub type Result<T> = std::result::Result<T, StoreError>;

#[derive(Clone, Debug)]
enum Pools {
    Sqlite { writer: Writer, readers: SqlitePool },
    Postgres(PgPool),
}

/// An open database.
#[derive(Clone, Debug)]
pub struct Db {
    pools: Pools,
}

/// A row: its columns in order.
#[derive(Clone, PartialEq, Eq, Debug, serde::Deserialize)]
pub struct Row(Vec<Cell>);

/// One column of one row.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Cell {
    Null,
    Int(i64),
    Text(String),
}

impl Row {
    pub fn cell(&self, index: usize) -> &Cell {
        &self.0[index]
    }

    pub fn len(&self) -> usize {
        self.0.len()
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The rows that [`Sql::as_one`] put into this one.
    ///
    /// # Errors
    /// [`StoreError::Column`] where a value is neither text nor an integer.
    pub fn unpacked(&self) -> Result<Vec<Self>> {
        serde_json::from_str(self.text(0)).map_err(|error| StoreError::Column(error.to_string()))
    }

    pub fn opt_int(&self, index: usize) -> Option<i64> {
        match &self.0[index] {
            Cell::Int(value) => Some(*value),
            Cell::Null | Cell::Text(_) => None,
        }
    }

    pub fn opt_text(&self, index: usize) -> Option<&str> {
        match &self.0[index] {
            Cell::Text(value) => Some(value),
            Cell::Null | Cell::Int(_) => None,
        }
    }

    /// # Panics
    /// When the column is NULL or text: the statement promised an integer.
    pub fn int(&self, index: usize) -> i64 {
        self.opt_int(index).unwrap_or_else(|| panic!("column {index} is an integer, not {:?}", self.0[index]))
    }

    /// # Panics
    /// When the column is NULL or an integer: the statement promised text.
    pub fn text(&self, index: usize) -> &str {
        self.opt_text(index).unwrap_or_else(|| panic!("column {index} is text, not {:?}", self.0[index]))
    }
}

impl<'de> serde::Deserialize<'de> for Cell {
    fn deserialize<D: serde::Deserializer<'de>>(json: D) -> std::result::Result<Self, D::Error> {
        struct Cells;
        impl serde::de::Visitor<'_> for Cells {
            type Value = Cell;

            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("text, an integer, true, false or null")
            }

            fn visit_unit<E>(self) -> std::result::Result<Cell, E> {
                Ok(Cell::Null)
            }

            fn visit_bool<E>(self, value: bool) -> std::result::Result<Cell, E> {
                Ok(Cell::Int(i64::from(value)))
            }

            fn visit_i64<E>(self, value: i64) -> std::result::Result<Cell, E> {
                Ok(Cell::Int(value))
            }

            fn visit_u64<E: serde::de::Error>(self, value: u64) -> std::result::Result<Cell, E> {
                i64::try_from(value).map(Cell::Int).map_err(E::custom)
            }

            fn visit_str<E>(self, value: &str) -> std::result::Result<Cell, E> {
                Ok(Cell::Text(value.to_owned()))
            }
        }
        json.deserialize_any(Cells)
    }
}

/// Runs the same body on whichever pool there is.
macro_rules! on_pool {
    ($pools:expr, $sqlite:ident => $pool:ident, $bind:ident, $body:expr) => {
        match $pools {
            Pools::Sqlite { $sqlite: $pool, .. } => {
                let $bind = sqlite_arguments;
                $body
            }
            Pools::Postgres($pool) => {
                let $bind = postgres_arguments;
                $body
            }
        }
    };
}

impl Db {
    /// Opens the database at `url`: `sqlite://path` (made if absent, with its folder; `home` is where relative paths
    /// begin) or `postgres://…`.
    ///
    /// # Errors
    /// When it cannot be reached or written, or when the bundled SQLite is too old to be trusted.
    pub async fn open(url: &str, home: &Path) -> Result<Self> {
        let failed = |source| StoreError::Open { url: without_password(url), source };
        if url.starts_with("postgres://") || url.starts_with("postgresql://") {
            let options = PgConnectOptions::from_str(url).map_err(failed)?.application_name("plusone");
            let options = options.options([("lock_timeout", "30s"), ("statement_timeout", "600s")]);
            // A pool that cannot connect says after its whole patience that it timed out; one connection says why.
            PgConnection::connect_with(&options).await.map_err(failed)?.close().await.map_err(failed)?;
            let pool = PgPoolOptions::new()
                .max_connections(20)
                .acquire_timeout(Duration::from_secs(30))
                .connect_with(options)
                .await
                .map_err(failed)?;
            return Ok(Self { pools: Pools::Postgres(pool) });
        }
        let path = home.join(url.strip_prefix("sqlite://").unwrap_or(url));
        if let Some(folder) = path.parent() {
            std::fs::create_dir_all(folder).map_err(|error| failed(sqlx::Error::Io(error)))?;
        }
        make_private(&path).map_err(|error| failed(sqlx::Error::Io(error)))?;
        let options = SqliteConnectOptions::new()
            .filename(&path)
            .create_if_missing(true)
            .journal_mode(SqliteJournalMode::Wal)
            .busy_timeout(Duration::from_secs(30))
            .foreign_keys(true)
            .pragma("synchronous", "FULL")
            .pragma("cache_size", "-16384")
            .pragma("temp_store", "MEMORY")
            .with_regexp();
        // A page that is written again and again is brought into the file once in sixteen megabytes of log.
        let writer = Writer::open(options.clone().pragma("wal_autocheckpoint", "4000")).await.map_err(failed)?;
        let readers = SqlitePoolOptions::new().max_connections(4).idle_timeout(None).max_lifetime(None);
        // A file does not hang up: to ask each time whether it is still there costs as much as a small statement.
        let readers = readers.test_before_acquire(false);
        // A reader drops its cache whenever the writer has committed: a great one costs more than it saves.
        let options = options.pragma("query_only", "ON").pragma("cache_size", "-2048");
        let readers = readers.connect_lazy_with(options);
        let db = Self { pools: Pools::Sqlite { writer, readers } };
        db.refuse_old_sqlite().await?;
        Ok(db)
    }

    async fn refuse_old_sqlite(&self) -> Result<()> {
        let row = self.fetch(Sql::new("select sqlite_version()")).await?;
        let found = row[0].text(0).to_owned();
        let parts: Vec<u32> = found.split('.').map_while(|part| part.parse().ok()).collect();
        if parts < vec![3, 51, 3] { Err(StoreError::OldSqlite { found }) } else { Ok(()) }
    }

    pub const fn dialect(&self) -> Dialect {
        match self.pools {
            Pools::Sqlite { .. } => Dialect::Sqlite,
            Pools::Postgres(_) => Dialect::Postgres,
        }
    }

    /// All rows of a reading statement.
    pub async fn fetch(&self, sql: Sql) -> Result<Vec<Row>> {
        self.stream(sql).try_collect().await
    }

    /// The first row, if there is one.
    pub async fn fetch_one(&self, sql: Sql) -> Result<Option<Row>> {
        Ok(self.fetch(sql).await?.into_iter().next())
    }

    /// All rows of a reading statement of `columns` columns, handed over as one ([`Sql::as_one`]): for many small rows.
    pub async fn fetch_as_one(&self, sql: Sql, columns: usize) -> Result<Vec<Row>> {
        match self.fetch_one(sql.as_one(self.dialect(), columns)).await? {
            Some(row) => row.unpacked(),
            None => Ok(Vec::new()),
        }
    }

    /// The rows of a reading statement as they come.
    pub fn stream(&self, sql: Sql) -> BoxStream<'static, Result<Row>> {
        let Sql { text, binds } = sql;
        let shown = text.clone();
        let text = AssertSqlSafe(text);
        let fail = move |source| StoreError::Statement { statement: shown.clone(), source };
        on_pool!(self.pools.clone(), readers => pool, arguments, {
            let rows = sqlx::query_with(text, arguments(binds)).fetch(&pool);
            rows.map(move |row| row.map_err(&fail).and_then(|row| read(&row))).boxed()
        })
    }

    /// A writing statement in a transaction of its own; gives the number of rows it touched.
    pub async fn execute(&self, sql: Sql) -> Result<u64> {
        let mut tx = self.begin().await?;
        let touched = tx.execute(sql).await?;
        tx.commit().await?;
        Ok(touched)
    }

    /// Begins a write transaction (`IMMEDIATE` on SQLite).
    pub async fn begin(&self) -> Result<Tx> {
        let failed = |source| StoreError::Statement { statement: "begin".to_owned(), source };
        Ok(match &self.pools {
            Pools::Sqlite { writer, .. } => Tx::Sqlite(writer.begin().await.map_err(failed)?),
            Pools::Postgres(pool) => Tx::Postgres(pool.begin().await.map_err(failed)?),
        })
    }

    /// Waits until every connection is closed.
    pub async fn close(&self) {
        match &self.pools {
            Pools::Sqlite { writer, readers } => {
                readers.close().await;
                writer.close().await;
            }
            Pools::Postgres(pool) => pool.close().await,
        }
    }
}

/// A write transaction. Dropped without [`Tx::commit`], it never was.
pub enum Tx {
    Sqlite(WriteTx),
    Postgres(sqlx::Transaction<'static, sqlx::Postgres>),
}

impl Tx {
    pub const fn dialect(&self) -> Dialect {
        match self {
            Self::Sqlite(_) => Dialect::Sqlite,
            Self::Postgres(_) => Dialect::Postgres,
        }
    }

    /// Runs a statement; gives the number of rows it touched.
    pub async fn execute(&mut self, sql: Sql) -> Result<u64> {
        let Sql { text, binds } = sql;
        let failed = refused(&text);
        let text = AssertSqlSafe(text);
        match self {
            Self::Sqlite(tx) => {
                let connection = match tx.connection().await {
                    Ok(connection) => connection,
                    Err(source) => return Err(failed(source)),
                };
                let done = sqlx::query_with(text, sqlite_arguments(binds)).execute(connection).await;
                done.map(|done| done.rows_affected()).map_err(failed)
            }
            Self::Postgres(tx) => {
                let done = sqlx::query_with(text, postgres_arguments(binds)).execute(&mut **tx).await;
                done.map(|done| done.rows_affected()).map_err(failed)
            }
        }
    }

    /// All rows of a statement, reading or `returning`.
    pub async fn fetch(&mut self, sql: Sql) -> Result<Vec<Row>> {
        let Sql { text, binds } = sql;
        let failed = refused(&text);
        match self {
            Self::Sqlite(tx) => {
                let (connection, text) = tx.beginning(text);
                let rows = sqlx::query_with(text, sqlite_arguments(binds)).fetch_all(connection).await;
                rows.map_err(failed)?.iter().map(read).collect()
            }
            Self::Postgres(tx) => {
                let text = AssertSqlSafe(text);
                let rows = sqlx::query_with(text, postgres_arguments(binds)).fetch_all(&mut **tx).await;
                rows.map_err(failed)?.iter().map(read).collect()
            }
        }
    }

    /// The first row, if there is one.
    pub async fn fetch_one(&mut self, sql: Sql) -> Result<Option<Row>> {
        Ok(self.fetch(sql).await?.into_iter().next())
    }

    /// Runs several statements, one after the other, and gives the rows of all of them in order. SQLite runs them in
    /// one go: each statement on its own costs it two changes of thread.
    pub async fn batch(&mut self, statements: Vec<Sql>) -> Result<Vec<Row>> {
        if let Self::Sqlite(_) = self {
            return self.fetch(Sql::one_after_the_other(statements)).await;
        }
        let mut rows = Vec::new();
        for statement in statements {
            rows.extend(self.fetch(statement).await?);
        }
        Ok(rows)
    }

    /// As [`Tx::batch`], and commits.
    pub async fn batch_and_commit(mut self, statements: Vec<Sql>) -> Result<Vec<Row>> {
        let mut tx = match self {
            Self::Sqlite(tx) => tx,
            Self::Postgres(_) => {
                let rows = self.batch(statements).await?;
                self.commit().await?;
                return Ok(rows);
            }
        };
        let Sql { text, binds } = Sql::one_after_the_other(statements);
        let failed = refused(&text);
        let (connection, text) = tx.whole(text);
        let rows = sqlx::query_with(text, sqlite_arguments(binds)).fetch_all(connection).await.map_err(failed)?;
        tx.ended();
        rows.iter().map(read).collect()
    }

    /// Runs several statements at once, without binds: migrations.
    pub async fn script(&mut self, text: &str) -> Result<()> {
        let failed = refused(text);
        let script = sqlx::raw_sql(AssertSqlSafe(text.to_owned()));
        match self {
            Self::Sqlite(tx) => match tx.connection().await {
                Ok(connection) => script.execute(connection).await.map(|_| ()).map_err(failed),
                Err(source) => Err(failed(source)),
            },
            Self::Postgres(tx) => script.execute(&mut **tx).await.map(|_| ()).map_err(failed),
        }
    }

    pub async fn commit(self) -> Result<()> {
        let done = match self {
            Self::Sqlite(tx) => tx.commit().await,
            Self::Postgres(tx) => tx.commit().await,
        };
        done.map_err(|source| StoreError::Statement { statement: "commit".to_owned(), source })
    }
}

/// What is said of a statement that the database refused.
fn refused(statement: &str) -> impl FnOnce(sqlx::Error) -> StoreError + use<> {
    let statement = statement.to_owned();
    move |source| StoreError::Statement { statement, source }
}

pub(super) fn sqlite_arguments(binds: Vec<Bind>) -> SqliteArguments {
    let mut arguments = SqliteArguments::default();
    for bind in binds {
        let added = match bind {
            Bind::Text(value) => arguments.add(value),
            Bind::Int(value) => arguments.add(value),
        };
        added.expect("text and integers always encode");
    }
    arguments
}

pub(super) fn postgres_arguments(binds: Vec<Bind>) -> PgArguments {
    let mut arguments = PgArguments::default();
    for bind in binds {
        let added = match bind {
            Bind::Text(value) => arguments.add(value),
            Bind::Int(value) => arguments.add(value),
        };
        added.expect("text and integers always encode");
    }
    arguments
}

/// Reads a row of either database into cells.
pub(super) fn read<R>(row: &R) -> Result<Row>
where
    R: sqlx::Row,
    usize: sqlx::ColumnIndex<R>,
    i64: for<'r> Decode<'r, R::Database> + Type<R::Database>,
    i32: for<'r> Decode<'r, R::Database> + Type<R::Database>,
    bool: for<'r> Decode<'r, R::Database> + Type<R::Database>,
    String: for<'r> Decode<'r, R::Database> + Type<R::Database>,
{
    let cell = |index: usize| {
        let value = row.try_get_raw(index)?;
        if value.is_null() {
            return Ok(Cell::Null);
        }
        let kind = Kind::of(value.type_info().name());
        let cell = match kind {
            Kind::Int64 => i64::decode(value).map(Cell::Int),
            Kind::Int32 => i32::decode(value).map(|value| Cell::Int(i64::from(value))),
            Kind::Boolean => bool::decode(value).map(|value| Cell::Int(i64::from(value))),
            Kind::Text => String::decode(value).map(Cell::Text),
        };
        cell.map_err(sqlx::Error::Decode)
    };
    (0..row.len())
        .map(cell)
        .collect::<std::result::Result<_, sqlx::Error>>()
        .map(Row)
        .map_err(|error| StoreError::Column(error.to_string()))
}

/// How a database holds a value.
enum Kind {
    Int64,
    Int32,
    Boolean,
    Text,
}

impl Kind {
    fn of(name: &str) -> Self {
        match name {
            "INTEGER" | "INT8" | "BIGINT" => Self::Int64,
            "INT4" => Self::Int32,
            "BOOL" | "BOOLEAN" => Self::Boolean,
            _ => Self::Text,
        }
    }
}

/// Makes a database file that is not there yet, for its owner's eyes only; SQLite gives the files beside it the same.
fn make_private(path: &Path) -> std::io::Result<()> {
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    match options.open(path) {
        Err(error) if error.kind() != std::io::ErrorKind::AlreadyExists => Err(error),
        _ => Ok(()),
    }
}

/// What the database said, without the words around it.
pub(super) fn words(error: &sqlx::Error) -> String {
    match error {
        sqlx::Error::Database(said) => said.message().to_owned(),
        sqlx::Error::Io(error) => error.to_string(),
        error => error.to_string(),
    }
}

/// What helps against an error at opening.
fn cure(error: &sqlx::Error) -> &'static str {
    match error {
        sqlx::Error::Database(said) if said.code().is_some_and(|code| code == "26" || code == "11") => {
            "the file is damaged or no database: restore a backup, or name another file as `[database] url`"
        }
        sqlx::Error::Database(said) if said.code().is_some_and(|code| code.starts_with("28") || code == "3D000") => {
            "check user, password and database in `[database] url`"
        }
        sqlx::Error::Io(error) if error.kind() == std::io::ErrorKind::ConnectionRefused => {
            "is the server running, and is `[database] url` its address?"
        }
        sqlx::Error::Configuration(_) => "check `[database] url`",
        _ => "`[database] url` names a place that this user must be able to reach and to write",
    }
}

/// The address of a database as it may be shown.
fn without_password(url: &str) -> String {
    match (url.find("://"), url.rfind('@')) {
        (Some(scheme), Some(at)) if scheme + 3 < at => format!("{}…{}", &url[..scheme + 3], &url[at..]),
        _ => url.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn what_is_bound_is_what_is_read() {
        let folder = tempfile::tempdir().expect("a folder");
        let db = Db::open("sqlite://var/test.db", folder.path()).await.expect("a database");
        let mut tx = db.begin().await.expect("a transaction");
        tx.script("create table t (a text, b bigint)").await.expect("a table");
        let rows =
            Dialect::Sqlite.rows("$1", &[("a", crate::sql::ColumnType::Text), ("b", crate::sql::ColumnType::Int)], "r");
        let insert =
            Sql::new(format!("insert into t select a, b from {rows}")).with(r#"[["x",1],[null,9007199254740993]]"#);
        assert_eq!(tx.execute(insert).await.expect("two rows"), 2);
        tx.commit().await.expect("committed");
        let rows = db.fetch(Sql::new("select a, b from t order by b")).await.expect("rows");
        assert_eq!((rows[0].text(0), rows[0].int(1)), ("x", 1));
        assert_eq!((rows[1].opt_text(0), rows[1].int(1)), (None, 9_007_199_254_740_993));
        let sql = Sql::new("select a, b, json_array('\"', b) from t where b >= $1 order by b").with(1);
        let rows = db.fetch_as_one(sql.clone(), 3).await.expect("rows in one");
        assert_eq!(rows, db.fetch(sql).await.expect("rows"));
        assert_eq!(rows[1].text(2), r#"["\"",9007199254740993]"#, "JSON comes as the text that it is");
        assert_eq!(db.fetch_as_one(Sql::new("select a from t where b = 0"), 1).await.expect("no rows"), []);
    }
}
