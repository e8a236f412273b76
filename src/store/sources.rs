//! Which file or query each entity was last filled from, and what was wrong with it when it was read last.

use super::db::{Db, Result};
use crate::sql::Sql;
use crate::time::Timestamp;

/// What is known of a source.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Known {
    pub fingerprint: String,
    /// When it was read to its end.
    pub synced_at: Timestamp,
    /// How far a query with `since` was read.
    pub mark: Option<String>,
    pub problem: Option<Problem>,
}

/// Why a source could not be read.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Problem {
    pub entity: String,
    pub why: String,
    /// When it was met last.
    pub at: Timestamp,
}

/// What is known of the source of `entity`.
pub async fn known(db: &Db, entity: &str) -> Result<Option<Known>> {
    let sql = "select fingerprint, synced_at, mark, problem, problem_at from sources where entity = $1";
    let row = db.fetch_one(Sql::new(sql).with(entity)).await?;
    Ok(row.map(|row| Known {
        fingerprint: row.text(0).to_owned(),
        synced_at: Timestamp::from_micros(row.int(1)),
        mark: row.opt_text(2).map(str::to_owned),
        problem: row.opt_text(3).map(|why| Problem {
            entity: entity.to_owned(),
            why: why.to_owned(),
            at: Timestamp::from_micros(row.opt_int(4).unwrap_or(0)),
        }),
    }))
}

/// The fingerprint of the file that `entity` was last filled from.
pub async fn fingerprint(db: &Db, entity: &str) -> Result<Option<String>> {
    Ok(known(db, entity).await?.map(|known| known.fingerprint))
}

/// Remembers a source that has been read to its end, and how far; nothing is wrong with it any more.
pub async fn remember_mark(
    db: &Db,
    entity: &str,
    fingerprint: &str,
    mark: Option<&str>,
    rows_read: u64,
    now: Timestamp,
) -> Result<()> {
    let text = "insert into sources (entity, fingerprint, mark, rows_read, synced_at) values ($1, $2, $3, $4, $5) \
                on conflict (entity) do update set fingerprint = excluded.fingerprint, mark = excluded.mark, \
                rows_read = excluded.rows_read, synced_at = excluded.synced_at, problem = null, problem_at = null";
    let rows_read = i64::try_from(rows_read).unwrap_or(i64::MAX);
    let sql = Sql::new(text).with(entity).with(fingerprint).with(mark).with(rows_read).with(now);
    db.execute(sql).await.map(drop)
}

/// As [`remember_mark`], for a source that is read as a whole.
pub async fn remember(db: &Db, entity: &str, fingerprint: &str, rows_read: u64, now: Timestamp) -> Result<()> {
    remember_mark(db, entity, fingerprint, None, rows_read, now).await
}

/// Remembers why a source could not be read; what was read before stays known.
pub async fn set_problem(db: &Db, entity: &str, why: &str, now: Timestamp) -> Result<()> {
    let text = "insert into sources (entity, fingerprint, rows_read, synced_at, problem, problem_at) \
                values ($1, '', 0, 0, $2, $3) on conflict (entity) do update set problem = excluded.problem, \
                problem_at = excluded.problem_at";
    db.execute(Sql::new(text).with(entity).with(why).with(now)).await.map(drop)
}

/// A source can be read again.
pub async fn clear_problem(db: &Db, entity: &str) -> Result<()> {
    let text = "update sources set problem = null, problem_at = null where entity = $1";
    db.execute(Sql::new(text).with(entity)).await.map(drop)
}

/// What came of an entity's rows in part only.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct LeftOut {
    pub entity: String,
    /// Rows of its source that are not as declared.
    pub refused: i64,
    /// Where they are.
    pub errors_file: Option<String>,
    /// Rows of customers who are not known.
    pub strays: i64,
}

/// Remembers how many rows the source refused when it was read last, and where they are.
pub async fn set_refused(db: &Db, entity: &str, refused: u64, errors_file: Option<&str>) -> Result<()> {
    let refused = i64::try_from(refused).unwrap_or(i64::MAX);
    let text = "update sources set refused = $2, errors_file = $3 where entity = $1";
    db.execute(Sql::new(text).with(entity).with(refused).with(errors_file)).await.map(drop)
}

/// Remembers how many rows of an entity belong to customers who are not known.
pub async fn set_strays(db: &Db, entity: &str, strays: i64) -> Result<()> {
    let text = "insert into sources (entity, fingerprint, rows_read, synced_at, strays) values ($1, '', 0, 0, $2) \
                on conflict (entity) do update set strays = excluded.strays";
    db.execute(Sql::new(text).with(entity).with(strays)).await.map(drop)
}

/// The entities of which something was left out.
pub async fn left_out(db: &Db) -> Result<Vec<LeftOut>> {
    let sql = "select entity, coalesce(refused, 0), errors_file, coalesce(strays, 0) from sources \
               where refused > 0 or strays > 0 order by entity";
    let rows = db.fetch(Sql::new(sql)).await?;
    let read = |row: &super::db::Row| LeftOut {
        entity: row.text(0).to_owned(),
        refused: row.int(1),
        errors_file: row.opt_text(2).map(str::to_owned),
        strays: row.int(3),
    };
    Ok(rows.iter().map(read).collect())
}

/// What is wrong with sources now, by entity.
pub async fn problems(db: &Db) -> Result<Vec<Problem>> {
    let sql = "select entity, problem, problem_at from sources where problem is not null order by entity";
    let rows = db.fetch(Sql::new(sql)).await?;
    let read = |row: &super::db::Row| Problem {
        entity: row.text(0).to_owned(),
        why: row.text(1).to_owned(),
        at: Timestamp::from_micros(row.opt_int(2).unwrap_or(0)),
    };
    Ok(rows.iter().map(read).collect())
}
