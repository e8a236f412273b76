//! What is wrong with the files now, and what is in force in the place of the broken ones.

use super::Workspace;
use crate::problem::{Problem, Severity};
use crate::time::{Timestamp, Tz};

/// A broken file, and what stands in for it.
pub struct Broken<'a> {
    pub problem: &'a Problem,
    /// Since when the last good version is in force; `None` where there is none.
    since: Option<Option<Timestamp>>,
    zone: Tz,
}

impl Broken<'_> {
    /// `its version of 2026-11-03 12:00 stays in force`.
    pub fn stays(&self) -> String {
        match self.since {
            Some(Some(since)) => {
                let since = since.to_minute(self.zone);
                format!("the version in force since {since} stays")
            }
            Some(None) => "its last good version stays in force".to_owned(),
            None => "it was never good before, so nothing of it is in force".to_owned(),
        }
    }
}

impl Workspace {
    /// The errors of the files as they are now.
    pub fn broken(&self) -> impl Iterator<Item = Broken<'_>> {
        let errors = self.problems.iter().filter(|problem| problem.severity == Severity::Error);
        errors.map(|problem| Broken {
            problem,
            since: self.stand_ins.get(&*problem.source.name).copied(),
            zone: self.project.settings.business.time_zone,
        })
    }

    /// Every problem of the files as a line; an error with what is in force in its place.
    pub fn told(&self) -> impl Iterator<Item = String> {
        let warnings = self.problems.iter().filter(|problem| problem.severity == Severity::Warning);
        let broken = self.broken().map(|broken| format!("{}; {}", broken.problem, broken.stays()));
        broken.chain(warnings.map(ToString::to_string))
    }
}
