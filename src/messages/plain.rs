//! The text of a mail from its HTML, for readers without HTML.

/// Columns at which lines are wrapped.
const WIDTH: usize = 78;

/// The text of `html`: links as footnotes, lines wrapped.
pub fn from_html(html: &str) -> String {
    html2text::config::plain().string_from_read(html.as_bytes(), WIDTH).unwrap_or_default()
}
