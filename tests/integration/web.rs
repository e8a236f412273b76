//! The web server over a real connection: probes, figures, what does not work, and its end.

use crate::databases::{databases, script};
use plusone::clock::Clock;
use plusone::health::{Health, Phase};
use plusone::metrics::{Metrics, Outcome};
use plusone::rules::{Channel, Purpose};
use plusone::store::db::Db;
use plusone::time::Timestamp;
use plusone::touchpoints::Reason;
use plusone::web::{Web, listen, serve};
use plusone::workspace::{InForce, Workspace};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

/// A running server.
struct Server {
    address: SocketAddr,
    health: Health,
    metrics: Metrics,
    stop: oneshot::Sender<()>,
    task: JoinHandle<std::io::Result<()>>,
}

/// An answer: its status, its headers in lower case, its body.
struct Reply {
    status: u16,
    headers: BTreeMap<String, String>,
    body: String,
}

impl Reply {
    fn json(&self) -> Value {
        serde_json::from_str(&self.body).expect("a JSON body")
    }
}

/// The sample's own configuration.
fn workspace() -> Workspace {
    let files = plusone::config::Files::read(crate::harness::root());
    let none = BTreeMap::new();
    Workspace::open(&files, &plusone::config::Environment::default(), &none).expect("the sample is good")
}

impl Server {
    async fn start(db: &Db) -> Self {
        let listener = listen("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("an address");
        let health = Health::default();
        let metrics = Metrics::start([(Channel::Email, "relay".to_owned())]);
        let clock = Clock::manual("2026-11-03T12:00:00Z".parse::<Timestamp>().expect("an instant"));
        let web = Web {
            db: db.clone(),
            clock,
            metrics: metrics.clone(),
            health: health.clone(),
            in_force: InForce::of(Arc::new(workspace())),
            home: crate::harness::root().to_owned(),
        };
        let (stop, stopped) = oneshot::channel::<()>();
        let task = tokio::spawn(serve(listener, web, async move {
            let _ = stopped.await;
        }));
        Self { address, health, metrics, stop, task }
    }

    async fn ask(&self, request: &str) -> Reply {
        let mut connection = TcpStream::connect(self.address).await.expect("a connection");
        let request = format!("{request}Host: x\r\nConnection: close\r\n\r\n");
        connection.write_all(request.as_bytes()).await.expect("written");
        let mut answer = String::new();
        connection.read_to_string(&mut answer).await.expect("an answer");
        let (head, body) = answer.split_once("\r\n\r\n").expect("a head and a body");
        let mut lines = head.lines();
        let status = lines.next().expect("a status line")[9..12].parse().expect("a status");
        let header = |line: &str| line.split_once(": ").map(|(name, value)| (name.to_lowercase(), value.to_owned()));
        Reply { status, headers: lines.filter_map(header).collect(), body: body.to_owned() }
    }

    async fn get(&self, path: &str) -> Reply {
        self.ask(&format!("GET {path} HTTP/1.1\r\n")).await
    }

    async fn end(self) {
        self.stop.send(()).expect("a server that listens");
        let ended = tokio::time::timeout(Duration::from_secs(20), self.task).await;
        ended.expect("the server ends").expect("no panic").expect("no error");
    }
}

#[tokio::test]
async fn a_program_is_alive_at_once_and_ready_when_it_runs() {
    for trial in databases().await {
        let server = Server::start(&trial.db).await;
        assert_eq!(server.get("/livez").await.status, 200, "{}", trial.name);
        let starting = server.get("/readyz").await;
        assert_eq!(starting.status, 503, "{}", trial.name);
        let check = json!([{"name": "program", "status": "fail", "details": ["starting"]}]);
        assert_eq!(starting.json()["checks"], check, "{}", trial.name);
        server.health.set_phase(Phase::Running);
        let running = server.get("/readyz").await;
        assert_eq!((running.status, running.json()), (200, json!({"status": "pass", "checks": []})), "{}", trial.name);
        assert_eq!(running.headers["cache-control"], "no-store");
        let verbose = server.get("/readyz?verbose").await.json();
        let checks = verbose["checks"].as_array().expect("checks");
        let names: Vec<&str> = checks.iter().map(|check| check["name"].as_str().expect("a name")).collect();
        assert_eq!(names, ["database", "migrations", "program", "configuration", "providers"], "{}", trial.name);
        server.health.set_phase(Phase::Stopping);
        assert_eq!(server.get("/readyz").await.status, 503, "{}", trial.name);
        server.end().await;
    }
}

#[tokio::test]
async fn broken_files_and_providers_are_told_but_do_not_take_it_out_of_service() {
    for trial in databases().await {
        let server = Server::start(&trial.db).await;
        server.health.set_phase(Phase::Running);
        server.health.set_configuration(vec!["config/rules/a.toml:3:1: `wen` is not a key".to_owned()]);
        server.health.set_provider("relay", Some("connection refused".to_owned()));
        server.health.set_provider("outbox", None);
        let reply = server.get("/readyz").await;
        assert_eq!((reply.status, &reply.json()["status"]), (200, &json!("warn")), "{}", trial.name);
        let expected = json!([
            {"name": "configuration", "status": "warn", "details": ["config/rules/a.toml:3:1: `wen` is not a key"]},
            {"name": "providers", "status": "warn", "details": ["relay: connection refused"]},
        ]);
        assert_eq!(reply.json()["checks"], expected, "{}", trial.name);
        server.end().await;
    }
}

#[tokio::test]
async fn without_its_schema_or_its_database_it_is_alive_but_not_ready() {
    for trial in databases().await {
        let server = Server::start(&trial.db).await;
        server.health.set_phase(Phase::Running);
        script(&trial.db, "insert into schema_version (version) values (999)").await;
        let newer = server.get("/readyz").await;
        assert_eq!((newer.status, &newer.json()["checks"][0]["name"]), (503, &json!("migrations")), "{}", trial.name);
        trial.db.close().await;
        let closed = server.get("/readyz").await;
        assert_eq!(closed.status, 503, "{}", trial.name);
        assert_eq!(closed.json()["checks"][0]["details"], json!(["the database refuses"]), "{}", trial.name);
        assert_eq!(server.get("/livez").await.status, 200, "{}", trial.name);
        assert_eq!(server.get("/metrics").await.status, 200, "{}", trial.name);
        server.end().await;
    }
}

#[tokio::test]
async fn figures_come_in_the_format_that_is_asked_for() {
    for trial in databases().await {
        let server = Server::start(&trial.db).await;
        let took = Duration::from_millis(20);
        server.metrics.sent(Channel::Email, "relay", Purpose::Promotional, Outcome::Sent, took);
        server.metrics.suppressed(Reason::NoConsent, 2);
        let planned = "insert into touchpoints (bucket, id, rule, rule_version, kind, topic, purpose, customer, \
            entity_kind, entity_id, occurrence, step, run_id, as_of, channel, state, due_at, priority, on_doubt, \
            attempts, possible_duplicate, test, version, created_at, updated_at) values (1, 'x', 'r', 'v', 'status', \
            't', 'transactional', '17', 'customer', '17', '-', 0, 'run', 1, 'sms', 'planned', 1793707140000000, 50, \
            'ask', 0, 0, 0, 1, 1, 1)";
        script(&trial.db, planned).await;
        let classic = server.get("/metrics").await;
        assert_eq!(classic.headers["content-type"], "text/plain; version=0.0.4; charset=utf-8");
        assert!(!classic.body.contains("# EOF"));
        let accept = "GET /metrics HTTP/1.1\r\nAccept: application/openmetrics-text;version=1.0.0,text/plain;q=0.5\r\n";
        let open = server.ask(accept).await;
        assert_eq!(open.headers["content-type"], "application/openmetrics-text; version=1.0.0; charset=utf-8");
        assert!(open.body.ends_with("# EOF\n"));
        for line in [
            r#"plusone_sends_total{channel="email",provider="relay",category="promotional",outcome="sent"} 1"#,
            r#"plusone_sends_total{channel="email",provider="relay",category="promotional",outcome="failed"} 0"#,
            r#"plusone_suppressed_total{reason="no_consent"} 2"#,
            r#"plusone_queue_depth{channel="sms",category="transactional"} 1"#,
            r#"plusone_queue_oldest_age_seconds{channel="sms",category="transactional"} 60.0"#,
        ] {
            for body in [&classic.body, &open.body] {
                assert!(body.lines().any(|found| found == line), "{}: {line} in\n{body}", trial.name);
            }
        }
        server.end().await;
    }
}

#[tokio::test]
async fn what_does_not_work_is_answered_with_a_problem() {
    let trial = databases().await.remove(0);
    let server = Server::start(&trial.db).await;
    for (request, status) in [
        ("GET /api/v1/touchpoints HTTP/1.1\r\n", 404),
        ("GET / HTTP/1.1\r\n", 404),
        ("GET /livez/ HTTP/1.1\r\n", 404),
        ("POST /livez HTTP/1.1\r\nContent-Length: 0\r\n", 405),
        ("DELETE /metrics HTTP/1.1\r\n", 405),
    ] {
        let reply = server.ask(request).await;
        assert_eq!(reply.status, status, "{request}");
        assert_eq!(reply.headers["content-type"], "application/problem+json", "{request}");
        assert_eq!(reply.json()["status"], status, "{request}");
    }
    server.end().await;
}

#[tokio::test]
async fn a_silent_connection_does_not_hold_up_the_end() {
    let trial = databases().await.remove(0);
    let server = Server::start(&trial.db).await;
    let mut silent = TcpStream::connect(server.address).await.expect("a connection");
    silent.write_all(b"GET /livez HTTP/1.1\r\nHost").await.expect("half a request");
    assert_eq!(server.get("/livez").await.status, 200);
    server.end().await;
}

// Elsewhere the system's own limit may be lower.
#[cfg(target_os = "linux")]
#[tokio::test]
async fn a_crowd_that_comes_while_nobody_is_taken_waits_and_is_not_turned_away() {
    let listener = listen("localhost:0").await.expect("a free port");
    let place = listener.local_addr().expect("an address");
    let come = |n: usize| {
        let came = std::net::TcpStream::connect_timeout(&place, Duration::from_secs(10));
        came.unwrap_or_else(|error| panic!("number {n} is not heard: {error}"))
    };
    let crowd: Vec<std::net::TcpStream> = (0..300).map(come).collect();
    for one in crowd {
        let (_, peer) = listener.accept().await.expect("one of them");
        assert_eq!(peer, one.local_addr().expect("an address"), "in the order in which they came");
    }
}
