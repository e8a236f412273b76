//! A CSV file for a spreadsheet, written line by line: every cell quoted, and none that a spreadsheet takes for a
//! formula.

use super::errors_file::safe;
use csv::{QuoteStyle, Writer, WriterBuilder};
use std::fs::File;
use std::path::{Path, PathBuf};

/// A file under way.
pub struct Sheet {
    path: PathBuf,
    writer: Writer<File>,
}

impl Sheet {
    /// Begins the file anew, with its headings.
    ///
    /// # Errors
    /// A sentence that names the file, where it cannot be written.
    pub fn begin(path: &Path, headings: &[&str]) -> Result<Self, String> {
        let file = File::create(path).map_err(|error| cannot(path, &error))?;
        let writer = WriterBuilder::new().quote_style(QuoteStyle::Always).from_writer(file);
        let mut sheet = Self { path: path.to_owned(), writer };
        sheet.line(headings)?;
        Ok(sheet)
    }

    /// Writes a line.
    ///
    /// # Errors
    /// As [`Sheet::begin`].
    pub fn line(&mut self, cells: &[impl AsRef<str>]) -> Result<(), String> {
        let written = self.writer.write_record(cells.iter().map(|cell| safe(cell.as_ref().as_bytes())));
        written.map_err(|error| cannot(&self.path, &error))
    }

    /// Writes what is left.
    ///
    /// # Errors
    /// As [`Sheet::begin`].
    pub fn end(mut self) -> Result<(), String> {
        self.writer.flush().map_err(|error| cannot(&self.path, &error))
    }
}

fn cannot(path: &Path, error: &dyn std::error::Error) -> String {
    format!("cannot write {}: {error}", path.display())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells_are_quoted_and_no_formula_is_left() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("a.csv");
        let mut sheet = Sheet::begin(&path, &["customer", "state"]).expect("a file");
        sheet.line(&["=1+1", "se\"nt"]).expect("written");
        sheet.end().expect("written");
        let text = std::fs::read_to_string(path).expect("the file");
        assert_eq!(text, "\"customer\",\"state\"\n\"'=1+1\",\"se\"\"nt\"\n");
    }
}
