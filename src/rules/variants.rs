//! Variants: several messages of one rule, each for a share of its customers.
//!
//! 1. Which one a customer gets follows from their id, the rule's name and the shares: at every tick, on every
//!    machine, on any channel the same.
//! 2. The variants lie side by side on a line, in the order in which they are written, each as long as its share, and
//!    a customer is a point on it: GrowthBook's ranges. Who changes hands when shares change are those between the old
//!    boundary and the new one, nobody else.
//! 3. It is drawn apart from every holdout: who is held out says nothing about who gets which.

use super::{Channel, Rule};
use crate::courtesy::holdout::{DRAWS, PARTS_PER_DRAW, draw};
use crate::problem::{Fault, Problem, Severity, Source};
use std::ops::Range;

/// One of a rule's messages, with what holds for it: its own, or the rule's where it says nothing.
#[derive(Clone, PartialEq, Debug)]
pub struct Variant {
    pub name: String,
    /// Parts per million; those of all variants make a million.
    pub share: u32,
    /// A template's folder.
    pub template: String,
    /// In the place of the template's own subject.
    pub subject: Option<Subject>,
    /// In order of preference; each is one of the rule's.
    pub channels: Vec<Channel>,
    /// Places in the rule's list of offers, in this variant's order.
    pub offers: Vec<usize>,
    /// Where it is written.
    pub at: Written,
}

/// A subject as it is written in the rule's file.
#[derive(Clone, PartialEq, Debug)]
pub struct Subject {
    pub text: String,
    pub at: Written,
}

/// A place in a file of the configuration.
#[derive(Clone, PartialEq, Debug)]
pub struct Written {
    pub source: Source,
    pub span: Range<usize>,
    /// Where the value begins, if the file has it unchanged.
    pub verbatim: Option<usize>,
}

impl Written {
    /// A problem of the value itself, found when it was looked at alone.
    pub fn problem(&self, found: Problem) -> Problem {
        let severity = found.severity;
        let fault = Fault { span: found.span, message: found.message, help: found.help };
        let problem = match self.verbatim {
            Some(start) => Problem::fault(&self.source, start, fault),
            None => Problem { help: fault.help, ..Problem::error(&self.source, self.span.clone(), fault.message) },
        };
        Problem { severity, ..problem }
    }

    pub fn warning(&self, message: impl Into<String>) -> Problem {
        let problem = Problem::error(&self.source, self.span.clone(), message);
        Problem { severity: Severity::Warning, ..problem }
    }
}

impl Variant {
    /// Whether its messages are those of `other`, unless a template tells the two apart by name.
    pub fn is_like(&self, other: &Self) -> bool {
        let subject = |variant: &Self| variant.subject.as_ref().map(|subject| subject.text.clone());
        self.template == other.template
            && subject(self) == subject(other)
            && self.channels == other.channels
            && self.offers == other.offers
    }
}

impl Rule {
    /// The variant that a customer gets; none where the rule has none.
    pub fn variant_of(&self, customer: &str) -> Option<&Variant> {
        let last = self.variants.last()?;
        let point = point(&self.name, customer);
        let mut end = 0;
        let found = self.variants.iter().find(|variant| {
            end += variant.share;
            point < end
        });
        // Shares make a million, so that the last one ends where the line does.
        Some(found.unwrap_or(last))
    }

    pub fn variant(&self, name: &str) -> Option<&Variant> {
        self.variants.iter().find(|variant| variant.name == name)
    }

    /// The templates of its messages, each once.
    pub fn templates(&self) -> Vec<&str> {
        if self.variants.is_empty() {
            return vec![&self.template];
        }
        let mut names: Vec<&str> = self.variants.iter().map(|variant| variant.template.as_str()).collect();
        names.sort_unstable();
        names.dedup();
        names
    }

    /// The channels that a customer's message may use, in order.
    pub fn channels_of(&self, customer: &str) -> &[Channel] {
        self.variant_of(customer).map_or(&self.channels, |variant| &variant.channels)
    }

    /// Places in the rule's list of the offers that a customer's message may carry, in order.
    pub fn offers_of(&self, customer: &str) -> Vec<usize> {
        self.variant_of(customer).map_or_else(|| (0..self.offers.len()).collect(), |variant| variant.offers.clone())
    }
}

/// A customer's point on the line of a rule's variants, in parts per million.
fn point(rule: &str, customer: &str) -> u32 {
    // No rule's name has a slash, so that no two rules share a seed, nor a rule and a holdout.
    let drawn = draw(&format!("variants/{rule}/"), customer);
    debug_assert!(drawn < DRAWS, "a draw is below the number of draws");
    drawn * PARTS_PER_DRAW
}

#[cfg(test)]
mod tests;
