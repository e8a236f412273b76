//! The guard: a run that would reach more people than anyone meant waits as a whole for approval.
//!
//! 1. A run that reaches nobody is never held.
//! 2. What somebody has approved is not asked again: a run that was held and let go counts for the usual size, and a
//!    clause that was approved stays approved while it reads the same.

use super::run::Tick;
use crate::amount::{Amount, counted};
use crate::catalogue::{CUSTOMER, Catalogue};
use crate::config::Project;
use crate::expr::{Aliases, Clause, Moment, Scope};
use crate::plan::Counts;
use crate::rules::{Purpose, Rule};
use crate::settings::Guard;
use crate::sql::Sql;
use crate::store::db::{Db, Result};
use crate::store::runs;

/// From so many customers on, `max_share` and clauses are asked: in a smaller business every run is a large share.
const SHARE_FROM: u64 = 200;
/// From so many recipients on, `max_growth` is asked.
const GROWTH_FROM: u64 = 50;
/// How many runs make a usual size, at least.
const GROWTH_RUNS: usize = 3;
/// How many of a rule's last runs its usual size is taken from.
const LAST_RUNS: i64 = 10;

/// Why a run with these counts is to wait, if it is.
pub async fn hold(db: &Db, project: &Project, tick: &Tick<'_>, counts: &Counts) -> Result<Option<String>> {
    if counts.planned == 0 {
        return Ok(None);
    }
    if let Some(reason) = tick.hold {
        return Ok(Some(reason.to_owned()));
    }
    let guard = &project.settings.guard;
    let customers = match &tick.rehearsed {
        Some(known) => known.customers,
        None => customers(db, &project.catalogue).await?,
    };
    if let Some(reason) = exceeded(guard, counts, customers) {
        return Ok(Some(reason));
    }
    if counts.planned > GROWTH_FROM {
        let sizes = runs::last_sizes(db, &tick.rule.name, LAST_RUNS).await?;
        if let Some(reason) = outgrown(guard, counts.planned, sizes) {
            return Ok(Some(reason));
        }
    }
    if customers < SHARE_FROM {
        return Ok(None);
    }
    // Who writes that a run may reach everybody need not say so again for what the data happens to be today.
    let reaches_most = counts.planned.saturating_mul(2) > customers && guard.max_share != Some(1_000_000);
    if tick.rule.confirms {
        return Ok(None);
    }
    let idle = match without_effect(tick.rule, &project.catalogue) {
        None if reaches_most => true_of_all(db, project, tick).await?,
        idle => idle,
    };
    let Some(reason) = idle else { return Ok(None) };
    let was_approved = runs::was_approved(db, &tick.rule.name, &reason).await?;
    Ok(Some(reason).filter(|_| !was_approved))
}

/// How many customers there are.
///
/// # Errors
/// When the database refuses.
pub async fn customers(db: &Db, catalogue: &Catalogue) -> Result<u64> {
    let sql = format!("select count(*) from {}", catalogue.customer().table());
    let row = db.fetch_one(Sql::new(sql)).await?;
    Ok(row.map_or(0, |row| u64::try_from(row.int(0)).unwrap_or(0)))
}

fn exceeded(guard: &Guard, counts: &Counts, customers: u64) -> Option<String> {
    let planned = counts.planned;
    if let Some(max) = guard.max_recipients.filter(|max| planned > *max) {
        return Some(format!("would reach {}; guard.max_recipients is {max}", counted(planned, "customer")));
    }
    if let Some(max) = guard.max_share.filter(|_| customers >= SHARE_FROM)
        && u128::from(planned) * 1_000_000 > u128::from(customers) * u128::from(max)
    {
        let share = f64::from(max) / 10_000.0;
        return Some(format!(
            "would reach {planned} of {}; guard.max_share is {share}%",
            counted(customers, "customer")
        ));
    }
    if let Some(max) = guard.max_cost.filter(|max| counts.cost > *max) {
        let (cost, max) = (Amount::money(counts.cost).told(), Amount::money(max).told());
        return Some(format!("would cost {cost}; guard.max_cost is {max}"));
    }
    None
}

/// Whether `planned` is more than `max_growth` times what the rule's last runs reached in the median.
fn outgrown(guard: &Guard, planned: u64, mut sizes: Vec<i64>) -> Option<String> {
    if planned <= GROWTH_FROM || sizes.len() < GROWTH_RUNS {
        return None;
    }
    sizes.sort_unstable();
    let middle = sizes.len() / 2;
    let twice = if sizes.len().is_multiple_of(2) { sizes[middle - 1] + sizes[middle] } else { 2 * sizes[middle] };
    let twice = u64::try_from(twice).unwrap_or(0);
    let is_usual = planned.saturating_mul(2) <= twice.saturating_mul(guard.max_growth);
    let (runs, median) = (sizes.len(), twice.div_ceil(2));
    (!is_usual).then(|| {
        format!("would reach {}; its last {runs} runs reached {median} in the median", counted(planned, "customer"))
    })
}

/// The first clause of `when` that cannot be false, whatever the data says. `has(customer.id)` is not meant: it is how
/// people write "everybody".
fn without_effect(rule: &Rule, catalogue: &Catalogue) -> Option<String> {
    let scope = Scope { catalogue, root: &rule.for_each };
    let idle = rule.when.iter().find(|clause| clause.is_tautology(scope))?;
    Some(format!("the clause `{}` cannot be false, so it leaves nobody out", idle.text))
}

/// The first clause of `when` that is true of every customer there is today. Asked of promotional messages only: a
/// notice to all customers is nothing unusual, an advertisement to all of them is.
async fn true_of_all(db: &Db, project: &Project, tick: &Tick<'_>) -> Result<Option<String>> {
    let rule = tick.rule;
    let promotional = rule.purpose == Purpose::Promotional || !rule.offers.is_empty();
    if !promotional || rule.for_each != CUSTOMER {
        return Ok(None);
    }
    let moment = rule.moment(tick.instant, &project.catalogue);
    for clause in &rule.when {
        if db.fetch_one(counterexample(db, &project.catalogue, clause, moment)).await?.is_none() {
            return Ok(Some(format!(
                "the clause `{}` is true of every customer, so it leaves nobody out",
                clause.text
            )));
        }
    }
    Ok(None)
}

/// One customer of whom the clause is not true.
fn counterexample(db: &Db, catalogue: &Catalogue, clause: &Clause, moment: Moment) -> Sql {
    let mut sql = Sql::new(format!("select 1 from {} c where (", catalogue.customer().table()));
    clause.write_sql(&mut sql, db.dialect(), catalogue, Aliases { root: "c", customer: "c" }, moment);
    sql.push(") is not true limit 1");
    sql
}

#[cfg(test)]
mod tests {
    use super::*;

    fn guard() -> Guard {
        let (max_recipients, max_share, max_cost) = (Some(5_000), Some(250_000), Some(1_000_000));
        Guard { max_recipients, max_share, max_cost, max_growth: 3, ..Guard::default() }
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

    #[test]
    fn a_run_over_three_times_the_median_waits() {
        let usual = vec![5_000, 120, 90, 150, 120, 118, 130, 121, 20, 100];
        let reason = outgrown(&guard(), 900, usual.clone()).expect("far more than usual");
        assert_eq!(reason, "would reach 900 customers; its last 10 runs reached 120 in the median");
        assert_eq!(outgrown(&guard(), 360, usual.clone()), None, "three times is still usual");
        assert!(outgrown(&guard(), 361, usual).is_some());
        assert!(outgrown(&guard(), 61, vec![10, 30, 1, 30]).is_some(), "of four runs the middle is 20");
        assert_eq!(outgrown(&guard(), 60, vec![10, 30, 1, 30]), None);
        assert_eq!(outgrown(&guard(), 900, vec![1, 1]), None, "two runs make no habit");
        assert_eq!(outgrown(&guard(), 50, vec![1, 1, 1]), None, "fifty people are few");
        assert_eq!(outgrown(&Guard::default(), 900, vec![1, 1, 1]), None, "no limit is set");
    }
}
