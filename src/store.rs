//! The database: the only place that speaks sqlx. Statements are named functions here; decisions are made elsewhere.

pub mod consents;
pub mod db;
pub mod entities;
pub mod foreign;
pub mod migrate;
pub mod rows;
pub mod sources;
pub mod suppressions;
