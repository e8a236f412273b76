//! Outreach: whom a rule reaches, and what becomes of each.

pub mod wake;
