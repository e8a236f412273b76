//! `[goal]` of a rule's file: what counts as success.

use super::keys;
use super::reader::Reader;
use crate::catalogue::Catalogue;
use crate::expr::{Clause, Scope};
use crate::problem::Problem;
use crate::rules::Goal;

/// The goal of a checked tree: `Some(None)` where the rule has none, `None` where it has one that cannot be used.
pub fn read(
    root: Reader<'_>,
    rule: &str,
    entity: Option<&str>,
    catalogue: &Catalogue,
    problems: &mut Vec<Problem>,
) -> Option<Option<Goal>> {
    let Some(node) = root.get("goal") else { return Some(None) };
    let table = Reader::new(node, &keys::rule::GOAL);
    let within = table.span("within")?;
    let scope = Scope { catalogue, root: entity? };
    let mut when = Vec::new();
    for (node, text) in table.texts("when") {
        match Clause::compile_goal(text, scope, within) {
            Ok(clause) if !clause.looks_at_the_touchpoint() => {
                let help =
                    "compare a time with `touchpoint.at`: `customer.orders.exists(o, o.placed_at > touchpoint.at)`";
                let what = "this counts what was so before the message, too";
                problems.push(node.warning(what).help(help));
                when.push(clause.of_rule(rule));
            }
            Ok(clause) => when.push(clause.of_rule(rule)),
            Err(faults) => problems.extend(faults.into_iter().map(|fault| node.fault(fault))),
        }
    }
    if let Some(list) = table.get("when").filter(|list| list.is_empty_list()) {
        let help = "write at least one: `when = 'customer.orders.exists(o, o.placed_at > touchpoint.at)'`";
        problems.push(list.error("no condition is written").help(help));
    }
    Some(Some(Goal { when, within }))
}
