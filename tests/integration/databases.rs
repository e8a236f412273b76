//! A database of its own for each test, on both kinds: SQLite in a temporary folder, and PostgreSQL where the
//! environment variable `PLUSONE_TEST_POSTGRES` names a cluster.

use plusone::sql::Sql;
use plusone::store::db::Db;
use plusone::store::migrate::migrate;
use std::path::Path;
use std::sync::atomic::{AtomicU32, Ordering};
use tempfile::TempDir;

/// An empty database with the schema in it.
pub struct Trial {
    pub db: Db,
    pub name: &'static str,
    /// Kept as long as the database is used.
    _folder: TempDir,
}

/// One empty database of each kind there is.
pub async fn databases() -> Vec<Trial> {
    let mut all = vec![trial("SQLite", "sqlite://trial.db").await];
    match environment("PLUSONE_TEST_POSTGRES") {
        Some(url) => all.push(trial("PostgreSQL", &schema_of_its_own(&url).await).await),
        None if environment("CI").is_some() => panic!("PLUSONE_TEST_POSTGRES must name a cluster in CI"),
        None => eprintln!("left out on PostgreSQL: PLUSONE_TEST_POSTGRES names no cluster"),
    }
    all
}

#[expect(clippy::disallowed_methods, reason = "a test is told by its environment where the cluster is")]
fn environment(name: &str) -> Option<String> {
    std::env::var(name).ok()
}

async fn trial(name: &'static str, url: &str) -> Trial {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let db = Db::open(url, folder.path()).await.expect("a database");
    migrate(&db).await.expect("the schema");
    Trial { db, name, _folder: folder }
}

async fn schema_of_its_own(url: &str) -> String {
    static COUNT: AtomicU32 = AtomicU32::new(0);
    let name = format!("t{}_{}", std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed));
    let db = Db::open(url, Path::new(".")).await.expect("the cluster of PLUSONE_TEST_POSTGRES");
    db.execute(Sql::new(format!("drop schema if exists {name} cascade"))).await.expect("no such schema");
    db.execute(Sql::new(format!("create schema {name}"))).await.expect("a schema");
    db.close().await;
    let joint = if url.contains('?') { '&' } else { '?' };
    format!("{url}{joint}options[search_path]={name}")
}

/// Runs statements that bind nothing.
pub async fn script(db: &Db, text: &str) {
    let mut tx = db.begin().await.expect("a transaction");
    tx.script(text).await.expect("good statements");
    tx.commit().await.expect("committed");
}
