//! Courtesy: what a considerate sender observes.

pub mod pauses;
