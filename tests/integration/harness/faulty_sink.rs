//! An SMTP server that notes what it accepted before it answers, and answers badly on purpose.
//!
//! 1. A message is in the log before the first byte of its reply is written: whoever got a 250 is in the log.
//! 2. The faults of a run follow from its seed, message by message in the order of arrival.
//! 3. Whatever a client sent before it was killed counts: its bytes are on their way and cannot be recalled.

use super::{address, free_port, socket};
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use std::io::{BufRead, BufReader, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::{Arc, Condvar, Mutex};
use std::time::{Duration, Instant};

/// Shares of all messages, 0 to 1.
#[derive(Clone, Copy, Default, Debug)]
pub struct Faults {
    pub seed: u64,
    /// Accepted, and the connection dropped instead of the reply.
    pub reply_lost: f64,
    /// All of it arrived, but it is not accepted: the connection is dropped instead of a reply.
    pub dropped_at_dot: f64,
    /// The connection is dropped before the message is through: surely not accepted.
    pub dropped_in_body: f64,
}

/// A message that the sink accepted.
#[derive(Clone, Debug)]
pub struct Accepted {
    /// Without the angle brackets.
    pub message_id: String,
    pub recipient: String,
    /// Since the sink was started.
    pub at: Duration,
    /// False where the reply was held back on purpose.
    pub answered: bool,
    pub bytes: usize,
}

/// How often each fault was done.
#[derive(Clone, Copy, Default, PartialEq, Eq, Debug)]
pub struct Injected {
    pub replies_lost: usize,
    pub dropped_at_dot: usize,
    pub dropped_in_body: usize,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Fate {
    Accept,
    LoseReply,
    DropAtDot,
    DropInBody,
}

struct State {
    random: StdRng,
    accepted: Vec<Accepted>,
    injected: Injected,
    open: Vec<TcpStream>,
    most_at_once: usize,
    now_open: usize,
    stopped: bool,
}

struct Shared {
    faults: Faults,
    start: Instant,
    state: Mutex<State>,
    grown: Condvar,
}

/// The running sink; it stops with the value.
pub struct FaultySink {
    pub port: u16,
    shared: Arc<Shared>,
}

impl FaultySink {
    pub fn start(faults: Faults) -> Self {
        let port = free_port();
        let listener = TcpListener::bind(socket(port)).expect("the port is free");
        let state = State {
            random: StdRng::seed_from_u64(faults.seed),
            accepted: Vec::new(),
            injected: Injected::default(),
            open: Vec::new(),
            most_at_once: 0,
            now_open: 0,
            stopped: false,
        };
        let shared = Shared { faults, start: Instant::now(), state: Mutex::new(state), grown: Condvar::new() };
        let shared = Arc::new(shared);
        let listening = Arc::clone(&shared);
        std::thread::spawn(move || listening.listen(&listener));
        Self { port, shared }
    }

    /// For `[providers.NAME] url`.
    pub fn url(&self) -> String {
        format!("smtp://{}:{}?tls=none", address(), self.port)
    }

    /// Everything accepted so far, in order.
    pub fn accepted(&self) -> Vec<Accepted> {
        self.shared.state.lock().expect("no thread of the sink panics").accepted.clone()
    }

    pub fn injected(&self) -> Injected {
        self.shared.state.lock().expect("no thread of the sink panics").injected
    }

    /// The most connections that were open at one time.
    pub fn most_connections(&self) -> usize {
        self.shared.state.lock().expect("no thread of the sink panics").most_at_once
    }

    /// Waits until `count` messages are accepted in all; false when that takes longer than `limit`.
    pub fn wait_for(&self, count: usize, limit: Duration) -> bool {
        let state = self.shared.state.lock().expect("no thread of the sink panics");
        let waited = self.shared.grown.wait_timeout_while(state, limit, |state| state.accepted.len() < count);
        waited.expect("no thread of the sink panics").0.accepted.len() >= count
    }
}

impl Drop for FaultySink {
    fn drop(&mut self) {
        let mut state = self.shared.state.lock().expect("no thread of the sink panics");
        state.stopped = true;
        for connection in &state.open {
            // the client may have closed it already
            let _ = connection.shutdown(Shutdown::Both);
        }
        drop(state);
        // the listener looks at `stopped` once more
        let _ = TcpStream::connect(socket(self.port));
    }
}

impl Shared {
    fn listen(self: &Arc<Self>, listener: &TcpListener) {
        for connection in listener.incoming() {
            let mut state = self.state.lock().expect("no thread of the sink panics");
            if state.stopped {
                return;
            }
            let Ok(connection) = connection else { continue };
            state.open.extend(connection.try_clone().ok());
            state.now_open += 1;
            state.most_at_once = state.most_at_once.max(state.now_open);
            drop(state);
            let shared = Arc::clone(self);
            std::thread::spawn(move || {
                // an error is the client's end, which the tests bring about on purpose
                let _ = shared.serve(&connection);
                let _ = connection.shutdown(Shutdown::Both);
                shared.state.lock().expect("no thread of the sink panics").now_open -= 1;
            });
        }
    }

    /// One connection, until QUIT, a fault or the client's end.
    fn serve(&self, connection: &TcpStream) -> std::io::Result<()> {
        connection.set_nodelay(true)?;
        let mut reply = connection;
        let mut lines = BufReader::new(connection);
        let mut recipient = String::new();
        reply.write_all(b"220 sink.test ESMTP\r\n")?;
        loop {
            let mut line = String::new();
            if lines.read_line(&mut line)? == 0 {
                return Ok(());
            }
            let verb = line.split([' ', '\r', '\n']).next().unwrap_or_default().to_ascii_uppercase();
            match verb.as_str() {
                "EHLO" => reply.write_all(b"250-sink.test\r\n250-PIPELINING\r\n250-SMTPUTF8\r\n250 8BITMIME\r\n")?,
                "RCPT" => {
                    recipient = between(&line, '<', '>').to_owned();
                    reply.write_all(b"250 2.1.5 Ok\r\n")?;
                }
                "DATA" => {
                    reply.write_all(b"354 Go ahead\r\n")?;
                    if !self.take(&mut lines, &recipient)? {
                        return Ok(());
                    }
                    reply.write_all(b"250 2.0.0 Ok: taken\r\n")?;
                }
                "QUIT" => return reply.write_all(b"221 2.0.0 Bye\r\n"),
                "HELO" | "MAIL" | "RSET" | "NOOP" => reply.write_all(b"250 2.0.0 Ok\r\n")?,
                _ => reply.write_all(b"500 5.5.1 Unknown\r\n")?,
            }
        }
    }

    /// Reads a message to its final dot; whether the client is to get its 250.
    fn take(&self, lines: &mut impl BufRead, recipient: &str) -> std::io::Result<bool> {
        let fate = self.fate();
        let (mut message_id, mut bytes, mut in_header) = (String::new(), 0, true);
        loop {
            let mut line = Vec::new();
            if lines.read_until(b'\n', &mut line)? == 0 || (fate == Fate::DropInBody && !in_header) {
                return Ok(false);
            }
            if line == b".\r\n" {
                break;
            }
            bytes += line.len();
            in_header &= line != b"\r\n";
            let text = String::from_utf8_lossy(&line);
            if in_header && text.to_ascii_lowercase().starts_with("message-id:") {
                message_id = between(&text, '<', '>').to_owned();
            }
        }
        if fate == Fate::DropAtDot {
            return Ok(false);
        }
        let answered = fate == Fate::Accept;
        let accepted =
            Accepted { message_id, recipient: recipient.to_owned(), at: self.start.elapsed(), answered, bytes };
        self.state.lock().expect("no thread of the sink panics").accepted.push(accepted);
        self.grown.notify_all();
        Ok(answered)
    }

    fn fate(&self) -> Fate {
        let mut state = self.state.lock().expect("no thread of the sink panics");
        let drawn: f64 = state.random.random_range(0.0..1.0);
        let Faults { reply_lost, dropped_at_dot, dropped_in_body, .. } = self.faults;
        if drawn < reply_lost {
            state.injected.replies_lost += 1;
            Fate::LoseReply
        } else if drawn < reply_lost + dropped_at_dot {
            state.injected.dropped_at_dot += 1;
            Fate::DropAtDot
        } else if drawn < reply_lost + dropped_at_dot + dropped_in_body {
            state.injected.dropped_in_body += 1;
            Fate::DropInBody
        } else {
            Fate::Accept
        }
    }
}

/// The text between the first `open` and the next `close`; empty where they are not there.
fn between(text: &str, open: char, close: char) -> &str {
    text.split_once(open).and_then(|(_, rest)| rest.split_once(close)).map_or("", |(inside, _)| inside)
}
