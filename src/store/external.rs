//! Reading rows from a database that is not plusone's own: its connection, its columns, its rows as text.
//!
//! What the rows mean is for `data`: here a row is a text or nothing under each heading.
//!
//! 1. Nothing can be written there: SQLite is opened read-only, PostgreSQL refuses by `default_transaction_read_only`,
//!    and the query stands inside a `select`.
//! 2. All that is read is of one moment: one transaction, of a snapshot.
//! 3. Rows are streamed. The database waits where they are not taken, so that memory does not grow with them.
//! 4. No message shows a password.

use super::db::{Result as Stored, postgres_arguments, read, sqlite_arguments, words};
use crate::catalogue::{Field, Type, quoted};
use crate::sql::Sql;
use crate::time::Tz;
use futures_util::TryStreamExt;
use sqlx::postgres::{PgConnectOptions, PgConnection};
use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection};
use sqlx::{AssertSqlSafe, Column as _, Connection, Executor, SqlSafeStr, Statement, TypeInfo};
use std::path::Path;
use std::str::FromStr;
use std::time::Duration;
use tokio::sync::mpsc::Sender;
use tokio::time::timeout;

/// How long another database may take to answer at all.
const PATIENCE: Duration = Duration::from_secs(10);

/// How far before the last mark PostgreSQL's times are read again: a row has its time from before its commit.
const OVERLAP: &str = "interval '5 minutes'";

/// Rows handed on at once.
const BATCH: usize = 500;

/// Why another database could not be read.
#[derive(Debug, thiserror::Error)]
pub enum ExternalError {
    #[error("{url} cannot be reached: {why}; is `database` its address, and may this user read there?")]
    Unreachable { url: String, why: String },
    #[error("the database refused the query: {0}")]
    Query(String),
}

/// A column of the query's result.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Column {
    pub name: String,
    /// As the database calls it: `TIMESTAMPTZ`. SQLite types values, not columns.
    pub ty: String,
}

/// One row: a text or nothing for each column.
pub type Texts = Vec<Option<String>>;

/// What is read, as SQL of the other database.
#[derive(Clone, Copy, Debug)]
pub struct Reading<'a> {
    /// The query as it is written in `data.toml`.
    pub query: &'a str,
    /// The column by which rows are told to be later than others, and how far it was read.
    pub since: Option<(&'a Column, Option<&'a str>)>,
}

/// An open connection.
pub enum External {
    Sqlite(Box<SqliteConnection>),
    Postgres(Box<PgConnection>),
}

impl External {
    /// Connects to `sqlite://path` (from `home`) or `postgres://…`, to read.
    ///
    /// # Errors
    /// [`ExternalError::Unreachable`].
    pub async fn open(url: &str, home: &Path) -> Result<Self, ExternalError> {
        let failed = |why: String| ExternalError::Unreachable { url: shown(url), why };
        let connecting = async {
            match url.strip_prefix("sqlite://") {
                Some(path) => {
                    let options = SqliteConnectOptions::new().filename(home.join(path)).read_only(true);
                    let connection = SqliteConnection::connect_with(&options.busy_timeout(PATIENCE)).await?;
                    Ok(Self::Sqlite(Box::new(connection)))
                }
                None => {
                    let options = PgConnectOptions::from_str(url)?.application_name("plusone").options([
                        ("default_transaction_read_only", "on"),
                        ("statement_timeout", "600s"),
                        ("TimeZone", "UTC"),
                        ("DateStyle", "ISO"),
                    ]);
                    Ok(Self::Postgres(Box::new(PgConnection::connect_with(&options).await?)))
                }
            }
        };
        match timeout(PATIENCE, connecting).await {
            Ok(Ok(connection)) => Ok(connection),
            Ok(Err(error)) => Err(failed(words(&error))),
            Err(_) => Err(failed(format!("no answer within {} seconds", PATIENCE.as_secs()))),
        }
    }

    /// The columns that the query gives.
    ///
    /// # Errors
    /// What the database has against the query.
    pub async fn columns(&mut self, query: &str) -> Result<Vec<Column>, ExternalError> {
        fn all<'s, S: Statement>(statement: &'s S) -> Vec<Column>
        where
            <S::Database as sqlx::Database>::Column: 's,
        {
            let column = |column: &<S::Database as sqlx::Database>::Column| Column {
                name: column.name().to_owned(),
                ty: column.type_info().name().to_owned(),
            };
            statement.columns().iter().map(column).collect()
        }
        let text = AssertSqlSafe(format!("select * from {}", inside(query))).into_sql_str();
        match self {
            Self::Sqlite(connection) => connection.prepare(text).await.map(|statement| all(&statement)),
            Self::Postgres(connection) => connection.prepare(text).await.map(|statement| all(&statement)),
        }
        .map_err(refused)
    }

    /// Begins to read, as of this moment.
    pub async fn begin(&mut self) -> Result<(), ExternalError> {
        match self {
            Self::Sqlite(connection) => connection.execute("begin").await.map(drop),
            Self::Postgres(connection) => {
                connection.execute("begin isolation level repeatable read read only").await.map(drop)
            }
        }
        .map_err(refused)
    }

    /// How far the rows go now, by their latest value of `since`; `None` where no row has one.
    pub async fn latest(&mut self, reading: Reading<'_>) -> Result<Option<String>, ExternalError> {
        let Some((column, _)) = reading.since else { return Ok(None) };
        let (name, from) = (quoted(&column.name), inside(reading.query));
        let sql = match self {
            Self::Sqlite(_) => format!("select typeof(m) || ':' || m from (select max(q.{name}) as m from {from})"),
            // A time that has not come yet would hide all that comes before it.
            Self::Postgres(_) if column.ty.starts_with("TIMESTAMP") => {
                format!("select least(max(q.{name}), now()::{})::text from {from}", column.ty)
            }
            Self::Postgres(_) => format!("select max(q.{name})::text from {from}"),
        };
        let mut rows = Vec::new();
        self.each(Sql::new(sql), |row| rows.push(row)).await?;
        Ok(rows.into_iter().next().and_then(|row| row.into_iter().next().flatten()))
    }

    /// Streams rows with these expressions as their columns into `sender`; ends early where nobody takes them.
    pub async fn stream(
        &mut self,
        reading: Reading<'_>,
        columns: &[String],
        sender: &Sender<Vec<Texts>>,
    ) -> Result<(), ExternalError> {
        let sql = self.select(reading, columns);
        let mut batch = Vec::with_capacity(BATCH);
        macro_rules! pump {
            ($connection:expr, $arguments:ident) => {{
                let mut rows =
                    sqlx::query_with(AssertSqlSafe(sql.text), $arguments(sql.binds)).fetch(&mut **$connection);
                while let Some(row) = rows.try_next().await.map_err(refused)? {
                    batch.push(texts(read(&row))?);
                    if batch.len() == BATCH && sender.send(std::mem::take(&mut batch)).await.is_err() {
                        return Ok(());
                    }
                }
            }};
        }
        match self {
            Self::Sqlite(connection) => pump!(connection, sqlite_arguments),
            Self::Postgres(connection) => pump!(connection, postgres_arguments),
        }
        // A closed channel means that the reader has failed; its error is the one to report.
        let _ = sender.send(batch).await;
        Ok(())
    }

    fn select(&self, reading: Reading<'_>, columns: &[String]) -> Sql {
        let mut sql = Sql::new(format!("select {} from {}", columns.join(", "), inside(reading.query)));
        let Some((column, Some(mark))) = reading.since else { return sql };
        let name = format!("q.{}", quoted(&column.name));
        match self {
            Self::Sqlite(_) => {
                let (ty, value) = mark.split_once(':').unwrap_or(("text", mark));
                sql.push(&format!(" where {name} >= cast(")).bind(value).push(&format!(" as {ty})"));
            }
            Self::Postgres(_) => {
                let overlap = if column.ty.starts_with("TIMESTAMP") { format!(" - {OVERLAP}") } else { String::new() };
                sql.push(&format!(" where {name} >= ")).bind(mark).push(&format!("::text::{}{overlap}", column.ty));
            }
        }
        sql.push(&format!(" or {name} is null"));
        sql
    }

    async fn each(&mut self, sql: Sql, mut row: impl FnMut(Texts)) -> Result<(), ExternalError> {
        macro_rules! fetch {
            ($connection:expr) => {{
                let rows = sqlx::query(AssertSqlSafe(sql.text)).fetch_all(&mut **$connection).await.map_err(refused)?;
                for one in &rows {
                    row(texts(read(one))?);
                }
            }};
        }
        match self {
            Self::Sqlite(connection) => fetch!(connection),
            Self::Postgres(connection) => fetch!(connection),
        }
        Ok(())
    }

    /// The expression that gives a field of this column as text, the way files write it.
    ///
    /// # Errors
    /// Why a column of this type cannot be read as the field's.
    pub fn expression(&self, field: &Field, column: &Column, zone: Tz) -> Result<String, String> {
        let x = format!("q.{}", quoted(&column.name));
        match self {
            Self::Sqlite(_) => Ok(as_sqlite_text(&x, field.ty)),
            Self::Postgres(_) if fits(field.ty, &column.ty) => Ok(as_postgres_text(&x, field.ty, &column.ty, zone)),
            Self::Postgres(_) => Err(format!(
                "`{}` is declared as {}, and the query's column `{}` is {}: cast it in the query",
                field.name,
                field.ty.name(),
                column.name,
                column.ty.to_lowercase()
            )),
        }
    }

    /// Whether rows can be told to be later than others by this column.
    pub fn is_ordered(&self, column: &Column) -> bool {
        const ORDERED: &[&str] =
            &["TIMESTAMPTZ", "TIMESTAMP", "DATE", "INT2", "INT4", "INT8", "NUMERIC", "TEXT", "VARCHAR"];
        matches!(self, Self::Sqlite(_)) || ORDERED.contains(&column.ty.as_str())
    }

    /// Whether dates and times of this column are written by the database, not by whoever filled a text.
    pub fn writes_times(&self, column: &Column) -> bool {
        matches!(self, Self::Postgres(_)) && is_time(&column.ty)
    }

    pub async fn close(self) {
        // The connection is done with: how it ends changes nothing.
        let _ = match self {
            Self::Sqlite(connection) => connection.close().await,
            Self::Postgres(connection) => connection.close().await,
        };
    }
}

/// The query as a FROM item named `q`.
fn inside(query: &str) -> String {
    format!("(\n{}\n) as q", query.trim().trim_end_matches(';'))
}

fn refused(error: sqlx::Error) -> ExternalError {
    ExternalError::Query(words(&error))
}

fn texts(row: Stored<super::db::Row>) -> Result<Texts, ExternalError> {
    let row = row.map_err(|error| ExternalError::Query(error.to_string()))?;
    Ok((0..row.len()).map(|index| row.opt_text(index).map(str::to_owned)).collect())
}

/// The address of a database as it may be shown: without user and password.
pub fn shown(url: &str) -> String {
    let without_options = url.split('?').next().unwrap_or(url);
    match (without_options.find("://"), without_options.rfind('@')) {
        (Some(scheme), Some(at)) if scheme + 3 < at => {
            format!("{}{}", &without_options[..scheme + 3], &without_options[at + 1..])
        }
        _ => without_options.to_owned(),
    }
}

const NUMBERS: &[&str] = &["INT2", "INT4", "INT8", "NUMERIC", "FLOAT4", "FLOAT8", "MONEY", "OID"];

fn is_time(ty: &str) -> bool {
    matches!(ty, "TIMESTAMPTZ" | "TIMESTAMP" | "DATE")
}

/// Whether values of a PostgreSQL type can be written as values of a declared one.
fn fits(declared: Type, ty: &str) -> bool {
    let is_other =
        matches!(ty, "BYTEA" | "JSON" | "JSONB" | "TIME" | "TIMETZ" | "INTERVAL" | "UUID") || ty.ends_with("[]");
    match declared {
        Type::Text => ty != "BYTEA",
        Type::Integer | Type::Decimal(_) | Type::Money => !is_other && !is_time(ty) && ty != "BOOL",
        Type::Boolean => !is_other && !is_time(ty) && (!NUMBERS.contains(&ty) || ty.starts_with("INT")),
        Type::Date | Type::Timestamp => !is_other && !NUMBERS.contains(&ty) && ty != "BOOL",
    }
}

fn as_postgres_text(x: &str, declared: Type, ty: &str, zone: Tz) -> String {
    let zone = format!("'{}'", zone.name());
    match (ty, declared) {
        ("TIMESTAMPTZ", Type::Date) => format!("to_char({x} at time zone {zone}, 'YYYY-MM-DD')"),
        ("TIMESTAMPTZ", _) => format!("to_char({x} at time zone 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS.US\"Z\"')"),
        ("TIMESTAMP", Type::Date) | ("DATE", _) => format!("to_char({x}, 'YYYY-MM-DD')"),
        ("TIMESTAMP", _) => format!("to_char({x}, 'YYYY-MM-DD\"T\"HH24:MI:SS.US')"),
        ("MONEY", _) => format!("{x}::numeric::text"),
        _ => format!("{x}::text"),
    }
}

/// Whole numbers in a time column are Unix seconds, as in tables that are read in place.
fn as_sqlite_text(x: &str, declared: Type) -> String {
    match declared {
        Type::Date => format!("case typeof({x}) when 'integer' then date({x}, 'unixepoch') else cast({x} as text) end"),
        Type::Timestamp => format!(
            "case typeof({x}) when 'integer' then strftime('%Y-%m-%dT%H:%M:%SZ', {x}, 'unixepoch') \
             else cast({x} as text) end"
        ),
        _ => format!("cast({x} as text)"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_secret_of_an_address_is_shown() {
        for (url, told) in [
            ("postgres://ann:secret@db.test:5432/shop?sslmode=require&password=x", "postgres://db.test:5432/shop"),
            ("postgres://db.test/shop", "postgres://db.test/shop"),
            ("sqlite://shop.db", "sqlite://shop.db"),
        ] {
            assert_eq!(shown(url), told);
        }
    }

    #[test]
    fn a_query_may_end_as_people_write_it() {
        assert_eq!(inside("select 1 -- all of them\n;"), "(\nselect 1 -- all of them\n\n) as q");
    }

    #[test]
    fn a_column_is_read_only_as_what_it_can_be() {
        for (declared, ty, good) in [
            (Type::Money, "NUMERIC", true),
            (Type::Money, "BOOL", false),
            (Type::Timestamp, "INT8", false),
            (Type::Timestamp, "DATE", true),
            (Type::Boolean, "INT4", true),
            (Type::Boolean, "NUMERIC", false),
            (Type::Text, "UUID", true),
            (Type::Text, "BYTEA", false),
            (Type::Integer, "TEXT[]", false),
        ] {
            assert_eq!(fits(declared, ty), good, "{declared:?} {ty}");
        }
    }
}
