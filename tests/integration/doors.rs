//! Bad input at every door, through the real program: each a clear message with place, cause and cure, the exit code
//! of the design (0 done, 1 failed, 2 bad usage or bad configuration), and nothing lost.
//!
//! 1. A case asserts on the words that a user needs, never on a whole text.
//! 2. Where work was planned, the test mends the fault and counts: everything arrives, and once.
//! 3. What needs root or a real PostgreSQL says when it is left out.

#[path = "doors/canary.rs"]
mod canary;
#[path = "doors/data.rs"]
mod data;
#[path = "doors/database.rs"]
mod database;
#[path = "doors/disk.rs"]
mod disk;
#[path = "doors/hostile.rs"]
mod hostile;
#[path = "doors/random_bytes.rs"]
mod random_bytes;
#[path = "doors/relay.rs"]
mod relay;
#[path = "doors/rules.rs"]
mod rules;
#[path = "doors/settings.rs"]
mod settings;
#[path = "doors/statements.rs"]
mod statements;
#[path = "doors/web.rs"]
mod web;

use crate::harness::home::{Home, Ran, Settings};
use std::collections::BTreeSet;
use std::fmt::Write;

const DATA: &str = r#"
[customer]
source = "customers.csv"
key = "id"
roles = { email = "email", phone = "phone", name = "first_name" }
[customer.fields]
id = "text"
first_name = "text"
email = "text"
phone = "text"
"#;

const RULE: &str = r#"
description = "Greets everyone once"
live = true
kind = "reminder"
topic = "reminders"
schedule = "every minute"
when = 'has(customer.id)'
channels = ["email"]
template = "hello"
"#;

/// A shop whose one rule, `hello`, writes an email to each of so many customers, once.
fn shop(customers: usize, settings: &Settings) -> Home {
    let home = Home::new().settings(settings).file("config/data.toml", DATA).file("config/rules/hello.toml", RULE);
    home.file("templates/hello/subject.hbs", "Hello {{default customer.first_name \"you\"}}")
        .file("templates/hello/email.txt.hbs", "Dear {{default customer.first_name \"you\"}}, see you soon.")
        .file("customers.csv", &customers_csv(customers))
}

fn customers_csv(customers: usize) -> String {
    let mut csv = "id,first_name,email,phone\n".to_owned();
    for n in 1..=customers {
        writeln!(csv, "c{n},Ann,c{n}@customers.test,+4479460{n:05}").expect("a string takes everything");
    }
    csv
}

/// The names of the messages in the folder.
fn outbox(home: &Home) -> BTreeSet<String> {
    let entries = std::fs::read_dir(home.path().join("var/outbox")).into_iter().flatten();
    entries.map(|entry| entry.expect("the folder can be read").file_name().to_string_lossy().into_owned()).collect()
}

/// The touchpoints of the log in this state.
fn in_state(home: &Home, state: &str) -> usize {
    home.plusone(&["log", "--state", state, "--limit", "100000", "--json"]).ended_with(0).json_lines().len()
}

/// What a command said, on both streams.
fn said(ran: &Ran) -> String {
    format!("{}{}", ran.stdout, ran.stderr)
}

/// Asserts that the command ended with `code` and said all of `words`, and nothing that only a programmer reads.
#[track_caller]
fn expect(ran: Ran, code: i32, words: &[&str]) {
    let ran = ran.ended_with(code);
    let said = said(&ran);
    for word in words {
        assert!(said.contains(word), "{}: no `{word}` in\n{said}", ran.command);
    }
    for word in ["panicked", "RUST_BACKTRACE", "Some(", "src/"] {
        assert!(!said.contains(word), "{}: `{word}` in\n{said}", ran.command);
    }
}
