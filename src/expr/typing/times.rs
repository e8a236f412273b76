//! Functions of time.

use super::operators::date_of;
use super::{Place, Typing};
use crate::expr::numbers;
use crate::expr::tree::{Arithmetic, Bounds, Calendar, Kind, Node, Value};
use crate::time::{Span, Timestamp};
use cel::IdedExpr;

impl Typing<'_> {
    /// The function `name` of `args`; `None` where it is not one of these, or has other arguments.
    pub(super) fn time_function(
        &mut self,
        expr: &IdedExpr,
        name: &str,
        args: &[IdedExpr],
        place: &Place<'_>,
    ) -> Option<Option<Node>> {
        let node = match (name, args) {
            ("today", []) => Some(today()),
            ("ago", [span]) => self.span(span, place).map(|span| moved(Span::from_micros(-span.micros()))),
            ("ahead", [span]) => self.span(span, place).map(moved),
            ("duration", [text]) => self.duration(text, place),
            ("timestamp", [text]) => self.timestamp(text, place),
            ("days_since", [of]) => {
                let date = self.date(of, place);
                date.and_then(|date| self.days(expr, date, today(), place))
            }
            ("days_until", [of]) => {
                let date = self.date(of, place);
                date.and_then(|date| self.days(expr, today(), date, place))
            }
            ("days_between", [from, to]) => {
                let (from, to) = (self.date(from, place), self.date(to, place));
                from.zip(to).and_then(|(from, to)| self.days(expr, from, to, place))
            }
            ("years_since", [of]) => self.calendar(Calendar::YearsSince, Kind::INTEGER, of, place),
            ("is_anniversary", [of]) => self.calendar(Calendar::IsAnniversary, Kind::Boolean, of, place),
            ("days_until_anniversary", [of]) => self.calendar(Calendar::DaysUntilAnniversary, Kind::INTEGER, of, place),
            _ => return None,
        };
        Some(node)
    }

    fn days(&mut self, expr: &IdedExpr, from: Node, to: Node, place: &Place<'_>) -> Option<Node> {
        self.settle(numbers::exact(Arithmetic::Subtract, to, from, Kind::INTEGER), expr, place)
    }

    fn calendar(&mut self, function: Calendar, kind: Kind, of: &IdedExpr, place: &Place<'_>) -> Option<Node> {
        let date = self.date(of, place)?;
        let bounds = Bounds::within(if kind == Kind::Boolean { 1 } else { 20_000 });
        Some(Node { kind, bounds, value: Value::Calendar(function, date.boxed()) })
    }

    /// A date, or the date of a timestamp.
    fn date(&mut self, expr: &IdedExpr, place: &Place<'_>) -> Option<Node> {
        let node = self.node(expr, place)?;
        let node = self.read_as(node, Kind::Date, expr, place)?;
        match node.kind {
            Kind::Date => Some(node),
            Kind::Timestamp => Some(date_of(node)),
            other => {
                let message = format!("a date or a timestamp is needed here; this is {}", other.name());
                self.fault(expr, place, message, None)
            }
        }
    }

    fn written_text(&mut self, expr: &IdedExpr, place: &Place<'_>, form: &str) -> Option<String> {
        match self.node(expr, place)?.value {
            Value::Text(text) => Some(text),
            _ => {
                let meant = crate::time::habits::span(place.text.written(expr)).filter(|_| form.starts_with("ago"));
                let help = meant.map(|span| format!("write a unit, and quotes: `\"{span}\"`"));
                self.fault(expr, place, format!("a text in quotes is needed here: `{form}`"), help.as_deref())
            }
        }
    }

    fn span(&mut self, expr: &IdedExpr, place: &Place<'_>) -> Option<Span> {
        let text = self.written_text(expr, place, "ago(\"60d\")")?;
        match text.parse() {
            Ok(span) => Some(span),
            Err(error) => {
                let help = crate::time::habits::span(&text).map(|span| format!("write `\"{span}\"`"));
                self.fault(expr, place, error.to_string(), help.as_deref())
            }
        }
    }

    fn timestamp(&mut self, expr: &IdedExpr, place: &Place<'_>) -> Option<Node> {
        let text = self.written_text(expr, place, "timestamp(\"2026-11-03T09:00:00Z\")")?;
        match text.parse::<Timestamp>() {
            Ok(at) => Some(instant(at.micros(), Kind::Timestamp)),
            Err(error) => self.fault(expr, place, error.to_string(), None),
        }
    }

    fn duration(&mut self, expr: &IdedExpr, place: &Place<'_>) -> Option<Node> {
        let text = self.written_text(expr, place, "duration(\"4h\")")?;
        if let Some(micros) = duration_micros(&text) {
            return Some(instant(micros, Kind::Duration));
        }
        if text.ends_with(['d', 'w']) && text.parse::<Span>().is_ok() {
            let help = format!("write `ago(\"{text}\")` for the instant so long before now");
            return self.fault(expr, place, "a duration knows no days", Some(&help));
        }
        let message = format!("`{text}` is not a duration");
        self.fault(expr, place, message, Some("write hours, minutes and seconds: `4h`, `1h30m`, `90s`"))
    }
}

fn today() -> Node {
    Node { kind: Kind::Date, bounds: Bounds::within(100_000_000), value: Value::Today }
}

fn moved(by: Span) -> Node {
    Node { kind: Kind::Timestamp, bounds: Bounds::ALL, value: Value::Now(by) }
}

fn instant(value: i64, kind: Kind) -> Node {
    Node { kind, bounds: Bounds::exactly(value), value: Value::Int(value) }
}

/// CEL's durations: numbers with a unit of `h m s ms us ns`, one after the other, in whole microseconds.
fn duration_micros(text: &str) -> Option<i64> {
    let (negative, mut rest) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    };
    if rest.is_empty() {
        return None;
    }
    let mut nanos: i128 = 0;
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit() && c != '.')?;
        let (number, after) = rest.split_at(digits);
        let units = [
            ("ms", 1_000_000_i64),
            ("us", 1_000),
            ("ns", 1),
            ("h", 3_600_000_000_000),
            ("m", 60_000_000_000),
            ("s", 1_000_000_000),
        ];
        let (unit, size) = units.into_iter().find(|(unit, _)| after.starts_with(unit))?;
        let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
        if whole.len() > 12 || fraction.len() > 9 || number.len() < 1 + number.matches('.').count() {
            return None;
        }
        let digits: i128 = format!("{whole}{fraction}").parse().ok()?;
        let scaled = digits * i128::from(size);
        let divisor = 10_i128.pow(u32::try_from(fraction.len()).ok()?);
        if scaled % divisor != 0 {
            return None;
        }
        nanos += scaled / divisor;
        rest = &after[unit.len()..];
    }
    let nanos = if negative { -nanos } else { nanos };
    (nanos % 1_000 == 0).then(|| i64::try_from(nanos / 1_000).ok())?
}
