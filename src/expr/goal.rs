//! Goals: conditions that also know when a message was sent, `touchpoint.at`, and for how long it counts.
//!
//! 1. What is compared as later than `touchpoint.at` must also lie within the goal's span of it: an order of next year
//!    is not the fruit of this message. The upper end is written into the tree, beside the comparison.
//! 2. The FROM clause around a goal has a row under the alias [`TOUCHPOINT`] with the column `at`.

use super::tree::{Arithmetic, Bounds, Comparison, Fold, Kind, Node, Value};
use super::{Clause, Scope, parse, typing};
use crate::problem::Fault;
use crate::time::Span;

/// The alias of the touchpoint that a goal is judged for.
pub const TOUCHPOINT: &str = "_touch";

impl Clause {
    /// Reads, types and checks a goal's condition: [`Clause::compile`], and `touchpoint.at`.
    ///
    /// # Errors
    /// Every fault found, each at its place in `text`.
    pub fn compile_goal(text: &str, scope: Scope<'_>, within: Span) -> Result<Self, Vec<Fault>> {
        let typed = parse::on_a_large_stack(|| typing::goal(text, scope.catalogue, scope.root))?;
        let mut node = typed.node;
        limit(&mut node, within);
        Ok(Self { text: text.to_owned(), node, used: typed.used, rule: None })
    }

    /// Whether the condition asks for something that is later than the message.
    pub fn looks_at_the_touchpoint(&self) -> bool {
        mentions(&self.node)
    }
}

/// Gives every comparison "later than `touchpoint.at`" its upper end.
fn limit(node: &mut Node, within: Span) {
    for child in children_mut(node) {
        limit(child, within);
    }
    let Value::Compare(op, a, b) = &node.value else { return };
    let is_later = |op| matches!(op, Comparison::Greater | Comparison::GreaterOrEqual);
    let later = match (mentions(a), mentions(b)) {
        (false, true) if is_later(*op) => a,
        (true, false) if is_later(op.flipped()) => b,
        _ => return,
    };
    let end = match later.kind {
        Kind::Timestamp => end(within),
        Kind::Date => typing::date_of(end(within)),
        _ => return,
    };
    let in_time = Node::boolean(Value::Compare(Comparison::LessOrEqual, later.clone(), end.boxed()));
    let compared = std::mem::replace(node, Node::boolean(Value::Bool(true)));
    node.value = Value::And(compared.boxed(), in_time.boxed());
}

/// `touchpoint.at` and the goal's span.
fn end(within: Span) -> Node {
    let at = typing::touchpoint_at();
    let span = within.micros();
    let span = Node { kind: Kind::Duration, bounds: Bounds::exactly(span), value: Value::Int(span) };
    let (bounds, _) = Arithmetic::Add.bounds(at.bounds, span.bounds);
    Node { kind: Kind::Timestamp, bounds, value: Value::Arithmetic(Arithmetic::Add, at.boxed(), span.boxed()) }
}

fn mentions(node: &Node) -> bool {
    node.value == Value::TouchpointAt || node.children().into_iter().any(mentions)
}

fn children_mut(node: &mut Node) -> Vec<&mut Node> {
    match &mut node.value {
        Value::Known(a) | Value::Not(a) | Value::Always(_, a) | Value::Negate(a) | Value::Matches(a, _) => vec![a],
        Value::Lower(a) | Value::DateOf(a) | Value::Calendar(_, a) => vec![a],
        Value::And(a, b) | Value::Or(a, b) | Value::Compare(_, a, b) | Value::Arithmetic(_, a, b) => vec![a, b],
        Value::TextTest(_, a, b) => vec![a, b],
        Value::In(a, list) => std::iter::once(&mut **a).chain(list).collect(),
        Value::Choose(a, b, c) => vec![a, b, c],
        Value::Fold(list, fold) => {
            let of: Option<&mut Node> = match fold {
                Fold::Exists | Fold::Count => None,
                Fold::All(of) | Fold::Sum(of) | Fold::Least(of) | Fold::Greatest(of) | Fold::Average(of, _) => Some(of),
            };
            list.filters.iter_mut().chain(of).collect()
        }
        _ => vec![],
    }
}

#[cfg(test)]
mod tests;
