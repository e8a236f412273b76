//! Mail as bytes, taken apart again.

use super::*;
use crate::messages::Words;
use crate::rules::Channel;
use proptest::prelude::{prop_assert, prop_assert_eq, proptest};

fn message() -> Outgoing {
    Outgoing {
        touchpoint: "5f0c2a9e-3a53-8d1c-9e0b-0d6a4f1b2c3d".to_owned(),
        channel: Channel::Email,
        from: "Harbour Coffee <hello@harbour.example>".to_owned(),
        to: "ann@customers.test".to_owned(),
        words: Words {
            subject: Some("Your parcel is on its way".to_owned()),
            html: Some("<p>It leaves <b>today</b>.</p>".to_owned()),
            text: Some("It leaves today.\n".to_owned()),
            ..Words::default()
        },
        locale: "en-GB".to_owned(),
        promotional: false,
        unsubscribe: None,
        date: Timestamp::from_seconds(1_790_000_000),
        callback: None,
        test: false,
    }
}

fn with_words(change: impl FnOnce(&mut Words)) -> Outgoing {
    let mut message = message();
    change(&mut message.words);
    message
}

fn composed(message: &Outgoing) -> String {
    String::from_utf8(prepare(message).expect("a good message").into_bytes()).expect("a message is UTF-8")
}

#[test]
fn a_message_has_the_headers_of_automatic_mail_and_both_forms() {
    let mail = composed(&message());
    let (header, body) = mail.split_once("\r\n\r\n").expect("a header and a body");
    for line in [
        "Message-ID: <5f0c2a9e-3a53-8d1c-9e0b-0d6a4f1b2c3d@harbour.example>",
        "Date: Mon, 21 Sep 2026 14:13:20 +0000",
        "From: \"Harbour Coffee\" <hello@harbour.example>",
        "To: ann@customers.test",
        "Subject: Your parcel is on its way",
        "Auto-Submitted: auto-generated",
        "X-Auto-Response-Suppress: OOF, AutoReply",
        "MIME-Version: 1.0",
    ] {
        assert!(header.lines().any(|found| found == line), "{line} is not in\n{header}");
    }
    assert!(header.contains("Content-Type: multipart/alternative;"), "{header}");
    assert!(!header.contains("Precedence") && !header.contains("List-Unsubscribe"), "{header}");
    let (plain, html) = (body.find("text/plain"), body.find("text/html"));
    assert!(plain.is_some() && plain < html, "{body}");
}

#[test]
fn a_message_that_can_be_left_says_how_in_both_headers() {
    let url = format!("https://plus.harbour.example/u/{}", "x".repeat(47));
    let header = composed(&Outgoing { promotional: true, unsubscribe: Some(url.clone()), ..message() });
    let header = header.split("\r\n\r\n").next().unwrap_or_default();
    // Unfolded, and never broken into encoded words: a reader that does not decode must find the address.
    let unfolded = header.replace("\r\n ", " ").replace("  ", " ");
    assert!(unfolded.contains(&format!("\r\nList-Unsubscribe: <{url}>")), "{unfolded}");
    assert!(unfolded.contains("\r\nList-Unsubscribe-Post: List-Unsubscribe=One-Click"), "{unfolded}");
    assert!(!header.contains("=?"), "{header}");
}

#[test]
fn a_promotional_message_says_that_it_is_bulk() {
    assert!(composed(&Outgoing { promotional: true, ..message() }).contains("\r\nPrecedence: bulk\r\n"));
}

#[test]
fn every_attempt_has_the_same_bytes() {
    assert_eq!(prepare(&message()), prepare(&message()));
}

#[test]
fn one_form_alone_is_a_single_part() {
    let text = composed(&with_words(|words| words.html = None));
    assert!(text.contains("Content-Type: text/plain; charset=utf-8") && !text.contains("multipart"), "{text}");
    let html = composed(&with_words(|words| words.text = None));
    assert!(html.contains("Content-Type: text/html; charset=utf-8") && !html.contains("multipart"), "{html}");
}

#[test]
fn a_subject_with_other_letters_is_encoded() {
    let mail = composed(&with_words(|words| words.subject = Some("Schöne Grüße ☕".to_owned())));
    assert!(mail.contains("Subject: =?utf-8?b?"), "{mail}");
    assert!(mail.is_ascii());
}

#[test]
fn a_subject_that_looks_encoded_is_encoded() {
    let mail = composed(&with_words(|words| words.subject = Some("=?utf-8?b?SGVsbG8=?= für dich".to_owned())));
    let expected = "Subject: =?utf-8?q?=3D=3Futf=2D8=3Fb=3FSGVsbG8=3D=3F=3D_f=C3=BCr_dich?=\r\n";
    assert!(mail.contains(expected), "{mail}");
    assert_eq!(encoded_words(&"é".repeat(20)).lines().count(), 3);
}

#[test]
fn an_international_domain_goes_out_as_its_a_label() {
    let mail = prepare(&Outgoing { to: "ann@bücher.example".to_owned(), ..message() }).expect("a good address");
    assert!(!mail.needs_utf8());
    assert!(String::from_utf8_lossy(mail.bytes()).contains("To: ann@xn--bcher-kva.example"));
}

#[test]
fn what_cannot_be_an_email_is_refused_with_its_cause() {
    let why = |message: &Outgoing| prepare(message).expect_err("not an email");
    assert!(why(&Outgoing { to: "ann".to_owned(), ..message() }).bad_address);
    assert!(!why(&Outgoing { from: "harbour".to_owned(), ..message() }).bad_address);
    assert!(why(&with_words(|words| words.subject = None)).why.contains("no subject"));
    let injected = with_words(|words| words.subject = Some("Hello\r\nBcc: all@customers.test".to_owned()));
    assert!(why(&injected).why.contains("single line"));
    assert!(prepare(&with_words(|words| (words.text, words.html) = (None, None))).is_err());
    let endless = with_words(|words| words.subject = Some("a".repeat(2_000)));
    assert!(why(&endless).why.contains("998 is the most"), "{}", why(&endless).why);
}

#[test]
fn a_text_that_holds_the_boundary_moves_the_boundary() {
    let boundary = format!("=_{}", message().touchpoint);
    // a NUL does not go out, and what stands on its sides comes together
    for holding in [format!("--{boundary}--\nafter"), format!("--=\0{}--", &boundary[1..])] {
        let mail = composed(&with_words(|words| words.text = Some(holding.clone())));
        assert!(mail.contains(&format!("boundary=\"{boundary}_\"")), "{mail}");
    }
    let long = format!("--{boundary}-- {}", "a".repeat(80));
    let mail = composed(&with_words(|words| words.text = Some(long.clone())));
    assert_eq!(mail.matches(&format!("--{boundary}")).count(), 3, "{mail}");
}

#[test]
fn a_line_end_that_is_none_is_refused() {
    for bytes in ["a\r\n", "a", "", "\r\n\r\n", "a\r\n\r\nb"] {
        assert_eq!(check_lines(bytes.as_bytes()), Ok(()), "{bytes:?}");
    }
    for bytes in ["a\n", "a\r", "\n", "a\r\r\n", "a\r\n\n", "a\n\r", "a\rb\r\n"] {
        assert!(check_lines(bytes.as_bytes()).is_err(), "{bytes:?}");
    }
    let line = |octets: usize| check_lines(format!("{}\r\nb", "a".repeat(octets)).as_bytes());
    assert!(line(998).is_ok() && line(999).is_err());
}

proptest! {
    #[test]
    fn no_words_break_the_law_of_lines(subject in "\\PC{1,120}", text in "(?s).{0,400}", html in "(?s).{0,400}") {
        let message = with_words(|words| {
            words.subject = Some(subject);
            words.text = Some(text);
            words.html = Some(html);
        });
        if let Ok(mail) = prepare(&message) {
            prop_assert!(check_lines(mail.bytes()).is_ok());
            prop_assert!(!mail.bytes().contains(&0));
            let header = mail.bytes().windows(4).position(|bytes| bytes == b"\r\n\r\n").expect("an end of the header");
            let header = String::from_utf8_lossy(&mail.bytes()[..header]);
            let fields = header.lines().filter(|line| !line.starts_with([' ', '\t'])).count();
            prop_assert_eq!(fields, 9, "{}", header);
        }
    }
}
