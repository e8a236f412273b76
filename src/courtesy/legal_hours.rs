//! Legal hours: the times of day outside which a channel is not to be used, by law or because the business says so.
//!
//! Which countries have such laws is data (`legal_hours.toml`, read by `config`); when they let a message go is decided
//! with the quiet hours in [`super::quiet_hours`].
//!
//! 1. The business's own hours bind every message on their channel. Laws bind promotional messages: what they call
//!    solicitation, canvassing or marketing.
//! 2. Where several apply, all of them must be open. Of a customer whose region is not known every region's law applies.
//! 3. Nothing passes them: no rule, no urgency.

use super::quiet_hours::{HOLIDAYS, minute, weekday};
use crate::rules::{Channel, Purpose};
use crate::time::Weekday;
use std::collections::BTreeMap;

const MINUTES_PER_DAY: u16 = 1_440;
const EVERY_DAY: u8 = 0b111_1111;

/// When a channel may be used.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct OpenHours {
    windows: Vec<OpenWindow>,
    /// Nothing goes on public holidays.
    closed_on_holidays: bool,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct OpenWindow {
    /// Bit 0 is Monday.
    days: u8,
    /// Minutes after midnight, `[from, until)`, within one day.
    from: u16,
    until: u16,
}

/// What one country, or one region of it, asks on some channels.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Law {
    /// The part of an ISO 3166-2 code after the country: `FL`. The whole country where absent.
    pub region: Option<String>,
    pub channels: Vec<Channel>,
    pub hours: OpenHours,
}

#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct LegalHours {
    /// The business's own.
    pub own: BTreeMap<Channel, OpenHours>,
    /// By country, ISO 3166-1 alpha-2.
    pub laws: BTreeMap<String, Vec<Law>>,
}

impl OpenHours {
    /// Reads `08:00-21:00`, `Mon-Fri 10:00-13:00`, `Sun 12:00-18:00`, and `not on holidays`; days that are not named are
    /// closed. `None` for what is written otherwise, and where no time is open.
    ///
    /// ```
    /// use plusone::courtesy::legal_hours::OpenHours;
    /// assert!(OpenHours::read(["Mon-Fri 10:00-13:00", "Mon-Fri 14:00-20:00", "not on holidays"]).is_some());
    /// assert!(OpenHours::read(["20:00-09:00"]).is_none());
    /// ```
    pub fn read<'a>(items: impl IntoIterator<Item = &'a str>) -> Option<Self> {
        let mut hours = Self::default();
        for item in items {
            if item.strip_prefix("not on ") == Some(HOLIDAYS) {
                hours.closed_on_holidays = true;
            } else {
                hours.windows.push(window(item)?);
            }
        }
        Some(hours).filter(|hours| !hours.windows.is_empty())
    }

    /// When it opens next, or the day ends, in minutes after midnight; `None` while it is open.
    pub fn opens(&self, weekday: Weekday, minute: u16, is_holiday: impl Fn() -> bool) -> Option<u16> {
        if self.closed_on_holidays && is_holiday() {
            return Some(MINUTES_PER_DAY);
        }
        let bit = 1 << weekday.num_days_from_monday();
        let today = || self.windows.iter().filter(|window| window.days & bit != 0);
        if today().any(|window| window.from <= minute && minute < window.until) {
            return None;
        }
        Some(today().map(|window| window.from).filter(|from| *from > minute).min().unwrap_or(MINUTES_PER_DAY))
    }
}

/// `Mon-Fri 10:00-13:00`.
fn window(text: &str) -> Option<OpenWindow> {
    let (days, hours) = text.trim().rsplit_once(' ').unwrap_or(("", text.trim()));
    let (from, until) = hours.split_once('-')?;
    let until = if until == "24:00" { MINUTES_PER_DAY } else { minute(until)? };
    let from = minute(from).filter(|from| *from < until)?;
    let bit = |day: &str| weekday(day).map(|day| day.num_days_from_monday());
    let days = match days.trim().split_once('-') {
        _ if days.trim().is_empty() => EVERY_DAY,
        None => 1 << bit(days.trim())?,
        Some((first, last)) => {
            let (first, last) = (bit(first)?, bit(last)?);
            (0..7).filter(|day| (day + 7 - first) % 7 <= (last + 7 - first) % 7).map(|day| 1 << day).sum()
        }
    };
    Some(OpenWindow { days, from, until })
}

impl LegalHours {
    /// All hours that a message must keep to in a country and, where it is known, a region of it.
    pub fn of<'a>(
        &'a self,
        country: &str,
        region: Option<&'a str>,
        channel: Channel,
        purpose: Purpose,
    ) -> impl Iterator<Item = &'a OpenHours> {
        let laws = self.laws.get(country).filter(|_| purpose == Purpose::Promotional);
        let here = move |law: &&Law| {
            let is_here = law.region.is_none() || region.is_none() || law.region.as_deref() == region;
            is_here && law.channels.contains(&channel)
        };
        self.own.get(&channel).into_iter().chain(laws.into_iter().flatten().filter(here).map(|law| &law.hours))
    }
}

/// The code of a region as the laws have it: `FL` of `FL`, `us-fl` and `US-FL`. `None` for what is no code.
pub fn region_code(country: &str, written: &str) -> Option<String> {
    let written = written.trim().to_ascii_uppercase();
    let code = written.strip_prefix(country).and_then(|rest| rest.strip_prefix('-')).unwrap_or(&written);
    let is_code = (1..=3).contains(&code.len()) && code.bytes().all(|byte| byte.is_ascii_alphanumeric());
    is_code.then(|| code.to_owned())
}

/// The code of a country: `GB` of `gb`. `None` for what is no code.
pub fn country_code(written: &str) -> Option<String> {
    let code = written.trim().to_ascii_uppercase();
    (code.len() == 2 && code.bytes().all(|byte| byte.is_ascii_uppercase())).then_some(code)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn open(items: &[&str]) -> OpenHours {
        OpenHours::read(items.iter().copied()).expect("good hours")
    }

    #[test]
    fn hours_are_open_on_the_days_that_are_named() {
        let hours = open(&["Mon-Fri 10:00-13:00", "Mon-Fri 14:00-20:00", "Sun 12:00-24:00", "not on holidays"]);
        let opens = |day, minute| hours.opens(day, minute, || false);
        assert_eq!(opens(Weekday::Mon, 9 * 60), Some(600));
        assert_eq!(opens(Weekday::Mon, 600), None);
        assert_eq!(opens(Weekday::Fri, 13 * 60), Some(14 * 60));
        assert_eq!(opens(Weekday::Fri, 20 * 60), Some(1_440));
        assert_eq!(opens(Weekday::Sat, 700), Some(1_440));
        assert_eq!(opens(Weekday::Sun, 1_439), None);
        assert_eq!(hours.opens(Weekday::Mon, 600, || true), Some(1_440));
        assert_eq!(open(&["Sat-Mon 09:00-10:00"]).opens(Weekday::Mon, 540, || true), None);
    }

    #[test]
    fn what_is_not_written_so_is_refused() {
        for items in [
            &["20:00-09:00"][..],
            &["9-17"],
            &["Mon"],
            &["Mon-Foo 09:00-10:00"],
            &[],
            &["not on holidays"],
            &["10:00-10:00"],
        ] {
            assert_eq!(OpenHours::read(items.iter().copied()), None, "{items:?}");
        }
    }

    #[test]
    fn a_customer_whose_region_is_not_known_has_the_law_of_every_region() {
        let law = |region: Option<&str>, hours: &str| Law {
            region: region.map(str::to_owned),
            channels: vec![Channel::Voice],
            hours: open(&[hours]),
        };
        let laws = vec![law(None, "08:00-21:00"), law(Some("FL"), "08:00-20:00"), law(Some("KY"), "10:00-21:00")];
        let own = [(Channel::Voice, open(&["09:00-18:00"]))].into();
        let legal = LegalHours { own, laws: [("US".to_owned(), laws)].into() };
        let count = |region, purpose| legal.of("US", region, Channel::Voice, purpose).count();
        assert_eq!(count(Some("FL"), Purpose::Promotional), 3, "the business's, the country's and the region's");
        assert_eq!(count(Some("NY"), Purpose::Promotional), 2);
        assert_eq!(count(None, Purpose::Promotional), 4);
        assert_eq!(count(None, Purpose::Transactional), 1);
        assert_eq!(legal.of("US", None, Channel::Email, Purpose::Promotional).count(), 0);
        assert_eq!(legal.of("GB", None, Channel::Voice, Purpose::Promotional).count(), 1);
    }

    #[test]
    fn codes_are_read_in_any_notation() {
        assert_eq!(region_code("US", "us-fl").as_deref(), Some("FL"));
        assert_eq!(region_code("US", "FL").as_deref(), Some("FL"));
        assert_eq!(region_code("US", "Florida"), None);
        assert_eq!(country_code(" gb").as_deref(), Some("GB"));
        assert_eq!(country_code("Britain"), None);
    }
}
