//! The door to providers: a relay that is not there or never answers, and a folder that nobody may write.

use super::{RULE, expect, in_state, outbox, shop};
use crate::harness::daemon::Daemon;
use crate::harness::faulty_sink::{Faults, FaultySink};
use crate::harness::home::{Home, Settings};
use crate::harness::{address, free_port, is_root, socket, wait_for};
use std::collections::BTreeSet;
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt;
use std::time::Duration;

fn relay(url: &str) -> Settings {
    let more = format!("[providers.relay]\ntype = \"smtp\"\nurl = \"{url}\"\nconnections = 2");
    Settings { email: vec!["relay"], more, ..Settings::default() }
}

/// Puts a relay that works into the settings, and expects that each of `count` messages arrives there once.
fn mend_and_count(home: &Home, count: usize) {
    let sink = FaultySink::start(Faults::default());
    let settings = home.read("config/plusone.toml");
    let start = settings.find("url = \"smtp://").expect("the relay is there");
    let end = start + settings[start..].find('\n').expect("the line ends");
    let mended = format!("{}url = \"{}\"{}", &settings[..start], sink.url(), &settings[end..]);
    home.write("config/plusone.toml", &mended);
    home.plusone(&["once", "--at", "+3h"]).ended_with(0);
    let accepted = sink.accepted();
    let ids: BTreeSet<&str> = accepted.iter().map(|one| one.message_id.as_str()).collect();
    assert_eq!((accepted.len(), ids.len()), (count, count));
    let log = home.plusone(&["log", "--channel", "email", "--state", "sent", "--limit", "1000", "--json"]);
    assert_eq!(log.ended_with(0).json_lines().len(), count);
}

#[test]
fn a_relay_that_is_not_there_burns_no_message() {
    let home = shop(40, &relay(&format!("smtp://{}:{}?tls=none", address(), free_port())));
    let pass = home.plusone(&["once", "--json"]).ended_with(0).json();
    assert_eq!((&pass["delivery"]["sent"], &pass["delivery"]["failed"]), (&0.into(), &0.into()), "{pass:#}");
    let log = home.plusone(&["log", "--limit", "1000", "--json"]).ended_with(0).json_lines();
    assert!(log.iter().all(|one| one["state"] == "planned"), "all wait");
    let attempts: i64 = log.iter().filter_map(|one| one["attempts"].as_i64()).sum();
    // The fifth failure opens the circuit: four before it, and whatever ten connections had begun by then.
    assert!(attempts <= 14, "the circuit opens after five failures, {attempts} attempts were made");
    mend_and_count(&home, 40);
}

#[test]
fn a_relay_that_never_answers_holds_up_no_other_channel_and_no_end() {
    let silent = TcpListener::bind(socket(free_port())).expect("the port is free");
    let port = silent.local_addr().expect("it is bound").port();
    let home = shop(5, &relay(&format!("smtp://{}:{port}?tls=none", address())));
    home.write("config/rules/text.toml", &RULE.replace("\"email\"", "\"sms\""));
    home.write("templates/hello/sms.hbs", "Hello.");
    let mut daemon = Daemon::start(&home);
    daemon.wait_until_ready();
    wait_for("the text messages", Duration::from_secs(60), || (outbox(&home).len() == 5).then_some(()));
    let (status, said) = daemon.terminate();
    assert!(status.success(), "{status}: {said}");
    drop(silent);
    assert_eq!(in_state(&home, "failed"), 0);
    std::fs::remove_file(home.path().join("config/rules/text.toml")).expect("it is there");
    mend_and_count(&home, 5);
}

#[test]
fn an_outbox_that_cannot_be_written_keeps_every_message() {
    let home = shop(3, &Settings::default());
    home.write("var/outbox", "a file where the folder should be");
    let pass = home.plusone(&["once", "--json"]).ended_with(0).json();
    assert_eq!((&pass["delivery"]["sent"], &pass["delivery"]["failed"]), (&0.into(), &0.into()), "{pass:#}");
    std::fs::remove_file(home.path().join("var/outbox")).expect("it is ours");
    home.plusone(&["once", "--at", "+3h"]).ended_with(0);
    assert_eq!((outbox(&home).len(), in_state(&home, "sent")), (3, 3));
}

#[test]
fn a_folder_without_the_right_to_write_is_told() {
    if is_root() {
        // root may write everywhere
        return;
    }
    let home = shop(3, &Settings::default());
    let folder = home.path().join("var");
    std::fs::create_dir_all(&folder).expect("the home is ours");
    let allow = |mode| std::fs::set_permissions(&folder, std::fs::Permissions::from_mode(mode)).expect("it is ours");
    allow(0o555);
    let ran = home.plusone(&["once"]);
    allow(0o755);
    expect(ran, 1, &["cannot open the database", "var/plusone.db", "write"]);
    home.plusone(&["once"]).ended_with(0);
    assert_eq!(outbox(&home).len(), 3);
}
