//! What a tick decides and writes down, through the library, on both databases.

mod consent;
mod events;
mod guard;
mod keys;
mod offers;
mod refusals;
mod sample;
mod stock;
mod variants;
