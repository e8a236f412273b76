//! What people name on the command line: CUSTOMER as an id, an email address, a phone number in any notation, or
//! `order:1234`, and RULE.
//!
//! 1. What changes something about a person takes no name for one: names are shared, and mistaken.

use super::{Failure, complain, opened::Opened};
use crate::data::find::find_customer;
use crate::problem::nearest;
use crate::store::find::{FoundCustomer, Needle, find};
use crate::store::log::{Filter, log};
use futures_util::TryStreamExt;

/// How many people of one name are told.
const SHOWN: usize = 3;

/// The rule that `name` most likely means: one whose name holds it, or is spelled much like it.
pub fn nearest_rule<'a>(name: &str, known: impl IntoIterator<Item = &'a str> + Clone) -> Option<&'a str> {
    let wanted = name.to_lowercase();
    let holds = |rule: &&str| wanted.len() > 2 && rule.contains(&wanted);
    known.clone().into_iter().find(holds).or_else(|| nearest(name, known))
}

/// That there is no rule of that name.
pub fn no_rule<'a>(name: &str, known: impl IntoIterator<Item = &'a str> + Clone) -> Failure {
    let near = nearest_rule(name, known);
    let near = near.map_or_else(|| "`plusone status` lists them".to_owned(), |near| format!("closest: {near}"));
    Failure::usage(format!("there is no rule {name}; {near}"))
}

/// The one customer that `text` names.
///
/// # Errors
/// When it names nobody, or more than one: two customers may share an address.
pub async fn the_customer(opened: &Opened, text: &str) -> Result<String, Failure> {
    match exactly(opened, text).await? {
        Some(customer) => Ok(customer),
        None => Err(nobody(opened, text, &by_name(opened, text).await?)),
    }
}

/// As [`the_customer`], for questions: also the only person of a name, which is said.
///
/// # Errors
/// As [`the_customer`].
pub async fn the_customer_or_name(opened: &Opened, text: &str) -> Result<String, Failure> {
    if let Some(customer) = exactly(opened, text).await? {
        return Ok(customer);
    }
    let people = by_name(opened, text).await?;
    let [only] = &people[..] else { return Err(nobody(opened, text, &people)) };
    complain(format_args!("`{text}` is customer {}", told(only)));
    Ok(only.customer.clone())
}

async fn exactly(opened: &Opened, text: &str) -> Result<Option<String>, Failure> {
    let country = &opened.settings.business.country;
    let mut found = find_customer(&opened.db, &opened.catalogue, country, text).await?;
    if found.is_empty() {
        // A customer whose row is gone still has touchpoints.
        let id = text.strip_prefix("customer:").unwrap_or(text);
        let touched = Filter { customer: Some(id.to_owned()), limit: Some(1), ..Filter::default() };
        found = log(&opened.db, &touched).map_ok(|touchpoint| touchpoint.customer).try_collect().await?;
    }
    found.sort();
    found.dedup();
    match found.len() {
        0 | 1 => Ok(found.pop()),
        _ => Err(Failure::failed(format!("`{text}` names more than one customer: {}", found.join(", ")))),
    }
}

/// The people whose texts hold every word of `text`: one more than are told.
async fn by_name(opened: &Opened, text: &str) -> Result<Vec<FoundCustomer>, Failure> {
    if text.contains(['@', ':']) || !text.contains(char::is_alphabetic) {
        return Ok(Vec::new());
    }
    let needle = Needle { text: text.to_owned(), phone: None };
    let found = find(&opened.db, &opened.catalogue, &needle, SHOWN + 1).await?;
    Ok(found.customers.into_iter().filter(|found| found.matched == "text").collect())
}

/// `17 (Karin)`.
fn told(person: &FoundCustomer) -> String {
    match person.name.as_ref().or(person.email.as_ref()) {
        Some(name) => format!("{} ({name})", person.customer),
        None => person.customer.clone(),
    }
}

fn nobody(opened: &Opened, text: &str, people: &[FoundCustomer]) -> Failure {
    let named = format!("no customer is named by `{text}`");
    if !people.is_empty() {
        let shown = people.iter().take(SHOWN).map(told).collect::<Vec<_>>().join(", ");
        let more = if people.len() > SHOWN { " and more (`plusone find` lists them)" } else { "" };
        return Failure::failed(format!("{named}: write the id of the one you mean: {shown}{more}"));
    }
    if let Some((kind, _)) = text.split_once(':')
        && opened.catalogue.entity(kind).is_none()
        && let Some(near) = nearest(kind, opened.catalogue.entities.keys().map(String::as_str))
    {
        return Failure::failed(format!("{named}: data.toml has no `{kind}`, the nearest is `{near}`"));
    }
    Failure::failed(format!(
        "{named}: write an id, an email address, a phone number or `order:1234`; `plusone find` searches"
    ))
}

#[cfg(test)]
mod tests {
    use super::nearest_rule;

    #[test]
    fn a_rule_is_meant_by_a_part_of_its_name_or_by_one_like_it() {
        let known = ["cards", "abandoned-cart", "wir-vermissen-sie"];
        for (name, rule) in [
            ("vermissen", Some("wir-vermissen-sie")),
            ("Cart", Some("abandoned-cart")),
            ("card", Some("cards")),
            ("abandoned-crat", Some("abandoned-cart")),
            ("e", None),
            ("newsletter", None),
        ] {
            assert_eq!(nearest_rule(name, known), rule, "{name}");
        }
    }
}
