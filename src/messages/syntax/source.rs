//! A template file as it is walked: its syntax tree and, beside it, its tags with their places.

use crate::messages::scan::{self, Tag, TagKind};
use crate::messages::tree::At;
use crate::problem::{Problem, Source};
use handlebars::template::Template as Syntax;

/// A file, read and scanned.
#[derive(Clone, Debug)]
pub struct Parsed {
    pub source: Source,
    pub(super) tags: Vec<Tag>,
    pub(super) syntax: Syntax,
}

/// Scans and parses one file.
///
/// # Errors
/// What is wrong with its syntax, at its place.
pub fn parse(source: &Source) -> Result<Parsed, Problem> {
    let tags = scan::scan(&source.text).map_err(|fault| Problem::fault(source, 0, fault))?;
    let syntax = Syntax::compile(&source.text).map_err(|error| {
        let start = error.pos().map_or(0, |(line, column)| offset(&source.text, line, column));
        let tag = tags.iter().find(|tag| tag.span.contains(&start)).map_or(start..start, |tag| tag.span.clone());
        let compares = ["==", "!=", "&&", "||", "<", ">"].iter().any(|sign| source.text[tag.clone()].contains(sign));
        let help = match compares {
            true => "compare by helpers: `{{#if (eq customer.tier \"gold\")}}`",
            false => "a tag is `{{name}}`, `{{helper value}}`, `{{#if value}}…{{/if}}` or `{{> partial}}`",
        };
        Problem::error(source, tag, "this tag is not understood").help(help)
    })?;
    Ok(Parsed { source: source.clone(), tags, syntax })
}

/// The byte offset of a line and column that count from 1.
fn offset(text: &str, line: usize, column: usize) -> usize {
    let start: usize = text.split_inclusive('\n').take(line - 1).map(str::len).sum();
    let rest = &text[start..];
    start + rest.char_indices().nth(column - 1).map_or(rest.len(), |(at, _)| at)
}

/// The tags of a file in the order in which its syntax tree is walked.
pub(super) struct Cursor<'a> {
    pub file: usize,
    pub text: &'a str,
    pub tags: std::slice::Iter<'a, Tag>,
    /// The tag at hand, and how far into it parameters were found.
    pub tag: At,
    pub found: usize,
}

impl Cursor<'_> {
    /// Steps to the next tag that has a meaning of its own.
    pub fn step(&mut self) {
        let skipped = [TagKind::Comment, TagKind::Close, TagKind::Else];
        if let Some(tag) = self.tags.find(|tag| !skipped.contains(&tag.kind)) {
            self.tag = At { file: self.file, start: tag.span.start, end: tag.span.end };
            self.found = tag.span.start;
        }
    }

    /// The place of `word` within the tag at hand, behind what was found before it.
    pub fn place(&mut self, word: &str) -> At {
        match self.text[self.found..self.tag.end].find(word) {
            Some(at) if !word.is_empty() => {
                let start = self.found + at;
                self.found = start + word.len();
                At { file: self.file, start, end: self.found }
            }
            _ => self.tag,
        }
    }
}
