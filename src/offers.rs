//! A "plus one": what is given, what it costs us, how much may be given and to whom, and its codes.

pub mod code;
pub mod grant;

use crate::expr::Clause;
use crate::time::Span;

#[derive(Clone, PartialEq, Debug)]
pub struct Offer {
    /// The file's stem.
    pub name: String,
    /// The content hash of its file.
    pub version: String,
    pub description: String,
    /// What it is worth to the customer; money, scaled.
    pub value: i64,
    /// What one costs us; the budget counts this.
    pub cost: i64,
    pub budget: Budget,
    pub per_customer: Option<PerCustomer>,
    /// Conditions on the customer; all must hold.
    pub eligible: Vec<Clause>,
    pub code: Option<code::CodeSource>,
    pub valid_for: Option<Span>,
    pub unused: Unused,
}

/// How much may be given away; money, scaled.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Budget {
    pub total: Option<i64>,
    /// Of the business's calendar day.
    pub per_day: Option<i64>,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct PerCustomer {
    pub max: u32,
    /// Ever, where absent.
    pub per: Option<Span>,
}

/// What an expired code's cost does.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Unused {
    Keep,
    Return,
}

/// What an offer has no more of.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Spent {
    /// `budget.total`.
    Total,
    /// `budget.per_day`.
    Day,
    Codes,
}

impl Spent {
    /// For people, behind the offer's name, and whether waiting helps.
    pub const fn told(self) -> &'static str {
        match self {
            Self::Total => "its whole budget is used up",
            Self::Day => "today's budget is used up, and there is more tomorrow",
            Self::Codes => "no code is left",
        }
    }
}
