//! Messages: templates in Handlebars' syntax, checked against the catalogue, rendered for one customer.
//!
//! [`Templates::compile`] reads all files of `templates/` once. [`Template::needs`] says exactly which data a template
//! reads, [`Template::check`] what is wrong with it for a rule, [`Template::render`] makes the words of one message.
//! Composing mail, and what a provider wants, is the business of `channels`.
//!
//! 1. Pure: no file, no clock, no database. Files come as text, data as [`context::Value`].
//! 2. Data is never compiled; only what `tree` names can be called; what could run away is refused or bounded (`scan`,
//!    `render`).
//! 3. Nothing of a template is parsed per message.
//! 4. What a message reads of the data is settled when its template is read, so needs, check and rendering cannot
//!    differ.

pub mod braces;
mod check;
mod codes;
pub mod context;
pub mod foreign;
pub mod format;
mod html;
mod languages;
mod library;
mod markup;
pub mod menu;
mod mjml;
pub mod needs;
mod plain;
mod promotional;
pub mod reference;
pub mod remarks;
mod render;
mod scan;
pub mod segments;
mod style;
mod syntax;
mod tree;
mod unwritten;
pub mod variants;
mod walk;
pub mod way_out;
mod words;

pub use check::Use;
pub use html::escape_into;
pub use library::{Part, Template, Templates};
pub use needs::Needs;
pub use plain::preheader;
pub use render::{MAX_LIST, RenderError};
pub use tree::Helper;
pub use walk::OfferTerms;
pub use walk::paths::{BUSINESS, LINKS, OFFER};
pub use words::{Env, Words};

#[cfg(test)]
mod tests;
