//! Files of rows: CSV (RFC 4180) and NDJSON, read as a stream.
//!
//! What a cell means is for [`super::values`]; here a row is bytes under headings.
//!
//! 1. A file is UTF-8. A mark of another encoding ends the reading; a row that is not UTF-8 is refused alone.
//! 2. A row has as many columns as the heading. It is never filled up or cut.
//! 3. Memory is bounded by [`MAX_ROW`], whatever the file says.

use super::{DataError, origin};
use crate::store::external::Texts;
use csv::ByteRecord;
use serde_json::Value;
use std::fs::File;
use std::io::{BufRead, BufReader, ErrorKind, Read, Seek, SeekFrom};
use std::path::Path;
use std::vec::IntoIter;
use tokio::sync::mpsc::Receiver;

/// The longest row, in bytes: a quote that is never closed would take the rest of the file for one cell.
pub const MAX_ROW: u64 = 4 << 20;

/// How much of the file is looked at to tell its form.
const HEAD: usize = 64 << 10;

const BOM: &[u8] = b"\xEF\xBB\xBF";

/// An open file of rows.
pub struct Rows {
    form: Form,
    headings: Vec<String>,
    number: u64,
}

enum Form {
    Csv(Box<csv::Reader<Watched>>),
    Ndjson {
        reader: BufReader<Watched>,
        line: Vec<u8>,
    },
    /// Rows that another part of the program reads and hands over.
    Handed {
        receiver: Receiver<Vec<Texts>>,
        batch: IntoIter<Texts>,
    },
}

/// What came next.
#[derive(Debug, PartialEq, Eq)]
pub enum Next {
    /// A row, in the record that was handed in.
    Row,
    /// A row that cannot be read, and why; what there was of it is in the record.
    Bad(String),
    End,
}

/// A file that counts what is read since the last row.
struct Watched {
    file: File,
    since_row: u64,
}

impl Read for Watched {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        if self.since_row > MAX_ROW {
            return Err(std::io::Error::new(ErrorKind::InvalidData, "row too long"));
        }
        let count = self.file.read(buffer)?;
        self.since_row += count as u64;
        Ok(count)
    }
}

impl Rows {
    /// Opens `path`; NDJSON by its ending (`.ndjson`, `.jsonl`, `.json`) or its first character, else CSV with the
    /// separator of its heading. `fields` are the headings that are looked for in NDJSON.
    ///
    /// # Errors
    /// When the file cannot be read, is not UTF-8, or has no heading.
    pub fn open(path: &Path, fields: &[String]) -> Result<Self, DataError> {
        let failed = |error| DataError::file(path, error);
        let mut file = File::open(path).map_err(failed)?;
        let mut head = vec![0; HEAD];
        let mut filled = 0;
        while filled < HEAD {
            match file.read(&mut head[filled..]).map_err(failed)? {
                0 => break,
                count => filled += count,
            }
        }
        head.truncate(filled);
        refuse_workbook(path, &head)?;
        refuse_encoding(path, &head)?;
        let bom = if head.starts_with(BOM) { BOM.len() } else { 0 };
        file.seek(SeekFrom::Start(bom as u64)).map_err(failed)?;
        let watched = Watched { file, since_row: 0 };
        if is_ndjson(path, &head[bom..]) {
            let reader = BufReader::with_capacity(HEAD, watched);
            let form = Form::Ndjson { reader, line: Vec::new() };
            return Ok(Self { form, headings: fields.to_vec(), number: 0 });
        }
        let mut reader = csv::ReaderBuilder::new()
            .delimiter(separator(&head[bom..]))
            .flexible(true)
            .buffer_capacity(HEAD)
            .from_reader(watched);
        let headings = read_headings(path, &mut reader)?;
        Ok(Self { form: Form::Csv(Box::new(reader)), headings, number: 1 })
    }

    /// Rows that are handed over by a channel; it must be read outside the tasks of a runtime.
    pub fn handed(headings: Vec<String>, receiver: Receiver<Vec<Texts>>) -> Self {
        Self { form: Form::Handed { receiver, batch: Vec::new().into_iter() }, headings, number: 0 }
    }

    pub fn headings(&self) -> &[String] {
        &self.headings
    }

    /// The number of the last row as a spreadsheet counts: the heading is row 1; an NDJSON file begins with row 1.
    pub const fn number(&self) -> u64 {
        self.number
    }

    /// Reads the next row into `record`.
    ///
    /// # Errors
    /// When the file cannot be read further.
    pub fn next(&mut self, path: &Path, record: &mut ByteRecord) -> Result<Next, DataError> {
        let next = match &mut self.form {
            Form::Csv(reader) => next_csv(reader, record, self.headings.len()),
            Form::Ndjson { reader, line } => next_ndjson(reader, line, record, &self.headings),
            Form::Handed { receiver, batch } => Ok(next_handed(receiver, batch, record)),
        };
        let next = next.map_err(|error| match error.kind() {
            ErrorKind::InvalidData => {
                DataError::RowTooLong { file: path.display().to_string(), row: self.number + 1, limit: MAX_ROW >> 20 }
            }
            _ => DataError::file(path, error),
        })?;
        if next != Next::End {
            self.number += 1;
        }
        Ok(next)
    }
}

fn next_handed(receiver: &mut Receiver<Vec<Texts>>, batch: &mut IntoIter<Texts>, record: &mut ByteRecord) -> Next {
    loop {
        if let Some(row) = batch.next() {
            *record = origin::record(&row);
            return Next::Row;
        }
        match receiver.blocking_recv() {
            Some(rows) => *batch = rows.into_iter(),
            None => return Next::End,
        }
    }
}

fn next_csv(reader: &mut csv::Reader<Watched>, record: &mut ByteRecord, columns: usize) -> std::io::Result<Next> {
    let more = reader.read_byte_record(record).map_err(into_io)?;
    reader.get_mut().since_row = 0;
    if !more {
        return Ok(Next::End);
    }
    if record.len() != columns {
        let plural = if record.len() == 1 { "column" } else { "columns" };
        return Ok(Next::Bad(format!("has {} {plural} where the heading has {columns}", record.len())));
    }
    Ok(Next::Row)
}

fn into_io(error: csv::Error) -> std::io::Error {
    match error.into_kind() {
        csv::ErrorKind::Io(error) => error,
        other => std::io::Error::other(format!("{other:?}")),
    }
}

fn next_ndjson(
    reader: &mut BufReader<Watched>,
    line: &mut Vec<u8>,
    record: &mut ByteRecord,
    headings: &[String],
) -> std::io::Result<Next> {
    line.clear();
    record.clear();
    let read = reader.read_until(b'\n', line)?;
    reader.get_mut().since_row = 0;
    if read == 0 {
        return Ok(Next::End);
    }
    let blank = || headings.iter().map(|_| "").collect::<ByteRecord>();
    if line.iter().all(u8::is_ascii_whitespace) {
        *record = blank();
        return Ok(Next::Bad("is empty".to_owned()));
    }
    let object = match serde_json::from_slice::<Value>(line) {
        Ok(Value::Object(object)) => object,
        Ok(_) => {
            *record = blank();
            return Ok(Next::Bad("is not a JSON object".to_owned()));
        }
        Err(error) => {
            *record = blank();
            return Ok(Next::Bad(format!("is not JSON: {error}")));
        }
    };
    let mut bad = None;
    for heading in headings {
        match object.get(heading) {
            None | Some(Value::Null) => record.push_field(b""),
            Some(Value::String(text)) => record.push_field(text.as_bytes()),
            Some(Value::Bool(value)) => record.push_field(if *value { b"true" } else { b"false" }),
            Some(Value::Number(number)) => record.push_field(number.to_string().as_bytes()),
            Some(Value::Array(_) | Value::Object(_)) => {
                record.push_field(b"");
                bad = Some(format!("has more than one value under `{heading}`"));
            }
        }
    }
    Ok(bad.map_or(Next::Row, Next::Bad))
}

/// A workbook is a zip file (`.xlsx`, `.ods`) or one of the old compound files (`.xls`).
fn refuse_workbook(path: &Path, head: &[u8]) -> Result<(), DataError> {
    if head.starts_with(b"PK\x03\x04") || head.starts_with(b"\xD0\xCF\x11\xE0") {
        return Err(DataError::Workbook { file: path.display().to_string() });
    }
    Ok(())
}

fn refuse_encoding(path: &Path, head: &[u8]) -> Result<(), DataError> {
    let marked = head.starts_with(b"\xFF\xFE") || head.starts_with(b"\xFE\xFF");
    let (even, odd) = head.iter().enumerate().fold((0, 0), |(even, odd), (index, byte)| match (byte, index % 2) {
        (0, 0) => (even + 1, odd),
        (0, _) => (even, odd + 1),
        _ => (even, odd),
    });
    // Western text in UTF-16 has a zero in every other byte.
    let pairs = head.len() / 2;
    if marked || pairs > 4 && (even > pairs / 2 || odd > pairs / 2) {
        return Err(DataError::Encoding { file: path.display().to_string(), encoding: "UTF-16" });
    }
    Ok(())
}

fn is_ndjson(path: &Path, head: &[u8]) -> bool {
    let ending = path.extension().and_then(|ending| ending.to_str()).unwrap_or_default().to_ascii_lowercase();
    match ending.as_str() {
        "ndjson" | "jsonl" | "json" => true,
        "csv" | "tsv" | "txt" => false,
        _ => head.iter().find(|byte| !byte.is_ascii_whitespace()) == Some(&b'{'),
    }
}

/// The separator that the heading has most of, outside quotes.
fn separator(head: &[u8]) -> u8 {
    let mut counts = [(b',', 0), (b';', 0), (b'\t', 0)];
    let mut quoted = false;
    for byte in head {
        match byte {
            b'"' => quoted = !quoted,
            b'\n' | b'\r' if !quoted => break,
            _ if !quoted => counts.iter_mut().filter(|(sign, _)| sign == byte).for_each(|(_, count)| *count += 1),
            _ => {}
        }
    }
    // Of equals the first: `max_by_key` would give the last.
    counts.into_iter().rev().max_by_key(|(_, count)| *count).map_or(b',', |(sign, _)| sign)
}

fn read_headings(path: &Path, reader: &mut csv::Reader<Watched>) -> Result<Vec<String>, DataError> {
    let file = || path.display().to_string();
    let headings = reader.byte_headers().map_err(|error| DataError::file(path, into_io(error)))?.clone();
    if headings.is_empty() {
        return Err(DataError::NoHeading { file: file() });
    }
    let mut names: Vec<String> = Vec::new();
    for heading in &headings {
        let name = std::str::from_utf8(heading)
            .map_err(|_| DataError::Encoding { file: file(), encoding: "Latin-1 or Windows-1252" })?;
        let name = name.trim().to_owned();
        if !name.is_empty() && names.contains(&name) {
            return Err(DataError::TwiceNamed { file: file(), heading: name });
        }
        names.push(name);
    }
    Ok(names)
}

#[cfg(test)]
mod tests {
    use super::{Next, Rows, separator};
    use csv::ByteRecord;
    use std::path::PathBuf;

    fn rows_of(name: &str, content: &[u8]) -> Result<Vec<Result<Vec<String>, String>>, String> {
        let folder = tempfile::tempdir().expect("a folder");
        let path: PathBuf = folder.path().join(name);
        std::fs::write(&path, content).expect("a file");
        let fields = ["a".to_owned(), "b".to_owned()];
        let mut rows = Rows::open(&path, &fields).map_err(|error| error.to_string())?;
        let mut record = ByteRecord::new();
        let mut found = Vec::new();
        loop {
            match rows.next(&path, &mut record).map_err(|error| error.to_string())? {
                Next::End => return Ok(found),
                Next::Bad(reason) => found.push(Err(reason)),
                Next::Row => {
                    found.push(Ok(record.iter().map(|cell| String::from_utf8_lossy(cell).into_owned()).collect()))
                }
            }
        }
    }

    fn good(cells: [&str; 2]) -> Result<Vec<String>, String> {
        Ok(cells.map(str::to_owned).to_vec())
    }

    #[test]
    fn quotes_marks_and_line_ends_are_read_as_rfc_4180_has_them() {
        let content = b"\xEF\xBB\xBFa;b\r\n1;\"x;\"\"y\"\"\r\nz\"\r\n2;\n";
        let expected = vec![good(["1", "x;\"y\"\r\nz"]), good(["2", ""])];
        assert_eq!(rows_of("f.csv", content), Ok(expected));
    }

    #[test]
    fn a_row_with_another_number_of_columns_is_refused_alone() {
        let rows = rows_of("f.csv", b"a,b\n1\n2,3\n4,5,6\n").expect("rows");
        assert_eq!(rows[0], Err("has 1 column where the heading has 2".to_owned()));
        assert_eq!(rows[1], good(["2", "3"]));
        assert_eq!(rows[2], Err("has 3 columns where the heading has 2".to_owned()));
    }

    #[test]
    fn ndjson_gives_the_same_rows() {
        let content = b"{\"b\": 2.50, \"a\": \"x\", \"c\": 1}\n{\"a\": null, \"b\": true}\n[1]\n{\"a\": [1]}\n{\n";
        let rows = rows_of("f.ndjson", content).expect("rows");
        assert_eq!(rows[..2], [good(["x", "2.5"]), good(["", "true"])]);
        assert!(rows[2..].iter().all(Result::is_err), "{rows:?}");
    }

    #[test]
    fn another_encoding_is_named() {
        let utf16: Vec<u8> = "a,b\n1,2\n".encode_utf16().flat_map(u16::to_le_bytes).collect();
        assert!(rows_of("f.csv", &utf16).expect_err("refused").contains("UTF-16"));
        assert!(rows_of("f.csv", b"caf\xE9,b\n").expect_err("refused").contains("Latin-1"));
    }

    #[test]
    fn a_workbook_is_told_from_a_column_of_that_name() {
        for content in [&b"PK\x03\x04\x14\0\x06\0a;b\n"[..], b"\xD0\xCF\x11\xE0\xA1\xB1\x1A\xE1"] {
            let refused = rows_of("f.csv", content).expect_err("refused");
            assert!(refused.contains("is an Excel workbook") && refused.contains("`CSV UTF-8`"), "{refused}");
        }
        assert_eq!(rows_of("f.csv", b"PK,b\n1,2\n"), Ok(vec![good(["1", "2"])]));
    }

    #[test]
    fn a_quote_that_is_never_closed_does_not_take_the_file_into_memory() {
        let mut content = b"a,b\n1,\"".to_vec();
        content.resize(9 << 20, b'x');
        assert!(rows_of("f.csv", &content).expect_err("refused").contains("quote"));
    }

    #[test]
    fn an_empty_file_has_no_heading() {
        assert!(rows_of("f.csv", b"").expect_err("refused").contains("empty"));
    }

    #[test]
    fn the_separator_is_told_by_the_heading() {
        for (head, sign) in [("a,b;c,d", b','), ("a;b", b';'), ("a\tb,c\td", b'\t'), ("a", b','), ("\"x,y,z\";b", b';')]
        {
            assert_eq!(separator(head.as_bytes()), sign, "{head}");
        }
    }
}
