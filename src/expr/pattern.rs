//! Patterns of `matches`: a literal in `regex-syntax`'s dialect, written so that both databases mean the same by it.
//!
//! 1. A pattern becomes characters, explicit classes, repetition, alternatives and the two ends of the text; what
//!    does not come down to these is refused.
//! 2. PostgreSQL gets its advanced regular expressions with every class spelt out, so that neither a locale nor its
//!    own `\w` or `.` has a say. SQLite runs the `regex` crate on the same tree.
//! 3. As everywhere in CEL, a pattern matches anywhere in the text unless `^` and `$` hold it.

use crate::sql::Dialect;
use regex_syntax::hir::{Class, ClassUnicode, Hir, HirKind, Look};
use std::fmt::Write;

const MAX_REPETITIONS: u32 = 255;
const MAX_RANGES: usize = 3_000;
const MAX_BYTES: usize = 64 * 1024;

/// A pattern, written for each database.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Pattern {
    rust: String,
    postgres: String,
}

impl Pattern {
    /// Reads `text`.
    ///
    /// # Errors
    /// Says what is wrong, and which part a database cannot do.
    pub fn new(text: &str) -> Result<Self, String> {
        let tree = regex_syntax::Parser::new().parse(text).map_err(|error| match error {
            regex_syntax::Error::Parse(error) => error.kind().to_string(),
            regex_syntax::Error::Translate(error) => error.kind().to_string(),
            _ => "it cannot be read".to_owned(),
        })?;
        let mut postgres = String::new();
        write_hir(&tree, &mut postgres)?;
        if postgres.len() > MAX_BYTES || ranges(&tree) > MAX_RANGES {
            return Err("it is too large once its classes are spelt out".to_owned());
        }
        regex::Regex::new(text).map_err(|_| "it is too large".to_owned())?;
        Ok(Self { rust: text.to_owned(), postgres })
    }

    pub fn text(&self, dialect: Dialect) -> &str {
        match dialect {
            Dialect::Sqlite => &self.rust,
            Dialect::Postgres => &self.postgres,
        }
    }
}

fn ranges(tree: &Hir) -> usize {
    match tree.kind() {
        HirKind::Class(Class::Unicode(class)) => class.ranges().len(),
        HirKind::Repetition(repetition) => {
            let times = repetition.max.unwrap_or(repetition.min).max(1);
            ranges(&repetition.sub).saturating_mul(usize::try_from(times).unwrap_or(usize::MAX))
        }
        HirKind::Capture(capture) => ranges(&capture.sub),
        HirKind::Concat(parts) | HirKind::Alternation(parts) => parts.iter().map(ranges).sum(),
        _ => 1,
    }
}

fn write_hir(tree: &Hir, out: &mut String) -> Result<(), String> {
    match tree.kind() {
        HirKind::Empty => out.push_str("(?:)"),
        HirKind::Literal(literal) => {
            let text = std::str::from_utf8(&literal.0).map_err(|_| "it names bytes that are not text".to_owned())?;
            text.chars().try_for_each(|character| write_char(character, out))?;
        }
        HirKind::Class(Class::Unicode(class)) => write_class(class, out)?,
        HirKind::Class(Class::Bytes(class)) => match class.to_unicode_class() {
            Some(class) => write_class(&class, out)?,
            None => return Err("it names bytes that are not text".to_owned()),
        },
        HirKind::Look(Look::Start) => out.push_str(r"\A"),
        HirKind::Look(Look::End) => out.push_str(r"\Z"),
        HirKind::Look(Look::StartLF | Look::EndLF | Look::StartCRLF | Look::EndCRLF) => {
            return Err("`(?m)` means different things to the databases".to_owned());
        }
        HirKind::Look(_) => {
            return Err(r"word boundaries such as `\b` mean different things to the databases".to_owned());
        }
        HirKind::Repetition(repetition) => {
            if repetition.min > MAX_REPETITIONS || repetition.max.is_some_and(|max| max > MAX_REPETITIONS) {
                return Err(format!("it repeats more than {MAX_REPETITIONS} times"));
            }
            if !repetition.sub.properties().look_set().is_empty() {
                return Err("it repeats the start or the end of the text".to_owned());
            }
            out.push_str("(?:");
            write_hir(&repetition.sub, out)?;
            match (repetition.min, repetition.max) {
                (0, None) => out.push_str(")*"),
                (1, None) => out.push_str(")+"),
                (0, Some(1)) => out.push_str(")?"),
                (min, None) => write!(out, "){{{min},}}").map_err(|error| error.to_string())?,
                (min, Some(max)) => write!(out, "){{{min},{max}}}").map_err(|error| error.to_string())?,
            }
        }
        HirKind::Capture(capture) => {
            out.push_str("(?:");
            write_hir(&capture.sub, out)?;
            out.push(')');
        }
        HirKind::Concat(parts) => parts.iter().try_for_each(|part| write_hir(part, out))?,
        HirKind::Alternation(parts) => {
            for (index, part) in parts.iter().enumerate() {
                out.push_str(if index == 0 { "(?:" } else { "|" });
                write_hir(part, out)?;
            }
            out.push(')');
        }
    }
    Ok(())
}

/// One character, never special: PostgreSQL's `\Ustuvwxyz`.
fn write_char(character: char, out: &mut String) -> Result<(), String> {
    match character {
        '\0' => Err("it names the character NUL, which no text has".to_owned()),
        'a'..='z' | 'A'..='Z' | '0'..='9' | ' ' => {
            out.push(character);
            Ok(())
        }
        _ => write!(out, "\\U{:08X}", u32::from(character)).map_err(|error| error.to_string()),
    }
}

fn write_class(class: &ClassUnicode, out: &mut String) -> Result<(), String> {
    let ranges = class.ranges();
    if ranges.is_empty() {
        return Err("it has a class that no character is in".to_owned());
    }
    // What reaches the last character is written as what it leaves out: short, and without surrogates.
    let mut negated = class.clone();
    negated.negate();
    let reaches_end = ranges.last().is_some_and(|range| range.end() == char::MAX);
    let (sign, listed) = if reaches_end { ("^", &negated) } else { ("", class) };
    let mut inside = String::new();
    for range in listed.ranges() {
        let start = range.start().max('\u{1}');
        if start > range.end() {
            continue;
        }
        write_char(start, &mut inside)?;
        if start < range.end() {
            inside.push('-');
            write_char(range.end(), &mut inside)?;
        }
    }
    match (inside.is_empty(), reaches_end) {
        (true, true) => out.push_str("(?:.|\\n)"),
        (true, false) => return Err("it names the character NUL, which no text has".to_owned()),
        _ => write!(out, "[{sign}{inside}]").map_err(|error| error.to_string())?,
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pattern_is_spelt_out_for_postgresql() {
        for (text, expected) in [
            ("^a.b$", r"\Aa[^\U0000000A]b\Z"),
            ("(?i)Go", "[Gg][Oo]"),
            ("a{2,3}|(b)?", "(?:(?:a){2,3}|(?:(?:b))?)"),
            ("[^a-c]", "[^a-c]"),
            (r"\.\*", r"\U0000002E\U0000002A"),
            ("(?s).", "(?:.|\\n)"),
        ] {
            assert_eq!(Pattern::new(text).expect(text).text(Dialect::Postgres), expected, "{text}");
        }
    }

    #[test]
    fn what_the_databases_do_differently_is_refused() {
        for text in [r"\bx", r"(?m)^a", "(a", "a{300}", r"\x00", r"(?-u:\xff)", "(^a)*", r"[a&&b]", r"(\w{100}){100}"] {
            assert!(Pattern::new(text).is_err(), "{text}");
        }
    }
}
