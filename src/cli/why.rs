//! `plusone why CUSTOMER [RULE]`: clause by clause with the values used, then each gate.

use super::consent::told;
use super::lookup::the_customer;
use super::opened::Opened;
use super::print::{local, say, say_json};
use super::{Answer, Global, known_rule, open};
use crate::app::App;
use crate::clock::Clock;
use crate::courtesy::consent::deciding;
use crate::ids::bucket_of;
use crate::outreach::foresee::{ClauseTruth, Explained, Foresight, gates};
use crate::outreach::tick::History;
use crate::plan::decide::Decision;
use crate::rules::Rule;
use crate::store::consents::ledger;
use crate::store::pauses;
use crate::time::{Timestamp, Tz};
use serde_json::Value;
use std::process::ExitCode;

#[derive(clap::Args)]
pub struct Options {
    /// An id, an email address, a phone number, or order:1234
    #[arg(value_name = "CUSTOMER")]
    customer: String,
    /// The rule's file name without .toml; every rule in one line each where absent
    #[arg(value_name = "RULE")]
    rule: Option<String>,
    /// Judge at this time instead of now, on today's data
    #[arg(long, value_name = "T", allow_hyphen_values = true)]
    at: Option<String>,
}

pub async fn run(global: &Global, options: &Options) -> Answer {
    let app = open(global, Clock::System).await?;
    let at = super::at(&app, options.at.as_deref())?;
    app.refresh().await?;
    let customer = the_customer(&Opened::of(&app), &options.customer).await?;
    let rules: Vec<&Rule> = match &options.rule {
        Some(name) => vec![known_rule(&app, name)?],
        None => app.workspace.project.rules.values().collect(),
    };
    let zone = app.workspace.project.settings.business.time_zone;
    let mut answers = Vec::new();
    for rule in &rules {
        answers.push(explain(&app, rule, &customer, at).await?);
    }
    if global.json {
        let all = rules
            .iter()
            .zip(&answers)
            .flat_map(|(rule, rows)| rows.iter().map(|row| row.to_json(&customer, &rule.name, at)));
        say_json(Value::Array(all.collect()))?;
    } else if options.rule.is_some() {
        print_rule(rules[0], &customer, &answers[0], zone)?;
        print_consent(&app, rules[0], &customer).await?;
    } else {
        for (rule, rows) in rules.iter().zip(&answers) {
            say(format_args!("{:<24} {}", rule.name, in_short(rows, zone)))?;
        }
    }
    Ok(ExitCode::SUCCESS)
}

async fn explain(app: &App, rule: &Rule, customer: &str, at: Timestamp) -> Result<Vec<Explained>, super::Failure> {
    let pauses = pauses::load(&app.db).await?;
    let first_run = History::load(&app.db).await?.is_first(&rule.name);
    let foresight = Foresight { db: &app.db, project: &app.workspace.project, rule, at, pauses: &pauses, first_run };
    Ok(foresight.explain(customer).await?)
}

/// One line for all rows of a rule: what would be sent, or why nothing.
fn in_short(rows: &[Explained], zone: Tz) -> String {
    if rows.is_empty() {
        return "nothing to judge: the customer has no such rows".to_owned();
    }
    let selected: Vec<&Explained> = rows.iter().filter(|row| row.is_selected()).collect();
    if let Some(row) = selected.first() {
        let more = if selected.len() > 1 { format!(", and {} more", selected.len() - 1) } else { String::new() };
        return format!("{}{more}", in_words(row.fate.as_ref(), zone));
    }
    let first = rows[0].clauses.iter().find(|clause| !clause.lets_pass());
    first.map_or_else(|| "not selected".to_owned(), |clause| format!("not selected: {}", sentence(clause)))
}

fn in_words(fate: Option<&Decision>, zone: Tz) -> String {
    match fate {
        Some(Decision::Plan(message)) => {
            let due = local(message.due_at, zone);
            format!("would be sent by {} at {due} ({zone})", message.channel)
        }
        Some(Decision::HoldOut(message, by)) => {
            format!("would be sent by {}, and is held out: {by}", message.channel)
        }
        Some(Decision::Refuse(refusal)) => {
            let detail = refusal.detail.as_ref().map(|detail| format!(" ({detail})")).unwrap_or_default();
            format!("{}: {}{detail}", refusal.reason, refusal.reason.meaning())
        }
        None => "not selected".to_owned(),
    }
}

fn print_rule(rule: &Rule, customer: &str, rows: &[Explained], zone: Tz) -> std::io::Result<()> {
    if rows.is_empty() {
        say(format_args!("customer {customer} has no {} to judge", rule.for_each))?;
    }
    for row in rows {
        if rule.for_each != crate::catalogue::CUSTOMER {
            say(format_args!("{} {}", rule.for_each, row.entity))?;
        }
        for clause in &row.clauses {
            let mark = if clause.lets_pass() { "yes" } else { "NO " };
            say(format_args!("  {mark}  {}", sentence(clause)))?;
        }
        for gate in row.fate.as_ref().map(gates).unwrap_or_default() {
            let mark = if gate.passed { "yes" } else { "NO " };
            let detail = gate.detail.map(|detail| format!(": {detail}")).unwrap_or_default();
            say(format_args!("  {mark}  {}{detail}", gate.name.replace('_', " ")))?;
        }
        say(format_args!("  ->   {}", in_words(row.fate.as_ref(), zone)))?;
    }
    Ok(())
}

/// What the customer has said about the rule's topic, as far as it counts.
async fn print_consent(app: &App, rule: &Rule, customer: &str) -> Result<(), super::Failure> {
    let opened = Opened::of(app);
    let ledger = ledger(&app.db, bucket_of(customer), customer).await?;
    let mut said: Vec<String> = Vec::new();
    for channel in &rule.channels {
        let line = match deciding(&ledger, &rule.topic, channel.as_str()) {
            Some(entry) => told(&opened, entry),
            None => format!("nothing said about {} by {channel}", rule.topic),
        };
        if !said.contains(&line) {
            said.push(line);
        }
    }
    said.iter().try_for_each(|line| say(format_args!("  consent: {line}")))?;
    Ok(())
}

impl ClauseTruth {
    /// A clause of `when` must be true, one of `unless` must not.
    pub fn lets_pass(&self) -> bool {
        if self.is_exception { self.holds != Some(true) } else { self.holds == Some(true) }
    }
}

/// The clause with what it came to and the values it used.
fn sentence(clause: &ClauseTruth) -> String {
    let unless = if clause.is_exception { "unless " } else { "" };
    let holds = match clause.holds {
        Some(true) => "true",
        Some(false) => "false",
        None => "unknown, since a value is missing",
    };
    let values = clause.values.iter().map(|(text, value)| match value {
        Value::Null => format!("{text} is missing"),
        Value::String(value) => format!("{text} = {value}"),
        value => format!("{text} = {value}"),
    });
    let values = values.collect::<Vec<_>>().join(", ");
    let values = if values.is_empty() { values } else { format!("  [{values}]") };
    format!("{unless}{} is {holds}{values}", clause.text)
}
