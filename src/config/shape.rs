//! Whether a tree has the shape that the tables of [`super::keys`] give it, and the defaults filled in.
//!
//! 1. Every key and value is looked at; every problem is reported once.
//! 2. After this the readers may trust shapes wherever no problem was reported.

use super::forms::{self, Wrong};
use super::keys::{Default, Key, Named, Section, Shape};
use super::node::{Entry, Node, Value};
use crate::problem::{Problem, Source, nearest};

/// More words than this are not listed beside the nearest.
const MANY: usize = 12;

/// Checks `node` against `section` and fills in what is not written.
pub fn check(node: &mut Node, section: &'static Section, problems: &mut Vec<Problem>) {
    let Value::Table(entries) = &mut node.value else {
        problems.push(unfit(node, &Shape::Table(section), None));
        return;
    };
    for entry in entries.iter_mut() {
        match (section.key(&entry.key), section.named) {
            (Some(key), _) => check_value(&mut entry.node, &key.shape, Some(key), problems),
            (None, Some(named)) => check_named(entry, &named, section, problems),
            (None, None) => problems.push(unknown(entry, section)),
        }
    }
    for key in section.keys {
        if node.get(key.name).is_none() {
            absent(node, section, key, problems);
        }
    }
}

/// The entry that reads like a slip of `key`, which is one of the section's. It was told as that: nobody is told
/// besides that the key is missing.
pub fn misspelt<'n>(node: &'n Node, section: &Section, key: &str) -> Option<&'n Entry> {
    let known = || section.keys.iter().map(|key| key.name);
    let mut others = node.entries().iter().filter(|entry| section.key(&entry.key).is_none());
    others.find(|entry| nearest(&entry.key, known()) == Some(key))
}

fn absent(node: &mut Node, section: &Section, key: &'static Key, problems: &mut Vec<Problem>) {
    match key.default {
        Default::Required => match misspelt(node, section, key.name) {
            // It passed as a name that a user chose.
            Some(entry) if section.named.is_some() => problems.push(unknown(entry, section)),
            Some(_) => {}
            None => {
                let message = format!("{} has no `{}`", section.what, key.name);
                let others = match key.shape {
                    Shape::OneOf(words) => {
                        let words: Vec<String> = words.iter().map(|word| format!("`\"{word}\"`")).collect();
                        format!(" (it is one of {})", words.join(", "))
                    }
                    _ => String::new(),
                };
                let help = format!("add `{} = {}`{others}: {}", key.name, key.example, key.about);
                problems.push(node.error(message).help(help));
            }
        },
        Default::Otherwise(_) => {}
        Default::Value(toml) => {
            let mut value = default_value(key, toml);
            check_value(&mut value, &key.shape, Some(key), problems);
            if let Value::Table(entries) = &mut node.value {
                entries.push(Entry { key: key.name.to_owned(), key_span: 0..0, node: value });
            }
        }
    }
}

fn default_value(key: &Key, toml: &str) -> Node {
    let source = Source::new("defaults", &format!("{} = {toml}\n", key.name));
    let environment = super::environment::Environment::default();
    let tree = super::node::parse(&source, &environment, &mut Vec::new());
    tree.and_then(|tree| tree.get(key.name).cloned()).expect("a test reads every default of the tables")
}

fn check_named(entry: &mut Entry, named: &Named, section: &Section, problems: &mut Vec<Problem>) {
    if !named.form.admits(&entry.key) {
        let near = nearest(&entry.key, section.keys.iter().map(|key| key.name));
        let help = match near {
            Some(near) => format!("the nearest key is `{near}`"),
            None => format!("a name is {}", named.form.rule()),
        };
        problems.push(entry.key_error(format!("`{}` is not a good {} name", entry.key, named.what)).help(help));
    }
    if !section.keys.is_empty() && !fits(&entry.node, &named.shape) {
        problems.push(unknown(entry, section));
        return;
    }
    check_value(&mut entry.node, &named.shape, None, problems);
}

fn unknown(entry: &Entry, section: &Section) -> Problem {
    let known = || section.keys.iter().map(|key| key.name);
    let help = match nearest(&entry.key, known()) {
        Some(near) => format!("the nearest known key is `{near}`"),
        None => format!("known keys: {}", known().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")),
    };
    entry.key_error(format!("`{}` is not a key of {}", entry.key, section.what)).help(help)
}

fn check_value(node: &mut Node, shape: &Shape, key: Option<&Key>, problems: &mut Vec<Problem>) {
    if !fits(node, shape) {
        problems.push(unfit(node, shape, key));
        return;
    }
    match shape {
        Shape::Table(section) => check(node, section, problems),
        Shape::Tagged { tag, variants } => check_tagged(node, tag, variants, problems),
        Shape::Either(shapes) => {
            let fitting = shapes.iter().find(|shape| fits(node, shape)).expect("one of them fits");
            check_value(node, fitting, key, problems);
        }
        Shape::List(inner) => check_items(node, inner, key, problems),
        Shape::OneOrMany(inner) => match node.value {
            Value::List(_) => check_items(node, inner, key, problems),
            _ => check_value(node, inner, key, problems),
        },
        leaf => problems.extend(check_leaf(node, leaf)),
    }
}

fn check_items(node: &mut Node, inner: &Shape, key: Option<&Key>, problems: &mut Vec<Problem>) {
    if let Value::List(items) = &mut node.value {
        items.iter_mut().for_each(|item| check_value(item, inner, key, problems));
    }
}

fn check_tagged(
    node: &mut Node,
    tag: &str,
    variants: &'static [(&'static str, &'static Section)],
    problems: &mut Vec<Problem>,
) {
    let chosen = node.get(tag).and_then(Node::text);
    if let Some((_, section)) = variants.iter().find(|(name, _)| Some(*name) == chosen) {
        return check(node, section, problems);
    }
    let names: Vec<&str> = variants.iter().map(|(name, _)| *name).collect();
    problems.push(match node.get(tag) {
        Some(written) => not_one_of(written, &names),
        None => match variants.iter().find_map(|(_, section)| Some((misspelt(node, section, tag)?, section))) {
            Some((entry, section)) => unknown(entry, section),
            None => node.error(format!("`{tag}` is missing")).help(format!("add `{tag} = \"{}\"`", names[0])),
        },
    });
}

fn check_leaf(node: &Node, shape: &Shape) -> Option<Problem> {
    let checked: Result<(), Wrong> = match shape {
        Shape::Text | Shape::Secret | Shape::SourceFile => {
            let blank = node.text().is_some_and(|text| text.trim().is_empty());
            return blank.then(|| node.error("this text is empty").help("write a value, or leave the key out"));
        }
        Shape::Integer { min, max } => return out_of_range(node, *min, *max),
        Shape::OneOf(words) => {
            let known = node.text().is_some_and(|text| words.contains(&text));
            return (!known).then(|| not_one_of(node, words));
        }
        Shape::RuleZone => rule_zone(node),
        Shape::Money => forms::money(node).map(drop),
        Shape::Share => forms::share(node).map(drop),
        Shape::Span => forms::span(node).map(drop),
        Shape::Rate => forms::rate(node).map(drop),
        Shape::Zone => forms::zone(node).map(drop),
        Shape::Date => forms::date(node).map(drop),
        Shape::Window => forms::window(node).map(drop),
        Shape::OpenHours => forms::open_hours(node),
        Shape::CapWindow => forms::cap_window(node).map(drop),
        _ => Ok(()),
    };
    let wrong = checked.err()?;
    Some(node.error(format!("`{}` is not {}", node.shown(), wrong.what)).help(wrong.help))
}

fn rule_zone(node: &Node) -> Result<(), Wrong> {
    match node.text() {
        Some("business" | "customer") => Ok(()),
        _ => forms::zone(node).map(drop),
    }
}

fn out_of_range(node: &Node, min: i64, max: i64) -> Option<Problem> {
    let Value::Integer(number) = node.value else { return None };
    let help = if max == i64::MAX { format!("at least {min}") } else { format!("from {min} to {max}") };
    (!(min..=max).contains(&number)).then(|| node.error(format!("{number} is out of range")).help(help))
}

fn not_one_of(node: &Node, words: &[&str]) -> Problem {
    let shown = node.shown();
    let all = words.iter().map(|word| format!("`{word}`")).collect::<Vec<_>>().join(", ");
    let parts: Vec<&str> = shown.split([',', ' ']).filter(|part| !part.is_empty()).collect();
    if parts.len() > 1 && parts.iter().all(|part| words.contains(part)) {
        let list = parts.iter().map(|part| format!("\"{part}\"")).collect::<Vec<_>>().join(", ");
        return node.error(format!("`{shown}` is one text here")).help(format!("write a list: `[{list}]`"));
    }
    let near = nearest(&shown, words.iter().copied());
    let near = near.or_else(|| words.iter().copied().find(|word| shown.len() > 2 && word.starts_with(&shown)));
    let help = match near {
        Some(near) if words.len() > MANY => format!("the nearest is `{near}`"),
        Some(near) => format!("the nearest is `{near}`; known are {all}"),
        None => format!("known are {all}"),
    };
    node.error(format!("`{shown}` is not known here")).help(help)
}

/// Whether the kind of TOML value is right; what it says is not looked at.
fn fits(node: &Node, shape: &Shape) -> bool {
    let value = &node.value;
    match shape {
        Shape::Boolean => matches!(value, Value::Boolean(_)),
        Shape::Integer { .. } => matches!(value, Value::Integer(_)),
        Shape::Money => matches!(value, Value::Text(_) | Value::Integer(_) | Value::Decimal(_)),
        Shape::Date => matches!(value, Value::Time(_)),
        Shape::Moment => matches!(value, Value::Time(_) | Value::Text(_)),
        Shape::Rows => matches!(value, Value::Table(_) | Value::List(_)),
        Shape::Consent => matches!(value, Value::Table(_)),
        Shape::List(_) => matches!(value, Value::List(_)),
        Shape::OneOrMany(inner) => matches!(value, Value::List(_)) || fits(node, inner),
        Shape::Either(shapes) => shapes.iter().any(|shape| fits(node, shape)),
        Shape::Table(_) | Shape::Tagged { .. } => matches!(value, Value::Table(_)),
        _ => matches!(value, Value::Text(_)),
    }
}

fn unfit(node: &Node, shape: &Shape, key: Option<&Key>) -> Problem {
    let problem = node.error(format!("this takes {}, not {}", wanted(shape), node.kind()));
    match key {
        Some(key) => problem.help(format!(
            "write `{} = {}`",
            key.name,
            meant(node, shape).unwrap_or_else(|| key.example.to_owned())
        )),
        None => problem,
    }
}

/// What was meant by a value of another kind, as it should be written.
fn meant(node: &Node, shape: &Shape) -> Option<String> {
    match (shape, &node.value) {
        (Shape::Span, Value::Integer(days)) => Some(format!("\"{days}d\"")),
        (Shape::Date, Value::Text(text)) => text.value.parse::<crate::time::Date>().ok().map(|date| date.to_string()),
        (Shape::Boolean | Shape::Either([Shape::Boolean, ..]), Value::Text(text)) => {
            Some(text.value.to_lowercase()).filter(|word| word == "true" || word == "false")
        }
        (Shape::Text, Value::List(items)) => match &items[..] {
            [only] => only.text().map(|text| format!("\"{text}\"")),
            _ => None,
        },
        _ => None,
    }
}

/// The kind of TOML value a shape wants, in words.
pub fn wanted(shape: &Shape) -> String {
    match shape {
        Shape::Boolean => "true or false".to_owned(),
        Shape::Integer { .. } => "a whole number".to_owned(),
        Shape::Money => "a number".to_owned(),
        Shape::Date => "a date".to_owned(),
        Shape::Moment => "a date or time".to_owned(),
        Shape::Rows => "a row in braces, or a list of them".to_owned(),
        Shape::Consent => "a table".to_owned(),
        Shape::List(_) => "a list".to_owned(),
        Shape::OneOrMany(inner) => format!("{} or a list", wanted(inner)),
        Shape::Either(shapes) => shapes.iter().map(wanted).collect::<Vec<_>>().join(" or "),
        Shape::Table(_) | Shape::Tagged { .. } => "a table".to_owned(),
        _ => "text".to_owned(),
    }
}
