//! The difference of two proportions, with its interval: Newcombe's hybrid score method, number 10 of R. G. Newcombe,
//! "Interval estimation for the difference between independent proportions", Statistics in Medicine 17 (1998), 873-890,
//! without correction for continuity. It holds for small groups and for shares near 0 and 1, where the usual
//! textbook interval does not.

/// How often such an interval contains the truth.
pub const LEVEL: f64 = 0.95;
/// The quantile of the normal distribution that belongs to [`LEVEL`], both sides.
const Z: f64 = 1.959_963_984_540_054;

/// An estimate and where the truth lies.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Interval {
    pub value: f64,
    pub low: f64,
    pub high: f64,
}

impl Interval {
    /// Whether it leaves no doubt on which side of zero the truth lies.
    pub fn is_conclusive(self) -> bool {
        self.low > 0.0 || self.high < 0.0
    }
}

/// The first share less the second; a share is `(hits, all)`.
///
/// # Panics
/// When one of the groups is empty.
pub fn difference(first: (u64, u64), second: (u64, u64)) -> Interval {
    let (a, b) = (score(first), score(second));
    let value = a.value - b.value;
    Interval {
        value,
        low: value - (a.value - a.low).hypot(b.high - b.value),
        high: value + (a.high - a.value).hypot(b.value - b.low),
    }
}

/// Wilson's score interval of one share.
pub fn score((hits, all): (u64, u64)) -> Interval {
    assert!(all > 0 && hits <= all, "{hits} of {all} is no share");
    let (n, p) = (all as f64, hits as f64 / all as f64);
    let z2 = Z * Z;
    let middle = p + z2 / (2.0 * n);
    let reach = Z * (p * (1.0 - p) / n + z2 / (4.0 * n * n)).sqrt();
    let scale = 1.0 + z2 / n;
    Interval { value: p, low: ((middle - reach) / scale).max(0.0), high: ((middle + reach) / scale).min(1.0) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::rngs::StdRng;
    use rand::{RngExt, SeedableRng};

    fn near(a: f64, b: f64) -> bool {
        (a - b).abs() < 0.000_05
    }

    /// Newcombe 1998, table II, method 10. The same comes out of statsmodels' `confint_proportions_2indep(…,
    /// method="newcomb", compare="diff")`, whose formula is that of [`difference`] with `scipy.stats.norm.ppf(0.975)`.
    #[test]
    fn the_published_intervals_come_out() {
        for (first, second, low, high) in [
            ((56, 70), (48, 80), 0.0524, 0.3339),
            ((9, 10), (3, 10), 0.1705, 0.8090),
            ((6, 7), (2, 7), 0.0582, 0.8062),
            ((5, 56), (0, 29), -0.0381, 0.1926),
            ((0, 10), (0, 20), -0.1611, 0.2775),
            ((0, 10), (0, 10), -0.2775, 0.2775),
            ((10, 10), (0, 20), 0.6791, 1.0),
            ((10, 10), (0, 10), 0.6075, 1.0),
        ] {
            let interval = difference(first, second);
            assert!(near(interval.low, low) && near(interval.high, high), "{first:?} {second:?}: {interval:?}");
        }
    }

    #[test]
    fn turned_round_it_is_the_same_with_the_other_sign() {
        let (one, other) = (difference((7, 90), (3, 20)), difference((3, 20), (7, 90)));
        assert!(near(one.value, -other.value) && near(one.low, -other.high) && near(one.high, -other.low));
        assert!(!one.is_conclusive());
    }

    #[test]
    fn it_contains_the_truth_about_as_often_as_it_says() {
        let mut random = StdRng::seed_from_u64(2026);
        for (p, n, q, m) in [(0.07, 2_000, 0.05, 105), (0.5, 40, 0.3, 40), (0.02, 300, 0.02, 30), (0.9, 200, 0.8, 50)] {
            let mut hits = |share: f64, all: u64| (0..all).filter(|_| random.random_bool(share)).count() as u64;
            let rounds = 2_000;
            let contained = (0..rounds).filter(|_| {
                let interval = difference((hits(p, n), n), (hits(q, m), m));
                (interval.low..=interval.high).contains(&(p - q))
            });
            let share = contained.count() as f64 / f64::from(rounds);
            assert!((0.925..=0.985).contains(&share), "{p} of {n}, {q} of {m}: {share}");
        }
    }
}
