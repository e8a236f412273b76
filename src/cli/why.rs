//! `plusone why CUSTOMER [RULE]`: clause by clause with the values used, then each gate, then what would happen.
//!
//! 1. Of now, and of a time to come, it says what a tick then would do, on today's data.
//! 2. Of a time that is past it says what was recorded; what was not is judged on today's data and says so.

mod past;
mod words;

use self::words::{Heading, in_short, print_had, print_rule};
use super::lookup::the_customer_or_name;
use super::opened::Opened;
use super::print::{local, say, say_json};
use super::standing::Standing;
use super::{Answer, Failure, Global, known_rule, open, shortfall};
use crate::app::App;
use crate::clock::Clock;
use crate::courtesy::consent::deciding;
use crate::courtesy::pauses::Pauses;
use crate::ids::bucket_of;
use crate::outreach::foresee::explain::Guarded;
use crate::outreach::foresee::gates::{Asked, GUARD};
use crate::outreach::foresee::{Explained, Foresight};
use crate::outreach::recall::{Recalled, recall};
use crate::outreach::tick::History;
use crate::plan::decide::Decision;
use crate::rules::Rule;
use crate::store::consents::ledger;
use crate::store::log::decided_by;
use crate::store::runs::{self, Run};
use crate::store::{pauses, zones};
use crate::time::{Timestamp, zone_named};
use crate::touchpoints::{Reason, Touchpoint};
use serde_json::{Value, json};
use std::process::ExitCode;

#[derive(clap::Args)]
pub struct Options {
    /// An id, an email address, a phone number, order:1234, or a name that one person has
    #[arg(value_name = "CUSTOMER")]
    customer: String,
    /// The rule's file name without .toml; every rule in one line each where absent
    #[arg(value_name = "RULE")]
    rule: Option<String>,
    /// At this time instead of now: what was recorded then, or what would happen
    #[arg(long, value_name = "T", allow_hyphen_values = true)]
    at: Option<String>,
}

/// Who asks for what.
struct Question<'a> {
    app: &'a App,
    history: History,
    pauses: Pauses,
    customer: String,
    at: Timestamp,
    now: Timestamp,
}

/// All that can be said of one rule.
struct Answered<'a> {
    rule: &'a Rule,
    standing: Standing,
    /// Of a time that is past.
    recalled: Vec<Recalled>,
    /// The messages of the rule that the customer had, the newest first; of a time that is past they are recalled.
    had: Vec<Touchpoint>,
    /// The rule's newest run until then.
    last_run: Option<Run>,
    /// Judged on today's data.
    rows: Vec<Explained>,
    guard: Option<Asked>,
    consent: Vec<String>,
}

pub async fn run(global: &Global, options: &Options) -> Answer {
    let app = open(global, Clock::System).await?;
    let at = super::back_at(&app, options.at.as_deref())?;
    app.look().await?;
    shortfall::mention(&app).await?;
    let customer = the_customer_or_name(&Opened::of(&app), &options.customer).await?;
    let project = &app.workspace.project;
    let rules: Vec<&Rule> = match &options.rule {
        Some(name) => vec![known_rule(&app, name)?],
        None => project.rules.values().collect(),
    };
    let history = History::load_with_zones(&app.db, project).await?;
    let pauses = pauses::load(&app.db).await?;
    // Time goes by while data are read: without `--at` nothing is past.
    let now = if options.at.is_some() { app.clock.now() } else { at };
    let question = Question { app: &app, history, pauses, customer, at, now };
    let mut answers = Vec::new();
    for rule in rules {
        answers.push(question.ask(rule, options.rule.is_some()).await?);
    }
    if global.json {
        let all = answers.iter().flat_map(|answer| question.to_json(answer));
        say_json(Value::Array(all.collect()))?;
    } else if let (Some(_), [answer]) = (&options.rule, &answers[..]) {
        question.print(answer)?;
    } else {
        for answer in &answers {
            say(format_args!("{:<24} {}", answer.rule.name, in_short(answer, at, question.zone())))?;
        }
    }
    Ok(ExitCode::SUCCESS)
}

impl<'a> Question<'a> {
    fn zone(&self) -> crate::time::Tz {
        self.app.workspace.project.settings.business.time_zone
    }

    fn is_past(&self) -> bool {
        self.at < self.now
    }

    async fn ask(&self, rule: &'a Rule, in_full: bool) -> Result<Answered<'a>, Failure> {
        let (db, project) = (&self.app.db, &self.app.workspace.project);
        let written = zones::of_customer(db, &project.catalogue, &self.customer).await?;
        let zone = written.as_deref().and_then(zone_named);
        let standing = Standing::of(self.app, &self.history, rule, zone, self.now);
        let (mut recalled, mut last_run, mut had) = (Vec::new(), None, Vec::new());
        if self.is_past() {
            recalled = recall(self.app, rule, &self.customer, self.at).await?;
            last_run = runs::newest_until(db, &rule.name, self.at).await?;
        } else {
            had = decided_by(db, &rule.name, &self.customer, self.at).await?;
            had.retain(|one| one.state.counts_as_touched() && !one.test);
        }
        let first_run = self.history.is_first_at(rule, self.at, self.at);
        let foresight = Foresight { db, project, rule, at: self.at, pauses: &self.pauses, first_run };
        let mut rows = foresight.explain(&self.customer).await?;
        rows.retain(|row| recalled.iter().all(|one| one.detail.touchpoint.entity_id != row.entity));
        let goes = rows.iter().any(|row| matches!(row.fate, Some(Decision::Plan(_))));
        let guard = if in_full && goes { Some(self.guard(rule, &foresight).await?) } else { None };
        let consent = self.consent(rule).await?;
        Ok(Answered { rule, standing, recalled, had, last_run, rows, guard, consent })
    }

    /// What the guard says of the run that the message would belong to.
    async fn guard(&self, rule: &Rule, foresight: &Foresight<'_>) -> Result<Asked, Failure> {
        let waiting = runs::newest_held(&self.app.db, &rule.name).await?;
        let waiting = waiting.map(|run| {
            let why = run.reason.map(|reason| format!(" ({reason})")).unwrap_or_default();
            format!("the run of {} waits for approval{why}", local(run.instant, self.zone()))
        });
        let (passed, detail) = match foresight.guarded(&self.history).await? {
            Guarded::Passes => (Some(true), None),
            Guarded::Holds(reason) => (Some(false), Some(format!("its run would wait for approval: {reason}"))),
            Guarded::NotCounted(count) => {
                let name = &rule.name;
                (
                    None,
                    Some(format!("not counted among {count} rows: `plusone who {name}` says whether a run would wait")),
                )
            }
        };
        let told: Vec<String> = detail.into_iter().chain(waiting).collect();
        let detail = (!told.is_empty()).then(|| told.join("; "));
        Ok(Asked { reason: (passed == Some(false)).then_some(Reason::Guard), detail, ..Asked::silent(GUARD, passed) })
    }

    /// What the customer has said about the rule's topic, as far as it counts.
    async fn consent(&self, rule: &Rule) -> Result<Vec<String>, Failure> {
        let opened = Opened::of(self.app);
        let ledger = ledger(&self.app.db, bucket_of(&self.customer), &self.customer).await?;
        let mut said: Vec<String> = Vec::new();
        for channel in &rule.channels {
            let line = match deciding(&ledger, &rule.topic, channel.as_str()) {
                Some(entry) => super::consent::told(&opened, entry),
                None => format!("no yes to {} by {channel} is known", rule.topic),
            };
            if !said.contains(&line) {
                said.push(line);
            }
        }
        Ok(said)
    }

    fn print(&self, answer: &Answered<'_>) -> std::io::Result<()> {
        let (rule, zone) = (answer.rule, self.zone());
        let heading = Heading { customer: &self.customer, at: self.at, zone };
        heading.print(rule, &answer.standing)?;
        if self.is_past() {
            past::print(self, answer)?;
            if answer.rows.is_empty() && !answer.recalled.is_empty() {
                return Ok(());
            }
            say("Not recorded, so judged on today's data as of then:")?;
        }
        print_had(answer, &self.customer, zone)?;
        print_rule(answer, &self.customer, self.at, zone)?;
        answer.consent.iter().try_for_each(|line| say(format_args!("  consent: {line}")))
    }

    fn to_json(&self, answer: &Answered<'_>) -> Vec<Value> {
        let currency = &self.app.workspace.project.settings.business.currency;
        let mut all: Vec<Value> = answer.recalled.iter().map(|one| one.to_json(self.at, currency)).collect();
        let source = if self.is_past() { "recomputed" } else { "computed" };
        for row in &answer.rows {
            let mut told = row.to_json(&self.customer, answer.rule, self.at);
            told["source"] = json!(source);
            self.add_guard(answer, row, &mut told);
            all.push(told);
        }
        if all.is_empty() {
            all.push(json!({
                "customer": self.customer, "rule": answer.rule.name, "at": self.at.to_string(), "entity": null,
                "selected": false, "clauses": [], "gates": [], "outcome": "not_selected", "channel": null,
                "due_at": null, "source": source,
            }));
        }
        let had: Value = answer.had.iter().map(|one| one.to_json(currency)).collect();
        for told in &mut all {
            told["consent"] = json!(answer.consent);
            if !self.is_past() {
                told["had"] = had.clone();
            }
            answer.standing.add_to(told);
        }
        all
    }

    fn add_guard(&self, answer: &Answered<'_>, row: &Explained, told: &mut Value) {
        let Some(gates) = told["gates"].as_array_mut().filter(|gates| !gates.is_empty()) else { return };
        let asked = matches!(row.fate, Some(Decision::Plan(_))).then_some(answer.guard.as_ref()).flatten();
        gates.push(asked.map_or_else(|| Asked::silent(GUARD, None).to_json(), Asked::to_json));
    }
}
