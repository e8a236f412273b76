//! A message's words as an Internet message (RFC 5322, MIME), by lettre's builder.
//!
//! 1. The same [`Outgoing`] gives the same bytes: Message-ID, Date and boundary follow from it.
//! 2. Header values are single lines; a control character in one is refused, never repaired.
//! 3. Lines end in CRLF and have at most 998 octets, and neither CR nor LF stands alone: what is not so is refused.
//! 4. A promotional message says how to leave with one click (RFC 2369, RFC 8058): one address, and nothing else, so
//!    that there is one thing to honour. What signs the message signs these headers too.

use super::address::{Address, Mailbox};
use crate::channels::{Outgoing, Refused, checked_id};
use crate::time::Timestamp;
use lettre::message::header::{ContentType, HeaderName, HeaderValue};
use lettre::message::{Message, MultiPart, SinglePart};
use std::time::{Duration, SystemTime};

/// RFC 5322, 2.1.1: octets in a line, without its CRLF.
const MAX_LINE: usize = 998;

/// An email, ready for a relay.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Mail {
    from: Address,
    to: Address,
    bytes: Vec<u8>,
}

impl Mail {
    pub fn from(&self) -> &Address {
        &self.from
    }

    pub fn to(&self) -> &Address {
        &self.to
    }

    /// The message with its header, as a file or in an SMTP transaction (before dots are doubled).
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    pub fn into_bytes(self) -> Vec<u8> {
        self.bytes
    }

    /// Whether an address needs SMTPUTF8 (RFC 6531). Bodies never do: they are encoded.
    pub fn needs_utf8(&self) -> bool {
        self.from.needs_utf8() || self.to.needs_utf8()
    }
}

/// Composes the email of a message.
///
/// # Errors
/// [`Refused`] for an address that is none (the recipient's as a bad address), without a subject, without text and
/// HTML, and where a header holds a control character.
pub fn prepare(message: &Outgoing) -> Result<Mail, Refused> {
    let from: Mailbox = message.from.parse().map_err(|error| Refused::words(format!("the sender: {error}")))?;
    let to: Address = message.to.parse().map_err(|error| Refused::address(format!("the recipient: {error}")))?;
    let subject = message.words.subject.as_deref().unwrap_or_default();
    single_line("subject", subject)?;
    if subject.trim().is_empty() {
        return Err(Refused::words("the message has no subject"));
    }
    let id = checked_id(message)?;
    let mut builder = Message::builder()
        .message_id(Some(format!("<{id}@{}>", from.address.domain())))
        .date(system_time(message.date))
        .from(lettre::message::Mailbox::new(from.name, from.address.to_lettre()))
        .to(lettre::message::Mailbox::new(None, to.to_lettre()))
        .raw_header(subject_header(subject))
        .raw_header(raw("Auto-Submitted", "auto-generated"))
        .raw_header(raw("X-Auto-Response-Suppress", "OOF, AutoReply"));
    if message.promotional {
        builder = builder.raw_header(raw("Precedence", "bulk"));
    }
    if let Some(url) = &message.unsubscribe {
        single_line("unsubscribe link", url)?;
        builder = builder
            .raw_header(raw("List-Unsubscribe", &format!("<{url}>")))
            .raw_header(raw("List-Unsubscribe-Post", "List-Unsubscribe=One-Click"));
    }
    let built = match (&message.words.text, &message.words.html) {
        (Some(text), Some(html)) => builder.multipart(alternative(id, text, html)),
        (Some(text), None) => builder.singlepart(SinglePart::plain(lines(text))),
        (None, Some(html)) => builder.singlepart(SinglePart::html(lines(html))),
        (None, None) => return Err(Refused::words("the message has no words for the channel `email`")),
    };
    let bytes = built.map_err(|error| Refused::words(format!("the email cannot be composed: {error}")))?.formatted();
    check_lines(&bytes)?;
    Ok(Mail { from: from.address, to, bytes })
}

/// Both forms, the preferred one last (RFC 2046, 5.1.4).
fn alternative(id: &str, text: &str, html: &str) -> MultiPart {
    // `=_` cannot stand in quoted-printable text; that no other text contains the boundary is checked.
    let mut boundary = format!("=_{id}");
    while text.contains(&boundary) || html.contains(&boundary) {
        boundary.push('_');
    }
    let kind = ContentType::parse(&format!("multipart/alternative; boundary=\"{boundary}\""))
        .expect("a boundary of a checked id is a MIME token");
    MultiPart::builder()
        .header(kind)
        .singlepart(SinglePart::plain(lines(text)))
        .singlepart(SinglePart::html(lines(html)))
}

/// Every line end as CRLF, in one pass (lettre would insert each by itself), and no NUL, which no mail may hold.
fn lines(text: &str) -> String {
    let mut written = String::with_capacity(text.len() + text.len() / 16 + 2);
    let mut rest = text;
    while let Some(at) = rest.bytes().position(|byte| matches!(byte, b'\r' | b'\n' | 0)) {
        written.push_str(&rest[..at]);
        let end = &rest[at..];
        if !end.starts_with('\0') {
            written.push_str("\r\n");
        }
        rest = end.strip_prefix("\r\n").unwrap_or(&end[1..]);
    }
    written.push_str(rest);
    written
}

fn single_line(name: &str, value: &str) -> Result<(), Refused> {
    if value.chars().any(char::is_control) {
        return Err(Refused::words(format!("the {name} is not a single line of text")));
    }
    Ok(())
}

fn raw(name: &'static str, value: &str) -> HeaderValue {
    HeaderValue::new(HeaderName::new_from_ascii_str(name), value.to_owned())
}

/// A subject that holds `=?` is encoded whole: left as it is, readers would decode what a customer's own data put there.
fn subject_header(subject: &str) -> HeaderValue {
    let name = HeaderName::new_from_ascii_str("Subject");
    if subject.contains("=?") {
        HeaderValue::dangerous_new_pre_encoded(name, subject.to_owned(), encoded_words(subject))
    } else {
        HeaderValue::new(name, subject.to_owned())
    }
}

/// RFC 2047's Q encoding: words of whole characters, one a line, which readers join again.
fn encoded_words(text: &str) -> String {
    const ROOM: usize = 50;
    let mut words = vec![String::new()];
    for c in text.chars() {
        let piece = match c {
            ' ' => "_".to_owned(),
            _ if c.is_ascii_alphanumeric() => c.to_string(),
            _ => c.to_string().bytes().map(|byte| format!("={byte:02X}")).collect(),
        };
        if words.last().is_some_and(|word| word.len() + piece.len() > ROOM) {
            words.push(String::new());
        }
        words.last_mut().expect("there is always one").push_str(&piece);
    }
    words.iter().map(|word| format!("=?utf-8?q?{word}?=")).collect::<Vec<_>>().join("\r\n ")
}

fn system_time(at: Timestamp) -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_micros(u64::try_from(at.micros()).unwrap_or(0))
}

/// The law of lines, checked on what will be sent.
fn check_lines(bytes: &[u8]) -> Result<(), Refused> {
    for line in bytes.split_inclusive(|byte| *byte == b'\n') {
        let content = line.strip_suffix(b"\n").map_or(Some(line), |line| line.strip_suffix(b"\r"));
        let Some(content) = content.filter(|content| !content.contains(&b'\r')) else {
            return Err(Refused::words("the email would hold a line end that is not CRLF"));
        };
        if content.len() > MAX_LINE {
            return Err(Refused::words(format!(
                "the email would hold a line of {} octets; 998 is the most",
                content.len()
            )));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests;
