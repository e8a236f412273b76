//! Configuration: files into meanings.
