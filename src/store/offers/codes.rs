//! Codes: handed out in blocks, each once.
//!
//! 1. A pattern's codes follow from a counter that only this file moves; a file's codes are rows that are claimed.
//! 2. Codes of one transaction that were not used go back by [`unused`] before it commits.

use crate::offers::Offer;
use crate::offers::code::{CodeSource, Key, capacity, code};
use crate::sql::{ColumnType, Sql};
use crate::store::db::{Result, StoreError, Tx};
use rand::TryRng;
use rand::rngs::SysRng;
use std::collections::HashSet;

const SECRET: &str = "offer_code_secret";

/// Rows per statement when a file of codes is read in.
const CHUNK: usize = 5_000;

/// The installation's secret, from which the order of all codes follows. Made at its first use.
///
/// # Errors
/// When the database refuses, or the operating system has no randomness.
pub async fn secret(tx: &mut Tx) -> Result<String> {
    let read = || Sql::new("select value from meta where name = $1").with(SECRET);
    if let Some(row) = tx.fetch_one(read()).await? {
        return Ok(row.text(0).to_owned());
    }
    let mut bytes = [0_u8; 32];
    SysRng.try_fill_bytes(&mut bytes).map_err(|error| StoreError::Schema(format!("no randomness: {error}")))?;
    let fresh: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    let sql = Sql::new("insert into meta (name, value) values ($1, $2) on conflict (name) do nothing");
    tx.execute(sql.with(SECRET).with(fresh)).await?;
    let row = tx.fetch_one(read()).await?;
    Ok(row.expect("the row was just made").text(0).to_owned())
}

/// Up to `count` codes of the offer, in the order in which they are to be given; fewer when they run out. An offer
/// without codes has `None` for each.
///
/// # Errors
/// When the database refuses.
pub async fn take(tx: &mut Tx, offer: &Offer, count: u64) -> Result<Vec<Option<String>>> {
    let wanted = usize::try_from(count).unwrap_or(usize::MAX);
    match &offer.code {
        _ if count == 0 => Ok(Vec::new()),
        None => Ok(vec![None; wanted]),
        Some(CodeSource::Fixed(code)) => Ok(vec![Some(code.clone()); wanted]),
        Some(CodeSource::File(_)) => claim(tx, &offer.name, count).await,
        Some(CodeSource::Pattern(pattern)) => {
            let key = Key::new(secret(tx).await?.as_bytes(), &offer.name, pattern);
            let (first, until) = advance(tx, &offer.name, capacity(pattern).unwrap_or(0), count).await?;
            Ok((first..until).map(|n| code(pattern, &key, n)).collect())
        }
    }
}

/// Moves the offer's counter on by `count`, at most to `capacity`; gives the counters that are now its caller's.
async fn advance(tx: &mut Tx, offer: &str, capacity: u64, count: u64) -> Result<(u64, u64)> {
    let sql = Sql::new(
        "insert into offer_counters (offer, used) values ($1, 0)
         on conflict (offer) do update set used = offer_counters.used returning used",
    );
    let row = tx.fetch_one(sql.with(offer)).await?;
    let first = row.map_or(0, |row| u64::try_from(row.int(0)).unwrap_or(0));
    let until = first.saturating_add(count).min(capacity).max(first);
    set_counter(tx, offer, until).await?;
    Ok((first, until))
}

async fn set_counter(tx: &mut Tx, offer: &str, used: u64) -> Result<()> {
    let used = i64::try_from(used).expect("a pattern has fewer codes than an integer holds");
    let sql = Sql::new("update offer_counters set used = $1 where offer = $2");
    tx.execute(sql.with(used).with(offer)).await.map(|_| ())
}

/// Claims free codes of the offer's file, in the file's order.
async fn claim(tx: &mut Tx, offer: &str, count: u64) -> Result<Vec<Option<String>>> {
    let count = i64::try_from(count).unwrap_or(i64::MAX);
    // Materialized: PostgreSQL may run a subquery again for each row, and each time it would lock and give other codes.
    let sql = Sql::new(format!(
        "with free as materialized (
             select code from offer_codes where offer = $1 and taken = 0 order by position, code limit $2{}
         ) update offer_codes set taken = 1 from free
         where offer_codes.offer = $1 and offer_codes.taken = 0 and offer_codes.code = free.code
         returning offer_codes.position, offer_codes.code",
        tx.dialect().skip_locked()
    ));
    let mut rows = tx.fetch(sql.with(offer).with(count)).await?;
    rows.sort_by(|a, b| (a.int(0), a.text(1)).cmp(&(b.int(0), b.text(1))));
    Ok(rows.iter().map(|row| Some(row.text(1).to_owned())).collect())
}

/// Takes back codes that [`take`] gave in this same transaction and that nobody was given: the last ones it gave.
///
/// # Errors
/// When the database refuses.
pub async fn unused(tx: &mut Tx, offer: &Offer, codes: &[Option<String>]) -> Result<()> {
    match &offer.code {
        Some(CodeSource::File(_)) => put_back(tx, &offer.name, codes.iter().flatten().map(String::as_str)).await,
        Some(CodeSource::Pattern(_)) => {
            let count = i64::try_from(codes.len()).unwrap_or(i64::MAX);
            let sql = Sql::new("update offer_counters set used = used - $1 where offer = $2 and used >= $1");
            tx.execute(sql.with(count).with(&offer.name)).await.map(|_| ())
        }
        Some(CodeSource::Fixed(_)) | None => Ok(()),
    }
}

/// Marks codes of the offer's file as free again; codes that are not of a file are left alone.
pub(super) async fn put_back<'a>(tx: &mut Tx, offer: &str, codes: impl Iterator<Item = &'a str>) -> Result<()> {
    let rows: Vec<[&str; 1]> = codes.map(|code| [code]).collect();
    if rows.is_empty() {
        return Ok(());
    }
    let listed = tx.dialect().rows("$2", &[("code", ColumnType::Text)], "r");
    let sql = Sql::new(format!(
        "update offer_codes set taken = 0 where offer = $1 and code in (select r.code from {listed})"
    ));
    tx.execute(sql.with(offer).with(json(&rows))).await.map(|_| ())
}

/// Makes the free codes of the offer those of its file: new ones are added, ones that are gone are removed unless
/// they were given. A code that stands twice in the file is one code. Gives the number of codes in the file.
///
/// # Errors
/// When the database refuses.
pub async fn sync(tx: &mut Tx, offer: &str, codes: impl IntoIterator<Item = String>) -> Result<u64> {
    let forget = Sql::new("update offer_codes set position = -1 where offer = $1 and taken = 0");
    tx.execute(forget.with(offer)).await?;
    let columns = [("code", ColumnType::Text), ("position", ColumnType::Int)];
    let text = format!(
        "insert into offer_codes (offer, code, position, taken)
         select $1, r.code, r.position, 0 from {} where true
         on conflict (offer, code) do update set position = excluded.position",
        tx.dialect().rows("$2", &columns, "r")
    );
    let mut seen = HashSet::new();
    let mut rows: Vec<(String, u64)> = Vec::new();
    for code in codes {
        if seen.insert(code.clone()) {
            rows.push((code, seen.len() as u64));
        }
        if rows.len() == CHUNK {
            tx.execute(Sql::new(&text).with(offer).with(json(&rows))).await?;
            rows.clear();
        }
    }
    tx.execute(Sql::new(&text).with(offer).with(json(&rows))).await?;
    let remove = Sql::new("delete from offer_codes where offer = $1 and taken = 0 and position = -1");
    tx.execute(remove.with(offer)).await?;
    Ok(seen.len() as u64)
}

fn json(rows: &impl serde::Serialize) -> String {
    serde_json::to_string(rows).expect("text and numbers are JSON")
}
