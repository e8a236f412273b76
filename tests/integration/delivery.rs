//! What becomes of planned messages, through the library, on both databases.

mod canary;
mod doubts;
mod lanes;
mod recheck;
mod relay;
mod retries;
mod stops;
