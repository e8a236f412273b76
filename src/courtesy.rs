//! Courtesy: what a considerate sender observes. Pure.

pub mod caps;
pub mod consent;
pub mod holdout;
pub mod holidays;
pub mod legal_hours;
pub mod pauses;
pub mod phrases;
pub mod preferences;
pub mod quiet_hours;
pub mod reception;
pub mod reply;
pub mod zones;
