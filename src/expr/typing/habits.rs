//! What is written as it is elsewhere, and would mean something else here.

use super::{Place, Typing};
use crate::amount::{reads_as_thousands, unlike_thousands};
use crate::expr::tree::{Kind, Unit};
use cel::IdedExpr;

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
}
