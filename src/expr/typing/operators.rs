//! Operators: logic, comparison, `in`, arithmetic, `? :`.

use super::{Place, Thing, Typing};
use crate::expr::tree::{Arithmetic, Bounds, Comparison, Kind, Node, Row, Value};
use crate::expr::{calendar, numbers};
use crate::problem::nearest;
use crate::time::{Date, Timestamp, habits};
use cel::IdedExpr;
use cel::common::ast::{Expr, operators};

fn comparison(name: &str) -> Option<Comparison> {
    Some(match name {
        operators::EQUALS => Comparison::Equal,
        operators::NOT_EQUALS => Comparison::NotEqual,
        operators::LESS => Comparison::Less,
        operators::LESS_EQUALS => Comparison::LessOrEqual,
        operators::GREATER => Comparison::Greater,
        operators::GREATER_EQUALS => Comparison::GreaterOrEqual,
        _ => return None,
    })
}

fn arithmetic(name: &str) -> Option<(Arithmetic, &'static str)> {
    Some(match name {
        operators::ADD => (Arithmetic::Add, "added"),
        operators::SUBSTRACT => (Arithmetic::Subtract, "subtracted"),
        operators::MULTIPLY => (Arithmetic::Multiply, "multiplied"),
        operators::DIVIDE => (Arithmetic::Divide, "divided"),
        operators::MODULO => (Arithmetic::Remainder, "divided"),
        _ => return None,
    })
}

impl Typing<'_> {
    /// The operator `name` applied to `args`; `None` where it is not an operator.
    pub(super) fn operator(
        &mut self,
        expr: &IdedExpr,
        name: &str,
        args: &[IdedExpr],
        place: &Place<'_>,
    ) -> Option<Option<Node>> {
        Some(match (name, args) {
            (operators::LOGICAL_AND, [a, b]) => self.both(a, b, place, Value::And),
            (operators::LOGICAL_OR, [a, b]) => self.both(a, b, place, Value::Or),
            (operators::LOGICAL_NOT, [a]) => self.boolean(a, place).map(|node| Node::boolean(Value::Not(node.boxed()))),
            (operators::NEGATE, [a]) => self.negate(expr, a, place),
            (operators::CONDITIONAL, [condition, yes, no]) => self.choose(expr, [condition, yes, no], place),
            (operators::IN, [a, list]) => self.within(expr, a, list, place),
            (operators::INDEX, _) => self.fault(expr, place, "single elements of a list cannot be read", None),
            (_, [a, b]) if comparison(name).is_some() => self.compare(expr, comparison(name)?, a, b, place),
            (_, [a, b]) if arithmetic(name).is_some() => self.arithmetic(expr, arithmetic(name)?, a, b, place),
            _ => return None,
        })
    }

    fn both(
        &mut self,
        a: &IdedExpr,
        b: &IdedExpr,
        place: &Place<'_>,
        value: fn(Box<Node>, Box<Node>) -> Value,
    ) -> Option<Node> {
        let (a, b) = (self.boolean(a, place), self.boolean(b, place));
        Some(Node::boolean(value(a?.boxed(), b?.boxed())))
    }

    fn negate(&mut self, expr: &IdedExpr, of: &IdedExpr, place: &Place<'_>) -> Option<Node> {
        let node = self.node(of, place)?;
        match (&node.value, node.kind) {
            (Value::Int(value), Kind::Number { .. }) => {
                let value = value.checked_neg()?;
                Some(Node { bounds: Bounds::exactly(value), value: Value::Int(value), ..node })
            }
            (_, Kind::Number { .. } | Kind::Duration) => {
                let (bounds, _) = Arithmetic::Subtract.bounds(Bounds::exactly(0), node.bounds);
                Some(Node { kind: node.kind, bounds, value: Value::Negate(node.boxed()) })
            }
            _ => self.fault(expr, place, format!("{} has no negative", node.kind.name()), None),
        }
    }

    fn choose(&mut self, expr: &IdedExpr, args: [&IdedExpr; 3], place: &Place<'_>) -> Option<Node> {
        let condition = self.boolean(args[0], place);
        let (yes, no) = (self.node(args[1], place), self.node(args[2], place));
        let (condition, yes, no) = (condition?, yes?, no?);
        let (yes, no) = match (yes.kind, no.kind) {
            (Kind::Number { .. }, Kind::Number { .. }) => match numbers::unified(yes, no) {
                Ok(both) => both,
                Err((message, help)) => return self.fault(expr, place, message, help),
            },
            (a, b) if a == b => (yes, no),
            (a, b) => {
                let message = format!("one choice is {}, the other {}", a.name(), b.name());
                return self.fault(expr, place, message, Some("both must be of one type"));
            }
        };
        let (kind, bounds) = (yes.kind, yes.bounds.or(no.bounds));
        Some(Node { kind, bounds, value: Value::Choose(condition.boxed(), yes.boxed(), no.boxed()) })
    }

    fn compare(
        &mut self,
        expr: &IdedExpr,
        op: Comparison,
        a: &IdedExpr,
        b: &IdedExpr,
        place: &Place<'_>,
    ) -> Option<Node> {
        let null = |side: &IdedExpr| side.expr == Expr::Literal(cel::common::ast::LiteralValue::Null);
        if null(a) || null(b) {
            return self.compare_with_null(expr, op, if null(a) { b } else { a }, place);
        }
        let x = self.node(a, place);
        if let Some(x) = &x {
            self.check_truth(op, (a, x.kind), b, place)?;
        }
        let y = self.node(b, place);
        let (x, y) = (x?, y?);
        let kinds = (x.kind, y.kind);
        let x = self.read_as(x, kinds.1, a, place);
        let y = self.read_as(y, kinds.0, b, place);
        let (x, y) = (x?, y?);
        self.check_one_of(&x, &y, b, place)?;
        self.check_one_of(&y, &x, a, place)?;
        let equality = matches!(op, Comparison::Equal | Comparison::NotEqual);
        let (x, y) = match (x.kind, y.kind) {
            (left @ Kind::Number { .. }, right @ Kind::Number { .. }) => {
                self.check_thousands(a, right, place)?;
                self.check_thousands(b, left, place)?;
                return self.settle(numbers::compare(op, x, y), expr, place);
            }
            (Kind::Date, Kind::Timestamp) => (x, date_of(y)),
            (Kind::Timestamp, Kind::Date) => (date_of(x), y),
            (Kind::Boolean, Kind::Boolean) if !equality => {
                return self.fault(expr, place, "true and false have no order", None);
            }
            (a, b) if a == b => (x, y),
            (left, right) => {
                let message = format!("{} cannot be compared with {}", left.name(), right.name());
                let meant = [&x, &y].into_iter().find_map(|side| match &side.value {
                    Value::Text(text) => self.field_called(text, place),
                    _ => None,
                });
                let meant = meant.map(|field| format!("did you mean `{field}`, without quotes?"));
                return self.fault(expr, place, message, meant.as_deref().or_else(|| cure((&x, &y))));
            }
        };
        Some(Node::boolean(Value::Compare(op, x.boxed(), y.boxed())))
    }

    fn compare_with_null(&mut self, expr: &IdedExpr, op: Comparison, of: &IdedExpr, place: &Place<'_>) -> Option<Node> {
        let known = match op {
            Comparison::Equal => self.known(of, place)?,
            Comparison::NotEqual => return self.known(of, place),
            _ => {
                return self.fault(
                    expr,
                    place,
                    "`null` can only be compared with `==` and `!=`",
                    Some("or write `has(…)`"),
                );
            }
        };
        Some(Node::boolean(Value::Not(known.boxed())))
    }

    /// `has(of)`.
    pub(super) fn known(&mut self, of: &IdedExpr, place: &Place<'_>) -> Option<Node> {
        let value = match self.thing(of, place)? {
            Thing::Node(node) => Value::Known(node.boxed()),
            Thing::Row { row: row @ Row::One { .. }, .. } => Value::Present(row),
            Thing::Row { .. } => Value::Bool(true),
            Thing::List(_) => return self.fault(of, place, "a list is never missing", Some("write `.size() > 0`")),
            Thing::Null => return self.fault(of, place, "`null` is never there", None),
        };
        Some(Node::boolean(value))
    }

    /// A text literal that meets a date or a timestamp is read as one.
    pub(super) fn read_as(&mut self, node: Node, other: Kind, expr: &IdedExpr, place: &Place<'_>) -> Option<Node> {
        let Value::Text(text) = &node.value else { return Some(node) };
        let read = match other {
            Kind::Date => text.parse::<Date>().map(|date| (Kind::Date, date.days())),
            Kind::Timestamp => match (text.parse::<Date>(), text.parse::<Timestamp>()) {
                (Ok(date), _) => Ok((Kind::Date, date.days())),
                (_, at) => at.map(|at| (Kind::Timestamp, at.micros())),
            },
            _ => return Some(node),
        };
        match read {
            Ok((kind, value)) => Some(Node { kind, bounds: Bounds::exactly(value), value: Value::Int(value) }),
            Err(error) => {
                if let Some(moment) = habits::moment(text) {
                    let help = format!("write `{moment}`, without quotes around it");
                    return self.fault(expr, place, format!("`{text}` is not written like this here"), Some(&help));
                }
                let help = habits::date(text).map(|date| format!("write `\"{date}\"`"));
                self.fault(expr, place, error.to_string(), help.as_deref())
            }
        }
    }

    /// A text that its field can never have is a slip.
    fn check_one_of(&mut self, field: &Node, literal: &Node, expr: &IdedExpr, place: &Place<'_>) -> Option<()> {
        let (Value::Field(row, name), Value::Text(text)) = (&field.value, &literal.value) else { return Some(()) };
        let declared = self.catalogue.entity(self.entity_of(row)).and_then(|entity| entity.field(name));
        let allowed = declared.map_or(&[][..], |field| &field.one_of);
        if allowed.is_empty() || allowed.contains(text) {
            return Some(());
        }
        let help = match nearest(text, allowed.iter().map(String::as_str)) {
            Some(near) => format!("did you mean \"{near}\"?"),
            None => format!("it is one of {}", super::names::listed(allowed.iter().map(String::as_str).collect())),
        };
        self.fault(expr, place, format!("`{name}` is never \"{text}\""), Some(&help))
    }

    fn within(&mut self, expr: &IdedExpr, of: &IdedExpr, list: &IdedExpr, place: &Place<'_>) -> Option<Node> {
        let Expr::List(literals) = &list.expr else {
            return self.fault(list, place, "`in` needs a list of values here", Some("write `x in [\"a\", \"b\"]`"));
        };
        let node = self.node(of, place);
        if literals.elements.is_empty() {
            return self.fault(list, place, "nothing is in an empty list", None);
        }
        let members: Vec<_> = literals.elements.iter().map(|member| (self.node(member, place), member)).collect();
        let node = node?;
        let mut kept = Vec::new();
        for (member, written) in members {
            let member = self.read_as(member?, node.kind, written, place)?;
            if !matches!(member.value, Value::Int(_) | Value::Text(_)) {
                return self.fault(written, place, "`in` takes values as they are written, nothing computed", None);
            }
            self.check_one_of(&node, &member, written, place)?;
            match (node.kind, member.kind) {
                (kind @ Kind::Number { .. }, Kind::Number { .. }) => {
                    self.check_thousands(written, kind, place)?;
                    kept.extend(numbers::as_member(&node, &member));
                }
                (a, b) if a == b => kept.push(member),
                (a, b) => {
                    let message = format!("{} cannot be among others that are {}", b.name(), a.name());
                    return self.fault(written, place, message, cure((&node, &member)));
                }
            }
        }
        if let (Kind::Boolean, _) = (node.kind, expr) {
            return self.fault(expr, place, "true or false is not looked up in a list", None);
        }
        Some(Node::boolean(if kept.is_empty() {
            Value::Always(false, node.boxed())
        } else {
            Value::In(node.boxed(), kept)
        }))
    }

    fn arithmetic(
        &mut self,
        expr: &IdedExpr,
        (op, word): (Arithmetic, &str),
        a: &IdedExpr,
        b: &IdedExpr,
        place: &Place<'_>,
    ) -> Option<Node> {
        let (x, y) = (self.node(a, place), self.node(b, place));
        let (x, y) = (x?, y?);
        let kind = match (x.kind, op, y.kind) {
            (Kind::Number { .. }, _, Kind::Number { .. }) => {
                return self.settle(numbers::arithmetic(op, x, y), expr, place);
            }
            (Kind::Timestamp, Arithmetic::Add | Arithmetic::Subtract, Kind::Duration)
            | (Kind::Duration, Arithmetic::Add, Kind::Timestamp) => Kind::Timestamp,
            (Kind::Timestamp, Arithmetic::Subtract, Kind::Timestamp)
            | (Kind::Duration, Arithmetic::Add | Arithmetic::Subtract, Kind::Duration) => Kind::Duration,
            (left, _, right) => {
                let dates = [left, right].iter().any(|kind| matches!(kind, Kind::Date | Kind::Timestamp));
                let cure = dates
                    .then_some("days are counted by `days_between(from, to)`, `days_since(x)` and `days_until(x)`");
                let message = format!("{} and {} cannot be {word}", left.name(), right.name());
                return self.fault(expr, place, message, cure);
            }
        };
        self.settle(numbers::exact(op, x, y, kind), expr, place)
    }
}

/// The calendar date of a timestamp.
pub fn date_of(node: Node) -> Node {
    let bounds = Bounds { least: -calendar::DAYS, greatest: calendar::DAYS };
    Node { kind: Kind::Date, bounds, value: Value::DateOf(node.boxed()) }
}

/// What people mean who compare a number with a text.
fn cure((a, b): (&Node, &Node)) -> Option<&'static str> {
    let looks_like_number = |node: &Node| matches!(&node.value, Value::Text(text) if text.parse::<f64>().is_ok());
    let number = |node: &Node| matches!(node.kind, Kind::Number { .. });
    match (a, b) {
        (text, other) | (other, text) if looks_like_number(text) && number(other) => {
            Some("write the number without quotes")
        }
        (text, other) | (other, text)
            if other.kind == Kind::Boolean
                && matches!(&text.value, Value::Text(word) if word == "true" || word == "false") =>
        {
            Some("write `true` and `false` without quotes")
        }
        (Node { value: Value::Text(_), .. }, Node { value: Value::Int(_), .. }) => {
            Some("what stands in quotes is that very text; a field has its row before it: `customer.…`")
        }
        (text, other) if text.kind == Kind::Text && matches!(other.value, Value::Int(_)) => {
            Some("write the value in quotes")
        }
        (other, text) if text.kind == Kind::Text && matches!(other.value, Value::Int(_)) => {
            Some("write the value in quotes")
        }
        _ => None,
    }
}
