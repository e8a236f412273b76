//! Erasing under bad conditions: broken off anywhere and begun again, and beside a daemon at work.

use super::erase::{MORE, ZELDA, dump, found, found_in, live, rows};
use crate::harness::daemon::Daemon;
use crate::harness::home::{Home, Settings};
use crate::harness::postgres::Database;
use crate::shop::{at, on_both, rule};
use plusone::data::erase::{Job, erase};
use plusone::sql::Sql;
use plusone::store::db::Db;
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

#[tokio::test(flavor = "multi_thread")]
async fn an_erasure_that_is_broken_off_anywhere_goes_on_where_it_ended() {
    on_both(MORE, async |home| {
        let mut shop = live(&home).await;
        let other = dump(&shop, "zq-18-ident").await;
        let (project, mut broken_off) = (shop.app.workspace.project.clone(), 0);
        loop {
            let job = Job {
                db: &shop.app.db,
                catalogue: &project.catalogue,
                settings: &project.settings,
                home: home.path(),
                customer: "zq-17-ident",
                now: at("2026-11-03T13:00:00Z"),
            };
            match for_steps(broken_off, erase(&job)).await {
                Some(done) => break drop(done.expect("erased")),
                None => broken_off += 1,
            }
            assert!(broken_off < 5_000, "it never comes to its end");
        }
        assert!(broken_off > 20, "broken off {broken_off} times");
        assert_eq!(found(&shop, &home, &ZELDA).await, Vec::<String>::new(), "after {broken_off} times");
        assert_eq!(dump(&shop, "zq-18-ident").await, other);
        let kept = "select count(*) from suppressions where shown = 'erased' and reason = 'erasure'";
        assert_eq!(shop.number(kept).await, 2, "the addresses stay stopped, by their hashes");
        // Nothing of hers is planned or sent again.
        shop.pass("2026-11-03T14:00:00Z").await;
        assert_eq!(shop.number("select count(*) from touchpoints where customer = 'zq-17-ident'").await, 0);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_person_is_erased_beside_a_daemon_at_work() {
    for database in [Some(None), Database::create().map(Some)].into_iter().flatten() {
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
        wait_for_letter(&home, &db).await;
        // It is in the middle of two thousand letters and more.
        let told = home.plusone(&["erase", "zelda.quill@one.test", "--yes", "--json"]).ended_with(0).json();
        assert_eq!((&told["rows"]["touchpoints"], &told["unreadable"]), (&2.into(), &true.into()), "{told}");
        assert_eq!(found_in(&db, &home, &ZELDA[..4]).await, Vec::<String>::new());
        // The file that changed still has her, and the daemon reads it again.
        home.write("customers.csv", &people.replace("gold", "silver"));
        let read = "select count(*) from d_customer where tier = 'silver'";
        crate::harness::wait_for("the file to be read again", std::time::Duration::from_secs(120), || {
            let rows = tokio::task::block_in_place(|| tokio::runtime::Handle::current().block_on(number(&db, read)));
            (rows == 2_001).then_some(())
        });
        assert_eq!(number(&db, "select count(*) from touchpoints where customer = 'zq-17-ident'").await, 0);
        let (status, said) = daemon.terminate();
        assert!(status.success(), "{said}");
        assert!(!said.contains("zelda.quill") && !said.contains("Zeldaquill"), "{said}");
        db.close().await;
    }
}

async fn number(db: &Db, sql: &str) -> i64 {
    db.fetch_one(Sql::new(sql)).await.expect("a good statement").map_or(0, |row| row.int(0))
}

/// Until she has had both of her letters.
async fn wait_for_letter(home: &Home, db: &Db) {
    let sent = "select count(*) from touchpoints where customer = 'zq-17-ident' and state = 'sent'";
    crate::harness::wait_for(
        &format!("her letters in {}", home.path().display()),
        std::time::Duration::from_secs(120),
        || {
            let sent = tokio::task::block_in_place(|| tokio::runtime::Handle::current().block_on(number(db, sent)));
            (sent == 2).then_some(())
        },
    );
}
