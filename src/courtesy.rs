//! Courtesy: what a considerate sender observes. Pure.

pub mod quiet_hours;
