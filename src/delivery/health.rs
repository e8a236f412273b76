//! Whether a provider can be reached: after several failures in a row it is left alone for a while, so that no
//! message's attempts are burned on a wall. Pure.

use crate::time::{Span, Timestamp};

/// So many failures in a row open the circuit.
const FAILURES: u32 = 5;
const FIRST_REST: Span = Span::from_seconds(10);
const LONGEST_REST: Span = Span::from_seconds(300);

/// A provider's circuit: closed while it answers.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Circuit {
    failures: u32,
    rests: u32,
    open_until: Option<Timestamp>,
}

impl Circuit {
    /// The provider answered, whatever it said.
    pub fn answered(&mut self) {
        *self = Self::default();
    }

    /// The provider could not be reached. Gives whether that opened the circuit.
    pub fn unreachable(&mut self, now: Timestamp) -> bool {
        self.failures += 1;
        if self.failures < FAILURES || self.open_until.is_some_and(|until| until > now) {
            return false;
        }
        let rest = FIRST_REST.micros().saturating_mul(1 << self.rests.min(10)).min(LONGEST_REST.micros());
        self.rests += 1;
        self.open_until = Some(now.plus(Span::from_micros(rest)));
        true
    }

    /// Until when nothing is to be sent there.
    pub fn resting_until(&self, now: Timestamp) -> Option<Timestamp> {
        self.open_until.filter(|until| *until > now)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn five_failures_in_a_row_give_a_rest_that_grows() {
        let mut circuit = Circuit::default();
        let mut now = Timestamp::from_seconds(0);
        for _ in 0..4 {
            assert!(!circuit.unreachable(now));
        }
        assert_eq!(circuit.resting_until(now), None);
        let mut rests = Vec::new();
        for _ in 0..8 {
            assert!(circuit.unreachable(now));
            let until = circuit.resting_until(now).expect("resting");
            rests.push(until.since(now).seconds());
            now = until;
        }
        assert_eq!(rests, [10, 20, 40, 80, 160, 300, 300, 300]);
        circuit.answered();
        assert!(!circuit.unreachable(now));
    }
}
