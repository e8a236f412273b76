//! The offers' ledger: budgets here, [`codes`], [`grants`], the [`room`] that is left, the [`summary`] and the
//! [`latest`] grants beside it.
//!
//! 1. A budget is never overspent: what is taken is taken by an update on condition that it fits, under the lock of
//!    the offer's `total` row. The row lives in the same transaction as the grants it pays for, so a crash leaks
//!    nothing and a rollback gives back everything.
//! 2. Locks are taken in one order: the offer's `total` row, then its days, then its counter, its codes, its grants.
//!    A transaction that takes from several offers calls [`lock`] for all of them first.
//! 3. Sending never waits for planning: [`grants::settle`] touches grants alone. What it frees goes back to the
//!    budgets by [`put_back`], in short transactions of its own.

pub mod codes;
pub mod grants;
pub mod latest;
pub mod room;
pub mod summary;

use self::room::Room;
use super::db::{Db, Result, StoreError, Tx};
use crate::offers::grant::GrantState;
use crate::offers::{Offer, Spent, Unused};
use crate::sql::Sql;
use crate::time::{Date, Timestamp};
use std::collections::BTreeMap;

/// The period of the budget that is never renewed.
const TOTAL: &str = "total";

/// Locks the budgets of `offers` for `day`, in the order that keeps transactions from waiting in a circle.
///
/// # Errors
/// When the database refuses.
pub async fn lock(tx: &mut Tx, offers: &[&Offer], day: Date) -> Result<()> {
    let mut names: Vec<&str> = offers.iter().map(|offer| offer.name.as_str()).collect();
    names.sort_unstable();
    names.dedup();
    for name in names {
        taken(tx, name, day).await?;
    }
    Ok(())
}

/// What is taken of the total and of the day, both rows locked until the transaction ends.
async fn taken(tx: &mut Tx, offer: &str, day: Date) -> Result<(i64, i64)> {
    let sql = Sql::new(
        "insert into offer_budgets (offer, period, taken) values ($1, $2, 0), ($1, $3, 0)
         on conflict (offer, period) do update set taken = offer_budgets.taken
         returning period, taken",
    );
    let rows = tx.fetch(sql.with(offer).with(TOTAL).with(day.to_string())).await?;
    let of = |total: bool| rows.iter().filter(|row| (row.text(0) == TOTAL) == total).map(|row| row.int(1)).sum();
    Ok((of(true), of(false)))
}

/// Takes the cost of up to `want` grants out of the offer's budget of `day` (the business's calendar day) and its
/// total; gives how many it had room for, and which of the two has none beyond that.
///
/// # Errors
/// When the database refuses.
pub async fn reserve_block(tx: &mut Tx, offer: &Offer, day: Date, want: u64) -> Result<Room> {
    if offer.cost <= 0 || want == 0 {
        return Ok(Room { left: want, until: Spent::Total });
    }
    let (total_cap, day_cap) = (offer.budget.total.unwrap_or(i64::MAX), offer.budget.per_day.unwrap_or(i64::MAX));
    let (of_total, of_day) = taken(tx, &offer.name, day).await?;
    let of_total = total_cap.saturating_sub(of_total) / offer.cost;
    let of_day = day_cap.saturating_sub(of_day) / offer.cost;
    let until = if of_total <= of_day { Spent::Total } else { Spent::Day };
    let granted = of_total.min(of_day).clamp(0, i64::try_from(want).unwrap_or(i64::MAX));
    let room = Room { left: u64::try_from(granted).expect("not negative"), until };
    if granted == 0 {
        return Ok(room);
    }
    let sql = Sql::new(
        "update offer_budgets set taken = taken + $1
         where offer = $2 and (period = $3 and taken <= $4 - $1 or period = $5 and taken <= $6 - $1)",
    );
    let sql = sql.with(granted.saturating_mul(offer.cost)).with(&offer.name);
    let sql = sql.with(TOTAL).with(total_cap).with(day.to_string()).with(day_cap);
    match tx.execute(sql).await? {
        2 => Ok(room),
        _ => Err(StoreError::Schema(format!("the budget of the offer `{}` changed under its lock", offer.name))),
    }
}

/// Gives back the cost of `count` grants that were reserved in this transaction and not used.
///
/// # Errors
/// When the database refuses.
pub async fn give_back(tx: &mut Tx, offer: &Offer, day: Date, count: u64) -> Result<()> {
    let cost = offer.cost.saturating_mul(i64::try_from(count).unwrap_or(i64::MAX));
    return_costs(tx, &offer.name, &BTreeMap::from([(day.to_string(), cost)])).await
}

/// Puts the cost of each day back into that day's budget and the total.
async fn return_costs(tx: &mut Tx, offer: &str, costs: &BTreeMap<String, i64>) -> Result<()> {
    let total: i64 = costs.values().sum();
    let periods = std::iter::once((TOTAL, total)).chain(costs.iter().map(|(day, cost)| (day.as_str(), *cost)));
    for (period, cost) in periods.filter(|(_, cost)| *cost > 0) {
        let sql = Sql::new("update offer_budgets set taken = taken - $1 where offer = $2 and period = $3");
        tx.execute(sql.with(cost).with(offer).with(period)).await?;
    }
    Ok(())
}

/// Puts back what was freed since the last time: cost into the budgets, codes of files among the free ones. One short
/// transaction for each offer that has any; gives the number of grants. Runs after deliveries and after a cancel.
///
/// # Errors
/// When the database refuses; what was committed stays.
pub async fn put_back(db: &Db) -> Result<u64> {
    let sql = Sql::new("select distinct offer from offer_grants where state = 'freed' order by offer");
    let mut count = 0;
    for row in db.fetch(sql).await? {
        let offer = row.text(0);
        let mut tx = db.begin().await?;
        lock_total(&mut tx, offer).await?;
        let sql = Sql::new(
            "update offer_grants set state = 'released' where offer = $1 and state = 'freed' returning day, cost, code",
        );
        let freed = tx.fetch(sql.with(offer)).await?;
        let costs = costs_by_day(freed.iter().map(|row| (row.text(0), row.int(1))));
        return_costs(&mut tx, offer, &costs).await?;
        codes::put_back(&mut tx, offer, freed.iter().filter_map(|row| row.opt_text(2))).await?;
        tx.commit().await?;
        count += freed.len() as u64;
    }
    Ok(count)
}

/// Ends the grants of `offer` that were not used by `now`; their cost stays or goes back as the offer says. Gives
/// their number.
///
/// # Errors
/// When the database refuses.
pub async fn expire(db: &Db, offer: &Offer, now: Timestamp) -> Result<u64> {
    let over = "from offer_grants where offer = $1 and state = 'spent' and expires_at <= $2";
    let any = db.fetch_one(Sql::new(format!("select 1 {over} limit 1")).with(&offer.name).with(now)).await?;
    if any.is_none() {
        return Ok(0);
    }
    let state = match offer.unused {
        Unused::Keep => GrantState::Expired,
        Unused::Return => GrantState::Lapsed,
    };
    let mut tx = db.begin().await?;
    lock_total(&mut tx, &offer.name).await?;
    let sql = Sql::new(
        "update offer_grants set state = $3, settled_at = $2
         where offer = $1 and state = 'spent' and expires_at <= $2 returning day, cost",
    );
    let ended = tx.fetch(sql.with(&offer.name).with(now).with(state.as_str())).await?;
    if !state.counts_in_budget() {
        let costs = costs_by_day(ended.iter().map(|row| (row.text(0), row.int(1))));
        return_costs(&mut tx, &offer.name, &costs).await?;
    }
    tx.commit().await?;
    Ok(ended.len() as u64)
}

async fn lock_total(tx: &mut Tx, offer: &str) -> Result<()> {
    let sql = Sql::new("update offer_budgets set taken = taken where offer = $1 and period = $2");
    tx.execute(sql.with(offer).with(TOTAL)).await.map(|_| ())
}

fn costs_by_day<'a>(costs: impl Iterator<Item = (&'a str, i64)>) -> BTreeMap<String, i64> {
    let mut by_day = BTreeMap::new();
    for (day, cost) in costs {
        *by_day.entry(day.to_owned()).or_insert(0) += cost;
    }
    by_day
}

#[cfg(test)]
mod tests;
