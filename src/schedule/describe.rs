//! Schedules in plain words. A sentence of the grammar is read back as a sentence of the grammar.

use super::Schedule;
use super::calendar::{Calendar, Dates};
use super::sentence::{EVERY_DAY, MONTHS, WEEKDAYS, WEEKEND, WORKING_DAYS, with_suffix};
use crate::time::Span;
use croner::Cron;

pub(super) fn describe(schedule: &Schedule) -> String {
    match schedule {
        Schedule::Manual => "only by `plusone fire`".to_owned(),
        Schedule::Once { civil, .. } => format!("once, on {}", civil.format("%Y-%m-%d at %H:%M")),
        Schedule::Every(step) => every(*step),
        Schedule::Calendar(calendar) => match calendar.dates() {
            Dates::Weekdays(set) => format!("every {} at {}", weekdays(*set), times(calendar.minutes())),
            Dates::OfMonth(set) => {
                format!("on the {} of the month at {}", days_of_month(*set), times(calendar.minutes()))
            }
            Dates::OfYear { month, day } => {
                let month = MONTHS[*month as usize - 1];
                format!("every year on {day} {month} at {}", times(calendar.minutes()))
            }
            Dates::Cron(cron) => cron_in_words(calendar, cron),
        },
    }
}

fn every(step: Span) -> String {
    match step.seconds() / 60 {
        1 => "every minute".to_owned(),
        60 => "every hour".to_owned(),
        minutes if minutes % 60 == 0 => format!("every {} hours", minutes / 60),
        minutes => format!("every {minutes} minutes"),
    }
}

fn weekdays(set: u8) -> String {
    match set {
        EVERY_DAY => "day".to_owned(),
        WORKING_DAYS => "weekday".to_owned(),
        WEEKEND => "weekend".to_owned(),
        _ => {
            let named = WEEKDAYS.iter().enumerate().filter(|(index, _)| set & (1 << index) != 0);
            listed(named.map(|(_, name)| (*name).to_owned()).collect())
        }
    }
}

fn days_of_month(set: u32) -> String {
    let numbered = (1..=31).filter(|day| set & (1 << day) != 0).map(with_suffix);
    listed(numbered.chain((set & 1 != 0).then(|| "last day".to_owned())).collect())
}

fn times(minutes: &[u16]) -> String {
    listed(minutes.iter().map(|minute| format!("{:02}:{:02}", minute / 60, minute % 60)).collect())
}

/// `a`, `a and b`, `a, b and c`.
fn listed(mut items: Vec<String>) -> String {
    match items.pop() {
        Some(last) if items.is_empty() => last,
        Some(last) => format!("{} and {last}", items.join(", ")),
        None => String::new(),
    }
}

fn cron_in_words(calendar: &Calendar, cron: &Cron) -> String {
    let fields: Vec<&str> = cron.as_str().split_whitespace().collect();
    let [minute, hour, day, month, weekday] = fields[..] else { return cron.as_str().to_owned() };
    let mut words = time_in_words(calendar, minute, hour);
    let days = dates_in_words(day, weekday);
    if !days.is_empty() {
        words = format!("{words} {days}");
    } else if !calendar.follows_the_local_clock() && month == "*" {
        words = format!("every day {words}");
    }
    if month != "*" {
        words = format!("{words} in {}", field_in_words(month, &|name| numbered(name, 1, &MONTHS)));
    }
    if calendar.follows_the_local_clock() { format!("{words}, by the local clock") } else { words }
}

fn time_in_words(calendar: &Calendar, minute: &str, hour: &str) -> String {
    if !calendar.follows_the_local_clock() {
        return format!("at {}", times(calendar.minutes()));
    }
    let minutes = match (minute, minute.strip_prefix("*/")) {
        ("*", _) | (_, Some("1")) => "every minute".to_owned(),
        (_, Some(step)) => format!("every {step} minutes"),
        ("0", None) => "at the full hour".to_owned(),
        (_, None) => format!("at minute {}", field_in_words(minute, &str::to_owned)),
    };
    match (hour, hour.strip_prefix("*/")) {
        ("*", _) | (_, Some("1")) => minutes,
        (_, Some(step)) => format!("{minutes}, every {step} hours from midnight"),
        (_, None) => format!("{minutes} in hour {}", field_in_words(hour, &str::to_owned)),
    }
}

/// The day fields; both given means either.
fn dates_in_words(day: &str, weekday: &str) -> String {
    let of_month = match day {
        "L" => "on the last day of the month".to_owned(),
        _ => format!("on day {} of the month", field_in_words(day, &str::to_owned)),
    };
    let both = weekday.starts_with('+');
    let of_week = format!("on {}", field_in_words(weekday.trim_start_matches('+'), &weekday_in_words));
    match (day, weekday) {
        ("*", "*") => String::new(),
        ("*", _) => of_week,
        (_, "*") => of_month,
        _ if both => format!("{of_month} if it is {}", of_week.trim_start_matches("on ")),
        _ => format!("{of_month} or {of_week}"),
    }
}

/// A list of values, ranges and steps, each value named by `name`.
fn field_in_words(field: &str, name: &dyn Fn(&str) -> String) -> String {
    let item = |item: &str| {
        let (range, step) = item.split_once('/').map_or((item, None), |(range, step)| (range, Some(step)));
        let range = match range.split_once('-') {
            Some((from, to)) => format!("{} to {}", name(from), name(to)),
            None if range == "*" => "any".to_owned(),
            None if step.is_some() => format!("{} on", name(range)),
            None => name(range),
        };
        step.map_or(range.clone(), |step| format!("{range} in steps of {step}"))
    };
    listed(field.split(',').map(item).collect())
}

/// `5` as `friday`, `5#2` as `the 2nd friday`, `5#L` and `5L` as `the last friday`.
fn weekday_in_words(value: &str) -> String {
    let (day, nth) =
        value.split_once('#').or_else(|| value.strip_suffix('L').map(|day| (day, "L"))).unwrap_or((value, ""));
    let name = match day {
        "0" | "7" => "sunday".to_owned(),
        _ => numbered(day, 1, &WEEKDAYS),
    };
    match nth.parse::<u32>() {
        Ok(nth) => format!("the {} {name} of the month", with_suffix(nth)),
        Err(_) if nth == "L" => format!("the last {name} of the month"),
        Err(_) => name,
    }
}

fn numbered(value: &str, first: usize, names: &[&str]) -> String {
    let index = value.parse::<usize>().ok().and_then(|number| number.checked_sub(first));
    index.and_then(|index| names.get(index)).map_or(value, |name| *name).to_owned()
}
