//! Cron with five fields, read by croner with its own names (`MON`, `JAN`, `@daily`, `L`, `15W`, `FRI#2`).
//!
//! croner reads the fields and says which dates match; when those dates tick is for [`super::calendar`], because its
//! own search for the next instant can step back in the repeated hour of a clock change.

use super::calendar::{Calendar, Dates, Pace};
use crate::problem::{Fault, nearest};
use chrono::{Datelike, NaiveDate};
use croner::Cron;
use croner::parser::{CronParser, Seconds, Year};
use std::ops::Range;

const NICKNAMES: [&str; 6] = ["@hourly", "@daily", "@weekly", "@monthly", "@yearly", "@annually"];

/// Name and what may stand there, by field.
const FIELDS: [(&str, &str); 5] = [
    ("minute", "0 to 59, `*`, `*/15`, `0,30` or `0-10`"),
    ("hour", "0 to 23, `*`, `*/2`, `9,17` or `9-17`"),
    ("day of the month", "1 to 31, `*`, `L` for the last day or `15W` for the weekday nearest to the 15th"),
    ("month", "1 to 12, JAN to DEC or `*`"),
    ("day of the week", "0 to 7 (0 and 7 are Sunday), SUN to SAT, `MON-FRI`, `FRI#2`, `FRI#L` or `*`"),
];

/// Whether `text` was meant as cron: it begins with a digit, `*` or `@`.
pub(super) fn looks_like(text: &str) -> bool {
    text.starts_with(|first: char| first.is_ascii_digit() || matches!(first, '*' | '@' | '?'))
}

/// # Errors
/// One fault at the field that is wrong, with what may stand there.
pub(super) fn parse(text: &str) -> Result<Calendar, Fault> {
    let fields = fields(text);
    if text.trim().starts_with('@') {
        check_nickname(text, &fields)?;
    } else {
        check_fields(text, &fields)?;
    }
    let cron = read(text).ok_or_else(|| whole(text, "the cron schedule cannot be read"))?;
    let minutes = minutes(&cron);
    let pace = pace(&cron, &minutes);
    let calendar = Calendar::new(Dates::Cron(Box::new(cron)), minutes, pace);
    let start = NaiveDate::from_ymd_opt(2000, 1, 1).expect("a date");
    if !calendar.ever_ticks(start) {
        return Err(whole(text, "the cron schedule never ticks: no such date exists"));
    }
    Ok(calendar)
}

fn read(text: &str) -> Option<Cron> {
    CronParser::builder().seconds(Seconds::Disallowed).year(Year::Disallowed).build().parse(text).ok()
}

/// The fields with their places.
fn fields(text: &str) -> Vec<(Range<usize>, &str)> {
    text.split_whitespace()
        .map(|field| {
            let start = field.as_ptr() as usize - text.as_ptr() as usize;
            (start..start + field.len(), field)
        })
        .collect()
}

fn whole(text: &str, message: &str) -> Fault {
    let start = text.len() - text.trim_start().len();
    Fault::new(start..start + text.trim().len(), message)
        .help("cron is five fields: minute, hour, day of the month, month, day of the week, such as `0 9 * * MON-FRI`")
}

fn check_nickname(text: &str, fields: &[(Range<usize>, &str)]) -> Result<(), Fault> {
    let name = text.trim().to_ascii_lowercase();
    if fields.len() == 1 && NICKNAMES.contains(&name.as_str()) {
        return Ok(());
    }
    let help = match nearest(&name, NICKNAMES) {
        Some(near) => format!("the nearest name is `{near}`"),
        None => format!("cron's names are {}", NICKNAMES.map(|name| format!("`{name}`")).join(", ")),
    };
    Err(Fault { help: Some(help), ..whole(text, &format!("`{}` is not a name that cron knows", text.trim())) })
}

fn check_fields(text: &str, fields: &[(Range<usize>, &str)]) -> Result<(), Fault> {
    if let Some((span, _)) = fields.iter().find(|(_, field)| field.contains('?')) {
        return Err(
            Fault::new(span.clone(), "`?` has no meaning in cron with five fields").help("write `*` in its place")
        );
    }
    if fields.len() == 6 {
        let rest: Vec<_> = fields[1..].iter().map(|(_, field)| *field).collect();
        return Err(Fault::new(fields[0].0.clone(), "six fields: the first would be seconds, which are not supported")
            .help(format!("leave the seconds out: `{}`", rest.join(" "))));
    }
    if fields.len() != 5 {
        let message = format!("cron has five fields, these are {}", fields.len());
        if fields[0].1.matches(['.', '/']).count() == 2 {
            let help = "an instant is written year first: `2026-12-24 10:00`";
            return Err(Fault::new(fields[0].0.clone(), format!("`{}` is no date here", fields[0].1)).help(help));
        }
        return Err(whole(text, &message));
    }
    for (index, (span, field)) in fields.iter().enumerate() {
        let mut alone = ["*"; 5];
        alone[index] = field;
        if !names_fit(index, field) || read(&alone.join(" ")).is_none() {
            let (name, allowed) = FIELDS[index];
            return Err(Fault::new(span.clone(), format!("`{field}` is not a {name} of a cron schedule"))
                .help(format!("the {name} is {allowed}")));
        }
    }
    Ok(())
}

/// Whether the letters of a field are names of that field: croner would read `MON` as January in the month's.
fn names_fit(index: usize, field: &str) -> bool {
    const WEEKDAYS: [&str; 7] = ["MON", "TUE", "WED", "THU", "FRI", "SAT", "SUN"];
    const MONTHS: [&str; 12] = ["JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"];
    let upper = field.to_ascii_uppercase();
    upper.split(|letter: char| !letter.is_alphabetic()).filter(|name| !name.is_empty()).all(|name| match index {
        2 => matches!(name, "L" | "W"),
        3 => MONTHS.contains(&name),
        4 => {
            name == "L" || WEEKDAYS.contains(&name) || name.strip_suffix('L').is_some_and(|day| WEEKDAYS.contains(&day))
        }
        _ => false,
    })
}

/// The minutes of the day that match.
fn minutes(cron: &Cron) -> Vec<u16> {
    let hour = |minute: u16| cron.pattern.hour_match(u32::from(minute / 60)).unwrap_or(false);
    let minute = |minute: u16| cron.pattern.minute_match(u32::from(minute % 60)).unwrap_or(false);
    (0..1440).filter(|at| hour(*at) && minute(*at)).collect()
}

/// A star, a step or a range among minutes or hours follows the local clock; listed times are fixed.
fn pace(cron: &Cron, minutes: &[u16]) -> Pace {
    let follows = cron.as_str().split_whitespace().take(2).any(|field| field.contains(['*', '/', '-']));
    if follows { Pace::LocalClock { keeps_looking: keeps_looking(cron, minutes) } } else { Pace::Fixed }
}

/// Every date, and at most an hour from one minute to the next, over midnight too.
fn keeps_looking(cron: &Cron, minutes: &[u16]) -> bool {
    let (Some(first), Some(last)) = (minutes.first(), minutes.last()) else { return false };
    let close = minutes.windows(2).all(|pair| pair[1] - pair[0] <= 60) && first + 1440 - last <= 60;
    let leap_year = NaiveDate::from_ymd_opt(2000, 1, 1).expect("a date");
    close
        && leap_year.iter_days().take(366).all(|date| {
            let (year, month, day) = (date.year(), date.month(), date.day());
            cron.pattern.month_match(month).unwrap_or(false)
                && cron.pattern.day_match(year, month, day).unwrap_or(false)
        })
}
