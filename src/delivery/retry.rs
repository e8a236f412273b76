//! When a message that met a temporary refusal is tried again. Pure: chance is drawn from the message's own id.

use crate::time::{Span, Timestamp};
use sha2::{Digest, Sha256};

/// Waits between attempts, after RFC 5321 4.5.4.1 but shorter at first: a notification that is late is worth less.
/// The last one repeats.
const WAITS: [Span; 7] = [
    Span::from_seconds(60),
    Span::from_seconds(5 * 60),
    Span::from_seconds(15 * 60),
    Span::from_seconds(30 * 60),
    Span::from_seconds(3_600),
    Span::from_seconds(2 * 3_600),
    Span::from_seconds(4 * 3_600),
];

/// So many attempts are made at most.
pub const MAX_ATTEMPTS: i64 = 8;

/// When attempt number `attempts` + 1 is due, or `None` when no further one is made: attempts exhausted, or the
/// message would have expired. `after` is the provider's own wish (Retry-After), never shortened.
pub fn next(id: &str, attempts: i64, after: Option<Span>, now: Timestamp, expires_at: Timestamp) -> Option<Timestamp> {
    if attempts >= MAX_ATTEMPTS {
        return None;
    }
    let place = usize::try_from(attempts.max(1) - 1).unwrap_or(0).min(WAITS.len() - 1);
    let wait = WAITS[place].max(after.unwrap_or_default());
    let due = now.plus(jittered(wait, id, attempts));
    (due <= expires_at).then_some(due)
}

/// Up to a tenth longer, always the same for one message and attempt, so that a crowd does not come back as one.
fn jittered(wait: Span, id: &str, attempts: i64) -> Span {
    let digest = Sha256::digest(format!("{id}/{attempts}"));
    let share = i64::from(u16::from_be_bytes([digest[0], digest[1]]));
    Span::from_micros(wait.micros() + wait.micros() / 10 * share / i64::from(u16::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_grow_and_end() {
        let now = Timestamp::from_seconds(1_000_000);
        let never = Timestamp::from_micros(i64::MAX);
        let minutes = |attempts| next("tp", attempts, None, now, never).map(|due| due.since(now).seconds() / 60);
        let waits: Vec<_> = (1..=8).map(minutes).collect();
        let lowest = [Some(1), Some(5), Some(15), Some(30), Some(60), Some(120), Some(240), None];
        for (wait, lowest) in waits.iter().zip(lowest) {
            match (wait, lowest) {
                (Some(wait), Some(lowest)) => assert!((lowest..=lowest + lowest / 10).contains(wait), "{wait}"),
                (wait, lowest) => assert_eq!(*wait, lowest),
            }
        }
    }

    #[test]
    fn a_provider_that_asks_for_patience_gets_it() {
        let now = Timestamp::from_seconds(0);
        let due = next("tp", 1, Some(Span::from_seconds(900)), now, Timestamp::from_micros(i64::MAX));
        assert!(due.is_some_and(|due| due.since(now) >= Span::from_seconds(900)));
    }

    #[test]
    fn nothing_is_tried_after_it_expires() {
        let now = Timestamp::from_seconds(0);
        assert_eq!(next("tp", 1, None, now, Timestamp::from_seconds(30)), None);
    }
}
