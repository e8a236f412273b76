//! `plusone db`: the care of the database.

use super::{Answer, opened::Opened};
use crate::amount::counted;
use crate::data::prune::{Bounds, prune};
use serde_json::json;
use std::io::Write;
use std::process::ExitCode;

#[derive(clap::Args)]
pub struct Options {
    #[command(subcommand)]
    command: Command,
}

#[derive(clap::Subcommand)]
enum Command {
    /// Bring the schema up to date, as every command does
    Migrate,
    /// Forget what is older than [retention] says; the daemon does so too, a little each hour
    Prune {
        /// Count, forget nothing
        #[arg(long)]
        dry_run: bool,
    },
}

pub async fn run(opened: &Opened, json: bool, options: &Options, out: &mut dyn Write) -> Answer {
    match &options.command {
        Command::Migrate => {
            if json {
                writeln!(out, "{:#}", json!({ "migrated": true }))?;
            } else {
                writeln!(out, "The schema is up to date.")?;
            }
        }
        Command::Prune { dry_run } => {
            let retention = &opened.settings.retention;
            let bounds = Bounds { dry_run: *dry_run, ..Bounds::ALL };
            let told = prune(&opened.db, retention, opened.now, bounds).await?;
            if json {
                let whole = json!({
                    "dry_run": dry_run,
                    "words": told.words,
                    "touchpoints": told.touchpoints,
                    "refusals": told.refusals,
                    "codes": told.codes,
                    "replies": told.replies,
                    "receipts": told.receipts,
                    "addresses": told.places,
                    "more": told.more,
                });
                writeln!(out, "{whole:#}")?;
            } else {
                let would = if *dry_run { "Would forget" } else { "Forgot" };
                let (words, touchpoints) = (retention.words, retention.touchpoints);
                writeln!(out, "{would} what is older than {words} (words) and {touchpoints} (touchpoints):")?;
                writeln!(out, "  the words of {}", counted(told.words, "message"))?;
                let rows = counted(told.touchpoints, "touchpoint");
                writeln!(out, "  all but the bare row of {rows}, {}", counted(told.refusals, "refusal"))?;
                writeln!(out, "  {} that nobody can use any more", counted(told.codes, "code"))?;
                let receipts = counted(told.receipts, "receipt");
                writeln!(
                    out,
                    "  the words of {} that customers wrote back, {receipts}",
                    counted(told.replies, "message")
                )?;
                let places = told.places;
                writeln!(out, "  {places} notes that an address (as a hash) has had a promotional message")?;
                if told.more {
                    writeln!(out, "A daemon was at work on the rest: run this again.")?;
                }
            }
        }
    }
    Ok(ExitCode::SUCCESS)
}
