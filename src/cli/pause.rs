//! `plusone pause`: stop everything, a rule, a channel, a provider or a customer.

use super::print::local;
use super::{Answer, Failure, lookup, opened::Opened};
use crate::courtesy::pauses::Scope;
use crate::problem::nearest;
use crate::schedule::parse_when::parse_when;
use crate::shell;
use crate::store::db::StoreError;
use crate::store::{pauses, status};
use crate::touchpoints::record::time_json;
use serde_json::json;
use std::io::Write;
use std::process::ExitCode;

#[derive(clap::Args)]
pub struct Options {
    /// A rule's name, all, channel:C, provider:P, or a customer
    #[arg(value_name = "RULE|all|channel:C|provider:P|CUSTOMER")]
    pub what: String,
    /// Go on by itself at this time
    #[arg(long, value_name = "T")]
    pub until: Option<String>,
}

pub async fn run(opened: &Opened, json: bool, options: &Options, out: &mut dyn Write) -> Answer {
    let until = options.until.as_deref().map(|text| parse_when(text, opened.now, opened.zone()));
    let until = until.transpose().map_err(|fault| Failure::usage(fault.to_string()))?;
    if let Some(until) = until.filter(|until| *until <= opened.now) {
        let until = local(until, opened.zone());
        return Err(Failure::usage(format!("a pause until {until} has already ended: name a later time")));
    }
    let scope = scope(opened, &options.what).await?;
    pauses::pause(&opened.db, &scope, until, opened.now).await.map_err(|error| not_paused(&error))?;
    if json {
        writeln!(out, "{:#}", json!({ "scope": scope.to_string(), "paused_until": time_json(until) }))?;
    } else {
        let what = in_words(&scope);
        match until {
            Some(until) => writeln!(out, "Paused {what} until {} ({}).", local(until, opened.zone()), opened.zone())?,
            None => writeln!(out, "Paused {what} until `plusone resume {}`.", shell::customer(&options.what))?,
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// A database that takes no writes cannot be told to pause, so a daemon that sends must be stopped another way.
fn not_paused(error: &StoreError) -> Failure {
    Failure::failed(format!(
        "nothing was paused: {error}; to stop all sending at once stop the daemon, which finishes what is on the wire"
    ))
}

/// A scope as people say it.
pub fn in_words(scope: &Scope) -> String {
    match scope {
        Scope::All => "everything".to_owned(),
        Scope::Rule(name) => format!("rule {name}"),
        Scope::Channel(channel) => format!("channel {channel}"),
        Scope::Provider(name) => format!("provider {name}"),
        Scope::Customer(id) => format!("customer {id}"),
    }
}

/// What `text` names: a rule before a customer of the same name.
///
/// # Errors
/// When there is no such thing: a pause that stops nothing must not look like one that does.
pub async fn scope(opened: &Opened, text: &str) -> Result<Scope, Failure> {
    if let Some((kind, name)) = text.split_once(':') {
        match kind {
            "channel" => return text.parse().map_err(Failure::usage),
            "provider" if opened.settings.providers.contains_key(name) => return Ok(Scope::Provider(name.to_owned())),
            "provider" => return Err(unknown("provider", name, opened.settings.providers.keys())),
            "rule" => {
                let known = rules(opened).await?;
                return if known.iter().any(|rule| rule == name) {
                    Ok(Scope::Rule(name.to_owned()))
                } else {
                    Err(unknown("rule", name, &known))
                };
            }
            _ => {}
        }
    }
    if text == "all" {
        return Ok(Scope::All);
    }
    let known = rules(opened).await?;
    if known.iter().any(|rule| rule == text) {
        return Ok(Scope::Rule(text.to_owned()));
    }
    lookup::the_customer(opened, text).await.map(Scope::Customer).map_err(|failure| {
        match lookup::nearest_rule(text, known.iter().map(String::as_str)) {
            Some(near) => {
                Failure::failed(format!("`{text}` is no rule, the nearest is `{near}`; and {}", failure.message))
            }
            None => Failure::failed(format!("`{text}` is no rule; and {}", failure.message)),
        }
    })
}

/// The rules there are, and those that there were.
pub async fn rules(opened: &Opened) -> Result<Vec<String>, Failure> {
    let past = status::rule_states(&opened.db).await?.into_iter().map(|state| state.rule);
    let mut names: Vec<String> = opened.rules.iter().map(|rule| rule.name.clone()).chain(past).collect();
    names.sort();
    names.dedup();
    Ok(names)
}

fn unknown<'a>(what: &str, name: &str, known: impl IntoIterator<Item = &'a String> + Clone) -> Failure {
    let near = nearest(name, known.clone().into_iter().map(String::as_str));
    let near = near.map_or(String::new(), |near| format!(", the nearest is `{near}`"));
    let known: Vec<&str> = known.into_iter().map(String::as_str).collect();
    let known = if known.is_empty() { "none".to_owned() } else { known.join(", ") };
    Failure::failed(format!("`{name}` is no {what}{near}; there are: {known}"))
}
