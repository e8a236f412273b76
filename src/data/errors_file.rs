//! `FILE.errors.csv`: the rows that were refused, with the reason before the columns as they came.
//!
//! 1. Every cell is quoted, and one that a spreadsheet would run as a formula gets a `'` before it (ASVS 1.2.10).
//! 2. The file is made with the first refused row. An import without one takes an older file of that name away, so
//!    that what lies there is always of the last import.

use super::records::Refusal;
use csv::{ByteRecord, QuoteStyle, Writer, WriterBuilder};
use std::fs::File;
use std::path::{Path, PathBuf};

/// Where refused rows go.
pub struct ErrorsFile {
    path: PathBuf,
    headings: Vec<String>,
    writer: Option<Writer<File>>,
    failure: Option<String>,
}

impl ErrorsFile {
    /// The errors file of the data file at `data`.
    pub fn of(data: &Path, headings: &[String]) -> Self {
        let mut path = data.as_os_str().to_owned();
        path.push(".errors.csv");
        Self { path: path.into(), headings: headings.to_vec(), writer: None, failure: None }
    }

    /// Writes one refused row. A file that cannot be written does not stop the import; [`ErrorsFile::close`] tells.
    pub fn add(&mut self, number: u64, refusal: &Refusal, row: &ByteRecord) {
        if self.failure.is_some() {
            return;
        }
        if let Err(error) = self.write(number, refusal, row) {
            self.failure = Some(format!("cannot write {}: {error}", self.path.display()));
        }
    }

    fn write(&mut self, number: u64, refusal: &Refusal, row: &ByteRecord) -> Result<(), csv::Error> {
        if self.writer.is_none() {
            let file = File::create(&self.path)?;
            let mut writer = WriterBuilder::new().quote_style(QuoteStyle::Always).flexible(true).from_writer(file);
            let first = ["row_number", "column", "reason"].map(str::to_owned);
            writer.write_record(first.iter().chain(&self.headings).map(|name| safe(name.as_bytes())))?;
            self.writer = Some(writer);
        }
        let number = number.to_string();
        let first = [number.as_bytes(), refusal.column.as_bytes(), refusal.reason.as_bytes()];
        let cells = first.into_iter().chain(row.iter()).map(safe);
        self.writer.as_mut().map_or(Ok(()), |writer| writer.write_record(cells))
    }

    /// Where the refused rows are, if there were any; or why they could not be written.
    pub fn close(mut self) -> Result<Option<PathBuf>, String> {
        if let Some(failure) = self.failure {
            return Err(failure);
        }
        let Some(mut writer) = self.writer.take() else {
            return match std::fs::remove_file(&self.path) {
                Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                    Err(format!("cannot remove the older {}: {error}", self.path.display()))
                }
                _ => Ok(None),
            };
        };
        writer.flush().map_err(|error| format!("cannot write {}: {error}", self.path.display()))?;
        Ok(Some(self.path))
    }
}

/// A cell that no spreadsheet takes for a formula.
pub(super) fn safe(cell: &[u8]) -> Vec<u8> {
    let text = String::from_utf8_lossy(cell).replace('\0', "\u{2400}");
    let risky = text.starts_with(['=', '+', '-', '@', '\t', '\r', '\n', '\u{2400}']);
    if risky { format!("'{text}").into_bytes() } else { text.into_bytes() }
}

#[cfg(test)]
mod tests {
    use super::{ErrorsFile, Refusal};
    use csv::ByteRecord;

    #[test]
    fn formulas_are_defused_and_everything_is_quoted() {
        let folder = tempfile::tempdir().expect("a folder");
        let data = folder.path().join("orders.csv");
        let mut errors = ErrorsFile::of(&data, &["id".to_owned(), "total".to_owned()]);
        let refusal = Refusal { column: "total".to_owned(), reason: "is not a number".to_owned() };
        errors.add(7, &refusal, &ByteRecord::from(vec!["=cmd|'/C calc'!A0", "-1"]));
        errors.add(9, &refusal, &ByteRecord::from(vec!["@SUM(1)", "a\"b", "\tc"]));
        let path = errors.close().expect("written").expect("a file");
        assert_eq!(path, folder.path().join("orders.csv.errors.csv"));
        let text = std::fs::read_to_string(path).expect("the file");
        let expected = "\"row_number\",\"column\",\"reason\",\"id\",\"total\"\n\
                        \"7\",\"total\",\"is not a number\",\"'=cmd|'/C calc'!A0\",\"'-1\"\n\
                        \"9\",\"total\",\"is not a number\",\"'@SUM(1)\",\"a\"\"b\",\"'\tc\"\n";
        assert_eq!(text, expected);
    }

    #[test]
    fn an_import_without_refusals_leaves_no_older_errors_behind() {
        let folder = tempfile::tempdir().expect("a folder");
        let older = folder.path().join("orders.csv.errors.csv");
        std::fs::write(&older, "old").expect("a file");
        assert_eq!(ErrorsFile::of(&folder.path().join("orders.csv"), &[]).close(), Ok(None));
        assert!(!older.exists());
    }
}
