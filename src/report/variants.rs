//! The variants of a rule side by side: how often each reached the goal, and whether the difference means anything yet.
//!
//! 1. All are compared with the first one that the rule's file names, and with no other: it is the yardstick.
//! 2. Several comparisons have several chances to be wrong. Each is made at a higher level, so that all of them together
//!    are right as often as one alone would be (Bonferroni).

use super::interval::{self, Interval};
use super::{Group, percent, points};
use crate::amount::grouped;
use crate::touchpoints::record::money_json;
use serde_json::{Value, json};

/// What became of one variant.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct VariantReport {
    pub name: String,
    /// Parts per million of the rule's customers; `None` for one that the rule has no more.
    pub share: Option<u32>,
    /// Of those of the rule, the one that the others are compared with.
    pub is_yardstick: bool,
    /// A provider took it.
    pub sent: u64,
    /// What providers charged; money, scaled.
    pub cost: i64,
    /// `None` where the rule has no goal.
    pub goal: Option<Group>,
}

/// A variant against the yardstick.
#[derive(Clone, PartialEq, Debug)]
pub struct Comparison<'a> {
    pub variant: &'a VariantReport,
    pub yardstick: &'a VariantReport,
    /// The difference of the two rates.
    pub difference: Interval,
    /// How often such an interval contains the truth.
    pub level: f64,
}

impl VariantReport {
    /// The share that reached the goal, with Wilson's interval.
    pub fn rate(&self) -> Option<Interval> {
        let goal = self.goal.filter(|goal| goal.count > 0)?;
        Some(interval::score((goal.reached, goal.count)))
    }

    pub(super) fn to_json(&self, all: &[Self], currency: &str) -> Value {
        let against = comparisons(all).into_iter().find(|one| one.variant.name == self.name);
        let difference = against.map(|one| {
            json!({
                "against": one.yardstick.name, "difference": one.difference.value, "low": one.difference.low,
                "high": one.difference.high, "level": one.level, "conclusive": one.difference.is_conclusive(),
            })
        });
        let rate = self.rate().map(|rate| json!({ "rate": rate.value, "low": rate.low, "high": rate.high }));
        json!({
            "variant": self.name, "share": self.share.map(|share| f64::from(share) / 1_000_000.0), "sent": self.sent,
            "cost": money_json(Some(self.cost), currency), "goal": self.goal.map(Group::to_json),
            "interval": rate, "difference": difference,
        })
    }
}

/// Each variant of which something was sent against the yardstick.
pub fn comparisons(variants: &[VariantReport]) -> Vec<Comparison<'_>> {
    let counted = |variant: &&VariantReport| variant.goal.filter(|goal| goal.count > 0).is_some();
    let Some(yardstick) = variants.iter().filter(counted).find(|variant| variant.is_yardstick) else {
        return Vec::new();
    };
    let others: Vec<_> = variants.iter().filter(counted).filter(|variant| !variant.is_yardstick).collect();
    let level = 1.0 - (1.0 - interval::LEVEL) / others.len().max(1) as f64;
    let group = |variant: &VariantReport| variant.goal.map_or((0, 1), |goal| (goal.reached, goal.count));
    let compare = |variant| Comparison {
        variant,
        yardstick,
        difference: interval::difference_at(group(variant), group(yardstick), level),
        level,
    };
    others.into_iter().map(compare).collect()
}

/// What the numbers allow to be said, a sentence each; nothing of a rule without variants.
pub fn sentences(variants: &[VariantReport]) -> Vec<String> {
    if variants.is_empty() {
        return Vec::new();
    }
    if variants.iter().all(|variant| variant.goal.is_none()) {
        return vec!["nothing says which variant is better: the rule has no `[goal]`".to_owned()];
    }
    let comparisons = comparisons(variants);
    if comparisons.is_empty() {
        return vec!["too little was sent to compare the variants".to_owned()];
    }
    let mut said: Vec<String> = comparisons.iter().map(Comparison::sentence).collect();
    if let [first, _, ..] = &comparisons[..] {
        said.push(format!(
            "these are {} comparisons, each made at {}, so that all of them are right {} times of 100",
            comparisons.len(),
            percent(first.level),
            interval::LEVEL * 100.0
        ));
    }
    let open: u64 = variants.iter().filter_map(|variant| variant.goal).map(|goal| goal.open).sum();
    if open > 0 {
        said.push(format!("{} may still reach the goal: look again when their time is over", grouped(open)));
    }
    said
}

impl Comparison<'_> {
    pub fn sentence(&self) -> String {
        let (name, other) = (&self.variant.name, &self.yardstick.name);
        let (low, high) = (points(self.difference.low), points(self.difference.high));
        if self.difference.low > 0.0 {
            format!("{name} beats {other}: between {low} and {high} points more reach the goal")
        } else if self.difference.high < 0.0 {
            format!("{name} does worse than {other}: between {high} and {low} points fewer reach the goal")
        } else {
            format!("{name} against {other}: between {low} points fewer and {high} more; too few to tell")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn variant(name: &str, reached: u64, count: u64) -> VariantReport {
        let goal = Some(Group { count, reached, open: 0 });
        VariantReport {
            name: name.to_owned(),
            is_yardstick: name == "plain",
            sent: count,
            goal,
            ..VariantReport::default()
        }
    }

    #[test]
    fn two_variants_are_told_apart_only_where_the_numbers_allow_it() {
        let said = |plain, other| sentences(&[variant("plain", plain, 1_000), variant("b", other, 1_000)]);
        assert_eq!(said(50, 90), ["b beats plain: between 1.8 and 6.3 points more reach the goal"]);
        assert_eq!(said(90, 50), ["b does worse than plain: between 1.8 and 6.3 points fewer reach the goal"]);
        assert_eq!(said(50, 60), ["b against plain: between 1.0 points fewer and 3.0 more; too few to tell"]);
    }

    /// The intervals were computed in Python, with Newcombe's formula and `statistics.NormalDist`.
    #[test]
    fn more_comparisons_ask_for_more() {
        let (plain, b) = (variant("plain", 50, 1_000), variant("b", 71, 1_000));
        let alone = sentences(&[plain.clone(), b.clone()]);
        assert!(alone[0].starts_with("b beats plain"), "{alone:?}");
        let three = [plain, b, variant("c", 90, 1_000)];
        let both = comparisons(&three);
        let near = |one: f64, other: f64| (one - other).abs() < 0.000_05;
        assert!(near(both[0].difference.low, -0.00304) && near(both[0].difference.high, 0.04539), "{:?}", both[0]);
        assert!(near(both[1].difference.low, 0.01446) && near(both[1].difference.high, 0.06605), "{:?}", both[1]);
        let said = sentences(&three);
        assert!(said[0].ends_with("too few to tell") && said[1].starts_with("c beats plain"), "{said:?}");
        assert_eq!(
            said[2],
            "these are 2 comparisons, each made at 97.5%, so that all of them are right 95 times of 100"
        );
    }

    #[test]
    fn what_cannot_be_compared_is_said() {
        assert!(sentences(&[]).is_empty());
        let none = VariantReport { goal: None, ..variant("plain", 0, 0) };
        assert!(sentences(&[none])[0].contains("no `[goal]`"));
        let nobody = [variant("plain", 0, 0), variant("b", 1, 20)];
        assert_eq!(sentences(&nobody), ["too little was sent to compare the variants"]);
        let open = VariantReport { goal: Some(Group { count: 10, reached: 0, open: 10 }), ..variant("plain", 0, 10) };
        assert!(sentences(&[open, variant("b", 1, 20)]).last().is_some_and(|said| said.starts_with("10 may still")));
    }
}
