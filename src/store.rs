//! The database: the only place that speaks sqlx. Statements are named functions here; decisions are made elsewhere.

pub mod db;
pub mod migrate;
pub mod zones;
