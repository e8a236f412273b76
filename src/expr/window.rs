//! A condition over a stretch of time: of which rows it may be true at some instant of it, and of which it is at every
//! one. For simulations, which ask at thousands of instants about data that stand still.
//!
//! 1. If a condition is true at an instant of the window, what [`may_be_true`] gives is true. If it is false at one,
//!    what [`may_be_false`] gives is true.
//! 2. If what [`may_be_true`] gives is false, the condition is false at every instant; if what [`may_be_false`] gives is
//!    false, it is true at every one.
//! 3. What is not understood may be anything. So a window is asked first, and instants only of the rows it leaves.
//! 4. The trees that are given are to be judged at the window's first instant.

use super::tree::{Arithmetic, Bounds, Calendar, Comparison, Fold, Kind, List, Node, Value};
use super::{Aliases, Clause, Moment};
use crate::catalogue::Catalogue;
use crate::sql::{Dialect, Sql};
use crate::time::{Span, Timestamp};

/// The entity of plusone's own touchpoints.
const TOUCHPOINT: &str = "touchpoint";
const DAY: i64 = 86_400_000_000;
/// Days of a year, and one more.
const YEAR: i64 = 366;

/// From `from.now` to `until`, both included.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Window {
    pub from: Moment,
    pub until: Timestamp,
}

impl Clause {
    /// Appends an SQL condition that is true of every row of which the clause is true at some instant of the window.
    pub fn write_possible(
        &self,
        sql: &mut Sql,
        dialect: Dialect,
        catalogue: &Catalogue,
        aliases: Aliases<'_>,
        window: Window,
    ) {
        self.writer(sql, dialect, catalogue, aliases, window.from).node(&may_be_true(&self.node, window));
    }

    /// Appends an SQL condition that is true only of rows of which the clause is true at every instant of the window.
    pub fn write_certain(
        &self,
        sql: &mut Sql,
        dialect: Dialect,
        catalogue: &Catalogue,
        aliases: Aliases<'_>,
        window: Window,
    ) {
        self.writer(sql, dialect, catalogue, aliases, window.from).node(&not(may_be_false(&self.node, window)));
    }

    /// Whether what the clause says of a row stays the same while the data do.
    pub fn stands_still(&self) -> bool {
        !moves(&self.node) && !self.reads_touchpoints()
    }

    /// Whether the clause reads touchpoints, which do not stand still.
    pub fn reads_touchpoints(&self) -> bool {
        reads_touchpoints(&self.node)
    }
}

fn reads_touchpoints(node: &Node) -> bool {
    let of_touchpoints = matches!(&node.value, Value::Fold(list, _) if list.entity == TOUCHPOINT);
    of_touchpoints || node.children().into_iter().any(reads_touchpoints)
}

/// True wherever `node`, a truth value, is true at some instant of the window.
pub fn may_be_true(node: &Node, window: Window) -> Node {
    if !moves(node) {
        return node.clone();
    }
    match &node.value {
        Value::Not(of) => may_be_false(of, window),
        Value::And(a, b) => both(may_be_true(a, window), may_be_true(b, window)),
        Value::Or(a, b) => either(may_be_true(a, window), may_be_true(b, window)),
        Value::Compare(op, a, b) => compared(*op, a, b, window),
        Value::In(of, among) if among.len() <= 20 && !among.iter().any(moves) => {
            let one = |one: &Node| compared(Comparison::Equal, of, one, window);
            among.iter().map(one).reduce(either).unwrap_or_else(anything)
        }
        Value::Calendar(Calendar::IsAnniversary, of) if !moves(of) => {
            let until = Value::Calendar(Calendar::DaysUntilAnniversary, of.clone());
            let bounds = Bounds { least: 0, greatest: YEAR };
            let until = Node { kind: Kind::INTEGER, bounds, value: until };
            if window.days() == 0 {
                return node.clone();
            }
            // A clock may be set back over midnight: the day before may come once more.
            either(
                comparison(Comparison::LessOrEqual, until.clone(), whole(window.days())),
                comparison(Comparison::GreaterOrEqual, until, whole(YEAR - 2)),
            )
        }
        Value::Fold(list, Fold::Exists) => exists(list, |filter| may_be_true(filter, window)),
        _ => anything(),
    }
}

/// True wherever `node`, a truth value, is false at some instant of the window.
pub fn may_be_false(node: &Node, window: Window) -> Node {
    if !moves(node) {
        return not(node.clone());
    }
    match &node.value {
        Value::Not(of) => may_be_true(of, window),
        Value::And(a, b) => either(may_be_false(a, window), may_be_false(b, window)),
        Value::Or(a, b) => both(may_be_false(a, window), may_be_false(b, window)),
        Value::Compare(op, a, b) => compared(op.negated(), a, b, window),
        Value::Fold(list, Fold::Exists) => not(exists(list, |filter| not(may_be_false(filter, window)))),
        _ => anything(),
    }
}

/// Whether the value may be another at another instant, of data that stand still.
pub fn moves(node: &Node) -> bool {
    match &node.value {
        Value::Now(_) | Value::Today | Value::Calendar(..) | Value::TouchpointAt => true,
        _ => node.children().into_iter().any(moves),
    }
}

impl Window {
    /// How many days today may move on within it.
    fn days(self) -> i64 {
        if self.until == self.from.now {
            return 0;
        }
        if self.from.in_customers_time {
            // One midnight more than days have passed; clocks may be set.
            return (self.until.since(self.from.now).micros() + DAY / 4) / DAY + 1;
        }
        let (least, greatest) = self.dates(Span::default());
        greatest - least
    }

    /// The least and the greatest date of the instant moved by `span`.
    fn dates(self, span: Span) -> (i64, i64) {
        let (first, last) = (self.from.now.plus(span), self.until.plus(span));
        if self.from.in_customers_time {
            let at = |now| Moment { now, ..self.from }.days();
            return (*at(first).start(), *at(last).end());
        }
        let zone = self.from.zone;
        let (from, until) = (first.date(zone).days(), last.date(zone).days());
        // A clock that is set back over midnight shows the day before once more.
        let offset = |at: Timestamp| at.local(zone) - at.utc().naive_utc();
        let is_set = last.since(first).micros() > DAY || offset(first) != offset(last);
        let more = i64::from(is_set);
        (from - more, until + more)
    }
}

/// The comparison with both sides as they may be furthest apart.
fn compared(op: Comparison, a: &Node, b: &Node, window: Window) -> Node {
    let (Some((a_least, a_most)), Some((b_least, b_most))) = (range(a, window), range(b, window)) else {
        return anything();
    };
    match op {
        Comparison::Less | Comparison::LessOrEqual => comparison(op, a_least, b_most),
        Comparison::Greater | Comparison::GreaterOrEqual => comparison(op, a_most, b_least),
        Comparison::Equal => both(
            comparison(Comparison::LessOrEqual, a_least, b_most),
            comparison(Comparison::GreaterOrEqual, a_most, b_least),
        ),
        Comparison::NotEqual => anything(),
    }
}

/// The least and the greatest value in the window, where both can be said.
fn range(node: &Node, window: Window) -> Option<(Node, Node)> {
    if !moves(node) {
        return Some((node.clone(), node.clone()));
    }
    match &node.value {
        Value::Now(span) => Some((
            constant(node.kind, window.from.now.plus(*span).micros()),
            constant(node.kind, window.until.plus(*span).micros()),
        )),
        Value::Today => {
            let (least, greatest) = window.dates(Span::default());
            Some((constant(node.kind, least), constant(node.kind, greatest)))
        }
        Value::DateOf(of) => match &of.value {
            Value::Now(span) => {
                let (least, greatest) = window.dates(*span);
                Some((constant(node.kind, least), constant(node.kind, greatest)))
            }
            _ => None,
        },
        Value::Arithmetic(op @ (Arithmetic::Add | Arithmetic::Subtract), a, b) => {
            let ((a_least, a_most), (b_least, b_most)) = (range(a, window)?, range(b, window)?);
            let (first, second) = if *op == Arithmetic::Add {
                ((a_least, b_least), (a_most, b_most))
            } else {
                ((a_least, b_most), (a_most, b_least))
            };
            Some((arithmetic(*op, node.kind, first)?, arithmetic(*op, node.kind, second)?))
        }
        Value::Negate(of) => {
            let (least, most) = range(of, window)?;
            Some((negated(node.kind, most)?, negated(node.kind, least)?))
        }
        Value::Calendar(function, of) if !moves(of) => Some(of_calendar(*function, node, window)),
        Value::Fold(list, Fold::Count) => {
            let count = |filters: Vec<Node>| Node {
                value: Value::Fold(Box::new(List { filters, ..List::clone(list) }), Fold::Count),
                ..node.clone()
            };
            let least = list.filters.iter().map(|filter| not(may_be_false(filter, window))).collect();
            let most = list.filters.iter().map(|filter| may_be_true(filter, window)).collect();
            Some((count(least), count(most)))
        }
        _ => None,
    }
}

/// A count of days or years, which is known as of the window's first instant.
fn of_calendar(function: Calendar, node: &Node, window: Window) -> (Node, Node) {
    let days = window.days();
    match function {
        Calendar::YearsSince => {
            let more = if days == 0 { 0 } else { days / (YEAR - 1) + 1 };
            (plus(node, 0), plus(node, more))
        }
        _ if days == 0 => (node.clone(), node.clone()),
        _ => {
            // It counts down to the day and begins again; a day is added for a 29 February that comes or goes.
            let far = comparison(Comparison::Greater, node.clone(), whole(days + 1));
            let choose = |yes: Node, no: i64| Node {
                bounds: Bounds { least: -1, greatest: 2 * YEAR },
                value: Value::Choose(far.clone().boxed(), yes.boxed(), whole(no).boxed()),
                kind: node.kind,
            };
            (choose(plus(node, -days - 1), 0), choose(plus(node, 1), YEAR + 1))
        }
    }
}

fn exists(list: &List, filter: impl Fn(&Node) -> Node) -> Node {
    let filters = list.filters.iter().map(filter).collect();
    Node::boolean(Value::Fold(Box::new(List { filters, ..list.clone() }), Fold::Exists))
}

fn anything() -> Node {
    Node::boolean(Value::Bool(true))
}

fn not(of: Node) -> Node {
    Node::boolean(Value::Not(of.boxed()))
}

fn both(a: Node, b: Node) -> Node {
    Node::boolean(Value::And(a.boxed(), b.boxed()))
}

fn either(a: Node, b: Node) -> Node {
    Node::boolean(Value::Or(a.boxed(), b.boxed()))
}

fn comparison(op: Comparison, a: Node, b: Node) -> Node {
    Node::boolean(Value::Compare(op, a.boxed(), b.boxed()))
}

fn constant(kind: Kind, value: i64) -> Node {
    Node { kind, bounds: Bounds::exactly(value), value: Value::Int(value) }
}

fn whole(value: i64) -> Node {
    constant(Kind::INTEGER, value)
}

fn plus(node: &Node, more: i64) -> Node {
    if more == 0 {
        return node.clone();
    }
    let bounds =
        Bounds { least: node.bounds.least.saturating_add(more), greatest: node.bounds.greatest.saturating_add(more) };
    let value = Value::Arithmetic(Arithmetic::Add, node.clone().boxed(), whole(more).boxed());
    Node { kind: node.kind, bounds, value }
}

/// Where no result leaves 64 bits: one that did would be unknown, and say nothing of the instants between.
fn arithmetic(op: Arithmetic, kind: Kind, (a, b): (Node, Node)) -> Option<Node> {
    let (bounds, fits) = op.bounds(a.bounds, b.bounds);
    fits.then(|| Node { kind, bounds, value: Value::Arithmetic(op, a.boxed(), b.boxed()) })
}

fn negated(kind: Kind, of: Node) -> Option<Node> {
    let Bounds { least, greatest } = of.bounds;
    let bounds = Bounds { least: greatest.checked_neg()?, greatest: least.checked_neg()? };
    Some(Node { kind, bounds, value: Value::Negate(of.boxed()) })
}
