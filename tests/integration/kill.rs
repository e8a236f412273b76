//! The kill test: the daemon is killed at random moments while the server loses replies; both logs are then joined.
//!
//! 1. A kill comes when the server has accepted so many messages (the numbers follow from the seed) and a random
//!    moment later: the moment is the fault.
//! 2. A kill counts when the daemon was running and had messages to send. Fewer than [`LEAST_KILLS`] make the run void.
//! 3. Negative controls: doctored logs and a sender that retries blindly must be found out by the same oracle.

#[path = "kill/oracle.rs"]
mod oracle;

use crate::harness::daemon::Daemon;
use crate::harness::faulty_sink::{Accepted, Faults, FaultySink, Injected};
use crate::harness::home::{Home, Settings};
use crate::harness::postgres::Database;
use crate::smtp_client::{Answer, Client};
use oracle::{Logged, Verdict};
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use std::collections::BTreeSet;
use std::time::Duration;

const MESSAGES: usize = 2_000;
const KILLS: usize = 24;
const LEAST_KILLS: usize = 20;
const CONNECTIONS: usize = 5;
/// Messages that a connection may have in `dispatching` at one time.
const WINDOW: usize = 4;
/// What a restart, a retry or the end of a lease may take.
const PATIENCE: Duration = Duration::from_secs(180);
const FAULTS: Faults = Faults { seed: 19, reply_lost: 0.01, dropped_at_dot: 0.01, dropped_in_body: 0.003 };

#[test]
#[ignore = "minutes long: tests/run runs it on the release build"]
fn killed_on_sqlite_with_ask_nothing_is_lost_or_doubled() {
    ask(&Campaign::run("ask", None, 1));
}

#[test]
#[ignore = "minutes long: tests/run runs it on the release build"]
fn killed_on_sqlite_with_resend_nothing_is_lost_and_every_second_copy_is_flagged() {
    resend(&Campaign::run("resend", None, 2));
}

#[test]
#[ignore = "minutes long: tests/run runs it on the release build"]
fn killed_on_postgresql_with_ask_nothing_is_lost_or_doubled() {
    let Some(database) = Database::create() else { return };
    ask(&Campaign::run("ask", Some(&database), 3));
}

#[test]
#[ignore = "minutes long: tests/run runs it on the release build"]
fn killed_on_postgresql_with_resend_nothing_is_lost_and_every_second_copy_is_flagged() {
    let Some(database) = Database::create() else { return };
    resend(&Campaign::run("resend", Some(&database), 4));
}

fn ask(campaign: &Campaign) {
    let verdict = campaign.verdict();
    assert!(verdict.keeps_the_promises(), "{campaign}\n{verdict:?}");
    assert_eq!(verdict.duplicated, BTreeSet::new(), "{campaign}");
    let Injected { replies_lost, dropped_at_dot, .. } = campaign.injected;
    // the server's own faults are in doubt for good; a kill leaves at most what was on the wire
    assert!(verdict.in_doubt.len() >= replies_lost, "{campaign}");
    let most = replies_lost + dropped_at_dot + campaign.kills * CONNECTIONS * WINDOW;
    assert!(verdict.in_doubt.len() <= most, "{campaign}: {} in doubt, at most {most}", verdict.in_doubt.len());
    campaign.controls_fail();
}

fn resend(campaign: &Campaign) {
    let verdict = campaign.verdict();
    assert!(verdict.keeps_the_promises(), "{campaign}\n{verdict:?}");
    assert!(!verdict.duplicated.is_empty(), "{campaign}: the server lost replies, so some arrived twice");
    campaign.controls_fail();
}

/// A campaign that came to rest.
struct Campaign {
    name: String,
    kills: usize,
    injected: Injected,
    arrived: Vec<Accepted>,
    log: Vec<Logged>,
}

impl std::fmt::Display for Campaign {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}: {} kills, {} accepted, {:?}", self.name, self.kills, self.arrived.len(), self.injected)
    }
}

impl Campaign {
    /// Plans [`MESSAGES`], then runs and kills the daemon, then lets it come to rest.
    ///
    /// # Panics
    /// When the run is void: too few kills.
    fn run(on_doubt: &str, database: Option<&Database>, seed: u64) -> Self {
        let sink = FaultySink::start(Faults { seed, ..FAULTS });
        let home = home(on_doubt, database, &sink.url());
        let pass = home.plusone(&["once", "--no-send", "--json"]).ended_with(0).json();
        assert_eq!(pass["rules"][0]["planned"], MESSAGES, "{pass:#}");

        let kills = kill_while_sending(&home, &sink, seed);
        assert!(kills >= LEAST_KILLS, "void: {kills} kills of a daemon at work, {LEAST_KILLS} wanted");
        let log = come_to_rest(&home);
        let name = format!("{on_doubt} on {}", if database.is_some() { "PostgreSQL" } else { "SQLite" });
        let campaign = Self { name, kills, injected: sink.injected(), arrived: sink.accepted(), log };
        eprintln!("{campaign}, {} in doubt", campaign.verdict().in_doubt.len());
        campaign
    }

    fn verdict(&self) -> Verdict {
        Verdict::of(&customers(), &self.message_ids(), &self.log)
    }

    fn message_ids(&self) -> Vec<String> {
        self.arrived.iter().map(|accepted| accepted.message_id.clone()).collect()
    }

    /// The same logs, doctored: each lie must be found out.
    fn controls_fail(&self) {
        let arrived_and_sent = |touchpoint: &Logged| {
            touchpoint.state == "sent" && self.message_ids().iter().any(|id| id.starts_with(&touchpoint.id))
        };
        let at = self.log.iter().position(arrived_and_sent).expect("something was sent");
        let judged = |arrived: &[String], log: &[Logged]| Verdict::of(&customers(), arrived, log);

        let mut forgotten = self.log.clone();
        let id = forgotten.remove(at).id;
        let verdict = judged(&self.message_ids(), &forgotten);
        assert!(verdict.unknown.contains(&id) && !verdict.lost.is_empty(), "a touchpoint was taken out of the log");

        let others: Vec<String> = self.message_ids().into_iter().filter(|message| !message.starts_with(&id)).collect();
        assert!(judged(&others, &self.log).lost.contains(&id), "a message was taken away from the server");

        let mut unflagged = self.log.clone();
        unflagged[at].possible_duplicate = false;
        let mut twice = self.message_ids();
        twice.push(format!("{id}@sender.test"));
        assert!(judged(&twice, &unflagged).silent.contains(&id), "a copy was added without a flag");
    }
}

/// Starts the daemon again and again, and kills it each time the server has accepted the next number of messages.
/// Gives the number of kills that hit a daemon at work.
fn kill_while_sending(home: &Home, sink: &FaultySink, seed: u64) -> usize {
    let mut random = StdRng::seed_from_u64(seed);
    // leaves room for what every kill may leave in doubt, so that the last kill still finds work
    let stride = (MESSAGES - KILLS * CONNECTIONS * WINDOW) / (KILLS + 2);
    let mut kills = 0;
    for kill in 1..=KILLS {
        let daemon = Daemon::start(home);
        let threshold = kill * stride + random.random_range(0..stride);
        let reached = sink.wait_for(threshold, PATIENCE);
        assert!(reached, "kill {kill}: the server had {} of {threshold}\n{}", sink.accepted().len(), daemon.said());
        // the fault itself: some moment within the next few windows
        std::thread::park_timeout(Duration::from_micros(random.random_range(0..40_000)));
        kills += usize::from(daemon.kill());
    }
    kills
}

/// Runs the daemon until nothing waits any more, ends it properly, and reads the log.
fn come_to_rest(home: &Home) -> Vec<Logged> {
    let daemon = Daemon::start(home);
    crate::harness::wait_for("every message sent or in doubt", PATIENCE, || {
        let log = log(home);
        let waits = |touchpoint: &Logged| matches!(touchpoint.state.as_str(), "planned" | "claimed" | "dispatching");
        (!log.iter().any(waits)).then_some(())
    });
    let (status, said) = daemon.terminate();
    assert!(status.success(), "{status}\n{said}");
    log(home)
}

fn log(home: &Home) -> Vec<Logged> {
    let lines = home.plusone(&["log", "--rule", "campaign", "--limit", "10000", "--json"]).ended_with(0).json_lines();
    lines.iter().map(Logged::from_json).collect()
}

fn customers() -> BTreeSet<String> {
    (0..MESSAGES).map(|n| format!("c{n:04}")).collect()
}

/// A shop with [`MESSAGES`] customers and one rule for all of them. The rate keeps the run long enough for the kills.
fn home(on_doubt: &str, database: Option<&Database>, sink: &str) -> Home {
    let mut settings = Settings { email: vec!["relay"], ..Settings::default() };
    if let Some(database) = database {
        settings.database.clone_from(&database.url);
    }
    settings.more = format!(
        "[providers.relay]\ntype = \"smtp\"\nurl = \"{sink}\"\nconnections = {CONNECTIONS}\nrate = \"150/s\"\n\
         [guard]\nmax_recipients = {MESSAGES}\nmax_share = \"100%\"\n"
    );
    let rows: String = customers().iter().map(|id| format!("{id},{id}@customers.test,Kim\n")).collect();
    let rule = format!(
        "description = \"Tell everybody once\"\nlive = true\nkind = \"reminder\"\ntopic = \"reminders\"\n\
         schedule = \"every minute\"\nwhen = ['has(customer.email)']\nchannels = [\"email\"]\ntemplate = \"campaign\"\n\
         on_doubt = \"{on_doubt}\"\n"
    );
    let data = "[customer]\nsource = \"customers.csv\"\nkey = \"id\"\nroles = { email = \"email\", name = \"first_name\" }\n\
                [customer.fields]\nid = \"text\"\nemail = \"text\"\nfirst_name = \"text\"\n";
    Home::new()
        .settings(&settings)
        .file("config/data.toml", data)
        .file("customers.csv", &format!("id,email,first_name\n{rows}"))
        .file("config/rules/campaign.toml", &rule)
        .file("templates/campaign/subject.hbs", "Hello {{default customer.first_name \"there\"}}\n")
        .file("templates/campaign/email.txt.hbs", "Your table is booked.\n")
}

/// A sender as many are: whatever goes wrong, it tries again, and what was answered it notes as sent.
#[test]
fn a_sender_that_retries_blindly_is_found_out() {
    let sink = FaultySink::start(Faults { seed: 5, reply_lost: 0.05, dropped_at_dot: 0.05, dropped_in_body: 0.0 });
    let mut log = Vec::new();
    for n in 0..300 {
        let id = format!("t{n}");
        let attempt =
            || Client::connect(sink.port).map(|mut client| client.send("c@customers.test", &format!("{id}@shop.test")));
        while attempt().expect("the sink listens") != Answer::Accepted {}
        log.push(Logged { customer: id.clone(), id, state: "sent".to_owned(), possible_duplicate: false });
    }
    let wanted = log.iter().map(|touchpoint| touchpoint.customer.clone()).collect();
    let arrived: Vec<String> = sink.accepted().into_iter().map(|accepted| accepted.message_id).collect();
    let verdict = Verdict::of(&wanted, &arrived, &log);
    assert!(!verdict.keeps_the_promises());
    assert_eq!(verdict.silent, verdict.duplicated);
    assert!(verdict.silent.len() >= 5 && verdict.lost.is_empty(), "{verdict:?}");
}
