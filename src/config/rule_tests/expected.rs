//! What a test expects to come out.

use super::rows::Written;
use crate::config::Project;
use crate::config::keys::rule_test::{EXPECT, TEST};
use crate::config::node::{Node, Value};
use crate::config::reader::Reader;
use crate::config::settings::unknown_name;
use crate::problem::{Problem, nearest};
use crate::rules::{Channel, Rule};
use crate::touchpoints::Reason;
use std::fmt;
use std::ops::Range;

/// `expect` of a test.
#[derive(Clone, Debug)]
pub struct Expected {
    pub span: Range<usize>,
    /// One for every row that the conditions select; or one for each row of the rule's entity, in the test's order.
    pub outcomes: Vec<Outcome>,
    pub is_list: bool,
}

/// What is expected of a row.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Outcome {
    NotSelected,
    Skipped(Reason),
    Planned {
        channel: Option<Channel>,
        /// `Some(None)`: no offer.
        offer: Option<Option<String>>,
        variant: Option<String>,
        due_at: Option<Written>,
    },
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotSelected => f.write_str("not selected"),
            Self::Skipped(reason) => write!(f, "skipped, {reason}"),
            Self::Planned { channel, offer, variant, due_at } => {
                f.write_str("planned")?;
                channel.iter().try_for_each(|channel| write!(f, ", by {channel}"))?;
                variant.iter().try_for_each(|variant| write!(f, ", variant {variant}"))?;
                match offer {
                    Some(Some(offer)) => write!(f, ", with {offer}")?,
                    Some(None) => f.write_str(", without an offer")?,
                    None => {}
                }
                due_at.iter().try_for_each(|at| write!(f, ", due at {}", at.text))
            }
        }
    }
}

impl Expected {
    /// The variant that is expected, of any row.
    pub fn variant(&self) -> Option<&str> {
        self.outcomes.iter().find_map(|outcome| match outcome {
            Outcome::Planned { variant, .. } => variant.as_deref(),
            Outcome::NotSelected | Outcome::Skipped(_) => None,
        })
    }
}

pub(super) fn read(test: Reader<'_>, rule: &Rule, project: &Project, problems: &mut Vec<Problem>) -> Option<Expected> {
    debug_assert!(TEST.key("expect").is_some());
    let node = test.get("expect")?;
    let is_list = matches!(node.value, Value::List(_));
    let outcomes: Vec<Outcome> =
        node.one_or_many().iter().filter_map(|node| outcome(node, rule, project, problems)).collect();
    Some(Expected { span: node.span.clone(), outcomes, is_list })
}

fn outcome(node: &Node, rule: &Rule, project: &Project, problems: &mut Vec<Problem>) -> Option<Outcome> {
    if node.text().is_some() {
        return Some(Outcome::NotSelected);
    }
    let table = Reader::new(node, &EXPECT);
    let planned = ["state", "channel", "offer", "variant", "due_at"].iter().find_map(|key| table.get(key));
    if let Some(reason) = table.word::<Reason>("skipped") {
        if let Some(also) = planned {
            let help = "a message that is skipped has no channel, offer, variant or time: leave one of the two out";
            problems.push(also.error("this cannot be expected beside `skipped`").help(help));
        }
        return Some(Outcome::Skipped(reason));
    }
    if planned.is_none() {
        let help = "write `expect = { state = \"planned\" }`, `{ skipped = \"no_consent\" }` or `\"not selected\"`";
        problems.push(node.error("nothing is expected").help(help));
        return None;
    }
    let offer = match table.get("offer") {
        None => None,
        Some(Node { value: Value::Boolean(false), .. }) => Some(None),
        Some(node) => match node.text() {
            Some(name) if project.offers.contains_key(name) => Some(Some(name.to_owned())),
            Some(_) => {
                problems.push(unknown_name(node, "offer", "config/offers", project.offers.keys()));
                return None;
            }
            None => {
                problems.push(node.error("this takes the name of an offer").help("or `false` for none"));
                return None;
            }
        },
    };
    let variant = table.get("variant");
    if let Some(node) = variant.filter(|node| rule.variant(node.text().unwrap_or_default()).is_none()) {
        problems.push(unknown_variant(node, rule));
        return None;
    }
    let due_at = table.get("due_at").and_then(Written::of);
    Some(Outcome::Planned { channel: table.word("channel"), offer, variant: table.text("variant"), due_at })
}

fn unknown_variant(node: &Node, rule: &Rule) -> Problem {
    let names = || rule.variants.iter().map(|variant| variant.name.as_str());
    let problem = node.error(format!("rule `{}` has no variant `{}`", rule.name, node.shown()));
    match nearest(&node.shown(), names()) {
        _ if rule.variants.is_empty() => problem.help("it has none: leave `variant` out"),
        Some(near) => problem.help(format!("the nearest is `{near}`")),
        None => {
            problem.help(format!("it has {}", names().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")))
        }
    }
}
