//! `pace`: the turns of a rule's messages, so that no more go in an hour than the shop can answer.
//!
//! Pure; which turns are taken is kept by `store`, across ticks and daemons. Laws:
//!
//! 1. Time is cut into periods of an hour (of one turn where turns are farther apart), periods into turns of equal length.
//!    Each turn takes one message, so no hour has more than the pace allows and they are spread evenly over it.
//! 2. The next turn at or after an instant lies after every turn taken in its period: who asks first goes first.

use crate::settings::Rate;
use crate::time::Timestamp;
use std::collections::BTreeMap;

const HOUR_MICROS: i64 = 3_600_000_000;

/// The turns that are left to a rule.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Turns {
    /// Of one turn, microseconds.
    length: i64,
    /// No turn begins before.
    from: Timestamp,
    /// How many turns of a period are gone, by its start.
    gone: BTreeMap<i64, i64>,
    changed: BTreeMap<i64, i64>,
}

impl Turns {
    /// The turns of `pace` from `from` on, of which those in `gone` are: for each period's start how many.
    pub fn new(pace: Rate, from: Timestamp, gone: BTreeMap<i64, i64>) -> Self {
        let length = (pace.per.micros() / i64::from(pace.count)).max(1);
        Self { length, from, gone, changed: BTreeMap::new() }
    }

    fn period(&self) -> i64 {
        HOUR_MICROS.max(self.length)
    }

    /// The start of the period that `at` lies in.
    pub fn period_of(&self, at: Timestamp) -> i64 {
        at.micros() - at.micros().rem_euclid(self.period())
    }

    /// When the next free turn at or after `at` begins; `at` itself while its own turn is free.
    pub fn next(&self, at: Timestamp) -> Timestamp {
        let mut at = at.max(self.from);
        loop {
            let start = self.period_of(at);
            let own = (at.micros() - start) / self.length;
            let turn = own.max(self.gone.get(&start).copied().unwrap_or(0));
            if turn < self.period() / self.length {
                return at.max(Timestamp::from_micros(start + turn * self.length));
            }
            at = Timestamp::from_micros(start + self.period());
        }
    }

    /// Takes the turn that `at`, given by [`Turns::next`], lies in.
    pub fn take(&mut self, at: Timestamp) {
        let start = self.period_of(at);
        let gone = (at.micros() - start) / self.length + 1;
        self.gone.insert(start, gone);
        self.changed.insert(start, gone);
    }

    /// What [`Turns::take`] changed.
    pub const fn changed(&self) -> &BTreeMap<i64, i64> {
        &self.changed
    }

    /// The instant before which no turn begins.
    pub const fn from(&self) -> Timestamp {
        self.from
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::time::Span;
    use proptest::prelude::*;

    fn at(text: &str) -> Timestamp {
        text.parse().expect("an instant")
    }

    fn turns(count: u32, hours: i64, from: &str) -> Turns {
        Turns::new(Rate { count, per: Span::from_seconds(hours * 3_600) }, at(from), BTreeMap::new())
    }

    fn taken(turns: &mut Turns, count: usize, from: &str) -> Vec<String> {
        let next = |_| {
            let turn = turns.next(at(from));
            turns.take(turn);
            turn.to_string()
        };
        (0..count).map(next).collect()
    }

    #[test]
    fn turns_are_spread_over_the_hour_and_the_next() {
        let now = "2026-11-03T12:00:00Z";
        let mut three = turns(3, 1, now);
        let expected = ["12:00", "12:20", "12:40", "13:00"].map(|time| format!("2026-11-03T{time}:00Z"));
        assert_eq!(taken(&mut three, 4, now), expected);
        assert_eq!(three.next(at("2026-11-03T13:05:00Z")), at("2026-11-03T13:20:00Z"));
        assert_eq!(three.next(at("2026-11-03T15:05:00Z")), at("2026-11-03T15:05:00Z"), "its own turn is free");
    }

    #[test]
    fn turns_may_be_hours_apart() {
        let now = "2026-11-03T12:00:00Z";
        let days: Vec<String> = taken(&mut turns(4, 24, now), 3, now);
        assert_eq!(days, [now, "2026-11-03T18:00:00Z", "2026-11-04T00:00:00Z"]);
    }

    proptest! {
        #[test]
        fn no_hour_has_more_than_the_pace(
            count in 1_u32..300,
            asked in proptest::collection::vec(0_i64..20_000, 1..200),
        ) {
            let start = at("2026-11-03T12:00:00Z");
            let mut turns = turns(count, 1, "2026-11-03T12:00:00Z");
            let mut given: Vec<i64> = Vec::new();
            for seconds in asked {
                let asked = start.plus(Span::from_seconds(seconds));
                let turn = turns.next(asked);
                prop_assert!(turn >= asked);
                turns.take(turn);
                given.push(turn.micros());
            }
            given.sort_unstable();
            for (place, first) in given.iter().enumerate() {
                let in_the_hour = given[place..].iter().take_while(|turn| **turn < first + HOUR_MICROS).count();
                // An hour that begins within a turn touches one turn more.
                prop_assert!(in_the_hour <= count as usize + 1, "{in_the_hour} of {count}");
            }
        }
    }
}
