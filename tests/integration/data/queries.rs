//! Sources that are queries: every kind of own database beside every kind of other one.

use super::trial::{Trial, trials};
use crate::harness::home::{Home, Settings};
use crate::harness::postgres::Database;
use plusone::catalogue::{Absent, DatabaseSource};
use plusone::data::sync::SyncReport;
use plusone::settings::Secret;
use plusone::sql::Sql;
use plusone::store::db::Db;
use plusone::time::Span;

/// Another database, with a table `people`.
enum Other {
    Sqlite(Db),
    Postgres(Database),
}

impl Other {
    fn url(&self) -> String {
        match self {
            Self::Sqlite(_) => "sqlite://shop.db".to_owned(),
            Self::Postgres(database) => database.url.clone(),
        }
    }

    async fn execute(&self, sql: &str) {
        match self {
            Self::Sqlite(db) => db.execute(Sql::new(sql)).await.map(drop).expect("a good statement"),
            Self::Postgres(database) => database.execute(sql),
        }
    }

    /// A person whose row was changed so many minutes after noon.
    async fn person(&self, id: i64, tier: &str, minute: i64) {
        let born = if matches!(self, Self::Sqlite(_)) { "03.11.1980" } else { "1980-11-03" };
        self.execute(&format!("delete from people where id = {id}")).await;
        self.execute(&format!(
            "insert into people values ({id}, 'Ann{id}@Example.com', '{tier}', '{born}', '2026-11-02 12:{minute:02}:00')"
        ))
        .await;
    }
}

async fn other(trial: &Trial, is_postgres: bool) -> Option<Other> {
    let other = if is_postgres {
        Other::Postgres(Database::create()?)
    } else {
        Other::Sqlite(Db::open("sqlite://shop.db", trial.folder.path()).await.expect("a database"))
    };
    let (time, date) = if is_postgres { ("timestamptz", "date") } else { ("text", "text") };
    other
        .execute(&format!(
            "create table people (id bigint primary key, mail text, tier text, born {date}, changed {time})"
        ))
        .await;
    Some(other)
}

const QUERY: &str = "select id, mail as \"E-Mail\", tier, born as birthday, changed from people -- all;\n;";

fn read_from(trial: &mut Trial, url: &str, query: &str, since: Option<&str>) {
    let customer = trial.catalogue.entities.get_mut("customer").expect("declared");
    customer.database = Some(DatabaseSource {
        url: Secret::new(url),
        query: query.to_owned(),
        every: Span::from_seconds(600),
        since: since.map(str::to_owned),
    });
}

/// A sync so many minutes after ten.
async fn at(trial: &mut Trial, minutes: i64) -> SyncReport {
    trial.now = super::instant().plus(Span::from_seconds(60 * minutes));
    trial.sync().await
}

async fn failure(trial: &mut Trial, minutes: i64) -> String {
    let report = at(trial, minutes).await;
    assert_eq!(report.failed.len(), 1, "{report:?}");
    report.failed[0].1.to_string()
}

/// Runs a test on every own database beside every other one.
async fn on_each(test: impl AsyncFn(Trial, Other)) {
    for is_postgres in [false, true] {
        for trial in trials().await {
            if let Some(other) = other(&trial, is_postgres).await {
                test(trial, other).await;
            }
        }
    }
}

#[tokio::test]
async fn rows_of_a_query_are_read_like_those_of_a_file() {
    on_each(async |mut trial, other| {
        for id in 1..=10 {
            other.person(id, "gold", 0).await;
        }
        other.person(3, "lead", 0).await;
        read_from(&mut trial, &other.url(), QUERY, None);
        let first = at(&mut trial, 0).await;
        assert_eq!((first.read[0].created, first.read[0].refused), (9, 1), "{first:?}");
        let rows = trial.rows("select id, email, phone, tier, birthday from d_customer order by id").await;
        assert_eq!(rows[0], ["1", "Ann1@example.com", "-", "gold", "3959"]);
        let errors = std::fs::read_to_string(first.read[0].errors_file.as_ref().expect("an errors file"));
        assert!(errors.expect("readable").contains("`lead` is not one of"));

        other.person(3, "gold", 1).await;
        other.execute("delete from people where id = 10").await;
        assert_eq!(at(&mut trial, 9).await.unchanged, ["customer"], "ten minutes are not over");
        let second = at(&mut trial, 10).await;
        let read = &second.read[0];
        assert_eq!((read.created, read.updated, read.unchanged, read.removed, read.refused), (1, 0, 8, 1, 0));

        for id in 4..=9 {
            other.execute(&format!("delete from people where id = {id}")).await;
        }
        let refused = failure(&mut trial, 20).await;
        assert!(refused.contains("has lost 6 of the 9 rows"), "{refused}");
        assert_eq!(trial.rows("select id from d_customer").await.len(), 9, "the last data stay");
        let problem = trial.rows("select problem from sources where entity = 'customer'").await;
        assert_eq!(problem, [[refused]]);
        for id in 4..=9 {
            other.person(id, "silver", 2).await;
        }
        assert_eq!(at(&mut trial, 22).await.read[0].updated, 6);
        assert_eq!(trial.rows("select problem from sources where entity = 'customer'").await, [["-"]]);
    })
    .await;
}

#[tokio::test]
async fn with_since_only_what_is_late_is_read_and_nothing_is_missed() {
    on_each(async |mut trial, other| {
        for id in 1..=9 {
            other.person(id, "gold", id).await;
        }
        read_from(&mut trial, &other.url(), QUERY, Some("changed"));
        assert_eq!(at(&mut trial, 0).await.read[0].created, 9);
        // One at the very instant of the latest, one later, one that has no time at all.
        other.person(10, "gold", 9).await;
        other.person(11, "gold", 20).await;
        other.person(12, "gold", 0).await;
        other.execute("update people set changed = null where id = 12").await;
        other.execute("delete from people where id = 2").await;
        let second = at(&mut trial, 10).await;
        let read = &second.read[0];
        assert_eq!((read.created, read.updated, read.removed), (3, 0, 0), "{read:?}");
        assert!(read.rows < 10, "what is older was not read: {read:?}");
        other.person(5, "silver", 21).await;
        let third = at(&mut trial, 20).await;
        assert_eq!((third.read[0].created, third.read[0].updated), (0, 1));
        assert!(third.read[0].rows <= 3, "{third:?}");
        // Another query is another source: it is read from its beginning, and at once.
        let query = QUERY.replace("'lead'", "'x'").replace("select id", "select  id");
        read_from(&mut trial, &other.url(), &query, Some("changed"));
        assert_eq!(at(&mut trial, 21).await.read[0].rows, 11);
    })
    .await;
}

#[tokio::test]
async fn what_is_wrong_with_a_query_is_told_and_the_last_data_stay() {
    on_each(async |mut trial, other| {
        let url = other.url();
        other.person(1, "gold", 0).await;
        read_from(&mut trial, &url, QUERY, None);
        assert_eq!(at(&mut trial, 0).await.read[0].created, 1);
        let mut minutes = 10;
        let mut told = async |trial: &mut Trial, query: &str, since: Option<&str>| {
            read_from(trial, &url, query, since);
            minutes += 10;
            failure(trial, minutes).await
        };
        let bad = told(&mut trial, "select id from peeple", None).await;
        assert!(bad.contains("refused the query") && bad.contains("peeple"), "{bad}");
        let missing = told(&mut trial, "select id as iid from people", None).await;
        assert!(missing.contains("the query has no column `id`; is it `iid` now?"), "{missing}");
        let since = told(&mut trial, QUERY, Some("change")).await;
        assert!(since.contains("`since` names `change`") && since.contains("the nearest is `changed`"), "{since}");
        if matches!(other, Other::Postgres(_)) {
            let wrong = told(&mut trial, "select id::text, true as birthday from people", None).await;
            assert!(wrong.contains("`birthday` is declared as date") && wrong.contains("is bool"), "{wrong}");
        }
        for attack in
            ["select id from people; delete from people", "select id from people) as q; delete from people --"]
        {
            told(&mut trial, attack, None).await;
        }
        let deleting = "with gone as (delete from people returning id) select id::text from gone";
        told(&mut trial, deleting, None).await;
        read_from(&mut trial, &url, QUERY, None);
        minutes += 10;
        let read = at(&mut trial, minutes).await;
        assert_eq!((read.read[0].rows, read.read[0].unchanged), (1, 1), "nothing was deleted here or there");
    })
    .await;
}

#[tokio::test]
async fn a_source_that_must_not_forget_keeps_what_the_query_no_longer_has() {
    on_each(async |mut trial, other| {
        for id in 1..=3 {
            other.person(id, "gold", 0).await;
        }
        read_from(&mut trial, &other.url(), QUERY, None);
        trial.catalogue.entities.get_mut("customer").expect("declared").absent = Some(Absent::Keep);
        at(&mut trial, 0).await;
        other.execute("delete from people where id > 1").await;
        assert_eq!(at(&mut trial, 10).await.read[0].removed, 0);
    })
    .await;
}

#[test]
fn a_database_that_is_away_is_told_without_its_password_and_holds_up_nothing() {
    let data = "[customer]\nkey = \"id\"\nroles = { email = \"email\" }\n\
                source = { database = \"postgres://reader:${SHOP_PASSWORD}@127.0.0.1:9/shop\", query = \"select 1\" }\n\
                [customer.fields]\nid = \"text\"\nemail = \"text\"\n\
                [order]\nkey = \"id\"\nbelongs_to = { customer = \"customer_id\" }\nsource = \"orders.csv\"\n\
                [order.fields]\nid = \"text\"\ncustomer_id = \"text\"\n";
    let home = Home::new().settings(&Settings::default()).file("config/data.toml", data);
    let home = home.file("orders.csv", "id,customer_id\n1,17\n").with("SHOP_PASSWORD", "hunter2");
    let once = home.plusone(&["once"]).ended_with(0);
    assert!(once.stdout.contains("1 new"), "{}", once.stdout);
    let status = home.plusone(&["status"]).ended_with(0);
    let told = "customer could not be read at";
    assert!(status.stdout.contains(told) && status.stdout.contains("postgres://127.0.0.1:9/shop"), "{}", status.stdout);
    for text in [&once.stdout, &once.stderr, &status.stdout, &home.plusone(&["check"]).stdout] {
        assert!(!text.contains("hunter2"), "{text}");
    }
}
