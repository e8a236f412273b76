//! Reads mail with Python's email package, so that our own way of writing it is not the judge of itself.

use super::root;
use serde_json::Value;
use std::path::Path;
use std::process::Command;

/// Every message of a Maildir, of a folder of `.eml` files or of smtp-sink's folder. The names: `tests/parts/read_mail.py`.
///
/// # Panics
/// When Python cannot read one.
pub fn read(folder: &Path) -> Vec<Value> {
    let reader = root().join("tests/parts/read_mail.py");
    let read = Command::new("python3").arg(reader).arg(folder).output().expect("python3 starts");
    assert!(read.status.success(), "read_mail.py: {}", String::from_utf8_lossy(&read.stderr));
    let lines = String::from_utf8(read.stdout).expect("JSON is UTF-8");
    lines.lines().map(|line| serde_json::from_str(line).expect("a JSON object a line")).collect()
}

/// The only value of a header.
///
/// # Panics
/// When the message has it more than once, or not at all.
pub fn header<'a>(mail: &'a Value, name: &str) -> &'a str {
    let values = mail["headers"][name].as_array().map(Vec::as_slice).unwrap_or_default();
    match values {
        [value] => value.as_str().expect("a header is text"),
        other => panic!("{name} is there {} times: {mail:#}", other.len()),
    }
}

/// The text of the first part of a type.
pub fn part<'a>(mail: &'a Value, content_type: &str) -> Option<&'a str> {
    let parts = mail["parts"].as_array().expect("read_mail.py gives parts");
    parts.iter().find(|part| part["type"] == content_type).and_then(|part| part["text"].as_str())
}
