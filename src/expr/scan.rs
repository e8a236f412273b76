//! The scan before the parser: one pass over a condition's text that gives its tokens, or says what can never parse.
//!
//! 1. Linear, and without recursion: whatever the text, it ends soon and cannot exhaust the stack.
//! 2. What it lets through is small enough for the CEL parser: [`MAX_BYTES`], [`MAX_NESTING`], [`MAX_TOKENS`].
//! 3. What people write from habit (`=`, `and`, `<>`, typographic quotes) is named with its cure.

use crate::amount::readings;
use crate::problem::Fault;
use crate::problem::quotes::curly;
use crate::problem::truth::truth;
use std::ops::Range;

pub const MAX_BYTES: usize = 4096;
pub const MAX_NESTING: usize = 32;
pub const MAX_TOKENS: usize = 400;

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum TokenKind {
    Name,
    Number,
    Text,
    Symbol,
}

#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Token {
    pub kind: TokenKind,
    /// Bytes of the text.
    pub span: Range<usize>,
}

/// Symbols of more than one character, and those of habit that have a cure.
const LONG_SYMBOLS: [&str; 6] = ["&&", "||", "==", "!=", "<=", ">="];
const WRONG_SYMBOLS: [(&str, &str); 14] = [
    ("&amp;&amp;", "&&"),
    ("&gt;=", ">="),
    ("&gt;", ">"),
    ("&lt;=", "<="),
    ("&lt;", "<"),
    ("===", "=="),
    ("!==", "!="),
    ("<>", "!="),
    ("=>", ">="),
    ("=<", "<="),
    ("=", "=="),
    ("&", "&&"),
    ("|", "||"),
    ("~", "x.matches(\"…\")"),
];
const WRONG_CHARACTERS: [(char, &str); 10] = [
    ('\u{b4}', "'"),
    ('\u{2013}', "-"),
    ('\u{2014}', "-"),
    ('\u{2212}', "-"),
    ('\u{2260}', "!="),
    ('\u{2264}', "<="),
    ('\u{2265}', ">="),
    ('£', "the number alone: money is in the business's currency"),
    ('€', "the number alone: money is in the business's currency"),
    ('$', "the number alone: money is in the business's currency"),
];
const WRONG_WORDS: [(&str, &str); 7] = [
    ("and", "&&"),
    ("or", "||"),
    ("not", "!"),
    ("nicht", "!"),
    ("is", "== null` or `!= null"),
    ("like", "x.startsWith(\"A\")` or `x.contains(\"a\")"),
    ("between", "x >= 1 && x <= 9"),
];
/// Words that may be names, too: wrong only behind a value, where no name can stand.
const WORDS_BETWEEN_VALUES: [(&[&str], &str); 8] = [
    (&["und", "et", "y"], "&&"),
    (&["oder", "ou", "o"], "||"),
    (&["ist", "gleich", "est", "es", "equals"], "=="),
    (&["über", "größer", "groesser", "mehr", "over", "above", "more", "greater", "plus", "más"], ">"),
    (&["unter", "kleiner", "weniger", "under", "below", "less", "fewer", "moins", "menos"], "<"),
    (&["mindestens"], ">="),
    (&["höchstens", "hoechstens"], "<="),
    (&["zwischen", "entre"], "x >= 1 && x <= 9"),
];
/// What follows `more` and the like.
const THAN: [&str; 4] = [" als", " than", " que", " de"];
/// What follows a number where people mean a span of time.
const TIME_UNITS: [&str; 12] =
    ["second", "seconds", "minute", "minutes", "hour", "hours", "day", "days", "week", "weeks", "month", "months"];

const DIGITS: &str = "write digits with at most one point: `1200`, `2.50`";

/// The tokens of `text`.
///
/// # Errors
/// Every place that no condition can have.
pub fn scan(text: &str) -> Result<Vec<Token>, Vec<Fault>> {
    if text.len() > MAX_BYTES {
        let message = format!("a condition of {} bytes; at most {MAX_BYTES} are read", text.len());
        return Err(vec![
            Fault::new(0..text.len(), message).help("split it into several, or name parts of it as computed fields"),
        ]);
    }
    let mut scanner = Scanner { text, at: 0, tokens: Vec::new(), faults: Vec::new(), open: Vec::new() };
    scanner.run();
    let Scanner { tokens, mut faults, .. } = scanner;
    if tokens.is_empty() && faults.is_empty() {
        faults.push(Fault::new(0..text.len(), "the condition is empty"));
    }
    if tokens.len() > MAX_TOKENS {
        let message = format!("a condition of {} words and signs; at most {MAX_TOKENS} are read", tokens.len());
        faults.push(
            Fault::new(0..text.len(), message).help("split it into several, or name parts of it as computed fields"),
        );
    }
    if faults.is_empty() { Ok(tokens) } else { Err(faults) }
}

struct Scanner<'a> {
    text: &'a str,
    at: usize,
    tokens: Vec<Token>,
    faults: Vec<Fault>,
    /// The brackets that are open, with their places.
    open: Vec<(char, usize)>,
}

impl Scanner<'_> {
    fn run(&mut self) {
        while let Some(next) = self.rest().chars().next() {
            match next {
                ' ' | '\t' | '\r' | '\n' | '\u{c}' => self.at += 1,
                '/' if self.rest().starts_with("//") => self.at += self.length_while(|c| c != '\n'),
                '"' | '\'' => self.string(0),
                '0'..='9' => self.number(),
                '.' if self.rest()[1..].starts_with(|c: char| c.is_ascii_digit()) && !self.after_value() => {
                    self.number()
                }
                '_' | 'a'..='z' | 'A'..='Z' => self.name(),
                _ if next.is_alphabetic() && self.word_between_values() => {}
                _ => self.symbol(next),
            }
        }
        for (bracket, place) in std::mem::take(&mut self.open) {
            self.faults.push(Fault::new(place..place + 1, format!("`{bracket}` is never closed")));
        }
    }

    fn rest(&self) -> &str {
        &self.text[self.at..]
    }

    fn length_while(&self, holds: impl Fn(char) -> bool) -> usize {
        self.rest().find(|c| !holds(c)).unwrap_or(self.rest().len())
    }

    fn push(&mut self, kind: TokenKind, length: usize) {
        self.tokens.push(Token { kind, span: self.at..self.at + length });
        self.at += length;
    }

    fn fault(&mut self, length: usize, message: String, help: String) {
        self.faults.push(Fault::new(self.at..self.at + length, message).help(help));
        self.at += length;
    }

    /// Whether a value has just ended, so that a point begins a field's name.
    fn after_value(&self) -> bool {
        self.tokens.last().is_some_and(|token| match token.kind {
            TokenKind::Symbol => matches!(&self.text[token.span.clone()], ")" | "]"),
            TokenKind::Name | TokenKind::Number | TokenKind::Text => true,
        })
    }

    fn number(&mut self) {
        let length = self.length_while(|c| c.is_ascii_alphanumeric() || c == '.' || c == '_');
        // `1.e` is a number and a field, never meant; the parser refuses what is not a number.
        self.push(TokenKind::Number, length);
        let digits = &self.text[self.at - length..self.at];
        let plain = digits.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.') && digits.matches('.').count() < 2;
        if !plain {
            let message = format!("`{digits}` is not a number here");
            let is_date = digits.matches('.').count() == 2;
            let meant = readings(digits);
            let help = if !meant.is_empty() {
                either(&meant)
            } else if is_date {
                "a date is written year first, in quotes: `\"2026-12-24\"`".to_owned()
            } else if digits.parse::<crate::time::Span>().is_ok() {
                format!("write it in quotes: `\"{digits}\"`")
            } else {
                DIGITS.to_owned()
            };
            self.faults.push(Fault::new(self.at - length..self.at, message).help(help));
        } else if let Some(rest) = self.rest_of_date(length) {
            let date = &self.text[self.at - length..self.at + rest];
            let help = format!("a date stands in quotes: `\"{date}\"`");
            self.faults.push(
                Fault::new(self.at - length..self.at + rest, format!("`{date}` is three numbers here")).help(help),
            );
            self.at += rest;
        } else if self.open.is_empty() && self.behind_comma() > 0 {
            let comma = self.behind_comma();
            let number = &self.text[self.at - length..self.at + comma];
            let meant = readings(number);
            let help = if meant.is_empty() { DIGITS.to_owned() } else { either(&meant) };
            let message = format!("`{number}` is not a number here");
            self.faults.push(Fault::new(self.at - length..self.at + comma, message).help(help));
            self.at += comma;
        }
    }

    /// How long the rest of a date without quotes is, behind its year: 6 for `-12-01`.
    fn rest_of_date(&self, year: usize) -> Option<usize> {
        let rest = self.rest().get(..6).filter(|_| year == 4)?;
        let parts: Vec<&str> = rest.split('-').collect();
        let [before, month, day] = parts[..] else { return None };
        let is_two = |part: &str| part.len() == 2 && part.bytes().all(|byte| byte.is_ascii_digit());
        (before.is_empty() && is_two(month) && is_two(day)).then_some(6)
    }

    /// How long the rest of a number written with a comma is: 3 for `,50`, 7 for `,240.50`.
    fn behind_comma(&self) -> usize {
        let Some(behind) =
            self.rest().strip_prefix(',').filter(|behind| behind.starts_with(|c: char| c.is_ascii_digit()))
        else {
            return 0;
        };
        let length = behind.find(|c: char| !c.is_ascii_digit() && !".,".contains(c)).unwrap_or(behind.len());
        behind[..length].trim_end_matches(['.', ',']).len() + 1
    }

    fn name(&mut self) {
        if self.word_between_values() {
            return;
        }
        let length = self.length_while(|c| c.is_ascii_alphanumeric() || c == '_');
        let word = &self.rest()[..length];
        if self.rest()[length..].starts_with(['"', '\''])
            && word.len() <= 2
            && word.bytes().all(|b| b"rRbB".contains(&b))
        {
            return self.string(length);
        }
        let lower = word.to_ascii_lowercase();
        let after_dot = self.tokens.last().is_some_and(|token| &self.text[token.span.clone()] == ".");
        let after_number = self.tokens.last().is_some_and(|token| token.kind == TokenKind::Number);
        if after_number && TIME_UNITS.contains(&lower.as_str()) {
            let help = "write `ago(\"60d\")` for the instant so long ago, or `days_since(…) > 60`".to_owned();
            return self.fault(length, format!("`{word}` does not follow a number"), help);
        }
        match WRONG_WORDS.iter().find(|(wrong, _)| *wrong == lower) {
            Some((_, right)) if !after_dot => {
                let message = format!("`{word}` is not an operator");
                self.fault(length, message, format!("write `{right}`"));
            }
            _ => self.push(TokenKind::Name, length),
        }
    }

    /// Tells of one of [`WORDS_BETWEEN_VALUES`], if one stands here behind a value.
    fn word_between_values(&mut self) -> bool {
        let length = self.length_while(|c| c.is_alphanumeric() || c == '_');
        let word = self.rest()[..length].to_lowercase();
        let before = self.tokens.last().map_or("", |token| &self.text[token.span.clone()]);
        let found = WORDS_BETWEEN_VALUES.iter().find(|(words, _)| words.contains(&word.as_str()));
        let Some((_, right)) = found.filter(|_| self.after_value() && before != "in") else { return false };
        let behind = &self.rest()[length..];
        let ends = |than: &&&str| {
            behind.strip_prefix(**than).is_some_and(|rest| !rest.starts_with(|c: char| c.is_alphanumeric() || c == '_'))
        };
        let length = length + THAN.iter().find(ends).map_or(0, |than| than.len());
        let message = format!("`{}` is not an operator", &self.rest()[..length]);
        self.fault(length, message, format!("write `{right}`"));
        true
    }

    /// How a comparison with a word for yes or no is written that begins `behind` bytes on: the type is not known yet.
    fn truth_alone(&self, behind: usize) -> Option<String> {
        let rest = self.rest()[behind..].trim_start_matches(['=', ' ']);
        let word = rest.trim_start_matches(['"', '\'']);
        let word = &word[..word.find(|c: char| !c.is_alphanumeric()).unwrap_or(word.len())];
        let yes = truth(word)?;
        let is_path = |token: &&Token| token.kind == TokenKind::Name || &self.text[token.span.clone()] == ".";
        let first = self.tokens.iter().rev().take_while(is_path).last()?;
        let field = &self.text[first.span.start..self.tokens.last()?.span.end];
        let sign = if yes { "" } else { "!" };
        Some(format!("write `{sign}{field}` where it is true or false, `{field} == \"{word}\"` where it is a text"))
    }

    /// A string whose quotes begin `prefix` bytes on.
    fn string(&mut self, prefix: usize) {
        let raw = self.rest()[..prefix].contains(['r', 'R']);
        let body = &self.rest()[prefix..];
        let one = &body[..1];
        let quote = if body.starts_with(&one.repeat(3)) { one.repeat(3) } else { one.to_owned() };
        let mut inside = quote.len();
        loop {
            let rest = &body[inside..];
            let Some(next) = rest.chars().next() else { break };
            if rest.starts_with(&quote) {
                let length = prefix + inside + quote.len();
                return self.push(TokenKind::Text, length);
            }
            let ends_line = quote.len() == 1 && next == '\n';
            if ends_line {
                break;
            }
            inside += next.len_utf8();
            if next == '\\' && !raw {
                inside += body[inside..].chars().next().map_or(0, char::len_utf8);
            }
        }
        let length = self.rest().len();
        self.fault(length, format!("a text is never closed by {quote}"), format!("add {quote} where it ends"));
    }

    fn symbol(&mut self, next: char) {
        if let Some(fault) = curly(self.text, self.at) {
            self.at = fault.span.end;
            return self.faults.push(fault);
        }
        if self.rest().starts_with("{{") {
            let end = self.rest().find("}}");
            let inside = end.map_or("", |end| self.rest()[2..end].trim()).to_owned();
            let length = end.map_or(2, |end| end + 2);
            return self.fault(length, "braces are for templates".to_owned(), format!("write `{inside}` as it is"));
        }
        if next == ';' {
            return self.fault(1, "no `;` stands in a condition".to_owned(), "take it out".to_owned());
        }
        if let Some((_, right)) = WRONG_CHARACTERS.iter().find(|(wrong, _)| *wrong == next) {
            return self.fault(next.len_utf8(), format!("`{next}` is not understood"), format!("write {right}"));
        }
        let wrong = |(symbol, _): &&(&str, &str)| self.rest().starts_with(*symbol);
        let long = LONG_SYMBOLS.iter().find(|symbol| self.rest().starts_with(**symbol));
        match (long, WRONG_SYMBOLS.iter().find(wrong)) {
            (long, Some((symbol, right))) if long.is_none_or(|long| long.len() < symbol.len()) => {
                let alone = self.truth_alone(symbol.len()).filter(|_| *right == "==");
                let help = alone.unwrap_or_else(|| format!("write `{right}`"));
                self.fault(symbol.len(), format!("`{symbol}` is not an operator"), help);
            }
            (Some(long), _) => self.push(TokenKind::Symbol, long.len()),
            _ if "!<>+-*/%?:.,()[]{}".contains(next) => self.bracket_or_sign(next),
            _ => {
                let message = format!("`{}` is not understood", next.escape_debug());
                self.faults.push(Fault::new(self.at..self.at + next.len_utf8(), message));
                self.at += next.len_utf8();
            }
        }
    }

    fn bracket_or_sign(&mut self, sign: char) {
        let follows_in = self.tokens.last().is_some_and(|token| &self.text[token.span.clone()] == "in");
        if sign == '('
            && follows_in
            && let Some(end) = self.rest().find(')')
        {
            let help = format!("write `in [{}]`", &self.rest()[1..end]);
            return self.fault(end + 1, "`in` takes its values in square brackets".to_owned(), help);
        }
        match sign {
            '(' | '[' | '{' => {
                self.open.push((sign, self.at));
                if self.open.len() == MAX_NESTING + 1 {
                    let message = format!("brackets are nested deeper than {MAX_NESTING}");
                    self.faults
                        .push(Fault::new(self.at..self.at + 1, message).help("name a part of it as a computed field"));
                }
            }
            ')' | ']' | '}' => {
                let opener = match sign {
                    ')' => '(',
                    ']' => '[',
                    _ => '{',
                };
                if self.open.pop().is_none_or(|(open, _)| open != opener) {
                    self.faults.push(Fault::new(self.at..self.at + 1, format!("`{sign}` closes nothing")));
                }
            }
            _ => {}
        }
        self.push(TokenKind::Symbol, 1);
    }
}

/// The help that names each of the numbers that may be meant.
fn either(numbers: &[String]) -> String {
    let quoted: Vec<String> = numbers.iter().map(|number| format!("`{number}`")).collect();
    format!("write {}", quoted.join(", or "))
}

#[cfg(test)]
mod tests;
