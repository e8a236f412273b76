//! The workspace: everything that marketing wrote, checked as a whole and ready to be used.
//!
//! 1. A broken rule, offer or template is reported, and its last good text stays in force.
//! 2. Templates are compiled once per version, here; nothing is compiled per message.

mod broken;
mod messages;
pub mod unused;
mod way_out;

use crate::config::{self, Environment, Files, Project};
use crate::messages::context::{self, Record};
use crate::messages::{Env, RenderError, Templates, Words};
use crate::problem::{self, Problem, Severity, Source};
use crate::rules::{Channel, Rule};
use crate::time::{Timestamp, Tz};
use crate::tokens::{self, Keyring};
use crate::touchpoints::Reason;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, RwLock};

/// A configuration in force.
#[derive(Clone, Debug)]
pub struct Workspace {
    pub project: Project,
    pub templates: Templates,
    /// What is wrong with the files as they are now, in force or not.
    pub problems: Vec<Problem>,
    /// Files that are broken now and whose last good text is in force in their place, and since when.
    pub stand_ins: BTreeMap<String, Option<Timestamp>>,
    /// The keys by which the links of messages are signed; `None` until the database was asked for them.
    pub keys: Option<Keyring>,
}

/// What stands for the token in a link of a message that is only looked at.
pub const PREVIEW: &str = "preview";

/// Where the pages of previews lie, from the home folder. Each holds what a customer would be sent.
pub const PREVIEWS: &str = "var/preview";

/// The configuration in force, shared: whoever holds it sees changed files as soon as they are taken up.
#[derive(Clone, Debug)]
pub struct InForce(Arc<RwLock<Arc<Workspace>>>);

impl InForce {
    pub fn of(workspace: Arc<Workspace>) -> Self {
        Self(Arc::new(RwLock::new(workspace)))
    }

    pub fn now(&self) -> Arc<Workspace> {
        Arc::clone(&self.0.read().expect("nobody panics while holding it"))
    }

    pub fn set(&self, workspace: Arc<Workspace>) {
        *self.0.write().expect("nobody panics while holding it") = workspace;
    }
}

/// Whom a message is rendered for, and with what.
#[derive(Clone, Copy, Debug)]
pub struct Recipient<'a> {
    /// The id of the touchpoint that the message is; `None` for one that is only looked at, whose links lead nowhere.
    pub touchpoint: Option<&'a str>,
    pub channel: Channel,
    pub locale: Option<&'a str>,
    pub zone: Option<Tz>,
    /// The name of the offer that the message carries, and its code.
    pub offer: Option<&'a str>,
    pub code: Option<&'a str>,
    /// The name of the rule's variant that the message is.
    pub variant: Option<&'a str>,
    /// Whether the message is promotional: by its rule's topic, or by its offer.
    pub promotional: bool,
    /// Whether an earlier text message to this number has said how to stop them.
    pub was_told: bool,
    /// The tick's instant: from then on the offer is valid.
    pub as_of: Timestamp,
    pub now: Timestamp,
}

impl Workspace {
    /// Reads `files`; where a rule, an offer or a template is broken, its text in `kept` takes its place.
    ///
    /// # Errors
    /// All problems, where `plusone.toml` or `data.toml` cannot be used.
    pub fn open(
        files: &Files,
        environment: &Environment,
        kept: &BTreeMap<String, String>,
    ) -> Result<Self, Vec<Problem>> {
        let (now, problems) = read(files, environment);
        let broken = broken_paths(&problems);
        let stand_ins = kept.iter().filter(|(path, _)| is_covered(path, &broken));
        let last_good = files.with_texts(stand_ins.clone());
        let in_force = match (&last_good, now) {
            (None, now) => now,
            (Some(files), _) => read(files, environment).0,
        };
        let Some((project, templates)) = in_force else { return Err(problems) };
        let stand_ins = stand_ins.map(|(path, _)| (path.clone(), None)).collect();
        Ok(Self { project, templates, problems, stand_ins, keys: None })
    }

    /// Texts of the files that are good now, by path: what is kept for a day when they are not.
    pub fn good_texts(&self, files: &Files) -> BTreeMap<String, String> {
        let broken = broken_paths(&self.problems);
        let kept = files.texts().filter(|(path, _)| is_kept(path) && !is_covered(path, &broken));
        kept.map(|(path, text)| (path.to_owned(), text.to_owned())).collect()
    }

    /// The address of the page that serves `purpose` for a touchpoint. One that is only looked at gets an address that
    /// leads to nothing, so that nobody who tries a link speaks for a customer.
    pub fn link(&self, purpose: tokens::Purpose, touchpoint: Option<&str>) -> Option<String> {
        let path = purpose.path()?;
        let token = match touchpoint {
            Some(touchpoint) => self.keys.as_ref()?.sign(purpose, touchpoint, &[])?,
            None => PREVIEW.to_owned(),
        };
        Some(format!("{}/{path}/{token}", self.project.settings.web.public_url))
    }

    fn links(&self, touchpoint: Option<&str>) -> context::Value {
        use tokens::Purpose::{Confirm, Preferences, Unsubscribe, Why};
        let named = [("unsubscribe", Unsubscribe), ("preferences", Preferences), ("why", Why), ("confirm", Confirm)];
        let links = named.into_iter().filter_map(|(name, purpose)| Some((name, self.link(purpose, touchpoint)?)));
        context::links(&links.collect::<Vec<_>>())
    }

    /// Renders one message; gives the words, or the reason why there are none. `data` holds the customer's facts.
    pub fn words(&self, rule: &Rule, to: &Recipient<'_>, mut data: Record) -> Result<Words, (Reason, String)> {
        let business = &self.project.settings.business;
        let template = self.templates.of(rule, to.variant).ok_or_else(|| {
            let why = match to.variant.filter(|variant| rule.variant(variant).is_none()) {
                Some(variant) => format!("the rule has no variant {variant} any more"),
                None => format!("template {} is not in force", rule.template),
            };
            (Reason::RenderError, why)
        })?;
        if let Some(offer) = to.offer.and_then(|name| self.project.offers.get(name)) {
            let expires_at = offer.valid_for.map(|span| to.as_of.plus(span));
            data.insert("offer".to_owned(), context::offer(offer, to.code, expires_at));
        }
        data.insert("business".to_owned(), context::business(business));
        let topic = self.project.settings.topics.get(&rule.topic);
        data.insert("topic".to_owned(), context::topic(topic.map_or(&rule.topic, |topic| &topic.name)));
        data.insert("variant".to_owned(), context::Value::from_text(to.variant));
        data.insert("links".to_owned(), self.links(to.touchpoint));
        data.insert("now".to_owned(), context::Value::Timestamp(to.now));
        let env = Env {
            locale: to.locale.unwrap_or(&business.locale),
            zone: to.zone.unwrap_or(business.time_zone),
            business_locale: &business.locale,
            currency: &business.currency,
        };
        let words = template.render(to.channel, &env, &data).map_err(|error| {
            let reason = match error {
                RenderError::MissingValue(_) => Reason::MissingValue,
                _ => Reason::RenderError,
            };
            (reason, error.to_string())
        })?;
        self.with_way_out(template, to, words)
    }
}

/// Reads files as they are: what can be used of them, and every problem.
fn read(files: &Files, environment: &Environment) -> (Option<(Project, Templates)>, Vec<Problem>) {
    let loaded = config::load_from(files, environment);
    let mut problems = loaded.problems;
    let Some(mut project) = loaded.project else {
        // What is wrong with the templates by themselves is told all the same; what they read is not known.
        let entities: Vec<String> = config::entities(files, environment).into_iter().map(|one| one.name).collect();
        problems.extend(Templates::compile(&texts(&config::templates(files)), &entities).1);
        problem::sort(&mut problems);
        return (None, problems);
    };
    let entities: Vec<String> = project.catalogue.entities.keys().cloned().collect();
    let (mut templates, faults) = Templates::compile(&texts(&project.templates), &entities);
    problems.extend(faults);
    problems.extend(templates.add_menus(&project.menus));
    problems.extend(templates.check_languages(&project.settings.business));
    let mut broken = Vec::new();
    let around =
        messages::Around { settings: &project.settings, catalogue: &project.catalogue, offers: &project.offers };
    for rule in project.rules.values_mut() {
        let faults = of_templates(rule, &mut templates, &around);
        if faults.as_ref().is_none_or(|faults| faults.iter().any(|fault| fault.severity == Severity::Error)) {
            broken.push(rule.name.clone());
        }
        problems.extend(faults.into_iter().flatten());
    }
    for rule in &mut project.half_read {
        // A rule that is good may have told the same of a template of both.
        let told = |fault: &Problem| {
            let place = (&fault.source.name, &fault.span, &fault.message);
            problems.iter().any(|known| (&known.source.name, &known.span, &known.message) == place)
        };
        let faults = of_templates(rule, &mut templates.clone(), &around).unwrap_or_default();
        let new: Vec<Problem> = faults.into_iter().filter(|fault| !told(fault)).collect();
        problems.extend(new);
    }
    for name in broken {
        project.rules.remove(&name);
        project.broken.push(name);
    }
    problem::sort(&mut problems);
    (Some((project, templates)), problems)
}

/// Paths and texts of templates.
fn texts(templates: &BTreeMap<String, Vec<Source>>) -> Vec<(String, String)> {
    templates.values().flatten().map(|source| (source.name.to_string(), source.text.to_string())).collect()
}

/// What is wrong with a rule's templates; `None` where one is not in force.
fn of_templates(rule: &mut Rule, templates: &mut Templates, around: &messages::Around<'_>) -> Option<Vec<Problem>> {
    let mut faults = messages::check(rule, templates, around)?;
    if rule.template != rule.name {
        faults.iter_mut().for_each(|fault| name_user(fault, rule));
    }
    Some(faults)
}

/// Says which rule uses the template that has a fault: with another rule it may be good.
fn name_user(fault: &mut Problem, rule: &Rule) {
    let user = format!("the rule `{}` uses this template", rule.name);
    fault.help = Some(fault.help.take().map_or_else(|| user.clone(), |help| format!("{help}; {user}")));
}

fn broken_paths(problems: &[Problem]) -> BTreeSet<String> {
    let errors = problems.iter().filter(|problem| problem.severity == Severity::Error);
    errors.map(|problem| problem.source.name.to_string()).collect()
}

/// Rules, offers and templates are kept; settings and data must be good as they are.
fn is_kept(path: &str) -> bool {
    path.starts_with("config/rules/") || path.starts_with("config/offers/") || path.starts_with("templates/")
}

/// Whether a file is broken, or belongs to a template of which a file is: a template is kept as a whole.
fn is_covered(path: &str, broken: &BTreeSet<String>) -> bool {
    let folder =
        |path: &str| path.strip_prefix("templates/").and_then(|rest| rest.split('/').next()).map(str::to_owned);
    broken.contains(path)
        || folder(path).is_some_and(|name| broken.iter().any(|other| folder(other).as_ref() == Some(&name)))
}
