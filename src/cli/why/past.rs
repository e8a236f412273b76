//! What `why --at` says of a time that is past: the lines that were recorded, and where nothing was.

use super::{Answered, Question};
use crate::catalogue::CUSTOMER;
use crate::cli::log::addressed;
use crate::cli::print::{local, local_seconds, plain, say, short};
use crate::outreach::foresee::sentences;
use crate::outreach::recall::Recalled;
use crate::store::runs::Run;
use crate::time::Tz;
use std::io;

/// The runs and decisions that were recorded by then.
pub(super) fn print(question: &Question<'_>, answer: &Answered<'_>) -> io::Result<()> {
    let zone = question.zone();
    match &answer.last_run {
        Some(run) => say(format_args!("  last run by then: {}", told(run, zone)))?,
        None => say("  last run by then: none is recorded")?,
    }
    if answer.recalled.is_empty() {
        say("  recorded of this customer by then: nothing")?;
    }
    answer.recalled.iter().try_for_each(|one| print_one(one, answer, zone))
}

/// `2026-11-03 12:00, released: 4 matched, 2 planned; 3f2a9c1e`.
fn told(run: &Run, zone: Tz) -> String {
    let counts = &run.counts;
    let why = run.reason.as_ref().map(|reason| format!(" ({reason})")).unwrap_or_default();
    let reached = counts.planned + counts.held;
    format!("{}, {}{why}: {} matched, {reached} planned", local(run.instant, zone), run.state, counts.matched())
}

fn print_one(one: &Recalled, answer: &Answered<'_>, zone: Tz) -> io::Result<()> {
    let touchpoint = &one.detail.touchpoint;
    let about = if answer.rule.for_each == CUSTOMER {
        String::new()
    } else {
        format!(" of {} {}", touchpoint.entity_kind, touchpoint.entity_id)
    };
    say(format_args!(
        "Recorded{about}: touchpoint {}, decided as of {}",
        short(&touchpoint.id),
        local(touchpoint.as_of, zone)
    ))?;
    if let Some(run) = one.run.as_ref().filter(|run| answer.last_run.as_ref().is_none_or(|last| last.id != run.id)) {
        say(format_args!("  run: {}", told(run, zone)))?;
    }
    print_version(one)?;
    one.clauses.iter().try_for_each(|clause| say(format_args!("  {}", sentences::clause(clause, zone))))?;
    if one.detail.facts.is_none() && !one.clauses.is_empty() {
        say("             it matched; the values of a skip are not kept, `plusone why` without --at shows today's")?;
    }
    sentences::gates(&one.gates).iter().try_for_each(|line| say(format_args!("  {line}")))?;
    say(format_args!("  ->         {}", in_short(one, zone)))?;
    for event in &one.detail.events {
        let said = event.detail.as_deref().unwrap_or_default();
        let line = format!("             {}  {:<12} {said}", local_seconds(event.at, zone), event.kind);
        say(plain(line.trim_end()))?;
    }
    Ok(())
}

fn print_version(one: &Recalled) -> io::Result<()> {
    let version = short(&one.detail.touchpoint.rule_version);
    match (&one.text, one.other_version) {
        (_, false) => say(format_args!("  rule version {version}, as it is today")),
        (None, true) => say(format_args!("  rule version {version}, another than today's; its text was not kept")),
        (Some(text), true) => {
            say(format_args!("  rule version {version}, another than today's; it read then:"))?;
            text.lines().try_for_each(|line| say(format_args!("    | {line}")))
        }
    }
}

/// What was decided, and how it stands today.
pub(super) fn in_short(one: &Recalled, zone: Tz) -> String {
    let touchpoint = &one.detail.touchpoint;
    let reason = touchpoint.reason.map(|reason| format!(", {reason}: {}", reason.meaning())).unwrap_or_default();
    let due = touchpoint.due_at.map(|due| format!(", due {}", local(due, zone))).unwrap_or_default();
    let way = touchpoint.channel.map(|_| format!(", {}", addressed(touchpoint.channel, touchpoint.address.as_ref())));
    let then =
        if one.state_then == touchpoint.state { String::new() } else { format!("was {} then, is ", one.state_then) };
    format!("{then}{}{reason}{}{due}", touchpoint.state, way.unwrap_or_default())
}
