//! Codes of offers that come from a file: read in when the file has changed.
//!
//! 1. One code a line; blanks around it and empty lines do not count. A code that stands twice is one code.
//! 2. What is wrong with one file is told and keeps nothing else from being read; its codes stay as they were.

use super::DataError;
use crate::amount::counted;
use crate::offers::Offer;
use crate::offers::code::CodeSource;
use crate::store::db::Db;
use crate::store::offers::codes;
use crate::store::sources;
use crate::time::Timestamp;
use std::collections::BTreeMap;
use std::path::Path;

/// Reads every file of codes that has changed; gives a line for each that was read or could not be. `home` is where
/// relative paths begin.
///
/// # Errors
/// When the database refuses.
pub async fn sync(
    db: &Db,
    offers: &BTreeMap<String, Offer>,
    home: &Path,
    now: Timestamp,
) -> Result<Vec<String>, DataError> {
    let mut told = Vec::new();
    for offer in offers.values() {
        let Some(CodeSource::File(file)) = &offer.code else { continue };
        let path = home.join(file);
        match fingerprint(&path) {
            Ok(outside) => told.extend(read(db, &offer.name, &path, &outside, now).await?),
            Err(error) => told.push(format!("codes of the offer {} not read: {}: {error}", offer.name, path.display())),
        }
    }
    Ok(told)
}

/// Reads one file unless it is as it was.
async fn read(db: &Db, offer: &str, path: &Path, outside: &str, now: Timestamp) -> Result<Option<String>, DataError> {
    // No entity has a name with a colon.
    let source = format!("codes:{offer}");
    if sources::fingerprint(db, &source).await?.as_deref() == Some(outside) {
        return Ok(None);
    }
    let text = match std::fs::read_to_string(path) {
        Ok(text) => text,
        Err(error) => return Ok(Some(format!("codes of the offer {offer} not read: {}: {error}", path.display()))),
    };
    let lines = text.trim_start_matches('\u{feff}').lines().map(str::trim).filter(|line| !line.is_empty());
    let mut tx = db.begin().await?;
    let count = codes::sync(&mut tx, offer, lines.map(str::to_owned)).await?;
    tx.commit().await?;
    sources::remember(db, &source, outside, count, now).await?;
    Ok(Some(format!("offer {offer}: {} read from {}", counted(count, "code"), path.display())))
}

/// What tells a change of the file without reading it: where it lies, its size and its time of change.
fn fingerprint(path: &Path) -> std::io::Result<String> {
    let about = std::fs::metadata(path)?;
    let changed = about.modified()?.duration_since(std::time::UNIX_EPOCH).map_or(0, |since| since.as_nanos());
    Ok(format!("{} {} {changed}", path.display(), about.len()))
}
