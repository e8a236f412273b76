//! Which rules are due now, and what becomes of rules that came, went or changed their name since.
//!
//! 1. What is due follows from the stored runs; a tick run again after a crash decides the same.
//! 2. A rule's history hangs on its name. `was` brings it along; without it a rule that looks like one that vanished
//!    waits for approval.

use super::run::{Runner, Tick, parts};
use super::zones::Zones;
use crate::amount::{agreeing, counted};
use crate::config::Project;
use crate::courtesy::pauses::Pauses;
use crate::rules::{Live, Rule};
use crate::schedule::due::Timetable;
use crate::store::db::{Db, Result, StoreError};
use crate::store::events::{self, Pending};
use crate::store::rule_states::{self, RuleState};
use crate::store::runs::{self, Cause, Past, Run};
use crate::time::{Timestamp, Tz};
use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

/// What is known of every rule's past.
#[derive(Debug, Default)]
pub struct History {
    states: BTreeMap<String, RuleState>,
    pasts: BTreeMap<String, Past>,
    zones: Zones,
}

impl History {
    pub async fn load(db: &Db) -> Result<Self> {
        let states = rule_states::all(db).await?.into_iter().map(|state| (state.rule.clone(), state)).collect();
        Ok(Self { states, pasts: runs::pasts(db).await?.into_iter().collect(), zones: Zones::default() })
    }

    /// With the zones of customers, which [`History::due`] needs where a rule goes by them.
    pub async fn load_with_zones(db: &Db, project: &Project) -> Result<Self> {
        Ok(Self { zones: Zones::load(db, project).await?, ..Self::load(db).await? })
    }

    /// Reads again what is known of the rules themselves.
    ///
    /// # Errors
    /// When the database refuses.
    pub async fn read_states(&mut self, db: &Db) -> Result<()> {
        self.states = rule_states::all(db).await?.into_iter().map(|state| (state.rule.clone(), state)).collect();
        Ok(())
    }

    /// Whether the rule was seen to be live.
    pub fn is_live(&self, rule: &str) -> bool {
        self.states.get(rule).is_some_and(|state| state.live_since.is_some())
    }

    /// Notes that `rule` was run at `instant`, and to the end.
    pub fn note(&mut self, rule: &str, instant: Timestamp) {
        let past = self.pasts.entry(rule.to_owned()).or_default();
        past.newest = past.newest.max(Some(instant));
        past.began = past.began.or(Some(instant));
        past.has_ended = true;
    }

    pub const fn zones(&self) -> &Zones {
        &self.zones
    }

    /// The newest instant that any rule ticked at.
    pub fn newest_tick(&self) -> Option<Timestamp> {
        self.pasts.values().filter_map(|past| past.newest).max()
    }

    /// Whether no run of the rule was ever planned to its end.
    pub fn is_first(&self, rule: &str) -> bool {
        !self.pasts.get(rule).is_some_and(|past| past.has_ended)
    }

    /// Whether the run of `rule` at `instant` is to be judged as its first; `begins` is the first instant of this pass.
    pub fn is_first_at(&self, rule: &Rule, instant: Timestamp, begins: Timestamp) -> bool {
        if !Zones::matter_to(rule) {
            return self.is_first(&rule.name) && instant == begins;
        }
        let began = self.pasts.get(&rule.name).and_then(|past| past.began).unwrap_or(begins);
        self.zones.is_first(rule, instant, began)
    }

    /// Why a rule's runs wait for approval whatever their size.
    pub fn hold_of(&self, rule: &str) -> Option<&str> {
        self.states.get(rule).and_then(|state| state.held_reason.as_deref())
    }

    /// As [`History::hold_of`], also for a rule that no pass has taken stock of yet.
    pub fn would_hold(&self, rule: &Rule, project: &Project) -> Option<String> {
        match self.states.get(&rule.name) {
            Some(state) => state.held_reason.clone(),
            None => look_alike(rule, project, &self.states),
        }
    }

    /// The rule whose history `rule` takes over at the next pass, and does not have yet.
    pub fn heir_of<'a>(&self, rule: &'a Rule, project: &Project) -> Option<&'a str> {
        rule.was.as_deref().filter(|was| takes_over(rule, was, project, &self.states))
    }

    fn timetable<'a>(&self, rule: &'a Rule) -> Option<Timetable<'a>> {
        let live_since = self.states.get(&rule.name)?.live_since?;
        Some(Timetable {
            schedule: &rule.schedule,
            zone: rule.time_zone,
            live_since,
            last_run: self.pasts.get(&rule.name).and_then(|past| past.newest),
            catch_up: rule.catch_up,
            catch_up_window: rule.catch_up_window,
        })
    }

    /// When the rule ticks next for a customer of this zone: `now` where it is due. `None` where only somebody runs it.
    /// A rule that no pass has taken stock of counts as live from now on.
    pub fn next_tick(&self, rule: &Rule, zone: Option<Tz>, now: Timestamp) -> Option<Timestamp> {
        let from = match rule.live {
            Live::Between { from: Some(from), .. } => from.max(now),
            Live::Draft | Live::Always | Live::Between { .. } => now,
        };
        let (due, next) = if rule.live.at(now) { self.due(rule, now) } else { (Vec::new(), None) };
        if !Zones::matter_to(rule) && !due.is_empty() {
            return Some(now);
        }
        let zone = zone.filter(|_| Zones::matter_to(rule)).unwrap_or(rule.time_zone);
        let after = rule.schedule.in_zone(zone).next_after(from, zone);
        if Zones::matter_to(rule) { after } else { next.or(after) }
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
        let due = self.timetable(rule).map(|timetable| timetable.due_in(&self.zones.of(rule), now));
        let due = due.unwrap_or_default();
        (due.instants, due.next)
    }
}

/// Notes which rules are in force: new ones, changed ones, renamed ones, and those that vanished, whose planned
/// messages are cancelled. Gives a line for each thing that happened.
pub async fn take_stock(db: &Db, project: &Project, now: Timestamp) -> Result<Vec<String>> {
    let mut known: BTreeMap<String, RuleState> =
        rule_states::all(db).await?.into_iter().map(|state| (state.rule.clone(), state)).collect();
    let mut told = Vec::new();
    for rule in project.rules.values() {
        let Some(was) = rule.was.as_ref().filter(|was| takes_over(rule, was, project, &known)) else { continue };
        rule_states::rename(db, was, &rule.name, now).await?;
        let state = known.remove(was).expect("it was just found there");
        known.insert(rule.name.clone(), RuleState { rule: rule.name.clone(), ..state });
        told.push(format!("rule {} has taken over the history of {was}", rule.name));
    }
    let mut tx = db.begin().await?;
    for rule in project.rules.values() {
        let before = known.get(&rule.name);
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
            on_event: rule.on_event.clone().filter(|_| live_since.is_some()),
        };
        if before != Some(&state) {
            rule_states::save(&mut tx, &state).await?;
        }
    }
    for state in known.values().filter(|state| !state.vanished) {
        if !project.rules.contains_key(&state.rule) && !project.broken.contains(&state.rule) {
            let cancelled = rule_states::vanish(&mut tx, &state.rule, now).await?;
            let (messages, were) = (counted(cancelled, "planned message"), agreeing(cancelled, "was", "were"));
            told.push(format!("rule {} is gone; {messages} of it {were} cancelled", state.rule));
        }
    }
    tx.commit().await?;
    Ok(told)
}

/// Whether `rule` is to have the history of `was`: that one's file is gone, and `rule` is new, or was held from its
/// first run on because it looked like it and so has sent nothing.
fn takes_over(rule: &Rule, was: &str, project: &Project, known: &BTreeMap<String, RuleState>) -> bool {
    let is_gone = !project.rules.contains_key(was) && !project.broken.iter().any(|broken| broken == was);
    let is_new = known.get(&rule.name).is_none_or(|state| state.held_reason.is_some());
    is_gone && is_new && known.contains_key(was)
}

/// The reason to hold a new rule that looks like one whose file vanished: it would write to everyone again.
fn look_alike(rule: &Rule, project: &Project, known: &BTreeMap<String, RuleState>) -> Option<String> {
    // Who is asked to confirm follows from the ledger, and each yes is asked about once.
    if rule.confirms {
        return None;
    }
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
    let parts: Vec<&str> =
        std::iter::once(rule.for_each.as_str()).chain(rule.on_event.as_deref()).chain(clauses).collect();
    crate::ids::content_hash(&parts)
}

impl Runner<'_> {
    /// Plans every run that a crash left unfinished, then every rule that is due at `now`, in order of priority.
    /// With `only`, that rule is run now whether it is due or not, and no other. What goes wrong with one rule does
    /// not keep the others from being planned.
    ///
    /// # Errors
    /// When the lease on the buckets is lost, at once; when the database refuses, the first refusal after all else was
    /// planned.
    pub async fn run_due(&self, now: Timestamp, only: Option<&str>) -> Result<Vec<Run>> {
        let mut done = Done::default();
        for run in runs::unfinished(self.db).await? {
            let Some(rule) = self.project.rules.get(&run.rule) else { continue };
            if !rule.live.at(now) {
                runs::cancel(self.db, &run.id, "the rule is not live", now).await?;
                continue;
            }
            let history = History::load_with_zones(self.db, self.project).await?;
            done.add(rule, self.run(self.tick(rule, run.instant, run.instant, run.cause, &history), now).await)?;
        }
        let arrived = self.take_up(now, only).await?;
        let history = History::load_with_zones(self.db, self.project).await?;
        let mut failed = BTreeSet::new();
        for tick in self.due(self.project.rules.values(), &history, now, only, &arrived) {
            let rule = tick.rule;
            if !failed.contains(&rule.name) && !done.add(rule, self.run(tick, now).await)? {
                failed.insert(&rule.name);
            }
        }
        events::forget(self.db).await?;
        done.failed.map_or(Ok(done.runs), Err)
    }

    /// Opens the runs that take up what came in for rules that wait for events, of `only` where it is given. A rule that
    /// is paused leaves it where it is.
    async fn take_up(&self, now: Timestamp, only: Option<&str>) -> Result<Vec<Run>> {
        let mut opened = Vec::new();
        for pending in waiting(self.db, self.project, self.pauses, now).await? {
            if only.is_none_or(|only| only == pending.rule) {
                let version = &self.project.rules[&pending.rule].version;
                opened.extend(events::take_up(self.db, &pending, version, &parts(self.db.dialect()), now).await?);
            }
        }
        Ok(opened)
    }

    /// The ticks of `rules` that are due at `now`, in the order in which they are planned: by priority, so that the
    /// first takes the places under the caps, then by instant, then by name.
    pub fn due<'t>(
        &self,
        rules: impl IntoIterator<Item = &'t Rule>,
        history: &'t History,
        now: Timestamp,
        only: Option<&str>,
        arrived: &[Run],
    ) -> Vec<Tick<'t>> {
        let mut ticks = Vec::new();
        for rule in rules {
            let taken_up = arrived.iter().filter(|run| run.rule == rule.name);
            ticks.extend(taken_up.map(|run| self.tick(rule, run.instant, run.instant, run.cause, history)));
            if rule.on_event.is_some() {
                continue;
            }
            let (instants, cause) = match only {
                None => (history.due(rule, now).0, Cause::Schedule),
                // What is not live sends nothing, whoever asks.
                Some(only) if only == rule.name && rule.live.at(now) => (vec![now], Cause::Asked),
                Some(_) => continue,
            };
            let Some(begins) = instants.first().copied() else { continue };
            ticks.extend(instants.into_iter().map(|instant| self.tick(rule, instant, begins, cause, history)));
        }
        ticks.sort_by_key(|tick| (Reverse(tick.rule.priority), tick.instant, &tick.rule.name));
        ticks
    }

    /// The tick of `rule` at `instant`, one of those of this pass, which begin at `begins`.
    fn tick<'t>(
        &self,
        rule: &'t Rule,
        instant: Timestamp,
        begins: Timestamp,
        cause: Cause,
        history: &'t History,
    ) -> Tick<'t> {
        let fires = if cause == Cause::Schedule { history.zones().firing(rule, instant) } else { None };
        let first = match cause {
            // What was there before the rule went live, and no other.
            Cause::Event(arrived) => arrived.after.is_none(),
            Cause::Schedule | Cause::Asked => history.is_first_at(rule, instant, begins),
        };
        Tick { rule, instant, cause, first, hold: history.hold_of(&rule.name), fires, rehearsed: None }
    }
}

/// The rules in force that may take up at `now` what came in for them.
pub async fn waiting(db: &Db, project: &Project, pauses: &Pauses, now: Timestamp) -> Result<Vec<Pending>> {
    let may_go = |pending: &Pending| {
        let rule = project.rules.get(&pending.rule);
        rule.is_some_and(|rule| rule.on_event.is_some() && rule.live.at(now))
            && !pauses.is_paused(&pending.rule, None, None, "", now)
    };
    let mut pending = events::pending(db).await?;
    pending.retain(may_go);
    Ok(pending)
}

/// Runs that were planned, and the first that could not be.
#[derive(Default)]
struct Done {
    runs: Vec<Run>,
    failed: Option<StoreError>,
}

impl Done {
    /// Gives whether the run was planned.
    fn add(&mut self, rule: &Rule, run: Result<Run>) -> Result<bool> {
        match run {
            Ok(run) => self.runs.push(run),
            Err(StoreError::LostLease) => return Err(StoreError::LostLease),
            Err(error) => {
                tracing::error!(rule.name, %error, "the rule could not be planned; the others go on");
                self.failed.get_or_insert(error);
                return Ok(false);
            }
        }
        Ok(true)
    }
}
