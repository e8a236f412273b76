//! A home folder of the bench's own: a shop with customers and orders, in the system's temporary folder.
//!
//! It ends with the value. A bench that is killed leaves it behind under a name that says whose it was.

use super::{BenchError, Result};
use crate::app::{App, owner};
use crate::clock::Clock;
use crate::store::leases::Lease;
use crate::store::lock::DaemonLock;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};

const SETTINGS: &str = include_str!("home/plusone.toml");
const DATA: &str = include_str!("home/data.toml");
const SUBJECT: &str = include_str!("home/subject.hbs");
const HTML: &str = include_str!("home/email.html.hbs");
const TEXT: &str = include_str!("home/email.txt.hbs");

pub struct Home {
    folder: PathBuf,
}

impl Home {
    /// An empty folder.
    pub fn empty() -> Result<Self> {
        static MADE: AtomicUsize = AtomicUsize::new(0);
        let number = MADE.fetch_add(1, Ordering::Relaxed);
        let folder = std::env::temp_dir().join(format!("plusone-bench-{}-{number}", std::process::id()));
        // `create_dir` and not `create_dir_all`: what is there already is not ours, and would be removed with us
        std::fs::create_dir(&folder).map_err(BenchError::io(format!("cannot make {}", folder.display())))?;
        Ok(Self { folder })
    }

    /// The shop; its mail goes to a relay on this host.
    pub fn of_shop(relay_port: u16, connections: usize) -> Result<Self> {
        let home = Self::empty()?;
        let relay = format!(
            "\n[providers.sink]\ntype = \"smtp\"\nurl = \"smtp://127.0.0.1:{relay_port}?tls=none\"\n\
             connections = {connections}\n"
        );
        home.write("config/plusone.toml", &format!("{SETTINGS}{relay}"))?;
        home.write("config/data.toml", DATA)?;
        home.write("templates/letter/subject.hbs", SUBJECT)?;
        home.write("templates/letter/email.html.hbs", HTML)?;
        home.write("templates/letter/email.txt.hbs", TEXT)?;
        Ok(home)
    }

    /// Adds rules that say the same under each of these names, so that each name starts without a history.
    pub fn add_rules<'a>(&self, names: impl IntoIterator<Item = &'a str>, when: &str) -> Result<()> {
        names.into_iter().try_for_each(|name| {
            let text = format!(
                "live = true\nkind = \"reminder\"\ntopic = \"reminders\"\nschedule = \"manual\"\nwhen = [{when}]\n\
                 channels = [\"email\"]\ntemplate = \"letter\"\nexisting = \"include\"\n"
            );
            self.write(&format!("config/rules/{name}.toml"), &text)
        })
    }

    pub fn path(&self) -> &Path {
        &self.folder
    }

    /// Opens the application here, as `plusone once` does.
    pub async fn open(&self) -> Result<Open> {
        let app = App::open(&self.folder, Clock::System).await?;
        let problem = app.workspace.problems.iter().find(|problem| problem.severity == crate::problem::Severity::Error);
        if let Some(problem) = problem {
            return Err(BenchError::Void(format!("the bench's own home is broken: {problem}")));
        }
        let owner = owner();
        let lock = app.lock(&owner)?;
        let lease = app.lease(&owner, lock.is_some()).await?;
        Ok(Open { app, lease, _lock: lock })
    }

    pub fn write(&self, path: &str, text: &str) -> Result<()> {
        let path = self.folder.join(path);
        let failed = || BenchError::io(format!("cannot write {}", path.display()));
        if let Some(folder) = path.parent() {
            std::fs::create_dir_all(folder).map_err(failed())?;
        }
        std::fs::write(&path, text).map_err(failed())
    }
}

impl Drop for Home {
    fn drop(&mut self) {
        if let Err(error) = std::fs::remove_dir_all(&self.folder) {
            tracing::warn!(folder = %self.folder.display(), %error, "the bench's folder could not be removed");
        }
    }
}

/// An application that holds its database.
pub struct Open {
    pub app: App,
    pub lease: Lease,
    _lock: Option<DaemonLock>,
}
