//! What is said of a tick beforehand, and what the tick then does.

mod law;
mod questions;
mod world;
