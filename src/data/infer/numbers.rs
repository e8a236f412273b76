//! Columns of numbers: with which decimal sign a column can be read, and what stands between its thousands.
//!
//! 1. Every column is read with a point and with a comma; one that can be read with one of them alone says which sign
//!    the file has. `1.240` can be read with both.
//! 2. What a spreadsheet puts around a number, such as `€`, is looked past, so that it can be said what to mend.

use super::tally::Tally;
use crate::amount::{Style, THOUSANDS};
use std::borrow::Cow;
use std::collections::BTreeSet;

const MAX_PLACES: u8 = 9;

const MAX_WHOLE: usize = 12;

/// A column as it reads with one decimal sign.
#[derive(Clone, Debug, Default)]
pub struct Reading {
    pub tally: Tally,
    /// The most digits after the sign that are not zeros at the end.
    pub places: usize,
    pub has_sign: bool,
    pub thousands: BTreeSet<char>,
    /// Whether a number has nothing between its digits.
    has_plain: bool,
}

/// What a column has of numbers.
#[derive(Clone, Debug, Default)]
pub struct Numbers {
    point: Reading,
    comma: Reading,
    either: Tally,
    /// The first with something around it, as it is written.
    dressed: Option<String>,
    /// The first whose sign can be the decimal sign or one between thousands.
    open: Option<String>,
}

/// How a file writes numbers, and whether a column of it shows that its decimal sign cannot be the other.
#[derive(Clone, Copy, Debug)]
pub struct FileStyle {
    pub style: Style,
    pub is_sure: bool,
}

impl FileStyle {
    /// Of the columns of a file. A comma counts before a point, which other programs write.
    pub fn of<'a>(columns: impl Iterator<Item = &'a Numbers> + Clone) -> Self {
        let sure: BTreeSet<char> = columns.clone().filter_map(Numbers::sure).collect();
        let decimal = sure.first().copied().unwrap_or('.');
        let is_sure = !sure.is_empty();
        let thousands = columns
            .filter(|column| column.are_all() && (is_sure || column.open().is_none()))
            .filter(|column| column.reads(decimal))
            .find_map(|column| column.reading(decimal).thousands.first().copied());
        Self { style: Style { decimal, thousands }, is_sure }
    }
}

impl Numbers {
    pub fn see(&mut self, text: &str) {
        let Self { point, comma, either, dressed, open } = self;
        either.see(text, |text| {
            let bare = undressed(text);
            let (in_point, in_comma) = (point.see(&bare, '.'), comma.see(&bare, ','));
            if in_point && in_comma && bare.contains(['.', ',']) {
                open.get_or_insert_with(|| bare.to_string());
            }
            if (in_point || in_comma) && bare != text {
                dressed.get_or_insert_with(|| text.to_owned());
            }
            in_point || in_comma
        });
    }

    pub fn reading(&self, sign: char) -> &Reading {
        if sign == ',' { &self.comma } else { &self.point }
    }

    /// Whether every cell is a number with the decimal sign.
    pub fn reads(&self, sign: char) -> bool {
        let reading = self.reading(sign);
        // Digits in threes with blanks between, in every cell, are a number by which something is called.
        let is_name = reading.thousands.contains(&' ') && !reading.has_plain && !reading.has_sign;
        self.either.all() && reading.tally.all() && !is_name
    }

    /// Whether every cell is a number and nothing else.
    pub fn are_all(&self) -> bool {
        (self.reads('.') || self.reads(',')) && self.dressed.is_none()
    }

    /// The decimal sign, where it cannot be the other.
    fn sure(&self) -> Option<char> {
        match (self.reads('.'), self.reads(',')) {
            (true, false) => Some('.'),
            (false, true) => Some(','),
            _ => None,
        }
    }

    /// A cell whose sign can be the decimal sign or one between thousands, where no other cell says which.
    pub fn open(&self) -> Option<&str> {
        self.open.as_deref().filter(|_| self.reads('.') && self.reads(','))
    }

    /// A cell that is a number with something around it, or with another decimal sign than most: as it is written, and
    /// how to write it.
    pub fn odd(&self) -> Option<(&str, String)> {
        if !self.either.all() {
            return None;
        }
        let sign = if self.comma.tally.fits > self.point.tally.fits { ',' } else { '.' };
        let shown = self.dressed.as_deref().or(self.reading(sign).tally.odd.as_deref())?;
        let bare = undressed(shown);
        let found = read(&bare, sign).or_else(|| read(&bare, other(sign)))?;
        let number = if sign == ',' { found.plain.replace('.', ",") } else { found.plain };
        Some((shown, number))
    }
}

impl Reading {
    fn see(&mut self, text: &str, sign: char) -> bool {
        let found = read(text, sign);
        self.tally.see(text, |_| found.is_some());
        let Some(found) = found else { return false };
        let places = found.plain.split_once('.').map_or("", |(_, places)| places);
        self.places = self.places.max(places.trim_end_matches('0').len());
        self.has_sign |= found.plain.contains('.');
        self.has_plain |= found.thousands.is_none();
        self.thousands.extend(found.thousands);
        true
    }
}

const fn other(sign: char) -> char {
    if sign == ',' { '.' } else { ',' }
}

/// A cell that is a number.
struct Found {
    /// As a program writes it.
    plain: String,
    thousands: Option<char>,
}

/// A number with `sign` as its decimal sign. Leading zeros name something; a number has none.
fn read(text: &str, sign: char) -> Option<Found> {
    let digits = text.strip_prefix('-').unwrap_or(text).as_bytes();
    let named = digits.len() > 1 && digits[0] == b'0' && digits[1].is_ascii_digit();
    if named || !digits.first()?.is_ascii_digit() {
        return None;
    }
    let ways = std::iter::once(None).chain(THOUSANDS.into_iter().filter(|way| *way != sign).map(Some));
    ways.into_iter().find_map(|thousands| {
        let style = Style { decimal: sign, thousands };
        style.decimal(text, MAX_PLACES)?;
        let plain = style.plain(text)?.into_owned();
        let whole = plain.bytes().take_while(|byte| *byte != b'.').filter(u8::is_ascii_digit).count();
        (whole <= MAX_WHOLE).then_some(Found { plain, thousands })
    })
}

/// What stands beside an amount of money: a sign of a currency.
pub const fn is_of_money(sign: char) -> bool {
    matches!(sign, '£' | '$' | '€' | '¥')
}

/// `1,234.50` of `£1,234.50`: the number, without what a spreadsheet wrote around it for people.
fn undressed(text: &str) -> Cow<'_, str> {
    const CODES: [&str; 6] = ["GBP", "EUR", "USD", "CHF", "kr", "%"];
    let around = |sign: char| is_of_money(sign) || sign.is_whitespace();
    let bare = text.trim_matches(around);
    let bare = CODES.iter().fold(bare, |text, code| {
        let text = text.strip_prefix(code).unwrap_or(text);
        text.strip_suffix(code).unwrap_or(text)
    });
    let bare = bare.trim_matches(around);
    match bare.strip_prefix('-') {
        Some(rest) if rest.starts_with(around) => format!("-{}", rest.trim_start_matches(around)).into(),
        _ => bare.into(),
    }
}

#[cfg(test)]
mod tests {
    use super::{FileStyle, Numbers};
    use crate::amount::Style;

    fn column(cells: &[&str]) -> Numbers {
        let mut numbers = Numbers::default();
        cells.iter().for_each(|cell| numbers.see(cell));
        numbers
    }

    #[test]
    fn columns_together_show_how_a_file_writes_numbers() {
        for (columns, decimal, thousands, is_sure) in [
            (&[&["4.20", "3"][..]][..], '.', None, true),
            (&[&["4", "3"]], '.', None, false),
            (&[&["1.240", "3"]], '.', None, false),
            (&[&["1,240", "3"]], '.', None, false),
            (&[&["1.240", "3"], &["4,20"]], ',', Some('.'), true),
            (&[&["1,240", "3"], &["4.20"]], '.', Some(','), true),
            (&[&["1.240,00"]], ',', Some('.'), true),
            (&[&["1.240.000"]], ',', Some('.'), true),
            (&[&["1'240.50", "3"]], '.', Some('\''), true),
            (&[&["1 240,5", "3"]], ',', Some(' '), true),
            (&[&["1 240", "3"]], '.', Some(' '), false),
            (&[&["0,250", "1,240"]], ',', None, true),
            (&[&["4,20"], &["4.20"]], ',', None, true),
            (&[&["1.240", "3"], &["4,20 €"]], ',', Some('.'), true),
        ] {
            let columns: Vec<Numbers> = columns.iter().map(|cells| column(cells)).collect();
            let found = FileStyle::of(columns.iter());
            assert_eq!((found.style, found.is_sure), (Style { decimal, thousands }, is_sure), "{columns:?}");
        }
    }

    #[test]
    fn what_is_called_by_digits_is_no_number() {
        for cells in [
            &["123 456 789", "987 654 321"][..],
            &["03.11.2026"],
            &["24,12,26"],
            &["007"],
            &["1.2.3"],
            &["12 Quay Street"],
            &["+49 30 123456"],
            &["£"],
        ] {
            assert!(!column(cells).are_all(), "{cells:?}");
        }
    }

    #[test]
    fn a_number_that_is_written_for_people_is_found() {
        for (cells, shown, number) in [
            (&["£4.20"][..], "£4.20", "4.20"),
            (&["4,20 €"], "4,20 €", "4,20"),
            (&["-£4.20"], "-£4.20", "-4.20"),
            (&["1.234,50 EUR"], "1.234,50 EUR", "1234,50"),
            (&["GBP 12"], "GBP 12", "12"),
            (&["1 234 567,8 kr"], "1 234 567,8 kr", "1234567,8"),
            (&["15%", "3"], "15%", "15"),
            (&["1,200.50", "1,50", "2,50"], "1,200.50", "1200,50"),
        ] {
            assert_eq!(column(cells).odd(), Some((shown, number.to_owned())), "{cells:?}");
        }
        assert_eq!(column(&["£4.20", "free"]).odd(), None);
    }
}
