//! What topics ask for before a promotional message may go, as far as it needs the catalogue: the condition of a soft
//! opt-in, and plusone's own rules that ask for the confirmation of a double one.
//!
//! 1. Each topic with `opt_in = "double"` has a rule `confirm-<topic>`, as if its file were there. Nobody else may name
//!    a rule so.
//! 2. Its template is `templates/confirm-opt-in`; a home without one has the one shipped with the program.

use super::keys;
use super::node::Node;
use super::reader::Reader;
use crate::catalogue::{CUSTOMER, Catalogue};
use crate::expr::{Clause, Scope};
use crate::problem::{Problem, Source};
use crate::settings::{OptIn, Settings, Topic};
use std::collections::BTreeMap;

/// The template of the mail that asks for a confirmation.
pub const TEMPLATE: &str = "confirm-opt-in";

/// That template as it is shipped: path under the home folder, and text.
pub const SHIPPED: [(&str, &str); 8] = [
    ("templates/confirm-opt-in/email.html.hbs", include_str!("../../templates/confirm-opt-in/email.html.hbs")),
    ("templates/confirm-opt-in/subject.hbs", include_str!("../../templates/confirm-opt-in/subject.hbs")),
    ("templates/confirm-opt-in/de/email.html.hbs", include_str!("../../templates/confirm-opt-in/de/email.html.hbs")),
    ("templates/confirm-opt-in/de/subject.hbs", include_str!("../../templates/confirm-opt-in/de/subject.hbs")),
    ("templates/confirm-opt-in/es/email.html.hbs", include_str!("../../templates/confirm-opt-in/es/email.html.hbs")),
    ("templates/confirm-opt-in/es/subject.hbs", include_str!("../../templates/confirm-opt-in/es/subject.hbs")),
    ("templates/confirm-opt-in/fr/email.html.hbs", include_str!("../../templates/confirm-opt-in/fr/email.html.hbs")),
    ("templates/confirm-opt-in/fr/subject.hbs", include_str!("../../templates/confirm-opt-in/fr/subject.hbs")),
];

/// Compiles the conditions of `soft_opt_in` in the tree of `plusone.toml` into the topics of `settings`.
pub fn fill_in(tree: &Node, settings: &mut Settings, catalogue: &Catalogue, problems: &mut Vec<Problem>) {
    let root = Reader::new(tree, &keys::settings::PLUSONE);
    let Some(section) = root.table("topics") else { return };
    for entry in section.named() {
        let table = Reader::new(&entry.node, &keys::settings::TOPIC);
        let Some(topic) = settings.topics.get_mut(&entry.key) else { continue };
        match (topic.opt_in, table.get("soft_opt_in")) {
            (OptIn::Soft, Some(node)) => topic.soft_opt_in = condition(node, catalogue, problems),
            (OptIn::Soft, None) if table.is_misspelt("soft_opt_in") => {}
            (OptIn::Soft, None) => {
                let place = table.get("opt_in").unwrap_or(&entry.node);
                let help = "say who has bought: `soft_opt_in = 'customer.orders.size() > 0'`";
                problems
                    .push(place.error("a soft opt-in rests on a purchase, and nothing says who has bought").help(help));
            }
            (_, Some(node)) => {
                let help = "write `opt_in = \"soft\"`, or take the condition out";
                problems.push(node.error("`soft_opt_in` means nothing without `opt_in = \"soft\"`").help(help));
            }
            (_, None) => {}
        }
    }
}

fn condition(node: &Node, catalogue: &Catalogue, problems: &mut Vec<Problem>) -> Option<Clause> {
    match Clause::compile(node.text()?, Scope { catalogue, root: CUSTOMER }) {
        Ok(clause) => Some(clause),
        Err(faults) => {
            problems.extend(faults.into_iter().map(|fault| node.fault(fault)));
            None
        }
    }
}

/// The topic whose confirmations the rule of this name asks for.
pub fn confirmed_by<'a>(settings: &'a Settings, rule: &str) -> Option<(&'a String, &'a Topic)> {
    let topic = rule.strip_prefix("confirm-")?;
    settings.topics.get_key_value(topic).filter(|(_, topic)| topic.opt_in == OptIn::Double)
}

/// The rules that ask for confirmations, as if they were files.
pub fn rules(settings: &Settings) -> Vec<(String, Source)> {
    let double = settings.topics.iter().filter(|(_, topic)| topic.opt_in == OptIn::Double);
    double
        .map(|(topic, _)| {
            let name = format!("confirm-{topic}");
            let text = format!(
                "description = \"Asks those who said yes to {topic} to confirm it\"\n\
                 live = true\nkind = \"status\"\ntopic = \"{topic}\"\nschedule = \"every 5 minutes\"\n\
                 existing = \"include\"\nagain_after = \"1d\"\nchannels = [\"email\"]\ntemplate = \"{TEMPLATE}\"\n\
                 priority = 100\nexpires_after = \"24h\"\n"
            );
            let source = Source::new(&format!("{}/{name}.toml (plusone's own)", super::RULES), &text);
            (name, source)
        })
        .collect()
}

/// Puts the shipped template where a double opt-in needs one and the home has none.
pub fn ship_template(settings: &Settings, templates: &mut BTreeMap<String, Vec<Source>>) {
    if settings.topics.values().any(|topic| topic.opt_in == OptIn::Double) {
        let shipped = || SHIPPED.iter().map(|(path, text)| Source::new(path, text)).collect();
        templates.entry(TEMPLATE.to_owned()).or_insert_with(shipped);
    }
}
