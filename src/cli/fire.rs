//! `plusone fire RULE`: a run now, whatever the rule's schedule; the same gates, the same guard.

use super::once::{self, Pass};
use super::print::{say, say_json};
use super::{Answer, Failure, Global, known_rule, open};
use crate::app::AppError;
use crate::clock::Clock;
use crate::outreach::run::parts;
use crate::store::db::StoreError;
use crate::store::runs::{self, Cause};
use serde_json::json;
use std::process::ExitCode;

#[derive(clap::Args)]
pub struct Options {
    /// The rule's file name without .toml
    #[arg(value_name = "RULE")]
    rule: String,
}

pub async fn run(global: &Global, options: &Options) -> Answer {
    let mut app = open(global, Clock::System).await?;
    let rule = known_rule(&app, &options.rule)?.clone();
    if !rule.live.at(app.clock.now()) {
        return Err(Failure::usage(format!("rule {} is a draft or outside its time: it sends nothing", rule.name)));
    }
    if let Some(event) = &rule.on_event {
        let what = format!("rule {} waits for the event `{event}`: nobody can be meant without one", rule.name);
        let help = "`plusone import event FILE` brings events in, and the daemon takes them up within a second";
        return Err(Failure::usage(format!("{what}; {help}")));
    }
    match once::pass(global, &mut app, Pass { only: Some(&rule.name), ..Pass::default() }).await {
        Err(AppError::Held { owner, .. } | AppError::Store(StoreError::Locked(owner))) => {
            let now = app.clock.now();
            let parts = parts(app.db.dialect());
            let run = runs::open(&app.db, &rule.name, &rule.version, now, Cause::Asked, &parts, now).await?;
            if global.json {
                say_json(json!({ "run": run.id, "rule": rule.name, "instant": now.to_string() }))?;
            } else {
                let name = &rule.name;
                say(format_args!("asked {owner} for a run of {name}; `plusone log --rule {name}` shows it"))?;
            }
            Ok(ExitCode::SUCCESS)
        }
        passed => Ok(passed.map(|()| ExitCode::SUCCESS)?),
    }
}
