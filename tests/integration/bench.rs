//! The bench measures: each stage runs small, and says what it found under the stable names. Never how fast.

use crate::harness::home::Home;
use crate::harness::{missing, on_path};
use serde_json::Value;

fn measured(stage: &str) -> Value {
    let arguments = ["bench", stage, "--size", "small", "--rounds", "1", "--json"];
    let figures = Home::new().plusone(&arguments).ended_with(0).json();
    let names: Vec<&String> = figures.as_object().expect("a document").keys().collect();
    assert_eq!(names, ["stage", "ours", "limit", "ratio", "unit", "peak_rss_mb", "setup"]);
    assert_eq!(figures["stage"], stage);
    assert!(figures["limit"].as_f64().is_some_and(|limit| limit > 0.0), "{figures:#}");
    assert!(figures["setup"].is_object() && figures["unit"].is_string(), "{figures:#}");
    if cfg!(target_os = "linux") {
        assert!(figures["peak_rss_mb"].as_f64().is_some_and(|peak| peak > 1.0), "{figures:#}");
    }
    figures
}

fn assert_positive(figures: &Value) {
    for name in ["ours", "ratio"] {
        assert!(figures[name].as_f64().is_some_and(|figure| figure > 0.0), "{figures:#}");
    }
}

#[test]
#[ignore = "wants the release build: run by tests/run"]
fn evaluation_is_measured() {
    let figures = measured("evaluate");
    assert_positive(&figures);
    assert_eq!(figures["setup"]["planned"], 1_000);
}

#[test]
#[ignore = "wants the release build: run by tests/run"]
fn a_simulated_month_is_measured() {
    let figures = measured("simulate");
    assert_positive(&figures);
    assert!(figures["setup"]["ticks"].as_u64().is_some_and(|ticks| ticks > 20_000), "{figures:#}");
}

#[test]
#[ignore = "wants the release build: run by tests/run"]
fn checking_is_measured() {
    let figures = measured("check");
    assert_positive(&figures);
    assert_eq!(figures["setup"]["tests"], 30);
}

#[test]
#[ignore = "wants the release build: run by tests/run"]
fn questions_are_measured() {
    let who = measured("who");
    assert_positive(&who);
    assert_eq!(who["setup"]["selected"], 1_000);
    assert_positive(&measured("why"));
}

#[test]
#[ignore = "wants the release build: run by tests/run"]
fn import_is_measured() {
    assert_positive(&measured("import"));
}

#[test]
#[ignore = "wants the release build: run by tests/run"]
fn email_is_measured_for_each_window() {
    if !on_path("smtp-source") {
        missing("smtp-source");
        return;
    }
    let figures = measured("email");
    assert_positive(&figures);
    let windows = figures["setup"]["windows"].as_array().expect("a list");
    let doubts = windows.iter().map(|one| {
        let most = one["in_doubt_per_crash"]["most"].as_f64().expect("a number");
        (one["window"].as_u64().expect("a number"), most)
    });
    for (window, most) in doubts {
        assert!(most <= (window * 10) as f64, "{most} in doubt with ten connections and a window of {window}");
    }
}

#[test]
#[ignore = "wants the release build: run by tests/run"]
fn an_idle_daemon_is_measured() {
    let figures = measured("idle");
    // two seconds may pass without one tick of the kernel's clock
    assert!(figures["ours"].as_f64().is_some_and(|ours| ours >= 0.0), "{figures:#}");
}

#[test]
#[ignore = "wants the release build: run by tests/run"]
fn an_unknown_stage_is_bad_usage() {
    Home::new().plusone(&["bench", "everything"]).ended_with(2);
}
