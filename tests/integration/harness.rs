//! Starts real parts for tests and stops them; gives tests a home folder and runs the program in it.
//!
//! 1. Every server has a free port on [`address`], the loopback address of this run.
//! 2. Ready means that it answered, never that some time has passed. Every wait has a limit and names what it waited for.
//! 3. A server ends with the value that stands for it; `tests/run` ends what a killed test binary left behind, by the
//!    notes in the run's folder.

pub mod daemon;
pub mod faulty_sink;
pub mod home;
pub mod mail;
pub mod postfix;
pub mod postgres;
pub mod prism;
pub mod server;
pub mod smtp_sink;

use plusone::sql::Sql;
use plusone::store::db::Db;
use std::io::Write;
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicU16, Ordering};
use std::time::{Duration, Instant};

/// The loopback address of this run, `PLUSONE_TEST_ADDRESS`. Two runs on one machine do not meet.
pub fn address() -> String {
    let given = text_of("PLUSONE_TEST_ADDRESS");
    given.unwrap_or_else(|| if cfg!(target_os = "linux") { "127.0.0.70" } else { "127.0.0.1" }.to_owned())
}

/// A port of [`address`] that nobody listens on, and that no other call in this process is given.
///
/// It lies below the range from which the system takes the ports of outgoing connections.
pub fn free_port() -> u16 {
    const FIRST: u16 = 20_000;
    const COUNT: u16 = 12_000;
    static NEXT: AtomicU16 = AtomicU16::new(0);
    let start = u16::try_from(std::process::id() % u32::from(COUNT)).expect("smaller than COUNT");
    for _ in 0..COUNT {
        let port = FIRST + (start + NEXT.fetch_add(1, Ordering::Relaxed) % COUNT) % COUNT;
        // binding is not enough: Postfix shares its port with whoever asks for the same
        let taken = TcpStream::connect_timeout(&socket(port), Duration::from_secs(1)).is_ok();
        if !taken && TcpListener::bind(socket(port)).is_ok() {
            return port;
        }
    }
    panic!("no free port on {}", address());
}

/// `port` on the run's address.
pub fn socket(port: u16) -> SocketAddr {
    SocketAddr::new(address().parse().expect("PLUSONE_TEST_ADDRESS is an IP address"), port)
}

/// The project's root folder.
pub fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Public data and API descriptions that lie beside the project, where they do: `../shared`.
pub fn shared(path: &str) -> Option<PathBuf> {
    let file = root().join("../shared").join(path);
    if file.exists() {
        return Some(file);
    }
    missing(&format!("../shared/{path}"));
    None
}

/// A new temporary folder that every user of this machine may enter.
pub fn folder(name: &str) -> tempfile::TempDir {
    use std::os::unix::fs::PermissionsExt;
    let parent = text_of("PLUSONE_TEST_RUN").map_or_else(std::env::temp_dir, PathBuf::from);
    let folder = tempfile::Builder::new().prefix(&format!("{name}-")).tempdir_in(parent).expect("a temporary folder");
    std::fs::set_permissions(folder.path(), std::fs::Permissions::from_mode(0o755)).expect("the folder is ours");
    folder
}

/// A part that this machine does not have: a failure where `CI` is set, else said on the terminal.
///
/// # Panics
/// Where `CI` is set.
pub fn missing(part: &str) {
    assert!(text_of("CI").is_none(), "{part} cannot be had, and CI is set");
    left_out(&format!("{part} is not there"));
}

/// Says that the test is left out, and why: what this machine does not allow and nobody can install.
pub fn left_out(why: &str) {
    let test = std::thread::current().name().unwrap_or("a test").to_owned();
    // past libtest, which keeps what a passing test prints
    writeln!(std::io::stderr(), "left out: {test}, since {why}").expect("standard error is open");
}

/// Where `tests/run` puts the Python and Node.js packages.
fn packages() -> PathBuf {
    text_of("PLUSONE_TEST_PARTS").map_or_else(|| root().join("target/test-parts"), PathBuf::from)
}

/// A program of the Node.js packages of `tests/parts/package.json`.
pub fn node_program(name: &str) -> Option<PathBuf> {
    let program = packages().join("node/node_modules/.bin").join(name);
    if program.exists() {
        return Some(program);
    }
    missing(name);
    None
}

/// The Node.js packages that drive a browser.
pub fn node_modules() -> Option<PathBuf> {
    let modules = packages().join("node/node_modules");
    if modules.join("playwright-core").exists() {
        return Some(modules);
    }
    missing("chromium");
    None
}

/// The browser.
pub fn chromium() -> Option<PathBuf> {
    let names = ["chromium", "chromium-browser", "google-chrome"];
    let folders = std::env::var_os("PATH").unwrap_or_default();
    let found = names.iter().find_map(|name| {
        std::env::split_paths(&folders).map(|folder| folder.join(name)).find(|program| program.exists())
    });
    if found.is_none() {
        missing("chromium");
    }
    found
}

/// The Python that has the packages of `tests/parts/requirements.txt`.
pub fn python() -> Option<PathBuf> {
    let python = packages().join("venv/bin/python");
    if python.exists() {
        return Some(python);
    }
    missing("python-packages");
    None
}

/// Asks `poll` until it answers; panics after `limit`, naming `what` did not happen.
///
/// The pause between two questions keeps the processor free; nothing relies on its length.
pub fn wait_for<T>(what: &str, limit: Duration, mut poll: impl FnMut() -> Option<T>) -> T {
    let start = Instant::now();
    loop {
        if let Some(answer) = poll() {
            return answer;
        }
        assert!(start.elapsed() < limit, "waited {} s for {what}", limit.as_secs());
        std::thread::park_timeout(Duration::from_millis(5));
    }
}

/// The number that `sql` gives.
pub async fn number(db: &Db, sql: &str) -> i64 {
    db.fetch_one(Sql::new(sql)).await.expect("a good statement").map_or(0, |row| row.int(0))
}

/// Asks until the number that `sql` gives is right. A daemon tells nobody that it has written a row: even one of this
/// process is watched through its database, as from another. Only within a runtime of many threads.
pub async fn wait_for_number(db: &Db, sql: &str, is_right: impl Fn(i64) -> bool) {
    const LIMIT: Duration = Duration::from_secs(180);
    tokio::task::block_in_place(|| {
        wait_for(sql, LIMIT, || {
            let found = tokio::runtime::Handle::current().block_on(number(db, sql));
            is_right(found).then_some(())
        });
    });
}

/// Whether a program of this name can be started.
pub fn on_path(program: &str) -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path).chain(["/usr/sbin".into()]).any(|folder| folder.join(program).is_file())
}

/// Whether this process is root's.
pub fn is_root() -> bool {
    Command::new("id").arg("-u").output().is_ok_and(|said| said.stdout == b"0\n")
}

/// An environment variable that is set and not empty.
pub fn text_of(name: &str) -> Option<String> {
    std::env::var_os(name).and_then(|value| value.into_string().ok()).filter(|value| !value.is_empty())
}
