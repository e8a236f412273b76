//! Rules that come back to a customer sooner than their offers may.
//!
//! A letter whose customer has had as many of its offers as `per_customer` allows does not go; only one that customers
//! wait for goes without. Nobody sees that in the rule's file, so it is told there.
//!
//! 1. Only where the rule itself says how often it comes: by `again_after`, or by a period in `once_per`. Of a rule for
//!    each order or cart nobody knows how many a customer has: there a limit is just that. And `once_per = "day"` says no
//!    more than that the ticks of a day are one.

use super::node::Node;
use super::reader::Reader;
use crate::catalogue::CUSTOMER;
use crate::offers::{Offer, PerCustomer};
use crate::problem::Problem;
use crate::rules::{Kind, OncePart, OncePer, Period, Purpose, Rule};
use crate::time::Span;
use std::collections::BTreeMap;

/// How often a rule comes to a customer by its own words.
struct Often<'a> {
    /// What says so.
    node: &'a Node,
    between: Span,
    said: String,
    cure: &'static str,
}

/// Warns of a rule that writes to customers again and again, and more often than they may have one of its offers.
pub fn warn(root: Reader<'_>, rule: &Rule, offers: &BTreeMap<String, Offer>, problems: &mut Vec<Problem>) {
    let Some(often) = often(root, rule) else { return };
    let all: Vec<usize> = (0..rule.offers.len()).collect();
    let mut lists = rule.variants.iter().map(|variant| &variant.offers).chain(rule.variants.is_empty().then_some(&all));
    let scarce = lists.find_map(|list| {
        let list: Vec<&Offer> = list.iter().filter_map(|place| offers.get(&rule.offers[*place])).collect();
        let first = list.first()?;
        Some((&first.name, first.per_customer?)).filter(|_| is_scarcer(&list, often.between))
    });
    let Some((name, PerCustomer { max, per })) = scarce else { return };
    let allowed = per.map_or_else(|| format!("{max} in all"), |per| format!("{max} in {per}"));
    let goes = if rule.kind == Kind::Offer || rule.purpose == Purpose::Promotional {
        "whoever had theirs gets no message at all then, which is told as `not_eligible`"
    } else {
        "whoever had theirs gets the message without it then"
    };
    let message = format!("this writes {}, but a customer may have `{name}` only {allowed}: {goes}", often.said);
    let help = format!("{}, let `per_customer` of the offer allow more, or name another offer after it", often.cure);
    problems.push(often.node.warning(message).help(help));
}

fn often<'a>(root: Reader<'a>, rule: &Rule) -> Option<Often<'a>> {
    let period = match &rule.once_per {
        OncePer::Numbered => None,
        OncePer::Parts(parts) if rule.for_each == CUSTOMER => Some(only_period(parts)?),
        OncePer::Parts(_) => return None,
    };
    let length = period.map(length);
    match (period, rule.again_after.filter(|span| length.is_none_or(|length| length < *span))) {
        (_, Some(between)) => {
            let said = format!("again after {between}");
            Some(Often { node: root.get("again_after")?, between, said, cure: "make `again_after` longer" })
        }
        (Some(period), None) => {
            let said = format!("once a {period}");
            let cure =
                if period == Period::Year { "write \"customer\" for once in all" } else { "name a longer period" };
            Some(Often { node: root.get("once_per")?, between: length?, said, cure })
        }
        (None, None) => None,
    }
}

/// The period that alone tells the messages to a customer apart.
fn only_period(parts: &[OncePart]) -> Option<Period> {
    let mut parts = parts.iter().filter(|part| **part != OncePart::Customer);
    match (parts.next(), parts.next()) {
        (Some(OncePart::Period(period)), None) if *period != Period::Day => Some(*period),
        _ => None,
    }
}

/// As people count it: whoever lets an offer go once in `30d` means a month.
const fn length(period: Period) -> Span {
    const DAY: i64 = 86_400;
    Span::from_seconds(match period {
        Period::Day => DAY,
        Period::Week => 7 * DAY,
        Period::Month => 30 * DAY,
        Period::Year => 365 * DAY,
    })
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
