//! An export for people: one page that needs nothing else, to be read on a screen or printed.
//!
//! 1. Every value is escaped; nothing is run, and nothing is fetched from anywhere.
//! 2. Times are in the business's zone, and the page says so.
//! 3. A message is told in words first: what it was, when, where to, what it said; the details stand below.

use super::{Job, Section, Sheet};
use crate::time::{Timestamp, Tz};
use serde_json::{Map, Value};
use std::io::{self, Write};

/// More columns than this are written one under the other.
const COLUMNS: usize = 6;

/// What is told of a message below its words; the document for machines has the rest.
const DETAILS: &[&str] =
    &["id", "rule", "topic", "purpose", "entity", "offer", "code", "provider", "cost", "created_at", "sent_at"];

const STYLE: &str = "
:root { color-scheme: light dark; font: 1.0625rem/1.6 system-ui, sans-serif; }
body { max-width: 46rem; margin: 0 auto; padding: 2rem 1.25rem 4rem; }
h1 { font-size: 1.9rem; line-height: 1.2; margin: 0 0 .5rem; }
h2 { font-size: 1.35rem; margin: 3rem 0 .25rem; padding-top: 1rem; border-top: 1px solid #8886; }
h3 { font-size: 1.05rem; margin: 0 0 .25rem; }
p { margin: .25rem 0 1rem; }
dl { display: grid; grid-template-columns: minmax(8rem, auto) 1fr; gap: .15rem 1.25rem; margin: .75rem 0 1.5rem; }
dt { font-weight: 600; } dd { margin: 0; overflow-wrap: anywhere; }
.wide { overflow-x: auto; } table { border-collapse: collapse; width: 100%; margin: .75rem 0 1.5rem; }
th, td { text-align: left; vertical-align: top; padding: .3rem .8rem .3rem 0; border-bottom: 1px solid #8884; overflow-wrap: anywhere; }
article { border: 1px solid #8886; border-radius: .5rem; padding: 1rem 1.25rem; margin: 1rem 0; break-inside: avoid; }
pre { white-space: pre-wrap; overflow-wrap: anywhere; font: inherit; margin: .5rem 0 1rem; padding: .75rem 1rem; background: #8881; border-radius: .35rem; }
summary { cursor: pointer; } .quiet { opacity: .75; }
@media (max-width: 34rem) { dl { grid-template-columns: 1fr; } dd { margin-bottom: .5rem; } }
@media print { body { max-width: none; padding: 0; } h2 { break-after: avoid; } }
";

/// The page, as it is written.
pub struct Page<W> {
    out: W,
    zone: Tz,
    section: String,
    /// The headings of the table that is open.
    table: Vec<String>,
}

impl<W: Write> Page<W> {
    /// A page whose times are in `zone`.
    pub fn new(out: W, zone: Tz) -> Self {
        Self { out, zone, section: String::new(), table: Vec::new() }
    }

    fn close_table(&mut self) -> io::Result<()> {
        if self.table.is_empty() {
            return Ok(());
        }
        self.table.clear();
        writeln!(self.out, "</tbody></table></div>")
    }

    fn table_row(&mut self, record: &Map<String, Value>) -> io::Result<()> {
        let headings: Vec<String> = record.keys().cloned().collect();
        if self.table != headings {
            self.close_table()?;
            writeln!(self.out, "<div class=\"wide\"><table><thead><tr>")?;
            for name in &headings {
                write!(self.out, "<th scope=\"col\">{}</th>", escape(&spoken(name)))?;
            }
            writeln!(self.out, "</tr></thead><tbody>")?;
            self.table = headings;
        }
        write!(self.out, "<tr>")?;
        for value in record.values() {
            write!(self.out, "<td>{}</td>", escape(&told(value, self.zone)))?;
        }
        writeln!(self.out, "</tr>")
    }

    fn list<'v>(&mut self, pairs: impl Iterator<Item = (&'v String, &'v Value)>) -> io::Result<()> {
        writeln!(self.out, "<dl>")?;
        for (name, value) in pairs.filter(|(_, value)| !is_nothing(value)) {
            writeln!(self.out, "<dt>{}</dt><dd>{}</dd>", escape(&spoken(name)), escape(&told(value, self.zone)))?;
        }
        writeln!(self.out, "</dl>")
    }

    fn message(&mut self, record: &Map<String, Value>) -> io::Result<()> {
        let text = |name: &str| record.get(name).and_then(Value::as_str).unwrap_or_default();
        let way = match text("channel") {
            "sms" => "Text message",
            "voice" => "Call",
            "email" => "Email",
            _ => "Message",
        };
        let at = if text("sent_at").is_empty() { text("created_at") } else { text("sent_at") };
        let at = told(&Value::from(at), self.zone);
        writeln!(self.out, "<article><h3>{way}, {}</h3>", escape(&at))?;
        let state = match text("state") {
            "skipped" | "held_out" | "cancelled" | "expired" => "Not sent".to_owned(),
            "in_doubt" => "Perhaps sent".to_owned(),
            state => spoken(state),
        };
        let reason = if text("reason").is_empty() { String::new() } else { format!(": {}", meaning(text("reason"))) };
        let to = if text("address").is_empty() { String::new() } else { format!(" to {}", text("address")) };
        writeln!(self.out, "<p>{}</p>", escape(&format!("{state}{to}{reason}")))?;
        if let Some(words) = record.get("words").and_then(Value::as_object) {
            self.words(words)?;
        }
        writeln!(self.out, "<details open><summary>Why, and what became of it</summary>")?;
        self.list(record.iter().filter(|(name, _)| DETAILS.contains(&name.as_str())))?;
        if let Some(facts) = record.get("facts").and_then(Value::as_object).filter(|facts| !facts.is_empty()) {
            writeln!(self.out, "<p>What it was decided by:</p>")?;
            self.list(facts.iter())?;
        }
        if let Some(gates) = record.get("gates").and_then(Value::as_array) {
            writeln!(self.out, "<p>What was asked first:</p>")?;
            for gate in gates.iter().filter_map(Value::as_object) {
                self.table_row(gate)?;
            }
            self.close_table()?;
        }
        if let Some(events) = record.get("events").and_then(Value::as_array) {
            writeln!(self.out, "<p>What happened:</p>")?;
            for event in events.iter().filter_map(Value::as_object) {
                self.table_row(event)?;
            }
            self.close_table()?;
        }
        writeln!(self.out, "</details></article>")
    }

    /// The words as sent; of a mail its text, which says what its page says.
    fn words(&mut self, words: &Map<String, Value>) -> io::Result<()> {
        let part = |name: &str| words.get(name).and_then(Value::as_str);
        if let Some(subject) = part("subject") {
            writeln!(self.out, "<p><strong>{}</strong></p>", escape(subject))?;
        }
        for text in ["text", "sms", "voice"].into_iter().filter_map(part) {
            writeln!(self.out, "<pre>{}</pre>", escape(text))?;
        }
        Ok(())
    }
}

impl<W: Write> Sheet for Page<W> {
    fn begin(&mut self, job: &Job<'_>) -> io::Result<()> {
        let business = escape(&job.business.name);
        write!(
            self.out,
            "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\
             <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\
             <meta name=\"robots\" content=\"noindex\">\
             <meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">\
             <title>What {business} holds about you</title><style>{STYLE}</style></head><body><main>\n\
             <h1>What {business} holds about you</h1>\n"
        )?;
        let at = told(&Value::from(job.now.to_string()), self.zone);
        writeln!(
            self.out,
            "<p>Everything that {business} keeps in plusone under your customer number <strong>{}</strong>, as of {}. \
             All times are those of {}.</p>",
            escape(job.customer),
            escape(&at),
            escape(self.zone.name())
        )?;
        let ways = [&job.business.email, &job.business.phone, &job.business.postal_address];
        let ways: Vec<String> = ways.into_iter().flatten().map(|way| escape(way)).collect();
        if !ways.is_empty() {
            let ways = ways.join(", ");
            writeln!(self.out, "<p>Is something wrong, or should it go? Tell {business}: {ways}.</p>")?;
        }
        writeln!(self.out, "<p class=\"quiet\">The file of the same name that ends in .json has every detail.</p>")?;
        Ok(())
    }

    fn section(&mut self, section: &Section) -> io::Result<()> {
        self.close_table()?;
        self.section.clone_from(&section.name);
        let (title, about) = (escape(&section.title), escape(section.about));
        writeln!(self.out, "<h2>{title}</h2>\n<p class=\"quiet\">{about}</p>")
    }

    fn record(&mut self, record: &Map<String, Value>) -> io::Result<()> {
        if self.section == "touchpoints" {
            return self.message(record);
        }
        if self.section != crate::catalogue::CUSTOMER && record.len() <= COLUMNS {
            return self.table_row(record);
        }
        self.list(record.iter())
    }

    fn end(&mut self) -> io::Result<()> {
        self.close_table()?;
        writeln!(self.out, "</main></body></html>")?;
        self.out.flush()
    }
}

fn is_nothing(value: &Value) -> bool {
    value.is_null() || value.as_str() == Some("")
}

/// `first_name` as people read it: `First name`.
fn spoken(name: &str) -> String {
    super::heading(name)
}

/// A reason as a sentence, where it is one of ours.
fn meaning(reason: &str) -> String {
    reason.parse::<crate::touchpoints::Reason>().map_or_else(|_| spoken(reason), |known| known.meaning().to_owned())
}

/// A value in words: a time in the zone, money with its currency, a truth as yes or no.
fn told(value: &Value, zone: Tz) -> String {
    match value {
        Value::Null => String::new(),
        Value::Bool(truth) => if *truth { "yes" } else { "no" }.to_owned(),
        Value::String(text) => match text.parse::<Timestamp>() {
            Ok(at) => at.local(zone).format("%-d %B %Y, %H:%M").to_string(),
            Err(_) => text.clone(),
        },
        Value::Object(money) if money.contains_key("amount") && money.contains_key("currency") => {
            let part = |name: &str| money[name].as_str().unwrap_or_default();
            let amount = part("amount").strip_suffix("00").unwrap_or(part("amount"));
            format!("{amount} {}", part("currency"))
        }
        Value::Object(parts) => {
            let parts = parts.iter().filter(|(_, value)| !is_nothing(value));
            parts.map(|(name, value)| format!("{name}: {}", told(value, zone))).collect::<Vec<_>>().join(", ")
        }
        other => other.to_string(),
    }
}

/// Text as it stands in a page or an attribute; control characters that no page may hold become spaces.
fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            '\n' | '\t' => escaped.push(letter),
            letter if letter.is_control() => escaped.push(' '),
            letter => escaped.push(letter),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn values_are_told_in_words() {
        let zone = Tz::Europe__London;
        for (value, words) in [
            (json!("2026-07-03T12:05:00Z"), "3 July 2026, 13:05"),
            (json!({ "amount": "2.5000", "currency": "GBP" }), "2.50 GBP"),
            (json!(true), "yes"),
            (json!("2026-07-03"), "2026-07-03"),
            (json!({ "kind": "cart", "id": "7" }), "kind: cart, id: 7"),
        ] {
            assert_eq!(told(&value, zone), words);
        }
    }

    #[test]
    fn nothing_of_a_value_is_taken_for_markup() {
        assert_eq!(escape("<b onclick='x'>\"&\u{0}"), "&lt;b onclick=&#39;x&#39;&gt;&quot;&amp; ");
    }
}
