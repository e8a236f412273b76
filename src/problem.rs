//! A problem in what a user wrote: where it is, what is wrong, and what to do about it.
//!
//! 1. A problem always has a file, a place in it, a cause and, where there is one, a cure.
//! 2. Every reader of a file collects all of its problems; none stops at the first.
//! 3. Messages are lowercase fragments about the text, never about the reader.

pub mod quotes;
pub mod truth;

use serde::Serialize;
use std::fmt;
use std::ops::Range;
use std::sync::Arc;

/// How bad a problem is: an error keeps the file from being used, a warning does not.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    Error,
    Warning,
}

/// A file's text with the name users know it by (relative to the home folder).
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Source {
    pub name: Arc<str>,
    pub text: Arc<str>,
}

impl Source {
    pub fn new(name: &str, text: &str) -> Self {
        Self { name: name.into(), text: text.into() }
    }

    /// Line and column of a byte offset, both from 1; columns count characters.
    pub fn position(&self, offset: usize) -> (usize, usize) {
        let mut end = offset.min(self.text.len());
        while !self.text.is_char_boundary(end) {
            end -= 1;
        }
        let before = &self.text[..end];
        let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
        (before.matches('\n').count() + 1, before[line_start..].chars().count() + 1)
    }
}

/// One finding of `check`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Problem {
    pub severity: Severity,
    pub source: Source,
    /// Bytes of `source.text`.
    pub span: Range<usize>,
    pub message: String,
    pub help: Option<String>,
}

/// A problem inside one text (a condition, a schedule, a template), before it is known where that text stands.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Fault {
    /// Bytes of the text.
    pub span: Range<usize>,
    pub message: String,
    pub help: Option<String>,
}

impl Fault {
    pub fn new(span: Range<usize>, message: impl Into<String>) -> Self {
        Self { span, message: message.into(), help: None }
    }

    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.message)?;
        self.help.iter().try_for_each(|help| write!(f, " ({help})"))
    }
}

impl Problem {
    pub fn error(source: &Source, span: Range<usize>, message: impl Into<String>) -> Self {
        Self { severity: Severity::Error, source: source.clone(), span, message: message.into(), help: None }
    }

    pub fn warning(source: &Source, span: Range<usize>, message: impl Into<String>) -> Self {
        Self { severity: Severity::Warning, ..Self::error(source, span, message) }
    }

    /// A fault of a text that begins at byte `start` of `source`.
    pub fn fault(source: &Source, start: usize, fault: Fault) -> Self {
        let span = start + fault.span.start..start + fault.span.end;
        Self { help: fault.help, ..Self::error(source, span, fault.message) }
    }

    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }
}

impl fmt::Display for Problem {
    /// One line, for logs: `config/rules/winback.toml:7:18: message (help)`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (line, column) = self.source.position(self.span.start);
        write!(f, "{}:{line}:{column}: {}", self.source.name, self.message)?;
        self.help.iter().try_for_each(|help| write!(f, " ({help})"))
    }
}

/// Puts problems in the order of their files and places, each once.
pub fn sort(problems: &mut Vec<Problem>) {
    problems.sort_by(|one, other| {
        (&one.source.name, one.span.start, one.severity).cmp(&(&other.source.name, other.span.start, other.severity))
    });
    problems.dedup();
}

/// The known name nearest to `wrong`, if one is near enough to be meant.
pub fn nearest<'a>(wrong: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    known
        .into_iter()
        .map(|name| (strsim::damerau_levenshtein(&wrong.to_lowercase(), &name.to_lowercase()), name))
        .filter(|(distance, name)| *distance <= 1 + name.len().max(wrong.len()) / 4)
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, name)| name)
}
