//! What `why` says in sentences.

use super::Answered;
use crate::catalogue::CUSTOMER;
use crate::cli::log::addressed;
use crate::cli::print::{local, plain, say, short};
use crate::cli::standing::Standing;
use crate::outreach::foresee::gates::{Asked, GUARD, in_order};
use crate::outreach::foresee::{Explained, sentences};
use crate::plan::decide::Decision;
use crate::rules::Rule;
use crate::shell;
use crate::time::{Timestamp, Tz};
use crate::touchpoints::Touchpoint;
use std::io;

/// How many messages that a customer had are told.
const HAD: usize = 3;

/// What stands over an answer.
pub struct Heading<'a> {
    pub customer: &'a str,
    pub at: Timestamp,
    pub zone: Tz,
}

impl Heading<'_> {
    pub fn print(&self, rule: &Rule, standing: &Standing) -> io::Result<()> {
        let (at, zone) = (local(self.at, self.zone), self.zone);
        say(format_args!("{} for customer {} as of {at} ({zone})", rule.name, self.customer))?;
        say(format_args!("  rule: {}", standing.sentence(rule, zone)))
    }
}

/// One line for all rows of a rule: what would be sent, or why nothing.
pub fn in_short(answer: &Answered<'_>, at: Timestamp, zone: Tz) -> String {
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
        return match (&row.fate, answer.had.first()) {
            (Some(Decision::Refuse(refusal)), Some(one)) if !refusal.leaves_row() => {
                format!("{}: had one already, {}{more}", refusal.reason, had(one, zone))
            }
            (Some(Decision::Refuse(refusal)), _) => {
                let detail = refusal.detail.as_ref().map(|detail| format!(" ({detail})")).unwrap_or_default();
                format!("{}: {}{detail}{more}", refusal.reason, refusal.reason.meaning())
            }
            (fate, _) => format!("{}{more}", in_words(fate.as_ref(), &answer.standing, at, zone)),
        };
    }
    let first = rows[0].clauses.iter().find(|clause| !clause.lets_pass());
    first.map_or_else(|| "not selected".to_owned(), |clause| format!("not selected: {}", sentences::said(clause, zone)))
}

/// A message of the rule that the customer had: when, what became of it, which way, and how to see it.
fn had(one: &Touchpoint, zone: Tz) -> String {
    let at = one.sent_at.or(one.due_at).unwrap_or(one.created_at);
    let about =
        if one.entity_kind == CUSTOMER { String::new() } else { format!(", {} {}", one.entity_kind, one.entity_id) };
    let way = one.channel.map(|_| format!(", {}", addressed(one.channel, one.address.as_ref()))).unwrap_or_default();
    format!("{} {}{way}{about} (`plusone show {}`)", local(at, zone), one.state, short(&one.id))
}

/// What the customer had of the rule comes before the question whether there would be another.
pub fn print_had(answer: &Answered<'_>, customer: &str, zone: Tz) -> io::Result<()> {
    if answer.had.is_empty() {
        return Ok(());
    }
    say("What they had of this rule:")?;
    for one in answer.had.iter().take(HAD) {
        let subject = one.subject.as_ref().map(|subject| format!(": {subject}")).unwrap_or_default();
        say(plain(&format!("  {}{subject}", had(one, zone))))?;
    }
    if answer.had.len() > HAD {
        let customer = shell::customer(customer);
        say(format_args!("  and more: `plusone log --customer {customer} --rule {}`", answer.rule.name))?;
    }
    say("Would there be another?")
}

fn in_words(fate: Option<&Decision>, standing: &Standing, at: Timestamp, zone: Tz) -> String {
    match fate {
        Some(Decision::Plan(message)) => {
            let due = local(message.due_at, zone);
            let variant = message.variant.as_ref().map(|name| format!(", variant {name},")).unwrap_or_default();
            let condition = standing.condition(at, zone);
            format!("would be sent by {}{variant} at {due} ({zone}){condition}", message.channel)
        }
        Some(Decision::HoldOut(message, by)) => {
            format!("would be sent by {}, and is held out: {by}", message.channel)
        }
        Some(Decision::Refuse(refusal)) => format!("would not be sent: {}", refusal.reason),
        None => "not selected".to_owned(),
    }
}

/// Each row that was judged on today's data.
pub fn print_rule(answer: &Answered<'_>, customer: &str, at: Timestamp, zone: Tz) -> io::Result<()> {
    let rule = answer.rule;
    if answer.rows.is_empty() {
        say(format_args!("  the customer has no {} to judge", rule.for_each))?;
    }
    for row in &answer.rows {
        if rule.for_each != CUSTOMER {
            say(format_args!("{} {}", rule.for_each, row.entity))?;
        }
        row.clauses.iter().try_for_each(|clause| say(format_args!("  {}", sentences::clause(clause, zone))))?;
        let goes = matches!(row.fate, Some(Decision::Plan(_)));
        let gates = row.fate.iter().flat_map(|fate| in_order(rule, fate));
        let guard = answer.guard.clone().filter(|_| goes).unwrap_or_else(|| Asked::silent(GUARD, None));
        let guard = row.fate.is_some().then_some(guard);
        let gates: Vec<Asked> = gates.chain(guard.clone()).collect();
        sentences::gates(&gates).iter().try_for_each(|line| say(format_args!("  {line}")))?;
        let held = guard.filter(|guard| guard.passed == Some(false)).and_then(|guard| guard.detail);
        let held = held.map(|held| format!("; {held}")).unwrap_or_default();
        say(format_args!("  ->         {}{held}", in_words(row.fate.as_ref(), &answer.standing, at, zone)))?;
        let question = format!("why {} {}", shell::customer(customer), rule.name);
        if let Some(next) = answer.standing.next_asked(&question, at, zone).filter(|_| goes) {
            say(format_args!("             {next}"))?;
        }
    }
    Ok(())
}
