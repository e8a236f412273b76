//! Text in pages: what comes from files or data is escaped, and stripped of what could steer a terminal or a reader.

use super::print::tame;
use crate::messages::escape_into;

pub fn escaped(text: &str) -> String {
    let mut out = String::new();
    escape_into(&mut out, &tame(text));
    out
}

/// A sentence that is also told in terminals: what stands between backticks there is code here.
pub fn sentence(text: &str) -> String {
    let parts: Vec<&str> = text.split('`').collect();
    // A backtick without its fellow is only a backtick.
    if parts.len().is_multiple_of(2) {
        return escaped(text);
    }
    let marked = parts.iter().enumerate().map(|(place, part)| match place % 2 {
        0 => escaped(part),
        _ => format!("<code>{}</code>", escaped(part)),
    });
    marked.collect()
}

/// The beginning of a table that scrolls by itself where it is too wide, by the keyboard, too; `what` it holds.
pub fn wide_table(what: &str) -> String {
    format!("<div class=\"wide\" role=\"group\" tabindex=\"0\" aria-label=\"{}\"><table>\n", escaped(what))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn backticks_become_code_and_nothing_else_becomes_markup() {
        assert_eq!(sentence("none: `[goal]` in <b>"), "none: <code>[goal]</code> in &lt;b&gt;");
        assert_eq!(sentence("a ` alone"), escaped("a ` alone"), "not half a mark");
    }
}
