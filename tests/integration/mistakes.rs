//! What `check` says of mistakes that people make: `tests/corpus/errors`.
//!
//! A file `NAME.rule.toml` is put beside the good files of `_home` as `config/rules/new-rule.toml`; a folder is laid over
//! them. What is said stands in `NAME.said.txt`, exactly; after a change of a message look at the difference and write
//! it anew with `PLUSONE_WRITE_CORPUS=1 cargo test --test integration mistakes`.
//!
//! 1. Each mistake is told of, with its place, and no parser's words are in it.

use crate::harness::home::Home;
use crate::harness::root;
use std::path::{Path, PathBuf};

const CORPUS: &str = "tests/corpus/errors";

/// Words of parsers and of programmers, which nobody else understands.
const JARGON: [&str; 21] = [
    "IDENTIFIER",
    "identifier",
    ", expected",
    "unexpected",
    "token",
    "parse",
    "TOML",
    "invalid",
    "literal",
    "syntax",
    "null pointer",
    "panicked",
    "Some(",
    "None",
    "Err(",
    "unwrap",
    "enum",
    "struct",
    "string",
    "boolean value",
    "EOF",
];

/// What `check` prints before it lists the rules: problems are indented or blank lines, nothing else is.
fn problems(home: &Home) -> String {
    let said = home.plusone(&["check"]).stdout;
    let lines: Vec<&str> = said.lines().take_while(|line| line.is_empty() || line.starts_with(' ')).collect();
    let text = lines.join("\n").replace(&home.path().display().to_string(), "HOME");
    if text.trim().is_empty() { String::new() } else { format!("{}\n", text.trim_end()) }
}

/// Every mistake: its name and what is laid over the good home.
fn mistakes() -> Vec<(String, PathBuf)> {
    let entries = std::fs::read_dir(root().join(CORPUS)).expect("the corpus is there");
    let mut found: Vec<(String, PathBuf)> = entries
        .map(|entry| entry.expect("the folder can be read").path())
        .filter_map(|path| {
            let name = path.file_name()?.to_str()?.to_owned();
            let name = if path.is_dir() { name } else { name.strip_suffix(".rule.toml")?.to_owned() };
            (name != "_home").then_some((name, path))
        })
        .collect();
    found.sort();
    found
}

fn said_of(mistake: &Path) -> String {
    let home = Home::copy_of(&format!("{CORPUS}/_home"));
    if mistake.is_dir() {
        let inside = mistake.strip_prefix(root()).expect("the corpus is ours");
        home.lay_over(inside.to_str().expect("names of ours are UTF-8"));
    } else {
        home.write("config/rules/new-rule.toml", &std::fs::read_to_string(mistake).expect("the corpus is there"));
    }
    problems(&home)
}

#[test]
fn the_home_that_mistakes_are_laid_over_is_good() {
    assert_eq!(problems(&Home::copy_of(&format!("{CORPUS}/_home"))), "");
}

#[test]
fn each_mistake_is_told_as_the_corpus_says() {
    let mistakes = mistakes();
    assert!(mistakes.len() >= 60, "{} mistakes", mistakes.len());
    let mut differences = Vec::new();
    for (name, path) in mistakes {
        let said = said_of(&path);
        let file = root().join(CORPUS).join(format!("{name}.said.txt"));
        if std::env::var_os("PLUSONE_WRITE_CORPUS").is_some() {
            std::fs::write(&file, &said).expect("the corpus is ours");
        }
        let expected = std::fs::read_to_string(&file).unwrap_or_default();
        if said != expected {
            differences.push(format!("{name} should say:\n{expected}\nand says:\n{said}"));
        }
    }
    assert!(differences.is_empty(), "{}", differences.join("\n"));
}

#[test]
fn each_mistake_has_a_place_and_no_parsers_words() {
    for (name, path) in mistakes() {
        let said = said_of(&path);
        assert!(said.contains('×') || said.contains('⚠'), "{name}: nothing is said");
        assert!(said.contains("config/") || said.contains("templates/"), "{name}: no file is named: {said}");
        let own = |line: &&str| line.contains('×') || line.contains('⚠') || line.contains("help:");
        let message: String = said.lines().filter(own).collect::<Vec<_>>().join("\n");
        let jargon: Vec<&&str> = JARGON.iter().filter(|word| message.contains(**word)).collect();
        assert!(jargon.is_empty(), "{name}: {jargon:?} in {message}");
    }
}
