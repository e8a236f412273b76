//! Codes of offers: where the next one comes from.

/// Where an offer's codes come from.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum CodeSource {
    /// `COOKIE-######`: each `#` one character.
    Pattern(String),
    /// A file with one code a line, each given once.
    File(String),
    /// The same code for everyone.
    Fixed(String),
}
