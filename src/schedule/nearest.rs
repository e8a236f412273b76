//! The sentence that was most likely meant by one that the grammar refuses.

use super::sentence::{MONTHS, WEEKDAYS, reads, tokens, with_suffix};
use crate::problem::nearest;

const WORDS: [&str; 18] = [
    "every", "minute", "minutes", "hour", "hours", "day", "weekday", "weekend", "at", "and", "on", "the", "last", "of",
    "month", "year", "noon", "midnight",
];

/// One sentence of each form, to measure a refused one against.
const EXAMPLES: [&str; 12] = [
    "every minute",
    "every hour",
    "every 15 minutes",
    "every 2 hours",
    "every day at 09:00",
    "every weekday at 09:00",
    "every weekend at 10:00",
    "every monday at 09:00",
    "on the 1st of the month at 09:00",
    "on the last day of the month at 09:00",
    "every year on 24 december at 09:00",
    "manual",
];

/// The sentence that `text` was most likely meant to be: its words put right if that is enough, or the form that
/// looks most like it.
pub(super) fn nearest_sentence(text: &str) -> String {
    let spelled =
        tokens(text).iter().map(|token| put_right(&token.word)).collect::<Vec<_>>().join(" ").replace(" ,", ",");
    let candidates = [
        spelled.clone(),
        format!("{spelled} at 09:00"),
        format!("every {spelled}"),
        format!("every {spelled} at 09:00"),
        format!("on {spelled}"),
    ];
    if let Some(meant) = candidates.into_iter().find(|candidate| reads(candidate)) {
        return meant;
    }
    let distance = |example: &str| strsim::damerau_levenshtein(example, &spelled);
    EXAMPLES.into_iter().min_by_key(|example| distance(example)).unwrap_or(EXAMPLES[0]).to_owned()
}

/// The word of the grammar that `word` was meant to be.
fn put_right(word: &str) -> String {
    let known = || WORDS.into_iter().chain(WEEKDAYS).chain(MONTHS);
    let number = word.bytes().take_while(u8::is_ascii_digit).count();
    if word == "," || known().any(|name| name == word) {
        return word.to_owned();
    }
    if number > 0 {
        let day = word[..number].parse::<u32>().unwrap_or(0);
        let suffixed = matches!(&word[number..], "st" | "nd" | "rd" | "th") && (1..=31).contains(&day);
        return if suffixed { with_suffix(day) } else { word.to_owned() };
    }
    let singular = word.strip_suffix('s').and_then(|word| known().find(|name| *name == word));
    let abbreviated = || known().skip(WORDS.len()).find(|name| word.len() >= 3 && name.starts_with(word));
    singular.or_else(abbreviated).or_else(|| nearest(word, known())).unwrap_or(word).to_owned()
}
