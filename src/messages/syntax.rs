//! From a file's text to the tree that is rendered: Handlebars reads the syntax, this gives it its meaning.
//!
//! 1. Only what this file names exists: `if unless each with`, the helpers of [`Helper`], partials by their names.
//! 2. Partials are put in where they are called; a partial that leads to itself is refused, and so is a template that
//!    grows beyond [`MAX_NODES`].
//! 3. All faults of a file are collected.

mod names;
mod source;
mod values;

use crate::messages::reference;
use crate::messages::scan::MAX_NESTING;
use crate::messages::tree::{At, Expr, Helper, Node};
use crate::problem::{Problem, Source, nearest};
use handlebars::template::{BlockParam, HelperTemplate, Template as Syntax, TemplateElement};
use names::Scope;
use source::Cursor;
pub use source::{Parsed, parse};
use std::collections::BTreeMap;

/// Nodes of a template with its partials put in.
const MAX_NODES: usize = 20_000;
/// The names of [`reference::BLOCKS`].
const BLOCKS: [&str; 4] = {
    let mut names = [""; 4];
    let mut at = 0;
    while at < names.len() {
        names[at] = reference::BLOCKS[at].name;
        at += 1;
    }
    names
};

/// A part of a template with its partials put in.
#[derive(Clone, PartialEq, Debug)]
pub struct Tree {
    pub nodes: Vec<Node>,
    /// What the places of the nodes count from; the part itself first.
    pub sources: Vec<Source>,
    /// Whether its styles can only be put in place once a message is rendered.
    pub styles_late: bool,
}

/// How printed values are kept from being markup.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Escape {
    Html,
    Nothing,
}

/// Puts the partials in and binds all names.
///
/// # Errors
/// Every fault found, in the part and in the partials it calls.
pub fn lower(part: &Parsed, partials: &BTreeMap<&str, &Parsed>, escape: Escape) -> Result<Tree, Vec<Problem>> {
    let mut lowering =
        Lowering { partials, escape, sources: Vec::new(), problems: Vec::new(), calls: Vec::new(), nodes: 0 };
    let nodes = lowering.file(part, &Scope::root(), 0);
    if lowering.problems.is_empty() {
        Ok(Tree { nodes, sources: lowering.sources, styles_late: false })
    } else {
        Err(lowering.problems)
    }
}

struct Lowering<'a> {
    partials: &'a BTreeMap<&'a str, &'a Parsed>,
    escape: Escape,
    sources: Vec<Source>,
    problems: Vec<Problem>,
    /// The partials being put in, outermost first.
    calls: Vec<String>,
    nodes: usize,
}

impl Lowering<'_> {
    fn fault(&mut self, at: At, message: impl Into<String>, help: Option<String>) {
        let mut problem = Problem::error(&self.sources[at.file], at.start..at.end, message);
        problem.help = help;
        self.problems.push(problem);
    }

    fn file(&mut self, parsed: &Parsed, scope: &Scope<'_>, depth: usize) -> Vec<Node> {
        let known = self.sources.iter().position(|source| source.name == parsed.source.name);
        let file = known.unwrap_or_else(|| {
            self.sources.push(parsed.source.clone());
            self.sources.len() - 1
        });
        let tag = At { file, start: 0, end: 0 };
        let mut cursor = Cursor { file, text: &parsed.source.text, tags: parsed.tags.iter(), tag, found: 0 };
        self.nodes(&parsed.syntax, &mut cursor, scope, depth)
    }

    fn nodes(&mut self, syntax: &Syntax, cursor: &mut Cursor<'_>, scope: &Scope<'_>, depth: usize) -> Vec<Node> {
        let mut nodes = Vec::new();
        for element in &syntax.elements {
            self.nodes += 1;
            if self.nodes == MAX_NODES {
                let message = format!("with its partials put in, the template has more than {MAX_NODES} parts");
                self.fault(cursor.tag, message, None);
            }
            if self.nodes >= MAX_NODES {
                return nodes;
            }
            self.element(element, cursor, scope, depth, &mut nodes);
        }
        nodes
    }

    fn element(
        &mut self,
        element: &TemplateElement,
        cursor: &mut Cursor<'_>,
        scope: &Scope<'_>,
        depth: usize,
        nodes: &mut Vec<Node>,
    ) {
        match element {
            TemplateElement::RawString(text) => nodes.push(Node::Text(text.clone())),
            TemplateElement::Comment(_) => {}
            TemplateElement::Expression(tag) => {
                cursor.step();
                nodes.extend(self.print(tag, cursor, scope));
            }
            TemplateElement::HtmlExpression(tag) => {
                cursor.step();
                if self.escape == Escape::Html {
                    let help = "write `{{…}}`: values become text, never markup".to_owned();
                    self.fault(cursor.tag, "a value without escaping", Some(help));
                }
                nodes.extend(self.print(tag, cursor, scope));
            }
            TemplateElement::HelperBlock(block) => {
                cursor.step();
                if depth == MAX_NESTING {
                    let message = format!("more than {MAX_NESTING} blocks within each other, partials included");
                    self.fault(cursor.tag, message, None);
                } else {
                    nodes.extend(self.block(block, cursor, scope, depth + 1));
                }
            }
            TemplateElement::PartialExpression(tag) => {
                cursor.step();
                nodes.extend(self.partial(tag, cursor, scope, depth));
            }
            _ => {
                cursor.step();
                self.fault(cursor.tag, "this is not part of the language", None);
            }
        }
    }

    fn print(&mut self, tag: &HelperTemplate, cursor: &mut Cursor<'_>, scope: &Scope<'_>) -> Option<Node> {
        if !tag.params.is_empty() || !tag.hash.is_empty() {
            return self.call(tag, cursor, scope).map(Node::Print);
        }
        let name = tag.name.as_name().unwrap_or_default();
        if name.parse::<Helper>().is_ok() || BLOCKS.contains(&name) {
            let help = format!("name a value behind it: `{{{{{name} cart.total}}}}`");
            self.fault(cursor.tag, format!("`{name}` without a value"), Some(help));
            return None;
        }
        self.param(&tag.name, cursor, scope).map(Node::Print)
    }

    fn block(
        &mut self,
        block: &HelperTemplate,
        cursor: &mut Cursor<'_>,
        scope: &Scope<'_>,
        depth: usize,
    ) -> Option<Node> {
        let name = block.name.as_name().unwrap_or_default();
        let tag = cursor.tag;
        if !BLOCKS.contains(&name) {
            let help = match nearest(name, BLOCKS) {
                Some(near) => format!("did you mean `{{{{#{near} …}}}}`?"),
                None => "there are `{{#if}}`, `{{#unless}}`, `{{#each}}` and `{{#with}}`".to_owned(),
            };
            self.fault(tag, format!("no block is called `{name}`"), Some(help));
        } else if block.params.len() != 1 || !block.hash.is_empty() {
            self.fault(tag, format!("`{name}` takes one value"), Some(format!("write `{{{{#{name} order.paid}}}}`")));
        }
        cursor.place(name);
        let subject = block.params.first().and_then(|param| self.param(param, cursor, scope));
        let inner = match (name, &subject) {
            ("each", _) => scope.row(tag, block_params(block)),
            ("with", Some(Expr::Path(path))) => scope.within(path.clone(), block_params(block)),
            ("with", Some(_)) => {
                self.fault(tag, "`with` takes a name, such as `line.product`", None);
                scope.same()
            }
            _ => scope.same(),
        };
        let empty = Syntax::default();
        let body = self.nodes(block.template.as_ref().unwrap_or(&empty), cursor, &inner, depth);
        let inverse = block.inverse.as_ref().map(|inverse| self.nodes(inverse, cursor, scope, depth));
        let (subject, otherwise) = (subject?, inverse.unwrap_or_default());
        Some(match name {
            "each" => Node::Each { list: subject, body, otherwise },
            "unless" => Node::If { test: subject, then: otherwise, otherwise: body },
            _ => Node::If { test: subject, then: body, otherwise },
        })
    }

    fn partial(
        &mut self,
        tag: &handlebars::template::DecoratorTemplate,
        cursor: &mut Cursor<'_>,
        scope: &Scope<'_>,
        depth: usize,
    ) -> Vec<Node> {
        let name = tag.name.as_name().unwrap_or_default().trim_matches(['\'', '"', '[', ']']).to_owned();
        let at = cursor.place(&name);
        let Some(partial) = self.partials.get(name.as_str()).copied() else {
            let near = nearest(&name, self.partials.keys().copied()).map(|near| format!("did you mean `{near}`?"));
            let help = near.unwrap_or_else(|| format!("put it into `templates/_partials/{name}.hbs`"));
            self.fault(at, format!("no partial is called `{name}`"), Some(help));
            return Vec::new();
        };
        if self.calls.contains(&name) {
            let way = self.calls.iter().skip_while(|call| **call != name).chain([&name]);
            let way = way.map(|name| format!("`{name}`")).collect::<Vec<_>>().join(" prints ");
            let help = format!("{way}: take one of these out");
            self.fault(at, format!("the partial `{name}` leads to itself"), Some(help));
            return Vec::new();
        }
        let context = tag.params.first().map(|param| self.param(param, cursor, scope));
        let Some(names) = self.options(&tag.hash, cursor, scope) else { return Vec::new() };
        let inner = match context {
            None => scope.partial(None, names),
            Some(Some(Expr::Path(path))) if tag.params.len() == 1 => scope.partial(Some(path), names),
            Some(_) => {
                let help = "write `{{> item line}}`, and further values as `name=value`".to_owned();
                self.fault(at, "a partial takes one name", Some(help));
                return Vec::new();
            }
        };
        self.calls.push(name);
        let nodes = self.file(partial, &inner, depth);
        self.calls.pop();
        nodes
    }
}

/// The names behind `as |row index|`.
fn block_params(block: &HelperTemplate) -> (Option<&str>, Option<&str>) {
    match &block.block_param {
        None => (None, None),
        Some(BlockParam::Single(row)) => (row.as_name(), None),
        Some(BlockParam::Pair((row, index))) => (row.as_name(), index.as_name()),
        Some(_) => (None, None),
    }
}
