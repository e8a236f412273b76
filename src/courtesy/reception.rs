//! How a rule's messages are received, and when it is better to stop: a share of bounces or complaints that says that
//! the list, or the message, is wrong. Pure; `store::reception` counts.

use crate::settings::Guard;
use crate::time::Span;

/// What is counted lies at most this far back.
pub const WINDOW: Span = Span::from_days(7);
/// Fewer messages than these say nothing.
pub const FROM: u64 = 20;

/// The messages of one rule, in numbers.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Reception {
    /// Those sent, and those whose address turned out not to exist.
    pub tried: u64,
    /// Of these, how many met an address that does not exist.
    pub bounced: u64,
    /// Of these, how many were complained about.
    pub complained: u64,
}

impl Reception {
    /// Why the rule is to pause, if it is: the evidence and the limit.
    pub fn too_bad(&self, guard: &Guard) -> Option<String> {
        if self.tried < FROM {
            return None;
        }
        let evidence = |bad: u64, what: &str, key: &str, max: u32| {
            let is_over = u128::from(bad) * 1_000_000 > u128::from(self.tried) * u128::from(max);
            let (tried, days) = (self.tried, WINDOW.seconds() / 86_400);
            is_over.then(|| {
                let max = f64::from(max) / 10_000.0;
                format!("{bad} of {tried} messages within {days} days {what}; guard.{key} is {max}%")
            })
        };
        evidence(self.bounced, "met addresses that do not exist", "max_bounce", guard.max_bounce)
            .or_else(|| evidence(self.complained, "were complained about", "max_complaint", guard.max_complaint))
    }

    /// More messages than these make so many bounces and complaints a small share.
    pub fn enough(&self, guard: &Guard) -> u64 {
        let needed = |bad: u64, max: u32| bad.saturating_mul(1_000_000).checked_div(u64::from(max)).unwrap_or(0);
        let needed = needed(self.bounced, guard.max_bounce).max(needed(self.complained, guard.max_complaint));
        needed.saturating_add(1).max(FROM)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reception(tried: u64, bounced: u64, complained: u64) -> Reception {
        Reception { tried, bounced, complained }
    }

    #[test]
    fn a_share_over_the_limit_is_too_bad_from_twenty_messages_on() {
        let guard = Guard { max_bounce: 50_000, max_complaint: 3_000, ..Guard::default() };
        assert_eq!(reception(19, 19, 19).too_bad(&guard), None, "too few to tell");
        assert_eq!(reception(20, 1, 0).too_bad(&guard), None, "five in a hundred is the limit");
        assert_eq!(
            reception(20, 2, 0).too_bad(&guard).as_deref(),
            Some("2 of 20 messages within 7 days met addresses that do not exist; guard.max_bounce is 5%")
        );
        assert_eq!(
            reception(1_000, 50, 4).too_bad(&guard).as_deref(),
            Some("4 of 1000 messages within 7 days were complained about; guard.max_complaint is 0.3%")
        );
        assert_eq!(reception(1_000, 50, 3).too_bad(&guard), None);
        assert_eq!(reception(20, 20, 20).too_bad(&Guard::default()), None, "no limit is set");
    }

    #[test]
    fn counting_stops_where_more_messages_change_nothing() {
        let guard = Guard { max_bounce: 50_000, max_complaint: 3_000, ..Guard::default() };
        for (bounced, complained) in [(0, 0), (1, 0), (7, 0), (0, 1), (31, 2)] {
            let enough = reception(0, bounced, complained).enough(&guard);
            assert_eq!(reception(enough, bounced, complained).too_bad(&guard), None, "{bounced} {complained}");
        }
        assert_eq!(reception(0, 1, 0).enough(&Guard { max_bounce: 0, ..guard }), FROM);
    }
}
