//! Values in tags: names, written values, and calls of helpers.

use super::names::{Scope, Way};
use super::source::Cursor;
use super::{BLOCKS, Lowering};
use crate::amount::{Amount, SCALE};
use crate::messages::context::Value;
use crate::messages::tree::{At, Call, Expr, Helper, Loop};
use crate::problem::nearest;
use handlebars::Path as HandlebarsPath;
use handlebars::template::{HelperTemplate, Parameter, TemplateElement};
use std::collections::HashMap;

impl Lowering<'_> {
    pub(super) fn call(&mut self, tag: &HelperTemplate, cursor: &mut Cursor<'_>, scope: &Scope<'_>) -> Option<Expr> {
        let name = tag.name.as_name().unwrap_or_default().to_owned();
        let at = cursor.place(&name);
        let Ok(helper) = name.parse::<Helper>() else {
            let known = Helper::ALL.iter().map(|helper| helper.as_str());
            let help = match nearest(&name, known) {
                Some(near) => format!("did you mean `{near}`?"),
                None if BLOCKS.contains(&name.as_str()) => format!("`{name}` opens a block: `{{{{#{name} …}}}}`"),
                None => {
                    format!("helpers are {}", Helper::ALL.iter().map(|h| h.as_str()).collect::<Vec<_>>().join(", "))
                }
            };
            self.fault(at, format!("no helper is called `{name}`"), Some(help));
            return None;
        };
        let args: Vec<_> = tag.params.iter().map(|param| self.param(param, cursor, scope)).collect();
        let options = self.options(&tag.hash, cursor, scope);
        let args = args.into_iter().collect::<Option<Vec<_>>>()?;
        Some(Expr::Call(Box::new(Call { helper, args, options: options?, at })))
    }

    pub(super) fn options(
        &mut self,
        hash: &HashMap<String, Parameter>,
        cursor: &mut Cursor<'_>,
        scope: &Scope<'_>,
    ) -> Option<Vec<(String, Expr)>> {
        let mut sorted: Vec<_> = hash.iter().collect();
        sorted.sort_by_key(|(name, _)| name.as_str());
        let behind_params = cursor.found;
        let mut options = Vec::new();
        let mut whole = true;
        for (name, value) in sorted {
            // In the order of their names, not of the text: each is looked for from the start of the options.
            cursor.found = behind_params;
            cursor.place(&format!("{name}="));
            match self.param(value, cursor, scope) {
                Some(value) => options.push((name.clone(), value)),
                None => whole = false,
            }
        }
        whole.then_some(options)
    }

    pub(super) fn param(&mut self, param: &Parameter, cursor: &mut Cursor<'_>, scope: &Scope<'_>) -> Option<Expr> {
        match param {
            Parameter::Name(name) => self.path(name, cursor, scope),
            Parameter::Path(HandlebarsPath::Relative((_, raw))) => self.path(raw, cursor, scope),
            Parameter::Path(HandlebarsPath::Local((level, name, raw))) => {
                let at = cursor.place(raw);
                self.local(*level, name, at, scope)
            }
            Parameter::Literal(json) => self.literal(json, cursor),
            Parameter::Subexpression(inner) => match inner.as_element() {
                TemplateElement::Expression(tag) if !tag.params.is_empty() || !tag.hash.is_empty() => {
                    self.call(tag, cursor, scope)
                }
                TemplateElement::Expression(tag) => self.param(&tag.name, cursor, scope),
                _ => None,
            },
            _ => None,
        }
    }

    fn path(&mut self, raw: &str, cursor: &mut Cursor<'_>, scope: &Scope<'_>) -> Option<Expr> {
        let at = cursor.place(raw);
        match scope.resolve(&Way::read(raw), raw, at) {
            Ok(value) => Some(value),
            Err((message, help)) => {
                self.fault(at, message, help);
                None
            }
        }
    }

    fn local(&mut self, level: usize, name: &str, at: At, scope: &Scope<'_>) -> Option<Expr> {
        let what = match name {
            "index" => Loop::Index,
            "first" => Loop::First,
            "last" => Loop::Last,
            _ => {
                let help = "there are `@index`, `@first`, `@last` and `@root`".to_owned();
                self.fault(at, format!("`@{name}` does not exist"), Some(help));
                return None;
            }
        };
        let frame = scope.up(level).and_then(|scope| scope.row);
        if frame.is_none() {
            self.fault(at, format!("`@{name}` outside of `{{{{#each}}}}`"), None);
        }
        frame.map(|frame| Expr::Loop { frame, what, at })
    }

    fn literal(&mut self, json: &serde_json::Value, cursor: &mut Cursor<'_>) -> Option<Expr> {
        let (word, value) = match json {
            serde_json::Value::String(text) => (text.clone(), Some(Value::Text(text.clone()))),
            serde_json::Value::Number(number) => (number.to_string(), number_value(&number.to_string())),
            serde_json::Value::Bool(yes) => (yes.to_string(), Some(Value::Boolean(*yes))),
            _ => (String::new(), None),
        };
        let at = cursor.place(&word);
        if value.is_none() {
            let message = "only texts, numbers with at most four decimals, `true` and `false` can be written here";
            self.fault(at, message, None);
        }
        value.map(|value| Expr::Literal(value, at))
    }
}

fn number_value(text: &str) -> Option<Value> {
    let integer = text.parse::<i64>().ok().map(Value::Integer);
    integer.or_else(|| Amount::parse(text, SCALE).map(Value::Decimal))
}
