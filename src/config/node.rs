//! A file's tree: what toml_edit read, every value with its place, `${NAME}` filled in from the environment.
//!
//! Inline tables, sections and dotted keys look alike here. What the values mean is for the readers.
//!
//! 1. Every value knows its file and its bytes there, so every problem has a place.
//! 2. A value that came from the environment is never shown: its place in the file is.

use super::environment::Environment;
use super::mistakes;
use crate::problem::{Fault, Problem, Source};
use std::ops::Range;
use toml_edit::{Document, Item, Table as TomlTable, TableLike, Value as TomlValue};

/// A value and where it stands.
#[derive(Clone, Debug)]
pub struct Node {
    pub source: Source,
    pub span: Range<usize>,
    pub value: Value,
}

#[derive(Clone, Debug)]
pub enum Value {
    Text(Text),
    Integer(i64),
    /// As it was written.
    Decimal(String),
    Boolean(bool),
    Time(toml_edit::Datetime),
    List(Vec<Node>),
    Table(Vec<Entry>),
}

/// A string's value.
#[derive(Clone, Debug)]
pub struct Text {
    pub value: String,
    /// The byte at which the value stands unchanged in its file; none where it has escapes or came from outside.
    pub verbatim: Option<usize>,
    /// Whether the environment is part of it.
    pub foreign: bool,
}

#[derive(Clone, Debug)]
pub struct Entry {
    pub key: String,
    pub key_span: Range<usize>,
    pub node: Node,
}

/// Reads a file's text into its tree. A text that is not TOML gives a problem and no tree.
pub fn parse(source: &Source, environment: &Environment, problems: &mut Vec<Problem>) -> Option<Node> {
    match Document::parse(source.text.as_ref()) {
        Ok(document) => {
            let mut builder = Builder { source, environment, problems };
            let value = Value::Table(builder.table(document.as_table()));
            Some(Node { source: source.clone(), span: 0..0, value })
        }
        Err(_) => {
            problems.extend(mistakes::slips(source));
            None
        }
    }
}

struct Builder<'a> {
    source: &'a Source,
    environment: &'a Environment,
    problems: &'a mut Vec<Problem>,
}

impl Builder<'_> {
    fn table(&mut self, table: &dyn TableLike) -> Vec<Entry> {
        let names: Vec<String> = table.iter().map(|(name, _)| name.to_owned()).collect();
        names.into_iter().filter_map(|name| self.entry(table, name)).collect()
    }

    fn entry(&mut self, table: &dyn TableLike, name: String) -> Option<Entry> {
        let (key, item) = table.get_key_value(&name)?;
        let key_span = key.span().unwrap_or(0..0);
        let value = match item {
            Item::None => return None,
            Item::Value(value) => return Some(Entry { node: self.value(value, &key_span), key: name, key_span }),
            Item::Table(inner) => Value::Table(self.table(inner)),
            Item::ArrayOfTables(list) => Value::List(list.iter().map(|inner| self.listed(inner, &key_span)).collect()),
        };
        let span = item.span().unwrap_or_else(|| key_span.clone());
        let node = Node { source: self.source.clone(), span, value };
        Some(Entry { key: name, key_span, node })
    }

    fn listed(&mut self, table: &TomlTable, key_span: &Range<usize>) -> Node {
        let span = table.span().unwrap_or_else(|| key_span.clone());
        Node { source: self.source.clone(), span, value: Value::Table(self.table(table)) }
    }

    fn value(&mut self, value: &TomlValue, key_span: &Range<usize>) -> Node {
        let span = value.span().unwrap_or_else(|| key_span.clone());
        let value = match value {
            TomlValue::String(text) => Value::Text(self.text(text.value(), &span)),
            TomlValue::Integer(number) => Value::Integer(*number.value()),
            TomlValue::Float(_) => Value::Decimal(self.source.text[span.clone()].replace('_', "")),
            TomlValue::Boolean(truth) => Value::Boolean(*truth.value()),
            TomlValue::Datetime(time) => Value::Time(*time.value()),
            TomlValue::Array(list) => Value::List(list.iter().map(|item| self.value(item, key_span)).collect()),
            TomlValue::InlineTable(table) => Value::Table(self.table(table)),
        };
        Node { source: self.source.clone(), span, value }
    }

    fn text(&mut self, written: &str, span: &Range<usize>) -> Text {
        let verbatim = verbatim(&self.source.text[span.clone()], written).map(|offset| span.start + offset);
        if let Some(c) = written.chars().find(|c| c.is_control() && !matches!(c, '\n' | '\r' | '\t')) {
            let message = format!("this text holds the control character U+{:04X}", u32::from(c));
            self.problems.push(Problem::error(self.source, span.clone(), message).help("take it out"));
        }
        match self.environment.fill(written) {
            Ok(None) => Text { value: written.to_owned(), verbatim, foreign: false },
            Ok(Some(value)) => Text { value, verbatim: None, foreign: true },
            Err(fault) => {
                self.problems.push(place(self.source, span, verbatim, fault));
                Text { value: written.to_owned(), verbatim, foreign: true }
            }
        }
    }
}

/// Where `value` begins in `raw`, its TOML literal, if it stands there unchanged.
fn verbatim(raw: &str, value: &str) -> Option<usize> {
    let long = raw.len() >= 6 && (raw.starts_with("\"\"\"") || raw.starts_with("'''"));
    let quotes = if long { 3 } else { 1 };
    let inner = raw.get(quotes..raw.len().checked_sub(quotes)?)?;
    let newline = match long {
        true if inner.starts_with("\r\n") => 2,
        true if inner.starts_with('\n') => 1,
        _ => 0,
    };
    (inner.get(newline..)? == value).then_some(quotes + newline)
}

fn place(source: &Source, span: &Range<usize>, verbatim: Option<usize>, fault: Fault) -> Problem {
    match verbatim {
        Some(start) => Problem::fault(source, start, fault),
        None => Problem { help: fault.help, ..Problem::error(source, span.clone(), fault.message) },
    }
}

impl Node {
    pub fn error(&self, message: impl Into<String>) -> Problem {
        Problem::error(&self.source, self.span.clone(), message)
    }

    pub fn warning(&self, message: impl Into<String>) -> Problem {
        Problem::warning(&self.source, self.span.clone(), message)
    }

    /// A fault inside this text, at its very place where the file has the text unchanged.
    pub fn fault(&self, fault: Fault) -> Problem {
        place(&self.source, &self.span, self.verbatim(), fault)
    }

    /// Where this text begins, if the file has it unchanged.
    pub fn verbatim(&self) -> Option<usize> {
        match &self.value {
            Value::Text(text) => text.verbatim,
            _ => None,
        }
    }

    pub fn text(&self) -> Option<&str> {
        match &self.value {
            Value::Text(text) => Some(&text.value),
            _ => None,
        }
    }

    /// A text or a number, as money and shares may be written.
    pub fn number_text(&self) -> Option<String> {
        match &self.value {
            Value::Text(text) => Some(text.value.clone()),
            Value::Integer(number) => Some(number.to_string()),
            Value::Decimal(digits) => Some(digits.clone()),
            _ => None,
        }
    }

    pub fn list(&self) -> &[Node] {
        match &self.value {
            Value::List(items) => items,
            _ => &[],
        }
    }

    /// The items of a list, or the one value that stands for a list of one.
    pub fn one_or_many(&self) -> &[Node] {
        match &self.value {
            Value::List(items) => items,
            _ => std::slice::from_ref(self),
        }
    }

    pub fn is_empty_list(&self) -> bool {
        matches!(&self.value, Value::List(items) if items.is_empty())
    }

    pub fn entries(&self) -> &[Entry] {
        match &self.value {
            Value::Table(entries) => entries,
            _ => &[],
        }
    }

    /// The value of a table's key.
    pub fn get(&self, key: &str) -> Option<&Node> {
        self.entries().iter().find(|entry| entry.key == key).map(|entry| &entry.node)
    }

    /// What may be shown of the value: what the file says, never what the environment put there.
    pub fn shown(&self) -> String {
        match &self.value {
            Value::Text(text) if !text.foreign => text.value.clone(),
            _ => self.source.text.get(self.span.clone()).unwrap_or_default().trim_matches('"').to_owned(),
        }
    }

    /// What kind of TOML value this is, in words.
    pub fn kind(&self) -> &'static str {
        match self.value {
            Value::Text(_) => "text",
            Value::Integer(_) => "a whole number",
            Value::Decimal(_) => "a decimal number",
            Value::Boolean(_) => "true or false",
            Value::Time(_) => "a date or time",
            Value::List(_) => "a list",
            Value::Table(_) => "a table",
        }
    }
}

impl Entry {
    /// A problem with the key itself.
    pub fn key_error(&self, message: impl Into<String>) -> Problem {
        Problem::error(&self.node.source, self.key_span.clone(), message)
    }
}
