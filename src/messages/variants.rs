//! The templates of a rule's variants: those with a subject of the variant's own, and which two say the same.
//!
//! 1. A subject of a variant stands in the place of the template's own, for those who read it in no other language:
//!    nobody gets a letter in one language under a subject in another.

use crate::messages::library::{Part, Template, Templates, says_nothing, version};
use crate::messages::syntax;
use crate::messages::tree::{Call, Expr, Node, Path};
use crate::messages::walk::VARIANT;
use crate::problem::{Problem, Source};
use crate::rules::Rule;
use crate::rules::variants::{Subject, Variant};
use std::collections::BTreeMap;

/// What the text of a subject is called until it is known where it stands.
const SUBJECT: &str = "the subject of a variant";

impl Templates {
    /// The template of a rule's message that is this variant; `None` where there is none, or no such variant any more.
    pub fn of(&self, rule: &Rule, variant: Option<&str>) -> Option<&Template> {
        match variant {
            None => self.get(&rule.template),
            Some(name) => self.of_variant(rule, rule.variant(name)?),
        }
    }

    fn of_variant(&self, rule: &Rule, variant: &Variant) -> Option<&Template> {
        match variant.subject {
            None => self.get(&variant.template),
            Some(_) => self.retitled.get(&(rule.name.clone(), variant.name.clone())),
        }
    }

    /// The templates of all messages of a rule.
    pub fn all_of(&self, rule: &Rule) -> Vec<&Template> {
        if rule.variants.is_empty() {
            return self.get(&rule.template).into_iter().collect();
        }
        rule.variants.iter().filter_map(|variant| self.of_variant(rule, variant)).collect()
    }

    /// Makes the template of a variant with a subject of its own; gives what is wrong with that.
    pub fn retitle(&mut self, rule: &str, variant: &Variant) -> Vec<Problem> {
        let (Some(subject), Some(base)) = (&variant.subject, self.get(&variant.template)) else { return Vec::new() };
        let mut problems = Vec::new();
        let elsewhere: Vec<&str> =
            base.parts.get(&Part::Subject).into_iter().flat_map(BTreeMap::keys).map(String::as_str).collect();
        let elsewhere: Vec<String> =
            elsewhere.iter().filter(|locale| !locale.is_empty()).map(|locale| format!("`{locale}`")).collect();
        if !elsewhere.is_empty() {
            let what = format!("those who read {} keep the subject of `{}`", elsewhere.join(", "), variant.template);
            let help = "make a template of its own for the variant: there each language has its subject";
            problems.push(subject.at.warning(what).help(help));
        }
        let source = Source::new(SUBJECT, &subject.text);
        let tree = syntax::parse(&source, &self.entities)
            .and_then(|parsed| syntax::lower(&parsed, &BTreeMap::new(), Part::Subject.escape()));
        match tree {
            Ok(tree) if says_nothing(&tree) => {
                problems.push(subject.at.problem(Problem::error(&source, 0..0, "this subject is empty")))
            }
            Ok(tree) => {
                let mut template = base.clone();
                template.parts.entry(Part::Subject).or_default().insert(String::new(), tree);
                template.version = version(&template);
                self.retitled.insert((rule.to_owned(), variant.name.clone()), template);
            }
            Err(found) => problems.extend(found.into_iter().map(|problem| subject.at.problem(problem))),
        }
        problems
    }
}

/// A problem found in a variant's template, at the place where it was written.
pub fn placed(subject: Option<&Subject>, problem: Problem) -> Problem {
    match subject {
        Some(subject) if &*problem.source.name == SUBJECT => subject.at.problem(problem),
        _ => problem,
    }
}

/// Variants that say what an earlier one says: nothing would tell those who get them apart.
pub fn alike(templates: &Templates, rule: &Rule) -> Vec<Problem> {
    let mut problems = Vec::new();
    for (place, variant) in rule.variants.iter().enumerate() {
        let Some(like) = rule.variants[..place].iter().find(|earlier| variant.is_like(earlier)) else { continue };
        if templates.of_variant(rule, variant).is_some_and(Template::reads_variant) {
            continue;
        }
        let what = format!("`{}` is the same message as `{}`", variant.name, like.name);
        let help = "give it a `template`, a `subject`, an `offer` or `channels` of its own, or ask for `variant` in the \
                    template: `{{#if (eq variant \"…\")}}`";
        problems.push(variant.at.warning(what).help(help));
    }
    problems
}

impl Template {
    /// Whether any of its words depend on the name of the variant.
    pub fn reads_variant(&self) -> bool {
        self.parts.values().flat_map(BTreeMap::values).any(|tree| nodes_read(&tree.nodes))
    }
}

fn nodes_read(nodes: &[Node]) -> bool {
    let is_variant = |path: &Path| path.frame == 0 && path.fields.first().is_some_and(|name| name == VARIANT);
    let reads = |expr| reads(expr, &is_variant);
    nodes.iter().any(|node| match node {
        Node::Text(_) => false,
        Node::Print(expr) => reads(expr),
        Node::If { test, then, otherwise } => reads(test) || nodes_read(then) || nodes_read(otherwise),
        Node::Each { list, body, otherwise } => reads(list) || nodes_read(body) || nodes_read(otherwise),
    })
}

/// Whether an expression reads a path for which `holds`.
pub(super) fn reads(expr: &Expr, holds: &dyn Fn(&Path) -> bool) -> bool {
    match expr {
        Expr::Path(path) => holds(path),
        Expr::Literal(..) | Expr::Loop { .. } => false,
        Expr::Call(call) => {
            let Call { args, options, .. } = &**call;
            args.iter().chain(options.iter().map(|(_, value)| value)).any(|expr| reads(expr, holds))
        }
    }
}
