//! Styles put where mail readers look for them: in each element's `style`.
//!
//! 1. Once per template: the template's HTML is given to the inliner with marks in place of values and blocks, and
//!    taken apart again ([`inline`]).
//! 2. Where styles hang on data (`class="{{…}}"`) or a block holds half an element, once per message ([`inline_message`]).
//! 3. No style sheet is ever fetched.

use crate::messages::markup::{MARK, Skeleton};
use crate::messages::tree::Node;
use css_inline::{CSSInliner, InlineError};

fn inliner() -> CSSInliner<'static> {
    CSSInliner::options().load_remote_stylesheets(false).keep_at_rules(true).build()
}

/// Puts the styles of a rendered part in place.
///
/// # Errors
/// Why the styles cannot be read.
pub fn inline_message(html: &str) -> Result<String, String> {
    inliner().inline(html).map_err(|error: InlineError| error.to_string())
}

/// The template with its styles in place; `None` where that has to wait for the message.
pub fn inline(skeleton: &Skeleton<'_>) -> Option<Vec<Node>> {
    if !skeleton.whole {
        return None;
    }
    let html = inline_message(&skeleton.html).ok()?;
    let mut apart = Apart { skeleton, rest: &html, used: vec![false; skeleton.marked.len()] };
    let (nodes, end) = apart.nodes()?;
    (end.is_none() && apart.used.iter().all(|used| *used)).then_some(nodes)
}

/// Takes HTML with marks apart into nodes.
struct Apart<'s, 'h> {
    skeleton: &'s Skeleton<'s>,
    rest: &'h str,
    used: Vec<bool>,
}

/// The end of a branch: a block's number and the letter of its mark.
type End = Option<(usize, char)>;

impl Apart<'_, '_> {
    /// Reads nodes up to the end of their branch. `None` where the marks do not fit each other any more.
    fn nodes(&mut self) -> Option<(Vec<Node>, End)> {
        let mut nodes = Vec::new();
        while let Some(at) = self.rest.find(MARK) {
            let before = &self.rest[..at];
            let behind = &self.rest[at + MARK.len()..];
            let digits = behind.find(|c: char| !c.is_ascii_digit())?;
            let number: usize = behind[..digits].parse().ok()?;
            let letter = behind[digits..].chars().next()?;
            let node = *self.skeleton.marked.get(number)?;
            let rest = &behind[digits + 1..];
            if letter == 'x' {
                // As the name of an attribute it has been given an empty value.
                push_text(&mut nodes, before);
                self.rest = rest.strip_prefix("=\"\"").unwrap_or(rest);
                self.used[number] = true;
                nodes.push(node.clone());
                continue;
            }
            push_text(&mut nodes, before.strip_suffix("<!--")?);
            self.rest = rest.strip_prefix("-->")?;
            if letter != 'a' {
                return Some((nodes, Some((number, letter))));
            }
            self.used[number] = true;
            nodes.push(self.block(number, node)?);
        }
        push_text(&mut nodes, std::mem::take(&mut self.rest));
        Some((nodes, None))
    }

    fn block(&mut self, number: usize, node: &Node) -> Option<Node> {
        let (first, end) = self.nodes()?;
        let (second, last) = if end == Some((number, 'b')) { self.nodes()? } else { return None };
        if last != Some((number, 'c')) {
            return None;
        }
        match node {
            Node::If { test, .. } => Some(Node::If { test: test.clone(), then: first, otherwise: second }),
            Node::Each { list, .. } => Some(Node::Each { list: list.clone(), body: first, otherwise: second }),
            Node::Text(_) | Node::Print(_) => None,
        }
    }
}

fn push_text(nodes: &mut Vec<Node>, text: &str) {
    if !text.is_empty() {
        nodes.push(Node::Text(text.to_owned()));
    }
}
