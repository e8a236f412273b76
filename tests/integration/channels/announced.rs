//! The next message announced with the end of the one before: one answer to wait for, and nobody gets half a message.

use super::relays::hear_envelope;
use super::{double, email, relay};
use plusone::channels::{Connection, Prepared, Sent};

const GO_ON: &str = "250 2.1.0 Ok\r\n250 2.1.5 Ok\r\n354 Go ahead\r\n";

fn prepared(connection: &Connection, to: &str) -> Prepared {
    connection.prepare(&email(to)).expect("a message that can be sent")
}

/// The lines of a message to its dot; false when the client has gone.
fn hear_to_the_dot(line: &mut double::Line) -> bool {
    loop {
        match line.hear().as_str() {
            ".\r\n" => return true,
            "" => return false,
            _ => {}
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_next_message_is_announced_before_the_last_one_is_answered() {
    let (port, heard) = double::start(|_, line| {
        line.greet(&["PIPELINING"]);
        hear_envelope(line);
        line.say(GO_ON);
        for _ in 0..2 {
            hear_to_the_dot(line);
            // waits here until all of it has come, before the message is answered
            assert_eq!(hear_envelope(line).len(), 3);
            line.say(format!("250 2.0.0 Ok\r\n{GO_ON}"));
        }
        hear_to_the_dot(line);
        line.say("250 2.0.0 Ok\r\n");
    });
    let mut connection = relay("smtp", "", port, "", None).connection();
    let mails: Vec<Prepared> =
        ["ann", "bob", "cleo"].map(|name| prepared(&connection, &format!("{name}@customers.test"))).into();
    for (place, mail) in mails.iter().enumerate() {
        let sent = connection.send(mail, mails.get(place + 1)).await;
        assert!(matches!(sent, Sent::Accepted { .. }), "{sent:?}");
    }
    assert_eq!(heard.connections().len(), 1);
    for name in ["ann", "bob", "cleo"] {
        assert_eq!(heard.text().matches(&format!("RCPT TO:<{name}@customers.test>\r\n")).count(), 1);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_that_was_announced_and_does_not_come_ends_the_line() {
    let (port, heard) = double::start(|number, line| {
        line.greet(&["PIPELINING"]);
        hear_envelope(line);
        line.say(GO_ON);
        hear_to_the_dot(line);
        if number == 0 {
            hear_envelope(line);
            line.say(format!("250 2.0.0 Ok\r\n{GO_ON}"));
            assert!(!hear_to_the_dot(line), "nothing of what was announced may come");
        } else {
            line.say("250 2.0.0 Ok\r\n");
        }
    });
    let mut connection = relay("smtp", "", port, "", None).connection();
    let [ann, bob, cleo] = ["ann", "bob", "cleo"].map(|name| prepared(&connection, &format!("{name}@customers.test")));
    assert!(matches!(connection.send(&ann, Some(&bob)).await, Sent::Accepted { .. }));
    assert!(matches!(connection.send(&cleo, None).await, Sent::Accepted { .. }));
    let connections = heard.connections();
    assert_eq!(connections.len(), 2);
    assert!(connections[0].ends_with("RCPT TO:<bob@customers.test>\r\nDATA\r\n"), "{}", connections[0]);
    assert!(connections[1].contains("RCPT TO:<cleo@customers.test>\r\n"), "{}", connections[1]);
}

#[tokio::test(flavor = "multi_thread")]
async fn no_goodbye_is_said_where_the_relay_waits_for_a_message() {
    let (ended, wait) = std::sync::mpsc::channel();
    let ended = std::sync::Mutex::new(ended);
    let (port, heard) = double::start(move |_, line| {
        line.greet(&["PIPELINING"]);
        hear_envelope(line);
        line.say(GO_ON);
        hear_to_the_dot(line);
        hear_envelope(line);
        line.say(format!("250 2.0.0 Ok\r\n{GO_ON}"));
        hear_to_the_dot(line);
        ended.lock().expect("one thread").send(()).expect("the test waits");
    });
    let mut connection = relay("smtp", "", port, "", None).connection();
    let [ann, bob] = ["ann", "bob"].map(|name| prepared(&connection, &format!("{name}@customers.test")));
    assert!(matches!(connection.send(&ann, Some(&bob)).await, Sent::Accepted { .. }));
    connection.close().await;
    wait.recv().expect("the double hears the end");
    assert!(heard.text().ends_with("DATA\r\n"), "{}", heard.text());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refusal_of_what_was_announced_is_of_that_message_alone() {
    let (port, heard) = double::start(|_, line| {
        line.greet(&["PIPELINING"]);
        hear_envelope(line);
        line.say(GO_ON);
        hear_to_the_dot(line);
        hear_envelope(line);
        line.say("452 4.2.2 later\r\n250 2.1.0 Ok\r\n550 5.1.1 nobody\r\n554 5.5.1 no valid recipients\r\n");
        let third = hear_envelope(line);
        assert_eq!(third.first().map(String::as_str), Some("RSET\r\n"), "{third:?}");
        line.say(format!("250 Ok\r\n{GO_ON}"));
        hear_to_the_dot(line);
        line.say("250 2.0.0 Ok\r\n");
    });
    let mut connection = relay("smtp", "", port, "", None).connection();
    let [ann, bob, cleo] = ["ann", "bob", "cleo"].map(|name| prepared(&connection, &format!("{name}@customers.test")));
    let first = connection.send(&ann, Some(&bob)).await;
    assert!(matches!(&first, Sent::NotNow { code: Some(code), .. } if code == "452 4.2.2"), "{first:?}");
    let second = connection.send(&bob, None).await;
    assert!(matches!(&second, Sent::Never { bad_address: true, .. }), "{second:?}");
    assert!(matches!(connection.send(&cleo, None).await, Sent::Accepted { .. }));
    assert_eq!(heard.connections().len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_relay_that_closes_after_a_message_takes_the_announced_one_on_another_line() {
    for goodbye in ["", "421 4.7.0 enough on this line\r\n"] {
        let (port, heard) = double::start(move |_, line| {
            line.greet(&["PIPELINING"]);
            hear_envelope(line);
            line.say(GO_ON);
            hear_to_the_dot(line);
            line.say(format!("250 2.0.0 Ok\r\n{goodbye}"));
        });
        let mut connection = relay("smtp", "", port, "", None).connection();
        let [ann, bob] = ["ann", "bob"].map(|name| prepared(&connection, &format!("{name}@customers.test")));
        assert!(matches!(connection.send(&ann, Some(&bob)).await, Sent::Accepted { .. }));
        let sent = connection.send(&bob, None).await;
        assert!(matches!(sent, Sent::Accepted { .. }), "{goodbye:?}: {sent:?}");
        assert_eq!(heard.connections().len(), 2);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_relay_without_pipelining_is_told_nothing_ahead() {
    let (port, heard) = double::start(|_, line| {
        line.greet(&[]);
        while line.hear_message() {
            line.say("250 2.0.0 Ok\r\n");
        }
    });
    let mut connection = relay("smtp", "", port, "", None).connection();
    let [ann, bob] = ["ann", "bob"].map(|name| prepared(&connection, &format!("{name}@customers.test")));
    assert!(matches!(connection.send(&ann, Some(&bob)).await, Sent::Accepted { .. }));
    assert!(!heard.text().contains("bob@customers.test"));
    assert!(matches!(connection.send(&bob, None).await, Sent::Accepted { .. }));
}
