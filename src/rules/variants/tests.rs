//! Who gets which variant: GrowthBook's draws, shares that come out, and who moves when they change.

use super::*;
use crate::courtesy::holdout;

const PEOPLE: usize = 20_000;

fn people() -> impl Iterator<Item = String> {
    (0..PEOPLE).map(|number| format!("customer-{number}"))
}

/// Which of variants with these shares, in percent, each of the people gets.
fn drawn(rule: &str, shares: &[u32]) -> Vec<usize> {
    people().map(|id| place(rule, shares, &id)).collect()
}

fn place(rule: &str, shares: &[u32], customer: &str) -> usize {
    let mut end = 0;
    let point = point(rule, customer);
    shares
        .iter()
        .position(|share| {
            end += share * 10_000;
            point < end
        })
        .expect("shares make 100")
}

#[test]
fn a_customers_point_is_growthbooks_draw_under_the_rules_own_seed() {
    // Computed with GrowthBook's own formula, in Python: fnv1a32(str(fnv1a32(seed + value))) % 10000.
    for (rule, customer, drawn) in VECTORS {
        assert_eq!(point(rule, customer), drawn * PARTS_PER_DRAW, "{rule} {customer}");
    }
}

const VECTORS: [(&str, &str, u32); 4] = [
    ("abandoned-cart", "c1", 2110),
    ("abandoned-cart", "c2", 2051),
    ("win-back", "customer-17", 9080),
    ("win-back", "Zoë", 3186),
];

#[test]
fn each_variant_gets_about_its_share() {
    for shares in [&[50, 50][..], &[10, 90], &[33, 33, 34], &[0, 100], &[25, 25, 25, 25]] {
        let drawn = drawn("cart", shares);
        for (place, share) in shares.iter().enumerate() {
            let got = drawn.iter().filter(|at| **at == place).count();
            let wanted = PEOPLE * *share as usize / 100;
            assert!(got.abs_diff(wanted) <= PEOPLE / 70, "{shares:?} {place}: {got}");
        }
    }
}

#[test]
fn changed_shares_move_only_who_lies_between_the_old_boundary_and_the_new_one() {
    let (before, after) = (drawn("cart", &[50, 50]), drawn("cart", &[60, 40]));
    let moved: Vec<_> = before.iter().zip(&after).filter(|(one, other)| one != other).collect();
    assert!(moved.iter().all(|(one, other)| (**one, **other) == (1, 0)), "nobody leaves what grew");
    assert!(moved.len().abs_diff(PEOPLE / 10) <= PEOPLE / 100, "{}", moved.len());
    let third = drawn("cart", &[50, 30, 20]);
    assert!(
        before.iter().zip(&third).all(|(one, other)| one == other || *other == 2),
        "a new one takes from its neighbour"
    );
}

#[test]
fn variants_are_drawn_apart_from_holdouts_and_from_other_rules() {
    let quarter = PEOPLE / 4;
    let near = |count: usize| count.abs_diff(quarter) <= PEOPLE / 50;
    let held = |id: &String| holdout::is_out_of_rule(500_000, "cart", id);
    let everyone = |id: &String| holdout::is_out_of_everything(500_000, id);
    let first = |rule: &'static str| move |id: &String| place(rule, &[50, 50], id) == 0;
    let both = |one: &dyn Fn(&String) -> bool, other: &dyn Fn(&String) -> bool| {
        people().filter(|id| one(id) && other(id)).count()
    };
    for count in [both(&held, &first("cart")), both(&everyone, &first("cart")), both(&first("cart"), &first("cart-2"))]
    {
        assert!(near(count), "half of a half of {PEOPLE} is not {count}");
    }
}
