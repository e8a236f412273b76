//! People who were erased stay away: what a file or another database says of them again is left out.
//!
//! 1. Of an erased person nothing is kept but keyed hashes: of their key, their addresses, and the keys of rows that
//!    other rows hang on (a cart has lines). The hashes tell nobody who it was.
//! 2. A customer's row is left out by its key or by its address; any other row by the row that it belongs to.
//! 3. What is left out under a new key is remembered under it, so that what belongs to it stays out too.
//! 4. The hashes are looked at in the transaction that writes the rows: an import cannot bring back whom it met before
//!    the erasure.

use super::suppress::Hasher;
use crate::catalogue::{CUSTOMER, Catalogue, Entity};
use crate::contact::{is_good_email, is_good_phone};
use crate::store::db::{Cell, Db, StoreError, Tx};
use crate::store::rows::Record;
use crate::store::{erased, rows};
use crate::time::Timestamp;
use std::collections::{HashMap, HashSet};

/// Who was erased, as an import goes along.
pub struct Erased {
    db: Db,
    hasher: Option<Hasher>,
    known: HashSet<String>,
    /// How many hashes there were when `known` was read.
    count: i64,
}

impl Erased {
    pub fn new(db: &Db) -> Self {
        Self { db: db.clone(), hasher: None, known: HashSet::new(), count: 0 }
    }

    /// Takes the rows of erased people out of a chunk; gives how many.
    pub async fn leave_out(
        &mut self,
        tx: &mut Tx,
        catalogue: &Catalogue,
        entity: &Entity,
        chunk: &mut Vec<Record>,
        now: Timestamp,
    ) -> Result<u64, StoreError> {
        if !catalogue.is_owned(&entity.name) || !self.take_up(tx).await? {
            return Ok(0);
        }
        let hasher = self.hasher.as_ref().expect("it has just been taken up");
        let mut met: Vec<(usize, String)> = Vec::new();
        for (place, record) in chunk.iter().enumerate() {
            let hashes = hashes(hasher, catalogue, entity, record);
            met.extend(hashes.into_iter().filter(|hash| self.known.contains(hash)).map(|hash| (place, hash)));
        }
        if met.is_empty() {
            return Ok(0);
        }
        let wanted: Vec<String> = met.iter().map(|(_, hash)| hash.clone()).collect();
        let people: HashMap<String, String> = erased::people(tx, &wanted).await?.into_iter().collect();
        let mut out: HashMap<usize, &String> = HashMap::new();
        met.iter().for_each(|(place, hash)| {
            people.get(hash).map(|person| out.entry(*place).or_insert(person));
        });
        if entity.name == CUSTOMER || !rows::children(catalogue, entity).is_empty() {
            let remembered = out.iter().filter_map(|(place, person)| {
                Some(((*person).clone(), hasher.hash_key(&entity.name, text(key_of(entity, &chunk[*place]))?)))
            });
            erased::add(tx, &remembered.collect::<Vec<_>>(), now).await?;
        }
        let mut place = 0;
        chunk.retain(|_| {
            place += 1;
            !out.contains_key(&(place - 1))
        });
        Ok(out.len() as u64)
    }

    /// The places of those among `customers` who were erased.
    pub async fn among(&mut self, tx: &mut Tx, customers: &[&str]) -> Result<HashSet<usize>, StoreError> {
        if !self.take_up(tx).await? {
            return Ok(HashSet::new());
        }
        let hasher = self.hasher.as_ref().expect("it has just been taken up");
        let is_known = |customer: &str| self.known.contains(&hasher.hash_key(CUSTOMER, customer));
        Ok((0..customers.len()).filter(|place| is_known(customers[*place])).collect())
    }

    /// Reads the hashes again where there are others than before; false where there are none.
    async fn take_up(&mut self, tx: &mut Tx) -> Result<bool, StoreError> {
        let count = erased::count(tx).await?;
        if count == 0 || count == self.count {
            return Ok(count > 0);
        }
        self.count = count;
        if self.hasher.is_none() {
            // Whoever wrote the first hash has made the key.
            self.hasher = Some(Hasher::load(&self.db).await?);
        }
        self.known = erased::all(tx).await?.into_iter().collect();
        Ok(true)
    }
}

/// What a row may be known by: a customer by key and addresses, any other row by its parent's key.
fn hashes(hasher: &Hasher, catalogue: &Catalogue, entity: &Entity, record: &Record) -> Vec<String> {
    if entity.name == CUSTOMER {
        let roles = [&catalogue.roles.email, &catalogue.roles.phone].into_iter().flatten();
        let addresses = roles.filter_map(|field| text(value_of(entity, field, record)?));
        let good = addresses.filter(|address| is_good_email(address) || is_good_phone(address));
        let key = text(key_of(entity, record)).map(|key| hasher.hash_key(CUSTOMER, key));
        return good.map(|address| hasher.hash(address)).chain(key).collect();
    }
    let path = catalogue.path_to_customer(&entity.name).unwrap_or_default();
    let parent = path
        .first()
        .and_then(|link| Some(hasher.hash_key(&link.entity, text(value_of(entity, &link.field, record)?)?)));
    let owner = record.customer.as_deref().map(|owner| hasher.hash_key(CUSTOMER, owner));
    parent.into_iter().chain(owner).collect()
}

fn value_of<'a>(entity: &Entity, field: &str, record: &'a Record) -> Option<&'a Cell> {
    let place = entity.fields.iter().position(|known| known.name == field)?;
    record.values.get(place)
}

fn key_of<'a>(entity: &Entity, record: &'a Record) -> &'a Cell {
    value_of(entity, &entity.key, record).expect("an entity has its key field")
}

fn text(cell: &Cell) -> Option<&str> {
    match cell {
        Cell::Text(text) => Some(text),
        Cell::Null | Cell::Int(_) => None,
    }
}
