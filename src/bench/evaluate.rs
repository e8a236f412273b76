//! Evaluation: a rule run over the whole shop, beside the bare statement.
//!
//! The bare statement is one `insert … select` for the same rows into copies of the tables that a run writes, with the
//! same columns and indexes, under the condition as plusone compiles it, and a second one for the events, in one
//! transaction on the same connection. It decides nothing: no address is looked at, no consent, no hours, no guard, and
//! its ids are random.

use super::business::{Business, LAPSED, SELECTED};
use super::home::{Home, Open};
use super::{BenchError, Figures, Result, Size, Stage, median, process, shown};
use crate::expr::Aliases;
use crate::rules::Rule;
use crate::sql::Sql;
use crate::store::db::Tx;
use crate::time::Timestamp;
use serde_json::json;
use std::time::Instant;

pub async fn measure(size: Size, rounds: usize) -> Result<Figures> {
    let customers = match size {
        Size::Small => 10_000,
        Size::Full => 1_000_000,
    };
    let selected = customers / SELECTED;
    let home = Home::of_shop(1, 1)?;
    let names: Vec<String> = (1..=rounds).map(|round| format!("lapsed-{round}")).collect();
    home.add_rules(names.iter().map(String::as_str), LAPSED)?;
    let open = home.open().await?;
    let orders = fill(&open, customers).await?;
    copy_tables(&open).await?;
    let (mut ours, mut limit) = (Vec::new(), Vec::new());
    for name in &names {
        limit.push(bare(&open, name, selected).await?);
        ours.push(planned(&open, name, selected).await?);
    }
    let setup = json!({
        "database": "SQLite, synchronous=FULL",
        "customers": customers,
        "orders": orders,
        "planned": selected,
        "rounds": rounds,
        "ours_by_round": shown(&ours),
        "limit_by_round": shown(&limit),
        "limit_is": "insert … select of the same rows into copies of the same tables, one transaction",
        "mark": "ratio at most 3",
    });
    Ok(Figures {
        stage: Stage::Evaluate,
        ours: median(&ours),
        limit: median(&limit),
        unit: "s",
        peak_rss_mb: process::own_peak_mb(),
        setup: setup.as_object().cloned().unwrap_or_default(),
    })
}

async fn fill(open: &Open, customers: usize) -> Result<i64> {
    let db = &open.app.db;
    Business::new(customers, open.app.clock.now()).fill(db, &open.app.workspace.project.catalogue).await?;
    let row = db.fetch_one(Sql::new("select count(*) from d_order")).await?;
    Ok(row.map_or(0, |row| row.int(0)))
}

/// One run of a rule that has never run, in seconds.
async fn planned(open: &Open, rule: &str, expected: usize) -> Result<f64> {
    let began = Instant::now();
    let planned = open.app.plan(&open.lease, open.app.clock.now(), Some(rule)).await?;
    let took = began.elapsed().as_secs_f64();
    let counts = planned.runs.first().map(|run| (run.state.as_str(), run.counts.planned));
    if counts != Some(("released", expected as u64)) {
        return Err(BenchError::Void(format!("{expected} messages were to be planned, not {counts:?}")));
    }
    Ok(took)
}

/// Copies of the tables of touchpoints and events, empty, as `bare_…`.
async fn copy_tables(open: &Open) -> Result<()> {
    let sql = "select tbl_name, name, sql from sqlite_master where tbl_name in ('touchpoints', 'touchpoint_events') \
               and sql is not null order by type desc, name";
    let statements = open.app.db.fetch(Sql::new(sql)).await?;
    let mut tx = open.app.db.begin().await?;
    for row in &statements {
        let (table, name) = (row.text(0), row.text(1));
        let copy = row.text(2).replacen(name, &format!("bare_{name}"), 1);
        tx.script(&copy.replacen(&format!(" on {table} "), &format!(" on bare_{table} "), 1)).await?;
    }
    Ok(tx.commit().await?)
}

/// The bare statement for one rule, in seconds.
async fn bare(open: &Open, rule: &str, expected: usize) -> Result<f64> {
    let now = open.app.clock.now();
    let rule = &open.app.workspace.project.rules[rule];
    let began = Instant::now();
    let mut tx = open.app.db.begin().await?;
    let written = tx.execute(touchpoints(open, rule, now)).await?;
    events(&mut tx, now).await?;
    tx.commit().await?;
    let took = began.elapsed().as_secs_f64();
    if written != expected as u64 {
        return Err(BenchError::Void(format!("the bare statement wrote {written} rows, not {expected}")));
    }
    Ok(took)
}

fn touchpoints(open: &Open, rule: &Rule, now: Timestamp) -> Sql {
    let catalogue = &open.app.workspace.project.catalogue;
    let mut sql = Sql::default();
    sql.push(
        "insert into bare_touchpoints (bucket, id, rule, rule_version, kind, topic, purpose, customer, entity_kind, \
         entity_id, occurrence, step, run_id, as_of, channel, address, state, due_at, expires_at, priority, on_doubt, \
         attempts, locale, possible_duplicate, test, facts, gates, counts, version, created_at, updated_at) \
         select c._bucket, printf('%02x', c._bucket) || hex(randomblob(17)), ",
    );
    sql.bind(rule.name.as_str()).push(", ").bind(rule.version.as_str());
    sql.push(", 'reminder', 'reminders', 'transactional', c.id, 'customer', c.id, '-', 0, ");
    sql.bind(crate::ids::run(&rule.name, now.micros(), "asked")).push(", ");
    let at = sql.reserve(now);
    sql.push(&format!("{at}, 'email', c.email, 'planned', {at}, {at}, 50, 'resend', 0, c.locale, 0, 0, "));
    sql.bind(r#"{"customer.tier":"gold","customer.last_order_at":"2026-01-01T00:00:00Z"}"#).push(", ");
    sql.bind(r#"["seen_before","again_after","pauses",["channel","email"],"hours"]"#);
    sql.push(&format!(", 1, 1, {at}, {at} from {} c where c._bucket between 0 and 255", catalogue.customer().table()));
    for clause in &rule.when {
        sql.push(" and ");
        let aliases = Aliases { root: "c", customer: "c" };
        let moment = rule.moment(now, catalogue);
        clause.write_sql(&mut sql, open.app.db.dialect(), catalogue, aliases, moment);
    }
    sql
}

async fn events(tx: &mut Tx, now: Timestamp) -> Result<()> {
    let sql = "insert into bare_touchpoint_events (bucket, touchpoint, n, at, kind) \
               select bucket, id, 1, $1, 'planned' from bare_touchpoints where created_at = $1";
    tx.execute(Sql::new(sql).with(now)).await?;
    Ok(())
}
