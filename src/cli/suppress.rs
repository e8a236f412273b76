//! `plusone suppress`: addresses that are never written to.

use super::consent::list_answer;
use super::opened::Opened;
use super::{Answer, Failure};
use crate::contact::{mask, scope_fault};
use crate::data::suppress::{self, Wish};
use crate::store::suppressions::{self, Suppression};
use futures_util::TryStreamExt;
use serde_json::{Value, json};
use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;

#[derive(clap::Args)]
pub struct Options {
    #[command(subcommand)]
    command: Command,
}

#[derive(clap::Subcommand)]
enum Command {
    /// Never write to this address again
    Add {
        /// An email address or a phone number
        address: String,
        /// all, promotional, topic:NAME or channel:NAME [default: all]
        #[arg(long)]
        scope: Option<String>,
        /// Why: "asked us by phone"
        #[arg(long)]
        reason: String,
    },
    /// Every suppression, newest first; addresses are masked
    List,
    /// Write to this address again
    Remove {
        /// An email address or a phone number
        address: String,
        /// Only the suppression of this scope
        #[arg(long)]
        scope: Option<String>,
    },
    /// Suppress a list: address, and if wanted scope and reason
    Import { file: PathBuf },
}

pub async fn run(opened: &Opened, json: bool, options: &Options, out: &mut dyn Write) -> Answer {
    let business = &opened.settings.business;
    match &options.command {
        Command::Add { address, scope, reason } => {
            let wish = Wish { address, scope: scope.as_deref(), reason, source: "support" };
            let added = suppress::add(&opened.db, business, wish, opened.now).await?;
            if json {
                writeln!(out, "{:#}", json!({ "address": mask(address), "added": added }))?;
            } else {
                let word = if added { "Suppressed" } else { "Already suppressed:" };
                writeln!(out, "{word} {}.", mask(address))?;
            }
        }
        Command::List => list(opened, json, out).await?,
        Command::Remove { address, scope } => {
            if let Some(fault) = scope.as_deref().and_then(scope_fault) {
                return Err(Failure::usage(fault));
            }
            let removed = suppress::remove(&opened.db, business, address, scope.as_deref()).await?;
            if removed == 0 {
                return Err(Failure::failed(format!("{} is not suppressed", mask(address))));
            }
            if json {
                writeln!(out, "{:#}", json!({ "address": mask(address), "removed": removed }))?;
            } else {
                writeln!(out, "{} may be written to again.", mask(address))?;
            }
        }
        Command::Import { file } => {
            let report = suppress::import(&opened.db, business, file, opened.now).await?;
            return list_answer(&report, "suppressions", json, out);
        }
    }
    Ok(ExitCode::SUCCESS)
}

async fn list(opened: &Opened, json: bool, out: &mut dyn Write) -> Result<(), Failure> {
    let mut rows = suppressions::list(&opened.db);
    let mut all: Vec<Value> = Vec::new();
    while let Some(suppression) = rows.try_next().await? {
        if json {
            all.push(as_json(&suppression));
        } else {
            let at = suppression.at.local(opened.zone()).format("%Y-%m-%d %H:%M");
            let reason: String = suppression.reason.chars().filter(|sign| !sign.is_control()).collect();
            writeln!(out, "{at}  {}  {}  {reason}", suppression.shown, suppression.scope)?;
        }
    }
    if json {
        writeln!(out, "{:#}", Value::Array(all))?;
    }
    Ok(())
}

fn as_json(suppression: &Suppression) -> Value {
    json!({
        "address": suppression.shown,
        "scope": suppression.scope,
        "reason": suppression.reason,
        "at": suppression.at.to_string(),
    })
}
