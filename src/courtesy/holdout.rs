//! Holdouts: a share of customers who are not written to, so that one can tell what writing does.
//!
//! 1. Who is in follows from their id alone: the same at every tick, on every machine, whatever their address.
//! 2. A larger share keeps everyone who was in a smaller one.
//! 3. Each rule draws its own, and so does the business as a whole: being in one says nothing about another.
//!
//! The draw is GrowthBook's hash, version 2: `fnv1a(str(fnv1a(seed + id))) % 10000`, over UTF-8 bytes.

/// What the business's own holdout is drawn with; no rule can have this name.
const EVERYONE: &str = "[courtesy] holdout";

/// How many different draws there are.
pub const DRAWS: u32 = 10_000;
/// How many parts of a million a draw stands for.
pub const PARTS_PER_DRAW: u32 = 1_000_000 / DRAWS;

/// Whether a customer is in the business's holdout of so many parts per million.
pub fn is_out_of_everything(share: u32, customer: &str) -> bool {
    is_in(share, EVERYONE, customer)
}

/// Whether a customer is in the holdout of a rule.
pub fn is_out_of_rule(share: u32, rule: &str, customer: &str) -> bool {
    is_in(share, rule, customer)
}

fn is_in(share: u32, seed: &str, customer: &str) -> bool {
    share > 0 && draw(seed, customer) * PARTS_PER_DRAW < share
}

/// A number below 10,000 that follows from seed and value.
pub fn draw(seed: &str, value: &str) -> u32 {
    fnv1a(&fnv1a(&format!("{seed}{value}")).to_string()) % DRAWS
}

/// FNV-1a of 32 bits.
fn fnv1a(text: &str) -> u32 {
    text.bytes().fold(0x811c_9dc5, |hash, byte| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn draws_are_those_of_growthbook() {
        for (seed, value, drawn) in
            [("seed", "a", 505), ("exp1", "user_1", 7137), ("exp1", "user_2", 4626), ("holdout", "user_1", 9453)]
        {
            assert_eq!(draw(seed, value), drawn, "{seed} {value}");
        }
    }

    #[test]
    fn a_larger_share_keeps_everyone_and_holds_about_as_many_as_it_says() {
        let people: Vec<String> = (0..20_000).map(|number| format!("customer-{number}")).collect();
        let mut before = 0;
        for percent in [0_u32, 1, 5, 10, 50, 100] {
            let share = percent * 10_000;
            let inside = people.iter().filter(|id| is_out_of_rule(share, "winback", id)).count();
            let wanted = people.len() * percent as usize / 100;
            assert!(inside.abs_diff(wanted) <= people.len() / 100, "{percent}%: {inside}");
            let kept = people.iter().filter(|id| is_out_of_rule(before, "winback", id));
            assert!(kept.into_iter().all(|id| is_out_of_rule(share, "winback", id)));
            before = share;
        }
    }

    #[test]
    fn holdouts_are_drawn_apart() {
        let people: Vec<String> = (0..20_000).map(|number| number.to_string()).collect();
        let both = people.iter().filter(|id| is_out_of_rule(100_000, "a", id) && is_out_of_rule(100_000, "b", id));
        let both = both.count();
        assert!((120..=280).contains(&both), "a tenth of a tenth of 20,000, not {both}");
    }
}
