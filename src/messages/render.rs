//! Walks a template's tree over a customer's data.
//!
//! 1. A missing value is never printed as nothing: rendering ends with its name.
//! 2. At most [`MAX_LIST`] rows of a list, [`MAX_ROWS`] rows in all and [`MAX_OUTPUT`] bytes: a template cannot run away.
//! 3. A value is escaped once, when it is printed; what a helper hands to another is not yet escaped.

mod compare;

use crate::amount::Amount;
use crate::messages::context::{Record, Value};
use crate::messages::format::{DateForm, FormatError, Formats};
use crate::messages::html;
use crate::messages::syntax::{Escape, Tree};
use crate::messages::tree::{Call, Expr, Helper, Loop, Node, Path};

/// Rows of one list that are read.
pub const MAX_LIST: usize = 50;
/// Rows that one part may walk, lists within lists counted each time.
pub const MAX_ROWS: usize = 5_000;
/// Bytes of one rendered part.
pub const MAX_OUTPUT: usize = 1024 * 1024;

/// Why a message could not be made.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum RenderError {
    /// The customer lacks a value that the template needs.
    #[error("`{0}` has no value for this customer")]
    MissingValue(String),
    #[error("the template has no {part} for {channel}")]
    NoPart { channel: &'static str, part: &'static str },
    #[error("the {0} comes out empty")]
    Empty(&'static str),
    #[error("`{name}` cannot be used here: {reason}")]
    BadValue { name: String, reason: String },
    #[error("the link `{0}` leads neither to the web nor to a mail address or phone number")]
    BadLink(String),
    #[error("more than {MAX_ROWS} rows of lists within lists")]
    TooManyRows,
    #[error("more than {MAX_OUTPUT} bytes in one part")]
    TooLong,
    #[error("a value {0}")]
    Format(#[from] FormatError),
    #[error("the HTML could not be turned into text: {0}")]
    Text(String),
    #[error("the styles could not be put in place: {0}")]
    Styles(String),
}

/// One row of an `each`.
struct Row<'a> {
    value: &'a Value,
    index: usize,
    last: bool,
}

/// What an expression comes to.
enum Seen<'a> {
    Here(&'a Value),
    Made(Value),
    Rows(Vec<&'a Value>),
}

static MISSING: Value = Value::Missing;

impl Seen<'_> {
    fn value(&self) -> &Value {
        match self {
            Self::Here(value) => value,
            Self::Made(value) => value,
            Self::Rows(_) => &MISSING,
        }
    }

    fn is_truthy(&self) -> bool {
        match self {
            Self::Rows(rows) => !rows.is_empty(),
            _ => self.value().is_truthy(),
        }
    }
}

/// Renders one part.
///
/// # Errors
/// See [`RenderError`].
pub fn render(tree: &Tree, escape: Escape, formats: &Formats, data: &Record) -> Result<String, RenderError> {
    let mut render = Render { data, formats, escape, rows: Vec::new(), walked: 0, out: String::with_capacity(4096) };
    render.nodes(&tree.nodes)?;
    Ok(render.out)
}

struct Render<'a> {
    data: &'a Record,
    formats: &'a Formats,
    escape: Escape,
    rows: Vec<Row<'a>>,
    walked: usize,
    out: String,
}

impl<'a> Render<'a> {
    fn nodes(&mut self, nodes: &'a [Node]) -> Result<(), RenderError> {
        nodes.iter().try_for_each(|node| self.node(node))
    }

    fn node(&mut self, node: &'a Node) -> Result<(), RenderError> {
        match node {
            Node::Text(text) => self.out.push_str(text),
            Node::Print(value) => self.print(value)?,
            Node::If { test, then, otherwise } => {
                let branch = if self.eval(test)?.is_truthy() { then } else { otherwise };
                self.nodes(branch)?;
            }
            Node::Each { list, body, otherwise } => {
                let rows = match self.eval(list)? {
                    Seen::Here(Value::List(rows)) => rows.iter().take(MAX_LIST).collect(),
                    Seen::Rows(rows) => rows,
                    _ => Vec::new(),
                };
                if rows.is_empty() {
                    self.nodes(otherwise)?;
                }
                self.each(&rows, body)?;
            }
        }
        if self.out.len() > MAX_OUTPUT { Err(RenderError::TooLong) } else { Ok(()) }
    }

    fn each(&mut self, rows: &[&'a Value], body: &'a [Node]) -> Result<(), RenderError> {
        for (index, &value) in rows.iter().enumerate() {
            self.walked += 1;
            if self.walked > MAX_ROWS {
                return Err(RenderError::TooManyRows);
            }
            self.rows.push(Row { value, index, last: index + 1 == rows.len() });
            self.nodes(body)?;
            self.rows.pop();
        }
        Ok(())
    }

    fn print(&mut self, expr: &'a Expr) -> Result<(), RenderError> {
        let seen = self.eval(expr)?;
        let value = seen.value();
        if value.is_blank() {
            return Err(RenderError::MissingValue(name_of(expr)));
        }
        let made;
        let text = match value {
            Value::Text(text) => text,
            other => {
                made = self.formats.text(other)?;
                &made
            }
        };
        // Control characters mean nothing in a message, and a NUL ends texts elsewhere.
        let stands = |c: char| !c.is_control() || matches!(c, '\n' | '\t');
        let cleaned;
        let text = if text.chars().all(stands) {
            text
        } else {
            cleaned = text.chars().filter(|&c| stands(c)).collect();
            &cleaned
        };
        match self.escape {
            Escape::Html => html::escape_into(&mut self.out, text),
            Escape::Nothing => self.out.push_str(text),
        }
        Ok(())
    }

    fn eval(&self, expr: &'a Expr) -> Result<Seen<'a>, RenderError> {
        match expr {
            Expr::Path(path) => Ok(Seen::Here(self.path(path))),
            Expr::Literal(value, _) => Ok(Seen::Here(value)),
            Expr::Loop { frame, what, .. } => {
                let value = self.rows.get(frame - 1).map_or(Value::Missing, |row| match what {
                    Loop::Index => Value::Integer(i64::try_from(row.index).unwrap_or(i64::MAX)),
                    Loop::First => Value::Boolean(row.index == 0),
                    Loop::Last => Value::Boolean(row.last),
                });
                Ok(Seen::Made(value))
            }
            Expr::Call(call) => self.call(call),
        }
    }

    fn path(&self, path: &Path) -> &'a Value {
        let (mut value, fields) = match path.frame.checked_sub(1) {
            Some(row) => (self.rows.get(row).map_or(&MISSING, |row| row.value), &path.fields[..]),
            None => match path.fields.split_first() {
                Some((first, rest)) => (self.data.get(first).unwrap_or(&MISSING), rest),
                None => return &MISSING,
            },
        };
        for field in fields {
            value = match value {
                Value::Record(record) => record.get(field).unwrap_or(&MISSING),
                _ => &MISSING,
            };
        }
        value
    }

    fn call(&self, call: &'a Call) -> Result<Seen<'a>, RenderError> {
        let made = |value| Ok(Seen::Made(value));
        match call.helper {
            Helper::Default => {
                let first = self.arg(call, 0)?;
                if first.value().is_blank() { self.arg(call, 1) } else { Ok(first) }
            }
            Helper::Top => self.top(call).map(Seen::Rows),
            Helper::And | Helper::Or => {
                let wants = call.helper == Helper::Or;
                for arg in &call.args {
                    if self.eval(arg)?.is_truthy() == wants {
                        return made(Value::Boolean(wants));
                    }
                }
                made(Value::Boolean(!wants))
            }
            Helper::Not => made(Value::Boolean(!self.arg(call, 0)?.is_truthy())),
            Helper::Eq | Helper::Ne | Helper::Lt | Helper::Lte | Helper::Gt | Helper::Gte => {
                let (left, right) = (self.arg(call, 0)?, self.arg(call, 1)?);
                made(Value::Boolean(compare::holds(call.helper, left.value(), right.value())))
            }
            Helper::Date | Helper::Time | Helper::Money | Helper::Number | Helper::Plural | Helper::Link => {
                self.formatted(call).map(|text| Seen::Made(Value::Text(text)))
            }
        }
    }

    fn arg(&self, call: &'a Call, index: usize) -> Result<Seen<'a>, RenderError> {
        call.args.get(index).map_or(Ok(Seen::Here(&MISSING)), |arg| self.eval(arg))
    }

    /// The helpers that make text of one value.
    fn formatted(&self, call: &'a Call) -> Result<String, RenderError> {
        let seen = self.arg(call, 0)?;
        let value = seen.value();
        if value.is_blank() {
            return Err(RenderError::MissingValue(call.args.first().map_or_else(String::new, name_of)));
        }
        let wrong = |reason: &str| {
            let name = call.args.first().map_or_else(String::new, name_of);
            Err(RenderError::BadValue { name, reason: reason.to_owned() })
        };
        let form = call.text_option("format").and_then(|form| form.parse().ok()).unwrap_or(DateForm::Medium);
        Ok(match (call.helper, value) {
            (Helper::Date, Value::Date(date)) => self.formats.date(*date, form)?,
            (Helper::Date, Value::Timestamp(at)) => self.formats.date_of(*at, form)?,
            (Helper::Time, Value::Timestamp(at)) => self.formats.time(*at)?,
            (Helper::Link, Value::Text(url)) if html::is_web_address(url.trim()) => url.trim().to_owned(),
            (Helper::Link, _) => return wrong("not an absolute http or https address"),
            (helper, value) => match (helper, amount(value)) {
                (Helper::Money, Some(amount)) => self.formats.money(amount)?,
                (Helper::Number, Some(amount)) => self.formats.number(amount)?,
                (Helper::Plural, Some(amount)) => self.plural(call, amount)?,
                _ => return wrong("not a value of this helper's type"),
            },
        })
    }

    fn plural(&self, call: &Call, amount: Amount) -> Result<String, RenderError> {
        let category = self.formats.plural(amount)?;
        let form = call.text_option(category).or_else(|| call.text_option("other")).unwrap_or("#");
        Ok(form.replace('#', &self.formats.number(amount)?))
    }

    fn top(&self, call: &'a Call) -> Result<Vec<&'a Value>, RenderError> {
        let Seen::Here(Value::List(rows)) = self.arg(call, 0)? else { return Ok(Vec::new()) };
        let count = match self.arg(call, 1)?.value() {
            Value::Integer(count) => usize::try_from(*count).unwrap_or(0).min(MAX_LIST),
            _ => 0,
        };
        let by = call.text_option("by").unwrap_or_default();
        let key = |row: &'a Value| match row {
            Value::Record(record) => record.get(by).unwrap_or(&MISSING),
            _ => &MISSING,
        };
        let mut rows: Vec<&Value> = rows.iter().collect();
        rows.sort_by(|left, right| compare::descending(key(left), key(right)));
        rows.truncate(count);
        Ok(rows)
    }
}

/// A number's amount, whatever its type.
fn amount(value: &Value) -> Option<Amount> {
    match value {
        Value::Integer(units) => Some(Amount { units: *units, scale: 0 }),
        Value::Decimal(amount) | Value::Money(amount) => Some(*amount),
        _ => None,
    }
}

/// What to call an expression when its value is missing.
fn name_of(expr: &Expr) -> String {
    match expr {
        Expr::Path(path) => path.text.clone(),
        Expr::Call(call) => call.args.first().map_or_else(|| call.helper.to_string(), name_of),
        Expr::Literal(..) | Expr::Loop { .. } => "the value".to_owned(),
    }
}
