//! Calls: functions by themselves, and on a text.

use super::{Place, Thing, Typing};
use crate::expr::functions::{CALLED, ON_LISTS, ON_TEXT};
use crate::expr::pattern::Pattern;
use crate::expr::tree::{Kind, Node, TextTest, Value};
use crate::problem::nearest;
use cel::IdedExpr;
use cel::common::ast::CallExpr;

impl Typing<'_> {
    pub(super) fn call(&mut self, expr: &IdedExpr, call: &CallExpr, place: &Place<'_>) -> Option<Thing> {
        let Some(target) = &call.target else {
            return match self.operator(expr, &call.func_name, &call.args, place) {
                Some(node) => node.map(Thing::Node),
                None => self.function(expr, call, place),
            };
        };
        match self.thing(target, place)? {
            Thing::List(list) => self.list_call(expr, call, list, place),
            Thing::Node(node) if ON_TEXT.iter().any(|function| function.name == call.func_name) => {
                self.text_call(expr, call, node, target, place).map(Thing::Node)
            }
            Thing::Node(_) | Thing::Row { .. } | Thing::Null => self.unknown_method(expr, call, place),
        }
    }

    fn function(&mut self, expr: &IdedExpr, call: &CallExpr, place: &Place<'_>) -> Option<Thing> {
        let name = call.func_name.as_str();
        match (name, call.args.as_slice()) {
            ("has", [of]) => self.known(of, place).map(Thing::Node),
            ("lower", [of]) => {
                let node = self.node(of, place)?;
                self.lower(of, node, place).map(Thing::Node)
            }
            ("size", [of]) => match self.thing(of, place)? {
                Thing::List(list) => self.list_call(expr, &CallExpr { args: vec![], ..call.clone() }, list, place),
                _ => self.fault(of, place, "`size` counts lists", None),
            },
            _ => match self.time_function(expr, name, &call.args, place) {
                Some(node) => node.map(Thing::Node),
                None => self.unknown_function(expr, call, place),
            },
        }
    }

    fn unknown_function<T>(&mut self, expr: &IdedExpr, call: &CallExpr, place: &Place<'_>) -> Option<T> {
        let name = call.func_name.as_str();
        let span = place.text.name_span(expr);
        if let Some(function) = CALLED.iter().find(|function| function.name == name) {
            return self.fault_at(span, format!("`{name}` is written `{}`", function.form), None);
        }
        let small = name.to_ascii_lowercase();
        if let Some(function) =
            ON_TEXT.iter().chain(&ON_LISTS).find(|function| function.name.to_ascii_lowercase() == small)
        {
            let help = call.args.split_first().map(|(on, rest)| {
                let rest: Vec<&str> = rest.iter().map(|arg| place.text.written(arg)).collect();
                let is_on_text = ON_TEXT.iter().any(|known| known.name == function.name);
                match is_on_text {
                    true => format!("write `{}.{}({})`", place.text.written(on), function.name, rest.join(", ")),
                    false => format!("it follows a list: `{}`", function.form),
                }
            });
            return self.fault_at(span, format!("`{name}` is written `{}`", function.form), help.as_deref());
        }
        let help = match name {
            "date" => {
                "a date is written in quotes where it is compared: `customer.joined_on < \"2026-11-03\"`".to_owned()
            }
            "matches" | "startsWith" => format!("write `x.{name}(…)`"),
            _ => match nearest(name, CALLED.iter().map(|function| function.name)) {
                Some(near) => format!("did you mean `{near}`?"),
                None => format!("known: {}", super::names::listed(CALLED.iter().map(|f| f.name).collect())),
            },
        };
        self.fault_at(span, format!("there is no function `{name}`"), Some(&help))
    }

    fn unknown_method<T>(&mut self, expr: &IdedExpr, call: &CallExpr, place: &Place<'_>) -> Option<T> {
        let name = call.func_name.as_str();
        let help = if ON_LISTS.iter().any(|function| function.name == name) {
            "that is for lists, such as `customer.orders`".to_owned()
        } else if name.starts_with("get") {
            "the calendar is read by `days_since(x)`, `years_since(x)`, `is_anniversary(x)` and the like".to_owned()
        } else if ["lowerAscii", "toLower", "tolower", "lowercase"].contains(&name) {
            "write `.lower()`".to_owned()
        } else {
            match nearest(name, ON_TEXT.iter().map(|function| function.name)) {
                Some(near) => format!("did you mean `{near}`?"),
                None => format!("texts have {}", super::names::listed(ON_TEXT.iter().map(|f| f.name).collect())),
            }
        };
        self.fault_at(place.text.name_span(expr), format!("nothing here has `{name}`"), Some(&help))
    }

    fn text_call(
        &mut self,
        expr: &IdedExpr,
        call: &CallExpr,
        on: Node,
        target: &IdedExpr,
        place: &Place<'_>,
    ) -> Option<Node> {
        let name = call.func_name.as_str();
        if on.kind != Kind::Text {
            return self.fault(target, place, format!("`{name}` is for texts; this is {}", on.kind.name()), None);
        }
        let test = match (name, call.args.as_slice()) {
            ("lower", []) => return self.lower(target, on, place),
            ("matches", [pattern]) => return self.matches(on, pattern, place),
            ("startsWith", [_]) => TextTest::StartsWith,
            ("endsWith", [_]) => TextTest::EndsWith,
            ("contains", [_]) => TextTest::Contains,
            _ => return self.unknown_function(expr, call, place),
        };
        let part = self.node(&call.args[0], place)?;
        if part.kind != Kind::Text {
            let message = format!("`{name}` needs a text here; this is {}", part.kind.name());
            return self.fault(&call.args[0], place, message, None);
        }
        Some(Node::boolean(Value::TextTest(test, on.boxed(), part.boxed())))
    }

    fn lower(&mut self, expr: &IdedExpr, node: Node, place: &Place<'_>) -> Option<Node> {
        if node.kind != Kind::Text {
            return self.fault(expr, place, format!("`lower` is for texts; this is {}", node.kind.name()), None);
        }
        Some(Node { kind: Kind::Text, bounds: node.bounds, value: Value::Lower(node.boxed()) })
    }

    fn matches(&mut self, on: Node, pattern: &IdedExpr, place: &Place<'_>) -> Option<Node> {
        let Value::Text(text) = self.node(pattern, place)?.value else {
            return self.fault(pattern, place, "`matches` needs its pattern as it is, in quotes", None);
        };
        match Pattern::new(&text) {
            Ok(pattern) => Some(Node::boolean(Value::Matches(on.boxed(), pattern))),
            Err(cause) => self.fault(pattern, place, format!("the pattern cannot be used: {cause}"), None),
        }
    }
}
