//! Comparisons. What is compared with a constant is written so that the column stands alone: an index can serve it.

use super::Writer;
use crate::expr::calendar::start_of;
use crate::expr::tree::{Arithmetic, Comparison, Kind, Node, Value};
use crate::sql::Dialect;

impl Writer<'_> {
    pub(super) fn compare(&mut self, op: Comparison, a: &Node, b: &Node) {
        match (a.constant(self.moment), b.constant(self.moment)) {
            (None, Some(Some(constant))) => self.compare_with(op, a, constant),
            (Some(Some(constant)), None) => self.compare_with(op.flipped(), b, constant),
            _ => {
                let ordered = a.kind == Kind::Text && !matches!(op, Comparison::Equal | Comparison::NotEqual);
                let collate = if ordered { self.dialect.collate() } else { "" };
                self.infix(a, &format!("{collate} {} ", op.sql()), b);
            }
        }
    }

    /// `node op constant`, with constants moved to the right and dates made instants where that changes nothing.
    fn compare_with(&mut self, op: Comparison, node: &Node, constant: i64) {
        match &node.value {
            Value::Arithmetic(kind @ (Arithmetic::Add | Arithmetic::Subtract), a, b)
                if kind.bounds(a.bounds, b.bounds).1 =>
            {
                let (left, right) = (a.constant(self.moment).flatten(), b.constant(self.moment).flatten());
                let moved = match (kind, left, right) {
                    (Arithmetic::Add, Some(x), None) => constant.checked_sub(x).map(|c| (op, b, c)),
                    (Arithmetic::Add, None, Some(x)) => constant.checked_sub(x).map(|c| (op, a, c)),
                    (Arithmetic::Subtract, None, Some(x)) => constant.checked_add(x).map(|c| (op, a, c)),
                    (Arithmetic::Subtract, Some(x), None) => x.checked_sub(constant).map(|c| (op.flipped(), b, c)),
                    _ => None,
                };
                if let Some((op, node, constant)) = moved {
                    return self.compare_with(op, node, constant);
                }
            }
            Value::DateOf(of) if of.is_simple() && self.compare_date(op, of, constant) => return,
            _ => {}
        }
        self.push("(");
        self.node(node);
        self.push(&format!(" {} ", op.sql()));
        self.sql.bind(constant);
        self.push(")");
    }

    /// `the date of timestamp op day` as instants, where the days around it have a single start each.
    fn compare_date(&mut self, op: Comparison, timestamp: &Node, day: i64) -> bool {
        let zone = self.moment.zone;
        if self.moment.in_customers_time {
            return false;
        }
        let Some((start, end)) = start_of(day, zone).zip(start_of(day + 1, zone)) else { return false };
        let bounds: &[(&str, i64)] = match op {
            Comparison::Less => &[(" < ", start.micros())],
            Comparison::LessOrEqual => &[(" < ", end.micros())],
            Comparison::Greater => &[(" >= ", end.micros())],
            Comparison::GreaterOrEqual => &[(" >= ", start.micros())],
            Comparison::Equal => &[(" >= ", start.micros()), (" < ", end.micros())],
            Comparison::NotEqual => &[(" < ", start.micros()), (" >= ", end.micros())],
        };
        for (index, (sign, bound)) in bounds.iter().enumerate() {
            let between = if op == Comparison::NotEqual { " or " } else { " and " };
            self.push(if index == 0 { "(" } else { between });
            self.node(timestamp);
            self.push(sign);
            self.sql.bind(*bound);
        }
        self.push(")");
        true
    }

    pub(super) fn within(&mut self, of: &Node, members: &[Node]) {
        self.push("(");
        self.node(of);
        for (index, member) in members.iter().enumerate() {
            self.push(if index == 0 { " in (" } else { ", " });
            self.node(member);
        }
        self.push("))");
    }

    /// The order of texts by their bytes.
    pub(super) fn bytewise(&self) -> &'static str {
        match self.dialect {
            Dialect::Sqlite => "",
            Dialect::Postgres => self.dialect.collate(),
        }
    }
}
