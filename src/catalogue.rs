//! The catalogue: which customer data there is, by name and type, and how it hangs together.
//!
//! Declared in `config/data.toml`, read by `config`, and asked by everything that names data: conditions, templates,
//! imports. Pure: it knows table and column names, never a database.
//!
//! 1. Everything is stored as text or as a 64-bit integer, alike on both databases: see [`Type::storage`].
//! 2. Relations come from `belongs_to` alone and read both ways: `order.customer`, `customer.orders`.
//! 3. What leads to a customer is that customer's data and lies in their bucket; what does not is a shared table.

pub mod builtin;

use crate::amount::{SCALE, Style};
use crate::courtesy::consent::Answer;
use crate::problem::nearest;
use crate::settings::Secret;
use crate::time::{Span, Tz};
use std::collections::BTreeMap;

/// The entity that messages go to. It must be declared.
pub const CUSTOMER: &str = "customer";

/// The type of a field or an expression.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Type {
    Text,
    /// Within ±(2^53 − 1).
    Integer,
    /// Digits after the point.
    Decimal(u8),
    /// [`SCALE`] digits after the point, in the business currency.
    Money,
    Boolean,
    Date,
    Timestamp,
}

/// How a type lies in a column.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Storage {
    Text,
    /// Integers as they are; decimals and money scaled; booleans 0 or 1; dates in days, timestamps in microseconds UTC.
    Integer,
}

impl Type {
    pub const fn storage(self) -> Storage {
        match self {
            Self::Text => Storage::Text,
            _ => Storage::Integer,
        }
    }

    /// As written in `data.toml`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::Integer => "integer",
            Self::Decimal(_) => "decimal",
            Self::Money => "money",
            Self::Boolean => "boolean",
            Self::Date => "date",
            Self::Timestamp => "timestamp",
        }
    }

    /// Digits after the point of a numeric type.
    pub const fn scale(self) -> Option<u8> {
        match self {
            Self::Integer => Some(0),
            Self::Decimal(scale) => Some(scale),
            Self::Money => Some(SCALE),
            _ => None,
        }
    }
}

#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Field {
    pub name: String,
    pub ty: Type,
    /// The heading in the file, where it differs from `name`.
    pub column: Option<String>,
    /// A `strftime` pattern for dates and timestamps; ISO 8601 where absent.
    pub format: Option<String>,
    /// The only values allowed, for text.
    pub one_of: Vec<String>,
    /// What else a boolean column has for true, and for false.
    pub yes: Vec<String>,
    pub no: Vec<String>,
    pub required: bool,
    pub index: bool,
}

impl Field {
    pub fn new(name: &str, ty: Type) -> Self {
        Self {
            name: name.to_owned(),
            ty,
            column: None,
            format: None,
            one_of: Vec::new(),
            yes: Vec::new(),
            no: Vec::new(),
            required: false,
            index: false,
        }
    }

    /// The heading this field has in files.
    pub fn heading(&self) -> &str {
        self.column.as_deref().unwrap_or(&self.name)
    }
}

/// `belongs_to`: `field` of this entity holds the key of `entity`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Link {
    pub entity: String,
    pub field: String,
}

/// A name for an expression over the entity's data; expanded when a condition is compiled.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Computed {
    pub name: String,
    pub text: String,
}

/// `source = { database = …, query = … }`: rows that are read from another database.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct DatabaseSource {
    /// `postgres://…` or `sqlite://…`.
    pub url: Secret,
    pub query: String,
    /// At least so long between two readings.
    pub every: Span,
    /// The query's column by which later rows are told; without it everything is read each time.
    pub since: Option<String>,
}

/// Where an entity's rows lie.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Place {
    /// A table of plusone's own, filled by imports and sources.
    Own,
    /// `table = "schema.table_or_view"`: read in place from the same database, never written.
    InPlace(String),
    /// A record of plusone's own that needs no declaration.
    BuiltIn,
}

/// What happens to rows that a full source no longer has.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Absent {
    Keep,
    Remove,
}

#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Entity {
    pub name: String,
    pub plural: String,
    /// The field whose value names a row.
    pub key: String,
    pub fields: Vec<Field>,
    pub belongs_to: Vec<Link>,
    pub computed: Vec<Computed>,
    pub place: Place,
    /// The file that is read on every sync, relative to the home folder.
    pub source: Option<String>,
    /// In the place of `source`: another database to read from.
    pub database: Option<DatabaseSource>,
    pub absent: Option<Absent>,
    /// How files write numbers.
    pub numbers: Style,
    /// For times without a zone; the business's where absent.
    pub time_zone: Option<Tz>,
    pub relative_dates: bool,
}

/// Which fields of `customer` say who they are and how to reach them.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Roles {
    pub email: Option<String>,
    pub phone: Option<String>,
    pub name: Option<String>,
    pub locale: Option<String>,
    pub time_zone: Option<String>,
    pub country: Option<String>,
    /// Of a country whose regions have laws of their own: `FL`, `US-FL`.
    pub region: Option<String>,
}

/// `[customer.consent]`: for one topic, the columns that say yes for each channel.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ConsentColumns {
    pub topic: String,
    /// Channel name to a boolean field of `customer`.
    pub channels: BTreeMap<String, String>,
    /// The field with the time of the yes; the time of the import where absent.
    pub at: Option<String>,
    /// Said in the ledger as the source of the yes: a text field of `customer` that holds it, or the words themselves.
    pub source: Option<String>,
    /// What a yes of these columns is: under a double opt-in one that waits for its confirmation.
    pub yes: Answer,
}

#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Catalogue {
    /// By name; built-in records included.
    pub entities: BTreeMap<String, Entity>,
    pub roles: Roles,
    pub consent: Vec<ConsentColumns>,
    /// The names of the events whose properties are declared.
    pub events: Vec<String>,
}

impl Entity {
    /// An entity with nothing but a name and a key field of type text.
    pub fn new(name: &str, key: &str) -> Self {
        Self {
            name: name.to_owned(),
            plural: format!("{name}s"),
            key: key.to_owned(),
            fields: vec![Field::new(key, Type::Text)],
            belongs_to: Vec::new(),
            computed: Vec::new(),
            place: Place::Own,
            source: None,
            database: None,
            absent: None,
            numbers: Style::default(),
            time_zone: None,
            relative_dates: false,
        }
    }

    pub fn field(&self, name: &str) -> Option<&Field> {
        self.fields.iter().find(|field| field.name == name)
    }

    pub fn computed(&self, name: &str) -> Option<&Computed> {
        self.computed.iter().find(|computed| computed.name == name)
    }

    pub fn key_field(&self) -> &Field {
        self.field(&self.key).expect("config refuses an entity without its key field")
    }

    /// The table or view as SQL names it, quoted. Whatever the place, it has a column for each field, stored as
    /// [`Type::storage`] says, and for a customer's data `_bucket` and `_customer` (the customer's key): what is
    /// read in place or is a record of plusone's own is a view.
    pub fn table(&self) -> String {
        quoted(&format!("d_{}", self.name))
    }
}

/// `name` as an SQL identifier.
pub fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

impl Catalogue {
    /// The declared event that is most likely meant by a name that is not declared.
    pub fn event_meant(&self, name: &str) -> Option<&str> {
        let known = || self.events.iter().map(String::as_str);
        if known().any(|known| known == name) { None } else { nearest(name, known()) }
    }

    pub fn entity(&self, name: &str) -> Option<&Entity> {
        self.entities.get(name)
    }

    /// The customers' entity.
    pub fn customer(&self) -> &Entity {
        self.entity(CUSTOMER).expect("config refuses a data.toml without [customer]")
    }

    /// The column of the customers' table that holds their ids as text: the key, which the primary key finds, where
    /// that is text.
    pub fn id_of_customer(&self) -> String {
        let key = self.customer().key_field();
        quoted(if key.ty == Type::Text { &key.name } else { "_customer" })
    }

    /// What `name` (an entity's name) leads to from `from`: `order.customer`.
    pub fn one(&self, from: &str, name: &str) -> Option<(&Link, &Entity)> {
        let link = self.entity(from)?.belongs_to.iter().find(|link| link.entity == name)?;
        Some((link, self.entity(name)?))
    }

    /// The list that `plural` names from `from`: `customer.orders`. Gives the child's link to `from` and the child.
    pub fn many(&self, from: &str, plural: &str) -> Option<(&Link, &Entity)> {
        self.entities.values().filter(|child| child.plural == plural).find_map(|child| {
            let link = child.belongs_to.iter().find(|link| link.entity == from)?;
            Some((link, child))
        })
    }

    /// Where `name` is an entity that could be read from `from` if a `belongs_to` said so: what to add.
    pub fn missing_link(&self, from: &str, name: &str) -> Option<String> {
        let is_declared = |entity: &&Entity| entity.place != Place::BuiltIn && entity.name != from;
        let mut declared = self.entities.values().filter(is_declared);
        let child = declared.clone().find(|entity| entity.plural == name);
        let (child, parent) = match child {
            Some(child) => (child, from),
            None => match declared.find(|entity| entity.name == name)? {
                other if other.belongs_to.iter().any(|link| link.entity == from) => return None,
                other if from == CUSTOMER => (other, from),
                other => (self.entity(from)?, other.name.as_str()),
            },
        };
        let is_owned = parent == CUSTOMER && self.is_owned(&child.name);
        if is_owned || child.place == Place::BuiltIn || child.belongs_to.iter().any(|link| link.entity == parent) {
            return None;
        }
        let keys = child.fields.iter().filter(|field| field.ty == Type::Text && field.name != child.key);
        let named = keys.map(|field| field.name.as_str()).find(|field| field.starts_with(parent));
        let (child, field) = (&child.name, named.unwrap_or("…"));
        let whose = format!("`[{child}]` in data.toml lacks `belongs_to`");
        Some(format!(
            "{whose}: add `belongs_to = {{ {parent} = \"{field}\" }}`, its field with the key of the {parent}"
        ))
    }

    /// The lists that can be read from `from`.
    pub fn lists(&self, from: &str) -> Vec<&str> {
        self.entities
            .values()
            .filter(|child| child.belongs_to.iter().any(|link| link.entity == from))
            .map(|child| child.plural.as_str())
            .collect()
    }

    /// The shortest chain of links from `entity` to the customer: empty for the customer, `None` for a shared table.
    pub fn path_to_customer(&self, entity: &str) -> Option<Vec<&Link>> {
        let mut frontier = vec![(entity, Vec::new())];
        let mut seen = vec![entity];
        while !frontier.is_empty() {
            let mut next = Vec::new();
            for (at, path) in frontier {
                if at == CUSTOMER {
                    return Some(path);
                }
                for link in self.entity(at).map_or(&[][..], |entity| &entity.belongs_to) {
                    if !seen.contains(&link.entity.as_str()) {
                        seen.push(&link.entity);
                        let mut longer: Vec<&Link> = path.clone();
                        longer.push(link);
                        next.push((link.entity.as_str(), longer));
                    }
                }
            }
            frontier = next;
        }
        None
    }

    /// Whether rows of `entity` are some customer's data and carry `_bucket` and `_customer`.
    pub fn is_owned(&self, entity: &str) -> bool {
        self.path_to_customer(entity).is_some()
    }
}
