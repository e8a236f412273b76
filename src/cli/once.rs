//! `plusone once`: one pass, then the end.

use super::print::mention;
use super::{Answer, Failure, Global, open, passes};
use crate::app::{App, AppError, owner};
use crate::clock::Clock;
use crate::daemon::{Stop, keep_lease};
use crate::logging;
use crate::outreach::tick::History;
use crate::rules::{Live, Rule};
use crate::schedule::parse_when::parse_when;
use crate::store::delivery::next_due;
use crate::store::leases;
use crate::time::Timestamp;
use std::process::ExitCode;

/// One pass: read changed data, plan every rule that is due, deliver what is due
#[derive(clap::Args)]
pub struct Options {
    /// Run this rule now, due or not, and no other
    #[arg(long, value_name = "RULE")]
    rule: Option<String>,
    /// Take T as now for everything, and really send
    #[arg(long, value_name = "T")]
    at: Option<String>,
    /// Plan only
    #[arg(long)]
    no_send: bool,
}

pub async fn run(global: &Global, options: &Options) -> Answer {
    let mut app = open(global, Clock::System).await?;
    logging::start(app.workspace.project.settings.log, app.workspace.project.settings.business.time_zone);
    let zone = app.workspace.project.settings.business.time_zone;
    let at = match &options.at {
        None => None,
        Some(text) => {
            let now = app.clock.now();
            let at = parse_when(text, now, zone).map_err(|fault| Failure::usage(format!("--at: {fault}")))?;
            refuse_the_past(&app.db, at).await?;
            Some(at)
        }
    };
    if let Some(name) = &options.rule {
        refuse_a_draft(super::known_rule(&app, name)?, at.unwrap_or(app.clock.now()))?;
    }
    let wish = Pass { only: options.rule.as_deref(), at, no_send: options.no_send };
    pass(global, &mut app, wish).await?;
    Ok(ExitCode::SUCCESS)
}

/// What is asked of one pass.
#[derive(Clone, Copy, Default)]
pub struct Pass<'a> {
    /// This rule, due or not, and no other.
    pub only: Option<&'a str>,
    /// Taken as now for everything.
    pub at: Option<Timestamp>,
    /// Plan only.
    pub no_send: bool,
}

/// One pass, printed: plan what is due, and deliver what is due.
pub async fn pass(global: &Global, app: &mut App, wish: Pass<'_>) -> Result<(), AppError> {
    let owner = owner();
    let lock = app.lock(&owner)?;
    // The lease goes by the real clock, whatever `--at` says the time is.
    let lease = app.lease(&owner, lock.is_some()).await?;
    let done = Stop::default();
    let keeping = tokio::spawn(keep_lease(app.db.clone(), Clock::System, lease.clone(), done.clone()));
    if let Some(at) = wish.at {
        app.clock = Clock::manual(at);
    }
    let now = app.clock.now();
    let planned = app.plan(&lease, now, wish.only).await;
    // What could not be planned keeps nothing else from being sent.
    let delivered = if wish.no_send { None } else { Some(app.deliver(&lease).await) };
    done.now();
    let _ = keeping.await;
    leases::release(&app.db, &lease).await?;
    let planned = planned?;
    let delivered = delivered.transpose()?;
    app.keep_good_files().await?;
    passes::print(global, app, now, &planned, delivered.as_ref());
    if !global.json && !wish.no_send {
        let later = next_due(&app.db).await?.filter(|due| *due > now);
        later.iter().for_each(|due| mention(passes::waits(app, *due, now)));
    }
    Ok(())
}

/// What is not live sends nothing, asked for or not.
fn refuse_a_draft(rule: &Rule, now: Timestamp) -> Result<(), Failure> {
    if rule.live.at(now) {
        return Ok(());
    }
    let why = match rule.live {
        Live::Draft => "it is a draft: `live = true` in its file lets it send",
        _ => "it is not live at this time: see `live` in its file",
    };
    Err(Failure::usage(format!("rule {} is not run: {why}", rule.name)))
}

/// Ticks are stored; to evaluate before the newest one would be to rewrite what was decided.
async fn refuse_the_past(db: &crate::store::db::Db, at: Timestamp) -> Result<(), Failure> {
    match History::load(db).await?.newest_tick() {
        Some(newest) if at < newest => {
            Err(Failure::usage(format!("--at {at} is before the newest tick that ran, {newest}: give a later time")))
        }
        _ => Ok(()),
    }
}
