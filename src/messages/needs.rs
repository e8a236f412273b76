//! What a template reads, as a tree by entity: what is fetched for a message, no more and no less.
//!
//! 1. Found by walking the rendered tree itself, partials, `each`, `with` and given names included.
//! 2. A row that is only asked for (`{{#if line.product}}`) is named with its key.

use crate::catalogue::{CUSTOMER, Catalogue};
use crate::messages::context::{Record, Value};
use crate::messages::library::{Part, Template};
use crate::messages::walk::{Walk, World};
use crate::rules::Channel;
use std::collections::{BTreeMap, BTreeSet};

/// Lists within lists.
pub const MAX_LIST_DEPTH: usize = 3;

/// The data a template reads for one message.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Needs {
    /// Read as `customer`.
    pub customer: Shape,
    /// Read by the name of the rule's entity; empty for a rule about customers.
    pub row: Shape,
}

/// What is read of a row.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Shape {
    /// Names of fields.
    pub fields: BTreeSet<String>,
    /// Rows that this one belongs to, by the entity's name.
    pub ones: BTreeMap<String, Shape>,
    /// Rows that belong to this one, by the list's name.
    pub lists: BTreeMap<String, List>,
}

/// What is read of a list. For each order, its first [`crate::messages::MAX_LIST`] rows are enough; the rows are given
/// to the template together, each once, in ascending order of their keys.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct List {
    pub rows: Shape,
    pub orders: BTreeSet<Order>,
}

/// Which rows of a list come first.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Order {
    /// Ascending by key.
    Key,
    /// Greatest first by this field, those without it last, ties ascending by key.
    Greatest(String),
}

impl Shape {
    pub fn is_empty(&self) -> bool {
        self.fields.is_empty() && self.ones.is_empty() && self.lists.is_empty()
    }

    /// What of it `record`, the row called `name`, has no value for.
    fn missing_of(&self, name: &str, record: &Record, missing: &mut Vec<String>) {
        for field in &self.fields {
            if record.get(field).is_none_or(Value::is_blank) {
                missing.push(format!("{name}.{field}"));
            }
        }
        for (one, shape) in &self.ones {
            match record.get(one) {
                Some(Value::Record(record)) => shape.missing_of(&format!("{name}.{one}"), record, missing),
                _ => missing.push(format!("{name}.{one}")),
            }
        }
        for list in self.lists.keys() {
            if !record.get(list).is_some_and(Value::is_truthy) {
                missing.push(format!("{name}.{list}"));
            }
        }
    }
}

/// A step from a row to other rows.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) enum Step {
    One(String),
    List(String),
}

impl Needs {
    /// The values that `facts` lack: `customer.first_name`. `root` names the rule's entity.
    pub fn missing(&self, root: &str, facts: &Record) -> Vec<String> {
        let mut missing = Vec::new();
        for (name, shape) in [("customer", &self.customer), (root, &self.row)] {
            if let Some(Value::Record(record)) = facts.get(name) {
                shape.missing_of(name, record, &mut missing);
            }
        }
        missing
    }

    /// The shape at the end of `steps`, made where it is not there yet.
    pub(super) fn shape(&mut self, of_customer: bool, steps: &[Step]) -> &mut Shape {
        let top = if of_customer { &mut self.customer } else { &mut self.row };
        steps.iter().fold(top, |shape, step| match step {
            Step::One(name) => shape.ones.entry(name.clone()).or_default(),
            Step::List(name) => &mut shape.lists.entry(name.clone()).or_default().rows,
        })
    }

    /// The list that `steps` end in.
    pub(super) fn list(&mut self, of_customer: bool, steps: &[Step], name: &str) -> &mut List {
        self.shape(of_customer, steps).lists.entry(name.to_owned()).or_default()
    }
}

/// The parts that a channel sends.
pub(super) fn parts_of(channel: Channel) -> &'static [Part] {
    match channel {
        Channel::Email => &[Part::Subject, Part::Html, Part::Text],
        Channel::Sms => &[Part::Sms],
        Channel::Voice => &[Part::Voice],
    }
}

impl Needs {
    /// The data that any of `templates` reads in the parts of `channels`, in every locale, for a rule about `root` (an
    /// entity's name). Names that do not exist are left out; [`Template::check`] reports them.
    pub fn of(templates: &[&Template], catalogue: &Catalogue, root: &str, channels: &[Channel]) -> Self {
        let mut needs = Self::default();
        templates.iter().for_each(|template| template.add_needs(catalogue, root, channels, &mut needs));
        needs
    }
}

impl Template {
    /// The locales in which the template has words of its own for `channel`; the folder itself is the empty one.
    pub fn locales_of(&self, channel: Channel) -> BTreeSet<&str> {
        let parts = parts_of(channel).iter().filter_map(|part| self.parts.get(part));
        parts.flat_map(BTreeMap::keys).map(String::as_str).collect()
    }

    /// The data that this template alone reads: see [`Needs::of`].
    pub fn needs(&self, catalogue: &Catalogue, root: &str, channels: &[Channel]) -> Needs {
        Needs::of(&[self], catalogue, root, channels)
    }

    fn add_needs(&self, catalogue: &Catalogue, root: &str, channels: &[Channel], needs: &mut Needs) {
        let world = World { catalogue, root, variants: true, offer: None, business: None };
        for part in channels.iter().flat_map(|&channel| parts_of(channel)) {
            for tree in self.parts.get(part).into_iter().flat_map(BTreeMap::values) {
                let mut walk = Walk::new(world, *part, tree, needs);
                walk.nodes(&tree.nodes);
            }
        }
        debug_assert!(root != CUSTOMER || needs.row.is_empty(), "a rule about customers reads `customer` alone");
    }
}
