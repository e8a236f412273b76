//! CUSTOMER as people name one: an id, an email address, a phone number in any notation, or `order:1234`.

use super::{DataError, addresses};
use crate::catalogue::{Catalogue, Entity};
use crate::ids::bucket_of;
use crate::store::db::Db;
use crate::store::rows;

/// The keys of the customers that `text` names; more than one where several share an address. `country` (ISO 3166-1
/// alpha-2) is how phone numbers without a `+` are dialled.
///
/// # Errors
/// When the database cannot be read.
pub async fn find_customer(
    db: &Db,
    catalogue: &Catalogue,
    country: &str,
    text: &str,
) -> Result<Vec<String>, DataError> {
    let text = text.trim();
    if let Some(entity) = named_entity(catalogue, text) {
        let key = text.split_once(':').map_or("", |(_, key)| key);
        return Ok(rows::owners_by(db, entity, &entity.key, key, None).await?);
    }
    let customer = catalogue.customer();
    let by_key = rows::owners_by(db, customer, &customer.key, text, Some(bucket_of(text))).await?;
    if !by_key.is_empty() {
        return Ok(by_key);
    }
    let (role, address) = if text.contains('@') {
        (&catalogue.roles.email, addresses::email(text))
    } else {
        (&catalogue.roles.phone, addresses::phone(text, addresses::country(country)))
    };
    let Some(field) = role else { return Ok(Vec::new()) };
    // What is not a good address may still be what the file said.
    let wanted = address.unwrap_or_else(|| text.to_owned());
    Ok(rows::owners_by(db, customer, field, &wanted, None).await?)
}

/// The entity before the colon of `order:1234`, where it is some customer's data.
fn named_entity<'a>(catalogue: &'a Catalogue, text: &str) -> Option<&'a Entity> {
    let (kind, _) = text.split_once(':')?;
    catalogue.entity(kind).filter(|entity| catalogue.is_owned(&entity.name))
}
