//! The words that people write for true and false.

const YES: [&str; 7] = ["yes", "ja", "oui", "si", "sí", "wahr", "vrai"];
const NO: [&str; 5] = ["no", "nein", "non", "falsch", "faux"];

/// Whether `word` says yes or no, in any case; `None` where it says neither. `true` and `false` are no such words.
pub fn truth(word: &str) -> Option<bool> {
    let word = word.to_lowercase();
    let is_no = || NO.contains(&word.as_str()).then_some(false);
    if YES.contains(&word.as_str()) { Some(true) } else { is_no() }
}
