//! Braces that make no tag and reach the customer as they stand: `{offer.code}}`, `{customer.first_name}`. In the words
//! of a call's keys, which have no values in them, whole tags do too.
//!
//! 1. What names something that templates know is an error: nobody writes it to be read. What only looks like a tag may
//!    be meant, and is told of by `check` alone (`foreign`).
//! 2. Style sheets, scripts and JSON have braces of their own: within `<style>` and `<script>`, and within braces that
//!    are closed again, only what names something known is told of.

use crate::messages::reference;
use crate::messages::tree::Helper;
use crate::problem::Fault;
use std::ops::Range;

/// What every message may read, beside the rows of its rule.
const ROOTS: [&str; 7] = ["customer", "offer", "business", "links", "topic", "variant", "now"];
/// Elements whose text is not read by people.
const QUIET: [&str; 3] = ["style", "script", "mj-style"];
const PLAIN: &str = "the words of a key have no values in them: `voice.hbs` can say this one";

/// Braces that make no tag.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Stray {
    pub span: Range<usize>,
    /// Whether it names something that templates know.
    pub is_known: bool,
    /// Whether it was meant to open, part or close a block.
    pub is_block: bool,
    is_spoken: bool,
    /// Of a template.
    cure: String,
}

impl Stray {
    /// What is wrong with it, `text` being what it was found in.
    pub fn fault(&self, text: &str) -> Fault {
        let written = &text[self.span.clone()];
        let goes = if self.is_known { "would be" } else { "is" };
        let (way, cure) = if self.is_spoken { ("said", PLAIN) } else { ("sent", &*self.cure) };
        Fault::new(self.span.clone(), format!("`{written}` {goes} {way} as it stands")).help(cure)
    }
}

/// All of the template `text`. `entities` are the names of the rows that templates can read.
pub fn strays(text: &str, entities: &[String]) -> Vec<Stray> {
    look(text, entities, false)
}

/// All of the words of a key, which are said as they stand: whole tags too.
pub fn spoken(text: &str, entities: &[String]) -> Vec<Stray> {
    look(text, entities, true)
}

fn look(text: &str, entities: &[String], is_spoken: bool) -> Vec<Stray> {
    let quiet = quiet(text);
    let mut look = Look { text, entities, is_spoken, quiet: &quiet, at: 0, open: 0, found: Vec::new() };
    while let Some(found) = text[look.at..].find(['{', '}']) {
        look.at += found;
        match &text[look.at..] {
            rest if rest.starts_with("{{") => look.tag(),
            rest if rest.starts_with('{') => look.opening(),
            _ => look.closing(),
        }
    }
    look.found
}

struct Look<'a> {
    text: &'a str,
    entities: &'a [String],
    /// Whether it is said as it stands.
    is_spoken: bool,
    quiet: &'a [Range<usize>],
    at: usize,
    /// Braces that are open and make no tag.
    open: usize,
    found: Vec<Stray>,
}

impl Look<'_> {
    /// Steps over a tag; a third brace behind it is none of its.
    fn tag(&mut self) {
        let start = self.at;
        let rest = &self.text[start..];
        let braces = rest.len() - rest.trim_start_matches('{').len();
        let closing = match rest {
            _ if rest.starts_with("{{!--") => "--}}",
            _ if braces > 2 => "}}}",
            _ => "}}",
        };
        let is_comment = rest.starts_with("{{!");
        let end = rest[braces..].find(closing).filter(|end| is_comment || !rest[braces..braces + end].contains('{'));
        let Some(end) = end else {
            // Of a template the scanner says that it is never closed.
            self.at += braces;
            if self.is_spoken {
                self.push(start..self.at, true, false, String::new());
            }
            return;
        };
        self.at += braces + end + closing.len();
        if self.is_spoken {
            return self.push(start..self.at, true, false, String::new());
        }
        if braces == 2 && self.text[self.at..].starts_with('}') && self.open == 0 && !self.is_quiet() {
            let cure = format!("take it away: two braces close `{}`", &self.text[start..self.at]);
            self.push(self.at..self.at + 1, false, false, cure);
            self.at += 1;
        }
    }

    /// One brace that opens: of a tag that lacks one, or of something else.
    fn opening(&mut self) {
        let start = self.at;
        let rest = &self.text[start + 1..];
        let end = rest.find(['{', '}', '<', '\n']).filter(|end| rest[*end..].starts_with('}'));
        let Some(end) = end else {
            self.open += 1;
            self.at += 1;
            return;
        };
        let inner = rest[..end].trim();
        let is_half = rest[end..].starts_with("}}");
        let is_foreign = self.text[..start].ends_with(['$', '%', '#']);
        let is_block = inner.starts_with(['#', '/', '^', '>']) || inner == "else";
        let is_plain = self.open == 0 && !self.is_quiet();
        let is_known = self.names_known(inner, is_half) || is_half && is_block && is_plain;
        let looks_like_it = is_half && !inner.is_empty() || is_path(inner) && inner.contains('.');
        let closers = if is_half && (is_known || is_plain) { 2 } else { 1 };
        self.at = start + 1 + end + closers;
        if !is_foreign && (is_known || is_plain && looks_like_it) {
            let cure = format!("write `{{{{{inner}}}}}`, with two braces on each side");
            self.push(start..self.at, is_known, is_block, cure);
        }
    }

    /// A brace that closes what is open, or two that close nothing.
    fn closing(&mut self) {
        let start = self.at;
        if self.open > 0 || self.is_quiet() || !self.text[start..].starts_with("}}") {
            self.open = self.open.saturating_sub(1);
            self.at += 1;
            return;
        }
        self.at += 2;
        let before = self.text[..start].trim_end();
        let name = before.trim_end_matches(|c: char| c.is_ascii_alphanumeric() || "_.".contains(c)).len();
        let inner = &before[name..];
        if is_path(inner) && inner.contains('.') {
            let cure = format!("write `{{{{{inner}}}}}`, with two braces on each side");
            return self.push(name..self.at, self.names_known(inner, true), false, cure);
        }
        self.push(start..self.at, false, false, "take it away, or write `{{` before what it closes".to_owned());
    }

    fn push(&mut self, span: Range<usize>, is_known: bool, is_block: bool, cure: String) {
        self.found.push(Stray { span, is_known, is_block, is_spoken: self.is_spoken, cure });
    }

    fn is_quiet(&self) -> bool {
        self.quiet.iter().any(|range| range.contains(&self.at))
    }

    /// Whether the inside of braces reads something known: alone, or as what is given to a helper.
    fn names_known(&self, inner: &str, is_half: bool) -> bool {
        let known = |word: &str| {
            let (root, rest) = word.split_once('.').unwrap_or((word, ""));
            let is_root = ROOTS.contains(&root) || self.entities.iter().any(|entity| entity == root);
            is_root && is_path(word) && (is_half || !rest.is_empty())
        };
        let mut words = inner.split([' ', '(', ')']).filter(|word| !word.is_empty());
        let Some(first) = words.next() else { return false };
        let name = first.trim_start_matches('#');
        let is_call = name.parse::<Helper>().is_ok() || reference::BLOCKS.iter().any(|block| block.name == name);
        is_call && words.clone().any(known) || words.next().is_none() && known(first)
    }
}

/// `customer.first_name`, `name`.
fn is_path(text: &str) -> bool {
    text.split('.').all(|step| {
        step.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
            && step.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
    })
}

/// Where the style sheets and scripts of a text are.
fn quiet(text: &str) -> Vec<Range<usize>> {
    let lower = text.to_ascii_lowercase();
    let mut ranges = Vec::new();
    for name in QUIET {
        let (open, close) = (format!("<{name}"), format!("</{name}"));
        let mut from = 0;
        while let Some(found) = lower[from..].find(&open) {
            let start = from + found;
            let end = lower[start..].find(&close).map_or(lower.len(), |end| start + end);
            ranges.push(start..end);
            from = end.max(start + open.len());
        }
    }
    ranges
}

#[cfg(test)]
mod tests {
    use super::{spoken, strays};

    /// What is told of, an error with a `!` before it.
    fn told(text: &str) -> Vec<String> {
        let found = strays(text, &["cart".to_owned()]);
        let mark = |known: bool| if known { "!" } else { "" };
        found.iter().map(|stray| format!("{}{}", mark(stray.is_known), &text[stray.span.clone()])).collect()
    }

    #[test]
    fn a_tag_that_lacks_a_brace_is_an_error_where_its_name_is_known() {
        for (text, found) in [
            ("Code {offer.code}}!", "!{offer.code}}"),
            ("Code {offer.code}!", "!{offer.code}"),
            ("Code offer.code}}!", "!offer.code}}"),
            ("Code { offer.code }}!", "!{ offer.code }}"),
            ("{cart.total}}", "!{cart.total}}"),
            ("{now}}", "!{now}}"),
            ("{date offer.expires_at}}", "!{date offer.expires_at}}"),
            ("{money cart.total}", "!{money cart.total}"),
            ("{#if offer.code}}", "!{#if offer.code}}"),
            ("{/if}}", "!{/if}}"),
            ("{else}}", "!{else}}"),
            ("{> letter-end}}", "!{> letter-end}}"),
            ("<style>a { color: {business.colour}; }</style>", "!{business.colour}"),
            ("{guest.name}}", "{guest.name}}"),
            ("{guest.name}", "{guest.name}"),
            ("{first_name}}", "{first_name}}"),
            ("first_name}}", "}}"),
            ("{{offer.code}}}", "}"),
            ("{{! a comment }} {offer.code}} {{offer.name}}", "!{offer.code}}"),
        ] {
            assert_eq!(told(text), [found], "{text}");
        }
    }

    #[test]
    fn in_the_words_of_a_key_whole_tags_are_strays_too() {
        let told = |text: &str| -> Vec<String> {
            let found = spoken(text, &["cart".to_owned()]);
            found.iter().map(|stray| format!("{} {}", stray.is_known, &text[stray.span.clone()])).collect()
        };
        assert_eq!(told("Hi {{customer.first_name}}, {{guest}}"), ["true {{customer.first_name}}", "true {{guest}}"]);
        assert_eq!(told("{cart.total} or {guest.name}"), ["true {cart.total}", "false {guest.name}"]);
        assert_eq!(told("Code {{offer.code"), ["true {{"]);
        assert_eq!(told("Press 1 {or not}."), [""; 0]);
        let text = "Your code: {{offer.code}}.";
        let fault = spoken(text, &[])[0].fault(text);
        assert_eq!((fault.message.as_str(), fault.span), ("`{{offer.code}}` would be said as it stands", 11..25));
    }

    #[test]
    fn other_braces_are_left_alone() {
        for text in [
            "{{offer.code}} {{{offer.code}}} {{#if offer}}{{/if}} {{!-- {offer.code}} --}}",
            "<style>@media print { a { width: 1.5em } p {margin:1.5em}} b{top:0}</style>",
            "<script type=\"application/ld+json\">{\"a\": {\"b\": {{offer.value}}}}</script>",
            "data='{\"a\": {\"b\": 1}}'",
            "a {b} c, {customer}, {1.5}, {see below}",
            "a smile :} and {",
            "${offer.code}",
        ] {
            assert_eq!(told(text), [""; 0], "{text}");
        }
    }
}
