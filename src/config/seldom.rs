//! Rules that come back to a customer sooner than their offers may.
//!
//! A letter whose customer has had as many of its offers as `per_customer` allows does not go; only one that customers
//! wait for goes without. Nobody sees that in the rule's file, so it is told there.

use super::reader::Reader;
use crate::offers::{Offer, PerCustomer};
use crate::problem::Problem;
use crate::rules::{Kind, OncePer, Purpose, Rule};
use crate::time::Span;
use std::collections::BTreeMap;

/// Warns of a rule that writes to customers again and again, and more often than they may have one of its offers.
pub fn warn(root: Reader<'_>, rule: &Rule, offers: &BTreeMap<String, Offer>, problems: &mut Vec<Problem>) {
    let (OncePer::Numbered, Some(again), Some(node)) = (&rule.once_per, rule.again_after, root.get("again_after"))
    else {
        return;
    };
    let all: Vec<usize> = (0..rule.offers.len()).collect();
    let mut lists = rule.variants.iter().map(|variant| &variant.offers).chain(rule.variants.is_empty().then_some(&all));
    let scarce = lists.find_map(|list| {
        let list: Vec<&Offer> = list.iter().filter_map(|place| offers.get(&rule.offers[*place])).collect();
        let first = list.first()?;
        Some((&first.name, first.per_customer?)).filter(|_| is_scarcer(&list, again))
    });
    let Some((name, PerCustomer { max, per })) = scarce else { return };
    let often = per.map_or_else(|| format!("{max} in all"), |per| format!("{max} in {per}"));
    let goes = if rule.kind == Kind::Offer || rule.purpose == Purpose::Promotional {
        "whoever had theirs gets no message at all then, which is told as `not_eligible`"
    } else {
        "whoever had theirs gets the message without it then"
    };
    let message = format!("this writes again after {again}, but a customer may have `{name}` only {often}: {goes}");
    let help = "make `again_after` longer, let `per_customer` of the offer allow more, or name another offer after it";
    problems.push(node.warning(message).help(help));
}

/// Whether a customer may have the offers of a message less often than the message comes.
fn is_scarcer(offers: &[&Offer], again: Span) -> bool {
    const ONE: i128 = 1_000_000;
    let between = i128::from(again.micros());
    let rate = |offer: &&Offer| match offer.per_customer {
        None => ONE,
        Some(PerCustomer { max, per: Some(per) }) => i128::from(max) * ONE * between / i128::from(per.micros()).max(1),
        Some(PerCustomer { per: None, .. }) => 0,
    };
    !offers.is_empty() && offers.iter().map(rate).sum::<i128>() < ONE
}
