//! Outreach: when rules tick, whom they reach at that instant, decided and written down.

pub mod addresses;
pub mod complete;
pub mod foresee;
pub mod guard;
pub mod judge;
pub mod run;
pub mod simulate;
pub mod tick;
pub mod wake;
pub mod zones;
