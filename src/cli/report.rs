//! `plusone report`: what each rule did, from match to goal, and whether it made a difference.

mod html;

use super::lookup::no_rule;
use super::pause::rules;
use super::print::{Table, local, money, plain, spoken};
use super::{Answer, Failure, opened::Opened};
use crate::amount::counted;
use crate::amount::grouped;
use crate::report::variants::{VariantReport, sentences};
use crate::report::{Funnel, Report, RuleReport, percent, share};
use crate::schedule::parse_when::parse_when;
use crate::store::report::{Filter, report};
use crate::time::Span;
use crate::touchpoints::later::Later;
use std::io::{self, Write};
use std::path::PathBuf;
use std::process::ExitCode;

#[derive(clap::Args, Default)]
pub struct Options {
    /// Only this rule
    #[arg(long)]
    pub rule: Option<String>,
    /// Only what was planned at this time or later
    #[arg(long, value_name = "T", allow_hyphen_values = true)]
    pub since: Option<String>,
    /// Also write a page with charts that can be opened and passed on
    #[arg(long, value_name = "FILE")]
    pub html: Option<PathBuf>,
}

pub async fn run(opened: &Opened, json: bool, options: &Options, out: &mut dyn Write) -> Answer {
    if let Some(rule) = &options.rule {
        let known = rules(opened).await?;
        if !known.contains(rule) {
            return Err(no_rule(rule, known.iter().map(String::as_str)));
        }
    }
    let since = options.since.as_deref().map(|text| parse_when(text, opened.now, opened.zone())).transpose();
    let since = since.map_err(|fault| Failure::usage(format!("--since: {fault}")))?;
    let filter = Filter { rule: options.rule.as_deref(), since };
    let report = report(&opened.db, &opened.rules, &opened.catalogue, filter, opened.now).await?;
    if let Some(path) = &options.html {
        let page = html::page(&report, opened);
        std::fs::write(path, page)
            .map_err(|error| Failure::failed(format!("cannot write {}: {error}", path.display())))?;
    }
    if json {
        writeln!(out, "{:#}", report.to_json(opened.currency()))?;
    } else {
        write(&report, opened, out)?;
        if let Some(path) = &options.html {
            writeln!(out, "\nThe page is in {}.", path.display())?;
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// `All touchpoints until 2026-11-03 12:00 (Europe/London)`.
fn heading(report: &Report, opened: &Opened) -> String {
    let zone = opened.zone();
    let which = report
        .since
        .map_or_else(|| "All touchpoints".to_owned(), |since| format!("Touchpoints from {}", local(since, zone)));
    let until = format!("{which} until {} ({zone})", local(report.at, zone));
    let later = |later: Later| format!("{until}, and {}", later.told(zone));
    report.later.map_or_else(|| until.clone(), later)
}

fn write(report: &Report, opened: &Opened, out: &mut dyn Write) -> io::Result<()> {
    writeln!(out, "{}", heading(report, opened))?;
    if report.rules.is_empty() {
        return writeln!(out, "\nThere is no rule yet: a rule is a file in config/rules/.");
    }
    for rule in &report.rules {
        writeln!(out, "\n{}", plain(&rule.rule))?;
        if !rule.description.is_empty() {
            writeln!(out, "  {}", plain(&rule.description))?;
        }
        writeln!(out, "  {}", goal(rule))?;
        if rule.funnel.matched() == 0 {
            continue;
        }
        let mut table = Table::new(&["STEP", "MESSAGES", "OF MATCHED", ""]);
        for step in steps(rule) {
            let (count, share) = said(&step, rule.funnel.matched());
            let name = format!("{}{}", "  ".repeat(step.depth), step.name);
            table.row(vec![name, count, share, step.note.unwrap_or_else(|| " ".to_owned())]);
        }
        table.write(out, "  ")?;
        write_variants(rule, opened, out)?;
        facts(rule, opened).iter().try_for_each(|fact| writeln!(out, "  {fact}"))?;
    }
    Ok(())
}

/// One bar of the funnel.
struct Step {
    name: &'static str,
    depth: usize,
    /// `None`: nothing tells.
    count: Option<u64>,
    note: Option<String>,
}

/// A step's number and its share of all, as they are shown.
fn said(step: &Step, all: u64) -> (String, String) {
    match step.count {
        Some(count) => (grouped(count), percent(share(count, all))),
        None => ("not measured".to_owned(), " ".to_owned()),
    }
}

/// The funnel from top to bottom; what nobody met is left out.
fn steps(rule: &RuleReport) -> Vec<Step> {
    let funnel = &rule.funnel;
    let step = |name, depth, count| Step { name, depth, count: Some(count), note: None };
    let untold = |name, why: &str| Step { name, depth: 3, count: None, note: Some(why.to_owned()) };
    let reached = rule.goal.as_ref().map_or(0, |goal| goal.sent.reached);
    let rate = rule.goal.as_ref().and_then(|goal| goal.sent.rate());
    let rate = rate.map(|rate| format!("{} of those sent", percent(rate)));
    let mut steps = vec![
        step("matched", 0, funnel.matched()),
        Step { note: Some(reasons(funnel)).filter(|note| !note.is_empty()), ..step("refused", 1, funnel.refusals()) },
        Step {
            note: Some("on purpose: how many reach the goal without the message?".to_owned()),
            ..step("held out", 1, funnel.held_out)
        },
        step("planned", 1, funnel.planned()),
    ];
    let later = [
        step("waiting", 2, funnel.waiting),
        step("to be approved", 2, funnel.held),
        step("expired", 2, funnel.expired),
        step("cancelled", 2, funnel.cancelled),
        step("failed", 2, funnel.failed),
        step("in doubt", 2, funnel.in_doubt),
        Step { note: Some(format!("to {}", counted(rule.reach, "customer"))), ..step("sent", 2, funnel.sent) },
        match funnel.delivery_told() {
            Some(delivered) => step("delivered", 3, delivered),
            None => untold("delivered", "no provider has sent a receipt"),
        },
        step("bounced", 3, funnel.bounced),
        step("complained about", 3, funnel.complained),
        untold("opened", "nothing tracks it"),
        untold("clicked", "nothing tracks it"),
        Step { note: rate, ..step("reached the goal", 3, reached) },
    ];
    let met = |step: &Step| step.count.map_or(funnel.sent > 0, |count| count > 0);
    steps.retain(|step| met(step) || matches!(step.name, "matched" | "planned"));
    steps.extend(later.into_iter().filter(|step| met(step) || step.name == "sent"));
    steps
}

/// `20 no consent, 3 address suppressed`, the most frequent first.
fn reasons(funnel: &Funnel) -> String {
    let mut reasons: Vec<_> = funnel.refused.iter().collect();
    reasons.sort_by_key(|(reason, count)| (std::cmp::Reverse(**count), **reason));
    let told: Vec<String> =
        reasons.iter().map(|(reason, count)| format!("{} {}", grouped(**count), reason.told())).collect();
    told.join(", ")
}

/// A rule's variants lined up, and what they allow to be said.
fn write_variants(rule: &RuleReport, opened: &Opened, out: &mut dyn Write) -> io::Result<()> {
    if rule.variants.is_empty() {
        return Ok(());
    }
    let mut table = Table::new(&["VARIANT", "SHARE", "SENT", "REACHED", "RATE", "95% BETWEEN", "COST"]);
    for variant in &rule.variants {
        table.row(variant_cells(variant, opened).into());
    }
    table.write(out, "  ")?;
    sentences(&rule.variants).iter().try_for_each(|said| writeln!(out, "  Variants: {}.", plain(said)))
}

/// What is shown of a variant: name, share, sent, reached, rate, its interval, cost.
fn variant_cells(variant: &VariantReport, opened: &Opened) -> [String; 7] {
    let nothing = || " ".to_owned();
    let rate = variant.rate();
    [
        plain(&variant.name),
        variant.share.map_or_else(|| "gone".to_owned(), |share| percent(f64::from(share) / 1_000_000.0)),
        grouped(variant.sent),
        variant.goal.map_or_else(nothing, |goal| grouped(goal.reached)),
        rate.map_or_else(nothing, |rate| percent(rate.value)),
        rate.map_or_else(nothing, |rate| format!("{} and {}", percent(rate.low), percent(rate.high))),
        if variant.cost > 0 { format!("{} {}", money(variant.cost), opened.currency()) } else { nothing() },
    ]
}

/// What the message came to, and whether that means anything.
fn goal(rule: &RuleReport) -> String {
    let goal = match &rule.goal {
        Some(_) if rule.funnel.matched() == 0 => return NOBODY.to_owned(),
        Some(goal) => return format!("Goal: {}.", plain(&goal.sentence())),
        None => "Goal: none is set; `[goal]` in the rule's file says what counts as success.",
    };
    // Before anything is sent is the time to set one.
    if rule.funnel.matched() == 0 { format!("{NOBODY} {goal}") } else { goal.to_owned() }
}

/// Of a rule that nothing was written down of.
const NOBODY: &str = "It has matched nobody.";

/// What is said in sentences: cost, time.
fn facts(rule: &RuleReport, opened: &Opened) -> Vec<String> {
    let currency = opened.currency();
    let mut facts = Vec::new();
    // What has no price is not free: nothing is said of it.
    let costs = [(rule.cost, "for sending"), (rule.offer_cost, "of offers")];
    let costs = costs.iter().filter(|(cost, _)| *cost > 0);
    let costs: Vec<String> = costs.map(|(cost, what)| format!("{} {currency} {what}", money(*cost))).collect();
    if !costs.is_empty() {
        facts.push(format!("Cost: {}.", costs.join(" and ")));
    }
    if let Some(time) = rule.time_to_send {
        let within = |span: Span| if span.seconds() == 0 { "a second".to_owned() } else { spoken(span) };
        let (median, most) = (within(time.median), within(time.most));
        facts.push(match median == most {
            true => format!("Time to send: 95 of 100 within {most}."),
            false => format!("Time to send: half within {median}, 95 of 100 within {most}."),
        });
    }
    facts
}

/// The words under a heading of the page: how many rules, how many messages.
fn summary(report: &Report) -> String {
    let sent: u64 = report.rules.iter().map(|rule| rule.funnel.sent).sum();
    let rules = counted(report.rules.len(), "rule");
    format!("{rules}, {} sent.", counted(sent, "message"))
}
