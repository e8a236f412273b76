//! Postfix's load generator and its sink: the limit of a client that sends mail, and where both clients send it.

use super::{BenchError, Result};
use std::net::{TcpListener, TcpStream};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// Debian keeps Postfix's tools where users' paths do not lead.
const FOLDERS: [&str; 4] = ["/usr/sbin", "/usr/local/sbin", "/usr/bin", "/usr/local/bin"];
/// How long a sink may take to listen.
const PATIENCE: Duration = Duration::from_secs(10);

/// A running `smtp-sink`, which takes every message and forgets it. Ends with the value.
pub struct Sink {
    child: Child,
    pub port: u16,
}

impl Sink {
    /// # Errors
    /// [`BenchError::NoPostfix`] where it is not installed.
    pub fn start() -> Result<Self> {
        let program = find("smtp-sink")?;
        let port = free_port()?;
        let mut command = Command::new(program);
        // root must give up its rights, anybody else must not try
        if is_root() {
            command.args(["-u", "nobody"]);
        }
        command.arg(format!("127.0.0.1:{port}")).arg("1000");
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        let child = command.spawn().map_err(BenchError::io("cannot start smtp-sink"))?;
        let mut sink = Self { child, port };
        sink.wait_for_port()?;
        Ok(sink)
    }

    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    fn wait_for_port(&mut self) -> Result<()> {
        let began = Instant::now();
        while TcpStream::connect(("127.0.0.1", self.port)).is_err() {
            if began.elapsed() > PATIENCE || self.child.try_wait().is_ok_and(|ended| ended.is_some()) {
                return Err(BenchError::Void(format!("smtp-sink does not listen on 127.0.0.1:{}", self.port)));
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        Ok(())
    }
}

impl Drop for Sink {
    fn drop(&mut self) {
        // It may have ended by itself; either way it is waited for.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Sends `messages` of `bytes` each with `smtp-source` over kept connections; gives the seconds it took.
///
/// # Errors
/// [`BenchError::NoPostfix`] where it is not installed.
pub fn send(port: u16, connections: usize, messages: usize, bytes: usize) -> Result<f64> {
    let mut command = Command::new(find("smtp-source")?);
    // -d keeps the connections
    command.arg("-d").args(["-s", &connections.to_string(), "-m", &messages.to_string(), "-l", &bytes.to_string()]);
    command.args(["-f", "hello@bench.example", "-t", "c1@customers.bench.example"]);
    command.arg(format!("127.0.0.1:{port}"));
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    let began = Instant::now();
    let ended = command.status().map_err(BenchError::io("cannot start smtp-source"))?;
    let took = began.elapsed().as_secs_f64();
    if ended.success() { Ok(took) } else { Err(BenchError::Void(format!("smtp-source ended with {ended}"))) }
}

/// # Errors
/// [`BenchError::NoPostfix`].
pub fn find(program: &'static str) -> Result<PathBuf> {
    let places = FOLDERS.iter().map(|folder| PathBuf::from(folder).join(program));
    places.into_iter().find(|place| place.is_file()).ok_or(BenchError::NoPostfix(program))
}

fn is_root() -> bool {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    status
        .lines()
        .find_map(|line| line.strip_prefix("Uid:"))
        .is_some_and(|ids| ids.split_whitespace().nth(1) == Some("0"))
}

fn free_port() -> Result<u16> {
    let listener = TcpListener::bind("127.0.0.1:0").map_err(BenchError::io("no port is free"))?;
    Ok(listener.local_addr().map_err(BenchError::io("no port is free"))?.port())
}
