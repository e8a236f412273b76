//! Lists: `customer.orders.filter(o, …).sum(o, o.total)`.

use super::{Name, Place, Thing, Typing};
use crate::catalogue::{Entity, Link};
use crate::expr::functions::ON_LISTS;
use crate::expr::numbers;
use crate::expr::tree::{Bounds, Fold, Kind, List, Node, Row, Unit, Value};
use crate::problem::nearest;
use cel::IdedExpr;
use cel::common::ast::{CallExpr, Expr};

pub const MAX_DEPTH: usize = 3;
/// No table has more rows.
const MAX_COUNT: i64 = 1 << 40;

/// A list that is being put together.
pub struct Elements {
    pub plural: String,
    list: List,
}

impl Elements {
    pub fn new(element: u32, child: &Entity, link: &Link, parent: Row, of: &str, same_bucket: bool) -> Self {
        let list = List {
            element,
            entity: child.name.clone(),
            parent,
            of: of.to_owned(),
            field: link.field.clone(),
            same_bucket,
            filters: Vec::new(),
        };
        Self { plural: child.plural.clone(), list }
    }

    fn fold(self, kind: Kind, bounds: Bounds, fold: Fold) -> Node {
        Node { kind, bounds, value: Value::Fold(Box::new(self.list), fold) }
    }
}

impl Typing<'_> {
    pub(super) fn list_call(
        &mut self,
        expr: &IdedExpr,
        call: &CallExpr,
        mut list: Elements,
        place: &Place<'_>,
    ) -> Option<Thing> {
        let Some(function) = ON_LISTS.iter().find(|function| function.name == call.func_name) else {
            return self.unknown_on_list(expr, call, place);
        };
        let wanted = if call.func_name == "size" { 0 } else { 2 };
        if call.args.len() != wanted {
            let message = format!("`{}` is written `{}`", function.name, function.form);
            return self.fault_at(place.text.name_span(expr), message, None);
        }
        if call.func_name == "size" {
            let node = list.fold(Kind::INTEGER, Bounds { least: 0, greatest: MAX_COUNT }, Fold::Count);
            self.note_used(place.text.written(expr), &node, place);
            return Some(Thing::Node(node));
        }
        let names = self.with_element(&call.args[0], &list, place)?;
        let inside = Place { names: &names, depth: place.depth + 1, ..place.inner() };
        if call.func_name == "filter" {
            let condition = self.boolean(&call.args[1], &inside)?;
            list.list.filters.push(condition);
            return Some(Thing::List(list));
        }
        let node = match call.func_name.as_str() {
            "exists" => {
                let condition = self.boolean(&call.args[1], &inside)?;
                list.list.filters.push(condition);
                list.fold(Kind::Boolean, Bounds { least: 0, greatest: 1 }, Fold::Exists)
            }
            "all" => {
                let condition = self.boolean(&call.args[1], &inside)?;
                list.fold(Kind::Boolean, Bounds { least: 0, greatest: 1 }, Fold::All(condition.boxed()))
            }
            _ => self.aggregate(expr, call, list, &inside)?,
        };
        self.note_used(place.text.written(expr), &node, place);
        Some(Thing::Node(node))
    }

    fn aggregate(&mut self, expr: &IdedExpr, call: &CallExpr, list: Elements, inside: &Place<'_>) -> Option<Node> {
        let of = self.node(&call.args[1], inside)?;
        let (kind, bounds) = (of.kind, of.bounds);
        let refused = |typing: &mut Self| {
            let message = format!("`{}` cannot be taken of {}", call.func_name, kind.name());
            typing.fault(&call.args[1], inside, message, None)
        };
        let number = match kind {
            Kind::Number { unit: Unit::Literal, scale: 0 } => Some(Kind::INTEGER),
            Kind::Number { unit: Unit::Literal, scale } => Some(Kind::Number { unit: Unit::Decimal, scale }),
            Kind::Number { .. } => Some(kind),
            _ => None,
        };
        match (call.func_name.as_str(), number) {
            ("sum", Some(kind)) => Some(list.fold(kind, Bounds::ALL, Fold::Sum(of.boxed()))),
            ("avg", Some(kind)) => {
                let (kind, factor) = numbers::average(kind)?;
                Some(list.fold(kind, Bounds::ALL, Fold::Average(of.boxed(), factor)))
            }
            ("min" | "max", _) if kind != Kind::Boolean => {
                let fold = if call.func_name == "min" { Fold::Least(of.boxed()) } else { Fold::Greatest(of.boxed()) };
                Some(list.fold(number.unwrap_or(kind), bounds, fold))
            }
            _ => {
                let _ = expr;
                refused(self)
            }
        }
    }

    /// The names inside a list call: those around it, and the element's.
    fn with_element(&mut self, variable: &IdedExpr, list: &Elements, place: &Place<'_>) -> Option<Vec<Name>> {
        let Expr::Ident(name) = &variable.expr else {
            let help = format!("write `{}.exists(x, x.…)`", list.plural);
            return self.fault(variable, place, "a name for each element is needed here", Some(&help));
        };
        if name == "now" || place.names.iter().any(|known| known.name == *name) {
            return self.fault(
                variable,
                place,
                format!("`{name}` is a name already"),
                Some("take another name for the element"),
            );
        }
        let mut names = place.names.to_vec();
        names.push(Name { name: name.clone(), entity: list.list.entity.clone(), row: Row::Element(list.list.element) });
        Some(names)
    }

    fn unknown_on_list<T>(&mut self, expr: &IdedExpr, call: &CallExpr, place: &Place<'_>) -> Option<T> {
        let name = call.func_name.as_str();
        let help = match name {
            "exists_one" => "write `.filter(x, …).size() == 1`".to_owned(),
            "map" => "write `.sum(x, …)`, `.min(x, …)`, `.max(x, …)` or `.avg(x, …)` of what is wanted".to_owned(),
            "count" | "length" => "write `.size()`".to_owned(),
            _ => match nearest(name, ON_LISTS.iter().map(|function| function.name)) {
                Some(near) => format!("did you mean `{near}`?"),
                None => format!("lists have {}", super::names::listed(ON_LISTS.iter().map(|f| f.name).collect())),
            },
        };
        self.fault_at(place.text.name_span(expr), format!("lists have no `{name}`"), Some(&help))
    }
}
