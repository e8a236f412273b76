//! An instant as it is written on the command line: `--at`, `--since`, `--until`, `--from`, `--to`.

use crate::problem::Fault;
use crate::time::{Date, Reading, Span, Timestamp, Tz, habits};
use chrono::NaiveDateTime;

const FORMS: &str = "write `2026-11-03T09:00:00Z`, `2026-11-03`, `2026-11-03 09:00`, `2026-11-03 09:00:30`, `today`, `yesterday`, `+7d` or `-2h`";

/// A date and a time of day, to the minute.
const MINUTE: &str = "%Y-%m-%d %H:%M";
const MINUTE_LENGTH: usize = 16;

/// Reads RFC 3339, a date (its first instant) or a date and a time of day in `zone`, `now`, `today`, `yesterday`,
/// `tomorrow` (their first instants in `zone`), or a span from `now`: `+7d`, `-2h`.
///
/// # Errors
/// One fault over the whole text that names the forms.
///
/// ```
/// use plusone::schedule::parse_when::parse_when;
/// let now = "2026-11-03T18:30:00Z".parse().unwrap();
/// let at = |text| parse_when(text, now, chrono_tz::Europe::Paris).unwrap().to_string();
/// assert_eq!(at("2026-11-03 09:00"), "2026-11-03T08:00:00Z");
/// assert_eq!(at("yesterday"), "2026-11-01T23:00:00Z");
/// assert_eq!(at("-2h"), "2026-11-03T16:30:00Z");
/// ```
pub fn parse_when(text: &str, now: Timestamp, zone: Tz) -> Result<Timestamp, Fault> {
    let word = text.trim();
    let day = |away: i64| Date::from_days(now.date(zone).days() + away).start(zone);
    let span = |digits: &str| digits.parse::<Span>().ok();
    let found = match word.to_ascii_lowercase().as_str() {
        "now" => Some(now),
        "today" => Some(day(0)),
        "yesterday" => Some(day(-1)),
        "tomorrow" => Some(day(1)),
        _ => match (word.strip_prefix('+'), word.strip_prefix('-')) {
            (Some(digits), _) => span(digits).map(|span| now.plus(span)),
            (_, Some(digits)) => span(digits).map(|span| now.minus(span)),
            _ => absolute(word, zone),
        },
    };
    found.ok_or_else(|| {
        let right = year_first(word).filter(|right| absolute(right, zone).is_some());
        let help = right.map_or_else(|| FORMS.to_owned(), |right| format!("a date is written year first: `{right}`"));
        Fault::new(0..text.len(), format!("`{word}` is not a time")).help(help)
    })
}

/// `31.12.2026` as `2026-12-31`, with the time of day behind it where there is one.
fn year_first(word: &str) -> Option<String> {
    match word.split_once(' ') {
        Some((date, time)) => Some(format!("{} {time}", habits::date(date)?)),
        None => habits::date(word),
    }
}

/// As [`parse_when`], of somebody who looks back: a minute is over, as it is told in a log.
///
/// # Errors
/// As [`parse_when`].
///
/// ```
/// use plusone::schedule::parse_when::parse_past;
/// let now = "2026-11-03T18:30:00Z".parse().unwrap();
/// let at = |text| parse_past(text, now, chrono_tz::Europe::Paris).unwrap().to_string();
/// assert_eq!(at("2026-11-03 09:00"), "2026-11-03T08:00:59.999999Z");
/// assert_eq!(at("2026-11-03 09:00:30"), "2026-11-03T08:00:30Z");
/// ```
pub fn parse_past(text: &str, now: Timestamp, zone: Tz) -> Result<Timestamp, Fault> {
    let at = parse_when(text, now, zone)?;
    let is_minute = NaiveDateTime::parse_from_str(text.trim(), MINUTE).is_ok();
    let over = at.plus(Span::from_micros(59_999_999));
    Ok(if is_minute && over < now { over } else { at })
}

fn absolute(word: &str, zone: Tz) -> Option<Timestamp> {
    let read = |form, length| NaiveDateTime::parse_from_str(word, form).ok().filter(|_| word.len() == length);
    let civil = || read(MINUTE, MINUTE_LENGTH).or_else(|| read("%Y-%m-%d %H:%M:%S", MINUTE_LENGTH + 3));
    let date = || word.parse::<Date>().ok().map(|date| date.start(zone));
    word.parse().ok().or_else(date).or_else(|| Some(Timestamp::from_local(civil()?, zone, Reading::First)))
}

#[cfg(test)]
mod tests {
    use super::{FORMS, parse_when};
    use crate::time::Timestamp;

    #[test]
    fn a_date_of_habit_is_refused_with_the_one_that_is_meant() {
        let help = |text: &str| {
            let fault = parse_when(text, Timestamp::default(), chrono_tz::Europe::Berlin).expect_err("refused");
            fault.help.expect("a cure")
        };
        assert_eq!(help("31.12.2026"), "a date is written year first: `2026-12-31`");
        assert_eq!(help("12/31/2026 09:00"), "a date is written year first: `2026-12-31 09:00`");
        for text in ["31.02.2026", "31.12.2026 um neun", "soon"] {
            assert_eq!(help(text), FORMS, "{text}");
        }
    }
}
