//! `plusone check`: every problem of every file at once, the tests of the rules, then each rule with its next ticks and
//! how many it matches now.
//!
//! 1. Nothing is written anywhere: a database is looked at where there is one, and not made where there is none.

use super::problems::{Look, count, render};
use super::{Answer, Failure, Global, shortfall};
use crate::catalogue::CUSTOMER;
use crate::clock::Clock;
use crate::config::{DATA_TOML, Environment, Files, Loaded, Project, places, rule_tests};
use crate::messages::foreign::placeholders;
use crate::outreach::today::{self, Findings, Matches};
use crate::outreach::trial;
use crate::plan::never::never_goes;
use crate::problem::{self, Problem};
use crate::rules::{Live, Rule};
use crate::store::db::Db;
use crate::store::entities;
use crate::time::{Timestamp, Tz};
use crate::workspace::Workspace;
use crate::workspace::unused::unused;
use serde::Serialize;
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::Write as _;
use std::path::Path;
use std::process::ExitCode;
use std::time::Duration;

const BAD_CONFIGURATION: u8 = 2;
const TICKS_SHOWN: usize = 5;
/// How long the data may be looked at.
const PATIENCE: Duration = Duration::from_secs(5);

#[derive(clap::Args)]
pub struct Options {}

/// What was found beside problems.
struct Found {
    now: Timestamp,
    /// Tests of rules that passed.
    passed: usize,
    matches: Vec<Matches>,
}

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
    let environment = Environment::of_process();
    let mut loaded = match Workspace::open(&files, &environment, &BTreeMap::new()) {
        Ok(workspace) => Loaded { project: Some(workspace.project), problems: workspace.problems },
        Err(problems) => Loaded { project: None, problems },
    };
    let now = Clock::System.now();
    let mut found = Found { now, passed: 0, matches: Vec::new() };
    found.passed = try_rules(&files, &environment, &mut loaded).await?;
    if let Some(project) = &loaded.project {
        loaded.problems.extend(unused(project));
        let entities: Vec<String> = project.catalogue.entities.keys().cloned().collect();
        let templates = project.templates.values().flatten();
        loaded.problems.extend(templates.flat_map(|file| placeholders(file, &entities)));
        loaded.problems.extend(never(project, now));
        let data = look_at_data(project, &files, &global.home, now).await;
        loaded.problems.extend(data.problems);
        found.matches = data.matches;
    }
    problem::sort(&mut loaded.problems);
    let answer = match global.json {
        true => json(&loaded.problems)?,
        false => text(&loaded, &found, Look::of_stdout()),
    };
    std::io::stdout().lock().write_all(answer.as_bytes())?;
    Ok(if loaded.has_errors() { ExitCode::from(BAD_CONFIGURATION) } else { ExitCode::SUCCESS })
}

/// Runs the tests of the rules and adds what is wrong with them; gives how many passed.
async fn try_rules(files: &Files, environment: &Environment, loaded: &mut Loaded) -> Result<usize, Failure> {
    let Some(project) = &loaded.project else { return Ok(0) };
    let (tests, problems) = rule_tests::read(files, project, environment);
    loaded.problems.extend(problems);
    let verdict = trial::run(project, &tests).await;
    let verdict = verdict.map_err(|error| Failure::failed(format!("the tests of the rules cannot be run: {error}")))?;
    loaded.problems.extend(verdict.problems);
    Ok(verdict.passed)
}

/// Warns of rules whose messages would always meet silence.
fn never(project: &Project, now: Timestamp) -> Vec<Problem> {
    let silent = project.rules.values().filter(|rule| never_goes(rule, &project.settings, now));
    let warning = |rule: &Rule| {
        let source = project.rule_files.get(&rule.name)?;
        let message = "whenever this rule looks, its channels are silent until its messages have expired";
        let help = "choose another time, a longer `expires_after`, or look at `quiet_hours` and `legal_hours`";
        Some(Problem::warning(source, places::place(source, "schedule", None), message).help(help))
    };
    silent.filter_map(warning).collect()
}

/// What the data say, in the database where there is one, and in their files; nothing is made or changed, and nobody
/// waits long for it.
async fn look_at_data(project: &Project, files: &Files, home: &Path, now: Timestamp) -> Findings {
    let (catalogue, zone) = (&project.catalogue, project.settings.business.time_zone);
    let look = async {
        let db = Db::open_to_look(project.settings.database_url.expose(), home).await.ok().flatten();
        let mut findings = match &db {
            Some(db) => today::look(db, project, now).await.unwrap_or_default(),
            None => Findings::default(),
        };
        let shortfall = shortfall::all(db.as_ref(), catalogue, home, zone).await.unwrap_or_default();
        findings.problems.extend(shortfall::problems(shortfall, files));
        if let Some(db) = db {
            let refusals = entities::refusals(&db, catalogue).await.unwrap_or_default();
            findings.problems.extend(refusals.into_iter().filter_map(|refusal| {
                let source = files.get(DATA_TOML)?;
                let place = places::within(source, &[&refusal.entity, "fields", &refusal.field]);
                Some(Problem::error(source, place, refusal.why))
            }));
            db.close().await;
        }
        findings
    };
    tokio::time::timeout(PATIENCE, look).await.unwrap_or_default()
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

/// What is printed: problems, rules, a summary.
fn text(loaded: &Loaded, found: &Found, look: Look) -> String {
    let mut text = render(&loaded.problems, look);
    if !text.is_empty() {
        text.push('\n');
    }
    if let Some(project) = &loaded.project {
        text.push_str(&rules(project, found));
    }
    let _ = writeln!(text, "{}", summary(loaded, found.passed));
    text
}

fn summary(loaded: &Loaded, passed: usize) -> String {
    let found = count(&loaded.problems);
    let Some(project) = &loaded.project else { return found };
    let drafts = project.rules.values().filter(|rule| rule.live == Live::Draft).count();
    let live = project.rules.len() - drafts;
    let tests = match passed {
        0 => String::new(),
        1 => "; 1 test passed".to_owned(),
        _ => format!("; {passed} tests passed"),
    };
    format!("{found}; {live} live, {drafts} draft, {} broken{tests}", project.broken.len())
}

fn rules(project: &Project, found: &Found) -> String {
    let now = found.now;
    let zone = project.settings.business.time_zone;
    let mut text = String::new();
    for rule in project.rules.values() {
        let _ = writeln!(text, "{}: {}, {}", rule.name, life(rule, now, zone), rule.rhythm());
        let _ = writeln!(text, "    next: {}", ticks(rule, now, zone));
        if let Some(matches) = found.matches.iter().find(|matches| matches.rule == rule.name) {
            let _ = writeln!(text, "    matches now: {}", reach(matches));
        }
    }
    for name in &project.broken {
        let _ = writeln!(text, "{name}: broken, see above");
    }
    text.push_str(if text.is_empty() { "" } else { "\n" });
    text
}

/// `3 of the 40 customers`; of a sample what that makes of all.
fn reach(matches: &Matches) -> String {
    let Matches { entity, matching, looked_at, all, .. } = matches;
    let what = if entity == CUSTOMER { "customers".to_owned() } else { format!("rows of `{entity}`") };
    if looked_at == all {
        return format!("{matching} of {all} {what}");
    }
    let about = i128::from(*matching) * i128::from(*all) / i128::from(*looked_at);
    format!("about {about} of {all} {what} ({matching} of {looked_at} looked at)")
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
