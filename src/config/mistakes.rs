//! What is wrong with a text that is not TOML, in the words of somebody who never heard of TOML.
//!
//! The parser says where it stopped, once and again (`slips`); what was meant is found in the line, by the mistakes that
//! people make.
//!
//! 1. The parser's own words are never shown.
//! 2. Where nothing is recognised the message says how a line is written.

mod layout;
mod slips;

pub use slips::slips;

use crate::problem::quotes::CURLY;
use crate::problem::{Fault, Problem, Source};
use crate::time::habits;
use std::ops::Range;

/// The problem with `source`, which the parser gave up on at `span` of `text`, saying `said`.
fn explain(source: &Source, text: &str, span: Range<usize>, said: &str) -> Problem {
    let at = text.floor_char_boundary(span.start.min(text.len()));
    let start = text[..at].rfind('\n').map_or(0, |newline| newline + 1);
    let end = text[at..].find('\n').map_or(text.len(), |newline| at + newline);
    let line = Line { text: text[start..end].trim_end_matches('\r'), start, at: at - start };
    let fault = line.quotes().or_else(|| line.twice(text, said)).or_else(|| line.by_itself());
    let fault = fault.or_else(|| layout::fault(text)).or_else(|| line.in_place());
    Problem::fault(source, 0, fault.unwrap_or_else(|| line.unknown()))
}

/// The line at which the parser stopped.
struct Line<'a> {
    text: &'a str,
    /// Its first byte in the file.
    start: usize,
    /// Where in it the parser stopped.
    at: usize,
}

impl<'a> Line<'a> {
    fn fault(&self, span: Range<usize>, message: impl Into<String>, help: impl Into<String>) -> Fault {
        Fault::new(self.start + span.start..self.start + span.end, message).help(help)
    }

    /// The key, and the place behind the `=`.
    fn parts(&self) -> Option<(&'a str, usize)> {
        let (key, _) = self.text.split_once('=')?;
        let is_key = |c: char| c.is_ascii_alphanumeric() || "_-. ".contains(c);
        let good = !key.trim().is_empty() && key.chars().all(is_key);
        good.then(|| (key.trim(), key.len() + 1))
    }

    /// What stands behind the `=`, without blanks and a comment, and where.
    fn value(&self) -> Option<(&'a str, &'a str, Range<usize>)> {
        let (key, from) = self.parts()?;
        let rest = &self.text[from..];
        let before = rest.len() - rest.trim_start().len();
        let value = without_note(rest.trim());
        let start = from + before;
        Some((key, value, start..start + value.len()))
    }

    /// What can be told from one line that is wrong by itself.
    fn by_itself(&self) -> Option<Fault> {
        self.foreign_comment()
            .or_else(|| self.foreign_date())
            .or_else(|| self.heading())
            .or_else(|| self.colon())
            .or_else(|| self.no_equals())
            .or_else(|| self.no_value())
            .or_else(|| self.semicolon())
            .or_else(|| self.bare_value())
            .or_else(|| self.backslash())
            .or_else(|| self.quotes_in_quotes())
    }

    fn quotes(&self) -> Option<Fault> {
        // Inside of a text they may stand: only one where the parser stopped, or before it, is meant.
        let place = self.text.find(|c| CURLY.contains(&c)).filter(|place| *place <= self.at)?;
        let quote = self.text[place..].chars().next()?;
        let message = format!("`{quote}` is a quote of a word processor");
        Some(self.fault(place..place + quote.len_utf8(), message, "write straight quotes: `\"…\"` or `'…'`"))
    }

    fn twice(&self, text: &str, said: &str) -> Option<Fault> {
        if !said.contains("duplicate key") {
            return None;
        }
        let indent = self.text.len() - self.text.trim_start().len();
        if self.text.trim_start().starts_with('[') {
            let heading = self.text.trim();
            let help = "put what stands under both under one of them";
            return Some(self.fault(indent..indent + heading.len(), format!("{heading} is there already"), help));
        }
        let (key, _) = self.parts()?;
        let is_it = |line: &str| line.split_once('=').is_some_and(|(other, _)| other.trim() == key);
        let first = text[..self.start].lines().position(is_it);
        let where_ = first.map_or_else(String::new, |line| format!(", the first time in line {}", line + 1));
        Some(self.fault(indent..indent + key.len(), format!("`{key}` is said twice{where_}"), "keep one of the two"))
    }

    fn foreign_comment(&self) -> Option<Fault> {
        let sign = ["//", "--", "/*", "<!--", ";"].into_iter().find(|sign| self.text.trim_start().starts_with(sign))?;
        let start = self.text.len() - self.text.trim_start().len();
        Some(self.fault(start..start + sign.len(), format!("`{sign}` begins no comment here"), "write `# …`"))
    }

    /// A date of habit outside of quotes, wherever in the line.
    fn foreign_date(&self) -> Option<Fault> {
        let words = self.text.split(|c: char| c.is_whitespace() || "=,{}[]".contains(c));
        let (word, right) = words.filter_map(|word| Some((word, habits::date(word)?))).next()?;
        let start = self.text.find(word)?;
        let help = format!("a date is written year first: `{right}`");
        Some(self.fault(start..start + word.len(), format!("`{word}` is not a date here"), help))
    }

    fn heading(&self) -> Option<Fault> {
        let line = self.text.trim();
        if !line.starts_with('[') || line.contains('=') || line.contains(['"', '\'', ',']) {
            return None;
        }
        let name = line.trim_matches(['[', ']', ' ']);
        let right = if line.starts_with("[[") || name == "test" { format!("[[{name}]]") } else { format!("[{name}]") };
        if line == right || name.is_empty() {
            return None;
        }
        Some(self.fault(0..self.text.len(), "this heading is not whole", format!("write `{right}`")))
    }

    fn colon(&self) -> Option<Fault> {
        let (key, value) = self.text.split_once(':')?;
        let good = !key.trim().is_empty() && key.trim().chars().all(|c| c.is_ascii_alphanumeric() || "_-".contains(c));
        let help = format!("write `{} = {}`", key.trim(), quoted(without_note(value.trim())));
        good.then(|| self.fault(key.len()..key.len() + 1, "`=` stands between a key and its value, not `:`", help))
    }

    fn no_equals(&self) -> Option<Fault> {
        let line = self.text.trim();
        let (key, value) = line.split_once([' ', '\t'])?;
        let is_key = key.chars().all(|c| c.is_ascii_alphanumeric() || c == '_' || c == '-');
        if is_key && value.trim_start().starts_with(['"', '\'', '[', '{']) && !key.is_empty() {
            let place = self.text.find(key)? + key.len();
            let help = format!("write `{key} = {}`", value.trim());
            return Some(self.fault(place..place + 1, format!("`=` is missing behind `{key}`"), help));
        }
        // `expires after = "4h"`
        let (key, _) = self.parts()?;
        let is_plain = !key.contains(['"', '\'']);
        let help = format!("write `{}`", key.split_whitespace().collect::<Vec<_>>().join("_"));
        let start = self.text.find(key)?;
        (key.contains(' ') && is_plain).then(|| self.fault(start..start + key.len(), "a key has no blanks", help))
    }

    fn no_value(&self) -> Option<Fault> {
        let (key, value, span) = self.value()?;
        let start = self.text.find(key)?;
        let help = format!("write one behind the `=`, or leave `{key}` out");
        value
            .is_empty()
            .then(|| self.fault(start..span.start.min(self.text.len()), format!("`{key}` has no value"), help))
    }

    fn semicolon(&self) -> Option<Fault> {
        let line = self.text.trim_end();
        let is_end = line.ends_with("\";") || line.ends_with("';") || line.ends_with("];") || line.ends_with("};");
        is_end.then(|| self.fault(line.len() - 1..line.len(), "no `;` stands at the end of a line", "take it out"))
    }

    /// A value that should stand in quotes, or is written otherwise.
    fn bare_value(&self) -> Option<Fault> {
        let (key, value, span) = self.value()?;
        if value.is_empty() || value.starts_with(['"', '\'', '[', '{']) {
            return None;
        }
        let digits = value.chars().next().is_some_and(|c| c.is_ascii_digit() || c == '-' || c == '+');
        let (message, help) = if let right @ ("true" | "false") = value.to_ascii_lowercase().as_str() {
            (format!("`{value}` is written small"), format!("write `{key} = {right}`"))
        } else if is_condition(value) {
            let inner = value.replace('\'', "\"");
            ("a condition stands in single quotes".to_owned(), format!("write `{key} = '{inner}'`"))
        } else if digits && is_with_comma(value) {
            let right = value.replace(',', ".");
            (format!("`{value}` is not a number here"), format!("write `{key} = {right}`, with a point"))
        } else if digits && let Some(right) = habits::date(value) {
            (format!("`{value}` is not a date here"), format!("a date is written year first: `{key} = {right}`"))
        } else if digits {
            (format!("`{value}` needs quotes"), format!("write `{key} = \"{}\"`", value.replace(' ', "")))
        } else {
            (format!("`{value}` needs quotes"), format!("write `{key} = \"{value}\"`"))
        };
        Some(self.fault(span, message, help))
    }

    fn backslash(&self) -> Option<Fault> {
        let place = self.text.get(..self.at)?.rfind('\\').or_else(|| self.text.find('\\'))?;
        let known = self.text[place + 1..].starts_with(['\\', '"', 'n', 't', 'r', 'b', 'f', 'u', 'U', 'e', 'x']);
        let help = "put the whole text in single quotes: there a backslash is a backslash";
        let is_double = self.text[..place].contains('"');
        (is_double && !known)
            .then(|| self.fault(place..place + 2, "in double quotes a backslash has a meaning of its own", help))
    }

    /// `when = "customer.tier == "gold""`.
    fn quotes_in_quotes(&self) -> Option<Fault> {
        let (key, value, span) = self.value()?;
        let quote = value.chars().next().filter(|quote| "\"'".contains(*quote))?;
        let other = if quote == '"' { '\'' } else { '"' };
        let count = value.matches(quote).count();
        if count < 3 || value.contains(other) || value.len() < 2 {
            return None;
        }
        let inner = value[1..].trim_end_matches(quote);
        let ends = value[1..].len() - inner.len();
        let inner = if ends > 1 { format!("{inner}{quote}") } else { inner.to_owned() };
        let (outer, inside) = if quote == '"' { ('\'', inner) } else { ('\'', inner.replace('\'', "\"")) };
        let message = format!("the text ends at its second `{quote}`, and more follows");
        let help = format!(
            "a condition stands in single quotes, the texts in it in double ones: `{key} = {outer}{inside}{outer}`"
        );
        Some(self.fault(span, message, help))
    }

    /// A text that was not closed, where nothing else was found.
    fn in_place(&self) -> Option<Fault> {
        let (_, value, span) = self.value()?;
        let quote = value.chars().next().filter(|quote| "\"'".contains(*quote))?;
        match value[1..].find(quote) {
            None => {
                let help = format!("add `{quote}` where it ends");
                Some(self.fault(span, "this text is never closed", help))
            }
            Some(end) => {
                let from = span.start + end + 2;
                let rest = self.text[from..].trim();
                let message = format!("`{rest}` does not belong behind a text");
                let start = from + self.text[from..].find(rest).unwrap_or(0);
                Some(self.fault(start..start + rest.len(), message, "take it out, or put it inside of the quotes"))
            }
        }
    }

    fn unknown(&self) -> Fault {
        let help = "a line is `key = value`: texts stand in quotes, lists in brackets with commas, notes behind `#`";
        let start = self.text.len() - self.text.trim_start().len();
        self.fault(start..self.text.len(), "this line is not understood", help)
    }
}

/// A value without the note behind it.
fn without_note(value: &str) -> &str {
    let mut quote = None;
    for (place, sign) in value.char_indices() {
        match quote {
            Some(open) if sign == open => quote = None,
            None if matches!(sign, '"' | '\'') => quote = Some(sign),
            None if sign == '#' && value[..place].ends_with([' ', '\t']) => return value[..place].trim_end(),
            _ => {}
        }
    }
    value
}

fn quoted(value: &str) -> String {
    let plain = value.starts_with(['"', '\'', '[', '{']) || matches!(value, "true" | "false");
    if plain || value.parse::<f64>().is_ok() { value.to_owned() } else { format!("\"{value}\"") }
}

fn is_condition(value: &str) -> bool {
    [" == ", " != ", " < ", " > ", " <= ", " >= ", " in [", " && ", " || ", "(\"", "('"]
        .iter()
        .any(|sign| value.contains(sign))
}

fn is_with_comma(value: &str) -> bool {
    value.matches(',').count() == 1 && value.chars().all(|c| c.is_ascii_digit() || ",-+".contains(c))
}
