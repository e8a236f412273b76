//! What SQLite's planner is told of tables that it knows nothing about.
//!
//! Without statistics SQLite takes ten rows to share a bucket, and then reads a whole bucket where an index leads to
//! the customer's few rows. PostgreSQL gathers its own.
//!
//! 1. The figures are those of a large shop, written down once with the table, so that a statement is carried out
//!    in one way whatever the table holds. In a small table any way is quick.
//! 2. `analyze`, run by hand, replaces them.

use super::db::{Result, Tx};
use crate::sql::{Dialect, Sql};

/// A table or one of its indexes, and how many rows share its first column, its first two, and so on.
#[derive(Clone, Debug)]
pub struct Assumed<'a> {
    pub index: &'a str,
    pub rows_alike: &'a [u32],
}

/// Rows of a table.
const ROWS: u32 = 3_000_000;
/// Rows of one bucket.
pub const OF_A_BUCKET: u32 = 12_000;
/// Rows of one customer, or of one row that others belong to.
pub const OF_ONE: u32 = 4;

/// Writes assumptions of a table without rows. They count for connections that read the schema anew: create an index
/// afterwards, and all do.
pub async fn assume(tx: &mut Tx, table: &str, assumed: &[Assumed<'_>]) -> Result<()> {
    if tx.dialect() != Dialect::Sqlite {
        return Ok(());
    }
    // of a table without rows it writes nothing, but from then on there is a place for statistics
    tx.script(&format!("analyze \"{table}\"")).await?;
    tx.execute(Sql::new("delete from sqlite_stat1 where tbl = $1").with(table)).await?;
    for Assumed { index, rows_alike } in assumed {
        let figures: Vec<String> = std::iter::once(&ROWS).chain(*rows_alike).map(u32::to_string).collect();
        let insert = Sql::new("insert into sqlite_stat1 (tbl, idx, stat) values ($1, $2, $3)");
        tx.execute(insert.with(table).with(*index).with(figures.join(" "))).await?;
    }
    Ok(())
}

/// Has this connection read what was assumed.
pub async fn take_up(tx: &mut Tx) -> Result<()> {
    if tx.dialect() == Dialect::Sqlite { tx.script("analyze sqlite_schema").await } else { Ok(()) }
}
