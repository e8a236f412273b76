//! A touchpoint: one fate of one occurrence, and the words for its states and reasons.

pub mod reason;
pub mod state;

pub use reason::Reason;
pub use state::State;
