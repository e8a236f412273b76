//! A process of a test that runs on: `plusone run`, watched, asked, stopped and killed.

use super::home::Home;
use super::server::Server;
use super::{socket, wait_for};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::process::{Command, ExitStatus, Stdio};
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// How long a daemon may take to start, to stop, or to say what is waited for.
const LIMIT: Duration = Duration::from_secs(60);

pub struct Daemon {
    server: Server,
    port: u16,
    lines: Arc<Mutex<Vec<String>>>,
}

impl Daemon {
    /// Starts `plusone run` in `home`, and does not wait.
    pub fn start(home: &Home) -> Self {
        Self::watch(&mut home.command(&["run"]), home.port)
    }

    /// Starts a command that serves `/readyz` on `port`, and keeps the lines it prints.
    pub fn watch(command: &mut Command, port: u16) -> Self {
        let mut server = Server::start(command.stdout(Stdio::piped()).stderr(Stdio::piped()));
        let lines = Arc::new(Mutex::new(Vec::new()));
        keep(server.child.stdout.take().expect("it is piped"), &lines);
        keep(server.child.stderr.take().expect("it is piped"), &lines);
        Self { server, port, lines }
    }

    /// Everything it has printed so far, on both streams.
    pub fn said(&self) -> String {
        self.lines.lock().expect("no reader panics").join("\n")
    }

    /// The process's number.
    pub fn process(&self) -> u32 {
        self.server.child.id()
    }

    /// Waits until `/readyz` answers 200.
    ///
    /// # Panics
    /// When it ends before, or takes longer than a minute; shows what it said.
    pub fn wait_until_ready(&mut self) {
        self.wait("/readyz", |daemon| daemon.get("/readyz").filter(|(status, _)| *status == 200));
    }

    /// Waits for a line that holds `text`, and gives it.
    pub fn wait_for_line(&mut self, text: &str) -> String {
        self.wait(text, |daemon| {
            let lines = daemon.lines.lock().expect("no reader panics");
            lines.iter().find(|line| line.contains(text)).cloned()
        })
    }

    /// The status and the body of `GET path`; `None` when nobody answers.
    pub fn get(&self, path: &str) -> Option<(u16, String)> {
        let mut stream = TcpStream::connect_timeout(&socket(self.port), Duration::from_secs(1)).ok()?;
        stream.set_read_timeout(Some(Duration::from_secs(10))).ok()?;
        // HTTP/1.0: the body ends with the connection
        write!(stream, "GET {path} HTTP/1.0\r\nHost: {}\r\n\r\n", socket(self.port)).ok()?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer).ok()?;
        let (head, body) = answer.split_once("\r\n\r\n")?;
        Some((head.split(' ').nth(1)?.parse().ok()?, body.to_owned()))
    }

    /// `kill -9`, the moment this is called. Whether there was something to kill.
    pub fn kill(mut self) -> bool {
        let running = self.server.child.try_wait().expect("the process is ours").is_none();
        // the bytes it wrote are on their way all the same
        let _ = self.server.child.kill();
        let _ = self.server.child.wait();
        running
    }

    /// SIGTERM, then its end and what it said.
    pub fn terminate(mut self) -> (ExitStatus, String) {
        self.server.signal("TERM");
        let child = &mut self.server.child;
        let status =
            wait_for("the daemon's end after SIGTERM", LIMIT, || child.try_wait().expect("the process is ours"));
        (status, self.said())
    }

    fn wait<T>(&mut self, what: &str, mut poll: impl FnMut(&Self) -> Option<T>) -> T {
        wait_for(what, LIMIT, || {
            if let Some(answer) = poll(self) {
                return Some(answer);
            }
            let ended = self.server.child.try_wait().expect("the process is ours");
            assert!(ended.is_none(), "it ended before {what}: {ended:?}\n{}", self.said());
            None
        })
    }
}

fn keep(stream: impl Read + Send + 'static, lines: &Arc<Mutex<Vec<String>>>) {
    let lines = Arc::clone(lines);
    std::thread::spawn(move || {
        for line in BufReader::new(stream).lines().map_while(Result::ok) {
            lines.lock().expect("no reader panics").push(line);
        }
    });
}
