//! A real mail server: Postfix with Dovecot, private to the test. What it does with which address: `tests/parts/postfix`.

use super::{address, folder, free_port, is_root, mail, missing, on_path, root, socket, wait_for};
use serde_json::Value;
use std::net::TcpStream;
use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

pub struct Postfix {
    folder: tempfile::TempDir,
    /// Plain SMTP without a password.
    pub smtp: u16,
    /// STARTTLS and AUTH are wanted; any user, password `secret`.
    pub submission: u16,
    pub imap: u16,
}

impl Postfix {
    /// `None` where it is not installed, or cannot be started as root.
    pub fn start() -> Option<Self> {
        if !(on_path("postfix") && on_path("dovecot") && on_path("openssl") && may_be_root()) {
            missing("postfix");
            return None;
        }
        let postfix = Self { folder: folder("postfix"), smtp: free_port(), submission: free_port(), imap: free_port() };
        let certificates = postfix.folder.path().join("certificates");
        let made = Command::new(script("certificates")).arg(certificates).arg(address()).status();
        assert!(made.expect("the script starts").success(), "cannot make certificates");
        postfix.script(
            "up",
            &[address(), port(postfix.smtp), port(postfix.submission), port(free_port()), port(postfix.imap)],
        );
        for port in [postfix.imap, postfix.submission, postfix.smtp] {
            wait_for(&format!("Postfix on port {port}"), Duration::from_secs(30), || {
                TcpStream::connect(socket(port)).ok()
            });
        }
        Some(postfix)
    }

    /// The certificate of the authority that signed the server's.
    pub fn ca_file(&self) -> PathBuf {
        self.folder.path().join("certificates/ca.pem")
    }

    /// What was delivered to anyone at customers.test, or came back to sender.test, as Python's email package reads it.
    pub fn mailbox(&self, domain: &str) -> Vec<Value> {
        let name = domain.strip_suffix(".test").expect("customers.test or sender.test");
        mail::read(&self.folder.path().join("mail").join(name))
    }

    /// Waits until `count` messages are in the mailbox of `domain`.
    pub fn wait_for_mail(&self, domain: &str, count: usize) -> Vec<Value> {
        let name = domain.strip_suffix(".test").expect("customers.test or sender.test");
        let inbox = self.folder.path().join("mail").join(name).join("new");
        wait_for(&format!("{count} messages at {domain}"), Duration::from_secs(60), || {
            let files = std::fs::read_dir(&inbox).ok()?;
            (files.count() >= count).then_some(())
        });
        self.mailbox(domain)
    }

    /// Postfix's own log: what it took, from whom, under which Message-ID.
    pub fn log(&self) -> String {
        std::fs::read_to_string(self.folder.path().join("mail.log")).unwrap_or_default()
    }

    fn script(&self, action: &str, rest: &[String]) {
        let mut command = if is_root() { Command::new(script("postfix")) } else { Command::new("sudo") };
        if !is_root() {
            command.arg("-n").arg(script("postfix"));
        }
        let done = command.arg(action).arg(self.folder.path()).args(rest).status().expect("the script starts");
        assert!(done.success(), "tests/parts/postfix {action} ended with {done}");
    }
}

impl Drop for Postfix {
    fn drop(&mut self) {
        self.script("down", &[]);
    }
}

fn script(name: &str) -> PathBuf {
    root().join("tests/parts").join(name)
}

fn port(port: u16) -> String {
    port.to_string()
}

fn may_be_root() -> bool {
    is_root() || Command::new("sudo").args(["-n", "true"]).output().is_ok_and(|said| said.status.success())
}
