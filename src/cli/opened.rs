//! A home folder that is open: what every command at the desk works with.

use crate::app::App;
use crate::catalogue::Catalogue;
use crate::rules::Rule;
use crate::settings::Settings;
use crate::store::db::Db;
use crate::time::{Timestamp, Tz};
use std::path::PathBuf;

/// Configuration, database and the moment at which the command was given.
pub struct Opened {
    pub db: Db,
    /// Where relative paths begin.
    pub home: PathBuf,
    pub settings: Settings,
    pub catalogue: Catalogue,
    /// The rules in force, drafts included.
    pub rules: Vec<Rule>,
    /// Each error of the files as they are now, with what is in force in its place.
    pub broken: Vec<String>,
    pub now: Timestamp,
}

impl Opened {
    pub fn of(app: &App) -> Self {
        let project = &app.workspace.project;
        Self {
            db: app.db.clone(),
            home: app.home.clone(),
            settings: project.settings.clone(),
            catalogue: project.catalogue.clone(),
            rules: project.rules.values().cloned().collect(),
            broken: app.workspace.broken().map(|broken| format!("{}; {}", broken.problem, broken.stays())).collect(),
            now: app.clock.now(),
        }
    }

    /// The zone in which people at the desk read and write times.
    pub const fn zone(&self) -> Tz {
        self.settings.business.time_zone
    }

    pub fn currency(&self) -> &str {
        &self.settings.business.currency
    }
}
