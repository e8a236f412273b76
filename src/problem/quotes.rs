//! The quotes of word processors, in texts that know straight ones alone.

use super::Fault;

pub const CURLY: [char; 8] =
    ['\u{201c}', '\u{201d}', '\u{201e}', '\u{2018}', '\u{2019}', '\u{201a}', '\u{ab}', '\u{bb}'];

/// The fault of the text in such quotes that begins at byte `start` of `text`; `None` where none does. A quote that is
/// not closed on its line is told of alone.
pub fn curly(text: &str, start: usize) -> Option<Fault> {
    let quote = text[start..].chars().next().filter(|sign| CURLY.contains(sign))?;
    let behind = &text[start + quote.len_utf8()..];
    let end = behind.char_indices().find(|(_, c)| CURLY.contains(c) || *c == '\n').filter(|(_, c)| *c != '\n');
    let (inside, length) = end.map_or(("", 0), |(at, c)| (&behind[..at], at + c.len_utf8()));
    let inside = if end.is_some() { inside } else { "…" };
    let fault =
        Fault::new(start..start + quote.len_utf8() + length, format!("`{quote}` is a quote of a word processor"));
    let straight = if inside.contains('"') { '\'' } else { '"' };
    Some(fault.help(format!("write straight quotes: `{straight}{inside}{straight}`")))
}
