//! `plusone resume`: let what was paused go on.

use super::pause::{in_words, scope};
use super::print::plain;
use super::{Answer, Failure, opened::Opened};
use crate::courtesy::pauses::Scope;
use crate::store::pauses;
use serde_json::json;
use std::io::Write;
use std::process::ExitCode;

#[derive(clap::Args)]
pub struct Options {
    /// What was paused: a rule's name, all, channel:C, provider:P, or a customer
    #[arg(value_name = "RULE|all|channel:C|provider:P|CUSTOMER")]
    pub what: String,
}

pub async fn run(opened: &Opened, json: bool, options: &Options, out: &mut dyn Write) -> Answer {
    let scope = paused(opened, &options.what).await?;
    let was_paused = pauses::resume(&opened.db, &scope, opened.now).await?;
    let others = pauses::load(&opened.db).await?;
    if json {
        writeln!(out, "{:#}", json!({ "scope": scope.to_string(), "was_paused": was_paused }))?;
        return Ok(ExitCode::SUCCESS);
    }
    let what = plain(&in_words(&scope));
    if was_paused {
        writeln!(out, "Resumed {what}.")?;
    } else {
        writeln!(out, "Nothing to do: {what} was not paused.")?;
    }
    if scope != Scope::All && others.holds(&Scope::All, opened.now) {
        writeln!(out, "Everything is still paused: `plusone resume all` ends that.")?;
    }
    Ok(ExitCode::SUCCESS)
}

/// What `text` names, a thing that is gone from the files but is still paused included.
async fn paused(opened: &Opened, text: &str) -> Result<Scope, Failure> {
    let pauses = pauses::load(&opened.db).await?;
    let read_as = [text.parse().ok(), Some(Scope::Rule(text.to_owned())), Some(Scope::Customer(text.to_owned()))];
    match read_as.into_iter().flatten().find(|scope| pauses.holds(scope, opened.now)) {
        Some(scope) => Ok(scope),
        None => scope(opened, text).await,
    }
}
