//! `PLUSONE_<SECTION>__<KEY>`: settings taken from the environment over the file's.
//!
//! 1. An override obeys the tables of keys like anything written in the file.
//! 2. A problem with one names the variable, never its value.

use super::environment::Environment;
use super::keys::{Section, Shape};
use super::node::{self, Entry, Node, Text, Value};
use crate::problem::{Problem, Source};

/// Puts the overrides into the tree of `plusone.toml`.
pub fn apply(tree: &mut Node, section: &'static Section, environment: &Environment, problems: &mut Vec<Problem>) {
    for (variable, path, value) in environment.overrides() {
        let source = Source::new("environment", variable);
        let span = 0..variable.len();
        let value = read(value, shape_at(section, &path));
        let mut node = Node { source: source.clone(), span: span.clone(), value };
        move_to(&mut node, &source);
        if !put(tree, &path, node, &source) {
            let message = format!("`{variable}` does not name a key: something else stands on its path");
            problems.push(Problem::error(&source, span, message));
        }
    }
}

/// The shape at a path of keys; none where no table has it, which the check of shapes reports.
fn shape_at(section: &'static Section, path: &[String]) -> Option<Shape> {
    let (first, rest) = path.split_first()?;
    let shape = section.shape_at(first)?;
    match (rest.is_empty(), shape) {
        (true, shape) => Some(shape),
        (false, Shape::Table(inner)) => shape_at(inner, rest),
        (false, Shape::Tagged { variants, .. }) => variants.iter().find_map(|(_, inner)| shape_at(inner, rest)),
        _ => None,
    }
}

/// Text stays text; numbers, truths, lists and tables are read as TOML.
fn read(value: &str, shape: Option<Shape>) -> Value {
    let is_text = !matches!(
        shape,
        Some(
            Shape::Boolean
                | Shape::Integer { .. }
                | Shape::List(_)
                | Shape::OneOrMany(_)
                | Shape::Table(_)
                | Shape::Tagged { .. }
        )
    );
    let toml = (!is_text).then(|| Source::new("environment", &format!("value = {value}\n")));
    let tree = toml.and_then(|source| node::parse(&source, &Environment::default(), &mut Vec::new()));
    let text = || Value::Text(Text { value: value.to_owned(), verbatim: None, foreign: true });
    tree.and_then(|tree| tree.get("value").cloned()).map_or_else(text, |node| node.value)
}

/// Gives a value and all in it the variable's name as its place.
fn move_to(node: &mut Node, source: &Source) {
    node.source = source.clone();
    node.span = 0..source.text.len();
    match &mut node.value {
        Value::Text(text) => (text.verbatim, text.foreign) = (None, true),
        Value::List(items) => items.iter_mut().for_each(|item| move_to(item, source)),
        Value::Table(entries) => {
            for entry in entries {
                entry.key_span = 0..source.text.len();
                move_to(&mut entry.node, source);
            }
        }
        Value::Integer(_) | Value::Decimal(_) | Value::Boolean(_) | Value::Time(_) => {}
    }
}

fn put(tree: &mut Node, path: &[String], node: Node, source: &Source) -> bool {
    let Value::Table(entries) = &mut tree.value else { return false };
    let Some((first, rest)) = path.split_first() else { return false };
    let key_span = node.span.clone();
    let at = entries.iter().position(|entry| entry.key == *first).unwrap_or_else(|| {
        let empty = Node { source: source.clone(), span: key_span.clone(), value: Value::Table(Vec::new()) };
        entries.push(Entry { key: first.clone(), key_span, node: empty });
        entries.len() - 1
    });
    if rest.is_empty() {
        entries[at].key_span = node.span.clone();
        entries[at].node = node;
        return true;
    }
    put(&mut entries[at].node, rest, node, source)
}
