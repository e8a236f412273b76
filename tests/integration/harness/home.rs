//! A home folder for one test, and the program run in it.

use super::{address, folder, free_port, root, text_of};
use serde_json::Value;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

/// The program: the release build where `PLUSONE_RELEASE_BIN` names it, else the one that was built with this test.
pub fn program() -> PathBuf {
    text_of("PLUSONE_RELEASE_BIN").map_or_else(|| env!("CARGO_BIN_EXE_plusone").into(), PathBuf::from)
}

/// A temporary home folder, removed with the value.
pub struct Home {
    folder: tempfile::TempDir,
    environment: Vec<(String, String)>,
    /// The port of `web.listen` in [`Settings`] written here.
    pub port: u16,
}

impl Home {
    /// An empty one.
    pub fn new() -> Self {
        Self { folder: folder("home"), environment: Vec::new(), port: free_port() }
    }

    /// A copy of a folder of the project.
    pub fn copy_of(path: &str) -> Self {
        let home = Self::new();
        copy(&root().join(path), home.path());
        home
    }

    /// Copies a folder of the project into the home, under the same path.
    pub fn copy(&self, path: &str) {
        copy(&root().join(path), &self.path().join(path));
    }

    /// Lays a folder of the project over the home.
    pub fn lay_over(&self, path: &str) {
        copy(&root().join(path), self.path());
    }

    pub fn path(&self) -> &Path {
        self.folder.path()
    }

    /// Writes a file, with the folders it needs.
    pub fn file(self, path: &str, text: &str) -> Self {
        self.write(path, text);
        self
    }

    /// As [`Home::file`], for a home in use.
    pub fn write(&self, path: &str, text: &str) {
        let file = self.path().join(path);
        std::fs::create_dir_all(file.parent().expect("a file has a folder")).expect("the home is ours");
        std::fs::write(file, text).expect("the home is ours");
    }

    /// Writes `config/plusone.toml`.
    pub fn settings(self, settings: &Settings) -> Self {
        let text = settings.toml(self.port);
        self.file("config/plusone.toml", &text)
    }

    /// Sets an environment variable for every command run here.
    pub fn with(mut self, name: &str, value: &str) -> Self {
        self.environment.push((name.to_owned(), value.to_owned()));
        self
    }

    pub fn read(&self, path: &str) -> String {
        std::fs::read_to_string(self.path().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
    }

    /// The command `plusone ARGUMENTS` in this home. Nothing of the program may hang on the machine's time zone or on
    /// variables of whoever runs the tests.
    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(program());
        command.args(arguments).current_dir(self.path()).env("TZ", "Pacific/Chatham").env("NO_COLOR", "1");
        for (name, _) in std::env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("PLUSONE_")) {
            command.env_remove(name);
        }
        command.envs(self.environment.iter().map(|(name, value)| (name, value)));
        command
    }

    /// Runs `plusone ARGUMENTS` to its end.
    ///
    /// # Panics
    /// When it takes more than five minutes.
    pub fn plusone(&self, arguments: &[&str]) -> Ran {
        let mut command = self.command(arguments);
        let child = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn();
        let child = child.unwrap_or_else(|error| panic!("cannot start {command:?}: {error}"));
        Ran::wait(child, format!("plusone {}", arguments.join(" ")))
    }
}

/// How a command ended.
#[derive(Debug)]
pub struct Ran {
    /// As the user typed it.
    pub command: String,
    /// `None` when a signal ended it.
    pub code: Option<i32>,
    pub stdout: String,
    pub stderr: String,
}

impl Ran {
    fn wait(mut child: Child, command: String) -> Self {
        let stdout = collect(child.stdout.take().expect("it is piped"));
        let stderr = collect(child.stderr.take().expect("it is piped"));
        let status =
            super::wait_for(&command, Duration::from_secs(300), || child.try_wait().expect("the process is ours"));
        let read = |thread: std::thread::JoinHandle<String>| thread.join().expect("output is read to its end");
        Self { command, code: status.code(), stdout: read(stdout), stderr: read(stderr) }
    }

    /// # Panics
    /// When it did not end with `code`; shows what it said.
    pub fn ended_with(self, code: i32) -> Self {
        assert_eq!(self.code, Some(code), "{}\n{}\n{}", self.command, self.stdout, self.stderr);
        self
    }

    /// The one JSON document it printed.
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.stdout).unwrap_or_else(|error| panic!("{}: {error}\n{}", self.command, self.stdout))
    }

    /// The JSON lines it printed.
    pub fn json_lines(&self) -> Vec<Value> {
        let parse =
            |line: &str| serde_json::from_str(line).unwrap_or_else(|error| panic!("{}: {error}: {line}", self.command));
        self.stdout.lines().map(parse).collect()
    }
}

/// A `config/plusone.toml`: a shop without quiet hours, whose channels go to the folder `var/outbox`.
#[derive(Clone, Debug)]
pub struct Settings {
    pub database: String,
    /// The providers of email, in order.
    pub email: Vec<&'static str>,
    /// More sections, as TOML; `[providers.relay]` for one.
    pub more: String,
}

impl Default for Settings {
    fn default() -> Self {
        Self { database: "sqlite://var/plusone.db".to_owned(), email: vec!["outbox"], more: String::new() }
    }
}

impl Settings {
    fn toml(&self, port: u16) -> String {
        let Self { database, email, more } = self;
        let address = address();
        format!(
            r#"[business]
name = "Test Shop"
postal_address = "1 Test Street, Bristol BS1 4XX"
phone = "+442079460000"
email = "hello@shop.test"
website = "https://shop.test"
time_zone = "Europe/London"
locale = "en-GB"
country = "GB"
currency = "GBP"
[database]
url = "{database}"
[web]
listen = "{address}:{port}"
public_url = "http://{address}:{port}"
[channels.email]
from = "Test Shop <hello@sender.test>"
providers = {email:?}
[channels.sms]
from = "+442079460000"
providers = ["outbox"]
[channels.voice]
from = "+442079460000"
providers = ["outbox"]
[providers.outbox]
type = "folder"
path = "var/outbox"
[topics]
reminders = {{ purpose = "transactional", name = "Reminders" }}
offers = {{ purpose = "promotional", name = "Treats" }}
{more}
"#
        )
    }
}

fn collect(mut stream: impl Read + Send + 'static) -> std::thread::JoinHandle<String> {
    std::thread::spawn(move || {
        let mut bytes = Vec::new();
        stream.read_to_end(&mut bytes).expect("output can be read");
        String::from_utf8_lossy(&bytes).into_owned()
    })
}

fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).expect("the home is ours");
    for entry in std::fs::read_dir(from).unwrap_or_else(|error| panic!("{}: {error}", from.display())) {
        let entry = entry.expect("the folder can be read");
        let target = to.join(entry.file_name());
        if entry.file_type().expect("the folder can be read").is_dir() {
            copy(&entry.path(), &target);
        } else {
            std::fs::copy(entry.path(), target).expect("the home is ours");
        }
    }
}
