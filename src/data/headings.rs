//! Columns that the files of sources do not have: a heading was renamed where the file is made, or none has it yet.
//!
//! 1. What a file does not say stays as it was said last. So a file without a column that says who may be written to, and
//!    where, is not read: whoever takes their yes back in the shop would go on being written to.

use super::DataError;
use super::files::Rows;
use crate::catalogue::{CUSTOMER, Catalogue, Entity, Place};
use std::path::Path;

/// A field without its column.
#[derive(Debug)]
pub struct Missing {
    pub entity: String,
    pub field: String,
    /// Whether the file is not read without it.
    pub stops: bool,
    /// What is wrong, and what may be meant.
    pub error: DataError,
}

/// The fields of `entity` that its file has no column for; `path` is where that lies.
///
/// # Errors
/// Where the file cannot be read.
pub fn missing_in(catalogue: &Catalogue, entity: &Entity, path: &Path) -> Result<Vec<Missing>, DataError> {
    let fields: Vec<String> = entity.fields.iter().map(|field| field.heading().to_owned()).collect();
    let rows = Rows::open(path, &fields)?;
    let missing = entity.fields.iter().filter(|field| !rows.headings().iter().any(|known| known == field.heading()));
    let of = missing.map(|field| Missing {
        entity: entity.name.clone(),
        field: field.name.clone(),
        stops: field.required || field.name == entity.key || is_vital(catalogue, entity, &field.name),
        error: DataError::no_column(&path.display().to_string(), entity, field.heading(), rows.headings()),
    });
    Ok(of.collect())
}

/// As [`missing_in`], of all sources that are files; of one that cannot be read its reader tells.
pub fn missing(catalogue: &Catalogue, home: &Path) -> Vec<Missing> {
    let own = catalogue.entities.values().filter(|entity| entity.place == Place::Own);
    let files = own.filter_map(|entity| Some((entity, home.join(entity.source.as_ref()?))));
    files.flat_map(|(entity, path)| missing_in(catalogue, entity, &path).unwrap_or_default()).collect()
}

/// Whether a field says who may be written to, or where.
fn is_vital(catalogue: &Catalogue, entity: &Entity, field: &str) -> bool {
    let is = |name: &Option<String>| name.as_deref() == Some(field);
    let says_yes = || catalogue.consent.iter().any(|columns| columns.channels.values().any(|name| name == field));
    entity.name == CUSTOMER && (is(&catalogue.roles.email) || is(&catalogue.roles.phone) || says_yes())
}
