//! Email: messages claimed, looked at once more, rendered, sent over SMTP and recorded, beside the C load generator.
//!
//! The limit is Postfix's `smtp-source` with as many connections and as many bytes a message into the same `smtp-sink`;
//! it makes no content and remembers nothing. Each window (how many messages of one connection may be marked and not
//! yet settled) is measured; the figure is that of the window plusone works with.
//!
//! What a crash would leave in doubt is what is committed as `dispatching` at that moment: it is read from the
//! database while the messages go out.

use super::business::{Business, LAPSED, SELECTED};
use super::home::{Home, Open};
use super::postfix::{self, Sink};
use super::{BenchError, Figures, Result, Size, Stage, median, process, shown};
use crate::delivery::{Delivery, engine};
use crate::metrics::Metrics;
use crate::sql::Sql;
use crate::store::db::Db;
use serde_json::{Value, json};
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::sync::oneshot;

const CONNECTIONS: usize = 10;
const MESSAGE_BYTES: usize = 5_120;
const WINDOWS: [usize; 3] = [1, engine::WINDOW, 16];
/// How often the database is asked what a crash would leave in doubt.
const LOOK: Duration = Duration::from_millis(20);

/// What one window came to.
#[derive(Default)]
struct Window {
    rates: Vec<f64>,
    /// Processor seconds for a thousand messages: of plusone, of the sink.
    cost: Vec<f64>,
    sink_cost: Vec<f64>,
    in_doubt: Vec<f64>,
}

pub async fn measure(size: Size, rounds: usize) -> Result<Figures> {
    postfix::find("smtp-source")?;
    let sink = Sink::start()?;
    let messages = match size {
        Size::Small => 200,
        Size::Full => 20_000,
    };
    let home = Home::of_shop(sink.port, CONNECTIONS)?;
    let name = |window: usize, round: usize| format!("window-{window}-{round}");
    let names: Vec<String> = (0..rounds).flat_map(|round| WINDOWS.map(|window| name(window, round))).collect();
    home.add_rules(names.iter().map(String::as_str), LAPSED)?;
    let open = home.open().await?;
    let business = Business::new(messages * SELECTED, open.app.clock.now());
    business.fill(&open.app.db, &open.app.workspace.project.catalogue).await?;
    let mut limit = Vec::new();
    let mut windows: [Window; WINDOWS.len()] = Default::default();
    for round in 0..rounds {
        limit.push(smtp_source(&sink, messages).await?);
        for (window, measured) in WINDOWS.into_iter().zip(&mut windows) {
            open.app.plan(&open.lease, open.app.clock.now(), Some(&name(window, round))).await?;
            let (own, other) = (process::own_seconds(), process::processor_seconds(sink.pid()));
            measured.rates.push(delivered(&open, window, messages, &mut measured.in_doubt).await?);
            measured.cost.extend(per_thousand(own, process::own_seconds(), messages));
            measured.sink_cost.extend(per_thousand(other, process::processor_seconds(sink.pid()), messages));
        }
    }
    let ours = WINDOWS.iter().zip(&windows).find(|(window, _)| **window == engine::WINDOW);
    let ours = ours.map_or(f64::NAN, |(_, measured)| median(&measured.rates));
    let limit_rate = median(&limit);
    let setup = json!({
        "database": "SQLite, synchronous=FULL",
        "messages": messages,
        "connections": CONNECTIONS,
        "word_bytes": word_bytes(&open.app.db).await?,
        "window": engine::WINDOW,
        "windows": WINDOWS.iter().zip(&windows).map(|(window, one)| one.to_json(*window, limit_rate)).collect::<Vec<_>>(),
        "rounds": rounds,
        "limit_by_round": shown(&limit),
        "limit_is": format!("smtp-source -d -s {CONNECTIONS} -l {MESSAGE_BYTES} into the same smtp-sink"),
        "mark": "ratio at least 0.5",
    });
    Ok(Figures {
        stage: Stage::Email,
        ours,
        limit: limit_rate,
        unit: "messages/s",
        peak_rss_mb: process::own_peak_mb(),
        setup: setup.as_object().cloned().unwrap_or_default(),
    })
}

impl Window {
    fn to_json(&self, window: usize, limit: f64) -> Value {
        let rate = median(&self.rates);
        json!({
            "window": window,
            "ours": super::rounded(rate),
            "ratio": super::rounded(rate / limit),
            "ours_by_round": shown(&self.rates),
            "processor_seconds_per_1000": super::rounded(median(&self.cost)),
            "sinks_processor_seconds_per_1000": super::rounded(median(&self.sink_cost)),
            "in_doubt_per_crash": {
                "median": super::rounded(median(&self.in_doubt)),
                "most": self.in_doubt.iter().copied().fold(0.0, f64::max),
            },
        })
    }
}

/// Processor seconds for a thousand messages, where the system tells.
fn per_thousand(before: Option<f64>, after: Option<f64>, messages: usize) -> Option<f64> {
    Some((after? - before?) * 1_000.0 / messages as f64)
}

/// Messages a second of the C load generator.
async fn smtp_source(sink: &Sink, messages: usize) -> Result<f64> {
    let port = sink.port;
    let sending = tokio::task::spawn_blocking(move || postfix::send(port, CONNECTIONS, messages, MESSAGE_BYTES));
    let took = sending.await.expect("sending does not panic")?;
    Ok(messages as f64 / took)
}

/// Messages a second of plusone, all outcomes recorded; adds to `in_doubt` what a crash would have left.
async fn delivered(open: &Open, window: usize, messages: usize, in_doubt: &mut Vec<f64>) -> Result<f64> {
    let app = &open.app;
    let (db, clock, workspace) = (app.db.clone(), app.clock.clone(), Arc::clone(&app.workspace));
    let (ended, watching) = oneshot::channel();
    let looking = tokio::spawn(look(db.clone(), watching));
    let began = Instant::now();
    let metrics = Metrics::start(app.ways_out());
    let delivery = Delivery::start(db, clock, open.lease.clone(), workspace, app.providers()?, metrics, window);
    let drained = delivery.drain().await;
    let tally = delivery.finish(false).await;
    let took = began.elapsed().as_secs_f64();
    drop(ended);
    in_doubt.extend(looking.await.expect("looking does not panic")?);
    drained?;
    if tally.sent() != messages as u64 {
        return Err(BenchError::Void(format!("{messages} messages were to be sent: {}", tally.to_json())));
    }
    Ok(messages as f64 / took)
}

/// Reads again and again how many messages are marked and not settled, until `ended`.
async fn look(db: Db, mut ended: oneshot::Receiver<()>) -> Result<Vec<f64>> {
    let sql = "select count(*) from touchpoints where state = 'dispatching' \
               and state in ('claimed', 'dispatching', 'in_doubt', 'held')";
    let mut seen = Vec::new();
    while tokio::time::timeout(LOOK, &mut ended).await.is_err() {
        let row = db.fetch_one(Sql::new(sql)).await?;
        seen.push(row.map_or(0, |row| row.int(0)) as f64);
    }
    Ok(seen)
}

/// What the words of a message come to on average, without its headers.
async fn word_bytes(db: &Db) -> Result<i64> {
    let row = db.fetch_one(Sql::new("select sum(length(words)) / count(*) from touchpoint_words")).await?;
    Ok(row.map_or(0, |row| row.int(0)))
}
