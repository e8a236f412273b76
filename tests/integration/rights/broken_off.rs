//! Erasing under bad conditions: broken off anywhere and begun again, and beside a daemon at work.

use super::erase::{MORE, ZELDA, dump, found, found_in, live, rows};
use crate::harness::daemon::Daemon;
use crate::harness::home::{Home, Settings};
use crate::harness::postgres::Database;
use crate::harness::{number, wait_for_number};
use crate::shop::{Shop, at, on_both, rule};
use plusone::config::Project;
use plusone::data::erase::{Job, erase};
use plusone::sql::{Dialect, Sql};
use plusone::store::db::{Cell, Db};
use std::pin::pin;
use std::task::Poll;

/// Lets a piece of work go on for so many steps, then drops it where it stands, as a crash would: what it had not
/// committed is undone. `None` where it did not come to its end.
async fn for_steps<T>(steps: u32, work: impl Future<Output = T>) -> Option<T> {
    let mut work = pin!(work);
    let mut left = steps;
    std::future::poll_fn(|context| match work.as_mut().poll(context) {
        Poll::Ready(done) => Poll::Ready(Some(done)),
        Poll::Pending if left == 0 => Poll::Ready(None),
        Poll::Pending => {
            left -= 1;
            Poll::Pending
        }
    })
    .await
}

/// Every kind of write that an erasure of such a life does.
const WRITES: [&str; 15] = [
    "delete address_places",
    "delete consents",
    "delete d_cart",
    "delete d_customer",
    "delete offer_grants",
    "delete pauses",
    "delete provider_events",
    "delete replies",
    "delete suppressions",
    "delete touchpoint_events",
    "delete touchpoint_words",
    "delete touchpoints",
    "insert erased",
    "insert suppressions",
    "update stops",
];

fn job<'a>(shop: &'a Shop, home: &'a Home, project: &'a Project) -> Job<'a> {
    Job {
        db: &shop.app.db,
        catalogue: &project.catalogue,
        settings: &project.settings,
        home: home.path(),
        customer: "zq-17-ident",
        now: at("2026-11-03T13:00:00Z"),
    }
}

/// She is gone, `other` is as it was, and nothing of hers is planned or sent again.
async fn is_done(mut shop: Shop, home: &Home, other: &[Vec<Cell>]) {
    assert_eq!(found(&shop, home, &ZELDA).await, Vec::<String>::new());
    assert_eq!(dump(&shop, "zq-18-ident").await, other);
    let kept = "select count(*) from suppressions where shown = 'erased' and reason = 'erasure'";
    assert_eq!(shop.number(kept).await, 2, "the addresses stay stopped, by their hashes");
    shop.pass("2026-11-03T14:00:00Z").await;
    assert_eq!(shop.number("select count(*) from touchpoints where customer = 'zq-17-ident'").await, 0);
}

/// Wherever it has to wait. How often that is hangs on how soon the database answers: that it is broken off at each
/// kind of write is the next test's.
#[tokio::test(flavor = "multi_thread")]
async fn an_erasure_that_is_broken_off_anywhere_goes_on_where_it_ended() {
    on_both(MORE, async |home| {
        let shop = live(&home).await;
        let other = dump(&shop, "zq-18-ident").await;
        let (project, mut broken_off) = (shop.app.workspace.project.clone(), 0);
        loop {
            match for_steps(broken_off, erase(&job(&shop, &home, &project))).await {
                Some(done) => break drop(done.expect("erased")),
                None => broken_off += 1,
            }
            assert!(broken_off < 5_000, "it never comes to its end");
        }
        is_done(shop, &home, &other).await;
    })
    .await;
}

/// Makes every write to every table fail, and says which: `(table, kind of write)`.
async fn refuse_writes(db: &Db) -> Vec<(String, &'static str)> {
    let (tables, begin) = match db.dialect() {
        Dialect::Sqlite => {
            ("select name from sqlite_schema where type = 'table' and name not like 'sqlite%'", String::new())
        }
        Dialect::Postgres => (
            "select tablename::text from pg_tables where schemaname = current_schema()",
            "create function refuse() returns trigger language plpgsql as \
             $$ begin raise exception 'no % of %.', lower(tg_op), tg_table_name; end $$;"
                .to_owned(),
        ),
    };
    let mut script = begin;
    let mut refused = Vec::new();
    for table in db.fetch(Sql::new(tables)).await.expect("tables") {
        for kind in ["insert", "update", "delete"] {
            let table = table.text(0).to_owned();
            let body = match db.dialect() {
                Dialect::Sqlite => format!("begin select raise(abort, 'no {kind} of {table}.'); end"),
                Dialect::Postgres => "for each row execute function refuse()".to_owned(),
            };
            script.push_str(&format!("create trigger refuse_{table}_{kind} before {kind} on \"{table}\" {body};\n"));
            refused.push((table, kind));
        }
    }
    run(db, &script).await;
    refused
}

async fn allow(db: &Db, table: &str, kind: &str) {
    let of = if db.dialect() == Dialect::Postgres { format!("on \"{table}\"") } else { String::new() };
    run(db, &format!("drop trigger refuse_{table}_{kind} {of}")).await;
}

async fn run(db: &Db, script: &str) {
    let mut tx = db.begin().await.expect("a transaction");
    tx.script(script).await.expect("a good script");
    tx.commit().await.expect("committed");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_erasure_that_is_broken_off_at_each_kind_of_write_goes_on_where_it_ended() {
    on_both(MORE, async |home| {
        let shop = live(&home).await;
        let other = dump(&shop, "zq-18-ident").await;
        let (db, project) = (&shop.app.db, shop.app.workspace.project.clone());
        let mut refused = refuse_writes(db).await;
        let mut broken_off = Vec::new();
        while let Err(error) = erase(&job(&shop, &home, &project)).await {
            let said = error.to_string();
            let at = refused.iter().position(|(table, kind)| said.contains(&format!("no {kind} of {table}.")));
            let (table, kind) = refused.swap_remove(at.unwrap_or_else(|| panic!("{said}")));
            allow(db, &table, kind).await;
            broken_off.push(format!("{kind} {table}"));
        }
        broken_off.sort();
        assert_eq!(broken_off, WRITES);
        for (table, kind) in refused {
            allow(db, &table, kind).await;
        }
        is_done(shop, &home, &other).await;
    })
    .await;
}

async fn is_erased_beside_a_daemon(database: Option<Database>) {
    let url = database.as_ref().map_or(Settings::default().database, |database| database.url.clone());
    let guard = "[courtesy]\nquiet_hours = {}\n[guard]\nmax_share = \"100%\"\n".to_owned();
    let home = crate::shop::home(&Settings { database: url.clone(), more: guard, ..Settings::default() });
    home.write("config/rules/hello.toml", &rule(&[("schedule", "\"every minute\"")]));
    home.write("config/rules/gift.toml", &rule(&[("schedule", "\"every minute\""), ("topic", "\"offers\"")]));
    let mut people = rows("Zeldaquill");
    for n in 0..2_000 {
        people.push_str(&format!("p{n},p{n}@one.test,Name,gold,true,+4479112{n:05},2026-11-03\n"));
    }
    home.write("customers.csv", &people);
    let mut daemon = Daemon::start(&home);
    daemon.wait_until_ready();
    let db = Db::open(&url, home.path()).await.expect("the database is there");
    let letters = "select count(*) from touchpoints where customer = 'zq-17-ident' and state = 'sent'";
    wait_for_number(&db, letters, |found| found == 2).await;
    // It is in the middle of two thousand letters and more.
    let told = home.plusone(&["erase", "zelda.quill@one.test", "--yes", "--json"]).ended_with(0).json();
    assert_eq!((&told["rows"]["touchpoints"], &told["unreadable"]), (&2.into(), &true.into()), "{told}");
    assert_eq!(found_in(&db, &home, &ZELDA[..4]).await, Vec::<String>::new());
    // The file that changed still has her, and the daemon reads it again.
    home.write("customers.csv", &people.replace("gold", "silver"));
    let read = "select count(*) from d_customer where tier = 'silver'";
    wait_for_number(&db, read, |found| found == 2_001).await;
    assert_eq!(number(&db, "select count(*) from touchpoints where customer = 'zq-17-ident'").await, 0);
    let (status, said) = daemon.terminate();
    assert!(status.success(), "{said}");
    assert!(!said.contains("zelda.quill") && !said.contains("Zeldaquill"), "{said}");
    db.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_person_is_erased_beside_a_daemon_at_work() {
    is_erased_beside_a_daemon(None).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_person_is_erased_beside_a_daemon_at_work_on_postgresql() {
    if let Some(database) = Database::create() {
        is_erased_beside_a_daemon(Some(database)).await;
    }
}
