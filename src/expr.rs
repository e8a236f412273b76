//! Conditions: CEL, typed against the catalogue, compiled to SQL for both databases.
//!
//! The way of a condition: [`scan`] cuts it into tokens and refuses what is too large, [`parse`] has the `cel` crate
//! parse it, [`typing`] settles names, types and scales into a [`tree`], [`write`] writes that as SQL.
//!
//! 1. Pure: no database, no clock, no file. `now` and the zone come as [`Moment`].
//! 2. A condition is true, false or unknown for a row; unknown is SQL's NULL, and the logic is Kleene's.
//! 3. Data never reaches the statement's text, and no value in the data can make it fail.
//! 4. Both databases choose the same rows; the property test holds them to an interpreter of the same tree.

pub mod calendar;
mod certain;
pub mod functions;
pub mod goal;
pub mod numbers;
pub mod parse;
pub mod pattern;
pub mod scan;
pub mod tree;
mod typing;
pub mod window;
mod write;

use crate::catalogue::{Catalogue, Type};
use crate::problem::Fault;
use crate::sql::{Dialect, Sql};
use crate::time::{Span, Timestamp, Tz};
use write::Writer;

#[cfg(test)]
mod tests;

/// What a condition may name: the rule's entity (`root`), its relations, and `customer`.
#[derive(Clone, Copy)]
pub struct Scope<'a> {
    pub catalogue: &'a Catalogue,
    /// An entity's name.
    pub root: &'a str,
}

/// A condition: its text as written and its typed tree. True, false or unknown for a row.
#[derive(Clone, PartialEq, Debug)]
pub struct Clause {
    pub text: String,
    node: tree::Node,
    used: Vec<(Used, tree::Node)>,
    rule: Option<String>,
}

/// The instant and the calendar a condition is judged by.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Moment {
    pub now: Timestamp,
    pub zone: Tz,
    /// Days are those of the customer's own zone, and of `zone` where that is not known. The catalogue must then say
    /// which field has the customer's zone.
    pub in_customers_time: bool,
}

impl Moment {
    /// Days in one zone, whoever the customer is.
    pub const fn new(now: Timestamp, zone: Tz) -> Self {
        Self { now, zone, in_customers_time: false }
    }

    /// Every day that it is now somewhere on Earth, in days since 1970-01-01. No zone has ever been sixteen hours from
    /// UTC.
    pub fn days(self) -> std::ops::RangeInclusive<i64> {
        const FARTHEST: Span = Span::from_seconds(16 * 3_600);
        self.now.minus(FARTHEST).date(Tz::UTC).days()..=self.now.plus(FARTHEST).date(Tz::UTC).days()
    }
}

/// Under which aliases the FROM clause around a condition has its rows. They do not begin with `_`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Aliases<'a> {
    pub root: &'a str,
    pub customer: &'a str,
}

/// A value that a condition used, to be shown: the text that reads it and its type.
#[derive(Clone, PartialEq, Debug)]
pub struct Used {
    pub text: String,
    pub ty: Type,
}

impl Clause {
    /// Reads, types and checks a condition.
    ///
    /// # Errors
    /// Every fault found, each at its place in `text`.
    pub fn compile(text: &str, scope: Scope<'_>) -> Result<Self, Vec<Fault>> {
        let typed = parse::on_a_large_stack(|| typing::condition(text, scope.catalogue, scope.root))?;
        Ok(Self { text: text.to_owned(), node: typed.node, used: typed.used, rule: None })
    }

    /// Checks the text of a computed field of `scope.root`, which may be of any type but a duration.
    ///
    /// # Errors
    /// Every fault found, each at its place in `text`.
    pub fn check_computed(text: &str, scope: Scope<'_>) -> Result<Type, Vec<Fault>> {
        let typed = parse::on_a_large_stack(|| typing::expression(text, scope.catalogue, scope.root))?;
        typing::public_type(typed.node.kind).ok_or_else(|| {
            let fault = Fault::new(0..text.len(), "a duration cannot be kept as a computed field");
            vec![fault.help("compare it here, or keep the timestamps")]
        })
    }

    /// The same condition as one of `rule`, which does not see its own touchpoints.
    pub fn of_rule(self, rule: &str) -> Self {
        Self { rule: Some(rule.to_owned()), ..self }
    }

    /// The typed tree.
    pub fn tree(&self) -> &tree::Node {
        &self.node
    }

    /// The typed tree of the `index`-th of [`Clause::used`].
    pub fn used_tree(&self, index: usize) -> &tree::Node {
        &self.used[index].1
    }

    /// Appends an SQL condition: true, false or NULL for unknown. It never fails because of a value in the data.
    pub fn write_sql(
        &self,
        sql: &mut Sql,
        dialect: Dialect,
        catalogue: &Catalogue,
        aliases: Aliases<'_>,
        moment: Moment,
    ) {
        self.writer(sql, dialect, catalogue, aliases, moment).node(&self.node);
    }

    /// The values the condition reads from the row, outermost: `customer.tier`, `customer.orders.sum(o, o.total)`.
    pub fn used(&self) -> Vec<Used> {
        self.used.iter().map(|(used, _)| used.clone()).collect()
    }

    /// Appends an SQL expression for the `index`-th of [`Clause::used`], stored as its type is.
    ///
    /// # Panics
    /// When there are not so many.
    pub fn write_used(
        &self,
        index: usize,
        sql: &mut Sql,
        dialect: Dialect,
        catalogue: &Catalogue,
        aliases: Aliases<'_>,
        moment: Moment,
    ) {
        self.writer(sql, dialect, catalogue, aliases, moment).stored(&self.used[index].1);
    }

    /// Appends an SQL expression for the customer's own date at `moment`, in days since 1970-01-01.
    pub fn write_today(sql: &mut Sql, dialect: Dialect, catalogue: &Catalogue, aliases: Aliases<'_>, moment: Moment) {
        Writer { sql, dialect, catalogue, aliases, moment, rule: None, names: 0 }.today();
    }

    fn writer<'a>(
        &'a self,
        sql: &'a mut Sql,
        dialect: Dialect,
        catalogue: &'a Catalogue,
        aliases: Aliases<'a>,
        moment: Moment,
    ) -> Writer<'a> {
        Writer { sql, dialect, catalogue, aliases, moment, rule: self.rule.as_deref(), names: 0 }
    }
}
