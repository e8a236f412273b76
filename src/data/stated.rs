//! Data that the test of a rule states, in place of a file: the same values, owners and consents as an import's.
//!
//! 1. Values are read as those of files are, in ISO form or counted from the test's `now`.
//! 2. A row without a key gets one that no other row has.
//! 3. All rows that lead to a customer are the test's customer's.
//! 4. A customer whose key is made up gets the variant that the test expects.

use super::DataError;
use super::consent;
use super::moments::Calendar;
use super::records::Plan;
use crate::amount::Style;
use crate::catalogue::{CUSTOMER, Catalogue, Entity, Place, Type};
use crate::config::rule_tests::{Row, RuleTest, Written};
use crate::courtesy::consent::{Answer, Entry, Source as Told, SourceKind};
use crate::ids::{bucket_of, number};
use crate::problem::Problem;
use crate::rules::{Channel, Rule};
use crate::settings::Business;
use crate::store::consents;
use crate::store::db::Tx;
use crate::store::rows::{self, Record};
use crate::time::{Span, Timestamp, Tz};
use csv::ByteRecord;
use std::collections::BTreeMap;

/// Where keys of the type integer begin that nobody wrote.
const FIRST_KEY: u64 = 1_000_000_000;
/// How many tests have keys of their own, and how many rows each.
const SEEDS: u64 = 1 << 24;
const MOST_ROWS: u64 = 1_000;
/// How many keys are made up to find one that gets a variant: enough for the smallest share that can be drawn.
const DRAWN: u64 = 100_000;

/// What the fields of a customer say was said so long before what the test itself says.
const BEFORE: Span = Span::from_seconds(60);

/// A test's data, ready to be written.
#[derive(Clone, Debug)]
pub struct Stated<'a> {
    pub test: &'a RuleTest,
    pub now: Timestamp,
    /// The customer's key.
    pub customer: String,
    /// The key of each of the test's rows.
    pub keys: Vec<String>,
    records: Vec<Record>,
}

/// The catalogue as tests fill it: tables of plusone's own, whatever the data comes from, read as tests write.
pub fn catalogue(of: &Catalogue) -> Catalogue {
    let mut catalogue = of.clone();
    for entity in catalogue.entities.values_mut().filter(|entity| entity.place != Place::BuiltIn) {
        (entity.place, entity.source, entity.database) = (Place::Own, None, None);
        (entity.numbers, entity.time_zone, entity.relative_dates) = (Style::default(), None, true);
        for field in &mut entity.fields {
            (field.column, field.format, field.required) = (None, None, false);
        }
    }
    catalogue
}

/// Reads the time that a test names; `from` is what `now` and `today` stand for.
///
/// # Errors
/// The problem with it, at its place.
pub fn moment(test: &RuleTest, written: &Written, from: Option<Timestamp>, zone: Tz) -> Result<Timestamp, Problem> {
    let calendar = Calendar { zone, format: None, relative_to: from };
    let relative = if from.is_some() { ", or count from the test's: `today-3d`, `now-5h`, `today 09:00`" } else { "" };
    calendar.timestamp(&written.text).ok_or_else(|| {
        let message = format!("`{}` is not a time", written.text);
        let help = format!("write `2026-11-23 09:00`, or `2026-11-23T09:00:00Z`{relative}");
        Problem::error(&test.source, written.span.clone(), message).help(help)
    })
}

/// Gives the values of tests their types.
#[derive(Debug)]
pub struct Reading<'a> {
    /// As [`catalogue`] gives it.
    pub catalogue: &'a Catalogue,
    pub business: &'a Business,
}

impl Reading<'_> {
    /// # Errors
    /// Every value that is not of its field's type.
    pub fn read<'t>(&self, test: &'t RuleTest, rule: &Rule) -> Result<Stated<'t>, Vec<Problem>> {
        let now = moment(test, &test.now, None, self.business.time_zone).map_err(|problem| vec![problem])?;
        let seed = self.seed(test, rule);
        let keys: Vec<String> = (seed..).zip(&test.rows).map(|(made, row)| self.key(row, made)).collect();
        let customer = keys[0].clone();
        let (mut records, mut problems) = (Vec::new(), Vec::new());
        for (place, row) in test.rows.iter().enumerate() {
            let Some(entity) = self.catalogue.entity(&row.entity) else { continue };
            match self.record(test, row, entity, &keys, place, now) {
                Ok(mut record) => {
                    if self.catalogue.is_owned(&entity.name) {
                        (record.customer, record.bucket) = (Some(customer.clone()), bucket_of(&customer));
                    }
                    records.push(record);
                }
                Err(found) => problems.extend(found),
            }
        }
        if problems.is_empty() { Ok(Stated { test, now, customer, keys, records }) } else { Err(problems) }
    }

    /// Where the keys begin that nobody wrote. They follow from the test's name, so that another test changes nothing
    /// here; and where a variant is expected, from that.
    fn seed(&self, test: &RuleTest, rule: &Rule) -> u64 {
        let first = number(&format!("{}/{}", test.rule, test.name));
        let seed = |turn: u64| first.wrapping_add(turn) % SEEDS * MOST_ROWS;
        let (customer, wanted) = (&test.rows[0], test.expected.variant());
        let gets_it =
            |seed: &u64| rule.variant_of(&self.key(customer, *seed)).map(|found| found.name.as_str()) == wanted;
        match wanted {
            Some(_) if customer.key.is_none() => (0..DRAWN).map(seed).find(gets_it).unwrap_or(seed(0)),
            _ => seed(0),
        }
    }

    fn key(&self, row: &Row, made: u64) -> String {
        if let Some(key) = &row.key {
            return key.clone();
        }
        let is_text = self.catalogue.entity(&row.entity).is_none_or(|entity| entity.key_field().ty == Type::Text);
        if is_text { format!("{}-{made}", row.entity) } else { (FIRST_KEY + made).to_string() }
    }

    fn record(
        &self,
        test: &RuleTest,
        row: &Row,
        entity: &Entity,
        keys: &[String],
        place: usize,
        now: Timestamp,
    ) -> Result<Record, Vec<Problem>> {
        let names: Vec<String> = entity.fields.iter().map(|field| field.name.clone()).collect();
        let plan = Plan::new(self.catalogue, entity, self.business, &test.source.name, &names, now)
            .map_err(|error| vec![Problem::error(&test.source, row.span.clone(), error.to_string())])?;
        let mut cells: BTreeMap<&str, &str> =
            row.values.iter().map(|(name, value)| (name.as_str(), value.text.as_str())).collect();
        cells.insert(&entity.key, &keys[place]);
        cells.extend(row.links.iter().map(|(field, at)| (field.as_str(), keys[*at].as_str())));
        let mut problems = Vec::new();
        loop {
            let cell = |name: &String| cells.get(name.as_str()).copied().unwrap_or_default();
            let refusal = match plan.record(&names.iter().map(cell).collect::<ByteRecord>()) {
                Ok(read) if problems.is_empty() => return Ok(read.record),
                Ok(_) => return Err(problems),
                Err(refusal) => refusal,
            };
            let written = row.values.iter().find(|(name, _)| *name == refusal.column);
            let span = written.map_or_else(|| row.span.clone(), |(_, value)| value.span.clone());
            let message = format!("`{}.{}`: {}", entity.name, refusal.column, refusal.reason);
            problems.push(Problem::error(&test.source, span, message).help(hint(entity, &refusal.column)));
            // The others of the row are looked at without it.
            if cells.remove(refusal.column.as_str()).is_none() {
                return Err(problems);
            }
        }
    }
}

fn hint(entity: &Entity, field: &str) -> &'static str {
    match entity.field(field).map(|field| field.ty) {
        Some(Type::Date) => "or count from the test's day: `today`, `today-3d`",
        Some(Type::Timestamp) => "or count from the test's time: `now-5h`, `today-3d 14:30`",
        _ => "write it as conditions would have it",
    }
}

impl Stated<'_> {
    /// Whether both can lie in one database: no key of one is a key of the other.
    pub fn stands_beside(&self, other: &Stated<'_>) -> bool {
        let rows = || self.test.rows.iter().zip(&self.keys);
        let theirs = || other.test.rows.iter().zip(&other.keys);
        rows().all(|(row, key)| theirs().all(|(its, other)| row.entity != its.entity || key != other))
    }
}

/// Writes the data of tests that stand beside each other.
///
/// # Errors
/// When the database refuses.
pub async fn write(tx: &mut Tx, catalogue: &Catalogue, tests: &[&Stated<'_>]) -> Result<(), DataError> {
    for entity in catalogue.entities.values() {
        let records: Vec<&Record> = tests.iter().flat_map(|stated| stated.of(&entity.name)).collect();
        if !records.is_empty() {
            rows::insert(tx, entity, catalogue.is_owned(&entity.name), &records, false).await?;
        }
    }
    for stated in tests {
        let customer: Vec<&Record> = stated.of(CUSTOMER).take(1).collect();
        consent::from_rows(tx, catalogue, &customer, stated.now.minus(BEFORE)).await?;
    }
    let said: Vec<Entry> = tests.iter().flat_map(|stated| stated.answers()).collect();
    let now = tests.iter().map(|stated| stated.now).max().unwrap_or(Timestamp::from_micros(0));
    consents::add(tx, &said, now).await?;
    Ok(())
}

impl Stated<'_> {
    fn of<'s>(&'s self, entity: &'s str) -> impl Iterator<Item = &'s Record> {
        let rows = self.test.rows.iter().zip(&self.records);
        rows.filter(move |(row, _)| row.entity == entity).map(|(_, record)| record)
    }

    fn answers(&self) -> Vec<Entry> {
        let mut entries = Vec::new();
        for said in &self.test.consent {
            let answer = if said.yes { Answer::Yes } else { Answer::No };
            for channel in Channel::ALL.iter().filter(|one| said.channel.is_none_or(|only| only == **one)) {
                let source = Told::new(SourceKind::Import, "the test");
                entries.push(Entry::said(&self.customer, &said.topic, channel.as_str(), answer, self.now, source));
            }
        }
        entries
    }
}
