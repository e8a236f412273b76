//! How many cells of a column are of a kind, and the first that is not.
//!
//! 1. A kind that most cells are not of is given up early: a column of text costs little.

/// The cells that were looked at for one kind.
#[derive(Clone, Debug, Default)]
pub struct Tally {
    pub fits: u64,
    odds: u64,
    /// The first that fits.
    pub first: Option<String>,
    /// The first that does not.
    pub odd: Option<String>,
}

impl Tally {
    pub fn see(&mut self, text: &str, fits: impl FnOnce(&str) -> bool) {
        const EARLY: u64 = 4;
        if self.odds > EARLY && !self.most() {
            return;
        }
        let (count, example) =
            if fits(text) { (&mut self.fits, &mut self.first) } else { (&mut self.odds, &mut self.odd) };
        *count += 1;
        example.get_or_insert_with(|| shown(text));
    }

    /// Whether every cell fits.
    pub const fn all(&self) -> bool {
        self.odds == 0 && self.fits > 0
    }

    /// Whether two of three fit, or more.
    pub const fn most(&self) -> bool {
        self.fits > 0 && self.fits >= self.odds * 2
    }
}

/// The beginning of a cell, fit for a comment.
fn shown(text: &str) -> String {
    const SHOWN: usize = 30;
    text.chars().filter(|sign| !sign.is_control()).take(SHOWN).collect()
}

/// What stands beside an amount of money: a sign of a currency.
pub const fn is_of_money(sign: char) -> bool {
    matches!(sign, '£' | '$' | '€' | '¥')
}

/// `1,234.50` of `£1,234.50`: the number as a program writes it, of one that a spreadsheet wrote for people.
pub fn plain_number(text: &str) -> Option<String> {
    const CODES: [&str; 6] = ["GBP", "EUR", "USD", "CHF", "kr", "%"];
    let bare = text.trim_matches(|sign: char| is_of_money(sign) || sign.is_whitespace());
    let bare = CODES.iter().fold(bare, |text, code| {
        let text = text.strip_prefix(code).unwrap_or(text);
        text.strip_suffix(code).unwrap_or(text).trim()
    });
    let (minus, digits) = bare.strip_prefix('-').map_or(("", bare), |digits| ("-", digits));
    let digits = digits.trim_start_matches(is_of_money);
    let is_number = digits.starts_with(|sign: char| sign.is_ascii_digit())
        && digits.ends_with(|sign: char| sign.is_ascii_digit())
        && digits.chars().all(|sign| sign.is_ascii_digit() || ".,' ".contains(sign) || sign == '\u{a0}');
    let named = digits.len() > 1 && digits.starts_with('0') && digits.as_bytes()[1].is_ascii_digit();
    if !is_number || named {
        return None;
    }
    let last = digits.rfind(['.', ',']);
    let (whole, places) = last.map_or((digits, ""), |at| (&digits[..at], &digits[at + 1..]));
    let whole: String = whole.chars().filter(char::is_ascii_digit).collect();
    // Three digits behind the only sign are thousands; a date has two of one sign and is none.
    let signs = digits.matches(['.', ',']).count();
    match (signs, places.len()) {
        (1, 3) => Some(format!("{minus}{whole}{places}")),
        (0, _) => Some(format!("{minus}{whole}")),
        _ if !is_grouped(&digits[..last.unwrap_or(0)]) => None,
        _ => Some(format!("{minus}{whole}.{places}")),
    }
}

/// Whether what stands before the decimal sign is digits, in groups of three where there are groups.
fn is_grouped(whole: &str) -> bool {
    let mut groups = whole.split(|sign: char| !sign.is_ascii_digit());
    let first = groups.next().unwrap_or_default();
    let rest: Vec<&str> = groups.collect();
    rest.iter().all(|group| group.len() == 3) && (rest.is_empty() || first.len() <= 3)
}

#[cfg(test)]
mod tests {
    use super::plain_number;

    #[test]
    fn a_number_is_found_in_what_people_read() {
        for (text, number) in [
            ("£4.20", "4.20"),
            ("4,20 €", "4.20"),
            ("-£4.20", "-4.20"),
            ("1,234.50", "1234.50"),
            ("1.234,50 EUR", "1234.50"),
            ("1,234", "1234"),
            ("GBP 12", "12"),
            ("1 234 567,8 kr", "1234567.8"),
            ("15%", "15"),
        ] {
            assert_eq!(plain_number(text).as_deref(), Some(number), "{text}");
        }
        for text in ["03.11.2026", "24,12,26", "ab", "12 Quay Street", "007", "", "£", "1.2.3"] {
            assert_eq!(plain_number(text), None, "{text}");
        }
    }
}
