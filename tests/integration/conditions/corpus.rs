//! The corpus: conditions with the rows they choose, and the words of faults, in `tests/corpus/conditions`.

use super::data::{Cell, Data, Record, catalogue, load};
use super::run::{answers, block_on, postgres, run_alone, sqlite, with_room};
use plusone::amount::Amount;
use plusone::catalogue::{CUSTOMER, Catalogue, Type};
use plusone::expr::{Clause, Moment, Scope};
use plusone::store::db::{Cell as Stored, Db};
use plusone::store::{migrate, zones};
use plusone::time::{Date, Timestamp, Tz};
use std::path::{Path, PathBuf};
use toml_edit::{DocumentMut, Item, Table};

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/corpus/conditions")
}

fn read(path: &Path) -> DocumentMut {
    let text = std::fs::read_to_string(path).expect("a file of the corpus");
    text.parse().unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn tables<'d>(document: &'d DocumentMut, name: &str) -> impl Iterator<Item = &'d Table> {
    document.get(name).and_then(Item::as_array_of_tables).into_iter().flatten()
}

fn text(table: &Table, name: &str) -> Option<String> {
    table.get(name).and_then(Item::as_str).map(str::to_owned)
}

fn texts(table: &Table, name: &str) -> Vec<String> {
    let array = table.get(name).and_then(Item::as_array).unwrap_or_else(|| panic!("a list `{name}` in {table:?}"));
    array.iter().map(|value| value.as_str().expect("a text").to_owned()).collect()
}

/// The rows of `rows.toml`, with buckets and customers as an import would give them.
fn rows(catalogue: &Catalogue) -> Data {
    let document = read(&folder().join("rows.toml"));
    let mut data = Data::new();
    for name in [CUSTOMER, "order", "order_line", "product", "shop"] {
        let entity = catalogue.entity(name).expect("it is declared");
        let records = tables(&document, name).map(|table| {
            let mut record = Record { bucket: -1, ..Record::default() };
            for field in &entity.fields {
                record.fields.extend(cell(table, &field.name, field.ty).map(|cell| (field.name.clone(), cell)));
            }
            record.customer = if name == CUSTOMER { text(table, "id").expect("a key") } else { owner(&record, &data) };
            record.bucket = i64::try_from(record.customer.len()).expect("small");
            record
        });
        let records = records.collect();
        data.insert(name.to_owned(), records);
    }
    data
}

fn owner(record: &Record, data: &Data) -> String {
    match (record.fields.get("customer_id"), record.fields.get("order_id")) {
        (Some(Cell::Text(customer)), _) => customer.clone(),
        (None, Some(order)) => {
            let order = data["order"].iter().find(|row| row.fields.get("id") == Some(order));
            order.map(|order| order.customer.clone()).unwrap_or_default()
        }
        _ => String::new(),
    }
}

fn cell(table: &Table, name: &str, ty: Type) -> Option<Cell> {
    let item = table.get(name)?;
    let written = || item.as_str().unwrap_or_else(|| panic!("`{name}` is written as a text"));
    Some(match ty {
        Type::Text => Cell::Text(written().to_owned()),
        Type::Boolean => Cell::Int(i64::from(item.as_bool().expect("true or false"))),
        Type::Integer => Cell::Int(item.as_integer().expect("an integer")),
        Type::Decimal(scale) => Cell::Int(Amount::parse(written(), scale).expect("a decimal").units),
        Type::Money => Cell::Int(Amount::parse(written(), 4).expect("money").units),
        Type::Date => Cell::Int(written().parse::<Date>().expect("a date").days()),
        Type::Timestamp => Cell::Int(written().parse::<Timestamp>().expect("an instant").micros()),
    })
}

#[test]
fn the_corpus_chooses_the_rows_it_says() {
    with_room(|| block_on(corpus()));
}

async fn corpus() {
    let catalogue = catalogue();
    let data = rows(&catalogue);
    let moment = Moment::new("2026-11-03T09:00:00Z".parse().expect("an instant"), Tz::Europe__London);
    let home = tempfile::tempdir().expect("a folder");
    let on_postgres = postgres("corpus").await;
    let databases: Vec<Db> =
        std::iter::once(sqlite(home.path()).await).chain(on_postgres.iter().map(|(db, ..)| db.clone())).collect();
    for db in &databases {
        migrate::migrate(db).await.expect("a schema");
        load(db, &catalogue, &data).await.expect("rows");
        let mut tx = db.begin().await.expect("a transaction");
        zones::ensure(&mut tx, moment.zone).await.expect("offsets");
        zones::ensure(&mut tx, moment.zone).await.expect("offsets again");
        tx.commit().await.expect("committed");
    }
    let mut cases = 0;
    for entry in std::fs::read_dir(folder()).expect("the corpus") {
        let document = read(&entry.expect("a file").path());
        for case in tables(&document, "case") {
            let root = text(case, "for_each").unwrap_or_else(|| CUSTOMER.to_owned());
            let when = text(case, "when").expect("a condition");
            let scope = Scope { catalogue: &catalogue, root: &root };
            let clause = Clause::compile(&when, scope).unwrap_or_else(|faults| panic!("{when}: {faults:?}"));
            for db in &databases {
                let found = answers(db, &clause, &catalogue, &root, moment).await;
                let having = |wanted: i64| -> Vec<String> {
                    found.iter().filter(|(_, row)| row[0] == Stored::Int(wanted)).map(|(key, _)| key.clone()).collect()
                };
                assert_eq!(having(1), texts(case, "chosen"), "chosen by {:?}: {when}", db.dialect());
                assert_eq!(having(0), texts(case, "left"), "left by {:?}: {when}", db.dialect());
            }
            cases += 1;
        }
        for case in tables(&document, "fault") {
            let when = text(case, "when").expect("a condition");
            let faults = Clause::compile(&when, Scope { catalogue: &catalogue, root: CUSTOMER }).expect_err(&when);
            let column = |byte: usize| when[..byte].chars().count() + 1;
            let said: Vec<String> =
                faults.iter().map(|fault| format!("{}: {fault}", column(fault.span.start))).collect();
            assert_eq!(said, texts(case, "says"), "{when}");
            cases += 1;
        }
    }
    assert!(cases > 60, "{cases} cases were read");
    for db in &databases {
        db.close().await;
    }
    if let Some((_, url, name)) = on_postgres {
        run_alone(&url, &format!("drop database {name}")).await;
    }
}
