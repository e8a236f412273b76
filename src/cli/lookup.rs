//! CUSTOMER on the command line: an id, an email address, a phone number in any notation, or `order:1234`.

use super::{Failure, opened::Opened};
use crate::data::find::find_customer;
use crate::problem::nearest;
use crate::store::log::{Filter, log};
use futures_util::TryStreamExt;

/// The one customer that `text` names.
///
/// # Errors
/// When it names nobody, or more than one: two customers may share an address.
pub async fn the_customer(opened: &Opened, text: &str) -> Result<String, Failure> {
    let country = &opened.settings.business.country;
    let mut found = find_customer(&opened.db, &opened.catalogue, country, text).await?;
    if found.is_empty() {
        // A customer whose row is gone still has touchpoints.
        let touched = Filter { customer: Some(text.to_owned()), limit: Some(1), ..Filter::default() };
        found = log(&opened.db, &touched).map_ok(|touchpoint| touchpoint.customer).try_collect().await?;
    }
    found.sort();
    found.dedup();
    match found.len() {
        1 => Ok(found.remove(0)),
        0 => Err(Failure::failed(nobody(opened, text))),
        _ => Err(Failure::failed(format!("`{text}` names more than one customer: {}", found.join(", ")))),
    }
}

fn nobody(opened: &Opened, text: &str) -> String {
    let named = format!("no customer is named by `{text}`");
    if let Some((kind, _)) = text.split_once(':')
        && opened.catalogue.entity(kind).is_none()
        && let Some(near) = nearest(kind, opened.catalogue.entities.keys().map(String::as_str))
    {
        return format!("{named}: data.toml has no `{kind}`, the nearest is `{near}`");
    }
    format!("{named}: write an id, an email address, a phone number or `order:1234`; `plusone find` searches")
}
