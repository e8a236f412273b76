//! How the running program is, as `/readyz` tells it: written by the daemon, read by `web`.
//!
//! 1. A clone shares what it knows with the original.
//! 2. What is broken but replaced (a rule whose last good version stays in force, a provider with a fallback) is a
//!    warning: it does not take the program out of service.

use std::collections::BTreeMap;
use std::sync::{Arc, PoisonError, RwLock};

/// Where the program is in its life.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Phase {
    #[default]
    Starting,
    Running,
    Stopping,
}

/// The health of one program.
#[derive(Clone, Debug, Default)]
pub struct Health(Arc<RwLock<Report>>);

/// What is known at one moment.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Report {
    pub phase: Phase,
    /// One line for each problem of the files as they are now.
    pub configuration: Vec<String>,
    /// By name: why a provider cannot be used now, or nothing where it can.
    pub providers: BTreeMap<String, Option<String>>,
}

impl Health {
    pub fn report(&self) -> Report {
        self.0.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub fn set_phase(&self, phase: Phase) {
        self.change(|report| report.phase = phase);
    }

    /// Replaces what is known of the files.
    pub fn set_configuration(&self, problems: Vec<String>) {
        self.change(|report| report.configuration = problems);
    }

    /// A provider can be used, or why it cannot.
    pub fn set_provider(&self, name: &str, trouble: Option<String>) {
        self.change(|report| {
            report.providers.insert(name.to_owned(), trouble);
        });
    }

    /// Forgets providers that the settings no longer have.
    pub fn keep_providers(&self, is_known: impl Fn(&str) -> bool) {
        self.change(|report| report.providers.retain(|name, _| is_known(name)));
    }

    fn change(&self, change: impl FnOnce(&mut Report)) {
        // A report is replaced field by field, so one that a panic left behind is still whole.
        change(&mut self.0.write().unwrap_or_else(PoisonError::into_inner));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clones_know_the_same() {
        let health = Health::default();
        let daemon = health.clone();
        assert_eq!(health.report().phase, Phase::Starting);
        daemon.set_phase(Phase::Running);
        daemon.set_provider("relay", Some("connection refused".to_owned()));
        daemon.set_provider("gone", None);
        daemon.keep_providers(|name| name == "relay");
        daemon.set_configuration(vec!["config/rules/a.toml:1:1: broken".to_owned()]);
        let report = health.report();
        assert_eq!(report.phase, Phase::Running);
        assert_eq!(report.providers, BTreeMap::from([("relay".to_owned(), Some("connection refused".to_owned()))]));
        assert_eq!(report.configuration.len(), 1);
    }
}
