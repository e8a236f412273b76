//! Latin letters with marks in plain ones, for names that are proposed: `Schöne Grüße` as `Schoene Gruesse`.

use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::is_combining_mark;

/// The text with German umlauts spelled out, and every other letter without its marks.
pub fn plain(text: &str) -> String {
    // A file's name may come decomposed, an `o` and its two points apart.
    let spelled: String =
        text.nfc().map(|sign| spelled_out(sign).map_or_else(|| sign.to_string(), str::to_owned)).collect();
    spelled.nfd().filter(|sign| !is_combining_mark(*sign)).collect()
}

/// What is written for a letter that is more than one without its mark.
const fn spelled_out(letter: char) -> Option<&'static str> {
    Some(match letter {
        'ä' | 'æ' => "ae",
        'ö' | 'œ' | 'ø' => "oe",
        'ü' => "ue",
        'ß' => "ss",
        'Ä' | 'Æ' => "Ae",
        'Ö' | 'Œ' | 'Ø' => "Oe",
        'Ü' => "Ue",
        'đ' | 'ð' => "d",
        'ł' => "l",
        'Ł' => "L",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::plain;

    #[test]
    fn letters_with_marks_are_written_in_plain_ones() {
        for (text, told) in [
            ("Schöne Grüße", "Schoene Gruesse"),
            ("Scho\u{308}ne", "Schoene"),
            ("Crème brûlée à Łódź", "Creme brulee a Lodz"),
            ("Smørrebrød", "Smoerrebroed"),
            ("日本", "日本"),
        ] {
            assert_eq!(plain(text), told);
        }
    }
}
