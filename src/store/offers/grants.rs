//! Grants: written with the touchpoints that carry them, settled with what became of these, redeemed by their code.

use super::{codes, costs_by_day, lock_total, return_costs};
use crate::offers::grant::{Grant, GrantState, Shown};
use crate::offers::{Offer, Spent};
use crate::sql::{ColumnType, Sql};
use crate::store::db::{Db, Result, StoreError, Tx};
use crate::time::{Date, Span, Timestamp};
use std::collections::{BTreeMap, HashMap};

const KEYS: [(&str, ColumnType); 2] = [("bucket", ColumnType::Int), ("touchpoint", ColumnType::Text)];

/// What was taken for a chunk of candidates.
pub struct Block {
    /// One code (or none, for an offer without codes) for each grant that is paid for, in the order in which they are
    /// to be given.
    pub codes: Vec<Option<String>>,
    /// What there is no more of behind them, where they are fewer than were wanted.
    pub until: Spent,
}

/// Takes up to `want` grants of `offer` out of its budgets and codes.
///
/// # Errors
/// When the database refuses.
pub async fn take(tx: &mut Tx, offer: &Offer, day: Date, want: u64) -> Result<Block> {
    if want == 0 {
        return Ok(Block { codes: Vec::new(), until: Spent::Total });
    }
    let paid = super::reserve_block(tx, offer, day, want).await?;
    let codes = codes::take(tx, offer, paid.left).await?;
    let unpaid = paid.left - codes.len() as u64;
    super::give_back(tx, offer, day, unpaid).await?;
    Ok(Block { codes, until: if unpaid > 0 { Spent::Codes } else { paid.until } })
}

/// Gives back the rest of what [`take`] gave in this same transaction: the codes at the end that nobody was given.
///
/// # Errors
/// When the database refuses.
pub async fn give_back(tx: &mut Tx, offer: &Offer, day: Date, rest: &[Option<String>]) -> Result<()> {
    super::give_back(tx, offer, day, rest.len() as u64).await?;
    codes::unused(tx, offer, rest).await
}

/// Writes the grants of a chunk of planned touchpoints, as reserved, by one statement. A touchpoint whose earlier grant
/// was freed (it was skipped, and is planned again) gets the new one.
///
/// # Errors
/// When the database refuses, or when a touchpoint holds a grant already.
pub async fn insert(tx: &mut Tx, grants: &[Grant]) -> Result<()> {
    if grants.is_empty() {
        return Ok(());
    }
    put_back_freed(tx, grants).await?;
    let (text, int) = (ColumnType::Text, ColumnType::Int);
    let columns = [
        ("bucket", int),
        ("touchpoint", text),
        ("offer", text),
        ("code", text),
        ("customer", text),
        ("cost", int),
        ("value", int),
        ("day", text),
        ("granted_at", int),
        ("expires_at", int),
    ];
    let names = columns.map(|(name, _)| name).join(", ");
    let sql = Sql::new(format!(
        "insert into offer_grants ({names}, state) select {names}, 'reserved' from {} where true
         on conflict (bucket, touchpoint) do update set
             offer = excluded.offer, code = excluded.code, customer = excluded.customer, cost = excluded.cost,
             value = excluded.value, day = excluded.day, granted_at = excluded.granted_at,
             expires_at = excluded.expires_at, state = excluded.state, settled_at = null
         where offer_grants.state = 'released'",
        tx.dialect().rows("$1", &columns, "r")
    ));
    let row = |grant: &Grant| {
        serde_json::json!([
            grant.bucket,
            grant.touchpoint,
            grant.offer,
            grant.code,
            grant.customer,
            grant.cost,
            grant.value,
            grant.day.to_string(),
            grant.granted_at.micros(),
            grant.expires_at.map(Timestamp::micros),
        ])
    };
    let rows = serde_json::Value::Array(grants.iter().map(row).collect());
    match tx.execute(sql.with(rows.to_string())).await? {
        written if written == grants.len() as u64 => Ok(()),
        written => Err(StoreError::Schema(format!(
            "{} of {} touchpoints hold a grant already",
            grants.len() as u64 - written,
            grants.len()
        ))),
    }
}

/// Puts back the freed grants of the same touchpoints, which are about to be written over.
async fn put_back_freed(tx: &mut Tx, grants: &[Grant]) -> Result<()> {
    let keys: Vec<_> = grants.iter().map(|grant| (grant.bucket, &grant.touchpoint)).collect();
    let keys = serde_json::to_string(&keys).expect("numbers and text are JSON");
    let of_these = format!(
        "state = 'freed' and (bucket, touchpoint) in (select r.bucket, r.touchpoint from {})",
        tx.dialect().rows("$1", &KEYS, "r")
    );
    let freed = Sql::new(format!("select distinct offer from offer_grants where {of_these} order by offer"));
    for row in tx.fetch(freed.with(&keys)).await? {
        let offer = row.text(0);
        lock_total(tx, offer).await?;
        let sql = Sql::new(format!(
            "update offer_grants set state = 'released' where {of_these} and offer = $2 returning day, cost, code"
        ));
        let released = tx.fetch(sql.with(&keys).with(offer)).await?;
        let costs = costs_by_day(released.iter().map(|row| (row.text(0), row.int(1))));
        return_costs(tx, offer, &costs).await?;
        codes::put_back(tx, offer, released.iter().filter_map(|row| row.opt_text(2))).await?;
    }
    Ok(())
}

/// Says of touchpoints (bucket, id) whether their words were seen: a reserved grant is spent or freed. Touchpoints
/// without a reserved grant are left alone. Gives the number of grants settled.
///
/// # Errors
/// When the database refuses.
pub async fn settle(tx: &mut Tx, fates: &[(i64, &str, Shown)], now: Timestamp) -> Result<u64> {
    if fates.is_empty() {
        return Ok(0);
    }
    let rows: Vec<_> = fates.iter().map(|(bucket, id, shown)| (bucket, id, shown.state().as_str())).collect();
    let columns = [KEYS[0], KEYS[1], ("state", ColumnType::Text)];
    let sql = Sql::new(format!(
        "update offer_grants set state = r.state, settled_at = $2 from {}
         where offer_grants.bucket = r.bucket and offer_grants.touchpoint = r.touchpoint
           and offer_grants.state = 'reserved'",
        tx.dialect().rows("$1", &columns, "r")
    ));
    tx.execute(sql.with(serde_json::to_string(&rows).expect("numbers and text are JSON")).with(now)).await
}

/// Appends a number: how many of `offer` the customer has had within `per` before `now`. `bucket` and `customer` are
/// SQL expressions of the statement around it.
pub fn write_given(sql: &mut Sql, offer: &str, per: Option<Span>, now: Timestamp, bucket: &str, customer: &str) {
    let since = per.map_or(Timestamp::from_micros(i64::MIN), |per| now.minus(per));
    sql.push(&format!(
        "(select count(*) from offer_grants g where g.bucket = {bucket} and g.customer = {customer} and g.offer = "
    ));
    sql.bind(offer).push(" and g.granted_at > ").bind(since).push(" and g.state not in ('freed', 'released'))");
}

/// How many of `offer` each of these customers (bucket, id) has had within its limit's span before `now`; a customer
/// who is not in the answer has had none.
///
/// # Errors
/// When the database refuses.
pub async fn given(
    tx: &mut Tx,
    offer: &Offer,
    customers: &[(i64, &str)],
    now: Timestamp,
) -> Result<HashMap<String, u64>> {
    let columns = [("bucket", ColumnType::Int), ("customer", ColumnType::Text)];
    let mut sql = Sql::default();
    let rows = sql.reserve(serde_json::to_string(customers).expect("numbers and text are JSON"));
    let item = tx.dialect().rows(&rows, &columns, "r");
    sql.push("select customer, given from (select r.customer, ");
    let per = offer.per_customer.and_then(|limit| limit.per);
    write_given(&mut sql, &offer.name, per, now, "r.bucket", "r.customer");
    sql.push(&format!(" as given from {item}) as counted where given > 0"));
    let rows = tx.fetch(sql).await?;
    Ok(rows.iter().map(|row| (row.text(0).to_owned(), u64::try_from(row.int(1)).unwrap_or(0))).collect())
}

/// What became of `redeem CODE`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Redemption {
    Redeemed(Redeemed),
    /// Nobody was given this code.
    Unknown,
    /// It was redeemed before, at this instant.
    Already(Timestamp),
    /// It was valid until this instant.
    Expired(Timestamp),
    /// So many customers share the code that a redemption cannot be told apart.
    Shared(u64),
}

/// Whose grant was redeemed.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Redeemed {
    pub bucket: i64,
    pub touchpoint: String,
    pub offer: String,
    pub customer: String,
}

/// Marks the grant of `code` as used. The code is taken as typed or in capitals, without blanks around it.
///
/// # Errors
/// When the database refuses.
pub async fn redeem(db: &Db, code: &str, now: Timestamp) -> Result<Redemption> {
    let typed = code.trim();
    let mut tx = db.begin().await?;
    let sql = Sql::new(
        "select bucket, touchpoint, offer, customer, state, expires_at, settled_at from offer_grants
         where code in ($1, $2) and state not in ('freed', 'released')",
    );
    let rows = tx.fetch(sql.with(typed).with(typed.to_uppercase())).await?;
    let [row] = &rows[..] else {
        return Ok(if rows.is_empty() { Redemption::Unknown } else { Redemption::Shared(rows.len() as u64) });
    };
    let ended = |index| Timestamp::from_micros(row.opt_int(index).unwrap_or(now.micros()));
    let expired = row.opt_int(5).is_some_and(|until| until <= now.micros());
    if row.text(4) == GrantState::Redeemed.as_str() {
        return Ok(Redemption::Already(ended(6)));
    }
    if expired {
        return Ok(Redemption::Expired(ended(5)));
    }
    let sql = Sql::new(
        "update offer_grants set state = 'redeemed', settled_at = $1
         where bucket = $2 and touchpoint = $3 and state in ('reserved', 'spent')",
    );
    let touched = tx.execute(sql.with(now).with(row.int(0)).with(row.text(1))).await?;
    tx.commit().await?;
    Ok(if touched == 1 {
        Redemption::Redeemed(Redeemed {
            bucket: row.int(0),
            touchpoint: row.text(1).to_owned(),
            offer: row.text(2).to_owned(),
            customer: row.text(3).to_owned(),
        })
    } else {
        Redemption::Already(now)
    })
}

/// Costs that the grants hold in the budget of each period, as the ledger's rows have it; equal to what is taken.
///
/// # Errors
/// When the database refuses.
pub async fn held(db: &Db, offer: &str) -> Result<BTreeMap<String, i64>> {
    let sql = Sql::new(
        "select day, cast(sum(cost) as bigint) from offer_grants
         where offer = $1 and state not in ('lapsed', 'released') group by day",
    );
    let rows = db.fetch(sql.with(offer)).await?;
    let mut held: BTreeMap<String, i64> = rows.iter().map(|row| (row.text(0).to_owned(), row.int(1))).collect();
    held.insert(super::TOTAL.to_owned(), held.values().sum());
    Ok(held)
}
