//! A relay that answers as it was told: one answer for each message in turn, then 250. It keeps what it was sent.

use crate::harness::{address, free_port, socket};
use std::collections::VecDeque;
use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Condvar, Mutex};
use std::time::Duration;

/// What is said after a message's final dot.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Reply {
    Line(&'static str),
    /// The connection is closed instead.
    HangUp,
}

struct State {
    replies: VecDeque<Reply>,
    messages: Vec<String>,
    /// How many messages it answers; what comes after them waits.
    most: usize,
}

struct Shared {
    state: Mutex<State>,
    changed: Condvar,
}

pub struct Relay {
    port: u16,
    shared: Arc<Shared>,
}

impl Relay {
    pub fn start(replies: &[Reply]) -> Self {
        let port = free_port();
        let listener = TcpListener::bind(socket(port)).expect("the port is free");
        let state = State { replies: replies.iter().copied().collect(), messages: Vec::new(), most: usize::MAX };
        let shared = Arc::new(Shared { state: Mutex::new(state), changed: Condvar::new() });
        let listening = Arc::clone(&shared);
        std::thread::spawn(move || {
            for connection in listener.incoming().flatten() {
                let shared = Arc::clone(&listening);
                // an error is the client's end
                std::thread::spawn(move || serve(&connection, &shared).ok());
            }
        });
        Self { port, shared }
    }

    /// A section of `plusone.toml` with one connection to it.
    pub fn section(&self, more: &str) -> String {
        format!(
            "[providers.relay]\ntype = \"smtp\"\nurl = \"smtp://{}:{}?tls=none\"\nconnections = 1\n{more}\n",
            address(),
            self.port
        )
    }

    /// Every message that came to its final dot, in order.
    pub fn messages(&self) -> Vec<String> {
        self.shared.state.lock().expect("no thread panics").messages.clone()
    }

    /// Waits until so many messages came to their final dot.
    pub fn wait_for(&self, count: usize) {
        const LIMIT: Duration = Duration::from_secs(180);
        let state = self.shared.state.lock().expect("no thread panics");
        let waited = self.shared.changed.wait_timeout_while(state, LIMIT, |state| state.messages.len() < count);
        assert!(!waited.expect("no thread panics").1.timed_out(), "waited for {count} messages");
    }

    /// Answers so many messages in all; what comes after them waits at its final dot until there is room.
    pub fn take_no_more_than(&self, most: usize) {
        self.shared.state.lock().expect("no thread panics").most = most;
        self.shared.changed.notify_all();
    }
}

fn serve(connection: &TcpStream, shared: &Shared) -> std::io::Result<()> {
    let mut reply = connection;
    let mut lines = BufReader::new(connection);
    reply.write_all(b"220 relay.test ESMTP\r\n")?;
    loop {
        let mut line = String::new();
        if lines.read_line(&mut line)? == 0 {
            return Ok(());
        }
        match line.get(..4).unwrap_or_default().to_ascii_uppercase().as_str() {
            "EHLO" => reply.write_all(b"250-relay.test\r\n250-SMTPUTF8\r\n250 8BITMIME\r\n")?,
            "DATA" => {
                reply.write_all(b"354 Go ahead\r\n")?;
                let mut message = String::new();
                while !message.ends_with("\r\n.\r\n") {
                    if lines.read_line(&mut message)? == 0 {
                        return Ok(());
                    }
                }
                let state = shared.state.lock().expect("no thread panics");
                let full = |state: &mut State| state.messages.len() >= state.most;
                let mut state = shared.changed.wait_while(state, full).expect("no thread panics");
                state.messages.push(message);
                shared.changed.notify_all();
                match state.replies.pop_front().unwrap_or(Reply::Line("250 2.0.0 Ok")) {
                    Reply::Line(line) => reply.write_all(format!("{line}\r\n").as_bytes())?,
                    Reply::HangUp => return connection.shutdown(std::net::Shutdown::Both),
                }
            }
            "QUIT" => return reply.write_all(b"221 2.0.0 Bye\r\n"),
            _ => reply.write_all(b"250 2.0.0 Ok\r\n")?,
        }
    }
}
