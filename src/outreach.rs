//! Outreach: when rules tick, whom they reach at that instant, decided and written down.

pub mod addresses;
pub mod compare;
pub mod complete;
pub mod foresee;
pub mod guard;
pub mod judge;
pub mod recall;
pub mod run;
pub mod simulate;
pub mod tick;
pub mod today;
pub mod trial;
pub mod wake;
pub mod zones;
