//! What delivery did since it began, in numbers.

use crate::touchpoints::State;
use serde_json::{Value, json};
use std::sync::atomic::{AtomicU64, Ordering};

#[derive(Debug, Default)]
pub struct Tally {
    sent: AtomicU64,
    failed: AtomicU64,
    in_doubt: AtomicU64,
    retry: AtomicU64,
    skipped: AtomicU64,
    expired: AtomicU64,
}

impl Tally {
    /// Counts a state that a message in hand came to.
    pub fn count(&self, state: State) {
        let counter = match state {
            State::Sent => &self.sent,
            State::Failed => &self.failed,
            State::InDoubt => &self.in_doubt,
            State::Planned => &self.retry,
            State::Skipped | State::Cancelled => &self.skipped,
            State::Expired => &self.expired,
            _ => return,
        };
        counter.fetch_add(1, Ordering::Relaxed);
    }

    pub fn sent(&self) -> u64 {
        self.sent.load(Ordering::Relaxed)
    }

    /// With the names of `once --json`.
    pub fn to_json(&self) -> Value {
        let read = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        json!({
            "sent": read(&self.sent), "failed": read(&self.failed), "in_doubt": read(&self.in_doubt),
            "retry": read(&self.retry), "skipped": read(&self.skipped), "expired": read(&self.expired),
        })
    }
}
