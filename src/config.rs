//! Configuration: the files of a home folder into meanings, with every problem of every file at once.
//!
//! [`Files`] holds the texts, [`keys`] says what may be written, `node` and `shape` read and check trees, and one
//! reader per file kind makes [`Settings`], [`Catalogue`], [`Rule`]s and [`Offer`]s of them. What templates say is
//! checked by `messages`; the data files that the configuration names are read by `data`.
//!
//! 1. Nothing is accepted and ignored: an unknown key is an error with the nearest known one.
//! 2. A broken rule, offer or template takes only itself out; without good settings and data there is no project.
//! 3. The environment is an argument; only [`Environment::of_process`] asks the process.

mod catalogue;
mod clauses;
mod courtesy;
mod environment;
mod files;
mod forms;
mod goal;
mod json_schema;
pub mod keys;
mod legal_hours;
mod menus;
mod mistakes;
mod never;
mod node;
mod occasion;
mod offers;
mod once_per;
mod opt_in;
mod overrides;
pub mod places;
mod reader;
mod relations;
pub mod rule_tests;
mod rules;
mod seldom;
mod settings;
mod shape;
mod variants;
mod written;

pub use environment::Environment;
pub use files::{DATA_TOML, Files, Fingerprint, OFFERS, PLUSONE_TOML, RULES, TEMPLATES, test_path};
pub use json_schema::{FileKind, json_schema};
pub use opt_in::SHIPPED as CONFIRM_TEMPLATE;
pub use written::basic_string;

use crate::catalogue::{Catalogue, Entity, Place};
use crate::messages::menu::MenuFile;
use crate::offers::Offer;
use crate::problem::{self, Problem, Severity, Source};
use crate::rules::Rule;
use crate::settings::Settings;
use keys::Section;
use node::Node;
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

/// A home folder's configuration as it is in force.
#[derive(Clone, Debug)]
pub struct Project {
    pub settings: Settings,
    pub catalogue: Catalogue,
    /// By file name without `.toml`; without those that are broken.
    pub rules: BTreeMap<String, Rule>,
    pub offers: BTreeMap<String, Offer>,
    /// The files under `templates/` by their first folder (`_partials` among them), in the order of their paths.
    pub templates: BTreeMap<String, Vec<Source>>,
    /// What keys do in the calls of templates.
    pub menus: Vec<MenuFile>,
    /// The file of each rule, good or broken, for problems found later.
    pub rule_files: BTreeMap<String, Source>,
    /// Names of rules that are there but cannot be used.
    pub broken: Vec<String>,
    /// Of these what could be read, where that is enough to check their templates: so that all mistakes are told at once.
    pub half_read: Vec<Rule>,
}

/// What reading a home folder gave.
#[derive(Clone, Debug)]
pub struct Loaded {
    /// Absent where `plusone.toml` or `data.toml` is broken.
    pub project: Option<Project>,
    /// By file and place.
    pub problems: Vec<Problem>,
}

impl Loaded {
    pub fn has_errors(&self) -> bool {
        self.problems.iter().any(|problem| problem.severity == Severity::Error)
    }

    /// Paths of the files with errors: candidates for their last good texts.
    pub fn broken_files(&self) -> BTreeSet<String> {
        let errors = self.problems.iter().filter(|problem| problem.severity == Severity::Error);
        errors.map(|problem| problem.source.name.to_string()).collect()
    }
}

/// Reads the home folder with the process's environment.
pub fn load(home: &Path) -> Loaded {
    load_from(&Files::read(home), &Environment::of_process())
}

/// Reads files that are in memory already.
pub fn load_from(files: &Files, environment: &Environment) -> Loaded {
    let mut problems = files.problems().to_vec();
    let project = Loader { files, environment, problems: &mut problems }.project();
    problem::sort(&mut problems);
    Loaded { project, problems }
}

/// The entities that `data.toml` under `home` declares, with their keys: as many as can be read of it, whatever else is
/// wrong.
pub fn declared(home: &Path) -> Vec<(String, String)> {
    let entities = entities(&Files::read(home), &Environment::of_process()).into_iter();
    let own = entities.filter(|entity| entity.place != Place::BuiltIn && entity.name != "event");
    own.map(|entity| (entity.name, entity.key)).collect()
}

/// The entities of `data.toml` and the built-in ones: as many as can be read, whatever else is wrong.
pub fn entities(files: &Files, environment: &Environment) -> Vec<Entity> {
    let catalogue = Loader { files, environment, problems: &mut Vec::new() }.catalogue(None);
    catalogue.into_iter().flat_map(|catalogue| catalogue.entities.into_values()).collect()
}

/// The files under `templates/` by their first folder, in the order of their paths; without the menus of calls.
pub fn templates(files: &Files) -> BTreeMap<String, Vec<Source>> {
    let mut templates: BTreeMap<String, Vec<Source>> = BTreeMap::new();
    for (path, source) in files.under(TEMPLATES) {
        let inner = &path[TEMPLATES.len() + 1..];
        if let Some((template, _)) = inner.split_once('/').filter(|_| !is_menu(path)) {
            templates.entry(template.to_owned()).or_default().push(source.clone());
        }
    }
    templates
}

/// The longest name of a rule or an offer, in bytes.
const MAX_FILE_NAME: usize = 100;

/// Whether `name` can name a rule or an offer.
fn is_file_name(name: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    !name.is_empty() && name.len() <= MAX_FILE_NAME && name.bytes().all(plain)
}

/// The name for a rule or an offer that is nearest to one that cannot be; `None` where `name` can.
pub fn file_name_instead(name: &str) -> Option<String> {
    (!is_file_name(name)).then(|| as_file_name(name))
}

/// The file name that is nearest to `name`.
fn as_file_name(name: &str) -> String {
    let plain = crate::latin::plain(name).to_lowercase();
    let words = plain.split(|sign: char| !sign.is_ascii_alphanumeric()).filter(|word| !word.is_empty());
    let mut words = words.collect::<Vec<_>>().join("-");
    words.truncate(MAX_FILE_NAME);
    let words = words.trim_end_matches('-');
    if words.is_empty() { "a-name".to_owned() } else { words.to_owned() }
}

struct Loader<'a> {
    files: &'a Files,
    environment: &'a Environment,
    problems: &'a mut Vec<Problem>,
}

/// What one folder of files gave: the good ones, and the names of the others.
struct Read<T> {
    good: BTreeMap<String, T>,
    broken: BTreeSet<String>,
    /// What could be read of broken ones.
    half: Vec<T>,
}

impl Loader<'_> {
    fn project(&mut self) -> Option<Project> {
        let before = self.errors();
        let (tree, mut settings) = self.settings();
        let catalogue = self.catalogue(settings.as_ref());
        if let (Some(tree), Some(settings), Some(catalogue)) = (&tree, settings.as_mut(), &catalogue) {
            settings.no_promotions_while = courtesy::bad_moments(tree, catalogue, self.problems);
            opt_in::fill_in(tree, settings, catalogue, self.problems);
        }
        let is_sound = self.errors() == before && !self.is_unusable(PLUSONE_TOML) && !self.is_unusable(DATA_TOML);
        let mut templates = templates(self.files);
        let (menus, broken_menus) = self.menus(catalogue.as_ref());
        let (settings, catalogue) = (settings?, catalogue?);
        opt_in::ship_template(&settings, &mut templates);
        let offers = self.each(OFFERS, &keys::offer::OFFER, |name, tree, loader| {
            offers::read(name, tree, &catalogue, loader.files, loader.problems)
        });
        let around = rules::Around {
            settings: &settings,
            catalogue: &catalogue,
            offers: &offers.good,
            broken_offers: &offers.broken,
            templates: &templates,
        };
        let mut rules =
            self.each(RULES, &keys::rule::RULE, |name, tree, loader| rules::read(name, tree, around, loader.problems));
        let mut rule_files = self.rule_files();
        self.add_confirmations(&mut rules, &mut rule_files, around);
        self.break_dependents(&mut rules, &offers.broken, &broken_menus);
        is_sound.then(|| Project {
            rule_files,
            broken: rules.broken.into_iter().collect(),
            half_read: rules.half,
            rules: rules.good,
            offers: offers.good,
            settings,
            catalogue,
            templates,
            menus,
        })
    }

    fn errors(&self) -> usize {
        self.problems.iter().filter(|problem| problem.severity == Severity::Error).count()
    }

    fn is_unusable(&self, path: &str) -> bool {
        self.files.unusable().any(|unusable| unusable == path)
    }

    /// The settings, and the tree that they were read from.
    fn settings(&mut self) -> (Option<Node>, Option<Settings>) {
        let section = &keys::settings::PLUSONE;
        let Some(mut tree) = self.tree(PLUSONE_TOML) else { return (None, None) };
        overrides::apply(&mut tree, section, self.environment, self.problems);
        shape::check(&mut tree, section, self.problems);
        let settings = settings::read(&tree, self.problems);
        (Some(tree), settings)
    }

    fn catalogue(&mut self, settings: Option<&Settings>) -> Option<Catalogue> {
        let mut tree = self.tree(DATA_TOML)?;
        shape::check(&mut tree, &keys::data::DATA, self.problems);
        catalogue::read(&tree, settings, self.files, self.problems)
    }

    /// The tree of a file that must be there.
    fn tree(&mut self, path: &str) -> Option<Node> {
        let Some(source) = self.files.get(path) else {
            if !self.is_unusable(path) {
                let message = format!("there is no such file in the home folder `{}`", self.files.home().display());
                let help = "`plusone init DIR` makes a home folder; `--home DIR` names another one";
                self.problems.push(Problem::error(&Source::new(path, ""), 0..0, message).help(help));
            }
            return None;
        };
        node::parse(source, self.environment, self.problems)
    }

    /// Reads every file of a folder; a file with an error is broken, and only that file.
    fn each<T>(
        &mut self,
        folder: &str,
        section: &'static Section,
        read: impl Fn(&str, &Node, &mut Loader<'_>) -> Option<T>,
    ) -> Read<T> {
        let files = self.files;
        let mut result = Read { good: BTreeMap::new(), broken: BTreeSet::new(), half: Vec::new() };
        for (path, source) in files.under(folder) {
            let name = stem(folder, path);
            let before = self.errors();
            let value = self.one(name, source, section, &read);
            let is_good = self.errors() == before;
            match value {
                Some(value) if is_good => drop(result.good.insert(name.to_owned(), value)),
                half => {
                    result.broken.insert(name.to_owned());
                    result.half.extend(half);
                }
            }
        }
        let unusable =
            files.unusable().filter(|path| path.strip_prefix(folder).is_some_and(|rest| rest.starts_with('/')));
        result.broken.extend(unusable.map(|path| stem(folder, path).to_owned()));
        result
    }

    fn one<T>(
        &mut self,
        name: &str,
        source: &Source,
        section: &'static Section,
        read: impl Fn(&str, &Node, &mut Loader<'_>) -> Option<T>,
    ) -> Option<T> {
        if !is_file_name(name) {
            let message = format!("`{name}` cannot be a name here");
            let help = format!("name the file `{}.toml`: small letters, digits and `-`", as_file_name(name));
            self.problems.push(Problem::error(source, 0..0, message).help(help));
        }
        let mut tree = node::parse(source, self.environment, self.problems)?;
        if tree.entries().is_empty() {
            let message = format!("this file is empty: {} is expected", section.what);
            self.problems.push(Problem::error(source, 0..0, message).help("write it, or delete the file"));
            return None;
        }
        shape::check(&mut tree, section, self.problems);
        read(name, &tree, self)
    }

    /// The menus of calls that can be used, and the templates whose menus cannot.
    fn menus(&mut self, catalogue: Option<&Catalogue>) -> (Vec<MenuFile>, BTreeSet<String>) {
        let files = self.files;
        let entities: Vec<String> = catalogue.into_iter().flat_map(|all| all.entities.keys().cloned()).collect();
        let (mut menus, mut broken) = (Vec::new(), BTreeSet::new());
        for (path, source) in files.under(TEMPLATES).filter(|(path, _)| is_menu(path)) {
            let before = self.errors();
            let menu = node::parse(source, self.environment, self.problems).map(|mut tree| {
                shape::check(&mut tree, &keys::menu::MENU, self.problems);
                menus::read(&tree, &entities, self.problems)
            });
            match menu.filter(|_| self.errors() == before) {
                Some(menu) => menus.push(MenuFile { menu, source: source.clone() }),
                None => drop(broken.insert(path.split('/').nth(1).unwrap_or_default().to_owned())),
            }
        }
        (menus, broken)
    }

    fn rule_files(&self) -> BTreeMap<String, Source> {
        self.files.under(RULES).map(|(path, source)| (stem(RULES, path).to_owned(), source.clone())).collect()
    }

    /// Adds plusone's own rules; a file of such a name is refused.
    fn add_confirmations(
        &mut self,
        rules: &mut Read<Rule>,
        rule_files: &mut BTreeMap<String, Source>,
        around: rules::Around<'_>,
    ) {
        for (name, source) in opt_in::rules(around.settings) {
            if let Some(file) = rule_files.get(&name) {
                let message = format!("`{name}` is plusone's own rule, since its topic has `opt_in = \"double\"`");
                let help = "give the file another name; what that rule says is in `templates/confirm-opt-in`";
                self.problems.push(Problem::error(file, 0..0, message).help(help));
            }
            let tree = node::parse(&source, self.environment, self.problems);
            let rule = tree.and_then(|mut tree| {
                shape::check(&mut tree, &keys::rule::RULE, self.problems);
                rules::read(&name, &tree, around, self.problems)
            });
            if let Some(rule) = rule {
                rules.broken.remove(&name);
                rules.good.insert(name.clone(), rule);
            }
            rule_files.insert(name, source);
        }
    }

    /// A rule whose offer or template cannot be used cannot be used either; the problem is told there.
    fn break_dependents(
        &self,
        rules: &mut Read<Rule>,
        broken_offers: &BTreeSet<String>,
        broken_menus: &BTreeSet<String>,
    ) {
        let broken_templates: BTreeSet<&str> = self
            .files
            .unusable()
            .filter_map(|path| path.strip_prefix(TEMPLATES)?.strip_prefix('/')?.split('/').next())
            .collect();
        let is_broken = |rule: &Rule| {
            rule.offers.iter().any(|offer| broken_offers.contains(offer))
                || rule.templates().iter().any(|name| broken_templates.contains(name) || broken_menus.contains(*name))
        };
        let names: Vec<String> =
            rules.good.values().filter(|rule| is_broken(rule)).map(|rule| rule.name.clone()).collect();
        for name in names {
            rules.good.remove(&name);
            rules.broken.insert(name);
        }
    }
}

/// Whether a file under `templates/` is the menu of calls.
fn is_menu(path: &str) -> bool {
    path.rsplit('/').next() == Some(menus::FILE)
}

fn stem<'a>(folder: &str, path: &'a str) -> &'a str {
    let file = path.get(folder.len() + 1..).unwrap_or(path);
    file.strip_suffix(".toml").unwrap_or(file)
}

#[cfg(test)]
mod tests;
