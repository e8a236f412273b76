//! The door of the database: files that are none, versions from the future, locks, and servers that go away.

use super::{expect, in_state, outbox, shop};
use crate::harness::daemon::Daemon;
use crate::harness::faulty_sink::{Faults, FaultySink};
use crate::harness::home::{Home, Settings};
use crate::harness::postgres::Database;
use crate::harness::{address, free_port, wait_for};
use sqlx::{Connection, Executor, Row, SqliteConnection};
use std::collections::BTreeSet;
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

/// Runs statements on a SQLite file, then `meanwhile` while the connection is open; gives the last one's first column.
pub fn on_sqlite(file: &Path, statements: &[&'static str], meanwhile: impl FnOnce()) -> String {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    let url = format!("sqlite://{}", file.display());
    let (mut connection, answer) = runtime.block_on(async {
        let mut connection = SqliteConnection::connect(&url).await.expect("the file is a database");
        let mut answer = String::new();
        for statement in statements {
            let rows = connection.fetch_all(*statement).await.expect("the statement is ours");
            answer = rows.first().and_then(|row| row.try_get(0).ok()).unwrap_or_default();
        }
        (connection, answer)
    });
    meanwhile();
    runtime.block_on(async {
        if statements.contains(&"begin immediate") {
            connection.execute("rollback").await.expect("a transaction is open");
        }
        connection.close().await.expect("it closes");
    });
    answer
}

#[test]
fn a_database_that_is_none_is_told_and_left_alone() {
    let home = shop(1, &Settings::default());
    let random: Vec<u8> = (0..8_192u32).map(|n| (n.wrapping_mul(2_654_435_761) >> 13) as u8).collect();
    let place = home.path().join("var/plusone.db");
    std::fs::create_dir_all(place.parent().expect("it has one")).expect("the home is ours");
    std::fs::write(&place, &random).expect("the home is ours");
    for command in ["once", "run", "status"] {
        expect(home.plusone(&[command]), 1, &["var/plusone.db", "not a database", "restore a backup"]);
    }
    assert_eq!(std::fs::read(&place).expect("it is there"), random, "not a byte was changed");
    std::fs::remove_file(&place).expect("it is there");
    std::fs::create_dir(&place).expect("the home is ours");
    expect(home.plusone(&["once"]), 1, &["var/plusone.db", "[database] url"]);
    std::fs::remove_dir(&place).expect("it is empty");
    std::fs::remove_dir_all(home.path().join("var")).expect("the home is ours");
    home.write("var", "a file where the folder should be");
    expect(home.plusone(&["once"]), 1, &["var/plusone.db", "[database] url"]);
    std::fs::remove_file(home.path().join("var")).expect("it is ours");
    home.plusone(&["once"]).ended_with(0);
    assert_eq!(outbox(&home).len(), 1);
}

#[test]
fn a_damaged_database_is_told() {
    let home = shop(200, &Settings::default());
    home.plusone(&["once", "--no-send"]).ended_with(0);
    let place = home.path().join("var/plusone.db");
    on_sqlite(&place, &["pragma wal_checkpoint(truncate)"], || ());
    let file = std::fs::OpenOptions::new().write(true).open(&place).expect("it is there");
    file.set_len(20_000).expect("the home is ours");
    let ran = home.plusone(&["once"]);
    expect(ran, 1, &["malformed", "restore a backup"]);
}

#[test]
fn a_database_of_a_newer_plusone_is_refused_and_untouched() {
    let home = shop(2, &Settings::default());
    home.plusone(&["once", "--no-send"]).ended_with(0);
    let place = home.path().join("var/plusone.db");
    on_sqlite(&place, &["insert into schema_version (version) values (99)"], || ());
    for command in ["once", "run", "status", "log"] {
        expect(home.plusone(&[command]), 1, &["schema 99", "use the newer program", "restore a backup"]);
    }
    on_sqlite(&place, &["delete from schema_version where version = 99"], || ());
    home.plusone(&["once"]).ended_with(0);
    assert_eq!(outbox(&home).len(), 2, "what was planned before is sent");
}

#[test]
fn a_database_that_another_process_has_locked_is_waited_for() {
    let home = shop(2, &Settings::default());
    home.plusone(&["once", "--no-send"]).ended_with(0);
    let place = home.path().join("var/plusone.db");
    let mut child = None;
    on_sqlite(&place, &["begin immediate"], || {
        let mut command = home.command(&["once"]);
        let started = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("the program starts");
        let open = format!("/proc/{}/fd", started.id());
        if Path::new("/proc/self/fd").exists() {
            wait_for("the database to be open", Duration::from_secs(60), || {
                let mut files = std::fs::read_dir(&open).ok()?.flatten();
                files
                    .any(|file| std::fs::read_link(file.path()).is_ok_and(|to| to.ends_with("plusone.db")))
                    .then_some(())
            });
        }
        child = Some(started);
    });
    let mut child = child.expect("it was started");
    assert_eq!(child.wait().expect("the process is ours").code(), Some(0));
    assert_eq!(outbox(&home).len(), 2);
}

#[test]
fn a_second_daemon_is_refused_and_names_the_first() {
    let home = shop(1, &Settings::default());
    let mut daemon = Daemon::start(&home);
    daemon.wait_until_ready();
    expect(home.plusone(&["run"]), 1, &["another plusone works on this database", "process"]);
    expect(home.plusone(&["once"]), 1, &["another plusone works on this database", "process"]);
    home.plusone(&["log"]).ended_with(0);
    daemon.terminate();
}

#[test]
fn a_server_that_is_not_there_is_told_at_once_without_its_password() {
    let url = format!("postgres://shop:s3cr3t@{}:{}/plusone", address(), free_port());
    let home = shop(1, &Settings { database: url, ..Settings::default() });
    for command in ["once", "run", "status"] {
        let ran = home.plusone(&[command]);
        assert!(!super::said(&ran).contains("s3cr3t"), "{}", ran.stderr);
        expect(ran, 1, &["cannot open the database", "refused", "is the server running"]);
    }
}

#[test]
fn connections_that_postgresql_cuts_lose_nothing_and_double_nothing() {
    const MESSAGES: usize = 300;
    let Some(database) = Database::create() else { return };
    let sink = FaultySink::start(Faults::default());
    let more =
        format!("[providers.relay]\ntype = \"smtp\"\nurl = \"{}\"\nconnections = 3\nrate = \"60/s\"", sink.url());
    let settings = Settings { database: database.url.clone(), email: vec!["relay"], more };
    let home = shop(MESSAGES, &settings);
    let mut daemon = Daemon::start(&home);
    daemon.wait_until_ready();
    for cut in 1..=8 {
        assert!(sink.wait_for(cut * 25, Duration::from_secs(120)), "cut {cut}: {}", daemon.said());
        database.execute(
            "select pg_terminate_backend(pid) from pg_stat_activity \
             where datname = current_database() and pid <> pg_backend_pid()",
        );
    }
    assert!(sink.wait_for(MESSAGES, Duration::from_secs(120)), "{}", daemon.said());
    wait_for("the outcomes", Duration::from_secs(120), || (in_state(&home, "sent") == MESSAGES).then_some(()));
    daemon.wait_until_ready();
    let (status, said) = daemon.terminate();
    assert!(status.success() && !said.contains("panicked"), "{status}: {said}");
    once_each(&sink, MESSAGES);
    assert_planned_once(&home, MESSAGES);
}

fn once_each(sink: &FaultySink, count: usize) {
    let accepted = sink.accepted();
    let ids: BTreeSet<&str> = accepted.iter().map(|one| one.message_id.as_str()).collect();
    assert_eq!((accepted.len(), ids.len()), (count, count));
}

fn assert_planned_once(home: &Home, count: usize) {
    let log = home.plusone(&["log", "--limit", "100000", "--json"]).ended_with(0).json_lines();
    assert_eq!(log.len(), count);
    assert!(log.iter().all(|one| one["state"] == "sent" && one["possible_duplicate"] == false), "all were sent");
}
