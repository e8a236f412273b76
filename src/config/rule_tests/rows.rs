//! The rows that a test states: by the names of the catalogue, nested as conditions read them.
//!
//! 1. A key of a row is one of its fields, a list that can be read from it, or the one thing that it belongs to.
//! 2. Whose a row is follows from where it stands, or from the field that says so.

use crate::catalogue::{CUSTOMER, Catalogue, Entity, Field, Place, Type};
use crate::config::node::{Entry, Node, Value};
use crate::problem::{Problem, Source, nearest};
use std::ops::Range;

/// A value as it is written, and where.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Written {
    pub text: String,
    pub span: Range<usize>,
}

impl Written {
    /// A single value as text; `None` for lists and tables.
    pub fn of(node: &Node) -> Option<Self> {
        let text = match &node.value {
            Value::Text(text) => text.value.clone(),
            Value::Integer(number) => number.to_string(),
            Value::Decimal(digits) => digits.clone(),
            Value::Boolean(truth) => truth.to_string(),
            Value::Time(time) => time.to_string(),
            Value::List(_) | Value::Table(_) => return None,
        };
        Some(Self { text, span: node.span.clone() })
    }
}

/// One row of an entity.
#[derive(Clone, Debug)]
pub struct Row {
    pub entity: String,
    pub span: Range<usize>,
    /// The key, where the test gives one.
    pub key: Option<String>,
    /// By field.
    pub values: Vec<(String, Written)>,
    /// The fields that lead to other rows of the test, with the places of these.
    pub links: Vec<(String, usize)>,
}

/// Gathers the rows of a test.
pub(super) struct Rows<'a> {
    catalogue: &'a Catalogue,
    source: &'a Source,
    rows: Vec<Row>,
    problems: &'a mut Vec<Problem>,
}

impl<'a> Rows<'a> {
    pub(super) fn new(catalogue: &'a Catalogue, source: &'a Source, problems: &'a mut Vec<Problem>) -> Self {
        Self { catalogue, source, rows: Vec::new(), problems }
    }

    pub(super) fn customer(&mut self, node: &Node) {
        if matches!(node.value, Value::Table(_)) {
            self.row(self.catalogue.customer(), node, None);
        } else {
            let help = "write `customer = { first_name = \"Ben\", email = \"ben@example.com\" }`";
            self.problems.push(node.error("a test has one customer, in braces").help(help));
        }
    }

    /// A list of rows under an entity's plural.
    pub(super) fn named(&mut self, entry: &Entry) {
        let catalogue = self.catalogue;
        let found = catalogue.entities.values().find(|entity| entity.plural == entry.key && entity.name != CUSTOMER);
        let Some(entity) = found.filter(|entity| entity.place != Place::BuiltIn) else {
            self.unknown_list(entry);
            return;
        };
        let Some(nodes) = self.list(entry, entity) else { return };
        for node in nodes {
            self.row(entity, node, None);
        }
    }

    fn list<'n>(&mut self, entry: &'n Entry, entity: &Entity) -> Option<&'n [Node]> {
        if let Value::List(nodes) = &entry.node.value {
            return Some(nodes);
        }
        let help = format!("put it in brackets: `{} = [{{ … }}]`", entity.plural);
        self.problems.push(entry.node.error(format!("`{}` are a list", entity.plural)).help(help));
        None
    }

    fn unknown_list(&mut self, entry: &Entry) {
        let entities = || self.catalogue.entities.values().filter(|entity| entity.place != Place::BuiltIn);
        let plurals = entities().filter(|entity| entity.name != CUSTOMER).map(|entity| entity.plural.as_str());
        let keys = ["name", "now", "customer", "consent", "touchpoints", "expect"];
        let help = match entities().find(|entity| entity.name == entry.key) {
            Some(entity) => format!("write them as a list: `{} = [{{ … }}]`", entity.plural),
            None => match nearest(&entry.key, plurals.clone().chain(keys)) {
                Some(near) => format!("the nearest is `{near}`"),
                None => {
                    let all: Vec<String> = plurals.map(|name| format!("`{name}`")).collect();
                    format!("lists of data.toml are {}", all.join(", "))
                }
            },
        };
        self.problems.push(entry.key_error(format!("`{}` is not a key of a test", entry.key)).help(help));
    }

    /// Adds a row and all that stands inside it; gives its place.
    fn row(&mut self, entity: &Entity, node: &Node, parent: Option<(&str, usize)>) -> Option<usize> {
        let Value::Table(entries) = &node.value else {
            let help = format!("write each in braces: `{} = [{{ … }}]`", entity.plural);
            self.problems.push(node.error(format!("a row of `{}` is a table", entity.name)).help(help));
            return None;
        };
        let place = self.rows.len();
        let links = parent.map(|(field, at)| (field.to_owned(), at)).into_iter().collect();
        let row = Row { entity: entity.name.clone(), span: node.span.clone(), key: None, values: Vec::new(), links };
        self.rows.push(row);
        for entry in entries {
            self.member(entity, entry, place);
        }
        Some(place)
    }

    fn member(&mut self, entity: &Entity, entry: &Entry, place: usize) {
        let catalogue = self.catalogue;
        if let Some(field) = entity.field(&entry.key) {
            if let Some(written) = self.value(entity, field, &entry.node) {
                if field.name == entity.key {
                    self.rows[place].key = Some(written.text.clone());
                }
                self.rows[place].values.push((field.name.clone(), written));
            }
        } else if let Some((link, child)) = catalogue.many(&entity.name, &entry.key) {
            if child.place == Place::BuiltIn {
                let problem = entry.key_error(format!("`{}` stand beside the customer, not inside", entry.key));
                self.problems.push(problem.help(format!("write `{} = [{{ … }}]` on a line of its own", entry.key)));
                return;
            }
            let (field, nodes) = (link.field.clone(), self.list(entry, child));
            for node in nodes.into_iter().flatten() {
                self.row(child, node, Some((&field, place)));
            }
        } else if let Some((link, target)) = catalogue.one(&entity.name, &entry.key) {
            let field = link.field.clone();
            if let Some(at) = self.row(target, &entry.node, None) {
                self.rows[place].links.push((field, at));
            }
        } else {
            self.unknown_member(entity, entry);
        }
    }

    fn unknown_member(&mut self, entity: &Entity, entry: &Entry) {
        let problem = entry.key_error(format!("`{}` has no field `{}`", entity.name, entry.key));
        if let Some(computed) = entity.computed(&entry.key) {
            let help = format!("it is worked out from the data, so the test gives these: `{}`", computed.text);
            let problem = entry.key_error(format!("`{}` is a computed field", entry.key));
            self.problems.push(problem.help(help));
            return;
        }
        let fields = entity.fields.iter().map(|field| field.name.as_str());
        let ones = entity.belongs_to.iter().map(|link| link.entity.as_str());
        let known: Vec<&str> = fields.chain(self.catalogue.lists(&entity.name)).chain(ones).collect();
        let help = match nearest(&entry.key, known.iter().copied()) {
            Some(near) => format!("the nearest is `{near}`"),
            None => format!("it has {}", known.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")),
        };
        self.problems.push(problem.help(help));
    }

    /// A value whose kind fits the field; what it says is read later.
    fn value(&mut self, entity: &Entity, field: &Field, node: &Node) -> Option<Written> {
        let fits = match field.ty {
            Type::Text => matches!(node.value, Value::Text(_)),
            Type::Integer => matches!(node.value, Value::Integer(_)),
            Type::Decimal(_) | Type::Money => {
                matches!(node.value, Value::Integer(_) | Value::Decimal(_) | Value::Text(_))
            }
            Type::Boolean => matches!(node.value, Value::Boolean(_)),
            Type::Date | Type::Timestamp => matches!(node.value, Value::Time(_) | Value::Text(_)),
        };
        let name = format!("{}.{}", entity.name, field.name);
        if !fits {
            let (what, example) = match field.ty {
                Type::Text => ("text", "\"…\", in quotes"),
                Type::Integer => ("a whole number", "4, without quotes"),
                Type::Decimal(_) | Type::Money => ("a number", "12.50, without quotes"),
                Type::Boolean => ("true or false", "`true` or `false`, without quotes"),
                Type::Date => ("a date", "2026-11-23, or \"today-3d\""),
                Type::Timestamp => ("a time", "2026-11-23T09:00:00Z, or \"now-5h\""),
            };
            let problem = node.error(format!("`{name}` is {what}, and this is {}", node.kind()));
            self.problems.push(problem.help(format!("write {example}")));
            return None;
        }
        let written = Written::of(node)?;
        if !field.one_of.is_empty() && !field.one_of.contains(&written.text) {
            let words = field.one_of.iter().map(|word| format!("`{word}`")).collect::<Vec<_>>().join(", ");
            let near = nearest(&written.text, field.one_of.iter().map(String::as_str));
            let near = near.map(|near| format!("the nearest is `{near}`; ")).unwrap_or_default();
            let problem = node.error(format!("`{name}` is never `{}`", written.text));
            self.problems.push(problem.help(format!("{near}it is one of {words}")));
            return None;
        }
        Some(written)
    }

    /// The rows with their links: to the rows that their fields name, else to the only one there is.
    pub(super) fn finish(mut self) -> Vec<Row> {
        for place in 0..self.rows.len() {
            let Some(entity) = self.catalogue.entity(&self.rows[place].entity) else { continue };
            for link in &entity.belongs_to {
                self.link(place, &link.field, &link.entity);
            }
        }
        self.rows
    }

    fn link(&mut self, place: usize, field: &str, target: &str) {
        if self.rows[place].links.iter().any(|(known, _)| known == field) {
            return;
        }
        let those: Vec<usize> = (0..self.rows.len()).filter(|at| self.rows[*at].entity == target).collect();
        let written = self.rows[place].values.iter().find(|(name, _)| name == field).map(|(_, value)| value.clone());
        let found = match (&written, &those[..]) {
            (Some(value), _) => {
                those.iter().copied().find(|at| self.rows[*at].key.as_deref() == Some(value.text.as_str()))
            }
            (None, [only]) if *only != place => Some(*only),
            (None, _) => None,
        };
        if let Some(at) = found {
            self.rows[place].links.push((field.to_owned(), at));
            return;
        }
        if let Some(value) = written.filter(|_| !those.is_empty() || target == CUSTOMER) {
            let message = format!("no {target} of this test has the key `{}`", value.text);
            let keys: Vec<String> = those.iter().filter_map(|at| self.rows[*at].key.clone()).collect();
            let help = match nearest(&value.text, keys.iter().map(String::as_str)) {
                Some(near) => format!("the nearest is `{near}`"),
                None => format!("leave `{field}` out: the row belongs to the test's {target}"),
            };
            self.problems.push(Problem::error(self.source, value.span, message).help(help));
        } else if those.len() > 1 {
            let row = &self.rows[place];
            let message = format!("which {target} does this {} belong to?", row.entity);
            let help = format!("put it inside of one, or say so by `{field}`");
            self.problems.push(Problem::error(self.source, row.span.clone(), message).help(help));
        }
    }
}
