//! Idle: what the daemon costs when nothing is due, as the system counts it.
//!
//! `plusone run` is started in a home that `plusone init` made, is given time to do what is due at once, and is then
//! left alone. There is no limit to measure beside it: the limit is the mark, half a percent of one core.

use super::home::Home;
use super::{BenchError, Figures, Result, Size, Stage, process};
use serde_json::json;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

/// In percent of one core.
const MARK: f64 = 0.5;

/// A daemon that ends with the value.
struct Daemon(Child);

impl Drop for Daemon {
    fn drop(&mut self) {
        // Its home is the bench's own and goes with it: nothing is lost.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

pub async fn measure(size: Size) -> Result<Figures> {
    let (settling, span) = match size {
        Size::Small => (Duration::from_secs(2), Duration::from_secs(2)),
        Size::Full => (Duration::from_secs(10), Duration::from_secs(40)),
    };
    let home = Home::empty()?;
    let program = std::env::current_exe().map_err(BenchError::io("cannot tell which program this is"))?;
    let started = |result: std::io::Result<_>| result.map_err(BenchError::io("cannot start plusone"));
    let mut init = Command::new(&program);
    let made = started(init.arg("init").arg(home.path()).stdout(Stdio::null()).status())?;
    if !made.success() {
        return Err(BenchError::Void(format!("`plusone init` ended with {made}")));
    }
    let mut run = Command::new(&program);
    run.arg("run").arg("--home").arg(home.path()).env("PLUSONE_WEB__LISTEN", "127.0.0.1:0");
    run.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    let mut daemon = Daemon(run.spawn().map_err(BenchError::io("cannot start plusone"))?);
    tokio::time::sleep(settling).await;
    let before = spent(&mut daemon)?;
    tokio::time::sleep(span).await;
    let after = spent(&mut daemon)?;
    let setup = json!({
        "database": "SQLite, synchronous=FULL",
        "seconds": span.as_secs(),
        "processor_seconds": super::rounded(after - before),
        "limit_is": "the mark itself",
        "mark": "at most 0.5% of a core and 40 MB",
    });
    Ok(Figures {
        stage: Stage::Idle,
        ours: (after - before) / span.as_secs_f64() * 100.0,
        limit: MARK,
        unit: "% of a core",
        peak_rss_mb: process::peak_mb(daemon.0.id()),
        setup: setup.as_object().cloned().unwrap_or_default(),
    })
}

fn spent(daemon: &mut Daemon) -> Result<f64> {
    if let Ok(Some(ended)) = daemon.0.try_wait() {
        return Err(BenchError::Void(format!("the daemon ended with {ended}")));
    }
    let spent = process::processor_seconds(daemon.0.id());
    spent.ok_or_else(|| BenchError::Void("this system does not tell what a process costs".to_owned()))
}
