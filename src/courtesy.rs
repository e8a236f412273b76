//! Courtesy: what a considerate sender observes. Pure.

pub mod caps;
pub mod consent;
pub mod holdout;
pub mod pauses;
pub mod preferences;
pub mod quiet_hours;
