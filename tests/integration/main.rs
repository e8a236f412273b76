//! The integration tests, one binary: one file per feature.

mod databases;
mod log;
mod web;
