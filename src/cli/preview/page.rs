//! The preview as one page: each message on a phone and on a desk, light and dark, languages side by side.
//!
//! 1. No script. A mail stands in a frame of its own in a sandbox: nothing in it runs, opens windows or leaves the frame.
//! 2. Light and dark are decided here: what the mail says for dark readers is taken in the dark frames and left out of
//!    the light ones, whatever the viewer's own system is set to.
//! 3. Everything that comes from files or data is escaped.

use super::shown::{Shown, key, size};
use crate::cli::markup::{escaped, sentence};
use crate::messages::{Words, preheader};
use crate::rules::Rule;
use crate::settings::Settings;
use std::fmt::Write;

const STYLE: &str = "
:root { color-scheme: light dark; --ink: #1d2733; --soft: #5a6672; --paper: #f4f6f8; --card: #fff; --line: #d5dbe1; --warn: #8a4b00; }
@media (prefers-color-scheme: dark) { :root { --ink: #e8edf2; --soft: #a3afbb; --paper: #14191f; --card: #1d242c; --line: #39434e; --warn: #f0b35a; } }
* { box-sizing: border-box; }
body { margin: 0; padding: 1.5rem; font: 1rem/1.5 system-ui, sans-serif; color: var(--ink); background: var(--paper); }
h1 { font-size: 1.5rem; margin: 0; } h2 { font-size: 1.1rem; margin: 0 0 .5rem; } h3 { font-size: .875rem; font-weight: 600; color: var(--soft); margin: 1rem 0 .25rem; }
.about { color: var(--soft); margin: .25rem 0 1.5rem; max-width: 60rem; }
.columns { display: flex; gap: 2rem; align-items: flex-start; overflow-x: auto; padding-bottom: 1rem; }
article { flex: none; max-width: 100%; border-top: 3px solid var(--line); padding-top: 1rem; margin-bottom: 2rem; }
.inbox { border: 1px solid var(--line); border-radius: .5rem; background: var(--card); padding: .75rem 1rem; width: 26rem; max-width: 100%; }
.inbox p { margin: 0; white-space: nowrap; overflow: hidden; text-overflow: ellipsis; } .from { color: var(--soft); } .subject { font-weight: 700; } .rest { color: var(--soft); }
.frames { margin-top: 1rem; display: flex; flex-wrap: wrap; gap: 1.25rem; }
figure { margin: 0; } figcaption { margin-bottom: .25rem; color: var(--soft); font-size: .875rem; }
iframe { display: block; border: 1px solid var(--line); border-radius: .5rem; background: #fff; max-width: 100%; }
iframe { resize: vertical; } iframe.phone { width: 375px; border-radius: 1.25rem; } iframe.desk { width: 720px; } iframe.dark { background: #121212; }
.columns.many .frames { flex-direction: column; } .columns.many iframe.desk { width: 600px; }
.bubble { background: var(--card); border: 1px solid var(--line); border-radius: 1.1rem; padding: .75rem 1rem; width: 22rem; max-width: 100%; white-space: pre-wrap; overflow-wrap: anywhere; }
mark { background: #ffd76a; color: #1d2733; border-radius: .2rem; padding: 0 .1rem; }
pre { white-space: pre-wrap; overflow-wrap: anywhere; background: var(--card); border: 1px solid var(--line); border-radius: .5rem; padding: .75rem 1rem; max-width: 44rem; }
.note { color: var(--warn); max-width: 44rem; margin: .25rem 0; } .soft { color: var(--soft); max-width: 44rem; margin: .25rem 0; }
ul { padding-left: 1.25rem; max-width: 44rem; } summary { cursor: pointer; margin-top: .75rem; }
";

/// What the page may load: styles of its own, and the pictures of mails.
const POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'; img-src http: https: data:; font-src http: https:";

/// The whole page.
pub fn page(rule: &Rule, settings: &Settings, shown: &[Shown]) -> String {
    let name = escaped(&rule.name);
    let mut page = format!(
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta http-equiv=\"Content-Security-Policy\" content=\"{POLICY}\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <title>Preview of {name}</title>\n<style>{STYLE}</style>\n</head>\n<body>\n<header>\n<h1>Preview of {name}</h1>\n\
         <p class=\"about\">{}{}Nothing was sent. Links that would speak for the customer lead nowhere.</p>\n</header>\n<main>\n",
        escaped(&rule.description),
        if rule.description.is_empty() || rule.description.ends_with('.') { " " } else { ". " },
    );
    // one row for each case on a channel, its languages side by side
    for group in shown.chunk_by(|one, other| {
        (one.channel, &one.customer, &one.entity, &one.why)
            == (other.channel, &other.customer, &other.entity, &other.why)
    }) {
        let many = if group.len() > 1 { " many" } else { "" };
        put(&mut page, format_args!("<div class=\"columns{many}\">\n"));
        group.iter().for_each(|shown| article(&mut page, settings, shown));
        page.push_str("</div>\n");
    }
    page.push_str("</main>\n</body>\n</html>\n");
    page
}

fn article(page: &mut String, settings: &Settings, shown: &Shown) {
    put(page, format_args!("<article lang=\"{}\">\n<h2>{}</h2>\n", escaped(shown.locale()), escaped(&shown.heading())));
    if let Some(why) = &shown.why {
        put(page, format_args!("<p class=\"soft\">Taken as {}.</p>\n", escaped(why)));
    }
    for remark in shown.remarks() {
        put(page, format_args!("<p class=\"note\">Note: {}.</p>\n", sentence(&remark)));
    }
    match &shown.words {
        Err((reason, why)) => {
            put(page, format_args!("<p class=\"note\">No message, {}: {}</p>\n", reason.told(), sentence(why)));
        }
        Ok(words) => {
            let from = settings.channels.get(&shown.channel).map_or("", |channel| channel.from.as_str());
            message(page, words, from);
        }
    }
    page.push_str("</article>\n");
}

fn message(page: &mut String, words: &Words, from: &str) {
    if let Some(subject) = &words.subject {
        let first_line = || words.text.as_deref().and_then(|text| text.lines().next()).map(str::to_owned);
        let rest = words.html.as_deref().map_or_else(first_line, preheader).unwrap_or_default();
        let sender = from.split(" <").next().unwrap_or_default();
        put(
            page,
            format_args!(
                "<h3>In the inbox</h3>\n<div class=\"inbox\"><p class=\"from\">{}</p><p class=\"subject\">{}</p><p class=\"rest\">{}</p></div>\n",
                escaped(sender),
                escaped(subject),
                escaped(&rest)
            ),
        );
    }
    if let Some(html) = &words.html {
        frames(page, html, words.text.as_deref().unwrap_or_default());
    }
    if let Some(text) = &words.text {
        let open = if words.html.is_none() { " open" } else { "" };
        put(page, format_args!("<details{open}><summary>As text</summary><pre>{}</pre></details>\n", escaped(text)));
    }
    if let Some(text) = &words.sms {
        let marked = marked(text);
        put(
            page,
            format_args!("<div class=\"bubble\">{marked}</div>\n<p class=\"soft\">{}</p>\n", escaped(&size(text))),
        );
    }
    if let Some(spoken) = &words.voice {
        put(page, format_args!("<h3>Spoken</h3>\n<pre>{}</pre>\n", escaped(spoken)));
        if !words.menu.is_empty() {
            let keys = words.menu.iter().map(|choice| format!("<li>{}</li>", escaped(&key(choice))));
            put(page, format_args!("<h3>Keys</h3>\n<ul>{}</ul>\n", keys.collect::<String>()));
        }
    }
}

/// The text with the character that makes it dear marked.
fn marked(text: &str) -> String {
    let Some(place) = crate::messages::segments::segments(text).forced_at else { return escaped(text) };
    let at = |n: usize| text.char_indices().nth(n).map_or(text.len(), |(at, _)| at);
    let (before, rest) = text.split_at(at(place - 1));
    let (forced, after) = rest.split_at(at(place) - before.len());
    format!("{}<mark>{}</mark>{}", escaped(before), escaped(forced), escaped(after))
}

/// How high a frame is, in pixels, so that a mail of these words and pictures ends within it: a frame in a sandbox
/// cannot be measured. What is higher all the same scrolls, and the frame can be pulled.
fn height(text: &str, html: &str, letters: usize) -> usize {
    const MARGINS: usize = 180;
    const LINE: usize = 28;
    const PICTURE: usize = 220;
    const HIGHEST: usize = 4_000;
    // Addresses of links are told in the text alone; an empty line is the room between two paragraphs.
    let line = |line: &str| -> usize {
        let seen: usize =
            line.split(' ').filter(|word| !word.contains("://")).map(|word| word.chars().count() + 1).sum();
        if line.is_empty() { LINE / 2 } else { seen.div_ceil(letters) * LINE }
    };
    let lines: usize = text.lines().map(line).sum();
    (MARGINS + lines + html.matches("<img").count() * PICTURE).min(HIGHEST)
}

fn frames(page: &mut String, html: &str, text: &str) {
    page.push_str("<div class=\"frames\">\n");
    for (device, name, letters) in [("phone", "Phone", 34), ("desk", "Desk", 60)] {
        let height = height(text, html, letters);
        for dark in [false, true] {
            let light = if dark { "dark" } else { "light" };
            put(
                page,
                format_args!(
                    "<figure><figcaption>{name}, {light}</figcaption><iframe class=\"{device} {light}\" style=\"height: {height}px\" title=\"The mail: {name}, {light}\" \
                     sandbox srcdoc=\"{}\"></iframe></figure>\n",
                    escaped_attribute(&in_light(html, dark))
                ),
            );
        }
    }
    page.push_str("</div>\n");
}

/// The mail as a reader set to dark (or to light) shows it.
fn in_light(html: &str, dark: bool) -> String {
    const ALWAYS: &str = "(min-width: 0)";
    const NEVER: &str = "(max-width: 0)";
    let (on, off) = if dark { (ALWAYS, NEVER) } else { (NEVER, ALWAYS) };
    let mut out = html.to_owned();
    for blank in ["", " "] {
        out = out.replace(&format!("(prefers-color-scheme:{blank}dark)"), on);
        out = out.replace(&format!("(prefers-color-scheme:{blank}light)"), off);
    }
    let scheme = if dark && html.contains("color-scheme") { "dark" } else { "light" };
    format!("{out}<style>:root {{ color-scheme: {scheme} !important }}</style>")
}

fn put(page: &mut String, text: std::fmt::Arguments<'_>) {
    page.write_fmt(text).expect("a string takes everything");
}

/// A whole document within an attribute: its own escapes are escaped again.
fn escaped_attribute(html: &str) -> String {
    html.replace('&', "&amp;").replace('"', "&quot;")
}
