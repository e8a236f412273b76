//! A simulation as one page that needs nothing else: a calendar, charts and tables; no script, no request to anywhere.
//!
//! 1. Everything that comes from files or data is escaped.
//! 2. A chart says in words what it shows, and its numbers stand in a table beside it.
//! 3. Light and dark, and no wider than a phone.

mod charts;

use super::Simulated;
use super::tell::{day_name, heading, notices};
use crate::amount::{counted, grouped};
use crate::cli::markup::{escaped, sentence};
use crate::cli::print::money;
use crate::outreach::simulate::forecast::Figures;
use crate::rules::Channel;
use crate::time::Date;
use chrono::Datelike;
use std::fmt::Write;

const STYLE: &str = "
:root { color-scheme: light dark; --ink: #1d2733; --soft: #5a6672; --paper: #fff; --line: #d5dbe1; --email: #1f6f8b; --sms: #d08a1d; --voice: #8a4f9e; --grey: #b8c0c8; --note: #fff6e0; }
@media (prefers-color-scheme: dark) { :root { --ink: #e8edf2; --soft: #a3afbb; --paper: #14191f; --line: #39434e; --email: #62b6d3; --sms: #e6b35c; --voice: #c08fd3; --grey: #58626d; --note: #2b2618; } }
* { box-sizing: border-box; }
body { margin: 0 auto; padding: 1.5rem 1rem; max-width: 60rem; font: 1.0625rem/1.5 system-ui, sans-serif; color: var(--ink); background: var(--paper); }
h1 { font-size: 1.75rem; line-height: 1.2; margin: 0 0 .25rem; } h2 { font-size: 1.3rem; margin: 2rem 0 .5rem; } h3 { font-size: 1.05rem; margin: 0; }
header p, .about { color: var(--soft); margin: .25rem 0 1rem; }
.sums { display: flex; flex-wrap: wrap; gap: .5rem 2rem; margin: 1rem 0; padding: 0; list-style: none; } .sums b { display: block; font-size: 1.5rem; font-variant-numeric: tabular-nums; }
.notices { background: var(--note); border-radius: .5rem; padding: .75rem 1rem .75rem 2rem; margin: 1rem 0; } .notices li { margin: .25rem 0; }
.key { display: flex; flex-wrap: wrap; gap: .25rem 1.25rem; margin: 0; padding: 0; list-style: none; color: var(--soft); } .key i { display: inline-block; width: .8rem; height: .8rem; border-radius: 2px; margin-right: .4rem; }
svg { display: block; width: 100%; height: auto; margin: .5rem 0; } svg text { font: 12px system-ui, sans-serif; fill: var(--soft); } .axis { stroke: var(--line); stroke-width: 1; }
.email { fill: var(--email); background: var(--email); } .sms { fill: var(--sms); background: var(--sms); } .voice { fill: var(--voice); background: var(--voice); } .grey { fill: var(--grey); background: var(--grey); }
.month { display: grid; grid-template-columns: repeat(7, minmax(0, 1fr)); gap: 4px; margin: .5rem 0; padding: 0; list-style: none; } .month .head { color: var(--soft); font-size: .8rem; text-align: center; }
.day { border: 1px solid var(--line); border-radius: 6px; padding: .25rem .35rem; min-height: 4.2rem; font-size: .8rem; line-height: 1.25; overflow: hidden; } .day b { display: block; font-size: 1.05rem; font-variant-numeric: tabular-nums; } .day i { font-style: normal; } .day span { color: var(--soft); } .day a { color: inherit; text-decoration: none; display: block; } .day a:hover b { text-decoration: underline; } .none { opacity: .55; }
details { border-top: 1px solid var(--line); padding: .5rem 0; } summary { cursor: pointer; } .wide { overflow-x: auto; }
table { border-collapse: collapse; width: 100%; font-size: .95rem; } th, td { text-align: left; padding: .25rem .75rem .25rem 0; border-bottom: 1px solid var(--line); vertical-align: top; } th[scope=row] { font-weight: 500; } td.number, th.number { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap; }
@media (max-width: 34rem) { .day { min-height: 3.2rem; padding: .15rem .2rem; } .day span.more { display: block; font-size: .65rem; line-height: 1.1; } .day b { font-size: .9rem; } .day .month-name { display: none; } svg text { font-size: 22px; } svg .second { display: none; } }
";

/// The whole page.
pub(super) fn page(simulated: &Simulated<'_>) -> String {
    let business = escaped(simulated.business);
    let mut page = format!(
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <title>What the rules of {business} would do</title>\n<style>{STYLE}</style>\n</head>\n<body>\n\
         <header>\n<h1>What the rules of {business} would do</h1>\n<p>{}</p>\n</header>\n<main>\n",
        escaped(&heading(simulated)),
    );
    sums(&mut page, simulated);
    look_at(&mut page, simulated);
    if simulated.forecast.days.is_empty() {
        page.push_str("<p>Nobody would be written to.</p>\n");
    } else {
        page.push_str("<h2>Messages a day</h2>\n");
        key(&mut page, simulated);
        charts::days(&mut page, simulated);
        calendar(&mut page, simulated);
        rules(&mut page, simulated);
        refusals(&mut page, simulated);
        each_day(&mut page, simulated);
    }
    page.push_str("</main>\n</body>\n</html>\n");
    page
}

fn sums(page: &mut String, simulated: &Simulated<'_>) {
    let total = simulated.forecast.total();
    let spent = |units: i64| format!("{} {}", money(units), simulated.currency);
    // What has no price is not free, and what nobody gives costs nothing: neither is said.
    let priced = total.cost > 0 || simulated.is_priced();
    let facts = [
        ("messages", Some(grouped(total.messages()))),
        ("for sending", priced.then(|| spent(total.cost))),
        ("of offers", (!total.offers.is_empty()).then(|| spent(total.offer_cost()))),
        ("held out", (total.held_out > 0).then(|| grouped(total.held_out))),
        ("not written to", Some(grouped(total.refusals()))),
    ];
    page.push_str("<ul class=\"sums\">\n");
    for (what, value) in facts.into_iter().filter_map(|(what, value)| Some((what, value?))) {
        put(page, format_args!("<li><b>{}</b> {what}</li>\n", escaped(&value)));
    }
    page.push_str("</ul>\n");
}

fn look_at(page: &mut String, simulated: &Simulated<'_>) {
    let notices = notices(simulated);
    if notices.is_empty() {
        return;
    }
    page.push_str("<h2>Worth a look</h2>\n<ul class=\"notices\">\n");
    for notice in notices {
        put(page, format_args!("<li>{}</li>\n", sentence(&notice)));
    }
    page.push_str("</ul>\n");
}

/// The channels that anything goes by.
fn channels(simulated: &Simulated<'_>) -> Vec<Channel> {
    let sent = simulated.forecast.total().sent;
    Channel::ALL.iter().filter(|channel| sent.get(channel).is_some_and(|count| *count > 0)).copied().collect()
}

/// What the colours mean.
fn key(page: &mut String, simulated: &Simulated<'_>) {
    page.push_str("<ul class=\"key\">");
    for channel in channels(simulated) {
        put(page, format_args!("<li><i class=\"{channel}\"></i>{}</li>", channel_name(channel)));
    }
    page.push_str("</ul>\n");
}

const fn channel_name(channel: Channel) -> &'static str {
    match channel {
        Channel::Email => "Email",
        Channel::Sms => "Texts",
        Channel::Voice => "Calls",
    }
}

/// A sheet of weeks, Monday first; each day leads to its numbers.
fn calendar(page: &mut String, simulated: &Simulated<'_>) {
    let forecast = &simulated.forecast;
    let (Some(first), Some(last)) = (forecast.days.keys().next(), forecast.days.keys().next_back()) else { return };
    page.push_str("<h2>Calendar</h2>\n<ol class=\"month\">\n");
    for name in ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"] {
        put(page, format_args!("<li class=\"head\" aria-hidden=\"true\">{name}</li>"));
    }
    for _ in 0..first.naive().weekday().num_days_from_monday() {
        page.push_str("<li aria-hidden=\"true\"></li>");
    }
    for day in first.days()..=last.days() {
        let day = Date::from_days(day);
        let figures = forecast.of_day(day);
        let name = day_in_month(day, day == *first);
        if figures == Figures::default() {
            put(page, format_args!("<li class=\"day none\">{name}</li>\n"));
            continue;
        }
        put(page, format_args!("<li class=\"day\"><a href=\"#d{day}\">{name}"));
        if figures.messages() > 0 || figures.refusals() == 0 {
            put(page, format_args!("<b>{}</b>", grouped(figures.messages())));
        }
        if figures.refusals() > 0 {
            put(page, format_args!("<span class=\"more\">{} refused</span>", grouped(figures.refusals())));
        }
        page.push_str("</a></li>\n");
    }
    page.push_str("</ol>\n");
}

/// `23 Nov`; on a phone the month only where it begins.
fn day_in_month(day: Date, is_first: bool) -> String {
    let date = day.naive();
    let class = if is_first || date.day() == 1 { "begins" } else { "month-name" };
    date.format(&format!("%-d <i class=\"{class}\">%b</i>")).to_string()
}

fn rules(page: &mut String, simulated: &Simulated<'_>) {
    page.push_str("<h2>Rules</h2>\n");
    let channels = &channels(simulated);
    head(page, "Rule", channels);
    for rule in simulated.forecast.rules() {
        row(page, &format!("<a href=\"#r-{0}\">{0}</a>", escaped(rule)), &simulated.forecast.of_rule(rule), channels);
    }
    page.push_str("</tbody>\n</table></div>\n");
    let described = &simulated.rehearsal.workspace().project.rules;
    for rule in simulated.forecast.rules() {
        let name = escaped(rule);
        put(page, format_args!("<details id=\"r-{name}\" open>\n<summary><b>{name}</b></summary>\n"));
        if let Some(described) = described.get(rule).filter(|rule| !rule.description.is_empty()) {
            put(page, format_args!("<p class=\"about\">{}</p>\n", sentence(&described.description)));
        }
        charts::of_rule(page, simulated, rule);
        let figures = simulated.forecast.of_rule(rule);
        for (offer, (count, cost)) in &figures.offers {
            let (offer, cost, currency) = (escaped(offer), money(*cost), simulated.currency);
            put(page, format_args!("<p>{offer} is given {}: {cost} {currency}.</p>\n", counted(*count, "time")));
        }
        if !figures.refused.is_empty() {
            put(page, format_args!("<p>Refused: {}.</p>\n", reasons(&figures)));
        }
        page.push_str("</details>\n");
    }
}

/// `20 no consent, 3 paused`, the most frequent first.
fn reasons(figures: &Figures) -> String {
    let mut reasons: Vec<_> = figures.refused.iter().collect();
    reasons.sort_by_key(|(reason, count)| (std::cmp::Reverse(**count), **reason));
    reasons
        .iter()
        .map(|(reason, count)| format!("{} {}", grouped(**count), sentence(reason.told())))
        .collect::<Vec<_>>()
        .join(", ")
}

fn refusals(page: &mut String, simulated: &Simulated<'_>) {
    let total = simulated.forecast.total();
    if total.refused.is_empty() {
        return;
    }
    page.push_str(
        "<h2>Not written to, and why</h2>\n<div class=\"wide\"><table>\n<thead><tr><th scope=\"col\">Reason</th>",
    );
    page.push_str(
        "<th scope=\"col\" class=\"number\">How many</th><th scope=\"col\">What it means</th></tr></thead>\n<tbody>\n",
    );
    let mut reasons: Vec<_> = total.refused.iter().collect();
    reasons.sort_by_key(|(reason, count)| (std::cmp::Reverse(**count), **reason));
    for (reason, count) in reasons {
        let (count, told, meaning) = (grouped(*count), sentence(reason.told()), sentence(reason.meaning()));
        put(
            page,
            format_args!("<tr><th scope=\"row\">{told}</th><td class=\"number\">{count}</td><td>{meaning}</td></tr>\n"),
        );
    }
    page.push_str("</tbody>\n</table></div>\n");
}

fn each_day(page: &mut String, simulated: &Simulated<'_>) {
    page.push_str("<h2>Day by day</h2>\n");
    let channels = &channels(simulated);
    for (day, rules) in &simulated.forecast.days {
        let sum = simulated.forecast.of_day(*day);
        put(
            page,
            format_args!(
                "<details id=\"d{day}\">\n<summary><b>{}</b> – {}, {} refused</summary>\n",
                day_name(*day),
                counted(sum.messages(), "message"),
                grouped(sum.refusals())
            ),
        );
        head(page, "Rule", channels);
        for (rule, figures) in rules {
            row(page, &escaped(rule), figures, channels);
        }
        page.push_str("</tbody>\n</table></div>\n</details>\n");
    }
}

fn head(page: &mut String, what: &str, channels: &[Channel]) {
    put(page, format_args!("<div class=\"wide\"><table>\n<thead><tr><th scope=\"col\">{what}</th>"));
    let names = channels.iter().map(|channel| channel_name(*channel));
    for name in names.chain(["Sending", "Offers", "Held out"]) {
        put(page, format_args!("<th scope=\"col\" class=\"number\">{name}</th>"));
    }
    page.push_str("<th scope=\"col\">Refused</th></tr></thead>\n<tbody>\n");
}

/// A row of numbers; `name` is markup.
fn row(page: &mut String, name: &str, figures: &Figures, channels: &[Channel]) {
    put(page, format_args!("<tr><th scope=\"row\">{name}</th>"));
    for channel in channels {
        let count = figures.sent.get(channel).copied().unwrap_or(0);
        put(page, format_args!("<td class=\"number\">{}</td>", grouped(count)));
    }
    let spent = |units: i64| if units == 0 { String::new() } else { money(units) };
    let (cost, offers) = (spent(figures.cost), spent(figures.offer_cost()));
    put(page, format_args!("<td class=\"number\">{cost}</td><td class=\"number\">{offers}</td>"));
    put(
        page,
        format_args!("<td class=\"number\">{}</td><td>{}</td></tr>\n", grouped(figures.held_out), reasons(figures)),
    );
}

fn put(page: &mut String, text: std::fmt::Arguments<'_>) {
    page.write_fmt(text).expect("a string takes everything");
}
