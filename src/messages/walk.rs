//! Walks a template's tree with the types of the catalogue: what it reads, and what is wrong with that.
//!
//! 1. One walk serves both [`Needs`] and the check, so that what is checked is what is read.
//! 2. A value that may be missing must stand inside a test of it, or in `default`: nobody reads "Hello ,".
//! 3. What a test says holds in its branch: `{{#if line.product.name}}` tells that there is a product too.

mod calls;
pub mod paths;

pub use paths::VARIANT;

use crate::catalogue::{Catalogue, Entity, Type};
use crate::messages::library::Part;
use crate::messages::needs::{Needs, Order, Step};
use crate::messages::syntax::Tree;
use crate::messages::tree::{At, Expr, Helper, Node, Path};
use crate::problem::{Problem, nearest};
use crate::settings::Business;

/// What a template is walked for.
#[derive(Clone, Copy)]
pub struct World<'a> {
    pub catalogue: &'a Catalogue,
    /// The rule's entity.
    pub root: &'a str,
    /// Whether the rule has variants, so that each message has the name of one.
    pub variants: bool,
    pub offer: Option<OfferTerms>,
    /// `None`: anything of it may be there.
    pub business: Option<&'a Business>,
}

/// What a template can count on about the rule's offer.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct OfferTerms {
    /// No message of the rule leaves without it.
    pub always: bool,
    /// Every offer of the rule has a code.
    pub code: bool,
    /// Every offer of the rule has an end.
    pub expires: bool,
}

/// A row or a list of rows in the data.
#[derive(Clone)]
pub(super) struct Spot<'a> {
    pub of_customer: bool,
    pub steps: Vec<Step>,
    pub entity: &'a Entity,
    /// Whether there is such a row for certain.
    pub certain: bool,
}

/// What an expression is.
#[derive(Clone)]
pub(super) enum Kind<'a> {
    Row,
    List(Spot<'a>),
    Value {
        ty: Type,
        certain: bool,
    },
    /// `business` or `offer` as a whole.
    Record,
    /// Already reported.
    Unknown,
}

/// What is known to be there: a frame and a way from it.
type Fact = (usize, Vec<String>);

pub struct Walk<'a, 'n> {
    pub(super) world: World<'a>,
    pub(super) part: Part,
    tree: &'a Tree,
    pub(super) needs: &'n mut Needs,
    pub problems: Vec<Problem>,
    /// The rows of the `each` around, outermost first; `None` where the list is not known.
    pub(super) rows: Vec<Option<Spot<'a>>>,
    facts: Vec<Fact>,
}

impl<'a, 'n> Walk<'a, 'n> {
    pub fn new(world: World<'a>, part: Part, tree: &'a Tree, needs: &'n mut Needs) -> Self {
        Self { world, part, tree, needs, problems: Vec::new(), rows: Vec::new(), facts: Vec::new() }
    }

    pub fn nodes(&mut self, nodes: &'a [Node]) {
        nodes.iter().for_each(|node| self.node(node));
    }

    fn node(&mut self, node: &'a Node) {
        match node {
            Node::Text(_) => {}
            Node::Print(expr) => self.print(expr),
            Node::If { test, then, otherwise } => {
                self.read(test);
                self.branch(facts(test, true), then);
                self.branch(facts(test, false), otherwise);
            }
            Node::Each { list, body, otherwise } => {
                let row = match self.read(list) {
                    Kind::List(spot) => Some(spot),
                    Kind::Unknown => None,
                    other => {
                        let help = "`each` takes a list, such as `customer.orders`".to_owned();
                        self.fault(list.at(), format!("{} is not a list", said(list, &other)), Some(help));
                        None
                    }
                };
                self.rows.push(row);
                self.branch(facts(list, true), body);
                self.rows.pop();
                self.branch(facts(list, false), otherwise);
            }
        }
    }

    fn branch(&mut self, facts: Vec<Fact>, nodes: &'a [Node]) {
        let before = self.facts.len();
        self.facts.extend(facts);
        self.nodes(nodes);
        self.facts.truncate(before);
    }

    fn print(&mut self, expr: &'a Expr) {
        let help = match self.read(expr) {
            Kind::Value { ty: Type::Boolean, .. } => "use it in `{{#if}}`",
            Kind::Value { certain: false, .. } => return self.may_miss(expr),
            Kind::Value { .. } | Kind::Unknown => return,
            Kind::List(_) => "write `{{#each}}` around what is said of each row",
            Kind::Row | Kind::Record => "name one of its fields",
        };
        let what = match expr {
            Expr::Path(path) => format!("`{}`", path.text),
            _ => "this".to_owned(),
        };
        self.fault(expr.at(), format!("{what} is not something that can be printed"), Some(help.to_owned()));
    }

    /// Reports a value that may be missing where one is needed.
    pub(super) fn may_miss(&mut self, expr: &Expr) {
        let Expr::Path(path) = expr else {
            return self.fault(expr.at(), "this may have no value", Some("give `default` a second value".to_owned()));
        };
        let name = &path.text;
        let message = match (path.frame, path.fields.first().map(String::as_str), self.world.offer) {
            (0, Some("offer"), None) => format!("the rule has no offer, so `{name}` never has a value"),
            (0, Some("business"), _) => format!("`{name}` is not set in `[business]` of config/plusone.toml"),
            _ => format!("`{name}` may have no value: nobody may read a gap"),
        };
        let help = format!("write `{{{{default {name} \"…\"}}}}`, or put it inside `{{{{#if {name}}}}}…{{{{/if}}}}`");
        self.fault(path.at, message, Some(help));
    }

    pub(super) fn fault(&mut self, at: At, message: impl Into<String>, help: Option<String>) {
        let mut problem = Problem::error(&self.tree.sources[at.file], at.start..at.end, message);
        problem.help = help;
        self.problems.push(problem);
    }

    /// Reports a name that does not exist.
    pub(super) fn unknown(&mut self, path: &Path, message: String, wrong: &str, known: Vec<&str>) {
        let help = match nearest(wrong, known.iter().copied()) {
            Some(near) => format!("did you mean `{near}`?"),
            None => {
                let mut all: Vec<&str> = Vec::new();
                known.into_iter().for_each(|name| {
                    if !all.contains(&name) {
                        all.push(name)
                    }
                });
                format!("there are {}", all.join(", "))
            }
        };
        self.fault(path.at, message, Some(help));
    }

    /// Whether a test around tells that this is there.
    pub(super) fn is_told(&self, frame: usize, fields: &[String]) -> bool {
        self.facts.iter().any(|(of, told)| *of == frame && told.starts_with(fields))
    }

    pub(super) fn read(&mut self, expr: &'a Expr) -> Kind<'a> {
        match expr {
            Expr::Path(path) => {
                let kind = self.path(path);
                if let Kind::List(spot) = &kind {
                    self.want(spot, Order::Key);
                }
                kind
            }
            Expr::Literal(value, _) => calls::literal(value),
            Expr::Loop { what: crate::messages::tree::Loop::Index, .. } => {
                Kind::Value { ty: Type::Integer, certain: true }
            }
            Expr::Loop { .. } => Kind::Value { ty: Type::Boolean, certain: true },
            Expr::Call(call) => self.call(call),
        }
    }
}

/// What is there when `test` comes out as `truth`.
fn facts(test: &Expr, truth: bool) -> Vec<Fact> {
    match test {
        Expr::Path(path) if truth => vec![(path.frame, path.fields.clone())],
        Expr::Call(call) => match (call.helper, truth) {
            (Helper::Not, _) => call.args.first().map_or_else(Vec::new, |arg| facts(arg, !truth)),
            (Helper::And, true) | (Helper::Or, false) => call.args.iter().flat_map(|arg| facts(arg, truth)).collect(),
            (Helper::Eq | Helper::Lt | Helper::Lte | Helper::Gt | Helper::Gte, true) | (Helper::Ne, false) => call
                .args
                .iter()
                .flat_map(|arg| if let Expr::Path(_) = arg { facts(arg, true) } else { vec![] })
                .collect(),
            (Helper::Top, true) => call.args.first().map_or_else(Vec::new, |arg| facts(arg, true)),
            _ => Vec::new(),
        },
        _ => Vec::new(),
    }
}

/// An expression as a problem names it.
fn said(expr: &Expr, kind: &Kind<'_>) -> String {
    let what = match kind {
        Kind::Value { ty, .. } => format!("this {}", ty.name()),
        _ => "this".to_owned(),
    };
    match expr {
        Expr::Path(path) => format!("`{}`", path.text),
        _ => what,
    }
}
