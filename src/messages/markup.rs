//! The HTML around the values of a template: where in it each value stands, before any message is made.
//!
//! 1. A value may stand in text or in a quoted attribute; never as a name, unquoted, in `<script>` or in `<style>`.
//! 2. The tree is written down once as plain HTML with marks in place of values and blocks ([`Skeleton`]), so that
//!    tools for HTML can work on a template. Where a block holds half an element that cannot be done.

mod apart;
mod position;

pub use apart::apart;

use crate::messages::html;
use crate::messages::syntax::Tree;
use crate::messages::tree::{At, Expr, Node};
use crate::problem::Problem;
use position::{Place, Position};

/// What marks are made of; a template whose own text holds it is left as it is.
pub const MARK: &str = "plusone0mark";

/// A template as HTML with marks: `plusone0mark7x` for a value or a block within an attribute, and three comments
/// `<!--plusone0mark7a-->`, `…b-->`, `…c-->` around the two branches of a block.
pub struct Skeleton<'t> {
    pub html: String,
    /// The node of each mark.
    pub marked: Vec<&'t Node>,
    /// Whether the HTML stands for what any rendering will be.
    pub whole: bool,
    /// Whether there are styles to put in place.
    pub styled: bool,
}

/// Looks at the markup of an HTML part.
///
/// # Errors
/// Values where none may stand, scripts, links that lead nowhere.
pub fn look(tree: &Tree) -> Result<Skeleton<'_>, Vec<Problem>> {
    let skeleton = Skeleton { html: String::new(), marked: Vec::new(), whole: true, styled: false };
    let mut look = Look { tree, skeleton, position: Position::default(), problems: Vec::new() };
    look.nodes(&tree.nodes);
    if look.problems.is_empty() { Ok(look.skeleton) } else { Err(look.problems) }
}

struct Look<'t> {
    tree: &'t Tree,
    skeleton: Skeleton<'t>,
    position: Position,
    problems: Vec<Problem>,
}

impl<'t> Look<'t> {
    fn nodes(&mut self, nodes: &'t [Node]) {
        nodes.iter().for_each(|node| self.node(node));
    }

    fn node(&mut self, node: &'t Node) {
        match node {
            Node::Text(text) => {
                self.skeleton.whole &= !text.contains(MARK);
                let seen = self.position.feed(text);
                self.skeleton.html.push_str(text);
                self.skeleton.styled |= seen.styles;
                if seen.scripts {
                    self.written("<script", "scripts do not run in mail", "leave it out");
                }
                for name in seen.handlers {
                    self.written(&name, &format!("`{name}` is a script, which does not run in mail"), "leave it out");
                }
                for (name, value) in seen.links {
                    self.link(&name, &value);
                }
            }
            Node::Print(value) => {
                self.value(value);
                self.position.value();
                self.mark(node);
            }
            Node::If { test, then, otherwise } => self.block(node, test.at(), [then, otherwise]),
            Node::Each { list, body, otherwise } => self.block(node, list.at(), [body, otherwise]),
        }
    }

    fn mark(&mut self, node: &'t Node) {
        let mark = format!("{MARK}{}x", self.skeleton.marked.len());
        self.skeleton.marked.push(node);
        self.skeleton.html.push_str(&mark);
    }

    fn value(&mut self, value: &Expr) {
        let (message, help) = match self.position.place() {
            Place::Text | Place::Comment => return,
            Place::Attribute(name) => {
                // Styles that hang on data cannot be put in place before the data is there.
                self.skeleton.whole &= !matches!(name, "class" | "id" | "style");
                return;
            }
            Place::Tag => ("a value outside of quotes in a tag", "put quotes around it: `title=\"{{…}}\"`"),
            Place::Raw("title" | "textarea") => return,
            Place::Raw(_) => ("a value in `<style>` or `<script>`", "styles stay the same for all customers"),
        };
        self.problem(value.at(), message, help);
    }

    fn block(&mut self, node: &'t Node, at: At, branches: [&'t [Node]; 2]) {
        let before = self.position.clone();
        let in_text = before.place() == Place::Text;
        if matches!(before.place(), Place::Raw(name) if name != "title" && name != "textarea") {
            return self.problem(at, "a block in `<style>` or `<script>`", "styles stay the same for all customers");
        }
        if let Place::Attribute("class" | "id" | "style") = before.place() {
            self.skeleton.whole = false;
        }
        let number = self.skeleton.marked.len();
        let start = self.skeleton.html.len();
        if in_text {
            self.skeleton.marked.push(node);
        }
        let marked = self.skeleton.marked.len();
        for (branch, letter) in branches.into_iter().zip(['a', 'b']) {
            if in_text {
                self.skeleton.html.push_str(&format!("<!--{MARK}{number}{letter}-->"));
            }
            self.position = before.inside();
            self.nodes(branch);
            self.skeleton.whole &= self.position.is_back_at(&before);
        }
        self.position = before;
        if in_text {
            self.skeleton.html.push_str(&format!("<!--{MARK}{number}c-->"));
        } else {
            self.skeleton.html.truncate(start);
            self.skeleton.marked.truncate(marked);
            self.position.value();
            self.mark(node);
        }
    }

    fn link(&mut self, name: &str, value: &str) {
        let is_link = html::LINKS.contains(&name);
        if is_link && !html::is_allowed(value) {
            let message = format!("`{name}=\"{value}\"` leads nowhere from a mail");
            self.written(value, &message, "write the whole address: `https://example.com/page`");
        }
    }

    /// A problem of text that stands in the template itself.
    fn written(&mut self, text: &str, message: &str, help: &str) {
        let sources = self.tree.sources.iter().enumerate();
        let found = sources.flat_map(|(file, source)| source.text.find(text).map(|start| (file, start))).next();
        let (file, start) = found.unwrap_or((0, 0));
        let end = if found.is_some() { start + text.len() } else { start };
        self.problem(At { file, start, end }, message, help);
    }

    fn problem(&mut self, at: At, message: &str, help: &str) {
        let problem = Problem::error(&self.tree.sources[at.file], at.start..at.end, message).help(help);
        self.problems.push(problem);
    }
}
