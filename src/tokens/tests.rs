//! Tokens hold against strangers: laws, vectors and a million forgeries.

use super::{Claims, KEY_LENGTH, Keyring, MAX_FURTHER, Purpose};
use crate::ids;
use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use proptest::prelude::{any, prop, prop_assert_eq, proptest};
use rand::rngs::StdRng;
use rand::{Rng, RngExt, SeedableRng};

const ALPHABET: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

fn key(byte: u8) -> [u8; KEY_LENGTH] {
    [byte; KEY_LENGTH]
}

fn ring() -> Keyring {
    Keyring::of([(0, key(1)), (1, key(2))]).unwrap()
}

fn id() -> String {
    ids::touchpoint("abandoned-cart", "1003", "77", 0)
}

#[test]
fn a_token_says_what_was_signed_and_nothing_of_the_customer() {
    let token = ring().sign(Purpose::Unsubscribe, &id(), &[]).unwrap();
    assert_eq!(token.len(), 47);
    let claims = ring().verify(Purpose::Unsubscribe, &token).unwrap();
    assert_eq!(claims, Claims { touchpoint: id(), further: Vec::new() });
}

#[test]
fn a_token_of_today_still_reads_tomorrow() {
    // Letters are kept for years: this text, made by Python's hmac and base64, must verify for ever.
    let token = ring().sign(Purpose::Unsubscribe, "a4f2c1d0-1111-8222-9333-444455556666", &[]).unwrap();
    assert_eq!(token, "AQF1pPLB0BERgiKTM0REVVVmZgTNnmibGuHXxiUS_4-L2VI");
}

#[test]
fn a_token_is_good_for_one_purpose() {
    for signed in Purpose::ALL {
        let token = ring().sign(signed, &id(), &[]).unwrap();
        for asked in Purpose::ALL {
            assert_eq!(ring().verify(asked, &token).is_some(), asked == signed, "{signed:?} as {asked:?}");
        }
    }
}

#[test]
fn the_newest_key_signs_and_all_verify() {
    let old = Keyring::of([(0, key(1))]).unwrap();
    let before = old.sign(Purpose::Why, &id(), &[]).unwrap();
    assert!(ring().verify(Purpose::Why, &before).is_some());
    let after = ring().sign(Purpose::Why, &id(), &[]).unwrap();
    assert_eq!(old.verify(Purpose::Why, &after), None);
    assert_eq!(Keyring::of([(0, key(3)), (1, key(4))]).unwrap().verify(Purpose::Why, &after), None);
    assert!(Keyring::of([]).is_none());
}

#[test]
fn what_is_no_touchpoint_or_too_long_is_not_signed() {
    assert_eq!(ring().sign(Purpose::Why, "1003", &[]), None);
    assert_eq!(ring().sign(Purpose::Why, &id(), &[0; MAX_FURTHER + 1]), None);
    let longest = ring().sign(Purpose::Voice, &id(), &[9; MAX_FURTHER]).unwrap();
    assert_eq!(ring().verify(Purpose::Voice, &longest).unwrap().further, [9; MAX_FURTHER]);
}

#[test]
fn every_changed_character_is_refused() {
    let token = ring().sign(Purpose::Unsubscribe, &id(), &[]).unwrap();
    for at in 0..token.len() {
        for &other in ALPHABET.iter().filter(|&&other| other != token.as_bytes()[at]) {
            let mut changed = token.clone().into_bytes();
            changed[at] = other;
            let changed = String::from_utf8(changed).unwrap();
            assert_eq!(ring().verify(Purpose::Unsubscribe, &changed), None, "{changed}");
        }
    }
    for spelling in [format!("{token}="), format!(" {token}"), format!("{token}\n"), token.replace(['-', '_'], "+")] {
        assert!(spelling == token || ring().verify(Purpose::Unsubscribe, &spelling).is_none(), "{spelling}");
    }
}

/// One way in which a stranger may bend a token that they have.
fn bend(chance: &mut StdRng, bytes: &mut Vec<u8>, others: &[Vec<u8>]) {
    let at = chance.random_range(0..bytes.len());
    match chance.random_range(0..7) {
        0 => bytes[at] ^= 1 << chance.random_range(0..8),
        1 => bytes[at] = chance.random(),
        2 => bytes.truncate(at),
        3 => bytes.insert(at, chance.random()),
        4 => {
            bytes.remove(at);
        }
        // Another token's tail or head: a tag, an id, a purpose moved from one to the other.
        5 => {
            let other = &others[chance.random_range(0..others.len())];
            bytes.truncate(at);
            bytes.extend(other.iter().skip(at));
        }
        _ => chance.fill_bytes(&mut bytes[at..]),
    }
}

#[test]
fn of_a_million_bent_tokens_none_is_accepted() {
    let ring = ring();
    let mut chance = StdRng::seed_from_u64(58);
    let signed: Vec<(Purpose, Vec<u8>)> = (0..200)
        .map(|n| {
            let purpose = Purpose::ALL[n % Purpose::ALL.len()];
            let further = &[7, 8, 9][..n % 4];
            let token = ring.sign(purpose, &ids::touchpoint("rule", &n.to_string(), "-", 0), further).unwrap();
            (purpose, BASE64_URL_SAFE_NO_PAD.decode(token).unwrap())
        })
        .collect();
    let others: Vec<Vec<u8>> = signed.iter().map(|(_, bytes)| bytes.clone()).collect();
    let (mut tried, mut accepted) = (0, 0);
    while tried < 1_000_000 {
        let (purpose, bytes) = &signed[chance.random_range(0..signed.len())];
        let mut bent = bytes.clone();
        for _ in 0..chance.random_range(1..4) {
            if !bent.is_empty() {
                bend(&mut chance, &mut bent, &others);
            }
        }
        if others.contains(&bent) {
            continue;
        }
        tried += 1;
        let text = BASE64_URL_SAFE_NO_PAD.encode(&bent);
        accepted += u32::from(ring.verify(*purpose, &text).is_some());
    }
    assert_eq!(accepted, 0);
}

proptest! {
    #[test]
    fn no_text_at_all_panics_or_is_believed(text in any::<String>()) {
        prop_assert_eq!(ring().verify(Purpose::Unsubscribe, &text), None);
    }

    #[test]
    fn no_bytes_at_all_panic_or_are_believed(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        let text = BASE64_URL_SAFE_NO_PAD.encode(bytes);
        prop_assert_eq!(ring().verify(Purpose::Unsubscribe, &text), None);
    }
}
