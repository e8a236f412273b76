//! `[[variants]]` of a rule's file: each with what it says itself, and the rule's own where it says nothing.

use super::forms;
use super::keys;
use super::node::Node;
use super::reader::Reader;
use super::rules::{Around, channels, offers, template};
use crate::amount::{Amount, SCALE};
use crate::problem::Problem;
use crate::rules::variants::{Subject, Variant, Written};
use crate::rules::{Channel, Kind};

const WHOLE: u32 = 1_000_000;

/// What the rule says for those variants that say nothing, and where what they add is gathered.
pub struct Own<'a> {
    pub kind: Option<Kind>,
    pub template: Option<&'a str>,
    pub channels: &'a mut Vec<Channel>,
    pub offers: &'a mut Vec<String>,
}

/// The variants of a checked tree; `own` then has the channels and offers of all.
pub fn read(root: Reader<'_>, around: Around<'_>, own: Own<'_>, problems: &mut Vec<Problem>) -> Vec<Variant> {
    let Some(list) = root.get("variants") else { return Vec::new() };
    let nodes = list.list();
    if nodes.is_empty() {
        problems.push(list.error("no variant is written").help("write at least two `[[variants]]`, or leave them out"));
    }
    check_names(nodes, problems);
    check_shares(nodes, problems);
    let rules_own = (own.channels.clone(), (0..own.offers.len()).collect::<Vec<_>>());
    let mut variants = Vec::new();
    for node in nodes {
        let table = Reader::new(node, &keys::variant::VARIANT);
        let said = table.get("channels").map(|_| channels(table, around, problems));
        own.channels.extend(said.iter().flatten().filter(|channel| !rules_own.0.contains(channel)));
        let given = table.get("offer").map(|_| offers(table, around, problems));
        let given = given.map(|names| names.into_iter().map(|name| place_of(name, own.offers)).collect());
        let given: Vec<usize> = given.unwrap_or_else(|| rules_own.1.clone());
        if own.kind == Some(Kind::Offer) && given.is_empty() && !table.is_misspelt("offer") {
            let help = "name one: `offer = \"free-cookie\"`";
            problems.push(node.error("a variant of a rule of kind `offer` carries no offer").help(help));
        }
        let words = match table.get("template") {
            Some(_) => template(table, around.templates, problems),
            None => own.template.map(str::to_owned),
        };
        let (Some(name), Some(words)) = (table.text("name"), words) else { continue };
        variants.push(Variant {
            name,
            share: super::courtesy::share(table, "share"),
            template: words,
            subject: table
                .get("subject")
                .and_then(|node| Some(Subject { text: node.text()?.to_owned(), at: at(node) })),
            channels: said.unwrap_or_else(|| rules_own.0.clone()),
            offers: given,
            at: at(node),
        });
    }
    let mut seen = Vec::new();
    own.channels.retain(|channel| {
        !seen.contains(channel) && {
            seen.push(*channel);
            true
        }
    });
    variants
}

/// The place of an offer in the rule's list, to which it is added where it is new.
fn place_of(name: String, offers: &mut Vec<String>) -> usize {
    let known = offers.iter().position(|known| *known == name);
    known.unwrap_or_else(|| {
        offers.push(name);
        offers.len() - 1
    })
}

fn at(node: &Node) -> Written {
    Written { source: node.source.clone(), span: node.span.clone(), verbatim: node.verbatim() }
}

fn check_names(nodes: &[Node], problems: &mut Vec<Problem>) {
    let names: Vec<&Node> = nodes.iter().filter_map(|node| node.get("name")).collect();
    for (place, node) in names.iter().enumerate() {
        let Some(name) = node.text().filter(|name| !name.trim().is_empty()) else { continue };
        if names[..place].iter().any(|earlier| earlier.text() == Some(name)) {
            let help = "give each its own: the log and the report tell them apart by it";
            problems.push(node.error(format!("two variants are called `{name}`")).help(help));
        } else if !super::is_file_name(name) {
            let help = "write small letters, digits and `-`";
            problems.push(node.error(format!("`{name}` cannot be a variant's name")).help(help));
        }
    }
    if let [only] = nodes {
        let help = "write a second one to compare it with, or leave `[[variants]]` out";
        problems.push(only.warning("one variant alone is no experiment").help(help));
    }
}

/// All shares together are everybody.
fn check_shares(nodes: &[Node], problems: &mut Vec<Problem>) {
    let shares: Vec<(&Node, u32)> =
        nodes.iter().filter_map(|node| Some((node, forms::share(node.get("share")?).ok()?))).collect();
    let sum: u64 = shares.iter().map(|(_, share)| u64::from(*share)).sum();
    if shares.len() < nodes.len() || sum == u64::from(WHOLE) {
        return;
    }
    let Some((last, share)) = shares.last() else { return };
    let others = sum - u64::from(*share);
    let help = match u64::from(WHOLE).checked_sub(others) {
        Some(rest) => format!("with `share = \"{}%\"` for this one they do", percent(rest)),
        None => "make them smaller: together they are everybody".to_owned(),
    };
    let at = last.get("share").unwrap_or(last);
    problems.push(at.error(format!("the shares make {}%, not 100%", percent(sum))).help(help));
}

/// Parts per million as percent.
fn percent(parts: u64) -> String {
    let units = i64::try_from(parts).unwrap_or(i64::MAX);
    let text = Amount { units, scale: SCALE }.to_string();
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}
