//! Dates and spans as people write them elsewhere, put into our form: for what is said of them.

/// `24.12.2026`, `24/12/2026` and `12/24/2026` as `2026-12-24`, where the order is certain enough.
pub fn date(text: &str) -> Option<String> {
    let parts: Vec<&str> = text.trim().split(['.', '/']).collect();
    let [day, month, year] = parts[..] else { return None };
    let (day, month): (u8, u8) = (day.parse().ok()?, month.parse().ok()?);
    let year: u16 = year.parse().ok().filter(|year| *year > 31)?;
    let (day, month) = if month > 12 { (month, day) } else { (day, month) };
    let is_good = (1..=12).contains(&month) && (1..=31).contains(&day);
    is_good.then(|| format!("{year:04}-{month:02}-{day:02}"))
}

/// `14 days` as `14d`, `2 months` as `60d`, `14` as `14d`.
pub fn span(text: &str) -> Option<String> {
    let text = text.trim().to_lowercase();
    let digits = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let count: u32 = text[..digits].parse().ok()?;
    let unit = match text[digits..].trim().trim_end_matches('.') {
        "" | "days" | "day" | "tage" | "tag" | "jours" | "jour" => "d",
        "seconds" | "second" | "sec" | "secs" | "sekunden" => "s",
        "minutes" | "minute" | "min" | "mins" | "minuten" => "m",
        "hours" | "hour" | "hr" | "hrs" | "std" | "stunden" | "heures" => "h",
        "weeks" | "week" | "wochen" | "woche" | "semaines" => "w",
        "years" | "year" | "jahre" | "jahr" => "y",
        "months" | "month" | "mo" | "monate" | "monat" | "mois" => return Some(format!("{}d", count.checked_mul(30)?)),
        _ => return None,
    };
    Some(format!("{count}{unit}"))
}

/// `60 days ago` as `ago("60d")`, `in 3 days` as `ahead("3d")`, `today` as `today()`: what a condition calls it.
pub fn moment(text: &str) -> Option<String> {
    let text = text.trim().to_lowercase();
    let around = |before: &str, after: &str| span(text.strip_prefix(before)?.strip_suffix(after)?);
    let ago = || around("", " ago").or_else(|| around("vor ", "")).or_else(|| around("-", ""));
    let ahead = || around("in ", "").or_else(|| around("", " from now")).or_else(|| around("+", ""));
    match text.as_str() {
        "today" | "heute" => Some("today()".to_owned()),
        "now" => Some("now".to_owned()),
        _ => ago().map(|span| format!("ago(\"{span}\")")).or_else(|| ahead().map(|span| format!("ahead(\"{span}\")"))),
    }
}

#[cfg(test)]
mod tests {
    use super::{date, moment, span};

    #[test]
    fn what_is_written_elsewhere_is_put_into_our_form() {
        for (text, ours) in [("24.12.2026", "2026-12-24"), ("12/24/2026", "2026-12-24"), ("01.12.2025", "2025-12-01")] {
            assert_eq!(date(text).as_deref(), Some(ours));
        }
        assert_eq!(date("1.2"), None);
        for (text, ours) in [("14 days", "14d"), ("2 months", "60d"), ("4 Std.", "4h"), ("60", "60d"), ("1 week", "1w")]
        {
            assert_eq!(span(text).as_deref(), Some(ours));
        }
        assert_eq!(span("often"), None);
        for (text, ours) in [
            ("60 days ago", "ago(\"60d\")"),
            ("2 Months ago", "ago(\"60d\")"),
            ("in 3 days", "ahead(\"3d\")"),
            ("a week from now", ""),
            ("1 week from now", "ahead(\"1w\")"),
            ("Today", "today()"),
        ] {
            assert_eq!(moment(text).unwrap_or_default(), ours, "{text}");
        }
    }
}
