//! What no promotional letter may be without: a way out, why it came, and who wrote it, from where.
//!
//! 1. What counts is what is printed for certain: outside every test, in both branches of one, or in the branch that a
//!    promotional message always takes (`{{#if offer}}` where every one of the rule's carries it).
//! 2. Every form of the letter must have it, in every locale: who reads text alone must be able to leave too.
//! 3. It is an error, not a warning: such a letter would be unlawful, and its reader could not stop the next.
//!
//! Sources: RFC 8058; CAN-SPAM, 16 CFR 316.5; PECR, regulation 23; CASL, section 6(2).

use crate::messages::check::Use;
use crate::messages::library::{Part, Template};
use crate::messages::syntax::Tree;
use crate::messages::tree::{Expr, Helper, Node, Path};
use crate::problem::Problem;
use std::collections::BTreeSet;

/// Names of the message that were met, such as `links.why`.
type Names = BTreeSet<String>;

/// What is asked of a letter: one of these names, what it is to its reader, and the cure.
const DEMANDS: [(&[&str], &str, &str); 4] = [
    (
        &["links.unsubscribe", "links.preferences"],
        "no way out",
        "add `<a href=\"{{links.unsubscribe}}\">Unsubscribe</a>`",
    ),
    (
        &["links.why"],
        "no answer to \u{201c}why did I get this?\u{201d}",
        "add `<a href=\"{{links.why}}\">Why did I get this?</a>`",
    ),
    (&["business.name"], "nothing that says who wrote it", "add `{{business.name}}`"),
    (&["business.postal_address"], "no postal address", "add `{{business.postal_address}}`"),
];

impl Template {
    /// What the letters of a promotional rule lack.
    pub(super) fn lacks(&self, wanted: &Use<'_>) -> Vec<Problem> {
        // A text that is not there is made from the HTML, links included.
        let letters = [Part::Html, Part::Text].into_iter().filter_map(|part| self.parts.get(&part));
        let letters = letters.flat_map(|by_locale| by_locale.values());
        letters.flat_map(|tree| problems(tree, wanted)).collect()
    }
}

fn problems(tree: &Tree, wanted: &Use<'_>) -> Vec<Problem> {
    let printed = printed(&tree.nodes, wanted);
    let missing = DEMANDS.iter().filter(|(names, ..)| !names.iter().any(|&name| printed.contains(name)));
    missing
        .map(|(names, what, cure)| {
            let unset = names == &["business.postal_address"] && wanted.business.postal_address.is_none();
            let help = if unset {
                "set `postal_address` in `[business]` of config/plusone.toml and print `{{business.postal_address}}`"
            } else {
                cure
            };
            let source = &tree.sources[0];
            let end = source.text.trim_end().len();
            Problem::error(source, end..end, format!("{what} in this promotional letter")).help(help.to_owned())
        })
        .collect()
}

/// What these nodes print, whoever reads them.
fn printed(nodes: &[Node], wanted: &Use<'_>) -> Names {
    let mut names = Names::new();
    for node in nodes {
        match node {
            Node::Text(_) | Node::Each { .. } => {}
            Node::Print(expr) => names.extend(named(expr)),
            Node::If { test, then, otherwise } => {
                let (then, otherwise) = (printed(then, wanted), printed(otherwise, wanted));
                names.extend(match outcome(test, wanted) {
                    Some(true) => then,
                    Some(false) => otherwise,
                    None => then.intersection(&otherwise).cloned().collect(),
                });
            }
        }
    }
    names
}

/// The name that an expression prints for certain.
fn named(expr: &Expr) -> Option<String> {
    match expr {
        Expr::Path(Path { frame: 0, fields, .. }) => Some(fields.join(".")),
        Expr::Call(call) if matches!(call.helper, Helper::Link | Helper::Default) => call.args.first().and_then(named),
        _ => None,
    }
}

/// How a test comes out in every promotional message of the rule; `None` where that depends on the customer.
fn outcome(test: &Expr, wanted: &Use<'_>) -> Option<bool> {
    match test {
        Expr::Path(path) if path.frame == 0 => match &*path.fields.join(".") {
            "offer" => wanted.offer.filter(|offer| offer.always).map(|_| true),
            "business.name" | "links.unsubscribe" | "links.preferences" | "links.why" => Some(true),
            "business.postal_address" => Some(wanted.business.postal_address.is_some()),
            _ => None,
        },
        Expr::Call(call) if call.helper == Helper::Not => outcome(call.args.first()?, wanted).map(|truth| !truth),
        _ => None,
    }
}
