//! A database of one's own in the run's PostgreSQL, `PLUSONE_TEST_POSTGRES`.

use super::{missing, text_of};
use sqlx::{Connection, Executor, PgConnection};
use std::sync::atomic::{AtomicU32, Ordering};

/// An empty database, dropped with the value.
pub struct Database {
    pub url: String,
    name: String,
    server: String,
}

impl Database {
    /// A new database; `None` where there is no PostgreSQL.
    pub fn create() -> Option<Self> {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let Some(server) = text_of("PLUSONE_TEST_POSTGRES") else {
            missing("postgresql");
            return None;
        };
        let name = format!("plusone_{}_{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed));
        execute(&server, format!("CREATE DATABASE {name}"));
        let (base, _) = server.rsplit_once('/').expect("PLUSONE_TEST_POSTGRES ends with a database");
        Some(Self { url: format!("{base}/{name}"), name, server })
    }

    /// Runs a statement in the database.
    pub fn execute(&self, statement: &str) {
        execute(&self.url, statement.to_owned());
    }
}

impl Drop for Database {
    fn drop(&mut self) {
        execute(&self.server, format!("DROP DATABASE IF EXISTS {} WITH (FORCE)", self.name));
    }
}

/// On a thread of its own, so that tests may call it inside and outside a runtime.
fn execute(url: &str, statement: String) {
    let url = url.to_owned();
    let work = move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        runtime.block_on(async {
            let mut connection = PgConnection::connect(&url).await.expect("PostgreSQL of the run answers");
            connection.execute(sqlx::AssertSqlSafe(statement)).await.expect("the statement is ours");
        });
    };
    std::thread::spawn(work).join().expect("the statement ran");
}
