//! Twilio's own SDK signs, a running daemon checks: our own way of signing is not the judge of itself.

use super::{ANN, PUBLIC, TOKEN, phone_home, twilio};
use crate::harness::daemon::Daemon;
use crate::harness::{address, python, root};
use serde_json::{Value, json};
use std::io::Write;
use std::process::{Command, Stdio};

/// Posts each request by the SDK; gives status and body of each.
fn post(python: &std::path::Path, requests: &[Value]) -> Vec<(u64, String)> {
    let mut command = Command::new(python);
    command.arg(root().join("tests/parts/twilio_webhooks.py")).stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut child = command.spawn().expect("python starts");
    let lines: String = requests.iter().map(|request| format!("{request}\n")).collect();
    child.stdin.take().expect("it is piped").write_all(lines.as_bytes()).expect("written");
    let output = child.wait_with_output().expect("it ends");
    assert!(output.status.success(), "twilio_webhooks.py failed");
    let read = |line: &str| {
        let answer: Value = serde_json::from_str(line).expect("JSON");
        (answer["status"].as_u64().expect("a status"), answer["body"].as_str().expect("a body").to_owned())
    };
    String::from_utf8(output.stdout).expect("UTF-8").lines().map(read).collect()
}

#[test]
fn what_twilios_sdk_signs_is_taken_and_what_is_spoilt_is_not() {
    let Some(python) = python() else { return };
    let (port, _heard) = twilio();
    let home = phone_home(None, port);
    let mut daemon = Daemon::start(&home);
    daemon.wait_until_ready();
    let to = format!("http://{}:{}", address(), home.port);
    let fields = json!([
        ["MessageSid", "SM1"],
        ["From", ANN],
        ["To", "+442079460000"],
        ["Body", "Arrêtez ! 😡 a&b=c+d"],
        ["NumMedia", "0"],
        ["FromCity", "Bristol"],
        ["FromCity", "Bath"],
        ["FromCity", "Bath"],
        ["ToZip", ""],
    ]);
    let request = |path: &str| json!({ "to": to, "public": PUBLIC, "path": path, "fields": fields, "secret": TOKEN });
    let with = |mut request: Value, key: &str, value: Value| {
        request[key] = value;
        request
    };
    let inbound = request("/hooks/phone/inbound");
    let shared = with(with(inbound.clone(), "key", "key-1".into()), "secret", "the-shared-key".into());
    let port_named = with(inbound.clone(), "public", format!("{PUBLIC}:443").into());
    let status = with(
        request("/hooks/phone/status?touchpoint=a%20b&x=%2F"),
        "fields",
        json!([
            ["MessageSid", "SM9"],
            ["MessageStatus", "delivered"],
            ["ErrorCode", ""],
            ["RawDlrDoneDate", "2611031200"],
        ]),
    );
    let answers = post(
        &python,
        &[
            inbound.clone(),
            shared.clone(),
            port_named,
            status.clone(),
            with(inbound.clone(), "spoil", true.into()),
            with(shared, "secret", TOKEN.into()),
            with(inbound, "public", "https://another.test".into()),
            with(status, "path", "/hooks/nobody/status".into()),
        ],
    );
    let statuses: Vec<u64> = answers.iter().map(|(status, _)| *status).collect();
    assert_eq!(statuses, [200, 200, 200, 204, 403, 403, 403, 404], "{answers:?}");
    assert_eq!(answers[0].1, "<Response/>");
    let (ended, said) = daemon.terminate();
    assert!(ended.success(), "{said}");
    let suppressed = home.plusone(&["suppress", "list"]);
    assert!(suppressed.stdout.contains("channel:sms") && suppressed.stdout.contains("+44…00"), "{}", suppressed.stdout);
}
