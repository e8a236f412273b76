//! From the typed tree to SQL, for SQLite and PostgreSQL.
//!
//! 1. No value in the data makes a statement fail: what could overflow or divide by zero is checked and gives NULL,
//!    which is SQL's unknown. What cannot overflow is written plainly, so that indexes serve it.
//! 2. Literals are bound; names come from the catalogue, quoted. No text of a condition reaches the statement.
//! 3. The statement grows in proportion to the tree: what is needed twice is given a name by a subquery.
//! 4. Constants (`now`, `today()` in a rule's zone) are reckoned here, once; SQL asks no clock.

mod calendar;
mod compare;
mod lists;
mod numbers;
mod texts;

use super::tree::{Kind, Node, Row, Value};
use super::{Aliases, Moment};
use crate::catalogue::{Catalogue, quoted};
use crate::sql::{Dialect, Sql};

/// Writes nodes into a statement.
pub struct Writer<'a> {
    pub sql: &'a mut Sql,
    pub dialect: Dialect,
    pub catalogue: &'a Catalogue,
    pub aliases: Aliases<'a>,
    pub moment: Moment,
    /// The rule whose own touchpoints are not seen.
    pub rule: Option<&'a str>,
    pub names: u32,
}

/// Something that can be written more than once: a simple node, or the name that a subquery gave it.
enum Operand<'n> {
    Node(&'n Node),
    Name(String),
}

impl Writer<'_> {
    fn push(&mut self, text: &str) {
        self.sql.push(text);
    }

    /// A name that nothing else in the statement has.
    fn fresh(&mut self, prefix: &str) -> String {
        self.names += 1;
        format!("{prefix}{}", self.names)
    }

    /// Writes a value; of kind boolean a condition.
    pub fn node(&mut self, node: &Node) {
        if let Some(constant) = node.constant(self.moment) {
            self.sql.bind(constant);
            return;
        }
        match &node.value {
            Value::Text(text) => {
                self.sql.bind(text);
            }
            Value::Bool(value) => self.push(if *value { "true" } else { "false" }),
            Value::Field(row, field) if node.kind == Kind::Boolean => {
                self.push("(coalesce(");
                self.column(row, field);
                self.push(", 0) = 1)");
            }
            Value::Field(row, field) => self.column(row, field),
            Value::TouchpointAt => self.of_alias(super::goal::TOUCHPOINT.to_owned(), "at"),
            Value::Known(of) => {
                self.push("(");
                self.stored(of);
                self.push(" is not null)");
            }
            Value::Present(row) => {
                self.push("exists ");
                self.one(row, "1");
            }
            Value::Not(of) => {
                self.push("(not ");
                self.node(of);
                self.push(")");
            }
            Value::And(a, b) => self.infix(a, " and ", b),
            Value::Or(a, b) => self.infix(a, " or ", b),
            Value::Compare(op, a, b) => self.compare(*op, a, b),
            Value::In(of, members) => self.within(of, members),
            Value::Always(value, of) => self.always(*value, of),
            Value::Choose(condition, yes, no) => {
                self.push("(case ");
                self.node(condition);
                self.push(" when true then ");
                self.node(yes);
                self.push(" when false then ");
                self.node(no);
                self.push(" end)");
            }
            Value::Arithmetic(op, a, b) => self.arithmetic(*op, a, b),
            Value::Negate(of) => self.negate(of),
            Value::TextTest(test, text, part) => self.text_test(*test, text, part),
            Value::Matches(text, pattern) => self.matches(text, pattern),
            Value::Lower(of) => self.lower(of),
            Value::DateOf(of) => self.date_of(of),
            Value::Calendar(function, of) => self.calendar(*function, of),
            Value::Fold(list, fold) => self.fold(list, fold),
            Value::Today => self.today(),
            Value::Int(_) | Value::Now(_) => unreachable!("constants are bound above"),
        }
    }

    /// Writes a value as it would be stored: truth as 0 or 1, a boolean field as it is.
    pub fn stored(&mut self, node: &Node) {
        match (&node.value, self.dialect) {
            (Value::Field(row, field), _) => self.column(row, field),
            (_, Dialect::Postgres) if node.kind == Kind::Boolean => {
                self.push("(");
                self.node(node);
                self.push(")::int::bigint");
            }
            _ => self.node(node),
        }
    }

    fn infix(&mut self, a: &Node, between: &str, b: &Node) {
        self.push("(");
        self.node(a);
        self.push(between);
        self.node(b);
        self.push(")");
    }

    /// True or false where `of` is known.
    fn always(&mut self, value: bool, of: &Node) {
        self.push("(case when ");
        self.node(of);
        self.push(if value { " is not null then true end)" } else { " is not null then false end)" });
    }

    /// A column of a row.
    fn column(&mut self, row: &Row, field: &str) {
        match row {
            Row::Root => self.of_alias(self.aliases.root.to_owned(), field),
            Row::Customer => self.of_alias(self.aliases.customer.to_owned(), field),
            Row::Element(number) => self.of_alias(format!("_e{number}"), field),
            Row::One { .. } => self.one(row, field),
        }
    }

    fn of_alias(&mut self, alias: String, field: &str) {
        self.push(&alias);
        self.push(".");
        self.push(&quoted(field));
    }

    /// A subquery that reads `field` of the row that a chain of relations leads to; NULL, or no row, where it breaks.
    fn one(&mut self, row: &Row, field: &str) {
        let mut hops = Vec::new();
        let mut base = row;
        while let Row::One { from, field, entity, same_bucket } = base {
            hops.push((field, entity, *same_bucket));
            base = from;
        }
        let names: Vec<String> = hops.iter().map(|_| self.fresh("_p")).collect();
        self.push("(select ");
        match field {
            "1" => self.push("1"),
            _ => self.of_alias(names[0].clone(), field),
        }
        for (index, (_, entity, _)) in hops.iter().enumerate() {
            let table = self.table(entity);
            self.push(&format!("{}{table} as {}", if index == 0 { " from " } else { ", " }, names[index]));
        }
        for (index, (link, entity, same_bucket)) in hops.iter().enumerate() {
            let (key, name) = (quoted(&self.key(entity)), &names[index]);
            let before = names.get(index + 1);
            self.push(&format!("{}{name}.{key} = ", if index == 0 { " where " } else { " and " }));
            self.hop_column(before, base, link);
            if *same_bucket {
                self.push(&format!(" and {name}.\"_bucket\" = "));
                self.hop_column(before, base, "_bucket");
            }
        }
        self.push(" limit 1)");
    }

    /// A column of the row before a hop: of a table of the chain, or of the row that the chain starts from.
    fn hop_column(&mut self, before: Option<&String>, base: &Row, field: &str) {
        match before {
            Some(name) => self.of_alias(name.clone(), field),
            None => self.column(base, field),
        }
    }

    fn table(&self, entity: &str) -> String {
        self.catalogue.entity(entity).map_or_else(|| quoted(&format!("d_{entity}")), crate::catalogue::Entity::table)
    }

    fn key(&self, entity: &str) -> String {
        self.catalogue.entity(entity).map_or_else(|| "id".to_owned(), |entity| entity.key.clone())
    }

    /// Writes what `body` makes of `node`, which it may write any number of times.
    fn with(&mut self, node: &Node, body: impl FnOnce(&mut Self, &Operand<'_>)) {
        self.with_all([node], |writer, [operand]| body(writer, operand));
    }

    /// The same of several nodes.
    fn with_all<const N: usize>(&mut self, nodes: [&Node; N], body: impl FnOnce(&mut Self, [&Operand<'_>; N])) {
        if nodes.iter().all(|node| node.is_simple()) {
            let operands = nodes.map(Operand::Node);
            return body(self, operands.each_ref());
        }
        let name = self.fresh("_t");
        let mut index = 0;
        let operands = nodes.map(|node| {
            index += 1;
            if node.is_simple() { Operand::Node(node) } else { Operand::Name(format!("{name}.v{index}")) }
        });
        self.push("(select ");
        body(self, operands.each_ref());
        self.push(" from (select ");
        let mut first = true;
        for (index, node) in nodes.iter().enumerate().filter(|(_, node)| !node.is_simple()) {
            self.push(if first { "" } else { ", " });
            first = false;
            self.node(node);
            self.push(&format!(" as v{}", index + 1));
        }
        // Either database would put the expression back in each place, and so double it at every level; an offset
        // keeps it from doing so.
        self.push(" limit 1 offset 0) as ");
        self.push(&name);
        self.push(")");
    }

    fn operand(&mut self, operand: &Operand<'_>) {
        match operand {
            Operand::Node(node) => self.node(node),
            Operand::Name(name) => self.push(name),
        }
    }
}
