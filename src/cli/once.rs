//! `plusone once`: one pass, then the end.

use super::{Answer, Failure, Global, open, passes};
use crate::app::{App, AppError, owner};
use crate::clock::Clock;
use crate::outreach::tick::History;
use crate::schedule::parse_when::parse_when;
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
    let zone = app.workspace.project.settings.business.time_zone;
    if let Some(text) = &options.at {
        let at = parse_when(text, app.clock.now(), zone).map_err(|fault| Failure::usage(format!("--at: {fault}")))?;
        refuse_the_past(&app.db, at).await?;
        app.clock = Clock::manual(at);
    }
    if let Some(rule) = &options.rule {
        super::known_rule(&app, rule)?;
    }
    pass(global, &app, options.rule.as_deref(), options.no_send).await?;
    Ok(ExitCode::SUCCESS)
}

/// One pass, printed: plan what is due (or `only`, due or not), and deliver what is due unless `no_send`.
pub async fn pass(global: &Global, app: &App, only: Option<&str>, no_send: bool) -> Result<(), AppError> {
    let owner = owner();
    let lock = app.lock(&owner)?;
    let lease = app.lease(&owner, lock.is_some()).await?;
    let now = app.clock.now();
    let planned = app.plan(&lease, now, only).await;
    let delivered = match (&planned, no_send) {
        (Ok(_), false) => Some(app.deliver(&lease).await),
        _ => None,
    };
    leases::release(&app.db, &lease).await?;
    let planned = planned?;
    let delivered = delivered.transpose()?;
    app.keep_good_files().await?;
    passes::print(global, app, now, &planned, delivered.as_ref());
    Ok(())
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
