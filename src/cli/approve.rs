//! `plusone approve`: let a held run go.

use super::{Answer, opened::Opened};
use crate::amount::counted;
use crate::store::settle;
use serde_json::json;
use std::io::Write;
use std::process::ExitCode;

/// Who settled it, as the run and its events say.
pub const BY: &str = "command line";

#[derive(clap::Args)]
pub struct Options {
    /// The run's id, or the first 8 characters of it
    pub run: String,
}

pub async fn run(opened: &Opened, json: bool, options: &Options, out: &mut dyn Write) -> Answer {
    let run = settle::run(&opened.db, &options.run).await?;
    let mut tx = opened.db.begin().await?;
    let changed = settle::approve(&mut tx, &run, BY, opened.now).await?;
    tx.commit().await?;
    if json {
        let answer = json!({ "run": run.id, "rule": run.rule, "state": "released", "planned": changed.touchpoints });
        writeln!(out, "{answer:#}")?;
    } else {
        let messages = counted(changed.touchpoints, "message");
        writeln!(out, "Approved the run of {}: {messages} will be sent.", run.rule)?;
    }
    Ok(ExitCode::SUCCESS)
}
