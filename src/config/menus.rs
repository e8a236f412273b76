//! From the tree of a template's `voice.toml` to the [`Menu`] of its calls.

use super::keys::menu::{KEY, KEYS, MENU};
use super::node::{Entry, Node};
use super::reader::Reader;
use crate::messages::braces;
use crate::messages::menu::{Does, Key, Menu};
use crate::problem::{Problem, Severity};

/// The file of a menu, in a template's folder or one of its locales'.
pub const FILE: &str = "voice.toml";

/// Reads a checked tree. `entities` are the names of the rows that templates can read.
pub fn read(tree: &Node, entities: &[String], problems: &mut Vec<Problem>) -> Menu {
    let mut menu = Menu::default();
    let Some(keys) = Reader::new(tree, &MENU).table("keys") else { return menu };
    for entry in Reader::new(keys.node, &KEYS).named() {
        let words = ["prompt", "says"].into_iter().filter_map(|name| entry.node.get(name));
        problems.extend(words.flat_map(|words| tags(words, entities)));
        if let (Ok(digit), Some(key)) = (entry.key.parse(), key(entry, problems)) {
            menu.keys.insert(digit, key);
        }
    }
    let stops = keys.named().filter(|entry| entry.node.get("does").and_then(Node::text) == Some("stop"));
    problems.extend(stops.skip(1).map(|second| {
        second.key_error("another key stops already").help("one key is enough: more than one confuses who listens")
    }));
    menu
}

fn key(entry: &Entry, problems: &mut Vec<Problem>) -> Option<Key> {
    let table = Reader::new(&entry.node, &KEY);
    let (prompt, says) = (table.text("prompt").map(line), table.text("says").map(line));
    let does: Does = table.word("does")?;
    if does == Does::Repeat && says.is_some() {
        let problem = entry.node.get("says").unwrap_or(&entry.node).error("a key that repeats says the call itself");
        problems.push(problem.help("leave `says` out"));
    }
    for (name, missing) in [("prompt", prompt.is_none()), ("says", says.is_none())] {
        if does == Does::Say && missing && !table.is_misspelt(name) {
            let problem = entry.key_error(format!("a key that says something has no `{name}`"));
            problems.push(problem.help("write both: `prompt` announces the key, `says` is what it says"));
        }
    }
    Some(Key { does, prompt, says })
}

/// What looks like a tag in a text that is said as it stands: an error where it is one, or names something known.
fn tags(node: &Node, entities: &[String]) -> Vec<Problem> {
    let Some(text) = node.text() else { return Vec::new() };
    let told = |stray: braces::Stray| {
        let problem = node.fault(stray.fault(text));
        if stray.is_known { problem } else { Problem { severity: Severity::Warning, ..problem } }
    };
    braces::spoken(text, entities).into_iter().map(told).collect()
}

/// Spoken text is one line.
fn line(text: String) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}
