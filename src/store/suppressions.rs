//! Suppressed addresses.

use super::db::{Db, Result};
use crate::time::Timestamp;
use std::collections::HashSet;

pub async fn among(_db: &Db, _addresses: &[String]) -> Result<HashSet<String>> {
    Ok(HashSet::new())
}

pub async fn add(_db: &Db, _address: &str, _scope: &str, _reason: &str, _now: Timestamp) -> Result<()> {
    Ok(())
}
