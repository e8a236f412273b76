//! The folder `templates/`: which files make which template, and which of them speaks to whom.
//!
//! 1. A template is a folder; its parts are files with fixed names, in it or in a sub-folder named as a locale.
//! 2. A customer's locale is looked for part by part: `fr-CA`, then `fr`, then the folder itself.
//! 3. A partial is `_partials/NAME.hbs`, the template's own before the common ones, each in the part's locale first.
//! 4. One broken template takes only itself out; its problems are all reported.

use crate::ids::content_hash;
use crate::messages::format::locale;
use crate::messages::menu::{Menu, MenuFile};
use crate::messages::syntax::{self, Escape, Parsed, Tree};
use crate::messages::tree::Node;
use crate::messages::{markup, mjml, style};
use crate::problem::{Problem, Source, nearest};
use crate::rules::words;
use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::fmt;
use std::str::FromStr;

const PARTIALS: &str = "_partials";
/// The HTML part of a mail, written in MJML.
const MJML: &str = "email.mjml.hbs";

/// A file of a template.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Part {
    Subject,
    Html,
    Text,
    Sms,
    Voice,
}

words!(Part {
    Subject = "subject.hbs",
    Html = "email.html.hbs",
    Text = "email.txt.hbs",
    Sms = "sms.hbs",
    Voice = "voice.hbs",
});

impl Part {
    pub const fn escape(self) -> Escape {
        match self {
            Self::Html => Escape::Html,
            _ => Escape::Nothing,
        }
    }
}

/// One folder of `templates/`, ready to be rendered.
#[derive(Clone, PartialEq, Debug)]
pub struct Template {
    pub name: String,
    /// The content hash of its files and of the partials it uses.
    pub version: String,
    /// By part and locale; the folder's own files under the empty locale.
    pub(super) parts: BTreeMap<Part, BTreeMap<String, Tree>>,
    /// What keys do in its calls, by locale as the parts.
    pub(super) menus: BTreeMap<String, MenuFile>,
    /// A file to show what is missing from the template as a whole.
    pub(super) source: Source,
}

/// All templates that can be used.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Templates {
    templates: BTreeMap<String, Template>,
    /// Templates with the subject of a rule's variant in the place of their own, by the rule's and the variant's name.
    pub(super) retitled: BTreeMap<(String, String), Template>,
    broken: BTreeSet<String>,
    /// The names of the rows that templates can read.
    pub(super) entities: Vec<String>,
}

/// The files of one folder: by their names within it and their locale.
type Files<'a> = BTreeMap<(&'a str, String), Source>;

impl Templates {
    /// Reads all templates. `files` are the files below `templates/`, by their path from the home folder; `entities` the
    /// names of the rows that they can read.
    pub fn compile(files: &[(String, String)], entities: &[String]) -> (Self, Vec<Problem>) {
        let mut problems = Vec::new();
        let mut folders: BTreeMap<&str, Files<'_>> = BTreeMap::new();
        for (path, text) in files {
            match place(path) {
                Ok(Some((folder, name, locale))) => {
                    folders.entry(folder).or_default().insert((name, locale), Source::new(path, text));
                }
                Ok(None) => {}
                Err(message) => problems.push(Problem::error(&Source::new(path, text), 0..0, message)),
            }
        }
        let common = parse_partials(folders.remove(PARTIALS).unwrap_or_default(), entities, &mut problems);
        let mut all = Self { entities: entities.to_vec(), ..Self::default() };
        for (name, files) in folders {
            let before = problems.len();
            let template = compile(name, files, &common, entities, &mut problems);
            if problems.len() == before {
                all.templates.insert(name.to_owned(), template);
            } else {
                all.broken.insert(name.to_owned());
            }
        }
        distinct(&mut problems);
        (all, problems)
    }

    /// Puts the menus of calls to their templates; gives what is wrong with their places.
    pub fn add_menus(&mut self, menus: &[MenuFile]) -> Vec<Problem> {
        let mut problems = Vec::new();
        for file in menus {
            let (folder, locale) = match place(&file.source.name) {
                Ok(Some((folder, _, locale))) => (folder, locale),
                Ok(None) => continue,
                Err(message) => {
                    problems.push(Problem::error(&file.source, 0..0, message));
                    continue;
                }
            };
            let Some(template) = self.templates.get_mut(folder) else { continue };
            if !template.has(Part::Voice) {
                let problem = Problem::warning(&file.source, 0..0, "a menu without a call");
                problems.push(problem.help("write what the call says into `voice.hbs` beside it"));
            }
            template.version = content_hash(&[&template.version, &file.source.name, &file.source.text]);
            template.menus.insert(locale, file.clone());
        }
        problems
    }

    pub fn get(&self, name: &str) -> Option<&Template> {
        self.templates.get(name)
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &Template> {
        self.templates.values()
    }

    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.templates.keys().map(String::as_str)
    }

    /// Templates that are there and cannot be used: their last good version stays in force.
    pub fn broken(&self) -> impl Iterator<Item = &str> {
        self.broken.iter().map(String::as_str)
    }

    /// Takes over from `last` the templates that are broken here.
    pub fn keep_last_good(&mut self, last: &Self) {
        for name in &self.broken {
            if let Some(template) = last.get(name) {
                self.templates.insert(name.clone(), template.clone());
            }
        }
    }
}

impl Template {
    /// The part as it speaks to `locale`, and the locale it was found for (empty: the folder itself).
    pub(super) fn part(&self, part: Part, locale_text: &str) -> Option<(&str, &Tree)> {
        let by_locale = self.parts.get(&part)?;
        let mut wanted = locale(locale_text).map(|locale| locale.id.to_string()).unwrap_or_default();
        loop {
            if let Some((found, tree)) = by_locale.get_key_value(&wanted) {
                return Some((found, tree));
            }
            if wanted.is_empty() {
                return None;
            }
            wanted.truncate(wanted.rfind('-').unwrap_or(0));
        }
    }

    /// What keys do in a call to `locale`: the menu beside the words that are spoken, or that of an outer locale.
    pub fn menu(&self, locale_text: &str) -> Menu {
        let mut wanted = self.part(Part::Voice, locale_text).map_or("", |(found, _)| found).to_owned();
        loop {
            if let Some(file) = self.menus.get(&wanted) {
                return file.menu.clone();
            }
            if wanted.is_empty() {
                return Menu::default();
            }
            wanted.truncate(wanted.rfind('-').unwrap_or(0));
        }
    }

    pub fn has(&self, part: Part) -> bool {
        self.parts.contains_key(&part)
    }

    /// The locales it speaks besides its own.
    pub fn locales(&self) -> BTreeSet<&str> {
        let all = self.parts.values().flat_map(BTreeMap::keys);
        all.filter(|locale| !locale.is_empty()).map(String::as_str).collect()
    }
}

/// Keeps the first of problems that say the same of the same place: a partial is walked once for each part it is in.
pub(super) fn distinct(problems: &mut Vec<Problem>) {
    let mut seen = HashSet::new();
    problems.retain(|found| seen.insert((found.source.name.clone(), found.span.start, found.message.clone())));
}

/// Splits a path into folder, name and locale; `None` for a file that is no part of a template on purpose.
pub(super) fn place(path: &str) -> Result<Option<(&str, &str, String)>, String> {
    let inner = path.strip_prefix("templates/").unwrap_or(path);
    let steps: Vec<&str> = inner.split('/').collect();
    if steps.iter().any(|step| step.starts_with('.')) {
        return Ok(None);
    }
    let (folder, rest) = match steps.split_first() {
        Some((&folder, rest)) if !rest.is_empty() => (folder, rest),
        _ => return Err("a template is a folder: put this file into `templates/NAME/`".to_owned()),
    };
    let own_partials = folder != PARTIALS && rest[0] == PARTIALS;
    let within = if own_partials { &rest[1..] } else { rest };
    let (language, name) = match within {
        [_] => (String::new(), inner.len() - within[0].len()),
        [language, name] => {
            let known = locale(language).ok_or_else(|| {
                format!("`{language}` is not a locale: a sub-folder of a template is named as one, such as `fr-CA`")
            })?;
            (known.id.to_string(), inner.len() - name.len())
        }
        _ => return Err("a template has sub-folders for locales and no deeper ones".to_owned()),
    };
    // Own partials keep their folder in their name, so that they are told from parts.
    let name = &inner[name..];
    if own_partials && !name.ends_with(".hbs") || folder == PARTIALS && !name.ends_with(".hbs") {
        return Err("a partial is a file `NAME.hbs`".to_owned());
    }
    if own_partials {
        return Ok(Some((folder, name, format!("{PARTIALS}/{language}"))));
    }
    Ok(Some((folder, name, language)))
}

type Partials = BTreeMap<(String, String), Parsed>;

/// Partials by name and locale.
fn parse_partials(files: Files<'_>, entities: &[String], problems: &mut Vec<Problem>) -> Partials {
    let mut partials = Partials::new();
    for ((name, language), source) in files {
        match syntax::parse(&source, entities) {
            Ok(parsed) => {
                partials.insert((name.trim_end_matches(".hbs").to_owned(), language), parsed);
            }
            Err(found) => problems.extend(found),
        }
    }
    partials
}

fn compile(
    name: &str,
    files: Files<'_>,
    common: &Partials,
    entities: &[String],
    problems: &mut Vec<Problem>,
) -> Template {
    let source = files.values().next().cloned().unwrap_or_else(|| Source::new(name, ""));
    let prefix = format!("{PARTIALS}/");
    let (own, parts): (Vec<_>, Vec<_>) = files.into_iter().partition(|((_, locale), _)| locale.starts_with(&prefix));
    let own = own.into_iter().map(|((name, locale), source)| ((name, locale[prefix.len()..].to_owned()), source));
    let own = parse_partials(own.collect(), entities, problems);
    let mut template = Template {
        name: name.to_owned(),
        version: String::new(),
        parts: BTreeMap::new(),
        menus: BTreeMap::new(),
        source: source.clone(),
    };
    for ((file, language), source) in parts {
        let Some(part) = part_of(file, &source, problems) else { continue };
        let partials = partials_for(&language, &own, common);
        let tree = syntax::parse(&source, entities)
            .and_then(|parsed| syntax::lower(&parsed, &partials, part.escape()))
            .and_then(|tree| match part {
                Part::Html => styled(tree, file == MJML),
                _ => Ok(tree),
            });
        match tree {
            Ok(tree) if says_nothing(&tree) => {
                let help = "write the words, or take the file away: nobody is sent a blank";
                problems.push(Problem::error(&source, 0..0, format!("`{file}` is empty")).help(help));
            }
            Ok(tree) => {
                let other = template.parts.entry(part).or_default().insert(language, tree);
                if other.is_some() {
                    let message = format!("`{file}` is there beside `{}`: both are the HTML of the mail", Part::Html);
                    problems.push(Problem::error(&source, 0..0, message).help("take one of them away"));
                }
            }
            Err(found) => problems.extend(found),
        }
    }
    template.version = version(&template);
    template
}

/// Whether the part is blank whatever the data says.
pub(super) fn says_nothing(tree: &Tree) -> bool {
    tree.nodes.iter().all(|node| matches!(node, Node::Text(text) if text.trim().is_empty()))
}

/// Looks at the markup of an HTML part and puts its styles in place.
fn styled(mut tree: Tree, is_mjml: bool) -> Result<Tree, Vec<Problem>> {
    if is_mjml {
        mjml::to_html(&mut tree)?;
    }
    let skeleton = markup::look(&tree)?;
    if skeleton.styled {
        // An HTML parser puts elements where the standard wants them, such as a `tbody` around the rows of a table: where
        // that tore a block, styles wait for the message.
        let styled = style::inline(&skeleton).map(|nodes| Tree { nodes, ..tree.clone() });
        match styled.filter(|styled| markup::look(styled).is_ok_and(|skeleton| skeleton.whole)) {
            Some(styled) => tree = styled,
            None => tree.styles_late = true,
        }
    }
    Ok(tree)
}

fn part_of(file: &str, source: &Source, problems: &mut Vec<Problem>) -> Option<Part> {
    let known = if file == MJML { Ok(Part::Html) } else { file.parse() };
    if known.is_err() {
        let parts = || Part::ALL.iter().map(|part| part.as_str()).chain([MJML]);
        let near = nearest(file, parts());
        let all = parts().collect::<Vec<_>>().join(", ");
        let help = near.map_or_else(|| format!("parts are {all}"), |near| format!("did you mean `{near}`?"));
        problems.push(Problem::error(source, 0..0, format!("no part of a template is called `{file}`")).help(help));
    }
    known.ok()
}

/// The partials that a part in `language` sees: the nearest locale of each, the template's own first.
fn partials_for<'a>(language: &str, own: &'a Partials, common: &'a Partials) -> BTreeMap<&'a str, &'a Parsed> {
    let mut seen: BTreeMap<&str, &Parsed> = BTreeMap::new();
    for partials in [own, common] {
        let mut wanted = language;
        loop {
            for ((name, locale), parsed) in partials {
                if locale == wanted {
                    seen.entry(name).or_insert(parsed);
                }
            }
            if wanted.is_empty() {
                break;
            }
            wanted = &wanted[..wanted.rfind('-').unwrap_or(0)];
        }
    }
    seen
}

pub(super) fn version(template: &Template) -> String {
    let sources: BTreeMap<&str, &str> = template
        .parts
        .values()
        .flat_map(BTreeMap::values)
        .flat_map(|tree| &tree.sources)
        .map(|source| (&*source.name, &*source.text))
        .collect();
    let parts: Vec<&str> = sources.iter().flat_map(|(name, text)| [*name, *text]).collect();
    content_hash(&parts)
}
