//! The source keeps its own laws: headers, sizes, who may use what, and words that have no place in it.
//!
//! 1. Text is read, nothing is parsed: `rustfmt` gives it the shape that the checks rely on.
//! 2. A check gives every place that breaks its law, not the first.
//! 3. The order of modules is what `src/lib.rs` says: groups under comments, each using its own and those above.

use crate::harness::root;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

const LONGEST_FILE: usize = 500;
const LONGEST_FUNCTION: usize = 70;

/// Which module may name an outside crate. `main` holds one line; tests may use what they like.
const OWNERS: &[(&str, &[&str])] = &[
    ("axum", &["web"]),
    ("cel", &["expr"]),
    ("clap", &["cli"]),
    ("croner", &["schedule"]),
    ("css_inline", &["messages"]),
    ("mrml", &["messages"]),
    ("csv", &["data"]),
    ("fixed_decimal", &["messages"]),
    ("fluent_bundle", &["web"]),
    ("handlebars", &["messages"]),
    ("html2text", &["messages"]),
    ("hyper", &["web"]),
    ("hyper_util", &["web"]),
    ("icu", &["messages"]),
    ("icu_experimental", &["messages"]),
    ("indicatif", &["cli"]),
    ("lettre", &["channels"]),
    ("maud", &["web"]),
    ("memchr", &["channels"]),
    ("miette", &["cli"]),
    ("reqwest", &["channels"]),
    ("rustls", &["channels"]),
    ("sqlx", &["store"]),
    ("toml_edit", &["config"]),
];

/// What the modules of the pure group must not hold.
const IMPURE: &[&str] = &[
    "async fn",
    ".await",
    "tokio::",
    "sqlx::",
    "std::fs",
    "std::env",
    "TcpStream",
    "TcpListener",
    "UdpSocket",
    "ToSocketAddrs",
    "Utc::now",
];

const POOR_NAMES: &[&str] = &["util", "utils", "helper", "helpers", "common", "manager", "misc"];

/// A source file without its tests.
struct Source {
    /// From the project's root.
    path: String,
    /// The module of `lib.rs` that it belongs to; `lib` and `main` for these two.
    module: String,
    text: String,
    /// The lines before `#[cfg(test)] mod tests`, with their numbers; none of a file that is all tests.
    code: Vec<(usize, String)>,
}

impl Source {
    fn read(path: &Path) -> Self {
        let text = std::fs::read_to_string(path).expect("source is UTF-8");
        let below = path.strip_prefix(root()).expect("below the root").to_string_lossy().into_owned();
        let inside = below.strip_prefix("src/").unwrap_or(&below);
        let module = inside.split(['/', '.']).next().unwrap_or_default().to_owned();
        let all_tests = below.ends_with("/tests.rs") || below.contains("/tests/");
        let lines: Vec<&str> = text.lines().collect();
        let is_tests =
            |n: usize| lines[n] == "#[cfg(test)]" && lines.get(n + 1).is_some_and(|next| next.starts_with("mod "));
        let end = if all_tests { 0 } else { (0..lines.len()).find(|n| is_tests(*n)).unwrap_or(lines.len()) };
        let code = lines[..end].iter().enumerate().map(|(n, line)| (n + 1, (*line).to_owned())).collect();
        Self { path: below, module, text, code }
    }

    /// Places in the code, comments left out, for which `broken` says why.
    fn places(&self, broken: impl Fn(&str) -> Option<String>) -> Vec<String> {
        let code = self.code.iter().filter(|(_, line)| !line.trim_start().starts_with("//"));
        code.filter_map(|(n, line)| Some(format!("{}:{n}: {}", self.path, broken(line)?))).collect()
    }
}

fn files_below(folder: &str, extension: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut folders = vec![root().join(folder)];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder).expect("the folder can be read") {
            let path = entry.expect("the folder can be read").path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|found| found == extension) {
                found.push(path);
            }
        }
    }
    found.sort();
    found
}

fn sources() -> Vec<Source> {
    files_below("src", "rs").iter().map(|path| Source::read(path)).collect()
}

fn expect_none(broken: &[String]) {
    assert!(broken.is_empty(), "{} places:\n{}", broken.len(), broken.join("\n"));
}

/// Whether `line` uses the name as a path's first part.
fn names(line: &str, first: &str) -> bool {
    line.match_indices(&format!("{first}::")).any(|(at, _)| {
        let before = line[..at].chars().next_back();
        !before.is_some_and(|c| c.is_alphanumeric() || c == '_' || c == ':')
    })
}

/// The modules of `lib.rs` by the number of their group.
fn levels() -> BTreeMap<String, usize> {
    let text = std::fs::read_to_string(root().join("src/lib.rs")).expect("src/lib.rs is there");
    let (mut level, mut levels) = (0, BTreeMap::new());
    for line in text.lines() {
        if line.starts_with("// ") {
            level += 1;
        } else if let Some(name) = line.strip_prefix("pub mod ").or_else(|| line.strip_prefix("mod ")) {
            levels.insert(name.trim_end_matches(';').to_owned(), level);
        }
    }
    levels
}

#[test]
fn every_file_says_what_it_is_for() {
    let ours = [files_below("src", "rs"), files_below("tests", "rs")].concat();
    let without = ours.iter().filter(|path| !Source::read(path).text.starts_with("//! "));
    expect_none(&without.map(|path| path.display().to_string()).collect::<Vec<_>>());
}

#[test]
fn files_and_functions_are_short() {
    let mut broken = Vec::new();
    for source in sources() {
        let length = source.text.lines().count();
        if length > LONGEST_FILE {
            broken.push(format!("{}: {length} lines, {LONGEST_FILE} at most", source.path));
        }
        let mut start: Option<(usize, usize, &str)> = None;
        for (n, line) in &source.code {
            let indent = line.len() - line.trim_start().len();
            let opens =
                ["fn ", "pub fn ", "pub(crate) fn ", "async fn ", "pub async fn ", "pub(crate) async fn ", "const fn "];
            if opens.iter().any(|open| line.trim_start().starts_with(open)) {
                start = Some((*n, indent, line));
            } else if let Some((first, at, head)) = start.filter(|(_, at, _)| line.trim_start() == "}" && indent == *at)
            {
                if n - first >= LONGEST_FUNCTION {
                    broken.push(format!("{}:{first}: {} lines: {}", source.path, n - first + 1, head[at..].trim()));
                }
                start = None;
            }
        }
    }
    expect_none(&broken);
}

#[test]
fn every_outside_crate_has_one_owner() {
    let mut broken = Vec::new();
    for source in sources() {
        for (outside, owners) in OWNERS {
            let stranger = !owners.contains(&source.module.as_str());
            broken.extend(source.places(|line| {
                (stranger && names(line, outside)).then(|| format!("{outside} belongs to {}", owners.join(", ")))
            }));
        }
    }
    expect_none(&broken);
}

#[test]
fn modules_use_only_what_stands_above_them() {
    let levels = levels();
    let mut broken = Vec::new();
    for source in sources() {
        let Some(own) = levels.get(&source.module) else { continue };
        for (used, level) in &levels {
            broken.extend(source.places(|line| {
                (level > own && names(line, &format!("crate::{used}")))
                    .then(|| format!("{} uses {used}", source.module))
            }));
        }
    }
    expect_none(&broken);
}

#[test]
fn what_is_pure_reads_no_clock_file_or_network() {
    let levels = levels();
    let pure = levels.get("rules").expect("the rules' meaning is pure");
    let broken: Vec<String> = sources()
        .iter()
        .filter(|source| levels.get(&source.module) == Some(pure))
        .flat_map(|source| {
            source.places(|line| IMPURE.iter().find(|word| line.contains(*word)).map(|word| format!("`{word}`")))
        })
        .collect();
    expect_none(&broken);
}

#[test]
fn names_say_what_a_thing_is() {
    let mut broken = Vec::new();
    for source in sources() {
        let stem = Path::new(&source.path).file_stem().unwrap_or_default().to_string_lossy().into_owned();
        if POOR_NAMES.contains(&stem.as_str()) || stem == "mod" {
            broken.push(format!("{}: a name that says nothing", source.path));
        }
        broken.extend(source.places(|line| {
            let words: Vec<&str> = line.split(|c: char| !(c.is_alphanumeric() || c == '_')).collect();
            let after_keyword = |pair: &&[&str]| ["fn", "struct", "enum", "trait", "mod", "type"].contains(&pair[0]);
            let poor = |name: &str| name.starts_with("new_") || name.ends_with('2') || POOR_NAMES.contains(&name);
            let pair = words.windows(2).find(|pair| after_keyword(pair) && poor(pair[1]))?;
            Some(format!("`{}`", pair[1]))
        }));
    }
    expect_none(&broken);
}

#[test]
fn nothing_is_left_for_later_and_no_warning_is_silenced() {
    // written otherwise, so that this file does not hold them
    let later = ["TO\u{44}O", "FIX\u{4d}E"];
    let mut broken = Vec::new();
    for path in [files_below("src", "rs"), files_below("tests", "rs"), files_below("tests", "py")].concat() {
        let source = Source::read(&path);
        for (n, line) in source.text.lines().enumerate() {
            let left = later.iter().any(|word| line.contains(word));
            let silenced = line.trim_start().starts_with("#[allow") || line.trim_start().starts_with("#![allow");
            if left || silenced {
                broken.push(format!("{}:{}: {}", source.path, n + 1, line.trim()));
            }
        }
    }
    expect_none(&broken);
}

#[test]
fn code_outside_tests_does_not_unwrap() {
    let unwraps = |line: &str| line.contains(".unwrap()").then(|| "say with expect why it cannot fail".to_owned());
    expect_none(&sources().iter().flat_map(|source| source.places(unwraps)).collect::<Vec<_>>());
}

#[test]
fn the_checks_see_what_they_look_for() {
    assert!(names("use sqlx::Row;", "sqlx") && names("    let a = crate::web::serve();", "crate::web"));
    assert!(!names("use my_sqlx::Row;", "sqlx") && !names("use crate::csv::Row;", "csv"));
    let levels = levels();
    assert!(levels["time"] < levels["rules"] && levels["rules"] < levels["store"] && levels["store"] < levels["cli"]);
    assert!(sources().len() > 20);
}
