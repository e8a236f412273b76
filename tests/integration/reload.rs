//! Changed files while a daemon runs: taken up, or refused with the last good version in force; told, and after a restart
//! too; and what editors do on the way disturbs nothing.

use crate::harness::daemon::Daemon;
use crate::harness::home::{Home, Settings};
use crate::harness::wait_for;
use crate::shop::{self, customers, rule};
use std::time::Duration;

const LIMIT: Duration = Duration::from_secs(60);
const GOOD: &str = "config/rules/note.toml";
/// What `/readyz` says of a broken rule.
const BROKEN: &str = "the schedule cannot be read";

fn home() -> Home {
    let home = shop::home(&Settings::default()).file("customers.csv", &customers(&["c1,ann@shop.test,Ann,gold,"]));
    home.write(GOOD, &rule(&[]));
    home
}

fn started(home: &Home) -> Daemon {
    let mut daemon = Daemon::start(home);
    daemon.wait_until_ready();
    daemon
}

/// Waits until what `/readyz` says fits.
fn ready(daemon: &Daemon, what: &str, fits: impl Fn(&str) -> bool) -> String {
    wait_for(what, LIMIT, || daemon.get("/readyz").map(|(_, body)| body).filter(|body| fits(body)))
}

fn messages_of(home: &Home, rule: &str, state: &str) -> usize {
    home.plusone(&["log", "--rule", rule, "--state", state, "--json"]).ended_with(0).json_lines().len()
}

#[test]
fn a_broken_file_is_told_with_what_stays_and_after_a_restart_too() {
    let home = home();
    let mut daemon = started(&home);
    home.write(GOOD, &rule(&[("schedule", "\"every fortnight or so\"")]));
    daemon.wait_for_line("the version in force since ");
    let said = ready(&daemon, "the broken rule", |body| body.contains(BROKEN));
    assert!(said.contains("warn") && said.contains("the version in force since ") && said.contains(" stays"), "{said}");
    let status = |home: &Home| home.plusone(&["status"]).ended_with(0).stdout;
    let told = status(&home);
    assert!(told.contains(BROKEN) && told.contains("the version in force since "), "{told}");
    assert!(home.plusone(&["status", "--json"]).ended_with(0).json()["rules"]["live"][0]["rule"] == "note");
    daemon.terminate();
    let daemon = started(&home);
    ready(&daemon, "the broken rule after a restart", |body| body.contains(BROKEN) && body.contains(" stays"));
    home.write(GOOD, &rule(&[("description", "\"mended\"")]));
    ready(&daemon, "a rule that is well again", |body| !body.contains(BROKEN));
    assert!(status(&home).contains("note"));
    assert_eq!(messages_of(&home, "note", "sent"), 1, "a changed rule keeps its history");
    daemon.terminate();
}

#[test]
fn settings_that_are_broken_or_wait_for_a_restart_are_told() {
    let home = home();
    let mut daemon = started(&home);
    let settings = home.read("config/plusone.toml");
    home.write("config/plusone.toml", &settings.replace("time_zone = \"Europe/London\"", "time_zone = \"CET+1\""));
    daemon.wait_for_line("none of the changed files is taken up");
    ready(&daemon, "the broken settings", |body| body.contains("config/plusone.toml:") && body.contains("stays"));
    let relay = "[providers.relay]\ntype = \"folder\"\npath = \"var/other\"\n";
    let moved = settings.replace("providers = [\"outbox\"]", "providers = [\"relay\"]");
    home.write("config/plusone.toml", &format!("{}\n{relay}", moved.replace("Test Shop", "New Name")));
    ready(&daemon, "the restart", |body| body.contains("[providers] changed; it counts after a restart"));
    // everything else counts, and messages keep their way out
    home.write("config/rules/more.toml", &rule(&[("description", "\"more\"")]));
    home.write("templates/note/subject.hbs", "A note of {{business.name}}");
    wait_for("the message by the old way", LIMIT, || (messages_of(&home, "more", "sent") == 1).then_some(()));
    let log = home.plusone(&["log", "--rule", "more", "--json"]).ended_with(0).json_lines();
    assert_eq!((&log[0]["provider"], &log[0]["subject"]), (&"outbox".into(), &"A note of New Name".into()));
    daemon.terminate();
}

#[test]
fn new_fields_are_read_and_a_changed_type_is_refused_with_the_way_out() {
    let home = home();
    let mut daemon = started(&home);
    let data = home.read("config/data.toml");
    home.write("customers.csv", "id,email,first_name,tier,email_ok,phone,joined,city\nc1,ann@shop.test,Ann,gold,,+447911120000,2026-11-03,York\n");
    home.write("config/data.toml", &data.replace("tier = \"text\"", "tier = \"text\"\ncity = \"text\""));
    home.write("config/rules/york.toml", &rule(&[("when", "['customer.city == \"York\"']")]));
    wait_for("the message to York", LIMIT, || (messages_of(&home, "york", "sent") == 1).then_some(()));
    home.write("config/data.toml", &data.replace("tier = \"text\"", "tier = \"integer\"\ncity = \"text\""));
    let line = daemon.wait_for_line("none of the changed files is taken up");
    assert!(line.contains("tier"), "{line}");
    ready(&daemon, "the refused change", |body| body.contains("tier"));
    home.write("config/data.toml", &data.replace("tier = \"text\"", "tier = \"text\"\ncity = \"text\""));
    ready(&daemon, "data that are well again", |body| !body.contains("tier"));
    daemon.terminate();
}

#[test]
fn what_editors_do_on_the_way_disturbs_nothing() {
    let home = home();
    let mut daemon = started(&home);
    let text = home.read(GOOD);
    let file = home.path().join(GOOD);
    for n in 0..5 {
        // truncate and write; half; another file in its place; files beside it
        home.write(GOOD, "");
        home.write(GOOD, &text[..text.len() / 2]);
        home.write("config/rules/.note.toml.swp", "swap");
        home.write("config/rules/note.toml~", "before");
        home.write("config/rules/#note.toml#", "on the way");
        home.write("config/rules/note.toml.new", &format!("description = \"{n}\"\n{text}"));
        std::fs::rename(home.path().join("config/rules/note.toml.new"), &file).expect("the home is ours");
    }
    daemon.wait_for_line("changed files are in force");
    let said = daemon.said();
    assert!(!said.contains("broken") && !said.contains("in force but for") && !said.contains("ERROR"), "{said}");
    daemon.terminate();
}

#[test]
fn the_messages_that_a_deleted_rule_has_planned_are_cancelled() {
    // a relay that nobody answers for: the message waits
    let url = format!("smtp://{}:{}?tls=none", crate::harness::address(), crate::harness::free_port());
    let relay = format!("[providers.relay]\ntype = \"smtp\"\nurl = \"{url}\"\n");
    let home = shop::home(&Settings { more: relay, email: vec!["relay"], ..Settings::default() })
        .file("customers.csv", &customers(&["c1,ann@shop.test,Ann,gold,"]))
        .file(GOOD, &rule(&[]));
    let daemon = started(&home);
    wait_for("a planned message", LIMIT, || (messages_of(&home, "note", "planned") == 1).then_some(()));
    std::fs::remove_file(home.path().join(GOOD)).expect("the home is ours");
    wait_for("the end of the message", LIMIT, || (messages_of(&home, "note", "cancelled") == 1).then_some(()));
    daemon.terminate();
}

#[test]
fn a_test_is_sent_beside_a_running_daemon() {
    let home = home();
    let daemon = started(&home);
    let told = home.plusone(&["send-test", "note", "--customer", "c1", "--to", "me@shop.test"]).ended_with(0);
    assert!(told.stdout.contains("sent to me@shop.test by outbox"), "{}", told.stdout);
    daemon.terminate();
}
