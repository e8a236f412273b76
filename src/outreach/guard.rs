//! The guard: a run that would reach more people than anyone meant waits as a whole for approval.

use crate::amount::Amount;
use crate::catalogue::Catalogue;
use crate::plan::Counts;
use crate::settings::Guard;
use crate::sql::Sql;
use crate::store::db::{Db, Result};

/// From so many customers on, `max_share` is asked: in a smaller business every run is a large share.
const SHARE_FROM: u64 = 200;

/// How many customers there are.
pub async fn customers(db: &Db, catalogue: &Catalogue) -> Result<u64> {
    let sql = format!("select count(*) from {}", catalogue.customer().table());
    let row = db.fetch_one(Sql::new(sql)).await?;
    Ok(row.map_or(0, |row| u64::try_from(row.int(0)).unwrap_or(0)))
}

/// Why a run with these counts is to wait, if it is.
pub fn exceeded(guard: &Guard, counts: &Counts, customers: u64) -> Option<String> {
    let planned = counts.planned;
    if let Some(max) = guard.max_recipients.filter(|max| planned > *max) {
        return Some(format!("would reach {planned} customers; guard.max_recipients is {max}"));
    }
    if let Some(max) = guard.max_share.filter(|_| customers >= SHARE_FROM)
        && u128::from(planned) * 1_000_000 > u128::from(customers) * u128::from(max)
    {
        let share = f64::from(max) / 10_000.0;
        return Some(format!("would reach {planned} of {customers} customers; guard.max_share is {share}%"));
    }
    if let Some(max) = guard.max_cost.filter(|max| counts.cost > *max) {
        let (cost, max) = (Amount::money(counts.cost), Amount::money(max));
        return Some(format!("would cost {cost}; guard.max_cost is {max}"));
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn guard() -> Guard {
        Guard { max_recipients: Some(5_000), max_share: Some(250_000), max_cost: Some(1_000_000), only_to: Vec::new() }
    }

    #[test]
    fn a_run_over_any_limit_waits() {
        let planned = |planned| Counts { planned, ..Counts::default() };
        assert_eq!(exceeded(&guard(), &planned(50), 200), None);
        let reason = exceeded(&guard(), &planned(51), 200).expect("more than a quarter");
        assert_eq!(reason, "would reach 51 of 200 customers; guard.max_share is 25%");
        assert_eq!(exceeded(&guard(), &planned(199), 199), None, "a small business");
        assert!(exceeded(&guard(), &planned(5_001), 1_000_000).is_some());
        let dear = Counts { planned: 1, cost: 1_000_001, ..Counts::default() };
        assert!(exceeded(&guard(), &dear, 10).is_some());
    }
}
