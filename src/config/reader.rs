//! Reading a checked tree: the value at a key, in its type.
//!
//! Where [`super::shape`] reported a problem a value is simply absent here: nothing is reported twice.
//!
//! 1. Only keys of the tables can be read.

use super::forms;
use super::keys::{Section, Shape};
use super::node::{Entry, Node, Value};
use crate::time::Span;
use std::str::FromStr;

/// A table and what it may hold.
#[derive(Clone, Copy)]
pub struct Reader<'a> {
    pub node: &'a Node,
    section: &'static Section,
}

impl<'a> Reader<'a> {
    pub fn new(node: &'a Node, section: &'static Section) -> Self {
        Self { node, section }
    }

    /// The value at `key`.
    ///
    /// # Panics
    /// When the table of keys does not have `key`.
    pub fn get(&self, key: &str) -> Option<&'a Node> {
        assert!(self.section.key(key).is_some(), "`{key}` is read but is not a key of {}", self.section.what);
        #[cfg(test)]
        read_keys::note(self.section.what, key);
        self.node.get(key)
    }

    /// Whether `key` is missing because it is misspelt, which was told already.
    pub fn is_misspelt(&self, key: &str) -> bool {
        super::shape::misspelt(self.node, self.section, key).is_some()
    }

    /// The table at `key`; an empty one where something else stands there.
    pub fn table(&self, key: &str) -> Option<Self> {
        let node = self.get(key)?;
        match self.section.shape_at(key)? {
            Shape::Table(section) => Some(Self { node, section }),
            Shape::Either(shapes) if !node.entries().is_empty() => shapes.iter().find_map(|shape| match shape {
                Shape::Table(section) => Some(Self { node, section }),
                _ => None,
            }),
            _ => None,
        }
    }

    /// The entries whose names users chose.
    pub fn named(&self) -> impl Iterator<Item = &'a Entry> {
        let keys = self.section.keys;
        self.node.entries().iter().filter(move |entry| !keys.iter().any(|key| key.name == entry.key))
    }

    pub fn text(&self, key: &str) -> Option<String> {
        self.get(key)?.text().map(str::to_owned)
    }

    /// A text that is one of an enum's words.
    pub fn word<T: FromStr>(&self, key: &str) -> Option<T> {
        self.get(key)?.text()?.parse().ok()
    }

    pub fn boolean(&self, key: &str) -> Option<bool> {
        match self.get(key)?.value {
            Value::Boolean(truth) => Some(truth),
            _ => None,
        }
    }

    pub fn integer<T: TryFrom<i64>>(&self, key: &str) -> Option<T> {
        match self.get(key)?.value {
            Value::Integer(number) => number.try_into().ok(),
            _ => None,
        }
    }

    pub fn money(&self, key: &str) -> Option<i64> {
        forms::money(self.get(key)?).ok()
    }

    pub fn span(&self, key: &str) -> Option<Span> {
        forms::span(self.get(key)?).ok()
    }

    /// The texts of a list or of a single value, each with its place.
    pub fn texts(&self, key: &str) -> Vec<(&'a Node, &'a str)> {
        let items = self.get(key).map_or(&[][..], Node::one_or_many);
        items.iter().filter_map(|item| Some((item, item.text()?))).collect()
    }
}

/// Which keys the readers asked for, so that a test can hold them against the tables.
#[cfg(test)]
pub mod read_keys {
    use std::cell::RefCell;
    use std::collections::BTreeSet;

    thread_local! {
        static READ: RefCell<BTreeSet<(String, String)>> = const { RefCell::new(BTreeSet::new()) };
    }

    pub fn note(section: &str, key: &str) {
        READ.with_borrow_mut(|read| read.insert((section.to_owned(), key.to_owned())));
    }

    pub fn take() -> BTreeSet<(String, String)> {
        READ.take()
    }
}
