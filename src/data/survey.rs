//! The first reading of a file: how many rows, and which keys. Nothing is written.
//!
//! 1. It takes eight bytes of memory a row: keys are kept as 64-bit hashes.
//! 2. Of the rows with one key the last one counts, whatever is in it.

use super::DataError;
use super::files::{Next, Rows};
use super::records::Plan;
use crate::store::db::Cell;
use csv::ByteRecord;
use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::Path;

/// What a file holds.
#[derive(Debug)]
pub struct Survey {
    pub rows: u64,
    /// Hashes of the keys, sorted, each once.
    keys: Vec<u64>,
    /// How often the keys come that come more than once.
    repeated: HashMap<u64, u64>,
}

/// The hash by which keys are told apart within one reading.
pub fn key_hash(key: &Cell) -> u64 {
    let mut hasher = DefaultHasher::new();
    match key {
        Cell::Null => {}
        Cell::Int(value) => value.hash(&mut hasher),
        Cell::Text(text) => text.hash(&mut hasher),
    }
    hasher.finish()
}

impl Survey {
    /// Reads `rows` to their end.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn take(path: &Path, rows: &mut Rows, plan: &Plan) -> Result<Self, DataError> {
        let mut record = ByteRecord::new();
        let mut keys = Vec::new();
        let mut count = 0;
        loop {
            match rows.next(path, &mut record)? {
                Next::End => break,
                Next::Row => keys.extend(plan.key(&record).as_ref().map(key_hash)),
                Next::Bad(_) => {}
            }
            count += 1;
        }
        keys.sort_unstable();
        let mut repeated = HashMap::new();
        for same in keys.chunk_by(|a, b| a == b).filter(|same| same.len() > 1) {
            repeated.insert(same[0], same.len() as u64);
        }
        keys.dedup();
        Ok(Self { rows: count, keys, repeated })
    }

    pub fn has(&self, key: &Cell) -> bool {
        self.keys.binary_search(&key_hash(key)).is_ok()
    }

    /// Whether the row with this key that has just been read is the last one of its key.
    pub fn is_last(&mut self, key: &Cell) -> bool {
        match self.repeated.get_mut(&key_hash(key)) {
            None => true,
            Some(left) => {
                *left = left.saturating_sub(1);
                *left == 0
            }
        }
    }
}
