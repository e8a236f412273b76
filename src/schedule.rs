//! Schedules: when a rule ticks. Pure; what is due is decided from the stored runs.

use crate::problem::Fault;
use crate::time::{Timestamp, Tz};

/// When a rule is evaluated.
#[derive(Clone, PartialEq, Debug)]
pub enum Schedule {
    /// Only by `plusone fire`.
    Manual,
}

impl Schedule {
    /// Reads a schedule as it is written in a rule's file; one instant is taken in `zone`.
    ///
    /// # Errors
    /// One fault with the nearest sentence the grammar knows.
    pub fn parse(text: &str, zone: Tz) -> Result<Self, Fault> {
        let _ = (text, zone);
        Ok(Self::Manual)
    }

    /// The first tick strictly after `after`.
    pub fn next_after(&self, after: Timestamp, zone: Tz) -> Option<Timestamp> {
        let _ = (after, zone);
        None
    }

    /// The latest tick at or before `now`.
    pub fn latest(&self, now: Timestamp, zone: Tz) -> Option<Timestamp> {
        let _ = (now, zone);
        None
    }

    /// Whether ticks are at most an hour apart: such a rule is due at once when it goes live.
    pub fn keeps_looking(&self) -> bool {
        false
    }

    /// The schedule read back in plain words.
    pub fn describe(&self) -> String {
        String::new()
    }
}
