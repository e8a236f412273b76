//! The tests of rules: each is tried in a scratch database, by the statements and the decision of the live run.
//!
//! 1. One scratch database serves all tests; those whose keys do not meet lie in it together.
//! 2. What depends on chance or on where plusone runs is left out: nobody is in a holdout, `[guard] only_to` lists
//!    everyone, nothing is paused, budgets are full, the rule has run before.
//! 3. A test that fails says what was expected, what came out, and why: each clause with its values, each gate.

mod told;

use super::foresee::{Explained, Foresight};
use super::zones::Zones;
use crate::config::Project;
use crate::config::rule_tests::{Outcome, Past, RuleTest};
use crate::courtesy::pauses::Pauses;
use crate::data::DataError;
use crate::data::stated::{self, Reading, Stated};
use crate::plan::audience::Among;
use crate::plan::decide::{Decision, Message};
use crate::problem::Problem;
use crate::rules::Rule;
use crate::store::db::{Db, StoreError};
use crate::store::scratch::Scratch;
use crate::store::{entities, trial, zones};
use crate::time::{Span, Timestamp};

/// What the tests came to.
#[derive(Debug, Default)]
pub struct Verdict {
    pub passed: usize,
    pub failed: usize,
    /// Tests that failed, and those that could not be run.
    pub problems: Vec<Problem>,
}

/// Runs tests.
///
/// # Errors
/// When there is no place for a scratch database, or it refuses.
pub async fn run(project: &Project, tests: &[RuleTest]) -> Result<Verdict, DataError> {
    let mut verdict = Verdict::default();
    if tests.is_empty() {
        return Ok(verdict);
    }
    let project = tried(project);
    let reading = Reading { catalogue: &project.catalogue, business: &project.settings.business };
    let mut ready = Vec::new();
    for test in tests {
        match reading.read(test, &project.rules[&test.rule]) {
            Ok(stated) => ready.push(stated),
            Err(problems) => {
                verdict.failed += 1;
                verdict.problems.extend(problems);
            }
        }
    }
    let scratch = Scratch::open().await?;
    let zone = project.settings.business.time_zone;
    entities::prepare(&scratch.db, &project.catalogue, zone).await?;
    zones::prepare(&scratch.db, project.rules.values().map(|rule| rule.time_zone).chain([zone])).await?;
    let bench = Bench { db: &scratch.db, project: &project, pauses: Pauses::default() };
    for round in rounds(&ready) {
        bench.round(&round, &mut verdict).await?;
    }
    scratch.db.close().await;
    Ok(verdict)
}

/// The project without what depends on chance or on where it runs.
fn tried(project: &Project) -> Project {
    let mut project = project.clone();
    project.catalogue = stated::catalogue(&project.catalogue);
    project.settings.holdout = 0;
    project.settings.guard.only_to.clear();
    for rule in project.rules.values_mut() {
        rule.holdout = 0;
    }
    project
}

/// Tests that can be tried at once, as few rounds as a look at each in turn finds.
fn rounds<'a>(tests: &'a [Stated<'a>]) -> Vec<Vec<&'a Stated<'a>>> {
    let mut rounds: Vec<Vec<&Stated<'_>>> = Vec::new();
    for test in tests {
        match rounds.iter_mut().find(|round| round.iter().all(|other| test.stands_beside(other))) {
            Some(round) => round.push(test),
            None => rounds.push(vec![test]),
        }
    }
    rounds
}

struct Bench<'a> {
    db: &'a Db,
    project: &'a Project,
    pauses: Pauses,
}

impl Bench<'_> {
    async fn round(&self, tests: &[&Stated<'_>], verdict: &mut Verdict) -> Result<(), DataError> {
        let mut tx = self.db.begin().await?;
        trial::empty(&mut tx, &self.project.catalogue).await?;
        stated::write(&mut tx, &self.project.catalogue, tests).await?;
        tx.commit().await?;
        if tests.iter().any(|stated| self.rule(stated).in_customers_time) {
            Zones::load(self.db, self.project).await?;
        }
        for stated in tests {
            match self.one(stated).await? {
                Ok(()) => verdict.passed += 1,
                Err(problem) => {
                    verdict.failed += 1;
                    verdict.problems.push(problem);
                }
            }
        }
        Ok(())
    }

    fn rule(&self, stated: &Stated<'_>) -> &Rule {
        &self.project.rules[&stated.test.rule]
    }

    async fn one(&self, stated: &Stated<'_>) -> Result<Result<(), Problem>, DataError> {
        for past in &stated.test.history {
            if let Err(problem) = self.remember(stated, past).await? {
                return Ok(Err(problem));
            }
        }
        let rule = self.rule(stated);
        let foresight = self.foresight(rule, stated.now);
        let rows = foresight.explain_alone(&stated.customer).await?;
        self.judge(stated, rule, &in_order(rows, stated, rule)).map_or_else(|problem| Ok(Err(problem)), |()| Ok(Ok(())))
    }

    fn foresight<'s>(&'s self, rule: &'s Rule, at: Timestamp) -> Foresight<'s> {
        Foresight { db: self.db, project: self.project, rule, at, pauses: &self.pauses, first_run: false }
    }

    /// Writes down a message that was sent before, under the occurrence that it had then.
    async fn remember(&self, stated: &Stated<'_>, past: &Past) -> Result<Result<(), Problem>, StoreError> {
        let zone = self.project.settings.business.time_zone;
        let at = match stated::moment(stated.test, &past.sent_at, Some(stated.now), zone) {
            Ok(at) => at,
            Err(problem) => return Ok(Err(problem)),
        };
        let rule = &self.project.rules[&past.rule];
        let entity = past.about.map_or(stated.customer.as_str(), |place| stated.keys[place].as_str());
        let bucket = crate::ids::bucket_of(&stated.customer);
        let among = Among::Customer { bucket, customer: &stated.customer };
        let question = self.foresight(rule, at).question();
        let rows = self.db.fetch(question.audience().occurrences(among)).await?;
        let occurrence = rows.iter().find(|row| row.text(0) == entity).map_or("-", |row| row.text(1));
        let channel = past.channel;
        let (customer, state) = (stated.customer.as_str(), past.state.as_str());
        let sent = trial::Sent { rule, customer, entity, occurrence, channel, state, at };
        trial::add_sent(self.db, &sent).await?;
        Ok(Ok(()))
    }

    fn judge(&self, stated: &Stated<'_>, rule: &Rule, rows: &[Explained]) -> Result<(), Problem> {
        let expected = &stated.test.expected;
        let zone = self.project.settings.business.time_zone;
        let mut wanted = Vec::new();
        for outcome in &expected.outcomes {
            let due_at = match outcome {
                Outcome::Planned { due_at: Some(written), .. } => {
                    Some(stated::moment(stated.test, written, Some(stated.now), zone)?)
                }
                _ => None,
            };
            wanted.push((outcome, due_at));
        }
        let fits = |row: &Explained, (outcome, due_at): &(&Outcome, Option<Timestamp>)| {
            is_met(outcome, *due_at, row.fate.as_ref(), rule)
        };
        let selected: Vec<&Explained> = rows.iter().filter(|row| row.is_selected()).collect();
        let passes = match (&wanted[..], expected.is_list) {
            (wanted, true) => wanted.len() == rows.len() && rows.iter().zip(wanted).all(|(row, one)| fits(row, one)),
            ([(Outcome::NotSelected, _)], false) => selected.is_empty(),
            ([one], false) => !selected.is_empty() && selected.iter().all(|row| fits(row, one)),
            _ => false,
        };
        if passes {
            return Ok(());
        }
        let (message, help) = told::failure(stated, rule, rows, zone);
        Err(Problem::error(&stated.test.source, expected.span.clone(), message).help(help))
    }
}

/// The rows in the order of the test.
fn in_order(mut rows: Vec<Explained>, stated: &Stated<'_>, rule: &Rule) -> Vec<Explained> {
    let place = |row: &Explained| {
        let mut keys = stated.test.rows.iter().zip(&stated.keys);
        keys.position(|(of, key)| of.entity == rule.for_each && *key == row.entity).unwrap_or(usize::MAX)
    };
    rows.sort_by_key(place);
    rows
}

/// What waited is spread over the quarter of an hour after the wait.
fn is_then(due: Timestamp, message: &Message) -> bool {
    let latest = if message.deferred.is_some() { due.plus(Span::from_seconds(15 * 60)) } else { due };
    (due..=latest).contains(&message.due_at)
}

fn is_met(wanted: &Outcome, due: Option<Timestamp>, fate: Option<&Decision>, rule: &Rule) -> bool {
    match (wanted, fate) {
        (Outcome::NotSelected, None) => true,
        (Outcome::Skipped(reason), Some(Decision::Refuse(refusal))) => refusal.reason == *reason,
        (Outcome::Planned { channel, offer, variant, .. }, Some(Decision::Plan(message))) => {
            let given = message.offer.map(|place| &rule.offers[place]);
            channel.is_none_or(|channel| channel == message.channel)
                && offer.as_ref().is_none_or(|offer| offer.as_ref() == given)
                && (variant.is_none() || *variant == message.variant)
                && due.is_none_or(|due| is_then(due, message))
        }
        _ => false,
    }
}
