//! Waking the planner. What is due is decided by [`crate::schedule::due`]; this remembers nothing and decides nothing.
//!
//! tokio-cron-scheduler ticks each second; a sleeper compares the clock with the instant it waits for. So a clock that
//! is set, a machine that was asleep and a clock moved by a test are all noticed within a second.

use crate::clock::Clock;
use crate::time::Timestamp;
use std::sync::Arc;
use tokio::sync::Notify;
use tokio_cron_scheduler::{Job, JobScheduler, JobSchedulerError};

const EACH_SECOND: &str = "* * * * * *";

/// Why a wait ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Woken {
    /// The instant has come.
    Due,
    /// `stop` was ready first.
    Stopped,
}

/// The scheduler did not start.
#[derive(Debug, thiserror::Error)]
#[error("the scheduler that wakes the planner did not start: {0}")]
pub struct WakeError(#[from] JobSchedulerError);

/// A running scheduler.
pub struct Wake {
    scheduler: JobScheduler,
    second: Arc<Notify>,
}

impl Wake {
    /// Starts the scheduler.
    ///
    /// # Errors
    /// When its tasks cannot be started.
    pub async fn start() -> Result<Self, WakeError> {
        let second = Arc::new(Notify::new());
        let ring = Arc::clone(&second);
        let scheduler = JobScheduler::new().await?;
        scheduler.add(Job::new(EACH_SECOND, move |_, _| ring.notify_one())?).await?;
        scheduler.start().await?;
        Ok(Self { scheduler, second })
    }

    /// Waits until `clock` shows `next` (for ever where there is none) or until `stop` is ready.
    pub async fn wait(&mut self, next: Option<Timestamp>, clock: &Clock, stop: impl Future<Output = ()>) -> Woken {
        let due = async {
            while next.is_none_or(|next| clock.now() < next) {
                self.second.notified().await;
            }
        };
        tokio::select! {
            biased;
            () = stop => Woken::Stopped,
            () = due => Woken::Due,
        }
    }

    /// Stops the scheduler's tasks.
    pub async fn stop(mut self) {
        if let Err(error) = self.scheduler.shutdown().await {
            tracing::warn!(%error, "the scheduler that wakes the planner did not stop cleanly");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::time::Span;

    #[tokio::test]
    async fn a_wait_ends_when_the_clock_has_come_round_or_when_it_is_stopped() {
        let clock = Clock::manual(Timestamp::from_seconds(1_000));
        let mut wake = Wake::start().await.expect("a scheduler");
        let never = || std::future::pending::<()>();
        assert_eq!(wake.wait(Some(clock.now()), &clock, never()).await, Woken::Due);
        assert_eq!(wake.wait(None, &clock, std::future::ready(())).await, Woken::Stopped);
        let hour = Span::from_seconds(3_600);
        let next = clock.now().plus(hour);
        let (woken, ()) = tokio::join!(wake.wait(Some(next), &clock, never()), async { clock.advance(hour) });
        assert_eq!(woken, Woken::Due);
        wake.stop().await;
    }
}
