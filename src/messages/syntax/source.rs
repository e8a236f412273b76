//! A template file as it is walked: its syntax tree and, beside it, its tags with their places.

use crate::messages::braces::{Stray, strays};
use crate::messages::scan::{self, Tag, TagKind};
use crate::messages::tree::At;
use crate::problem::quotes::curly;
use crate::problem::{Fault, Problem, Source};
use handlebars::template::Template as Syntax;

/// A file, read and scanned.
#[derive(Clone, Debug)]
pub struct Parsed {
    pub source: Source,
    pub(super) tags: Vec<Tag>,
    pub(super) syntax: Syntax,
}

/// Scans and parses one file. `entities` are the names of the rows that templates can read.
///
/// # Errors
/// What is wrong with its syntax, each at its place: braces that make no tag, and what keeps it from being read.
pub fn parse(source: &Source, entities: &[String]) -> Result<Parsed, Vec<Problem>> {
    let text = &*source.text;
    let strays: Vec<Stray> = strays(text, entities).into_iter().filter(|stray| stray.is_known).collect();
    let mut problems: Vec<Problem> = strays.iter().map(|stray| Problem::fault(source, 0, stray.fault(text))).collect();
    match read(source) {
        Ok(parsed) if problems.is_empty() => Ok(parsed),
        Ok(_) => Err(problems),
        // Where the tag of a block is none, its other tags only seem wrong.
        Err(_) if strays.iter().any(|stray| stray.is_block) => Err(problems),
        Err(found) => {
            problems.extend(found);
            Err(problems)
        }
    }
}

fn read(source: &Source) -> Result<Parsed, Vec<Problem>> {
    let tags = scan::scan(&source.text).map_err(|fault| vec![Problem::fault(source, 0, fault)])?;
    let quotes: Vec<Problem> =
        tags.iter().flat_map(|tag| curly_quotes(source, tag)).map(|fault| Problem::fault(source, 0, fault)).collect();
    if !quotes.is_empty() {
        return Err(quotes);
    }
    let syntax = Syntax::compile(&source.text).map_err(|error| {
        let start = error.pos().map_or(0, |(line, column)| offset(&source.text, line, column));
        let tag = tags.iter().find(|tag| tag.span.contains(&start)).map_or(start..start, |tag| tag.span.clone());
        let compares = ["==", "!=", "&&", "||", "<", ">"].iter().any(|sign| source.text[tag.clone()].contains(sign));
        let help = match compares {
            true => "compare by helpers: `{{#if (eq customer.tier \"gold\")}}`",
            false => "a tag is `{{name}}`, `{{helper value}}`, `{{#if value}}…{{/if}}` or `{{> partial}}`",
        };
        vec![Problem::error(source, tag, "this tag is not understood").help(help)]
    })?;
    Ok(Parsed { source: source.clone(), tags, syntax })
}

/// The texts of a tag that stand in the quotes of a word processor; within straight ones those are text.
fn curly_quotes(source: &Source, tag: &Tag) -> Vec<Fault> {
    let mut faults = Vec::new();
    let (mut at, mut inside) = (tag.span.start, None);
    while at < tag.span.end && tag.kind != TagKind::Comment {
        let Some(sign) = source.text[at..].chars().next() else { break };
        match inside {
            None if let Some(fault) = curly(&source.text[..tag.span.end], at) => {
                at = fault.span.end;
                faults.push(fault);
                continue;
            }
            None if sign == '"' || sign == '\'' => inside = Some(sign),
            Some(quote) if quote == sign => inside = None,
            _ => {}
        }
        at += sign.len_utf8();
    }
    faults
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
