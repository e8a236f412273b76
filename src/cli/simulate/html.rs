//! A simulation as one page that needs nothing else: a calendar, charts and tables; no script, no request to anywhere.
//!
//! 1. Everything that comes from files or data is escaped.
//! 2. A chart says in words what it shows, and its numbers stand in a table beside it.
//! 3. Light and dark, and no wider than a phone.

mod calendar;
mod charts;
mod tables;

use super::Simulated;
use super::tell::{heading, notices, remarks};
use crate::amount::grouped;
use crate::cli::markup::{escaped, sentence};
use crate::cli::print::money;
use crate::rules::Channel;
use std::fmt::Write;

const STYLE: &str = "
:root { color-scheme: light dark; --ink: #1d2733; --soft: #5a6672; --paper: #fff; --line: #d5dbe1; --email: #1f6f8b; --sms: #d08a1d; --voice: #8a4f9e; --grey: #b8c0c8; --note: #fff6e0; --link: #1a5a72; }
@media (prefers-color-scheme: dark) { :root { --ink: #e8edf2; --soft: #a3afbb; --paper: #14191f; --line: #39434e; --email: #62b6d3; --sms: #e6b35c; --voice: #c08fd3; --grey: #58626d; --note: #2b2618; --link: #8fcbe2; } }
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
.day { border: 1px solid var(--line); border-radius: 6px; padding: .25rem .35rem; min-height: 4.2rem; font-size: .8rem; line-height: 1.25; overflow: hidden; } .day b { display: block; font-size: 1.05rem; font-variant-numeric: tabular-nums; } .day i { font-style: normal; } .day .more { display: block; } .day span, .none { color: var(--soft); } .none { border-style: dashed; } .day a { color: inherit; text-decoration: none; display: block; } .day a:hover b { text-decoration: underline; }
details { border-top: 1px solid var(--line); padding: .5rem 0; } summary { cursor: pointer; } .wide { overflow-x: auto; } a { color: var(--link); }
table { border-collapse: collapse; width: 100%; font-size: .95rem; } th, td { text-align: left; padding: .25rem .75rem .25rem 0; border-bottom: 1px solid var(--line); vertical-align: top; } th:last-child, td:last-child { padding-right: 0; } th[scope=row] { font-weight: 500; overflow-wrap: anywhere; } th:first-child { min-width: 6rem; } td.number, th.number { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap; }
@media (max-width: 34rem) { .day { min-height: 3.2rem; padding: .15rem .2rem; font-size: .7rem; } .day .more { font-size: .65rem; line-height: 1.1; } .day b { font-size: .85rem; } .day b.long { font-size: .6rem; line-height: 1.7; } .day .month-name { display: none; } svg text { font-size: 24px; } svg .second { display: none; } table { font-size: .85rem; } th, td { padding-right: .5rem; } }
";

/// The whole page.
pub(super) fn page(simulated: &Simulated<'_>) -> String {
    let business = escaped(simulated.business);
    let mut page = format!(
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <title>What the rules of {business} would do</title>\n<style>{STYLE}</style>\n</head>\n<body>\n\
         <header>\n<h1>What the rules of {business} would do</h1>\n<p>{}</p>\n",
        escaped(&heading(simulated)),
    );
    for remark in remarks(simulated) {
        put(&mut page, format_args!("<p><strong>{}</strong></p>\n", sentence(&remark)));
    }
    page.push_str("</header>\n<main>\n");
    sums(&mut page, simulated);
    look_at(&mut page, simulated);
    if simulated.forecast.days.is_empty() {
        page.push_str("<p>Nobody would be written to.</p>\n");
    } else {
        page.push_str("<h2>Messages a day</h2>\n");
        key(&mut page, simulated);
        charts::days(&mut page, simulated);
        calendar::sheet(&mut page, simulated);
        tables::rules(&mut page, simulated);
        tables::refusals(&mut page, simulated);
    }
    tables::refused_before(&mut page, simulated);
    tables::each_day(&mut page, simulated);
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

fn put(page: &mut String, text: std::fmt::Arguments<'_>) {
    page.write_fmt(text).expect("a string takes everything");
}
