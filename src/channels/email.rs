//! Email: from words to a message, from a message to a relay. Addresses are strict, the message is the same bytes on
//! every attempt, and the transaction knows at every step whether the relay can have taken it.

pub mod address;
mod answer;
mod body;
mod compose;
mod relay;
mod reply;
mod session;
mod wire;

pub use address::{Address, AddressError, Mailbox};
pub use compose::{Mail, prepare};
pub use relay::Relay;
pub use session::Connection;
