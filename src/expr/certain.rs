//! What a condition can be at all, whatever the data says: found on the typed tree, without a row.
//!
//! 1. A condition that cannot be false leaves nobody out but those of whom it is unknown.
//! 2. It errs to one side only: what is called certain is certain; not every certainty is found.

use super::tree::{Bounds, Comparison, Fold, Kind, Node, Row, Value};
use super::{Clause, Scope};
use crate::catalogue::{CUSTOMER, Place};

/// The answers that a condition can give.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Answers {
    yes: bool,
    no: bool,
    unknown: bool,
}

const ALL: Answers = Answers { yes: true, no: true, unknown: true };
const EITHER: Answers = Answers { unknown: false, ..ALL };

impl Answers {
    const fn only(yes: bool, unknown: bool) -> Self {
        Self { yes, no: !yes, unknown }
    }

    const fn flipped(self) -> Self {
        Self { yes: self.no, no: self.yes, ..self }
    }

    const fn or(self, other: Self) -> Self {
        Self {
            yes: self.yes || other.yes,
            no: self.no && other.no,
            unknown: (self.unknown && (other.unknown || other.no)) || (other.unknown && self.no),
        }
    }
}

/// A text that a field must be.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct WantedText<'a> {
    /// Whether the field is the customer's, not that of the row which the condition is about.
    pub of_customer: bool,
    pub field: &'a str,
    pub text: &'a str,
}

impl Clause {
    /// Whether no row makes the condition false.
    pub fn cannot_be_false(&self, scope: Scope<'_>) -> bool {
        !Reader::new(scope).answers(&self.node).no
    }

    /// Whether no row makes the condition false by its form alone, whatever `data.toml` says of the fields in it:
    /// `x || !x`, but not `has(x)` of a field that every row has.
    pub fn is_tautology(&self, scope: Scope<'_>) -> bool {
        !Reader { is_declared: false, ..Reader::new(scope) }.answers(&self.node).no
    }

    /// Whether no row makes the condition true: `x == 1 && x == 2`.
    pub fn cannot_be_true(&self, scope: Scope<'_>) -> bool {
        !Reader::new(scope).answers(&self.node).yes
    }

    /// Whether the answer may be another one later, with the same data.
    pub fn asks_the_clock(&self) -> bool {
        let mut left = vec![&self.node];
        while let Some(node) = left.pop() {
            if matches!(node.value, Value::Now(_) | Value::Today | Value::Calendar(..)) {
                return true;
            }
            left.extend(node.children());
        }
        false
    }

    /// Whether no row makes one of the parts false that the condition joins by `&&` at its top.
    pub fn has_an_idle_part(&self, scope: Scope<'_>) -> bool {
        chain(&self.node, Junction::And).into_iter().any(|part| !Reader::new(scope).answers(part).no)
    }

    /// Whether the condition holds only of rows that have this field.
    pub fn asks_for(&self, field: &str, scope: Scope<'_>) -> bool {
        let reader = Reader::new(scope);
        let is_it = |node: &Node| match &node.value {
            Value::Field(row, name) => reader.entity(row).is_some_and(|entity| format!("{entity}.{name}") == field),
            _ => false,
        };
        let parts = chain(&self.node, Junction::And);
        parts.iter().any(|part| matches!(&part.value, Value::Known(of) if is_it(of)))
    }

    /// A field of the row that the condition is about, or of its customer, that must be a text: `cart.status == "open"`.
    pub fn wanted_text(&self) -> Option<WantedText<'_>> {
        let parts = chain(&self.node, Junction::And);
        parts.into_iter().find_map(|part| match with_constant(part)? {
            (Comparison::Equal, field, constant) => match (&field.value, &constant.value) {
                (Value::Field(row @ (Row::Root | Row::Customer), field), Value::Text(text)) => {
                    Some(WantedText { of_customer: *row == Row::Customer, field, text })
                }
                _ => None,
            },
            _ => None,
        })
    }

    /// A field, as `customer.tier`, that the condition wants to differ from a value: those who have none are left out
    /// too, since of them it is unknown.
    pub fn left_out_without(&self, scope: Scope<'_>) -> Option<String> {
        let reader = Reader::new(scope);
        let parts = chain(&self.node, Junction::And);
        parts.iter().find_map(|part| match with_constant(part)? {
            (Comparison::NotEqual, field, _) if !reader.is_always_known(field) => {
                let Value::Field(row, name) = &field.value else { return None };
                Some(format!("{}.{name}", reader.entity(row)?))
            }
            _ => None,
        })
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Junction {
    And,
    Or,
}

/// The operands of a chain of `&&` or of `||`.
fn chain(node: &Node, junction: Junction) -> Vec<&Node> {
    match (&node.value, junction) {
        (Value::And(a, b), Junction::And) | (Value::Or(a, b), Junction::Or) => {
            let mut operands = chain(a, junction);
            operands.extend(chain(b, junction));
            operands
        }
        _ => vec![node],
    }
}

struct Reader<'a> {
    scope: Scope<'a>,
    /// Whether what `data.toml` says of a field is believed.
    is_declared: bool,
}

impl<'a> Reader<'a> {
    const fn new(scope: Scope<'a>) -> Self {
        Self { scope, is_declared: true }
    }

    fn answers(&self, node: &Node) -> Answers {
        match &node.value {
            Value::Bool(value) => Answers::only(*value, false),
            Value::Field(..) | Value::Present(_) | Value::Fold(_, Fold::Exists) => EITHER,
            Value::Known(of) => match &of.value {
                // A boolean field can be read where it is missing, and is not there all the same.
                Value::Field(row, field) if !self.is_required(row, field) => EITHER,
                _ if self.is_always_known(of) => Answers::only(true, false),
                _ => EITHER,
            },
            Value::Not(of) => self.answers(of).flipped(),
            Value::Or(..) => self.any_of(&chain(node, Junction::Or)),
            Value::And(..) => self.all_of(&chain(node, Junction::And)),
            Value::Compare(op, a, b) => self.comparison(*op, a, b),
            Value::Always(value, of) => Answers::only(*value, !self.is_always_known(of)),
            Value::Fold(_, Fold::All(of)) if self.answers(of) == Answers::only(true, false) => self.answers(of),
            Value::Fold(_, Fold::All(_)) => EITHER,
            _ => ALL,
        }
    }

    fn any_of(&self, operands: &[&Node]) -> Answers {
        let nothing = Answers::only(false, false);
        let answers = operands.iter().fold(nothing, |all, one| all.or(self.answers(one)));
        let covers = pairs(operands).any(|(a, b)| are_opposites(a, b) || leave_no_value(a, b));
        Answers { no: answers.no && !covers, ..answers }
    }

    fn all_of(&self, operands: &[&Node]) -> Answers {
        let nothing = Answers::only(false, false);
        let answers = operands.iter().fold(nothing, |all, one| all.or(self.answers(one).flipped())).flipped();
        let excludes = |(a, b)| are_opposites(a, b) || leave_no_room(a, b);
        Answers { yes: answers.yes && !pairs(operands).any(excludes), ..answers }
    }

    fn comparison(&self, op: Comparison, a: &Node, b: &Node) -> Answers {
        let unknown = !(self.is_always_known(a) && self.is_always_known(b));
        if a == b {
            let holds = matches!(op, Comparison::Equal | Comparison::LessOrEqual | Comparison::GreaterOrEqual);
            return Answers::only(holds, unknown);
        }
        let decided = match (&a.value, &b.value) {
            (Value::Text(a), Value::Text(b)) => Some(op.holds(a.cmp(b))),
            // An empty text is a missing one.
            (Value::Field(row, _), Value::Text(text)) if text.is_empty() && self.has_no_empty_text(row) => match op {
                Comparison::NotEqual => Some(true),
                Comparison::Equal => Some(false),
                _ => None,
            },
            _ if matches!(a.kind, Kind::Text | Kind::Boolean) => None,
            _ => by_bounds(op, a.bounds, b.bounds),
        };
        decided.map_or(Answers { unknown, ..ALL }, |holds| Answers::only(holds, unknown))
    }

    /// Whether the value is there in every row.
    fn is_always_known(&self, node: &Node) -> bool {
        match &node.value {
            Value::Text(_) | Value::Int(_) | Value::Bool(_) | Value::Now(_) | Value::Today | Value::TouchpointAt => {
                true
            }
            Value::Field(row, field) => node.kind == Kind::Boolean || self.is_required(row, field),
            Value::Lower(of) | Value::DateOf(of) => self.is_always_known(of),
            Value::Fold(_, fold) => matches!(fold, Fold::Count | Fold::Exists | Fold::All(_)),
            _ => false,
        }
    }

    fn is_required(&self, row: &Row, name: &str) -> bool {
        let entity = self.entity(row).and_then(|name| self.scope.catalogue.entity(name));
        entity.is_some_and(|entity| {
            let declared = entity.field(name).is_some_and(|field| field.required);
            self.is_declared && (entity.key == name || declared && !matches!(entity.place, Place::InPlace(_)))
        })
    }

    /// Whether the row's empty texts were read as missing ones.
    fn has_no_empty_text(&self, row: &Row) -> bool {
        let entity = self.entity(row).and_then(|name| self.scope.catalogue.entity(name));
        self.is_declared && entity.is_some_and(|entity| !matches!(entity.place, Place::InPlace(_)))
    }

    /// The entity of a row that is there for certain.
    fn entity(&self, row: &Row) -> Option<&str> {
        match row {
            Row::Root => Some(self.scope.root),
            Row::Customer => Some(CUSTOMER),
            Row::Element(_) | Row::One { .. } => None,
        }
    }
}

fn pairs<'n>(operands: &'n [&'n Node]) -> impl Iterator<Item = (&'n Node, &'n Node)> {
    operands.iter().enumerate().flat_map(move |(place, a)| operands[place + 1..].iter().map(move |b| (*a, *b)))
}

/// Whether one is true wherever the other is false.
fn are_opposites(a: &Node, b: &Node) -> bool {
    match (&a.value, &b.value) {
        (Value::Not(a), _) if **a == *b => true,
        (_, Value::Not(b)) if *a == **b => true,
        (Value::Compare(op, x, y), Value::Compare(other, v, w)) => {
            let negated = op.negated();
            (negated == *other && x == v && y == w) || (negated == other.flipped() && x == w && y == v)
        }
        _ => false,
    }
}

/// Whether every known value of what both compare with constants makes one of them true: `x != 1 || x != 2`.
fn leave_no_value(a: &Node, b: &Node) -> bool {
    let (Some((op, x, c)), Some((other, y, d))) = (with_constant(a), with_constant(b)) else { return false };
    if x != y {
        return false;
    }
    match (op, other) {
        (Comparison::NotEqual, Comparison::NotEqual) => c.value != d.value,
        (Comparison::NotEqual, Comparison::Equal) | (Comparison::Equal, Comparison::NotEqual) => c.value == d.value,
        (Comparison::Equal, Comparison::Equal) => x.kind == Kind::Boolean && c.value != d.value,
        _ => match (upper_end(op, c), lower_end(other, d), upper_end(other, d), lower_end(op, c)) {
            (Some(upper), Some(lower), _, _) | (_, _, Some(upper), Some(lower)) => lower <= upper.saturating_add(1),
            _ => false,
        },
    }
}

/// Whether no value of what both compare with constants makes both of them true: `x == 1 && x == 2`.
fn leave_no_room(a: &Node, b: &Node) -> bool {
    let (Some((op, x, c)), Some((other, y, d))) = (with_constant(a), with_constant(b)) else { return false };
    if x != y {
        return false;
    }
    match (op, other) {
        (Comparison::Equal, Comparison::Equal) => c.value != d.value,
        (Comparison::NotEqual, Comparison::Equal) | (Comparison::Equal, Comparison::NotEqual) => c.value == d.value,
        _ => match (ends(op, c), ends(other, d)) {
            (Some((low, high)), Some((least, greatest))) => low.max(least) > high.min(greatest),
            _ => false,
        },
    }
}

/// The least and the greatest number that make the comparison true.
fn ends(op: Comparison, constant: &Node) -> Option<(i64, i64)> {
    match (op, &constant.value) {
        (Comparison::Equal, Value::Int(value)) => Some((*value, *value)),
        _ => match (lower_end(op, constant), upper_end(op, constant)) {
            (None, None) => None,
            (low, high) => Some((low.unwrap_or(i64::MIN), high.unwrap_or(i64::MAX))),
        },
    }
}

/// A comparison with a constant on the right: `!(x == 1)` as `x != 1`, `1 < x` as `x > 1`.
fn with_constant(node: &Node) -> Option<(Comparison, &Node, &Node)> {
    let is_constant = |node: &Node| matches!(node.value, Value::Text(_) | Value::Int(_) | Value::Bool(_));
    match &node.value {
        Value::Not(of) => with_constant(of).map(|(op, x, c)| (op.negated(), x, c)),
        Value::Compare(op, x, c) if is_constant(c) => Some((*op, x, c)),
        Value::Compare(op, c, x) if is_constant(c) => Some((op.flipped(), x, c)),
        _ => None,
    }
}

/// The greatest number up to which all make the comparison true.
fn upper_end(op: Comparison, constant: &Node) -> Option<i64> {
    match (op, &constant.value) {
        (Comparison::Less, Value::Int(value)) => value.checked_sub(1),
        (Comparison::LessOrEqual, Value::Int(value)) => Some(*value),
        _ => None,
    }
}

/// The least number from which on all make the comparison true.
fn lower_end(op: Comparison, constant: &Node) -> Option<i64> {
    match (op, &constant.value) {
        (Comparison::Greater, Value::Int(value)) => value.checked_add(1),
        (Comparison::GreaterOrEqual, Value::Int(value)) => Some(*value),
        _ => None,
    }
}

/// What the bounds of two numbers say of their comparison.
fn by_bounds(op: Comparison, a: Bounds, b: Bounds) -> Option<bool> {
    let below = a.greatest < b.least;
    let above = a.least > b.greatest;
    let same = a.least == a.greatest && b.least == b.greatest && a.least == b.least;
    match op {
        Comparison::Equal => (same || below || above).then_some(same),
        Comparison::NotEqual => (same || below || above).then_some(!same),
        Comparison::Less => decided(below, a.least >= b.greatest),
        Comparison::LessOrEqual => decided(a.greatest <= b.least, above),
        Comparison::Greater => decided(above, a.greatest <= b.least),
        Comparison::GreaterOrEqual => decided(a.least >= b.greatest, below),
    }
}

const fn decided(yes: bool, no: bool) -> Option<bool> {
    match (yes, no) {
        (true, _) => Some(true),
        (_, true) => Some(false),
        _ => None,
    }
}

#[cfg(test)]
mod tests;
