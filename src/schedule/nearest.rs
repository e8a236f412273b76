//! The sentence that was most likely meant by one that the grammar refuses.

use super::sentence::{MONTHS, WEEKDAYS, reads, time_of_day, tokens, with_suffix};
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

/// Everyday words, and how the grammar says them.
const EVERYDAY: [(&str, &str); 11] = [
    ("each", "every"),
    ("daily", "every day"),
    ("hourly", "every hour"),
    ("weekly", "every monday"),
    ("workday", "weekday"),
    ("workdays", "weekday"),
    ("morning", "day"),
    ("evening", "day"),
    ("night", "day"),
    ("o'clock", ""),
    ("uhr", ""),
];

/// The sentence that `text` was most likely meant to be: its words put right, as many from the first on as it takes,
/// or the form that looks much like it. `None` where it is like none.
pub(super) fn nearest_sentence(text: &str) -> Option<String> {
    let words = tokens(text).into_iter().map(|token| put_right(&token.word)).filter(|word| !word.is_empty());
    let words = with_times(&words.collect::<Vec<String>>());
    let time = words.iter().find(|word| time_of_day(word).is_some()).map_or("09:00", String::as_str);
    let spelled = |count: usize| words[..count].join(" ").replace(" ,", ",");
    if let Some(meant) = (1..=words.len()).rev().find_map(|count| completed(&spelled(count), time)) {
        return Some(meant);
    }
    let spelled = spelled(words.len());
    let distance = |example: &str| strsim::damerau_levenshtein(example, &spelled);
    let (distance, example) = EXAMPLES.into_iter().map(|example| (distance(example), example)).min()?;
    (distance * 3 <= spelled.len()).then(|| example.to_owned())
}

/// The beginning of a sentence with what it lacks, where that makes one.
fn completed(words: &str, time: &str) -> Option<String> {
    let candidates = [
        words.to_owned(),
        format!("{words} at {time}"),
        format!("every {words}"),
        format!("every {words} at {time}"),
        format!("on {words}"),
    ];
    candidates.into_iter().find(|candidate| reads(candidate))
}

/// Times of the day as the grammar has them: `at` before each, and a bare hour with its minutes.
fn with_times(words: &[String]) -> Vec<String> {
    let mut put: Vec<String> = Vec::new();
    for (place, word) in words.iter().enumerate() {
        let follows_at = put.last().is_some_and(|last| last == "at");
        let is_clock = word.starts_with(|c: char| c.is_ascii_digit())
            && (word.contains(':') || word.ends_with("am") || word.ends_with("pm"));
        let is_last = place + 1 == words.len() && place > 0;
        let hour = word.parse::<u8>().ok().filter(|hour| *hour < 24 && (follows_at || is_last));
        if (is_clock || hour.is_some()) && put.last().is_none_or(|last| !["at", "and", ","].contains(&last.as_str())) {
            put.push("at".to_owned());
        }
        put.push(hour.map_or_else(|| word.clone(), |hour| format!("{hour:02}:00")));
    }
    put
}

/// The word of the grammar that `word` was meant to be.
fn put_right(word: &str) -> String {
    let known = || WORDS.into_iter().chain(WEEKDAYS).chain(MONTHS);
    let number = word.bytes().take_while(u8::is_ascii_digit).count();
    if word == "," || known().any(|name| name == word) {
        return word.to_owned();
    }
    if let Some((_, ours)) = EVERYDAY.iter().find(|(theirs, _)| *theirs == word) {
        return (*ours).to_owned();
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
