//! A table as a CSV file that people open in a spreadsheet: rows are written as they come.
//!
//! Every cell is quoted, and one that a spreadsheet would run as a formula gets a `'` before it (ASVS 1.2.10).

use super::errors_file::safe;
use csv::{QuoteStyle, Writer, WriterBuilder};
use std::fs::File;
use std::io;
use std::path::Path;

/// An open file; [`Sheet::close`] it.
pub struct Sheet(Writer<File>);

impl Sheet {
    /// Makes the file, or writes it anew, with its headings.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn create(path: &Path, headings: &[&str]) -> io::Result<Self> {
        let mut sheet = Self(WriterBuilder::new().quote_style(QuoteStyle::Always).from_writer(File::create(path)?));
        sheet.row(headings.iter().copied())?;
        Ok(sheet)
    }

    /// # Errors
    /// When it cannot be written.
    pub fn row<'a>(&mut self, cells: impl Iterator<Item = &'a str>) -> io::Result<()> {
        // A dash alone is no formula: it is how an occurrence without parts is written.
        let cells = cells.map(|cell| if cell == "-" { cell.as_bytes().to_vec() } else { safe(cell.as_bytes()) });
        self.0.write_record(cells).map_err(io::Error::from)
    }

    /// # Errors
    /// When the last rows cannot be written.
    pub fn close(mut self) -> io::Result<()> {
        self.0.flush()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_cell_is_taken_for_a_formula() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("who.csv");
        let mut sheet = Sheet::create(&path, &["customer", "name"]).expect("made");
        sheet.row(["1", "=HYPERLINK(\"http://evil.test\")"].into_iter()).expect("written");
        sheet.row(["-", "+44"].into_iter()).expect("written");
        sheet.row(["-2", "Ada \"the\" first"].into_iter()).expect("written");
        sheet.close().expect("closed");
        let text = std::fs::read_to_string(path).expect("read");
        assert_eq!(
            text,
            "\"customer\",\"name\"\n\"1\",\"'=HYPERLINK(\"\"http://evil.test\"\")\"\n\"-\",\"'+44\"\n\"'-2\",\"Ada \"\"the\"\" first\"\n"
        );
    }
}
