//! Questions that people ask of a rule: `who` beside the bare count of the same condition, `why` beside the bare look at
//! one customer.
//!
//! `who` judges everybody whom the rule matches, address, consent, hours and all; the bare count only counts them.

use super::business::{Business, LAPSED, SELECTED};
use super::home::{Home, Open};
use super::{BenchError, Figures, Result, Size, Stage, median, process, shown};
use crate::courtesy::pauses::Pauses;
use crate::expr::Aliases;
use crate::ids::bucket_of;
use crate::outreach::foresee::Foresight;
use crate::progress::Progress;
use crate::sql::Sql;
use crate::time::Timestamp;
use serde_json::{Value, json};
use std::time::Instant;

const RULE: &str = "lapsed";
/// A rule that matches every customer.
const ALL: &str = "everybody";
/// How many customers `why` is asked about in a round.
const ASKED: u32 = 50;

const fn customers(size: Size) -> usize {
    match size {
        Size::Small => 10_000,
        Size::Full => 1_000_000,
    }
}

async fn shop(size: Size) -> Result<(Home, Open)> {
    let home = Home::of_shop(1, 1)?;
    home.add_rules([RULE], LAPSED)?;
    home.add_rules([ALL], "'has(customer.id)'")?;
    let open = home.open().await?;
    let business = Business::new(customers(size), open.app.clock.now());
    business.fill(&open.app.db, &open.app.workspace.project.catalogue).await?;
    Ok((home, open))
}

/// `who` of a rule that selects a tenth, and beside it of one that matches everybody.
pub async fn who(size: Size, rounds: usize) -> Result<Figures> {
    let (_home, open) = shop(size).await?;
    process::forget_peak();
    let expected = customers(size) / SELECTED;
    let (ours, limit) = who_and_count(&open, RULE, rounds, expected).await?;
    let peak = process::own_peak_mb();
    let (all, all_limit) = who_and_count(&open, ALL, rounds, customers(size)).await?;
    let setup = json!({
        "database": "SQLite",
        "customers": customers(size),
        "selected": expected,
        "rounds": rounds,
        "ours_by_round": shown(&ours),
        "limit_by_round": shown(&limit),
        "everybody": { "ours": median(&all), "limit": median(&all_limit), "ratio": median(&all) / median(&all_limit),
                       "peak_rss_mb": process::own_peak_mb() },
        "limit_is": "select count(*) under the same condition",
        "mark": "ratio at most 2",
    });
    Ok(figures(Stage::Who, median(&ours), median(&limit), "s", peak, &setup))
}

async fn who_and_count(open: &Open, rule: &str, rounds: usize, expected: usize) -> Result<(Vec<f64>, Vec<f64>)> {
    let (mut ours, mut limit) = (Vec::new(), Vec::new());
    for _ in 0..rounds {
        limit.push(count(open, rule, expected).await?);
        ours.push(judged(open, rule, expected).await?);
    }
    Ok((ours, limit))
}

async fn judged(open: &Open, rule: &str, expected: usize) -> Result<f64> {
    let pauses = Pauses::default();
    let foresight = foresight(open, rule, &pauses);
    let began = Instant::now();
    let counts = foresight.everyone(&Progress::default(), |_| {}).await?;
    let took = began.elapsed().as_secs_f64();
    if counts.planned != expected as u64 {
        return Err(BenchError::Void(format!("{expected} would be written to, not {counts:?}")));
    }
    Ok(took)
}

fn foresight<'a>(open: &'a Open, rule: &str, pauses: &'a Pauses) -> Foresight<'a> {
    let project = &open.app.workspace.project;
    let at = open.app.clock.now();
    Foresight { db: &open.app.db, project, rule: &project.rules[rule], at, pauses, first_run: false }
}

async fn count(open: &Open, rule: &str, expected: usize) -> Result<f64> {
    let sql = condition(open, rule, "select count(*)", open.app.clock.now());
    let began = Instant::now();
    let row = open.app.db.fetch_one(sql).await?;
    let took = began.elapsed().as_secs_f64();
    let found = row.map_or(0, |row| row.int(0));
    if found != expected as i64 {
        return Err(BenchError::Void(format!("the bare count found {found}, not {expected}")));
    }
    Ok(took)
}

/// The rule's condition as plusone compiles it.
fn condition(open: &Open, rule: &str, select: &str, now: Timestamp) -> Sql {
    let project = &open.app.workspace.project;
    let (rule, catalogue) = (&project.rules[rule], &project.catalogue);
    let mut sql =
        Sql::new(format!("{select} from {} c where c._bucket between 0 and 255", catalogue.customer().table()));
    for clause in &rule.when {
        sql.push(" and ");
        let aliases = Aliases { root: "c", customer: "c" };
        clause.write_sql(&mut sql, open.app.db.dialect(), catalogue, aliases, rule.moment(now, catalogue));
    }
    sql
}

/// `why` of one customer after the other, each of whom the rule selects.
pub async fn why(size: Size, rounds: usize) -> Result<Figures> {
    let (_home, open) = shop(size).await?;
    process::forget_peak();
    let now = open.app.clock.now();
    let (mut ours, mut limit, mut longest) = (Vec::new(), Vec::new(), 0.0_f64);
    for round in 0..rounds {
        let numbers = (0..ASKED).map(|place| (round as u32 * ASKED + place) * SELECTED as u32);
        let keys: Vec<String> = numbers.map(|number| format!("c{number:07}")).collect();
        let began = Instant::now();
        for key in &keys {
            let mut sql = condition(&open, RULE, "select count(*)", now);
            sql.push(" and c._bucket = ").bind(bucket_of(key)).push(" and c.id = ").bind(key);
            open.app.db.fetch_one(sql).await?;
        }
        limit.push(began.elapsed().as_secs_f64() * 1_000.0 / f64::from(ASKED));
        let pauses = Pauses::default();
        let foresight = foresight(&open, RULE, &pauses);
        let began = Instant::now();
        for key in &keys {
            let asked = Instant::now();
            let rows = foresight.explain(key).await?;
            longest = longest.max(asked.elapsed().as_secs_f64() * 1_000.0);
            if !rows.first().is_some_and(|row| row.is_selected()) {
                return Err(BenchError::Void(format!("customer {key} was to be selected")));
            }
        }
        ours.push(began.elapsed().as_secs_f64() * 1_000.0 / f64::from(ASKED));
    }
    let setup = json!({
        "database": "SQLite",
        "customers": customers(size),
        "asked": ASKED,
        "rounds": rounds,
        "longest_ms": longest,
        "ours_by_round": shown(&ours),
        "limit_by_round": shown(&limit),
        "limit_is": "the bare condition asked of the same customer",
        "mark": "50 ms at most",
    });
    Ok(figures(Stage::Why, median(&ours), median(&limit), "ms", process::own_peak_mb(), &setup))
}

fn figures(stage: Stage, ours: f64, limit: f64, unit: &'static str, peak: Option<f64>, setup: &Value) -> Figures {
    let setup = setup.as_object().cloned().unwrap_or_default();
    Figures { stage, ours, limit, unit, peak_rss_mb: peak, setup }
}
