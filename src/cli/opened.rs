//! A home folder that is open: what every command at the desk works with.

use crate::app::App;
use crate::catalogue::Catalogue;
use crate::problem::Problem;
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
    /// What is wrong with the files as they are now.
    pub problems: Vec<Problem>,
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
            problems: app.workspace.problems.clone(),
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
