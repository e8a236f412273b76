//! The command: what it prints and writes, what it refuses, and that it leaves nothing behind.

use crate::harness::home::{Home, Settings};
use crate::harness::{chromium, folder, node_modules, wait_for};
use crate::pages::drive;
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
fn where_no_rule_is_live_the_drafts_are_taken_as_live_and_that_is_said_first() {
    let home = shop();
    home.write("config/rules/note.toml", &rule(&[("live", "false")]));
    let told = home.plusone(&["simulate", "--to", "+2d", "--json"]).ended_with(0).json();
    assert_eq!((&told["as_live"], &told["drafts"]), (&serde_json::json!(["note", "treat"]), &serde_json::json!([])));
    assert_eq!(told["total"]["messages"], 4, "both rules, two customers each: {told:#}");
    let text = home.plusone(&["simulate", "--to", "+2d", "--html", "page.html"]).ended_with(0).stdout;
    let remark = "No rule is live: these drafts are taken as if they were, note, treat.";
    assert_eq!(text.lines().nth(1), Some(remark), "{text}");
    assert!(home.read("page.html").contains(remark));
    let text = home.plusone(&["simulate", "--rule", "note", "--to", "+2d"]).ended_with(0).stdout;
    assert!(!text.contains("No rule is live"), "they were asked for: {text}");
}

#[test]
fn messages_before_the_time_that_is_told_of_are_said() {
    let home = shop();
    let asked = ["simulate", "--from", "+2d", "--to", "+3d"];
    let told = home.plusone(&[&asked[..], &["--json"]].concat()).ended_with(0).json();
    let before = told["before"]["messages"].as_u64().expect("a number");
    assert!(
        (2..=6).contains(&before) && told["total"]["messages"].as_u64().is_some_and(|after| after <= 4),
        "{told:#}"
    );
    let text = home.plusone(&[&asked[..], &["--html", "page.html"]].concat()).ended_with(0).stdout;
    let remark = format!(" there would be {before} messages, not shown: `--from` leaves them out.");
    assert!(text.lines().nth(1).is_some_and(|line| line.ends_with(&remark)), "{text}");
    assert!(home.read("page.html").contains(&format!("there would be {before} messages, not shown")));
    let whole = home.plusone(&["simulate", "--to", "+3d"]).ended_with(0).stdout;
    assert!(!whole.contains("not shown"), "{whole}");
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
                    \"cost\",\"offer_cost\",\"before\"";
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
fn a_month_is_a_whole_month_however_few_its_messages() {
    let home = shop();
    home.write("config/rules/note.toml", &rule(&[]));
    let text = home.plusone(&["simulate", "--to", "+30d", "--html", "page.html"]).ended_with(0).stdout;
    let page = home.read("page.html");
    let cells = |class: &str| page.matches(&format!("<li class=\"{class}\">")).count();
    let (full, empty) = (cells("day"), cells("day none"));
    assert!((1..=2).contains(&full) && (30..=31).contains(&(full + empty)), "{full} and {empty}: {page}");
    let bars = page.split("</svg>").next().expect("a chart").matches("<g><title>").count();
    assert!(text.contains("since no provider has a `price`.\n"), "nothing of offers where nobody gives one: {text}");
    assert_eq!(bars, full + empty, "the chart has the same days: {page}");
    let pause = text.lines().find(|line| line.contains(" – ")).expect("the days without anything are one line");
    assert_eq!(pause.split_whitespace().filter(|word| *word == "-").count(), 7, "{text}");
}

#[test]
fn who_was_refused_before_is_told_in_every_answer_and_not_counted() {
    let home = shop();
    home.write("config/rules/note.toml", &rule(&[]));
    home.plusone(&["once"]).ended_with(0);
    let files = ["--csv", "out.csv", "--html", "page.html"];
    let text = home.plusone(&[&["simulate", "--to", "+3d"][..], &files].concat()).ended_with(0).stdout;
    assert!(text.contains("not counted above):\n       1  no_address: note 1"), "{text}");
    let told = home.plusone(&["simulate", "--to", "+3d", "--json"]).ended_with(0).json();
    let before = serde_json::json!([{ "rule": "note", "reason": "no_address", "count": 1 }]);
    assert_eq!((&told["refused_before"], &told["total"]["skipped"]), (&before, &serde_json::json!({})));
    let sheet = home.read("out.csv");
    let lines: Vec<&str> = sheet.lines().skip(1).collect();
    let [line] = &lines[..] else { panic!("{sheet}") };
    assert!(line.contains("\"note\",\"c\"") && line.contains("no_address") && line.ends_with("\"yes\""), "{line}");
    let page = home.read("page.html");
    assert!(
        page.contains("Refused before") && page.contains("<td>no address</td><td class=\"number\">1</td>"),
        "{page}"
    );
    // Of a rule that is not asked about nothing is told.
    let told = home.plusone(&["simulate", "--to", "+3d", "--rule", "treat", "--json"]).ended_with(0).json();
    assert_eq!(told["refused_before"], serde_json::json!([]));
}

#[test]
fn the_page_is_for_every_reader_on_a_phone_and_on_a_desk() {
    let (Some(modules), Some(browser)) = (node_modules(), chromium()) else { return };
    let home = Home::new();
    home.copy("config");
    home.copy("templates");
    home.plusone(&["simulate", "--to", "+30d", "--html", "page.html"]).ended_with(0);
    let url = format!("file://{}", home.path().join("page.html").display());
    let steps = serde_json::json!([{ "name": "simulation", "url": url, "expect": ["Calendar", "Day by day"] }]);
    let seen = drive(&home, &modules, &browser, &steps);
    assert_eq!(seen["looked"], 4, "two widths, light and dark: {seen}");
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
