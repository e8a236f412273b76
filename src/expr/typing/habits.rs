//! What is written as it is elsewhere, and would mean something else here.

use super::names::members;
use super::{Name, Place, Typing};
use crate::amount::{reads_as_thousands, unlike_thousands};
use crate::expr::tree::{Comparison, Kind, Row, Unit};
use crate::problem::truth::truth;
use cel::IdedExpr;
use cel::common::ast::{Expr, LiteralValue};

impl Typing<'_> {
    /// Refuses the number `1.240` beside money, and `1.000` beside any number: it is a thousand in most of Europe, and the
    /// wrong people would be written to. Three places that are not all zeros are common in weights.
    pub(super) fn check_thousands(&mut self, literal: &IdedExpr, beside: Kind, place: &Place<'_>) -> Option<()> {
        let digits = place.text.digits(literal).unwrap_or_default();
        let Kind::Number { unit, .. } = beside else { return Some(()) };
        let Some(thousands) = reads_as_thousands(digits).filter(|_| unit == Unit::Money || digits.ends_with(".000"))
        else {
            return Some(());
        };
        let small = unlike_thousands(digits);
        let message = format!("`{digits}` is {small} here; elsewhere it is {thousands}");
        self.fault(literal, place, message, Some(&format!("write `{thousands}`, or `{small}`")))
    }

    /// Refuses `customer.vip == ja`, and `"ja"` and `1` there, where the field is true or false.
    pub(super) fn check_truth(
        &mut self,
        op: Comparison,
        (field, kind): (&IdedExpr, Kind),
        said: &IdedExpr,
        place: &Place<'_>,
    ) -> Option<()> {
        let yes = match (&said.expr, op) {
            _ if kind != Kind::Boolean => None,
            (_, Comparison::Equal) => said_truth(&said.expr),
            (_, Comparison::NotEqual) => said_truth(&said.expr).map(|yes| !yes),
            _ => None,
        };
        let Some(yes) = yes else { return Some(()) };
        let (field, word) = (place.text.written(field), place.text.written(said));
        let message = format!("`{field}` is true or false, and never `{word}`");
        let right = if yes { format!("write `{field}` alone") } else { format!("write `!{field}`") };
        self.fault(said, place, message, Some(&right))
    }

    /// The field that is meant by a name that stands without its row: `customer.spent` of `Spent`.
    pub(super) fn field_called(&self, name: &str, place: &Place<'_>) -> Option<String> {
        if place.names.iter().any(|known| known.name.eq_ignore_ascii_case(name)) {
            return None;
        }
        let is_element = |known: &&Name| matches!(known.row, Row::Element(_));
        let inner = place.names.iter().rev().filter(is_element);
        let outer = place.names.iter().filter(|known| !is_element(known));
        inner.chain(outer).find_map(|known| {
            let members = members(self.catalogue, self.catalogue.entity(&known.entity)?);
            let field = members.into_iter().find(|member| member.eq_ignore_ascii_case(name))?;
            Some(format!("{}.{field}", known.name))
        })
    }
}

/// What a value that is compared says of yes and no.
fn said_truth(value: &Expr) -> Option<bool> {
    match value {
        Expr::Ident(word) => truth(word),
        Expr::Literal(LiteralValue::String(word)) => truth(word.inner()),
        Expr::Literal(LiteralValue::Int(number)) => match number.inner() {
            0 => Some(false),
            1 => Some(true),
            _ => None,
        },
        _ => None,
    }
}
