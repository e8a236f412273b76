//! Planning: the pure decision about one candidate, and the question that finds candidates.
//!
//! One function, [`decide::decide`], answers the live run, `who`, `why` and every later forecast. Nothing here asks a
//! database or a clock.

pub mod audience;
pub mod candidate;
pub mod counts;
pub mod decide;
pub mod hour;
pub mod meanwhile;
pub mod never;
pub mod only_to;
pub mod pace;
pub mod route;
pub mod standing;

pub use counts::Counts;
