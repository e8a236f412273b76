//! The commands of the desk: they look at what plusone did, and turn its small switches. None of them sends.
//!
//! Each writes its answer to `out`, for people or with `--json` for programs, so that a test reads what a user reads.

use super::{
    Answer, approve, cancel, consent, customer, db, erase, export, find, import, log, opened::Opened, pause, report,
    resolve, resume, show, status, suppress,
};
use std::io::Write;

#[derive(clap::Subcommand)]
pub enum Desk {
    /// Is it well: rules, next ticks, what waits and how long, runs to approve, pauses
    Status(status::Options),
    /// Find customers and touchpoints by name, address, phone, order number, code or provider's id
    Find(find::Options),
    /// One customer on one page
    Customer(customer::Options),
    /// List touchpoints, newest first
    Log(log::Options),
    /// One touchpoint: words, facts, gates, events
    Show(show::Options),
    /// Stop everything, a rule, a channel, a provider or a customer
    Pause(pause::Options),
    /// Let what was paused go on
    Resume(resume::Options),
    /// Let a held run go
    Approve(approve::Options),
    /// Cancel a held run, or what a rule has planned
    Cancel(cancel::Options),
    /// Read rows of an entity from a CSV or NDJSON file
    Import(import::Options),
    /// Show or change what customers have agreed to
    Consent(consent::Options),
    /// Addresses that are never written to
    Suppress(suppress::Options),
    /// What each rule did: funnel, reach, cost, goal, and the lift against those held out
    Report(report::Options),
    /// Settle by hand: a message in doubt was sent or was not, a reply was read
    Resolve(resolve::Options),
    /// Everything held about a person, as JSON and as a page
    Export(export::Options),
    /// Erase a person: everything held about them
    Erase(erase::Options),
    /// Care of the database: migrate, prune
    Db(db::Options),
}

/// Runs one command of the desk.
pub async fn run(opened: &Opened, json: bool, command: &Desk, out: &mut dyn Write) -> Answer {
    match command {
        Desk::Status(_) => status::run(opened, json, out).await,
        Desk::Find(options) => find::run(opened, json, options, out).await,
        Desk::Customer(options) => customer::run(opened, json, options, out).await,
        Desk::Log(options) => log::run(opened, json, options, out).await,
        Desk::Show(options) => show::run(opened, json, options, out).await,
        Desk::Pause(options) => pause::run(opened, json, options, out).await,
        Desk::Resume(options) => resume::run(opened, json, options, out).await,
        Desk::Approve(options) => approve::run(opened, json, options, out).await,
        Desk::Cancel(options) => cancel::run(opened, json, options, out).await,
        Desk::Import(options) => import::run(opened, json, options, out).await,
        Desk::Consent(options) => consent::run(opened, json, options, out).await,
        Desk::Suppress(options) => suppress::run(opened, json, options, out).await,
        Desk::Report(options) => report::run(opened, json, options, out).await,
        Desk::Resolve(options) => resolve::run(opened, json, options, out).await,
        Desk::Export(options) => export::run(opened, json, options, out).await,
        Desk::Erase(options) => erase::run(opened, json, options, out).await,
        Desk::Db(options) => db::run(opened, json, options, out).await,
    }
}
