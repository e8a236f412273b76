//! `plusone new`: a rule of one's own to begin with, as a draft: its file, its words and its tests.
//!
//! 1. What is written passes `check` as it is, and has an example of everything that the data can be asked.
//! 2. Words that only the business knows stand in `[[ ]]`; no rule goes live with them.
//! 3. Nothing that is there is overwritten.

mod draft;
mod fields;
mod words;

use self::draft::Draft;
use super::init::write;
use super::print::{say, say_json};
use super::{Answer, Failure, Global, no_home};
use crate::app::AppError;
use crate::catalogue::{CUSTOMER, Catalogue, Entity, Place};
use crate::clock::Clock;
use crate::config::{self, Environment, Files, Project};
use crate::plan::audience::EVENT;
use crate::problem::{Severity, nearest};
use crate::rules::{Channel, Purpose};
use crate::settings::Settings;
use serde_json::json;
use std::process::ExitCode;

#[derive(clap::Args)]
pub struct Options {
    /// What the rule is called: small letters, digits and `-`
    #[arg(value_name = "RULE")]
    rule: String,
    /// What it is for, in a sentence that customers may read: the answer to "Why did I get this?"
    #[arg(value_name = "DESCRIPTION")]
    description: String,
    /// What each message is about [default: customer]
    #[arg(long, value_name = "ENTITY")]
    for_each: Option<String>,
    /// What customers can leave, from [topics] of plusone.toml [default: the first that is promotional]
    #[arg(long, value_name = "TOPIC")]
    topic: Option<String>,
    /// How it goes: email, sms or voice [default: the first that customers have an address for]
    #[arg(long, value_name = "CHANNEL")]
    channel: Option<Channel>,
}

pub async fn run(global: &Global, options: &Options) -> Answer {
    let files = Files::read(&global.home);
    if !global.home.join("config").is_dir() {
        return Err(no_home(&global.home));
    }
    let loaded = config::load_from(&files, &Environment::of_process());
    let Some(project) = loaded.project else {
        let errors = loaded.problems.into_iter().filter(|problem| problem.severity == Severity::Error);
        return Err(AppError::Configuration(errors.collect()).into());
    };
    let drafted = draft(&project, options)?.files(&files);
    if let Some((there, _)) = drafted.iter().find(|(path, _)| global.home.join(path).exists()) {
        return Err(Failure::usage(format!("{there} is there already, and stays as it is: choose another name")));
    }
    for (path, text) in &drafted {
        write(&global.home.join(path), text)?;
    }
    let paths: Vec<&str> = drafted.iter().map(|(path, _)| path.as_str()).collect();
    if global.json {
        say_json(json!({ "rule": options.rule, "files": paths }))?;
        return Ok(ExitCode::SUCCESS);
    }
    say(format_args!("{} is a draft now, which never sends. Its files, for you to change:", options.rule))?;
    paths.iter().try_for_each(|path| say(format_args!("  {path}")))?;
    say("Next: `plusone check`")?;
    Ok(ExitCode::SUCCESS)
}

fn draft<'a>(project: &'a Project, options: &'a Options) -> Result<Draft<'a>, Failure> {
    let (name, settings, catalogue) = (&options.rule, &project.settings, &project.catalogue);
    if let Some(cure) = config::file_name_instead(name) {
        return Err(Failure::usage(format!("`{name}` cannot be a rule's name: `{cure}` can")));
    }
    if options.description.trim().is_empty() {
        return Err(Failure::usage("the description is empty: say in a sentence what the rule is for"));
    }
    let (topic, purpose) = topic(settings, options.topic.as_deref())?;
    let channels = channels(settings, catalogue);
    let channel = channels.iter().copied().find(|channel| options.channel.is_none_or(|wanted| wanted == *channel));
    let channel = channel.ok_or_else(|| no_channel(settings, catalogue, options.channel))?;
    let for_each = options.for_each.as_deref().unwrap_or(CUSTOMER);
    let entity = owned(catalogue).find(|entity| entity.name == for_each);
    let entity = entity.ok_or_else(|| no_entity(catalogue, for_each))?;
    Ok(Draft {
        name,
        description: options.description.trim(),
        settings,
        catalogue,
        entity,
        topic,
        purpose,
        channel,
        channels,
        today: Clock::System.now().date(settings.business.time_zone),
    })
}

fn topic<'a>(settings: &'a Settings, wanted: Option<&str>) -> Result<(&'a str, Purpose), Failure> {
    let topics = &settings.topics;
    let found = match wanted {
        Some(wanted) => topics.get_key_value(wanted),
        None => topics.iter().find(|(_, topic)| topic.purpose == Purpose::Promotional).or(topics.iter().next()),
    };
    let known = || topics.keys().map(String::as_str).collect::<Vec<_>>().join(", ");
    match (found, wanted) {
        (Some((name, topic)), _) => Ok((name, topic.purpose)),
        (None, Some(wanted)) => Err(Failure::usage(format!("there is no topic `{wanted}`; there are {}", known()))),
        (None, None) => Err(Failure::usage("plusone.toml has no topics: add one under [topics]")),
    }
}

/// The role of the address that a channel goes to.
fn role(catalogue: &Catalogue, channel: Channel) -> (&'static str, bool) {
    match channel {
        Channel::Email => ("email", catalogue.roles.email.is_some()),
        Channel::Sms | Channel::Voice => ("phone", catalogue.roles.phone.is_some()),
    }
}

/// The channels that are set up and that customers have an address for.
fn channels(settings: &Settings, catalogue: &Catalogue) -> Vec<Channel> {
    settings.channels.keys().copied().filter(|channel| role(catalogue, *channel).1).collect()
}

fn no_channel(settings: &Settings, catalogue: &Catalogue, wanted: Option<Channel>) -> Failure {
    let Some(wanted) = wanted else {
        let help = "name its column under `roles` of [customer] in data.toml, and the channel in plusone.toml";
        return Failure::usage(format!("customers have no address on any channel: {help}"));
    };
    if !settings.channels.contains_key(&wanted) {
        let message = format!("plusone.toml has no [channels.{wanted}]: add it with a sender and a provider");
        return Failure::usage(message);
    }
    let role = role(catalogue, wanted).0;
    let help = format!("name the column under `roles` of [customer] in data.toml, {role} = \"…\"");
    Failure::usage(format!("customers have no address for {wanted}: {help}"))
}

/// What messages can be about. A rule about an event waits for it, and has another beginning.
fn owned(catalogue: &Catalogue) -> impl Iterator<Item = &Entity> {
    let declared = catalogue.entities.values().filter(|entity| entity.place != Place::BuiltIn && entity.name != EVENT);
    declared.filter(|entity| catalogue.is_owned(&entity.name))
}

fn no_entity(catalogue: &Catalogue, wanted: &str) -> Failure {
    let known: Vec<&str> = owned(catalogue).map(|entity| entity.name.as_str()).collect();
    let near = nearest(wanted, known.iter().copied());
    let near = near.map_or_else(|| format!("there are {}", known.join(", ")), |near| format!("closest: {near}"));
    Failure::usage(format!("data.toml declares no `{wanted}` that belongs to customers; {near}"))
}
