//! The offers' ledger under many workers: never overspent, nothing leaked, no code twice.
//!
//! Workers take blocks, grant a part of them, give the rest back and settle what they granted, all at once; some are
//! killed in the middle of a transaction (tasks here, whole processes on PostgreSQL). The negative control spends by
//! "read, then update" and must overspend, or the test would prove nothing.

mod told;

use plusone::ids::bucket_of;
use plusone::offers::code::CodeSource;
use plusone::offers::grant::{Grant, Shown};
use plusone::offers::{Budget, Offer, Unused};
use plusone::sql::Sql;
use plusone::store::db::{Db, StoreError};
use plusone::store::migrate::migrate;
use plusone::store::offers::{grants, put_back};
use plusone::time::{Date, Timestamp};
use std::collections::HashSet;
use std::path::Path;
use std::process::{Child, Command, Stdio};

const WORKERS: u64 = 16;
const COST: i64 = 8_000;
const TOTAL: i64 = 1_000;
const WORKER: &str = "PLUSONE_TEST_LEDGER_WORKER";
const URL: &str = "PLUSONE_TEST_POSTGRES";

fn offer() -> Offer {
    Offer {
        name: "free-cookie".to_owned(),
        version: "1".to_owned(),
        description: String::new(),
        value: 25_000,
        cost: COST,
        budget: Budget { total: Some(TOTAL * COST), per_day: Some(400 * COST) },
        per_customer: None,
        eligible: Vec::new(),
        code: Some(CodeSource::Pattern("COOKIE-####".to_owned())),
        valid_for: None,
        unused: Unused::Keep,
    }
}

fn now() -> Timestamp {
    Timestamp::from_seconds(1_793_707_200)
}

/// Grants as long as there is budget: blocks of up to 40, of which every fourth is given back unused and every fifth
/// is never shown. With `stumble`, every sixth transaction is left in the middle, as a dying worker would.
async fn work(db: &Db, worker: u64, stumble: bool) -> Result<u64, StoreError> {
    let offer = offer();
    let mut granted = 0;
    for round in 0_u64.. {
        let day = Date::from_days(20_760 + i64::try_from(round / 4 % 3).expect("small"));
        let mut tx = db.begin().await?;
        let mut taken = grants::take(&mut tx, &offer, day, 1 + (worker * 7 + round * 11) % 40).await?.codes;
        if taken.is_empty() && round > 24 {
            return Ok(granted);
        }
        let rest = taken.split_off(taken.len() - taken.len() / 4);
        grants::give_back(&mut tx, &offer, day, &rest).await?;
        let rows: Vec<Grant> = (0..).zip(taken).map(|(index, code)| grant(worker, round, index, day, code)).collect();
        grants::insert(&mut tx, &rows).await?;
        if stumble && round % 6 == worker % 6 {
            continue;
        }
        tx.commit().await?;
        granted += rows.len() as u64;
        let shown = |index| if index % 5 == 4 { Shown::No } else { Shown::Yes };
        let fates = (0..).zip(&rows).map(|(index, row)| (row.bucket, row.touchpoint.as_str(), shown(index)));
        let mut tx = db.begin().await?;
        grants::settle(&mut tx, &fates.collect::<Vec<_>>(), now()).await?;
        tx.commit().await?;
        put_back(db).await?;
    }
    Ok(granted)
}

fn grant(worker: u64, round: u64, index: u64, day: Date, code: Option<String>) -> Grant {
    let customer = format!("{worker}-{round}-{index}");
    Grant {
        bucket: bucket_of(&customer),
        touchpoint: format!("t{customer}-{}", std::process::id()),
        offer: "free-cookie".to_owned(),
        code,
        customer,
        cost: COST,
        value: 25_000,
        day,
        granted_at: now(),
        expires_at: None,
    }
}

/// What is taken is what the ledger's rows hold, no cap is passed, and no code was given twice.
async fn assert_sound(db: &Db) {
    put_back(db).await.expect("put back");
    spend_the_rest(db).await;
    let held = grants::held(db, "free-cookie").await.expect("the ledger");
    let rows = db.fetch(Sql::new("select period, taken from offer_budgets")).await.expect("budgets");
    for row in &rows {
        let cap = if row.text(0) == "total" { TOTAL } else { 400 } * COST;
        assert!((0..=cap).contains(&row.int(1)), "{}: {} of {cap}", row.text(0), row.int(1));
        assert_eq!(row.int(1), held.get(row.text(0)).copied().unwrap_or(0), "{}", row.text(0));
    }
    assert_eq!(held["total"], TOTAL * COST, "nothing leaked: the budget was used to its last piece");
    let codes = db.fetch(Sql::new("select code from offer_grants where state <> 'released'")).await.expect("codes");
    let distinct: HashSet<&str> = codes.iter().map(|row| row.text(0)).collect();
    assert_eq!(distinct.len(), codes.len(), "each code was given once");
}

/// Grants what the workers left.
async fn spend_the_rest(db: &Db) {
    let offer = offer();
    for day in (20_760..20_763).map(Date::from_days) {
        let mut tx = db.begin().await.expect("a transaction");
        let taken = grants::take(&mut tx, &offer, day, 10_000).await.expect("taken").codes;
        let last = |(index, code)| grant(1_000, day.days().unsigned_abs(), index, day, code);
        let rows: Vec<Grant> = (0..).zip(taken).map(last).collect();
        grants::insert(&mut tx, &rows).await.expect("written");
        tx.commit().await.expect("committed");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn sixteen_tasks_never_overspend_on_sqlite() {
    let folder = tempfile::tempdir().expect("a folder");
    let db = Db::open("sqlite://ledger.db", folder.path()).await.expect("a database");
    migrate(&db).await.expect("a schema");
    let workers = (0..WORKERS).map(|worker| {
        let db = db.clone();
        tokio::spawn(async move { work(&db, worker, true).await })
    });
    for worker in workers.collect::<Vec<_>>() {
        worker.await.expect("no panic").expect("no refusal");
    }
    assert_sound(&db).await;
}

/// The database of a test of its own on the PostgreSQL server of the tests; `None` where there is none.
async fn postgres(name: &str) -> Option<Schema> {
    #[expect(clippy::disallowed_methods, reason = "a test is told its server and whether it runs in CI")]
    let (url, ci) = (std::env::var(URL).ok(), std::env::var("CI").is_ok());
    let Some(url) = url else {
        assert!(!ci, "{URL} is not set, and CI tests PostgreSQL");
        eprintln!("left out: {URL} is not set");
        return None;
    };
    let server = Db::open(&url, Path::new(".")).await.expect("the server");
    let schema = format!("ledger_{name}_{}", std::process::id());
    server.execute(Sql::new(format!("create schema {schema}"))).await.expect("a schema of its own");
    server.close().await;
    let joiner = if url.contains('?') { '&' } else { '?' };
    let url = format!("{url}{joiner}options=-c%20search_path%3D{schema}");
    let db = Db::open(&url, Path::new(".")).await.expect("the schema");
    migrate(&db).await.expect("tables");
    Some(Schema { db, url, name: schema })
}

/// A schema of a test's own, dropped when the test is done.
struct Schema {
    db: Db,
    url: String,
    name: String,
}

impl Schema {
    async fn drop(self) {
        self.db.execute(Sql::new(format!("drop schema {} cascade", self.name))).await.expect("dropped");
    }
}

/// Not a test of its own: what a worker process runs.
#[tokio::test]
async fn ledger_worker() {
    #[expect(clippy::disallowed_methods, reason = "a worker process is told who it is")]
    let told = (std::env::var(WORKER).ok(), std::env::var(URL).ok());
    let (Some(worker), Some(url)) = told else { return };
    let db = Db::open(&url, Path::new(".")).await.expect("the database");
    work(&db, worker.parse().expect("a number"), false).await.expect("no refusal");
}

fn spawn(worker: u64, url: &str) -> Child {
    Command::new(std::env::current_exe().expect("this program"))
        .args(["--exact", "offers::ledger_worker", "--nocapture"])
        .env(WORKER, worker.to_string())
        .env(URL, url)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("a worker")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sixteen_processes_and_kills_never_overspend_on_postgres() {
    let Some(schema) = postgres("kills").await else { return };
    let db = &schema.db;
    let mut workers: Vec<Child> = (0..WORKERS).map(|worker| spawn(worker, &schema.url)).collect();
    let mut kills = 0;
    // A worker is killed whenever the ledger has grown by 60 grants since the last kill, wherever that worker is, and
    // another takes its place.
    while kills < 12 && workers.iter_mut().any(|worker| worker.try_wait().expect("a state").is_none()) {
        let rows = db.fetch(Sql::new("select count(*) from offer_grants")).await.expect("a count");
        if rows[0].int(0) < 60 * (kills + 1) {
            tokio::task::yield_now().await;
            continue;
        }
        let running = |worker: &mut Child| worker.try_wait().expect("a state").is_none();
        let Some(victim) = workers.iter_mut().position(running) else { break };
        let mut victim = workers.remove(victim);
        victim.kill().expect("killed");
        victim.wait().expect("its end");
        assert_sound_while_running(db).await;
        workers.push(spawn(WORKERS + u64::try_from(kills).expect("small"), &schema.url));
        kills += 1;
    }
    for worker in &mut workers {
        worker.wait().expect("its end");
    }
    assert!(kills >= 10, "{kills} kills are too few to prove anything");
    assert_sound(db).await;
    schema.drop().await;
}

/// In one snapshot: what is taken is what the rows hold, and no cap is passed.
async fn assert_sound_while_running(db: &Db) {
    let sql = Sql::new(
        "select b.taken, (select coalesce(cast(sum(g.cost) as bigint), 0) from offer_grants g
                          where g.state not in ('lapsed', 'released') and (b.period = 'total' or g.day = b.period))
         from offer_budgets b",
    );
    for row in db.fetch(sql).await.expect("the ledger") {
        assert_eq!(row.int(0), row.int(1));
        assert!(row.int(0) <= TOTAL * COST);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn reading_before_updating_overspends_which_is_why_we_do_not() {
    let Some(schema) = postgres("control").await else { return };
    let db = &schema.db;
    let zero = Sql::new("insert into offer_budgets (offer, period, taken) values ('naive', 'total', 0)");
    db.execute(zero).await.expect("a budget");
    let barrier = std::sync::Arc::new(tokio::sync::Barrier::new(16));
    let workers = (0..WORKERS).map(|_| {
        let (db, barrier) = (db.clone(), barrier.clone());
        tokio::spawn(async move {
            let mut tx = db.begin().await.expect("a transaction");
            let read = Sql::new("select taken from offer_budgets where offer = 'naive'");
            let room = 10 - tx.fetch(read).await.expect("a budget")[0].int(0);
            barrier.wait().await;
            let sql = Sql::new("update offer_budgets set taken = taken + $1 where offer = 'naive'");
            tx.execute(sql.with(room.min(1))).await.expect("an update");
            tx.commit().await.expect("committed");
        })
    });
    for worker in workers.collect::<Vec<_>>() {
        worker.await.expect("no panic");
    }
    let rows = db.fetch(Sql::new("select taken from offer_budgets where offer = 'naive'")).await.expect("a budget");
    assert!(rows[0].int(0) > 10, "{} of 10: the control must overspend", rows[0].int(0));
    schema.drop().await;
}
