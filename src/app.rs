//! The application: an open database, the configuration in force, and one pass over all of it.
//!
//! `once` makes one pass and ends; the daemon makes one whenever something is due.

use crate::channels::Provider;
use crate::clock::Clock;
use crate::config::{Environment, Files, Fingerprint};
use crate::data::{self, sync::SyncReport};
use crate::delivery::canary::Looks;
use crate::delivery::{Delivery, Tally, doubt, engine};
use crate::metrics::Metrics;
use crate::outreach::run::Runner;
use crate::outreach::tick;
use crate::outreach::zones::Zones;
use crate::problem::Problem;
use crate::rules::{Channel, Rule};
use crate::store::db::{Db, StoreError};
use crate::store::leases::{self, Lease};
use crate::store::lock::{self, DaemonLock};
use crate::store::runs::Run;
use crate::store::{
    delivery as statements, entities, kept_files, migrate, offers, pauses, rule_texts, token_keys, zones,
};
use crate::time::{Span, Timestamp};
use crate::workspace::{InForce, Workspace};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// How long a daemon that says nothing keeps its buckets.
pub const LEASE: Span = Span::from_seconds(30);

/// Why the application cannot work.
#[derive(Debug, thiserror::Error)]
pub enum AppError {
    /// The settings or the data's description cannot be used; the problems say why.
    #[error("the configuration cannot be used")]
    Configuration(Vec<Problem>),
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    Data(data::DataError),
    #[error("{0}")]
    Channel(#[from] crate::channels::ChannelError),
    #[error(transparent)]
    Wake(#[from] crate::outreach::wake::WakeError),
    #[error("another daemon ({owner}) holds the database until {until}")]
    Held { owner: String, until: Timestamp },
    #[error("another daemon has taken over the buckets of this one, which was away for too long")]
    Lost,
    #[error("a part of the daemon ended badly; what it had in hand is settled by the next one")]
    Broken,
}

impl From<data::DataError> for AppError {
    /// A database that is away is the same trouble whoever meets it.
    fn from(error: data::DataError) -> Self {
        match error {
            data::DataError::Store(error) => Self::Store(error),
            error => Self::Data(error),
        }
    }
}

/// An open application: every command that needs the database starts here.
pub struct App {
    pub db: Db,
    pub home: PathBuf,
    pub workspace: Arc<Workspace>,
    /// The same, for those who must see it change.
    pub in_force: InForce,
    pub clock: Clock,
    pub looks: Looks,
    /// The files before they were read: what differs from it is not in force.
    pub files: Fingerprint,
    /// What `workspace` was made of.
    pub texts: Files,
}

impl App {
    /// Reads the configuration, opens the database, brings its schema and the data's tables up to date.
    pub async fn open(home: &Path, clock: Clock) -> Result<Self, AppError> {
        let seen = Files::fingerprint(home);
        let files = Files::read(home);
        let environment = Environment::of_process();
        let first = Workspace::open(&files, &environment, &BTreeMap::new()).map_err(AppError::Configuration)?;
        let db = Db::open(first.project.settings.database_url.expose(), home).await?;
        migrate::migrate(&db).await?;
        let workspace = Arc::new(workspace(&db, &files, &environment, clock.now()).await?);
        let in_force = InForce::of(Arc::clone(&workspace));
        let app = Self {
            db,
            home: home.to_owned(),
            workspace,
            in_force,
            clock,
            looks: Looks::default(),
            files: seen,
            texts: files,
        };
        prepare(&app.db, &app.workspace).await?;
        Ok(app)
    }

    /// Takes up changed files; gives a sentence for each setting that waits for a restart. A rule, an offer or a
    /// template that is broken is not: its last good version stays.
    ///
    /// # Errors
    /// Where the settings or the data's description are broken, or a change of the data is refused: then everything
    /// stays as it was.
    pub async fn reload(&mut self) -> Result<Vec<String>, AppError> {
        let files = Files::read(&self.home);
        let mut changed = workspace(&self.db, &files, &Environment::of_process(), self.clock.now()).await?;
        let waiting = changed.project.settings.keep_held(&self.workspace.project.settings);
        prepare(&self.db, &changed).await?;
        self.workspace = Arc::new(changed);
        self.in_force.set(Arc::clone(&self.workspace));
        self.texts = files;
        Ok(waiting)
    }

    /// Keeps the texts of the files that are in force: as they were read, since they may be others by now.
    pub async fn keep_good_files(&self) -> Result<(), AppError> {
        let files = &self.texts;
        // A file that cannot be read is there all the same: what it said last is what stays in force.
        let known = files.texts().map(|(path, _)| path).chain(files.unusable());
        let known: Vec<String> = known.map(str::to_owned).collect();
        let (good, now) = (self.workspace.good_texts(files), self.clock.now());
        kept_files::keep(&self.db, &good, &known, now).await?;
        let text = |rule: &Rule| Some((rule.version.clone(), good.get(&rule_path(&rule.name))?.clone()));
        let texts: Vec<_> = self.workspace.project.rules.values().filter_map(text).collect();
        Ok(rule_texts::keep(&self.db, &texts, now).await?)
    }

    /// Opens every provider that the settings name.
    pub fn providers(&self) -> Result<BTreeMap<String, Provider>, AppError> {
        let providers = self.workspace.project.settings.providers.iter();
        let opened = providers.map(|(name, settings)| Ok((name.clone(), Provider::open(name, settings, &self.home)?)));
        opened.collect()
    }

    /// Takes the lock of a SQLite database; PostgreSQL has leases instead.
    pub fn lock(&self, owner: &str) -> Result<Option<DaemonLock>, AppError> {
        let url = self.workspace.project.settings.database_url.expose();
        Ok(lock::place(url, &self.home).map(|path| DaemonLock::take(&path, owner)).transpose()?)
    }

    /// Takes the lease on all buckets and settles what daemons that are gone had in hand.
    ///
    /// # Errors
    /// [`AppError::Held`] while another daemon holds them.
    pub async fn lease(&self, owner: &str, is_locked: bool) -> Result<Lease, AppError> {
        let now = self.clock.now();
        let holder = leases::holder(&self.db).await?;
        let by_force = is_locked || holder.as_ref().is_some_and(|holder| is_gone(&holder.owner));
        let Some(lease) = leases::acquire(&self.db, owner, now, now.plus(LEASE), by_force).await? else {
            let (owner, until) = holder.map_or((String::new(), now), |holder| (holder.owner, holder.until));
            return Err(AppError::Held { owner, until });
        };
        let mut tx = self.db.begin().await?;
        let (freed, doubted) = statements::rescue(&mut tx, &lease, now).await?;
        tx.commit().await?;
        if freed + doubted > 0 {
            tracing::warn!(freed, in_doubt = doubted, "settled what a daemon that is gone had in hand");
        }
        Ok(lease)
    }

    /// Brings the data up to date, as every look at it does: sources are read again when they changed.
    pub async fn refresh(&self) -> Result<SyncReport, AppError> {
        let project = &self.workspace.project;
        let now = self.clock.now();
        let report = data::sync::sync(&self.db, &project.catalogue, &project.settings, &self.home, now).await?;
        Zones::load(&self.db, project).await?;
        Ok(report)
    }

    /// As [`App::refresh`], with the codes of offers: what is asked about a tick is asked of what the tick would find.
    pub async fn look(&self) -> Result<(), AppError> {
        self.refresh().await?;
        data::codes::sync(&self.db, &self.workspace.project.offers, &self.home, self.clock.now()).await?;
        Ok(())
    }

    /// Brings the data up to date and plans every rule that is due at `now` (only `only`, due or not, where given).
    pub async fn plan(&self, lease: &Lease, now: Timestamp, only: Option<&str>) -> Result<Planned, AppError> {
        let project = &self.workspace.project;
        let synced = self.refresh().await?;
        let mut told = tick::take_stock(&self.db, project, now).await?;
        told.extend(data::codes::sync(&self.db, &project.offers, &self.home, now).await?);
        self.settle_offers(now).await?;
        self.looks.look(&self.db, &project.settings.guard, now).await?;
        let pauses = pauses::load(&self.db).await?;
        let runner = Runner { db: &self.db, project, lease, pauses: &pauses };
        let runs = runner.run_due(now, only).await?;
        Ok(Planned { synced, told, runs })
    }

    /// Puts back what freed offers had taken out of their budgets, and ends those that were not used in time. Gives how
    /// many there were.
    pub async fn settle_offers(&self, now: Timestamp) -> Result<u64, AppError> {
        let mut settled = 0;
        for offer in self.workspace.project.offers.values() {
            settled += offers::expire(&self.db, offer, now).await?;
        }
        Ok(settled + offers::put_back(&self.db).await?)
    }

    /// Every way out that the settings name.
    pub fn ways_out(&self) -> Vec<(Channel, String)> {
        let channels = &self.workspace.project.settings.channels;
        channels
            .iter()
            .flat_map(|(channel, settings)| settings.providers.iter().map(|name| (*channel, name.clone())))
            .collect()
    }

    /// Starts delivery to the configured providers.
    pub fn delivery(&self, lease: &Lease, metrics: Metrics) -> Result<Delivery, AppError> {
        let providers = self.providers()?;
        let (db, clock, workspace) = (self.db.clone(), self.clock.clone(), Arc::clone(&self.workspace));
        Ok(Delivery::start(db, clock, lease.clone(), workspace, providers, metrics, engine::WINDOW))
    }

    /// Delivers all that is due, and ends.
    pub async fn deliver(&self, lease: &Lease) -> Result<Tally, AppError> {
        let delivery = self.delivery(lease, Metrics::start(self.ways_out()))?;
        delivery.shared.read_pauses().await?;
        let doubts = doubt::settle(&delivery).await;
        let drained = delivery.drain().await;
        let tally = delivery.finish(false).await;
        doubts.and(drained)?;
        offers::put_back(&self.db).await?;
        Ok(tally)
    }
}

/// The files as they are to be in force, with what the database keeps for them.
async fn workspace(db: &Db, files: &Files, environment: &Environment, now: Timestamp) -> Result<Workspace, AppError> {
    let kept = kept_files::all(db).await?;
    let mut workspace = Workspace::open(files, environment, &kept).map_err(AppError::Configuration)?;
    if !workspace.stand_ins.is_empty() {
        let since = kept_files::since(db).await?;
        workspace.stand_ins.iter_mut().for_each(|(path, at)| *at = since.get(path).copied());
    }
    workspace.keys = Some(token_keys::load(db, now).await?);
    Ok(workspace)
}

/// Makes the tables that the data's description asks for.
async fn prepare(db: &Db, workspace: &Workspace) -> Result<(), AppError> {
    let project = &workspace.project;
    let business = project.settings.business.time_zone;
    entities::prepare(db, &project.catalogue, business).await?;
    zones::prepare(db, project.rules.values().map(|rule| rule.time_zone).chain([business])).await?;
    Ok(())
}

/// The file of a rule, from the home folder.
pub fn rule_path(rule: &str) -> String {
    format!("config/rules/{rule}.toml")
}

/// What one pass of planning came to.
#[derive(Debug)]
pub struct Planned {
    pub synced: SyncReport,
    /// Rules that came, went or changed their name.
    pub told: Vec<String>,
    pub runs: Vec<Run>,
}

/// The name by which this process is known to others: its number, its machine and the space its number counts in.
pub fn owner() -> String {
    format!("process {} on {}", std::process::id(), place())
}

/// The machine's name and the process-number namespace: a container counts for itself.
fn place() -> String {
    let host = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
    let space = std::fs::read_link("/proc/self/ns/pid").map(|link| link.display().to_string()).unwrap_or_default();
    format!("{} {space}", host.trim()).trim_end().to_owned()
}

/// Whether a process that calls itself `owner` ran in this very place and is no more: nobody need wait for its lease.
fn is_gone(owner: &str) -> bool {
    let Some((number, at)) = owner.strip_prefix("process ").and_then(|rest| rest.split_once(" on ")) else {
        return false;
    };
    let known = at == place() && std::path::Path::new("/proc/self").exists();
    known && !std::path::Path::new("/proc").join(number).exists()
}
