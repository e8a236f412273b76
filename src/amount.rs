//! Money and decimals as scaled 64-bit integers: exact, and the same on both databases.

mod style;

pub use style::{Style, THOUSANDS, readings, reads_as_thousands, unlike_thousands};

use std::fmt;

/// Digits after the point of every `money` value and of a `decimal` that declares no scale of its own.
pub const SCALE: u8 = 4;

/// An exact decimal number: `units` / 10^`scale`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Amount {
    pub units: i64,
    pub scale: u8,
}

impl Amount {
    pub const fn money(units: i64) -> Self {
        Self { units, scale: SCALE }
    }

    /// Reads digits with at most one `.`, an optional sign, and at most `scale` digits after the point (further
    /// zeros are allowed). `None` for anything else and for what 64 bits cannot hold.
    ///
    /// ```
    /// use plusone::amount::Amount;
    /// assert_eq!(Amount::parse("2.50", 4).map(|a| a.units), Some(25_000));
    /// assert_eq!(Amount::parse("-0.1", 4).map(|a| a.units), Some(-1_000));
    /// assert_eq!(Amount::parse("0.00001", 4), None);
    /// assert_eq!(Amount::parse("1,50", 4), None);
    /// ```
    pub fn parse(text: &str, scale: u8) -> Option<Self> {
        let (negative, digits) = match text.strip_prefix('-') {
            Some(rest) => (true, rest),
            None => (false, text.strip_prefix('+').unwrap_or(text)),
        };
        let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
        let all_digits = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
        if whole.is_empty() && fraction.is_empty() || !all_digits(whole) || !all_digits(fraction) {
            return None;
        }
        let places = usize::from(scale);
        let (kept, rest) = fraction.split_at(fraction.len().min(places));
        if rest.bytes().any(|byte| byte != b'0') {
            return None;
        }
        let mut units: i64 = 0;
        let padding = std::iter::repeat_n(b'0', places - kept.len());
        for digit in whole.bytes().chain(kept.bytes()).chain(padding) {
            let signed = i64::from(digit - b'0') * if negative { -1 } else { 1 };
            units = units.checked_mul(10)?.checked_add(signed)?;
        }
        Some(Self { units, scale })
    }
}

impl Amount {
    /// Two digits after the point where the scale has them, and of further ones no more than are needed: `2.50`, `0.0625`.
    pub fn short(self) -> String {
        let mut text = self.to_string();
        if let Some(point) = text.find('.') {
            text.truncate(text.trim_end_matches('0').len().max(point + 3));
        }
        text
    }

    /// As [`Amount::short`], for people: `12,345.50`.
    pub fn told(self) -> String {
        let text = self.short();
        let (sign, digits) = text.strip_prefix('-').map_or(("", text.as_str()), |digits| ("-", digits));
        let (whole, fraction) = digits.split_at(digits.find('.').unwrap_or(digits.len()));
        format!("{sign}{}{fraction}", by_threes(whole))
    }
}

/// `12,345`.
pub fn grouped(count: u64) -> String {
    by_threes(&count.to_string())
}

/// `1 message`, `12,345 messages`, `2 replies`; a count below zero is none.
pub fn counted(count: impl TryInto<u64>, word: &str) -> String {
    match (count.try_into().unwrap_or_default(), word.strip_suffix('y')) {
        (1, _) => format!("1 {word}"),
        (count, Some(stem)) if !stem.ends_with(['a', 'e', 'o', 'u']) => format!("{} {stem}ies", grouped(count)),
        (count, _) => format!("{} {word}s", grouped(count)),
    }
}

/// The word that goes with a count: `one` of one, `more` of none or many.
pub fn agreeing<'a>(count: impl TryInto<u64>, one: &'a str, more: &'a str) -> &'a str {
    if count.try_into().is_ok_and(|count| count == 1) { one } else { more }
}

fn by_threes(digits: &str) -> String {
    let mut text = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

impl fmt::Display for Amount {
    /// All digits of the scale: `2.5000`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let divisor = 10_u64.pow(u32::from(self.scale));
        let sign = if self.units < 0 { "-" } else { "" };
        let magnitude = self.units.unsigned_abs();
        if self.scale == 0 {
            return write!(f, "{sign}{magnitude}");
        }
        let places = usize::from(self.scale);
        write!(f, "{sign}{}.{:0places$}", magnitude / divisor, magnitude % divisor)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn money_has_the_digits_it_needs() {
        for (units, short, told) in [
            (25_000, "2.50", "2.50"),
            (625, "0.0625", "0.0625"),
            (-30_000, "-3.00", "-3.00"),
            (12_345_000, "1234.50", "1,234.50"),
            (-9_999_990_000, "-999999.00", "-999,999.00"),
        ] {
            assert_eq!(Amount::money(units).short(), short);
            assert_eq!(Amount::money(units).told(), told);
        }
    }

    #[test]
    fn a_decimal_of_any_scale_keeps_its_value() {
        for (units, scale, short) in [
            (1_200, 0, "1200"),
            (12, 1, "1.2"),
            (120_000, 2, "1200.00"),
            (1_500, 3, "1.50"),
            (25_050, 4, "2.505"),
            (-235_000_000_000, 9, "-235.00"),
        ] {
            assert_eq!(Amount { units, scale }.short(), short);
            assert_eq!(Amount::parse(short, scale), Some(Amount { units, scale }));
        }
    }

    #[test]
    fn the_word_goes_with_the_count() {
        for (count, word) in [(0, "wait"), (1, "waits"), (2, "wait"), (-1, "wait")] {
            assert_eq!(agreeing(count, "waits", "wait"), word);
        }
    }

    #[test]
    fn thousands_are_told_apart() {
        for (count, text) in [(0, "0"), (999, "999"), (1_000, "1,000"), (1_234_567, "1,234,567")] {
            assert_eq!(grouped(count), text);
        }
    }
}
