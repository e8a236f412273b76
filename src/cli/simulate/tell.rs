//! A simulation for the terminal: a calendar, the rules, who was refused and why, and what to look at.

use super::Simulated;
use super::before::HEADING;
use crate::amount::{agreeing, counted, grouped};
use crate::cli::print::{Table, local, money, plain};
use crate::outreach::simulate::forecast::{Crowd, Figures};
use crate::rules::Channel;
use crate::time::{Date, Tz};
use crate::touchpoints::Reason;
use std::collections::BTreeMap;
use std::fmt::Write;

/// How many notices of one kind are told.
const NOTICES: usize = 5;

/// The whole answer.
pub(super) fn told(simulated: &Simulated<'_>) -> String {
    let mut text = format!("{}\n", heading(simulated));
    remarks(simulated).iter().for_each(|remark| line(&mut text, &plain(remark)));
    let forecast = &simulated.forecast;
    if forecast.days.is_empty() {
        text.push_str("\nNobody would be written to.\n");
    } else {
        calendar(simulated, &mut text);
        rules(simulated, &mut text);
        refusals(simulated, &mut text);
    }
    refused_before(simulated, &mut text);
    let notices = notices(simulated);
    if !notices.is_empty() {
        text.push_str("\nWorth a look:\n");
        notices.iter().for_each(|notice| line(&mut text, &format!("  - {}", plain(notice))));
    }
    text.trim_end().to_owned()
}

/// `From 2026-12-01 00:00 until 2026-12-31 00:00 (Europe/London), on the data of now`.
pub(super) fn heading(simulated: &Simulated<'_>) -> String {
    let zone = simulated.zone;
    format!(
        "Simulated from {} until {} ({zone}), on the data of {}, which stand still. Nothing was sent.",
        local(simulated.from, zone),
        local(simulated.to, zone),
        local(simulated.now, zone)
    )
}

/// What is to be known before the numbers are read, each in a sentence.
pub(super) fn remarks(simulated: &Simulated<'_>) -> Vec<String> {
    let mut remarks = Vec::new();
    if !simulated.as_live.is_empty() {
        let names = simulated.as_live.join(", ");
        remarks.push(format!("No rule is live: these drafts are taken as if they were, {names}."));
    }
    let before = &simulated.forecast.before;
    if before.messages() > 0 {
        let cost = before.cost + before.offer_cost();
        let cost = if cost > 0 { format!(" ({} {})", money(cost), simulated.currency) } else { String::new() };
        let from = local(simulated.from, simulated.zone);
        let messages = counted(before.messages(), "message");
        remarks.push(format!("Before {from} there would be {messages}{cost}, not shown: `--from` leaves them out."));
    }
    remarks
}

/// `Tue 1 Dec`.
pub(super) fn day_name(day: Date) -> String {
    day.naive().format("%a %-d %b").to_string()
}

fn line(text: &mut String, line: &str) {
    writeln!(text, "{line}").expect("a string takes everything");
}

/// Writes a table.
fn table(text: &mut String, table: &Table) {
    let mut out = Vec::new();
    table.write(&mut out, "  ").expect("memory takes everything");
    text.push_str(&String::from_utf8_lossy(&out));
}

/// The numbers that days and rules have in common.
fn numbers(figures: &Figures) -> Vec<String> {
    let number = |count: u64| if count == 0 { String::new() } else { grouped(count) };
    let spent = |units: i64| if units == 0 { String::new() } else { money(units) };
    let channels = Channel::ALL.iter().map(|channel| number(figures.sent.get(channel).copied().unwrap_or(0)));
    let rest = [spent(figures.cost), spent(figures.offer_cost()), number(figures.held_out), number(figures.refusals())];
    channels.chain(rest).collect()
}

fn calendar(simulated: &Simulated<'_>, text: &mut String) {
    let mut days = Table::new(&["DAY", "EMAIL", "SMS", "CALLS", "SENDING", "OFFERS", "HELD OUT", "REFUSED"]);
    let all: Vec<Date> = simulated.days().collect();
    // Days without anything stand together: a pause is to be seen, and not to fill the screen.
    let is_empty = |day: &Date| !simulated.forecast.days.contains_key(day);
    for part in all.chunk_by(|one, next| is_empty(one) && is_empty(next)) {
        let (first, last) = (part[0], part[part.len() - 1]);
        let name =
            if part.len() == 1 { day_name(first) } else { format!("{} – {}", day_name(first), day_name(last)) };
        days.row(std::iter::once(name).chain(numbers(&simulated.forecast.of_day(first))).collect());
    }
    let total = simulated.forecast.total();
    days.row(std::iter::once("all days".to_owned()).chain(numbers(&total)).collect());
    text.push('\n');
    table(text, &days);
}

fn rules(simulated: &Simulated<'_>, text: &mut String) {
    let mut rules = Table::new(&["RULE", "EMAIL", "SMS", "CALLS", "SENDING", "OFFERS", "HELD OUT", "REFUSED"]);
    for rule in simulated.forecast.rules() {
        let figures = simulated.forecast.of_rule(rule);
        rules.row(std::iter::once(rule.to_owned()).chain(numbers(&figures)).collect());
    }
    text.push('\n');
    table(text, &rules);
    let total = simulated.forecast.total();
    let spent = |units: i64| format!("{} {}", money(units), simulated.currency);
    let sending = match total.cost > 0 || simulated.is_priced() {
        true => format!("{} for sending, at one text message or minute each", spent(total.cost)),
        false => "nothing is known of sending, since no provider has a `price`".to_owned(),
    };
    let offers = match total.offers.is_empty() {
        true => String::new(),
        false => format!(", and {} of offers", spent(total.offer_cost())),
    };
    line(text, &format!("\nMoney: {sending}{offers}."));
    for (offer, (count, cost)) in &total.offers {
        let given = counted(*count, "time");
        line(text, &format!("  {offer}: given {given}, {} {}", money(*cost), simulated.currency));
    }
}

fn refusals(simulated: &Simulated<'_>, text: &mut String) {
    let total = simulated.forecast.total();
    if total.refused.is_empty() {
        return;
    }
    text.push_str("\nNot written to, and why:\n");
    let mut reasons: Vec<_> = total.refused.iter().collect();
    reasons.sort_by_key(|(reason, count)| (std::cmp::Reverse(**count), **reason));
    for (reason, count) in reasons {
        line(text, &format!("{:>8}  {reason}: {}", grouped(*count), reason.meaning()));
        let of_rules = simulated.forecast.rules().into_iter().filter_map(|rule| {
            let count = simulated.forecast.of_rule(rule).refused.get(reason).copied()?;
            Some(format!("{rule} {}", grouped(count)))
        });
        line(text, &format!("          {}", of_rules.collect::<Vec<_>>().join(", ")));
    }
}

fn refused_before(simulated: &Simulated<'_>, text: &mut String) {
    let mut by_reason: BTreeMap<Reason, (u64, Vec<String>)> = BTreeMap::new();
    for (rule, reason, count) in &simulated.refused_before {
        let (sum, rules) = by_reason.entry(*reason).or_default();
        *sum += count;
        rules.push(format!("{rule} {}", grouped(*count)));
    }
    if !by_reason.is_empty() {
        line(text, &format!("\n{HEADING}:"));
    }
    for (reason, (count, rules)) in by_reason {
        line(text, &format!("{:>8}  {reason}: {}", grouped(count), rules.join(", ")));
    }
}

/// What a person should look at, each in a sentence.
pub(super) fn notices(simulated: &Simulated<'_>) -> Vec<String> {
    let mut notices = held(simulated);
    notices.extend(few(simulated.forecast.crowds.iter().map(crowd).collect(), "such day"));
    notices.extend(by_day(simulated, Reason::Capped, |count, day| {
        format!("on {day} {count} held back by `caps`: the customers have had as many as they allow")
    }));
    notices.extend(by_day(simulated, Reason::NoBudget, |count, day| {
        format!("on {day} {count} held back for want of budget: no offer of the rule has any left")
    }));
    for (rule, count) in &simulated.forecast.waiting {
        notices.push(format!("{rule}: due after the end, {} more", grouped(*count)));
    }
    for rule in &simulated.silent {
        notices.push(format!("{rule} writes to nobody in this time; `plusone who {rule}` says more"));
    }
    if !simulated.drafts.is_empty() {
        let drafts = simulated.drafts.join(", ");
        notices.push(format!("drafts are left out: {drafts}; `--rule NAME` takes one as live"));
    }
    notices
}

fn held(simulated: &Simulated<'_>) -> Vec<String> {
    let zone = simulated.zone;
    let asked = simulated.rehearsal.held.iter().filter(|run| {
        run.instant >= simulated.from && (simulated.only.is_empty() || simulated.only.contains(&run.rule))
    });
    let held = asked.map(|run| {
        format!(
            "the guard would hold {} of {}: it {}; this goes on as if somebody approved it at once",
            run.rule,
            stamp(run.instant, zone),
            run.reason
        )
    });
    few(held.collect(), "run that the guard would hold")
}

fn stamp(at: crate::time::Timestamp, zone: Tz) -> String {
    at.local(zone).format("%a %-d %b %H:%M").to_string()
}

fn crowd(crowd: &Crowd) -> String {
    let people = match crowd.people {
        1 => "same customer".to_owned(),
        many => format!("same {} customers", grouped(many)),
    };
    let rules = crowd.rules.len();
    format!("on {} {rules} rules write to the {people}: {}", day_name(crowd.day), crowd.rules.join(", "))
}

/// A sentence for each day on which anybody was refused for `reason`.
fn by_day(simulated: &Simulated<'_>, reason: Reason, sentence: impl Fn(String, String) -> String) -> Vec<String> {
    let days = simulated.forecast.days.keys().filter_map(|day| {
        let count = simulated.forecast.of_day(*day).refused.get(&reason).copied()?;
        let messages = format!("{} {}", counted(count, "message"), agreeing(count, "is", "are"));
        Some(sentence(messages, day_name(*day)))
    });
    few(days.collect(), "such day")
}

/// The first of many, and how many more there are.
fn few(mut notices: Vec<String>, what: &str) -> Vec<String> {
    let more = notices.len().saturating_sub(NOTICES);
    notices.truncate(NOTICES);
    if more > 0 {
        notices.push(format!("… and {} more", counted(i64::try_from(more).unwrap_or(i64::MAX), what)));
    }
    notices
}
