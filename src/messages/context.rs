//! What a template reads: values that know their type, gathered in records and lists.
//!
//! 1. A value is made from a stored cell and its [`Type`]; from then on nobody can print a scaled integer by mistake.
//! 2. A missing value, an empty text and a text of nothing but blanks are alike: nobody is ever greeted with them.
//! 3. Data is never template text. Values are printed, compared and formatted, never parsed.

use crate::amount::Amount;
use crate::catalogue::Type;
use crate::offers::Offer;
use crate::settings::Business;
use crate::time::{Date, Timestamp};
use std::collections::BTreeMap;

/// Named values: a row, the business, an offer, or everything a message may read.
pub type Record = BTreeMap<String, Value>;

/// A value of the data, with its type.
#[derive(Clone, PartialEq, Debug, Default)]
pub enum Value {
    #[default]
    Missing,
    Text(String),
    Integer(i64),
    Decimal(Amount),
    /// In the business currency.
    Money(Amount),
    Boolean(bool),
    Date(Date),
    Timestamp(Timestamp),
    Record(Record),
    /// Records, in ascending order of their keys.
    List(Vec<Value>),
}

impl Value {
    /// A cell of a type stored as text.
    pub fn from_text(cell: Option<&str>) -> Self {
        cell.map_or(Self::Missing, |text| Self::Text(text.to_owned()))
    }

    /// A cell of a type stored as a 64-bit integer, as [`Type::storage`] says. A missing boolean is false.
    pub fn from_integer(ty: Type, cell: Option<i64>) -> Self {
        let Some(units) = cell else {
            return if ty == Type::Boolean { Self::Boolean(false) } else { Self::Missing };
        };
        match ty {
            Type::Text => Self::Text(units.to_string()),
            Type::Integer => Self::Integer(units),
            Type::Decimal(scale) => Self::Decimal(Amount { units, scale }),
            Type::Money => Self::Money(Amount::money(units)),
            Type::Boolean => Self::Boolean(units != 0),
            Type::Date => Self::Date(Date::from_days(units)),
            Type::Timestamp => Self::Timestamp(Timestamp::from_micros(units)),
        }
    }

    /// Whether nothing can be read from it: missing, or a text of blanks alone.
    pub fn is_blank(&self) -> bool {
        match self {
            Self::Missing => true,
            Self::Text(text) => text.trim().is_empty(),
            _ => false,
        }
    }

    /// What `{{#if}}` asks: there, not blank, not false, not zero, not an empty list.
    pub fn is_truthy(&self) -> bool {
        match self {
            Self::Missing | Self::Text(_) => !self.is_blank(),
            Self::Boolean(yes) => *yes,
            Self::Integer(number) => *number != 0,
            Self::Decimal(amount) | Self::Money(amount) => amount.units != 0,
            Self::Date(_) | Self::Timestamp(_) | Self::Record(_) => true,
            Self::List(rows) => !rows.is_empty(),
        }
    }
}

/// The `business` of a template.
pub fn business(business: &Business) -> Value {
    let optional = |text: &Option<String>| Value::from_text(text.as_deref());
    let record = [
        ("name", Value::Text(business.name.clone())),
        ("postal_address", optional(&business.postal_address)),
        ("phone", optional(&business.phone)),
        ("email", optional(&business.email)),
        ("website", optional(&business.website)),
    ];
    Value::Record(record.into_iter().map(|(name, value)| (name.to_owned(), value)).collect())
}

/// The `topic` of a template: what customers call it.
pub fn topic(name: &str) -> Value {
    Value::Record([("name".to_owned(), Value::Text(name.to_owned()))].into())
}

/// The `links` of a template: the addresses of the pages that belong to a message, by their names.
pub fn links(links: &[(&str, String)]) -> Value {
    Value::Record(links.iter().map(|(name, url)| ((*name).to_owned(), Value::Text(url.clone()))).collect())
}

/// The `offer` of a template: what it is worth, the customer's code and until when it can be used.
pub fn offer(offer: &Offer, code: Option<&str>, expires_at: Option<Timestamp>) -> Value {
    let record = [
        ("name", Value::Text(offer.name.clone())),
        ("description", Value::Text(offer.description.clone())),
        ("value", Value::Money(Amount::money(offer.value))),
        ("code", Value::from_text(code)),
        ("expires_at", expires_at.map_or(Value::Missing, Value::Timestamp)),
    ];
    Value::Record(record.into_iter().map(|(name, value)| (name.to_owned(), value)).collect())
}
