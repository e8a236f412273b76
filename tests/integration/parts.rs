//! The parts themselves: each starts, answers and stops; the sinks lose and log as they are told.

use crate::harness::daemon::Daemon;
use crate::harness::faulty_sink::{Faults, FaultySink, Injected};
use crate::harness::home::{Home, Settings};
use crate::harness::mail;
use crate::harness::postfix::Postfix;
use crate::harness::postgres::Database;
use crate::harness::prism::Prism;
use crate::harness::smtp_sink::SmtpSink;
use crate::harness::{address, free_port, node_program, python, root, socket};
use crate::smtp_client::{Answer, Client};
use std::io::{Read, Write};
use std::net::TcpStream;
use std::process::Command;
use std::time::Duration;

#[test]
fn a_port_is_given_to_one_caller_only() {
    let ports: std::collections::HashSet<u16> = (0..50).map(|_| free_port()).collect();
    assert_eq!(ports.len(), 50);
}

#[test]
fn a_database_of_the_runs_postgresql_is_empty_and_ones_own() {
    let (Some(one), Some(two)) = (Database::create(), Database::create()) else { return };
    assert_ne!(one.url, two.url);
    for database in [&one, &two] {
        database.execute("CREATE TABLE only_here (id bigint PRIMARY KEY)");
    }
}

#[test]
fn the_faulty_sink_logs_what_it_accepts_before_it_answers() {
    let sink = FaultySink::start(Faults::default());
    let mut client = Client::connect(sink.port).expect("the sink listens");
    for n in 0..3 {
        assert_eq!(client.send(&format!("c{n}@customers.test"), &format!("m{n}@shop.test")), Answer::Accepted);
    }
    let ids: Vec<String> = sink.accepted().into_iter().map(|accepted| accepted.message_id).collect();
    assert_eq!(ids, ["m0@shop.test", "m1@shop.test", "m2@shop.test"]);
    let last = sink.accepted().pop().expect("three were accepted");
    assert_eq!((last.recipient.as_str(), last.answered), ("c2@customers.test", true));
    assert!(last.bytes > 0 && last.at >= sink.accepted()[0].at);
    assert_eq!((sink.injected(), sink.most_connections()), (Injected::default(), 1));
}

#[test]
fn the_faulty_sink_loses_replies_and_messages_as_often_as_it_says() {
    let faults = Faults { seed: 7, reply_lost: 0.1, dropped_at_dot: 0.1, dropped_in_body: 0.1 };
    let run = || {
        let sink = FaultySink::start(faults);
        let mut answered = 0;
        for n in 0..200 {
            let mut client = Client::connect(sink.port).expect("the sink listens");
            answered += usize::from(client.send("c@customers.test", &format!("m{n}@shop.test")) == Answer::Accepted);
        }
        // what was not answered is logged a moment after the client saw the end
        let injected = sink.injected();
        assert!(sink.wait_for(answered + injected.replies_lost, Duration::from_secs(10)));
        let accepted = sink.accepted();
        assert_eq!(accepted.iter().filter(|accepted| accepted.answered).count(), answered);
        assert_eq!(accepted.iter().filter(|accepted| !accepted.answered).count(), injected.replies_lost);
        assert_eq!(answered + injected.replies_lost + injected.dropped_at_dot + injected.dropped_in_body, 200);
        injected
    };
    let injected = run();
    for count in [injected.replies_lost, injected.dropped_at_dot, injected.dropped_in_body] {
        assert!((5..50).contains(&count), "{injected:?}");
    }
    assert_eq!(run(), injected, "the same seed, the same faults");
}

#[test]
fn waiting_for_more_than_the_sink_gets_ends_with_a_no() {
    let sink = FaultySink::start(Faults::default());
    assert!(!sink.wait_for(1, Duration::from_millis(1)));
}

#[test]
fn smtp_sink_keeps_what_it_takes_and_hangs_up_when_told() {
    let Some(sink) = SmtpSink::start(&[]) else { return };
    let mut client = Client::connect(sink.port).expect("smtp-sink listens");
    assert_eq!(client.send("c1@customers.test", "m1@shop.test"), Answer::Accepted);
    let mails = sink.mails();
    assert_eq!(mails.len(), 1);
    assert_eq!(mail::header(&mails[0], "message-id"), "<m1@shop.test>");
    assert_eq!(mail::part(&mails[0], "text/plain").map(str::trim), Some("Hello."));

    let hangs_up = SmtpSink::start(&["-q", "."]).expect("the first one started");
    let mut client = Client::connect(hangs_up.port).expect("smtp-sink listens");
    assert_eq!(client.send("c1@customers.test", "m1@shop.test"), Answer::Lost);
}

#[test]
fn postfix_delivers_refuses_and_bounces() {
    let Some(postfix) = Postfix::start() else { return };
    let mut client = Client::connect(postfix.smtp).expect("Postfix listens");
    assert_eq!(client.send("c1@customers.test", "m1@shop.test"), Answer::Accepted);
    assert_eq!(client.send("refused@customers.test", "m2@shop.test"), Answer::Refused("550 5.1.1".to_owned()));
    assert_eq!(client.send("grey@customers.test", "m3@shop.test"), Answer::Refused("450 4.7.1".to_owned()));
    assert_eq!(client.send("gone@customers.test", "m4@shop.test"), Answer::Accepted);

    let delivered = postfix.wait_for_mail("customers.test", 1);
    assert_eq!(mail::header(&delivered[0], "message-id"), "<m1@shop.test>");
    assert_eq!(mail::header(&delivered[0], "delivered-to"), "c1@customers.test");
    let returned = postfix.wait_for_mail("sender.test", 1);
    assert_eq!(returned[0]["type"], "multipart/report");
    assert_eq!(mail::header(&returned[0], "x-original-to"), "bounces+m4@sender.test");
    assert!(postfix.log().contains("message-id=<m1@shop.test>"));
    assert!(postfix.ca_file().exists());
    for port in [postfix.submission, postfix.imap] {
        assert!(TcpStream::connect(socket(port)).is_ok());
    }
}

#[test]
fn prism_answers_from_the_description_and_refuses_what_does_not_fit() {
    let Some(prism) = Prism::mock("twilio-messages-calls.strict.json") else { return };
    let path = format!("/2010-04-01/Accounts/AC{}/Messages.json", "0".repeat(32));
    let good = post(prism.port, &path, "To=%2B442079460001&From=%2B442079460000&Body=Hello");
    assert!(good.starts_with("HTTP/1.1 201"), "{good}");
    let without_to = post(prism.port, &path, "From=%2B442079460000&Body=Hello");
    assert!(without_to.starts_with("HTTP/1.1 422"), "{without_to}");

    // in front of the first one: a bad request never gets there
    let proxy = Prism::proxy("twilio-messages-calls.strict.json", &prism.url()).expect("the first one started");
    let through = post(proxy.port, &path, "From=%2B442079460000&Body=Hello");
    assert!(through.starts_with("HTTP/1.1 422"), "{through}");
}

#[test]
fn the_packages_of_node_and_python_are_there() {
    if let Some(taplo) = node_program("taplo") {
        let lint = Command::new(taplo)
            .args(["lint", "--no-schema"])
            .arg(root().join("Cargo.toml"))
            .output()
            .expect("taplo starts");
        assert!(lint.status.success(), "{}", String::from_utf8_lossy(&lint.stderr));
    }
    if let Some(python) = python() {
        assert!(Command::new(python).args(["-c", "import phonenumbers"]).status().expect("Python starts").success());
    }
}

#[test]
fn a_home_runs_the_program_and_gives_what_it_said() {
    let home = Home::new().settings(&Settings::default()).with("PLUSONE_TEST_SAYS", "hello");
    assert!(home.read("config/plusone.toml").contains(&format!("listen = \"{}:{}\"", address(), home.port)));
    let version = home.plusone(&["--version"]).ended_with(0);
    assert_eq!(version.stdout.trim(), concat!("plusone ", env!("CARGO_PKG_VERSION")));
    let unknown = home.plusone(&["no-such-command"]).ended_with(2);
    assert!(unknown.stderr.contains("no-such-command") && unknown.stdout.is_empty());
    let environment = home.command(&[]);
    assert!(environment.get_envs().any(|(name, value)| name == "PLUSONE_TEST_SAYS" && value.is_some()));
}

#[test]
fn a_watched_process_is_waited_for_killed_and_terminated() {
    let said_and_serves = |port: u16| {
        let serve = "import http.server, sys\n\
            class Ready(http.server.BaseHTTPRequestHandler):\n\
            \x20def do_GET(self):\n\
            \x20 self.send_response(200 if self.path == '/readyz' else 404); self.end_headers(); self.wfile.write(b'ready')\n\
            \x20def log_message(self, *_): pass\n\
            print('serving', flush=True)\n\
            http.server.HTTPServer((sys.argv[1], int(sys.argv[2])), Ready).serve_forever()";
        let mut command = Command::new("python3");
        command.args(["-c", serve, &address(), &port.to_string()]);
        Daemon::watch(&mut command, port)
    };
    let mut first = said_and_serves(free_port());
    assert_eq!(first.wait_for_line("serv"), "serving");
    first.wait_until_ready();
    assert_eq!(first.get("/elsewhere").map(|(status, _)| status), Some(404));
    assert!(first.kill(), "it was running");

    let mut second = said_and_serves(free_port());
    second.wait_until_ready();
    let (status, said) = second.terminate();
    assert!(!status.success());
    assert_eq!(said, "serving");
}

fn post(port: u16, path: &str, form: &str) -> String {
    let mut stream = TcpStream::connect(socket(port)).expect("the server listens");
    let length = form.len();
    // QUM6c2VjcmV0 is AC:secret
    write!(
        stream,
        "POST {path} HTTP/1.1\r\nHost: api.test\r\nAuthorization: Basic QUM6c2VjcmV0\r\n\
         Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n{form}"
    )
    .expect("the request is written");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).expect("the answer is text");
    answer
}
