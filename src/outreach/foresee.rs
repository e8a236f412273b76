//! What a rule would do now, for whom and why: the answers of `who`, `why` and `preview`. Nothing is written.
//!
//! 1. The same question and the same decision as in the live run; budgets and turns are counted down in memory.
//! 2. What it says of a tick is what the tick then does, whoever it is asked about.

pub mod explain;
pub mod gates;
pub mod sentences;
mod stock;
pub mod walk;

pub use self::explain::{ClauseTruth, Explained, Seen};
use self::stock::Stock;
use self::walk::Walk;
use super::addresses;
use super::guard;
use super::judge::{Judged, Question};
use super::run::{Tick, gates_text};
use super::tick::History;
use crate::config::Project;
use crate::courtesy::pauses::Pauses;
use crate::data::suppress::Hasher;
use crate::plan::Counts;
use crate::plan::decide::{Decision, Gate};
use crate::plan::meanwhile::Meanwhile;
use crate::progress::Progress;
use crate::rules::Rule;
use crate::store::db::{Db, Result, StoreError};
use crate::store::runs::Cause;
use crate::time::Timestamp;
use crate::touchpoints::State;
use serde_json::{Value, json};

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
    /// The question that a run at that instant would ask.
    pub fn question(&self) -> Question<'a> {
        Question::new(self.project, self.rule, self.at, self.pauses, self.first_run, self.db.dialect())
    }

    /// What would become of everyone whom the rule matches; `see` is shown every candidate that was not touched, and
    /// `progress` counts them.
    pub async fn everyone(&self, progress: &Progress, mut see: impl FnMut(&Fate)) -> Result<Counts> {
        let seen: Result<Counts> = self
            .by_chunks(progress, async |fates: &[Fate]| {
                fates.iter().for_each(&mut see);
                Ok(())
            })
            .await;
        seen
    }

    /// As [`Foresight::everyone`], a chunk at a time, in the order of the run: what `see` does may take its time.
    pub async fn by_chunks<E: From<StoreError>>(
        &self,
        progress: &Progress,
        mut see: impl AsyncFnMut(&[Fate]) -> std::result::Result<(), E>,
    ) -> std::result::Result<Counts, E> {
        let question = self.question();
        let mut walk = Walk::begin(self, &question, false).await?;
        while let Some(fates) = walk.next().await? {
            progress.add(fates.len() as u64);
            see(&fates).await?;
        }
        Ok(walk.counts())
    }

    /// Why a run with these counts would wait for approval, if it would.
    pub async fn hold(&self, history: &History, counts: &Counts) -> Result<Option<String>> {
        let reason = history.would_hold(self.rule, self.project);
        let (rule, first) = (self.rule, self.first_run);
        let tick = Tick {
            rule,
            instant: self.at,
            cause: Cause::Asked,
            first,
            hold: reason.as_deref(),
            fires: None,
            rehearsed: None,
        };
        guard::hold(self.db, self.project, &tick, counts).await
    }

    /// Adds who has the addresses of a chunk.
    async fn hold_addresses(
        &self,
        question: &Question<'_>,
        hasher: Option<&Hasher>,
        chunk: &mut [Judged],
    ) -> Result<()> {
        let Some(hasher) = hasher else { return Ok(()) };
        addresses::hash(hasher, self.rule, chunk);
        let rows = self.db.fetch(addresses::question(question.dialect, self.rule, chunk)).await?;
        addresses::answer(&rows, chunk);
        Ok(())
    }

    fn decide(
        &self,
        question: &Question<'_>,
        judged: &mut Judged,
        stock: &mut Stock,
        meanwhile: &mut Meanwhile,
        counts: &mut Counts,
    ) -> Decision {
        let take = &mut |place: usize| stock.take(place);
        let decision = meanwhile.decide(self.rule, &mut judged.candidate, &question.policy(), self.at, take);
        match &decision {
            Decision::Plan(message) => counts.plan(message, self.project.settings.price(message.channel)),
            Decision::HoldOut(..) => counts.held_out += 1,
            Decision::Refuse(refusal) => counts.skip(refusal.reason),
        }
        decision
    }
}

/// The variant that a decision plans.
pub fn variant_of(decision: &Decision) -> Option<&str> {
    match decision {
        Decision::Plan(message) => message.variant.as_deref(),
        Decision::HoldOut(..) | Decision::Refuse(_) => None,
    }
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
        "outcome": outcome(Some(&fate.decision)), "channel": channel, "variant": variant_of(&fate.decision), "due_at": due_at, "gates": gates,
    })
}
