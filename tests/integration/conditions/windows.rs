//! The property of windows: whoever a condition is true of at any instant of a window may be so by what is asked of the
//! window as a whole, and nobody is certain of whom it is not true at each.

use super::data::{catalogue, load};
use super::random::{Random, ZONES};
use super::run::{MOMENTS, answers, block_on, postgres, run_alone, sqlite, with_room};
use plusone::catalogue::{CUSTOMER, Catalogue};
use plusone::expr::window::Window;
use plusone::expr::{Aliases, Clause, Moment, Scope};
use plusone::sql::Sql;
use plusone::store::db::{Cell, Db};
use plusone::store::{migrate, zones};
use plusone::time::Span;
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use std::collections::BTreeMap;

const MINUTE: i64 = 60;
/// How long windows are, in minutes.
const LONG: [i64; 6] = [0, 15, 90, 700, 3 * 1_440, 40 * 1_440];
const CONDITIONS: usize = 60;

/// More conditions than the random ones, as rules have them.
const USUAL: [&str; 14] = [
    "customer.seen_at < ago(\"4h\")",
    "customer.seen_at > ago(\"2d\") && customer.seen_at < ahead(\"1h\")",
    "!(customer.seen_at > ago(\"2d\"))",
    "is_anniversary(customer.birthday)",
    "!is_anniversary(customer.birthday)",
    "days_until_anniversary(customer.birthday) in [0, 1, 7]",
    "days_until_anniversary(customer.birthday) == 3",
    "years_since(customer.birthday) >= 30",
    "days_since(customer.seen_at) == 1",
    "days_until(customer.birthday) < 40",
    "customer.orders.exists(o, o.placed_at > ago(\"2d\"))",
    "!customer.orders.exists(o, o.placed_at > ago(\"2d\"))",
    "size(customer.orders.filter(o, o.placed_at < ago(\"6h\"))) >= 2",
    "customer.orders.max(o, o.placed_at) < ago(\"1d\") || customer.vip",
];

/// For each row: whether it may be so at some instant, and whether it is at each.
async fn of_window(db: &Db, clause: &Clause, catalogue: &Catalogue, window: Window) -> BTreeMap<String, (Cell, Cell)> {
    let mut sql = Sql::default();
    let aliases = Aliases { root: "c", customer: "c" };
    sql.push("select c.id, ");
    clause.write_possible(&mut sql, db.dialect(), catalogue, aliases, window);
    sql.push(", ");
    clause.write_certain(&mut sql, db.dialect(), catalogue, aliases, window);
    sql.push(&format!(" from {} as c", catalogue.customer().table()));
    let rows = db.fetch(sql).await.unwrap_or_else(|error| panic!("{}: {error}", clause.text));
    rows.iter().map(|row| (row.text(0).to_owned(), (row.cell(1).clone(), row.cell(2).clone()))).collect()
}

/// What was seen of all conditions.
#[derive(Default)]
struct Seen {
    /// Rows that no window leaves to be asked.
    left_out: u64,
    /// Rows of which a condition is true within a window and not at its beginning.
    later: u64,
    certain: u64,
    windows: u64,
}

#[test]
fn a_window_leaves_out_nobody_of_whom_a_condition_is_true_within_it() {
    with_room(|| block_on(property()));
}

async fn property() {
    let catalogue = catalogue();
    let mut seen = Seen::default();
    for (round, (now, zone)) in MOMENTS.iter().enumerate() {
        let moment = Moment::new(now.parse().expect("an instant"), *zone);
        let mut random = Random::new(777 + round as u64);
        let data = random.data(&catalogue, 40, moment.now);
        let folder = tempfile::tempdir().expect("a folder");
        let on_postgres = if round == 0 { postgres("windows").await } else { None };
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
        let mut texts: Vec<String> = USUAL.iter().map(|text| (*text).to_owned()).collect();
        texts.extend((0..CONDITIONS).map(|_| random.condition(&catalogue, CUSTOMER)));
        let mut chance = StdRng::seed_from_u64(round as u64);
        for text in texts {
            let Ok(clause) = Clause::compile(&text, Scope { catalogue: &catalogue, root: CUSTOMER }) else { continue };
            let moment = Moment { in_customers_time: chance.random_bool(0.4), ..moment };
            let db = &databases[chance.random_range(0..databases.len())];
            compare(db, &clause, &catalogue, moment, &mut chance, &mut seen).await;
        }
        for db in &databases {
            db.close().await;
        }
        if let Some((_, url, name)) = on_postgres {
            run_alone(&url, &format!("drop database {name}")).await;
        }
    }
    let Seen { left_out, later, certain, windows } = seen;
    println!("{windows} windows: {left_out} rows left out, {later} true only later, {certain} certain");
    assert!(left_out > 1_000 && later > 100 && certain > 100, "the property says nothing");
}

async fn compare(
    db: &Db,
    clause: &Clause,
    catalogue: &Catalogue,
    moment: Moment,
    chance: &mut StdRng,
    seen: &mut Seen,
) {
    let minutes = LONG[chance.random_range(0..LONG.len())];
    let from = moment.now.plus(Span::from_seconds(MINUTE * chance.random_range(-2_000..2_000)));
    let until = from.plus(Span::from_seconds(MINUTE * minutes));
    let window = Window { from: Moment { now: from, ..moment }, until };
    let said = of_window(db, clause, catalogue, window).await;
    let mut instants = vec![from, until];
    instants.extend((0..5).map(|_| from.plus(Span::from_seconds(MINUTE * chance.random_range(0..=minutes)))));
    for (place, now) in instants.into_iter().enumerate() {
        let found = answers(db, clause, catalogue, CUSTOMER, Moment { now, ..moment }).await;
        for (key, cells) in found {
            let (possible, certain) = &said[&key];
            let holds = cells[0] == Cell::Int(1);
            let told = format!("{key} at {now} of {from} to {until} by {:?}: {}", moment, clause.text);
            assert!(!holds || *possible == Cell::Int(1), "true, and left out: {told}");
            assert!(holds || *certain != Cell::Int(1), "not true, and certain: {told}");
            seen.later += u64::from(holds && place > 0 && minutes > 0);
        }
    }
    seen.windows += 1;
    seen.left_out += said.values().filter(|(possible, _)| *possible != Cell::Int(1)).count() as u64;
    seen.certain += said.values().filter(|(_, certain)| *certain == Cell::Int(1)).count() as u64;
}
