//! The delivery engine: builds the lines to every provider, runs the claimer, and ends in order.

use super::canary::Canary;
use super::claimer::{Claimer, Round};
use super::committer::Committer;
use super::connection::{Line, Parcel};
use super::health::Circuit;
use super::queue::{self, Entrance};
use super::tally::Tally;
use crate::channels::Provider;
use crate::channels::rate::Bucket;
use crate::clock::Clock;
use crate::courtesy::pauses::Pauses;
use crate::data::suppress::{self, Wish};
use crate::metrics::Metrics;
use crate::rules::Channel;
use crate::store::db::{Db, Result};
use crate::store::delivery::Claimed;
use crate::store::leases::Lease;
use crate::store::{pauses, stops};
use crate::time::{Span, Timestamp};
use crate::workspace::Workspace;
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex, RwLock};
use std::time::Instant;
use tokio::sync::{Notify, watch};

/// How many messages of one connection may be marked and not yet settled: what a crash leaves in doubt at most.
pub const WINDOW: usize = 4;

/// How long a daemon that was told to stop waits for providers that do not answer. What is with them then is in doubt.
const END_LIMIT: Span = Span::from_seconds(20);

/// How many claimed messages wait before a provider, per connection and line.
const QUEUED_PER_CONNECTION: usize = 64;

/// What every part of delivery shares.
pub struct Shared {
    pub db: Db,
    pub clock: Clock,
    pub lease: Lease,
    pub tally: Tally,
    pub metrics: Metrics,
    pauses: RwLock<Arc<Pauses>>,
    /// The count of stops when the pauses were last read.
    heard: AtomicI64,
    workspace: RwLock<Arc<Workspace>>,
    stop: watch::Sender<bool>,
    pub canary: Canary,
    /// Rung when planning has written something.
    pub planned: Notify,
}

impl Shared {
    pub fn new(db: Db, clock: Clock, lease: Lease, workspace: Arc<Workspace>, metrics: Metrics) -> Self {
        let (stop, _) = watch::channel(false);
        Self {
            db,
            clock,
            lease,
            tally: Tally::default(),
            metrics,
            pauses: RwLock::default(),
            heard: AtomicI64::new(-1),
            workspace: RwLock::new(workspace),
            stop,
            canary: Canary::default(),
            planned: Notify::new(),
        }
    }

    pub fn pauses(&self) -> Arc<Pauses> {
        Arc::clone(&self.pauses.read().expect("nobody panics while holding it"))
    }

    /// Reads the pauses; gives the count of stops that they are sure to hold. What was read before others had read
    /// more is not taken up.
    ///
    /// # Errors
    /// When the database refuses.
    pub async fn read_pauses(&self) -> Result<i64> {
        let count = stops::generation(&self.db).await?;
        let read = pauses::load(&self.db).await?;
        let mut pauses = self.pauses.write().expect("nobody panics while holding it");
        if self.heard.fetch_max(count, Ordering::SeqCst) <= count {
            *pauses = Arc::new(read);
        }
        Ok(count)
    }

    /// The count of stops as it is now, and the pauses read again where it has moved.
    ///
    /// # Errors
    /// When the database refuses.
    pub async fn hear(&self) -> Result<i64> {
        let count = stops::generation(&self.db).await?;
        if count > self.heard.load(Ordering::SeqCst) { self.read_pauses().await } else { Ok(count) }
    }

    pub fn workspace(&self) -> Arc<Workspace> {
        Arc::clone(&self.workspace.read().expect("nobody panics while holding it"))
    }

    /// Takes up changed rules, offers and templates.
    pub fn set_workspace(&self, workspace: Arc<Workspace>) {
        *self.workspace.write().expect("nobody panics while holding it") = workspace;
    }

    pub fn is_stopping(&self) -> bool {
        *self.stop.borrow()
    }

    /// Whether a claimed message is not to go now after all.
    pub fn is_withheld(&self, claimed: &Claimed, channel: Channel, provider: &str) -> bool {
        let now = self.clock.now();
        self.is_stopping()
            || self.pauses().is_paused(&claimed.rule, Some(channel), Some(provider), &claimed.customer, now)
    }

    /// Sleeps, at most until the daemon stops.
    pub async fn sleep(&self, span: Span) {
        let mut stop = self.stop.subscribe();
        tokio::select! {
            () = tokio::time::sleep(span.to_std()) => {}
            _ = stop.wait_for(|stop| *stop) => {}
        }
    }

    /// Writes down that nothing is to be sent to this address any more: it does not exist, or its owner said stop.
    pub async fn never_again(&self, address: &str, channel: Channel, opted_out: bool) {
        let reason = if opted_out { "stop" } else { "hard_bounce" };
        let scope = format!("channel:{channel}");
        let workspace = self.workspace();
        let wish = Wish { scope: Some(&scope), ..Wish::of(address, reason, "provider") };
        let added = suppress::add(&self.db, &workspace.project.settings.business, wish, self.clock.now()).await;
        if let Err(error) = added {
            tracing::error!(%error, "a refused address could not be suppressed");
        }
    }
}

/// A provider with what is known of it: its rate, its health, its prices.
pub struct Way {
    pub name: String,
    pub provider: Provider,
    price: BTreeMap<Channel, i64>,
    gate: Mutex<Gate>,
    since: Instant,
}

struct Gate {
    rate: Option<Bucket>,
    circuit: Circuit,
}

/// A provider's rate is kept in time as it passes, whatever `now` is taken for.
fn passed(since: Instant) -> Timestamp {
    Timestamp::from_micros(i64::try_from(since.elapsed().as_micros()).unwrap_or(i64::MAX))
}

impl Way {
    /// Takes one message's worth of the provider's rate, if there is one to be had.
    pub fn rate_allows(&self) -> bool {
        let now = passed(self.since);
        self.gate().rate.as_mut().is_none_or(|rate| rate.take(now).is_ok())
    }

    /// How long the rate lets no message through, if it does not do so now. Takes nothing.
    pub fn rate_holds_for(&self) -> Option<Span> {
        let now = passed(self.since);
        self.gate().rate.as_ref().and_then(|rate| rate.clone().take(now).err()).map(|next| next.since(now))
    }

    /// Notes whether the provider could be reached.
    pub fn heard(&self, reached: bool, now: Timestamp) {
        let mut gate = self.gate();
        if reached {
            gate.circuit.answered();
        } else if gate.circuit.unreachable(now) {
            let until = gate.circuit.resting_until(now).unwrap_or(now);
            tracing::warn!(provider.name = self.name, %until, "the provider cannot be reached and is left alone");
        }
    }

    pub fn resting_until(&self, now: Timestamp) -> Option<Timestamp> {
        self.gate().circuit.resting_until(now)
    }

    pub fn price(&self, channel: Channel) -> Option<i64> {
        self.price.get(&channel).copied()
    }

    fn gate(&self) -> std::sync::MutexGuard<'_, Gate> {
        self.gate.lock().expect("nobody panics while holding it")
    }
}

/// A provider's lines, as the claimer sees them.
pub struct Outlet {
    pub way: Arc<Way>,
    pub entrance: Entrance<Parcel>,
}

/// The running engine.
pub struct Delivery {
    pub shared: Arc<Shared>,
    claimer: Claimer,
    committer: Committer,
    committing: tokio::task::JoinHandle<()>,
    lines: Vec<tokio::task::JoinHandle<()>>,
}

impl Delivery {
    /// Builds the lines to `providers` (by name) and starts their connections; nothing is claimed before
    /// [`Delivery::claim`].
    pub fn start(
        db: Db,
        clock: Clock,
        lease: Lease,
        workspace: Arc<Workspace>,
        providers: BTreeMap<String, Provider>,
        metrics: Metrics,
        window: usize,
    ) -> Self {
        let shared = Shared::new(db.clone(), clock.clone(), lease.clone(), Arc::clone(&workspace), metrics);
        let shared = Arc::new(shared);
        let (committer, committing) = Committer::start(db, lease, clock);
        let mut outlets = BTreeMap::new();
        let mut lines = Vec::new();
        for (name, provider) in providers {
            let settings = &workspace.project.settings.providers[&name];
            let gate = Gate { rate: settings.rate.map(Bucket::new), circuit: Circuit::default() };
            let connections = provider.connections().max(1);
            let way = Way {
                name: name.clone(),
                provider,
                price: settings.price.clone(),
                gate: Mutex::new(gate),
                since: Instant::now(),
            };
            let way = Arc::new(way);
            let (entrance, exit) = queue::lines(connections * QUEUED_PER_CONNECTION);
            let exit = Arc::new(exit);
            for _ in 0..connections {
                let line = Line {
                    shared: Arc::clone(&shared),
                    provider: Arc::clone(&way),
                    exit: Arc::clone(&exit),
                    committer: committer.clone(),
                    window,
                };
                lines.push(tokio::spawn(line.work()));
            }
            outlets.insert(name, Outlet { way, entrance });
        }
        let claimer = Claimer::new(Arc::clone(&shared), outlets, committer.clone());
        Self { shared, claimer, committer, committing, lines }
    }

    /// Claims and hands to the lines what is due and has room.
    ///
    /// # Errors
    /// When the database refuses.
    pub async fn claim(&self) -> Result<Round> {
        self.claimer.claim_all().await
    }

    /// Waits until a line that was full has room again.
    pub async fn room(&self) {
        self.claimer.room().await;
    }

    /// Delivers all that is due and has a provider that can be reached.
    ///
    /// # Errors
    /// When the database refuses.
    pub async fn drain(&self) -> Result<()> {
        loop {
            match self.claim().await? {
                Round { claimed: 0, is_full: false } => return Ok(()),
                Round { claimed: 0, is_full: true } => self.room().await,
                Round { .. } => {}
            }
        }
    }

    /// How long there is nothing to claim, `most` at most.
    pub async fn until_due(&self, most: Span) -> Span {
        let now = self.shared.clock.now();
        match self.claimer.next_due().await {
            Ok(Some(due)) if due > now => due.since(now).min(most),
            _ => most,
        }
    }

    /// A configured provider.
    pub fn provider(&self, name: &str) -> Option<&Provider> {
        self.claimer.provider(name)
    }

    /// Waits until every message in hand has its outcome written. With `stop`, what is not on the wire goes back.
    pub async fn finish(self, stop: bool) -> Tally {
        if stop {
            self.shared.stop.send_replace(true);
        }
        drop(self.claimer);
        let patience = if stop { END_LIMIT } else { Span::from_days(1) };
        let end = tokio::time::Instant::now() + patience.to_std();
        for mut line in self.lines {
            match tokio::time::timeout_at(end, &mut line).await {
                Ok(Ok(())) => {}
                Ok(Err(_)) => tracing::error!(
                    "a connection's task ended badly; what it had in hand is settled by the next daemon"
                ),
                Err(_) => {
                    tracing::warn!("a provider does not answer; what is on its wire is settled by the next daemon");
                    line.abort();
                }
            }
        }
        self.committer.flush().await;
        drop(self.committer);
        if self.committing.await.is_err() {
            tracing::error!("the committer ended badly; what it had in hand is settled by the next daemon");
        }
        Arc::into_inner(self.shared).map(|shared| shared.tally).unwrap_or_default()
    }
}
