//! Conditions: the rows that a database chooses are those that an interpreter of the same tree chooses.

mod corpus;
mod data;
mod oracle;
mod random;
mod run;
mod windows;
