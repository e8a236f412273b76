//! How single values are written: spans, money, shares, rates, zones, quiet windows, legal hours.
//!
//! Each reader gives the value or the sentence that says how it is written.

use super::node::{Node, Value};
use crate::amount::{Amount, SCALE};
use crate::courtesy::caps;
use crate::courtesy::legal_hours::OpenHours;
use crate::courtesy::quiet_hours::minute;
use crate::settings::{QuietWindow, Rate};
use crate::time::{Date, Span, Tz, habits};

const PARTS_PER_PERCENT: i64 = 10_000;

/// What was expected, for a message; the cure, for its help.
#[derive(Debug, PartialEq, Eq)]
pub struct Wrong {
    pub what: &'static str,
    pub help: String,
}

type Read<T> = Result<T, Wrong>;

fn wrong<T>(what: &'static str, help: impl Into<String>) -> Read<T> {
    Err(Wrong { what, help: help.into() })
}

pub fn span(node: &Node) -> Read<Span> {
    let help = "write a whole number and a unit, such as `90s`, `15m`, `4h`, `14d`, `2w` or `3y`";
    let text = node.text().unwrap_or_default();
    let help = habits::span(text).map_or_else(|| help.to_owned(), |span| format!("write `\"{span}\"`"));
    text.parse().map_or_else(|_| wrong("a span of time", help), Ok)
}

/// Money, scaled; `2.50`, `"2.50"` and `2` alike, never negative.
pub fn money(node: &Node) -> Read<i64> {
    let amount = node.number_text().and_then(|digits| Amount::parse(&digits, SCALE));
    match amount {
        Some(amount) if amount.units >= 0 => Ok(amount.units),
        _ => wrong("an amount of money", "write `2.50`: digits, a point, at most four more digits"),
    }
}

/// A share in parts per million.
pub fn share(node: &Node) -> Read<u32> {
    let digits = node.text().and_then(|text| text.strip_suffix('%'));
    let parts = digits.and_then(|digits| Amount::parse(digits, SCALE)).map(|amount| amount.units);
    match parts {
        Some(parts @ 0..=1_000_000) => Ok(u32::try_from(parts).expect("at most a million")),
        _ => wrong("a share", "write `\"5%\"`, from `\"0%\"` to `\"100%\"`"),
    }
}

// An amount's scale is four digits, and one percent is 10^4 parts per million: the units are the parts.
const _: () = assert!(10_i64.pow(SCALE as u32) == PARTS_PER_PERCENT);

pub fn rate(node: &Node) -> Read<Rate> {
    let read = |text: &str| {
        let (count, unit) = text.split_once('/')?;
        let seconds = match unit.trim() {
            "s" => 1,
            "m" => 60,
            "h" => 3_600,
            "d" => 86_400,
            _ => return None,
        };
        let count = count.trim().parse().ok().filter(|count| *count > 0)?;
        Some(Rate { count, per: Span::from_seconds(seconds) })
    };
    node.text().and_then(read).map_or_else(|| wrong("a rate", "write `100/s`, `200/m`, `1000/h` or `5000/d`"), Ok)
}

pub fn zone(node: &Node) -> Read<Tz> {
    let name = node.text().unwrap_or_default();
    match name.parse::<Tz>() {
        Ok(zone) if zone.name() == name => Ok(zone),
        Ok(zone) => wrong("an IANA time zone", format!("it is spelt `{}`", zone.name())),
        Err(_) => wrong("an IANA time zone", nearest_zone(name)),
    }
}

fn nearest_zone(name: &str) -> String {
    let is_place = |zone: &&chrono_tz::Tz| {
        zone.name().rsplit('/').next().is_some_and(|city| city.eq_ignore_ascii_case(&name.replace(' ', "_")))
    };
    if let Some(zone) = chrono_tz::TZ_VARIANTS.iter().find(is_place) {
        return format!("it is spelt `{}`", zone.name());
    }
    if name.contains(['+', '-']) && name.chars().any(|c| c.is_ascii_digit()) {
        return "write a place, whose clock changes are known: `Europe/Berlin`, `America/New_York`".to_owned();
    }
    let known = chrono_tz::TZ_VARIANTS.iter().map(|zone| zone.name());
    match crate::problem::nearest(name, known) {
        Some(zone) => format!("the nearest one is `{zone}`"),
        None => "write a name such as `Europe/London` or `America/New_York`".to_owned(),
    }
}

pub fn date(node: &Node) -> Read<Date> {
    let read = match &node.value {
        Value::Time(toml_edit::Datetime { date: Some(date), time: None, offset: None }) => Some(date.to_string()),
        _ => None,
    };
    read.and_then(|text| text.parse().ok()).map_or_else(|| wrong("a date", "write `2026-12-01`, without quotes"), Ok)
}

pub fn window(node: &Node) -> Read<QuietWindow> {
    let text = node.text().unwrap_or_default();
    let ends = text.split_once('-').and_then(|(from, until)| Some((minute(from)?, minute(until)?)));
    match ends {
        Some((from, until)) if from == until => {
            wrong("a time of silence", "both ends are the same: write weekdays for whole days, such as `Sun`")
        }
        _ => text.parse().or_else(|()| {
            wrong("a time of silence", "write hours such as `20:00-09:00`, a weekday such as `Sun`, or `holidays`")
        }),
    }
}

/// One item of legal hours; what it means is read with the others.
pub fn open_hours(node: &Node) -> Read<()> {
    let text = node.text().unwrap_or_default();
    let is_good = OpenHours::read([text, "00:00-24:00"]).is_some();
    let help = "write `08:00-21:00`, `Mon-Fri 10:00-20:00` (within one day) or `not on holidays`";
    if is_good { Ok(()) } else { wrong("a time of day at which messages may go", help) }
}

/// The window of a cap: a span, or a period of the customer's calendar.
pub fn cap_window(node: &Node) -> Read<caps::Window> {
    let help = "write `day`, `week` or `month` for the customer's calendar, or a span such as `7d`";
    node.text().and_then(|text| text.parse().ok()).map_or_else(|| wrong("a time that places are counted in", help), Ok)
}
