//! What is told of a test that fails.

use super::{Explained, Stated};
use crate::outreach::foresee::gates::in_order;
use crate::outreach::foresee::sentences;
use crate::plan::decide::Decision;
use crate::rules::Rule;
use crate::time::Tz;
use std::fmt::Write;

/// The message and the reasons.
pub fn failure(stated: &Stated<'_>, rule: &Rule, rows: &[Explained], zone: Tz) -> (String, String) {
    let test = stated.test;
    let list = |items: Vec<String>| items.join(" · ");
    let wanted = list(test.expected.outcomes.iter().map(ToString::to_string).collect());
    let came = match rows {
        [] => format!("nothing, since the test has no {}", rule.for_each),
        rows if rows.iter().any(Explained::is_selected) || test.expected.is_list => {
            let rows = rows.iter().filter(|row| row.is_selected() || test.expected.is_list);
            list(rows.map(|row| outcome(row.fate.as_ref(), rule, zone)).collect())
        }
        _ => "not selected".to_owned(),
    };
    let message = format!("the test `{}` expects: {wanted}; what comes out: {came}", test.name);
    (message, reasons(stated, rule, rows, zone))
}

fn outcome(fate: Option<&Decision>, rule: &Rule, zone: Tz) -> String {
    match fate {
        None => "not selected".to_owned(),
        Some(Decision::Plan(message) | Decision::HoldOut(message, _)) => {
            let offer = match message.offer {
                Some(place) => format!("with {}", rule.offers[place]),
                None => "without an offer".to_owned(),
            };
            let variant = message.variant.as_ref().map(|name| format!(", variant {name}")).unwrap_or_default();
            format!("planned, by {}{variant}, {offer}, due at {}", message.channel, message.due_at.to_minute(zone))
        }
        Some(Decision::Refuse(refusal)) => format!("skipped, {}", refusal.reason),
    }
}

/// Clause by clause, then gate by gate, for each row.
fn reasons(stated: &Stated<'_>, rule: &Rule, rows: &[Explained], zone: Tz) -> String {
    let mut text = String::new();
    for row in rows {
        let _ = writeln!(text, "{}", named(stated, rule, &row.entity));
        let clauses = row.clauses.iter().map(|clause| sentences::clause(clause, zone));
        let asked: Vec<_> = row.fate.iter().flat_map(|fate| in_order(rule, fate)).collect();
        for line in clauses.chain(sentences::gates(&asked)) {
            let _ = writeln!(text, "  {line}");
        }
    }
    if rows.is_empty() {
        let _ = writeln!(text, "give it one, in a list under its plural");
    }
    text.trim_end().to_owned()
}

/// A row as its test knows it: by the key that the test gives, else by its place. Keys that are made up say nothing.
fn named(stated: &Stated<'_>, rule: &Rule, key: &str) -> String {
    let (each, test) = (&rule.for_each, &stated.test.name);
    let rows = stated.test.rows.iter().zip(&stated.keys).filter(|(row, _)| row.entity == *each);
    let rows: Vec<_> = rows.map(|(row, its)| (row.key.is_some(), its)).collect();
    match rows.iter().position(|(_, its)| *its == key) {
        Some(place) if rows[place].0 => format!("{each} {key} of `{test}`"),
        Some(place) if rows.len() > 1 => format!("{each} {} of `{test}`", place + 1),
        _ => format!("the {each} of `{test}`"),
    }
}
