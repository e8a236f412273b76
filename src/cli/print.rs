//! Printing for people: tables, local times, counted words.
//!
//! 1. What comes from data is stripped of control characters: a customer's name must not steer a terminal.
//! 2. Times are in the business's zone, to the minute, and say no zone where the heading did.

use crate::amount::{Amount, counted};
use crate::time::{Span, Timestamp, Tz};
use std::fmt::Display;
use std::io::{self, Write};

/// Text from data as it may be printed: on one line, every control character made visible as a space.
pub fn plain(text: &str) -> String {
    text.chars().map(|c| if is_steering(c) { ' ' } else { c }).collect()
}

/// Control characters, and the marks that reverse the reading direction.
fn is_steering(c: char) -> bool {
    c.is_control() || matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// Writes a line or lines of an answer, with what could steer a terminal made visible as a space.
///
/// # Errors
/// When standard output takes no more; a command ends with that, see `Failure`.
pub fn say(text: impl Display) -> io::Result<()> {
    writeln!(io::stdout().lock(), "{}", tame(&text.to_string()))
}

/// As [`say`], for what is told by the way: that nobody can read it stops no work.
pub fn mention(text: impl Display) {
    let _ = say(text);
}

/// Writes an answer for machines as it is.
///
/// # Errors
/// As [`say`].
pub fn say_json(answer: impl Display) -> io::Result<()> {
    writeln!(io::stdout().lock(), "{answer:#}")
}

/// Text of several lines as it may be printed.
pub fn tame(text: &str) -> String {
    text.chars().map(|c| if is_steering(c) && !matches!(c, '\n' | '\t') { ' ' } else { c }).collect()
}

/// `2026-11-03 09:00` in `zone`.
pub fn local(at: Timestamp, zone: Tz) -> String {
    at.to_minute(zone)
}

/// `2026-11-03 09:00:01` in `zone`.
pub fn local_seconds(at: Timestamp, zone: Tz) -> String {
    at.local(zone).format("%Y-%m-%d %H:%M:%S").to_string()
}

/// A span as people say it: `3 minutes`, `2 hours`, `5 days`.
pub fn spoken(span: Span) -> String {
    let seconds = span.seconds();
    let (unit, word) = match seconds {
        172_800.. => (86_400, "day"),
        7_200.. => (3_600, "hour"),
        120.. => (60, "minute"),
        _ => (1, "second"),
    };
    counted(seconds / unit, word)
}

/// `12,345.50`.
pub fn money(units: i64) -> String {
    Amount::money(units).told()
}

/// The first 8 characters of an id: enough to name it again.
pub fn short(id: &str) -> &str {
    id.get(..8).unwrap_or(id)
}

/// Columns that line up. The last column is not padded.
pub struct Table {
    headings: Vec<String>,
    rows: Vec<Vec<String>>,
}

impl Table {
    pub fn new(headings: &[&str]) -> Self {
        Self { headings: headings.iter().map(|heading| plain(heading)).collect(), rows: Vec::new() }
    }

    /// Adds a row of as many cells as there are headings; an empty cell shows as `-`.
    pub fn row(&mut self, cells: Vec<String>) {
        debug_assert_eq!(cells.len(), self.headings.len(), "a row has a cell for each heading");
        let cell = |cell: String| if cell.is_empty() { "-".to_owned() } else { plain(&cell) };
        self.rows.push(cells.into_iter().map(cell).collect());
    }

    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// Writes the headings and the rows, each line after `indent`.
    pub fn write(&self, out: &mut dyn Write, indent: &str) -> io::Result<()> {
        let headings = &self.headings;
        let width = |column: usize| {
            let cells = self.rows.iter().chain([headings]).map(|row| row[column].chars().count());
            cells.max().unwrap_or(0)
        };
        let widths: Vec<usize> = (0..headings.len()).map(width).collect();
        for row in [headings].into_iter().chain(&self.rows) {
            let cells = row.iter().zip(&widths).map(|(cell, width)| format!("{cell:<width$}"));
            writeln!(out, "{indent}{}", cells.collect::<Vec<_>>().join("  ").trim_end())?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_line_up_by_characters() {
        let mut table = Table::new(&["NAME", "STATE"]);
        table.row(vec!["Zoë".into(), "sent".into()]);
        table.row(vec!["Maximilian".into(), String::new()]);
        let mut out = Vec::new();
        table.write(&mut out, "  ").expect("memory takes everything");
        let text = String::from_utf8(out).expect("text");
        assert_eq!(text, "  NAME        STATE\n  Zoë         sent\n  Maximilian  -\n");
    }

    #[test]
    fn data_cannot_steer_the_terminal() {
        assert_eq!(plain("Ada\u{1b}[2J\r\nLovelace\u{202e}"), "Ada [2J  Lovelace ");
    }

    #[test]
    fn answers_of_several_lines_cannot_steer_it_either() {
        assert_eq!(tame("Subject: Ada\u{1b}]0;x\u{7}\n\tyes\u{9b}2J"), "Subject: Ada ]0;x \n\tyes 2J");
    }

    #[test]
    fn spans_are_spoken_in_whole_units() {
        for (seconds, said) in [(0, "0 seconds"), (1, "1 second"), (119, "119 seconds"), (120, "2 minutes")] {
            assert_eq!(spoken(Span::from_seconds(seconds)), said);
        }
        assert_eq!(spoken(Span::from_seconds(7_200)), "2 hours");
        assert_eq!(spoken(Span::from_days(3)), "3 days");
    }
}
