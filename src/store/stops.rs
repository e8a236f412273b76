//! The count of stops: suppressions, refusals, pauses. What raised it before a message is marked as about to be sent is
//! heard by that message.
//!
//! 1. Whatever can stop a message raises the count in the transaction that writes it down.
//! 2. The transaction that marks messages reads it locked: a stop is committed before the mark and is heard, or after
//!    it and comes too late, and nothing is in between. (SQLite has one writer and needs no lock.)

use super::db::{Db, Result, Tx};
use crate::sql::{Dialect, Sql};

/// Raises the count: from here on nothing goes that was looked at before this transaction was committed.
pub async fn raise(tx: &mut Tx) -> Result<()> {
    tx.execute(Sql::new("update stops set generation = generation + 1")).await.map(|_| ())
}

/// The count as it is committed. Noted before a message is looked at.
pub async fn generation(db: &Db) -> Result<i64> {
    Ok(db.fetch_one(Sql::new("select generation from stops")).await?.map_or(0, |row| row.int(0)))
}

/// Reads the count and holds it until the transaction ends.
pub fn held(dialect: Dialect) -> Sql {
    let shared = match dialect {
        Dialect::Sqlite => "",
        Dialect::Postgres => " for share",
    };
    Sql::new(format!("select generation from stops{shared}"))
}
