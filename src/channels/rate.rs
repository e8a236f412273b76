//! A provider's rate: so many in so long, evenly spaced, with a small burst so that a coarse timer does not cost speed.
//!
//! 1. Pure: `now` is an argument, and a rate that is shared by several daemons can be kept as one number.
//! 2. In any window of the rate's length at most its count and the burst are let through, and a wait is rounded up to the
//!    next microsecond, never down.

use crate::settings::Rate;
use crate::time::{Span, Timestamp};

/// How much of a second may go out at once.
const BURST: Span = Span::from_millis(100);

/// A token bucket in the form of the generic cell rate algorithm: it keeps the instant at which the bucket will be
/// full again, and nothing else.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Bucket {
    /// Ticks between two messages. A tick is a microsecond divided by the rate's count, so that every rate is whole.
    interval: i128,
    /// Ticks in a microsecond.
    scale: i128,
    burst: i128,
    /// In ticks; `None` before the first message.
    full_at: Option<i128>,
}

impl Bucket {
    /// A full bucket. A rate of nothing, or in no time, counts as one message, or as one microsecond.
    pub fn new(rate: Rate) -> Self {
        let count = i128::from(rate.count.max(1));
        let per = i128::from(rate.per.micros().max(1));
        let burst = ceil_div(count * i128::from(BURST.micros()), per).clamp(1, count);
        Self { interval: per, scale: count, burst, full_at: None }
    }

    /// How many messages may go out at the same instant.
    pub fn burst(&self) -> u32 {
        u32::try_from(self.burst).unwrap_or(u32::MAX)
    }

    /// Lets one message through at `now`.
    ///
    /// # Errors
    /// The first instant at which one will be let through; nothing was taken.
    pub fn take(&mut self, now: Timestamp) -> Result<(), Timestamp> {
        let now_ticks = i128::from(now.micros()) * self.scale;
        let full_at = self.full_at.map_or(now_ticks, |full_at| full_at.max(now_ticks));
        let allowed_from = full_at - (self.burst - 1) * self.interval;
        if now_ticks < allowed_from {
            let micros = ceil_div(allowed_from, self.scale);
            return Err(Timestamp::from_micros(i64::try_from(micros).unwrap_or(i64::MAX)));
        }
        self.full_at = Some(full_at + self.interval);
        Ok(())
    }
}

/// Division that rounds up, for a positive divisor.
fn ceil_div(dividend: i128, divisor: i128) -> i128 {
    dividend.div_euclid(divisor) + i128::from(dividend.rem_euclid(divisor) != 0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::{prop_assert, proptest};

    fn bucket(count: u32, seconds: i64) -> Bucket {
        Bucket::new(Rate { count, per: Span::from_seconds(seconds) })
    }

    #[test]
    fn messages_are_evenly_spaced_after_the_burst() {
        let mut bucket = bucket(10, 1);
        assert_eq!(bucket.burst(), 1);
        assert_eq!(bucket.take(Timestamp::from_micros(0)), Ok(()));
        assert_eq!(bucket.take(Timestamp::from_micros(50_000)), Err(Timestamp::from_micros(100_000)));
        assert_eq!(bucket.take(Timestamp::from_micros(100_000)), Ok(()));
    }

    #[test]
    fn a_fast_rate_lets_a_tenth_of_a_second_through_at_once() {
        let mut bucket = bucket(1_000, 1);
        let let_through = (0..2_000).filter(|_| bucket.take(Timestamp::from_micros(7)).is_ok()).count();
        assert_eq!(let_through, 100);
    }

    #[test]
    fn a_third_of_a_second_loses_less_than_a_microsecond_a_message() {
        let mut bucket = bucket(3, 1);
        let mut now = Timestamp::from_micros(0);
        for _ in 0..=300 {
            while let Err(next) = bucket.take(now) {
                now = next;
            }
        }
        assert!((100_000_000..100_000_300).contains(&now.micros()), "{now:?}");
    }

    #[test]
    fn a_clock_that_goes_back_lets_nothing_extra_through() {
        let mut bucket = bucket(1, 60);
        assert_eq!(bucket.take(Timestamp::from_seconds(100)), Ok(()));
        assert_eq!(bucket.take(Timestamp::from_seconds(10)), Err(Timestamp::from_seconds(160)));
    }

    proptest! {
        #[test]
        fn no_window_has_more_than_the_count_and_the_burst(
            count in 1_u32..500,
            per in 1_i64..4_000_000,
            steps in proptest::collection::vec(0_i64..50_000, 1..800),
        ) {
            let mut bucket = Bucket::new(Rate { count, per: Span::from_micros(per) });
            let mut now = 0;
            let mut passed = Vec::new();
            for step in steps {
                now += step;
                match bucket.take(Timestamp::from_micros(now)) {
                    Ok(()) => passed.push(now),
                    Err(next) => prop_assert!(next.micros() > now),
                }
            }
            let most = count as usize + bucket.burst() as usize;
            for (first, start) in passed.iter().enumerate() {
                let within = passed[first..].iter().take_while(|at| **at < start + per).count();
                prop_assert!(within <= most, "{within} within {per} µs of {start}, at most {most}");
            }
        }

        #[test]
        fn the_instant_named_is_the_first_that_works(count in 1_u32..500, per in 1_i64..4_000_000) {
            let mut bucket = Bucket::new(Rate { count, per: Span::from_micros(per) });
            while bucket.take(Timestamp::from_micros(0)).is_ok() {}
            let next = bucket.take(Timestamp::from_micros(0)).expect_err("the bucket is empty");
            prop_assert!(bucket.clone().take(Timestamp::from_micros(next.micros() - 1)).is_err());
            prop_assert!(bucket.take(next).is_ok());
        }
    }
}
