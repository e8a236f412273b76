//! A touchpoint: one fate of one occurrence, and the words for its states and reasons.

pub mod later;
pub mod reason;
pub mod record;
pub mod state;

pub use reason::Reason;
pub use record::{Contact, Detail, Event, Touchpoint};
pub use state::State;
