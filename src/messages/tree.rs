//! A template as it is rendered: partials put in, names bound, every path counted from a known row.
//!
//! Handlebars' own renderer looks names up by walking JSON and its block stack. Here that is settled once, when the
//! template is read, so that what a template reads can be told exactly and rendering does no more than walk a tree.
//!
//! 1. A path's frame is 0 for the message's own names (`customer`, `offer` …) and n for the row of the n-th `each`
//!    around it, outermost first.
//! 2. Every place in a tree knows where it was written: partials keep their own files.

use crate::messages::context::Value;
use crate::rules::words;
use std::fmt;
use std::str::FromStr;

/// Where something was written: bytes of one of the tree's sources.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct At {
    pub file: usize,
    pub start: usize,
    pub end: usize,
}

#[derive(Clone, PartialEq, Debug)]
pub enum Node {
    Text(String),
    Print(Expr),
    If { test: Expr, then: Vec<Node>, otherwise: Vec<Node> },
    Each { list: Expr, body: Vec<Node>, otherwise: Vec<Node> },
}

#[derive(Clone, PartialEq, Debug)]
pub enum Expr {
    Path(Path),
    /// A text, a number, `true` or `false` as written.
    Literal(Value, At),
    Loop {
        frame: usize,
        what: Loop,
        at: At,
    },
    Call(Box<Call>),
}

/// `cart.total` as `{ frame: 0, fields: [cart, total] }`.
#[derive(Clone, PartialEq, Debug)]
pub struct Path {
    pub frame: usize,
    pub fields: Vec<String>,
    /// As written.
    pub text: String,
    pub at: At,
}

/// What `each` knows of its rows: `@index` counts from 0.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Loop {
    Index,
    First,
    Last,
}

#[derive(Clone, PartialEq, Debug)]
pub struct Call {
    pub helper: Helper,
    pub args: Vec<Expr>,
    /// `name=value`, by name.
    pub options: Vec<(String, Expr)>,
    pub at: At,
}

/// What a template may call; nothing else exists.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Helper {
    Date,
    Time,
    Money,
    Number,
    Plural,
    Default,
    Link,
    Top,
    Eq,
    Ne,
    Lt,
    Lte,
    Gt,
    Gte,
    And,
    Or,
    Not,
}

words!(Helper {
    Date = "date",
    Time = "time",
    Money = "money",
    Number = "number",
    Plural = "plural",
    Default = "default",
    Link = "link",
    Top = "top",
    Eq = "eq",
    Ne = "ne",
    Lt = "lt",
    Lte = "lte",
    Gt = "gt",
    Gte = "gte",
    And = "and",
    Or = "or",
    Not = "not",
});

impl Expr {
    pub fn at(&self) -> At {
        match self {
            Self::Path(path) => path.at,
            Self::Literal(_, at) | Self::Loop { at, .. } => *at,
            Self::Call(call) => call.at,
        }
    }
}

impl Call {
    pub fn option(&self, name: &str) -> Option<&Expr> {
        self.options.iter().find(|(option, _)| option == name).map(|(_, value)| value)
    }

    /// An option written as a literal text.
    pub fn text_option(&self, name: &str) -> Option<&str> {
        match self.option(name) {
            Some(Expr::Literal(Value::Text(text), _)) => Some(text),
            _ => None,
        }
    }
}
