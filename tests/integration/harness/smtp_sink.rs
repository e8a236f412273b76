//! Postfix's `smtp-sink`: takes mail as fast as a C program can, with the faults that its options offer.
//!
//! Not for counting what was accepted: with `-Q` and `-r` it also keeps what it refused, and it notes no time. For that
//! there is [`super::faulty_sink`].

use super::server::Server;
use super::{address, folder, free_port, is_root, mail, missing, on_path};
use serde_json::Value;
use std::process::{Command, Stdio};
use std::time::Duration;

pub struct SmtpSink {
    pub port: u16,
    folder: tempfile::TempDir,
    _server: Server,
}

impl SmtpSink {
    /// `options` as its manual has them: `&["-f", "DATA"]` refuses, `&["-q", "."]` takes the mail and hangs up. Every
    /// message is kept as a file. `None` where it is not installed.
    pub fn start(options: &[&str]) -> Option<Self> {
        if !on_path("smtp-sink") {
            missing("smtp-sink");
            return None;
        }
        let (port, folder) = (free_port(), folder("smtp-sink"));
        let mut command = Command::new("env");
        command.arg("PATH=/usr/sbin:/usr/bin:/bin").arg("smtp-sink");
        if is_root() {
            hand_to_nobody(folder.path());
            command.args(["-u", "nobody"]);
        }
        // %M%S: a new file name for each minute and second; smtp-sink adds a random part
        command.arg("-R").arg(folder.path()).args(["-d", "%M%S.mail."]).args(options);
        command.arg(format!("{}:{port}", address())).arg("1000");
        let mut server = Server::start(command.stdout(Stdio::null()));
        server.wait_for_port(port, Duration::from_secs(10));
        Some(Self { port, folder, _server: server })
    }

    /// What it kept, as Python's email package reads it.
    pub fn mails(&self) -> Vec<Value> {
        mail::read(self.folder.path())
    }
}

fn hand_to_nobody(folder: &std::path::Path) {
    let done = Command::new("chown").arg("nobody").arg(folder).status().expect("chown starts");
    assert!(done.success(), "chown ended with {done}");
}
