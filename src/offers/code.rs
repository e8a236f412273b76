//! Codes of offers: where they come from, and how a pattern makes them.
//!
//! Pure. Who got which code, and which counter is next, is kept by `store::offers`.
//!
//! 1. Each `#` of a pattern becomes one of 28 characters that nobody mistakes for another: no `0 O`, no `1 I L`, and
//!    no vowels, so that no code spells a word.
//! 2. The codes of a pattern are a keyed permutation of a counter: each counter has its own code, all codes are
//!    used before the pattern is exhausted, and without the key a code tells nothing about the next one.
//! 3. Nothing is looked up: a code is unique because its counter is.

use crate::problem::Fault;
use sha2::{Digest, Sha256};

/// What a `#` stands for.
pub const ALPHABET: &[u8; 28] = b"23456789BCDFGHJKMNPQRSTVWXYZ";

/// The most `#` of a pattern: more would not fit a counter, and nobody types them.
pub const MAX_PLACES: usize = 12;

/// A code should be hit by at most one guess in this many.
pub const SAFE_ODDS: u64 = 10_000;

/// Rounds of the Feistel network; FF1 of NIST SP 800-38G has ten.
const ROUNDS: u8 = 10;

/// Where an offer's codes come from.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum CodeSource {
    /// `COOKIE-######`: each `#` one character.
    Pattern(String),
    /// A file with one code a line, each given once.
    File(String),
    /// The same code for everyone.
    Fixed(String),
}

/// What the order of a pattern's codes depends on. Never printed.
#[derive(Clone, PartialEq, Eq)]
pub struct Key([u8; 32]);

impl Key {
    /// The key of one offer's pattern, made from the installation's secret.
    pub fn new(secret: &[u8], offer: &str, pattern: &str) -> Self {
        let mut hash = Sha256::new();
        for part in [b"offer code".as_slice(), secret, offer.as_bytes(), pattern.as_bytes()] {
            hash.update((part.len() as u64).to_be_bytes());
            hash.update(part);
        }
        Self(hash.finalize().into())
    }

    /// The round function: 64 pseudorandom bits. The input has a fixed length, so plain SHA-256 with the key in front
    /// cannot be extended.
    fn mix(&self, round: u8, half: u64) -> u64 {
        let digest =
            Sha256::new().chain_update(self.0).chain_update([round]).chain_update(half.to_be_bytes()).finalize();
        let (first, _) = digest.split_first_chunk::<8>().expect("a digest has 32 bytes");
        u64::from_be_bytes(*first)
    }
}

fn places(pattern: &str) -> usize {
    pattern.bytes().filter(|byte| *byte == b'#').count()
}

/// How many codes a pattern has: 28 to the number of its `#`. `None` without one, and with more than
/// [`MAX_PLACES`].
pub fn capacity(pattern: &str) -> Option<u64> {
    let places = places(pattern);
    (1..=MAX_PLACES).contains(&places).then(|| power(places))
}

fn power(places: usize) -> u64 {
    (0..places).fold(1, |product, _| product * ALPHABET.len() as u64)
}

/// The code of counter `n`; `None` when the pattern has no such code.
///
/// ```
/// use plusone::offers::code::{Key, code};
/// let key = Key::new(b"secret", "free-cookie", "COOKIE-######");
/// let first = code("COOKIE-######", &key, 0).unwrap();
/// assert!(first.starts_with("COOKIE-") && first.len() == 13);
/// assert_ne!(Some(first), code("COOKIE-######", &key, 1));
/// ```
pub fn code(pattern: &str, key: &Key, n: u64) -> Option<String> {
    if n >= capacity(pattern)? {
        return None;
    }
    let places = places(pattern);
    let mut number = permute(n, power(places.div_ceil(2)), power(places / 2), key);
    let text = pattern.chars().map(|character| {
        if character != '#' {
            return character;
        }
        let digit = number % ALPHABET.len() as u64;
        number /= ALPHABET.len() as u64;
        char::from(ALPHABET[usize::try_from(digit).expect("below 28")])
    });
    Some(text.collect())
}

/// A permutation of `0..left * right`: a Feistel network with addition, exact for every such domain.
fn permute(n: u64, left: u64, right: u64, key: &Key) -> u64 {
    let (mut high, mut low) = (n / right, n % right);
    for round in 0..ROUNDS {
        if round % 2 == 0 {
            high = (high + key.mix(round, low) % left) % left;
        } else {
            low = (low + key.mix(round, high) % right) % right;
        }
    }
    high * right + low
}

/// One guess in how many hits a code, once `given` codes are out. `None` when none is out or the pattern has none.
pub fn odds(pattern: &str, given: u64) -> Option<u64> {
    capacity(pattern)?.checked_div(given)
}

/// Checks a pattern for an offer that can be given `most` times (where its budget says so).
///
/// # Errors
/// The fault of a pattern without `#`, with too many, or with fewer codes than the budget may give.
pub fn check_pattern(pattern: &str, most: Option<u64>) -> Result<(), Fault> {
    let all = 0..pattern.len();
    if places(pattern) == 0 {
        return Err(Fault::new(all, "the code's pattern has no `#`, so there would be one code only")
            .help("write a pattern such as `COOKIE-######`, or `{ fixed = \"…\" }` for the same code for everyone"));
    }
    let Some(capacity) = capacity(pattern) else {
        return Err(Fault::new(all, format!("the code's pattern has more than {MAX_PLACES} `#`")));
    };
    match most {
        Some(most) if capacity < most => {
            let needed = (1..=MAX_PLACES).find(|places| power(*places) / SAFE_ODDS >= most).unwrap_or(MAX_PLACES);
            Err(Fault::new(all, format!("the pattern has {capacity} codes, the budget can give {most}"))
                .help(format!("write at least {needed} `#`")))
        }
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn every_small_domain_is_permuted_whole() {
        for (pattern, codes) in [("#", 28), ("A-##", 784), ("#-#-#", 21_952)] {
            for secret in [b"one".as_slice(), b"two"] {
                let key = Key::new(secret, "offer", pattern);
                let all: HashSet<String> = (0..codes).filter_map(|n| code(pattern, &key, n)).collect();
                assert_eq!(all.len() as u64, codes, "{pattern}");
                assert_eq!(code(pattern, &key, codes), None);
                assert_eq!(capacity(pattern), Some(codes));
            }
        }
    }

    #[test]
    fn codes_of_a_large_pattern_do_not_repeat_and_keep_their_shape() {
        let pattern = "COOKIE-######";
        let key = Key::new(b"secret", "free-cookie", pattern);
        let codes: HashSet<String> = (0..20_000).filter_map(|n| code(pattern, &key, n)).collect();
        assert_eq!(codes.len(), 20_000);
        for code in &codes {
            let (name, rest) = code.split_at(7);
            assert!(name == "COOKIE-" && rest.len() == 6, "{code}");
            assert!(rest.bytes().all(|byte| ALPHABET.contains(&byte)), "{code}");
        }
    }

    #[test]
    fn the_order_depends_on_the_secret_the_offer_and_the_pattern() {
        let key = Key::new(b"secret", "free-cookie", "C-####");
        let first = code("C-####", &key, 0);
        for other in [
            Key::new(b"other", "free-cookie", "C-####"),
            Key::new(b"secret", "free-tea", "C-####"),
            Key::new(b"secret", "free-cookie", "D-####"),
        ] {
            assert_ne!(code("C-####", &other, 0), first);
        }
    }

    #[test]
    fn neighbouring_counters_share_no_more_than_chance() {
        let pattern = "####";
        let key = Key::new(b"secret", "offer", pattern);
        let codes: Vec<String> = (0..2_000).filter_map(|n| code(pattern, &key, n)).collect();
        let same = |place: usize| {
            codes.windows(2).filter(|pair| pair[0].as_bytes()[place] == pair[1].as_bytes()[place]).count()
        };
        for place in 0..4 {
            assert!((30..=120).contains(&same(place)), "place {place}: {} of 1999, chance gives 71", same(place));
        }
    }

    #[test]
    fn patterns_are_checked_against_the_budget() {
        assert!(check_pattern("COOKIE", None).is_err());
        assert!(check_pattern("#############", None).is_err());
        assert!(check_pattern("C-##", Some(784)).is_ok());
        let fault = check_pattern("C-##", Some(785)).expect_err("too few codes");
        assert_eq!(fault.help.as_deref(), Some("write at least 5 `#`"));
        assert_eq!(odds("C-####", 614), Some(1_001));
        assert_eq!(odds("C-####", 0), None);
    }
}
