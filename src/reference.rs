//! The reference: what can be named and called in conditions and templates, and why a message may not go.
//!
//! `explain` prints it, `docs/reference.md` is made from it.
//!
//! 1. Nothing is told here that the code does not take its names from: functions from `expr`, helpers from `messages`,
//!    reasons from `touchpoints`, fields from the catalogue at hand.
//! 2. Every entry has one sentence and one example; tests compile the examples.

use crate::catalogue::{CUSTOMER, Catalogue, Entity, Field, Type};
use crate::expr::functions::{CALLED, Function, ON_LISTS, ON_TEXT};
use crate::expr::{Clause, Scope};
use crate::messages::reference::{About, BLOCKS};
use crate::messages::{BUSINESS, Helper, LINKS, OFFER};
use crate::touchpoints::Reason;
use std::fmt::Write;

/// One entry of the reference.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Entry {
    /// What it belongs to: `on lists`, an entity, a gate.
    pub group: String,
    pub name: String,
    pub meaning: String,
    pub example: String,
    /// The entity that the example is a condition or a text of.
    pub entity: Option<String>,
    /// Of a field.
    pub ty: Option<String>,
    /// How a template prints a field.
    pub template: Option<String>,
}

impl Entry {
    fn new(group: &str, name: &str, meaning: &str, example: &str) -> Self {
        let [group, name, meaning, example] = [group, name, meaning, example].map(str::to_owned);
        Self { group, name, meaning, example, entity: None, ty: None, template: None }
    }

    fn of(self, entity: &str) -> Self {
        Self { entity: Some(entity.to_owned()), ..self }
    }
}

/// The functions of conditions.
pub fn functions() -> Vec<Entry> {
    let groups: [(&str, &[Function]); 3] =
        [("by themselves", &CALLED), ("on a text", &ON_TEXT), ("on a list", &ON_LISTS)];
    let entry = |group, function: &Function| Entry::new(group, function.name, function.meaning, function.form);
    groups.into_iter().flat_map(|(group, all)| all.iter().map(move |function| entry(group, function))).collect()
}

/// The helpers and blocks of templates.
pub fn called_in_templates() -> Vec<Entry> {
    let entry = |group: &str, about: About| Entry::new(group, about.name, about.meaning, about.form).of(about.entity);
    let blocks = BLOCKS.iter().map(|about| entry("blocks", *about));
    blocks.chain(Helper::ALL.iter().map(|helper| entry("helpers", helper.about()))).collect()
}

/// Why a message did not go, by the gate that refuses.
pub fn reasons() -> Vec<Entry> {
    let entry = |reason: &Reason| Entry::new(reason.gate(), reason.as_str(), reason.meaning(), reason.example());
    Reason::ALL.iter().map(entry).collect()
}

/// What can be named of an entity, or of every one; with the names that every template has. `None` where there is no
/// such entity.
pub fn fields(catalogue: &Catalogue, of: Option<&str>) -> Option<Vec<Entry>> {
    let mut entries = Vec::new();
    match of {
        Some(name) => entries.extend(members(catalogue, catalogue.entity(name)?)),
        None => {
            entries.extend(members(catalogue, catalogue.customer()));
            let others = catalogue.entities.values().filter(|entity| entity.name != CUSTOMER);
            entries.extend(others.flat_map(|entity| members(catalogue, entity)));
            entries.extend(everywhere());
        }
    }
    Some(entries)
}

fn members(catalogue: &Catalogue, entity: &Entity) -> Vec<Entry> {
    let owner = entity.name.as_str();
    let mut entries = Vec::new();
    for field in &entity.fields {
        let path = format!("{owner}.{}", field.name);
        let mut meaning = String::new();
        if !field.one_of.is_empty() {
            let _ = write!(meaning, "one of {}", listed(&field.one_of));
        } else if field.name == entity.key {
            meaning.push_str("the key: what tells one from another");
        } else if field.required {
            meaning.push_str("always there");
        } else {
            meaning.push_str("may be missing");
        }
        let mut entry = Entry::new(owner, &path, &meaning, &condition(field, &path)).of(owner);
        entry.ty = Some(field.ty.name().to_owned());
        entry.template = Some(printed(field.ty, &path, field.required || field.name == entity.key));
        entries.push(entry);
    }
    for computed in &entity.computed {
        let path = format!("{owner}.{}", computed.name);
        let scope = Scope { catalogue, root: owner };
        let Ok(ty) = Clause::check_computed(&computed.text, scope) else { continue };
        let field = Field::new(&computed.name, ty);
        let meaning = format!("worked out: `{}`", computed.text);
        let mut entry = Entry::new(owner, &path, &meaning, &condition(&field, &path)).of(owner);
        entry.ty = Some(ty.name().to_owned());
        entries.push(entry);
    }
    for link in &entity.belongs_to {
        let Some(target) = catalogue.entity(&link.entity) else { continue };
        let path = format!("{owner}.{}", link.entity);
        let example = format!("has({path}.{})", target.key);
        let mut entry =
            Entry::new(owner, &path, &format!("the {} it belongs to, with its fields", link.entity), &example)
                .of(owner);
        entry.ty = Some(format!("one {}", link.entity));
        entries.push(entry);
    }
    for plural in catalogue.lists(owner) {
        let path = format!("{owner}.{plural}");
        let example = format!("{path}.size() >= 3");
        let Some((_, child)) = catalogue.many(owner, plural) else { continue };
        let meaning = format!("all {plural} of the {owner}; each has the fields of `{}`", child.name);
        let mut entry = Entry::new(owner, &path, &meaning, &example).of(owner);
        entry.ty = Some(format!("list of {}", child.name));
        entries.push(entry);
    }
    entries
}

/// A condition with a field, as an example.
pub fn condition(field: &Field, path: &str) -> String {
    match (field.ty, field.one_of.first()) {
        // A text of JSON is one of conditions, too.
        (Type::Text, Some(word)) => format!("{path} == {}", serde_json::json!(word)),
        (Type::Text, None) => format!("{path} == \"…\""),
        (Type::Integer | Type::Decimal(_) | Type::Money, _) => format!("{path} >= 20"),
        (Type::Boolean, _) => path.to_owned(),
        (Type::Date, _) => format!("days_since({path}) >= 30"),
        (Type::Timestamp, _) => format!("{path} > ago(\"30d\")"),
    }
}

fn printed(ty: Type, path: &str, is_always_there: bool) -> String {
    let tag = match ty {
        Type::Text => format!("{{{{{path}}}}}"),
        Type::Integer | Type::Decimal(_) => format!("{{{{number {path}}}}}"),
        Type::Money => format!("{{{{money {path}}}}}"),
        Type::Date | Type::Timestamp => format!("{{{{date {path}}}}}"),
        Type::Boolean => return format!("{{{{#if {path}}}}}…{{{{/if}}}}"),
    };
    match ty {
        _ if is_always_there => tag,
        // Nothing is left is worth telling, and `if` alone takes a zero for nothing.
        Type::Integer | Type::Decimal(_) | Type::Money => format!("{{{{#if (gte {path} 0)}}}}{tag}{{{{/if}}}}"),
        _ => format!("{{{{#if {path}}}}}{tag}{{{{/if}}}}"),
    }
}

/// What every message has beside the data.
fn everywhere() -> Vec<Entry> {
    let mut entries = vec![
        Entry::new("everywhere", "now", "the instant at which the rule looks; in a template when it is written", "now"),
        Entry::new("everywhere", "topic.name", "what customers call the rule's topic; in templates", "{{topic.name}}"),
    ];
    let mut add = |group: &str, name: &str, meaning: &str| {
        let path = format!("{group}.{name}");
        entries.push(Entry::new("everywhere", &path, meaning, &format!("{{{{{path}}}}}")));
    };
    BUSINESS.iter().for_each(|name| add("business", name, "from `[business]` of plusone.toml; in templates"));
    LINKS.iter().for_each(|name| add("links", name, "the address of a page that belongs to the message; in templates"));
    OFFER.iter().for_each(|(name, _)| add("offer", name, "of the offer, in templates of rules that have one"));
    entries
}

fn listed(words: &[String]) -> String {
    words.iter().map(|word| format!("`{word}`")).collect::<Vec<_>>().join(", ")
}

const HEAD: &str = "# Reference

What conditions can call, what templates can call, and why a message did not go. `plusone explain functions`, `helpers`
and `reasons` say the same on a terminal; `plusone explain fields` lists what your own `data.toml` has to name, with an
example of each.

This page is made from the program's own tables. How conditions are put together is told in
[conditions](conditions.md), how templates are in [templates](templates.md).
";

/// `docs/reference.md`.
pub fn page() -> String {
    let mut text = HEAD.to_owned();
    for (title, entries) in [("Functions", functions()), ("Helpers", called_in_templates()), ("Reasons", reasons())] {
        let _ = writeln!(text, "\n## {title}");
        let mut group = "";
        for entry in &entries {
            if group != entry.group && title != "Reasons" {
                let _ = writeln!(text, "\n### {}\n\n| | | |\n|---|---|---|", capital(&entry.group));
            } else if group.is_empty() {
                let _ = writeln!(text, "\n| reason | is | such as |\n|---|---|---|");
            }
            group = &entry.group;
            let example = if title == "Reasons" { entry.example.clone() } else { format!("`{}`", entry.example) };
            let cell = |text: &str| text.replace('|', "\\|");
            let _ = writeln!(text, "| `{}` | {} | {} |", entry.name, cell(&entry.meaning), cell(&example));
        }
    }
    text
}

fn capital(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}
