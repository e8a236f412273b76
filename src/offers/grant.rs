//! A grant: one plus one given to one customer with one touchpoint. The ledger's row and its states.
//!
//! ```text
//! reserved -> spent -> redeemed
//!    |          |----> expired     not used in time: its cost stays in the budget
//!    |          `----> lapsed      not used in time: its cost went back (`unused = "return"`)
//!    |-> redeemed                  the code came back before the receipt did
//!    `-> freed -> released         never shown: cost and code go back, in a short transaction of its own
//! ```
//!
//! 1. A budget counts what is reserved, spent, redeemed, expired or freed: what a customer may have seen, and what is
//!    not yet put back.
//! 2. A code that was never shown is given again; a code that may have been seen never is.
//! 3. A grant in doubt stays reserved.

use crate::rules::words;
use crate::time::{Date, Timestamp};
use std::fmt;
use std::str::FromStr;

#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum GrantState {
    Reserved,
    Spent,
    Redeemed,
    Expired,
    Lapsed,
    Freed,
    Released,
}

words!(GrantState {
    Reserved = "reserved",
    Spent = "spent",
    Redeemed = "redeemed",
    Expired = "expired",
    Lapsed = "lapsed",
    Freed = "freed",
    Released = "released",
});

impl GrantState {
    /// What became of it, for people: a plus one is spent by us once its message was sent.
    pub const fn told(self) -> &'static str {
        match self {
            Self::Reserved => "reserved",
            Self::Spent => "sent",
            Self::Redeemed => "redeemed",
            Self::Expired => "expired",
            Self::Lapsed => "lapsed",
            Self::Freed | Self::Released => "not sent",
        }
    }

    /// Whether the budget counts its cost.
    pub const fn counts_in_budget(self) -> bool {
        !matches!(self, Self::Lapsed | Self::Released)
    }
}

/// A plus one that is reserved with a planned touchpoint.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Grant {
    pub bucket: i64,
    /// The touchpoint's id.
    pub touchpoint: String,
    pub offer: String,
    pub code: Option<String>,
    pub customer: String,
    /// Money, scaled; what the budget counts, as it was when granted.
    pub cost: i64,
    /// Money, scaled.
    pub value: i64,
    /// The business's calendar day whose budget it is taken from.
    pub day: Date,
    pub granted_at: Timestamp,
    pub expires_at: Option<Timestamp>,
}

/// What became of the message that carries a grant.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Shown {
    /// It was sent, or nobody can say that it was not.
    Yes,
    /// It was definitely not sent and will not be: failed, skipped, expired, cancelled.
    No,
}

impl Shown {
    pub const fn state(self) -> GrantState {
        match self {
            Self::Yes => GrantState::Spent,
            Self::No => GrantState::Freed,
        }
    }
}
