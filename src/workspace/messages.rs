//! What a rule asks of its templates: of one for all its messages, or of each variant's for those that it sends.

use crate::catalogue::Catalogue;
use crate::messages::variants::{alike, placed};
use crate::messages::way_out::Sending;
use crate::messages::{OfferTerms, Template, Templates, Use};
use crate::offers::Offer;
use crate::problem::Problem;
use crate::rules::{Channel, Kind, Live, Purpose, Rule};
use crate::settings::Settings;
use std::collections::BTreeMap;

/// What templates are checked against.
#[derive(Clone, Copy)]
pub(super) struct Around<'a> {
    pub settings: &'a Settings,
    pub catalogue: &'a Catalogue,
    pub offers: &'a BTreeMap<String, Offer>,
}

/// One of a rule's messages: with its channels and its offers.
struct Message<'a> {
    rule: &'a Rule,
    channels: &'a [Channel],
    offers: Vec<&'a Offer>,
}

/// The problems of a rule's templates, whose versions become part of the rule's; `None` where one is not in force.
pub(super) fn check(rule: &mut Rule, templates: &mut Templates, around: &Around<'_>) -> Option<Vec<Problem>> {
    let mut problems = Vec::new();
    for variant in &rule.variants {
        problems.extend(templates.retitle(&rule.name, variant));
    }
    let versions = {
        let (rule, templates) = (&*rule, &*templates);
        let of_rule = |name: &String| around.offers.get(name);
        let mut versions = Vec::new();
        if rule.variants.is_empty() {
            let message =
                Message { rule, channels: &rule.channels, offers: rule.offers.iter().filter_map(of_rule).collect() };
            let template = templates.get(&rule.template)?;
            problems.extend(message.problems(template, around));
            versions.push(template.version.clone());
        }
        for variant in &rule.variants {
            templates.get(&variant.template)?;
            // What is wrong with a subject was told when it was made.
            let Some(template) = templates.of(rule, Some(&variant.name)) else { continue };
            let offers = variant.offers.iter().filter_map(|place| of_rule(&rule.offers[*place])).collect();
            let message = Message { rule, channels: &variant.channels, offers };
            let found = message.problems(template, around);
            problems.extend(found.into_iter().map(|problem| placed(variant.subject.as_ref(), problem)));
            versions.push(template.version.clone());
        }
        problems.extend(alike(templates, rule));
        versions
    };
    let parts: Vec<&str> = std::iter::once(&rule.version).chain(&versions).map(String::as_str).collect();
    rule.version = crate::ids::content_hash(&parts);
    Some(problems)
}

impl Message<'_> {
    fn is_promotional(&self) -> bool {
        self.rule.purpose == Purpose::Promotional || !self.offers.is_empty()
    }

    fn problems(&self, template: &Template, around: &Around<'_>) -> Vec<Problem> {
        let mut problems = template.check(&Use {
            catalogue: around.catalogue,
            root: &self.rule.for_each,
            channels: self.channels,
            variants: !self.rule.variants.is_empty(),
            offer: self.terms(),
            business: &around.settings.business,
            promotional: self.is_promotional(),
        });
        problems.extend(template.check_way_out(&Sending {
            settings: around.settings,
            channels: self.channels,
            promotional: self.is_promotional(),
        }));
        problems.extend(template.check_unwritten(self.rule.live != Live::Draft));
        if let Some(offer) = self.offers.iter().find(|offer| offer.code.is_some()) {
            problems.extend(template.check_code(self.channels, &offer.name));
        }
        problems
    }

    /// What the template can count on about the offer; `None` where there is none.
    fn terms(&self) -> Option<OfferTerms> {
        let always = self.rule.kind == Kind::Offer || self.rule.purpose == Purpose::Promotional;
        (!self.offers.is_empty()).then(|| OfferTerms {
            always,
            code: self.offers.iter().all(|offer| offer.code.is_some()),
            expires: self.offers.iter().all(|offer| offer.valid_for.is_some()),
        })
    }
}
