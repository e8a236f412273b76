//! Files whose columns are plusone's own: lists of consent and of suppressions.
//!
//! Read by the same rules as customer data, a chunk at a time; a row that cannot be used goes to the errors file.

use super::errors_file::ErrorsFile;
use super::files::{Next, Rows};
use super::records::{Plan, Refusal};
use super::{DataError, ListReport};
use crate::catalogue::{Catalogue, Entity};
use crate::settings::Business;
use crate::store::db::Cell;
use crate::time::Timestamp;
use csv::ByteRecord;
use std::path::{Path, PathBuf};

/// Rows handed over at once.
const CHUNK: usize = 1_000;

/// An open list.
pub struct List {
    path: PathBuf,
    rows: Rows,
    plan: Plan,
    errors: ErrorsFile,
    report: ListReport,
    ended: bool,
}

impl List {
    /// Opens a file with the columns of `columns`.
    ///
    /// # Errors
    /// When the file cannot be read or has no column for the key.
    pub fn open(path: &Path, columns: &Entity, business: &Business, now: Timestamp) -> Result<Self, DataError> {
        let fields: Vec<String> = columns.fields.iter().map(|field| field.heading().to_owned()).collect();
        let rows = Rows::open(path, &fields)?;
        let file = path.display().to_string();
        let plan = Plan::new(&Catalogue::default(), columns, business, &file, rows.headings(), now)?;
        let errors = ErrorsFile::of(path, rows.headings());
        Ok(Self { path: path.to_owned(), rows, plan, errors, report: ListReport::default(), ended: false })
    }

    /// The next rows as `read` makes them of their values; `None` at the end.
    ///
    /// # Errors
    /// When the file cannot be read further.
    pub fn chunk<T>(&mut self, read: impl Fn(&[Cell]) -> Result<T, String>) -> Result<Option<Vec<T>>, DataError> {
        let mut chunk = Vec::new();
        let mut row = ByteRecord::new();
        while !self.ended && chunk.len() < CHUNK {
            let refusal = match self.rows.next(&self.path, &mut row)? {
                Next::End => {
                    self.ended = true;
                    break;
                }
                Next::Bad(reason) => Refusal { column: String::new(), reason },
                Next::Row => {
                    let made = self.plan.record(&row).and_then(|made| {
                        read(&made.record.values).map_err(|reason| Refusal { column: String::new(), reason })
                    });
                    match made {
                        Ok(item) => {
                            self.report.rows += 1;
                            chunk.push(item);
                            continue;
                        }
                        Err(refusal) => refusal,
                    }
                }
            };
            self.report.rows += 1;
            self.report.refused += 1;
            self.errors.add(self.rows.number(), &refusal, &row);
        }
        Ok((!chunk.is_empty()).then_some(chunk))
    }

    /// What was read, of which `added` was new.
    pub fn close(mut self, added: u64) -> ListReport {
        self.report.added = added;
        match self.errors.close() {
            Ok(path) => self.report.errors_file = path,
            Err(failure) => self.report.note = Some(failure),
        }
        self.report
    }
}
