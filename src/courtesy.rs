//! Courtesy: what a considerate sender observes.
