//! The one place that asks what time it is. Everything else takes `now` as an argument.

use crate::time::{Span, Timestamp};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

/// A source of `now`: the machine's, or one that a test sets by hand.
#[derive(Clone, Debug)]
pub enum Clock {
    System,
    Manual(Arc<AtomicI64>),
}

impl Clock {
    /// A clock that stands still at `at` until it is advanced.
    pub fn manual(at: Timestamp) -> Self {
        Self::Manual(Arc::new(AtomicI64::new(at.micros())))
    }

    pub fn now(&self) -> Timestamp {
        match self {
            #[expect(clippy::disallowed_methods, reason = "this is the clock")]
            Self::System => chrono::Utc::now().into(),
            Self::Manual(at) => Timestamp::from_micros(at.load(Ordering::SeqCst)),
        }
    }

    /// Moves a manual clock on; the system's cannot be moved and is left alone.
    pub fn advance(&self, by: Span) {
        if let Self::Manual(at) = self {
            at.fetch_add(by.micros(), Ordering::SeqCst);
        }
    }
}
