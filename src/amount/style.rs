//! How a file writes its numbers: `1240.50`, `1.240,50`, `1 240,50`, `1'240.50`.
//!
//! 1. Nothing is guessed: what `1.240` is, a file says by its decimal sign and its sign between thousands.
//! 2. Groups are groups of three: `1.24,00` and `12,34` are slips and no numbers.

use super::Amount;
use std::borrow::Cow;

/// The signs that may stand between thousands. A blank is one of any width, an apostrophe straight or curly.
pub const THOUSANDS: [char; 4] = ['.', ',', ' ', '\''];

/// The signs of a file's numbers.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Style {
    /// `.` or `,`.
    pub decimal: char,
    /// One of [`THOUSANDS`], where the file may have any.
    pub thousands: Option<char>,
}

impl Default for Style {
    fn default() -> Self {
        Self { decimal: '.', thousands: None }
    }
}

impl Style {
    /// A number in units of 10^-`scale`, as [`Amount::parse`] has it.
    pub fn decimal(self, text: &str, scale: u8) -> Option<i64> {
        Amount::parse(&self.plain(text)?, scale).map(|amount| amount.units)
    }

    /// A whole number.
    pub fn integer(self, text: &str) -> Option<i64> {
        self.plain(text)?.parse().ok()
    }

    /// What else a number could mean, in files that write theirs otherwise: what such a file says of itself, and the
    /// number there.
    pub fn others(self, text: &str) -> Vec<(String, String)> {
        const PLACES: u8 = 9;
        let own = self.plain(text).filter(|_| self.decimal(text, PLACES).is_some());
        let mut found: Vec<(String, String)> = Vec::new();
        for decimal in ['.', ','] {
            let signs = THOUSANDS.into_iter().filter(|sign| *sign != decimal).map(Some);
            for thousands in std::iter::once(None).chain(signs) {
                let other = Self { decimal, thousands };
                let number = other.plain(text).filter(|_| other.decimal(text, PLACES).is_some());
                let is_new = |number: &Cow<'_, str>| {
                    own.as_ref() != Some(number) && found.iter().all(|(_, known)| known != number)
                };
                if let Some(number) = number.filter(is_new) {
                    found.push((other.told_beside(self), number.into_owned()));
                }
            }
        }
        found
    }

    /// The lines of `data.toml` that make a file of the style `beside` one of this.
    fn told_beside(self, beside: Self) -> String {
        let decimal = (self.decimal != beside.decimal).then(|| format!("`decimal = \"{}\"`", self.decimal));
        let none = || beside.thousands.map(|_| "no `thousands`".to_owned());
        let thousands = self.thousands.map(|sign| format!("`thousands = \"{sign}\"`")).or_else(none);
        decimal.into_iter().chain(thousands).collect::<Vec<_>>().join(" and ")
    }

    /// The number with nothing between its thousands, and a point before its places.
    pub fn plain(self, text: &str) -> Option<Cow<'_, str>> {
        let (whole, places) = text.split_once(self.decimal).map_or((text, None), |(whole, rest)| (whole, Some(rest)));
        let Some(sign) = self.thousands.filter(|sign| whole.contains(|found| is_sign(found, *sign))) else {
            let is_plain = self.decimal == '.' || !text.contains('.');
            let pointed = || if self.decimal == '.' { text.into() } else { text.replacen(self.decimal, ".", 1).into() };
            return is_plain.then(pointed);
        };
        let digits = whole.strip_prefix('-').unwrap_or(whole);
        let groups: Vec<&str> = digits.split(|found| is_sign(found, sign)).collect();
        let places = places.map(|places| format!(".{places}")).unwrap_or_default();
        let minus = &whole[..whole.len() - digits.len()];
        is_grouped(&groups).then(|| format!("{minus}{}{places}", groups.concat()).into())
    }
}

/// What a number can mean that is not written as numbers are outside of files: `1240.50` of `1.240,50`; `1240` and `1.24`
/// of `1,240`. Nothing where it has no meaning but the one that it has.
pub fn readings(text: &str) -> Vec<String> {
    let found = Style::default().others(text).into_iter();
    found
        .map(|(_, number)| if reads_as_thousands(&number).is_some() { unlike_thousands(&number) } else { number })
        .collect()
}

/// The thousands that `text`, a number with three places, means where a point stands between thousands.
pub fn reads_as_thousands(text: &str) -> Option<String> {
    let dotted = Style { decimal: ',', thousands: Some('.') };
    (text.matches('.').count() == 1).then(|| dotted.plain(text))?.map(Cow::into_owned)
}

/// The same number with other than three places, so that it means nothing else: `1.24` of `1.240`, `1.2450` of `1.245`.
pub fn unlike_thousands(text: &str) -> String {
    let short = text.trim_end_matches('0').trim_end_matches('.');
    if short == text { format!("{text}0") } else { short.to_owned() }
}

/// Whether `found` is the sign `wanted` of [`THOUSANDS`].
fn is_sign(found: char, wanted: char) -> bool {
    match wanted {
        ' ' => matches!(found, ' ' | '\u{a0}' | '\u{2009}' | '\u{202f}'),
        '\'' => matches!(found, '\'' | '\u{2019}'),
        sign => found == sign,
    }
}

/// Whether digits stand in groups of three, the first of which may be shorter and does not begin with a zero.
fn is_grouped(groups: &[&str]) -> bool {
    let [first, rest @ ..] = groups else { return false };
    let digits = |group: &str| group.bytes().all(|byte| byte.is_ascii_digit());
    (1..=3).contains(&first.len())
        && !first.starts_with('0')
        && digits(first)
        && rest.iter().all(|group| group.len() == 3 && digits(group))
}

#[cfg(test)]
mod tests {
    use super::{Style, readings, reads_as_thousands, unlike_thousands};

    fn plain(decimal: char, thousands: Option<char>, text: &str) -> Option<String> {
        Style { decimal, thousands }.plain(text).map(std::borrow::Cow::into_owned)
    }

    #[test]
    fn a_number_of_other_habits_has_its_readings() {
        for (text, meant) in [
            ("1.240,50", &["1240.50"][..]),
            ("20,50", &["20.50"]),
            ("1,240", &["1240", "1.24"]),
            ("1,245", &["1245", "1.2450"]),
            ("1,240.50", &["1240.50"]),
            ("1.240.500", &["1240500"]),
            ("24.12.1990", &[]),
            ("20.50", &[]),
        ] {
            assert_eq!(readings(text), meant, "{text}");
        }
        for text in ["0.500", "1000.500", "1.24", "1.2400", "1000", "1.240.500"] {
            assert_eq!(reads_as_thousands(text), None, "{text}");
        }
        assert_eq!(reads_as_thousands("12.000").as_deref(), Some("12000"));
        assert_eq!(unlike_thousands("12.000"), "12");
    }

    #[test]
    fn groups_are_read_in_the_sign_of_the_file() {
        for (decimal, thousands, text, number) in [
            (',', Some('.'), "1.240,00", "1240.00"),
            (',', Some('.'), "-1.234.567,5", "-1234567.5"),
            (',', Some('.'), "89,50", "89.50"),
            (',', Some('.'), "1240,5", "1240.5"),
            (',', Some('.'), "1.240", "1240"),
            ('.', Some(','), "1,240.00", "1240.00"),
            ('.', Some(','), "12,345,678", "12345678"),
            ('.', Some('\''), "1'240.50", "1240.50"),
            ('.', Some('\''), "1\u{2019}240.50", "1240.50"),
            (',', Some(' '), "1 240,50", "1240.50"),
            (',', Some(' '), "1\u{a0}240\u{202f}000", "1240000"),
            (',', None, "1240,5", "1240.5"),
            ('.', None, "1240.5", "1240.5"),
        ] {
            assert_eq!(plain(decimal, thousands, text).as_deref(), Some(number), "{text}");
        }
    }

    #[test]
    fn what_is_not_in_groups_of_three_is_no_number() {
        for (decimal, thousands, text) in [
            (',', Some('.'), "1.24,00"),
            (',', Some('.'), "1234.567,00"),
            (',', Some('.'), "1.2400"),
            (',', Some('.'), "0.240"),
            (',', Some('.'), ".240"),
            (',', Some('.'), "12.34"),
            (',', Some('.'), "1..240"),
            ('.', Some(','), "89,50"),
            ('.', Some(','), "1,240,00"),
            ('.', Some('\''), "1'24.50"),
            (',', None, "1.240,00"),
            (',', None, "1.240"),
        ] {
            let style = Style { decimal, thousands };
            assert_eq!((style.decimal(text, 4), style.integer(text)), (None, None), "{text}");
        }
        // A point of the places is no sign between thousands.
        assert_eq!(Style { decimal: '.', thousands: Some(',') }.decimal("1.240,00", 4), None);
        assert_eq!(Style { decimal: ',', thousands: Some('.') }.decimal("1,240.00", 4), None);
        assert_eq!(Style::default().decimal("1,240", 4), None);
    }

    #[test]
    fn what_a_number_could_mean_elsewhere_is_told() {
        let others = |text| Style::default().others(text);
        let told = |lines: &str, number: &str| (lines.to_owned(), number.to_owned());
        assert_eq!(others("89,50"), [told("`decimal = \",\"`", "89.50")]);
        assert_eq!(others("1.240,00"), [told("`decimal = \",\"` and `thousands = \".\"`", "1240.00")]);
        assert_eq!(others("1'240"), [told("`thousands = \"'\"`", "1240")]);
        assert_eq!(others("1,240"), [told("`thousands = \",\"`", "1240"), told("`decimal = \",\"`", "1.240")]);
        assert_eq!(others("1.240"), [told("`decimal = \",\"` and `thousands = \".\"`", "1240")]);
        assert_eq!(others("4 rooms"), []);
        let grouped = Style { decimal: ',', thousands: Some('.') };
        assert_eq!(grouped.others("1.24"), [told("`decimal = \".\"` and no `thousands`", "1.24")]);
        assert_eq!(grouped.others("1,240.5"), [told("`decimal = \".\"` and `thousands = \",\"`", "1240.5")]);
    }
}
