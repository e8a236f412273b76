//! A database with a small shop's catalogue, and a folder for its files.

use plusone::amount::SCALE;
use plusone::catalogue::{Absent, Catalogue, Entity, Field, Link, Place, Roles, Type};
use plusone::courtesy::consent::{self, Answer, Source, SourceKind};
use plusone::data::import::{Import, import};
use plusone::data::sync::{SyncReport, sync};
use plusone::data::{DataError, Report};
use plusone::settings::{Business, Guard, LogFormat, Retention, Secret, Settings, Web};
use plusone::sql::Sql;
use plusone::store::consents::{self, Entry};
use plusone::store::db::{Cell, Db};
use plusone::store::{entities, migrate};
use plusone::time::{Timestamp, Tz};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};
use tempfile::TempDir;

pub struct Trial {
    pub db: Db,
    pub catalogue: Catalogue,
    pub settings: Settings,
    pub folder: TempDir,
    pub now: Timestamp,
}

pub fn instant() -> Timestamp {
    "2026-11-02T10:00:00Z".parse().expect("an instant")
}

fn field(name: &str, ty: Type) -> Field {
    Field::new(name, ty)
}

pub fn link(entity: &str, field: &str) -> Link {
    Link { entity: entity.to_owned(), field: field.to_owned() }
}

/// Customers, orders, carts with lines, and products that belong to nobody.
pub fn catalogue() -> Catalogue {
    let mut customer = Entity::new("customer", "id");
    customer.fields.extend([
        Field { column: Some("E-Mail".to_owned()), ..field("email", Type::Text) },
        field("phone", Type::Text),
        Field { one_of: ["basic", "silver", "gold"].map(str::to_owned).to_vec(), ..field("tier", Type::Text) },
        Field { format: Some("%d.%m.%Y".to_owned()), ..field("birthday", Type::Date) },
    ]);
    let mut cart = Entity::new("cart", "id");
    cart.fields.push(field("customer_id", Type::Text));
    cart.belongs_to.push(link("customer", "customer_id"));
    let mut line = Entity::new("line", "id");
    line.fields.extend([
        field("cart_id", Type::Text),
        field("product_id", Type::Text),
        field("price", Type::Decimal(SCALE)),
    ]);
    line.belongs_to.extend([link("cart", "cart_id"), link("product", "product_id")]);
    let mut touchpoint = Entity::new("touchpoint", "id");
    touchpoint.place = Place::BuiltIn;
    touchpoint.fields.push(field("customer_id", Type::Text));
    touchpoint.belongs_to.push(link("customer", "customer_id"));
    let product = Entity::new("product", "id");
    let roles = Roles { email: Some("email".to_owned()), phone: Some("phone".to_owned()), ..Roles::default() };
    let entities = [customer, cart, line, touchpoint, product].map(|entity| (entity.name.clone(), entity)).into();
    Catalogue { entities, roles, consent: Vec::new(), events: Vec::new() }
}

pub fn settings() -> Settings {
    Settings {
        business: Business {
            name: "Trial".to_owned(),
            postal_address: None,
            phone: None,
            email: None,
            website: None,
            logo: None,
            colour: None,
            time_zone: Tz::Europe__London,
            locale: "en-GB".to_owned(),
            country: "GB".to_owned(),
            currency: "GBP".to_owned(),
        },
        database_url: Secret::new(""),
        way_out: plusone::settings::WayOut::default(),
        web: Web { listen: String::new(), public_url: String::new() },
        channels: [].into(),
        providers: [].into(),
        topics: [].into(),
        quiet_hours: [].into(),
        legal_hours: plusone::courtesy::legal_hours::LegalHours::default(),
        caps: Vec::new(),
        holdout: 0,
        no_promotions_while: Vec::new(),
        guard: Guard::default(),
        retention: Retention::default(),
        log: LogFormat::Text,
    }
}

/// A fresh database of each kind that can be had here.
pub async fn databases() -> Vec<(Db, TempDir)> {
    let mut found = Vec::new();
    let folder = tempfile::tempdir().expect("a folder");
    let db = Db::open("sqlite://trial.db", folder.path()).await.expect("SQLite");
    migrate::migrate(&db).await.expect("migrated");
    found.push((db, folder));
    if let Some(db) = postgres().await {
        migrate::migrate(&db).await.expect("migrated");
        found.push((db, tempfile::tempdir().expect("a folder")));
    }
    found
}

/// A schema of its own on the server that `PLUSONE_TEST_POSTGRES` names.
#[expect(clippy::disallowed_methods, reason = "the tests' own switch is read from the environment")]
async fn postgres() -> Option<Db> {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    let Ok(url) = std::env::var("PLUSONE_TEST_POSTGRES") else {
        assert!(std::env::var("CI").is_err(), "PLUSONE_TEST_POSTGRES must be set where CI is");
        println!("PostgreSQL is left out: PLUSONE_TEST_POSTGRES is not set");
        return None;
    };
    let schema = format!("data_{}_{}", std::process::id(), NEXT.fetch_add(1, Ordering::SeqCst));
    let server = Db::open(&url, Path::new(".")).await.expect("PostgreSQL");
    server.execute(Sql::new(format!("create schema {schema}"))).await.expect("a schema");
    server.close().await;
    let sign = if url.contains('?') { '&' } else { '?' };
    Some(Db::open(&format!("{url}{sign}options[search_path]={schema}"), Path::new(".")).await.expect("PostgreSQL"))
}

/// A prepared trial on each database.
pub async fn trials() -> Vec<Trial> {
    let mut trials = Vec::new();
    for (db, folder) in databases().await {
        let (catalogue, settings) = (catalogue(), settings());
        entities::prepare(&db, &catalogue, settings.business.time_zone).await.expect("prepared");
        trials.push(Trial { db, catalogue, settings, folder, now: instant() });
    }
    trials
}

/// Rows as text, `-` for NULL.
pub async fn texts(db: &Db, sql: &str) -> Vec<Vec<String>> {
    let rows = db.fetch(Sql::new(sql)).await.expect("rows");
    let text = |cell: &Cell| match cell {
        Cell::Null => "-".to_owned(),
        Cell::Int(value) => value.to_string(),
        Cell::Text(text) => text.clone(),
    };
    rows.iter().map(|row| (0..row.len()).map(|index| text(row.cell(index))).collect()).collect()
}

impl Trial {
    pub fn file(&self, name: &str, content: &str) -> PathBuf {
        let path = self.folder.path().join(name);
        std::fs::write(&path, content).expect("a file");
        path
    }

    pub fn job<'a>(&'a self, entity: &'a str, path: &'a Path) -> Import<'a> {
        Import {
            catalogue: &self.catalogue,
            business: &self.settings.business,
            entity,
            path,
            now: self.now,
            absent: Absent::Keep,
            confirmed: false,
            dry_run: false,
            progress: plusone::progress::Progress::default(),
        }
    }

    pub async fn import(&self, entity: &str, path: &Path) -> Result<Report, DataError> {
        import(&self.db, &self.job(entity, path)).await
    }

    pub async fn sync(&self) -> SyncReport {
        sync(&self.db, &self.catalogue, &self.settings, self.folder.path(), self.now).await.expect("synced")
    }

    pub async fn rows(&self, sql: &str) -> Vec<Vec<String>> {
        texts(&self.db, sql).await
    }

    fn entry(customer: &str, at: &str, value: bool) -> Entry {
        let answer = if value { Answer::Yes } else { Answer::No };
        let source = Source::new(SourceKind::Support, "support");
        Entry::said(customer, "offers", "email", answer, at.parse().expect("an instant"), source)
    }

    /// The customer says yes or no to offers by email.
    pub async fn say(&self, customer: &str, at: &str, value: bool) {
        let mut tx = self.db.begin().await.expect("begun");
        consents::add(&mut tx, &[Self::entry(customer, at, value)], self.now).await.expect("added");
        tx.commit().await.expect("committed");
    }

    /// The current answer, read in each of the three ways, which agree.
    pub async fn consent(&self, customer: &str) -> Option<bool> {
        let asked = Self::entry(customer, "2026-01-01T00:00:00Z", true);
        let sql = format!("select {}", consent::current_sql("$1", "$2", "$3", "$4"));
        let sql = Sql::new(sql).with(asked.bucket).with(customer).with("offers").with("email");
        let by_sql =
            self.db.fetch_one(sql).await.expect("an answer").and_then(|row| row.opt_int(0)).map(Answer::of_code);
        let ledger = consents::ledger(&self.db, asked.bucket, customer).await.expect("a ledger");
        assert_eq!(consent::current(&ledger, "offers", "email"), by_sql);
        let mut tx = self.db.begin().await.expect("begun");
        let bulk = consents::current(&mut tx, &[asked]).await.expect("answers");
        assert_eq!(bulk.first().map(|(_, entry)| entry.answer), by_sql);
        by_sql.map(|answer| answer == Answer::Yes)
    }
}
