//! `plusone cancel`: cancel a held run, or what a rule has planned.

use super::approve::BY;
use super::lookup::nearest_rule;
use super::pause::rules;
use super::{Answer, Failure, opened::Opened};
use crate::amount::counted;
use crate::store::offers;
use crate::store::settle::{self, SettleError};
use serde_json::json;
use std::io::Write;
use std::process::ExitCode;

#[derive(clap::Args)]
pub struct Options {
    /// A held run's id (or the first 8 characters of it), or a rule's name
    #[arg(value_name = "RUN|RULE")]
    pub what: String,
}

pub async fn run(opened: &Opened, json: bool, options: &Options, out: &mut dyn Write) -> Answer {
    let known = rules(opened).await?;
    if known.contains(&options.what) {
        return cancel_rule(opened, json, &options.what, out).await;
    }
    let run = settle::run(&opened.db, &options.what).await.map_err(|error| match error {
        SettleError::NoRun(text) => neither(&text, &known),
        other => other.into(),
    })?;
    let mut tx = opened.db.begin().await?;
    let changed = settle::cancel_run(&mut tx, &run, BY, opened.now).await?;
    tx.commit().await?;
    offers::put_back(&opened.db).await?;
    if json {
        let answer = json!({ "run": run.id, "rule": run.rule, "state": "cancelled", "cancelled": changed.touchpoints });
        writeln!(out, "{answer:#}")?;
    } else {
        let messages = counted(changed.touchpoints, "message");
        writeln!(out, "Cancelled the run of {}: {messages} will not be sent.", run.rule)?;
    }
    Ok(ExitCode::SUCCESS)
}

async fn cancel_rule(opened: &Opened, json: bool, rule: &str, out: &mut dyn Write) -> Answer {
    let mut tx = opened.db.begin().await?;
    let changed = settle::cancel_rule(&mut tx, rule, BY, opened.now).await?;
    tx.commit().await?;
    offers::put_back(&opened.db).await?;
    let on_their_way = settle::on_their_way(&opened.db, rule).await?;
    if json {
        let answer = json!({
            "rule": rule, "runs": changed.runs, "cancelled": changed.touchpoints, "on_their_way": on_their_way,
        });
        writeln!(out, "{answer:#}")?;
        return Ok(ExitCode::SUCCESS);
    }
    let messages = counted(changed.touchpoints, "planned message");
    writeln!(out, "Cancelled {messages} of {rule}.")?;
    if changed.runs > 0 {
        writeln!(out, "{} that waited for approval will not go out.", counted(changed.runs, "run"))?;
    }
    if on_their_way > 0 {
        writeln!(out, "{} on the way already and cannot be called back.", counted(on_their_way, "message"))?;
    }
    writeln!(out, "The rule goes on at its next tick: `plusone pause {rule}` stops it.")?;
    Ok(ExitCode::SUCCESS)
}

fn neither(text: &str, rules: &[String]) -> Failure {
    let near = nearest_rule(text, rules.iter().map(String::as_str));
    let near = near.map_or(String::new(), |near| format!(", the nearest rule is `{near}`"));
    Failure::failed(format!("`{text}` is neither a rule nor a run{near}; `plusone status` lists the held runs"))
}
