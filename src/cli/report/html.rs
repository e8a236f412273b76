//! The report as one page that needs nothing else: no script, no picture, no request to anywhere.
//!
//! 1. Everything that comes from files or data is escaped.
//! 2. A chart says in words what it shows, and its numbers stand in a table beside it.

use super::super::markup::{escaped, sentence};
use super::super::opened::Opened;
use super::{Step, facts, heading, said, steps, summary, variant_cells};
use crate::report::interval::Interval;
use crate::report::variants::sentences;
use crate::report::{GoalReport, Report, RuleReport, percent, share};
use std::fmt::Write;

const STYLE: &str = "
:root { color-scheme: light dark; --ink: #1d2733; --soft: #5a6672; --paper: #fff; --line: #d5dbe1; --bar: #1f6f8b; --pale: #9dc3d1; --grey: #b8c0c8; }
@media (prefers-color-scheme: dark) { :root { --ink: #e8edf2; --soft: #a3afbb; --paper: #14191f; --line: #39434e; --bar: #62b6d3; --pale: #2f6175; --grey: #58626d; } }
body { margin: 0 auto; padding: 1.5rem; max-width: 52rem; font: 1.0625rem/1.5 system-ui, sans-serif; color: var(--ink); background: var(--paper); }
h1 { font-size: 1.75rem; line-height: 1.2; margin: 0 0 .25rem; } h2 { font-size: 1.3rem; margin: 0; } h3 { font-size: 1.1rem; margin: 1rem 0 .25rem; }
header p, .about { color: var(--soft); margin: .25rem 0 1rem; }
article { border-top: 1px solid var(--line); padding: 1.5rem 0 .5rem; }
svg { display: block; width: 100%; max-width: 34rem; height: auto; margin: .5rem 0; } svg text { font: 16px system-ui, sans-serif; fill: var(--ink); }
.bar { fill: var(--bar); } .pale { fill: var(--pale); } .grey { fill: var(--grey); } .zero, .reach { stroke: var(--ink); stroke-width: 2; } .reach { stroke: var(--bar); stroke-width: 4; } .dot { fill: var(--bar); }
details { margin: .5rem 0 1rem; } summary { cursor: pointer; } .wide { overflow-x: auto; }
table { border-collapse: collapse; width: 100%; } th, td { text-align: left; padding: .25rem .75rem .25rem 0; border-bottom: 1px solid var(--line); vertical-align: top; } td.number, th.number { text-align: right; font-variant-numeric: tabular-nums; }
";

/// The whole page.
pub fn page(report: &Report, opened: &Opened) -> String {
    let business = escaped(&opened.settings.business.name);
    let mut page = format!(
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <title>What the rules of {business} did</title>\n<style>{STYLE}</style>\n</head>\n<body>\n\
         <header>\n<h1>What the rules of {business} did</h1>\n<p>{}. {}</p>\n</header>\n<main>\n",
        escaped(&heading(report, opened)),
        escaped(&summary(report)),
    );
    for rule in &report.rules {
        article(&mut page, rule, opened);
    }
    page.push_str("</main>\n</body>\n</html>\n");
    page
}

fn article(page: &mut String, rule: &RuleReport, opened: &Opened) {
    put(page, format_args!("<article>\n<h2>{}</h2>\n", escaped(&rule.rule)));
    if !rule.description.is_empty() {
        put(page, format_args!("<p class=\"about\">{}</p>\n", escaped(&rule.description)));
    }
    let steps = steps(rule);
    if rule.funnel.matched() > 0 {
        funnel(page, &rule.rule, &steps);
        table(page, &rule.rule, &steps);
    } else {
        page.push_str("<p>It has matched nobody.</p>\n");
    }
    if !rule.variants.is_empty() {
        variants(page, rule, opened);
    }
    for fact in facts(rule, opened) {
        put(page, format_args!("<p>{}</p>\n", sentence(&fact)));
    }
    if let Some((goal, lift)) = rule.goal.as_ref().and_then(|goal| Some((goal, goal.lift()?))) {
        interval(page, goal, lift);
    }
    page.push_str("</article>\n");
}

/// A bar for each step, as long as its share of those matched.
fn funnel(page: &mut String, rule: &str, steps: &[Step]) {
    const ROW: usize = 30;
    const LEFT: f64 = 170.0;
    const LONGEST: f64 = 150.0;
    let all = steps.first().and_then(|step| step.count).unwrap_or(0);
    let told: Vec<String> = steps.iter().map(|step| format!("{} {}", step.name, said(step, all).0)).collect();
    put(
        page,
        format_args!(
            "<svg viewBox=\"0 0 480 {}\" role=\"img\" aria-label=\"{}\">\n",
            steps.len() * ROW + 4,
            escaped(&format!("The funnel of {rule}: {}", told.join(", ")))
        ),
    );
    for (place, step) in steps.iter().enumerate() {
        let count = step.count.unwrap_or(0);
        let width = (share(count, all) * LONGEST).max(if count > 0 { 2.0 } else { 0.0 });
        let (number, part) = said(step, all);
        let told = if step.count.is_some() { format!("{number} ({part})") } else { number };
        let (top, text) = (place * ROW + 4, place * ROW + 21);
        let class = match (step.depth, step.name) {
            (_, "refused" | "failed" | "expired" | "cancelled" | "bounced" | "complained about") => "grey",
            (_, "sent" | "reached the goal" | "delivered") => "bar",
            _ => "pale",
        };
        put(
            page,
            format_args!(
                "<text x=\"{}\" y=\"{text}\">{}</text><rect class=\"{class}\" x=\"{LEFT}\" y=\"{top}\" width=\"{width:.1}\" \
                 height=\"24\" rx=\"3\"/><text x=\"{:.1}\" y=\"{text}\">{told}</text>\n",
                step.depth * 8,
                step.name,
                LEFT + width + 8.0,
            ),
        );
    }
    page.push_str("</svg>\n");
}

fn table(page: &mut String, rule: &str, steps: &[Step]) {
    let all = steps.first().and_then(|step| step.count).unwrap_or(0);
    put(
        page,
        format_args!(
            "<details>\n<summary>The numbers of {}</summary>\n<div class=\"wide\"><table>\n<thead><tr><th scope=\"col\">Step</th>\
             <th scope=\"col\" class=\"number\">Messages</th><th scope=\"col\" class=\"number\">Of matched</th>\
             <th scope=\"col\">Which</th></tr></thead>\n<tbody>\n",
            escaped(rule)
        ),
    );
    for step in steps {
        let (number, part) = said(step, all);
        put(
            page,
            format_args!(
                "<tr><th scope=\"row\">{}</th><td class=\"number\">{}</td><td class=\"number\">{}</td><td>{}</td></tr>\n",
                step.name,
                number,
                part,
                sentence(step.note.as_deref().unwrap_or_default()),
            ),
        );
    }
    page.push_str("</tbody>\n</table></div>\n</details>\n");
}

/// The variants: each with its rate as a dot within its interval, the numbers in a table, and what they allow to be said.
fn variants(page: &mut String, rule: &RuleReport, opened: &Opened) {
    let name = escaped(&rule.rule);
    put(page, format_args!("<h3>Variants of {name}</h3>\n"));
    rates(page, rule);
    put(
        page,
        format_args!(
            "<div class=\"wide\"><table>\n<thead><tr><th scope=\"col\">Variant</th><th scope=\"col\" class=\"number\">Share</th>\
             <th scope=\"col\" class=\"number\">Sent</th><th scope=\"col\" class=\"number\">Reached</th>\
             <th scope=\"col\" class=\"number\">Rate</th><th scope=\"col\">95% between</th>\
             <th scope=\"col\" class=\"number\">Cost</th></tr></thead>\n<tbody>\n"
        ),
    );
    for variant in &rule.variants {
        let [name, share, sent, reached, rate, between, cost] = variant_cells(variant, opened);
        let name = escaped(&name);
        put(
            page,
            format_args!(
                "<tr><th scope=\"row\">{name}</th><td class=\"number\">{share}</td><td class=\"number\">{sent}</td>\
                 <td class=\"number\">{reached}</td><td class=\"number\">{rate}</td><td>{between}</td>\
                 <td class=\"number\">{cost}</td></tr>\n"
            ),
        );
    }
    page.push_str("</tbody>\n</table></div>\n");
    for said in sentences(&rule.variants) {
        put(page, format_args!("<p>Variants: {}.</p>\n", sentence(&said)));
    }
}

/// A line for each variant of which something was sent, all on one scale that begins at nothing.
fn rates(page: &mut String, rule: &RuleReport) {
    const ROW: usize = 34;
    const LEFT: f64 = 160.0;
    const LONGEST: f64 = 230.0;
    let rates: Vec<_> = rule.variants.iter().filter_map(|variant| Some((&variant.name, variant.rate()?))).collect();
    let widest = rates.iter().map(|(_, rate)| rate.high).fold(0.01, f64::max);
    let at = |value: f64| LEFT + value / widest * LONGEST;
    let told: Vec<String> = rates
        .iter()
        .map(|(name, rate)| format!("{name} {} ({} to {})", percent(rate.value), percent(rate.low), percent(rate.high)))
        .collect();
    if rates.is_empty() {
        return;
    }
    let label = escaped(&format!("How many reached the goal, by variant: {}", told.join(", ")));
    let height = rates.len() * ROW + 4;
    put(page, format_args!("<svg viewBox=\"0 0 480 {height}\" role=\"img\" aria-label=\"{label}\">\n"));
    for (place, (name, rate)) in rates.iter().enumerate() {
        let (middle, text) = (place * ROW + 18, place * ROW + 23);
        put(
            page,
            format_args!(
                "<text x=\"0\" y=\"{text}\">{}</text><line class=\"reach\" x1=\"{:.1}\" y1=\"{middle}\" x2=\"{:.1}\" \
                 y2=\"{middle}\"/><circle class=\"dot\" cx=\"{:.1}\" cy=\"{middle}\" r=\"7\"/>\
                 <text x=\"{:.1}\" y=\"{text}\">{}</text>\n",
                escaped(&short(name)),
                at(rate.low),
                at(rate.high),
                at(rate.value),
                at(rate.high) + 14.0,
                percent(rate.value),
            ),
        );
    }
    page.push_str("</svg>\n");
}

/// A name as long as there is room for.
fn short(name: &str) -> String {
    const ROOM: usize = 18;
    if name.chars().count() <= ROOM { name.to_owned() } else { name.chars().take(ROOM - 1).chain(['…']).collect() }
}

/// The difference that the message made, as a dot with its interval on a line around zero.
fn interval(page: &mut String, goal: &GoalReport, lift: Interval) {
    let widest = lift.low.abs().max(lift.high.abs()).max(0.01) * 1.15;
    let at = |value: f64| 240.0 + value / widest * 200.0;
    let points = |value: f64| format!("{:+.1}", value * 100.0);
    put(
        page,
        format_args!(
            "<svg viewBox=\"0 0 480 76\" role=\"img\" aria-label=\"{}\">\n\
             <line class=\"zero\" x1=\"240\" y1=\"8\" x2=\"240\" y2=\"44\"/>\
             <text x=\"240\" y=\"66\" text-anchor=\"middle\">no difference</text>\
             <line class=\"reach\" x1=\"{low:.1}\" y1=\"26\" x2=\"{high:.1}\" y2=\"26\"/>\
             <circle class=\"dot\" cx=\"{:.1}\" cy=\"26\" r=\"7\"/>\
             <text x=\"{low:.1}\" y=\"16\" text-anchor=\"middle\">{}</text><text x=\"{high:.1}\" y=\"16\" text-anchor=\"middle\">{}</text>\n</svg>\n",
            escaped(&format!("The difference in points, with its interval: {}", goal.sentence())),
            at(lift.value),
            points(lift.low),
            points(lift.high),
            low = at(lift.low),
            high = at(lift.high),
        ),
    );
}

fn put(page: &mut String, text: std::fmt::Arguments<'_>) {
    page.write_fmt(text).expect("a string takes everything");
}
