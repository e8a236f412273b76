//! Public holidays by country, for windows of silence and for laws that name them.
//!
//! Nation-wide holidays of 2025 to 2040, from `holidays.txt`, which says where it comes from; a test compares it with
//! its source. Holidays of regions, and of countries and years that the file does not have, are not known here.

use crate::time::Date;
use chrono::Datelike;
use std::collections::{BTreeMap, HashSet};
use std::sync::LazyLock;

const TABLE: &str = include_str!("holidays.txt");
const CENTURY: i32 = 2_000;

/// The holidays of one country, as year, month and day.
type Days = HashSet<(i32, u32, u32)>;

fn table() -> &'static BTreeMap<&'static str, Days> {
    static DAYS: LazyLock<BTreeMap<&'static str, Days>> = LazyLock::new(|| TABLE.lines().filter_map(read).collect());
    &DAYS
}

/// Whether `date` is a public holiday in all of `country` (ISO 3166-1 alpha-2).
///
/// ```
/// use plusone::courtesy::holidays::is_holiday;
/// let day = |text: &str| text.parse().expect("a date");
/// assert!(is_holiday("GB", day("2026-12-25")));
/// assert!(is_holiday("FR", day("2027-07-14")));
/// assert!(!is_holiday("GB", day("2027-07-14")));
/// ```
pub fn is_holiday(country: &str, date: Date) -> bool {
    let day = date.naive();
    table().get(country).is_some_and(|days| days.contains(&(day.year(), day.month(), day.day())))
}

/// Whether any holidays of `country` are known.
pub fn is_known(country: &str) -> bool {
    table().contains_key(country)
}

/// `GB *01010426 27:0326 28:0414`.
fn read(line: &'static str) -> Option<(&'static str, Days)> {
    let (country, rest) = line.split_once(" *").filter(|_| !line.starts_with('#'))?;
    let mut words = rest.split(' ');
    let always = pairs(words.next()?);
    let mut days = Days::new();
    for (year, rest) in words.filter_map(|word| word.split_once(':')) {
        let year = CENTURY + year.parse::<i32>().ok()?;
        days.extend(always.iter().chain(&pairs(rest)).map(|(month, day)| (year, *month, *day)));
    }
    Some((country, days))
}

/// `01010426` as month and day.
fn pairs(digits: &str) -> Vec<(u32, u32)> {
    let number = |digits: &str| digits.parse().expect("a test reads every line of the table");
    (0..digits.len() / 4)
        .map(|n| &digits[4 * n..4 * n + 4])
        .map(|pair| (number(&pair[..2]), number(&pair[2..])))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is(country: &str, date: &str) -> bool {
        is_holiday(country, date.parse().expect("a date"))
    }

    #[test]
    fn holidays_that_are_the_same_each_year_and_that_move_are_known() {
        assert!(table().len() > 200);
        assert!(is("GB", "2027-03-26"), "Good Friday");
        assert!(is("DE", "2030-10-03") && is("DE", "2026-05-25"), "Unity Day, Whit Monday");
        assert!(is("US", "2026-11-26"), "Thanksgiving");
        assert!(!is("DE", "2026-11-26") && !is("XX", "2026-01-01") && !is("GB", "2024-12-25"));
        assert!(is_known("JP") && !is_known("XX"));
    }
}
