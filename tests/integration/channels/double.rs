//! A server in a thread that plays one part of a conversation, as the test writes it.

use crate::harness::socket;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

/// What a double heard, connection by connection.
#[derive(Clone, Default)]
pub struct Heard(Arc<Mutex<Vec<String>>>);

impl Heard {
    /// All that was said on each connection so far.
    pub fn connections(&self) -> Vec<String> {
        self.0.lock().expect("no thread of a double panics").clone()
    }

    /// All that was said on all connections so far.
    pub fn text(&self) -> String {
        self.connections().concat()
    }

    fn note(&self, connection: usize, text: &str) {
        self.0.lock().expect("no thread of a double panics")[connection].push_str(text);
    }
}

/// One connection to a double.
pub struct Line {
    reader: BufReader<TcpStream>,
    heard: Heard,
    number: usize,
}

impl Line {
    /// The next line with its end; empty when the client has hung up.
    pub fn hear(&mut self) -> String {
        let mut line = Vec::new();
        // an error is the client's end as well
        let _ = self.reader.read_until(b'\n', &mut line);
        let text = String::from_utf8_lossy(&line).into_owned();
        self.heard.note(self.number, &text);
        text
    }

    /// The next `count` bytes, or as many as there are.
    pub fn hear_bytes(&mut self, count: usize) {
        let mut bytes = vec![0; count];
        let read = self.reader.read_exact(&mut bytes).map_or(0, |()| count);
        self.heard.note(self.number, &String::from_utf8_lossy(&bytes[..read]));
    }

    /// Writes `text` in one piece.
    pub fn say(&mut self, text: impl AsRef<[u8]>) {
        // the client may have hung up
        let _ = self.reader.get_mut().write_all(text.as_ref());
    }

    /// Closes the connection, so that what follows knows it is closed.
    pub fn hang_up(&mut self) {
        // the client may have done so before
        let _ = self.reader.get_mut().shutdown(Shutdown::Both);
    }

    /// Greets and answers EHLO with `offers`, each a line of its own.
    pub fn greet(&mut self, offers: &[&str]) {
        self.say("220 double.test ESMTP\r\n");
        self.hear();
        let lines: String = offers.iter().map(|offer| format!("250-{offer}\r\n")).collect();
        self.say(format!("250-double.test\r\n{lines}250 8BITMIME\r\n"));
    }

    /// Says yes to MAIL, RCPT, DATA (and RSET) and hears the message with its dot; false when the client has gone.
    pub fn hear_message(&mut self) -> bool {
        loop {
            let line = self.hear();
            match line.split([' ', '\r']).next().unwrap_or_default() {
                "" | "QUIT" => return false,
                "DATA" => break,
                _ => self.say("250 2.0.0 Ok\r\n"),
            }
        }
        self.say("354 Go ahead\r\n");
        loop {
            match self.hear().as_str() {
                "" => return false,
                ".\r\n" => return true,
                _ => {}
            }
        }
    }
}

/// Starts a double on a free port of the run's address. `play` is given every connection and its number from 0, and
/// the connection is closed when it returns.
pub fn start(play: impl Fn(usize, &mut Line) + Send + 'static) -> (u16, Heard) {
    let listener = TcpListener::bind(socket(0)).expect("a free port");
    let port = listener.local_addr().expect("it is bound").port();
    let heard = Heard::default();
    let noted = heard.clone();
    std::thread::spawn(move || {
        for (number, stream) in listener.incoming().enumerate() {
            let Ok(stream) = stream else { return };
            noted.0.lock().expect("no thread of a double panics").push(String::new());
            play(number, &mut Line { reader: BufReader::new(stream), heard: noted.clone(), number });
        }
    });
    (port, heard)
}
