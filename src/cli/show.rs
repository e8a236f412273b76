//! `plusone show`: one touchpoint, with the words as sent, why it was decided so, and what became of it.

use super::consent::told;
use super::log::addressed;
use super::print::{local_seconds, money, plain, short};
use super::{Answer, Failure, opened::Opened};
use crate::amount::counted;
use crate::courtesy::consent::deciding;
use crate::ids::bucket_of;
use crate::outreach::foresee::gates::recorded;
use crate::outreach::foresee::sentences::gates;
use crate::store::consents::{Entry, ledger};
use crate::store::log::{Named, by_id, detail};
use crate::time::Tz;
use crate::touchpoints::record::parsed_json;
use crate::touchpoints::{Detail, State, Touchpoint};
use serde_json::Value;
use std::io::{self, Write};
use std::process::ExitCode;

#[derive(clap::Args)]
pub struct Options {
    /// Its id, or the first 8 characters of it
    pub touchpoint: String,
}

pub async fn run(opened: &Opened, json: bool, options: &Options, out: &mut dyn Write) -> Answer {
    let touchpoint = the_touchpoint(opened, &options.touchpoint).await?;
    let detail = detail(&opened.db, touchpoint).await?;
    let said = consent(opened, &detail.touchpoint).await?;
    if json {
        let mut whole = detail.to_json(opened.currency());
        whole["consent"] = said.map_or(Value::Null, |entry| {
            let mut consent = entry.to_json();
            consent["sentence"] = Value::String(told(opened, &entry));
            consent
        });
        writeln!(out, "{whole:#}")?;
    } else {
        sentences(opened, &detail, out)?;
        if let Some(entry) = said {
            writeln!(out, "\nConsent as of then\n  {}", told(opened, &entry))?;
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// What the customer had said about the topic and channel when it was decided.
async fn consent(opened: &Opened, one: &Touchpoint) -> Result<Option<Entry>, Failure> {
    let Some(channel) = one.channel else { return Ok(None) };
    let mut ledger = ledger(&opened.db, bucket_of(&one.customer), &one.customer).await?;
    ledger.retain(|entry| entry.at <= one.as_of);
    Ok(deciding(&ledger, &one.topic, channel.as_str()).cloned())
}

/// The one touchpoint that `text` names.
///
/// # Errors
/// When it names none, or several begin with it.
pub async fn the_touchpoint(opened: &Opened, text: &str) -> Result<Touchpoint, Failure> {
    match by_id(&opened.db, text).await? {
        Named::One(touchpoint) => Ok(*touchpoint),
        Named::Nothing => Err(Failure::failed(format!(
            "no touchpoint has an id that is or begins with `{text}` (8 characters or more): `plusone log` lists them"
        ))),
        Named::Several(several) => {
            let ids: Vec<&str> = several.iter().map(|one| one.id.as_str()).collect();
            Err(Failure::failed(format!(
                "more than one touchpoint has an id that begins with `{text}`: {}",
                ids.join(", ")
            )))
        }
    }
}

fn sentences(opened: &Opened, detail: &Detail, out: &mut dyn Write) -> io::Result<()> {
    let (zone, currency) = (opened.zone(), opened.currency());
    let one = &detail.touchpoint;
    writeln!(out, "Touchpoint {}  (times of {zone})", one.id)?;
    for (name, value) in summary(one, zone, currency) {
        writeln!(out, "  {name:<14} {}", plain(&value))?;
    }
    if let Some(words) = &detail.words {
        writeln!(out, "\nWords")?;
        write_words(&parsed_json(Some(words)), out)?;
    }
    if let Some(facts) = &detail.facts {
        writeln!(out, "\nFacts")?;
        write_values(&parsed_json(Some(facts)), out)?;
    }
    // What was refused at a gate keeps none; a test message was asked none.
    if detail.gates.is_some() || matches!(one.state, State::Skipped | State::HeldOut) {
        writeln!(out, "\nGates")?;
        let asked = recorded(opened.rules.iter().find(|rule| rule.name == one.rule), detail);
        gates(&asked).iter().try_for_each(|line| writeln!(out, "  {}", plain(line)))?;
    }
    if !detail.events.is_empty() {
        writeln!(out, "\nWhat happened")?;
    }
    for event in &detail.events {
        let said = inline(&parsed_json(event.detail.as_deref()));
        let line = format!("  {}  {:<12} {said}", local_seconds(event.at, zone), event.kind);
        writeln!(out, "{}", plain(line.trim_end()))?;
    }
    Ok(())
}

/// What is known, name by name; what is not is left out.
fn summary(one: &Touchpoint, zone: Tz, currency: &str) -> Vec<(&'static str, String)> {
    let time = |at| local_seconds(at, zone);
    let mut lines = vec![
        ("rule", format!("{} ({}, topic {}, {})", one.rule, one.kind, one.topic, one.purpose)),
        ("customer", one.customer.clone()),
        ("about", format!("{} {}", one.entity_kind, one.entity_id)),
        ("occurrence", one.occurrence.clone()),
        ("state", one.state.to_string()),
    ];
    let mut add = |name, value: Option<String>| lines.extend(value.map(|value| (name, value)));
    add("reason", one.reason.map(|reason| format!("{reason}: {}", reason.meaning())));
    add("channel", Some(addressed(one.channel, one.address.as_ref())));
    add("subject", one.subject.clone());
    add(
        "offer",
        one.offer.as_ref().map(|offer| match &one.code {
            Some(code) => format!("{offer}, code {code}"),
            None => offer.clone(),
        }),
    );
    add("decided as of", Some(time(one.as_of)));
    add("due", one.due_at.map(time));
    add("not after", one.expires_at.map(time));
    add("sent", one.sent_at.map(time));
    add(
        "provider",
        one.provider.as_ref().map(|name| match &one.provider_id {
            Some(id) => format!("{name}, its id {id}"),
            None => name.clone(),
        }),
    );
    add("attempts", (one.attempts > 0).then(|| one.attempts.to_string()));
    add("cost", one.cost.map(|cost| format!("{} {currency}", money(cost))));
    add("variant", one.variant.clone());
    add("locale", one.locale.clone());
    let copy = "possibly a second copy: the first may have arrived too";
    add("note", one.possible_duplicate.then(|| copy.to_owned()));
    add("note", one.test.then(|| "a test: counted nowhere".to_owned()));
    add("run", Some(short(&one.run_id).to_owned()));
    add("written", Some(time(one.created_at)));
    add("changed", Some(time(one.updated_at)));
    lines
}

/// The parts of a message. HTML is for mail clients: of it only the size is told.
fn write_words(words: &Value, out: &mut dyn Write) -> io::Result<()> {
    let Value::Object(parts) = words else { return writeln!(out, "  {}", plain(&inline(words))) };
    for (part, text) in parts {
        let text = text.as_str().map_or_else(|| text.to_string(), str::to_owned);
        if part == "html" {
            let size = counted(text.chars().count(), "character");
            writeln!(out, "  html: {size}, in full with --json")?;
        } else if text.contains('\n') {
            writeln!(out, "  {}:", plain(part))?;
            text.lines().try_for_each(|line| writeln!(out, "    {}", plain(line)))?;
        } else {
            writeln!(out, "  {}: {}", plain(part), plain(&text))?;
        }
    }
    Ok(())
}

fn write_values(values: &Value, out: &mut dyn Write) -> io::Result<()> {
    let Value::Object(values) = values else { return writeln!(out, "  {}", plain(&inline(values))) };
    values.iter().try_for_each(|(name, value)| writeln!(out, "  {} = {}", plain(name), plain(&inline(value))))
}

/// A value on one line: text as it is, an object as `name value`, anything else as JSON.
fn inline(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        Value::Object(object) => {
            object.iter().map(|(name, value)| format!("{name} {}", inline(value))).collect::<Vec<_>>().join(", ")
        }
        other => other.to_string(),
    }
}
