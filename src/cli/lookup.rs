//! CUSTOMER on the command line: an id, an email address, a phone number in any notation, or `order:1234`.

use super::{Failure, opened::Opened};
use crate::catalogue::Catalogue;
use crate::problem::nearest;
use crate::store::db::{Db, StoreError};
use crate::store::find::{Role, by_role, owners_of};
use crate::store::log::{Filter, log};
use futures_util::TryStreamExt;

/// The ids of the customers that `text` names; `country` says how a number without a `+` is read.
///
/// An id counts also when the customer's row is gone and only touchpoints remain.
pub async fn find_customers(
    db: &Db,
    catalogue: &Catalogue,
    country: &str,
    text: &str,
) -> Result<Vec<String>, StoreError> {
    if let Some((kind, key)) = text.split_once(':')
        && let Some(entity) = catalogue.entity(kind).filter(|entity| catalogue.is_owned(&entity.name))
    {
        return owners_of(db, entity, key).await;
    }
    let by_id = owners_of(db, catalogue.customer(), text).await?;
    if !by_id.is_empty() {
        return Ok(by_id);
    }
    if text.contains('@') {
        return by_role(db, catalogue, Role::Email, text).await;
    }
    if let Some(phone) = e164(text, country) {
        let by_phone = by_role(db, catalogue, Role::Phone, &phone).await?;
        if !by_phone.is_empty() {
            return Ok(by_phone);
        }
    }
    let touched = Filter { customer: Some(text.to_owned()), limit: Some(1), ..Filter::default() };
    log(db, &touched).map_ok(|touchpoint| touchpoint.customer).try_collect().await
}

/// The one customer that `text` names.
///
/// # Errors
/// When it names nobody, or more than one: two customers may share an address.
pub async fn the_customer(opened: &Opened, text: &str) -> Result<String, Failure> {
    let country = &opened.settings.business.country;
    let mut found = find_customers(&opened.db, &opened.catalogue, country, text).await?;
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

/// `text` as a phone number in E.164, where it is a valid one.
pub fn e164(text: &str, country: &str) -> Option<String> {
    let number = phonenumber::parse(country.parse().ok(), text).ok()?;
    number.is_valid().then(|| number.format().mode(phonenumber::Mode::E164).to_string())
}

#[cfg(test)]
mod tests {
    use super::e164;

    #[test]
    fn a_number_is_read_in_any_notation() {
        for text in ["020 7183 8750", "+44 20 7183 8750", "(020) 7183-8750", "0044 20 7183 8750"] {
            assert_eq!(e164(text, "GB").as_deref(), Some("+442071838750"), "{text}");
        }
        for text in ["", "17", "Ada", "+44"] {
            assert_eq!(e164(text, "GB"), None, "{text}");
        }
    }
}
