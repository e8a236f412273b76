//! Prism: serves a provider's own API description, and refuses requests that do not fit it.
//!
//! What it does not check: the form of phone numbers, and form fields that the description does not know.

use super::server::Server;
use super::{address, free_port, node_program, shared};
use std::process::{Command, Stdio};
use std::time::Duration;

pub struct Prism {
    pub port: u16,
    _server: Server,
}

impl Prism {
    /// Answers with the examples of `../shared/specs/<specification>`.
    pub fn mock(specification: &str) -> Option<Self> {
        Self::start(&["mock"], specification, None)
    }

    /// Stands before `upstream` and checks both sides: a bad request is 4xx, a bad answer 500.
    pub fn proxy(specification: &str, upstream: &str) -> Option<Self> {
        Self::start(&["proxy", "--errors"], specification, Some(upstream))
    }

    /// Where it answers.
    pub fn url(&self) -> String {
        format!("http://{}:{}", address(), self.port)
    }

    fn start(mode: &[&str], specification: &str, upstream: Option<&str>) -> Option<Self> {
        let program = node_program("prism")?;
        let specification = shared(&format!("specs/{specification}"))?;
        let port = free_port();
        let mut command = Command::new(program);
        command.args(mode).args(["-h", &address(), "-p", &port.to_string()]).arg(specification).args(upstream);
        let mut server = Server::start(command.stdout(Stdio::null()).stderr(Stdio::null()));
        server.wait_for_port(port, Duration::from_secs(60));
        Some(Self { port, _server: server })
    }
}
