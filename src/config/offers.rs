//! From the tree of an offer's file to an [`Offer`].

use super::files::Files;
use super::keys;
use super::node::Node;
use super::reader::Reader;
use super::rules::conditions;
use crate::catalogue::{CUSTOMER, Catalogue};
use crate::offers::code::CodeSource;
use crate::offers::{Budget, Offer, PerCustomer, Unused};
use crate::problem::Problem;

/// Reads a checked tree. `None` where something essential is missing, which was reported already.
pub fn read(
    name: &str,
    tree: &Node,
    catalogue: &Catalogue,
    files: &Files,
    problems: &mut Vec<Problem>,
) -> Option<Offer> {
    let root = Reader::new(tree, &keys::offer::OFFER);
    let eligible = conditions(root, "eligible", None, Some(CUSTOMER), catalogue, problems);
    let code = root.table("code").and_then(|table| code(table, files, problems));
    let value = root.money("value");
    let cost = root.money("cost").or(value);
    let budget = root
        .table("budget")
        .map_or(Budget::default(), |table| Budget { total: table.money("total"), per_day: table.money("per_day") });
    check_budget(root, cost, budget, problems);
    let per_customer = root.table("per_customer").and_then(|table| {
        let (max, per) = (table.integer("max"), table.span("per"));
        Some(PerCustomer { max: max?, per })
    });
    Some(Offer {
        name: name.to_owned(),
        version: crate::ids::content_hash(&[&tree.source.text]),
        description: root.text("description").unwrap_or_default(),
        value: value?,
        cost: cost?,
        budget,
        per_customer,
        eligible,
        code,
        valid_for: root.span("valid_for"),
        unused: match root.text("unused")?.as_str() {
            "return" => Unused::Return,
            _ => Unused::Keep,
        },
    })
}

fn check_budget(root: Reader<'_>, cost: Option<i64>, budget: Budget, problems: &mut Vec<Problem>) {
    let least = [budget.total, budget.per_day].into_iter().flatten().min();
    if let (Some(cost), Some(least), Some(node)) = (cost, least, root.get("budget"))
        && cost > least
    {
        let help = "raise the budget, or lower `cost`";
        problems.push(node.error("the budget does not pay for a single one").help(help));
    }
}

fn code(table: Reader<'_>, files: &Files, problems: &mut Vec<Problem>) -> Option<CodeSource> {
    let pattern = table.text("pattern");
    let file = table.text("file");
    let fixed = table.text("fixed");
    let help =
        "write one of `{ pattern = \"COOKIE-######\" }`, `{ file = \"config/codes.txt\" }`, `{ fixed = \"THANKS\" }`";
    match (pattern, file, fixed) {
        (Some(pattern), None, None) => {
            check_pattern(table, &pattern, problems);
            Some(CodeSource::Pattern(pattern))
        }
        (None, Some(file), None) => {
            if let Some(node) = table.get("file").filter(|_| !files.is_there(&file)) {
                problems.push(node.error(format!("there is no file `{file}`")).help("paths begin at the home folder"));
            }
            Some(CodeSource::File(file))
        }
        (None, None, Some(fixed)) => Some(CodeSource::Fixed(fixed)),
        (None, None, None) if ["pattern", "file", "fixed"].iter().any(|key| table.is_misspelt(key)) => None,
        (None, None, None) => {
            problems.push(table.node.error("this says nothing about the codes").help(help));
            None
        }
        _ => {
            problems.push(table.node.error("codes come from one place only").help(help));
            None
        }
    }
}

/// With fewer than four places a code would be guessed, and there would be too few of them.
fn check_pattern(table: Reader<'_>, pattern: &str, problems: &mut Vec<Problem>) {
    let places = pattern.chars().filter(|letter| *letter == '#').count();
    let Some(node) = table.get("pattern") else { return };
    if !(4..=12).contains(&places) {
        let message = format!("the pattern has {places} `#`");
        problems.push(node.error(message).help("from 4 to 12 `#` make codes that are many and hard to guess"));
    }
    if pattern.chars().any(|letter| letter.is_whitespace() || letter.is_control()) {
        problems.push(node.error("a code with spaces cannot be read out or typed").help("use `-` between parts"));
    }
}
