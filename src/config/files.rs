//! The files of a home folder as texts in memory, read once; everything after works on these.
//!
//! 1. A file that cannot be read, is too large or is not UTF-8 becomes a problem, never a silence.
//! 2. Paths are relative to the home folder, with `/` on every system.

use crate::problem::{Problem, Source};
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

/// More than this in one file is refused: nobody wrote it by hand.
pub const MAX_BYTES: u64 = 1024 * 1024;

/// Folders deeper than this under `templates/` are not looked into.
const MAX_DEPTH: usize = 4;

pub const PLUSONE_TOML: &str = "config/plusone.toml";
pub const DATA_TOML: &str = "config/data.toml";
pub const RULES: &str = "config/rules";
pub const OFFERS: &str = "config/offers";
pub const TEMPLATES: &str = "templates";
/// How the tests of a rule are named, after the rule.
pub const TEST_ENDING: &str = ".test.toml";

/// What tells one state of the files from another: see [`Files::fingerprint`].
pub type Fingerprint = Vec<(PathBuf, u64, Option<std::time::SystemTime>)>;

/// Paths and their texts.
#[derive(Clone, Debug, std::default::Default)]
pub struct Files {
    texts: BTreeMap<String, Source>,
    /// Tests of rules, by path: only `check` reads them, and a broken one breaks no rule.
    tests: BTreeMap<String, Source>,
    /// Files that are there but cannot be used.
    unusable: BTreeSet<String>,
    problems: Vec<Problem>,
    home: Option<PathBuf>,
}

impl Files {
    /// Reads the configuration and templates under `home`.
    pub fn read(home: &Path) -> Self {
        let mut files = Self { home: Some(home.to_owned()), ..Self::default() };
        for path in [PLUSONE_TOML, DATA_TOML] {
            if home.join(path).exists() {
                files.read_file(home, path);
            }
        }
        files.warn_of_strays(home);
        files.read_folder(home, RULES, "toml", 0);
        files.read_folder(home, OFFERS, "toml", 0);
        files.read_folder(home, TEMPLATES, "hbs", MAX_DEPTH);
        files
    }

    /// What tells a change of any file under `home` without reading it: names, sizes and times of change. What editors
    /// leave beside a file is none.
    pub fn fingerprint(home: &Path) -> Fingerprint {
        let mut seen = Vec::new();
        let mut folders = vec![(home.join("config"), 0), (home.join(TEMPLATES), 0)];
        while let Some((folder, depth)) = folders.pop() {
            for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
                if entry.file_name().to_str().is_some_and(is_hidden) {
                    continue;
                }
                match entry.metadata() {
                    Ok(about) if about.is_dir() && depth < MAX_DEPTH => folders.push((entry.path(), depth + 1)),
                    Ok(about) if about.is_file() => seen.push((entry.path(), about.len(), about.modified().ok())),
                    _ => {}
                }
            }
        }
        seen.sort();
        seen
    }

    /// Adds a file, or puts another text in its place.
    pub fn insert(&mut self, path: &str, text: &str) {
        self.unusable.remove(path);
        self.problems.retain(|problem| problem.source.name.as_ref() != path);
        let texts = if is_test(path) { &mut self.tests } else { &mut self.texts };
        texts.insert(path.to_owned(), Source::new(path, text.strip_prefix('\u{feff}').unwrap_or(text)));
    }

    /// Every file, tests among them.
    pub fn sources(&self) -> impl Iterator<Item = &Source> {
        self.texts.values().chain(self.tests.values())
    }

    /// The files with tests of rules, by path.
    pub fn tests(&self) -> impl Iterator<Item = (&str, &Source)> {
        self.tests.iter().map(|(path, source)| (path.as_str(), source))
    }

    /// Every text by its path.
    pub fn texts(&self) -> impl Iterator<Item = (&str, &str)> {
        self.texts.iter().map(|(path, source)| (path.as_str(), source.text.as_ref()))
    }

    /// These files with other texts in the place of some; `None` where there are no such texts.
    pub fn with_texts<'a>(&self, texts: impl Iterator<Item = (&'a String, &'a String)>) -> Option<Self> {
        let mut files = None;
        for (path, text) in texts {
            files.get_or_insert_with(|| self.clone()).insert(path, text);
        }
        files
    }

    /// Takes a file out.
    pub fn remove(&mut self, path: &str) {
        self.unusable.remove(path);
        self.problems.retain(|problem| problem.source.name.as_ref() != path);
        self.texts.remove(path);
        self.tests.remove(path);
    }

    pub fn get(&self, path: &str) -> Option<&Source> {
        self.texts.get(path)
    }

    /// The files under a folder, by path.
    pub fn under<'a>(&'a self, folder: &'a str) -> impl Iterator<Item = (&'a str, &'a Source)> {
        let inside = move |path: &str| path.strip_prefix(folder).is_some_and(|rest| rest.starts_with('/'));
        self.texts.iter().filter(move |(path, _)| inside(path)).map(|(path, source)| (path.as_str(), source))
    }

    /// Paths of files that are there and cannot be read.
    pub fn unusable(&self) -> impl Iterator<Item = &str> {
        self.unusable.iter().map(String::as_str)
    }

    pub fn problems(&self) -> &[Problem] {
        &self.problems
    }

    /// Whether a file that the configuration names is there. Without a home folder every file is.
    pub fn is_there(&self, path: &str) -> bool {
        self.home.as_ref().is_none_or(|home| home.join(path).is_file())
    }

    /// The home folder as the user wrote it.
    pub fn home(&self) -> &Path {
        self.home.as_deref().unwrap_or(Path::new("."))
    }

    /// Files and folders of ours that lie where nobody looks.
    fn warn_of_strays(&mut self, home: &Path) {
        const STRAYS: [(&str, &str); 5] = [
            ("rules", RULES),
            ("offers", OFFERS),
            ("config/templates", TEMPLATES),
            ("config/rules/templates", TEMPLATES),
            ("templates/rules", RULES),
        ];
        for (path, right) in STRAYS.iter().filter(|(path, _)| home.join(path).is_dir()) {
            let problem = Problem::warning(&Source::new(path, ""), 0..0, "this folder is not read");
            self.problems.push(problem.help(format!("its files belong into `{right}`")));
        }
        let entries = std::fs::read_dir(home.join("config")).into_iter().flatten().flatten();
        let mut names: Vec<String> = entries.filter_map(|entry| entry.file_name().into_string().ok()).collect();
        names.sort();
        for name in names.iter().filter(|name| name.ends_with(".toml") && !is_hidden(name)) {
            let path = format!("config/{name}");
            if path != PLUSONE_TOML && path != DATA_TOML {
                let problem = Problem::warning(&Source::new(&path, ""), 0..0, "this is not read");
                let help = format!("a rule belongs into `{RULES}`, an offer into `{OFFERS}`");
                self.problems.push(problem.help(help));
            }
        }
    }

    fn read_file(&mut self, home: &Path, path: &str) {
        match text_of(&home.join(path)) {
            Ok(text) => self.insert(path, &text),
            Err(message) => self.refuse(path, &message),
        }
    }

    fn refuse(&mut self, path: &str, message: &str) {
        if !is_test(path) {
            self.unusable.insert(path.to_owned());
        }
        self.problems.push(Problem::error(&Source::new(path, ""), 0..0, message));
    }

    fn read_folder(&mut self, home: &Path, folder: &str, extension: &str, depth: usize) {
        let entries = match std::fs::read_dir(home.join(folder)) {
            Ok(entries) => entries,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return,
            Err(error) => return self.refuse(folder, &format!("this folder cannot be read: {error}")),
        };
        let mut names: Vec<_> = entries.filter_map(|entry| Some(entry.ok()?.file_name())).collect();
        names.sort();
        for name in names {
            match name.to_str() {
                Some(name) if is_hidden(name) => {}
                Some(name) => self.read_entry(home, &format!("{folder}/{name}"), extension, depth),
                None => self.refuse(&format!("{folder}/{}", name.display()), "this file's name is not UTF-8"),
            }
        }
    }

    fn read_entry(&mut self, home: &Path, path: &str, extension: &str, depth: usize) {
        let is_folder = home.join(path).is_dir();
        // Beside the parts of a template lies the menu of its calls.
        let is_menu = path.starts_with(TEMPLATES) && path.rsplit('/').next() == Some(super::menus::FILE);
        if is_folder && depth > 0 {
            self.read_folder(home, path, extension, depth - 1);
        } else if !is_folder && (is_menu || Path::new(path).extension().is_some_and(|found| found == extension)) {
            self.read_file(home, path);
        } else {
            let problem = Problem::warning(&Source::new(path, ""), 0..0, "this is not read");
            let file = path.rsplit('/').next().unwrap_or(path);
            let stem = file.split('.').next().unwrap_or(file);
            let help = match is_folder || path.starts_with(TEMPLATES) {
                true => format!("files here end in `.{extension}`"),
                false => format!("files here end in `.{extension}`: name it `{stem}.{extension}`"),
            };
            self.problems.push(problem.help(help));
        }
    }
}

/// The file with the tests of a rule, from the home folder.
pub fn test_path(rule: &str) -> String {
    format!("{RULES}/{rule}{TEST_ENDING}")
}

/// Whether a file holds the tests of a rule.
pub fn is_test(path: &str) -> bool {
    path.starts_with(RULES) && path.ends_with(TEST_ENDING)
}

/// Hidden files, and what editors leave beside the file they edit.
fn is_hidden(name: &str) -> bool {
    name.starts_with(['.', '#']) || name.ends_with('~') || name.ends_with(".swp") || name.ends_with(".md")
}

fn text_of(path: &Path) -> Result<String, String> {
    let unreadable = |error: std::io::Error| format!("this file cannot be read: {error}");
    let size = std::fs::metadata(path).map_err(unreadable)?.len();
    if size > MAX_BYTES {
        return Err(format!("this file has {size} bytes; more than {MAX_BYTES} are refused"));
    }
    let bytes = std::fs::read(path).map_err(unreadable)?;
    if bytes.starts_with(&[0xff, 0xfe]) || bytes.starts_with(&[0xfe, 0xff]) {
        return Err("this file is UTF-16: save it as UTF-8".to_owned());
    }
    if bytes.starts_with(b"PK\x03\x04") || bytes.starts_with(b"\xd0\xcf\x11\xe0") || bytes.starts_with(b"{\\rtf") {
        return Err("this is a document of a word processor: save it as plain text".to_owned());
    }
    String::from_utf8(bytes).map_err(|error| {
        let place = error.utf8_error().valid_up_to();
        let line = error.as_bytes()[..place].iter().filter(|byte| **byte == b'\n').count() + 1;
        format!("this file is not UTF-8: line {line} has bytes of another encoding; save the file as UTF-8")
    })
}
