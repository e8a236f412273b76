//! `simulate`: the whole rule set forward in time, on today's data, as a rehearsal in a scratch database.
//!
//! 1. What planning reads is copied; the copy is planned by the very code that plans for customers, tick by tick, with
//!    `now` as an argument. So what a rehearsal says is what `once` then does.
//! 2. The business's database is only read, and nothing is rendered or sent.
//! 3. The data stand still. What a message would change in them (an order, a stop, a bounce) is not guessed.
//! 4. A run that the guard would hold is told, and goes on as if somebody approved it at once: what comes after it is
//!    to be seen too.

mod deliver;
pub mod forecast;
mod walk;
mod windows;

use crate::app::{App, AppError};
use crate::clock::Clock;
use crate::delivery::canary::Looks;
use crate::delivery::engine::Shared;
use crate::metrics::Metrics;
use crate::progress::Progress;
use crate::rules::Live;
use crate::store::db::Result;
use crate::store::leases::Lease;
use crate::store::rehearsal::{self, lines::Line};
use crate::store::scratch::Scratch;
use crate::store::{entities, zones};
use crate::time::Timestamp;
use crate::touchpoints::Reason;
use crate::workspace::{InForce, Workspace};
use futures_util::stream::BoxStream;
use std::sync::Arc;

/// What is to be simulated.
#[derive(Clone, Copy, Debug)]
pub struct Wish<'a> {
    /// The moment whose data it is; the rehearsal begins then.
    pub now: Timestamp,
    /// Where it ends: what is due at this instant is not looked at any more.
    pub to: Timestamp,
    /// Drafts that are taken as live.
    pub drafts: &'a [String],
}

/// A run that the guard would hold.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct HeldRun {
    pub rule: String,
    pub instant: Timestamp,
    pub planned: u64,
    pub reason: String,
}

/// A rehearsal that is over, to be asked what became of everything.
pub struct Rehearsal {
    app: App,
    scratch: Scratch,
    began: Timestamp,
    pub held: Vec<HeldRun>,
    /// How many ticks there were.
    pub ticks: u64,
    /// Every moment after the first at which there was something to do.
    pub moments: Vec<Timestamp>,
}

/// A copy that is ready to be rehearsed on.
pub struct Prepared {
    copy: App,
    scratch: Scratch,
    began: Timestamp,
    to: Timestamp,
}

/// Rehearses everything from `wish.now` to `wish.to` with the rules that are in force in `app`.
///
/// # Errors
/// When one of the databases refuses.
pub async fn simulate(app: &App, wish: Wish<'_>) -> std::result::Result<Rehearsal, AppError> {
    prepare(app, wish, &Progress::default()).await?.walk(&Progress::default()).await
}

/// The first half of [`simulate`]: copies what planning reads; `copied` counts the parts of it.
///
/// # Errors
/// When one of the databases refuses.
pub async fn prepare(app: &App, wish: Wish<'_>, copied: &Progress) -> std::result::Result<Prepared, AppError> {
    let scratch = Scratch::open().await?;
    let copy = copy(app, &scratch, wish, copied).await?;
    Ok(Prepared { copy, scratch, began: wish.now, to: wish.to })
}

impl Prepared {
    /// The second half of [`simulate`]: walks through the time; `walked` counts its hours.
    ///
    /// # Errors
    /// When the scratch database refuses.
    pub async fn walk(self, walked: &Progress) -> std::result::Result<Rehearsal, AppError> {
        let Self { copy, scratch, began, to } = self;
        let lease = copy.lease("a rehearsal", true).await?;
        let shared = shared(&copy, &lease);
        shared.read_pauses().await?;
        let walk = walk::Walk { app: &copy, shared: &shared, lease: &lease, to };
        let walk::Told { held, ticks, moments } = walk.whole(walked).await?;
        Ok(Rehearsal { app: copy, scratch, began, held, ticks, moments })
    }
}

/// The application on a copy of everything that planning reads.
async fn copy(app: &App, scratch: &Scratch, wish: Wish<'_>, progress: &Progress) -> std::result::Result<App, AppError> {
    let mut workspace = Workspace::clone(&app.workspace);
    let project = &mut workspace.project;
    project.catalogue = rehearsal::own_tables(&project.catalogue);
    for rule in project.rules.values_mut() {
        if wish.drafts.contains(&rule.name) {
            rule.live = Live::Always;
        }
    }
    let business = project.settings.business.time_zone;
    entities::prepare(&scratch.db, &project.catalogue, business).await?;
    zones::prepare(&scratch.db, project.rules.values().map(|rule| rule.time_zone).chain([business])).await?;
    rehearsal::copy(&app.db, &scratch.db, &app.workspace.project.catalogue, wish.now, progress).await?;
    let workspace = Arc::new(workspace);
    Ok(App {
        db: scratch.db.clone(),
        home: app.home.clone(),
        in_force: InForce::of(Arc::clone(&workspace)),
        workspace,
        clock: Clock::manual(wish.now),
        looks: Looks::default(),
        files: app.files.clone(),
        texts: app.texts.clone(),
    })
}

fn shared(copy: &App, lease: &Lease) -> Shared {
    let metrics = Metrics::start(copy.ways_out());
    Shared::new(copy.db.clone(), copy.clock.clone(), lease.clone(), Arc::clone(&copy.workspace), metrics)
}

impl Rehearsal {
    /// Every touchpoint that the rehearsal wrote, as it stands at the end, in the order of time.
    pub fn lines(&self) -> BoxStream<'static, Result<Line>> {
        rehearsal::lines::written(&self.scratch.db, self.began)
    }

    /// Every refusal that stood before it began and to which nothing else came, in the order of time.
    pub fn lines_before(&self) -> BoxStream<'static, Result<Line>> {
        rehearsal::lines::refused_before(&self.scratch.db, self.began)
    }

    /// How many these are, by rule and reason.
    ///
    /// # Errors
    /// When the scratch database refuses.
    pub async fn refused_before(&self) -> Result<Vec<(String, Reason, u64)>> {
        rehearsal::fates::refused_before(&self.scratch.db, self.began).await
    }

    /// The copy that was rehearsed on.
    pub const fn app(&self) -> &App {
        &self.app
    }

    /// The configuration that was rehearsed.
    pub fn workspace(&self) -> &Workspace {
        &self.app.workspace
    }

    /// Lets go of the scratch database.
    pub async fn end(self) {
        self.scratch.db.close().await;
    }
}
