//! What a candidate's row does not say, added to a chunk of candidates by a few statements: never one per customer.

use crate::contact;
use crate::courtesy::caps::{self, Cap};
use crate::data::suppress::Hasher;
use crate::plan::candidate::{Address, Candidate};
use crate::rules::Channel;
use crate::store::db::{Db, Result};
use crate::store::{caps as places, preferences, suppressions};
use crate::time::Timestamp;
use std::collections::HashMap;

/// Adds to each candidate which addresses are none, what the customer prefers, and what is suppressed at `now`.
pub async fn complete(db: &Db, candidates: &mut [Candidate], now: Timestamp) -> Result<()> {
    candidates.iter_mut().for_each(check_addresses);
    add_preferences(db, candidates).await?;
    add_suppressions(db, candidates, now).await
}

async fn add_preferences(db: &Db, candidates: &mut [Candidate]) -> Result<()> {
    if !preferences::is_any(db).await? {
        return Ok(());
    }
    let asked: Vec<(i64, &str)> = candidates.iter().map(|one| (one.bucket, one.customer.as_str())).collect();
    for (place, said) in preferences::of(db, &asked).await? {
        let candidate = &mut candidates[place];
        candidate.locale = said.locale.clone().or(candidate.locale.take());
        candidate.preferences = said;
    }
    Ok(())
}

async fn add_suppressions(db: &Db, candidates: &mut [Candidate], now: Timestamp) -> Result<()> {
    if !suppressions::is_any(db).await? {
        return Ok(());
    }
    let hasher = Hasher::load(db).await?;
    let mut hashes: HashMap<String, Vec<(usize, Channel)>> = HashMap::new();
    for (place, one) in candidates.iter().enumerate() {
        for &channel in Channel::ALL {
            if let Address::Good(address) = one.address(channel) {
                hashes.entry(hasher.hash(address)).or_default().push((place, channel));
            }
        }
    }
    let wanted: Vec<String> = hashes.keys().cloned().collect();
    for suppression in suppressions::lookup(db, &wanted, now).await? {
        for (place, channel) in hashes.get(&suppression.address_hash).into_iter().flatten() {
            candidates[*place].suppressed.push((*channel, suppression.scope.clone()));
        }
    }
    Ok(())
}

/// Adds what has taken places under these caps as of an instant. Nothing is asked where there are none.
pub async fn add_taken(db: &Db, caps: &[&Cap], as_of: Timestamp, candidates: &mut [Candidate]) -> Result<()> {
    if caps.is_empty() || candidates.is_empty() {
        return Ok(());
    }
    let asked: Vec<(i64, &str)> = candidates.iter().map(|one| (one.bucket, one.customer.as_str())).collect();
    let since = as_of.minus(caps::reach(caps));
    for (place, taken) in places::taken(db, &asked, since, as_of).await? {
        candidates[place].taken.push(taken);
    }
    Ok(())
}

/// Marks addresses that nothing can be sent to.
fn check_addresses(candidate: &mut Candidate) {
    if let Address::Good(email) = &candidate.email
        && !contact::is_good_email(email)
    {
        candidate.email = Address::Bad(email.clone());
    }
    if let Address::Good(phone) = &candidate.phone
        && !contact::is_good_phone(phone)
    {
        candidate.phone = Address::Bad(phone.clone());
    }
}
