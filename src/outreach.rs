//! Outreach: whom a rule reaches at an instant, decided and written down.

pub mod guard;
pub mod judge;
pub mod run;
