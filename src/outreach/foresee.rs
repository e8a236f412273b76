//! What a rule would do now, for whom and why: the answers of `who`, `why` and `preview`. Nothing is written.
//!
//! The same question and the same decision as in the live run; budgets are counted down in memory.

use super::addresses;
use super::judge::{Judged, Question, shown};
use super::run::gates_text;
use crate::config::Project;
use crate::courtesy::pauses::Pauses;
use crate::ids::bucket_of;
use crate::plan::Counts;
use crate::plan::audience::{Among, Audience};
use crate::plan::decide::{Decision, Gate};
use crate::plan::meanwhile::Meanwhile;
use crate::plan::pace::Turns;
use crate::progress::Progress;
use crate::rules::Rule;
use crate::store::db::{Db, Result, Row};
use crate::store::offers::summary::summaries;
use crate::store::pace;
use crate::time::Timestamp;
use crate::touchpoints::State;
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;

/// How many candidates are named beside the counts.
pub const SAMPLE: usize = 10;

/// Looks ahead for one rule at one instant.
pub struct Foresight<'a> {
    pub db: &'a Db,
    pub project: &'a Project,
    pub rule: &'a Rule,
    pub at: Timestamp,
    pub pauses: &'a Pauses,
    pub first_run: bool,
}

/// One candidate and what would become of them.
#[derive(Debug)]
pub struct Fate {
    pub judged: Judged,
    pub decision: Decision,
}

/// A clause and what it made of one row.
#[derive(Clone, PartialEq, Debug)]
pub struct ClauseTruth {
    pub text: String,
    /// One of `unless`: it must not hold.
    pub is_exception: bool,
    /// `None` is unknown: a value is missing.
    pub holds: Option<bool>,
    /// The values that were used, by the text that reads them.
    pub values: Map<String, Value>,
}

/// One row of the rule's entity, selected or not.
#[derive(Debug)]
pub struct Explained {
    pub entity: String,
    pub clauses: Vec<ClauseTruth>,
    /// For a selected row: what would become of it.
    pub fate: Option<Decision>,
}

impl Explained {
    pub const fn is_selected(&self) -> bool {
        self.fate.is_some()
    }

    /// With the names of `why --json`.
    pub fn to_json(&self, customer: &str, rule: &str, at: Timestamp) -> Value {
        let clauses = self.clauses.iter().map(|clause| {
            json!({ "text": clause.text, "unless": clause.is_exception, "holds": clause.holds, "values": clause.values })
        });
        let gates = self.fate.as_ref().map(gates).unwrap_or_default().into_iter().map(|gate| {
            let reason = (!gate.passed).then(|| outcome(self.fate.as_ref()));
            json!({ "gate": gate.name, "passed": gate.passed, "reason": reason, "detail": gate.detail })
        });
        json!({
            "customer": customer, "rule": rule, "at": at.to_string(), "entity": self.entity,
            "selected": self.is_selected(), "clauses": clauses.collect::<Vec<_>>(),
            "gates": gates.collect::<Vec<_>>(), "outcome": outcome(self.fate.as_ref()),
        })
    }
}

/// The gates that a decision passed, and the one that refused it.
pub fn gates(decision: &Decision) -> Vec<Gate> {
    match decision {
        Decision::Plan(message) | Decision::HoldOut(message, _) => message.gates.clone(),
        Decision::Refuse(refusal) => refusal.gates.clone(),
    }
}

/// `planned`, `held_out`, the reason of a refusal, or `not_selected`.
pub fn outcome(fate: Option<&Decision>) -> String {
    match fate {
        None => "not_selected".to_owned(),
        Some(Decision::Plan(_)) => "planned".to_owned(),
        Some(Decision::HoldOut(..)) => State::HeldOut.to_string(),
        Some(Decision::Refuse(refusal)) => refusal.reason.to_string(),
    }
}

impl<'a> Foresight<'a> {
    pub(super) fn question(&self) -> Question<'a>
    where
        Self: 'a,
    {
        Question::new(self.project, self.rule, self.at, self.pauses, self.first_run, self.db.dialect())
    }

    /// What would become of everyone whom the rule matches; `see` is shown every candidate that was not touched, and
    /// `progress` counts them.
    pub async fn everyone(&self, progress: &Progress, mut see: impl FnMut(&Fate)) -> Result<Counts> {
        let question = self.question();
        let mut left = self.budgets(&question).await?;
        let mut counts = Counts::default();
        let among = Among::Buckets(0, crate::ids::BUCKETS - 1);
        let touched = self.db.fetch_one(question.audience().touched(among)).await?;
        counts.already_touched = touched.map_or(0, |row| u64::try_from(row.int(0)).unwrap_or(0));
        let mut chunks = question.chunks(self.db, among);
        let (mut repeated, mut meanwhile) = (0, Meanwhile::paced(self.turns().await?));
        while let Some(mut chunk) = chunks.next(&mut repeated).await? {
            progress.add(chunk.len() as u64);
            self.hold_addresses(&question, &mut chunk).await?;
            for mut judged in chunk {
                let decision = self.decide(&question, &mut judged, &mut left, &mut meanwhile, &mut counts);
                see(&Fate { judged, decision });
            }
        }
        counts.already_touched += repeated;
        Ok(counts)
    }

    /// Adds who has the addresses of a chunk.
    async fn hold_addresses(&self, question: &Question<'_>, chunk: &mut [Judged]) -> Result<()> {
        let Some(hasher) = addresses::hasher(self.db, self.rule).await? else { return Ok(()) };
        addresses::hash(&hasher, self.rule, chunk);
        let rows = self.db.fetch(addresses::question(question.dialect, self.rule, chunk)).await?;
        addresses::answer(&rows, chunk);
        Ok(())
    }

    fn decide(
        &self,
        question: &Question<'_>,
        judged: &mut Judged,
        left: &mut [Option<i64>],
        meanwhile: &mut Meanwhile,
        counts: &mut Counts,
    ) -> Decision {
        let take = &mut |place: usize| {
            let cost = question.offers[place].cost;
            match &mut left[place] {
                None => true,
                Some(left) if *left >= cost => {
                    *left -= cost;
                    true
                }
                Some(_) => false,
            }
        };
        let decision = meanwhile.decide(self.rule, &mut judged.candidate, &question.policy(), self.at, take);
        match &decision {
            Decision::Plan(message) => counts.plan(message, self.project.settings.price(message.channel)),
            Decision::HoldOut(..) => counts.held_out += 1,
            Decision::Refuse(refusal) => counts.skip(refusal.reason),
        }
        decision
    }

    /// The turns that a rule with a pace has left.
    async fn turns(&self) -> Result<Option<Turns>> {
        let Some(rate) = self.rule.pace else { return Ok(None) };
        let start = Turns::new(rate, self.at, BTreeMap::new()).period_of(self.at);
        let gone = pace::gone(self.db.fetch(pace::since(&self.rule.name, start)).await?);
        Ok(Some(Turns::new(rate, self.at, gone)))
    }

    /// What is left of each offer's budget; `None` where there is no limit.
    async fn budgets(&self, question: &Question<'_>) -> Result<Vec<Option<i64>>> {
        let today = self.at.date(self.project.settings.business.time_zone);
        let summaries = summaries(self.db, &question.offers, today).await?;
        let left = question.offers.iter().map(|offer| {
            let summary = summaries.iter().find(|summary| summary.offer == offer.name)?;
            summary.left.into_iter().chain(summary.left_today).min()
        });
        Ok(left.collect())
    }

    /// Every row of the rule's entity that one customer has: clause by clause, then gate by gate.
    pub async fn explain(&self, customer: &str) -> Result<Vec<Explained>> {
        let question = self.question();
        let audience = question.audience();
        let among = Among::Customer { bucket: bucket_of(customer), customer };
        let rows = self.db.fetch(audience.clause_by_clause(among)).await?;
        let mut left = self.budgets(&question).await?;
        let mut fates = Vec::new();
        let mut meanwhile = Meanwhile::paced(self.turns().await?);
        for row in self.db.fetch(audience.everyone(among)).await? {
            let mut candidates = [audience.read(&row)];
            question.complete(self.db, &mut candidates).await?;
            let [candidate] = candidates;
            let mut judged = [Judged { candidate, row }];
            self.hold_addresses(&question, &mut judged).await?;
            let [mut judged] = judged;
            let decision = self.decide(&question, &mut judged, &mut left, &mut meanwhile, &mut Counts::default());
            fates.push((judged.candidate.entity, decision));
        }
        let explained = rows.iter().map(|row| {
            let entity = row.text(0).to_owned();
            let fate = fates.iter().find(|(of, _)| *of == entity).map(|(_, decision)| decision.clone());
            Explained { clauses: clauses(&audience, row), entity, fate }
        });
        Ok(explained.collect())
    }
}

fn clauses(audience: &Audience<'_>, row: &Row) -> Vec<ClauseTruth> {
    let whens = audience.rule.when.len();
    let mut used = 1 + audience.clauses().count();
    let truth = |(place, clause): (usize, &crate::expr::Clause)| {
        let mut values = Map::new();
        for value in clause.used() {
            values.insert(value.text, shown(value.ty, row.cell(used)));
            used += 1;
        }
        let holds = row.opt_int(place + 1).map(|holds| holds == 1);
        ClauseTruth { text: clause.text.clone(), is_exception: place >= whens, holds, values }
    };
    audience.clauses().enumerate().map(truth).collect()
}

/// One line of the sample of `who`.
pub fn sample_json(fate: &Fate) -> Value {
    let candidate = &fate.judged.candidate;
    let (channel, due_at) = match &fate.decision {
        Decision::Plan(message) => (Some(message.channel.as_str()), Some(message.due_at.to_string())),
        Decision::HoldOut(..) | Decision::Refuse(_) => (None, None),
    };
    let gates: Value = serde_json::from_str(&gates_text(&gates(&fate.decision))).unwrap_or(Value::Null);
    json!({
        "customer": candidate.customer, "entity": candidate.entity, "occurrence": candidate.occurrence,
        "outcome": outcome(Some(&fate.decision)), "channel": channel, "due_at": due_at, "gates": gates,
    })
}
