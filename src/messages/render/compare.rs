//! Which of two values is the greater. A missing value equals nothing and is neither greater nor less.

use crate::amount::Amount;
use crate::messages::context::Value;
use crate::messages::tree::Helper;
use std::cmp::Ordering;

/// Whether `left <helper> right` holds.
pub fn holds(helper: Helper, left: &Value, right: &Value) -> bool {
    let order = order(left, right);
    match helper {
        Helper::Eq => order == Some(Ordering::Equal),
        Helper::Ne => order != Some(Ordering::Equal),
        Helper::Lt => order == Some(Ordering::Less),
        Helper::Lte => matches!(order, Some(Ordering::Less | Ordering::Equal)),
        Helper::Gt => order == Some(Ordering::Greater),
        Helper::Gte => matches!(order, Some(Ordering::Greater | Ordering::Equal)),
        _ => false,
    }
}

/// Greatest first, what is missing last.
pub fn descending(left: &Value, right: &Value) -> Ordering {
    match (left.is_blank(), right.is_blank()) {
        (false, false) => order(right, left).unwrap_or(Ordering::Equal),
        (left, right) => left.cmp(&right),
    }
}

fn order(left: &Value, right: &Value) -> Option<Ordering> {
    match (left, right) {
        (Value::Text(left), Value::Text(right)) => Some(left.cmp(right)),
        (Value::Boolean(left), Value::Boolean(right)) => Some(left.cmp(right)),
        (Value::Date(left), Value::Date(right)) => Some(left.cmp(right)),
        (Value::Timestamp(left), Value::Timestamp(right)) => Some(left.cmp(right)),
        _ => number(left)?.partial_cmp(&number(right)?),
    }
}

/// A number at the greatest scale there is, exactly.
fn number(value: &Value) -> Option<i128> {
    let at_scale =
        |amount: Amount| i128::from(amount.units) * 10_i128.pow(u32::from(18_u8.saturating_sub(amount.scale)));
    match value {
        Value::Integer(units) => Some(at_scale(Amount { units: *units, scale: 0 })),
        Value::Decimal(amount) | Value::Money(amount) => Some(at_scale(*amount)),
        _ => None,
    }
}
