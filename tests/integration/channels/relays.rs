//! Relays that refuse, hang up, lie or fall silent: what the transaction makes of it.

use super::{double, email, not_now, relay, send};
use crate::harness::faulty_sink::{Faults, FaultySink};
use crate::harness::smtp_sink::SmtpSink;
use plusone::channels::{Outgoing, Sent};
use std::sync::Mutex;
use std::sync::mpsc;

async fn through_sink(options: &[&str]) -> Option<(Sent, usize)> {
    let sink = SmtpSink::start(options)?;
    let sent = send(&mut relay("smtp", "", sink.port, "", None).connection(), &email("ann@customers.test")).await;
    Some((sent, sink.mails().len()))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_relay_that_takes_the_message_and_hangs_up_leaves_a_doubt() {
    let Some((sent, kept)) = through_sink(&["-q", "."]).await else { return };
    assert!(matches!(sent, Sent::InDoubt { .. }), "{sent:?}");
    assert_eq!(kept, 1, "the sink does have it");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_relay_that_hangs_up_before_the_dot_has_taken_nothing() {
    for command in ["CONNECT", "EHLO", "MAIL", "RCPT", "DATA"] {
        let Some((sent, _)) = through_sink(&["-q", command]).await else { return };
        assert!(matches!(sent, Sent::NotNow { .. }), "{command}: {sent:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refusal_at_any_step_is_decided() {
    for command in ["MAIL", "RCPT", "DATA", "."] {
        let Some((hard, _)) = through_sink(&["-f", command]).await else { return };
        assert!(
            matches!(&hard, Sent::Never { code: Some(code), bad_address: false, .. } if code == "500 5.3.0"),
            "{hard:?}"
        );
        let Some((soft, _)) = through_sink(&["-r", command]).await else { return };
        assert!(matches!(&soft, Sent::NotNow { code: Some(code), .. } if code == "450 4.3.0"), "{soft:?}");
        let Some((closing, _)) = through_sink(&["-Q", command]).await else { return };
        assert!(matches!(&closing, Sent::NotNow { code: Some(code), .. } if code.starts_with("421")), "{closing:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_relay_that_hangs_up_in_the_message_has_taken_nothing() {
    let (port, _) = double::start(|_, line| {
        line.greet(&[]);
        for _ in ["MAIL", "RCPT"] {
            line.hear();
            line.say("250 Ok\r\n");
        }
        line.hear();
        line.say("354 Go ahead\r\n");
        line.hear_bytes(10_000);
    });
    let mut message = email("ann@customers.test");
    // more than the buffers of both ends hold, so that the dot cannot have been written
    message.words.text = Some("A line of a long letter.\n".repeat(800_000));
    let why = not_now(send(&mut relay("smtp", "", port, "", None).connection(), &message).await);
    assert!(why.contains("at the message"), "{why}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_to_the_dot_that_is_no_answer_leaves_a_doubt() {
    for answer in ["", "250", "hello\r\n", "354 go on\r\n", "2", "999 what\r\n"] {
        let (port, _) = double::start(move |_, line| {
            line.greet(&[]);
            line.hear_message();
            line.say(answer);
        });
        let sent = send(&mut relay("smtp", "", port, "", None).connection(), &email("ann@customers.test")).await;
        assert!(matches!(sent, Sent::InDoubt { .. }), "{answer:?}: {sent:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_relay_may_answer_in_any_language() {
    let (port, _) = double::start(|_, line| {
        line.greet(&[]);
        while line.hear_message() {
            line.say(b"250 2.0.0 Nachricht angenommen f\xfcr Zustellung\r\n");
        }
    });
    let sent = send(&mut relay("smtp", "", port, "", None).connection(), &email("ann@customers.test")).await;
    let Sent::Accepted { answer, .. } = sent else { panic!("taken, in Latin-1: {sent:?}") };
    assert_eq!(answer, "2.0.0 Nachricht angenommen f?r Zustellung");
}

#[tokio::test(flavor = "multi_thread")]
async fn one_connection_carries_many_messages() {
    let (port, heard) = double::start(|_, line| {
        line.greet(&[]);
        while line.hear_message() {
            line.say("250 2.0.0 Ok: queued as 4Zx\r\n");
        }
    });
    let mut connection = relay("smtp", "", port, "", None).connection();
    for _ in 0..5 {
        assert!(matches!(send(&mut connection, &email("ann@customers.test")).await, Sent::Accepted { .. }));
    }
    assert_eq!(heard.connections().len(), 1);
    assert!(!heard.text().contains("RSET") && !heard.text().contains("NOOP"), "{}", heard.text());
    assert_eq!(heard.text().matches("RCPT TO:<ann@customers.test>\r\n").count(), 5);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_kept_connection_that_was_closed_meanwhile_is_opened_again() {
    for goodbye in ["", "421 4.4.2 idle too long\r\n"] {
        let (closed, wait) = mpsc::channel();
        let closed = Mutex::new(closed);
        let (port, heard) = double::start(move |_, line| {
            line.greet(&[]);
            line.hear_message();
            line.say("250 2.0.0 Ok\r\n");
            line.say(goodbye);
            line.hang_up();
            closed.lock().expect("one thread").send(()).expect("the test waits");
        });
        let mut connection = relay("smtp", "", port, "", None).connection();
        for _ in 0..3 {
            let sent = send(&mut connection, &email("ann@customers.test")).await;
            assert!(matches!(sent, Sent::Accepted { .. }), "{sent:?}");
            wait.recv().expect("the double closes");
        }
        assert_eq!(heard.connections().len(), 3);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_connection_that_is_closed_at_once_is_not_tried_twice() {
    let (port, heard) = double::start(|_, line| {
        line.greet(&[]);
        line.hear();
    });
    not_now(send(&mut relay("smtp", "", port, "", None).connection(), &email("ann@customers.test")).await);
    assert_eq!(heard.connections().len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_relay_without_starttls_gets_no_password() {
    let (port, heard) = double::start(|_, line| {
        line.greet(&["AUTH PLAIN LOGIN"]);
        line.hear();
        line.hear();
    });
    let why = not_now(send(&mut relay("smtp", "ann:secret@", port, "", None).connection(), &email("a@b.test")).await);
    assert!(why.contains("no STARTTLS"), "{why}");
    assert!(!heard.text().contains("AUTH") && !heard.text().contains("MAIL"), "{}", heard.text());
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_put_in_before_tls_is_not_believed() {
    let (port, heard) = double::start(|_, line| {
        line.greet(&["STARTTLS"]);
        line.hear();
        line.say("220 ready\r\n250-double.test\r\n250-AUTH PLAIN\r\n250 8BITMIME\r\n");
        line.hear();
    });
    let why = not_now(send(&mut relay("smtp", "ann:secret@", port, "", None).connection(), &email("a@b.test")).await);
    assert!(why.contains("more in clear than it was asked"), "{why}");
    assert_eq!(heard.text().lines().filter(|line| line.starts_with("EHLO") || *line == "STARTTLS").count(), 2);
    assert_eq!(heard.text().lines().count(), 2, "nothing after STARTTLS: {}", heard.text());
}

#[tokio::test(flavor = "multi_thread")]
async fn an_address_with_other_letters_needs_smtputf8() {
    for (offers, taken) in [(&["SMTPUTF8"][..], true), (&[][..], false)] {
        let (port, heard) = double::start(move |_, line| {
            line.greet(offers);
            while line.hear_message() {
                line.say("250 2.0.0 Ok\r\n");
            }
        });
        let mut connection = relay("smtp", "", port, "", None).connection();
        let sent = send(&mut connection, &email("jürgen@bücher.example")).await;
        assert_eq!(matches!(sent, Sent::Accepted { .. }), taken, "{sent:?}");
        assert_eq!(matches!(sent, Sent::Never { bad_address: false, .. }), !taken, "{sent:?}");
        assert_eq!(heard.text().contains("RCPT TO:<jürgen@xn--bcher-kva.example>"), taken);
        assert_eq!(heard.text().contains(" SMTPUTF8 BODY=8BITMIME\r\n"), taken, "{}", heard.text());
        assert!(matches!(send(&mut connection, &email("ann@customers.test")).await, Sent::Accepted { .. }));
        assert_eq!(heard.connections().len(), 1);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn words_cannot_become_commands_or_a_second_message() {
    let sink = FaultySink::start(Faults::default());
    let mut message = email("ann@customers.test");
    let smuggled = "Hello\r\n.\r\nMAIL FROM:<a@evil.test>\r\nRCPT TO:<b@evil.test>\r\nDATA\r\nx\r\n.\r\n";
    message.words.text =
        Some(format!("{smuggled}{}{}", smuggled.replace("\r\n", "\n"), smuggled.replace("\r\n", "\r")));
    message.words.html = None;
    let mut connection = relay("smtp", "", sink.port, "", None).connection();
    for _ in 0..2 {
        assert!(matches!(send(&mut connection, &message).await, Sent::Accepted { .. }));
    }
    let recipients: Vec<String> = sink.accepted().into_iter().map(|accepted| accepted.recipient).collect();
    assert_eq!(recipients, ["ann@customers.test", "ann@customers.test"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_send_that_is_given_up_closes_its_connection() {
    let (seen, saw) = tokio::sync::mpsc::unbounded_channel();
    let (port, heard) = double::start(move |number, line| {
        line.greet(&[]);
        line.hear_message();
        if number == 0 {
            seen.send(()).expect("the test waits");
            line.hear();
        } else {
            line.say("250 2.0.0 Ok\r\n");
        }
    });
    let mut saw = saw;
    let mut connection = relay("smtp", "", port, "", None).connection();
    let message: Outgoing = email("ann@customers.test");
    tokio::select! {
        sent = send(&mut connection, &message) => panic!("nothing was answered: {sent:?}"),
        _ = saw.recv() => {}
    }
    assert!(matches!(send(&mut connection, &email("bob@customers.test")).await, Sent::Accepted { .. }));
    assert_eq!(heard.connections().len(), 2);
}

/// MAIL, RCPT and DATA, heard before anything is answered.
pub fn hear_envelope(line: &mut double::Line) -> Vec<String> {
    let mut heard = Vec::new();
    while !heard.last().is_some_and(|last: &String| last.is_empty() || last.starts_with("DATA")) {
        heard.push(line.hear());
    }
    heard
}

#[tokio::test(flavor = "multi_thread")]
async fn a_relay_that_offers_it_is_told_all_before_the_message_at_once() {
    let (port, heard) = double::start(|_, line| {
        line.greet(&["PIPELINING"]);
        while hear_envelope(line).len() > 1 {
            line.say("250 2.1.0 Ok\r\n250 2.1.5 Ok\r\n354 Go ahead\r\n");
            while line.hear() != ".\r\n" {}
            line.say("250 2.0.0 Ok\r\n");
        }
    });
    let mut connection = relay("smtp", "", port, "", None).connection();
    for _ in 0..3 {
        assert!(matches!(send(&mut connection, &email("ann@customers.test")).await, Sent::Accepted { .. }));
    }
    assert_eq!(heard.connections().len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_recipient_refused_among_commands_told_at_once_is_refused_alone() {
    let (port, heard) = double::start(|_, line| {
        line.greet(&["PIPELINING"]);
        hear_envelope(line);
        line.say("250 2.1.0 Ok\r\n550 5.1.1 nobody\r\n554 5.5.1 no valid recipients\r\n");
        let second = hear_envelope(line);
        assert!(second.first().is_some_and(|first| first == "RSET\r\n"), "{second:?}");
        line.say("250 Ok\r\n250 2.1.0 Ok\r\n250 2.1.5 Ok\r\n354 Go ahead\r\n");
        while line.hear() != ".\r\n" {}
        line.say("250 2.0.0 Ok\r\n");
    });
    let mut connection = relay("smtp", "", port, "", None).connection();
    let refused = send(&mut connection, &email("bob@customers.test")).await;
    assert!(
        matches!(&refused, Sent::Never { code: Some(code), bad_address: true, .. } if code == "550 5.1.1"),
        "{refused:?}"
    );
    assert!(matches!(send(&mut connection, &email("ann@customers.test")).await, Sent::Accepted { .. }));
    assert_eq!(heard.connections().len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_relay_that_wants_a_message_for_nobody_gets_none() {
    let (port, heard) = double::start(|number, line| {
        line.greet(&["PIPELINING"]);
        hear_envelope(line);
        if number == 0 {
            line.say("250 2.1.0 Ok\r\n550 5.1.1 nobody\r\n354 Go ahead\r\n");
            while !line.hear().is_empty() {}
            return;
        }
        line.say("250 2.1.0 Ok\r\n250 2.1.5 Ok\r\n354 Go ahead\r\n");
        while line.hear() != ".\r\n" {}
        line.say("250 2.0.0 Ok\r\n");
    });
    let mut connection = relay("smtp", "", port, "", None).connection();
    let refused = send(&mut connection, &email("bob@customers.test")).await;
    assert!(matches!(&refused, Sent::Never { bad_address: true, .. }), "{refused:?}");
    assert!(matches!(send(&mut connection, &email("ann@customers.test")).await, Sent::Accepted { .. }));
    let connections = heard.connections();
    assert_eq!(connections.len(), 2, "the line of the refused one was closed");
    assert!(connections[0].ends_with("DATA\r\n"), "nothing after DATA, and no dot: {}", connections[0]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_relay_that_hangs_up_among_commands_told_at_once_has_taken_nothing() {
    for answers in ["", "250 2.1.0 Ok\r\n", "250 2.1.0 Ok\r\n250 2.1.5 Ok\r\n", "250 Ok\r\n250 Ok\r\n421 closing\r\n"] {
        let (port, heard) = double::start(move |_, line| {
            line.greet(&["PIPELINING"]);
            hear_envelope(line);
            line.say(answers);
        });
        let sent = send(&mut relay("smtp", "", port, "", None).connection(), &email("ann@customers.test")).await;
        assert!(matches!(sent, Sent::NotNow { .. }), "{answers:?}: {sent:?}");
        assert_eq!(heard.connections().len(), 1);
    }
}
