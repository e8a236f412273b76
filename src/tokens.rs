//! The signed tokens of links that work without signing in: which touchpoint they speak for, and what they are good for.
//!
//! A token is base64url without padding (RFC 4648, section 5) of
//!
//! ```text
//! version 1 | key number | purpose | touchpoint id (16 bytes) | further bytes (mostly none) | tag (16 bytes)
//! ```
//!
//! where the tag is the first 128 bits of HMAC-SHA256 (RFC 2104) over all that stands before it.
//!
//! 1. A token holds no address and no customer id: a link that is passed on or logged tells nobody who it was for.
//! 2. A token is good for one purpose. What may unsubscribe cannot edit preferences.
//! 3. The newest key signs, every key verifies: keys are changed without breaking the links of letters sent long ago.
//!    No time is in a token; whoever wants an end compares with the touchpoint's own times.
//! 4. Tags are compared in constant time. Whatever is wrong with a token, the answer is the same, and no input panics.
//! 5. There is one text per token: another spelling of the same bytes is refused.
//!
//! Where the keys lie is for `store::token_keys`.

use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use std::collections::BTreeMap;
use std::fmt;
use uuid::Uuid;

/// The bytes of a signing key.
pub const KEY_LENGTH: usize = 32;
/// The most further bytes that a token can carry.
pub const MAX_FURTHER: usize = 64;

const VERSION: u8 = 1;
/// Version, key number, purpose and touchpoint.
const HEAD: usize = 3 + 16;
const TAG: usize = 16;
/// The longest text that can be a token: four characters for three bytes.
const MAX_TEXT: usize = (HEAD + MAX_FURTHER + TAG).div_ceil(3) * 4;

/// What a token is good for.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Purpose {
    /// `/u/{token}`: leaving a topic. Never expires.
    Unsubscribe,
    /// `/p/{token}`: the preference centre.
    Preferences,
    /// `/y/{token}`: confirming an opt-in.
    Confirm,
    /// `/w/{token}`: why a message was sent.
    Why,
    /// The address at which a provider asks what to say in a call.
    Voice,
}

impl Purpose {
    pub const ALL: [Self; 5] = [Self::Unsubscribe, Self::Preferences, Self::Confirm, Self::Why, Self::Voice];

    /// Where its page lies, before the token; a call's address is its provider's business.
    pub const fn path(self) -> Option<&'static str> {
        match self {
            Self::Unsubscribe => Some("u"),
            Self::Preferences => Some("p"),
            Self::Confirm => Some("y"),
            Self::Why => Some("w"),
            Self::Voice => None,
        }
    }

    /// The byte that stands for it; never given to another.
    const fn byte(self) -> u8 {
        match self {
            Self::Unsubscribe => b'u',
            Self::Preferences => b'p',
            Self::Confirm => b'y',
            Self::Why => b'w',
            Self::Voice => b'v',
        }
    }
}

/// What a token that verified says.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Claims {
    /// The id of the touchpoint, as it is stored.
    pub touchpoint: String,
    /// What its purpose needs besides; empty for most.
    pub further: Vec<u8>,
}

/// The keys that links are signed with, by number.
#[derive(Clone)]
pub struct Keyring {
    newest: u8,
    keys: BTreeMap<u8, Hmac<Sha256>>,
}

impl fmt::Debug for Keyring {
    /// Says which keys there are, never what they are.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Keyring").field(&self.keys.keys()).finish()
    }
}

impl Keyring {
    /// A ring of these keys, the one with the greatest number the newest; `None` for none at all.
    pub fn of(keys: impl IntoIterator<Item = (u8, [u8; KEY_LENGTH])>) -> Option<Self> {
        let hmac = |key: [u8; KEY_LENGTH]| Hmac::new_from_slice(&key).expect("HMAC takes a key of any length");
        let keys: BTreeMap<u8, Hmac<Sha256>> = keys.into_iter().map(|(number, key)| (number, hmac(key))).collect();
        let newest = *keys.last_key_value()?.0;
        Some(Self { newest, keys })
    }

    /// The token by which a link of `touchpoint` (an id as [`crate::ids::touchpoint`] makes them) is good for
    /// `purpose`; `None` where that is no such id or `further` is longer than [`MAX_FURTHER`].
    pub fn sign(&self, purpose: Purpose, touchpoint: &str, further: &[u8]) -> Option<String> {
        let id = Uuid::parse_str(touchpoint).ok().filter(|_| further.len() <= MAX_FURTHER)?;
        let mut bytes = Vec::with_capacity(HEAD + further.len() + TAG);
        bytes.extend([VERSION, self.newest, purpose.byte()]);
        bytes.extend(id.as_bytes());
        bytes.extend(further);
        let mut hmac = self.keys[&self.newest].clone();
        hmac.update(&bytes);
        bytes.extend(&hmac.finalize().into_bytes()[..TAG]);
        Some(BASE64_URL_SAFE_NO_PAD.encode(bytes))
    }

    /// Whether `text` names a key that this ring has not: one that was made since, or none at all.
    pub fn lacks_key_of(&self, text: &str) -> bool {
        // Four characters hold the first three bytes: version, key, purpose.
        let head = text.get(..4).and_then(|head| BASE64_URL_SAFE_NO_PAD.decode(head).ok());
        head.is_some_and(|head| head[0] == VERSION && !self.keys.contains_key(&head[1]))
    }

    /// What `text` says, where one of the keys has signed it for `purpose`.
    ///
    /// ```
    /// use plusone::tokens::{Keyring, Purpose};
    /// let ring = Keyring::of([(0, [7; 32])]).unwrap();
    /// let id = plusone::ids::touchpoint("birthday", "17", "2026", 0);
    /// let token = ring.sign(Purpose::Unsubscribe, &id, &[]).unwrap();
    /// assert_eq!(ring.verify(Purpose::Unsubscribe, &token).unwrap().touchpoint, id);
    /// assert_eq!(ring.verify(Purpose::Preferences, &token), None);
    /// ```
    pub fn verify(&self, purpose: Purpose, text: &str) -> Option<Claims> {
        if text.len() > MAX_TEXT {
            return None;
        }
        let bytes = BASE64_URL_SAFE_NO_PAD.decode(text).ok()?;
        let (signed, tag) = bytes.split_at_checked(bytes.len().checked_sub(TAG)?)?;
        let (head, further) = signed.split_at_checked(HEAD)?;
        let mut hmac = self.keys.get(&head[1])?.clone();
        hmac.update(signed);
        hmac.verify_truncated_left(tag).ok()?;
        let is_meant = head[0] == VERSION && head[2] == purpose.byte() && further.len() <= MAX_FURTHER;
        let id = Uuid::from_slice(&head[3..]).ok().filter(|_| is_meant)?;
        Some(Claims { touchpoint: id.to_string(), further: further.to_vec() })
    }
}

#[cfg(test)]
mod tests;
