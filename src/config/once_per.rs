//! `once_per`: what makes a message for a customer unique under a rule, and its defaults.

use super::reader::Reader;
use crate::catalogue::{CUSTOMER, Catalogue};
use crate::problem::{Problem, nearest};
use crate::rules::{OncePart, OncePer, Period};
use crate::time::Span;

/// Reads `once_per` of a rule for rows of `for_each`.
pub fn read(
    root: Reader<'_>,
    for_each: &str,
    again_after: Option<Span>,
    catalogue: &Catalogue,
    problems: &mut Vec<Problem>,
) -> Option<OncePer> {
    let written = root.texts("once_per");
    if root.get("once_per").is_none() {
        return Some(default(for_each, again_after));
    }
    let known = known_names(for_each, catalogue);
    let mut parts: Vec<OncePart> = Vec::new();
    for (node, text) in written {
        match part(text, &known) {
            Some(part) if parts.contains(&part) => problems.push(node.error(format!("`{text}` is named twice"))),
            Some(part) => parts.push(part),
            None => {
                let problem = node.error(format!("`{text}` does not tell messages of this rule apart"));
                problems.push(match nearest(text, known.iter().map(String::as_str)) {
                    Some(near) => problem.help(format!("the nearest that does is `{near}`")),
                    None => problem.help(format!("what does: {}, or a field such as `{for_each}.…`", quoted(&known))),
                });
            }
        }
    }
    if parts.is_empty() {
        if let Some(list) = root.get("once_per").filter(|node| node.is_empty_list()) {
            problems
                .push(list.error("nothing is named").help("leave `once_per` out, or name what makes a message unique"));
        }
        return None;
    }
    Some(OncePer::Parts(parts))
}

fn quoted(names: &[String]) -> String {
    let plain = names.iter().filter(|name| !name.contains('.'));
    plain.map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")
}

fn default(for_each: &str, again_after: Option<Span>) -> OncePer {
    match (for_each == CUSTOMER, again_after) {
        (true, Some(_)) => OncePer::Numbered,
        (true, None) => OncePer::Parts(vec![OncePart::Customer]),
        (false, _) => OncePer::Parts(vec![OncePart::Entity(for_each.to_owned())]),
    }
}

fn part(text: &str, known: &[String]) -> Option<OncePart> {
    if text == CUSTOMER {
        return Some(OncePart::Customer);
    }
    if let Ok(period) = text.parse::<Period>() {
        return Some(OncePart::Period(period));
    }
    if !known.iter().any(|name| name == text) {
        return None;
    }
    Some(match text.split_once('.') {
        None => OncePart::Entity(text.to_owned()),
        Some((entity, field)) => OncePart::Field { entity: entity.to_owned(), field: field.to_owned() },
    })
}

/// Every name that `once_per` may have: periods, entities, fields.
fn known_names(for_each: &str, catalogue: &Catalogue) -> Vec<String> {
    let mut names = vec![CUSTOMER.to_owned()];
    names.extend(Period::ALL.iter().map(ToString::to_string));
    for entity in reachable(for_each, catalogue) {
        if entity != CUSTOMER {
            names.push(entity.to_owned());
        }
        let fields = catalogue.entity(entity).map_or(&[][..], |entity| &entity.fields);
        names.extend(fields.iter().map(|field| format!("{entity}.{}", field.name)));
    }
    names
}

/// The entity itself and all it belongs to, nearest first.
fn reachable<'a>(for_each: &'a str, catalogue: &'a Catalogue) -> Vec<&'a str> {
    let mut names = vec![for_each];
    let mut next = 0;
    while next < names.len() {
        for link in catalogue.entity(names[next]).map_or(&[][..], |entity| &entity.belongs_to) {
            if !names.contains(&link.entity.as_str()) {
                names.push(&link.entity);
            }
        }
        next += 1;
    }
    names
}
