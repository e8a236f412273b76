//! Email addresses, strictly: what cannot be misread on its way is accepted, all else is refused.
//!
//! 1. One `@`; a local part of atoms and dots, without quotes, comments or control characters; a domain of labels.
//!    Quoted local parts are legal mail and refused all the same: systems disagree on where such mail goes.
//! 2. A domain is kept as its A-label (RFC 5890), so that only a local part can need SMTPUTF8.
//! 3. Reading what was written gives the same address.

use std::fmt;
use std::str::FromStr;

/// RFC 5321, 4.5.3.1: octets of a local part, and of a path without its brackets.
const MAX_LOCAL: usize = 64;
const MAX_ADDRESS: usize = 254;
const MAX_DOMAIN: usize = 253;
const MAX_LABEL: usize = 63;

/// An address: `ann@customers.example`.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Address {
    local: String,
    domain: String,
}

/// An address with the name to show: `Harbour Coffee <hello@harbour.example>`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Mailbox {
    pub name: Option<String>,
    pub address: Address,
}

/// Why a text is not an address.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum AddressError {
    #[error("`{0}` has no `@`, or more than one")]
    At(String),
    #[error("the part before the `@` of `{0}` is not made of letters, digits and single dots")]
    Local(String),
    #[error("the part after the `@` of `{0}` is not a domain")]
    Domain(String),
    #[error("`{0}` is longer than an address may be")]
    Long(String),
    #[error("the name in `{0}` has a control character or an unpaired quote")]
    Name(String),
}

impl Address {
    /// As it stands before the `@`.
    pub fn local(&self) -> &str {
        &self.local
    }

    /// In ASCII: international names as their A-labels.
    pub fn domain(&self) -> &str {
        &self.domain
    }

    /// Whether only a relay with SMTPUTF8 can take it.
    pub fn needs_utf8(&self) -> bool {
        !self.local.is_ascii()
    }

    pub(super) fn to_lettre(&self) -> lettre::Address {
        // Checked above more strictly than lettre does.
        lettre::Address::new_dangerous(&self.local, &self.domain)
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}@{}", self.local, self.domain)
    }
}

impl FromStr for Address {
    type Err = AddressError;

    fn from_str(text: &str) -> Result<Self, AddressError> {
        let (local, domain) = text.split_once('@').ok_or_else(|| AddressError::At(text.to_owned()))?;
        if domain.contains('@') {
            return Err(AddressError::At(text.to_owned()));
        }
        if local.len() > MAX_LOCAL || !local.split('.').all(is_atom) {
            return Err(AddressError::Local(text.to_owned()));
        }
        let domain = ascii_domain(domain).ok_or_else(|| AddressError::Domain(text.to_owned()))?;
        if local.len() + 1 + domain.len() > MAX_ADDRESS {
            return Err(AddressError::Long(text.to_owned()));
        }
        Ok(Self { local: local.to_owned(), domain })
    }
}

impl FromStr for Mailbox {
    type Err = AddressError;

    /// Reads `name <address>`, `"name" <address>`, or an address alone.
    fn from_str(text: &str) -> Result<Self, AddressError> {
        let text = text.trim();
        let Some((name, address)) = text.strip_suffix('>').and_then(|text| text.rsplit_once('<')) else {
            return Ok(Self { name: None, address: text.parse()? });
        };
        let name = name.trim();
        let bare = name.strip_prefix('"').and_then(|name| name.strip_suffix('"')).unwrap_or(name);
        if bare.contains('"') || bare.chars().any(char::is_control) {
            return Err(AddressError::Name(text.to_owned()));
        }
        let name = Some(bare.trim().to_owned()).filter(|name| !name.is_empty());
        Ok(Self { name, address: address.parse()? })
    }
}

/// RFC 5322 `atext`, and RFC 6531's letters beyond ASCII short of what is invisible or turns the writing round.
fn is_atom(atom: &str) -> bool {
    let is_atext = |c: char| match c {
        'a'..='z' | 'A'..='Z' | '0'..='9' => true,
        _ if c.is_ascii() => "!#$%&'*+-/=?^_`{|}~".contains(c),
        '\u{ad}' | '\u{61c}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' => false,
        '\u{feff}' | '\u{fff0}'..='\u{ffff}' => false,
        _ => !c.is_control() && !c.is_whitespace(),
    };
    !atom.is_empty() && atom.chars().all(is_atext)
}

/// The domain as A-labels, or `None` where it is none. An address literal and a bare number are none.
fn ascii_domain(domain: &str) -> Option<String> {
    let ascii = idna::domain_to_ascii(domain).ok()?;
    let is_label = |label: &str| {
        (1..=MAX_LABEL).contains(&label.len())
            && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    let top = ascii.rsplit('.').next()?;
    let good = ascii.len() <= MAX_DOMAIN && ascii.split('.').all(is_label) && !top.bytes().all(|b| b.is_ascii_digit());
    good.then_some(ascii)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::{prop_assert_eq, proptest};

    fn address(text: &str) -> Result<String, AddressError> {
        text.parse::<Address>().map(|address| address.to_string())
    }

    #[test]
    fn ordinary_addresses_are_read_as_they_stand() {
        for text in ["ann@customers.test", "o'brien+news@mail.example", "a.b-c_d@x1.y-2.example", "root@localhost"] {
            assert_eq!(address(text).as_deref(), Ok(text));
        }
    }

    #[test]
    fn what_can_be_misread_is_refused() {
        for text in [
            "",
            "ann",
            "@customers.test",
            "ann@",
            "ann@@customers.test",
            "ann@evil.test@customers.test",
            "\"ann@evil.test\"@customers.test",
            "ann(comment)@customers.test",
            ".ann@customers.test",
            "ann.@customers.test",
            "a..b@customers.test",
            "ann @customers.test",
            "ann@customers.test ",
            "ann@customers .test",
            "ann@customers.test\r\nRCPT TO:<b@c.test>",
            "ann@[127.0.0.1]",
            "ann@127.0.0.1",
            "ann@-a.test",
            "ann@a..test",
            "ann@a_b.test",
            "<ann@customers.test>",
            "ann,bob@customers.test",
            "group:ann@customers.test;",
            "a\u{202e}nn@customers.test",
            "a\u{200b}nn@customers.test",
            "a\0b@customers.test",
        ] {
            assert!(address(text).is_err(), "{text:?}");
        }
        assert!(address(&format!("{}@a.test", "a".repeat(65))).is_err());
        assert!(address(&format!("a@{}.test", "a".repeat(64))).is_err());
    }

    #[test]
    fn an_international_domain_becomes_its_a_label() {
        assert_eq!(address("ann@bücher.example").as_deref(), Ok("ann@xn--bcher-kva.example"));
        assert_eq!(address("ann@例え.テスト").as_deref(), Ok("ann@xn--r8jz45g.xn--zckzah"));
        let local: Address = "jürgen@bücher.example".parse().expect("a good address");
        assert!(local.needs_utf8());
    }

    #[test]
    fn a_sender_has_a_name_or_none() {
        let mailbox = |text: &str| text.parse::<Mailbox>().map(|mailbox| (mailbox.name, mailbox.address.to_string()));
        let hello = "hello@harbour.example".to_owned();
        assert_eq!(mailbox("Harbour <hello@harbour.example>"), Ok((Some("Harbour".to_owned()), hello.clone())));
        assert_eq!(
            mailbox("\"Harbour, Ltd\" <hello@harbour.example>"),
            Ok((Some("Harbour, Ltd".to_owned()), hello.clone()))
        );
        assert_eq!(mailbox("<hello@harbour.example>"), Ok((None, hello.clone())));
        assert_eq!(mailbox("hello@harbour.example"), Ok((None, hello)));
        assert!(mailbox("A\r\nBcc: b@c.test <hello@harbour.example>").is_err());
        assert!(mailbox("\"a\"b\" <hello@harbour.example>").is_err());
    }

    proptest! {
        #[test]
        fn reading_what_was_written_gives_the_same_address(text in "\\PC{0,12}@\\PC{0,24}") {
            if let Ok(address) = text.parse::<Address>() {
                prop_assert_eq!(address.to_string().parse::<Address>(), Ok(address));
            }
        }
    }
}
