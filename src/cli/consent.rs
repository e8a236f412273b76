//! `plusone consent`: the ledger of who said yes or no to what, where and when.

use super::lookup::{the_customer, the_customer_or_name};
use super::opened::Opened;
use super::print::{local, plain};
use super::{Answer, Failure};
use crate::amount::counted;
use crate::courtesy::consent::{Answer as Said, SourceKind, current};
use crate::data::ListReport;
use crate::data::answers;
use crate::data::values::boolean;
use crate::ids::bucket_of;
use crate::rules::Channel;
use crate::store::consents::{Entry, ledger};
use crate::store::entities;
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
    /// What a customer said, and what counts now
    Show {
        /// An id, an email address, a phone number, order:1234, or a name that one person has
        customer: String,
    },
    /// Write a yes or a no down
    Set {
        /// An id, an email address, a phone number or order:1234
        customer: String,
        /// A topic, and a channel where only that is meant
        #[arg(value_name = "TOPIC[/CHANNEL]")]
        topic: String,
        #[arg(value_name = "yes|no")]
        value: String,
        /// Where the customer said so: "call of 3 November", "support: Ann"
        #[arg(long)]
        source: String,
    },
    /// Write a list down: customer, topic, channel, value, at, source, wording, ip, evidence, confirmed
    Import {
        /// CSV or NDJSON; a row that cannot be used goes to FILE.errors.csv
        file: PathBuf,
    },
}

pub async fn run(opened: &Opened, json: bool, options: &Options, out: &mut dyn Write) -> Answer {
    entities::prepare(&opened.db, &opened.catalogue, opened.zone()).await?;
    match &options.command {
        Command::Show { customer } => show(opened, json, customer, out).await,
        Command::Set { customer, topic, value, source } => {
            let Some(value) = boolean(value) else {
                return Err(Failure::usage(format!("`{value}` is neither yes nor no")));
            };
            set(opened, json, customer, topic, value, source, out).await
        }
        Command::Import { file } => {
            let report = answers::import(&opened.db, &opened.settings, file, opened.now).await?;
            list_answer(&report, "answers", json, out)
        }
    }
}

async fn set(
    opened: &Opened,
    json: bool,
    customer: &str,
    topic: &str,
    value: bool,
    source: &str,
    out: &mut dyn Write,
) -> Answer {
    let customer = the_customer(opened, customer).await?;
    let (topic, channel) = topic.split_once('/').map_or((topic, None), |(topic, channel)| (topic, Some(channel)));
    let answer = if value { Said::Yes } else { Said::No };
    let said = answers::Said {
        customer: &customer,
        topic,
        channel,
        answer,
        at: opened.now,
        source,
        kind: SourceKind::Support,
    };
    answers::set(&opened.db, &opened.settings, said, opened.now).await?;
    if json {
        let at = opened.now.to_string();
        let written = json!({ "customer": customer, "topic": topic, "channel": channel, "value": value, "at": at, "source": source });
        writeln!(out, "{written:#}")?;
    } else {
        let word = if value { "yes" } else { "no" };
        let channel = channel.map_or("every channel".to_owned(), |channel| channel.to_owned());
        writeln!(out, "{customer} says {word} to {topic} on {channel}.")?;
    }
    Ok(ExitCode::SUCCESS)
}

async fn show(opened: &Opened, json: bool, customer: &str, out: &mut dyn Write) -> Answer {
    let customer = the_customer_or_name(opened, customer).await?;
    let entries = ledger(&opened.db, bucket_of(&customer), &customer).await?;
    let answers: Vec<(&str, Channel, Option<Said>)> = opened
        .settings
        .topics
        .keys()
        .flat_map(|topic| Channel::ALL.iter().map(|channel| (topic.as_str(), *channel)))
        .map(|(topic, channel)| (topic, channel, current(&entries, topic, channel.as_str())))
        .collect();
    if json {
        let now: Vec<Value> = answers
            .iter()
            .map(|(topic, channel, value)| json!({ "topic": topic, "channel": channel.as_str(), "value": value.map(|answer| answer == Said::Yes), "answer": value.map(Said::as_str) }))
            .collect();
        let ledger: Vec<Value> = entries.iter().map(Entry::to_json).collect();
        writeln!(out, "{:#}", json!({ "customer": customer, "current": now, "ledger": ledger }))?;
        return Ok(ExitCode::SUCCESS);
    }
    writeln!(out, "Customer {customer}")?;
    for (topic, channel, value) in answers {
        let word = value.map_or("nothing said", Said::as_str);
        writeln!(out, "  {topic} / {channel}: {word}")?;
    }
    if !entries.is_empty() {
        writeln!(out, "Ledger, newest first ({})", opened.zone())?;
    }
    let mut entries = entries;
    entries.sort_by_key(|entry| std::cmp::Reverse(entry.at));
    for entry in entries {
        writeln!(out, "  {}", told(opened, &entry))?;
    }
    Ok(ExitCode::SUCCESS)
}

/// An entry of the ledger as a line: when to the minute, what in a sentence, from which address.
pub fn told(opened: &Opened, entry: &Entry) -> String {
    let topic = opened.settings.topics.get(&entry.topic).map_or(entry.topic.as_str(), |topic| topic.name.as_str());
    let from = entry.ip.as_deref().map(|ip| format!(", from {ip}")).unwrap_or_default();
    plain(&format!("{}  {}{from}", local(entry.at, opened.zone()), entry.told(topic, opened.zone())))
}

/// The answer to the import of a list; exit code 1 where a row was refused.
pub fn list_answer(report: &ListReport, what: &str, json: bool, out: &mut dyn Write) -> Answer {
    if json {
        let counts = json!({
            "rows": report.rows,
            "added": report.added,
            "refused": report.refused,
            "errors_file": report.errors_file,
        });
        writeln!(out, "{counts:#}")?;
    } else {
        writeln!(out, "{} read, {} new {what}, {} refused", counted(report.rows, "row"), report.added, report.refused)?;
        if let Some(path) = &report.errors_file {
            writeln!(out, "  the refused rows and the reasons are in {}", path.display())?;
        }
        report.note.iter().try_for_each(|note| writeln!(out, "  {note}"))?;
    }
    Ok(if report.refused > 0 { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}
