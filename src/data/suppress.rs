//! Suppressions: addresses that are never written to, whoever they belong to.
//!
//! 1. An address is kept as HMAC-SHA256 of its one form, under a key made once for this database: the list cannot be
//!    turned back into addresses, nor compared with another's.
//! 2. Email addresses are compared in lower case, the local part too: a match must not be missed.
//! 3. An import only adds.
//! 4. What the person themselves asked for (a complaint, a stop, an unsubscribe) goes before everything, and only they
//!    take it back.

use super::lists::List;
use super::{DataError, ListReport, addresses};
use crate::catalogue::{Entity, Field, Type};
use crate::contact::{EVERYTHING, Ground, mask, scope_fault};
use crate::rules::Channel;
use crate::settings::Business;
use crate::store::db::{Cell, Db, StoreError, Tx};
use crate::store::suppressions::{self, Filter, Suppression};
use crate::time::Timestamp;
use futures_util::TryStreamExt;
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
    /// A word of [`Ground`], a provider's word for one, or any words.
    pub reason: &'a str,
    /// Whatever proves it.
    pub evidence: Option<&'a str>,
    /// From when on it no longer counts; for ever where absent.
    pub until: Option<Timestamp>,
    /// Where it came from: `webhook relay`, `support: Ann`.
    pub source: &'a str,
}

impl<'a> Wish<'a> {
    /// That nothing is sent to an address, for ever.
    pub const fn of(address: &'a str, reason: &'a str, source: &'a str) -> Self {
        Self { address, scope: None, reason, evidence: None, until: None, source }
    }
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
    if let Some(until) = wish.until.filter(|until| *until <= now) {
        return Err(format!("`until` is over already: {until}"));
    }
    let reason = match Ground::read(wish.reason) {
        Ground::Manual => wish.reason.trim(),
        ground => ground.as_str(),
    };
    let suppression = Suppression::of(&hasher.hash(&address), scope, &mask(&address), reason, now, wish.source);
    Ok(suppression.proved_by(wish.evidence.map(str::to_owned)).until(wish.until))
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

/// What is suppressed of an address, the newest first.
///
/// # Errors
/// [`DataError::Refused`] for an address that cannot be read.
pub async fn of_address(db: &Db, business: &Business, address: &str) -> Result<Vec<Suppression>, DataError> {
    let address_hash = Some(hash_of(db, business, address).await?);
    Ok(suppressions::list(db, &Filter { address_hash, ..Filter::default() }).try_collect().await?)
}

/// The hash of an address in any notation.
///
/// # Errors
/// [`DataError::Refused`] for one that cannot be read.
pub async fn hash_of(db: &Db, business: &Business, address: &str) -> Result<String, DataError> {
    let address = normalised(address, addresses::country(&business.country)).map_err(DataError::Refused)?;
    Ok(Hasher::load(db).await?.hash(&address))
}

/// Lifts the suppressions of an address: those of one scope, or all. What the person themselves asked for is lifted
/// only where `they_asked`. Gives those that were lifted.
///
/// # Errors
/// [`DataError::Refused`] for an address that cannot be read, and where it is the person's own wish.
pub async fn remove(
    db: &Db,
    business: &Business,
    address: &str,
    scope: Option<&str>,
    they_asked: bool,
) -> Result<Vec<Suppression>, DataError> {
    let mut found = of_address(db, business, address).await?;
    found.retain(|one| scope.is_none_or(|scope| one.scope == scope));
    if let Some(wish) = found.iter().find(|one| Ground::read(&one.reason).is_their_wish() && !they_asked) {
        return Err(DataError::Refused(format!(
            "{} is suppressed ({}) because the person wants it so: {}; only they can take that back",
            wish.shown, wish.scope, wish.reason
        )));
    }
    let mut tx = db.begin().await?;
    for one in &found {
        suppressions::lift(&mut tx, &one.address_hash, &one.scope, &one.reason).await?;
    }
    tx.commit().await?;
    Ok(found)
}

/// Takes back what a person's own unsubscribe or stop did to an address, for what a fresh yes of theirs is about: the
/// topic, and the channel on which they say yes. A bounce or a complaint stays. Gives
/// how many were lifted.
pub async fn lift_for_a_yes(
    tx: &mut Tx,
    hasher: &Hasher,
    address: &str,
    topic: &str,
    channel: Channel,
) -> Result<u64, StoreError> {
    let scopes = [format!("topic:{topic}"), format!("channel:{channel}")];
    let mut lifted = 0;
    for scope in scopes {
        for ground in Ground::ALL.iter().filter(|ground| ground.yields_to_a_yes()) {
            lifted += suppressions::lift(tx, &hasher.hash(address), &scope, ground.as_str()).await?;
        }
    }
    Ok(lifted)
}

/// The columns of a list of suppressions: `address`, and if there are any the others.
fn columns() -> Entity {
    let mut list = Entity::new("suppression", "address");
    list.fields.extend(["scope", "reason", "evidence"].map(|name| Field::new(name, Type::Text)));
    list.fields.push(Field::new("until", Type::Timestamp));
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
        let until = match values[4] {
            Cell::Int(micros) => Some(Timestamp::from_micros(micros)),
            Cell::Null | Cell::Text(_) => None,
        };
        let wish = Wish::of(text(0).unwrap_or_default(), text(2).unwrap_or("imported"), "import");
        let wish = Wish { scope: text(1), evidence: text(3), until, ..wish };
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
