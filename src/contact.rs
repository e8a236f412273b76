//! Email addresses and phone numbers as they lie in the data: which are good, and how they are shown.
//!
//! Parsing and normalising them is the import's work (`data`); here is only what everyone may ask of a stored value.
//!
//! 1. A good phone number is stored in E.164 form (`+` and 7 to 15 digits), a good email address as an addr-spec with
//!    a lower-case domain. Whatever else stands in such a column is what the file said, kept so that the customer
//!    can be told of as `bad_address`; where it would look like a good one, a `?` stands before it.
//! 2. A log shows a contact only through [`mask`].

use crate::rules::{Channel, Purpose, words};
use std::fmt;
use std::str::FromStr;

/// Stands before a bad contact that has the shape of a good one.
const BAD_MARK: char = '?';

/// Whether a stored phone number can be called: E.164.
///
/// ```
/// assert!(plusone::contact::is_good_phone("+442071838750"));
/// assert!(!plusone::contact::is_good_phone("020 7183 8750"));
/// ```
pub fn is_good_phone(stored: &str) -> bool {
    let Some(digits) = stored.strip_prefix('+') else { return false };
    (7..=15).contains(&digits.len()) && digits.bytes().all(|b| b.is_ascii_digit()) && !digits.starts_with('0')
}

/// Whether a stored email address can be written to: one `@`, no quoting, a domain of two labels or more in lower
/// case, 64 and 254 bytes at most (RFC 5321, 4.5.3.1).
///
/// ```
/// assert!(plusone::contact::is_good_email("Ann.Lee+shop@example.com"));
/// assert!(!plusone::contact::is_good_email("ann@example"));
/// assert!(!plusone::contact::is_good_email("ann@EXAMPLE.com"));
/// ```
pub fn is_good_email(stored: &str) -> bool {
    let Some((local, domain)) = stored.split_once('@') else { return false };
    stored.len() <= 254
        && local.len() <= 64
        && !stored.starts_with(BAD_MARK)
        && local.split('.').all(|atom| !atom.is_empty() && atom.bytes().all(is_atom))
        && domain.contains('.')
        && domain.split('.').all(is_label)
}

/// `atext` of RFC 5322.
fn is_atom(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"!#$%&'*+-/=?^_`{|}~".contains(&byte)
}

fn is_label(label: &str) -> bool {
    (1..=63).contains(&label.len())
        && !label.starts_with('-')
        && !label.ends_with('-')
        && label.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
}

/// How a bad contact is stored: as written, never in the shape of a good one.
pub fn as_bad(written: &str) -> String {
    if is_good_phone(written) || is_good_email(written) { format!("{BAD_MARK}{written}") } else { written.to_owned() }
}

/// A contact of either kind as it may be shown: `j…@e….com`, `+44…12`.
///
/// ```
/// use plusone::contact::mask;
/// assert_eq!(mask("jane@example.com"), "j…@e….com");
/// assert_eq!(mask("+442071838750"), "+44…50");
/// ```
pub fn mask(contact: &str) -> String {
    if contact.contains('@') { mask_email(contact) } else { mask_phone(contact) }
}

/// The first letters of the local part and of the domain, and the last label.
pub fn mask_email(address: &str) -> String {
    let first = |text: &str| text.chars().next().map(String::from).unwrap_or_default();
    let (local, domain) = address.rsplit_once('@').unwrap_or((address, ""));
    match domain.rsplit_once('.') {
        Some((name, last)) => format!("{}…@{}….{last}", first(local), first(name)),
        None => format!("{}…@{}…", first(local), first(domain)),
    }
}

/// The first two digits and the last two, where at least four are hidden between them.
pub fn mask_phone(number: &str) -> String {
    let digits: Vec<char> = number.chars().filter(char::is_ascii_digit).collect();
    if digits.len() < 8 {
        return "…".to_owned();
    }
    let text = |part: &[char]| part.iter().collect::<String>();
    let plus = if number.starts_with('+') { "+" } else { "" };
    format!("{plus}{}…{}", text(&digits[..2]), text(&digits[digits.len() - 2..]))
}

/// What a suppression rests on, by the words that its reason may be. Other words are an entry by hand.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Ground {
    /// The person told their mail provider that it was spam.
    Complaint,
    /// The person said stop, in a reply or by a key.
    Stop,
    /// The person left by a link or a button.
    Unsubscribe,
    /// The person had everything about them erased.
    Erasure,
    /// On a list of people who are not to be called or written to.
    DoNotContact,
    /// The provider said for good that there is no such mailbox or line.
    HardBounce,
    /// The provider said so several times in a row.
    SoftBounce,
    /// No address at all, or one that takes no messages.
    Invalid,
    Manual,
}

words!(Ground {
    Complaint = "complaint",
    Stop = "stop",
    Unsubscribe = "unsubscribe",
    Erasure = "erasure",
    DoNotContact = "do_not_contact",
    HardBounce = "hard_bounce",
    SoftBounce = "soft_bounce",
    Invalid = "invalid",
    Manual = "manual",
});

impl Ground {
    /// Reads a reason: a word of ours, or what SES, Postmark, SendGrid, Mailgun and Mailchimp call it, in any notation
    /// (`HardBounce`, `SPAM_COMPLAINT`, `group unsubscribes`). Whatever else is an entry by hand.
    ///
    /// ```
    /// use plusone::contact::Ground;
    /// assert_eq!(Ground::read("SpamComplaint"), Ground::Complaint);
    /// assert_eq!(Ground::read("invalid_emails"), Ground::Invalid);
    /// assert_eq!(Ground::read("asked us by phone"), Ground::Manual);
    /// ```
    pub fn read(reason: &str) -> Self {
        let word: String = reason.chars().filter(char::is_ascii_alphanumeric).collect::<String>().to_ascii_lowercase();
        match word.as_str() {
            "complaint" | "complaints" | "spamcomplaint" | "spamcomplaints" | "spamreport" | "spamreports"
            | "abuse" => Self::Complaint,
            "stop" | "optout" | "optedout" => Self::Stop,
            "unsubscribe" | "unsubscribes" | "unsubscribed" | "groupunsubscribe" | "groupunsubscribes"
            | "globalunsubscribe" | "globalunsubscribes" | "manualsuppression" | "cleanedunsubscribe" => {
                Self::Unsubscribe
            }
            "erasure" => Self::Erasure,
            "donotcontact" | "donotcall" | "dnc" | "litigator" => Self::DoNotContact,
            "hardbounce" | "hardbounces" | "bounce" | "bounces" | "bounced" | "cleaned" => Self::HardBounce,
            "softbounce" | "softbounces" | "block" | "blocks" | "blocked" => Self::SoftBounce,
            "invalid" | "invalidemail" | "invalidemails" | "bademailaddress" => Self::Invalid,
            _ => Self::Manual,
        }
    }

    /// Whether the person themselves asked not to be written to: it goes before everything, and only they take it
    /// back.
    pub const fn is_their_wish(self) -> bool {
        matches!(self, Self::Complaint | Self::Stop | Self::Unsubscribe | Self::Erasure | Self::DoNotContact)
    }

    /// Whether a fresh yes of the person's own takes it back. A complaint told more than that this topic was
    /// unwanted, and a yes mends no mailbox.
    pub const fn yields_to_a_yes(self) -> bool {
        matches!(self, Self::Stop | Self::Unsubscribe)
    }
}

/// The scope of a suppression that stops everything.
pub const EVERYTHING: &str = "all";

/// What is wrong with a suppression's scope, if anything is: `all`, `promotional`, `topic:offers`, `channel:sms`.
pub fn scope_fault(scope: &str) -> Option<String> {
    let named = scope.split_once(':').is_some_and(|(kind, name)| match kind {
        "topic" => !name.is_empty(),
        "channel" => name.parse::<Channel>().is_ok(),
        _ => false,
    });
    let known = named || scope == EVERYTHING || scope == Purpose::Promotional.as_str();
    (!known).then(|| format!("`{scope}` is not a scope: write `all`, `promotional`, `topic:offers` or `channel:sms`"))
}

/// Whether a suppression of this scope stops a message of this topic, purpose and channel.
///
/// ```
/// use plusone::contact::is_covered;
/// use plusone::rules::{Channel, Purpose};
/// assert!(is_covered("all", "deliveries", Purpose::Transactional, Channel::Email));
/// assert!(!is_covered("promotional", "deliveries", Purpose::Transactional, Channel::Email));
/// assert!(is_covered("topic:offers", "offers", Purpose::Promotional, Channel::Sms));
/// ```
pub fn is_covered(scope: &str, topic: &str, purpose: Purpose, channel: Channel) -> bool {
    match scope.split_once(':') {
        Some(("topic", name)) => name == topic,
        Some(("channel", name)) => name == channel.as_str(),
        _ => scope == EVERYTHING || scope == purpose.as_str() && purpose == Purpose::Promotional,
    }
}

#[cfg(test)]
mod tests {
    use super::{as_bad, is_good_email, is_good_phone, mask, mask_email, mask_phone};

    #[test]
    fn a_bad_contact_never_looks_like_a_good_one() {
        for written in ["+441234567", "a@example.com", "a@b", "07700", "?", ""] {
            let stored = as_bad(written);
            assert!(!is_good_phone(&stored) && !is_good_email(&stored), "{stored}");
            assert!(stored.ends_with(written));
        }
    }

    #[test]
    fn quoting_comments_and_lists_are_no_addresses() {
        for text in [
            "\"a b\"@example.com",
            "a(comment)@example.com",
            "a@b@example.com",
            "a@example.com,b@example.com",
            "a b@example.com",
            "a@example..com",
            ".a@example.com",
            "a@-example.com",
            "a@example.com\r\nBcc: b@example.com",
            "<a@example.com>",
        ] {
            assert!(!is_good_email(text), "{text}");
        }
    }

    #[test]
    fn what_is_shown_does_not_give_the_contact_away() {
        assert_eq!(mask_email("x"), "x…@…");
        assert_eq!(mask_phone("12345"), "…");
        assert_eq!(mask("a.very.long.name@mail.example.co.uk"), "a…@m….uk");
    }
}
