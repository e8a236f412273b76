//! Everything held about a person, for the person: each record once, under the section it belongs to.
//!
//! How a record is written is the sheets': [`json`] for machines, [`html`] for people.
//!
//! 1. Nothing is left out: the tables are those that an erasure would empty (`store::person`), and those of others
//!    that are read in place.
//! 2. Records are streamed: memory does not grow with them.
//! 3. Values are as the log and the console tell them: times in RFC 3339, money with its currency, words as sent.

pub mod html;
pub mod json;

use super::DataError;
use super::suppress::Hasher;
use crate::catalogue::{CUSTOMER, Catalogue, Entity, Field, Place, Type, quoted};
use crate::contact::{is_good_email, is_good_phone};
use crate::courtesy::pauses::Scope;
use crate::ids::bucket_of;
use crate::outreach::judge::shown;
use crate::settings::Business;
use crate::store::consents::ledger;
use crate::store::db::{Cell, Db, Row};
use crate::store::erase::{self, Person};
use crate::store::log::{self, Filter};
use crate::store::person::{self, By, TABLES, Table};
use crate::store::{pauses, suppressions};
use crate::time::Timestamp;
use crate::touchpoints::record::{money_json, time_json};
use futures_util::TryStreamExt;
use serde_json::{Map, Value, json};
use std::collections::BTreeSet;
use std::io;

/// Whose records, and for which business.
#[derive(Clone, Copy)]
pub struct Job<'a> {
    pub db: &'a Db,
    pub catalogue: &'a Catalogue,
    pub business: &'a Business,
    pub customer: &'a str,
    pub now: Timestamp,
}

/// Records of one kind.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Section {
    /// The name for machines.
    pub name: String,
    /// For people.
    pub title: String,
    /// One sentence: what these are.
    pub about: &'static str,
}

impl Section {
    fn new(name: &str, title: &str, about: &'static str) -> Self {
        Self { name: name.to_owned(), title: title.to_owned(), about }
    }
}

/// Whatever records are written to.
pub trait Sheet {
    fn begin(&mut self, job: &Job<'_>) -> io::Result<()>;
    fn section(&mut self, section: &Section) -> io::Result<()>;
    /// A record of the section that was begun last.
    fn record(&mut self, record: &Map<String, Value>) -> io::Result<()>;
    fn end(&mut self) -> io::Result<()>;
}

/// Why an export broke off.
#[derive(Debug, thiserror::Error)]
pub enum ExportError {
    #[error(transparent)]
    Data(#[from] DataError),
    #[error(transparent)]
    Store(#[from] crate::store::db::StoreError),
    #[error("cannot write the export: {0}")]
    Write(#[from] io::Error),
}

type Done = Result<(), ExportError>;

/// Writes everything held about the customer to every sheet.
///
/// # Errors
/// When the database cannot be read or a sheet takes no more.
pub async fn export(job: &Job<'_>, sheets: &mut [&mut dyn Sheet]) -> Done {
    sheets.iter_mut().try_for_each(|sheet| sheet.begin(job))?;
    let mut writer = Writer { job, sheets };
    writer.customer_data().await?;
    writer.answers().await?;
    writer.stops().await?;
    for table in TABLES.iter().filter(|table| !KNOWN.contains(&table.name)) {
        let (title, about) = match table.name {
            "replies" => ("What you wrote back", "Your answers, word for word."),
            "preferences" => ("What you asked for", "How, in which language and when you want to be written to."),
            "provider_events" => ("What became of messages on their way", "As those who carried them told."),
            _ => ("More", "What plusone noted about you besides."),
        };
        let section = Section::new(table.name, title, about);
        writer.kept(table, &section).await?;
    }
    writer.messages().await?;
    sheets.iter_mut().try_for_each(|sheet| sheet.end())?;
    Ok(())
}

/// Tables with a section of their own.
const KNOWN: &[&str] = &["consents", "offer_grants", "touchpoints", "touchpoint_words", "touchpoint_events"];

/// Columns of plusone's own tables that hold money.
const MONEY: &[(&str, &str)] = &[("offer_grants", "value"), ("offer_grants", "cost")];

struct Writer<'a, 's, 'd> {
    job: &'a Job<'a>,
    sheets: &'s mut [&'d mut dyn Sheet],
}

impl Writer<'_, '_, '_> {
    fn section(&mut self, section: &Section) -> io::Result<()> {
        self.sheets.iter_mut().try_for_each(|sheet| sheet.section(section))
    }

    fn record(&mut self, record: &Map<String, Value>) -> io::Result<()> {
        self.sheets.iter_mut().try_for_each(|sheet| sheet.record(record))
    }

    /// The rows of customer data: of declared entities, and of those that were declared once.
    async fn customer_data(&mut self) -> Done {
        let catalogue = self.job.catalogue;
        let mut declared = BTreeSet::new();
        let mut owned: Vec<&Entity> = catalogue.entities.values().collect();
        owned.retain(|entity| catalogue.is_owned(&entity.name) && entity.name != "touchpoint");
        owned.sort_by_key(|entity| entity.name != CUSTOMER);
        for entity in owned {
            declared.insert(entity.name.clone());
            let about = match entity.place {
                Place::InPlace(_) => "Read from another system of the business.",
                Place::Own | Place::BuiltIn => "As the business handed it over.",
            };
            let title = if entity.name == CUSTOMER { "About you".to_owned() } else { heading(&entity.plural) };
            let fields = entity.fields.clone();
            self.data(&entity.table(), &entity.key, fields, Section::new(&entity.name, &title, about)).await?;
        }
        for table in person::data_tables(self.job.db).await? {
            if declared.contains(&table.entity) {
                continue;
            }
            let columns = person::columns(self.job.db, &format!("d_{}", table.entity)).await?;
            let fields =
                columns.iter().filter(|column| !column.starts_with('_')).map(|name| Field::new(name, Type::Text));
            let title = heading(&table.entity);
            let section = Section::new(&table.entity, &title, "Kept from earlier; nothing reads it any more.");
            self.data(&table.name(), &table.key, fields.collect(), section).await?;
        }
        Ok(())
    }

    async fn data(&mut self, table: &str, key: &str, fields: Vec<Field>, section: Section) -> Done {
        let columns: Vec<String> = fields.iter().map(|field| quoted(&field.name)).collect();
        let mut rows = person::data_rows(self.job.db, table, &columns, &quoted(key), self.job.customer);
        let mut begun = false;
        while let Some(row) = rows.try_next().await? {
            if !std::mem::replace(&mut begun, true) {
                self.section(&section)?;
            }
            let value = |(place, field): (usize, &Field)| (field.name.clone(), shown(field.ty, row.cell(place)));
            self.record(&fields.iter().enumerate().map(value).collect())?;
        }
        Ok(())
    }

    async fn answers(&mut self) -> Done {
        let consents =
            Section::new("consents", "What you said yes or no to", "Each answer, when and where you gave it.");
        let customer = self.job.customer;
        let ledger = ledger(self.job.db, bucket_of(customer), customer).await?;
        if !ledger.is_empty() {
            self.section(&consents)?;
        }
        for entry in &ledger {
            self.record(entry.to_json().as_object().expect("it is written as one"))?;
        }
        let grants = Section::new("offer_grants", "Offers and codes", "What you were given, and what became of it.");
        self.kept(&Table { name: "offer_grants", by: By::Customer }, &grants).await
    }

    /// The rows of one of plusone's own tables.
    async fn kept(&mut self, table: &Table, section: &Section) -> Done {
        let mut columns = person::columns(self.job.db, table.name).await?;
        columns.retain(|column| column != "bucket" && column != "customer");
        let mut rows = person::rows(self.job.db, table, &columns, self.job.customer);
        let mut begun = false;
        while let Some(row) = rows.try_next().await? {
            if !std::mem::replace(&mut begun, true) {
                self.section(section)?;
            }
            let record = columns.iter().enumerate().map(|(place, column)| {
                (column.clone(), kept_value(table.name, column, row.cell(place), &self.job.business.currency))
            });
            let record = record.collect();
            self.record(&record)?;
        }
        Ok(())
    }

    /// What stops messages: suppressed addresses, and a pause.
    async fn stops(&mut self) -> Done {
        let section =
            Section::new("suppressions", "Where nobody writes to you", "Addresses of yours that are left alone.");
        let mut begun = false;
        let addresses = self.addresses().await?;
        if !addresses.is_empty() {
            let hasher = Hasher::load(self.job.db).await?;
            for address in addresses {
                let mut found = suppressions::lookup(self.job.db, &[hasher.hash(&address)], self.job.now).await?;
                found.sort_by(|a, b| a.scope.cmp(&b.scope));
                for one in found {
                    if !std::mem::replace(&mut begun, true) {
                        self.section(&section)?;
                    }
                    let record = json!({
                        "address": address, "scope": one.scope, "reason": one.reason, "at": one.at.to_string(),
                        "source": one.source, "evidence": one.evidence, "until": time_json(one.expires_at),
                    });
                    self.record(record.as_object().expect("it is written as one"))?;
                }
            }
        }
        let scope = Scope::Customer(self.job.customer.to_owned());
        let pauses = pauses::load(self.job.db).await?;
        if let Some(pause) = pauses.at(self.job.now).find(|pause| pause.scope == scope) {
            self.section(&Section::new("pauses", "A pause", "Nothing is sent to you meanwhile."))?;
            let record =
                json!({ "paused_at": pause.paused_at.to_string(), "paused_until": time_json(pause.paused_until) });
            self.record(record.as_object().expect("it is written as one"))?;
        }
        Ok(())
    }

    /// The customer's addresses, now and in messages of the past.
    async fn addresses(&self) -> Result<BTreeSet<String>, ExportError> {
        let person = Person { bucket: bucket_of(self.job.customer), customer: self.job.customer };
        let mut all: BTreeSet<String> = erase::addresses(self.job.db, person).await?.into_iter().collect();
        let (catalogue, customer) = (self.job.catalogue, self.job.catalogue.customer());
        let roles = [&catalogue.roles.email, &catalogue.roles.phone].into_iter().flatten();
        let columns: Vec<String> =
            roles.filter(|role| customer.field(role).is_some()).map(|role| quoted(role)).collect();
        if !columns.is_empty() {
            let key = quoted(&customer.key);
            let mut rows = person::data_rows(self.job.db, &customer.table(), &columns, &key, self.job.customer);
            while let Some(row) = rows.try_next().await? {
                all.extend(texts(&row));
            }
        }
        all.retain(|address| is_good_email(address) || is_good_phone(address));
        Ok(all)
    }

    /// Every message, sent or not, with its words, facts, gates and events; the newest first.
    async fn messages(&mut self) -> Done {
        let about = "What was sent to you word for word, what was not, and why.";
        let section = Section::new("touchpoints", "Messages", about);
        let filter = Filter { customer: Some(self.job.customer.to_owned()), ..Filter::default() };
        let mut rows = log::log(self.job.db, &filter);
        let mut begun = false;
        while let Some(touchpoint) = rows.try_next().await? {
            if !std::mem::replace(&mut begun, true) {
                self.section(&section)?;
            }
            let detail = log::detail(self.job.db, touchpoint).await?;
            let record = detail.to_json(&self.job.business.currency);
            self.record(record.as_object().expect("a touchpoint is an object"))?;
        }
        Ok(())
    }
}

fn texts(row: &Row) -> Vec<String> {
    (0..row.len()).filter_map(|place| row.opt_text(place).map(str::to_owned)).collect()
}

/// `cart_lines` as people read it: `Cart lines`.
fn heading(name: &str) -> String {
    let spaced = name.replace('_', " ");
    let mut letters = spaced.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}

/// A value of one of plusone's own tables, by the name of its column.
fn kept_value(table: &str, column: &str, cell: &Cell, currency: &str) -> Value {
    match cell {
        Cell::Null => Value::Null,
        Cell::Text(text) => json!(text),
        Cell::Int(value) if MONEY.contains(&(table, column)) => money_json(Some(*value), currency),
        Cell::Int(value) if column == "at" || column.ends_with("_at") || column.ends_with("_until") => {
            json!(Timestamp::from_micros(*value).to_string())
        }
        Cell::Int(value) => json!(value),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_is_told_by_the_name_of_its_column() {
        let at = Cell::Int(0);
        assert_eq!(kept_value("consents", "recorded_at", &at, "GBP"), json!("1970-01-01T00:00:00Z"));
        let money = json!({ "amount": "2.5000", "currency": "GBP" });
        assert_eq!(kept_value("offer_grants", "value", &Cell::Int(25_000), "GBP"), money);
        assert_eq!(kept_value("other", "n", &Cell::Int(3), "GBP"), json!(3));
    }
}
