//! What is wrong with a template for a rule: asked by `check`, for each rule and its template.

use crate::catalogue::Catalogue;
use crate::messages::library::{Part, Template, distinct};
use crate::messages::needs::{Needs, parts_of};
use crate::messages::walk::{OfferTerms, Walk, World};
use crate::problem::Problem;
use crate::rules::Channel;
use crate::settings::Business;

/// What a rule asks of its template.
#[derive(Clone, Copy)]
pub struct Use<'a> {
    pub catalogue: &'a Catalogue,
    /// The rule's entity.
    pub root: &'a str,
    pub channels: &'a [Channel],
    /// Whether the rule has variants.
    pub variants: bool,
    /// `None` for a rule without an offer.
    pub offer: Option<OfferTerms>,
    pub business: &'a Business,
    /// Whether a message of the rule may be promotional, by its topic or by its offer.
    pub promotional: bool,
}

impl Template {
    /// Every problem of the template for one rule: unknown names, wrong types, values that may be missing, parts that
    /// its channels need, what a promotional letter may not be without.
    pub fn check(&self, wanted: &Use<'_>) -> Vec<Problem> {
        let world = World {
            catalogue: wanted.catalogue,
            root: wanted.root,
            variants: wanted.variants,
            offer: wanted.offer,
            business: Some(wanted.business),
        };
        let mut problems: Vec<Problem> = Vec::new();
        for &channel in wanted.channels {
            problems.extend(self.missing(channel));
            for part in parts_of(channel) {
                for tree in self.parts.get(part).into_iter().flat_map(|by_locale| by_locale.values()) {
                    let mut needs = Needs::default();
                    let mut walk = Walk::new(world, *part, tree, &mut needs);
                    walk.nodes(&tree.nodes);
                    problems.extend(walk.problems);
                }
            }
        }
        if wanted.promotional && wanted.channels.contains(&Channel::Email) {
            problems.extend(self.lacks(wanted));
        }
        distinct(&mut problems);
        problems
    }

    /// Parts that `channel` cannot do without; each must be there for customers of every locale.
    fn missing(&self, channel: Channel) -> Vec<Problem> {
        let everywhere = |part| self.part(part, "").is_some();
        let lacks = |files: &str| {
            let problem = Problem::error(
                &self.source,
                0..0,
                format!("the template `{}` has no {files}, which {channel} needs", self.name),
            );
            problem.help(format!("put it into `templates/{}/`", self.name))
        };
        let mut problems = Vec::new();
        match channel {
            Channel::Email => {
                if !everywhere(Part::Subject) {
                    problems.push(lacks("`subject.hbs`"));
                }
                if !everywhere(Part::Html) && !everywhere(Part::Text) {
                    problems.push(lacks("`email.html.hbs` or `email.txt.hbs`"));
                }
            }
            Channel::Sms if !everywhere(Part::Sms) => problems.push(lacks("`sms.hbs`")),
            Channel::Voice if !everywhere(Part::Voice) => problems.push(lacks("`voice.hbs`")),
            _ => {}
        }
        problems
    }
}
