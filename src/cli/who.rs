//! `plusone who RULE`: who would get it now and who would not. Sends nothing.

use super::print::{say, say_json};
use super::progress::shown;
use super::{Answer, Global, known_rule, open};
use crate::clock::Clock;
use crate::outreach::foresee::{Fate, Foresight, SAMPLE, outcome, sample_json};
use crate::outreach::tick::History;
use crate::plan::Counts;
use crate::plan::decide::{Decision, Message};
use crate::progress::Progress;
use crate::store::pauses;
use crate::time::{Timestamp, Tz};
use serde_json::Value;
use std::process::ExitCode;

#[derive(clap::Args)]
pub struct Options {
    /// The rule's file name without .toml
    #[arg(value_name = "RULE")]
    rule: String,
    /// Judge at this time instead of now
    #[arg(long, value_name = "T", allow_hyphen_values = true)]
    at: Option<String>,
}

pub async fn run(global: &Global, options: &Options) -> Answer {
    let app = open(global, Clock::System).await?;
    let rule = known_rule(&app, &options.rule)?;
    let at = super::at(&app, options.at.as_deref())?;
    app.refresh().await?;
    let pauses = pauses::load(&app.db).await?;
    let first_run = History::load(&app.db).await?.is_first(&rule.name);
    let foresight = Foresight { db: &app.db, project: &app.workspace.project, rule, at, pauses: &pauses, first_run };
    let mut sample = Vec::new();
    let mut lines = Vec::new();
    let zone = app.workspace.project.settings.business.time_zone;
    let progress = Progress::default();
    let looking = foresight.everyone(&progress, |fate| {
        if sample.len() < SAMPLE {
            sample.push(sample_json(fate));
            lines.push(line(fate, at, zone));
        }
    });
    let counts = shown("candidates judged", &progress, looking).await?;
    if global.json {
        let mut answer = counts.to_json();
        answer["rule"] = Value::from(rule.name.as_str());
        answer["instant"] = Value::from(at.to_string());
        answer["sample"] = Value::from(sample);
        say_json(&answer)?;
        return Ok(ExitCode::SUCCESS);
    }
    for line in summary(&counts) {
        say(line)?;
    }
    if !lines.is_empty() {
        say("\nThe first of them:")?;
        for line in &lines {
            say(format_args!("  {line}"))?;
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn summary(counts: &Counts) -> Vec<String> {
    let mut lines = vec![format!("{:>8}  match the conditions", counts.matched())];
    lines.push(format!("{:>8}  would get it", counts.planned));
    if counts.deferred > 0 {
        lines.push(format!("{:>8}  of these later: for the hours, the pace, or a place under a cap", counts.deferred));
    }
    if counts.held_out > 0 {
        lines.push(format!("{:>8}  held out, to tell what writing does", counts.held_out));
    }
    if counts.already_touched > 0 {
        lines.push(format!("{:>8}  were touched already", counts.already_touched));
    }
    lines.extend(counts.skipped.iter().map(|(reason, count)| format!("{count:>8}  {reason}: {}", reason.meaning())));
    lines
}

/// The variant that a message is, behind its channel.
fn variant(message: &Message) -> String {
    message.variant.as_ref().map(|name| format!(", variant {name}")).unwrap_or_default()
}

fn line(fate: &Fate, at: Timestamp, zone: Tz) -> String {
    let candidate = &fate.judged.candidate;
    let about = if candidate.entity == candidate.customer { String::new() } else { format!(" ({})", candidate.entity) };
    let told = match &fate.decision {
        Decision::Plan(message) if message.due_at > at => {
            format!(
                "{}{}, at {}",
                message.channel,
                variant(message),
                message.due_at.local(zone).format("%a %-d %b %H:%M")
            )
        }
        Decision::Plan(message) => format!("{}{}", message.channel, variant(message)),
        Decision::HoldOut(_, by) => format!("held out: {by}"),
        Decision::Refuse(refusal) => match &refusal.detail {
            Some(detail) => format!("{}: {detail}", refusal.reason),
            None => outcome(Some(&fate.decision)),
        },
    };
    format!("{}{about}  {told}", candidate.customer)
}
