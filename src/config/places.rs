//! Where something stands in a file that was read before: for problems that are found later.

use super::environment::Environment;
use super::node::{self, Node};
use crate::problem::Source;
use std::ops::Range;

/// The bytes of the value at `key` of a file, or of the one in its list that says `text`; the file's first byte where
/// there is none.
pub fn place(source: &Source, key: &str, text: Option<&str>) -> Range<usize> {
    // Every variable is filled in by nothing: only places are asked for.
    let tree = node::parse(source, &Environment::default(), &mut Vec::new());
    let Some(value) = tree.as_ref().and_then(|tree| tree.get(key)) else { return 0..0 };
    let said = |node: &&Node| text.is_some_and(|text| node.text() == Some(text));
    value.one_or_many().iter().find(said).unwrap_or(value).span.clone()
}

/// The bytes of the value that a path of keys leads to, as far as it leads.
pub fn within(source: &Source, keys: &[&str]) -> Range<usize> {
    let tree = node::parse(source, &Environment::default(), &mut Vec::new());
    let Some(mut node) = tree.as_ref() else { return 0..0 };
    let mut span = 0..0;
    for key in keys {
        let Some(next) = node.get(key) else { break };
        (node, span) = (next, next.span.clone());
    }
    span
}

/// Whether a file is TOML at all: the least that a look at it costs.
pub fn parses(source: &Source) -> bool {
    toml_edit::Document::parse(source.text.as_ref()).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_and_a_part_of_a_list_are_found() {
        let source = Source::new("a.toml", "kind = 'offer'\nwhen = ['a == 1', 'b == 2']\n");
        let at = |key, text| &source.text[place(&source, key, text)];
        assert_eq!(at("kind", None), "'offer'");
        assert_eq!(at("when", Some("b == 2")), "'b == 2'");
        assert_eq!(place(&source, "unless", None), 0..0);
    }
}
