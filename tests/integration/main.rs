//! The integration tests, one file per feature, in one binary.

mod data;
