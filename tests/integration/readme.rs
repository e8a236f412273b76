//! What the README shows works: its commands are run as a reader would type them, its links lead somewhere.
//!
//! 1. Every block of `sh` is run, in order, in one shell, in a copy of the sample; `plusone` and `cargo run --release --`
//!    are the release build. A `run` is waited for until it is ready and then ended as by Ctrl-C.
//! 2. What cannot be run here (a clone, an installation, a real provider) stands under a line `<!-- not run: why -->`.
//! 3. `tests/run` is not run again by its own test.

use crate::harness::home::{Home, program};
use crate::harness::{address, root};
use std::collections::BTreeSet;
use std::process::{Command, Stdio};

/// What goes before the README's own lines.
const PRELUDE: &str = r#"
set -euo pipefail
plusone() {
  if [ "${1-}" != run ]; then "$PROGRAM" "$@"; return; fi
  "$PROGRAM" "$@" &
  local pid=$! tries=0
  until { exec 3<>"/dev/tcp/$HOST/$PORT"; } 2>/dev/null &&
    printf 'GET /readyz HTTP/1.0\r\n\r\n' >&3 && grep -q '^HTTP/1.[01] 200' <&3; do
    kill -0 $pid && [ $((tries += 1)) -lt 1200 ]
    sleep 0.05
  done
  kill -INT $pid
  wait $pid
}
cargo() {
  [ "$1 $2 $3" = "run --release --" ] || { echo "cargo $* is not run here" >&2; return 1; }
  shift 3
  plusone "$@"
}
set -x
"#;

fn readme() -> String {
    std::fs::read_to_string(root().join("README.md")).expect("README.md is there")
}

/// The lines of the `sh` blocks; of those that are run, or of all.
fn commands(text: &str, all: bool) -> Vec<String> {
    let (mut found, mut inside, mut wanted, mut excused) = (Vec::new(), false, false, false);
    for line in text.lines() {
        if let Some(language) = line.strip_prefix("```") {
            wanted = !inside && language == "sh" && (all || !excused);
            inside = !inside;
            excused = false;
        } else if inside {
            found.extend(wanted.then(|| line.to_owned()));
        } else if !line.trim().is_empty() {
            excused = line.starts_with("<!-- not run: ");
        }
    }
    found
}

#[test]
#[ignore = "wants the release build: run by tests/run"]
fn the_two_commands_stand_in_the_readme_as_they_are_typed() {
    let lines = commands(&readme(), true);
    for command in ["cargo run --release -- run", "tests/run"] {
        assert!(lines.iter().any(|line| line == command), "`{command}` is not a line of the README's commands");
    }
}

#[test]
#[ignore = "wants the release build: run by tests/run"]
fn the_commands_of_the_readme_run() {
    let home = Home::new();
    for folder in ["config", "templates"] {
        home.copy(folder);
    }
    let lines: Vec<String> =
        commands(&readme(), false).into_iter().filter(|line| !line.starts_with("tests/run")).collect();
    assert!(!lines.is_empty(), "the README shows commands");
    let script = home.path().join("readme.sh");
    std::fs::write(&script, format!("{PRELUDE}{}\n", lines.join("\n"))).expect("the home is ours");
    let ran = Command::new("bash")
        .arg(&script)
        .current_dir(home.path())
        .env("PROGRAM", program())
        .env("HOST", address())
        .env("PORT", home.port.to_string())
        .env("PLUSONE_WEB__LISTEN", format!("{}:{}", address(), home.port))
        .stdin(Stdio::null())
        .output()
        .expect("bash starts");
    let said = String::from_utf8_lossy(&ran.stderr);
    assert!(ran.status.success(), "{}\n{said}", ran.status);
}

#[test]
#[ignore = "wants the release build: run by tests/run"]
fn links_in_the_documents_lead_to_files() {
    let mut broken = BTreeSet::new();
    for document in ["README.md", "ARCHITECTURE.md", "CHANGELOG.md"] {
        let text = std::fs::read_to_string(root().join(document)).unwrap_or_else(|error| panic!("{document}: {error}"));
        for link in text.split("](").skip(1).filter_map(|rest| rest.split(')').next()) {
            let file = link.split('#').next().unwrap_or_default();
            if !file.is_empty() && !file.contains("://") && !root().join(file).exists() {
                broken.insert(format!("{document}: {link}"));
            }
        }
    }
    assert_eq!(broken, BTreeSet::new());
}

#[test]
fn only_blocks_of_commands_that_can_be_run_are_run() {
    let text = "```sh\nplusone check\n```\ntext\n<!-- not run: it installs -->\n\n```sh\nsudo make\n```\n\
                ```toml\nlive = true\n```\n```sh\nplusone once\n```\n";
    assert_eq!(commands(text, false), ["plusone check", "plusone once"]);
    assert_eq!(commands(text, true), ["plusone check", "sudo make", "plusone once"]);
}
