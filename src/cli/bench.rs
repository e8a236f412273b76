//! `plusone bench`: measurements of this machine, for people in a table, for programs as JSON.

use super::{Answer, Failure};
use crate::bench::{self, Figures, Size, Stage};
use serde_json::Value;
use std::process::ExitCode;

#[derive(clap::Args)]
pub struct Options {
    /// What to measure [default: all of it]
    #[arg(value_parser = Stage::ALL.map(Stage::as_str))]
    stage: Option<String>,
    /// How much to measure: small shows that it works, and its figures mean little
    #[arg(long, value_name = "small|full", value_parser = ["small", "full"], default_value = "full")]
    size: String,
    /// How often ours and the limit take turns; the medians are told
    #[arg(long, value_name = "N", default_value_t = 3, value_parser = clap::value_parser!(u8).range(1..=20))]
    rounds: u8,
}

pub async fn run(json: bool, options: &Options) -> Answer {
    let wanted = |stage: &Stage| options.stage.as_deref().is_none_or(|name| name == stage.as_str());
    let size = if options.size == "small" { Size::Small } else { Size::Full };
    let mut measured = Vec::new();
    for stage in Stage::ALL.into_iter().filter(wanted) {
        // Ctrl-C drops the stage, and with it its folder and the processes it started.
        let figures = tokio::select! {
            figures = bench::measure(stage, size, usize::from(options.rounds)) => figures,
            _ = tokio::signal::ctrl_c() => return Err(Failure::failed("interrupted")),
        };
        let figures = figures.map_err(|error| Failure::failed(format!("bench {}: {error}", stage.as_str())))?;
        if !json {
            super::print::say(line(&figures))?;
        }
        measured.push(figures);
    }
    if json {
        let mut documents: Vec<Value> = measured.iter().map(Figures::to_json).collect();
        let document = if options.stage.is_some() { documents.remove(0) } else { Value::Array(documents) };
        super::print::say_json(document)?;
    }
    Ok(ExitCode::SUCCESS)
}

/// `evaluate  2.31 s beside 0.95 s: 2.43 (ratio at most 3), 48 MB`.
fn line(figures: &Figures) -> String {
    let (ours, limit, ratio, unit) = (figures.ours, figures.limit, figures.ratio(), figures.unit);
    let peak = figures.peak_rss_mb.map(|peak| format!(", {peak:.0} MB at most")).unwrap_or_default();
    let mark = figures.setup.get("mark").and_then(Value::as_str).unwrap_or_default();
    let limit_is = figures.setup.get("limit_is").and_then(Value::as_str).unwrap_or_default();
    let name = figures.stage.as_str();
    format!(
        "{name:<9} {ours:.3} {unit}, limit {limit:.3}, ratio {ratio:.2} ({mark}){peak}\n          limit: {limit_is}"
    )
}
