//! Simulation: a month of twenty rules over a whole shop, beside the bare conditions of each rule asked once.
//!
//! The rules tick as those of the sample do: most of them each quarter of an hour, some each hour, some once a day, one by
//! each customer's own clock. Together they tick some thirty thousand times; the limit asks each of them once, and decides
//! nothing.

use super::business::Business;
use super::home::{Home, Open};
use super::{BenchError, Figures, Result, Size, Stage, median, process, shown};
use crate::courtesy::pauses::Pauses;
use crate::ids::BUCKETS;
use crate::outreach::judge::Question;
use crate::outreach::simulate::{Wish, simulate};
use crate::plan::audience::Among;
use crate::sql::Sql;
use crate::time::Span;
use crate::touchpoints::State;
use futures_util::TryStreamExt;
use serde_json::json;
use std::time::Instant;

const DAYS: i64 = 30;

/// Name, kind and topic, schedule, what for, and the rest of the file.
const RULES: [(&str, &str, &str, &str, &str); 20] = [
    ("thanks", TOLD, QUARTER, PAID_TWO_DAYS, "for_each = \"order\""),
    (
        "review",
        ASKED,
        HOUR,
        "'order.status == \"paid\"', 'order.placed_at < ago(\"10d\")', 'order.placed_at > ago(\"20d\")'",
        "for_each = \"order\"\nagain_after = \"60d\"",
    ),
    ("birthday", TREAT, HALF, "'is_anniversary(customer.birthday)'", "once_per = \"year\"\noffer = \"cookie\""),
    ("birthday-eve", TOLD, NINE, "'days_until_anniversary(customer.birthday) == 1'", "once_per = \"year\""),
    ("years-with-us", ASKED, HOUR, "'is_anniversary(customer.joined_on)'", "once_per = \"year\""),
    ("fourth-order", TREAT, HOUR, "'size(customer.orders.filter(o, o.status == \"paid\")) >= 4'", "offer = \"cookie\""),
    (
        "lapsed-gold",
        ASKED,
        TEN,
        "'customer.tier == \"gold\"', 'customer.last_order_at < ago(\"30d\")'",
        "again_after = \"60d\"",
    ),
    (
        "lapsed-silver",
        ASKED,
        MONDAY,
        "'customer.tier == \"silver\"', 'customer.last_order_at < ago(\"100d\")'",
        "again_after = \"90d\"",
    ),
    (
        "lapsed-basic",
        ASKED,
        MONDAY,
        "'customer.tier == \"basic\"', 'customer.last_order_at < ago(\"400d\")'",
        "again_after = \"90d\"",
    ),
    ("second-cup", TOLD, QUARTER, "'size(customer.orders) == 1', 'customer.last_order_at < ago(\"5d\")'", ""),
    ("regular", TOLD, QUARTER, "'customer.orders.sum(o, o.total) > 2000'", ""),
    (
        "quiet-gold",
        TOLD,
        QUARTER,
        "'customer.tier == \"gold\"'",
        "unless = ['customer.orders.exists(o, o.placed_at > ago(\"14d\"))']\nagain_after = \"90d\"",
    ),
    (
        "cancelled",
        TOLD,
        QUARTER,
        "'order.status == \"cancelled\"', 'order.placed_at < ago(\"6h\")', 'order.placed_at > ago(\"3d\")'",
        "for_each = \"order\"",
    ),
    (
        "next-day",
        TOLD,
        QUARTER,
        "'order.placed_at < ago(\"24h\")', 'order.placed_at > ago(\"3d\")'",
        "for_each = \"order\"",
    ),
    (
        "next-week",
        TOLD,
        QUARTER,
        "'order.placed_at < ago(\"7d\")', 'order.placed_at > ago(\"8d\")'",
        "for_each = \"order\"",
    ),
    (
        "large-order",
        TOLD,
        QUARTER,
        "'order.total > 80', 'order.placed_at < ago(\"4h\")', 'order.placed_at > ago(\"30d\")'",
        "for_each = \"order\"",
    ),
    (
        "three-weeks",
        ASKED,
        "every day at 9am",
        "'days_since(customer.last_order_at) == 21'",
        "time_zone = \"customer\"\nagain_after = \"30d\"",
    ),
    ("six-weeks", TOLD, NINE, "'days_since(customer.last_order_at) == 45'", "again_after = \"30d\""),
    ("first-month", TOLD, QUARTER, "'days_since(customer.joined_on) == 30'", ""),
    ("welcome", TOLD, QUARTER, "'days_since(customer.joined_on) <= 1'", ""),
];

const TOLD: &str = "kind = \"reminder\"\ntopic = \"reminders\"";
const ASKED: &str = "kind = \"survey\"\ntopic = \"offers\"";
const TREAT: &str = "kind = \"offer\"\ntopic = \"offers\"";
const QUARTER: &str = "every 15 minutes";
const HALF: &str = "every 30 minutes";
const HOUR: &str = "every hour";
const NINE: &str = "every day at 9:10";
const TEN: &str = "every day at 10am";
const MONDAY: &str = "every monday at 10am";
const PAID_TWO_DAYS: &str =
    "'order.status == \"paid\"', 'order.placed_at < ago(\"2d\")', 'order.placed_at > ago(\"9d\")'";

const COURTESY: &str = "
[courtesy]
quiet_hours = { email = \"22:00-07:00\" }
caps = [{ purpose = \"promotional\", max = 2, per = \"7d\" }]
holdout = \"2%\"
";

const OFFER: &str = "description = \"A cookie\"\nvalue = 2.50\ncost = 0.80\nbudget = { total = 100000, per_day = 400 }\n\
     per_customer = { max = 1, per = \"300d\" }\ncode = { pattern = \"COOKIE-#######\" }\nvalid_for = \"30d\"\n";

const LETTER: &str = "Hello {{customer.first_name}}\n{{business.name}}, {{business.postal_address}}\n\
     {{links.unsubscribe}} {{links.why}}\n";

pub async fn measure(size: Size, rounds: usize) -> Result<Figures> {
    let customers = match size {
        Size::Small => 2_000,
        Size::Full => 100_000,
    };
    let home = shop()?;
    let open = home.open().await?;
    let now = open.app.clock.now();
    Business::new(customers, now).fill(&open.app.db, &open.app.workspace.project.catalogue).await?;
    agree(&open).await?;
    let (mut ours, mut limit) = (Vec::new(), Vec::new());
    let mut told = Told::default();
    for _ in 0..rounds {
        limit.push(bare(&open).await?);
        let (took, counted) = rehearsed(&open).await?;
        ours.push(took);
        told = counted;
    }
    if told.sent == 0 {
        return Err(BenchError::Void("a month of twenty rules sends something".to_owned()));
    }
    let setup = json!({
        "database": "SQLite",
        "customers": customers,
        "rules": RULES.len(),
        "days": DAYS,
        "ticks": told.ticks,
        "sent": told.sent,
        "refused": told.refused,
        "held_out": told.held_out,
        "rounds": rounds,
        "ours_by_round": shown(&ours),
        "limit_by_round": shown(&limit),
        "limit_is": "the bare conditions of each rule, counted once",
        "mark": "under 60 s",
    });
    Ok(Figures {
        stage: Stage::Simulate,
        ours: median(&ours),
        limit: median(&limit),
        unit: "s",
        peak_rss_mb: process::own_peak_mb(),
        setup: setup.as_object().cloned().unwrap_or_default(),
    })
}

fn shop() -> Result<Home> {
    let home = Home::of_shop(1, 1)?;
    let path = home.path().join("config/plusone.toml");
    let settings = std::fs::read_to_string(&path).map_err(BenchError::io("cannot read the bench's own settings"))?;
    let topic = "[topics]\noffers = { purpose = \"promotional\", name = \"Treats\" }\n";
    home.write("config/plusone.toml", &(settings.replacen("[topics]\n", topic, 1) + COURTESY))?;
    home.write("config/offers/cookie.toml", OFFER)?;
    home.write("templates/treat/subject.hbs", "For you")?;
    home.write("templates/treat/email.txt.hbs", LETTER)?;
    for (name, kind, schedule, when, more) in RULES {
        let text = format!(
            "live = true\n{kind}\nschedule = \"{schedule}\"\nwhen = [{when}]\nchannels = [\"email\"]\n\
             template = \"treat\"\nexisting = \"include\"\n{more}\n"
        );
        home.write(&format!("config/rules/{name}.toml"), &text)?;
    }
    Ok(home)
}

/// Three of five customers have said yes to offers.
async fn agree(open: &Open) -> Result<()> {
    let sql = "insert into consents (bucket, customer, topic, channel, at, value, source, recorded_at) \
               select _bucket, id, 'offers', 'email', 1, 1, 'the bench', 1 from d_customer where _bucket % 5 < 3";
    open.app.db.execute(Sql::new(sql)).await?;
    Ok(())
}

/// What a simulation came to.
#[derive(Default)]
struct Told {
    ticks: u64,
    sent: u64,
    refused: u64,
    held_out: u64,
}

/// One simulation, in seconds, and its counts.
async fn rehearsed(open: &Open) -> Result<(f64, Told)> {
    let now = open.app.clock.now();
    let wish = Wish { now, to: now.plus(Span::from_days(DAYS)), drafts: &[] };
    let began = Instant::now();
    let rehearsal = simulate(&open.app, wish).await?;
    let mut told = Told { ticks: rehearsal.ticks, ..Told::default() };
    let mut lines = rehearsal.lines();
    while let Some(line) = lines.try_next().await? {
        match line.state {
            State::Sent => told.sent += 1,
            State::HeldOut => told.held_out += 1,
            State::Skipped | State::Expired => told.refused += 1,
            _ => {}
        }
    }
    let took = began.elapsed().as_secs_f64();
    drop(lines);
    rehearsal.end().await;
    Ok((took, told))
}

/// Counts whom each rule's conditions select, once, in seconds.
async fn bare(open: &Open) -> Result<f64> {
    let project = &open.app.workspace.project;
    let (db, now, pauses) = (&open.app.db, open.app.clock.now(), Pauses::default());
    let began = Instant::now();
    for rule in project.rules.values() {
        let question = Question::new(project, rule, now, &pauses, false, db.dialect());
        db.fetch_one(question.audience().tally(Among::Buckets(0, BUCKETS - 1))).await?;
    }
    Ok(began.elapsed().as_secs_f64())
}
