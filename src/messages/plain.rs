//! The text of a mail from its HTML, for readers without HTML. A template's own text part is better and costs nothing.

use crate::messages::render::RenderError;
use html2text::render::TextDecorator;

/// Columns at which lines are wrapped.
const WIDTH: usize = 78;

/// What inboxes show of a mail beside its subject, in characters: few show more.
const PREHEADER: usize = 110;

/// The text of `html`: lines wrapped, each link's address behind its words.
pub fn from_html(html: &str) -> Result<String, RenderError> {
    decorated(html, Plain::default())
}

/// What is read of `html`, without the addresses of its links.
pub fn shown(html: &str) -> Option<String> {
    decorated(html, Plain { bare: true, ..Plain::default() }).ok()
}

/// What an inbox shows beside the subject: the first words of the mail, hidden ones too, as one line.
pub fn preheader(html: &str) -> Option<String> {
    let words = shown(html)?;
    // what senders put behind a preheader to keep the letter's own words out is shown nowhere
    let is_filler = |c: char| matches!(c, '\u{34f}' | '\u{ad}' | '\u{200b}'..='\u{200f}' | '\u{2060}' | '\u{feff}');
    let words: String = words.chars().filter(|c| !is_filler(*c)).collect();
    let line = words.split_whitespace().collect::<Vec<_>>().join(" ");
    let line: String = line.chars().take(PREHEADER).collect();
    Some(line).filter(|line| !line.is_empty())
}

fn decorated(html: &str, decorator: Plain) -> Result<String, RenderError> {
    html2text::config::with_decorator(decorator)
        .link_footnotes(false)
        .no_table_borders()
        .no_link_wrapping()
        .allow_width_overflow()
        .string_from_read(html.as_bytes(), WIDTH)
        .map_err(|error| RenderError::Text(error.to_string()))
}

/// Words without signs around them.
#[derive(Clone, Default)]
struct Plain {
    /// Addresses of the links that are open.
    links: Vec<String>,
    /// Without the addresses of links.
    bare: bool,
}

impl TextDecorator for Plain {
    type Annotation = ();

    fn decorate_link_start(&mut self, url: &str) -> (String, ()) {
        self.links.push(url.to_owned());
        (String::new(), ())
    }

    fn decorate_link_end(&mut self) -> String {
        self.links.pop().filter(|_| !self.bare).map_or_else(String::new, |url| format!(" ({url})"))
    }

    fn decorate_em_start(&self) -> (String, ()) {
        (String::new(), ())
    }

    fn decorate_em_end(&self) -> String {
        String::new()
    }

    fn decorate_strong_start(&self) -> (String, ()) {
        (String::new(), ())
    }

    fn decorate_strong_end(&self) -> String {
        String::new()
    }

    fn decorate_strikeout_start(&self) -> (String, ()) {
        (String::new(), ())
    }

    fn decorate_strikeout_end(&self) -> String {
        String::new()
    }

    fn decorate_code_start(&self) -> (String, ()) {
        (String::new(), ())
    }

    fn decorate_code_end(&self) -> String {
        String::new()
    }

    fn decorate_preformat_first(&self) {}

    fn decorate_preformat_cont(&self) {}

    fn decorate_image(&mut self, _: &str, title: &str) -> (String, ()) {
        (title.to_owned(), ())
    }

    fn header_prefix(&self, _: usize) -> String {
        String::new()
    }

    fn quote_prefix(&self) -> String {
        "> ".to_owned()
    }

    fn unordered_item_prefix(&self) -> String {
        "* ".to_owned()
    }

    fn ordered_item_prefix(&self, number: i64) -> String {
        format!("{number}. ")
    }

    fn make_subblock_decorator(&self) -> Self {
        Self { links: Vec::new(), bare: self.bare }
    }
}

#[cfg(test)]
mod tests {
    use super::preheader;

    #[test]
    fn a_preheader_is_the_first_words_without_filler_and_addresses() {
        let html = "<html><head><title>Shop</title><style>p { color: red }</style></head><body>\
                    <div style=\"display:none\">Your order&nbsp;is here&#847;&zwnj; </div>\
                    <p>See <a href=\"https://shop.test/\">the shop</a>.</p></body></html>";
        assert_eq!(preheader(html).as_deref(), Some("Your order is here See the shop."));
        assert_eq!(preheader("<p> </p>"), None);
        assert_eq!(preheader(&format!("<p>{}</p>", "word ".repeat(90))).map(|line| line.len()), Some(110));
    }
}
