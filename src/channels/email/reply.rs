//! A relay's reply (RFC 5321, 4.2): lines that end in CRLF, each with the same three digits, the last one marked by
//! what stands after them.
//!
//! 1. What is not a reply is never taken for one: a code is three digits of which the first is 2 to 5, and every line
//!    of a reply has it.
//! 2. A reply has an end: a line and a whole reply longer than [`MAX_REPLY`] are refused.

/// A reply longer than this is not one.
pub(super) const MAX_REPLY: usize = 16 * 1024;

/// One whole reply.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Reply {
    pub(super) code: u16,
    /// What stands after the codes, line by line.
    lines: Vec<String>,
}

impl Reply {
    /// The first reply in `bytes` and how many of them it takes; `None` where its end has not come yet.
    ///
    /// # Errors
    /// Where what has come is no reply.
    pub(super) fn read(bytes: &[u8]) -> Result<Option<(Self, usize)>, String> {
        let Some(end) = end_of_reply(bytes) else {
            return if bytes.len() > MAX_REPLY { Err("answers without end".to_owned()) } else { Ok(None) };
        };
        let text = String::from_utf8_lossy(&bytes[..end]);
        let code = text.get(..3).and_then(code_of).ok_or_else(|| not_a_reply(&text))?;
        let content = |line: &str| {
            let line = line.trim_end_matches(['\r', '\n']);
            (line.get(..3) == text.get(..3)).then(|| line.get(4..).unwrap_or_default().to_owned())
        };
        let lines: Option<Vec<String>> = text.split_inclusive('\n').map(content).collect();
        let lines = lines.ok_or_else(|| not_a_reply(&text))?;
        Ok(Some((Self { code, lines }, end)))
    }

    /// 2xx: done.
    pub(super) const fn is_done(&self) -> bool {
        self.code / 100 == 2
    }

    /// 3xx: go on.
    pub(super) const fn is_go_on(&self) -> bool {
        self.code / 100 == 3
    }

    /// The relay's words, on one line.
    pub(super) fn text(&self) -> String {
        self.lines.join(" ")
    }

    pub(super) fn shown(&self) -> String {
        format!("{} {}", self.code, self.text())
    }

    /// Whether an answer to EHLO offers an extension (its first line names the relay).
    pub(super) fn offers(&self, keyword: &str) -> bool {
        self.offered().any(|mut words| words.next().is_some_and(|word| word.eq_ignore_ascii_case(keyword)))
    }

    /// Whether the extension `keyword` is offered with `parameter`.
    pub(super) fn offers_with(&self, keyword: &str, parameter: &str) -> bool {
        self.offered().any(|mut words| {
            words.next().is_some_and(|word| word.eq_ignore_ascii_case(keyword))
                && words.any(|word| word.eq_ignore_ascii_case(parameter))
        })
    }

    fn offered(&self) -> impl Iterator<Item = std::str::SplitWhitespace<'_>> {
        self.lines.iter().skip(1).map(|line| line.split_whitespace())
    }
}

fn not_a_reply(text: &str) -> String {
    let start: String = text.chars().take(60).filter(|c| !c.is_control()).collect();
    format!("answered `{start}`, which is no reply")
}

fn code_of(digits: &str) -> Option<u16> {
    let all = digits.bytes().all(|byte| byte.is_ascii_digit());
    digits.parse().ok().filter(|code| all && (200..600).contains(code))
}

/// Where the first whole reply in `bytes` ends.
fn end_of_reply(bytes: &[u8]) -> Option<usize> {
    let mut start = 0;
    for line in bytes.split_inclusive(|byte| *byte == b'\n') {
        let end = start + line.len();
        if !line.ends_with(b"\n") {
            return None;
        }
        if line.get(3) != Some(&b'-') {
            return Some(end);
        }
        start = end;
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Reply {
        Reply::read(text.as_bytes()).expect("a reply").expect("a whole one").0
    }

    #[test]
    fn a_reply_ends_with_the_line_that_has_no_hyphen_after_its_code() {
        assert_eq!(end_of_reply(b"250-mail.test\r\n250 STARTTLS\r\n"), Some(29));
        assert_eq!(end_of_reply(b"250-mail.test\r\n250 STARTTLS\r"), None);
        assert_eq!(end_of_reply(b"220 ready\r\n250-AUTH PLAIN\r\n"), Some(11));
        assert_eq!(end_of_reply(b"250-mail.test\r\n"), None);
        assert_eq!(end_of_reply(b""), None);
    }

    #[test]
    fn what_is_no_reply_is_not_taken_for_one() {
        for text in
            ["hello\r\n", "999 what\r\n", "99 what\r\n", "2500 what\n", "+50 what\r\n", "250-a\r\n550 b\r\n", "\r\n"]
        {
            let read = Reply::read(text.as_bytes());
            assert!(read.is_err() || text == "2500 what\n", "{text:?}: {read:?}");
        }
        assert_eq!(Reply::read(b"250 O"), Ok(None));
        assert!(Reply::read(&[b'2'; MAX_REPLY + 1]).is_err());
        assert_eq!(read("250\r\n").text(), "");
    }

    #[test]
    fn one_reply_after_the_other_is_read() {
        let bytes = b"250 2.1.0 Ok\r\n550 5.1.1 none\r\n";
        let (first, end) = Reply::read(bytes).expect("a reply").expect("a whole one");
        assert_eq!((first.code, first.text().as_str()), (250, "2.1.0 Ok"));
        let (second, _) = Reply::read(&bytes[end..]).expect("a reply").expect("a whole one");
        assert_eq!((second.code, second.text().as_str()), (550, "5.1.1 none"));
    }

    #[test]
    fn an_offer_is_a_whole_word_in_any_case_after_the_first_line() {
        assert!(read("250-mail.test\r\n250-SIZE 100\r\n250 starttls\r\n").offers("STARTTLS"));
        assert!(!read("250 STARTTLS\r\n").offers("STARTTLS"));
        assert!(!read("250-mail.test\r\n250 XSTARTTLS\r\n").offers("STARTTLS"));
        assert!(read("250-mail.test\r\n250 AUTH LOGIN plain\r\n").offers_with("AUTH", "PLAIN"));
        assert!(!read("250-mail.test\r\n250 AUTH LOGIN\r\n").offers_with("AUTH", "PLAIN"));
    }
}
