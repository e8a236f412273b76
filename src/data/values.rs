//! Cells: from the bytes of a file to a stored value, by the type of the field.
//!
//! 1. An empty cell is a missing value, whatever the type.
//! 2. Nothing is guessed: a cell that is not of its type is refused with what would be right.
//! 3. A bad email address or phone number is kept as written and counted; it does not refuse its row.

use super::addresses;
use super::moments::Calendar;
use crate::amount::Style;
use crate::catalogue::{Field, Type};
use crate::contact::as_bad;
use crate::store::db::Cell;
use phonenumber::country::Id;

/// The longest cell, in bytes.
pub const MAX_CELL: usize = 64 << 10;

const MAX_INTEGER: i64 = (1 << 53) - 1;

/// How the cells of a column become values.
#[derive(Clone, Debug)]
pub enum Parse {
    Text {
        one_of: Vec<String>,
    },
    Email,
    Phone,
    Integer(Style),
    Decimal {
        scale: u8,
        style: Style,
    },
    /// What else is read as true, and as false.
    Boolean {
        yes: Vec<String>,
        no: Vec<String>,
    },
    Date(Calendar),
    Timestamp(Calendar),
}

/// A value, and whether it is a contact that cannot be used.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Parsed {
    pub cell: Cell,
    pub bad_contact: bool,
}

impl Parse {
    /// How `field` is read, where it is neither an email address nor a phone number.
    pub fn of(field: &Field, style: Style, calendar: Calendar) -> Self {
        match field.ty {
            Type::Text => Self::Text { one_of: field.one_of.clone() },
            Type::Integer => Self::Integer(style),
            Type::Decimal(_) | Type::Money => Self::Decimal { scale: field.ty.scale().unwrap_or(0), style },
            Type::Boolean => Self::Boolean { yes: field.yes.clone(), no: field.no.clone() },
            Type::Date => Self::Date(calendar),
            Type::Timestamp => Self::Timestamp(calendar),
        }
    }

    /// Reads one cell. `country` is how phone numbers without a country code are dialled.
    ///
    /// # Errors
    /// Why the cell is not of its type.
    pub fn cell(&self, bytes: &[u8], country: Option<Id>) -> Result<Parsed, String> {
        let good = |cell| Ok(Parsed { cell, bad_contact: false });
        if bytes.is_empty() {
            return good(Cell::Null);
        }
        let text = readable(bytes)?;
        if let Self::Text { one_of } = self {
            if !one_of.is_empty() && !one_of.iter().any(|value| value == text) {
                return Err(format!("`{}` is not one of {}", short(text), listed(one_of)));
            }
            return good(Cell::Text(text.to_owned()));
        }
        let text = text.trim();
        if text.is_empty() {
            return good(Cell::Null);
        }
        match self {
            Self::Email => Ok(contact(addresses::email(text), text)),
            Self::Phone => Ok(contact(addresses::phone(text, country), text)),
            _ => good(Cell::Int(self.number(text).ok_or_else(|| self.refusal(text))?)),
        }
    }

    fn number(&self, text: &str) -> Option<i64> {
        match self {
            Self::Text { .. } | Self::Email | Self::Phone => None,
            Self::Integer(style) => style.integer(text).filter(|value| value.abs() <= MAX_INTEGER),
            Self::Decimal { scale, style } => style.decimal(text, *scale),
            Self::Boolean { yes, no } => {
                let is = |words: &[String]| words.iter().any(|word| word.to_lowercase() == text.to_lowercase());
                let own = if is(yes) { Some(true) } else { is(no).then_some(false) };
                own.or_else(|| boolean(text)).map(i64::from)
            }
            Self::Date(calendar) => calendar.date(text).map(crate::time::Date::days),
            Self::Timestamp(calendar) => calendar.timestamp(text).map(crate::time::Timestamp::micros),
        }
    }

    fn refusal(&self, text: &str) -> String {
        let text = short(text);
        match self {
            Self::Text { .. } | Self::Email | Self::Phone => format!("`{text}` is not text"),
            Self::Integer(style) => {
                let groups = thousands(*style).map(|groups| format!(" with {groups}")).unwrap_or_default();
                format!(
                    "`{text}` is not a whole number within ±9007199254740991{groups}{}",
                    self.otherwise(&text, *style)
                )
            }
            Self::Decimal { scale, style } => {
                let groups = thousands(*style).unwrap_or_else(|| "nothing between thousands".to_owned());
                format!(
                    "`{text}` is not a number with `{}` as its decimal sign, at most {scale} places and {groups}{}",
                    style.decimal,
                    self.otherwise(&text, *style),
                )
            }
            Self::Boolean { yes, no } => {
                let words = |own: &[String], known: &str| {
                    own.iter().map(String::as_str).chain(std::iter::once(known)).collect::<Vec<_>>().join(", ")
                };
                format!("`{text}` is neither {} nor {}", words(yes, "true, yes, 1"), words(no, "false, no, 0"))
            }
            Self::Date(calendar) => format!("`{text}` is not a date such as {}", example(calendar, "2026-11-03")),
            Self::Timestamp(calendar) => {
                format!("`{text}` is not a time such as {}", example(calendar, "2026-11-03T09:00:00Z"))
            }
        }
    }

    /// What `data.toml` would have to say of the file, which is of `style`, for a cell to be read.
    fn otherwise(&self, text: &str, style: Style) -> String {
        let plain = match self {
            Self::Decimal { scale, .. } => Self::Decimal { scale: *scale, style: Style::default() },
            _ => Self::Integer(Style::default()),
        };
        let others = style.others(text).into_iter().filter(|(_, number)| plain.number(number).is_some());
        let told: Vec<String> = others.map(|(lines, number)| format!("{lines} makes it {number}")).collect();
        if told.is_empty() { String::new() } else { format!(" (in data.toml, {})", told.join(", ")) }
    }
}

fn thousands(style: Style) -> Option<String> {
    style.thousands.map(|sign| format!("`{sign}` between thousands"))
}

fn example(calendar: &Calendar, iso: &str) -> String {
    calendar.format.as_ref().map_or(format!("`{iso}`"), |format| format!("the format `{format}` has"))
}

/// What becomes of a file in another encoding.
pub const SAVE_AS_UTF8: &str = "save the file as UTF-8 (in a spreadsheet: `CSV UTF-8`)";

/// The bytes of a cell as text that can be stored.
fn readable(bytes: &[u8]) -> Result<&str, String> {
    if bytes.len() > MAX_CELL {
        return Err(format!("is {} bytes long; at most {MAX_CELL} are kept (is a quote not closed?)", bytes.len()));
    }
    let text = std::str::from_utf8(bytes).map_err(|error| {
        let byte = bytes[error.valid_up_to()];
        format!("is not UTF-8 (byte 0x{byte:02X}; Latin-1 or Windows-1252?): {SAVE_AS_UTF8}")
    })?;
    if text.contains('\0') { Err("has a NUL character, which no database keeps".to_owned()) } else { Ok(text) }
}

fn contact(good: Option<String>, written: &str) -> Parsed {
    match good {
        Some(address) => Parsed { cell: Cell::Text(address), bad_contact: false },
        None => Parsed { cell: Cell::Text(as_bad(written)), bad_contact: true },
    }
}

/// `true`, `yes`, `1` and `false`, `no`, `0`, in any case.
pub fn boolean(text: &str) -> Option<bool> {
    let is = |word: &str| text.eq_ignore_ascii_case(word);
    match () {
        () if is("true") || is("yes") || text == "1" => Some(true),
        () if is("false") || is("no") || text == "0" => Some(false),
        () => None,
    }
}

/// The start of a text, for messages.
fn short(text: &str) -> String {
    const SHOWN: usize = 40;
    let mut shown: String = text.chars().take(SHOWN).collect();
    if shown.len() < text.len() {
        shown.push('…');
    }
    shown
}

fn listed(values: &[String]) -> String {
    values.iter().map(|value| format!("`{value}`")).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::{MAX_CELL, Parse, Style};
    use crate::store::db::Cell;

    fn number(parse: &Parse, text: &str) -> Option<i64> {
        match parse.cell(text.as_bytes(), None).ok()?.cell {
            Cell::Int(value) => Some(value),
            Cell::Null | Cell::Text(_) => None,
        }
    }

    fn words(yes: &[&str], no: &[&str]) -> Parse {
        let owned = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect();
        Parse::Boolean { yes: owned(yes), no: owned(no) }
    }

    #[test]
    fn numbers_keep_to_their_range_and_their_decimal_sign() {
        let whole = Parse::Integer(Style::default());
        assert_eq!(number(&whole, "9007199254740991"), Some(9_007_199_254_740_991));
        assert_eq!(number(&whole, "9007199254740992"), None);
        assert_eq!(number(&whole, "5.0"), None);
        let comma = Parse::Decimal { scale: 4, style: Style { decimal: ',', thousands: None } };
        assert_eq!(number(&comma, "-1,5"), Some(-15_000));
        assert_eq!(number(&comma, "1.5"), None);
        assert_eq!(number(&comma, "1,5,0"), None);
        let point = Parse::Decimal { scale: 4, style: Style::default() };
        assert_eq!(number(&point, " 12.34 "), Some(123_400));
        assert_eq!(number(&point, "12,34"), None);
        assert_eq!(number(&point, "1e3"), None);
    }

    #[test]
    fn a_number_of_another_style_is_refused_with_what_would_read_it() {
        let refused = |parse: &Parse, text: &str| parse.cell(text.as_bytes(), None).expect_err("refused");
        let point = Parse::Decimal { scale: 4, style: Style::default() };
        assert_eq!(
            refused(&point, "1.240,00"),
            "`1.240,00` is not a number with `.` as its decimal sign, at most 4 places and nothing between thousands \
             (in data.toml, `decimal = \",\"` and `thousands = \".\"` makes it 1240.00)"
        );
        assert!(refused(&Parse::Integer(Style::default()), "1.240").contains("makes it 1240)"));
        assert!(refused(&point, "0,00001").ends_with("nothing between thousands"), "too many places either way");
        let grouped = Parse::Integer(Style { decimal: ',', thousands: Some('.') });
        assert_eq!(number(&grouped, "1.240"), Some(1240));
        assert_eq!(
            refused(&grouped, "1.24"),
            "`1.24` is not a whole number within ±9007199254740991 with `.` between thousands"
        );
    }

    #[test]
    fn an_empty_cell_is_a_missing_value() {
        for parse in [
            Parse::Integer(Style::default()),
            words(&[], &[]),
            Parse::Email,
            Parse::Text { one_of: vec!["a".to_owned()] },
        ] {
            assert_eq!(parse.cell(b"", None).expect("missing").cell, Cell::Null);
        }
        assert_eq!(words(&[], &[]).cell(b"  ", None).expect("missing").cell, Cell::Null);
    }

    #[test]
    fn words_for_yes_and_no_are_read() {
        for (text, value) in [("true", 1), ("Yes", 1), ("1", 1), ("FALSE", 0), ("no", 0), ("0", 0)] {
            assert_eq!(number(&words(&[], &[]), text), Some(value));
        }
        let own = words(&["ja", "x"], &["nein"]);
        for (text, value) in [("Ja", 1), ("X", 1), ("nein", 0), ("yes", 1)] {
            assert_eq!(number(&own, text), Some(value));
        }
        let refused = own.cell(b"oui", None).expect_err("refused");
        assert_eq!(refused, "`oui` is neither ja, x, true, yes, 1 nor nein, false, no, 0");
        assert!(words(&[], &[]).cell(b"ja", None).is_err());
    }

    #[test]
    fn what_no_database_keeps_is_refused() {
        let text = Parse::Text { one_of: Vec::new() };
        assert!(text.cell(b"a\0b", None).expect_err("refused").contains("NUL"));
        assert!(text.cell(&vec![b'x'; MAX_CELL + 1], None).is_err());
        assert!(text.cell(b"caf\xE9", None).expect_err("refused").contains("0xE9"));
    }

    #[test]
    fn a_bad_contact_is_kept_as_written() {
        let parsed = Parse::Email.cell(b"ann at example", None).expect("kept");
        assert_eq!((parsed.cell, parsed.bad_contact), (Cell::Text("ann at example".to_owned()), true));
        let parsed = Parse::Phone.cell(b"+15550100", None).expect("kept");
        assert_eq!((parsed.cell, parsed.bad_contact), (Cell::Text("?+15550100".to_owned()), true));
    }
}
