//! What a column may be, narrowed cell by cell.
//!
//! 1. A type stays possible only while every cell that is not empty is of it.
//! 2. Memory is bounded: distinct values are counted up to [`FEW`]; hashes, for unique columns, take eight bytes a row.

use super::super::addresses;
use super::super::moments::Calendar;
use super::super::values::boolean;
use crate::amount::SCALE;
use crate::time::Tz;
use std::collections::BTreeMap;
use std::hash::{DefaultHasher, Hash, Hasher};

/// At most so many distinct values make a list of them worth mentioning.
const FEW: usize = 8;

const MAX_PLACES: usize = 9;

const DATES: [&str; 7] = ["%d.%m.%Y", "%d/%m/%Y", "%m/%d/%Y", "%d-%m-%Y", "%m-%d-%Y", "%Y/%m/%d", "%Y%m%d"];

const TIMES: [&str; 6] = [
    "%d.%m.%Y %H:%M",
    "%d.%m.%Y %H:%M:%S",
    "%d/%m/%Y %H:%M",
    "%m/%d/%Y %H:%M",
    "%d/%m/%Y %H:%M:%S",
    "%m/%d/%Y %H:%M:%S",
];

/// What a column is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Found {
    /// No cell has anything in it.
    Empty,
    Boolean,
    Integer,
    Decimal {
        sign: char,
        places: usize,
    },
    Date(Option<&'static str>),
    Timestamp(Option<&'static str>),
    Email,
    Phone,
    Text,
}

/// A column and what it may still be.
#[derive(Clone, Debug)]
pub struct Column {
    pub heading: String,
    pub name: String,
    seen: u64,
    empty: u64,
    emails: u64,
    phones: u64,
    boolean: bool,
    integer: bool,
    point: bool,
    comma: bool,
    places: usize,
    date: bool,
    timestamp: bool,
    dates: Vec<&'static str>,
    times: Vec<&'static str>,
    values: Option<BTreeMap<String, u64>>,
    /// Hashes of the values, while they may all differ.
    hashes: Vec<u64>,
}

impl Column {
    pub fn new(heading: &str) -> Self {
        Self {
            heading: heading.to_owned(),
            name: field_name(heading),
            seen: 0,
            empty: 0,
            emails: 0,
            phones: 0,
            boolean: true,
            integer: true,
            point: true,
            comma: true,
            places: 0,
            date: true,
            timestamp: true,
            dates: DATES.to_vec(),
            times: TIMES.to_vec(),
            values: Some(BTreeMap::new()),
            hashes: Vec::new(),
        }
    }

    /// Takes a cell into account.
    pub fn see(&mut self, cell: &[u8]) {
        let text = String::from_utf8_lossy(cell);
        let text = text.trim();
        if text.is_empty() {
            self.empty += 1;
            return;
        }
        self.seen += 1;
        self.count(text);
        self.boolean &= boolean(text).is_some();
        self.see_number(text);
        self.see_time(text);
        if text.contains('@') {
            self.emails += u64::from(addresses::email(text).is_some());
        } else if self.may_be_phone() {
            let digits = text.bytes().filter(u8::is_ascii_digit).count();
            let signs = text.chars().all(|sign| sign.is_ascii_digit() || " +-()/.".contains(sign));
            self.phones += u64::from(signs && (6..=15).contains(&digits));
        }
    }

    fn see_number(&mut self, text: &str) {
        let digits = text.strip_prefix('-').unwrap_or(text);
        // Leading zeros name something; a number has none.
        let named = digits.len() > 1 && digits.starts_with('0') && digits.as_bytes()[1].is_ascii_digit();
        let whole = !named && !digits.is_empty() && digits.len() <= 15 && digits.bytes().all(|b| b.is_ascii_digit());
        self.integer &= whole;
        for (sign, possible) in [('.', &mut self.point), (',', &mut self.comma)] {
            let (before, after) = digits.split_once(sign).unwrap_or((digits, ""));
            let all = |part: &str| part.bytes().all(|b| b.is_ascii_digit());
            let good = !named && !before.is_empty() && before.len() <= 12 && all(before) && all(after);
            *possible &= good && after.len() <= MAX_PLACES;
            if *possible {
                self.places = self.places.max(after.trim_end_matches('0').len());
            }
        }
    }

    fn see_time(&mut self, text: &str) {
        let read =
            |format: Option<&str>| Calendar { zone: Tz::UTC, format: format.map(str::to_owned), relative_to: None };
        self.date = self.date && read(None).date(text).is_some();
        self.timestamp = self.timestamp && read(None).timestamp(text).is_some();
        self.dates.retain(|format| read(Some(format)).date(text).is_some() && is_whole_year(text, format));
        self.times.retain(|format| read(Some(format)).timestamp(text).is_some());
    }

    fn count(&mut self, text: &str) {
        if let Some(values) = &mut self.values {
            *values.entry(text.to_owned()).or_default() += 1;
            if values.len() > FEW {
                self.values = None;
            }
        }
        // A column that repeats itself early is not unique; only one that may be is remembered further.
        if self.values.is_none() || self.seen <= FEW as u64 * 2 {
            let mut hasher = DefaultHasher::new();
            text.hash(&mut hasher);
            self.hashes.push(hasher.finish());
        }
    }

    fn may_be_phone(&self) -> bool {
        ["phone", "mobile", "tel", "handy", "cell", "sms"].iter().any(|word| self.name.contains(word))
    }

    /// Whether every row has a value of its own.
    pub fn is_unique(&self) -> bool {
        if self.empty > 0 || self.hashes.len() as u64 != self.seen || self.seen == 0 {
            return false;
        }
        let mut hashes = self.hashes.clone();
        hashes.sort_unstable();
        hashes.windows(2).all(|pair| pair[0] != pair[1])
    }

    pub fn is_unique_ref(self: &&Self) -> bool {
        self.is_unique()
    }

    pub fn found(&self) -> Found {
        const MOST: f64 = 0.8;
        #[expect(clippy::cast_precision_loss, reason = "a share of rows needs no more than a float has")]
        let most = |count: u64| count as f64 >= self.seen as f64 * MOST;
        match () {
            () if self.seen == 0 => Found::Empty,
            () if most(self.emails) => Found::Email,
            () if self.may_be_phone() && most(self.phones) => Found::Phone,
            () if self.is_name() => Found::Text,
            () if self.date => Found::Date(None),
            () if self.timestamp => Found::Timestamp(None),
            () if self.boolean && !self.is_digits() => Found::Boolean,
            () if self.integer => Found::Integer,
            () if self.point => Found::Decimal { sign: '.', places: self.places },
            () if self.comma => Found::Decimal { sign: ',', places: self.places },
            () if !self.dates.is_empty() => Found::Date(Some(self.dates[0])),
            () if !self.times.is_empty() => Found::Timestamp(Some(self.times[0])),
            () => Found::Text,
        }
    }

    /// Whether the heading says that the cells name things.
    fn is_name(&self) -> bool {
        let last = self.name.rsplit('_').next().unwrap_or_default();
        ["id", "key", "nr", "no", "number", "sku", "code", "zip", "postcode", "plz"].contains(&last)
            && !self.name.contains("number_of")
    }

    /// 0 and 1 are numbers unless the heading asks a question.
    fn is_digits(&self) -> bool {
        let asks =
            ["is_", "has_", "opt", "consent", "active", "newsletter"].iter().any(|word| self.name.contains(word));
        self.integer && !asks
    }

    /// The type as `data.toml` has it, its options, and what the rows leave open.
    pub fn declared(&self, is_key: bool) -> (String, Vec<String>, Option<String>) {
        let format = |format: Option<&str>| format.map(|format| format!("format = \"{format}\"")).into_iter().collect();
        if is_key && !matches!(self.found(), Found::Text | Found::Email | Found::Phone) {
            return ("text".to_owned(), Vec::new(), None);
        }
        match self.found() {
            Found::Empty => ("text".to_owned(), Vec::new(), Some("no row has a value".to_owned())),
            Found::Email | Found::Phone => ("text".to_owned(), Vec::new(), None),
            Found::Text => ("text".to_owned(), Vec::new(), self.few(is_key)),
            Found::Boolean => ("boolean".to_owned(), Vec::new(), None),
            Found::Integer if self.is_money() => ("money".to_owned(), Vec::new(), None),
            Found::Integer => ("integer".to_owned(), Vec::new(), None),
            Found::Decimal { places, .. } if places > usize::from(SCALE) => {
                ("decimal".to_owned(), vec![format!("scale = {places}")], None)
            }
            Found::Decimal { .. } if self.is_money() => ("money".to_owned(), Vec::new(), None),
            Found::Decimal { .. } => ("decimal".to_owned(), Vec::new(), None),
            Found::Date(found) => ("date".to_owned(), format(found), self.or(found, &self.dates)),
            Found::Timestamp(found) => ("timestamp".to_owned(), format(found), self.or(found, &self.times)),
        }
    }

    /// The other formats that every cell fits.
    fn or(&self, found: Option<&str>, formats: &[&str]) -> Option<String> {
        let found = found?;
        let others: Vec<&str> = formats.iter().copied().filter(|format| *format != found).collect();
        (!others.is_empty()).then(|| format!("or {}: every row fits both", others.join(", ")))
    }

    fn is_money(&self) -> bool {
        ["price", "total", "amount", "value", "cost", "revenue", "balance", "sum", "betrag", "preis"]
            .iter()
            .any(|word| self.name.split('_').any(|part| part == *word))
    }

    /// The few values that a column of text has, where they come again and again.
    fn few(&self, is_key: bool) -> Option<String> {
        const REPEATED: u64 = 5;
        let values =
            self.values.as_ref().filter(|values| !is_key && values.values().all(|count| *count >= REPEATED))?;
        let listed = values.keys().map(|value| super::quoted(value)).collect::<Vec<_>>().join(", ");
        (!self.is_name()).then(|| format!("its values so far: one_of = [{listed}]"))
    }
}

/// chrono reads `03.11.26` under `%Y` as the year 26: a format is meant only where its years have four digits.
fn is_whole_year(text: &str, format: &str) -> bool {
    let digits = text.bytes().filter(u8::is_ascii_digit).count();
    let year = if format.starts_with("%Y") { text.bytes().take_while(u8::is_ascii_digit).count() } else { 4 };
    let last = text.bytes().rev().take_while(u8::is_ascii_digit).count();
    match format {
        "%Y%m%d" => digits == 8 && text.len() == 8,
        _ if format.starts_with("%Y") => year == 4,
        _ => last == 4,
    }
}

/// A heading as the name of a field: lower case, digits and underscores, beginning with a letter.
pub fn field_name(heading: &str) -> String {
    let mut name = String::new();
    for sign in heading.trim().chars() {
        match sign {
            'A'..='Z' => name.push(sign.to_ascii_lowercase()),
            'a'..='z' | '0'..='9' => name.push(sign),
            _ if !name.ends_with('_') && !name.is_empty() => name.push('_'),
            _ => {}
        }
    }
    let name = name.trim_end_matches('_');
    match name.chars().next() {
        None => "field".to_owned(),
        Some(first) if first.is_ascii_digit() => format!("f_{name}"),
        Some(_) => name.to_owned(),
    }
}
