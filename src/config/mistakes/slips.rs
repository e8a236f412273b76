//! Every slip of a text that is not TOML, though the parser gives up at the first.
//!
//! 1. What was told is taken out, and the rest is read again; a heading goes with all that stands under it, whose place
//!    nobody knows.
//! 2. No problem follows from another: where something is open before a slip or behind it, nothing more is told.

use super::explain;
use crate::problem::{Problem, Source};
use toml_edit::{Document, TomlError};

/// Nobody mends more at once.
const MOST: usize = 5;

/// The slips in the order of their lines; none where the text is TOML.
pub fn slips(source: &Source) -> Vec<Problem> {
    let mut text = source.text.to_string();
    let mut found = Vec::new();
    while let Some(error) = error(&text).filter(|_| found.len() < MOST) {
        let (error, is_whole) = first(&text, error);
        found.push(explain(source, &text, error.span().unwrap_or(0..0), error.message()));
        let start = line_start(&text, &error);
        let Some(end) = end(&text, start).filter(|_| is_whole) else { break };
        let blank = text[start..end].bytes().map(|byte| if byte == b'\n' { '\n' } else { ' ' }).collect::<String>();
        text.replace_range(start..end, &blank);
    }
    found
}

fn error(text: &str) -> Option<TomlError> {
    Document::parse(text).err()
}

/// The first error in the order of lines, which is not that of the parser, and whether nothing is open before its line.
fn first(text: &str, found: TomlError) -> (TomlError, bool) {
    let start = line_start(text, &found);
    match error(&text[..start]) {
        None => (found, true),
        Some(earlier) if line_start(text, &earlier) >= start => (found, false),
        Some(earlier) => first(text, earlier),
    }
}

fn line_start(text: &str, error: &TomlError) -> usize {
    let at = error.span().map_or(0, |span| text.floor_char_boundary(span.start.min(text.len())));
    text[..at].rfind('\n').map_or(0, |newline| newline + 1)
}

/// Where what begins in the line at `start` ends; `None` where that is not known, as the line leaves something open.
fn end(text: &str, start: usize) -> Option<usize> {
    let rest = &text[start..];
    let line = rest.lines().next().unwrap_or_default();
    if line.trim_start().starts_with('[') {
        return Some(rest.find("\n[").map_or(text.len(), |next| start + next));
    }
    let count = |signs: [char; 2]| line.matches(signs).count();
    let is_open = count(['[', '{']) > count([']', '}']) || ["\"\"\"", "'''"].iter().any(|long| line.contains(long));
    (!is_open).then_some(start + line.len())
}

#[cfg(test)]
mod tests {
    use super::{MOST, slips};
    use crate::problem::Source;
    use proptest::prelude::*;

    /// The lines of what is told of.
    fn lines(text: &str) -> Vec<usize> {
        let source = Source::new("config/plusone.toml", text);
        slips(&source).iter().map(|problem| text[..problem.span.start].matches('\n').count() + 1).collect()
    }

    #[test]
    fn each_slip_is_told_once_and_none_that_follows_from_another() {
        for (text, told) in [
            ("a = 1\nb = [\n  \"x\",\n]\n", &[][..]),
            ("a = yes\nb = 1\nc d = 2\n", &[1, 3]),
            // The parser itself meets the second before the first.
            ("a = True\nb 2\n", &[1, 2]),
            ("a = 1\na = 2\na = 3\nb = no\n", &[2, 3, 4]),
            // What stands under a heading that is not whole has no place, and may be there twice.
            ("a = 1\n[x\na = 2\nb = yes\n[y]\nc = no\n", &[2, 6]),
            ("[x]\na = 1\n[x]\na = no\n[y]\nb = no\n", &[3, 6]),
            // Where something is open nobody knows what the rest is.
            ("a = yes\nb = [\n  \"x\",\nc = no\nd = no\n", &[1, 2]),
            ("a = yes\nb = [ \"x\" \"y\",\n  \"z\",\n]\nd = no\n", &[1, 2]),
            ("a = \"\"\"\nb = no\nc = no\n", &[1]),
            ("ä = “x”\nb = yes # ü\r\nc = no\r\n", &[1, 2, 3]),
        ] {
            assert_eq!(lines(text), told, "{text}");
        }
        assert_eq!(lines(&"a = yes\n".repeat(20)).len(), MOST);
    }

    proptest! {
        #[test]
        fn whatever_is_written_slips_are_told_exactly_where_it_is_not_toml(
            parts in proptest::collection::vec("a = |b\\.c = |\\[x\\]|\\[|\\]|\\{|\\}|\"|'|\"\"\"|,|1|yes|\n|\r\n|ü|#| ", 0..40)
        ) {
            let text = parts.concat();
            let told = lines(&text);
            prop_assert_eq!(told.is_empty(), super::error(&text).is_none());
            prop_assert!(told.len() <= MOST);
        }
    }
}
