//! A small shop for tests of planning and delivery: customers and carts in CSV files, rules written by the test, and the
//! library at work on them with a clock that the test sets. Each test runs on SQLite, and on PostgreSQL where there is
//! one.

use crate::harness::home::{Home, Settings};
use crate::harness::postgres::Database;
use plusone::app::{App, Planned};
use plusone::clock::Clock;
use plusone::problem::Severity;
use plusone::sql::Sql;
use plusone::store::leases::Lease;
use plusone::store::runs::Run;
use plusone::time::Timestamp;
use serde_json::Value;

/// Noon in London, a Tuesday.
pub const NOON: &str = "2026-11-03T12:00:00Z";

const DATA: &str = r#"
[customer]
source = "customers.csv"
key = "id"
roles = { email = "email", phone = "phone", name = "first_name" }
[customer.fields]
id = "text"
email = "text"
phone = "text"
first_name = "text"
tier = "text"
joined = { type = "date", required = true }
email_ok = "boolean"
[customer.consent]
offers = { email = "email_ok", source = "the shop" }
[cart]
source = "carts.csv"
key = "id"
belongs_to = { customer = "customer_id" }
absent = "keep"
[cart.fields]
id = "text"
customer_id = "text"
status = "text"
"#;

/// Runs `test` on an empty shop with more settings, once for each database that there is.
pub async fn on_both(more: &str, test: impl AsyncFn(Home)) {
    let settings = Settings { more: more.to_owned(), ..Settings::default() };
    test(home(&settings)).await;
    if let Some(database) = Database::create() {
        test(home(&Settings { database: database.url.clone(), ..settings })).await;
    }
}

/// What every promotional letter must say at its end.
pub const WAY_OUT: &str = "{{links.unsubscribe}} {{links.why}} {{business.name}} {{business.postal_address}}";

/// A shop without rules, customers and carts.
pub fn home(settings: &Settings) -> Home {
    Home::new()
        .settings(settings)
        .file("config/data.toml", DATA)
        .file("customers.csv", &customers(&[]))
        .file("carts.csv", "id,customer_id,status\n")
        .file("templates/note/subject.hbs", "A note")
        .file("templates/note/email.txt.hbs", &format!("Hello {{{{default customer.first_name \"you\"}}}}\n{WAY_OUT}"))
        .file("templates/note/sms.hbs", "Hello")
}

/// `id,email,first_name,tier,email_ok` of each; a joined date and a phone for all.
pub fn customers(rows: &[&str]) -> String {
    let mut text = "id,email,first_name,tier,email_ok,phone,joined\n".to_owned();
    for (place, row) in rows.iter().enumerate() {
        text.push_str(&format!("{row},+4479111{:05},2026-11-03\n", 20_000 + place));
    }
    text
}

/// A rule's file: a reminder by email each hour to everybody, but for what `keys` say.
pub fn rule(keys: &[(&str, &str)]) -> String {
    let usual = [
        ("live", "true"),
        ("kind", "\"reminder\""),
        ("topic", "\"reminders\""),
        ("schedule", "\"every hour\""),
        ("when", "['customer.id != \"\"']"),
        ("channels", "[\"email\"]"),
        ("template", "\"note\""),
    ];
    let usual = usual.iter().filter(|(name, _)| keys.iter().all(|(key, _)| key != name));
    usual.chain(keys).map(|(name, value)| format!("{name} = {value}\n")).collect()
}

pub fn at(text: &str) -> Timestamp {
    text.parse().expect("an instant")
}

/// The library at work in a home.
pub struct Shop {
    pub app: App,
    pub lease: Lease,
}

impl Shop {
    /// Opens the shop at an instant and takes its buckets.
    pub async fn open(home: &Home, now: &str) -> Self {
        let app = App::open(home.path(), Clock::manual(at(now))).await;
        let app = app.unwrap_or_else(|error| panic!("{error:?}"));
        let errors = app.workspace.problems.iter().filter(|problem| problem.severity == Severity::Error);
        let errors: Vec<String> = errors.map(ToString::to_string).collect();
        assert!(errors.is_empty(), "{errors:?}");
        let lease = app.lease("the test", true).await.expect("nobody else has it");
        Self { app, lease }
    }

    pub async fn reload(&mut self) {
        self.app.reload().await.expect("good files");
    }

    pub fn set(&mut self, now: &str) {
        self.app.clock = Clock::manual(at(now));
    }

    /// One pass of planning.
    pub async fn pass(&mut self, now: &str) -> Planned {
        self.set(now);
        self.app.plan(&self.lease, at(now), None).await.expect("planned")
    }

    /// One pass in which one run is due: that one.
    pub async fn tick(&mut self, now: &str) -> Run {
        let planned = self.pass(now).await;
        assert_eq!(planned.runs.len(), 1, "{:?} {:?}", planned.runs, planned.told);
        planned.runs.into_iter().next().expect("one")
    }

    /// Sends what is due; the counts of `once --json`.
    pub async fn send(&mut self, now: &str) -> Value {
        self.set(now);
        self.app.deliver(&self.lease).await.expect("delivered").to_json()
    }

    pub async fn number(&self, sql: &str) -> i64 {
        self.app.db.fetch_one(Sql::new(sql)).await.expect("a good statement").map_or(0, |row| row.int(0))
    }

    /// `customer occurrence state reason` of every touchpoint.
    pub async fn log(&self) -> Vec<String> {
        let sql = "select customer || ' ' || occurrence || ' ' || state || ' ' || coalesce(reason, '-') from touchpoints \
                   order by 1";
        self.app.db.fetch(Sql::new(sql)).await.expect("the log").iter().map(|row| row.text(0).to_owned()).collect()
    }

    /// The kinds of a touchpoint's events, in order.
    pub async fn events(&self, customer: &str) -> Vec<String> {
        let sql = "select e.kind from touchpoint_events e join touchpoints t on t.bucket = e.bucket and t.id = e.touchpoint \
                   where t.customer = $1 order by t.created_at, t.id, e.n";
        let rows = self.app.db.fetch(Sql::new(sql).with(customer)).await.expect("the events");
        rows.iter().map(|row| row.text(0).to_owned()).collect()
    }

    pub async fn execute(&self, sql: &str) {
        self.app.db.execute(Sql::new(sql)).await.expect("a good statement");
    }

    /// What is taken out of an offer's budget in all; money, scaled.
    pub async fn taken(&self, offer: &str) -> i64 {
        self.number(&format!("select taken from offer_budgets where offer = '{offer}' and period = 'total'")).await
    }
}
