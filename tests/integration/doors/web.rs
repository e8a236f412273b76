//! The door of the web server: garbage, oversized and endless requests harm nobody.

use super::shop;
use crate::harness::daemon::Daemon;
use crate::harness::home::Settings;
use crate::harness::{address, socket};
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::time::Duration;

#[test]
fn garbage_on_the_web_port_is_answered_or_dropped_and_the_daemon_works_on() {
    let home = shop(2, &Settings::default());
    let mut daemon = Daemon::start(&home);
    daemon.wait_until_ready();
    let mut open = Vec::new();
    let long = format!("GET /{} HTTP/1.1\r\nHost: x\r\n\r\n", "a".repeat(1 << 20));
    let headers = format!("GET /livez HTTP/1.1\r\n{}\r\n", "X-A: b\r\n".repeat(100_000));
    let body = format!("POST /livez HTTP/1.1\r\nHost: x\r\nContent-Length: 10485760\r\n\r\n{}", "[".repeat(1 << 20));
    let requests: [&[u8]; 9] = [
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
        b"\0\0\0\0\r\n\r\n",
        b"GET / HTTP/9.9\r\n\r\n",
        b"GET /../../etc/passwd HTTP/1.1\r\nHost: x\r\n\r\n",
        b"GET /%00%ff HTTP/1.1\r\nHost: x\r\n\r\n",
        b"POST /livez HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\nzz\r\n",
        long.as_bytes(),
        headers.as_bytes(),
        body.as_bytes(),
    ];
    for request in requests {
        let mut stream = TcpStream::connect(socket(home.port)).expect("the server listens");
        stream.set_read_timeout(Some(Duration::from_secs(10))).expect("a limit");
        // the server may close before it has read all
        let _ = stream.write_all(request);
        let mut answer = [0; 512];
        let read = stream.read(&mut answer).unwrap_or(0);
        let answer = String::from_utf8_lossy(&answer[..read]);
        assert!(answer.is_empty() || answer.starts_with("HTTP/1.1 4") || answer.starts_with("HTTP/1.0 4"), "{answer}");
        open.push(stream);
    }
    for _ in 0..200 {
        let mut stream = TcpStream::connect(socket(home.port)).expect("the server listens");
        stream.write_all(b"GET /livez HTTP/1.1\r\nX-Slow: ").expect("written");
        open.push(stream);
    }
    let (status, _) = daemon.get("/livez").expect("an answer beside 200 open requests");
    assert_eq!(status, 200);
    daemon.wait_until_ready();
    let (status, said) = daemon.terminate();
    assert!(status.success() && !said.contains("panicked"), "{status}: {said}");
}

#[test]
fn a_port_that_is_taken_is_told_with_the_setting() {
    let home = shop(1, &Settings::default());
    let _taken = TcpListener::bind(socket(home.port)).expect("the port is free");
    let listen = format!("{}:{}", address(), home.port);
    super::expect(home.plusone(&["run"]), 1, &["cannot listen", &listen, "[web] listen"]);
    home.plusone(&["once"]).ended_with(0);
    assert_eq!(super::outbox(&home).len(), 1, "`once` needs no port and no lock is left behind");
}
