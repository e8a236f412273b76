//! Which rules are due now, and what becomes of rules that came, went or changed their name since.
//!
//! 1. What is due follows from the stored runs; a tick run again after a crash decides the same.
//! 2. A rule's history hangs on its name. `was` brings it along; without it a rule that looks like one that vanished
//!    waits for approval.

use super::run::{Runner, Tick};
use crate::config::Project;
use crate::rules::{Live, Rule};
use crate::schedule::due::Timetable;
use crate::store::db::{Db, Result};
use crate::store::rule_states::{self, RuleState};
use crate::store::runs::{self, Cause, Run};
use crate::time::Timestamp;
use std::collections::BTreeMap;

/// What is known of every rule's past.
#[derive(Debug, Default)]
pub struct History {
    states: BTreeMap<String, RuleState>,
    newest: BTreeMap<String, Option<Timestamp>>,
}

impl History {
    pub async fn load(db: &Db) -> Result<Self> {
        let states = rule_states::all(db).await?.into_iter().map(|state| (state.rule.clone(), state)).collect();
        Ok(Self { states, newest: runs::newest(db).await?.into_iter().collect() })
    }

    /// The newest instant that any rule ticked at.
    pub fn newest_tick(&self) -> Option<Timestamp> {
        self.newest.values().flatten().max().copied()
    }

    /// Whether the rule has never run.
    pub fn is_first(&self, rule: &str) -> bool {
        !self.newest.contains_key(rule)
    }

    /// Why a rule's runs wait for approval whatever their size.
    pub fn hold_of(&self, rule: &str) -> Option<&str> {
        self.states.get(rule).and_then(|state| state.held_reason.as_deref())
    }

    fn timetable<'a>(&self, rule: &'a Rule) -> Option<Timetable<'a>> {
        let live_since = self.states.get(&rule.name)?.live_since?;
        Some(Timetable {
            schedule: &rule.schedule,
            zone: rule.time_zone,
            live_since,
            last_run: self.newest.get(&rule.name).copied().flatten(),
            catch_up: rule.catch_up,
            catch_up_window: rule.catch_up_window,
        })
    }

    /// The instants at which `rule` is due, oldest first, and its next tick.
    pub fn due(&self, rule: &Rule, now: Timestamp) -> (Vec<Timestamp>, Option<Timestamp>) {
        if !rule.live.at(now) {
            let opens = match rule.live {
                Live::Between { from: Some(from), .. } if from > now => Some(from),
                _ => None,
            };
            return (Vec::new(), opens);
        }
        let due = self.timetable(rule).map(|timetable| timetable.due(now)).unwrap_or_default();
        (due.instants, due.next)
    }
}

/// Notes which rules are in force: new ones, changed ones, renamed ones, and those that vanished, whose planned
/// messages are cancelled. Gives a line for each thing that happened.
pub async fn take_stock(db: &Db, project: &Project, now: Timestamp) -> Result<Vec<String>> {
    let known: BTreeMap<String, RuleState> =
        rule_states::all(db).await?.into_iter().map(|state| (state.rule.clone(), state)).collect();
    let mut told = Vec::new();
    for rule in project.rules.values() {
        if let Some(was) = rule.was.as_ref().filter(|was| !known.contains_key(&rule.name) && known.contains_key(*was)) {
            rule_states::rename(db, was, &rule.name).await?;
            told.push(format!("rule {} has taken over the history of {was}", rule.name));
        }
    }
    let mut tx = db.begin().await?;
    for rule in project.rules.values() {
        let before = known.get(&rule.name).or_else(|| rule.was.as_ref().and_then(|was| known.get(was)));
        let held_reason = match before {
            Some(state) => state.held_reason.clone(),
            None => look_alike(rule, project, &known),
        };
        if let Some(reason) = held_reason.as_ref().filter(|_| before.is_none()) {
            told.push(format!("rule {} waits: {reason}", rule.name));
        }
        let live_since = before.and_then(|state| state.live_since).or_else(|| rule.live.at(now).then_some(now));
        let live_since = if rule.live == Live::Draft { None } else { live_since };
        let state = RuleState {
            rule: rule.name.clone(),
            version: rule.version.clone(),
            conditions_hash: conditions_hash(rule),
            template: rule.template.clone(),
            live_since,
            vanished: false,
            held_reason,
        };
        if before != Some(&state) {
            rule_states::save(&mut tx, &state).await?;
        }
    }
    for state in known.values().filter(|state| !state.vanished) {
        let renamed = project.rules.values().any(|rule| rule.was.as_ref() == Some(&state.rule));
        if !project.rules.contains_key(&state.rule) && !project.broken.contains(&state.rule) && !renamed {
            let cancelled = rule_states::vanish(&mut tx, &state.rule, now).await?;
            told.push(format!("rule {} is gone; {cancelled} planned messages of it were cancelled", state.rule));
        }
    }
    tx.commit().await?;
    Ok(told)
}

/// The reason to hold a new rule that looks like one whose file vanished: it would write to everyone again.
fn look_alike(rule: &Rule, project: &Project, known: &BTreeMap<String, RuleState>) -> Option<String> {
    let hash = conditions_hash(rule);
    let gone = |state: &&RuleState| !project.rules.contains_key(&state.rule) && !project.broken.contains(&state.rule);
    let alike = |state: &&RuleState| state.conditions_hash == hash || state.template == rule.template;
    let state = known.values().filter(gone).find(alike)?;
    let name = &state.rule;
    Some(format!(
        "it looks like {name}, which is gone; write `was = \"{name}\"` to bring its history along, or approve"
    ))
}

/// What a rule selects, without its name: rules that agree in it reach the same people for the same things.
fn conditions_hash(rule: &Rule) -> String {
    let clauses = rule.when.iter().chain(&rule.unless).map(|clause| clause.text.as_str());
    let parts: Vec<&str> = std::iter::once(rule.for_each.as_str()).chain(clauses).collect();
    crate::ids::content_hash(&parts)
}

impl Runner<'_> {
    /// Plans every run that a crash left unfinished, then every rule that is due at `now`, in order of priority.
    /// With `only`, that rule is run now whether it is due or not, and no other.
    ///
    /// # Errors
    /// When the database refuses, or when the lease on the buckets is lost.
    pub async fn run_due(&self, now: Timestamp, only: Option<&str>) -> Result<Vec<Run>> {
        let history = History::load(self.db).await?;
        let mut done = Vec::new();
        for run in runs::unfinished(self.db).await? {
            if let Some(rule) = self.project.rules.get(&run.rule) {
                let cause = if run.asked { Cause::Asked } else { Cause::Schedule };
                done.push(self.run(self.tick(rule, run.instant, cause, &history), now).await?);
            }
        }
        let mut rules: Vec<&Rule> = self.project.rules.values().collect();
        rules.sort_by_key(|rule| (std::cmp::Reverse(rule.priority), &rule.name));
        for rule in rules {
            let (instants, cause) = match only {
                None => (history.due(rule, now).0, Cause::Schedule),
                Some(only) if only == rule.name => (vec![now], Cause::Asked),
                Some(_) => continue,
            };
            for instant in instants {
                done.push(self.run(self.tick(rule, instant, cause, &history), now).await?);
            }
        }
        Ok(done)
    }

    fn tick<'t>(&self, rule: &'t Rule, instant: Timestamp, cause: Cause, history: &'t History) -> Tick<'t> {
        Tick { rule, instant, cause, first: history.is_first(&rule.name), hold: history.hold_of(&rule.name) }
    }
}
