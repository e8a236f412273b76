//! Who owns the buckets: leases with an epoch, so that a daemon that was away too long writes nothing.

use super::db::{Db, Result, Tx};
use crate::ids::BUCKETS;
use crate::sql::{ColumnType, Dialect, Sql};
use crate::time::Timestamp;
use std::collections::HashSet;

/// A daemon's hold on all buckets. Everything it writes is guarded by its epoch.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Lease {
    pub owner: String,
    pub epoch: i64,
}

/// Who holds the buckets, as others see it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Holder {
    pub owner: String,
    pub until: Timestamp,
}

/// Whoever takes buckets over waits for the transactions that have locked them; renewing a lease does not.
const fn exclusive(tx: &Tx) -> &'static str {
    match tx.dialect() {
        Dialect::Sqlite => "",
        Dialect::Postgres => " for update",
    }
}

/// Takes every bucket whose lease has ended (all of them with `by_force`, for a process that holds the file lock of
/// its SQLite database and so knows that no other lives). `None` while another daemon holds them.
pub async fn acquire(db: &Db, owner: &str, now: Timestamp, until: Timestamp, by_force: bool) -> Result<Option<Lease>> {
    let mut tx = db.begin().await?;
    let buckets = match tx.dialect() {
        Dialect::Sqlite => format!(
            "with recursive b(n) as (select 0 union all select n + 1 from b where n < {}) select n from b",
            BUCKETS - 1
        ),
        Dialect::Postgres => format!("select n from generate_series(0, {}) as b(n)", BUCKETS - 1),
    };
    let fill = format!(
        "insert into leases (bucket, owner, epoch, lease_until) select n, '', 0, 0 from ({buckets}) as n where true on conflict do nothing"
    );
    tx.execute(Sql::new(fill)).await?;
    let free = format!(
        "select epoch from leases where lease_until < $1 or owner = $2 or $3 = 1 order by bucket{}",
        exclusive(&tx)
    );
    let free = tx.fetch(Sql::new(free).with(now).with(owner).with(i64::from(by_force))).await?;
    if i64::try_from(free.len()).unwrap_or(0) < BUCKETS {
        return Ok(None);
    }
    let epoch = free.iter().map(|row| row.int(0)).max().unwrap_or(0) + 1;
    let take = Sql::new("update leases set owner = $1, epoch = $2, lease_until = $3");
    tx.execute(take.with(owner).with(epoch).with(until)).await?;
    tx.commit().await?;
    Ok(Some(Lease { owner: owner.to_owned(), epoch }))
}

/// Holds on until `until`. False when the lease was lost: the daemon must stop writing.
pub async fn renew(db: &Db, lease: &Lease, until: Timestamp) -> Result<bool> {
    let sql = Sql::new("update leases set lease_until = $1 where owner = $2 and epoch = $3");
    let renewed = db.execute(sql.with(until).with(&lease.owner).with(lease.epoch)).await?;
    Ok(i64::try_from(renewed).unwrap_or(0) == BUCKETS)
}

/// Lets go of every bucket, so that a waiting daemon need not wait for the lease to end.
pub async fn release(db: &Db, lease: &Lease) -> Result<()> {
    let sql = Sql::new("update leases set lease_until = 0 where owner = $1 and epoch = $2");
    db.execute(sql.with(&lease.owner).with(lease.epoch)).await.map(|_| ())
}

/// Locks the lease rows of buckets `from..=until` in this transaction. False when they are no longer ours: the caller
/// drops the transaction and walks away.
pub async fn lock(tx: &mut Tx, lease: &Lease, from: i64, until: i64) -> Result<bool> {
    let shared = match tx.dialect() {
        Dialect::Sqlite => "",
        Dialect::Postgres => " for key share",
    };
    let sql = format!(
        "select count(*) from (select bucket from leases where bucket between $1 and $2 and owner = $3 \
         and epoch = $4{shared}) as held"
    );
    let row = tx.fetch_one(Sql::new(sql).with(from).with(until).with(&lease.owner).with(lease.epoch)).await?;
    Ok(row.is_some_and(|row| row.int(0) == until - from + 1))
}

/// As [`lock`], for just these buckets.
pub async fn lock_some(tx: &mut Tx, lease: &Lease, buckets: &HashSet<i64>) -> Result<bool> {
    let row = tx.fetch_one(held(tx.dialect(), lease, buckets)).await?;
    Ok(row.is_some_and(|row| usize::try_from(row.int(0)) == Ok(buckets.len())))
}

/// Locks the lease rows of these buckets and counts those that are ours.
pub fn held(dialect: Dialect, lease: &Lease, buckets: &HashSet<i64>) -> Sql {
    let shared = match dialect {
        Dialect::Sqlite => "",
        Dialect::Postgres => " for key share of l",
    };
    let wanted: Vec<[i64; 1]> = buckets.iter().map(|bucket| [*bucket]).collect();
    let item = dialect.rows("$1", &[("bucket", ColumnType::Int)], "r");
    let rows = serde_json::to_string(&wanted).expect("integers serialise");
    Sql::new(format!(
        "select count(*) from (select l.bucket from leases l join {item} on r.bucket = l.bucket \
         where l.owner = $2 and l.epoch = $3{shared}) as held"
    ))
    .with(rows)
    .with(&lease.owner)
    .with(lease.epoch)
}

/// The daemon that holds the buckets, if one does.
pub async fn holder(db: &Db) -> Result<Option<Holder>> {
    let row = db
        .fetch_one(Sql::new("select owner, lease_until from leases order by lease_until desc, bucket limit 1"))
        .await?;
    Ok(row
        .filter(|row| row.int(1) > 0)
        .map(|row| Holder { owner: row.text(0).to_owned(), until: Timestamp::from_micros(row.int(1)) }))
}
