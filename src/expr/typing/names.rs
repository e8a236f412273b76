//! Names: what stands alone, what stands after a point, and what a computed field stands for.

use super::lists::Elements;
use super::{Element, Name, Place, Thing, Typing};
use crate::catalogue::{CUSTOMER, Catalogue, Entity, Field, Link, Place as Origin, Type};
use crate::expr::functions::{CALLED, ON_LISTS, ON_TEXT};
use crate::expr::parse::parse;
use crate::expr::tree::{Bounds, Kind, Node, Row, Value};
use crate::problem::nearest;
use crate::time::Span;
use cel::IdedExpr;
use cel::common::ast::{Expr, SelectExpr};

/// Beyond what imports accept: integers within ±(2^53 − 1), dates and timestamps of the calendar.
const INTEGERS: i64 = (1 << 53) - 1;
const DATES: i64 = 100_000_000;
const TIMESTAMPS: i64 = 8_500_000_000_000_000_000;
/// What a goal calls the message that it is judged for.
const TOUCHPOINT: &str = "touchpoint";

impl Typing<'_> {
    pub(super) fn name(&mut self, expr: &IdedExpr, name: &str, place: &Place<'_>) -> Option<Thing> {
        if let Some(known) = place.names.iter().rev().find(|known| known.name == name) {
            return Some(Thing::Row { entity: known.entity.clone(), row: known.row.clone() });
        }
        if name == "now" {
            let value = Value::Now(Span::default());
            return Some(Thing::Node(Node { kind: Kind::Timestamp, bounds: Bounds::within(TIMESTAMPS), value }));
        }
        let known: Vec<&str> = place.names.iter().map(|known| known.name.as_str()).chain(["now"]).collect();
        let root = &place.names[0].name;
        let small = name.to_ascii_lowercase();
        let help = if ["null", "true", "false"].contains(&small.as_str()) {
            format!("write `{small}`, in small letters")
        } else if ["none", "nil", "empty", "blank"].contains(&small.as_str()) {
            "a value that is missing is `null`; whether one is there is asked by `has(…)`".to_owned()
        } else if CALLED.iter().any(|function| function.name == name && function.form == format!("{name}()")) {
            format!("write it with brackets: `{name}()`")
        } else if let Some(field) = self.field_called(name, place) {
            format!("did you mean `{field}`?")
        } else if let Some(near) = nearest(name, known.iter().copied()) {
            format!("did you mean `{near}`?")
        } else {
            let many = self.catalogue.entity(name).filter(|_| root == CUSTOMER).map(|entity| &entity.plural);
            match many.filter(|plural| self.catalogue.many(CUSTOMER, plural).is_some()) {
                Some(plural) => {
                    format!(
                        "write `for_each = \"{name}\"`, or `customer.{plural}.exists(x, …)` for any of a customer's"
                    )
                }
                None => format!("known here: {}; a text stands in quotes: `\"{name}\"`", listed(known)),
            }
        };
        self.fault(expr, place, format!("nothing here is called `{name}`"), Some(&help))
    }

    pub(super) fn select(&mut self, expr: &IdedExpr, select: &SelectExpr, place: &Place<'_>) -> Option<Thing> {
        if let Some(read) = self.touchpoint(expr, select, place) {
            return read;
        }
        let (entity, row) = match self.thing(&select.operand, place)? {
            Thing::Row { entity, row } => (entity, row),
            Thing::List(list) => {
                let message = format!("`{}` are many; none of them is meant by `.{}`", list.plural, select.field);
                let help = format!("write `.exists(x, x.{} == …)` or the like", select.field);
                return self.fault_at(place.text.name_span(expr), message, Some(&help));
            }
            Thing::Node(_) | Thing::Null => {
                let message = format!("`{}` has no fields", place.text.written(&select.operand));
                return self.fault_at(place.text.name_span(expr), message, None);
            }
        };
        let catalogue = self.catalogue;
        let name = select.field.as_str();
        let meaning = catalogue.entity(&entity)?;
        if let Some(field) = meaning.field(name) {
            let node = field_node(meaning, field, row);
            self.note_used(place.text.written(expr), &node, place);
            return Some(Thing::Node(node));
        }
        if let Some(computed) = meaning.computed(name) {
            let node = self.computed(expr, meaning, &computed.name, &computed.text, row, place)?;
            self.note_used(place.text.written(expr), &node, place);
            return Some(Thing::Node(node));
        }
        if let Some((link, target)) = catalogue.one(&entity, name) {
            let row = self.one(row, &entity, link);
            return Some(Thing::Row { entity: target.name.clone(), row });
        }
        if let Some((link, child)) = catalogue.many(&entity, name) {
            return self.list_of(expr, row, &entity, link, child, place).map(Thing::List);
        }
        let help = self.what_is_there(meaning, name, place.text.written(&select.operand));
        self.fault_at(place.text.name_span(expr), format!("`{entity}` has no field `{name}`"), Some(&help))
    }

    /// What may be meant by a name that `entity`, written as `on`, does not have.
    fn what_is_there(&self, entity: &Entity, name: &str, on: &str) -> String {
        let catalogue = self.catalogue;
        // An entity of that very name says more than a field that is spelt alike.
        if let Some(help) = catalogue.missing_link(&entity.name, name) {
            return help;
        }
        let known = members(catalogue, entity);
        let plural = catalogue.entity(name).map(|other| other.plural.as_str());
        let near = plural.filter(|plural| known.iter().any(|known| known == plural));
        match near.or_else(|| nearest(name, known.iter().map(String::as_str))) {
            Some(near) if catalogue.many(&entity.name, near).is_some() => {
                format!("did you mean `{near}`? They are many: write `{on}.{near}.exists(x, …)`")
            }
            Some(near) => format!("did you mean `{near}`?"),
            None => match self.lists_with(entity, name) {
                Some(list) => format!("that is a field of its `{list}`: write `{on}.{list}.exists(x, x.{name} …)`"),
                None if is_function(name) => format!("`{name}` needs brackets"),
                None => format!("it has {}", listed(known.iter().map(String::as_str).collect())),
            },
        }
    }

    /// A list of `entity` whose rows have a field of this name.
    fn lists_with(&self, entity: &Entity, field: &str) -> Option<String> {
        let has = |plural: &&str| {
            self.catalogue.many(&entity.name, plural).is_some_and(|(_, child)| child.field(field).is_some())
        };
        self.catalogue.lists(&entity.name).into_iter().find(has).map(str::to_owned)
    }

    /// `touchpoint.at`, where there is one: in a goal, and where no other thing has the name.
    fn touchpoint(&mut self, expr: &IdedExpr, select: &SelectExpr, place: &Place<'_>) -> Option<Option<Thing>> {
        let is_element = |known: &Name| known.name == TOUCHPOINT && matches!(known.row, Row::Element(_));
        let is_meant = self.is_goal && self.expanding.is_empty() && !place.names.iter().any(is_element);
        if !is_meant || select.operand.expr != Expr::Ident(TOUCHPOINT.to_owned()) {
            return None;
        }
        if select.field == "at" {
            return Some(Some(Thing::Node(touchpoint_at())));
        }
        let message = format!("the message that a goal is judged for has no `{}`", select.field);
        Some(self.fault_at(place.text.name_span(expr), message, Some("it has `at`, the time at which it was sent")))
    }

    fn list_of(
        &mut self,
        expr: &IdedExpr,
        parent: Row,
        of: &str,
        link: &Link,
        child: &Entity,
        place: &Place<'_>,
    ) -> Option<Elements> {
        if place.depth >= super::lists::MAX_DEPTH {
            let message = format!("lists are nested deeper than {}", super::lists::MAX_DEPTH);
            return self.fault(expr, place, message, Some("name a part of it as a computed field of a nearer entity"));
        }
        let element = u32::try_from(self.elements.len()).unwrap_or(u32::MAX);
        let (entity, field) = (child.name.clone(), link.field.clone());
        self.elements.push(Element { entity, parent: parent.clone(), of: of.to_owned(), field });
        let same_bucket = self.catalogue.is_owned(of) && self.catalogue.is_owned(&child.name);
        Some(Elements::new(element, child, link, parent, of, same_bucket))
    }

    /// The row that `link` of a row of `entity` leads to.
    pub(super) fn one(&self, from: Row, entity: &str, link: &Link) -> Row {
        match &from {
            Row::Root if link.entity == CUSTOMER => return Row::Customer,
            Row::Element(number) => {
                let element = usize::try_from(*number).ok().and_then(|number| self.elements.get(number));
                if let Some(element) = element.filter(|of| of.of == link.entity && of.field == link.field) {
                    return element.parent.clone();
                }
            }
            _ => {}
        }
        let same_bucket = self.catalogue.is_owned(entity) && self.catalogue.is_owned(&link.entity);
        Row::One { from: Box::new(from), field: link.field.clone(), entity: link.entity.clone(), same_bucket }
    }

    /// A computed field, expanded over `row`.
    fn computed(
        &mut self,
        expr: &IdedExpr,
        entity: &Entity,
        name: &str,
        text: &str,
        row: Row,
        place: &Place<'_>,
    ) -> Option<Node> {
        let span = place.text.name_span(expr);
        let own = (entity.name.clone(), name.to_owned());
        if let Some(start) = self.expanding.iter().position(|around| *around == own) {
            let names: Vec<_> = self.expanding[start..].iter().chain([&own]).map(|(e, n)| format!("{e}.{n}")).collect();
            return self.fault_at(
                span,
                format!("a computed field that leads back to itself: {}", names.join(" -> ")),
                None,
            );
        }
        let mut names = vec![Name { name: entity.name.clone(), entity: entity.name.clone(), row: row.clone() }];
        if let Some(path) = self.catalogue.path_to_customer(&entity.name).filter(|path| !path.is_empty()) {
            let mut at = (row, entity.name.as_str());
            for link in path {
                at = (self.one(at.0, at.1, link), &link.entity);
            }
            names.push(Name { name: CUSTOMER.to_owned(), entity: CUSTOMER.to_owned(), row: at.0 });
        }
        self.expanding.push(own);
        let around = std::mem::take(&mut self.faults);
        let node = match parse(text) {
            Ok((tree, text)) => {
                self.node(&tree, &Place { text: &text, names: &names, depth: place.depth, outermost: false })
            }
            Err(faults) => {
                self.faults.extend(faults);
                None
            }
        };
        self.expanding.pop();
        let inside = std::mem::replace(&mut self.faults, around);
        match inside.first() {
            Some(fault) if fault.message.starts_with("a computed field that leads back") => {
                self.fault_at(span, fault.message.clone(), None)
            }
            Some(fault) => {
                let message = format!("the computed field `{name}` of `{}` has a fault: {fault}", entity.name);
                self.fault_at(span, message, None)
            }
            None => node,
        }
    }

    /// The entity whose row `row` is.
    pub(super) fn entity_of<'r>(&'r self, row: &'r Row) -> &'r str {
        match row {
            Row::Root => self.root,
            Row::Customer => CUSTOMER,
            Row::One { entity, .. } => entity,
            Row::Element(number) => {
                let element = usize::try_from(*number).ok().and_then(|number| self.elements.get(number));
                element.map_or("", |element| &element.entity)
            }
        }
    }
}

/// The time of the message that a goal is judged for.
pub fn touchpoint_at() -> Node {
    Node { kind: Kind::Timestamp, bounds: Bounds::within(TIMESTAMPS), value: Value::TouchpointAt }
}

fn field_node(entity: &Entity, field: &Field, row: Row) -> Node {
    let bounds = match field.ty {
        _ if matches!(entity.place, Origin::InPlace(_)) => Bounds::ALL,
        Type::Integer => Bounds::within(INTEGERS),
        Type::Date => Bounds::within(DATES),
        Type::Timestamp => Bounds::within(TIMESTAMPS),
        _ => Bounds::ALL,
    };
    Node { kind: Kind::of(field.ty), bounds, value: Value::Field(row, field.name.clone()) }
}

/// Whatever can stand after `entity.`.
pub(super) fn members(catalogue: &Catalogue, entity: &Entity) -> Vec<String> {
    let fields = entity.fields.iter().map(|field| &field.name);
    let computed = entity.computed.iter().map(|computed| &computed.name);
    let ones = entity.belongs_to.iter().map(|link| &link.entity);
    let lists = catalogue.lists(&entity.name).into_iter().map(str::to_owned);
    fields.chain(computed).chain(ones).cloned().chain(lists).collect()
}

fn is_function(name: &str) -> bool {
    CALLED.iter().chain(&ON_TEXT).chain(&ON_LISTS).any(|function| function.name == name)
}

/// `a`, `b` and `c`.
pub(super) fn listed(mut names: Vec<&str>) -> String {
    names.dedup();
    let quoted: Vec<String> = names.iter().map(|name| format!("`{name}`")).collect();
    match quoted.split_last() {
        Some((last, rest)) if !rest.is_empty() => format!("{} and {last}", rest.join(", ")),
        _ => quoted.join(""),
    }
}
