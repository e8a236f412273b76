//! A text as the body of a MIME part: its line ends, and the encoding that carries it through any relay (RFC 2045).
//!
//! 1. Every kind of line end becomes CRLF, and NUL, which no mail may hold, is left out.
//! 2. What goes out is ASCII in lines of at most 76 octets, whatever the text holds.
//! 3. Short lines of ASCII stay as they are. Where more than a third would have to be escaped, base64 is shorter and
//!    is taken; all else is quoted-printable.

use lettre::message::Body;
use lettre::message::header::ContentTransferEncoding;
use memchr::{memchr, memchr3};

/// RFC 2045, 6.7: octets of a line, without its CRLF.
const MAX_LINE: usize = 76;
/// RFC 2045's word for a text that needs no encoding.
const AS_WRITTEN: &str = "7bit";

/// An encoded body and the word for its encoding.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Encoded {
    pub(super) bytes: Vec<u8>,
    pub(super) encoding: &'static str,
}

impl Encoded {
    /// Whether the text's own letters go out, and nothing stands for them.
    pub(super) fn is_as_written(&self) -> bool {
        self.encoding == AS_WRITTEN
    }
}

/// Encodes a text.
pub(super) fn encoded(text: &str) -> Encoded {
    let shape = Shape::of(text);
    if shape.to_escape == 0 && shape.longest < MAX_LINE {
        let mut bytes = Vec::with_capacity(text.len() + text.len() / 16 + 2);
        each_line(text, |line, ends| {
            bytes.extend_from_slice(line);
            bytes.extend_from_slice(if ends { b"\r\n" } else { b"" });
        });
        return Encoded { bytes, encoding: AS_WRITTEN };
    }
    if shape.to_escape > text.len() / 3 {
        let mut plain = Vec::with_capacity(text.len() + text.len() / 16 + 2);
        each_line(text, |line, ends| {
            plain.extend_from_slice(line);
            plain.extend_from_slice(if ends { b"\r\n" } else { b"" });
        });
        let body = Body::new_with_encoding(plain, ContentTransferEncoding::Base64).expect("base64 carries any bytes");
        return Encoded { bytes: body.into_vec(), encoding: "base64" };
    }
    let mut bytes = Vec::with_capacity(text.len() + text.len() / 8 + 64);
    each_line(text, |line, ends| {
        // where all letters are plain, only the sign itself is written out
        let is_plain = shape.to_escape == 0 || to_escape(line) == 0;
        let next = if is_plain { next_sign } else { next_special };
        quote_line(line, next, &mut bytes);
        bytes.extend_from_slice(if ends { b"\r\n" } else { b"" });
    });
    Encoded { bytes, encoding: "quoted-printable" }
}

/// What the choice of an encoding depends on.
struct Shape {
    longest: usize,
    to_escape: usize,
}

impl Shape {
    fn of(text: &str) -> Self {
        let mut shape = Self { longest: 0, to_escape: 0 };
        each_line(text, |line, _| {
            shape.longest = shape.longest.max(line.len());
            shape.to_escape += to_escape(line);
        });
        shape
    }
}

/// Gives each line without its end, and whether an end follows it.
fn each_line(text: &str, mut line: impl FnMut(&[u8], bool)) {
    let mut rest = text.as_bytes();
    let mut joined: Option<Vec<u8>> = None;
    while let Some(at) = memchr3(b'\r', b'\n', 0, rest) {
        let (before, end) = rest.split_at(at);
        if end[0] == 0 {
            joined.get_or_insert_default().extend_from_slice(before);
            rest = &end[1..];
            continue;
        }
        match joined.take() {
            Some(mut whole) => {
                whole.extend_from_slice(before);
                line(&whole, true);
            }
            None => line(before, true),
        }
        rest = end.strip_prefix(b"\r\n").unwrap_or(&end[1..]);
    }
    match joined {
        Some(mut whole) => {
            whole.extend_from_slice(rest);
            line(&whole, false);
        }
        None if rest.is_empty() => {}
        None => line(rest, false),
    }
}

/// How many octets of a line do not stand for themselves. Without branches and counted in octets, so that many are
/// looked at at a time.
fn to_escape(line: &[u8]) -> usize {
    let within = |part: &[u8]| usize::from(part.iter().map(|byte| u8::from(!is_printable(*byte))).sum::<u8>());
    line.chunks(usize::from(u8::MAX)).map(within).sum()
}

const fn is_printable(byte: u8) -> bool {
    (byte == b'\t') | (byte.wrapping_sub(b' ') <= b'~' - b' ')
}

/// RFC 2045, 6.7: what stands for itself within a line.
const PLAIN: [bool; 256] = {
    let mut plain = [false; 256];
    let mut byte = 0;
    while byte < 256 {
        plain[byte] = is_printable(byte as u8) && byte != b'=' as usize;
        byte += 1;
    }
    plain
};

fn next_sign(bytes: &[u8]) -> Option<usize> {
    memchr(b'=', bytes)
}

fn next_special(bytes: &[u8]) -> Option<usize> {
    bytes.iter().position(|byte| !PLAIN[usize::from(*byte)])
}

/// Writes a line as quoted-printable, in as many as it takes. A space at its very end is written out: relays may
/// remove it.
fn quote_line(line: &[u8], next: fn(&[u8]) -> Option<usize>, written: &mut Vec<u8>) {
    const ROOM: usize = MAX_LINE - 1;
    const DIGITS: &[u8; 16] = b"0123456789ABCDEF";
    let body = if line.ends_with(b" ") || line.ends_with(b"\t") { line.len() - 1 } else { line.len() };
    let (mut at, mut column) = (0, 0);
    while at < line.len() {
        let near = &line[at..body.max(at).min(at + ROOM)];
        let run = next(near).unwrap_or(near.len());
        let fits = run.min(ROOM - column);
        if fits > 0 {
            written.extend_from_slice(&line[at..at + fits]);
            (at, column) = (at + fits, column + fits);
        } else if run > 0 || column + 3 > ROOM {
            written.extend_from_slice(b"=\r\n");
            column = 0;
        } else {
            let byte = line[at];
            written.extend_from_slice(&[b'=', DIGITS[usize::from(byte >> 4)], DIGITS[usize::from(byte & 15)]]);
            (at, column) = (at + 1, column + 3);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::{prop_assert, prop_assert_eq, proptest};

    fn text(encoded: &Encoded) -> &str {
        std::str::from_utf8(&encoded.bytes).expect("ASCII")
    }

    /// Quoted-printable read back, by the letter of RFC 2045.
    fn unquoted(text: &str) -> Vec<u8> {
        let joined = text.replace("=\r\n", "");
        let (mut bytes, mut rest) = (Vec::new(), joined.as_bytes());
        while let Some((first, others)) = rest.split_first() {
            if *first == b'=' {
                let digits = std::str::from_utf8(&others[..2]).expect("digits");
                bytes.push(u8::from_str_radix(digits, 16).expect("two digits"));
                rest = &others[2..];
            } else {
                bytes.push(*first);
                rest = others;
            }
        }
        bytes
    }

    fn lines(text: &str) -> String {
        let mut written = String::new();
        each_line(text, |line, ends| {
            written.push_str(std::str::from_utf8(line).expect("whole characters"));
            written.push_str(if ends { "\r\n" } else { "" });
        });
        written
    }

    #[test]
    fn every_kind_of_line_end_is_one() {
        assert_eq!(lines("a\r\nb\rc\nd\n\r\0e\0\r\r\n"), "a\r\nb\r\nc\r\nd\r\n\r\ne\r\n\r\n");
        assert_eq!(lines("a\0b\0\nc"), "ab\r\nc");
        assert_eq!(lines("grüße"), "grüße");
    }

    #[test]
    fn short_plain_lines_stay_as_they_are() {
        assert_eq!(encoded("a = b\n"), Encoded { bytes: b"a = b\r\n".to_vec(), encoding: "7bit" });
        assert_eq!(encoded(&"a".repeat(75)).encoding, "7bit");
    }

    #[test]
    fn long_lines_are_broken_softly() {
        let long = encoded(&"a".repeat(160));
        assert_eq!(long.encoding, "quoted-printable");
        let expected = format!("{0}=\r\n{0}=\r\n{1}", "a".repeat(75), "a".repeat(10));
        assert_eq!(text(&long), expected);
    }

    #[test]
    fn a_space_at_the_end_and_other_letters_are_written_out() {
        let long = "a".repeat(80);
        let end = |text: &str| text.rsplit("\r\n").next().map(str::to_owned);
        assert_eq!(end(text(&encoded(&format!("{long} ")))).as_deref(), Some("aaaaa=20"));
        assert_eq!(end(text(&encoded(&format!("{long}\t")))).as_deref(), Some("aaaaa=09"));
        assert_eq!(end(text(&encoded(&format!("{long}ü=")))).as_deref(), Some("aaaaa=C3=BC=3D"));
        assert_eq!(encoded("私たちは港にいます").encoding, "base64");
    }

    proptest! {
        #[test]
        fn what_is_read_back_is_what_was_written(words in "(?s)[ -~ü\t\r\n\0=]{0,600}") {
            let encoded = encoded(&words);
            prop_assert!(encoded.bytes.is_ascii() && !encoded.bytes.contains(&0));
            prop_assert!(text(&encoded).split("\r\n").all(|line| line.len() <= MAX_LINE && !line.contains(['\r', '\n'])));
            let expected = lines(&words).into_bytes();
            match encoded.encoding {
                "7bit" => prop_assert_eq!(encoded.bytes, expected),
                "quoted-printable" => {
                    prop_assert!(text(&encoded).split("\r\n").all(|line| !line.ends_with([' ', '\t'])));
                    prop_assert_eq!(unquoted(text(&encoded)), expected);
                }
                other => prop_assert_eq!(other, "base64"),
            }
        }
    }
}
