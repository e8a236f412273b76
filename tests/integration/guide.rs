//! What the guide, the page that goes on from it and the page about tests show is so: their commands are run in order, as
//! a reader types them, in an empty folder or in the sample, and each output that they print is what came.
//!
//! 1. A block of `sh` is run; a block of `text` right after it is its output: whole lines, in order; a line `…` stands
//!    for any lines. A command that is to fail says so by its output alone.
//! 2. A block under `<!-- file: PATH -->` is that file, `top of` and `end of` are put there; under `<!-- lines: PATH -->`
//!    each of its lines takes the place of the line with the same key, commented out or not, under
//!    `<!-- instead of WORDS: PATH -->` it takes the place of the words; under `<!-- in: PATH -->` it stands there word for
//!    word.
//! 3. Only times and ids are made alike before comparing, and blanks. Where the guide is followed it is noon where the
//!    business is: at night letters wait for the morning.

use crate::harness::home::{Home, program};
use crate::harness::{address, root};
use regex::Regex;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

const INSTEAD: &str = "instead of ";

/// A fenced block and what stands before it.
struct Block {
    line: usize,
    language: String,
    note: Option<String>,
    text: String,
}

fn blocks(text: &str) -> Vec<Block> {
    let (mut blocks, mut open, mut note): (Vec<Block>, Option<Block>, Option<String>) = (Vec::new(), None, None);
    for (n, line) in text.lines().enumerate() {
        match (&mut open, line.strip_prefix("```")) {
            (Some(_), Some(_)) => blocks.extend(open.take()),
            (Some(block), None) => {
                block.text.push_str(line);
                block.text.push('\n');
            }
            (None, Some(language)) => {
                let (language, note) = (language.to_owned(), note.take());
                open = Some(Block { line: n + 1, language, note, text: String::new() });
            }
            (None, None) if line.trim().is_empty() => {}
            (None, None) => {
                note = line.strip_prefix("<!-- ").and_then(|rest| rest.strip_suffix(" -->")).map(str::to_owned)
            }
        }
    }
    blocks
}

/// The reader at their terminal: the folder that they are in, from one command to the next, and the business's zone where
/// it is not the configuration's.
struct Reader {
    home: Home,
    at: PathBuf,
    zone: Option<String>,
}

impl Reader {
    fn of(home: Home, zone: Option<String>) -> Self {
        Self { at: home.path().to_owned(), home, zone }
    }

    /// Runs a block; gives what the terminal shows.
    fn run(&mut self, script: &str) -> String {
        let marker = "the folder is now ";
        let script =
            format!("exec 2>&1\nplusone() {{ \"$PROGRAM\" \"$@\"; }}\n{script}\nprintf '\\n{marker}%s' \"$PWD\"\n");
        let mut bash = Command::new("bash");
        bash.envs(self.zone.iter().map(|zone| ("PLUSONE_BUSINESS__TIME_ZONE", zone)));
        let ran = bash
            .args(["-c", &script])
            .current_dir(&self.at)
            .env("PROGRAM", program())
            .env("NO_COLOR", "1")
            .env("COLUMNS", "120")
            .env_remove("DISPLAY")
            .env_remove("WAYLAND_DISPLAY")
            .env_remove("BROWSER")
            .env("PLUSONE_WEB__LISTEN", format!("{}:{}", address(), self.home.port))
            .stdin(Stdio::null())
            .output()
            .expect("bash starts");
        let said = String::from_utf8_lossy(&ran.stdout).into_owned();
        let (shown, folder) = said.rsplit_once(&format!("\n{marker}")).unwrap_or_else(|| panic!("{script}\n{said}"));
        self.at = PathBuf::from(folder);
        shown.to_owned()
    }

    fn write(&self, path: &str, text: &str) {
        let file = self.at.join(path);
        std::fs::create_dir_all(file.parent().expect("a file has a folder")).expect("the folder is ours");
        std::fs::write(file, text).expect("the folder is ours");
    }

    /// Puts lines in the place of those with the same keys.
    fn change(&self, path: &str, lines: &str) {
        let file = self.at.join(path);
        let mut text = std::fs::read_to_string(&file).unwrap_or_else(|error| panic!("{path}: {error}"));
        for line in lines.lines() {
            let key = line.split('=').next().expect("a line has a beginning").trim();
            let is_old =
                |old: &&str| old.trim_start().trim_start_matches("# ").split('=').next().map(str::trim) == Some(key);
            let old = text.lines().find(is_old).unwrap_or_else(|| panic!("{path} has no line `{key}`")).to_owned();
            text = text.replacen(&old, line, 1);
        }
        std::fs::write(&file, text).expect("the folder is ours");
    }
}

/// A zone where it is noon.
fn noon() -> String {
    let hour = plusone::clock::Clock::System.now().micros() / 3_600_000_000 % 24;
    // the sign of these names is turned round: Etc/GMT+3 is three hours behind
    format!("Etc/GMT{:+}", hour - 12)
}

/// Times and ids made alike, and the folder in which the test runs.
fn alike(text: &str, home: &Path) -> String {
    let home = home.canonicalize().unwrap_or_else(|_| home.to_owned());
    let mut text = text.replace(&*home.to_string_lossy(), "HOME");
    for (pattern, name) in [
        (r"\b[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}\b", "ID"),
        (r"\d{4}-\d{2}-\d{2}[T ]\d{2}:\d{2}(:\d{2}(\.\d+)?)?Z?", "TIME"),
        (r"\b(Mon|Tue|Wed|Thu|Fri|Sat|Sun) TIME\b", "TIME"),
        (r"\b\d{2}:\d{2}\b", "TIME"),
        (r"Etc/GMT[+-]\d+|Europe/London", "ZONE"),
        (r"\b[0-9a-f]{8}\b", "ID"),
        (r"/\S*/(mybusiness)", "$1"),
        (r" +", " "),
    ] {
        text = Regex::new(pattern).expect("a pattern of ours").replace_all(&text, name).into_owned();
    }
    text
}

/// Whether the lines that came are those that are wanted, with `…` for any lines.
fn fits(wanted: &[&str], came: &[&str]) -> bool {
    match wanted.split_first() {
        None => came.is_empty(),
        Some((&"…", rest)) => (0..=came.len()).any(|from| fits(rest, &came[from..])),
        Some((first, rest)) => came.split_first().is_some_and(|(line, came)| is_line(first, line) && fits(rest, came)),
    }
}

/// A line that ends in `…` says how it begins.
fn is_line(wanted: &str, came: &str) -> bool {
    wanted.strip_suffix('…').map_or(wanted == came, |beginning| came.starts_with(beginning))
}

fn lines(text: &str) -> Vec<&str> {
    text.lines().map(str::trim).filter(|line| !line.is_empty()).collect()
}

/// Follows a page block by block; gives how many outputs were compared.
fn follow(page: &str, reader: &mut Reader) -> usize {
    let text = std::fs::read_to_string(root().join(page)).expect("the page is there");
    let (mut came, mut compared) = (String::new(), 0);
    for block in blocks(&text) {
        let there = |path: &str| std::fs::read_to_string(reader.at.join(path)).expect("a file that is there");
        if let Some((what, path)) = block.note.as_deref().and_then(|note| note.split_once(": ")) {
            match what {
                "file" => reader.write(path, &block.text),
                "lines" => reader.change(path, &block.text),
                "end of" => reader.write(path, &format!("{}{}", there(path), block.text)),
                "top of" => reader.write(path, &format!("{}{}", block.text, there(path))),
                _ if what.starts_with(INSTEAD) => {
                    let (text, words) = (there(path), &what[INSTEAD.len()..]);
                    assert!(text.contains(words), "{page}, line {}: {path} has no {words}", block.line);
                    reader.write(path, &text.replacen(words, block.text.trim_end(), 1));
                }
                "in" => assert!(there(path).contains(&block.text), "{page}, line {}: not in {path}", block.line),
                _ => panic!("{page}, line {}: what is `{what}`?", block.line),
            }
        } else if block.language == "sh" {
            came = reader.run(&block.text);
            assert!(!came.contains("panicked"), "line {}: {came}", block.line);
        } else if block.language == "text" {
            let home = reader.home.path();
            let (wanted, came) = (alike(&block.text, home), alike(&came, home));
            let (wanted, seen) = (lines(&wanted), lines(&came));
            assert!(
                fits(&wanted, &seen),
                "{page}, line {}: wanted\n{}\ncame\n{}",
                block.line,
                wanted.join("\n"),
                seen.join("\n")
            );
            compared += 1;
        }
    }
    compared
}

#[test]
fn the_guide_is_followed_word_for_word() {
    let mut reader = Reader::of(Home::new(), Some(noon()));
    for page in ["docs/guide.md", "docs/plus-one.md"] {
        assert!(follow(page, &mut reader) >= 4, "{page} shows what comes");
    }
}

#[test]
fn the_page_about_tests_is_followed_in_the_sample() {
    let home = Home::new();
    home.copy("config");
    home.copy("templates");
    let compared = follow("docs/tests.md", &mut Reader::of(home, None));
    assert!(compared >= 2, "the page shows what comes");
}

#[test]
fn what_may_differ_is_told_from_what_may_not() {
    let home = Path::new("/tmp/home");
    let same = |one: &str, other: &str| alike(one, home) == alike(other, home);
    assert!(same("at 2026-11-03 09:00 touchpoint 1a2b3c4d", "at 2027-01-09 22:14 touchpoint ffffffff"));
    assert!(!same("4 planned", "5 planned") && !same("2026-11-03", "2026-11-04"));
    assert!(fits(&["a", "…", "d"], &["a", "b", "c", "d"]) && fits(&["…"], &[]));
    assert!(!fits(&["a", "c"], &["a", "b"]) && !fits(&["a"], &["a", "b"]));
}
