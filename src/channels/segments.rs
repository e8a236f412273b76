//! How many segments a text message takes (3GPP 23.038 and 23.040), which is what operators charge for.
//!
//! 1. A character of GSM 7-bit's extension table takes two septets, one outside of the Basic Multilingual Plane two
//!    UTF-16 units, and neither pair is ever split over two segments.
//! 2. One character outside of GSM 7-bit turns the whole message into UCS-2.

/// The alphabet a text message goes out in.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Encoding {
    Gsm7,
    Ucs2,
}

impl Encoding {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Gsm7 => "GSM-7",
            Self::Ucs2 => "UCS-2",
        }
    }

    /// Units of a message of one segment, and of each segment of a longer one (its header takes the rest).
    const fn capacity(self) -> (usize, usize) {
        match self {
            Self::Gsm7 => (160, 153),
            Self::Ucs2 => (70, 67),
        }
    }
}

/// What a text costs on the air.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Segments {
    pub encoding: Encoding,
    /// Septets or UTF-16 code units.
    pub units: usize,
    /// At least 1.
    pub count: usize,
}

const BASIC: &str = "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà";
const EXTENSION: &str = "\u{c}^{}\\[~]|€";

/// Encoding, units and segments of `text`.
///
/// ```
/// use plusone::channels::segments::{Encoding, segments};
/// assert_eq!(segments(&"a".repeat(161)).count, 2);
/// assert_eq!(segments("It’s ready").encoding, Encoding::Ucs2);
/// ```
pub fn segments(text: &str) -> Segments {
    let encoding = if text.chars().all(|c| septets(c).is_some()) { Encoding::Gsm7 } else { Encoding::Ucs2 };
    let width = |c: char| match encoding {
        Encoding::Gsm7 => septets(c).unwrap_or(2),
        Encoding::Ucs2 => c.len_utf16(),
    };
    let units: usize = text.chars().map(width).sum();
    let (single, each) = encoding.capacity();
    if units <= single {
        return Segments { encoding, units, count: 1 };
    }
    let mut count = 1;
    let mut filled = 0;
    for width in text.chars().map(width) {
        if filled + width > each {
            count += 1;
            filled = 0;
        }
        filled += width;
    }
    Segments { encoding, units, count }
}

/// Septets of a character in GSM 7-bit, `None` where it has none.
fn septets(c: char) -> Option<usize> {
    match c {
        'a'..='z' | 'A'..='Z' | '0'..='9' | ' ' => Some(1),
        _ if BASIC.contains(c) => Some(1),
        _ if EXTENSION.contains(c) => Some(2),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn count(text: &str) -> (Encoding, usize) {
        let found = segments(text);
        (found.encoding, found.count)
    }

    #[test]
    fn plain_text_fills_160_septets_then_153_each() {
        assert_eq!(count(&"a".repeat(160)), (Encoding::Gsm7, 1));
        assert_eq!(count(&"a".repeat(161)), (Encoding::Gsm7, 2));
        assert_eq!(count(&"a".repeat(306)), (Encoding::Gsm7, 2));
        assert_eq!(count(&"a".repeat(307)), (Encoding::Gsm7, 3));
    }

    #[test]
    fn an_escaped_character_takes_two_septets_and_is_never_split() {
        assert_eq!(segments(&format!("{}€", "a".repeat(159))).units, 161);
        assert_eq!(count(&format!("{}€", "a".repeat(159))), (Encoding::Gsm7, 2));
        assert_eq!(count(&format!("{}€{}", "a".repeat(152), "a".repeat(152))), (Encoding::Gsm7, 3));
    }

    #[test]
    fn other_scripts_fill_70_units_then_67_each_and_emoji_are_never_split() {
        assert_eq!(count(&"ж".repeat(70)), (Encoding::Ucs2, 1));
        assert_eq!(count(&"ж".repeat(71)), (Encoding::Ucs2, 2));
        assert_eq!(count(&"ж".repeat(134)), (Encoding::Ucs2, 2));
        assert_eq!(count(&"ж".repeat(135)), (Encoding::Ucs2, 3));
        assert_eq!(count(&format!("{}😀{}", "ж".repeat(66), "ж".repeat(66))), (Encoding::Ucs2, 3));
        assert_eq!(count(&"😀".repeat(35)), (Encoding::Ucs2, 1));
        assert_eq!(count(&"😀".repeat(36)), (Encoding::Ucs2, 2));
    }

    #[test]
    fn one_character_outside_of_the_alphabet_changes_the_whole_message() {
        assert_eq!(segments("It’s").encoding, Encoding::Ucs2);
        assert_eq!(segments("`").encoding, Encoding::Ucs2);
        assert_eq!(segments("ç").encoding, Encoding::Ucs2);
        assert_eq!(segments("Ç").encoding, Encoding::Gsm7);
    }
}
