//! The property: for every condition and every row, SQL says what the oracle says: true, false or unknown; and so for
//! every value that a condition reads.

use super::data::{Data, catalogue, load};
use super::oracle::{Known, Oracle, Programs, names_of};
use super::random::{Random, ZONES};
use plusone::catalogue::{CUSTOMER, Catalogue};
use plusone::expr::{Aliases, Clause, Moment, Scope};
use plusone::sql::{Bind, Sql};
use plusone::store::db::{Cell, Db};
use plusone::store::{migrate, zones};
use plusone::time::Tz;
use std::collections::BTreeMap;
use std::path::Path;

const STACK_BYTES: usize = 256 * 1024 * 1024;
const ALIASES: Aliases<'static> = Aliases { root: "r", customer: "c" };

/// Moments at which calendars are difficult.
pub const MOMENTS: [(&str, Tz); 6] = [
    ("2026-10-25T00:45:00Z", Tz::Europe__London),
    ("2024-02-29T12:00:00Z", Tz::UTC),
    ("2027-02-28T23:30:00Z", Tz::America__New_York),
    ("2006-10-29T03:30:00Z", Tz::America__St_Johns),
    ("2011-12-31T09:00:00Z", Tz::Pacific__Apia),
    ("2026-03-01T00:00:00Z", Tz::Australia__Lord_Howe),
];

/// Runs `work` on a thread with room for the interpreter's recursion.
pub fn with_room(work: impl FnOnce() + Send + 'static) {
    let thread = std::thread::Builder::new().stack_size(STACK_BYTES);
    thread.spawn(work).expect("a thread").join().unwrap_or_else(|panic| std::panic::resume_unwind(panic));
}

pub fn block_on<T>(work: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime").block_on(work)
}

/// An empty database of one's own in `folder`, or on the PostgreSQL of `PLUSONE_TEST_POSTGRES`.
pub async fn sqlite(folder: &Path) -> Db {
    Db::open("sqlite://test.db", folder).await.expect("a database")
}

/// The database of PostgreSQL that tests may fill, with its name; `None` where there is no server.
#[expect(clippy::disallowed_methods, reason = "the tests' own switch is read from the environment")]
pub async fn postgres(name: &str) -> Option<(Db, String, String)> {
    let Ok(url) = std::env::var("PLUSONE_TEST_POSTGRES") else {
        assert!(std::env::var("CI").is_err(), "PLUSONE_TEST_POSTGRES must name a PostgreSQL in CI");
        eprintln!("left out: PLUSONE_TEST_POSTGRES does not name a PostgreSQL");
        return None;
    };
    let home = Path::new(".");
    let admin = Db::open(&url, home).await.expect("the server of PLUSONE_TEST_POSTGRES");
    let name = format!("plusone_{name}_{}", std::process::id());
    run_alone(&url, &format!("drop database if exists {name}")).await;
    run_alone(&url, &format!("create database {name}")).await;
    admin.close().await;
    let base = url.rsplit_once('/').expect("a URL with a database").0.to_owned();
    let db = Db::open(&format!("{base}/{name}"), home).await.expect("the new database");
    Some((db, url, name))
}

/// A statement that no transaction may be around.
pub async fn run_alone(url: &str, statement: &str) {
    let db = Db::open(url, Path::new(".")).await.expect("the server of PLUSONE_TEST_POSTGRES");
    db.fetch(Sql::new(statement)).await.expect("the statement runs");
    db.close().await;
}

/// A condition's answers on every row of `root`, by key: 1, 0 or NULL, and then what it used.
pub async fn answers(
    db: &Db,
    clause: &Clause,
    catalogue: &Catalogue,
    root: &str,
    moment: Moment,
) -> BTreeMap<String, Vec<Cell>> {
    let mut sql = Sql::default();
    let alias = if root == CUSTOMER { ALIASES.customer } else { ALIASES.root };
    sql.push(&format!("select {alias}.id, "));
    clause.write_sql(&mut sql, db.dialect(), catalogue, ALIASES, moment);
    for index in 0..clause.used().len() {
        sql.push(", ");
        clause.write_used(index, &mut sql, db.dialect(), catalogue, ALIASES, moment);
    }
    let customers = catalogue.customer().table();
    match root {
        CUSTOMER => sql.push(&format!(" from {customers} as c")),
        _ => {
            let table = catalogue.entity(root).expect("it is declared").table();
            sql.push(&format!(
                " from {table} as r join {customers} as c on c.id = r._customer and c._bucket = r._bucket"
            ))
        }
    };
    let rows = db.fetch(sql.clone()).await.unwrap_or_else(|error| {
        panic!("{}\n{error}\n{}\n{:?}", clause.text, sql.text, sql.binds.iter().collect::<Vec<&Bind>>())
    });
    rows.into_iter()
        .map(|row| (row.text(0).to_owned(), (1..row.len()).map(|index| row.cell(index).clone()).collect()))
        .collect()
}

fn as_cell(known: Option<Known>) -> Cell {
    match known {
        None => Cell::Null,
        Some(Known::Int(value)) => Cell::Int(value),
        Some(Known::Bool(value)) => Cell::Int(value.into()),
        Some(Known::Text(text)) => Cell::Text(text),
    }
}

struct Trial<'a> {
    catalogue: &'a Catalogue,
    data: &'a Data,
    moment: Moment,
}

impl Trial<'_> {
    /// Compares a condition's answers with the oracle's; gives the number of rows.
    fn compare(&self, clause: &Clause, root: &str, name: &str, found: &BTreeMap<String, Vec<Cell>>) -> usize {
        let oracle = Oracle::new(self.catalogue, self.data, self.moment);
        let programs = Programs::default();
        let mut rows = 0;
        for record in &self.data[root] {
            let names = names_of(root, record, self.data);
            if names.customer.is_none() {
                continue;
            }
            let super::data::Cell::Text(key) = &record.fields["id"] else { panic!("a key is a text") };
            assert!(found.contains_key(key), "{name}: {root} {key} is not among {:?}: {record:?}", found.keys());
            let mut expected = vec![as_cell(oracle.value(clause.tree(), &names, &programs))];
            for index in 0..clause.used().len() {
                let node = clause.used_tree(index);
                let raw = matches!(&node.value, plusone::expr::tree::Value::Field(..));
                let value = oracle.value(node, &names, &programs);
                let missing = raw && clause.used()[index].ty == plusone::catalogue::Type::Boolean;
                // A missing boolean is false in a condition, and missing where it is shown.
                expected.push(if missing && value == Some(Known::Bool(false)) {
                    found[key][index + 1].clone()
                } else {
                    as_cell(value)
                });
            }
            assert_eq!(
                found[key],
                expected,
                "{name}: {root} {key}: {}\n{:?}\n{:#?}",
                clause.text,
                clause.used(),
                record
            );
            rows += 1;
        }
        assert_eq!(found.len(), rows, "{}", clause.text);
        rows
    }
}

#[expect(clippy::disallowed_methods, reason = "the tests' own switch is read from the environment")]
fn wanted_pairs() -> usize {
    std::env::var("PLUSONE_PROPERTY_PAIRS").ok().and_then(|pairs| pairs.parse().ok()).unwrap_or(100_000)
}

#[expect(clippy::disallowed_methods, reason = "the tests' own switch is read from the environment")]
fn seed() -> u64 {
    std::env::var("PLUSONE_PROPERTY_SEED").ok().and_then(|seed| seed.parse().ok()).unwrap_or(20_261_103)
}

#[test]
fn both_databases_choose_the_rows_that_the_oracle_chooses() {
    with_room(|| block_on(property()));
}

async fn property() {
    let catalogue = catalogue();
    let (mut pairs, mut refused, mut compiled) = (0, 0, 0);
    for (round, (now, zone)) in MOMENTS.iter().enumerate() {
        let moment = Moment::new(now.parse().expect("an instant"), *zone);
        let mut random = Random::new(seed() + round as u64);
        let data = random.data(&catalogue, 60, moment.now);
        let folder = tempfile::tempdir().expect("a folder");
        let on_postgres = postgres(&format!("property_{round}")).await;
        let databases: Vec<Db> =
            std::iter::once(sqlite(folder.path()).await).chain(on_postgres.iter().map(|(db, ..)| db.clone())).collect();
        for db in &databases {
            migrate::migrate(db).await.expect("a schema");
            load(db, &catalogue, &data).await.expect("rows");
            let mut tx = db.begin().await.expect("a transaction");
            zones::ensure(&mut tx, moment.zone).await.expect("offsets");
            tx.commit().await.expect("committed");
            zones::prepare_names(db, ZONES).await.expect("offsets");
        }
        while pairs < wanted_pairs() * (round + 1) / MOMENTS.len() {
            let root = ["customer", "order", "order_line"][compiled % 3];
            let text = random.condition(&catalogue, root);
            let Ok(clause) = Clause::compile(&text, Scope { catalogue: &catalogue, root }) else {
                refused += 1;
                continue;
            };
            compiled += 1;
            let moment = Moment { in_customers_time: compiled % 2 == 0, ..moment };
            let trial = Trial { catalogue: &catalogue, data: &data, moment };
            for db in &databases {
                let found = answers(db, &clause, &catalogue, root, moment).await;
                pairs += trial.compare(&clause, root, &format!("{:?} at {now}", db.dialect()), &found);
            }
        }
        for db in &databases {
            db.close().await;
        }
        if let Some((_, url, name)) = on_postgres {
            run_alone(&url, &format!("drop database {name}")).await;
        }
    }
    println!("{pairs} pairs of {compiled} conditions, {refused} refused");
    assert!(refused * 5 < compiled, "{refused} of the random conditions were refused, {compiled} were not");
}

/// The largest conditions that are read, over rows of extreme values.
#[test]
fn no_statement_fails_because_of_its_size_or_of_a_value() {
    with_room(|| block_on(largest()));
}

async fn largest() {
    let catalogue = catalogue();
    let moment = Moment::new("2026-11-03T09:00:00Z".parse().expect("an instant"), Tz::Europe__London);
    let data = Random::new(7).data(&catalogue, 12, moment.now);
    let folder = tempfile::tempdir().expect("a folder");
    let on_postgres = postgres("largest").await;
    let databases: Vec<Db> =
        std::iter::once(sqlite(folder.path()).await).chain(on_postgres.iter().map(|(db, ..)| db.clone())).collect();
    let many = |what: &str, sign: &str| vec![what; 95].join(sign);
    let conditions = [
        format!("{} > 1", many("customer.spent", " + ")),
        format!("{} > 1", many("customer.spent", " - ")),
        format!("{} > 1", many("customer.points", " * ")),
        format!("{} > 1", many("customer.points", " / ")),
        format!("{} > 1", ["customer.points"; 5].join(" % ")),
        many("customer.vip", " || "),
        format!("{}customer.vip{}", "(customer.vip ? true : ".repeat(31), ")".repeat(31)),
        format!("customer.tier{} == \"\"", ".lower()".repeat(98)),
        format!("{}true{}", "(customer.tier.endsWith(customer.name) == ".repeat(25), ")".repeat(25)),
        format!("customer.worth {} > 1", "+ customer.worth ".repeat(30)),
        format!(
            "{} > 1",
            many("days_since(customer.seen_at)", " + ").split(" + ").take(50).collect::<Vec<_>>().join(" + ")
        ),
    ];
    let trial = Trial { catalogue: &catalogue, data: &data, moment };
    for db in &databases {
        migrate::migrate(db).await.expect("a schema");
        load(db, &catalogue, &data).await.expect("rows");
        let mut tx = db.begin().await.expect("a transaction");
        zones::ensure(&mut tx, moment.zone).await.expect("offsets");
        tx.commit().await.expect("committed");
        for text in &conditions {
            let clause = Clause::compile(text, Scope { catalogue: &catalogue, root: CUSTOMER })
                .unwrap_or_else(|faults| panic!("{text}: {faults:?}"));
            let found = answers(db, &clause, &catalogue, CUSTOMER, moment).await;
            trial.compare(&clause, CUSTOMER, &format!("{:?}", db.dialect()), &found);
        }
        db.close().await;
    }
    if let Some((_, url, name)) = on_postgres {
        run_alone(&url, &format!("drop database {name}")).await;
    }
}
