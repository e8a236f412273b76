//! The daemon: plans when something is due, delivers all the time, keeps its lease, serves the web, ends in order.
//!
//! Planning and delivery are separate tasks: a long evaluation does not hold up a message, nor a slow provider a tick.

use crate::app::{App, AppError, LEASE, Planned};
use crate::config::Files;
use crate::delivery::{Delivery, Tally, doubt};
use crate::metrics::Metrics;
use crate::outreach::tick::History;
use crate::outreach::wake::{Wake, Woken};
use crate::store::leases::{self, Lease};
use crate::store::runs::Run;
use crate::store::{pauses, runs};
use crate::time::{Span, Timestamp};
use crate::health::{Health, Phase};
use std::sync::Arc;
use tokio::sync::watch;

/// How often pauses, approvals and changed files are looked for.
const LOOK: Span = Span::from_seconds(1);
/// How often the lease is renewed, and doubts are looked at.
const RENEW: Span = Span::from_seconds(5);

/// Tells every task to stop, and why.
#[derive(Clone, Debug)]
pub struct Stop(watch::Sender<bool>);

impl Default for Stop {
    fn default() -> Self {
        Self(watch::channel(false).0)
    }
}

impl Stop {
    pub fn now(&self) {
        self.0.send_replace(true);
    }

    pub fn is_asked(&self) -> bool {
        *self.0.borrow()
    }

    /// Ready once somebody has called [`Stop::now`].
    pub async fn asked(&self) {
        let mut told = self.0.subscribe();
        let _ = told.wait_for(|stop| *stop).await;
    }
}

/// What the daemon tells as it works; how it is said is the edge's business.
pub enum Told<'a> {
    Planned(&'a App, &'a Planned),
    TookUpChanges(&'a App),
}

pub type Tell = Arc<dyn Fn(Told<'_>) + Send + Sync>;

/// A daemon at work.
pub struct Daemon {
    app: App,
    lease: Lease,
    stop: Stop,
    health: Health,
    tell: Tell,
}

impl Daemon {
    pub fn new(app: App, lease: Lease, stop: Stop, health: Health, tell: Tell) -> Self {
        Self { app, lease, stop, health, tell }
    }

    /// Works until it is told to stop or loses its lease; gives what delivery did.
    ///
    /// # Errors
    /// When it cannot begin, or when planning fails in a way that the next tick would meet again.
    pub async fn work(mut self, metrics: Metrics) -> Result<Tally, AppError> {
        let delivery = Arc::new(self.app.delivery(&self.lease, metrics)?);
        delivery.shared.set_pauses(pauses::load(&self.app.db).await?);
        self.note_problems(&delivery.shared.metrics);
        self.health.set_phase(Phase::Running);
        let delivering = tokio::spawn(deliver(Arc::clone(&delivery), self.stop.clone()));
        let keeping = tokio::spawn(keep_lease(self.app.db.clone(), self.app.clock.clone(), self.lease.clone(), self.stop.clone()));
        let planned = self.plan_all_the_time(&delivery).await;
        self.health.set_phase(Phase::Stopping);
        self.stop.now();
        let _ = tokio::join!(delivering, keeping);
        let delivery = Arc::into_inner(delivery).expect("its task has ended");
        let tally = delivery.finish(true).await;
        leases::release(&self.app.db, &self.lease).await?;
        planned.map(|()| tally)
    }

    fn note_problems(&self, metrics: &Metrics) {
        let problems = &self.app.workspace.problems;
        metrics.configuration_problems(problems.len());
        self.health.set_configuration(problems.iter().map(ToString::to_string).collect());
    }

    async fn plan_all_the_time(&mut self, delivery: &Delivery) -> Result<(), AppError> {
        let mut wake = Wake::start().await?;
        let mut seen = Files::fingerprint(&self.app.home);
        self.app.keep_good_files().await?;
        loop {
            let next = self.plan(delivery).await?;
            loop {
                let soon = self.app.clock.now().plus(LOOK);
                let until = next.map_or(soon, |next| next.min(soon));
                if wake.wait(Some(until), &self.app.clock, self.stop.asked()).await == Woken::Stopped {
                    wake.stop().await;
                    return Ok(());
                }
                delivery.shared.set_pauses(pauses::load(&self.app.db).await?);
                let files = Files::fingerprint(&self.app.home);
                if std::mem::replace(&mut seen, files.clone()) != files {
                    self.take_up_changes(delivery).await;
                    break;
                }
                if next.is_some_and(|next| next <= self.app.clock.now()) || runs::is_any_unfinished(&self.app.db).await? {
                    break;
                }
            }
        }
    }

    /// One pass of planning; gives the next tick of any rule.
    async fn plan(&self, delivery: &Delivery) -> Result<Option<Timestamp>, AppError> {
        let now = self.app.clock.now();
        let planned = self.app.plan(&self.lease, now, None).await?;
        (self.tell)(Told::Planned(&self.app, &planned));
        note(&delivery.shared.metrics, &planned.runs, now);
        delivery.shared.planned.notify_one();
        let history = History::load(&self.app.db).await?;
        let rules = self.app.workspace.project.rules.values();
        Ok(rules.filter_map(|rule| history.due(rule, self.app.clock.now()).1).min())
    }

    async fn take_up_changes(&mut self, delivery: &Delivery) {
        match self.app.reload().await {
            Ok(()) => {
                delivery.shared.set_workspace(Arc::clone(&self.app.workspace));
                (self.tell)(Told::TookUpChanges(&self.app));
                if let Err(error) = self.app.keep_good_files().await {
                    tracing::error!(%error, "the good files could not be kept for a day when they are broken");
                }
            }
            Err(AppError::Configuration(problems)) => {
                for problem in &problems {
                    tracing::error!(%problem, "changed files are not taken up; what was in force stays");
                }
            }
            Err(error) => tracing::error!(%error, "changed files are not taken up; what was in force stays"),
        }
        self.note_problems(&delivery.shared.metrics);
    }
}

/// The figures of one pass.
fn note(metrics: &Metrics, runs: &[Run], now: Timestamp) {
    for run in runs {
        metrics.schedule_lag(now.since(run.instant));
        for (reason, count) in &run.counts.skipped {
            metrics.suppressed(*reason, *count);
        }
    }
}

async fn deliver(delivery: Arc<Delivery>, stop: Stop) {
    let mut looked_at_doubts = None;
    while !stop.is_asked() {
        let now = delivery.shared.clock.now();
        if looked_at_doubts.is_none_or(|at| now.since(at) >= RENEW) {
            looked_at_doubts = Some(now);
            if let Err(error) = doubt::settle(&delivery).await {
                tracing::error!(%error, "doubts could not be looked at");
            }
        }
        let wait = match delivery.claim().await {
            Ok(round) if round.claimed > 0 => continue,
            Ok(round) if round.is_full => {
                tokio::select! {
                    () = delivery.room() => {}
                    () = stop.asked() => {}
                }
                continue;
            }
            Ok(_) => delivery.until_due(LOOK).await,
            Err(error) => {
                tracing::error!(%error, "nothing can be claimed now; delivery goes on when the database does");
                RENEW
            }
        };
        tokio::select! {
            () = tokio::time::sleep(wait.to_std()) => {}
            () = delivery.shared.planned.notified() => {}
            () = stop.asked() => {}
        }
    }
}

/// Renews the lease; a daemon that has lost it stops, since another has taken over.
async fn keep_lease(db: crate::store::db::Db, clock: crate::clock::Clock, lease: Lease, stop: Stop) {
    loop {
        tokio::select! {
            () = tokio::time::sleep(RENEW.to_std()) => {}
            () = stop.asked() => return,
        }
        match leases::renew(&db, &lease, clock.now().plus(LEASE)).await {
            Ok(true) => {}
            Ok(false) => {
                tracing::error!("another daemon has taken over; this one stops");
                stop.now();
            }
            Err(error) => tracing::error!(%error, "the lease could not be renewed"),
        }
    }
}
