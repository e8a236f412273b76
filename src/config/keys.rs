//! The keys of every file: name, shape, one sentence, example, default. The single source of what may be written.
//!
//! The check of a file's shape, the JSON Schemas and the reference are made from these tables; what a value means is
//! in the readers.
//!
//! 1. A key that is not in a table is refused. A key in a table does something.
//! 2. Defaults are written here and filled in before the readers look.

pub mod courtesy;
pub mod data;
pub mod hours;
pub mod menu;
pub mod offer;
pub mod rule;
pub mod rule_test;
pub mod settings;
pub mod variant;

/// What a key takes.
#[derive(Clone, Copy, Debug)]
pub enum Shape {
    Text,
    /// A text that is never shown.
    Secret,
    Boolean,
    Integer {
        min: i64,
        max: i64,
    },
    /// `2.50` or `"2.50"`, not negative.
    Money,
    /// `"5%"`.
    Share,
    /// `"4h"`.
    Span,
    /// `"100/s"`.
    Rate,
    /// An IANA time zone.
    Zone,
    /// `business`, `customer` or an IANA time zone.
    RuleZone,
    /// A TOML date.
    Date,
    /// `"20:00-09:00"`, `"Sun"` or `"holidays"`.
    Window,
    /// `"08:00-21:00"`, `"Mon-Fri 10:00-20:00"` or `"not on holidays"`.
    OpenHours,
    /// `"7d"`, `day`, `week` or `month`.
    CapWindow,
    OneOf(&'static [&'static str]),
    List(&'static Shape),
    /// One value, or a list of them.
    OneOrMany(&'static Shape),
    /// The first whose kind of TOML value fits.
    Either(&'static [Shape]),
    Table(&'static Section),
    /// A table whose other keys depend on the value of one, `tag`.
    Tagged {
        tag: &'static str,
        variants: &'static [(&'static str, &'static Section)],
    },
    /// The path of a customer data file.
    SourceFile,
    /// A date or a time: as TOML has them, or as a text that may count from another.
    Moment,
    /// A row of customer data, or a list of them, by the fields of `data.toml`.
    Rows,
    /// Topics with `true` or `false`, or with those by channel.
    Consent,
}

/// A table: the keys it may have.
#[derive(Debug)]
pub struct Section {
    /// As problems name it: `[business]`, `a rule`.
    pub what: &'static str,
    pub keys: &'static [Key],
    /// The shape of keys whose names users choose.
    pub named: Option<Named>,
}

/// Keys whose names users choose: topics, providers, fields.
#[derive(Clone, Copy, Debug)]
pub struct Named {
    /// What such a name names.
    pub what: &'static str,
    pub form: NameForm,
    pub shape: Shape,
    pub about: &'static str,
    pub example: &'static str,
}

/// How a chosen name may be spelt.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum NameForm {
    /// `[a-z][a-z0-9_]*`: it is used in conditions.
    Word,
    /// `[a-z][a-z0-9_-]*`.
    Dashed,
    /// Anything: somebody else named it.
    Free,
    /// One of `0` to `9`.
    Digit,
}

#[derive(Clone, Copy, Debug)]
pub struct Key {
    pub name: &'static str,
    pub shape: Shape,
    pub about: &'static str,
    /// A TOML value.
    pub example: &'static str,
    pub default: Default,
}

/// What a key means when it is not written.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Default {
    /// It must be written.
    Required,
    /// A TOML value.
    Value(&'static str),
    /// Nothing, or something that depends on other keys, in words.
    Otherwise(&'static str),
}

const fn key(name: &'static str, shape: Shape, about: &'static str, example: &'static str) -> Key {
    Key { name, shape, about, example, default: Default::Otherwise("nothing") }
}

impl Key {
    const fn required(mut self) -> Self {
        self.default = Default::Required;
        self
    }

    const fn default(mut self, toml: &'static str) -> Self {
        self.default = Default::Value(toml);
        self
    }

    const fn otherwise(mut self, words: &'static str) -> Self {
        self.default = Default::Otherwise(words);
        self
    }
}

impl Section {
    const fn of(what: &'static str, keys: &'static [Key]) -> Self {
        Self { what, keys, named: None }
    }

    const fn named(what: &'static str, named: Named) -> Self {
        Self { what, keys: &[], named: Some(named) }
    }

    pub fn key(&self, name: &str) -> Option<&'static Key> {
        self.keys.iter().find(|key| key.name == name)
    }

    /// The shape of what stands at `name`.
    pub fn shape_at(&self, name: &str) -> Option<Shape> {
        self.key(name).map(|key| key.shape).or(self.named.map(|named| named.shape))
    }
}

impl NameForm {
    pub fn admits(self, name: &str) -> bool {
        let inner = |byte: u8| {
            byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_' || self == Self::Dashed && byte == b'-'
        };
        match self {
            Self::Free => !name.trim().is_empty(),
            Self::Digit => name.len() == 1 && name.bytes().all(|byte| byte.is_ascii_digit()),
            Self::Word | Self::Dashed => {
                name.starts_with(|first: char| first.is_ascii_lowercase()) && name.bytes().all(inner)
            }
        }
    }

    /// The form in words.
    pub const fn rule(self) -> &'static str {
        match self {
            Self::Word => "a small letter, then small letters, digits and `_`",
            Self::Dashed => "a small letter, then small letters, digits, `_` and `-`",
            Self::Free => "any text",
            Self::Digit => "a digit, `0` to `9`",
        }
    }
}
