//! `plusone diff RULE_FILE`: what a changed rule would change. Sends nothing and changes nothing.
//!
//! 1. The rule is that of the file's name. A file in the home's own place is compared with the version in force, which
//!    is the last that ran; any other with the home's file.
//! 2. A file with problems gets the diagnostics of `check`, and exit code 2.

use super::print::{plain, say, say_json};
use super::problems::{Look, render};
use super::progress::shown;
use super::{Answer, Failure, Global, open};
use crate::app::{App, rule_path};
use crate::clock::Clock;
use crate::config::{Environment, Files, Project};
use crate::ids::bucket_of;
use crate::outreach::compare::{Difference, Group, compare};
use crate::outreach::foresee::Foresight;
use crate::outreach::tick::History;
use crate::problem::Severity;
use crate::progress::Progress;
use crate::rules::Rule;
use crate::store::find::{self, Called};
use crate::store::{kept_files, pauses};
use crate::time::Timestamp;
use crate::workspace::Workspace;
use serde_json::{Value, json};
use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

mod changes;

use self::changes::{Change, changes};

/// With `--exit-code`: somebody would be reached, or would not, or again.
const DIFFERS: u8 = 3;
const BAD_FILE: u8 = 2;

#[derive(clap::Args)]
pub struct Options {
    /// The changed rule, or a new one; its name is the file's
    #[arg(value_name = "RULE_FILE")]
    file: PathBuf,
    /// Judge at this time instead of now
    #[arg(long, value_name = "T", allow_hyphen_values = true)]
    at: Option<String>,
    /// End with 3 where anybody is reached newly, no longer or again; for scripts
    #[arg(long)]
    exit_code: bool,
}

pub async fn run(global: &Global, options: &Options) -> Answer {
    let text = std::fs::read_to_string(&options.file)
        .map_err(|error| Failure::usage(format!("cannot read {}: {error}", options.file.display())))?;
    let name = options.file.file_stem().map(|stem| stem.to_string_lossy().into_owned()).unwrap_or_default();
    let app = open(global, Clock::System).await?;
    let at = super::at(&app, options.at.as_deref())?;
    let path = rule_path(&name);
    let files = Files::read(&app.home);
    let kept = kept_files::all(&app.db).await?;
    let is_own = is_same_file(&options.file, &app.home.join(&path));
    let before = match (is_own, kept.get(&path)) {
        (true, kept) => kept.cloned(),
        (false, kept) => files.get(&path).map(|source| source.text.to_string()).or_else(|| kept.cloned()),
    };
    let after = with_text(&files, &path, Some(&text));
    let errors = after.as_ref().map_or_else(Clone::clone, |workspace| workspace.problems.clone());
    let errors: Vec<_> = errors.into_iter().filter(|problem| problem.severity == Severity::Error).collect();
    let after = match after {
        Ok(workspace) if workspace.project.rules.contains_key(&name) => workspace,
        _ => {
            super::complain(render(&errors, Look::Plain));
            super::complain(format_args!("plusone: {} cannot be used as the rule {name}", options.file.display()));
            return Ok(ExitCode::from(BAD_FILE));
        }
    };
    let before = with_text(&files, &path, before.as_deref())
        .ok()
        .filter(|workspace| workspace.project.rules.contains_key(&name));
    app.look().await?;
    let asked = Asked { app: &app, name: &name, at, before: before.as_ref(), after: &after };
    asked.answer(global.json, options.exit_code).await
}

/// The configuration with this text for that file, or without the file.
fn with_text(files: &Files, path: &str, text: Option<&str>) -> Result<Workspace, Vec<crate::problem::Problem>> {
    let mut files = files.clone();
    match text {
        Some(text) => files.insert(path, text),
        None => files.remove(path),
    }
    Workspace::open(&files, &Environment::of_process(), &std::collections::BTreeMap::new())
}

fn is_same_file(one: &Path, other: &Path) -> bool {
    match (one.canonicalize(), other.canonicalize()) {
        (Ok(one), Ok(other)) => one == other,
        _ => false,
    }
}

struct Asked<'a> {
    app: &'a App,
    name: &'a str,
    at: Timestamp,
    /// Without it the rule is new.
    before: Option<&'a Workspace>,
    after: &'a Workspace,
}

impl<'a> Asked<'a> {
    async fn answer(&self, as_json: bool, exit_code: bool) -> Answer {
        let history = History::load_with_zones(&self.app.db, &self.after.project).await?;
        let pauses = pauses::load(&self.app.db).await?;
        let foresight = |project: &'a Project| {
            let rule = &project.rules[self.name];
            let first_run = history.is_first_at(rule, self.at, self.at);
            Foresight { db: &self.app.db, project, rule, at: self.at, pauses: &pauses, first_run }
        };
        let old = self.before.map(|before| foresight(&before.project));
        let new = foresight(&self.after.project);
        let progress = Progress::default();
        let comparing = compare(old.as_ref(), &new, &progress);
        let difference = shown("candidates judged", &progress, comparing).await?;
        let held = new.hold(&history, &difference.counts).await?;
        let changes = self.before.map(|before| changes(self.rule(before), self.rule(self.after))).unwrap_or_default();
        let names = self.names(&difference).await?;
        if as_json {
            say_json(self.to_json(&difference, &changes, held.as_deref(), &names))?;
        } else {
            self.print(&difference, &changes, held.as_deref(), &names)?;
        }
        let differs = exit_code && difference.is_any();
        Ok(if differs { ExitCode::from(DIFFERS) } else { ExitCode::SUCCESS })
    }

    fn rule<'w>(&self, workspace: &'w Workspace) -> &'w Rule {
        &workspace.project.rules[self.name]
    }

    async fn names(&self, difference: &Difference) -> Result<HashMap<String, Called>, Failure> {
        let groups = groups(difference);
        let all = groups.iter().flat_map(|(_, _, group)| &group.examples);
        let keys: Vec<(i64, &str)> = all.map(|(customer, _)| (bucket_of(customer), customer.as_str())).collect();
        Ok(find::called(&self.app.db, &self.after.project.catalogue, &keys).await?)
    }

    fn to_json(
        &self,
        difference: &Difference,
        changes: &[Change],
        held: Option<&str>,
        names: &HashMap<String, Called>,
    ) -> Value {
        let mut answer = json!({
            "rule": self.name, "at": self.at.to_string(), "new": self.before.is_none(),
            "changes": changes.iter().map(Change::to_json).collect::<Value>(), "held_reason": held,
        });
        for (key, _, group) in groups(difference) {
            let example = |(customer, entity): &(String, String)| json!({ "customer": customer, "name": names.get(customer).and_then(|called| called.name.as_ref()), "entity": entity });
            let examples = group.examples.iter().map(example).collect::<Value>();
            answer[key] = json!({ "count": group.count, "examples": examples });
        }
        answer
    }

    fn print(
        &self,
        difference: &Difference,
        changes: &[Change],
        held: Option<&str>,
        names: &HashMap<String, Called>,
    ) -> std::io::Result<()> {
        let what = if self.before.is_some() { "changed, beside the version in force" } else { "a new rule" };
        say(format_args!("{}: {what}", self.name))?;
        changes.iter().try_for_each(|change| say(format_args!("  {}", plain(&change.to_string()))))?;
        if changes.is_empty() && self.before.is_some() {
            say("  the rule's settings are the same")?;
        }
        for (_, words, group) in groups(difference) {
            say(format_args!("{:>8}  {words}", group.count))?;
            if words.starts_with("unchanged") {
                continue;
            }
            for (customer, entity) in &group.examples {
                let name =
                    names.get(customer).and_then(Called::told).map(|name| format!(" {name}")).unwrap_or_default();
                let about = if entity == customer { String::new() } else { format!(" ({entity})") };
                say(format_args!("            {customer}{name}{about}"))?;
            }
            let more = group.count.saturating_sub(group.examples.len() as u64);
            if more > 0 {
                say(format_args!("            and {more} more"))?;
            }
        }
        held.map_or(Ok(()), |reason| say(format_args!("its run would wait for approval: {reason}")))
    }
}

/// Each group with its name in JSON and its words.
fn groups(difference: &Difference) -> [(&'static str, &'static str, &Group); 4] {
    [
        ("newly_reached", "newly reached", &difference.newly_reached),
        ("no_longer_reached", "no longer reached", &difference.no_longer_reached),
        ("unchanged", "unchanged", &difference.unchanged),
        ("re_sent", "written to again, though they have had it (should be none)", &difference.sent_again),
    ]
}
