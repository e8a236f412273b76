//! What was decided about a customer under a rule at a time that is past, from what was written down then.
//!
//! 1. What is recorded is told as it was recorded: touchpoint, events, run, the values that the conditions read.
//! 2. Clauses are those of the version that decided, where its text was kept and still reads on today's data.
//! 3. What is not recorded is not made up: a clause without its value says so.

use super::foresee::gates::{Asked, recorded};
use super::foresee::{ClauseTruth, Seen};
use crate::app::{App, AppError, rule_path};
use crate::config::{Environment, Files};
use crate::expr::Used;
use crate::rules::Rule;
use crate::store::runs::{self, Run};
use crate::store::{log, rule_texts};
use crate::time::Timestamp;
use crate::touchpoints::record::parsed_json;
use crate::touchpoints::{Detail, State, Touchpoint};
use crate::workspace::Workspace;
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// One decision of the past.
#[derive(Debug)]
pub struct Recalled {
    pub detail: Detail,
    pub run: Option<Run>,
    /// The rule as it read then, where that differs from today's and was kept.
    pub text: Option<String>,
    /// Decided by another version of the rule than the one in force.
    pub other_version: bool,
    /// The state that it had at the time asked about.
    pub state_then: State,
    pub clauses: Vec<ClauseTruth>,
    pub gates: Vec<Asked>,
}

impl Recalled {
    /// With the names of `why --json`, and those of a touchpoint under `touchpoint`.
    pub fn to_json(&self, at: Timestamp, currency: &str) -> Value {
        let one = &self.detail.touchpoint;
        let run = self.run.as_ref().map(|run| {
            json!({ "id": run.id, "instant": run.instant.to_string(), "state": run.state, "reason": run.reason,
                    "counts": run.counts.to_json() })
        });
        json!({
            "source": "recorded", "customer": one.customer, "rule": one.rule, "at": at.to_string(),
            "entity": one.entity_id, "selected": true,
            "clauses": self.clauses.iter().map(ClauseTruth::to_json).collect::<Value>(),
            "gates": self.gates.iter().map(Asked::to_json).collect::<Value>(),
            "outcome": outcome(one), "channel": one.channel.map(|channel| channel.as_str()),
            "due_at": one.due_at.map(|due| due.to_string()), "state_then": self.state_then.as_str(),
            "rule_text": self.text, "run": run, "touchpoint": self.detail.to_json(currency),
        })
    }
}

/// `planned` for what was to go, whatever came later; else what kept it back.
fn outcome(one: &Touchpoint) -> String {
    match (one.state, one.reason) {
        (State::Skipped, Some(reason)) => reason.to_string(),
        (State::HeldOut, _) => State::HeldOut.to_string(),
        _ => State::Planned.to_string(),
    }
}

/// What was decided by the instant `at`, at most one for each row of the rule's entity, the newest first.
///
/// # Errors
/// When the database refuses.
pub async fn recall(app: &App, rule: &Rule, customer: &str, at: Timestamp) -> Result<Vec<Recalled>, AppError> {
    let mut by_entity: BTreeMap<String, Touchpoint> = BTreeMap::new();
    for one in log::decided_by(&app.db, &rule.name, customer, at).await? {
        // Newest first: one that was decided by then goes before one that was decided anew since.
        let kept = by_entity.entry(one.entity_id.clone()).or_insert_with(|| one.clone());
        if kept.as_of > at && one.as_of <= at {
            *kept = one;
        }
    }
    let mut recalled = Vec::with_capacity(by_entity.len());
    for one in by_entity.into_values() {
        recalled.push(of_touchpoint(app, rule, one, at).await?);
    }
    recalled.sort_by_key(|one| std::cmp::Reverse(one.detail.touchpoint.as_of));
    Ok(recalled)
}

async fn of_touchpoint(app: &App, rule: &Rule, one: Touchpoint, at: Timestamp) -> Result<Recalled, AppError> {
    let other_version = one.rule_version != rule.version;
    let text = if other_version { rule_texts::of_version(&app.db, &one.rule_version).await? } else { None };
    let then = match &text {
        Some(text) => as_it_read(app, rule, text),
        None => (!other_version).then(|| rule.clone()),
    };
    let detail = log::detail(&app.db, one).await?;
    let facts = parsed_json(detail.facts.as_deref());
    let clauses = match &then {
        Some(then) => clauses(then, &facts),
        None => Vec::new(),
    };
    let happened = detail.events.iter().rfind(|event| event.at <= at);
    let state_then = happened.and_then(|event| event.kind.parse().ok()).unwrap_or(detail.touchpoint.state);
    let gates = recorded(Some(then.as_ref().unwrap_or(rule)), &detail);
    let run = runs::by_id(&app.db, &detail.touchpoint.run_id).await?;
    Ok(Recalled { run, text, other_version, state_then, clauses, gates, detail })
}

/// The rule as a text of its file reads on today's data.
fn as_it_read(app: &App, rule: &Rule, text: &str) -> Option<Rule> {
    let mut files = Files::read(&app.home);
    files.insert(&rule_path(&rule.name), text);
    let workspace = Workspace::open(&files, &Environment::of_process(), &BTreeMap::new()).ok()?;
    workspace.project.rules.get(&rule.name).cloned()
}

/// What was decided matched: each clause of `when` was true and none of `unless`. The values are those that were kept.
fn clauses(rule: &Rule, facts: &Value) -> Vec<ClauseTruth> {
    let truth = |clause: &crate::expr::Clause, is_exception: bool| {
        let kept = |used: Used| Some(Seen { value: facts.get(&used.text)?.clone(), text: used.text, ty: used.ty });
        let values: Vec<Seen> = clause.used().into_iter().filter_map(kept).collect();
        let is_unknown = is_exception && values.iter().any(|seen| seen.value.is_null());
        let holds = if is_unknown { None } else { Some(!is_exception) };
        ClauseTruth { text: clause.text.clone(), is_exception, holds, values }
    };
    let whens = rule.when.iter().map(|clause| truth(clause, false));
    whens.chain(rule.unless.iter().map(|clause| truth(clause, true))).collect()
}
