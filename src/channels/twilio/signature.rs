//! Twilio's signatures on what it posts: whether a request is Twilio's, decided before anything of it is believed.
//!
//! Signed is the public URL as Twilio knows it and, for a form, each field's name and value (Twilio's documentation
//! "Webhooks Security"; `twilio-python` 9.13, `request_validator`).
//!
//! 1. The URL is made of the configured public address and the path and query of the request, never of its Host.
//! 2. Macs are compared in constant time. What cannot be read is answered as what does not match.
//! 3. Without the settings header the mac is HMAC-SHA1 under the account's token; with it HMAC-SHA256 under the key that
//!    it names. A key that is not known is refused: a request never chooses the weaker way for a key.

use crate::settings::Secret;
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use sha1::Sha1;
use sha2::{Digest, Sha256};
use std::collections::{BTreeMap, BTreeSet};

/// The mac, in base64.
pub const SIGNATURE: &str = "x-twilio-signature";
/// `key=…,algorithm=HMAC_SHA256`: by which key and how the mac was made.
pub const SETTINGS: &str = "x-twilio-webhooks-signature-settings";

/// The secrets that Twilio may have signed with.
#[derive(Clone, Copy, Debug)]
pub struct Secrets<'a> {
    /// The account's token.
    pub token: &'a Secret,
    /// Shared keys by their ids.
    pub keys: &'a BTreeMap<String, Secret>,
}

/// A request, as far as it is signed.
#[derive(Clone, Copy, Debug)]
pub struct Request<'a> {
    /// The public URL with path and query, as Twilio called it.
    pub url: &'a str,
    /// The value of [`SIGNATURE`].
    pub signature: &'a str,
    /// The value of [`SETTINGS`], where there is one.
    pub settings: Option<&'a str>,
    pub body: Body<'a>,
}

/// What was posted.
#[derive(Clone, Copy, Debug)]
pub enum Body<'a> {
    /// Names and values, decoded.
    Form(&'a [(String, String)]),
    /// Anything else: its SHA-256 stands in the query as `bodySHA256`.
    Raw(&'a [u8]),
}

/// Whether one of the account's secrets signed the request.
pub fn is_signed(request: &Request<'_>, secrets: Secrets<'_>) -> bool {
    let Ok(mac) = BASE64_STANDARD.decode(request.signature) else { return false };
    let fields = match request.body {
        Body::Form(fields) => folded(fields),
        Body::Raw(bytes) if has_hash(request.url, bytes) => String::new(),
        Body::Raw(_) => return false,
    };
    let (key, sha256) = match settings(request.settings) {
        Settings::Token => (secrets.token, false),
        Settings::Sha256 { key } => match secrets.keys.get(key) {
            Some(key) => (key, true),
            None => return false,
        },
        Settings::Unknown => return false,
    };
    let is_mac = |url: &str| {
        let signed = format!("{url}{fields}");
        if sha256 { verifies::<Hmac<Sha256>>(key, &signed, &mac) } else { verifies::<Hmac<Sha1>>(key, &signed, &mac) }
    };
    let (with_port, without) = by_port(request.url);
    // Both are computed, whichever fits.
    is_mac(&with_port) | is_mac(&without)
}

fn verifies<M: Mac + KeyInit>(key: &Secret, signed: &str, mac: &[u8]) -> bool {
    let mut hmac = <M as KeyInit>::new_from_slice(key.expose().as_bytes()).expect("HMAC takes a key of any length");
    hmac.update(signed.as_bytes());
    hmac.verify_slice(mac).is_ok()
}

enum Settings<'a> {
    Token,
    Sha256 { key: &'a str },
    Unknown,
}

fn settings(header: Option<&str>) -> Settings<'_> {
    let part = |wanted: &str| {
        let parts = header.unwrap_or_default().split(',').filter_map(|part| part.split_once('='));
        parts.map(|(name, value)| (name.trim(), value.trim())).find(|(name, _)| *name == wanted).map(|(_, value)| value)
    };
    match (part("algorithm"), part("key")) {
        (None, None) => Settings::Token,
        (Some(algorithm), None) if algorithm.eq_ignore_ascii_case("HMAC_SHA1") => Settings::Token,
        (Some(algorithm), Some(key)) if algorithm.eq_ignore_ascii_case("HMAC_SHA256") => Settings::Sha256 { key },
        _ => Settings::Unknown,
    }
}

/// Names in the order of their bytes, each with its values, a value that is repeated once.
fn folded(fields: &[(String, String)]) -> String {
    let distinct: BTreeSet<(&str, &str)> = fields.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    distinct.into_iter().flat_map(|(name, value)| [name, value]).collect()
}

fn has_hash(url: &str, bytes: &[u8]) -> bool {
    let query = url.split_once('?').map_or("", |(_, query)| query);
    let told = query.split('&').find_map(|pair| pair.strip_prefix("bodySHA256="));
    let hash: String = Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect();
    told.is_some_and(|told| told.eq_ignore_ascii_case(&hash))
}

/// The URL with and without its port: Twilio signs now the one, now the other.
fn by_port(url: &str) -> (String, String) {
    let Some((scheme, rest)) = url.split_once("://") else { return (url.to_owned(), url.to_owned()) };
    let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    let (authority, path) = rest.split_at(end);
    let host_ends = authority.rfind(']').map_or(0, |at| at + 1);
    match authority[host_ends..].find(':') {
        Some(at) => (url.to_owned(), format!("{scheme}://{}{path}", &authority[..host_ends + at])),
        None => {
            let port = if scheme == "https" { 443 } else { 80 };
            (format!("{scheme}://{authority}:{port}{path}"), url.to_owned())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::{prop_assert, proptest};
    use rand::rngs::StdRng;
    use rand::{RngExt, SeedableRng};

    const URL: &str = "https://mycompany.com/myapp.php?foo=1&bar=2";
    const KEY: &str = "webhooks_sharedkey_01";

    fn call() -> Vec<(String, String)> {
        let fields = [
            ("To", "+18005551212"),
            ("CallSid", "CA1234567890ABCDE"),
            ("Caller", "+14158675310"),
            ("Digits", "1234"),
            ("From", "+14158675310"),
        ];
        fields.map(|(name, value)| (name.to_owned(), value.to_owned())).to_vec()
    }

    fn checked(url: &str, signature: &str, settings: Option<&str>, body: Body<'_>) -> bool {
        let token = Secret::new("12345");
        let keys = BTreeMap::from([(KEY.to_owned(), Secret::new("12345"))]);
        let secrets = Secrets { token: &token, keys: &keys };
        is_signed(&Request { url, signature, settings, body }, secrets)
    }

    #[test]
    fn the_vectors_of_the_sdk_verify() {
        let fields = call();
        let form = Body::Form(&fields);
        assert!(checked(URL, "GvWf1cFY/Q7PnoempGyD5oXAezc=", None, form));
        let by_key = format!("key={KEY},algorithm=HMAC_SHA256");
        let sha256 = "/Px0ZZziCxf9Zt7wehmYS+fbCh+oLQi2VrfCqcV1vPM=";
        assert!(checked(URL, sha256, Some(&by_key), form));
        assert!(!checked(URL, sha256, None, form), "no way is tried that the request does not name");
        assert!(!checked(URL, sha256, Some("key=another,algorithm=HMAC_SHA256"), form));
        assert!(!checked(URL, "GvWf1cFY/Q7PnoempGyD5oXAezc=", Some("algorithm=HMAC_MD5"), form));
    }

    #[test]
    fn a_body_that_is_no_form_is_signed_by_its_hash() {
        let hash = "0a1ff7634d9ab3b95db5c9a2dfe9416e41502b283a80c7cf19632632f96e6620";
        let url = format!("{URL}&bodySHA256={hash}");
        let signature = "a9nBmqA0ju/hNViExpshrM61xv4=";
        let body = br#"{"property": "value", "boolean": true}"#;
        assert!(checked(&url, signature, None, Body::Raw(body)));
        assert!(!checked(&url, signature, None, Body::Raw(b"{}")));
        assert!(!checked(URL, signature, None, Body::Raw(body)));
    }

    #[test]
    fn repeated_fields_are_signed_once() {
        let fields = [("B", ""), ("A", "2"), ("A", "1"), ("A", "1")];
        let fields = fields.map(|(name, value)| (name.to_owned(), value.to_owned()));
        assert!(checked("https://example.com/s", "3W+JVzg2tH+zalBPL6zQ+JOJ2ik=", None, Body::Form(&fields)));
    }

    #[test]
    fn a_port_may_be_named_or_not() {
        assert_eq!(by_port("https://a.example/x"), ("https://a.example:443/x".into(), "https://a.example/x".into()));
        assert_eq!(
            by_port("http://a.example:81/x?y"),
            ("http://a.example:81/x?y".into(), "http://a.example/x?y".into())
        );
        assert_eq!(by_port("http://[::1]/x").0, "http://[::1]:80/x");
        let fields = call();
        let with_port = URL.replace(".com", ".com:443");
        assert!(checked(&with_port, "GvWf1cFY/Q7PnoempGyD5oXAezc=", None, Body::Form(&fields)));
    }

    /// What is signed, the mac, the body that is no form, and by which key.
    type Meaning = (Vec<String>, Option<Vec<u8>>, Option<Vec<u8>>, String);

    /// A request as it was signed: each way of signing, with a form and with a body that is none.
    struct Signed {
        url: String,
        signature: String,
        settings: Option<String>,
        fields: Vec<(String, String)>,
        raw: Option<Vec<u8>>,
    }

    impl Signed {
        fn is_taken(&self) -> bool {
            let body = self.raw.as_deref().map_or(Body::Form(&self.fields), Body::Raw);
            checked(&self.url, &self.signature, self.settings.as_deref(), body)
        }

        fn all() -> [Self; 3] {
            let form = |signature: &str, settings: Option<String>| Self {
                url: URL.to_owned(),
                signature: signature.to_owned(),
                settings,
                fields: call(),
                raw: None,
            };
            let hash = "0a1ff7634d9ab3b95db5c9a2dfe9416e41502b283a80c7cf19632632f96e6620";
            [
                form("GvWf1cFY/Q7PnoempGyD5oXAezc=", None),
                form("/Px0ZZziCxf9Zt7wehmYS+fbCh+oLQi2VrfCqcV1vPM=", Some(format!("key={KEY},algorithm=HMAC_SHA256"))),
                Self {
                    url: format!("{URL}&bodySHA256={hash}"),
                    raw: Some(br#"{"property": "value", "boolean": true}"#.to_vec()),
                    ..form("a9nBmqA0ju/hNViExpshrM61xv4=", None)
                },
            ]
        }

        /// One way in which a stranger may bend a request that they have seen.
        fn bend(&mut self, chance: &mut StdRng) {
            match chance.random_range(0..5) {
                0 => self.bend_path(chance),
                1 => bend(&mut self.signature, chance),
                2 => match &mut self.settings {
                    Some(settings) => bend(settings, chance),
                    none => *none = Some(format!("key={KEY},algorithm=HMAC_SHA256")),
                },
                _ => match &mut self.raw {
                    Some(raw) => {
                        let at = chance.random_range(0..raw.len());
                        raw[at] ^= 1 << chance.random_range(0..7);
                    }
                    None => self.bend_field(chance),
                },
            }
        }

        /// Scheme, host and port are the configured ones, whatever a request says; a path begins with its slash.
        fn bend_path(&mut self, chance: &mut StdRng) {
            let (origin, path) = self.url.split_at("https://mycompany.com/".len());
            let (origin, mut path) = (origin.to_owned(), path.to_owned());
            bend(&mut path, chance);
            self.url = origin + &path;
        }

        fn bend_field(&mut self, chance: &mut StdRng) {
            let place = chance.random_range(0..self.fields.len());
            match chance.random_range(0..5) {
                0 => bend(&mut self.fields[place].0, chance),
                1 => bend(&mut self.fields[place].1, chance),
                2 if self.fields.len() > 1 => drop(self.fields.remove(place)),
                3 => {
                    let value = self.fields[place].1.clone();
                    let other = chance.random_range(0..self.fields.len());
                    self.fields[other].1 = value;
                }
                _ => self.fields.push(("More".to_owned(), chance.random_range(0..100).to_string())),
            }
        }

        /// What is signed of it: two requests with the same are the same to Twilio.
        fn meaning(&self) -> Meaning {
            let (with_port, without) = by_port(&self.url);
            let fields = if self.raw.is_none() { folded(&self.fields) } else { String::new() };
            let by_key = match settings(self.settings.as_deref()) {
                Settings::Token => "token".to_owned(),
                Settings::Sha256 { key } => format!("key {key}"),
                Settings::Unknown => "unknown".to_owned(),
            };
            let signed = [with_port, without].map(|url| format!("{url}{fields}")).to_vec();
            (signed, BASE64_STANDARD.decode(&self.signature).ok(), self.raw.clone(), by_key)
        }
    }

    /// Changes, adds, removes or cuts off a character or more.
    fn bend(text: &mut String, chance: &mut StdRng) {
        const LETTERS: &[u8] = b"ABCXYZabcxyz0189+/=&?:.,-_ %";
        let letter = char::from(LETTERS[chance.random_range(0..LETTERS.len())]);
        let at = chance.random_range(0..=text.len());
        match chance.random_range(0..4) {
            0 => text.insert(at, letter),
            1 => text.truncate(at),
            _ if at == text.len() => text.push(letter),
            2 => drop(text.remove(at)),
            _ => text.replace_range(at..=at, letter.encode_utf8(&mut [0; 4])),
        }
    }

    #[test]
    fn of_a_hundred_thousand_bent_requests_none_is_taken() {
        let mut chance = StdRng::seed_from_u64(10);
        let (mut tried, mut taken) = (0, Vec::new());
        while tried < 100_000 {
            let [one, two, three] = Signed::all();
            let mut bent = [one, two, three].into_iter().nth(tried % 3).expect("one of three");
            assert!(tried > 2 || bent.is_taken(), "it is good as it was signed");
            let before = bent.meaning();
            for _ in 0..chance.random_range(1..4) {
                bent.bend(&mut chance);
            }
            if bent.meaning() == before {
                continue;
            }
            tried += 1;
            if bent.is_taken() {
                taken.push((bent.url, bent.signature, bent.settings, bent.fields));
            }
        }
        assert_eq!(taken, []);
    }

    proptest! {
        #[test]
        fn no_input_panics(url in "\\PC{0,40}", signature in "\\PC{0,40}", settings in "\\PC{0,40}") {
            prop_assert!(!checked(&url, &signature, Some(&settings), Body::Form(&[])));
        }
    }
}
