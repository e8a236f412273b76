//! Changed files, noticed and taken up while the daemon runs.
//!
//! 1. A state of the files counts once it has lasted [`SETTLED`]: editors truncate a file and then write it, or put
//!    another in its place. A saved file is in force within two seconds all the same.
//! 2. What cannot be taken up is told in the log and to `/readyz`, with its place and cure, until it is mended; what was
//!    in force stays.
//! 3. What the daemon holds open (database, web address, providers, log) stays as it was when the daemon began, and is
//!    told as waiting for a restart.

use super::{Daemon, Told};
use crate::app::AppError;
use crate::config::{Files, Fingerprint};
use crate::delivery::Delivery;
use crate::store::db::StoreError;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::time::{Interval, MissedTickBehavior};

/// How often the files are looked at.
const LOOK: Duration = Duration::from_millis(500);
/// How long a state of the files lasts before it counts.
const SETTLED: Duration = Duration::from_secs(1);
/// When changed files are tried again that only the database kept from being taken up.
const RETRY: Duration = Duration::from_secs(10);

/// Looks at the files of a home folder.
pub struct Watch {
    home: PathBuf,
    interval: Interval,
    state: State,
}

/// What was seen of the files.
struct State {
    /// The files that were taken up last, or refused.
    known: Option<Fingerprint>,
    seen: Fingerprint,
    /// From when on they may be taken up.
    ripe: Instant,
}

impl Watch {
    /// Takes for known the files that were read.
    pub fn start(home: &Path, known: Fingerprint) -> Self {
        let mut interval = tokio::time::interval(LOOK);
        interval.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let state = State { seen: known.clone(), known: Some(known), ripe: Instant::now() };
        Self { home: home.to_owned(), interval, state }
    }

    /// Ready once the files have changed and nobody writes them any more. May be dropped and asked again at any time.
    pub async fn changed(&mut self) {
        loop {
            self.interval.tick().await;
            if self.state.see(Files::fingerprint(&self.home), Instant::now()) {
                return;
            }
        }
    }

    /// Lets the files that were just taken up come again, later.
    fn again(&mut self) {
        self.state.known = None;
        self.state.ripe = Instant::now() + RETRY;
    }
}

impl State {
    /// Whether these files are to be taken up now; they are known from then on.
    fn see(&mut self, files: Fingerprint, now: Instant) -> bool {
        if files != self.seen {
            self.seen = files;
            self.ripe = now + SETTLED;
        }
        let is_due = self.known.as_ref() != Some(&self.seen) && now >= self.ripe;
        if is_due {
            self.known = Some(self.seen.clone());
        }
        is_due
    }
}

impl Daemon {
    /// Takes up changed files, and tells what came of it.
    pub(super) async fn take_up_changes(&mut self, watch: &mut Watch, delivery: &Delivery) {
        self.refused.clear();
        match self.app.reload().await {
            Ok(waiting) => {
                self.waiting = waiting;
                delivery.shared.set_workspace(Arc::clone(&self.app.workspace));
                if let Err(error) = self.app.keep_good_files().await {
                    tracing::error!(%error, "the good files could not be kept for a day when they are broken");
                }
                self.log_broken();
                (self.tell)(Told::TookUpChanges(&self.app));
            }
            Err(AppError::Configuration(problems)) => {
                for problem in &problems {
                    tracing::error!(%problem, "changed files are not taken up; what was in force stays");
                }
                let stays =
                    |problem| format!("{problem}; none of the changed files is taken up, what was in force stays");
                self.refused = problems.iter().map(stays).collect();
                (self.tell)(Told::RefusedChanges(&self.refused));
            }
            Err(error) => {
                tracing::error!(%error, "changed files are not taken up; what was in force stays");
                if !matches!(error, AppError::Store(StoreError::Schema(_))) {
                    watch.again();
                }
                self.refused = vec![format!("{error}; none of the changed files is taken up, what was in force stays")];
                (self.tell)(Told::RefusedChanges(&self.refused));
            }
        }
        self.note_problems(&delivery.shared.metrics);
    }

    fn log_broken(&self) {
        for broken in self.app.workspace.broken() {
            let (problem, stays) = (broken.problem, broken.stays());
            tracing::error!(%problem, "a file is broken: {stays}");
        }
        for waiting in &self.waiting {
            tracing::warn!("{waiting}");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn files(size: u64) -> Fingerprint {
        vec![(PathBuf::from("config/rules/a.toml"), size, None)]
    }

    fn at(start: Instant, millis: u64) -> Instant {
        start + Duration::from_millis(millis)
    }

    #[test]
    fn a_saved_file_is_taken_up_once_and_within_two_looks_after_it_settled() {
        let start = Instant::now();
        let mut state = State { known: Some(files(1)), seen: files(1), ripe: start };
        assert!(!state.see(files(1), at(start, 500)));
        assert!(!state.see(files(2), at(start, 1_000)));
        assert!(!state.see(files(2), at(start, 1_500)));
        assert!(state.see(files(2), at(start, 2_000)));
        assert!(!state.see(files(2), at(start, 2_500)));
    }

    #[test]
    fn a_state_that_lasts_less_than_a_second_is_never_taken_up() {
        let start = Instant::now();
        let mut state = State { known: Some(files(9)), seen: files(9), ripe: start };
        // truncated, half-written, whole again as it was
        assert!(!state.see(files(0), at(start, 500)));
        assert!(!state.see(files(4), at(start, 1_400)));
        assert!(!state.see(files(9), at(start, 1_900)));
        assert!(!state.see(files(9), at(start, 9_000)));
        // a file that is gone for a moment while another takes its place
        assert!(!state.see(Vec::new(), at(start, 9_500)));
        assert!(!state.see(files(10), at(start, 10_000)));
        assert!(state.see(files(10), at(start, 11_000)));
    }
}
