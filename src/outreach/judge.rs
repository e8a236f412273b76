//! Candidates in chunks, with everything the decision needs: what the live run and `who` share.

use crate::amount::Amount;
use crate::catalogue::Type;
use crate::config::Project;
use crate::courtesy::caps::{self, Cap};
use crate::courtesy::pauses::Pauses;
use crate::expr::Clause;
use crate::offers::Offer;
use crate::outreach::complete::{add_taken, complete};
use crate::plan::audience::{Among, Asleep, Audience, Fires};
use crate::plan::candidate::Candidate;
use crate::plan::decide::{Case, Policy};
use crate::rules::Rule;
use crate::sql::Dialect;
use crate::store::db::{Cell, Db, Result, Row};
use crate::time::{Date, Timestamp};
use futures_util::StreamExt;
use futures_util::stream::BoxStream;
use serde_json::{Value, json};
use std::collections::HashSet;

/// How many candidates are decided, and written, at a time.
pub const CHUNK: usize = 1_000;

/// A candidate and the row it was read from, for the facts.
#[derive(Debug)]
pub struct Judged {
    pub candidate: Candidate,
    pub row: Row,
}

/// One rule at one instant, with all that is needed to judge its candidates.
pub struct Question<'a> {
    pub project: &'a Project,
    pub rule: &'a Rule,
    pub offers: Vec<&'a Offer>,
    /// Those that the rule's messages are subject to.
    pub caps: Vec<&'a Cap>,
    pub as_of: Timestamp,
    pub pauses: &'a Pauses,
    pub first_run: bool,
    pub dialect: Dialect,
    /// See [`Audience::fires`].
    pub fires: Option<Fires>,
    /// See [`Audience::asleep`].
    pub asleep: Asleep,
}

impl<'a> Question<'a> {
    pub fn new(
        project: &'a Project,
        rule: &'a Rule,
        as_of: Timestamp,
        pauses: &'a Pauses,
        first_run: bool,
        dialect: Dialect,
    ) -> Self {
        let offers = rule.offers.iter().map(|name| &project.offers[name]).collect();
        let caps = caps::of_rule(&project.settings.caps, rule);
        Self { project, rule, offers, caps, as_of, pauses, first_run, dialect, fires: None, asleep: Asleep::Nobody }
    }

    pub fn audience(&self) -> Audience<'_> {
        Audience {
            rule: self.rule,
            offers: &self.offers,
            bad_moments: &self.project.settings.no_promotions_while,
            catalogue: &self.project.catalogue,
            dialect: self.dialect,
            as_of: self.as_of,
            fires: self.fires.as_ref(),
            asleep: self.asleep,
        }
    }

    pub fn policy(&self) -> Policy<'_> {
        let settings = &self.project.settings;
        Policy {
            quiet_hours: &settings.quiet_hours,
            topic_quiet: settings.topics.get(&self.rule.topic).map_or(&[], |topic| &topic.quiet_hours),
            legal_hours: &settings.legal_hours,
            country: &settings.business.country,
            caps: &self.caps,
            holdout: settings.holdout,
            guard: &self.project.settings.guard,
            pauses: self.pauses,
            zone: self.project.settings.business.time_zone,
            first_run: self.first_run,
        }
    }

    /// The last moment at which a candidate's message may go.
    pub fn last(&self, candidate: &Candidate) -> Timestamp {
        let policy = self.policy();
        Case { rule: self.rule, candidate, policy: &policy, now: self.as_of, turns: None }.last()
    }

    /// Adds to candidates what their rows do not say.
    pub async fn complete(&self, db: &Db, candidates: &mut [Candidate]) -> Result<()> {
        complete(db, candidates, self.as_of).await?;
        add_taken(db, &self.caps, self.as_of, candidates).await
    }

    /// The candidates of `among`, a chunk at a time.
    pub fn chunks<'q>(&'q self, db: &'q Db, among: Among<'_>) -> Chunks<'q> {
        let rows = db.stream(self.audience().candidates(among));
        Chunks { question: self, db, rows, customer: Occurrences::default() }
    }

    /// As [`Question::chunks`], for a forecast: without the values that [`Question::facts`] reads, and with those that
    /// were touched already where they are asked for.
    pub fn foreseen<'q>(&'q self, db: &'q Db, among: Among<'_>, with_touched: bool) -> Chunks<'q> {
        let audience = self.audience();
        let sql = if with_touched { audience.everyone(among) } else { audience.foreseen(among) };
        let rows = db.stream_as_texts(sql, audience.facts_from());
        Chunks { question: self, db, rows, customer: Occurrences::default() }
    }

    /// The values that the rule's conditions used, by the text that reads them, as one JSON object.
    pub fn facts(&self, row: &Row) -> String {
        let audience = self.audience();
        let used = audience.clauses().flat_map(Clause::used);
        let facts =
            used.zip(audience.facts_from()..).map(|(used, column)| (used.text, shown(used.ty, row.cell(column))));
        Value::Object(facts.collect()).to_string()
    }
}

/// A stream of chunks; each is complete with addresses and suppressions.
pub struct Chunks<'q> {
    question: &'q Question<'q>,
    db: &'q Db,
    rows: BoxStream<'static, Result<Row>>,
    customer: Occurrences,
}

/// The occurrences seen of the customer whose rows are being read: of several rows with one key the first counts.
#[derive(Default)]
pub struct Occurrences {
    customer: String,
    seen: HashSet<String>,
}

impl Occurrences {
    /// Whether an earlier row of the customer had the candidate's occurrence.
    pub fn is_repeated(&mut self, candidate: &Candidate) -> bool {
        if self.customer != candidate.customer {
            self.customer.clone_from(&candidate.customer);
            self.seen.clear();
        }
        !self.seen.insert(candidate.occurrence.clone())
    }
}

impl Chunks<'_> {
    /// Goes on with the candidates of `among`, which come behind those so far.
    pub fn go_on(&mut self, among: Among<'_>, asleep: Asleep) {
        let audience = Audience { asleep, ..self.question.audience() };
        self.rows = self.db.stream(audience.candidates(among));
    }

    /// The next chunk; `None` at the end. Candidates that repeat a key of this tick are counted in `repeated`.
    pub async fn next(&mut self, repeated: &mut u64) -> Result<Option<Vec<Judged>>> {
        let audience = self.question.audience();
        let (mut candidates, mut rows) = (Vec::with_capacity(CHUNK), Vec::with_capacity(CHUNK));
        while candidates.len() < CHUNK {
            let Some(row) = self.rows.next().await else { break };
            let row = row?;
            let candidate = audience.read(&row);
            if self.customer.is_repeated(&candidate) {
                *repeated += 1;
                continue;
            }
            candidates.push(candidate);
            rows.push(row);
        }
        if candidates.is_empty() {
            return Ok(None);
        }
        self.question.complete(self.db, &mut candidates).await?;
        let judged = candidates.into_iter().zip(rows).map(|(candidate, row)| Judged { candidate, row });
        Ok(Some(judged.collect()))
    }
}

/// A stored value as it is told: text and amounts as text, dates and instants in ISO 8601, a missing one as null.
pub fn shown(ty: Type, cell: &Cell) -> Value {
    match (ty, cell) {
        (_, Cell::Null) => Value::Null,
        (_, Cell::Text(text)) => json!(text),
        (Type::Boolean, Cell::Int(value)) => json!(*value != 0),
        (Type::Date, Cell::Int(days)) => json!(Date::from_days(*days).to_string()),
        (Type::Timestamp, Cell::Int(micros)) => json!(Timestamp::from_micros(*micros).to_string()),
        (Type::Money | Type::Decimal(_), Cell::Int(units)) => {
            json!(Amount { units: *units, scale: ty.scale().unwrap_or(0) }.to_string())
        }
        (_, Cell::Int(value)) => json!(value),
    }
}
