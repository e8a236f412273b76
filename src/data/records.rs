//! Rows under headings become records of an entity.
//!
//! 1. Columns are found by heading; what the file has beyond the declared fields is named once, never guessed at.
//! 2. The same row under the same declaration has the same digest, so that what did not change is not written.

use super::moments::Calendar;
use super::values::Parse;
use super::{DataError, addresses};
use crate::catalogue::{CUSTOMER, Catalogue, Entity, Place};
use crate::ids::bucket_of;
use crate::settings::Business;
use crate::store::db::Cell;
use crate::store::rows::Record;
use crate::time::Timestamp;
use csv::ByteRecord;
use phonenumber::country::Id;
use sha2::{Digest, Sha256};

/// How an entity's rows are read from a file with given headings.
#[derive(Clone, Debug)]
pub struct Plan {
    columns: Vec<Column>,
    key: usize,
    /// The field with the owner's key, where the entity belongs to the customer directly or is the customer.
    owner: Option<usize>,
    /// The field with the customer's country, and the business's.
    country: Option<usize>,
    home: Option<Id>,
    seed: Vec<u8>,
}

#[derive(Clone, Debug)]
struct Column {
    name: String,
    heading: String,
    /// The place in the file; `None` where the file has no such column.
    at: Option<usize>,
    required: bool,
    parse: Parse,
}

/// Why a row is refused.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Refusal {
    /// The heading, empty where the whole row is meant.
    pub column: String,
    pub reason: String,
}

/// A record and whether it has a contact that cannot be used.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Read {
    pub record: Record,
    pub bad_contacts: u64,
}

impl Plan {
    /// # Errors
    /// When the file has no column for the key or a required field.
    pub fn new(
        catalogue: &Catalogue,
        entity: &Entity,
        business: &Business,
        file: &str,
        headings: &[String],
        now: Timestamp,
    ) -> Result<Self, DataError> {
        let mut columns = Vec::new();
        for field in &entity.fields {
            let heading = field.heading();
            let at = headings.iter().position(|known| known == heading);
            let needed = field.name == entity.key;
            if at.is_none() && (needed || field.required) {
                return Err(DataError::no_column(file, entity, heading, headings));
            }
            let calendar = Calendar {
                zone: entity.time_zone.unwrap_or(business.time_zone),
                format: field.format.clone(),
                relative_to: entity.relative_dates.then_some(now),
            };
            let role = |name: &Option<String>| entity.name == CUSTOMER && name.as_ref() == Some(&field.name);
            let parse = match () {
                () if role(&catalogue.roles.email) => Parse::Email,
                () if role(&catalogue.roles.phone) => Parse::Phone,
                () => Parse::of(field, entity.numbers, calendar),
            };
            let required = needed || field.required;
            columns.push(Column { name: field.name.clone(), heading: heading.to_owned(), at, required, parse });
        }
        let place = |name: &str| columns.iter().position(|column| column.name == name);
        let path = catalogue.path_to_customer(&entity.name);
        let owner = path.and_then(|path| match path[..] {
            [] => place(&entity.key),
            [link] => place(&link.field),
            _ => None,
        });
        let country = catalogue.roles.country.as_deref().filter(|_| entity.name == CUSTOMER).and_then(place);
        let key = place(&entity.key).expect("an entity has its key field");
        let home = addresses::country(&business.country);
        Ok(Self { key, owner, country, home, seed: seed(catalogue, entity), columns })
    }

    /// The headings of the file that no field is read from.
    pub fn ignored<'a>(&self, headings: &'a [String]) -> Vec<&'a str> {
        let used = |heading: &String| self.columns.iter().any(|column| column.heading == *heading);
        headings.iter().filter(|heading| !used(heading)).map(String::as_str).collect()
    }

    /// The fields that the file has no column for, with their places.
    pub fn missing(&self) -> Vec<(usize, &str)> {
        let columns = self.columns.iter().enumerate();
        columns.filter(|(_, column)| column.at.is_none()).map(|(index, column)| (index, column.name.as_str())).collect()
    }

    /// The key of a row; `None` where it is missing or not of its type.
    pub fn key(&self, row: &ByteRecord) -> Option<Cell> {
        let column = &self.columns[self.key];
        let parsed = column.parse.cell(row.get(column.at?)?, None).ok()?;
        Some(parsed.cell).filter(|cell| *cell != Cell::Null)
    }

    /// Reads a row.
    ///
    /// # Errors
    /// The first cell that is not as declared.
    pub fn record(&self, row: &ByteRecord) -> Result<Read, Refusal> {
        let country = self.country_of(row);
        let mut values = Vec::with_capacity(self.columns.len());
        let mut bad_contacts = 0;
        for column in &self.columns {
            let bytes = column.at.and_then(|at| row.get(at)).unwrap_or_default();
            let refused = |reason| Refusal { column: column.heading.clone(), reason };
            let parsed = column.parse.cell(bytes, country).map_err(refused)?;
            if column.required && parsed.cell == Cell::Null {
                return Err(refused("is missing and must not be".to_owned()));
            }
            bad_contacts += u64::from(parsed.bad_contact);
            values.push(parsed.cell);
        }
        let mut record = Record { values, bucket: 0, customer: None, digest: 0 };
        self.seal(&mut record);
        Ok(Read { record, bad_contacts })
    }

    /// Gives a record its owner and its digest, from its values.
    pub fn seal(&self, record: &mut Record) {
        if let Some(owner) = self.owner {
            record.customer = text_of(&record.values[owner]);
            record.bucket = record.customer.as_deref().map_or(0, bucket_of);
        }
        let mut hash = Sha256::new();
        hash.update(&self.seed);
        for value in &record.values {
            match value {
                Cell::Null => hash.update([0]),
                Cell::Int(value) => {
                    hash.update([1]);
                    hash.update(value.to_be_bytes());
                }
                Cell::Text(text) => {
                    hash.update([2]);
                    hash.update((text.len() as u64).to_be_bytes());
                    hash.update(text);
                }
            }
        }
        let digest = hash.finalize();
        record.digest = i64::from_be_bytes(digest[..8].try_into().expect("eight bytes"));
    }

    pub const fn key_index(&self) -> usize {
        self.key
    }

    fn country_of(&self, row: &ByteRecord) -> Option<Id> {
        let written = self.country.and_then(|index| row.get(self.columns[index].at?));
        let code = written.and_then(|bytes| std::str::from_utf8(bytes).ok()).filter(|code| !code.trim().is_empty());
        code.map_or(self.home, addresses::country)
    }
}

/// A key or link as text: how the customer's key is kept as an owner.
pub fn text_of(cell: &Cell) -> Option<String> {
    match cell {
        Cell::Null => None,
        Cell::Int(value) => Some(value.to_string()),
        Cell::Text(text) => Some(text.clone()),
    }
}

/// What a row's digest depends on besides its values: the declaration.
fn seed(catalogue: &Catalogue, entity: &Entity) -> Vec<u8> {
    let fields = entity.fields.iter().map(|field| format!("{} {:?}", field.name, field.ty)).collect::<Vec<_>>();
    let consent = if entity.name == CUSTOMER { format!("{:?}", catalogue.consent) } else { String::new() };
    let path = format!("{:?}", catalogue.path_to_customer(&entity.name));
    debug_assert!(entity.place == Place::Own, "only tables of plusone's own are written");
    Sha256::digest(format!("{fields:?} {consent} {path}")).to_vec()
}
