//! How many SMS a text is: what providers count and charge.
//!
//! 1. GSM 7-bit (3GPP TS 23.038): 160 septets alone, 153 each in a row of several. One character that is not in its
//!    alphabet turns the whole text into UCS-2: 70 units of UTF-16 alone, 67 each in a row.
//! 2. A character is never torn over two segments: an escaped one (`€`) takes two septets, one beyond the basic plane
//!    (most emoji) two units. So segments are packed one by one, never computed from the length.

/// How a text travels.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Encoding {
    Gsm7,
    Ucs2,
}

/// What an SMS text costs.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Segments {
    pub encoding: Encoding,
    pub count: usize,
    /// Septets or units of UTF-16.
    pub units: usize,
    /// The first character that made it UCS-2.
    pub forced_by: Option<char>,
    /// Its place in the text, counted in characters from 1.
    pub forced_at: Option<usize>,
}

impl Encoding {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Gsm7 => "GSM-7",
            Self::Ucs2 => "UCS-2",
        }
    }

    /// Units of a text that fits one SMS, and of one segment of several.
    pub const fn limits(self) -> (usize, usize) {
        match self {
            Self::Gsm7 => (160, 153),
            Self::Ucs2 => (70, 67),
        }
    }
}

/// Beyond ASCII letters and digits.
const BASIC: &str = "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./:;<=>?¡ÄÖÑÜ§¿äöñüà";
const EXTENDED: &str = "\u{c}^{}\\[~]|€";

/// Septets of a character in the GSM alphabet.
fn septets(c: char) -> Option<usize> {
    if c.is_ascii_alphanumeric() || BASIC.contains(c) { Some(1) } else { EXTENDED.contains(c).then_some(2) }
}

/// Counts the segments of `text`.
///
/// ```
/// use plusone::messages::segments::{Encoding, segments};
/// assert_eq!(segments("See you at nine").count, 1);
/// assert_eq!(segments("It’s nine").forced_by, Some('’'));
/// assert_eq!(segments("It’s nine").forced_at, Some(3));
/// assert_eq!(segments("It’s nine").encoding, Encoding::Ucs2);
/// ```
pub fn segments(text: &str) -> Segments {
    let forced = text.chars().enumerate().find(|&(_, c)| septets(c).is_none());
    let (forced_at, forced_by) = (forced.map(|(place, _)| place + 1), forced.map(|(_, c)| c));
    let encoding = if forced_by.is_some() { Encoding::Ucs2 } else { Encoding::Gsm7 };
    let width = |c: char| match encoding {
        Encoding::Gsm7 => septets(c).unwrap_or(1),
        Encoding::Ucs2 => c.len_utf16(),
    };
    let units: usize = text.chars().map(width).sum();
    let (alone, each) = encoding.limits();
    let count = if units <= alone { 1 } else { pack(text.chars().map(width), each) };
    Segments { encoding, count, units, forced_by, forced_at }
}

/// Segments of `room` units that hold characters of these widths in a row.
fn pack(widths: impl Iterator<Item = usize>, room: usize) -> usize {
    let (mut count, mut used) = (1, 0);
    for width in widths {
        if used + width > room {
            count += 1;
            used = 0;
        }
        used += width;
    }
    count
}

#[cfg(test)]
mod tests {
    use super::{Encoding, segments};

    fn counted(text: &str) -> (Encoding, usize, usize) {
        let counted = segments(text);
        (counted.encoding, counted.units, counted.count)
    }

    #[test]
    fn segments_are_packed_as_providers_pack_them() {
        for (text, units, count) in [
            (String::new(), 0, 1),
            ("a".repeat(160), 160, 1),
            ("a".repeat(161), 161, 2),
            ("a".repeat(306), 306, 2),
            ("a".repeat(307), 307, 3),
            (format!("{}€", "a".repeat(159)), 161, 2),
            (format!("{0}€{0}", "a".repeat(152)), 306, 3),
        ] {
            assert_eq!(counted(&text), (Encoding::Gsm7, units, count), "{text}");
        }
        for (text, units, count) in [
            ("ж".repeat(70), 70, 1),
            ("ж".repeat(71), 71, 2),
            ("ж".repeat(134), 134, 2),
            ("ж".repeat(135), 135, 3),
            (format!("{0}😀{0}", "ж".repeat(66)), 134, 3),
            ("😀".repeat(35), 70, 1),
            ("😀".repeat(36), 72, 2),
        ] {
            assert_eq!(counted(&text), (Encoding::Ucs2, units, count), "{text}");
        }
    }

    #[test]
    fn one_character_outside_of_the_alphabet_is_named() {
        for (text, forced_by) in [("It’s", Some('’')), ("`", Some('`')), ("ça", Some('ç')), ("Ça", None), ("{€}", None)]
        {
            assert_eq!(segments(text).forced_by, forced_by, "{text}");
        }
    }
}
