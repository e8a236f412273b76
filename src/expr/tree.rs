//! The typed tree of a condition: what is left when every name, type and scale is settled.
//!
//! 1. Everything is text, a truth value or a 64-bit integer (numbers scaled, dates in days, timestamps and durations
//!    in microseconds), as it lies in the database.
//! 2. Arithmetic is on 64-bit integers and exact; what does not fit 64 bits, and a division by zero, is unknown.
//!    Scales are aligned by multiplications that stand in the tree, so that every reader of it agrees.
//! 3. [`Bounds`] say what a number can be at most: where no overflow is possible, nothing checks for it.

use super::Moment;
use crate::catalogue::Type;
use crate::time::{Span, Timestamp};

/// What a number counts: the units follow the rules of [`super::numbers`].
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Unit {
    /// A literal, which takes the unit of what it meets.
    Literal,
    Integer,
    Decimal,
    Money,
}

/// The type of a node.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Kind {
    Text,
    Boolean,
    /// Scaled by 10^`scale`.
    Number {
        unit: Unit,
        scale: u8,
    },
    Date,
    Timestamp,
    Duration,
}

impl Kind {
    pub const INTEGER: Self = Self::Number { unit: Unit::Integer, scale: 0 };

    pub const fn of(ty: Type) -> Self {
        match ty {
            Type::Text => Self::Text,
            Type::Boolean => Self::Boolean,
            Type::Date => Self::Date,
            Type::Timestamp => Self::Timestamp,
            Type::Integer => Self::INTEGER,
            Type::Decimal(scale) => Self::Number { unit: Unit::Decimal, scale },
            Type::Money => Self::Number { unit: Unit::Money, scale: crate::amount::SCALE },
        }
    }

    /// As messages name it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Text => "a text",
            Self::Boolean => "true or false",
            Self::Number { unit: Unit::Integer, .. } => "an integer",
            Self::Number { unit: Unit::Decimal, .. } => "a decimal",
            Self::Number { unit: Unit::Money, .. } => "an amount of money",
            Self::Number { unit: Unit::Literal, .. } => "a number",
            Self::Date => "a date",
            Self::Timestamp => "a timestamp",
            Self::Duration => "a duration",
        }
    }
}

/// The least and the greatest value that a number can have in 64 bits.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Bounds {
    pub least: i64,
    pub greatest: i64,
}

impl Bounds {
    pub const ALL: Self = Self { least: i64::MIN, greatest: i64::MAX };

    pub const fn within(limit: i64) -> Self {
        Self { least: -limit, greatest: limit }
    }

    pub const fn exactly(value: i64) -> Self {
        Self { least: value, greatest: value }
    }

    pub fn or(self, other: Self) -> Self {
        Self { least: self.least.min(other.least), greatest: self.greatest.max(other.greatest) }
    }

    pub const fn contains(self, value: i64) -> bool {
        self.least <= value && value <= self.greatest
    }
}

/// A row that a condition reads.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Row {
    Root,
    Customer,
    /// The element of the list that has this number.
    Element(u32),
    /// The row that `field` of `from` names by its key; absent where there is none.
    One {
        from: Box<Row>,
        field: String,
        entity: String,
        same_bucket: bool,
    },
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Comparison {
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Arithmetic {
    Add,
    Subtract,
    Multiply,
    /// Truncates toward zero.
    Divide,
    Remainder,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum TextTest {
    StartsWith,
    EndsWith,
    Contains,
}

/// Functions of a date and of the day that [`Moment`] calls today.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Calendar {
    /// Anniversaries since the date, the day itself not counted; negative before it.
    YearsSince,
    IsAnniversary,
    /// 0 on the day.
    DaysUntilAnniversary,
}

/// A typed expression.
#[derive(Clone, PartialEq, Debug)]
pub struct Node {
    pub kind: Kind,
    /// Of what has a number's kind or is stored as one.
    pub bounds: Bounds,
    pub value: Value,
}

#[derive(Clone, PartialEq, Debug)]
pub enum Value {
    Text(String),
    Int(i64),
    Bool(bool),
    /// `now`, moved by a span: `ago("4h")`.
    Now(Span),
    Today,
    /// When the message was sent that a goal is judged for.
    TouchpointAt,
    /// A stored field. A boolean one is false where it is missing.
    Field(Row, String),
    /// Whether the value is known; of a boolean field, whether it is there.
    Known(Box<Node>),
    /// Whether a to-one relation leads to a row. Always [`Row::One`].
    Present(Row),
    Not(Box<Node>),
    And(Box<Node>, Box<Node>),
    Or(Box<Node>, Box<Node>),
    /// Of two nodes of one kind and scale.
    Compare(Comparison, Box<Node>, Box<Node>),
    /// Among constants of the same kind and scale.
    In(Box<Node>, Vec<Node>),
    /// True or false where the value is known: a comparison with what it can never equal.
    Always(bool, Box<Node>),
    Choose(Box<Node>, Box<Node>, Box<Node>),
    Arithmetic(Arithmetic, Box<Node>, Box<Node>),
    Negate(Box<Node>),
    TextTest(TextTest, Box<Node>, Box<Node>),
    Matches(Box<Node>, super::pattern::Pattern),
    Lower(Box<Node>),
    /// The calendar date of a timestamp.
    DateOf(Box<Node>),
    Calendar(Calendar, Box<Node>),
    Fold(Box<List>, Fold),
}

/// The rows of `entity` that belong to `parent`, as far as every filter is true of them.
#[derive(Clone, PartialEq, Debug)]
pub struct List {
    /// Names the element: [`Row::Element`].
    pub element: u32,
    pub entity: String,
    pub parent: Row,
    /// The entity of `parent`.
    pub of: String,
    /// The field of `entity` that holds the parent's key.
    pub field: String,
    pub same_bucket: bool,
    pub filters: Vec<Node>,
}

/// What is made of a list. Elements whose value is unknown do not count.
#[derive(Clone, PartialEq, Debug)]
pub enum Fold {
    Exists,
    All(Box<Node>),
    Count,
    Sum(Box<Node>),
    Least(Box<Node>),
    Greatest(Box<Node>),
    /// The sum times a factor, divided by the count.
    Average(Box<Node>, i64),
}

impl Node {
    pub fn boolean(value: Value) -> Self {
        Self { kind: Kind::Boolean, bounds: Bounds { least: 0, greatest: 1 }, value }
    }

    pub fn boxed(self) -> Box<Self> {
        Box::new(self)
    }

    /// The value, where it depends on no row. `Some(None)` is a constant that does not fit 64 bits.
    pub fn constant(&self, moment: Moment) -> Option<Option<i64>> {
        match &self.value {
            Value::Int(value) => Some(Some(*value)),
            Value::Now(span) => Some(Some(moment.now.plus(*span).micros())),
            Value::Today | Value::DateOf(_) if moment.in_customers_time => None,
            Value::Today => Some(Some(moment.now.date(moment.zone).days())),
            Value::DateOf(of) => {
                let at = of.constant(moment)?;
                Some(at.map(|at| Timestamp::from_micros(at).date(moment.zone).days()))
            }
            Value::Arithmetic(op, a, b) => {
                let (a, b) = (a.constant(moment)?, b.constant(moment)?);
                Some(a.zip(b).and_then(|(a, b)| op.apply(a, b)))
            }
            Value::Negate(of) => Some(of.constant(moment)?.and_then(i64::checked_neg)),
            _ => None,
        }
    }

    /// Whether it can be written twice at no cost: a column or a constant.
    pub fn is_simple(&self) -> bool {
        match &self.value {
            Value::Field(row, _) => !matches!(row, Row::One { .. }) && self.kind != Kind::Boolean,
            Value::Text(_) | Value::Int(_) | Value::Now(_) | Value::Today | Value::TouchpointAt => true,
            _ => false,
        }
    }

    /// Every node directly below this one.
    pub fn children(&self) -> Vec<&Self> {
        match &self.value {
            Value::Text(_) | Value::Int(_) | Value::Bool(_) | Value::Now(_) | Value::Today | Value::Field(..) => vec![],
            Value::Present(_) | Value::TouchpointAt => vec![],
            Value::Known(a) | Value::Not(a) | Value::Always(_, a) | Value::Negate(a) | Value::Matches(a, _) => vec![a],
            Value::Lower(a) | Value::DateOf(a) | Value::Calendar(_, a) => vec![a],
            Value::And(a, b) | Value::Or(a, b) | Value::Compare(_, a, b) | Value::Arithmetic(_, a, b) => vec![a, b],
            Value::TextTest(_, a, b) => vec![a, b],
            Value::In(a, list) => std::iter::once(&**a).chain(list).collect(),
            Value::Choose(a, b, c) => vec![a, b, c],
            Value::Fold(list, fold) => list.filters.iter().chain(fold.of()).collect(),
        }
    }
}

impl Fold {
    /// What is taken of each element.
    pub fn of(&self) -> Option<&Node> {
        match self {
            Self::Exists | Self::Count => None,
            Self::All(of) | Self::Sum(of) | Self::Least(of) | Self::Greatest(of) | Self::Average(of, _) => Some(of),
        }
    }
}

impl Arithmetic {
    pub fn apply(self, a: i64, b: i64) -> Option<i64> {
        match self {
            Self::Add => a.checked_add(b),
            Self::Subtract => a.checked_sub(b),
            Self::Multiply => a.checked_mul(b),
            Self::Divide => a.checked_div(b),
            Self::Remainder => (b != 0).then(|| a.wrapping_rem(b)),
        }
    }

    /// The bounds of the result, and whether every result lies within 64 bits and is defined.
    pub fn bounds(self, a: Bounds, b: Bounds) -> (Bounds, bool) {
        let wide = |bounds: Bounds| [i128::from(bounds.least), i128::from(bounds.greatest)];
        let corners = |of: fn(i128, i128) -> i128| wide(a).into_iter().flat_map(move |x| wide(b).map(|y| of(x, y)));
        let (least, greatest) = match self {
            Self::Add => ends(corners(|x, y| x + y)),
            Self::Subtract => ends(corners(|x, y| x - y)),
            Self::Multiply => ends(corners(|x, y| x * y)),
            Self::Divide => {
                let most = wide(a).map(i128::abs).into_iter().max().unwrap_or(0);
                (-most, most)
            }
            Self::Remainder => wide(Bounds::ALL).into(),
        };
        let clamp = |value: i128| i64::try_from(value.clamp(i64::MIN.into(), i64::MAX.into())).expect("it was clamped");
        let fits = i64::try_from(least).is_ok() && i64::try_from(greatest).is_ok();
        let defined = !matches!(self, Self::Divide | Self::Remainder) || !b.contains(0);
        (Bounds { least: clamp(least), greatest: clamp(greatest) }, fits && defined)
    }
}

fn ends(values: impl Iterator<Item = i128>) -> (i128, i128) {
    values.fold((i128::MAX, i128::MIN), |(least, greatest), value| (least.min(value), greatest.max(value)))
}

impl Comparison {
    /// The comparison that holds of `b` and `a` when this one holds of `a` and `b`.
    pub const fn flipped(self) -> Self {
        match self {
            Self::Equal | Self::NotEqual => self,
            Self::Less => Self::Greater,
            Self::LessOrEqual => Self::GreaterOrEqual,
            Self::Greater => Self::Less,
            Self::GreaterOrEqual => Self::LessOrEqual,
        }
    }

    /// The comparison that holds where this one does not.
    pub const fn negated(self) -> Self {
        match self {
            Self::Equal => Self::NotEqual,
            Self::NotEqual => Self::Equal,
            Self::Less => Self::GreaterOrEqual,
            Self::LessOrEqual => Self::Greater,
            Self::Greater => Self::LessOrEqual,
            Self::GreaterOrEqual => Self::Less,
        }
    }

    /// Whether it holds of two values that stand to each other like this.
    pub fn holds(self, order: std::cmp::Ordering) -> bool {
        match self {
            Self::Equal => order.is_eq(),
            Self::NotEqual => order.is_ne(),
            Self::Less => order.is_lt(),
            Self::LessOrEqual => order.is_le(),
            Self::Greater => order.is_gt(),
            Self::GreaterOrEqual => order.is_ge(),
        }
    }

    pub const fn sql(self) -> &'static str {
        match self {
            Self::Equal => "=",
            Self::NotEqual => "<>",
            Self::Less => "<",
            Self::LessOrEqual => "<=",
            Self::Greater => ">",
            Self::GreaterOrEqual => ">=",
        }
    }
}
