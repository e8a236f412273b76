//! Every statement binds its values: the text of SQL is made of constants, of quoted names that the declaration allows,
//! and of the places of binds.
//!
//! 1. Statements are written in the modules of [`WRITERS`] alone; `store::db` alone hands them to sqlx.
//! 2. A quoted value in a statement's text (`'{…}'`) is one of [`CONSTANTS`], each with the reason why it is safe.

use crate::harness::root;
use std::path::PathBuf;

/// Which modules may write SQL; `bench` measures the database itself, `data::import` names its savepoint.
const WRITERS: [&str; 7] =
    ["src/store", "src/expr", "src/sql.rs", "src/plan", "src/outreach", "src/bench", "src/data/import.rs"];

/// Who runs statements: the database, its one writer and its care, and the reader of other databases.
const RUNNERS: [&str; 6] = [
    "src/store/db.rs",
    "src/store/db/compact.rs",
    "src/store/db/snapshot.rs",
    "src/store/db/sorting.rs",
    "src/store/writer.rs",
    "src/store/external.rs",
];

/// What may stand within quotes, by file.
const CONSTANTS: [(&str, &str, &str); 16] = [
    ("src/store/settle.rs", "", "a `State`, an enum"),
    ("src/store/settle.rs", "to", "a `State`, an enum"),
    ("src/store/settle.rs", "from", "a `State`, an enum"),
    ("src/store/settle.rs", "reason", "a part of the statement, behind a quote that closes"),
    ("src/store/log.rs", "word", "a `Channel` or a `Purpose`, enums"),
    ("src/store/log.rs", "state", "a `State`, an enum: what the user typed was parsed into it"),
    ("src/store/foreign.rs", "", "the name of a zone of our own tz data"),
    ("src/store/consents.rs", "EVERY_CHANNEL", "a constant"),
    ("src/plan/audience/consent.rs", "channel", "a `Channel`, an enum"),
    ("src/store/external.rs", "", "the name of a zone of our own tz data"),
    ("src/store/prune.rs", "", "a `Reason`, an enum"),
    ("src/plan/audience/consent.rs", "SOFT", "a constant"),
    ("src/plan/audience/occurrence.rs", "reason", "a `Reason`, an enum"),
    ("src/plan/audience/window.rs", "reason", "a `Reason`, an enum"),
    ("src/store/rehearsal/fates.rs", "channel", "a `Channel`, an enum"),
    ("src/store/offers/room.rs", "ending", "a part of the statement, behind a quote that closes"),
];

fn sources(below: &str) -> Vec<(String, String)> {
    let (mut files, mut open) = (Vec::new(), vec![root().join(below)]);
    while let Some(path) = open.pop() {
        if path.is_dir() {
            open.extend(std::fs::read_dir(&path).expect("it can be read").map(|entry| entry.expect("an entry").path()));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            files.push(path);
        }
    }
    files.sort();
    let read = |path: PathBuf| {
        let name = path.strip_prefix(root()).expect("below the root").to_string_lossy().into_owned();
        (name, std::fs::read_to_string(path).expect("source is UTF-8"))
    };
    files.into_iter().map(read).filter(|(name, _)| !name.contains("/tests")).collect()
}

/// The lines of code before the tests, with their numbers.
fn code(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let end = text.find("#[cfg(test)]").unwrap_or(text.len());
    text[..end]
        .lines()
        .enumerate()
        .filter(|(_, line)| !line.trim_start().starts_with("//"))
        .map(|(n, line)| (n + 1, line))
}

/// What stands between `'{` (or `'%{`, `'-{`) and `}` in a line.
fn quoted_values(line: &str) -> Vec<&str> {
    let opened = line.match_indices('\'').filter_map(|(at, _)| {
        let rest = &line[at + 1..];
        rest.strip_prefix(['%', '-']).unwrap_or(rest).strip_prefix('{').filter(|inside| !inside.starts_with('\''))
    });
    opened.filter_map(|inside| inside.split_once('}').map(|(inside, _)| inside)).collect()
}

#[test]
fn no_statement_holds_a_value_that_is_not_a_constant() {
    let mut strangers = Vec::new();
    for (name, text) in WRITERS.iter().flat_map(|below| sources(below)) {
        for (n, line) in code(&text) {
            for value in quoted_values(line) {
                let known = CONSTANTS.iter().any(|(file, constant, _)| *file == name && *constant == value);
                if !known {
                    strangers.push(format!("{name}:{n}: {}", line.trim()));
                }
            }
        }
    }
    assert!(strangers.is_empty(), "bind these, or say why they are safe:\n{}", strangers.join("\n"));
}

#[test]
fn every_allowance_is_used() {
    for (file, constant, why) in CONSTANTS {
        let text = std::fs::read_to_string(root().join(file)).unwrap_or_default();
        let used = code(&text).any(|(_, line)| quoted_values(line).contains(&constant));
        assert!(used, "{file} has no `'{{{constant}}}'` any more ({why}): take the allowance away");
    }
}

#[test]
fn statements_are_written_and_run_where_they_belong() {
    let mut strangers = Vec::new();
    for (name, text) in sources("src") {
        let writes = WRITERS.iter().any(|writer| name.starts_with(writer));
        for (n, line) in code(&text) {
            let made = line.contains("Sql::new(") || line.contains(".script(");
            let run = line.contains("AssertSqlSafe") || line.contains("sqlx::query") || line.contains("sqlx::raw_sql");
            if (made && !writes) || (run && !RUNNERS.contains(&name.as_str())) {
                strangers.push(format!("{name}:{n}: {}", line.trim()));
            }
        }
    }
    assert!(strangers.is_empty(), "{}", strangers.join("\n"));
}

#[test]
fn the_audit_sees_what_it_looks_for() {
    assert_eq!(quoted_values("format!(\"where name = '{name}' and {x} = '{}'\", y)"), ["name", ""]);
    assert_eq!(quoted_values("like '%{word}%'"), ["word"]);
    assert!(quoted_values("text.push('{')").is_empty());
}
