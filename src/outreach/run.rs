//! One run: a rule evaluated at one instant, decided about in chunks, written down part by part, released or held.
//!
//! 1. A part is planned in one transaction that first locks its buckets; a crash leaves a part whole or not at all. Where
//!    there is one writer the whole run is one transaction.
//! 2. The run's touchpoints may be claimed only once the part that ends last has released it.
//! 3. The reader sees what the writer's transaction began with: nobody else may plan for these buckets meanwhile.

use crate::config::Project;
use crate::courtesy::pauses::Pauses;
use crate::data::suppress::Hasher;
use crate::ids;
use crate::offers::Offer;
use crate::offers::grant::Grant;
use crate::outreach::judge::{Judged, Question};
use crate::outreach::{addresses, guard};
use crate::plan::Counts;
use crate::plan::audience::{Among, Asleep, Fires};
use crate::plan::decide::{Decision, Message, Refusal};
use crate::plan::meanwhile::Meanwhile;
use crate::plan::pace::Turns;
use crate::rules::Rule;
use crate::sql::Dialect;
use crate::store::address_places::{self, Take};
use crate::store::caps;
use crate::store::db::{Db, Result, StoreError, Tx};
use crate::store::leases::{self, Lease};
use crate::store::offers::grants;
use crate::store::pace;
use crate::store::planning::{self, Planned, RunFacts};
use crate::store::rehearsal::sleepers::{self, Sleeper};
use crate::store::runs::{self, Cause, Part, Run};
use crate::time::{Date, Timestamp};
use crate::touchpoints::Reason;
use blocks::Blocks;
use serde_json::json;
use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;

mod blocks;
mod restraint;
mod sleep;

/// Why a part is given up, to be planned anew by the next pass.
const AT_ONCE: &str = "another program plans for the same customers at this moment";

/// What a run is made with.
#[derive(Clone, Copy)]
pub struct Runner<'a> {
    pub db: &'a Db,
    pub project: &'a Project,
    pub lease: &'a Lease,
    pub pauses: &'a Pauses,
}

/// A tick that is due.
#[derive(Clone, Debug)]
pub struct Tick<'a> {
    pub rule: &'a Rule,
    pub instant: Timestamp,
    pub cause: Cause,
    /// No run of the rule was ever planned to its end.
    pub first: bool,
    /// Why the run is to wait for approval whatever its size.
    pub hold: Option<&'a str>,
    /// Whose clocks show the rule's time of day, where that is the customer's own.
    pub fires: Option<Fires>,
    /// Where a rehearsal knows more than the tick says.
    pub rehearsed: Option<Rehearsed>,
}

/// What a rehearsal knows beforehand, as its data stand still.
#[derive(Clone, Debug)]
pub struct Rehearsed {
    /// The only rows that can be candidates which are not settled yet, as for [`Among::Rows`], piece by piece in the
    /// order of planning; all where absent.
    pub rows: Option<Vec<Arc<str>>>,
    /// How many customers there are.
    pub customers: u64,
    /// Where refusals that stand are marked as such ([`crate::plan::standing`]): the addresses that several customers
    /// have.
    pub sleep: Option<Arc<HashSet<String>>>,
}

/// The slices in which a run is planned: all buckets at once where there is one writer, sixteen where there are many.
pub fn parts(dialect: Dialect) -> Vec<Part> {
    let width = match dialect {
        Dialect::Sqlite => ids::BUCKETS,
        Dialect::Postgres => 16,
    };
    (0..ids::BUCKETS / width)
        .map(|number| Part { number, from: number * width, until: (number + 1) * width - 1 })
        .collect()
}

impl Runner<'_> {
    /// Plans what is left of this tick's run and gives the run as it then stands. A run that was planned before, by
    /// this daemon or another, is left alone.
    ///
    /// # Errors
    /// When the database refuses, or when the lease on the buckets is lost.
    pub async fn run(&self, tick: Tick<'_>, now: Timestamp) -> Result<Run> {
        let slices = parts(self.db.dialect());
        let Tick { rule, instant, .. } = tick;
        let asleep = if tick.rehearsed.is_some() { Asleep::ByTime } else { Asleep::Nobody };
        let question = Question::new(self.project, rule, instant, self.pauses, tick.first, self.db.dialect());
        let question = Question { fires: tick.fires.clone(), asleep, ..question };
        let hasher = addresses::hasher(self.db, rule).await?;
        let planning = Planning { question: &question, hasher, rehearsed: tick.rehearsed.as_ref(), now };
        if slices.len() == 1 {
            return self.run_at_once(&tick, &planning, &slices).await;
        }
        let run = runs::open(self.db, &rule.name, &rule.version, instant, tick.cause, &slices, now).await?;
        if run.state != "planning" {
            return Ok(run);
        }
        let open = runs::open_parts(&mut self.db.begin().await?, &run.id).await?;
        for part in open {
            let mut tx = self.locked(part.from, part.until).await?;
            if self.plan_part(&mut tx, &planning, &run, part).await? {
                tx.commit().await?;
            }
        }
        let mut tx = self.locked(0, ids::BUCKETS - 1).await?;
        let run = self.finish(&mut tx, run, &tick, now).await?;
        tx.commit().await?;
        Ok(run)
    }

    /// A run in one transaction.
    async fn run_at_once(&self, tick: &Tick<'_>, planning: &Planning<'_>, slices: &[Part]) -> Result<Run> {
        let Tick { rule, instant, cause, .. } = *tick;
        let mut tx = self.locked(0, ids::BUCKETS - 1).await?;
        let run = runs::insert(&mut tx, &rule.name, &rule.version, instant, cause, slices, planning.now).await?;
        if run.state != "planning" {
            return Ok(run);
        }
        for part in runs::open_parts(&mut tx, &run.id).await? {
            self.plan_part(&mut tx, planning, &run, part).await?;
        }
        let run = self.finish(&mut tx, run, tick, planning.now).await?;
        tx.commit().await?;
        Ok(run)
    }

    /// Releases or holds a run whose parts are all planned; any other is given as it is.
    async fn finish(&self, tx: &mut Tx, run: Run, tick: &Tick<'_>, now: Timestamp) -> Result<Run> {
        let Some(mut counts) = runs::sum_of_parts(tx, &run.id).await? else { return Ok(run) };
        let held = guard::hold(self.db, self.project, tick, &counts).await?;
        if held.is_some() {
            counts.hold();
        }
        runs::finish(tx, &run.id, &counts, held.as_deref(), now).await?;
        let state = if held.is_some() { "held" } else { "released" }.to_owned();
        Ok(Run { state, reason: held, counts, ..run })
    }

    /// A transaction that holds the lease rows of these buckets.
    async fn locked(&self, from: i64, until: i64) -> Result<Tx> {
        let mut tx = self.db.begin().await?;
        if leases::lock(&mut tx, self.lease, from, until).await? {
            return Ok(tx);
        }
        Err(StoreError::LostLease)
    }

    /// Plans a part, of all its rows or of those that a rehearsal knows. False when it was planned before.
    async fn plan_part(&self, tx: &mut Tx, planning: &Planning<'_>, run: &Run, part: Part) -> Result<bool> {
        let Planning { question, rehearsed, now, .. } = *planning;
        let hasher = planning.hasher.as_ref();
        if hasher.is_some() {
            address_places::lock(tx, &question.rule.name).await?;
        }
        let whole = [match run.cause {
            Cause::Event(arrived) => Among::Arrived(part.from, part.until, arrived),
            Cause::Schedule | Cause::Asked => Among::Buckets(part.from, part.until),
        }];
        let known = rehearsed.and_then(|known| known.rows.as_ref());
        let pieces = known.map(|pieces| pieces.iter().map(|rows| Among::Rows(rows)).collect::<Vec<_>>());
        let pieces = pieces.as_deref().unwrap_or(&whole);
        let mut counts = Counts::default();
        if !question.first_run && known.is_none() {
            let touched = self.db.fetch_one(question.audience().touched(pieces[0])).await?;
            counts.already_touched = touched.map_or(0, |row| u64::try_from(row.int(0)).unwrap_or(0));
        }
        let sleep = rehearsed.and_then(|known| known.sleep.as_deref());
        let writer = Writer { question, run, project: self.project, hasher, now, sleep };
        let mut chunks = question.chunks(self.db, pieces[0]);
        let mut repeated = 0;
        let mut meanwhile = Meanwhile::paced(self.turns(tx, question, now).await?);
        for (place, piece) in pieces.iter().enumerate() {
            if place > 0 {
                chunks.go_on(*piece, writer.asleep(&counts));
            }
            while let Some(mut chunk) = chunks.next(&mut repeated).await? {
                writer.chunk(tx, &mut chunk, &mut counts, &mut meanwhile).await?;
            }
        }
        writer.close_budget(tx, &counts).await?;
        counts.already_touched += repeated;
        if let Some(turns) = meanwhile.turns() {
            pace::take(tx, &question.rule.name, turns.changed()).await?;
        }
        runs::close_part(tx, &run.id, part, &counts).await
    }
}

impl Runner<'_> {
    /// The turns that a rule with a pace has left, held until the end of the transaction.
    async fn turns(&self, tx: &mut Tx, question: &Question<'_>, now: Timestamp) -> Result<Option<Turns>> {
        let Some(rate) = question.rule.pace else { return Ok(None) };
        let from = now.max(question.as_of);
        let start = Turns::new(rate, from, BTreeMap::new()).period_of(from);
        pace::lock(tx, &question.rule.name).await?;
        let gone = pace::gone(tx.fetch(pace::since(&question.rule.name, start)).await?);
        Ok(Some(Turns::new(rate, from, gone)))
    }
}

/// What the parts of a run have in common.
struct Planning<'a> {
    question: &'a Question<'a>,
    /// For a rule that may be promotional. It may have to write a key first: before the run's transaction.
    hasher: Option<Hasher>,
    rehearsed: Option<&'a Rehearsed>,
    now: Timestamp,
}

/// Decides about chunks and writes the decisions.
struct Writer<'a> {
    question: &'a Question<'a>,
    run: &'a Run,
    project: &'a Project,
    /// For a rule that may be promotional.
    hasher: Option<&'a Hasher>,
    now: Timestamp,
    /// See [`Rehearsed::sleep`].
    sleep: Option<&'a HashSet<String>>,
}

/// The rows of a chunk, sorted by what is to be done with them.
#[derive(Default)]
struct Rows {
    fresh: Vec<Planned>,
    changed: Vec<Planned>,
    /// Tried again after a skip that only the rendering can tell: told when it comes to something else.
    tried_again: Vec<Planned>,
    moved: Vec<(i64, String, String)>,
    grants: Vec<Grant>,
    /// Addresses that promotional messages take.
    takes: Vec<Take>,
    /// Refusals that stand, in a rehearsal.
    sleepers: Vec<Sleeper>,
}

impl Writer<'_> {
    async fn chunk(
        &self,
        tx: &mut Tx,
        chunk: &mut [Judged],
        counts: &mut Counts,
        meanwhile: &mut Meanwhile,
    ) -> Result<()> {
        self.hold_addresses(tx, chunk).await?;
        let (rule, policy, as_of) = (self.question.rule, self.question.policy(), self.question.as_of);
        let mut blocks = Blocks::reserve(tx, self, chunk).await?;
        let mut rows = Rows::default();
        for judged in chunk {
            let take = &mut |offer| blocks.take(offer);
            match meanwhile.decide(rule, &mut judged.candidate, &policy, as_of, take) {
                Decision::Plan(message) => {
                    counts.plan(&message, self.project.settings.price(message.channel));
                    let code = message.offer.and_then(|place| blocks.code(place));
                    self.planned(judged, message, code, &mut rows);
                }
                Decision::HoldOut(message, by) => {
                    counts.held_out += 1;
                    self.held_out(judged, message, &by, &mut rows);
                }
                Decision::Refuse(refusal) => {
                    counts.skip(refusal.reason);
                    self.refused(judged, &refusal, &mut rows);
                }
            }
        }
        self.write(tx, rows, blocks).await?;
        meanwhile.forget_addresses();
        Ok(())
    }

    fn planned(&self, judged: &Judged, message: Message, code: Option<String>, rows: &mut Rows) {
        let rule = self.question.rule;
        let offer = message.offer.map(|place| self.question.offers[place]);
        let detail = match &message.waits {
            Some(full) => Some(format!("{}: due {}, {full}", Reason::Capped, message.due_at)),
            None => message.deferred.map(|why| format!("{why}: due {}", message.due_at)),
        };
        let row = Planned {
            purpose: message.purpose.to_string(),
            channel: Some(message.channel.to_string()),
            address: Some(message.address),
            state: "planned".to_owned(),
            due_at: Some(message.due_at.micros()),
            on_doubt: rule.on_doubt(message.channel).to_string(),
            offer: offer.map(|offer| offer.name.clone()),
            code,
            variant: message.variant,
            facts: Some(self.question.facts(&judged.row)),
            gates: Some(gates_text(&message.gates)),
            counts: caps::counts(rule.counts_toward_cap, message.waits.is_some()),
            detail,
            ..self.row(judged)
        };
        self.take_address(judged, message.purpose, message.channel, &row, rows);
        if let Some(offer) = offer {
            rows.grants.push(self.grant(offer, &row));
        }
        match &judged.candidate.existing {
            None => rows.fresh.push(row),
            Some(existing) if matches!(existing.reason, Some(Reason::MissingValue | Reason::RenderError)) => {
                rows.tried_again.push(row);
            }
            Some(_) => rows.changed.push(row),
        }
    }

    fn grant(&self, offer: &Offer, row: &Planned) -> Grant {
        Grant {
            bucket: row.bucket,
            touchpoint: row.id.clone(),
            offer: offer.name.clone(),
            code: row.code.clone(),
            customer: row.customer.clone(),
            cost: offer.cost,
            value: offer.value,
            day: self.day(),
            granted_at: self.now,
            expires_at: offer.valid_for.map(|span| self.question.as_of.plus(span)),
        }
    }

    /// The business's calendar day of the tick: the day whose budget is used.
    fn day(&self) -> Date {
        self.question.as_of.date(self.project.settings.business.time_zone)
    }

    /// A refusal is written once, and again only when its reason changes.
    fn refused(&self, judged: &Judged, refusal: &Refusal, rows: &mut Rows) {
        if !refusal.leaves_row() {
            return;
        }
        let until = self.sleep.and_then(|_| self.asleep_until(&judged.candidate, refusal.reason));
        let row = Planned {
            purpose: self.question.rule.purpose.to_string(),
            state: "skipped".to_owned(),
            reason: Some(refusal.reason.to_string()),
            detail: refusal.detail.as_ref().map(|detail| format!("{}: {detail}", refusal.reason)),
            ..self.row(judged)
        };
        rows.sleepers.extend(until.map(|until| Sleeper { bucket: row.bucket, id: row.id.clone(), until }));
        match &judged.candidate.existing {
            None => rows.fresh.push(row),
            Some(existing) if existing.reason != Some(refusal.reason) => rows.changed.push(row),
            Some(existing) if existing.occurrence != row.occurrence => {
                rows.moved.push((row.bucket, row.id, row.occurrence));
            }
            Some(_) => {}
        }
    }

    fn row(&self, judged: &Judged) -> Planned {
        let (rule, candidate) = (self.question.rule, &judged.candidate);
        let (id, version) = match &candidate.existing {
            Some(existing) => (existing.id.clone(), existing.version + 1),
            None => (ids::touchpoint(&rule.name, &candidate.customer, &candidate.occurrence, 0), 1),
        };
        Planned {
            bucket: candidate.bucket,
            id,
            version,
            customer: candidate.customer.clone(),
            entity: candidate.entity.clone(),
            occurrence: candidate.occurrence.clone(),
            expires_at: self.question.last(candidate).micros(),
            on_doubt: rule.on_doubt(rule.channels[0]).to_string(),
            locale: candidate.locale.clone(),
            ..Planned::default()
        }
    }

    async fn write(&self, tx: &mut Tx, mut rows: Rows, blocks: Blocks) -> Result<()> {
        blocks.give_back(tx, self).await?;
        let rule = self.question.rule;
        let facts = RunFacts {
            run_id: &self.run.id,
            rule: &rule.name,
            rule_version: &rule.version,
            kind: rule.kind.as_str(),
            topic: &rule.topic,
            entity_kind: &rule.for_each,
            priority: i64::from(rule.priority),
            as_of: self.question.as_of,
            now: self.now,
        };
        if planning::insert(tx, &facts, &rows.fresh).await? < rows.fresh.len() as u64 {
            self.insert_under_other_ids(tx, &facts, &mut rows).await?;
        }
        planning::update(tx, &facts, &rows.changed).await?;
        planning::update(tx, &facts, &rows.tried_again).await?;
        planning::move_on(tx, &rows.moved).await?;
        planning::events(tx, &rows.fresh, self.now).await?;
        planning::events(tx, &rows.changed, self.now).await?;
        self.take_addresses(tx, &rows.takes).await?;
        sleepers::lay(tx, &rows.sleepers).await?;
        grants::insert(tx, &rows.grants).await
    }
}

impl Writer<'_> {
    /// An id follows from the rule's name, and touchpoints keep theirs when the rule is renamed: under a name that was
    /// used before, an id may be taken. The run makes it another.
    async fn insert_under_other_ids(&self, tx: &mut Tx, facts: &RunFacts<'_>, rows: &mut Rows) -> Result<()> {
        let written = planning::written(tx, facts, &rows.fresh).await?;
        let mut again = Vec::new();
        for row in rows.fresh.iter_mut().filter(|row| !written.contains(&row.id)) {
            let salted = format!("{}\n{}", row.occurrence, self.run.id);
            let id = ids::touchpoint(&self.question.rule.name, &row.customer, &salted, 0);
            for grant in rows.grants.iter_mut().filter(|grant| grant.touchpoint == row.id) {
                grant.touchpoint.clone_from(&id);
            }
            for take in rows.takes.iter_mut().filter(|take| take.touchpoint == row.id) {
                take.touchpoint.clone_from(&id);
            }
            row.id = id;
            again.push(row.clone());
        }
        if planning::insert(tx, facts, &again).await? < again.len() as u64 {
            return Err(StoreError::Schema(AT_ONCE.to_owned()));
        }
        Ok(())
    }
}

/// Gates as kept with a touchpoint: a name for each that was passed, with its detail where there is one.
pub fn gates_text(gates: &[crate::plan::decide::Gate]) -> String {
    let gates = gates.iter().map(|gate| match &gate.detail {
        None => json!(gate.name),
        Some(detail) => json!([gate.name, detail]),
    });
    serde_json::Value::Array(gates.collect()).to_string()
}
