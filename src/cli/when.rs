//! The times that commands take: an instant, a date, a civil time of the business, or a word relative to now.

use crate::time::{Date, Reading, Span, Timestamp, Tz};
use chrono::NaiveDateTime;

/// Reads `2026-11-03T09:00:00Z`, `2026-11-03` (its first instant), `2026-11-03 09:00` (both in `zone`), `now`,
/// `yesterday`, `today`, `tomorrow` (their first instants in `zone`), `+7d` or `-7d`.
///
/// # Errors
/// A sentence that names what is understood.
pub fn parse_when(text: &str, now: Timestamp, zone: Tz) -> Result<Timestamp, String> {
    let day = |offset: i64| Date::from_days(now.date(zone).days() + offset).start(zone);
    match text {
        "now" => return Ok(now),
        "yesterday" => return Ok(day(-1)),
        "today" => return Ok(day(0)),
        "tomorrow" => return Ok(day(1)),
        _ => {}
    }
    if let Some(span) = text.strip_prefix('+').and_then(|span| span.parse::<Span>().ok()) {
        return Ok(now.plus(span));
    }
    if let Some(span) = text.strip_prefix('-').and_then(|span| span.parse::<Span>().ok()) {
        return Ok(now.minus(span));
    }
    if let Ok(date) = text.parse::<Date>() {
        return Ok(date.start(zone));
    }
    let civil = ["%Y-%m-%d %H:%M", "%Y-%m-%d %H:%M:%S"];
    if let Some(civil) = civil.iter().find_map(|shape| NaiveDateTime::parse_from_str(text, shape).ok()) {
        return Ok(Timestamp::from_local(civil, zone, Reading::First));
    }
    text.parse().map_err(|_| {
        format!(
            "`{text}` is not a time: write `2026-11-03`, `2026-11-03 09:00` (in {zone}), `2026-11-03T09:00:00Z`, \
             `yesterday`, `+7d` or `-7d`"
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_notation_is_read_in_the_zone_of_the_business() {
        let now: Timestamp = "2026-07-14T23:30:00Z".parse().expect("an instant");
        let zone = chrono_tz::Europe::London;
        for (text, expected) in [
            ("now", "2026-07-14T23:30:00Z"),
            ("today", "2026-07-14T23:00:00Z"),
            ("yesterday", "2026-07-13T23:00:00Z"),
            ("tomorrow", "2026-07-15T23:00:00Z"),
            ("+7d", "2026-07-21T23:30:00Z"),
            ("-90s", "2026-07-14T23:28:30Z"),
            ("2026-11-03", "2026-11-03T00:00:00Z"),
            ("2026-07-03 09:00", "2026-07-03T08:00:00Z"),
            ("2026-07-03 09:00:05", "2026-07-03T08:00:05Z"),
            ("2026-11-03T09:00:00+02:00", "2026-11-03T07:00:00Z"),
        ] {
            assert_eq!(parse_when(text, now, zone).map(|at| at.to_string()).as_deref(), Ok(expected), "{text}");
        }
        for text in ["", "soon", "7d", "+7", "2026-13-01", "2026-11-03 25:00", "03.11.2026"] {
            assert!(parse_when(text, now, zone).is_err(), "{text}");
        }
    }
}
