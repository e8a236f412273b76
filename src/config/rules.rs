//! From the tree of a rule's file to a [`Rule`], with the checks against settings, data, offers and templates.

use super::clauses;
use super::courtesy;
use super::forms;
use super::goal;
use super::keys;
use super::never;
use super::node::Node;
use super::occasion;
use super::once_per;
use super::opt_in;
use super::reader::Reader;
use super::seldom;
use super::settings::unknown_name;
use super::variants::{self, Own};
use crate::catalogue::{CUSTOMER, Catalogue};
use crate::expr::{Clause, Scope};
use crate::offers::Offer;
use crate::plan::audience::EVENT;
use crate::problem::{Problem, Severity, Source, nearest};
use crate::rules::{Channel, Existing, Kind, Live, OncePer, Purpose, Rule};
use crate::schedule::Schedule;
use crate::settings::Settings;
use crate::time::{Date, Tz};
use std::collections::{BTreeMap, BTreeSet};

/// What a rule is checked against.
#[derive(Clone, Copy)]
pub struct Around<'a> {
    pub settings: &'a Settings,
    pub catalogue: &'a Catalogue,
    pub offers: &'a BTreeMap<String, Offer>,
    /// Names of offers whose files are there but not good.
    pub broken_offers: &'a BTreeSet<String>,
    /// The files of each template folder.
    pub templates: &'a BTreeMap<String, Vec<Source>>,
}

/// Reads a checked tree; a rule is good only if no error was reported. What is missing or wrong is filled in where its
/// template can be checked all the same; `None` where it cannot.
pub fn read(name: &str, tree: &Node, around: Around<'_>, problems: &mut Vec<Problem>) -> Option<Rule> {
    let root = Reader::new(tree, &keys::rule::RULE);
    let time_zone = zone(root, around.settings);
    let for_each = for_each(root, around.catalogue, problems);
    let when = conditions(root, "when", Some(name), for_each.as_deref(), around.catalogue, problems);
    let unless = conditions(root, "unless", Some(name), for_each.as_deref(), around.catalogue, problems);
    let again_after = root.span("again_after");
    let once_per =
        for_each.as_deref().and_then(|each| once_per::read(root, each, again_after, around.catalogue, problems));
    let confirms = opt_in::confirmed_by(around.settings, name).is_some();
    // The mail that asks whether a yes was meant offers nothing: it serves the customer who said so.
    let purpose = topic(root, around.settings, problems).map(|of| if confirms { Purpose::Transactional } else { of });
    let mut channels = channels(root, around, problems);
    let mut offers = offers(root, around, problems);
    let template = template(root, around.templates, problems);
    let (schedule, on_event) = occasion::read(root, time_zone, around.catalogue, problems);
    let kind: Option<Kind> = root.word("kind");
    let own = Own { kind, template: template.as_deref(), channels: &mut channels, offers: &mut offers };
    let before = errors(problems);
    let variants = variants::read(root, around, own, problems);
    let tells_what_it_sends = errors(problems) == before && tells_what_it_sends(root, around, &offers);
    check_offer_kind(root, kind, problems);
    never::warn(root, purpose, &channels, around.settings, problems);
    courtesy::check_urgent(root, purpose, &offers, problems);
    courtesy::warn_held_out(root, purpose, problems);
    clauses::warn(root, &when, for_each.as_deref(), around.catalogue, problems);
    let goal = goal::read(root, name, for_each.as_deref(), around.catalogue, problems).unwrap_or_default();
    let (live, was) = (live(root, time_zone, problems), was(root, name, problems));
    let template = template.filter(|_| tells_what_it_sends)?;
    let rule = Rule {
        name: name.to_owned(),
        version: version(tree, &template, &offers, around),
        description: root.text("description").unwrap_or_default(),
        live,
        kind: kind.unwrap_or(Kind::Reminder),
        topic: root.text("topic").unwrap_or_default(),
        purpose: purpose.unwrap_or(Purpose::Transactional),
        schedule: schedule.unwrap_or(Schedule::Manual),
        on_event,
        time_zone,
        in_customers_time: root.text("time_zone").as_deref() == Some("customer"),
        catch_up: root.word("catch_up")?,
        catch_up_window: root.span("catch_up_window")?,
        for_each: for_each?,
        when,
        unless,
        once_per: once_per.unwrap_or(OncePer::Numbered),
        again_after,
        channels,
        template,
        priority: root.integer("priority")?,
        expires_after: root.span("expires_after")?,
        recheck: root.boolean("recheck")?,
        offers,
        variants,
        on_doubt: root.word("on_doubt"),
        existing: existing(root, kind),
        was,
        pace: root.get("pace").and_then(|node| forms::rate(node).ok()),
        counts_toward_cap: root.boolean("counts_toward_cap")?,
        on_cap: root.word("on_cap")?,
        urgent: root.boolean("urgent")?,
        holdout: courtesy::share(root, "holdout"),
        goal,
        soft_opt_in: soft_opt_in(root, around.settings),
        confirms,
    };
    seldom::warn(root, &rule, around.offers, problems);
    Some(rule)
}

fn existing(root: Reader<'_>, kind: Option<Kind>) -> Existing {
    let usual = if kind == Some(Kind::Status) { Existing::Skip } else { Existing::Include };
    root.word("existing").unwrap_or(usual)
}

fn soft_opt_in(root: Reader<'_>, settings: &Settings) -> Option<Clause> {
    settings.topics.get(&root.text("topic")?)?.soft_opt_in.clone()
}

fn errors(problems: &[Problem]) -> usize {
    problems.iter().filter(|problem| problem.severity == Severity::Error).count()
}

/// Whether a rule with mistakes says enough of its messages to check their template: a misspelt `for_each` or an unknown
/// offer would have the template blamed for it.
fn tells_what_it_sends(root: Reader<'_>, around: Around<'_>, offers: &[String]) -> bool {
    let is_broken = |offer: &String| around.broken_offers.contains(offer);
    let misspelt = ["for_each", "on_event", "offer", "variants", "channels"].iter().any(|key| root.is_misspelt(key));
    !misspelt && root.texts("offer").len() <= offers.len() && !offers.iter().any(is_broken)
}

/// The content hash of the rule's file, its template's files and its offers' files.
fn version(tree: &Node, template: &str, offers: &[String], around: Around<'_>) -> String {
    let files = around.templates.get(template).into_iter().flatten();
    let mut parts: Vec<&str> = vec![&tree.source.text];
    parts.extend(files.flat_map(|file| [file.name.as_ref(), file.text.as_ref()]));
    parts.extend(offers.iter().filter_map(|offer| Some(around.offers.get(offer)?.version.as_str())));
    crate::ids::content_hash(&parts)
}

fn zone(root: Reader<'_>, settings: &Settings) -> Tz {
    let business = settings.business.time_zone;
    root.get("time_zone").and_then(|node| forms::zone(node).ok()).unwrap_or(business)
}

fn live(root: Reader<'_>, zone: Tz, problems: &mut Vec<Problem>) -> Live {
    if let Some(always) = root.boolean("live") {
        return if always { Live::Always } else { Live::Draft };
    }
    let Some(table) = root.table("live") else { return Live::Draft };
    let date = |key: &str| table.get(key).and_then(|node| forms::date(node).ok());
    let (from, until) = (date("from"), date("until"));
    if let (Some(first), Some(last)) = (from, until)
        && last < first
    {
        let problem = table.node.error(format!("`until` is before `from`: {last} and {first}"));
        problems.push(problem.help("exchange the two, or correct the year"));
    }
    // The last day is whole: the rule stops at the first instant of the next.
    let end = until.map(|last| Date::from_days(last.days() + 1).start(zone));
    Live::Between { from: from.map(|first| first.start(zone)), until: end }
}

fn for_each(root: Reader<'_>, catalogue: &Catalogue, problems: &mut Vec<Problem>) -> Option<String> {
    let Some(node) = root.get("for_each") else {
        return Some(if root.get("on_event").is_some() { EVENT } else { CUSTOMER }.to_owned());
    };
    let name = node.text()?;
    if catalogue.entity(name).is_none() {
        problems.push(unknown_name(node, "entity", "data.toml", catalogue.entities.keys()));
        return None;
    }
    if !catalogue.is_owned(name) {
        let help = format!("give [{name}] a `belongs_to` that leads to the customer, or choose another entity");
        problems.push(node.error(format!("`{name}` belongs to no customer")).help(help));
        return None;
    }
    Some(name.to_owned())
}

/// Compiles the conditions at `key` for rows of `entity`; those of a rule do not see its own touchpoints.
pub fn conditions(
    root: Reader<'_>,
    key: &str,
    rule: Option<&str>,
    entity: Option<&str>,
    catalogue: &Catalogue,
    problems: &mut Vec<Problem>,
) -> Vec<Clause> {
    let texts = root.texts(key);
    let Some(entity) = entity else { return Vec::new() };
    let scope = Scope { catalogue, root: entity };
    let mut clauses = Vec::new();
    for (node, text) in texts {
        match Clause::compile(text, scope) {
            Ok(clause) => clauses.push(match rule {
                Some(rule) => clause.of_rule(rule),
                None => clause,
            }),
            Err(faults) => problems.extend(faults.into_iter().map(|fault| node.fault(fault))),
        }
    }
    clauses
}

fn topic(root: Reader<'_>, settings: &Settings, problems: &mut Vec<Problem>) -> Option<Purpose> {
    let node = root.get("topic")?;
    match settings.topics.get(node.text()?) {
        Some(topic) => Some(topic.purpose),
        None => {
            problems.push(unknown_name(node, "topic", "[topics] of plusone.toml", settings.topics.keys()));
            None
        }
    }
}

pub(super) fn channels(root: Reader<'_>, around: Around<'_>, problems: &mut Vec<Problem>) -> Vec<Channel> {
    let mut channels = Vec::new();
    for (node, word) in root.texts("channels") {
        let Ok(channel) = word.parse::<Channel>() else { continue };
        if channels.contains(&channel) {
            problems.push(node.error(format!("`{word}` is named twice")));
            continue;
        }
        if !around.settings.channels.contains_key(&channel) {
            let help = format!("set it up in plusone.toml: `[channels.{word}]`");
            problems.push(node.error(format!("the channel `{word}` is not set up")).help(help));
        }
        let (role, found) = match channel {
            Channel::Email => ("email", &around.catalogue.roles.email),
            Channel::Sms | Channel::Voice => ("phone", &around.catalogue.roles.phone),
        };
        if found.is_none() {
            let help = format!("say which field has it in data.toml: `roles = {{ {role} = \"…\" }}`");
            problems.push(node.error(format!("customers have no `{role}` to send to")).help(help));
        }
        channels.push(channel);
    }
    if let Some(list) = root.get("channels").filter(|node| node.is_empty_list()) {
        problems.push(list.error("no channel is named").help("name at least one: `channels = [\"email\"]`"));
    }
    channels
}

pub(super) fn offers(root: Reader<'_>, around: Around<'_>, problems: &mut Vec<Problem>) -> Vec<String> {
    let mut offers: Vec<String> = Vec::new();
    for (node, name) in root.texts("offer") {
        if !around.offers.contains_key(name) && !around.broken_offers.contains(name) {
            problems.push(unknown_name(node, "offer", "config/offers", around.offers.keys()));
        } else if offers.iter().any(|known| known == name) {
            problems.push(node.error(format!("`{name}` is named twice")));
        } else {
            offers.push(name.to_owned());
        }
    }
    offers
}

fn check_offer_kind(root: Reader<'_>, kind: Option<Kind>, problems: &mut Vec<Problem>) {
    if let (Some(Kind::Offer), Some(node)) = (kind, root.get("kind"))
        && root.texts("offer").is_empty()
        && !root.is_misspelt("offer")
        && root.get("variants").is_none()
    {
        let help = "name one from config/offers: `offer = \"free-cookie\"`";
        problems.push(node.error("a rule of kind `offer` names no offer").help(help));
    }
}

pub(super) fn template(
    root: Reader<'_>,
    templates: &BTreeMap<String, Vec<Source>>,
    problems: &mut Vec<Problem>,
) -> Option<String> {
    let node = root.get("template")?;
    let name = node.text()?;
    if name.starts_with('_') || !templates.contains_key(name) {
        let known = templates.keys().filter(|name| !name.starts_with('_')).map(String::as_str);
        let help = match nearest(name, known) {
            Some(near) => format!("the nearest template is `{near}`"),
            None => format!(
                "make the folder `templates/{name}` with `email.html.hbs` and its `subject.hbs`, `sms.hbs` or `voice.hbs`"
            ),
        };
        problems.push(node.error(format!("there is no template `{name}`")).help(help));
        return None;
    }
    Some(name.to_owned())
}

fn was(root: Reader<'_>, name: &str, problems: &mut Vec<Problem>) -> Option<String> {
    let node = root.get("was")?;
    let old = node.text()?;
    if old == name {
        problems
            .push(node.error("a rule was not its own predecessor").help("write the name before the file was renamed"));
    } else if !super::is_file_name(old) {
        let help = "write the old file's name without `.toml`: small letters, digits and `-`";
        problems.push(node.error(format!("`{old}` cannot be a rule's name")).help(help));
    }
    Some(old.to_owned())
}
