//! A share, and the difference of two, with their intervals. Of one share it is Wilson's score interval; of two
//! Newcombe's hybrid score method, number 10 of R. G. Newcombe,
//! "Interval estimation for the difference between independent proportions", Statistics in Medicine 17 (1998), 873-890,
//! without correction for continuity. It holds for small groups and for shares near 0 and 1, where the usual
//! textbook interval does not.

/// How often such an interval contains the truth.
pub const LEVEL: f64 = 0.95;

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
    difference_at(first, second, LEVEL)
}

/// As [`difference`], at a level of the caller's: several comparisons that are to be right together ask for more each.
///
/// # Panics
/// When one of the groups is empty.
pub fn difference_at(first: (u64, u64), second: (u64, u64), level: f64) -> Interval {
    let (a, b) = (score_at(first, level), score_at(second, level));
    let value = a.value - b.value;
    Interval {
        value,
        low: value - (a.value - a.low).hypot(b.high - b.value),
        high: value + (a.high - a.value).hypot(b.value - b.low),
    }
}

/// Wilson's score interval of one share.
pub fn score(share: (u64, u64)) -> Interval {
    score_at(share, LEVEL)
}

fn score_at((hits, all): (u64, u64), level: f64) -> Interval {
    assert!(all > 0 && hits <= all, "{hits} of {all} is no share");
    let (n, p) = (all as f64, hits as f64 / all as f64);
    let z = quantile(0.5 + level / 2.0);
    let z2 = z * z;
    let middle = p + z2 / (2.0 * n);
    let reach = z * (p * (1.0 - p) / n + z2 / (4.0 * n * n)).sqrt();
    let scale = 1.0 + z2 / n;
    Interval { value: p, low: ((middle - reach) / scale).max(0.0), high: ((middle + reach) / scale).min(1.0) }
}

/// The value below which a share `p` of the normal distribution lies, for `p` from 0.5 to 1: P. J. Acklam's rational
/// approximation, off by less than 1.2 parts of 10^9.
fn quantile(p: f64) -> f64 {
    const A: [f64; 6] = [
        -39.696_830_286_653_76,
        220.946_098_424_520_5,
        -275.928_510_446_968_7,
        138.357_751_867_269,
        -30.664_798_066_147_16,
        2.506_628_277_459_239,
    ];
    const B: [f64; 5] = [
        -54.476_098_798_224_06,
        161.585_836_858_040_9,
        -155.698_979_859_886_6,
        66.801_311_887_719_72,
        -13.280_681_552_885_72,
    ];
    const C: [f64; 6] = [
        -0.007_784_894_002_430_293,
        -0.322_396_458_041_136_5,
        -2.400_758_277_161_838,
        -2.549_732_539_343_734,
        4.374_664_141_464_968,
        2.938_163_982_698_783,
    ];
    const D: [f64; 4] =
        [0.007_784_695_709_041_462, 0.322_467_129_070_039_8, 2.445_134_137_142_996, 3.754_408_661_907_416];
    let horner = |terms: &[f64], x: f64| terms.iter().fold(0.0, |sum, term| sum * x + term);
    if p > 0.975_75 {
        let q = (-2.0 * (1.0 - p).ln()).sqrt();
        return -horner(&C, q) / (horner(&D, q) * q + 1.0);
    }
    let q = p - 0.5;
    let r = q * q;
    horner(&A, r) * q / (horner(&B, r) * r + 1.0)
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

    /// Newcombe 1998, "Two-sided confidence intervals for the single proportion", table I, method 3.
    #[test]
    fn the_published_intervals_of_one_share_come_out() {
        for (share, low, high) in [
            ((81, 263), 0.2553, 0.3662),
            ((15, 148), 0.0624, 0.1605),
            ((0, 20), 0.0, 0.1611),
            ((1, 29), 0.0061, 0.1718),
        ] {
            let interval = score(share);
            assert!(near(interval.low, low) && near(interval.high, high), "{share:?}: {interval:?}");
        }
    }

    /// From Python's `statistics.NormalDist().inv_cdf`.
    #[test]
    fn quantiles_are_those_of_the_normal_distribution() {
        for (level, quantile) in [
            (0.95, 1.959_963_984_540_053_6),
            (0.975, 2.241_402_727_604_946_4),
            (0.983_333_333_333_333_3, 2.393_979_799_818_510_4),
            (0.9875, 2.497_705_474_412_373_7),
            (0.99, 2.575_829_303_548_9),
            (0.999, 3.290_526_731_491_925_5),
        ] {
            let found = super::quantile(0.5 + level / 2.0);
            assert!((found - quantile).abs() < 1e-7, "{level}: {found}");
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
