//! The report as one page that needs nothing else: no script, no picture, no request to anywhere.
//!
//! 1. Everything that comes from files or data is escaped.
//! 2. A chart says in words what it shows, and its numbers stand in a table beside it.

mod charts;

use super::super::markup::{escaped, sentence, wide_table};
use super::super::opened::Opened;
use super::{Step, facts, goal, heading, said, steps, summary, variant_cells};
use crate::amount::grouped;
use crate::report::variants::sentences;
use crate::report::{Report, RuleReport, percent};
use std::fmt::Write;

const STYLE: &str = "
:root { color-scheme: light dark; --ink: #1d2733; --soft: #5a6672; --paper: #fff; --line: #d5dbe1; --bar: #1f6f8b; --pale: #9dc3d1; --grey: #b8c0c8; --link: #1a5a72; }
@media (prefers-color-scheme: dark) { :root { --ink: #e8edf2; --soft: #a3afbb; --paper: #14191f; --line: #39434e; --bar: #62b6d3; --pale: #2f6175; --grey: #58626d; --link: #8fcbe2; } }
* { box-sizing: border-box; }
body { margin: 0 auto; padding: 1.5rem 1rem; max-width: 52rem; font: 1.0625rem/1.5 system-ui, sans-serif; color: var(--ink); background: var(--paper); }
h1 { font-size: 1.75rem; line-height: 1.2; margin: 0 0 .25rem; } h2 { font-size: 1.3rem; margin: 0; } h3 { font-size: 1.1rem; margin: 1rem 0 .25rem; }
header p, .about { color: var(--soft); margin: .25rem 0 1rem; }
article { border-top: 1px solid var(--line); padding: 1.5rem 0 .5rem; }
svg { display: block; width: 100%; max-width: 34rem; height: auto; margin: .5rem 0; } svg text { font: 16px system-ui, sans-serif; fill: var(--ink); }
.bar { fill: var(--bar); } .pale { fill: var(--pale); } .grey { fill: var(--grey); } .zero, .reach { stroke: var(--ink); stroke-width: 2; } .reach { stroke: var(--bar); stroke-width: 4; } .dot { fill: var(--bar); }
details { margin: .5rem 0 1rem; } summary { cursor: pointer; } .wide { overflow-x: auto; }
table { border-collapse: collapse; width: 100%; font-size: .95rem; } th, td { text-align: left; padding: .25rem .75rem .25rem 0; border-bottom: 1px solid var(--line); vertical-align: top; } th:last-child, td:last-child { padding-right: 0; } th[scope=row] { font-weight: 500; overflow-wrap: anywhere; min-width: 6rem; } td.number, th.number { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap; } a { color: var(--link); }
@media (max-width: 34rem) {
  table { font-size: .85rem; } th, td { padding-right: .5rem; }
  .variants table, .variants tbody, .variants tr { display: block; } .variants thead { display: none; }
  .variants tr { border-bottom: 1px solid var(--line); padding: .5rem 0; } .variants th, .variants td { display: flex; justify-content: space-between; border: 0; padding: .1rem 0; }
  .variants td::before { content: attr(data-of); color: var(--soft); }
}
";

/// The columns of [`variant_cells`] after the name.
const VARIANT_NUMBERS: [&str; 6] = ["Share", "Sent", "Reached", "Rate", "95% between", "Cost"];

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
    overview(&mut page, report);
    for rule in &report.rules {
        article(&mut page, rule, opened);
    }
    page.push_str("</main>\n</body>\n</html>\n");
    page
}

/// A line for each rule, where there are several.
fn overview(page: &mut String, report: &Report) {
    if report.rules.len() < 2 {
        return;
    }
    page.push_str(&wide_table("All rules"));
    page.push_str(
        "<thead><tr><th scope=\"col\">Rule</th><th scope=\"col\" class=\"number\">Sent</th>\
         <th scope=\"col\" class=\"number\">Goal</th><th scope=\"col\">The message</th></tr></thead>\n<tbody>\n",
    );
    for rule in &report.rules {
        let (name, sent) = (escaped(&rule.rule), grouped(rule.funnel.sent));
        let rate = rule.goal.as_ref().and_then(|goal| goal.sent.rate()).map_or_else(|| "–".to_owned(), percent);
        let verdict = rule.goal.as_ref().map_or("has no goal", |goal| goal.in_short());
        put(
            page,
            format_args!(
                "<tr><th scope=\"row\"><a href=\"#r-{name}\">{name}</a></th><td class=\"number\">{sent}</td>\
                 <td class=\"number\">{rate}</td><td>{verdict}</td></tr>\n"
            ),
        );
    }
    page.push_str("</tbody>\n</table></div>\n");
}

/// What it came to stands first: that is what the page is opened for.
fn article(page: &mut String, rule: &RuleReport, opened: &Opened) {
    let name = escaped(&rule.rule);
    put(page, format_args!("<article id=\"r-{name}\">\n<h2>{name}</h2>\n"));
    if !rule.description.is_empty() {
        put(page, format_args!("<p class=\"about\">{}</p>\n", escaped(&rule.description)));
    }
    put(page, format_args!("<p>{}</p>\n", sentence(&goal(rule))));
    if rule.funnel.matched() == 0 {
        page.push_str("</article>\n");
        return;
    }
    if let Some((goal, lift)) = rule.goal.as_ref().and_then(|goal| Some((goal, goal.lift()?))) {
        charts::interval(page, goal, lift);
    }
    let steps = steps(rule);
    charts::funnel(page, &rule.rule, &steps);
    page.push_str("<p class=\"about\">The shares are of those who matched.</p>\n");
    table(page, &rule.rule, &steps);
    if !rule.variants.is_empty() {
        variants(page, rule, opened);
    }
    for fact in facts(rule, opened) {
        put(page, format_args!("<p>{}</p>\n", sentence(&fact)));
    }
    page.push_str("</article>\n");
}

fn table(page: &mut String, rule: &str, steps: &[Step]) {
    let all = steps.first().and_then(|step| step.count).unwrap_or(0);
    put(page, format_args!("<details>\n<summary>The numbers of {}</summary>\n", escaped(rule)));
    page.push_str(&wide_table(&format!("The numbers of {rule}")));
    page.push_str(
        "<thead><tr><th scope=\"col\">Step</th><th scope=\"col\" class=\"number\">Messages</th>\
         <th scope=\"col\" class=\"number\">Of matched</th><th scope=\"col\">Which</th></tr></thead>\n<tbody>\n",
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
    put(page, format_args!("<h3>Variants of {}</h3>\n", escaped(&rule.rule)));
    charts::rates(page, rule);
    // On a phone each variant is a block of lines, which say by themselves what they are.
    page.push_str("<div class=\"variants\">\n");
    page.push_str(&wide_table(&format!("The variants of {}", rule.rule)));
    page.push_str("<thead><tr><th scope=\"col\">Variant</th>");
    for column in VARIANT_NUMBERS {
        put(page, format_args!("<th scope=\"col\" class=\"number\">{column}</th>"));
    }
    page.push_str("</tr></thead>\n<tbody>\n");
    for variant in &rule.variants {
        let [name, numbers @ ..] = variant_cells(variant, opened);
        put(page, format_args!("<tr><th scope=\"row\">{}</th>", escaped(&name)));
        for (column, number) in VARIANT_NUMBERS.iter().zip(numbers) {
            put(page, format_args!("<td class=\"number\" data-of=\"{column}\">{number}</td>"));
        }
        page.push_str("</tr>\n");
    }
    page.push_str("</tbody>\n</table></div>\n</div>\n");
    for said in sentences(&rule.variants) {
        put(page, format_args!("<p>Variants: {}.</p>\n", sentence(&said)));
    }
}

fn put(page: &mut String, text: std::fmt::Arguments<'_>) {
    page.write_fmt(text).expect("a string takes everything");
}
