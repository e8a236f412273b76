//! The state machine of a touchpoint, in one table.
//!
//! ```text
//! planned -> claimed -> dispatching -> sent -> delivered | bounced
//!    |          |            |-> planned      a definite "not now": again later
//!    |          |            |-> failed       a definite no, or attempts exhausted
//!    |          |            `-> in_doubt     answer lost, crash, lease over: never straight back to planned
//!    |          |                   `-> sent | planned | failed      by evidence, or by the rule's on_doubt
//!    |          `-> skipped | expired | planned   the re-check at send; or the lease ran out before dispatching
//!    |-> held (the run waits for approval) -> planned | cancelled
//!    `-> skipped | held_out    written at planning
//! ```
//!
//! Every change in the database is an update guarded by the state it comes from and by the epoch that claimed it.

use crate::rules::words;
use std::fmt;
use std::str::FromStr;

#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum State {
    Planned,
    Claimed,
    Dispatching,
    Sent,
    Delivered,
    Bounced,
    Failed,
    InDoubt,
    Skipped,
    Expired,
    Held,
    HeldOut,
    Cancelled,
}

words!(State {
    Planned = "planned",
    Claimed = "claimed",
    Dispatching = "dispatching",
    Sent = "sent",
    Delivered = "delivered",
    Bounced = "bounced",
    Failed = "failed",
    InDoubt = "in_doubt",
    Skipped = "skipped",
    Expired = "expired",
    Held = "held",
    HeldOut = "held_out",
    Cancelled = "cancelled",
});

impl State {
    /// The states that may follow this one. The only place that says so.
    pub const fn next(self) -> &'static [Self] {
        match self {
            Self::Planned => &[Self::Claimed, Self::Skipped, Self::Expired, Self::Cancelled],
            Self::Claimed => {
                &[Self::Dispatching, Self::Skipped, Self::Expired, Self::Planned, Self::Failed, Self::Cancelled]
            }
            Self::Dispatching => &[Self::Sent, Self::Planned, Self::Failed, Self::InDoubt],
            Self::InDoubt => &[Self::Sent, Self::Planned, Self::Failed],
            Self::Sent => &[Self::Delivered, Self::Bounced],
            Self::Held => &[Self::Planned, Self::Cancelled],
            Self::Skipped => &[Self::Planned, Self::Held, Self::HeldOut],
            Self::Delivered | Self::Bounced | Self::Failed | Self::Expired | Self::HeldOut | Self::Cancelled => &[],
        }
    }

    pub fn may_become(self, next: Self) -> bool {
        self.next().contains(&next)
    }

    /// Whether the occurrence counts as touched: it is not judged again.
    pub const fn counts_as_touched(self) -> bool {
        !matches!(self, Self::Skipped)
    }
}
