//! What comes back: receipts of providers, replies of customers, keys pressed in calls.
//!
//! Whether a request is the provider's is asked before (`web::hooks`), what its fields mean is `channels`' business.
//!
//! 1. Told twice is told once, also at the same moment: an event's name and its effects are one transaction.
//! 2. A stop is heard at once: when the provider has its answer, the stop is in the database.
//! 3. What is said of something unknown is kept and waits; it never moves anything.

pub mod keys;
pub mod receipts;
pub mod replies;
mod stop;
