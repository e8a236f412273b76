//! From CEL's tree to the typed one: names are looked up in the catalogue, kinds and scales settled.
//!
//! 1. Every fault of the text is collected; a part with a fault gives no node, and no further faults.
//! 2. Computed fields are expanded where they are read; one that leads back to itself is a fault.
//! 3. The tree that comes out is bounded by [`MAX_NODES`], whatever the computed fields do.

mod calls;
mod habits;
mod lists;
mod names;
mod operators;
mod times;

pub use names::touchpoint_at;
pub use operators::date_of;

use super::Used;
use super::numbers::Refusal;
use super::parse::{Text, parse};
use super::tree::{Kind, Node, Row, Unit, Value};
use crate::amount::SCALE;
use crate::catalogue::{CUSTOMER, Catalogue, Type};
use crate::problem::Fault;
use cel::IdedExpr;
use cel::common::ast::{Expr, LiteralValue};
use lists::Elements;

const MAX_NODES: usize = 1_000;

/// A typed condition and the values it reads.
pub struct Typed {
    pub node: Node,
    pub used: Vec<(Used, Node)>,
}

/// Types `text` as a condition of `root`.
pub fn condition(text: &str, catalogue: &Catalogue, root: &str) -> Result<Typed, Vec<Fault>> {
    is_condition(text, expression(text, catalogue, root)?)
}

/// Types `text` as a goal of `root`: a condition that may read `touchpoint.at`.
pub fn goal(text: &str, catalogue: &Catalogue, root: &str) -> Result<Typed, Vec<Fault>> {
    is_condition(text, typed(text, catalogue, root, true)?)
}

fn is_condition(text: &str, typed: Typed) -> Result<Typed, Vec<Fault>> {
    match typed.node.kind {
        Kind::Boolean => Ok(typed),
        other => {
            let fault = Fault::new(0..text.len(), format!("a condition is true or false; this is {}", other.name()));
            Err(vec![fault.help("compare it with something")])
        }
    }
}

/// Types `text` as an expression of any kind over a row of `root`.
pub fn expression(text: &str, catalogue: &Catalogue, root: &str) -> Result<Typed, Vec<Fault>> {
    typed(text, catalogue, root, false)
}

fn typed(text: &str, catalogue: &Catalogue, root: &str, is_goal: bool) -> Result<Typed, Vec<Fault>> {
    let mut names = vec![Name { name: root.to_owned(), entity: root.to_owned(), row: Row::Root }];
    if root == CUSTOMER {
        names[0].row = Row::Customer;
    } else if catalogue.is_owned(root) {
        names.push(Name { name: CUSTOMER.to_owned(), entity: CUSTOMER.to_owned(), row: Row::Customer });
    }
    let mut typing = Typing {
        catalogue,
        root,
        is_goal,
        faults: vec![],
        used: vec![],
        elements: vec![],
        nodes: 0,
        expanding: vec![],
    };
    let (tree, text) = parse(text)?;
    let node = typing.node(&tree, &Place { text: &text, names: &names, depth: 0, outermost: true });
    match node {
        Some(node) if typing.faults.is_empty() => Ok(Typed { node, used: typing.used }),
        _ => Err(typing.faults),
    }
}

/// What a name stands for: a row of an entity.
#[derive(Clone)]
struct Name {
    name: String,
    entity: String,
    row: Row,
}

/// Where an expression stands.
#[derive(Clone, Copy)]
struct Place<'a> {
    text: &'a Text<'a>,
    names: &'a [Name],
    /// Lists around it.
    depth: usize,
    /// Whether what is read here is shown as used.
    outermost: bool,
}

impl<'a> Place<'a> {
    fn inner(self) -> Self {
        Place { outermost: false, ..self }
    }
}

struct Typing<'a> {
    catalogue: &'a Catalogue,
    root: &'a str,
    /// Whether `touchpoint.at` can be read.
    is_goal: bool,
    faults: Vec<Fault>,
    used: Vec<(Used, Node)>,
    /// By number: whose list an element is of.
    elements: Vec<Element>,
    nodes: usize,
    /// The computed fields around the current place.
    expanding: Vec<(String, String)>,
}

struct Element {
    entity: String,
    parent: Row,
    of: String,
    field: String,
}

/// What an expression can stand for.
enum Thing {
    Node(Node),
    Row { entity: String, row: Row },
    List(Elements),
    Null,
}

impl Typing<'_> {
    /// Notes a fault at `node`; gives `None` so that callers can end with it.
    fn fault<T>(
        &mut self,
        node: &IdedExpr,
        place: &Place<'_>,
        message: impl Into<String>,
        help: Option<&str>,
    ) -> Option<T> {
        self.fault_at(place.text.span(node), message, help)
    }

    fn fault_at<T>(
        &mut self,
        span: std::ops::Range<usize>,
        message: impl Into<String>,
        help: Option<&str>,
    ) -> Option<T> {
        let fault = Fault::new(span, message);
        self.faults.push(match help {
            Some(help) => fault.help(help),
            None => fault,
        });
        None
    }

    /// A refusal of the number rules, at `node`.
    fn settle(&mut self, result: Result<Node, Refusal>, node: &IdedExpr, place: &Place<'_>) -> Option<Node> {
        match result {
            Ok(settled) => Some(settled),
            Err((message, help)) => self.fault(node, place, message, help),
        }
    }

    /// A single value.
    fn node(&mut self, expr: &IdedExpr, place: &Place<'_>) -> Option<Node> {
        match self.thing(expr, place)? {
            Thing::Node(node) => Some(node),
            Thing::Row { entity, .. } => {
                let message = format!("this is a whole `{entity}`, not one of its fields");
                let field = self.catalogue.entity(&entity).map(|entity| entity.key.clone()).unwrap_or_default();
                let help = format!("write `{}.{field}`, or another field", place.text.written(expr));
                self.fault(expr, place, message, Some(&help))
            }
            Thing::List(_) => self.fault(
                expr,
                place,
                "this is a list, not a value",
                Some("add `.exists(x, …)`, `.size()`, `.sum(x, …)` or the like"),
            ),
            Thing::Null => self.fault(
                expr,
                place,
                "`null` can only be compared with `==` and `!=`",
                Some("whether a value is there is asked by `has(…)`"),
            ),
        }
    }

    /// A truth value.
    fn boolean(&mut self, expr: &IdedExpr, place: &Place<'_>) -> Option<Node> {
        let node = self.node(expr, place)?;
        if node.kind == Kind::Boolean {
            return Some(node);
        }
        let message = format!("true or false is needed here; this is {}", node.kind.name());
        let written = place.text.written(expr);
        let help = match &node.value {
            Value::Field(..) => format!("compare it (`{written} == …`), or ask whether it is there: `has({written})`"),
            _ => "compare it with something".to_owned(),
        };
        self.fault(expr, place, message, Some(&help))
    }

    fn thing(&mut self, expr: &IdedExpr, place: &Place<'_>) -> Option<Thing> {
        self.nodes += 1;
        if self.nodes > MAX_NODES {
            if self.nodes == MAX_NODES + 1 {
                let all = 0..place.text.text.len();
                return self.fault_at(all, "the condition is too large once its computed fields are expanded", None);
            }
            return None;
        }
        match &expr.expr {
            Expr::Ident(name) => self.name(expr, name, place),
            Expr::Select(select) => self.select(expr, select, place),
            Expr::Literal(literal) => self.literal(expr, literal, place),
            Expr::Call(call) => self.call(expr, call, place),
            Expr::List(_) => self.fault(expr, place, "a list of values can only stand after `in`", None),
            _ => self.fault(expr, place, "this part of CEL has no meaning in conditions", None),
        }
    }

    fn literal(&mut self, expr: &IdedExpr, literal: &LiteralValue, place: &Place<'_>) -> Option<Thing> {
        let node = match literal {
            LiteralValue::Null => return Some(Thing::Null),
            LiteralValue::Boolean(value) => Node::boolean(Value::Bool(*value.inner())),
            LiteralValue::String(text) if text.inner().contains('\0') => {
                return self.fault(expr, place, "no text has the character NUL", None);
            }
            LiteralValue::String(text) => text_node(text.inner()),
            LiteralValue::Int(_) | LiteralValue::Double(_) => {
                let negative = place.text.written(expr).starts_with('-');
                let digits = place.text.digits(expr).unwrap_or_default();
                let node = super::numbers::literal(digits, negative);
                self.settle(node, expr, place)?
            }
            LiteralValue::UInt(_) | LiteralValue::Bytes(_) => {
                return self.fault(expr, place, "this kind of literal has no meaning in conditions", None);
            }
        };
        Some(Thing::Node(node))
    }

    /// Notes a value that the condition reads, once.
    fn note_used(&mut self, text: &str, node: &Node, place: &Place<'_>) {
        let Some(ty) = public_type(node.kind) else { return };
        if place.outermost && !self.used.iter().any(|(used, _)| used.text == text) {
            self.used.push((Used { text: text.to_owned(), ty }, node.clone()));
        }
    }
}

fn text_node(text: &str) -> Node {
    Node { kind: Kind::Text, bounds: super::tree::Bounds::ALL, value: Value::Text(text.to_owned()) }
}

/// The type under which a value is shown; durations are not.
pub fn public_type(kind: Kind) -> Option<Type> {
    Some(match kind {
        Kind::Text => Type::Text,
        Kind::Boolean => Type::Boolean,
        Kind::Date => Type::Date,
        Kind::Timestamp => Type::Timestamp,
        Kind::Number { unit: Unit::Money, scale: SCALE } => Type::Money,
        Kind::Number { unit: Unit::Integer | Unit::Literal, scale: 0 } => Type::Integer,
        Kind::Number { scale, .. } => Type::Decimal(scale),
        Kind::Duration => return None,
    })
}
