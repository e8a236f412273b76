//! plusone tells customers what they would otherwise have to find out themselves.
//!
//! The way of a message, which is also the order of the modules and the direction of their dependencies: a module
//! uses what stands above it, never what stands below.
//!
//! 1. `config` reads what marketing wrote into the meanings of [`settings`], [`catalogue`], [`rules`], [`offers`].
//! 2. `data` brings customer data into typed tables.
//! 3. `schedule` says which rules are due; `outreach` finds whom they reach ([`expr`] compiled to SQL), decides
//!    about each, and writes the decisions down as [`touchpoints`].
//! 4. `delivery` claims what is due, renders it (`messages`), sends it (`channels`) and records what became of it.
//! 5. `web` and `cli` show and steer all of it; `bench` measures it.

// words: no I/O, no domain
pub mod amount;
pub mod clock;
pub mod ids;
pub mod latin;
pub mod problem;
pub mod progress;
pub mod shell;
pub mod sql;
pub mod time;

// meaning: pure
pub mod catalogue;
pub mod contact;
pub mod courtesy;
pub mod expr;
pub mod health;
pub mod messages;
pub mod metrics;
pub mod offers;
pub mod plan;
pub mod reference;
pub mod report;
pub mod rules;
pub mod schedule;
pub mod settings;
pub mod tokens;
pub mod touchpoints;

// world: load, save, send
pub mod channels;
pub mod config;
pub mod logging;
pub mod store;

// engines
pub mod app;
pub mod daemon;
pub mod data;
pub mod delivery;
pub mod feedback;
pub mod outreach;
pub mod workspace;

// edges
pub mod bench;
pub mod cli;
pub mod web;
