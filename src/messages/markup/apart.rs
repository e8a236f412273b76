//! HTML with marks in it, as a tool for HTML gave it back, taken apart into a template's nodes again.

use super::{MARK, Skeleton};
use crate::messages::tree::Node;

/// The nodes of a skeleton that a tool has worked on.
///
/// # Errors
/// The place among its marks of one that the tool has lost or moved; `None` where they do not fit each other.
pub fn apart(skeleton: &Skeleton<'_>, html: &str) -> Result<Vec<Node>, Option<usize>> {
    let mut apart = Apart { skeleton, rest: html, used: vec![false; skeleton.marked.len()] };
    let (nodes, end) = apart.nodes().ok_or(None)?;
    match apart.used.iter().position(|used| !used) {
        None if end.is_none() => Ok(nodes),
        lost => Err(lost),
    }
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
