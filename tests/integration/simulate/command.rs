//! The command: what it prints and writes, what it refuses, and that it leaves nothing behind.

use crate::harness::home::{Home, Settings};
use crate::harness::{folder, wait_for};
use crate::shop::{customers, home, rule};
use std::process::{Command, Stdio};
use std::time::Duration;

/// Three customers, a live rule and a draft; the guard lets two messages pass.
fn shop() -> Home {
    let home = home(&Settings { more: "[guard]\nmax_recipients = 2\n".to_owned(), ..Settings::default() });
    let people = ["=a,a@shop.test,Ada,gold,yes", "b,b@shop.test,<i>Ben,,yes", "c,,,,no"];
    home.write("customers.csv", &customers(&people));
    home.write("config/rules/note.toml", &rule(&[("once_per", "[\"customer\", \"day\"]")]));
    let draft = rule(&[("live", "false"), ("topic", "\"offers\""), ("channels", "[\"sms\", \"email\"]")]);
    home.write("config/rules/treat.toml", &draft);
    home
}

#[test]
fn a_week_is_told_by_day_and_by_rule() {
    let home = shop();
    let told = home.plusone(&["simulate", "--to", "+7d", "--json"]).ended_with(0).json();
    let sent = told["total"]["sent"]["email"].as_u64().expect("a number");
    assert!((14..=16).contains(&sent), "two customers on seven days: {told:#}");
    let days = told["days"].as_array().expect("days");
    assert!(days.len() >= 7 && days.iter().all(|day| day["rules"][0]["rule"] == "note"), "{told:#}");
    assert_eq!(told["total"]["skipped"]["no_address"], 1, "once, whatever the number of days");
    assert_eq!(told["drafts"], serde_json::json!(["treat"]));
    assert_eq!(told["held"], serde_json::json!([]), "two messages a day");
    let text = home.plusone(&["simulate", "--to", "+7d"]).ended_with(0).stdout;
    for part in ["Nothing was sent", "all days", "note", "no_address", "drafts are left out: treat"] {
        assert!(text.contains(part), "{part}: {text}");
    }
    assert_eq!(home.plusone(&["log", "--json"]).ended_with(0).stdout, "", "nothing was written down");
}

#[test]
fn a_draft_that_is_named_is_taken_as_live_beside_the_others() {
    let home = shop();
    let told = home.plusone(&["simulate", "--rule", "treat", "--to", "+2d", "--json"]).ended_with(0).json();
    let rules: Vec<&str> =
        told["rules"].as_array().expect("rules").iter().filter_map(|one| one["rule"].as_str()).collect();
    assert_eq!(rules, ["treat"]);
    assert_eq!(told["total"]["messages"], 2, "{told:#}");
    assert_eq!(told["total"]["skipped"]["no_consent"], 1, "{told:#}");
    assert_eq!(told["drafts"], serde_json::json!([]));
}

#[test]
fn a_run_that_the_guard_would_hold_is_told() {
    let home = shop();
    let people = ["a,a@shop.test,Ada,,yes", "b,b@shop.test,Ben,,yes", "c,c@shop.test,Cleo,,yes"];
    home.write("customers.csv", &customers(&people));
    let told = home.plusone(&["simulate", "--to", "+2d", "--json"]).ended_with(0).json();
    let held = told["held"].as_array().expect("runs");
    assert!(held.len() >= 2, "each day: {told:#}");
    assert_eq!(held[0]["reason"], "would reach 3 customers; guard.max_recipients is 2");
    assert!(told["total"]["messages"].as_u64() >= Some(6), "it goes on as if somebody had approved: {told:#}");
}

#[test]
fn files_for_people_hold_no_formula_and_no_markup_of_others() {
    let home = shop();
    let files = ["--csv", "out.csv", "--html", "page.html"];
    home.plusone(&[&["simulate", "--to", "+3d"][..], &files].concat()).ended_with(0);
    let sheet = home.read("out.csv");
    let mut lines = sheet.lines();
    let headings = "\"day\",\"time\",\"rule\",\"customer\",\"about\",\"occurrence\",\"channel\",\"state\",\"reason\",\"offer\",\
                    \"cost\",\"offer_cost\"";
    assert_eq!(lines.next(), Some(headings));
    assert!(sheet.contains("\"note\",\"'=a\""), "{sheet}");
    assert!(lines.clone().any(|line| line.contains("\"sent\"")) && lines.any(|line| line.contains("\"no_address\"")));
    let page = home.read("page.html");
    assert!(page.contains("<svg") && page.contains("prefers-color-scheme: dark") && page.contains("Day by day"));
    assert!(!page.contains("<script") && !page.contains("http"), "it asks nobody for anything");
    // Only the channels that anything goes by, words for reasons, and no money where nothing has a price.
    assert!(page.contains("</i>Email</li></ul>") && page.contains("1 no address"), "{page}");
    for absent in ["Calls", "no_address", "for sending", "<b>0</b>"] {
        assert!(!page.contains(absent), "{absent}: {page}");
    }
}

#[test]
fn what_cannot_be_simulated_is_refused_with_the_way_out() {
    let home = shop();
    for (arguments, said) in [
        (&["--from", "-2d", "--to", "+1d"][..], "is in the past: a simulation begins now"),
        (&["--to", "-1h"], "is not after --from"),
        (&["--from", "+3d", "--to", "+2d"], "is not after --from"),
        (&["--to", "+500d"], "at most 400 days"),
        (&["--to", "sometime"], "is not a time"),
        (&["--to", "+1d", "--rule", "nte"], "closest: note"),
        (&["--to", "+1d", "--csv", "/nowhere/out.csv"], "cannot write /nowhere/out.csv"),
    ] {
        let ran = home.plusone(&[&["simulate"][..], arguments].concat());
        assert_ne!(ran.code, Some(0), "{arguments:?}");
        assert!(ran.stderr.contains(said), "{arguments:?}: {}", ran.stderr);
    }
}

#[test]
fn a_simulation_that_is_interrupted_leaves_nothing_behind() {
    let home = shop();
    let temporary = folder("temporary");
    home.write("config/rules/note.toml", &rule(&[("schedule", "\"every 15 minutes\""), ("again_after", "\"1h\"")]));
    let mut command = home.command(&["simulate", "--to", "+400d"]);
    let child = command.env("TMPDIR", temporary.path()).stdout(Stdio::null()).stderr(Stdio::null()).spawn();
    let mut child = child.expect("started");
    let files = || std::fs::read_dir(temporary.path()).expect("a folder").count();
    wait_for("the scratch database", Duration::from_secs(60), || (files() > 0).then_some(()));
    let stopped = Command::new("kill").args(["-INT", &child.id().to_string()]).status().expect("kill runs");
    assert!(stopped.success());
    let status = wait_for("its end", Duration::from_secs(60), || child.try_wait().expect("it is ours"));
    assert_eq!(status.code(), Some(130));
    assert_eq!(files(), 0);
}
