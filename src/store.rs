//! The database: the only place that speaks sqlx. Statements are named functions here; decisions are made elsewhere.

pub mod db;
pub mod find;
pub mod log;
pub mod migrate;
pub mod page;
pub mod pauses;
pub mod settle;
pub mod status;
