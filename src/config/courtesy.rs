//! From the trees of `[courtesy]` and of a rule to caps, holdouts and bad moments.

use super::forms;
use super::keys;
use super::node::Node;
use super::reader::Reader;
use super::settings::unknown_name;
use crate::catalogue::{CUSTOMER, Catalogue};
use crate::courtesy::caps::Cap;
use crate::expr::{Clause, Scope};
use crate::problem::Problem;
use crate::rules::Purpose;
use crate::settings::{BadMoment, Topic};
use std::collections::BTreeMap;

/// `[courtesy] caps`; `topics` are those that are declared.
pub fn caps(section: Reader<'_>, topics: &BTreeMap<String, Topic>, problems: &mut Vec<Problem>) -> Vec<Cap> {
    let items = section.get("caps").map_or(&[][..], Node::one_or_many);
    items.iter().filter_map(|item| cap(Reader::new(item, &keys::courtesy::CAP), topics, problems)).collect()
}

fn cap(table: Reader<'_>, topics: &BTreeMap<String, Topic>, problems: &mut Vec<Problem>) -> Option<Cap> {
    let topic = table.text("topic");
    let (purpose, channel) = (table.word("purpose"), table.word("channel"));
    if let (Some(node), Some(name)) = (table.get("topic"), &topic) {
        match topics.get(name) {
            None => problems.push(unknown_name(node, "topic", "[topics]", topics.keys())),
            // A topic that carries offers may send promotional messages, so only the other way round is empty.
            Some(topic) if topic.purpose == Purpose::Promotional && purpose == Some(Purpose::Transactional) => {
                let message = format!("nothing is counted here: the topic `{name}` is promotional");
                problems.push(node.error(message).help("leave `purpose` or `topic` out"));
            }
            Some(_) => {}
        }
    }
    let per = table.get("per").and_then(|node| forms::cap_window(node).ok());
    Some(Cap { purpose, topic, channel, max: table.integer("max")?, per: per? })
}

/// A share at `key`, in parts per million.
pub fn share(section: Reader<'_>, key: &str) -> u32 {
    section.get(key).and_then(|node| forms::share(node).ok()).unwrap_or(0)
}

/// `no_promotions_while` of the tree of `plusone.toml`: conditions of the customer, so that data.toml is read first.
pub fn bad_moments(tree: &Node, catalogue: &Catalogue, problems: &mut Vec<Problem>) -> Vec<BadMoment> {
    let root = Reader::new(tree, &keys::settings::PLUSONE);
    let Some(table) = root.table("courtesy").and_then(|courtesy| courtesy.table("no_promotions_while")) else {
        return Vec::new();
    };
    let scope = Scope { catalogue, root: CUSTOMER };
    let mut moments = Vec::new();
    for entry in table.named() {
        let Some(text) = entry.node.text() else { continue };
        match Clause::compile(text, scope) {
            Ok(clause) => moments.push(BadMoment { name: entry.key.clone(), clause }),
            Err(faults) => problems.extend(faults.into_iter().map(|fault| entry.node.fault(fault))),
        }
    }
    moments
}

/// Reports a rule that is `urgent` and not transactional through and through.
pub fn check_urgent(root: Reader<'_>, purpose: Option<Purpose>, offers: &[String], problems: &mut Vec<Problem>) {
    let Some(node) = root.get("urgent").filter(|_| root.boolean("urgent") == Some(true)) else { return };
    if purpose == Some(Purpose::Promotional) {
        let help = "only what customers wait for may pass quiet hours and caps: leave it out, or choose another topic";
        problems.push(node.error("a promotional message is never urgent").help(help));
    } else if !offers.is_empty() {
        let help = "an offer makes a message promotional: leave `urgent` or `offer` out";
        problems.push(node.error("a message that carries an offer is never urgent").help(help));
    }
}

/// Warns of a holdout among those who wait for the message.
pub fn warn_held_out(root: Reader<'_>, purpose: Option<Purpose>, problems: &mut Vec<Problem>) {
    if share(root, "holdout") > 0
        && purpose == Some(Purpose::Transactional)
        && let Some(node) = root.get("holdout")
    {
        let help = "a holdout measures what an offer or a survey does: leave it out where customers rely on hearing";
        problems.push(node.warning("some customers will not hear what they wait for").help(help));
    }
}
