//! Brackets and commas over the lines of a file: what a look at one line cannot tell.

use crate::problem::Fault;
use crate::problem::quotes::{CURLY, curly};
use crate::problem::truth::truth;

/// Where the scan stands.
struct Scan<'a> {
    text: &'a str,
    at: usize,
    /// Places of the brackets and braces that are open.
    open: Vec<usize>,
    /// Whether a value has just ended inside a bracket, so that a comma or the end must follow.
    ended: bool,
}

/// A list that is never closed, or a comma that is missing in one.
pub(super) fn fault(text: &str) -> Option<Fault> {
    let mut scan = Scan { text, at: 0, open: Vec::new(), ended: false };
    while scan.at < text.len() {
        if let Some(fault) = scan.step() {
            return Some(fault);
        }
    }
    scan.open.first().map(|place| scan.never_closed(*place))
}

impl Scan<'_> {
    fn step(&mut self) -> Option<Fault> {
        let rest = &self.text[self.at..];
        let next = rest.chars().next()?;
        match next {
            '#' => self.at += rest.find('\n').unwrap_or(rest.len()),
            '\n' => {
                self.at += 1;
                if !self.open.is_empty() && begins_a_key(&self.text[self.at..]) {
                    return self.open.first().map(|place| self.never_closed(*place));
                }
            }
            ' ' | '\t' | '\r' => self.at += 1,
            '[' | '{' if !self.is_heading() => {
                if let Some(fault) = self.comma() {
                    return Some(fault);
                }
                self.open.push(self.at);
                self.ended = false;
                self.at += 1;
            }
            ']' | '}' => {
                self.open.pop();
                self.ended = !self.open.is_empty();
                self.at += 1;
            }
            ',' | '=' => {
                self.ended = false;
                self.at += 1;
            }
            '"' | '\'' => return self.string(next),
            _ if CURLY.contains(&next) => return curly(self.text, self.at),
            _ => return self.word(rest),
        }
        None
    }

    fn is_heading(&self) -> bool {
        let line = self.text[..self.at].rsplit('\n').next().unwrap_or("");
        self.open.is_empty() && line.trim_matches([' ', '\t', '[']).is_empty()
    }

    fn string(&mut self, quote: char) -> Option<Fault> {
        if let Some(fault) = self.comma() {
            return Some(fault);
        }
        let rest = &self.text[self.at..];
        let three = quote.to_string().repeat(3);
        let length = if rest.starts_with(&three) {
            rest[3..].find(&three).map(|end| end + 6)
        } else {
            let mut is_escaped = false;
            let end = rest[1..].char_indices().find(|(_, c)| {
                let is_end = !is_escaped && (*c == quote || *c == '\n');
                is_escaped = quote == '"' && *c == '\\' && !is_escaped;
                is_end
            });
            end.filter(|(_, c)| *c == quote).map(|(end, _)| end + 2)
        };
        let Some(length) = length else {
            let line = rest.lines().next().unwrap_or(rest).trim_end().len();
            let fault = Fault::new(self.at..self.at + line, "this text is never closed");
            return Some(fault.help(format!("add `{quote}` where it ends")));
        };
        self.at += length;
        self.ended = !self.open.is_empty();
        None
    }

    fn word(&mut self, rest: &str) -> Option<Fault> {
        let length = rest.find(|c: char| " \t\r\n,]}=#\"'[{".contains(c)).unwrap_or(rest.len()).max(1);
        let is_key = rest[length..].trim_start_matches([' ', '\t']).starts_with('=');
        if let Some(fault) = self.comma() {
            return Some(fault);
        }
        let word = &rest[..length];
        let is_in = |bracket| self.open.last().is_some_and(|place| self.text[*place..].starts_with(bracket));
        let is_value = !is_key && (is_in('[') || is_in('{'));
        if is_in('{')
            && is_value
            && let Some(number) = with_comma(rest)
        {
            let fault = Fault::new(self.at..self.at + number.len(), format!("`{number}` is not a number here"));
            return Some(fault.help(format!("write `{}`, with a point", number.replace(',', "."))));
        }
        let is_bare = is_value && !matches!(word, "true" | "false") && word.parse::<f64>().is_err();
        if is_bare && word.chars().all(|c| c.is_alphabetic() || c == '_' || c == '-') {
            let fault = Fault::new(self.at..self.at + length, format!("`{word}` needs quotes"));
            let help = match truth(word).filter(|_| is_in('{')) {
                Some(yes) => format!("write `{yes}` where it is true or false, `\"{word}\"` where it is a text"),
                None => format!("write `\"{word}\"`"),
            };
            return Some(fault.help(help));
        }
        self.at += length;
        self.ended = !self.open.is_empty() && !is_key;
        None
    }

    /// The fault where a value begins and a comma should have come first.
    fn comma(&self) -> Option<Fault> {
        let before = self.text[..self.at].trim_end().len();
        (self.ended && !self.open.is_empty()).then(|| {
            let what = self
                .open
                .last()
                .map_or("list", |place| if self.text[*place..].starts_with('{') { "table" } else { "list" });
            let message = format!("a comma is missing between two parts of this {what}");
            Fault::new(before..before + 1, message).help("write one behind each part")
        })
    }

    fn never_closed(&self, place: usize) -> Fault {
        let (bracket, end) = if self.text[place..].starts_with('{') { ("{", "}") } else { ("[", "]") };
        let fault = Fault::new(place..place + 1, format!("`{bracket}` is never closed"));
        fault.help(format!("write `{end}` behind the last part"))
    }
}

/// Whether a line begins as `key = ` or as a heading does.
fn begins_a_key(rest: &str) -> bool {
    let line = rest.lines().next().unwrap_or("");
    let key = line.split_once('=').map(|(key, _)| key.trim());
    let is_key = key.is_some_and(|key| {
        !key.is_empty() && key.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-')
    });
    is_key || (line.starts_with('[') && line.trim_end().ends_with(']') && !line.contains([',', '"', '\'']))
}

/// The number with a decimal comma that `rest`, a value of a table, begins with.
fn with_comma(rest: &str) -> Option<&str> {
    let digits = |text: &str| text.bytes().take_while(u8::is_ascii_digit).count();
    let whole = digits(rest);
    let places = digits(rest[whole..].strip_prefix(',')?);
    let end = whole + 1 + places;
    let is_key = rest[end..].trim_start_matches([' ', '\t']).starts_with('=');
    let ends = rest[end..].starts_with([',', ' ', '}', '\r', '\n']);
    (whole > 0 && places > 0 && ends && !is_key).then(|| &rest[..end])
}
