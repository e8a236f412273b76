//! The JSON Schemas, judged by taplo: they take the sample's files and refuse what is wrong.

use super::harness::home::Home;
use super::harness::{node_program, root};
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::Command;

/// What taplo says against files that follow one schema; nothing when it takes all of them.
fn against(taplo: &Path, schema: &Path, files: &[PathBuf]) -> Option<String> {
    let checked = Command::new(taplo)
        .args(["check", "--colors", "never", "--schema", &format!("file://{}", schema.display())])
        .args(files)
        .output()
        .expect("taplo starts");
    (!checked.status.success()).then(|| String::from_utf8_lossy(&checked.stderr).into_owned())
}

#[test]
fn the_schemas_of_the_sample_are_what_the_program_writes() {
    let home = Home::new();
    home.plusone(&["schema", "--dir", "schemas"]).ended_with(0);
    for entry in std::fs::read_dir(home.path().join("schemas")).expect("they were written") {
        let made = entry.expect("a file").path();
        let file = root().join("config/.schema").join(made.file_name().expect("a file has a name"));
        let made = std::fs::read_to_string(made).expect("it was written");
        if std::env::var_os("PLUSONE_WRITE_DOCS").is_some() {
            std::fs::create_dir_all(file.parent().expect("a folder")).expect("the sample is ours");
            std::fs::write(&file, &made).expect("the sample is ours");
        }
        let written = std::fs::read_to_string(&file).unwrap_or_default();
        assert!(made == written, "{} is old: PLUSONE_WRITE_DOCS=1 writes it anew", file.display());
    }
}

/// Every TOML file under a folder.
fn toml_files(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).expect("the folder is there").map(|entry| entry.expect("an entry").path());
    let (folders, files): (Vec<_>, Vec<_>) = entries.partition(|path| path.is_dir());
    let files = files.into_iter().filter(|path| path.extension().is_some_and(|ending| ending == "toml"));
    files.chain(folders.iter().flat_map(|folder| toml_files(folder))).collect()
}

#[test]
fn every_file_names_a_schema_that_is_there() {
    let home = Home::new();
    home.plusone(&["init", "mine"]).ended_with(0);
    let mine = home.path().join("mine");
    let mut files = toml_files(&mine);
    for folder in ["config", "templates"] {
        files.extend(toml_files(&root().join(folder)));
    }
    assert!(files.len() > 20, "{} files", files.len());
    for file in files {
        let text = std::fs::read_to_string(&file).expect("it can be read");
        let first = text.lines().next().unwrap_or_default();
        let named = first.strip_prefix("#:schema ").unwrap_or_else(|| panic!("{}: {first}", file.display()));
        let schema = file.parent().expect("a file has a folder").join(named);
        assert!(schema.is_file(), "{} names {named}, which is not there", file.display());
        let kind = schema.file_name().expect("a file").to_string_lossy().replace(".schema.json", "");
        let name = file.file_name().expect("a file").to_string_lossy().into_owned();
        let is_right = match kind.as_str() {
            "test" => name.ends_with(".test.toml"),
            "rule" => file.parent().is_some_and(|folder| folder.ends_with("rules")) && !name.ends_with(".test.toml"),
            "offer" => file.parent().is_some_and(|folder| folder.ends_with("offers")),
            kind => name == format!("{kind}.toml"),
        };
        assert!(is_right, "{} names the schema of a {kind}", file.display());
    }
}

#[test]
fn taplo_takes_every_file_of_the_sample_and_refuses_a_wrong_one() {
    let Some(taplo) = node_program("taplo") else { return };
    let home = Home::new();
    home.copy("config");
    home.plusone(&["schema", "--dir", "schemas"]).ended_with(0);
    let schema = |kind: &str| home.path().join(format!("schemas/{kind}.schema.json"));
    let mut files: BTreeMap<&str, Vec<PathBuf>> = BTreeMap::new();
    for kind in ["plusone", "data"] {
        files.entry(kind).or_default().push(home.path().join(format!("config/{kind}.toml")));
    }
    for (kind, folder) in [("rule", "config/rules"), ("offer", "config/offers")] {
        for file in std::fs::read_dir(home.path().join(folder)).expect("the sample has it") {
            let file = file.expect("a file").path();
            let is_test = file.to_string_lossy().ends_with(".test.toml");
            files.entry(if is_test { "test" } else { kind }).or_default().push(file);
        }
    }
    assert_eq!(files.keys().copied().collect::<Vec<_>>(), ["data", "offer", "plusone", "rule", "test"]);
    assert!(files.values().flatten().count() > 8, "settings, data, rules and offers");
    for (kind, files) in &files {
        assert_eq!(against(&taplo, &schema(kind), files), None, "{kind}");
    }
    // among good ones, so that a whole kind cannot pass unread
    home.write("config/rules/wrong.toml", "topic = \"offers\"\nchannels = [\"pigeon\"]\nscedule = \"every hour\"\n");
    files.entry("rule").or_default().push(home.path().join("config/rules/wrong.toml"));
    let said = against(&taplo, &schema("rule"), &files["rule"]).expect("one is wrong");
    let named: BTreeSet<&str> =
        said.lines().filter_map(|line| line.split_once("path=")).map(|(_, path)| path).collect();
    assert_eq!(named.len(), 1, "{said}");
    assert!(named.iter().all(|path| path.contains("config/rules/wrong.toml")), "{said}");
}
