//! Checking: `plusone check` of two hundred rules with their tests, beside bare TOML parsing of the same files.

use super::home::Home;
use super::{BenchError, Figures, Result, Size, Stage, median, process, shown};
use crate::config::{Files, places};
use serde_json::json;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

/// The tests of each rule.
const TESTS: usize = 3;
/// Between two looks at the program that is measured.
const LOOK: Duration = Duration::from_millis(2);

pub async fn measure(size: Size, rounds: usize) -> Result<Figures> {
    let rules = match size {
        Size::Small => 10,
        Size::Full => 200,
    };
    let home = Home::of_shop(25, 1)?;
    let names: Vec<String> = (0..rules).map(|number| format!("rule-{number}")).collect();
    let when =
        r#"'customer.tier == "gold"', 'customer.orders.exists(o, o.status == "paid" && o.placed_at > ago("30d"))'"#;
    home.add_rules(names.iter().map(String::as_str), when)?;
    for name in &names {
        home.write(&format!("config/rules/{name}.test.toml"), &tests())?;
    }
    let (mut ours, mut limit, mut peak) = (Vec::new(), Vec::new(), None);
    for _ in 0..rounds {
        let (seconds, most) = checked(&home, rules * TESTS)?;
        ours.push(seconds);
        peak = most.or(peak);
        limit.push(parsed(&home)?);
    }
    let setup = json!({
        "rules": rules, "tests": rules * TESTS, "rounds": rounds,
        "ours_all": shown(&ours), "limit_all": shown(&limit),
        "limit_is": "bare TOML parsing of the same files",
        "mark": "under a second",
    });
    Ok(Figures {
        stage: Stage::Check,
        ours: median(&ours),
        limit: median(&limit),
        unit: "s",
        peak_rss_mb: peak,
        setup: setup.as_object().cloned().unwrap_or_default(),
    })
}

/// One that is met, one that is not, one that is refused: each with orders.
fn tests() -> String {
    let test = |name: &str, tier: &str, email: &str, expect: &str| {
        format!(
            "[[test]]\nname = \"{name}\"\nnow = 2026-11-23T12:00:00Z\n\
             customer = {{ first_name = \"Ben\", tier = \"{tier}\"{email} }}\n\
             orders = [{{ status = \"paid\", total = 20, placed_at = \"today-3d\" }}, {{ status = \"open\" }}]\n\
             expect = {expect}\n"
        )
    };
    let email = ", email = \"ben@example.com\"";
    [
        test("gold", "gold", email, "{ state = \"planned\", channel = \"email\" }"),
        test("silver", "silver", email, "\"not selected\""),
        test("no address", "gold", "", "{ skipped = \"no_address\" }"),
    ]
    .concat()
}

/// Seconds that `plusone check` takes as users start it, and its greatest memory.
fn checked(home: &Home, tests: usize) -> Result<(f64, Option<f64>)> {
    let program = std::env::current_exe().map_err(BenchError::io("cannot tell which program this is"))?;
    let said = home.path().join("said.txt");
    let file = std::fs::File::create(&said).map_err(BenchError::io("cannot write what check says"))?;
    let mut check = Command::new(program);
    check.arg("check").arg("--home").arg(home.path()).stdin(Stdio::null()).stdout(file);
    let begin = Instant::now();
    let mut child = check.spawn().map_err(BenchError::io("cannot start plusone"))?;
    let mut peak = None;
    let ended = loop {
        match child.try_wait().map_err(BenchError::io("cannot wait for plusone"))? {
            Some(ended) => break ended,
            // The system counts the greatest so far, so that the last look before the end is enough.
            None => peak = process::peak_mb(child.id()).or(peak),
        }
        std::thread::sleep(LOOK);
    };
    let seconds = begin.elapsed().as_secs_f64();
    let said = std::fs::read_to_string(&said).unwrap_or_default();
    if !ended.success() || !said.contains(&format!("{tests} tests passed")) {
        return Err(BenchError::Void(format!("`plusone check` said: {}", said.lines().last().unwrap_or_default())));
    }
    Ok((seconds, peak))
}

/// Seconds that reading and parsing the same files takes.
fn parsed(home: &Home) -> Result<f64> {
    let begin = Instant::now();
    let files = Files::read(home.path());
    let sources = files.sources().filter(|source| source.name.ends_with(".toml"));
    if sources.filter(|source| !places::parses(source)).count() > 0 {
        return Err(BenchError::Void("a file of the bench's own is no TOML".to_owned()));
    }
    Ok(begin.elapsed().as_secs_f64())
}
