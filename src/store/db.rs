//! One database, SQLite or PostgreSQL, behind one small face: run a statement, fetch rows, stream rows, transact.
//!
//! 1. The two databases share their SQL text ([`Sql`]); what differs is in [`Dialect`].
//! 2. SQLite has one writer connection; every write transaction begins `IMMEDIATE`. Readers have their own pool.
//! 3. A column is text, a 64-bit integer or NULL, on both.

mod compact;
mod looking;
mod opening;
mod snapshot;
mod sorting;

pub(super) use self::opening::words;
use self::opening::{cure, make_private, without_password};
pub use self::snapshot::Snapshot;
pub(super) use super::cells::read;
pub use super::cells::{Cell, Row};
use super::writer::{WriteTx, Writer};
use crate::sql::{Bind, Dialect, Sql};
use futures_util::TryStreamExt;
use futures_util::stream::{BoxStream, StreamExt};
use sqlx::postgres::{PgArguments, PgConnectOptions, PgConnection, PgPool, PgPoolOptions};
use sqlx::sqlite::{SqliteArguments, SqliteConnectOptions, SqliteJournalMode, SqlitePool, SqlitePoolOptions};
use sqlx::{Arguments, AssertSqlSafe, Connection};
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

impl StoreError {
    /// Whether the database is away or busy: what was asked may work later.
    pub fn is_away(&self) -> bool {
        match self {
            Self::Open { source, .. } | Self::Statement { source, .. } => opening::is_away(source),
            _ => false,
        }
    }
}

pub type Result<T> = std::result::Result<T, StoreError>;

/// How many rows of a SQLite statement are read ahead of whoever takes them.
const ROWS_AHEAD: usize = 1_000;

/// What a SQLite file is for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Use {
    /// What is committed is safe, and many read at once.
    Business,
    /// One task asks the same statements of many rules ten thousands of times.
    Scratch,
}

impl Use {
    /// SQLite's word for what a commit waits for.
    const fn synchronous(self) -> &'static str {
        match self {
            Self::Business => "FULL",
            Self::Scratch => "OFF",
        }
    }

    /// How many prepared statements each connection keeps.
    const fn statements(self) -> usize {
        match self {
            Self::Business => 100,
            Self::Scratch => 2_000,
        }
    }

    /// How many connections read: in a scratch database one for candidates, one for what their rows do not say.
    const fn readers(self) -> u32 {
        match self {
            Self::Business => 4,
            Self::Scratch => 2,
        }
    }
}

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
        let db = Self::open_file(&path, Use::Business).await.map_err(failed)?;
        db.refuse_old_sqlite().await?;
        Ok(db)
    }

    /// A database that is never read again after a crash, so that nothing waits for the disk.
    pub(super) async fn open_scratch(path: &Path) -> Result<Self> {
        let failed = |source| StoreError::Open { url: path.display().to_string(), source };
        make_private(path).map_err(|error| failed(sqlx::Error::Io(error)))?;
        Self::open_file(path, Use::Scratch).await.map_err(failed)
    }

    async fn open_file(path: &Path, usage: Use) -> std::result::Result<Self, sqlx::Error> {
        let options = SqliteConnectOptions::new()
            .filename(path)
            .create_if_missing(true)
            .journal_mode(SqliteJournalMode::Wal)
            .busy_timeout(Duration::from_secs(30))
            .foreign_keys(true)
            .pragma("synchronous", usage.synchronous())
            .statement_cache_capacity(usage.statements())
            .pragma("cache_size", "-16384")
            .pragma("temp_store", "MEMORY")
            .with_regexp();
        // A page that is written again and again is brought into the file once in sixteen megabytes of log.
        let writer = Writer::open(options.clone().pragma("wal_autocheckpoint", "4000")).await?;
        let readers = SqlitePoolOptions::new().max_connections(usage.readers()).idle_timeout(None).max_lifetime(None);
        // A file does not hang up: to ask each time whether it is still there costs as much as a small statement.
        let readers = readers.test_before_acquire(false);
        // A reader drops its cache whenever the writer has committed: a great one costs more than it saves.
        let options = options.pragma("query_only", "ON").pragma("cache_size", "-2048");
        // Rows are handed to another thread: the more at once, the fewer waits of either for the other.
        let options = options.row_buffer_size(ROWS_AHEAD);
        let readers = readers.connect_lazy_with(options);
        Ok(Self { pools: Pools::Sqlite { writer, readers } })
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

    /// As [`Db::stream`], of `columns` columns handed over as one text each ([`Sql::as_texts`]): for many rows of many
    /// columns.
    pub fn stream_as_texts(&self, sql: Sql, columns: usize) -> BoxStream<'static, Result<Row>> {
        self.stream(sql.as_texts(self.dialect(), columns)).map(|row| row?.unpacked_one()).boxed()
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

#[cfg(test)]
mod tests;
