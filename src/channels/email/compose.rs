//! A message's words as an Internet message (RFC 5322, MIME). Header values are lettre's, bodies are [`super::body`]'s.
//!
//! 1. The same [`Outgoing`] gives the same bytes: Message-ID, Date and boundary follow from it.
//! 2. Header values are single lines; a control character in one is refused, never repaired.
//! 3. Lines end in CRLF and have at most 998 octets, and neither CR nor LF stands alone: what is not so is refused.
//! 4. A promotional message says how to leave with one click (RFC 2369, RFC 8058): one address, and nothing else, so
//!    that there is one thing to honour. What signs the message signs these headers too.

use super::address::{Address, Mailbox};
use super::body::{Encoded, encoded};
use crate::channels::{Outgoing, Refused, checked_id};
use crate::time::Timestamp;
use lettre::message::header::{Date, From, HeaderName, HeaderValue, Headers, To};
use memchr::{memchr_iter, memmem};
use std::fmt::Write as _;
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
    let mut headers = Headers::new();
    headers.insert_raw(raw("Message-ID", format!("<{id}@{}>", from.address.domain())));
    headers.set(Date::new(system_time(message.date)));
    headers.set(From::from(lettre::message::Mailboxes::from(lettre::message::Mailbox::new(
        from.name,
        from.address.to_lettre(),
    ))));
    headers.set(To::from(lettre::message::Mailboxes::from(lettre::message::Mailbox::new(None, to.to_lettre()))));
    headers.insert_raw(subject_header(subject));
    headers.insert_raw(raw("Auto-Submitted", "auto-generated".to_owned()));
    headers.insert_raw(raw("X-Auto-Response-Suppress", "OOF, AutoReply".to_owned()));
    if message.promotional {
        headers.insert_raw(raw("Precedence", "bulk".to_owned()));
    }
    if let Some(url) = &message.unsubscribe {
        single_line("unsubscribe link", url)?;
        headers.insert_raw(raw("List-Unsubscribe", format!("<{url}>")));
        headers.insert_raw(raw("List-Unsubscribe-Post", "List-Unsubscribe=One-Click".to_owned()));
    }
    if message.test {
        headers.insert_raw(raw("X-Plusone-Test", "true".to_owned()));
    }
    headers.insert_raw(raw("MIME-Version", "1.0".to_owned()));
    let words = &message.words;
    let bytes = match (&words.text, &words.html) {
        (Some(text), Some(html)) => alternative(&headers, id, text, html),
        (Some(text), None) => single(&headers, "plain", text),
        (None, Some(html)) => single(&headers, "html", html),
        (None, None) => return Err(Refused::words("the message has no words for the channel `email`")),
    };
    check_lines(&bytes)?;
    Ok(Mail { from: from.address, to, bytes })
}

/// Both forms, the preferred one last (RFC 2046, 5.1.4).
fn alternative(headers: &Headers, id: &str, text: &str, html: &str) -> Vec<u8> {
    let parts = [("plain", encoded(text)), ("html", encoded(html))];
    // `=_` stands neither in quoted-printable text nor in base64; what goes out as it is may hold anything.
    let mut boundary = format!("=_{id}");
    while parts.iter().any(|(_, part)| part.is_as_written() && memmem::find(&part.bytes, boundary.as_bytes()).is_some())
    {
        boundary.push('_');
    }
    let size: usize = parts.iter().map(|(_, part)| part.bytes.len()).sum();
    let mut head = String::with_capacity(size + 4 * boundary.len() + 1_536);
    let written = write!(head, "{headers}Content-Type: multipart/alternative;\r\n boundary=\"{boundary}\"\r\n");
    written.expect("a String takes all");
    let mut bytes = head.into_bytes();
    for (kind, part) in parts {
        bytes.extend_from_slice(format!("\r\n--{boundary}\r\n{}\r\n", content_type(kind, &part)).as_bytes());
        bytes.extend_from_slice(&part.bytes);
    }
    bytes.extend_from_slice(format!("\r\n--{boundary}--\r\n").as_bytes());
    bytes
}

fn single(headers: &Headers, kind: &str, text: &str) -> Vec<u8> {
    let part = encoded(text);
    let mut bytes = format!("{headers}{}\r\n", content_type(kind, &part)).into_bytes();
    bytes.extend_from_slice(&part.bytes);
    bytes
}

fn content_type(kind: &str, part: &Encoded) -> String {
    format!("Content-Type: text/{kind}; charset=utf-8\r\nContent-Transfer-Encoding: {}\r\n", part.encoding)
}

fn single_line(name: &str, value: &str) -> Result<(), Refused> {
    if value.chars().any(char::is_control) {
        return Err(Refused::words(format!("the {name} is not a single line of text")));
    }
    Ok(())
}

fn raw(name: &'static str, value: String) -> HeaderValue {
    HeaderValue::new(HeaderName::new_from_ascii_str(name), value)
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
    let mut start = 0;
    let mut ends = 0;
    for at in memchr_iter(b'\n', bytes) {
        ends += usize::from(at > start && bytes[at - 1] == b'\r');
        check_length((at - start).saturating_sub(1))?;
        start = at + 1;
    }
    // as many of each as there are pairs: none stands alone
    if [b'\r', b'\n'].iter().any(|end| memchr_iter(*end, bytes).count() != ends) {
        return Err(Refused::words("the email would hold a line end that is not CRLF"));
    }
    check_length(bytes.len() - start)
}

fn check_length(octets: usize) -> Result<(), Refused> {
    if octets > MAX_LINE {
        return Err(Refused::words(format!("the email would hold a line of {octets} octets; 998 is the most")));
    }
    Ok(())
}

#[cfg(test)]
mod tests;
