//! Addresses that are not written to: kept as keyed hashes, shown masked.
//!
//! Which address, in which form, and how it is hashed is for `data::suppress`.
//!
//! 1. Each reason to suppress an address stands for itself: what lifts one leaves the others.
//! 2. Adding never shortens: a suppression for ever stays one.

use super::db::{Db, Result, Row, Tx};
use crate::sql::{ColumnType, Sql};
use crate::time::Timestamp;
use futures_util::stream::{BoxStream, StreamExt};
use std::collections::BTreeMap;

/// One reason not to write to an address. Made with [`Suppression::of`], so that what it can prove may grow.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Suppression {
    pub address_hash: String,
    /// See [`crate::contact::is_covered`].
    pub scope: String,
    /// The address, masked.
    pub shown: String,
    /// A word of [`crate::contact::Ground`], or the words of whoever asked for it.
    pub reason: String,
    pub at: Timestamp,
    /// Where it came from: `webhook relay`, `reply`, `support: Ann`.
    pub source: String,
    /// Whatever proves it: a reply word for word, a bounce's text.
    pub evidence: Option<String>,
    /// From when on it no longer counts; for ever where absent.
    pub expires_at: Option<Timestamp>,
}

impl Suppression {
    /// That an address is not written to within a scope, for ever, and why.
    pub fn of(address_hash: &str, scope: &str, shown: &str, reason: &str, at: Timestamp, source: &str) -> Self {
        Self {
            address_hash: address_hash.to_owned(),
            scope: scope.to_owned(),
            shown: shown.to_owned(),
            reason: reason.to_owned(),
            at,
            source: source.to_owned(),
            evidence: None,
            expires_at: None,
        }
    }

    #[must_use]
    pub fn proved_by(self, evidence: Option<String>) -> Self {
        Self { evidence, ..self }
    }

    #[must_use]
    pub fn until(self, expires_at: Option<Timestamp>) -> Self {
        Self { expires_at, ..self }
    }
}

const KEY: &str = "suppression_key";

/// The key under which addresses are hashed, in hexadecimal; `made` becomes it where there is none yet.
pub async fn key(db: &Db, made: impl FnOnce() -> String) -> Result<String> {
    if let Some(row) = db.fetch_one(Sql::new("select value from meta where name = $1").with(KEY)).await? {
        return Ok(row.text(0).to_owned());
    }
    let mut tx = db.begin().await?;
    let insert = "insert into meta (name, value) values ($1, $2) on conflict do nothing";
    tx.execute(Sql::new(insert).with(KEY).with(made())).await?;
    // Whoever was first has set it.
    let row = tx.fetch_one(Sql::new("select value from meta where name = $1").with(KEY)).await?;
    tx.commit().await?;
    Ok(row.expect("it has just been set").text(0).to_owned())
}

const COLUMNS: [(&str, ColumnType); 8] = [
    ("address_hash", ColumnType::Text),
    ("scope", ColumnType::Text),
    ("shown", ColumnType::Text),
    ("reason", ColumnType::Text),
    ("at", ColumnType::Int),
    ("source", ColumnType::Text),
    ("evidence", ColumnType::Text),
    ("expires_at", ColumnType::Int),
];

/// Adds suppressions. Of one that is there already (same address, scope and reason) the later end counts, and what was
/// said first stays. Gives how many were new or last longer now.
pub async fn add(tx: &mut Tx, suppressions: &[Suppression]) -> Result<u64> {
    // A statement must not meet one row twice: of several in one batch the one that lasts longest is added.
    let mut rows: BTreeMap<(&str, &str, &str), &Suppression> = BTreeMap::new();
    for one in suppressions {
        let kept = rows.entry((&one.address_hash, &one.scope, &one.reason)).or_insert(one);
        if kept.expires_at.is_some_and(|end| one.expires_at.is_none_or(|later| later > end)) {
            *kept = one;
        }
    }
    let tuple = |s: &&Suppression| {
        let (at, end) = (s.at.micros(), s.expires_at.map(Timestamp::micros));
        serde_json::json!([s.address_hash, s.scope, s.shown, s.reason, at, s.source, s.evidence, end])
    };
    let json = serde_json::Value::Array(rows.values().map(tuple).collect()).to_string();
    let item = tx.dialect().rows("$1", &COLUMNS, "r");
    let names = names("");
    let text = format!(
        "insert into suppressions ({names}) select {names} from {item} where true \
         on conflict (address_hash, scope, reason) do update set expires_at = excluded.expires_at \
         where suppressions.expires_at is not null \
         and (excluded.expires_at is null or excluded.expires_at > suppressions.expires_at)"
    );
    super::stops::raise(tx).await?;
    tx.execute(Sql::new(text).with(json)).await
}

/// The columns by name, each after `alias`.
fn names(alias: &str) -> String {
    COLUMNS.map(|(name, _)| format!("{alias}{name}")).join(", ")
}

/// Takes away the suppression of an address with this scope and reason. Gives how many there were.
pub async fn lift(tx: &mut Tx, address_hash: &str, scope: &str, reason: &str) -> Result<u64> {
    let text = "delete from suppressions where address_hash = $1 and scope = $2 and reason = $3";
    tx.execute(Sql::new(text).with(address_hash).with(scope).with(reason)).await
}

/// Takes away every suppression of an address. Gives how many there were.
pub async fn remove_in(tx: &mut Tx, address_hash: &str) -> Result<u64> {
    tx.execute(Sql::new("delete from suppressions where address_hash = $1").with(address_hash)).await
}

/// Whether anything is suppressed at all: where nothing is, no address need be hashed.
pub async fn is_any(db: &Db) -> Result<bool> {
    Ok(db.fetch_one(Sql::new("select 1 from suppressions limit 1")).await?.is_some())
}

/// The suppressions of a batch of addresses that count at `now`, by hash, in one statement.
pub async fn lookup(db: &Db, hashes: &[String], now: Timestamp) -> Result<Vec<Suppression>> {
    let rows: Vec<[&str; 1]> = hashes.iter().map(|hash| [hash.as_str()]).collect();
    let item = db.dialect().rows("$1", &[("h", ColumnType::Text)], "r");
    let text = format!(
        "select {} from {item} cross join suppressions as s where s.address_hash = r.h \
         and (s.expires_at is null or s.expires_at > $2)",
        names("s.")
    );
    let json = serde_json::to_string(&rows).expect("text is JSON");
    Ok(db.fetch(Sql::new(text).with(json).with(now)).await?.iter().map(read).collect())
}

/// Which suppressions are listed; all where nothing is said.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Filter {
    pub address_hash: Option<String>,
    pub scope: Option<String>,
    pub reason: Option<String>,
    /// Written down at this time or later.
    pub since: Option<Timestamp>,
}

/// The suppressions that a filter lets pass, those that have ended among them; the newest first.
pub fn list(db: &Db, filter: &Filter) -> BoxStream<'static, Result<Suppression>> {
    let text = format!(
        "select {} from suppressions as s where s.address_hash = coalesce($1, s.address_hash) \
         and s.scope = coalesce($2, s.scope) and s.reason = coalesce($3, s.reason) and s.at >= $4 \
         order by s.at desc, s.shown, s.scope, s.reason",
        names("s.")
    );
    let since = filter.since.map_or(i64::MIN, Timestamp::micros);
    let sql = Sql::new(text).with(filter.address_hash.clone()).with(filter.scope.clone());
    db.stream(sql.with(filter.reason.clone()).with(since)).map(|row| row.map(|row| read(&row))).boxed()
}

fn read(row: &Row) -> Suppression {
    let at = Timestamp::from_micros(row.int(4));
    Suppression::of(row.text(0), row.text(1), row.text(2), row.text(3), at, row.text(5))
        .proved_by(row.opt_text(6).map(str::to_owned))
        .until(row.opt_int(7).map(Timestamp::from_micros))
}
