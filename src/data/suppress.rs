//! Suppressions: addresses that are never written to, whoever they belong to.
//!
//! 1. An address is kept as HMAC-SHA256 of its one form, under a key made once for this database: the list cannot be
//!    turned back into addresses, nor compared with another's.
//! 2. Email addresses are compared in lower case, the local part too: a match must not be missed.
//! 3. An import only adds.

use super::lists::List;
use super::{DataError, ListReport, addresses};
use crate::catalogue::{Entity, Field, Type};
use crate::contact::{EVERYTHING, mask, scope_fault};
use crate::settings::Business;
use crate::store::db::{Cell, Db, StoreError};
use crate::store::suppressions::{self, Suppression};
use crate::time::Timestamp;
use hmac::{Hmac, KeyInit, Mac};
use phonenumber::country::Id;
use rand::TryRng;
use rand::rngs::SysRng;
use sha2::Sha256;
use std::path::Path;

/// Hashes addresses as this database keeps them.
#[derive(Clone)]
pub struct Hasher {
    keyed: Hmac<Sha256>,
}

impl Hasher {
    /// The hasher of this database; its key is made on first use.
    pub async fn load(db: &Db) -> Result<Self, StoreError> {
        let key = suppressions::key(db, fresh_key).await?;
        Ok(Self { keyed: Hmac::new_from_slice(key.as_bytes()).expect("HMAC takes a key of any length") })
    }

    /// The hash of an address that is in stored form: E.164, or an addr-spec.
    pub fn hash(&self, address: &str) -> String {
        let mut keyed = self.keyed.clone();
        keyed.update(address.to_lowercase().as_bytes());
        keyed.finalize().into_bytes().iter().map(|byte| format!("{byte:02x}")).collect()
    }

    /// The hash of the key of a row of `entity`; capitals tell keys apart.
    pub fn hash_key(&self, entity: &str, key: &str) -> String {
        let mut keyed = self.keyed.clone();
        keyed.update(entity.as_bytes());
        keyed.update(&[0]);
        keyed.update(key.as_bytes());
        keyed.finalize().into_bytes().iter().map(|byte| format!("{byte:02x}")).collect()
    }

    /// The hashes of a batch, in its order.
    pub fn hash_all(&self, addresses: &[&str]) -> Vec<String> {
        addresses.iter().map(|address| self.hash(address)).collect()
    }
}

/// 256 random bits in hexadecimal.
fn fresh_key() -> String {
    let mut key = [0_u8; 32];
    SysRng.try_fill_bytes(&mut key).expect("the operating system gives random bytes");
    key.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// What is to be suppressed, where and why.
#[derive(Clone, Copy, Debug)]
pub struct Wish<'a> {
    pub address: &'a str,
    pub scope: Option<&'a str>,
    pub reason: &'a str,
    /// Where it came from: `webhook relay`, `support: Ann`.
    pub source: &'a str,
}

/// The suppression that a wish means.
///
/// # Errors
/// When the address or the scope cannot be read.
fn suppression(hasher: &Hasher, wish: Wish<'_>, home: Option<Id>, now: Timestamp) -> Result<Suppression, String> {
    let address = normalised(wish.address, home)?;
    let scope = wish.scope.unwrap_or(EVERYTHING);
    if let Some(fault) = scope_fault(scope) {
        return Err(fault);
    }
    Ok(Suppression::of(&hasher.hash(&address), scope, &mask(&address), wish.reason, now, wish.source))
}

fn normalised(address: &str, home: Option<Id>) -> Result<String, String> {
    addresses::normalised(address, home)
        .ok_or_else(|| format!("`{address}` is neither an email address nor a phone number"))
}

/// Suppresses one address; false where it was already.
///
/// # Errors
/// [`DataError::Refused`] for an address or scope that cannot be read.
pub async fn add(db: &Db, business: &Business, wish: Wish<'_>, now: Timestamp) -> Result<bool, DataError> {
    let hasher = Hasher::load(db).await?;
    let home = addresses::country(&business.country);
    let suppression = suppression(&hasher, wish, home, now).map_err(DataError::Refused)?;
    let mut tx = db.begin().await?;
    let added = suppressions::add(&mut tx, &[suppression]).await?;
    tx.commit().await?;
    Ok(added > 0)
}

/// Lifts the suppressions of an address: those of one scope, or all. Gives how many there were.
///
/// # Errors
/// [`DataError::Refused`] for an address that cannot be read.
pub async fn remove(db: &Db, business: &Business, address: &str, scope: Option<&str>) -> Result<u64, DataError> {
    let hasher = Hasher::load(db).await?;
    let address = normalised(address, addresses::country(&business.country)).map_err(DataError::Refused)?;
    Ok(suppressions::remove(db, &hasher.hash(&address), scope).await?)
}

/// The columns of a list of suppressions: `address`, and if there are any `scope` and `reason`.
fn columns() -> Entity {
    let mut list = Entity::new("suppression", "address");
    list.fields.extend(["scope", "reason"].map(|name| Field::new(name, Type::Text)));
    list
}

/// Suppresses every address of a file.
///
/// # Errors
/// When the file as a whole cannot be used.
pub async fn import(db: &Db, business: &Business, path: &Path, now: Timestamp) -> Result<ListReport, DataError> {
    let hasher = Hasher::load(db).await?;
    let home = addresses::country(&business.country);
    let mut list = List::open(path, &columns(), business, now)?;
    let read = |values: &[Cell]| {
        let text = |index: usize| match &values[index] {
            Cell::Text(text) => Some(text.as_str()),
            Cell::Null | Cell::Int(_) => None,
        };
        let wish = Wish {
            address: text(0).unwrap_or_default(),
            scope: text(1),
            reason: text(2).unwrap_or("imported"),
            source: "import",
        };
        suppression(&hasher, wish, home, now)
    };
    let mut added = 0;
    while let Some(chunk) = list.chunk(read)? {
        let mut tx = db.begin().await?;
        added += suppressions::add(&mut tx, &chunk).await?;
        tx.commit().await?;
    }
    Ok(list.close(added))
}
