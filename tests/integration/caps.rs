//! Restraint: caps, bad moments, holdouts, shared addresses, preferred channels.

mod history;
mod moments;
mod people;
mod places;
