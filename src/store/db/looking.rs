//! A look at a database that must not be changed by it, not even made.

use super::opening::without_password;
use super::{Db, Pools, Result, StoreError};
use crate::store::writer::Writer;
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use sqlx::sqlite::{SqliteConnectOptions, SqlitePoolOptions};
use std::path::Path;
use std::str::FromStr;
use std::time::Duration;

/// How long a server may take to answer.
const PATIENCE: Duration = Duration::from_secs(2);

impl Db {
    /// Opens the database at `url` to be read, and nothing else; `None` where there is none yet. No file is made
    /// beside it either.
    ///
    /// # Errors
    /// When it is there and cannot be opened.
    pub async fn open_to_look(url: &str, home: &Path) -> Result<Option<Self>> {
        let failed = |source| StoreError::Open { url: without_password(url), source };
        if url.starts_with("postgres://") || url.starts_with("postgresql://") {
            let options = PgConnectOptions::from_str(url).map_err(failed)?.application_name("plusone");
            let options = options.options([("default_transaction_read_only", "on"), ("statement_timeout", "2s")]);
            let pool = PgPoolOptions::new().max_connections(1).acquire_timeout(PATIENCE);
            return Ok(Some(Self { pools: Pools::Postgres(pool.connect_with(options).await.map_err(failed)?) }));
        }
        let path = home.join(url.strip_prefix("sqlite://").unwrap_or(url));
        if !path.is_file() {
            return Ok(None);
        }
        // With a log beside it somebody may be writing; without one the file is whole, and reading it as one that
        // nobody changes makes none.
        let mut log = path.clone().into_os_string();
        log.push("-wal");
        let is_at_rest = !Path::new(&log).exists();
        let options = SqliteConnectOptions::new().filename(&path).read_only(true).immutable(is_at_rest).with_regexp();
        let writer = Writer::open(options.clone()).await.map_err(failed)?;
        let readers = SqlitePoolOptions::new().max_connections(1).connect_lazy_with(options);
        Ok(Some(Self { pools: Pools::Sqlite { writer, readers } }))
    }
}
