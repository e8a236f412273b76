//! What `why` says in sentences.

use super::Answered;
use crate::catalogue::CUSTOMER;
use crate::cli::print::{local, say};
use crate::cli::standing::Standing;
use crate::outreach::foresee::gates::{Asked, GUARD, in_order};
use crate::outreach::foresee::{ClauseTruth, Explained};
use crate::plan::decide::Decision;
use crate::rules::Rule;
use crate::time::{Timestamp, Tz};
use std::io;

/// What stands over an answer.
pub struct Heading<'a> {
    pub customer: &'a str,
    pub at: Timestamp,
    pub now: Timestamp,
    pub zone: Tz,
}

impl Heading<'_> {
    pub fn print(&self, rule: &Rule, standing: &Standing) -> io::Result<()> {
        let (at, zone) = (local(self.at, self.zone), self.zone);
        say(format_args!("{} for customer {} as of {at} ({zone})", rule.name, self.customer))?;
        say(format_args!("  rule: {}", standing.sentence(rule, self.now, zone)))
    }
}

/// One line for all rows of a rule: what would be sent, or why nothing.
pub fn in_short(answer: &Answered<'_>, zone: Tz) -> String {
    if let Some(one) = answer.recalled.first() {
        let more =
            if answer.recalled.len() > 1 { format!(", and {} more", answer.recalled.len() - 1) } else { String::new() };
        return format!("recorded: {}{more}", super::past::in_short(one, zone));
    }
    let rows = &answer.rows;
    if rows.is_empty() {
        return "nothing to judge: the customer has no such rows".to_owned();
    }
    let selected: Vec<&Explained> = rows.iter().filter(|row| row.is_selected()).collect();
    // What would go says more than what was sent already.
    let goes = |row: &&&Explained| matches!(row.fate, Some(Decision::Plan(_)));
    if let Some(row) = selected.iter().find(goes).or(selected.first()) {
        let more = if selected.len() > 1 { format!(", and {} more", selected.len() - 1) } else { String::new() };
        return format!("{}{more}", in_words(row.fate.as_ref(), &answer.standing, zone));
    }
    let first = rows[0].clauses.iter().find(|clause| !clause.lets_pass());
    first.map_or_else(|| "not selected".to_owned(), |clause| format!("not selected: {}", sentence(clause, zone)))
}

fn in_words(fate: Option<&Decision>, standing: &Standing, zone: Tz) -> String {
    match fate {
        Some(Decision::Plan(message)) => {
            let due = local(message.due_at, zone);
            let variant = message.variant.as_ref().map(|name| format!(", variant {name},")).unwrap_or_default();
            let condition = standing.condition(zone);
            format!("would be sent by {}{variant} at {due} ({zone}){condition}", message.channel)
        }
        Some(Decision::HoldOut(message, by)) => {
            format!("would be sent by {}, and is held out: {by}", message.channel)
        }
        Some(Decision::Refuse(refusal)) => {
            let detail = refusal.detail.as_ref().map(|detail| format!(" ({detail})")).unwrap_or_default();
            format!("{}: {}{detail}", refusal.reason, refusal.reason.meaning())
        }
        None => "not selected".to_owned(),
    }
}

/// Each row that was judged on today's data.
pub fn print_rule(answer: &Answered<'_>, zone: Tz) -> io::Result<()> {
    let rule = answer.rule;
    if answer.rows.is_empty() {
        say(format_args!("  the customer has no {} to judge", rule.for_each))?;
    }
    for row in &answer.rows {
        if rule.for_each != CUSTOMER {
            say(format_args!("{} {}", rule.for_each, row.entity))?;
        }
        row.clauses.iter().try_for_each(|clause| print_clause(clause, zone))?;
        let goes = matches!(row.fate, Some(Decision::Plan(_)));
        let gates = row.fate.iter().flat_map(|fate| in_order(rule, fate));
        let guard = answer.guard.clone().filter(|_| goes).unwrap_or_else(|| Asked::silent(GUARD, None));
        let guard = row.fate.is_some().then_some(guard);
        gates.chain(guard.clone()).try_for_each(|gate| print_gate(&gate))?;
        let held = guard.filter(|guard| guard.passed == Some(false)).and_then(|guard| guard.detail);
        let held = held.map(|held| format!("; {held}")).unwrap_or_default();
        say(format_args!("  ->   {}{held}", in_words(row.fate.as_ref(), &answer.standing, zone)))?;
    }
    Ok(())
}

pub fn print_clause(clause: &ClauseTruth, zone: Tz) -> io::Result<()> {
    let mark = if clause.lets_pass() { "yes" } else { "NO " };
    say(format_args!("  {mark}  {}", sentence(clause, zone)))
}

pub fn print_gate(gate: &Asked) -> io::Result<()> {
    let mark = match gate.passed {
        Some(true) => "yes",
        Some(false) => "NO ",
        None => " - ",
    };
    let reason = gate.reason.filter(|_| gate.detail.is_none()).map(|reason| reason.to_string());
    let unasked = || (gate.passed.is_none() && gate.detail.is_none()).then(|| "not asked".to_owned());
    let detail = gate.detail.clone().or(reason).or_else(unasked);
    let detail = detail.map(|detail| format!(": {detail}")).unwrap_or_default();
    say(format_args!("  {mark}  {}{detail}", gate.gate.replace('_', " ")))
}

/// The clause with what it came to and the values it used.
fn sentence(clause: &ClauseTruth, zone: Tz) -> String {
    let unless = if clause.is_exception { "unless " } else { "" };
    let holds = match clause.holds {
        Some(true) => "true",
        Some(false) => "false",
        None => "unknown, since a value is missing",
    };
    let values = clause.told(zone);
    let values = if values.is_empty() { values } else { format!("  [{values}]") };
    format!("{unless}{} is {holds}{values}", clause.text)
}
