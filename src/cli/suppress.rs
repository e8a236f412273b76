//! `plusone suppress`: addresses that are not written to.

use super::consent::list_answer;
use super::opened::Opened;
use super::print::{local, plain};
use super::{Answer, Failure};
use crate::contact::{mask, scope_fault};
use crate::data::suppress::{self, Wish};
use crate::schedule::parse_when::parse_when;
use crate::store::suppressions::{self, Filter, Suppression};
use crate::time::{Timestamp, Tz};
use crate::touchpoints::record::time_json;
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
    Add(Add),
    /// Suppressions, newest first; addresses are masked
    List(List),
    /// Write to this address again
    Remove(Remove),
    /// Suppress a list: address, and if wanted scope, reason, evidence, until
    Import {
        /// CSV or NDJSON; reasons may be those of SES, Postmark, SendGrid, Mailgun
        file: PathBuf,
    },
}

#[derive(clap::Args)]
struct Add {
    /// An email address or a phone number
    address: String,
    /// all, promotional, topic:NAME or channel:NAME [default: all]
    #[arg(long)]
    scope: Option<String>,
    /// complaint, stop, unsubscribe, do_not_contact, hard_bounce, soft_bounce, invalid, or in words: "asked us by phone"
    #[arg(long)]
    reason: String,
    /// From when on it counts no longer; for ever where absent
    #[arg(long, value_name = "T", allow_hyphen_values = true)]
    until: Option<String>,
    /// What proves it: a ticket's number, a reply word for word
    #[arg(long)]
    evidence: Option<String>,
    /// Who says so
    #[arg(long, default_value = "support")]
    source: String,
}

#[derive(clap::Args)]
struct List {
    /// Only of this address
    #[arg(long)]
    address: Option<String>,
    #[arg(long)]
    scope: Option<String>,
    #[arg(long)]
    reason: Option<String>,
    /// Only those written down since then
    #[arg(long, value_name = "T", allow_hyphen_values = true)]
    since: Option<String>,
}

#[derive(clap::Args)]
struct Remove {
    /// An email address or a phone number
    address: String,
    /// Only the suppression of this scope
    #[arg(long)]
    scope: Option<String>,
    /// The person asked to be written to again: needed where they themselves had said stop, left or complained
    #[arg(long)]
    they_asked: bool,
}

pub async fn run(opened: &Opened, json: bool, options: &Options, out: &mut dyn Write) -> Answer {
    match &options.command {
        Command::Add(options) => add(opened, json, options, out).await,
        Command::List(options) => list(opened, json, options, out).await,
        Command::Remove(options) => remove(opened, json, options, out).await,
        Command::Import { file } => {
            let report = suppress::import(&opened.db, &opened.settings.business, file, opened.now).await?;
            list_answer(&report, "suppressions", json, out)
        }
    }
}

fn moment(opened: &Opened, text: Option<&str>) -> Result<Option<Timestamp>, Failure> {
    let read = text.map(|text| parse_when(text, opened.now, opened.zone())).transpose();
    read.map_err(|fault| Failure::usage(fault.to_string()))
}

async fn add(opened: &Opened, json: bool, options: &Add, out: &mut dyn Write) -> Answer {
    let until = moment(opened, options.until.as_deref())?;
    let wish = Wish::of(&options.address, &options.reason, &options.source);
    let wish = Wish { scope: options.scope.as_deref(), evidence: options.evidence.as_deref(), until, ..wish };
    let added = suppress::add(&opened.db, &opened.settings.business, wish, opened.now).await?;
    let shown = mask(&options.address);
    if json {
        writeln!(out, "{:#}", json!({ "address": shown, "added": added, "until": time_json(until) }))?;
    } else {
        let word = if added { "Suppressed" } else { "Already suppressed:" };
        let end = until.map(|until| format!(" until {}", local(until, opened.zone()))).unwrap_or_default();
        writeln!(out, "{word} {shown}{end}.")?;
    }
    Ok(ExitCode::SUCCESS)
}

async fn list(opened: &Opened, json: bool, options: &List, out: &mut dyn Write) -> Answer {
    let business = &opened.settings.business;
    let address_hash = match &options.address {
        Some(address) => Some(suppress::hash_of(&opened.db, business, address).await?),
        None => None,
    };
    let since = moment(opened, options.since.as_deref())?;
    let filter = Filter { address_hash, scope: options.scope.clone(), reason: options.reason.clone(), since };
    let mut rows = suppressions::list(&opened.db, &filter);
    let mut all: Vec<Value> = Vec::new();
    while let Some(suppression) = rows.try_next().await? {
        if json {
            all.push(as_json(&suppression));
        } else {
            writeln!(out, "{}", line(&suppression, opened.zone()))?;
        }
    }
    if json {
        writeln!(out, "{:#}", Value::Array(all))?;
    }
    Ok(ExitCode::SUCCESS)
}

async fn remove(opened: &Opened, json: bool, options: &Remove, out: &mut dyn Write) -> Answer {
    let scope = options.scope.as_deref();
    if let Some(fault) = scope.and_then(scope_fault) {
        return Err(Failure::usage(fault));
    }
    let business = &opened.settings.business;
    let (address, asked) = (&options.address, options.they_asked);
    // An address that cannot be read is told as such.
    suppress::hash_of(&opened.db, business, address).await?;
    let lifted = match suppress::remove(&opened.db, business, address, scope, asked).await {
        Err(crate::data::DataError::Refused(why)) if !asked => {
            return Err(Failure::failed(format!("{why} (`--they-asked` says that they did)")));
        }
        lifted => lifted?,
    };
    if lifted.is_empty() {
        return Err(Failure::failed(format!("{} is not suppressed", mask(address))));
    }
    if json {
        let all: Vec<Value> = lifted.iter().map(as_json).collect();
        writeln!(out, "{:#}", json!({ "address": mask(address), "removed": lifted.len(), "lifted": all }))?;
        return Ok(ExitCode::SUCCESS);
    }
    writeln!(out, "{} may be written to again. Lifted:", mask(address))?;
    lifted.iter().try_for_each(|one| writeln!(out, "  {}", line(one, opened.zone())))?;
    Ok(ExitCode::SUCCESS)
}

/// One suppression as people read it.
fn line(one: &Suppression, zone: Tz) -> String {
    let evidence = one.evidence.as_deref().map(|text| format!(": {text}")).unwrap_or_default();
    let end = one.expires_at.map(|end| format!("  until {}", local(end, zone))).unwrap_or_default();
    plain(&format!(
        "{}  {}  {}  {}, from {}{evidence}{end}",
        local(one.at, zone),
        one.shown,
        one.scope,
        one.reason,
        one.source
    ))
}

fn as_json(suppression: &Suppression) -> Value {
    json!({
        "address": suppression.shown,
        "scope": suppression.scope,
        "reason": suppression.reason,
        "at": suppression.at.to_string(),
        "source": suppression.source,
        "evidence": suppression.evidence,
        "until": time_json(suppression.expires_at),
    })
}
