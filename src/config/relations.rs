//! How the entities of `data.toml` hang together: links that lead somewhere, names that mean one thing,
//! no circles, computed fields that can be computed.

use super::node::{Entry, Node};
use crate::catalogue::{CUSTOMER, Catalogue, Entity, Place};
use crate::expr::{Clause, Scope};
use crate::problem::{Problem, nearest};

/// Checks the whole catalogue; `tree` gives the places.
pub fn check(catalogue: &Catalogue, tree: &Node, problems: &mut Vec<Problem>) {
    for entry in tree.entries() {
        let Some(entity) = catalogue.entity(&entry.key).filter(|entity| entity.place != Place::BuiltIn) else {
            continue;
        };
        if entity.name == "event" {
            continue;
        }
        check_links(catalogue, entry, problems);
        check_plural(catalogue, tree, entity, entry, problems);
        check_hidden(catalogue, entity, entry, problems);
        check_circle(catalogue, entity, entry, problems);
        check_computed(catalogue, entity, entry, problems);
    }
}

fn links(entry: &Entry) -> &[Entry] {
    entry.node.get("belongs_to").map_or(&[], Node::entries)
}

fn check_links(catalogue: &Catalogue, entry: &Entry, problems: &mut Vec<Problem>) {
    for link in links(entry) {
        let declared = |name: &str| catalogue.entity(name).is_some_and(|entity| !is_record(entity));
        if declared(&link.key) {
            continue;
        }
        let known = catalogue.entities.values().filter(|entity| !is_record(entity)).map(|entity| entity.name.as_str());
        let problem = link.key_error(format!("there is no entity `{}`", link.key));
        problems.push(match nearest(&link.key, known) {
            Some(near) => problem.help(format!("the nearest entity is `{near}`")),
            None => problem.help(format!("declare it: `[{}]` with `key` and `fields`", link.key)),
        });
    }
}

/// Whether these are plusone's own records.
fn is_record(entity: &Entity) -> bool {
    entity.place == Place::BuiltIn || entity.name == "event"
}

fn check_plural(catalogue: &Catalogue, tree: &Node, entity: &Entity, entry: &Entry, problems: &mut Vec<Problem>) {
    let twin = catalogue.entities.values().find(|other| other.name != entity.name && other.plural == entity.plural);
    let Some(twin) = twin else { return };
    let written = |name: &str| tree.get(name).and_then(|entity| entity.get("plural"));
    // Told once: where the plural is written, else at the later one in the alphabet.
    let is_told_here = (written(&entity.name).is_some(), &entity.name) > (written(&twin.name).is_some(), &twin.name);
    if is_record(twin) || is_told_here {
        let message = format!("`{}` and `{}` both have the plural `{}`", twin.name, entity.name, entity.plural);
        let problem = match written(&entity.name) {
            Some(node) => node.error(message),
            None => entry.key_error(message),
        };
        problems.push(problem.help(format!("say another: `plural = \"{}_list\"`", entity.name)));
    }
}

/// A field of the name of a relation would hide it.
fn check_hidden(catalogue: &Catalogue, entity: &Entity, entry: &Entry, problems: &mut Vec<Problem>) {
    let lists = catalogue.lists(&entity.name);
    let parents: Vec<&str> = entity.belongs_to.iter().map(|link| link.entity.as_str()).collect();
    for section in ["fields", "computed"] {
        for field in entry.node.get(section).map_or(&[][..], Node::entries) {
            if lists.contains(&field.key.as_str()) || parents.contains(&field.key.as_str()) {
                let message = format!("the field `{}` hides the relation of that name", field.key);
                problems.push(field.key_error(message).help("name the field otherwise and say its `column`"));
            }
        }
    }
}

fn check_circle(catalogue: &Catalogue, entity: &Entity, entry: &Entry, problems: &mut Vec<Problem>) {
    let Some(circle) = circle(catalogue, entity) else { return };
    // Each circle is told once, at its first entity in the alphabet.
    if circle.iter().min() != Some(&entity.name.as_str()) {
        return;
    }
    let path: Vec<String> =
        circle.iter().chain(std::iter::once(&entity.name.as_str())).map(|name| format!("`{name}`")).collect();
    let message = format!("these belong to each other in a circle: {}", path.join(" to "));
    let problem = match entry.node.get("belongs_to") {
        Some(node) => node.error(message),
        None => entry.key_error(message),
    };
    let help = if entity.name == CUSTOMER { "customers' data belongs to the customer" } else { "take one link out" };
    problems.push(problem.help(help));
}

/// Computed fields are compiled here, whether a rule uses them or not.
fn check_computed(catalogue: &Catalogue, entity: &Entity, entry: &Entry, problems: &mut Vec<Problem>) {
    let scope = Scope { catalogue, root: &entity.name };
    for computed in entry.node.get("computed").map_or(&[][..], Node::entries) {
        let faults = computed.node.text().and_then(|text| Clause::check_computed(text, scope).err());
        problems.extend(faults.into_iter().flatten().map(|fault| computed.node.fault(fault)));
    }
}

/// The entities on a way of links from `entity` back to itself, `entity` first.
fn circle<'a>(catalogue: &'a Catalogue, entity: &'a Entity) -> Option<Vec<&'a str>> {
    let mut ways = vec![vec![entity.name.as_str()]];
    let mut seen = Vec::new();
    while let Some(way) = ways.pop() {
        let last = way[way.len() - 1];
        for link in catalogue.entity(last).map_or(&[][..], |entity| &entity.belongs_to) {
            if link.entity == entity.name {
                return Some(way);
            }
            if !seen.contains(&link.entity.as_str()) {
                seen.push(link.entity.as_str());
                let mut longer = way.clone();
                longer.push(&link.entity);
                ways.push(longer);
            }
        }
    }
    None
}
