//! The door of the disk: full for the outbox, and full under the database. A small file system of the test's own stands
//! for the disk; only root can make one.

use super::database::on_sqlite;
use super::{customers_csv, shop};
use crate::harness::daemon::Daemon;
use crate::harness::faulty_sink::{Faults, FaultySink};
use crate::harness::home::{Home, Settings, program};
use crate::harness::{is_root, left_out};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

/// Runs the daemon, and keeps what is on the small file system when it has ended.
const RUN: &str = r#"
    "$PLUSONE" run & process=$!
    trap 'kill -TERM $process' TERM
    wait $process; wait $process; code=$?
    cp -r var kept
    exit $code
"#;

/// Whether this process may mount file systems in a namespace of its own.
fn may_mount() -> bool {
    let tried = Command::new("unshare").args(["-m", "mount", "-t", "tmpfs", "tmpfs", "/mnt"]).output();
    let may = is_root() && tried.is_ok_and(|tried| tried.status.success());
    if !may {
        left_out("this process may not mount a file system");
    }
    may
}

/// `script` in a shell that sees a file system of `size` at `place`.
fn on_small_disk(home: &Home, place: &Path, size: &str, script: &str) -> Command {
    std::fs::create_dir_all(place).expect("the home is ours");
    let mut shell = home.command(&[]);
    let mut command = Command::new("unshare");
    for (name, value) in shell.env("PLUSONE", program()).get_envs() {
        match value {
            Some(value) => command.env(name, value),
            None => command.env_remove(name),
        };
    }
    let script = format!("mount -t tmpfs -o size={size} tmpfs '{}' || exit 9; {script}", place.display());
    command.args(["-m", "bash", "-c", &script]).current_dir(home.path());
    command
}

#[test]
fn a_full_outbox_keeps_every_message_until_there_is_room() {
    if !may_mount() {
        return;
    }
    let home = shop(60, &Settings::default());
    let place = home.path().join("var/outbox");
    let script = r#"
        dd if=/dev/zero of=var/outbox/filler bs=1k count=960 2>/dev/null
        "$PLUSONE" once && "$PLUSONE" log --state failed --json || exit 3
        rm var/outbox/filler
        "$PLUSONE" once --at +3h && ls var/outbox | grep -c 'eml$'
        ls -A var/outbox | grep -vc 'eml$'
        find var/outbox -size 0 | grep -c .
        "$PLUSONE" log --state sent --limit 1000 --json | grep -c .
    "#;
    let ran = on_small_disk(&home, &place, "1m", script).output().expect("unshare is there");
    let said = String::from_utf8_lossy(&ran.stdout);
    let last: Vec<&str> = said.lines().rev().take(4).collect();
    assert_eq!(last, ["60", "0", "0", "60"], "{said}{}", String::from_utf8_lossy(&ran.stderr));
}

#[test]
fn a_disk_full_under_the_database_stops_the_work_and_frees_it_again_without_a_restart() {
    const BEFORE: usize = 200;
    const AFTER: usize = 400;
    if !may_mount() {
        return;
    }
    let sink = FaultySink::start(Faults::default());
    let more =
        format!("[providers.relay]\ntype = \"smtp\"\nurl = \"{}\"\nconnections = 2\nrate = \"100/s\"", sink.url());
    let home = shop(BEFORE, &Settings { email: vec!["relay"], more, ..Settings::default() });
    let mut command = on_small_disk(&home, &home.path().join("var"), "24m", RUN);
    let mut daemon = Daemon::watch(&mut command, home.port);
    daemon.wait_until_ready();
    assert!(sink.wait_for(40, Duration::from_secs(60)), "{}", daemon.said());
    let inside = inside(daemon.process(), home.path());
    fill(&inside.join("var/filler"));
    daemon.wait_for_line("cannot be written");
    home.write("customers.csv", &customers_csv(AFTER));
    let (status, _) = daemon.get("/livez").expect("it lives");
    assert_eq!(status, 200);
    std::fs::remove_file(inside.join("var/filler")).expect("it is ours");
    assert!(sink.wait_for(AFTER, Duration::from_secs(150)), "{}", daemon.said());
    daemon.wait_until_ready();
    let accepted = sink.accepted();
    let ids: std::collections::BTreeSet<&str> = accepted.iter().map(|one| one.message_id.as_str()).collect();
    assert_eq!((accepted.len(), ids.len()), (AFTER, AFTER), "nobody got it twice");
    let (status, said) = daemon.terminate();
    assert!(status.success() && !said.contains("panicked"), "{status}: {said}");
    let kept = home.path().join("kept/plusone.db");
    assert_eq!(on_sqlite(&kept, &["pragma integrity_check"], || ()), "ok");
    let sent = "select cast(count(*) as text) from touchpoints where state = 'sent'";
    assert_eq!(on_sqlite(&kept, &[sent], || ()), AFTER.to_string());
}

/// The path as the process sees it.
fn inside(process: u32, path: &Path) -> PathBuf {
    PathBuf::from(format!("/proc/{process}/root{}", path.display()))
}

/// Writes until there is no more room.
fn fill(file: &Path) {
    use std::io::Write;
    let mut file = std::fs::File::create(file).expect("the file system is the test's own");
    while file.write_all(&[b' '; 4096]).is_ok() {}
    while file.write_all(b" ").is_ok() {}
}
