//! `plusone resolve`: settle by hand what a person has to decide: a doubt, or a reply that waits to be read.

use super::show::the_touchpoint;
use super::{Answer, opened::Opened, print::local, replied};
use crate::store::settle::{self, Verdict};
use crate::touchpoints::State;
use serde_json::json;
use std::io::Write;
use std::process::ExitCode;

#[derive(clap::Args)]
pub struct Options {
    /// The id of a message in doubt, or of a reply, or the first 8 characters of it
    pub touchpoint: String,
    /// Whether the message was sent; of a reply, that somebody has read it
    pub verdict: Answered,
}

#[derive(Clone, Copy, clap::ValueEnum)]
pub enum Answered {
    /// It reached the provider
    Sent,
    /// It did not: it is sent again
    NotSent,
    /// The reply was read by a person
    Read,
}

pub async fn run(opened: &Opened, json: bool, options: &Options, out: &mut dyn Write) -> Answer {
    let (verdict, state) = match options.verdict {
        Answered::Sent => (Verdict::Sent, State::Sent),
        Answered::NotSent => (Verdict::NotSent, State::Planned),
        Answered::Read => return replied::resolve(opened, json, &options.touchpoint, out).await,
    };
    let touchpoint = the_touchpoint(opened, &options.touchpoint).await?;
    let mut tx = opened.db.begin().await?;
    settle::resolve(&mut tx, &touchpoint, verdict, opened.now).await?;
    tx.commit().await?;
    if json {
        writeln!(out, "{:#}", json!({ "id": touchpoint.id, "state": state.as_str() }))?;
        return Ok(ExitCode::SUCCESS);
    }
    match (verdict, touchpoint.expires_at) {
        (Verdict::Sent, _) => writeln!(out, "Settled: it counts as sent.")?,
        (Verdict::NotSent, Some(end)) if end <= opened.now => {
            let end = local(end, opened.zone());
            writeln!(out, "Settled: it was not sent, and will not be: its time ended at {end}.")?;
        }
        (Verdict::NotSent, _) => writeln!(out, "Settled: it was not sent and is due again now.")?,
    }
    Ok(ExitCode::SUCCESS)
}
