//! One promotional message to an address, whatever the number of customers who have it.
//!
//! 1. An address is compared by its keyed hash, the same that suppressions are kept under.
//! 2. In one tick the customer who is planned first has the address: by bucket, then by key.

use crate::data::suppress::Hasher;
use crate::outreach::judge::Judged;
use crate::plan::candidate::{Address, Candidate, Place};
use crate::rules::{Channel, Rule};
use crate::sql::{Dialect, Sql};
use crate::store::address_places::{Take, holders};
use crate::store::db::{Db, Result, Row};
use std::collections::HashMap;

/// What a rule's addresses are hashed with; none for a rule that sends nothing promotional. The key is made on first
/// use, so this is asked before a transaction begins.
pub async fn hasher(db: &Db, rule: &Rule) -> Result<Option<Hasher>> {
    if rule.may_be_promotional() { Hasher::load(db).await.map(Some) } else { Ok(None) }
}

/// Adds the hashes of the addresses that the rule would write to.
pub fn hash(hasher: &Hasher, rule: &Rule, candidates: &mut [Judged]) {
    let writes_to = |channels: &[Channel]| rule.channels.iter().any(|channel| channels.contains(channel));
    let (email, phone) = (writes_to(&[Channel::Email]), writes_to(&[Channel::Sms, Channel::Voice]));
    let place = |address: &Address| match address {
        Address::Good(address) => Some(Place { hash: hasher.hash(address), holder: None }),
        Address::None | Address::Bad(_) => None,
    };
    for Judged { candidate, .. } in candidates {
        candidate.email_place = if email { place(&candidate.email) } else { None };
        candidate.phone_place = if phone { place(&candidate.phone) } else { None };
    }
}

/// The question who has the addresses of a chunk.
pub fn question(dialect: Dialect, rule: &Rule, candidates: &mut [Judged]) -> Sql {
    let mut asked = Vec::new();
    for Judged { candidate, .. } in &*candidates {
        for place in candidate.email_place.iter().chain(&candidate.phone_place) {
            asked.push((bucket_of_hash(&place.hash), place.hash.as_str(), candidate.occurrence.as_str()));
        }
    }
    holders(dialect, &rule.name, &asked)
}

/// Adds the answer to [`question`].
pub fn answer(rows: &[Row], candidates: &mut [Judged]) {
    if rows.is_empty() {
        return;
    }
    let held: HashMap<(&str, &str), &str> = rows.iter().map(|row| ((row.text(0), row.text(1)), row.text(2))).collect();
    for Judged { candidate, .. } in candidates {
        let occurrence = candidate.occurrence.clone();
        for place in candidate.places_mut() {
            place.holder = held.get(&(place.hash.as_str(), occurrence.as_str())).map(|id| (*id).to_owned());
        }
    }
}

/// The place that a promotional message of this candidate takes.
pub fn take(candidate: &Candidate, channel: Channel, touchpoint: &str) -> Option<Take> {
    let place = candidate.place(channel)?;
    Some(Take {
        bucket: bucket_of_hash(&place.hash),
        address_hash: place.hash.clone(),
        occurrence: candidate.occurrence.clone(),
        holder_bucket: candidate.bucket,
        touchpoint: touchpoint.to_owned(),
    })
}

/// An address's own bucket: the first byte of its hash.
fn bucket_of_hash(hash: &str) -> i64 {
    i64::from_str_radix(&hash[..2], 16).expect("a hash is hexadecimal")
}
