//! What a pass of planning and delivery says: a line per rule, then what was sent.

use super::Global;
use super::print::{local, mention, say_json};
use crate::amount::agreeing;
use crate::app::{App, Planned};
use crate::delivery::Tally;
use crate::store::runs::Run;
use crate::time::{Span, Timestamp, Tz};
use serde_json::{Value, json};

/// Prints one pass, for people or with the names of `once --json`. It was made, whether anybody reads of it or not.
pub fn print(global: &Global, app: &App, now: Timestamp, planned: &Planned, delivered: Option<&Tally>) {
    if global.json {
        let _ = say_json(format_args!("{}", to_json(now, planned, delivered)));
        return;
    }
    lines(app, planned).iter().for_each(mention);
    if planned.runs.is_empty() {
        mention(nothing_due(app, now));
    }
    if let Some(tally) = delivered {
        mention(delivery_line(tally));
    }
    drafts(app).iter().for_each(mention);
}

/// `no rule is due; next is welcome at 2026-11-03 09:00`, and how not to wait for it.
fn nothing_due(app: &App, now: Timestamp) -> String {
    let project = &app.workspace.project;
    let zone = project.settings.business.time_zone;
    let live = project.rules.values().filter(|rule| rule.live.at(now));
    let next = live.filter_map(|rule| Some((rule.schedule.next_after(now, rule.time_zone)?, &rule.name))).min();
    next.map_or_else(
        || "no rule is due".to_owned(),
        |(at, name)| {
            let at = local(at, zone);
            format!("no rule is due; next is {name} at {at} ({zone}); `plusone once --rule {name}` runs it now")
        },
    )
}

/// `Tue 09:00`; with its date where `now` is not of that week.
fn day_and_time(at: Timestamp, now: Timestamp, zone: Tz) -> String {
    let is_near = at.since(now) < Span::from_days(6);
    if is_near { at.local(zone).format("%a %H:%M").to_string() } else { local(at, zone) }
}

/// What becomes of messages that are not due before `due`: one pass does not stay for them.
pub fn waits(app: &App, due: Timestamp, now: Timestamp) -> String {
    let due = day_and_time(due, now, app.workspace.project.settings.business.time_zone);
    format!("what waits goes from {due} on: run `plusone once` again then, or leave `plusone run` running")
}

fn to_json(now: Timestamp, planned: &Planned, delivered: Option<&Tally>) -> Value {
    let rules = planned.runs.iter().map(|run| {
        let mut rule = json!({ "rule": run.rule, "instant": run.instant.to_string() });
        let counts = run.counts.to_json();
        for (name, value) in counts.as_object().into_iter().flatten() {
            rule[name] = value.clone();
        }
        rule
    });
    let delivery = delivered.map_or(Value::Null, Tally::to_json);
    json!({ "at": now.to_string(), "rules": rules.collect::<Vec<_>>(), "delivery": delivery })
}

/// What planning did, a line for each thing worth knowing.
pub fn lines(app: &App, planned: &Planned) -> Vec<String> {
    let zone = app.workspace.project.settings.business.time_zone;
    let mut lines = planned.synced.lines();
    lines.extend(planned.told.iter().cloned());
    lines.extend(planned.runs.iter().map(|run| rule_line(run, zone)));
    lines
}

/// `abandoned-cart   12:15  3 planned (1 wait, from Tue 09:00 on), 2 no_consent`.
fn rule_line(run: &Run, zone: Tz) -> String {
    let counts = &run.counts;
    let mut parts = Vec::new();
    if counts.held > 0 {
        let reason = run.reason.as_deref().unwrap_or("it waits for approval");
        let them = agreeing(counts.held, "it", "them");
        parts.push(format!("{} held: {reason}; `plusone approve {}` lets {them} go", counts.held, &run.id[..8]));
    } else if counts.planned > 0 || counts.matched() == 0 {
        let waiting = match (counts.deferred, counts.deferred_until) {
            (deferred, Some(until)) if deferred > 0 => {
                let until = day_and_time(Timestamp::from_micros(until), run.instant, zone);
                format!(" ({deferred} wait, from {until} on)")
            }
            _ => String::new(),
        };
        parts.push(format!("{} planned{waiting}", counts.planned));
    }
    if counts.already_touched > 0 {
        parts.push(format!("{} already touched", counts.already_touched));
    }
    parts.extend(counts.skipped.iter().map(|(reason, count)| format!("{count} {reason}")));
    format!("{:<24} {}  {}", run.rule, run.instant.local(zone).format("%H:%M"), parts.join(", "))
}

/// `sent 12, retry 1`: what is not zero.
pub fn delivery_line(tally: &Tally) -> String {
    let counts = tally.to_json();
    let told: Vec<String> = counts
        .as_object()
        .into_iter()
        .flatten()
        .filter(|(name, count)| *name == "sent" || count.as_u64() != Some(0))
        .map(|(name, count)| format!("{} {count}", name.replace('_', " ")))
        .collect();
    told.join(", ")
}

/// What came of changed files.
pub fn changes(app: &App) -> Vec<String> {
    let broken = app.workspace.broken().map(|broken| format!("  {}; {}", broken.problem, broken.stays()));
    let broken: Vec<String> = broken.collect();
    if broken.is_empty() {
        return vec!["changed files are in force".to_owned()];
    }
    std::iter::once("changed files are in force but for these:".to_owned()).chain(broken).collect()
}

/// Rules that were left out: drafts, and broken ones.
pub fn drafts(app: &App) -> Vec<String> {
    let project = &app.workspace.project;
    let drafts: Vec<&str> = project
        .rules
        .values()
        .filter(|rule| rule.live == crate::rules::Live::Draft)
        .map(|rule| rule.name.as_str())
        .collect();
    let mut lines = Vec::new();
    if !drafts.is_empty() {
        lines.push(format!("left out, since they are drafts (no `live = true`): {}", drafts.join(", ")));
    }
    if !project.broken.is_empty() {
        lines.push(format!("left out, since they are broken (see `plusone check`): {}", project.broken.join(", ")));
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::day_and_time;
    use crate::time::{Timestamp, Tz};

    #[test]
    fn a_time_of_another_week_has_its_date() {
        let told = |at: &str| {
            let instant = |text: &str| text.parse::<Timestamp>().expect("an instant");
            day_and_time(instant(at), instant("2026-11-03T12:00:00Z"), Tz::UTC)
        };
        assert_eq!(told("2026-11-04T09:00:00Z"), "Wed 09:00");
        assert_eq!(told("2026-11-10T09:00:00Z"), "2026-11-10 09:00");
    }
}
