//! `plusone run`: the daemon.

use super::print::mention;
use super::{Answer, Failure, Global, open, passes};
use crate::amount::counted;
use crate::app::{App, AppError, owner};
use crate::clock::Clock;
use crate::daemon::{Daemon, Stop, Told};
use crate::health::Health;
use crate::logging;
use crate::metrics::Metrics;
use crate::store::leases::Lease;
use crate::web::{self, Web};
use std::process::ExitCode;
use std::sync::Arc;

/// Work until told to stop: read data, plan, deliver, answer on the web
#[derive(clap::Args)]
pub struct Options {}

pub async fn run(global: &Global, _options: &Options) -> Answer {
    let app = open(global, Clock::System).await?;
    let settings = app.workspace.project.settings.clone();
    logging::start(settings.log, settings.business.time_zone);
    let stop = Stop::default();
    tokio::spawn(stop_on_signal(stop.clone()));
    let owner = owner();
    let lock = app.lock(&owner)?;
    let metrics = Metrics::start(app.ways_out());
    let health = Health::default();
    let listen = &settings.web.listen;
    let listener = web::listen(listen).await.map_err(|error| {
        let cure = "set `[web] listen` to an address that is free, or end the program that has it";
        Failure::failed(format!("cannot listen on {listen}: {error}; {cure}"))
    })?;
    let web = Web {
        db: app.db.clone(),
        clock: app.clock.clone(),
        metrics: metrics.clone(),
        health: health.clone(),
        in_force: app.in_force.clone(),
        home: app.home.clone(),
    };
    let asked = stop.clone();
    let serving = tokio::spawn(web::serve(listener, web, async move { asked.asked().await }));
    greet(&app);
    let Some(lease) = wait_for_lease(&app, &owner, lock.is_some(), &stop).await? else {
        let _ = serving.await;
        return Ok(ExitCode::SUCCESS);
    };
    mention(format_args!(
        "working; Ctrl-C ends it. Health and metrics: http://{listen}/readyz, http://{listen}/metrics"
    ));
    let tell = Arc::new(|told: Told<'_>| match told {
        Told::Planned(app, planned) => passes::lines(app, planned).iter().for_each(mention),
        Told::Sent(count) => mention(format_args!("{count} sent")),
        Told::TookUpChanges(app) => passes::changes(app).iter().for_each(mention),
        Told::RefusedChanges(why) => why.iter().for_each(mention),
    });
    let db = app.db.clone();
    let worked = Daemon::new(app, lease, stop.clone(), health, tell).work(metrics).await;
    stop.now();
    let _ = serving.await;
    db.close().await;
    let tally = worked?;
    mention(format_args!("stopped; {}", passes::delivery_line(&tally)));
    Ok(ExitCode::SUCCESS)
}

fn greet(app: &App) {
    let project = &app.workspace.project;
    let live = project.rules.values().filter(|rule| rule.live != crate::rules::Live::Draft).count();
    let rules = counted(live, "rule");
    mention(format_args!("plusone for {}: {rules} live", project.settings.business.name));
    passes::drafts(app).iter().for_each(mention);
    for (name, provider) in &project.settings.providers {
        if let crate::settings::Way::Folder { path } = &provider.way {
            mention(format_args!("provider {name} writes its messages into {}", app.home.join(path).display()));
        }
    }
}

/// Waits while another daemon holds the database; `None` when told to stop meanwhile.
async fn wait_for_lease(app: &App, owner: &str, is_locked: bool, stop: &Stop) -> Result<Option<Lease>, Failure> {
    let mut told = false;
    loop {
        match app.lease(owner, is_locked).await {
            Ok(lease) => return Ok(Some(lease)),
            Err(AppError::Held { owner, .. }) => {
                if !std::mem::replace(&mut told, true) {
                    mention(format_args!("waiting: {owner} does the work; this daemon takes over when it ends"));
                }
                tokio::select! {
                    () = tokio::time::sleep(std::time::Duration::from_secs(1)) => {}
                    () = stop.asked() => return Ok(None),
                }
            }
            Err(error) => return Err(error.into()),
        }
    }
}

/// SIGTERM or Ctrl-C: finish what is on the wire, then end. A second Ctrl-C ends at once, as is usual.
async fn stop_on_signal(stop: Stop) {
    use tokio::signal::unix::{SignalKind, signal};
    let Ok(mut terminate) = signal(SignalKind::terminate()) else { return };
    tokio::select! {
        _ = terminate.recv() => {}
        _ = tokio::signal::ctrl_c() => {}
    }
    mention("stopping: finishing what is on the wire");
    stop.now();
    if tokio::signal::ctrl_c().await.is_ok() {
        std::process::exit(130);
    }
}
