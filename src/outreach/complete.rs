//! What a candidate's row does not say, added to a chunk of candidates by a few statements: never one per customer.

use crate::contact;
use crate::courtesy::caps::{self, Cap};
use crate::courtesy::zones;
use crate::data::addresses;
use crate::data::suppress::Hasher;
use crate::plan::candidate::{Address, Candidate};
use crate::rules::Channel;
use crate::store::db::{Db, Result};
use crate::store::{caps as places, preferences, suppressions};
use crate::time::Timestamp;
use std::collections::HashMap;

/// Adds to each candidate which addresses are none, where they live, what they prefer, and what is suppressed at
/// `now`.
pub async fn complete(db: &Db, candidates: &mut [Candidate], now: Timestamp) -> Result<()> {
    candidates.iter_mut().for_each(check_addresses);
    candidates.iter_mut().for_each(find_place);
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

/// Where a customer without a zone lives: in their country, or in one that their phone number says. A country whose
/// clocks agree gives them its zone.
fn find_place(candidate: &mut Candidate) {
    if candidate.zone.is_some() && candidate.country.is_some() {
        return;
    }
    let mut countries: Vec<String> = candidate.country.iter().cloned().collect();
    if countries.is_empty()
        && let Address::Good(phone) = &candidate.phone
    {
        countries = addresses::countries_of(phone);
        candidate.country = countries.first().cloned();
    }
    if candidate.zone.is_none() {
        for zone in countries.iter().flat_map(|country| zones::of_country(country)) {
            if !candidate.zones.contains(zone) {
                candidate.zones.push(*zone);
            }
        }
        if let [only] = candidate.zones[..] {
            candidate.zone = Some(only);
        }
    }
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
