//! `plusone explain`: what conditions and templates can name and call, and why a message may not go.

use super::print::{say, say_json};
use super::{Answer, Failure, Global};
use crate::config::{Environment, Files, load_from};
use crate::problem::nearest;
use crate::reference::{self, Entry};
use clap::ValueEnum;
use serde_json::{Value, json};
use std::process::ExitCode;

#[derive(clap::Args)]
pub struct Options {
    /// What to explain
    #[arg(value_enum)]
    what: What,
    /// Only this entity of config/data.toml, or this function, helper or reason
    #[arg(value_name = "NAME")]
    name: Option<String>,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum What {
    /// What config/data.toml has to name, with an example of each
    Fields,
    /// What conditions can call
    Functions,
    /// Why a message did not go
    Reasons,
    /// What templates can call
    Helpers,
}

pub async fn run(global: &Global, options: &Options) -> Answer {
    let entries = entries(global, options)?;
    if global.json {
        say_json(Value::Array(entries.iter().map(to_json).collect()))?;
        return Ok(ExitCode::SUCCESS);
    }
    let mut group = "";
    for entry in &entries {
        if group != entry.group {
            say(format_args!("{}{}", if group.is_empty() { "" } else { "\n" }, entry.group))?;
            group = &entry.group;
        }
        let ty = entry.ty.as_ref().map(|ty| format!("{ty}; ")).unwrap_or_default();
        say(format_args!("  {}: {ty}{}", entry.name, entry.meaning))?;
        say(format_args!("      {}", entry.example))?;
        entry.template.iter().try_for_each(|text| say(format_args!("      {text}")))?;
    }
    Ok(ExitCode::SUCCESS)
}

fn entries(global: &Global, options: &Options) -> Result<Vec<Entry>, Failure> {
    let name = options.name.as_deref();
    let all = match options.what {
        What::Fields => return fields(global, name),
        What::Functions => reference::functions(),
        What::Helpers => reference::called_in_templates(),
        What::Reasons => reference::reasons(),
    };
    let Some(name) = name else { return Ok(all) };
    let wanted: Vec<Entry> = all.iter().filter(|entry| entry.name == name).cloned().collect();
    if !wanted.is_empty() {
        return Ok(wanted);
    }
    let near = nearest(name, all.iter().map(|entry| entry.name.as_str()));
    let near = near.map_or_else(|| "leave the name out to see all".to_owned(), |near| format!("closest: {near}"));
    Err(Failure::usage(format!("there is no `{name}`; {near}")))
}

fn fields(global: &Global, entity: Option<&str>) -> Result<Vec<Entry>, Failure> {
    let loaded = load_from(&Files::read(&global.home), &Environment::of_process());
    let Some(project) = loaded.project else {
        return Err(Failure::usage("the configuration cannot be used: `plusone check` says why"));
    };
    reference::fields(&project.catalogue, entity).ok_or_else(|| {
        let wanted = entity.unwrap_or_default();
        let known: Vec<&str> = project.catalogue.entities.keys().map(String::as_str).collect();
        let near = nearest(wanted, known.iter().copied());
        let near = near.map_or_else(|| format!("there are {}", known.join(", ")), |near| format!("closest: {near}"));
        Failure::usage(format!("config/data.toml declares no `{wanted}`; {near}"))
    })
}

fn to_json(entry: &Entry) -> Value {
    json!({
        "group": entry.group, "name": entry.name, "type": entry.ty, "meaning": entry.meaning,
        "example": entry.example, "template": entry.template,
    })
}
