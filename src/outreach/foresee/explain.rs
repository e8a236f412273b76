//! One customer under one rule: clause by clause, and what a tick at that instant would decide about each row.
//!
//! 1. Who came before takes what there is: budgets, turns, places of shared addresses. So where the answer may hang on
//!    others, the tick is judged up to this customer; else this customer alone.
//! 2. Of several rows with one occurrence the first counts, as in a run.

use super::stock::{Stock, turns};
use super::walk::already;
use super::{Foresight, gates, outcome, variant_of};
use crate::amount::{Amount, SCALE};
use crate::catalogue::Type;
use crate::ids::bucket_of;
use crate::outreach::addresses;
use crate::outreach::judge::{Judged, Occurrences, Question, shown};
use crate::outreach::tick::History;
use crate::plan::Counts;
use crate::plan::audience::{Among, Audience};
use crate::plan::decide::{Decision, Gate, Refusal};
use crate::plan::meanwhile::Meanwhile;
use crate::progress::Progress;
use crate::rules::Rule;
use crate::store::db::{Result, Row};
use crate::store::{find, rows};
use crate::time::{Timestamp, Tz};
use crate::touchpoints::Reason;
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;

/// A clause and what it made of one row.
#[derive(Clone, PartialEq, Debug)]
pub struct ClauseTruth {
    pub text: String,
    /// One of `unless`: it must not hold.
    pub is_exception: bool,
    /// `None` is unknown: a value is missing.
    pub holds: Option<bool>,
    /// The values that were used.
    pub values: Vec<Seen>,
}

/// A value that a clause used.
#[derive(Clone, PartialEq, Debug)]
pub struct Seen {
    /// What reads it: `customer.joined_on`.
    pub text: String,
    pub ty: Type,
    /// As [`shown`] gives it.
    pub value: Value,
}

impl Seen {
    /// For people, under a name: `order.total = 1,024.50`, times by the clock of `zone`.
    pub(super) fn told(&self, name: &str, zone: Tz) -> String {
        let text = match &self.value {
            Value::Null => return format!("{name} is missing"),
            Value::String(text) => text.clone(),
            value => value.to_string(),
        };
        let read = match self.ty {
            Type::Timestamp => text.parse::<Timestamp>().ok().map(|at| at.to_minute(zone)),
            Type::Money => Amount::parse(&text, SCALE).map(Amount::told),
            _ => None,
        };
        format!("{name} = {}", read.unwrap_or(text))
    }
}

impl ClauseTruth {
    /// A clause of `when` must be true, one of `unless` must not.
    pub fn lets_pass(&self) -> bool {
        if self.is_exception { self.holds != Some(true) } else { self.holds == Some(true) }
    }

    /// With the names of `why --json`.
    pub fn to_json(&self) -> Value {
        let values: Map<String, Value> =
            self.values.iter().map(|seen| (seen.text.clone(), seen.value.clone())).collect();
        json!({ "text": self.text, "unless": self.is_exception, "holds": self.holds, "values": values })
    }
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
    pub fn to_json(&self, customer: &str, rule: &Rule, at: Timestamp) -> Value {
        let gates = self.fate.iter().flat_map(|fate| gates::in_order(rule, fate));
        let (channel, due_at) = match &self.fate {
            Some(Decision::Plan(message)) => (Some(message.channel.as_str()), Some(message.due_at.to_string())),
            _ => (None, None),
        };
        json!({
            "customer": customer, "rule": rule.name, "at": at.to_string(), "entity": self.entity,
            "selected": self.is_selected(),
            "clauses": self.clauses.iter().map(ClauseTruth::to_json).collect::<Value>(),
            "gates": gates.map(|gate| gate.to_json()).collect::<Value>(),
            "outcome": outcome(self.fate.as_ref()), "channel": channel, "due_at": due_at,
            "variant": self.fate.as_ref().and_then(variant_of),
        })
    }
}

impl Foresight<'_> {
    /// Every row of the rule's entity that one customer has: clause by clause, then gate by gate.
    pub async fn explain(&self, customer: &str) -> Result<Vec<Explained>> {
        let question = self.question();
        let stock = Stock::load(self.db, &question).await?;
        let shared = stock.is_limited();
        let mut fates = self.alone(&question, customer, stock).await?;
        if self.hangs_on_others(shared, customer, &fates).await? {
            fates.extend(self.among_others(&question, customer).await?);
        }
        self.explained(&question, customer, &fates).await
    }

    /// As [`Foresight::explain`], as if nobody else were there and no offer ever ran out.
    pub async fn explain_alone(&self, customer: &str) -> Result<Vec<Explained>> {
        let question = self.question();
        let fates = self.alone(&question, customer, Stock::plenty(question.offers.len())).await?;
        self.explained(&question, customer, &fates).await
    }

    async fn explained(
        &self,
        question: &Question<'_>,
        customer: &str,
        fates: &BTreeMap<String, Decision>,
    ) -> Result<Vec<Explained>> {
        let audience = question.audience();
        let among = Among::Customer { bucket: bucket_of(customer), customer };
        let rows = self.db.fetch(audience.clause_by_clause(among)).await?;
        let explained = rows.iter().map(|row| {
            let entity = row.text(0).to_owned();
            let fate = fates.get(&entity).cloned();
            Explained { clauses: clauses(&audience, row), entity, fate }
        });
        Ok(explained.collect())
    }

    /// What would become of each selected row if nobody else were there, by the row's key.
    async fn alone(
        &self,
        question: &Question<'_>,
        customer: &str,
        mut stock: Stock,
    ) -> Result<BTreeMap<String, Decision>> {
        let audience = question.audience();
        let among = Among::Customer { bucket: bucket_of(customer), customer };
        let hasher = addresses::hasher(self.db, self.rule).await?;
        let mut meanwhile = Meanwhile::paced(turns(self.db, question).await?);
        let (mut seen, mut fates) = (Occurrences::default(), BTreeMap::new());
        for row in self.db.fetch(audience.everyone(among)).await? {
            let mut candidates = [audience.read(&row)];
            question.complete(self.db, &mut candidates).await?;
            let [candidate] = candidates;
            let mut judged = [Judged { candidate, row }];
            self.hold_addresses(question, hasher.as_ref(), &mut judged).await?;
            let [mut judged] = judged;
            let decision = if let Some(decision) = already(self, question, &judged) {
                decision
            } else if seen.is_repeated(&judged.candidate) {
                repeated(&judged.candidate.occurrence)
            } else {
                self.decide(question, &mut judged, &mut stock, &mut meanwhile, &mut Counts::default())
            };
            fates.insert(judged.candidate.entity, decision);
        }
        Ok(fates)
    }

    /// Whether what others get may change these answers: a message would go, and budgets (`shared`), turns or an address
    /// are shared.
    async fn hangs_on_others(&self, shared: bool, customer: &str, fates: &BTreeMap<String, Decision>) -> Result<bool> {
        let goes = fates.values().any(|fate| !matches!(fate, Decision::Refuse(_)));
        if self.rule.pace.is_some() {
            return Ok(!fates.is_empty());
        }
        if !goes {
            return Ok(false);
        }
        if shared {
            return Ok(true);
        }
        // Those who share an address with one of these may share another with somebody else.
        Ok(self.rule.may_be_promotional()
            && find::shares_an_address(self.db, &self.project.catalogue, customer).await?)
    }

    /// As [`Foresight::alone`], after everybody who comes before in the tick. What was touched is left out.
    async fn among_others(&self, question: &Question<'_>, customer: &str) -> Result<BTreeMap<String, Decision>> {
        let bucket = bucket_of(customer);
        let hasher = addresses::hasher(self.db, self.rule).await?;
        let mut stock = Stock::load(self.db, question).await?;
        let mut meanwhile = Meanwhile::paced(turns(self.db, question).await?);
        let mut chunks = question.foreseen(self.db, Among::Buckets(0, bucket), false);
        let (mut repeated, mut fates, mut counts) = (0, BTreeMap::new(), Counts::default());
        while let Some(mut chunk) = chunks.next(&mut repeated).await? {
            self.hold_addresses(question, hasher.as_ref(), &mut chunk).await?;
            for mut judged in chunk {
                let decision = self.decide(question, &mut judged, &mut stock, &mut meanwhile, &mut counts);
                if judged.candidate.customer == customer {
                    fates.insert(judged.candidate.entity, decision);
                } else if !fates.is_empty() {
                    return Ok(fates);
                }
            }
        }
        Ok(fates)
    }
}

/// What the guard would say to the run that a message belongs to.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Guarded {
    /// It would go.
    Passes,
    /// It would wait for approval, for this reason.
    Holds(String),
    /// Nobody counted: of so many rows that takes long, and `who` does it.
    NotCounted(u64),
}

/// Of how many rows of its entity a rule's run is counted, to say whether it would be held.
const COUNTED: u64 = 10_000;

impl Foresight<'_> {
    /// Whether a run of the rule would be held.
    pub async fn guarded(&self, history: &History) -> Result<Guarded> {
        if let Some(reason) = history.would_hold(self.rule, self.project) {
            return Ok(Guarded::Holds(reason));
        }
        let entity = self.project.catalogue.entity(&self.rule.for_each).expect("config knows the for_each entity");
        let count = rows::count(self.db, entity).await?;
        if count > COUNTED {
            return Ok(Guarded::NotCounted(count));
        }
        let counts = self.everyone(&Progress::default(), |_| {}).await?;
        Ok(self.hold(history, &counts).await?.map_or(Guarded::Passes, Guarded::Holds))
    }
}

/// Another row of the same tick has this occurrence.
fn repeated(occurrence: &str) -> Decision {
    let detail = Some(format!("another row of the same tick has the occurrence {occurrence}"));
    let gates = vec![Gate { name: Reason::AlreadyTouched.gate(), passed: false, detail: detail.clone() }];
    Decision::Refuse(Refusal { reason: Reason::AlreadyTouched, detail, gates })
}

fn clauses(audience: &Audience<'_>, row: &Row) -> Vec<ClauseTruth> {
    let whens = audience.rule.when.len();
    let mut used = FIRST_TRUTH + audience.clauses().count();
    let truth = |(place, clause): (usize, &crate::expr::Clause)| {
        let mut values = Vec::new();
        for value in clause.used() {
            values.push(Seen { value: shown(value.ty, row.cell(used)), text: value.text, ty: value.ty });
            used += 1;
        }
        let holds = row.opt_int(FIRST_TRUTH + place).map(|holds| holds == 1);
        ClauseTruth { text: clause.text.clone(), is_exception: place >= whens, holds, values }
    };
    let clauses = audience.clauses().enumerate().map(truth);
    event(audience.rule, row).into_iter().chain(clauses).collect()
}

/// Where the truths of the clauses begin in a row of [`Audience::clause_by_clause`].
const FIRST_TRUTH: usize = 3;

/// That the rule's event was there is a condition too, which nobody had to write.
fn event(rule: &Rule, row: &Row) -> Option<ClauseTruth> {
    let text = format!("on_event = \"{}\"", rule.on_event.as_ref()?);
    let name = Seen { text: "event.name".to_owned(), ty: Type::Text, value: shown(Type::Text, row.cell(2)) };
    let values = if name.value.is_null() { Vec::new() } else { vec![name] };
    Some(ClauseTruth { text, is_exception: false, holds: Some(row.int(1) == 1), values })
}
