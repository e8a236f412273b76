//! What a column may be, narrowed cell by cell.
//!
//! 1. A type stays possible only while every cell that is not empty is of it.
//! 2. Memory is bounded: distinct values are counted up to [`FEW`]; hashes, for unique columns, take eight bytes a row.

use super::super::addresses;
use super::super::moments::Calendar;
use super::super::values::boolean;
use super::numbers::{FileStyle, Numbers, Reading, is_of_money};
use super::tally::Tally;
use crate::amount::{SCALE, Style};
use crate::time::Tz;
use std::collections::BTreeMap;
use std::hash::{DefaultHasher, Hash, Hasher};

/// At most so many distinct values make a list of them worth mentioning.
const FEW: usize = 8;

const DATES: [&str; 13] = [
    "%d.%m.%Y",
    "%d/%m/%Y",
    "%m/%d/%Y",
    "%d-%m-%Y",
    "%m-%d-%Y",
    "%Y/%m/%d",
    "%Y%m%d",
    "%d %B %Y",
    "%d-%B-%Y",
    "%B %d, %Y",
    "%d.%m.%y",
    "%d/%m/%y",
    "%m/%d/%y",
];

const TIMES: [&str; 6] = [
    "%d.%m.%Y %H:%M",
    "%d.%m.%Y %H:%M:%S",
    "%d/%m/%Y %H:%M",
    "%m/%d/%Y %H:%M",
    "%d/%m/%Y %H:%M:%S",
    "%m/%d/%Y %H:%M:%S",
];

/// Words of spreadsheets for yes and no that `boolean` does not read; a mark stands alone, and its absence says no.
const WORDS: [(&str, Option<&str>); 10] = [
    ("ja", Some("nein")),
    ("ja", Some("nee")),
    ("j", Some("n")),
    ("y", Some("n")),
    ("t", Some("f")),
    ("on", Some("off")),
    ("oui", Some("non")),
    ("sí", Some("no")),
    ("wahr", Some("falsch")),
    ("x", None),
];

/// What a column is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Found {
    /// No cell has anything in it.
    Empty,
    Boolean,
    /// The words for yes and for no.
    Words(&'static str, Option<&'static str>),
    Integer,
    /// Numbers, whole or not, that are read as the file writes them.
    Number,
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
    boolean: Tally,
    integer: Tally,
    pub numbers: Numbers,
    date: Tally,
    timestamp: Tally,
    dates: Vec<(&'static str, Tally)>,
    times: Vec<(&'static str, Tally)>,
    values: Option<BTreeMap<String, u64>>,
    /// Hashes of the values, while they may all differ.
    hashes: Vec<u64>,
}

impl Column {
    pub fn new(heading: &str) -> Self {
        let open = |formats: &[&'static str]| formats.iter().map(|format| (*format, Tally::default())).collect();
        Self {
            heading: heading.to_owned(),
            name: field_name(heading),
            seen: 0,
            empty: 0,
            emails: 0,
            phones: 0,
            boolean: Tally::default(),
            integer: Tally::default(),
            numbers: Numbers::default(),
            date: Tally::default(),
            timestamp: Tally::default(),
            dates: open(&DATES),
            times: open(&TIMES),
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
        self.boolean.see(text, |text| boolean(text).is_some());
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
        self.integer.see(text, |_| whole);
        self.numbers.see(text);
    }

    fn see_time(&mut self, text: &str) {
        let read =
            |format: Option<&str>| Calendar { zone: Tz::UTC, format: format.map(str::to_owned), relative_to: None };
        self.date.see(text, |text| read(None).date(text).is_some());
        self.timestamp.see(text, |text| read(None).timestamp(text).is_some());
        for (format, tally) in &mut self.dates {
            tally.see(text, |text| read(Some(format)).date(text).is_some() && has_its_year(text, format));
        }
        for (format, tally) in &mut self.times {
            tally.see(text, |text| read(Some(format)).timestamp(text).is_some());
        }
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
        let long = ["phone", "telefon", "mobil"].iter().any(|word| self.name.contains(word));
        // Short words only where a word begins: a hotel and a `Bestellnr` have no number to call.
        let begins = |word: &str| ["tel", "handy", "cell", "sms"].iter().any(|short| word.starts_with(short));
        long || self.name.split('_').any(begins)
    }

    /// Whether every row has a value of its own.
    pub fn is_unique(&self) -> bool {
        self.is_full() && self.is_distinct()
    }

    /// Whether every row has a value.
    pub const fn is_full(&self) -> bool {
        self.empty == 0 && self.seen > 0
    }

    /// Whether no value comes twice.
    pub fn is_distinct(&self) -> bool {
        if self.hashes.len() as u64 != self.seen || self.seen == 0 {
            return false;
        }
        let mut hashes = self.hashes.clone();
        hashes.sort_unstable();
        hashes.windows(2).all(|pair| pair[0] != pair[1])
    }

    pub fn found(&self) -> Found {
        const MOST: f64 = 0.8;
        #[expect(clippy::cast_precision_loss, reason = "a share of rows needs no more than a float has")]
        let most = |count: u64| count as f64 >= self.seen as f64 * MOST;
        let (dates, times) = (fitting(&self.dates), fitting(&self.times));
        match () {
            () if self.seen == 0 => Found::Empty,
            () if most(self.emails) => Found::Email,
            () if self.may_be_phone() && most(self.phones) => Found::Phone,
            () if self.is_name() => Found::Text,
            () if self.date.all() => Found::Date(None),
            () if self.timestamp.all() => Found::Timestamp(None),
            () if self.boolean.all() && !self.is_digits() => Found::Boolean,
            () if self.integer.all() => Found::Integer,
            () if self.numbers.are_all() => Found::Number,
            () if !dates.is_empty() => Found::Date(Some(dates[0])),
            () if !times.is_empty() => Found::Timestamp(Some(times[0])),
            () => self.words().unwrap_or(Found::Text),
        }
    }

    /// The words for yes and no, where the column has nothing else.
    fn words(&self) -> Option<Found> {
        let values: Vec<String> = self.values.as_ref()?.keys().map(|value| value.to_lowercase()).collect();
        let has = |word: &str| values.iter().any(|value| value == word);
        let only = |yes: &str, no: Option<&str>| values.iter().all(|value| value == yes || no == Some(value));
        let fits = |(yes, no): &&(&str, Option<&str>)| only(yes, *no) && has(yes) && no.map_or(self.empty > 0, &has);
        WORDS.iter().find(fits).map(|(yes, no)| Found::Words(yes, *no))
    }

    /// Whether the heading says that the cells name things.
    fn is_name(&self) -> bool {
        let last = self.name.rsplit('_').next().unwrap_or_default();
        self.is_key_like() || ["code", "zip", "postcode", "plz"].contains(&last)
    }

    /// Whether the heading says that the cells name the row, or one of another file.
    pub fn is_key_like(&self) -> bool {
        let last = self.name.rsplit('_').next().unwrap_or_default();
        super::links::names_rows(last) && !self.name.contains("number_of") && !self.may_be_phone()
    }

    /// 0 and 1 are numbers unless the heading asks a question.
    fn is_digits(&self) -> bool {
        let asks =
            ["is_", "has_", "opt", "consent", "active", "newsletter"].iter().any(|word| self.name.contains(word));
        self.integer.all() && !asks
    }

    /// The type as `data.toml` has it, its options, and what the rows leave open. `file` is how
    /// the whole file writes numbers.
    pub fn declared(&self, is_key: bool, file: FileStyle) -> Declared {
        let plain = |ty: &'static str| Declared { ty, options: Vec::new(), remark: None };
        let formatted = |ty, format: Option<&str>, remark| Declared {
            ty,
            options: format.map(|format| format!("format = \"{format}\"")).into_iter().collect(),
            remark,
        };
        if is_key && !matches!(self.found(), Found::Text | Found::Email | Found::Phone) {
            return plain("text");
        }
        match self.found() {
            Found::Empty => Declared { remark: Some("no row has a value".to_owned()), ..plain("text") },
            Found::Email | Found::Phone => plain("text"),
            Found::Text if is_key => plain("text"),
            Found::Text => Declared { remark: self.odd().or_else(|| self.few()), ..plain("text") },
            Found::Boolean => plain("boolean"),
            Found::Words(yes, no) => {
                let no = no.map(|no| format!("no = \"{no}\""));
                let options = std::iter::once(format!("yes = \"{yes}\"")).chain(no).collect();
                Declared { options, ..plain("boolean") }
            }
            Found::Integer if self.is_money() => plain("money"),
            Found::Integer => plain("integer"),
            Found::Number => self.number(file),
            Found::Date(found) => formatted("date", found, self.or(found, &self.dates)),
            Found::Timestamp(found) => formatted("timestamp", found, self.or(found, &self.times)),
        }
    }

    /// Numbers as `file` writes them: whole, or with as many places as there are; text where they are not written so.
    fn number(&self, file: FileStyle) -> Declared {
        let text = |remark: String| Declared { ty: "text", options: Vec::new(), remark: Some(remark) };
        let reading = self.numbers.reading(file.style.decimal);
        if !self.numbers.reads(file.style.decimal) {
            return text(Self::other_sign(reading));
        }
        let open = self.numbers.open().filter(|_| !file.is_sure).map(|cell| two_meanings(cell, file.style));
        if let Some(sign) = reading.thousands.iter().find(|sign| Some(**sign) != file.style.thousands) {
            let remark = || format!("a file has one sign between thousands, and here is `{sign}`: mend it there");
            return text(open.unwrap_or_else(remark));
        }
        let scale = (reading.places > usize::from(SCALE)).then(|| format!("scale = {}", reading.places));
        let ty = match () {
            () if self.is_money() && scale.is_none() => "money",
            () if reading.has_sign => "decimal",
            () => "integer",
        };
        Declared { ty, options: scale.into_iter().collect(), remark: open }
    }

    /// Why a column of numbers stays text: those of another column are written otherwise.
    fn other_sign(reading: &Reading) -> String {
        let shown = reading.tally.odd.as_deref().unwrap_or_default();
        format!(
            "`{shown}` and other numbers of the file differ in their decimal sign, and a file has one: mend it there"
        )
    }

    /// What keeps a column of text from a type that most of its cells are of.
    fn odd(&self) -> Option<String> {
        if self.is_name() {
            return None;
        }
        if let Some((shown, number)) = self.numbers.odd() {
            let ty = if self.is_money() || shown.contains(is_of_money) { "money" } else { "decimal" };
            return Some(format!(
                "`{shown}` is no plain number: written as {number} in the file, in every row, this can be {ty}"
            ));
        }
        let dates = self.dates.iter().chain(&self.times).map(|(_, tally)| ("dates", tally));
        let kinds = [
            ("whole numbers", &self.integer),
            ("numbers", &self.numbers.reading('.').tally),
            ("numbers", &self.numbers.reading(',').tally),
            ("dates", &self.date),
            ("times", &self.timestamp),
            ("yes or no", &self.boolean),
        ];
        // Of those that fit equally the first, which is the narrower.
        let kinds = kinds.into_iter().chain(dates).rev();
        let best = kinds.filter(|(_, tally)| tally.most()).max_by_key(|(_, tally)| tally.fits);
        let (kind, tally) = best?;
        let (first, odd) = (tally.first.as_deref()?, tally.odd.as_deref()?);
        Some(format!("most are {kind} like `{first}`, but not `{odd}`: mended in the file, or left empty, it is typed"))
    }

    /// The other formats that every cell fits, and what a year of two digits leaves open.
    fn or(&self, found: Option<&str>, formats: &[(&str, Tally)]) -> Option<String> {
        let found = found?;
        let others: Vec<&str> = fitting(formats).into_iter().filter(|format| *format != found).collect();
        let others = (!others.is_empty()).then(|| format!("or {}: every row fits both", others.join(", ")));
        let short = found.ends_with("%y").then(|| "a year of two digits: 69 is 1969, 68 is 2068".to_owned());
        let remarks: Vec<String> = others.into_iter().chain(short).collect();
        (!remarks.is_empty()).then(|| remarks.join("; "))
    }

    fn is_money(&self) -> bool {
        [
            "price", "total", "amount", "value", "cost", "revenue", "balance", "sum", "betrag", "preis", "umsatz",
            "summe", "kosten",
        ]
        .iter()
        .any(|word| self.name.split('_').any(|part| part == *word))
    }

    /// The few values that a column of text has, where they come again and again.
    fn few(&self) -> Option<String> {
        const REPEATED: u64 = 5;
        let values = self.values.as_ref().filter(|values| values.values().all(|count| *count >= REPEATED))?;
        let listed = values.keys().map(|value| super::quoted(value)).collect::<Vec<_>>().join(", ");
        (!self.is_name()).then(|| format!("its values so far: one_of = [{listed}]"))
    }
}

/// A column's line in the block.
pub struct Declared {
    pub ty: &'static str,
    pub options: Vec<String>,
    pub remark: Option<String>,
}

/// What a cell leaves open whose only sign can stand before places or between thousands.
fn two_meanings(cell: &str, style: Style) -> String {
    let others = style.others(cell);
    let told = others.iter().map(|(lines, number)| format!("where `{cell}` is {number}, write {lines} above"));
    told.collect::<Vec<_>>().join("; ")
}

/// The formats that every cell fits.
fn fitting<'a>(formats: &[(&'a str, Tally)]) -> Vec<&'a str> {
    formats.iter().filter(|(_, tally)| tally.all()).map(|(format, _)| *format).collect()
}

/// chrono reads `03.11.26` under `%Y` as the year 26: a format is meant only where its years have as many digits.
fn has_its_year(text: &str, format: &str) -> bool {
    let digits = text.bytes().filter(u8::is_ascii_digit).count();
    let first = text.bytes().take_while(u8::is_ascii_digit).count();
    let last = text.bytes().rev().take_while(u8::is_ascii_digit).count();
    match format {
        "%Y%m%d" => digits == 8 && text.len() == 8,
        _ if format.starts_with("%Y") => first == 4,
        _ if format.ends_with("%y") => last == 2,
        _ => last == 4,
    }
}

/// A heading as the name of a field: lower case, digits and underscores, beginning with a letter.
pub fn field_name(heading: &str) -> String {
    let mut name = String::new();
    for sign in crate::latin::plain(heading.trim()).chars() {
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
