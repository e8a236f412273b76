//! The time zones of a country, for customers who told no zone of their own.
//!
//! From `zone1970.tab` of the time zone database (release 2025b), which is in the public domain.
//!
//! 1. Zones whose clocks agree through [`FROM`] to [`UNTIL`] count as one: a country whose clocks agree has one zone.

use crate::time::{Span, Timestamp, Tz};
use chrono::{Offset, TimeZone};
use std::collections::BTreeMap;
use std::sync::LazyLock;

const TABLE: &str = include_str!("zone1970.tab");
/// 2025-01-01 and 2041-01-01: clocks that differed before that, or may after it, are of no use to a message.
const FROM: Timestamp = Timestamp::from_seconds(1_735_689_600);
const UNTIL: Timestamp = Timestamp::from_seconds(2_240_524_800);
/// No rule of the table holds for less than this.
const STEP: Span = Span::from_days(5);

/// The zones of `country` (ISO 3166-1 alpha-2), the first of clocks that agree; empty for what is no country.
///
/// ```
/// use plusone::courtesy::zones::of_country;
/// assert_eq!(of_country("GB").iter().map(|zone| zone.name()).collect::<Vec<_>>(), ["Europe/London"]);
/// assert!(of_country("US").len() > 5);
/// assert!(of_country("XX").is_empty());
/// ```
pub fn of_country(country: &str) -> &'static [Tz] {
    static ZONES: LazyLock<BTreeMap<&'static str, Vec<Tz>>> = LazyLock::new(read);
    ZONES.get(country).map_or(&[], Vec::as_slice)
}

/// Whether two zones show the same time from [`FROM`] to [`UNTIL`].
fn agree(a: Tz, b: Tz) -> bool {
    let offset = |zone: Tz, at: Timestamp| zone.offset_from_utc_datetime(&at.utc().naive_utc()).fix();
    let instants = std::iter::successors(Some(FROM), |at| Some(at.plus(STEP)));
    instants.take_while(|at| *at < UNTIL).all(|at| offset(a, at) == offset(b, at))
}

fn read() -> BTreeMap<&'static str, Vec<Tz>> {
    // Each with whether it is called after a city of the country, which stands at the first place of its line.
    let mut zones: BTreeMap<&str, Vec<(Tz, bool)>> = BTreeMap::new();
    for line in TABLE.lines().filter(|line| !line.starts_with('#')) {
        let mut columns = line.split('\t');
        let (Some(countries), Some(zone)) = (columns.next(), columns.nth(1)) else { continue };
        let zone: Tz = zone.parse().expect("a test reads every zone of the table");
        for (place, country) in countries.split(',').enumerate() {
            let known = zones.entry(country).or_default();
            let is_own = place == 0;
            match known.iter_mut().find(|(other, _)| agree(*other, zone)) {
                None => known.push((zone, is_own)),
                // A country's lines begin with where most people live: the first of its own stays.
                Some(other) if is_own && !other.1 => *other = (zone, is_own),
                Some(_) => {}
            }
        }
    }
    let names = |zones: Vec<(Tz, bool)>| zones.into_iter().map(|(zone, _)| zone).collect();
    zones.into_iter().map(|(country, zones)| (country, names(zones))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_country_whose_clocks_agree_has_one_zone() {
        for (country, expected) in [
            ("DE", &["Europe/Berlin"][..]),
            ("FR", &["Europe/Paris"]),
            ("IN", &["Asia/Kolkata"]),
            ("CH", &["Europe/Zurich"]),
            ("ES", &["Atlantic/Canary", "Europe/Madrid"]),
            ("NZ", &["Pacific/Auckland", "Pacific/Chatham"]),
        ] {
            let mut names: Vec<&str> = of_country(country).iter().map(|zone| zone.name()).collect();
            names.sort_unstable();
            assert_eq!(names, expected, "{country}");
        }
    }

    #[test]
    fn every_country_of_the_table_has_a_zone() {
        let countries = read();
        assert!(countries.len() > 240, "{}", countries.len());
        assert!(countries.values().all(|zones| !zones.is_empty()));
        let us: Vec<&str> = of_country("US").iter().map(|zone| zone.name()).collect();
        for zone in ["America/New_York", "America/Chicago", "America/Phoenix", "Pacific/Honolulu", "America/Adak"] {
            assert!(us.contains(&zone), "{us:?}");
        }
    }
}
