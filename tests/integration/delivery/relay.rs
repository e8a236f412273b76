//! A relay that answers as it was told: one answer for each message in turn, then 250. It keeps what it was sent.

use crate::harness::{address, free_port, socket};
use std::collections::VecDeque;
use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

/// What is said after a message's final dot.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Reply {
    Line(&'static str),
    /// The connection is closed instead.
    HangUp,
}

#[derive(Default)]
struct State {
    replies: VecDeque<Reply>,
    messages: Vec<String>,
}

pub struct Relay {
    port: u16,
    state: Arc<Mutex<State>>,
}

impl Relay {
    pub fn start(replies: &[Reply]) -> Self {
        let port = free_port();
        let listener = TcpListener::bind(socket(port)).expect("the port is free");
        let state = Arc::new(Mutex::new(State { replies: replies.iter().copied().collect(), messages: Vec::new() }));
        let shared = Arc::clone(&state);
        std::thread::spawn(move || {
            for connection in listener.incoming().flatten() {
                let state = Arc::clone(&shared);
                // an error is the client's end
                std::thread::spawn(move || serve(&connection, &state).ok());
            }
        });
        Self { port, state }
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
        self.state.lock().expect("no thread panics").messages.clone()
    }
}

fn serve(connection: &TcpStream, state: &Mutex<State>) -> std::io::Result<()> {
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
                let mut state = state.lock().expect("no thread panics");
                state.messages.push(message);
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
