//! Customer data: from files into typed tables, and the questions that are asked of it by name.
//!
//! The way of a row: [`files`] reads it, [`records`] and [`values`] give it its types, [`import`] writes what changed,
//! [`sync`] does so for every declared source. Consent that a file states goes through [`consent`], what people write down through [`answers`]. Which statements
//! are run is said in `store`.
//!
//! 1. A file is read as a stream, twice: once to survey its keys, once to write. Memory does not grow with its rows
//!    but for eight bytes each.
//! 2. A row that did not change is not written; a second import of a file changes nothing.
//! 3. A transaction holds some thousand rows. A crash between two of them leaves rows that the next sync completes.
//! 4. Nothing here ever takes back a customer's no, or lifts a suppression.

pub mod addresses;
pub mod answers;
pub mod codes;
pub mod consent;
pub mod erase;
pub mod erased;
pub mod errors_file;
pub mod export;
pub mod files;
pub mod find;
pub mod headings;
pub mod import;
pub mod infer;
pub mod lists;
pub mod moments;
pub mod origin;
pub mod person;
pub mod prune;
mod queries;
pub mod records;
pub mod sheet;
pub mod stated;
pub mod strays;
pub mod suppress;
pub mod survey;
pub mod sync;
pub mod values;
pub mod wishes;

use crate::catalogue::Entity;
use crate::problem::nearest;
use crate::shell::word;
use crate::store::db::StoreError;
use crate::store::external::ExternalError;
use std::path::{Path, PathBuf};

/// What can be wrong with a file as a whole, or with the database under it.
#[derive(Debug, thiserror::Error)]
pub enum DataError {
    #[error("cannot read {file}: {source}")]
    File { file: String, source: std::io::Error },
    #[error("{file} is in {encoding}: save it as UTF-8 (in a spreadsheet: `CSV UTF-8`)")]
    Encoding { file: String, encoding: &'static str },
    #[error("{file} is an Excel workbook or the like: save it as CSV (in a spreadsheet: `CSV UTF-8`)")]
    Workbook { file: String },
    #[error("{file} is empty: the first row must name the columns")]
    NoHeading { file: String },
    #[error("{file} has two columns named `{heading}`: rename one")]
    TwiceNamed { file: String, heading: String },
    #[error("row {row} of {file} is longer than {limit} MB: is a quote not closed?")]
    RowTooLong { file: String, row: u64, limit: u64 },
    #[error("{file} has no column `{heading}`{cure}")]
    NoColumn { file: String, heading: String, cure: String },
    #[error("`{entity}` is not declared in config/data.toml{}", .near.as_ref().map(|near| format!("; the nearest is `{near}`")).unwrap_or_default())]
    NoEntity { entity: String, near: Option<String> },
    #[error("`{entity}` is read in place and cannot be imported")]
    InPlace { entity: String },
    #[error(
        "{file} has lost {lost} of the {known} rows of `{entity}`; more than a fifth is refused as a mistake. To \
         remove them run `plusone import {entity} {path} --absent remove`",
        path = word(.file)
    )]
    Shrunk { file: String, entity: String, lost: u64, known: u64 },
    #[error("{0}")]
    Refused(String),
    #[error(transparent)]
    External(#[from] ExternalError),
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl DataError {
    /// `heading` is not among the `headings` of a file; the nearest of those that no field is read from may be it.
    fn no_column(file: &str, entity: &Entity, heading: &str, headings: &[String]) -> Self {
        const NAMED: usize = 5;
        let is_read = |known: &str| entity.fields.iter().any(|field| field.heading() == known);
        let unread: Vec<&str> = headings.iter().map(String::as_str).filter(|known| !is_read(known)).collect();
        let near = nearest(heading, unread.iter().copied());
        let cure = match (near, &unread[..]) {
            (Some(near), _) | (None, &[near]) => {
                format!("; is it `{near}` now? Then say `column = \"{near}\"` at the field")
            }
            (None, []) => String::new(),
            (None, unread) => {
                let named: Vec<String> = unread.iter().take(NAMED).map(|name| format!("`{name}`")).collect();
                format!("; if it is one of {}, say `column = \"…\"` at the field", named.join(", "))
            }
        };
        Self::NoColumn { file: file.to_owned(), heading: heading.to_owned(), cure }
    }

    fn file(path: &Path, source: std::io::Error) -> Self {
        Self::File { file: path.display().to_string(), source }
    }
}

/// What an import did.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Report {
    pub entity: String,
    /// Rows in the file, good and bad.
    pub rows: u64,
    pub created: u64,
    pub updated: u64,
    pub unchanged: u64,
    /// Rows that are not as declared; they are in the errors file.
    pub refused: u64,
    /// Rows taken out because the file no longer has them.
    pub removed: u64,
    /// Rows of people who were erased: they are left out.
    pub erased: u64,
    /// Rows of a key that comes again further down: the last one counts.
    pub duplicates: u64,
    /// Email addresses and phone numbers that cannot be used, kept as written.
    pub bad_contacts: u64,
    /// The keys of the first rows with one.
    pub such_contacts: Vec<String>,
    /// Yeses and noes written into the ledger of consent.
    pub consents: u64,
    /// Rows of the entity that belong to customers who are not known, and the keys of some.
    pub strays: u64,
    pub such_strays: Vec<String>,
    /// What is worth knowing and no error.
    pub notes: Vec<String>,
    pub errors_file: Option<PathBuf>,
}

/// What the import of a list of consents or suppressions did.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct ListReport {
    /// Rows in the file, good and bad.
    pub rows: u64,
    /// Rows that said something new.
    pub added: u64,
    /// Rows that cannot be used; they are in the errors file.
    pub refused: u64,
    pub note: Option<String>,
    pub errors_file: Option<PathBuf>,
}
