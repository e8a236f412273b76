//! The JSON Schemas, judged by taplo: they take the sample's files and refuse what is wrong.

use super::harness::home::Home;
use super::harness::node_program;
use std::path::Path;
use std::process::Command;

fn takes(taplo: &Path, schema: &Path, file: &Path) -> bool {
    let checked = Command::new(taplo)
        .args(["check", "--schema", &format!("file://{}", schema.display())])
        .arg(file)
        .output()
        .expect("taplo starts");
    checked.status.success()
}

#[test]
fn taplo_takes_every_file_of_the_sample_and_refuses_a_wrong_one() {
    let Some(taplo) = node_program("taplo") else { return };
    let home = Home::new();
    home.copy("config");
    home.plusone(&["schema", "--dir", "schemas"]).ended_with(0);
    let schema = |kind: &str| home.path().join(format!("schemas/{kind}.schema.json"));
    let mut files =
        vec![("plusone", home.path().join("config/plusone.toml")), ("data", home.path().join("config/data.toml"))];
    for (kind, folder) in [("rule", "config/rules"), ("offer", "config/offers")] {
        let found = std::fs::read_dir(home.path().join(folder)).expect("the sample has it");
        files.extend(found.map(|file| file.expect("a file").path()).map(|file| {
            let is_test = file.to_string_lossy().ends_with(".test.toml");
            (if is_test { "test" } else { kind }, file)
        }));
    }
    assert!(files.len() > 8, "settings, data, rules and offers");
    for (kind, file) in &files {
        assert!(takes(&taplo, &schema(kind), file), "{}", file.display());
    }
    home.write("config/rules/wrong.toml", "topic = \"offers\"\nchannels = [\"pigeon\"]\nscedule = \"every hour\"\n");
    assert!(!takes(&taplo, &schema("rule"), &home.path().join("config/rules/wrong.toml")));
}
