//! The daemon: plans when something is due, delivers all the time, keeps its lease, serves the web, ends in order.
//!
//! Planning and delivery are separate tasks: a long evaluation does not hold up a message, nor a slow provider a tick.

mod reload;

use crate::app::{App, AppError, LEASE, Planned};
use crate::clock::Clock;
use crate::data::prune::{Bounds, Forgotten, prune};
use crate::delivery::canary::Looks;
use crate::delivery::{Delivery, Tally, doubt};
use crate::feedback::receipts;
use crate::health::{Health, Phase};
use crate::metrics::Metrics;
use crate::outreach::tick::{self, History};
use crate::outreach::wake::{Wake, Woken};
use crate::store::db::{Db, StoreError};
use crate::store::leases::{self, Lease};
use crate::store::runs::Run;
use crate::store::{offers, runs};
use crate::time::{Span, Timestamp};
use reload::Watch;
use std::sync::Arc;
use tokio::sync::watch;

/// How often pauses and approvals are looked for.
const LOOK: Span = Span::from_seconds(1);
/// How long after a failure planning is tried again.
const RETRY: Span = Span::from_seconds(10);
/// How often the lease is renewed, and doubts are looked at.
const RENEW: Span = Span::from_seconds(5);

/// How often what is old is forgotten.
const FORGET: Span = Span::from_seconds(3_600);

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
    /// So many messages were sent since this was told last.
    Sent(u64),
    TookUpChanges(&'a App),
    /// Why none of the changed files is taken up.
    RefusedChanges(&'a [String]),
}

pub type Tell = Arc<dyn Fn(Told<'_>) + Send + Sync>;

/// How many sends were told: a burst is told once, when it is over.
#[derive(Default)]
struct Sends {
    told: u64,
    seen: u64,
}

impl Sends {
    /// The number to tell now, where sending has paused since the last look.
    fn news(&mut self, sent: u64) -> Option<u64> {
        let is_over = std::mem::replace(&mut self.seen, sent) == sent;
        (is_over && sent > self.told).then(|| sent - std::mem::replace(&mut self.told, sent))
    }
}

/// A daemon at work.
pub struct Daemon {
    app: App,
    lease: Lease,
    stop: Stop,
    health: Health,
    tell: Tell,
    /// Why the files as they are now are not taken up at all.
    refused: Vec<String>,
    /// Settings that wait for a restart.
    waiting: Vec<String>,
}

impl Daemon {
    pub fn new(app: App, lease: Lease, stop: Stop, health: Health, tell: Tell) -> Self {
        Self { app, lease, stop, health, tell, refused: Vec::new(), waiting: Vec::new() }
    }

    /// Works until it is told to stop or loses its lease; gives what delivery did.
    ///
    /// # Errors
    /// When it cannot begin, or when planning fails in a way that the next tick would meet again.
    pub async fn work(mut self, metrics: Metrics) -> Result<Tally, AppError> {
        let delivery = Arc::new(self.app.delivery(&self.lease, metrics)?);
        delivery.shared.read_pauses().await?;
        self.note_problems(&delivery.shared.metrics);
        self.health.set_phase(Phase::Running);
        let delivering = tokio::spawn(deliver(Arc::clone(&delivery), self.stop.clone()));
        let keeping = tokio::spawn(keep_lease(
            self.app.db.clone(),
            self.app.clock.clone(),
            self.lease.clone(),
            self.stop.clone(),
        ));
        let settling = tokio::spawn(settle(Arc::clone(&delivery), self.stop.clone()));
        let forgetting = tokio::spawn(forget(Arc::clone(&delivery), self.stop.clone()));
        let planned = self.plan_all_the_time(&delivery).await;
        self.health.set_phase(Phase::Stopping);
        self.stop.now();
        let ended = tokio::join!(delivering, keeping, settling, forgetting);
        let delivery = Arc::into_inner(delivery).expect("its tasks have ended");
        let tally = delivery.finish(true).await;
        leases::release(&self.app.db, &self.lease).await?;
        planned?;
        match ended {
            (Ok(()), Ok(true), Ok(()), Ok(())) => Ok(tally),
            (_, Ok(false), ..) => Err(AppError::Lost),
            _ => Err(AppError::Broken),
        }
    }

    fn note_problems(&self, metrics: &Metrics) {
        let broken = self.app.workspace.told();
        let all: Vec<String> = self.refused.iter().cloned().chain(broken).chain(self.waiting.iter().cloned()).collect();
        metrics.configuration_problems(all.len());
        self.health.set_configuration(all);
    }

    async fn plan_all_the_time(&mut self, delivery: &Delivery) -> Result<(), AppError> {
        let mut wake = Wake::start().await?;
        let mut files = Watch::start(&self.app.home, self.app.files.clone());
        let mut sent = Sends::default();
        self.app.keep_good_files().await?;
        loop {
            let since = self.app.clock.now();
            let next = match self.plan(delivery).await {
                Ok(next) => next,
                // A database that is away comes back; the run that was begun is planned to its end then.
                Err(AppError::Store(error)) if !matches!(error, StoreError::LostLease) => {
                    tracing::error!(%error, "planning failed and is tried again soon");
                    Some(self.app.clock.now().plus(RETRY))
                }
                Err(error) => return Err(error),
            };
            loop {
                let soon = self.app.clock.now().plus(LOOK);
                let until = next.map_or(soon, |next| next.min(soon));
                tokio::select! {
                    woken = wake.wait(Some(until), &self.app.clock, self.stop.asked()) => {
                        if woken == Woken::Stopped {
                            wake.stop().await;
                            return Ok(());
                        }
                    }
                    () = files.changed() => {
                        self.take_up_changes(&mut files, delivery).await;
                        break;
                    }
                }
                if let Err(error) = delivery.shared.read_pauses().await {
                    tracing::error!(%error, "pauses cannot be read; those known last hold");
                }
                if let Some(count) = sent.news(delivery.shared.tally.sent()) {
                    (self.tell)(Told::Sent(count));
                }
                let is_due = next.is_some_and(|next| next <= self.app.clock.now());
                if is_due || self.has_arrived(delivery).await || self.is_any_unfinished(since).await {
                    break;
                }
            }
        }
    }

    /// Whether a run of a rule in force waits to be planned: asked for by `fire`, or left behind by a crash.
    /// What a pass begun at `since` could not plan is left alone for a while.
    async fn is_any_unfinished(&self, since: Timestamp) -> bool {
        let rules = &self.app.workspace.project.rules;
        match runs::unfinished(&self.app.db).await {
            Ok(open) => open.iter().any(|run| {
                let is_fresh = run.created_at > since || self.app.clock.now() >= since.plus(RETRY);
                is_fresh && rules.contains_key(&run.rule)
            }),
            Err(error) => {
                tracing::error!(%error, "the database cannot be read now");
                false
            }
        }
    }

    /// Whether an event came in that a rule in force waits for.
    async fn has_arrived(&self, delivery: &Delivery) -> bool {
        let (project, now) = (&self.app.workspace.project, self.app.clock.now());
        if project.rules.values().all(|rule| rule.on_event.is_none()) {
            return false;
        }
        match tick::waiting(&self.app.db, project, &delivery.shared.pauses(), now).await {
            Ok(waiting) => !waiting.is_empty(),
            Err(error) => {
                tracing::error!(%error, "the database cannot be read now");
                false
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
        let history = History::load_with_zones(&self.app.db, &self.app.workspace.project).await?;
        let rules = self.app.workspace.project.rules.values();
        Ok(rules.filter_map(|rule| history.due(rule, self.app.clock.now()).1).min())
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

/// Stops the daemon when its task ends, however that came: a daemon of which a part is gone only looks alive.
struct StopsWithIt(Stop);

impl Drop for StopsWithIt {
    fn drop(&mut self) {
        self.0.now();
    }
}

/// Rules whose messages are received badly pause themselves: by what receipts told meanwhile.
async fn look_at_rules(delivery: &Delivery, looks: &Looks) {
    let (workspace, now) = (delivery.shared.workspace(), delivery.shared.clock.now());
    if let Err(error) = looks.look(&delivery.shared.db, &workspace.project.settings.guard, now).await {
        tracing::error!(%error, "bounces and complaints could not be counted");
    }
}

/// Looks at doubts and waiting receipts and settles offers every few seconds. Providers are asked here, so it is a task
/// of its own: one that answers late holds up no message.
async fn settle(delivery: Arc<Delivery>, stop: Stop) {
    let _last = StopsWithIt(stop.clone());
    let looks = Looks::default();
    while !stop.is_asked() {
        tokio::select! {
            settled = doubt::settle(&delivery) => {
                if let Err(error) = settled {
                    tracing::error!(%error, "doubts could not be looked at");
                }
            }
            () = stop.asked() => return,
        }
        look_at_rules(&delivery, &looks).await;
        if let Err(error) = offers::put_back(&delivery.shared.db).await {
            tracing::error!(%error, "the budgets of freed offers could not be given back");
        }
        if let Err(error) = receipts::settle_pending(&delivery.shared.db, delivery.shared.clock.now()).await {
            tracing::error!(%error, "what providers told early could not be looked at");
        }
        tokio::select! {
            () = tokio::time::sleep(RENEW.to_std()) => {}
            () = stop.asked() => {}
        }
    }
}

/// Forgets what `[retention]` says is old, a little at a time.
async fn forget(delivery: Arc<Delivery>, stop: Stop) {
    let _last = StopsWithIt(stop.clone());
    while !stop.is_asked() {
        let retention = delivery.shared.workspace().project.settings.retention;
        let now = delivery.shared.clock.now();
        tokio::select! {
            forgotten = prune(&delivery.shared.db, &retention, now, Bounds::A_LITTLE) => match forgotten {
                Ok(told) if told == Forgotten::default() => {}
                Ok(told) => tracing::info!(?told, "forgot what [retention] says is old"),
                Err(error) => tracing::error!(%error, "what is old could not be forgotten; tried again in an hour"),
            },
            () = stop.asked() => return,
        }
        tokio::select! {
            () = tokio::time::sleep(FORGET.to_std()) => {}
            () = stop.asked() => {}
        }
    }
}

async fn deliver(delivery: Arc<Delivery>, stop: Stop) {
    let _last = StopsWithIt(stop.clone());
    while !stop.is_asked() {
        let wait = match delivery.claim().await {
            Ok(round) if round.claimed > 0 => continue,
            Ok(round) if round.is_full => {
                // The other lanes are looked at meanwhile: a provider that is slow holds up its own line only.
                tokio::select! {
                    () = delivery.room() => {}
                    () = tokio::time::sleep(LOOK.to_std()) => {}
                    () = delivery.shared.planned.notified() => {}
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

/// Renews the lease until `stop`; a daemon that has lost it stops, since another has taken over. Gives whether the
/// lease was kept.
pub async fn keep_lease(db: Db, clock: Clock, lease: Lease, stop: Stop) -> bool {
    let _last = StopsWithIt(stop.clone());
    loop {
        tokio::select! {
            () = tokio::time::sleep(RENEW.to_std()) => {}
            () = stop.asked() => return true,
        }
        match leases::renew(&db, &lease, clock.now().plus(LEASE)).await {
            Ok(true) => {}
            Ok(false) => {
                tracing::error!("another daemon has taken over; this one stops");
                return false;
            }
            Err(error) => tracing::error!(%error, "the lease could not be renewed"),
        }
    }
}
