//! How many more of an offer could be given, for those who only look: what a tick at that instant would find.
//!
//! 1. The same rows that [`super::reserve_block`] takes from, read without a lock.
//! 2. What a tick puts back before it begins (freed grants, those that end unused) counts as put back.

use crate::offers::code::{CodeSource, capacity};
use crate::offers::{Offer, Spent, Unused};
use crate::sql::Sql;
use crate::store::db::{Db, Result};
use crate::time::{Date, Timestamp};

/// How many more can be given, and what it is that there is no more of then.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Room {
    pub left: u64,
    pub until: Spent,
}

/// How many grants of `offer` a tick at `at` could give; `None` where nothing limits them.
///
/// # Errors
/// When the database refuses.
pub async fn room(db: &Db, offer: &Offer, day: Date, at: Timestamp) -> Result<Option<Room>> {
    let paid = paid(db, offer, day, at).await?;
    let codes = codes(db, offer).await?.map(|left| Room { left, until: Spent::Codes });
    Ok(paid.into_iter().chain(codes).min())
}

/// What the budgets have room for.
async fn paid(db: &Db, offer: &Offer, day: Date, at: Timestamp) -> Result<Option<Room>> {
    if offer.cost <= 0 || (offer.budget.total.is_none() && offer.budget.per_day.is_none()) {
        return Ok(None);
    }
    let day = day.to_string();
    let taken = Sql::new("select period, taken from offer_budgets where offer = $1 and period in ('total', $2)");
    let taken = db.fetch(taken.with(&offer.name).with(&day)).await?;
    let taken_of = |period: &str| taken.iter().filter(|row| row.text(0) == period).map(|row| row.int(1)).sum::<i64>();
    let ending = match offer.unused {
        Unused::Return => " or (state = 'spent' and expires_at <= $3)",
        Unused::Keep => "",
    };
    let back = format!(
        "select cast(coalesce(sum(cost), 0) as bigint), \
         cast(coalesce(sum(case when day = $2 then cost else 0 end), 0) as bigint) \
         from offer_grants where offer = $1 and (state = 'freed'{ending})"
    );
    let mut back = Sql::new(back).with(&offer.name).with(&day);
    if offer.unused == Unused::Return {
        back = back.with(at);
    }
    let back = db.fetch_one(back).await?;
    let (back, back_today) = back.map_or((0, 0), |row| (row.int(0), row.int(1)));
    let room = |cap: Option<i64>, taken: i64, back: i64, until: Spent| {
        let left = cap?.saturating_sub(taken - back) / offer.cost;
        Some(Room { left: u64::try_from(left).unwrap_or(0), until })
    };
    let of_total = room(offer.budget.total, taken_of("total"), back, Spent::Total);
    let of_day = room(offer.budget.per_day, taken_of(&day), back_today, Spent::Day);
    Ok(of_total.into_iter().chain(of_day).min())
}

/// How many codes there are to give.
async fn codes(db: &Db, offer: &Offer) -> Result<Option<u64>> {
    let (sql, all) = match &offer.code {
        None | Some(CodeSource::Fixed(_)) => return Ok(None),
        Some(CodeSource::File(_)) => (
            "select (select count(*) from offer_codes where offer = $1 and taken = 0) + (select count(*) \
             from offer_grants g join offer_codes c on c.offer = g.offer and c.code = g.code \
             where g.offer = $1 and g.state = 'freed')",
            None,
        ),
        Some(CodeSource::Pattern(pattern)) => {
            ("select used from offer_counters where offer = $1", Some(capacity(pattern).unwrap_or(0)))
        }
    };
    let row = db.fetch_one(Sql::new(sql).with(&offer.name)).await?;
    let count = row.map_or(0, |row| u64::try_from(row.int(0)).unwrap_or(0));
    Ok(Some(all.map_or(count, |all| all.saturating_sub(count))))
}
