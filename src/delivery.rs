//! Delivery: claim what is due, re-check it, render it, send it, write down what became of it.
//!
//! ```text
//! claimer --(per provider: two lines, transactional first)--> connections --> provider
//!    |  take, re-check, render                                   |   ^
//!    |                                                  mark, outcome  go
//!    `---------------------------> committer <-------------------'   |
//!                                      `-----------------------------'
//! ```
//!
//! 1. No transaction is open while anything is on the wire.
//! 2. `dispatching` is committed and synced before the irreversible byte, a small window per connection at a time; one
//!    committer writes the marks and outcomes of all connections as one group.
//! 3. Delivery never decides whom: it re-checks what may have changed, and sends.
//! 4. A suppression, a no or a pause that was committed before a message's mark stops that message.

pub mod canary;
pub mod claimer;
pub mod committer;
pub mod connection;
pub mod doubt;
pub mod engine;
pub mod facts;
pub mod health;
pub mod queue;
pub mod recheck;
pub mod retry;
pub mod sample;
pub mod stops;
pub mod tally;
pub mod test_send;

pub use engine::Delivery;
pub use tally::Tally;
