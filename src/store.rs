//! The database: the only place that speaks sqlx. Statements are named functions here; decisions are made elsewhere.

pub mod consents;
pub mod db;
pub mod delivery;
pub mod entities;
pub mod find;
pub mod foreign;
pub mod kept_files;
pub mod leases;
pub mod lock;
pub mod log;
pub mod migrate;
pub mod offers;
pub mod pace;
pub mod page;
pub mod pauses;
pub mod planning;
pub mod preferences;
pub mod rows;
pub mod rule_states;
pub mod runs;
pub mod settle;
pub mod sources;
pub mod statistics;
pub mod status;
pub mod suppressions;
pub mod zones;
