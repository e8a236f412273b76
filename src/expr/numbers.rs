//! The rules of numbers: which units go together, and at which scale.
//!
//! | operation | left | right | result |
//! |---|---|---|---|
//! | `+` `-` | a unit | the same unit, or a literal | that unit, the larger scale |
//! | `+` `-` | integer | decimal or money, in either order | the other's unit and scale |
//! | `*` | any | integer or literal, in either order | the other's unit, scales added |
//! | `*` | decimal, money | decimal, in either order | money if there is any, else decimal, scales added |
//! | `/` | integer | integer or whole literal | integer, truncated toward zero |
//! | `/` | integer, decimal, money | integer, decimal, literal | the left unit (an integer: decimal), at least 4 digits |
//! | `/` | money | money | decimal of 4 digits |
//! | `%` | integer | integer | integer, with the sign of the left |
//! | comparison | any | any | at the larger scale |
//!
//! 1. Every digit is exact but a quotient's last, which is truncated toward zero.
//! 2. A literal takes the unit of what it meets. Comparing with a literal never costs arithmetic on the data.
//! 3. No scale beyond [`MAX_SCALE`]: nothing useful would fit 64 bits.

use super::tree::{Arithmetic, Bounds, Comparison, Kind, Node, Unit, Value};

pub const MAX_SCALE: u8 = 12;
const QUOTIENT_SCALE: u8 = 4;

/// Why numbers do not go together: a cause, and a cure where there is one.
pub type Refusal = (String, Option<&'static str>);

fn refuse<T>(cause: impl Into<String>, cure: Option<&'static str>) -> Result<T, Refusal> {
    Err((cause.into(), cure))
}

/// A literal as it is written: digits with at most one point, and its sign.
pub fn literal(digits: &str, negative: bool) -> Result<Node, Refusal> {
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    let fraction = fraction.trim_end_matches('0');
    let scale = u8::try_from(fraction.len()).unwrap_or(u8::MAX);
    let sign = if negative { "-" } else { "" };
    match format!("{sign}{whole}{fraction}").parse() {
        Ok(units) if scale <= MAX_SCALE => Ok(constant(units, Unit::Literal, scale)),
        _ => refuse(format!("`{sign}{digits}` has more digits than can be reckoned with"), None),
    }
}

pub fn constant(units: i64, unit: Unit, scale: u8) -> Node {
    Node { kind: Kind::Number { unit, scale }, bounds: Bounds::exactly(units), value: Value::Int(units) }
}

/// `a op b` on 64-bit integers, folded where both are literals.
pub fn exact(op: Arithmetic, a: Node, b: Node, kind: Kind) -> Result<Node, Refusal> {
    if let (Value::Int(x), Value::Int(y)) = (&a.value, &b.value) {
        return match op.apply(*x, *y) {
            Some(value) => Ok(Node { kind, bounds: Bounds::exactly(value), value: Value::Int(value) }),
            None if *y == 0 => refuse("a division by zero", None),
            None => refuse("the result is too large to be reckoned with", None),
        };
    }
    if matches!(op, Arithmetic::Divide | Arithmetic::Remainder) && b.value == Value::Int(0) {
        return refuse("a division by zero", None);
    }
    let (bounds, _) = op.bounds(a.bounds, b.bounds);
    Ok(Node { kind, bounds, value: Value::Arithmetic(op, a.boxed(), b.boxed()) })
}

/// `node` with `more` further digits after the point.
pub fn widen(node: Node, more: u8) -> Result<Node, Refusal> {
    let Kind::Number { unit, scale } = node.kind else { return Ok(node) };
    if more == 0 {
        return Ok(node);
    }
    if scale + more > MAX_SCALE {
        return refuse(format!("more than {MAX_SCALE} digits after the point"), Some("name fewer decimals in it"));
    }
    let factor = constant(10_i64.pow(more.into()), Unit::Literal, 0);
    exact(Arithmetic::Multiply, node, factor, Kind::Number { unit, scale: scale + more })
}

/// Both at the larger scale.
fn aligned(a: Node, b: Node) -> Result<(Node, Node, u8), Refusal> {
    let (left, right) = (scale(&a), scale(&b));
    let larger = left.max(right);
    Ok((widen(a, larger - left)?, widen(b, larger - right)?, larger))
}

fn scale(node: &Node) -> u8 {
    if let Kind::Number { scale, .. } = node.kind { scale } else { 0 }
}

fn unit(node: &Node) -> Unit {
    if let Kind::Number { unit, .. } = node.kind { unit } else { Unit::Literal }
}

/// The unit of a sum, a difference, or a choice between two.
fn common_unit(a: Unit, b: Unit) -> Result<Unit, Refusal> {
    match (a, b) {
        (Unit::Literal, other) | (other, Unit::Literal) => Ok(other),
        (Unit::Integer, other) | (other, Unit::Integer) => Ok(other),
        _ if a == b => Ok(a),
        _ => refuse("money and a decimal are different things", Some("multiply or divide money by a decimal")),
    }
}

/// Both with one unit and scale: for `? :`.
pub fn unified(a: Node, b: Node) -> Result<(Node, Node), Refusal> {
    let unit = match common_unit(unit(&a), unit(&b))? {
        Unit::Integer if scale(&a).max(scale(&b)) > 0 => Unit::Decimal,
        unit => unit,
    };
    let (mut a, mut b, scale) = aligned(a, b)?;
    let kind = Kind::Number { unit, scale };
    (a.kind, b.kind) = (kind, kind);
    Ok((a, b))
}

/// `a op b` by the table above.
pub fn arithmetic(op: Arithmetic, a: Node, b: Node) -> Result<Node, Refusal> {
    match op {
        Arithmetic::Add | Arithmetic::Subtract => {
            let (a, b) = unified(a, b)?;
            let kind = a.kind;
            exact(op, a, b, kind)
        }
        Arithmetic::Multiply => product(a, b),
        Arithmetic::Divide => quotient(a, b),
        Arithmetic::Remainder => {
            let whole = |node: &Node| matches!(unit(node), Unit::Integer | Unit::Literal) && scale(node) == 0;
            if whole(&a) && whole(&b) { exact(op, a, b, Kind::INTEGER) } else { refuse("`%` is for integers", None) }
        }
    }
}

fn product(a: Node, b: Node) -> Result<Node, Refusal> {
    let scale = scale(&a) + scale(&b);
    let unit = match (unit(&a), unit(&b)) {
        (Unit::Money, Unit::Money) => return refuse("money times money has no meaning", None),
        (Unit::Literal, Unit::Literal) => Unit::Literal,
        (Unit::Money, _) | (_, Unit::Money) => Unit::Money,
        (Unit::Decimal, _) | (_, Unit::Decimal) => Unit::Decimal,
        _ if scale > 0 => Unit::Decimal,
        _ => Unit::Integer,
    };
    if scale > MAX_SCALE {
        return refuse(format!("a product with more than {MAX_SCALE} digits after the point"), None);
    }
    exact(Arithmetic::Multiply, a, b, Kind::Number { unit, scale })
}

fn quotient(a: Node, b: Node) -> Result<Node, Refusal> {
    let (left, right) = (unit(&a), unit(&b));
    let whole = scale(&a) == 0 && scale(&b) == 0;
    let result = match (left, right) {
        (Unit::Money, Unit::Money) => Unit::Decimal,
        (_, Unit::Money) => return refuse("only money can be divided by money", None),
        (Unit::Literal | Unit::Integer, Unit::Literal | Unit::Integer) if whole => {
            return exact(Arithmetic::Divide, a, b, Kind::INTEGER);
        }
        (Unit::Integer | Unit::Literal, _) => Unit::Decimal,
        _ => left,
    };
    let places = scale(&a).max(QUOTIENT_SCALE);
    let more = places + scale(&b) - scale(&a);
    let kind = Kind::Number { unit: result, scale: places };
    // The factor is part of the numerator's reckoning, not of its meaning: it may pass `MAX_SCALE`.
    let factor = constant(10_i64.pow(more.into()), Unit::Literal, 0);
    let numerator = if more == 0 { a } else { exact(Arithmetic::Multiply, a, factor, kind)? };
    exact(Arithmetic::Divide, numerator, b, kind)
}

/// `a op b`, at the larger scale; a literal is brought to the scale of the data, not the data to the literal's.
pub fn compare(op: Comparison, a: Node, b: Node) -> Result<Node, Refusal> {
    match (&a.value, &b.value) {
        (Value::Int(_), Value::Int(_)) => {}
        (_, Value::Int(units)) => return compare_with(op, a, *units, scale(&b)),
        (Value::Int(units), _) => return compare_with(op.flipped(), b, *units, scale(&a)),
        _ => {}
    }
    let (a, b, _) = aligned(a, b)?;
    Ok(Node::boolean(Value::Compare(op, a.boxed(), b.boxed())))
}

fn compare_with(op: Comparison, data: Node, units: i64, literal_scale: u8) -> Result<Node, Refusal> {
    let Kind::Number { unit, scale } = data.kind else { return refuse("not a number", None) };
    if literal_scale <= scale {
        let literal = widen(constant(units, unit, literal_scale), scale - literal_scale)?;
        return Ok(Node::boolean(Value::Compare(op, data.boxed(), literal.boxed())));
    }
    // The literal has digits that the data cannot have: it lies between two values of the data.
    let factor = 10_i64.pow((literal_scale - scale).into());
    let (below, exact) = (units.div_euclid(factor), units.rem_euclid(factor) == 0);
    let literal = constant(below, unit, scale).boxed();
    let op = match op {
        _ if exact => op,
        Comparison::Equal => return Ok(Node::boolean(Value::Always(false, data.boxed()))),
        Comparison::NotEqual => return Ok(Node::boolean(Value::Always(true, data.boxed()))),
        Comparison::Less | Comparison::LessOrEqual => Comparison::LessOrEqual,
        Comparison::Greater | Comparison::GreaterOrEqual => Comparison::Greater,
    };
    Ok(Node::boolean(Value::Compare(op, data.boxed(), literal)))
}

/// `literal` at the scale of `data`; `None` where `data` can never equal it.
pub fn as_member(data: &Node, literal: &Node) -> Option<Node> {
    let (Kind::Number { unit, scale: places }, Value::Int(units)) = (data.kind, &literal.value) else { return None };
    let more = i32::from(places) - i32::from(scale(literal));
    let factor = 10_i64.checked_pow(more.unsigned_abs())?;
    let units = if more >= 0 { units.checked_mul(factor)? } else { (units % factor == 0).then(|| units / factor)? };
    Some(constant(units, unit, places))
}

/// What an average needs: its kind, and the factor of the sum.
pub fn average(of: Kind) -> Option<(Kind, i64)> {
    let Kind::Number { unit, scale } = of else { return None };
    let places = scale.max(QUOTIENT_SCALE);
    let unit = if unit == Unit::Money { Unit::Money } else { Unit::Decimal };
    Some((Kind::Number { unit, scale: places }, 10_i64.pow((places - scale).into())))
}
