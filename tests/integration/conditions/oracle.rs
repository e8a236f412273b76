//! The oracle: the `cel` interpreter on the typed tree. A missing value is an absent key, an error is unknown; lists
//! are walked element by element, and the calendar is `chrono`'s.

use super::data::{Cell, Data, Record};
use cel::{Context, Env, Program, Value as CelValue};
use chrono::{Datelike, NaiveDate};
use plusone::catalogue::{CUSTOMER, Catalogue};
use plusone::expr::Moment;
use plusone::expr::tree::{Arithmetic, Calendar, Comparison, Fold, List, Node, Row, TextTest, Value};
use plusone::sql::Dialect;
use plusone::time::{Date, Timestamp, Tz, zone_named};
use std::cell::RefCell;
use std::collections::HashMap;
use std::rc::Rc;
use std::sync::Arc;

/// What a node is for one row.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Known {
    Int(i64),
    Text(String),
    Bool(bool),
}

/// A region of the tree as a CEL program, with what it reads.
struct Region<'n> {
    program: Program,
    leaves: Vec<&'n Node>,
}

pub struct Oracle<'a> {
    pub catalogue: &'a Catalogue,
    pub data: &'a Data,
    pub moment: Moment,
    env: Arc<Env>,
    keys: HashMap<(String, String), Vec<usize>>,
}

/// The rows that names stand for.
#[derive(Clone, Default)]
pub struct Names<'d> {
    pub root: Option<&'d Record>,
    pub customer: Option<&'d Record>,
    elements: HashMap<u32, &'d Record>,
}

/// Programs by node.
#[derive(Default)]
pub struct Programs<'n>(RefCell<HashMap<*const Node, Rc<Region<'n>>>>);

impl<'a> Oracle<'a> {
    pub fn new(catalogue: &'a Catalogue, data: &'a Data, moment: Moment) -> Self {
        let mut keys: HashMap<(String, String), Vec<usize>> = HashMap::new();
        for (entity, rows) in data {
            for (index, row) in rows.iter().enumerate() {
                if let Some(Cell::Text(key)) = row.fields.get("id") {
                    keys.entry((entity.clone(), key.clone())).or_default().push(index);
                }
            }
        }
        Self { catalogue, data, moment, env: Arc::new(Env::default().with_stdlib()), keys }
    }

    /// The value of `node`, or `None` where it is unknown.
    pub fn value<'n>(&self, node: &'n Node, names: &Names<'a>, programs: &Programs<'n>) -> Option<Known> {
        let cached = programs.0.borrow().get(&std::ptr::from_ref(node)).cloned();
        let region = cached.unwrap_or_else(|| {
            let mut leaves = Vec::new();
            let text = emit(node, &mut leaves);
            let program = self.env.compile(&text).unwrap_or_else(|error| panic!("{text}: {error}"));
            let region = Rc::new(Region { program, leaves });
            programs.0.borrow_mut().insert(node, Rc::clone(&region));
            region
        });
        let mut context = Context::with_env(Arc::clone(&self.env));
        let mut variables: HashMap<String, CelValue> = HashMap::new();
        for (index, leaf) in region.leaves.iter().enumerate() {
            if let Some(value) = self.leaf(leaf, names, programs) {
                variables.insert(
                    format!("k{index}"),
                    match value {
                        Known::Int(value) => CelValue::Int(value),
                        Known::Text(text) => CelValue::String(Arc::new(text)),
                        Known::Bool(value) => CelValue::Bool(value),
                    },
                );
            }
        }
        context.add_variable_from_value("v", variables);
        match region.program.execute(&context) {
            Ok(CelValue::Int(value)) => Some(Known::Int(value)),
            Ok(CelValue::String(text)) => Some(Known::Text(text.to_string())),
            Ok(CelValue::Bool(value)) => Some(Known::Bool(value)),
            Ok(other) => panic!("no such value: {other:?}"),
            Err(cel::ExecutionError::NoSuchOverload(error)) => panic!("the tree is ill-typed: {error}"),
            Err(_) => None,
        }
    }

    fn truth<'n>(&self, node: &'n Node, names: &Names<'a>, programs: &Programs<'n>) -> Option<bool> {
        self.value(node, names, programs).map(|value| matches!(value, Known::Bool(true)))
    }

    fn leaf<'n>(&self, node: &'n Node, names: &Names<'a>, programs: &Programs<'n>) -> Option<Known> {
        let zone = self.zone(names);
        let today = || self.moment.now.date(zone);
        match &node.value {
            Value::Text(text) => Some(Known::Text(text.clone())),
            Value::Now(span) => Some(Known::Int(self.moment.now.plus(*span).micros())),
            Value::TouchpointAt => unreachable!("only goals read it"),
            Value::Today => Some(Known::Int(today().days())),
            Value::Field(row, field) => {
                let stored = self.row(row, names).and_then(|row| row.fields.get(field));
                match (stored, node.kind) {
                    (Some(Cell::Int(value)), plusone::expr::tree::Kind::Boolean) => Some(Known::Bool(*value != 0)),
                    (None, plusone::expr::tree::Kind::Boolean) => Some(Known::Bool(false)),
                    (Some(Cell::Int(value)), _) => Some(Known::Int(*value)),
                    (Some(Cell::Text(text)), _) => Some(Known::Text(text.clone())),
                    (None, _) => None,
                }
            }
            Value::Known(of) => Some(Known::Bool(match &of.value {
                Value::Field(row, field) => self.row(row, names).is_some_and(|row| row.fields.contains_key(field)),
                _ => self.value(of, names, programs).is_some(),
            })),
            Value::Present(row) => Some(Known::Bool(self.row(row, names).is_some())),
            Value::Lower(of) => match self.value(of, names, programs)? {
                Known::Text(text) => Some(Known::Text(text.to_ascii_lowercase())),
                other => panic!("{other:?} is no text"),
            },
            Value::Matches(of, pattern) => match self.value(of, names, programs)? {
                Known::Text(text) => {
                    let pattern = regex::Regex::new(pattern.text(Dialect::Sqlite)).expect("a good pattern");
                    Some(Known::Bool(pattern.is_match(&text)))
                }
                other => panic!("{other:?} is no text"),
            },
            Value::DateOf(of) => {
                let at = int(self.value(of, names, programs)?);
                Some(Known::Int(Timestamp::from_micros(at).date(zone).days()))
            }
            Value::Calendar(function, of) => {
                let date = Date::from_days(int(self.value(of, names, programs)?)).naive();
                Some(calendar(*function, date, today().naive()))
            }
            Value::Fold(list, fold) => self.fold(list, fold, names, programs),
            other => panic!("not a leaf: {other:?}"),
        }
    }

    /// The zone in which days are counted.
    fn zone(&self, names: &Names<'a>) -> Tz {
        let field = self.catalogue.roles.time_zone.as_ref().filter(|_| self.moment.in_customers_time);
        match field.and_then(|field| names.customer?.fields.get(field)) {
            Some(Cell::Text(name)) => zone_named(name).unwrap_or(self.moment.zone),
            _ => self.moment.zone,
        }
    }

    fn row(&self, row: &Row, names: &Names<'a>) -> Option<&'a Record> {
        match row {
            Row::Root => names.root,
            Row::Customer => names.customer,
            Row::Element(number) => names.elements.get(number).copied(),
            Row::One { from, field, entity, .. } => {
                let from_row = self.row(from, names)?;
                let Cell::Text(key) = from_row.fields.get(field)? else { panic!("a link is a text") };
                let owned = self.catalogue.is_owned(entity) && from_row.bucket >= 0;
                let rows = self.keys.get(&(entity.clone(), key.clone()))?;
                let found = rows.iter().map(|index| &self.data[entity][*index]);
                found.into_iter().find(|row| !owned || row.bucket == from_row.bucket)
            }
        }
    }

    fn fold<'n>(&self, list: &'n List, fold: &'n Fold, names: &Names<'a>, programs: &Programs<'n>) -> Option<Known> {
        let parent = self.row(&list.parent, names);
        let key = parent.and_then(|parent| parent.fields.get("id"));
        let mut chosen: Vec<Names<'a>> = Vec::new();
        for row in self.data.get(&list.entity).map_or(&[][..], |rows| rows) {
            let Some(parent) = parent.filter(|_| key.is_some() && row.fields.get(&list.field) == key) else { continue };
            if list.same_bucket && row.bucket != parent.bucket {
                continue;
            }
            let mut inside = names.clone();
            inside.elements.insert(list.element, row);
            if list.filters.iter().all(|filter| self.truth(filter, &inside, programs) == Some(true)) {
                chosen.push(inside);
            }
        }
        let values =
            |of: &'n Node| chosen.iter().filter_map(|names| self.value(of, names, programs)).collect::<Vec<_>>();
        let sum = |of: &'n Node| {
            let values = values(of);
            let count = values.len();
            (i64::try_from(values.into_iter().map(int).map(i128::from).sum::<i128>()).ok(), count)
        };
        match fold {
            Fold::Exists => Some(Known::Bool(!chosen.is_empty())),
            Fold::All(of) => {
                let all = chosen.iter().all(|names| self.truth(of, names, programs) == Some(true));
                Some(Known::Bool(all))
            }
            Fold::Count => Some(Known::Int(i64::try_from(chosen.len()).expect("few rows"))),
            Fold::Sum(of) => sum(of).0.map(Known::Int),
            Fold::Least(of) => values(of).into_iter().min(),
            Fold::Greatest(of) => values(of).into_iter().max(),
            Fold::Average(of, factor) => {
                let (sum, count) = sum(of);
                let scaled = sum?.checked_mul(*factor)?;
                scaled.checked_div(i64::try_from(count).expect("few rows")).map(Known::Int)
            }
        }
    }
}

fn int(value: Known) -> i64 {
    if let Known::Int(value) = value { value } else { panic!("{value:?} is no number") }
}

/// 29 February is kept on the 28th in other years.
fn anniversary(date: NaiveDate, year: i32) -> NaiveDate {
    date.with_year(year).unwrap_or_else(|| NaiveDate::from_ymd_opt(year, 2, 28).expect("a date"))
}

fn calendar(function: Calendar, date: NaiveDate, today: NaiveDate) -> Known {
    let this = anniversary(date, today.year());
    match function {
        Calendar::IsAnniversary => Known::Bool(this == today),
        Calendar::YearsSince => Known::Int(i64::from(today.year() - date.year()) - i64::from(this > today)),
        Calendar::DaysUntilAnniversary => {
            let next = if this >= today { this } else { anniversary(date, today.year() + 1) };
            Known::Int((next - today).num_days())
        }
    }
}

/// CEL's text for `node`; what CEL does not know is read from `v`.
fn emit<'n>(node: &'n Node, leaves: &mut Vec<&'n Node>) -> String {
    let two = |a: &'n Node, sign: &str, b: &'n Node, leaves: &mut Vec<&'n Node>| {
        let (a, b) = (emit(a, leaves), emit(b, leaves));
        format!("({a} {sign} {b})")
    };
    match &node.value {
        Value::Int(value) => format!("({value})"),
        Value::Bool(value) => value.to_string(),
        Value::Not(of) => format!("(!{})", emit(of, leaves)),
        Value::And(a, b) => two(a, "&&", b, leaves),
        Value::Or(a, b) => two(a, "||", b, leaves),
        Value::Compare(op, a, b) => {
            let sign = match op {
                Comparison::Equal => "==",
                Comparison::NotEqual => "!=",
                Comparison::Less => "<",
                Comparison::LessOrEqual => "<=",
                Comparison::Greater => ">",
                Comparison::GreaterOrEqual => ">=",
            };
            two(a, sign, b, leaves)
        }
        Value::In(of, members) => {
            let of = emit(of, leaves);
            let members: Vec<String> = members.iter().map(|member| emit(member, leaves)).collect();
            format!("({of} in [{}])", members.join(", "))
        }
        Value::Always(value, of) => {
            let of = emit(of, leaves);
            format!("(({of} == {of}) == {value})")
        }
        Value::Choose(condition, yes, no) => {
            let (condition, yes, no) = (emit(condition, leaves), emit(yes, leaves), emit(no, leaves));
            format!("({condition} ? {yes} : {no})")
        }
        // The remainder of the least integer and −1 is 0, where CEL sees an overflow.
        Value::Arithmetic(Arithmetic::Remainder, a, b) => {
            let (a, b) = (emit(a, leaves), emit(b, leaves));
            format!("({b} == -1 ? ({a} == {a} ? 0 : 1) : {a} % {b})")
        }
        Value::Arithmetic(op, a, b) => {
            let sign = match op {
                Arithmetic::Add => "+",
                Arithmetic::Subtract => "-",
                Arithmetic::Multiply => "*",
                Arithmetic::Divide | Arithmetic::Remainder => "/",
            };
            two(a, sign, b, leaves)
        }
        Value::Negate(of) => format!("(-{})", emit(of, leaves)),
        Value::TextTest(test, text, part) => {
            let (text, part) = (emit(text, leaves), emit(part, leaves));
            let name = match test {
                TextTest::StartsWith => "startsWith",
                TextTest::EndsWith => "endsWith",
                TextTest::Contains => "contains",
            };
            format!("{text}.{name}({part})")
        }
        _ => {
            leaves.push(node);
            format!("v.k{}", leaves.len() - 1)
        }
    }
}

/// The names for a row of `root`.
pub fn names_of<'d>(root: &str, row: &'d Record, data: &'d Data) -> Names<'d> {
    if root == CUSTOMER {
        return Names { customer: Some(row), ..Names::default() };
    }
    let customer = data[CUSTOMER]
        .iter()
        .find(|customer| customer.bucket == row.bucket && customer.fields["id"] == Cell::Text(row.customer.clone()));
    Names { root: Some(row), customer, ..Names::default() }
}
