//! Warnings about the conditions of a rule: what they select is rarely what was meant.

use super::reader::Reader;
use crate::catalogue::Catalogue;
use crate::expr::{Clause, Scope};
use crate::problem::Problem;

/// Warns of clauses of `when` that leave nobody out, and, once, of one that leaves out those who lack a value.
pub fn warn(
    root: Reader<'_>,
    when: &[Clause],
    entity: Option<&str>,
    catalogue: &Catalogue,
    problems: &mut Vec<Problem>,
) {
    let Some(entity) = entity else { return };
    let scope = Scope { catalogue, root: entity };
    let mut told = false;
    for (node, text) in root.texts("when") {
        let Some(clause) = when.iter().find(|clause| clause.text == text) else { continue };
        if clause.cannot_be_true(scope) {
            let help = "two parts exclude each other: write `||` where either will do, or `in [\"a\", \"b\"]`";
            problems.push(node.warning("this condition can never be true, so the rule reaches nobody").help(help));
        } else if clause.cannot_be_false(scope) {
            let help = "take it out, or say whom the rule is for";
            problems.push(node.warning("this condition cannot be false, so it leaves nobody out").help(help));
        } else if clause.has_an_idle_part(scope) {
            let help = "take that part out, or write `&&` where `||` stands";
            problems.push(node.warning("a part of this condition cannot be false, so it leaves nobody out").help(help));
        }
        let Some(field) = clause.left_out_without(scope).filter(|_| !told) else { continue };
        if when.iter().any(|clause| clause.asks_for(&field, scope)) {
            continue;
        }
        told = true;
        let help =
            format!("to keep those, write it into `unless` with `==`; to say that it is meant, add `has({field})`");
        problems.push(node.warning(format!("this leaves out those without a `{field}`, too")).help(help));
    }
}
