//! A process that a test started: it and its children end with the value.

use super::{socket, text_of, wait_for};
use std::net::TcpStream;
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

pub struct Server {
    pub child: Child,
    /// A file named after the process group; `tests/run` ends what it finds noted.
    note: Option<PathBuf>,
}

impl Server {
    /// Starts `command` as the leader of a process group.
    ///
    /// # Panics
    /// When it cannot be started.
    pub fn start(command: &mut Command) -> Self {
        let child = command.process_group(0).stdin(Stdio::null()).spawn();
        let child = child.unwrap_or_else(|error| panic!("cannot start {command:?}: {error}"));
        let note =
            text_of("PLUSONE_TEST_RUN").map(|run| PathBuf::from(run).join("servers").join(child.id().to_string()));
        if let Some(note) = &note {
            std::fs::write(note, format!("{command:?}\n")).expect("the run's folder is ours");
        }
        Self { child, note }
    }

    /// Waits until `port` of the run's address takes connections; panics when the process ends before.
    pub fn wait_for_port(&mut self, port: u16, limit: Duration) {
        wait_for(&format!("port {port}"), limit, || {
            if let Some(status) = self.child.try_wait().expect("the process is ours") {
                panic!("the server of port {port} ended with {status}");
            }
            TcpStream::connect(socket(port)).ok()
        });
    }

    /// Sends `signal` (`TERM`, `STOP`, `CONT`) to the process alone.
    pub fn signal(&self, signal: &str) {
        send(signal, &self.child.id().to_string());
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        send("KILL", &format!("-{}", self.child.id()));
        // it may have ended by itself
        let _ = self.child.kill();
        let _ = self.child.wait();
        if let Some(note) = &self.note {
            let _ = std::fs::remove_file(note);
        }
    }
}

/// The shell's own `kill`, which every machine has.
fn send(signal: &str, process: &str) {
    let kill = format!("kill -s {signal} -- {process} 2>/dev/null");
    let _ = Command::new("bash").args(["-c", &kill]).status();
}
