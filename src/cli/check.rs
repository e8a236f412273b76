//! `plusone check`: every problem of every file at once, then each rule with its next ticks.

use super::problems::{Look, count, render};
use super::{Answer, Failure, Global};
use crate::clock::Clock;
use crate::config::{Environment, Files, Loaded, Project};
use crate::problem::Problem;
use crate::rules::{Live, Rule};
use crate::time::{Timestamp, Tz};
use crate::workspace::Workspace;
use serde::Serialize;
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::Write as _;
use std::process::ExitCode;

const BAD_CONFIGURATION: u8 = 2;
const TICKS_SHOWN: usize = 5;

#[derive(clap::Args)]
pub struct Options {}

/// A problem with the names of the JSON output.
#[derive(Serialize)]
struct Line<'a> {
    severity: crate::problem::Severity,
    file: &'a str,
    line: usize,
    column: usize,
    message: &'a str,
    help: Option<&'a str>,
}

pub async fn run(global: &Global, _options: &Options) -> Answer {
    let files = Files::read(&global.home);
    let loaded = match Workspace::open(&files, &Environment::of_process(), &BTreeMap::new()) {
        Ok(workspace) => Loaded { project: Some(workspace.project), problems: workspace.problems },
        Err(problems) => Loaded { project: None, problems },
    };
    let answer = match global.json {
        true => json(&loaded.problems)?,
        false => text(&loaded, Clock::System.now(), Look::of_stdout()),
    };
    std::io::stdout().lock().write_all(answer.as_bytes())?;
    Ok(if loaded.has_errors() { ExitCode::from(BAD_CONFIGURATION) } else { ExitCode::SUCCESS })
}

fn json(problems: &[Problem]) -> Result<String, Failure> {
    let mut text = String::new();
    for problem in problems {
        let (line, column) = problem.source.position(problem.span.start);
        let shown = Line {
            severity: problem.severity,
            file: &problem.source.name,
            line,
            column,
            message: &problem.message,
            help: problem.help.as_deref(),
        };
        let line = serde_json::to_string(&shown).map_err(|error| Failure::failed(error.to_string()))?;
        text.push_str(&line);
        text.push('\n');
    }
    Ok(text)
}

/// What `check` prints: problems, rules, a summary.
pub fn text(loaded: &Loaded, now: Timestamp, look: Look) -> String {
    let mut text = render(&loaded.problems, look);
    if !text.is_empty() {
        text.push('\n');
    }
    if let Some(project) = &loaded.project {
        text.push_str(&rules(project, now));
    }
    let _ = writeln!(text, "{}", summary(loaded));
    text
}

fn summary(loaded: &Loaded) -> String {
    let found = count(&loaded.problems);
    let Some(project) = &loaded.project else { return found };
    let drafts = project.rules.values().filter(|rule| rule.live == Live::Draft).count();
    let live = project.rules.len() - drafts;
    format!("{found}; {live} live, {drafts} draft, {} broken", project.broken.len())
}

fn rules(project: &Project, now: Timestamp) -> String {
    let zone = project.settings.business.time_zone;
    let mut text = String::new();
    for rule in project.rules.values() {
        let _ = writeln!(text, "{}: {}, {}", rule.name, life(rule, now, zone), rule.rhythm());
        let _ = writeln!(text, "    next: {}", ticks(rule, now, zone));
    }
    for name in &project.broken {
        let _ = writeln!(text, "{name}: broken, see above");
    }
    text.push_str(if text.is_empty() { "" } else { "\n" });
    text
}

fn life(rule: &Rule, now: Timestamp, zone: Tz) -> String {
    match rule.live {
        Live::Draft => "draft (never sends until `live = true`)".to_owned(),
        Live::Always => "live".to_owned(),
        Live::Between { from, .. } if rule.live.at(now) || from.is_none() => "live".to_owned(),
        Live::Between { from, .. } => {
            let from = from.map_or_else(String::new, |from| from.date(zone).to_string());
            format!("live from {from}")
        }
    }
}

/// The next ticks in the business's time: the date where it changes, then the times of that day.
fn ticks(rule: &Rule, now: Timestamp, zone: Tz) -> String {
    if rule.on_event.is_some() {
        return "within a second of each".to_owned();
    }
    // Each customer's clock shows what the business's shows, at another instant.
    let own = rule.in_customers_time && rule.schedule.is_civil();
    let zone = if own { rule.time_zone } else { zone };
    let next = |after: &Timestamp| rule.schedule.next_after(*after, rule.time_zone);
    let ticks: Vec<Timestamp> = std::iter::successors(next(&now), next).take(TICKS_SHOWN).collect();
    if ticks.is_empty() {
        return "none".to_owned();
    }
    let mut shown: Vec<String> = Vec::new();
    let mut day = None;
    for tick in ticks {
        let local = tick.local(zone);
        let format = if day == Some(local.date()) { "%H:%M" } else { "%a %Y-%m-%d %H:%M" };
        shown.push(local.format(format).to_string());
        day = Some(local.date());
    }
    let whose = if own { "each customer's own time".to_owned() } else { zone.to_string() };
    format!("{} ({whose})", shown.join(", "))
}
