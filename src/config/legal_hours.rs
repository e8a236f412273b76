//! Legal hours: the laws that come with the program, and what a home says in their place.
//!
//! 1. What a home writes for a country on a channel replaces the law of the country and of its regions there; what it
//!    writes for a region (`US-FL`) replaces that region's alone. A home's word is its own business.

use super::environment::Environment;
use super::keys;
use super::node::{self, Node};
use super::reader::Reader;
use crate::courtesy::legal_hours::{Law, LegalHours, OpenHours, country_code, region_code};
use crate::problem::{Problem, Source};
use crate::rules::Channel;
use std::collections::BTreeMap;

/// See the file itself.
const LAWS: &str = include_str!("../courtesy/legal_hours.toml");

/// The business's own hours and the laws, from `[courtesy]`.
pub fn read(courtesy: Reader<'_>, problems: &mut Vec<Problem>) -> LegalHours {
    let mut legal = LegalHours { own: BTreeMap::new(), laws: built_in() };
    let Some(table) = courtesy.table("legal_hours") else { return legal };
    legal.own = by_channel(table, problems).collect();
    let countries = table.table("countries");
    // Countries first: a region's hours stand beside what its country says.
    let mut named: Vec<_> = countries.iter().flat_map(Reader::named).collect();
    named.sort_by_key(|entry| entry.key.contains('-'));
    for entry in named {
        let (country, region) = entry.key.split_once('-').map_or((&*entry.key, None), |(of, part)| (of, Some(part)));
        let code = country_code(country);
        let region = region.map(|region| code.as_deref().and_then(|code| region_code(code, region)));
        let (Some(code), false) = (code, region == Some(None)) else {
            let help = "write a country such as `FR`, or a region of one such as `US-FL`";
            problems.push(entry.key_error(format!("`{}` is no country", entry.key)).help(help));
            continue;
        };
        let hours = Reader::new(&entry.node, &keys::hours::COUNTRY_HOURS);
        for (channel, hours) in by_channel(hours, problems) {
            replace(legal.laws.entry(code.clone()).or_default(), region.clone().flatten(), channel, hours);
        }
    }
    legal
}

fn by_channel(table: Reader<'_>, problems: &mut Vec<Problem>) -> impl Iterator<Item = (Channel, OpenHours)> {
    let mut found = Vec::new();
    for channel in Channel::ALL {
        let Some(node) = table.get(channel.as_str()) else { continue };
        match open_hours(node) {
            Some(hours) => found.push((*channel, hours)),
            // What one item has wrong is told with it.
            None if node.one_or_many().iter().any(|item| super::forms::open_hours(item).is_err()) => {}
            None => problems.push(node.error("no hour is open").help("name hours, such as `08:00-21:00`")),
        }
    }
    found.into_iter()
}

fn replace(laws: &mut Vec<Law>, region: Option<String>, channel: Channel, hours: OpenHours) {
    for law in laws.iter_mut().filter(|law| region.is_none() || law.region == region) {
        law.channels.retain(|of| *of != channel);
    }
    laws.retain(|law| !law.channels.is_empty());
    laws.push(Law { region, channels: vec![channel], hours });
}

fn open_hours(node: &Node) -> Option<OpenHours> {
    OpenHours::read(node.one_or_many().iter().filter_map(Node::text))
}

/// The laws that come with the program, by country.
fn built_in() -> BTreeMap<String, Vec<Law>> {
    let source = Source::new("legal_hours.toml", LAWS);
    let tree = node::parse(&source, &Environment::default(), &mut Vec::new()).expect("a test reads the file");
    let mut laws: BTreeMap<String, Vec<Law>> = BTreeMap::new();
    for entry in tree.get("hours").map_or(&[][..], Node::one_or_many) {
        let text = |key: &str| entry.get(key).and_then(Node::text).map(str::to_owned);
        let channels = entry.get("channels").map_or(&[][..], Node::one_or_many);
        let law = Law {
            region: text("region"),
            channels: channels.iter().filter_map(|channel| channel.text()?.parse().ok()).collect(),
            hours: entry.get("open").and_then(open_hours).expect("a test reads the file"),
        };
        laws.entry(text("country").expect("a test reads the file")).or_default().push(law);
    }
    laws
}

#[cfg(test)]
mod tests;
