//! Which address has had a rule's promotional message about an occurrence. Kept as keyed hashes; whose they are and how
//! they are hashed is for `outreach::addresses`.
//!
//! 1. A place is held by a touchpoint, until that has come to nothing: then whoever comes next takes it over.
//! 2. Places are taken in the planning transaction, which holds the places of its rule from its first chunk to its end:
//!    two plans of one rule take them one after the other and never wait for each other's. Of two that could not see
//!    each other's places the second finds the place taken, and is made anew.
//! 3. A row goes with its touchpoint when a person is erased, else when its touchpoint becomes bare.

use super::db::{Db, Result, Tx};
use crate::sql::{ColumnType, Dialect, Sql};
use crate::time::Timestamp;

const TEXT: ColumnType = ColumnType::Text;
const INT: ColumnType = ColumnType::Int;

/// Whether touchpoint `t` still has its place: it may go, went, may have gone, or was held out.
const HAS_IT: &str = "(t.state not in ('skipped', 'failed', 'expired', 'cancelled') \
                      or t.state = 'failed' and t.reason = 'outcome_unknown')";

/// Holds the places of `rule` until the transaction ends. Chunks take places in whatever order customers come, so two
/// plans without it could wait for each other. SQLite has one writer.
///
/// # Errors
/// When the database refuses.
pub async fn lock(tx: &mut Tx, rule: &str) -> Result<()> {
    if tx.dialect() == Dialect::Postgres {
        let sql = "select pg_advisory_xact_lock(hashtextextended('address_places ' || $1, 0))::text";
        tx.fetch(Sql::new(sql).with(rule)).await?;
    }
    Ok(())
}

/// How many places were taken before `before`.
pub async fn old(db: &Db, before: Timestamp) -> Result<u64> {
    let row = db.fetch_one(Sql::new("select count(*) from address_places where taken_at < $1").with(before)).await?;
    Ok(row.map_or(0, |row| u64::try_from(row.int(0)).unwrap_or(0)))
}

/// Forgets one chunk of the places that were taken before `before`; gives how many. A plan that holds one of them at
/// this moment keeps it.
pub async fn forget(db: &Db, before: Timestamp, chunk: i64) -> Result<u64> {
    let free = match db.dialect() {
        Dialect::Sqlite => "",
        Dialect::Postgres => " for update skip locked",
    };
    let sql = format!(
        "delete from address_places where (bucket, address_hash, rule, occurrence) in (select bucket, address_hash, rule, \
         occurrence from address_places where taken_at < $1 order by taken_at limit $2{free})"
    );
    db.execute(Sql::new(sql).with(before).with(chunk)).await
}

/// A place that is asked about: bucket and hash of an address, and an occurrence.
pub type Asked<'a> = (i64, &'a str, &'a str);

/// Those of `asked` that are held: hash, occurrence, touchpoint.
pub fn holders(dialect: Dialect, rule: &str, asked: &[Asked<'_>]) -> Sql {
    let item = dialect.rows("$1", &[("b", INT), ("h", TEXT), ("o", TEXT)], "r");
    let text = format!(
        "select r.h, r.o, p.touchpoint from {item} cross join address_places p cross join touchpoints t \
         where p.bucket = r.b and p.address_hash = r.h and p.rule = $2 and p.occurrence = r.o \
         and t.bucket = p.holder_bucket and t.id = p.touchpoint and {HAS_IT}"
    );
    Sql::new(text).with(serde_json::to_string(asked).expect("text and integers are JSON")).with(rule)
}

/// A place that a touchpoint takes.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Take {
    pub bucket: i64,
    pub address_hash: String,
    pub occurrence: String,
    pub holder_bucket: i64,
    pub touchpoint: String,
}

/// Takes places, those over whose holders have come to nothing; gives how many were to be had.
pub async fn take(tx: &mut Tx, rule: &str, takes: &[Take], now: Timestamp) -> Result<u64> {
    if takes.is_empty() {
        return Ok(0);
    }
    let tuple = |one: &Take| {
        serde_json::json!([one.bucket, one.address_hash, one.occurrence, one.holder_bucket, one.touchpoint])
    };
    let data = serde_json::Value::Array(takes.iter().map(tuple).collect()).to_string();
    let columns = [("b", INT), ("h", TEXT), ("o", TEXT), ("hb", INT), ("t", TEXT)];
    let text = format!(
        "insert into address_places (bucket, address_hash, rule, occurrence, holder_bucket, touchpoint, taken_at) \
         select r.b, r.h, $2, r.o, r.hb, r.t, $3 from {} where true order by r.b, r.h, r.o \
         on conflict (bucket, address_hash, rule, occurrence) do update set \
         holder_bucket = excluded.holder_bucket, touchpoint = excluded.touchpoint, taken_at = excluded.taken_at \
         where address_places.touchpoint = excluded.touchpoint or not exists (select 1 from touchpoints t \
         where t.bucket = address_places.holder_bucket and t.id = address_places.touchpoint and {HAS_IT})",
        tx.dialect().rows("$1", &columns, "r")
    );
    tx.execute(Sql::new(text).with(data).with(rule).with(now)).await
}
