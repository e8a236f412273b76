//! `plusone log`: touchpoints, newest first.
//!
//! 1. Rows are printed as they are read; with `--json` nothing is held back, whatever their number.
//! 2. For people the newest [`SHOWN`] are listed unless `--limit` asks for more, and the answer says so.

use super::pause::rules;
use super::print::{Table, local, short};
use super::{Answer, Failure, lookup, opened::Opened, replied};
use crate::amount::counted;
use crate::catalogue::CUSTOMER;
use crate::problem::nearest;
use crate::rules::Channel;
use crate::schedule::parse_when::parse_when;
use crate::store::find::called;
use crate::store::log::{self, Filter, refusals};
use crate::store::replies::Wanted;
use crate::time::Tz;
use crate::touchpoints::{Contact, Reason, State, Touchpoint};
use futures_util::TryStreamExt;
use std::collections::BTreeSet;
use std::io::Write;
use std::process::ExitCode;
use std::str::FromStr;

/// How many rows people see unless they ask for more.
const SHOWN: i64 = 100;
/// How many rows are lined up with each other.
const LINED_UP: usize = 200;

#[derive(clap::Args, Default)]
pub struct Options {
    /// Of this customer: an id, an address, a phone number, or order:1234
    #[arg(long, value_name = "CUSTOMER")]
    pub customer: Option<String>,
    /// Of this rule
    #[arg(long)]
    pub rule: Option<String>,
    /// email, sms or voice
    #[arg(long)]
    pub channel: Option<String>,
    /// planned, sent, skipped, in_doubt …
    #[arg(long)]
    pub state: Option<String>,
    /// no_consent, suppressed, quiet_hours …
    #[arg(long)]
    pub reason: Option<String>,
    /// Written at this time or later
    #[arg(long, value_name = "T", allow_hyphen_values = true)]
    pub since: Option<String>,
    /// Written before this time
    #[arg(long, value_name = "T", allow_hyphen_values = true)]
    pub until: Option<String>,
    /// What customers wrote back, in place of touchpoints; with --customer, --since, --until and --limit
    #[arg(long, conflicts_with_all = ["rule", "channel", "state", "reason"])]
    pub replied: bool,
    /// At most so many
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(i64).range(1..))]
    pub limit: Option<i64>,
}

pub async fn run(opened: &Opened, json: bool, options: &Options, out: &mut dyn Write) -> Answer {
    let mut filter = filter(opened, options).await?;
    if options.replied {
        let Filter { customer, since, until, limit, .. } = filter;
        return replied::list(opened, json, &Wanted { customer, since, until, limit }, limit.unwrap_or(SHOWN), out)
            .await;
    }
    if json {
        let mut rows = log::log(&opened.db, &filter);
        while let Some(touchpoint) = rows.try_next().await? {
            writeln!(out, "{}", touchpoint.to_json(opened.currency()))?;
        }
        return Ok(ExitCode::SUCCESS);
    }
    let shown = options.limit.unwrap_or(SHOWN);
    // One more than is shown tells whether there are more.
    filter.limit = Some(shown.saturating_add(1));
    list(opened, &filter, shown, out).await?;
    Ok(ExitCode::SUCCESS)
}

async fn filter(opened: &Opened, options: &Options) -> Result<Filter, Failure> {
    let time = |text: &Option<String>| {
        text.as_deref()
            .map(|text| parse_when(text, opened.now, opened.zone()))
            .transpose()
            .map_err(|fault| Failure::usage(fault.to_string()))
    };
    Ok(Filter {
        customer: match &options.customer {
            Some(text) => Some(lookup::the_customer_or_name(opened, text).await?),
            None => None,
        },
        rule: options.rule.clone(),
        channel: word(options.channel.as_deref(), "channel", Channel::ALL.iter().map(|known| known.as_str()))?,
        state: word(options.state.as_deref(), "state", State::ALL.iter().map(|known| known.as_str()))?,
        reason: word(options.reason.as_deref(), "reason", Reason::ALL.iter().map(|known| known.as_str()))?,
        since: time(&options.since)?,
        until: time(&options.until)?,
        limit: options.limit,
    })
}

/// One of our words, or what is wrong with it and which one is nearest.
fn word<T: FromStr>(
    text: Option<&str>,
    what: &str,
    known: impl Iterator<Item = &'static str> + Clone,
) -> Result<Option<T>, Failure> {
    let Some(text) = text else { return Ok(None) };
    text.parse().map(Some).map_err(|_| {
        let near = nearest(text, known.clone()).map_or(String::new(), |near| format!(", the nearest is `{near}`"));
        Failure::usage(format!("`{text}` is no {what}{near}; known are {}", known.collect::<Vec<_>>().join(", ")))
    })
}

async fn list(opened: &Opened, filter: &Filter, shown: i64, out: &mut dyn Write) -> Result<(), Failure> {
    let mut rows = log::log(&opened.db, filter);
    let mut reasons = BTreeSet::new();
    let mut chunk = Vec::new();
    let mut count = 0;
    let mut more = false;
    while let Some(touchpoint) = rows.try_next().await? {
        if count == shown {
            more = true;
            break;
        }
        count += 1;
        reasons.extend(touchpoint.reason);
        chunk.push(touchpoint);
        if chunk.len() == LINED_UP {
            table(opened, &chunk).await?.write(out, "")?;
            chunk.clear();
        }
    }
    if count == 0 {
        writeln!(out, "No touchpoint.{}", unknown_rule(opened, filter).await?)?;
        return Ok(());
    }
    if !chunk.is_empty() {
        table(opened, &chunk).await?.write(out, "")?;
    }
    writeln!(out)?;
    for reason in reasons {
        writeln!(out, "{reason}: {}", reason.meaning())?;
    }
    let zone = opened.zone();
    let shown = counted(count, "touchpoint");
    let rest = if more { "; there are older ones: --limit shows more of them" } else { "" };
    writeln!(out, "{shown}, newest first, times of {zone}{rest}")?;
    Ok(())
}

/// A word where nothing is found because no such rule ever was.
async fn unknown_rule(opened: &Opened, filter: &Filter) -> Result<String, Failure> {
    let Some(rule) = &filter.rule else { return Ok(String::new()) };
    let known = rules(opened).await?;
    if known.contains(rule) {
        return Ok(String::new());
    }
    let near = lookup::nearest_rule(rule, known.iter().map(String::as_str));
    let near = near.map_or(String::new(), |near| format!("; the nearest is `{near}`"));
    Ok(format!(" There is no rule `{rule}`{near}."))
}

/// Touchpoints lined up, as every listing shows them.
///
/// # Errors
/// When the database does not say what the customers are called.
pub async fn table(opened: &Opened, touchpoints: &[Touchpoint]) -> Result<Table, Failure> {
    let keys: Vec<(i64, &str)> = touchpoints.iter().map(|one| (one.bucket, one.customer.as_str())).collect();
    let called = called(&opened.db, &opened.catalogue, &keys).await?;
    let skipped = touchpoints.iter().filter(|one| one.state == State::Skipped);
    let skipped: Vec<(i64, &str)> = skipped.map(|one| (one.bucket, one.id.as_str())).collect();
    let refusals = refusals(&opened.db, &skipped).await?;
    let zone = opened.zone();
    let mut table = Table::new(&["WRITTEN", "STATE", "RULE", "CUSTOMER", "ABOUT", "CHANNEL", "TO", "ID", "WHAT"]);
    for one in touchpoints {
        // The name alone: addresses have a column of their own.
        let name = called.get(&one.customer).and_then(|called| called.name.as_ref());
        table.row(vec![
            local(one.created_at, zone),
            one.state.to_string(),
            one.rule.clone(),
            name.map_or_else(|| one.customer.clone(), |name| format!("{} {name}", one.customer)),
            about(one),
            one.channel.map_or(String::new(), |channel| channel.to_string()),
            one.address.as_ref().map_or(String::new(), |address| address.clear().to_owned()),
            short(&one.id).to_owned(),
            what(one, refusals.get(&one.id), zone),
        ]);
    }
    Ok(table)
}

/// The row that it is about, or which time it is where that is the customer and not the first.
fn about(one: &Touchpoint) -> String {
    match one.occurrence.as_str() {
        _ if one.entity_kind != CUSTOMER => format!("{} {}", one.entity_kind, one.entity_id),
        "-" | "#1" => String::new(),
        time => time.to_owned(),
    }
}

/// What is worth knowing of a touchpoint in a few words: the reason, when it is due, or its subject.
fn what(touchpoint: &Touchpoint, refusal: Option<&String>, zone: Tz) -> String {
    let mut parts = Vec::new();
    parts.extend(touchpoint.reason.map(|reason| {
        let said = refusal.filter(|said| said.starts_with(reason.as_str()));
        said.cloned().unwrap_or_else(|| reason.to_string())
    }));
    if let (State::Planned, Some(due)) = (touchpoint.state, touchpoint.due_at) {
        parts.push(format!("due {}", local(due, zone)));
    }
    parts.extend(touchpoint.variant.as_ref().map(|name| format!("variant {name}")));
    parts.extend(touchpoint.subject.clone());
    if touchpoint.possible_duplicate {
        parts.push("possibly a second copy".to_owned());
    }
    if touchpoint.test {
        parts.push("test".to_owned());
    }
    parts.join(", ")
}

/// To whom, and by which channel.
pub fn addressed(channel: Option<Channel>, address: Option<&Contact>) -> String {
    match (channel, address) {
        (Some(channel), Some(address)) => format!("{channel} to {}", address.clear()),
        (Some(channel), None) => channel.to_string(),
        (None, Some(address)) => address.clear().to_owned(),
        (None, None) => "none chosen".to_owned(),
    }
}
