//! What clauses and gates say to people, in one vocabulary for `why`, `show` and tests that fail.
//!
//! 1. A line begins with what it does to the message: it passes, it stops, or it was not asked.
//! 2. An expression is printed once: behind its clause a value has a short name.

use super::explain::{ClauseTruth, Seen};
use super::gates::{Asked, GUARD};
use crate::time::Tz;

/// Longer expressions are told by their name without the arguments.
const LONG: usize = 40;

fn line(passed: Option<bool>, text: &str) -> String {
    let verdict = match passed {
        Some(true) => "passes",
        Some(false) => "STOPS",
        None => "not asked",
    };
    format!("{verdict:<9}  {text}")
}

/// The line of a clause: what it came to, and the values that it used.
pub fn clause(clause: &ClauseTruth, zone: Tz) -> String {
    line(Some(clause.lets_pass()), &said(clause, zone))
}

/// As [`clause`], without what it does to the message.
pub fn said(clause: &ClauseTruth, zone: Tz) -> String {
    let unless = if clause.is_exception { "unless " } else { "" };
    let holds = match clause.holds {
        Some(true) => "true",
        Some(false) => "false",
        None => "unknown, since a value is missing",
    };
    // Of a clause that is one value, or its opposite, the truth says it all.
    let says_more = |seen: &&Seen| clause.text.trim_start_matches('!') != seen.text || clause.holds.is_none();
    let values: Vec<String> =
        clause.values.iter().filter(says_more).map(|seen| seen.told(&in_short(&seen.text), zone)).collect();
    let values = if values.is_empty() { String::new() } else { format!("  [{}]", values.join(", ")) };
    format!("{unless}{} is {holds}{values}", clause.text)
}

/// A line for each gate, and one for all that were not asked.
pub fn gates(asked: &[Asked]) -> Vec<String> {
    let is_silent = |gate: &&Asked| gate.passed.is_none() && gate.detail.is_none();
    let mut lines: Vec<String> = asked.iter().filter(|gate| !is_silent(gate)).map(gate).collect();
    let silent: Vec<String> = asked.iter().filter(is_silent).map(name).collect();
    if !silent.is_empty() {
        lines.push(line(None, &silent.join(", ")));
    }
    lines
}

fn name(gate: &Asked) -> String {
    gate.gate.replace('_', " ")
}

fn gate(gate: &Asked) -> String {
    let detail = gate.detail.as_deref();
    let told = match (gate.passed, gate.reason, detail) {
        (Some(false), Some(reason), Some(detail)) if gate.gate != GUARD => format!("{} ({detail})", reason.meaning()),
        (Some(false), Some(reason), None) => reason.meaning().to_owned(),
        (_, _, Some(detail)) => detail.to_owned(),
        (_, _, None) => passed(gate.gate).to_owned(),
    };
    line(gate.passed, &format!("{}: {told}", name(gate)))
}

/// What it means that a gate was passed of which nothing more is known.
fn passed(gate: &str) -> &'static str {
    match gate {
        "seen_before" => "this has not been sent yet",
        "again_after" => "the rule's last message to the customer, if any, is long enough ago",
        "pauses" => "no pause stands in the way",
        "moment" => "nothing says to leave the customer alone now",
        "address" => "there is one that may be written to",
        "consent" => "there is a yes where one is needed, and no no",
        "suppression" => "the address is not on the suppression list",
        "hours" => "there is an hour at which it may go",
        "caps" => "the customer has not had too many messages",
        "same_address" => "nobody else with the address gets the message",
        "eligibility" => "the customer may have the offer",
        "holdout" => "the customer is not held out for comparison",
        "budget" => "nothing that has run out",
        _ => "the run needs no approval",
    }
}

/// An expression without the arguments of its calls where it is long: `customer.orders.filter(…).size()`.
fn in_short(text: &str) -> String {
    if text.chars().count() <= LONG {
        return text.to_owned();
    }
    let (mut short, mut depth, mut quote, mut last) = (String::new(), 0_usize, None, ' ');
    for c in text.chars() {
        match (quote, c) {
            (Some(open), c) if c == open && last != '\\' => quote = None,
            (None, '"' | '\'') => quote = Some(c),
            (None, ')') => {
                depth = depth.saturating_sub(1);
                if depth == 0 && last != '(' {
                    short.push('…');
                }
            }
            _ => {}
        }
        if depth == 0 {
            short.push(c);
        }
        if quote.is_none() && c == '(' {
            depth += 1;
        }
        last = c;
    }
    short
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalogue::Type;
    use serde_json::{Value, json};

    fn seen(text: &str, ty: Type, value: Value) -> Seen {
        Seen { text: text.to_owned(), ty, value }
    }

    #[test]
    fn long_expressions_are_printed_once() {
        let counted = r#"customer.orders.filter(o, o.note == "a) b(" && o.placed_at > ago("60d")).size()"#;
        let truth = |text: String, values| ClauseTruth { text, is_exception: false, holds: Some(true), values };
        let three = truth(format!("{counted} >= 3"), vec![seen(counted, Type::Integer, json!(4))]);
        assert_eq!(
            clause(&three, Tz::UTC),
            format!("passes     {counted} >= 3 is true  [customer.orders.filter(…).size() = 4]")
        );
        let exists = r#"customer.orders.exists(o, o.placed_at > ago("14d"))"#;
        let none = truth(format!("!{exists}"), vec![seen(exists, Type::Boolean, json!(false))]);
        assert_eq!(clause(&none, Tz::UTC), format!("passes     !{exists} is true"));
    }

    #[test]
    fn what_was_not_asked_is_one_line() {
        let asked = [
            Asked::silent("pauses", Some(true)),
            Asked::silent("hours", None),
            Asked { detail: Some("not counted".to_owned()), ..Asked::silent(GUARD, None) },
            Asked::silent("same_address", None),
        ];
        assert_eq!(
            gates(&asked),
            [
                "passes     pauses: no pause stands in the way",
                "not asked  guard: not counted",
                "not asked  hours, same address",
            ]
        );
    }
}
