//! Lists: correlated subqueries over the child's table. Those that give a truth are plain EXISTS.

use super::Writer;
use super::numbers::IN_64_BITS;
use crate::catalogue::quoted;
use crate::expr::tree::{Fold, Kind, List, Node, Row, Value};
use crate::sql::Dialect;

impl Writer<'_> {
    pub(super) fn fold(&mut self, list: &List, fold: &Fold) {
        match fold {
            Fold::Exists => {
                self.push("exists (select 1");
                self.from(list);
                self.push(")");
            }
            Fold::All(condition) => {
                self.push("(not exists (select 1");
                self.from(list);
                self.push(" and ");
                self.node(condition);
                self.push(" is not true))");
            }
            Fold::Count => {
                self.push("(select count(*)");
                self.from(list);
                self.push(")");
            }
            Fold::Least(of) => self.extreme("min", list, of),
            Fold::Greatest(of) => self.extreme("max", list, of),
            Fold::Sum(of) => self.sum(list, of),
            Fold::Average(of, factor) => self.average(list, of, *factor),
        }
    }

    /// FROM and WHERE of the list's rows.
    fn from(&mut self, list: &List) {
        let name = format!("_e{}", list.element);
        let (table, key) = (self.table(&list.entity), self.key(&list.of));
        self.push(&format!(" from {table} as {name} where {name}.{} = ", quoted(&list.field)));
        self.column(&list.parent, &key);
        if list.same_bucket {
            self.push(&format!(" and {name}.\"_bucket\" = "));
            self.column(&list.parent, "_bucket");
        }
        if let Some(rule) = self.rule.filter(|_| list.entity == "touchpoint") {
            self.push(&format!(" and {name}.\"rule\" <> "));
            self.sql.bind(rule);
        }
        for filter in &list.filters {
            self.push(" and ");
            self.node(filter);
        }
    }

    fn extreme(&mut self, function: &str, list: &List, of: &Node) {
        let collate = if of.kind == Kind::Text { self.bytewise() } else { "" };
        if matches!(&of.value, Value::Field(Row::Element(element), _) if *element == list.element) {
            self.push(&format!("(select {function}("));
            self.node(of);
            self.push(&format!("{collate})"));
            self.from(list);
            self.push(")");
        } else {
            self.push(&format!("(select {function}(v{collate}) from "));
            self.values(list, of);
            self.push(")");
        }
    }

    /// The values of the list as a column `v`. An aggregate of an expression that names only rows further out would
    /// be taken over those rows; of `v` it never is.
    fn values(&mut self, list: &List, of: &Node) {
        let name = self.fresh("_v");
        self.push("(select ");
        self.node(of);
        self.push(" as v");
        self.from(list);
        self.push(&format!(") as {name}"));
    }

    /// PostgreSQL adds without limit; SQLite ends the statement on an overflow, so that the upper and the lower 32
    /// bits are added apart and put together again where they fit.
    fn sum(&mut self, list: &List, of: &Node) {
        let name = self.fresh("_s");
        match self.dialect {
            Dialect::Postgres => {
                self.push(&format!("(select case when {name}.s {IN_64_BITS} then {name}.s::bigint end from (select coalesce(sum(v), 0) as s from "));
                self.values(list, of);
                self.push(&format!(") as {name})"));
            }
            Dialect::Sqlite => {
                self.push(&format!("(select {JOINED_HALVES} from "));
                self.halves(list, of);
                self.push(&format!(" as {name})"));
            }
        }
    }

    fn average(&mut self, list: &List, of: &Node, factor: i64) {
        let name = self.fresh("_s");
        match self.dialect {
            Dialect::Postgres => {
                self.push(&format!(
                    "(select case when {name}.s * {factor} {IN_64_BITS} then div({name}.s * {factor}, {name}.n)::bigint end \
                     from (select sum(v) as s, nullif(count(v), 0) as n from "
                ));
                self.values(list, of);
                self.push(&format!(") as {name})"));
            }
            Dialect::Sqlite => {
                self.push(&format!(
                    "(select case when typeof(s * {factor}) = 'integer' then s * {factor} / nullif(n, 0) end \
                     from (select {JOINED_HALVES} as s, n from "
                ));
                self.halves(list, of);
                self.push(&format!(") as {name})"));
            }
        }
    }

    /// A row of `h`, `l` and `n`: the sum is `h` times 2^32 plus `l`, of `n` values.
    fn halves(&mut self, list: &List, of: &Node) {
        self.push(
            "(select h + (l >> 32) as h, l & 4294967295 as l, n from (select coalesce(sum(v >> 32), 0) as h, \
             coalesce(sum(v & 4294967295), 0) as l, count(v) as n from ",
        );
        self.values(list, of);
        self.push("))");
    }
}

const JOINED_HALVES: &str = "case when h between -2147483648 and 2147483647 then (h << 32) | l end";
