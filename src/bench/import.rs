//! Import: two files into empty tables, beside the database's own bulk load.
//!
//! The limit is `.import` of the `sqlite3` program: a prepared statement of one row in a loop, in one transaction, in
//! C. It is given the same rows in the same order with bucket, owner and digest worked out, and writes them into
//! tables of the same columns and indexes. It checks nothing. Where the program is not installed the limit is an
//! insert of many rows a statement through plusone's own driver, in one transaction; the setup says which it was.

use super::business::{Business, Fields, record};
use super::home::Home;
use super::{BenchError, Figures, Result, Size, Stage, median, process, shown};
use crate::catalogue::{Absent, Catalogue, Type};
use crate::data::import::{self, Import};
use crate::progress::Progress;
use crate::sql::Sql;
use crate::store::db::{Cell, Db};
use crate::time::{Date, Timestamp};
use serde_json::json;
use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Instant;

/// The entities, with the place of the owner's key among their fields.
const ENTITIES: [(&str, usize); 2] = [("customer", 0), ("order", 1)];
/// Rows in one statement of the stand-in: SQLite takes 32,766 values.
const ROWS: usize = 500;
/// As plusone's own connections are set.
const PRAGMAS: &str = "pragma journal_mode = wal; pragma synchronous = full; pragma cache_size = -16384;";

pub async fn measure(size: Size, rounds: usize) -> Result<Figures> {
    let customers = match size {
        Size::Small => 2_000,
        Size::Full => 250_000,
    };
    let files = Files::write(customers).await?;
    let by_program = Command::new("sqlite3").arg("-version").stdout(Stdio::null()).stderr(Stdio::null()).status();
    let by_program = by_program.is_ok_and(|ended| ended.success());
    let (mut ours, mut limit) = (Vec::new(), Vec::new());
    for _ in 0..rounds {
        limit.push(files.rows as f64 / if by_program { files.load().await? } else { files.load_by_driver().await? });
        ours.push(files.rows as f64 / files.import().await?);
    }
    let limit_is = if by_program {
        "sqlite3 .import of the finished rows, one transaction"
    } else {
        "insert of 500 rows a statement through the driver, one transaction (sqlite3 is not installed)"
    };
    let setup = json!({
        "database": "SQLite, synchronous=FULL",
        "rows": files.rows,
        "customers": customers,
        "rounds": rounds,
        "ours_by_round": shown(&ours),
        "limit_by_round": shown(&limit),
        "limit_is": limit_is,
        "mark": "ratio at least 0.3",
    });
    Ok(Figures {
        stage: Stage::Import,
        ours: median(&ours),
        limit: median(&limit),
        unit: "rows/s",
        peak_rss_mb: process::own_peak_mb(),
        setup: setup.as_object().cloned().unwrap_or_default(),
    })
}

/// The shop as files: for plusone with headings, for the bulk load with the finished columns.
struct Files {
    home: Home,
    rows: usize,
    business: Business,
    /// The statements that make the tables.
    schema: String,
}

impl Files {
    async fn write(customers: usize) -> Result<Self> {
        let (home, shop) = (Home::empty()?, Home::of_shop(1, 1)?);
        let open = shop.open().await?;
        let catalogue = &open.app.workspace.project.catalogue;
        let business = Business::new(customers, open.app.clock.now()).by_number();
        let mut rows = 0;
        for (entity, owner) in ENTITIES {
            rows += write(home.path(), catalogue, entity, owner, business.fields(entity))?;
        }
        let schema = "select sql || ';' from sqlite_master where tbl_name in ('d_customer', 'd_order') \
                      and sql is not null order by type desc, name";
        let schema = open.app.db.fetch(Sql::new(schema)).await?;
        let schema = schema.iter().map(|row| row.text(0)).collect::<Vec<_>>().join("\n");
        Ok(Self { home, rows, business, schema })
    }

    /// Seconds of plusone's import into a new database.
    async fn import(&self) -> Result<f64> {
        let shop = Home::of_shop(1, 1)?;
        let open = shop.open().await?;
        let project = &open.app.workspace.project;
        let began = Instant::now();
        let mut created = 0;
        for (entity, _) in ENTITIES {
            let job = Import {
                catalogue: &project.catalogue,
                business: &project.settings.business,
                entity,
                path: &with_headings(self.home.path(), entity),
                now: open.app.clock.now(),
                absent: Absent::Keep,
                confirmed: false,
                dry_run: false,
                progress: Progress::default(),
            };
            created += import::import(&open.app.db, &job).await?.created;
        }
        let took = began.elapsed().as_secs_f64();
        self.expect(created)?;
        Ok(took)
    }

    /// Seconds of the `sqlite3` program into a new database.
    async fn load(&self) -> Result<f64> {
        let target = Home::empty()?;
        let database = target.path().join("limit.db");
        let mut script = format!("{PRAGMAS}\n{}\nbegin;\n.mode csv\n", self.schema);
        for (entity, _) in ENTITIES {
            script.push_str(&format!(".import \"{}\" d_{entity}\n", finished(self.home.path(), entity).display()));
        }
        script.push_str("commit;\n");
        let began = Instant::now();
        let child =
            Command::new("sqlite3").arg("-bail").arg(&database).stdin(Stdio::piped()).stdout(Stdio::null()).spawn();
        let mut child = child.map_err(BenchError::io("cannot start sqlite3"))?;
        let mut stdin = child.stdin.take().expect("it is piped");
        stdin.write_all(script.as_bytes()).map_err(BenchError::io("sqlite3 does not listen"))?;
        drop(stdin);
        let ended = child.wait().map_err(BenchError::io("sqlite3 was lost"))?;
        let took = began.elapsed().as_secs_f64();
        let db = Db::open("sqlite://limit.db", target.path()).await?;
        let mut loaded = 0;
        for (entity, _) in ENTITIES {
            let row = db.fetch_one(Sql::new(format!("select count(*) from d_{entity}"))).await?;
            loaded += row.map_or(0, |row| row.int(0));
        }
        db.close().await;
        if !ended.success() {
            return Err(BenchError::Void(format!("sqlite3 ended with {ended}")));
        }
        self.expect(u64::try_from(loaded).unwrap_or(0))?;
        Ok(took)
    }

    /// Seconds of the stand-in for the `sqlite3` program.
    async fn load_by_driver(&self) -> Result<f64> {
        let target = Home::empty()?;
        let db = Db::open("sqlite://limit.db", target.path()).await?;
        let mut tx = db.begin().await?;
        tx.script(&self.schema).await?;
        let began = Instant::now();
        let mut loaded = 0;
        for (entity, owner) in ENTITIES {
            let mut rows = self.business.fields(entity).zip(0..).map(|(row, n)| columns(row, owner, n)).peekable();
            while rows.peek().is_some() {
                let chunk: Vec<Fields> = rows.by_ref().take(ROWS).collect();
                loaded += tx.execute(insert(entity, &chunk)).await?;
            }
        }
        tx.commit().await?;
        let took = began.elapsed().as_secs_f64();
        db.close().await;
        self.expect(loaded)?;
        Ok(took)
    }

    fn expect(&self, written: u64) -> Result<()> {
        if written == self.rows as u64 {
            return Ok(());
        }
        Err(BenchError::Void(format!("{} rows were to be written, not {written}", self.rows)))
    }
}

impl Business {
    fn fields(&self, entity: &str) -> Box<dyn Iterator<Item = Fields> + Send + '_> {
        if entity == "customer" { Box::new(self.customers()) } else { Box::new(self.orders()) }
    }
}

fn with_headings(folder: &Path, entity: &str) -> PathBuf {
    folder.join(format!("{entity}.csv"))
}

fn finished(folder: &Path, entity: &str) -> PathBuf {
    folder.join(format!("{entity}-finished.csv"))
}

/// Writes both files of an entity; gives the number of rows.
fn write(
    folder: &Path,
    catalogue: &Catalogue,
    entity: &str,
    owner: usize,
    rows: impl Iterator<Item = Fields>,
) -> Result<usize> {
    let failed = || BenchError::io("cannot write the files to import");
    let declared = catalogue.entity(entity).expect("the shop declares it");
    let create = |path: PathBuf| File::create(path).map(BufWriter::new).map_err(failed());
    let (mut ours, mut bare) = (create(with_headings(folder, entity))?, create(finished(folder, entity))?);
    let headings: Vec<&str> = declared.fields.iter().map(|field| field.name.as_str()).collect();
    writeln!(ours, "{}", headings.join(",")).map_err(failed())?;
    let mut count = 0;
    for row in rows {
        let shown: Vec<String> =
            row.iter().zip(&declared.fields).map(|(cell, field)| as_in_a_file(cell, field.ty)).collect();
        writeln!(ours, "{}", shown.join(",")).map_err(failed())?;
        let digest = i64::try_from(count).expect("a bench has millions at most");
        let stored: Vec<String> = columns(row, owner, digest).iter().map(as_stored).collect();
        writeln!(bare, "{}", stored.join(",")).map_err(failed())?;
        count += 1;
    }
    ours.flush().and_then(|()| bare.flush()).map_err(failed())?;
    Ok(count)
}

/// A row's columns in the table's order: bucket, owner, digest, then the fields.
fn columns(row: Fields, owner: usize, number: i64) -> Fields {
    // a digest is any 64 bits: spread the number over them
    let record = record(row, owner, number.wrapping_mul(0x9E37_79B9_7F4A_7C15_u64.cast_signed()));
    let own = [Cell::Int(record.bucket), record.customer.map_or(Cell::Null, Cell::Text), Cell::Int(record.digest)];
    own.into_iter().chain(record.values).collect()
}

fn insert(entity: &str, rows: &[Fields]) -> Sql {
    let mut sql = Sql::new(format!("insert into d_{entity} values "));
    for (place, row) in rows.iter().enumerate() {
        sql.push(if place == 0 { "(" } else { ", (" });
        for (column, cell) in row.iter().enumerate() {
            sql.push(if column == 0 { "" } else { ", " });
            match cell {
                Cell::Null => sql.push("null"),
                Cell::Int(value) => sql.bind(*value),
                Cell::Text(text) => sql.bind(text.as_str()),
            };
        }
        sql.push(")");
    }
    sql
}

fn as_stored(cell: &Cell) -> String {
    match cell {
        Cell::Null => String::new(),
        Cell::Int(value) => value.to_string(),
        Cell::Text(text) => text.clone(),
    }
}

/// A value as people write it into a file.
fn as_in_a_file(cell: &Cell, ty: Type) -> String {
    match (ty, cell) {
        (Type::Date, Cell::Int(days)) => Date::from_days(*days).to_string(),
        (Type::Timestamp, Cell::Int(micros)) => Timestamp::from_micros(*micros).to_string(),
        (Type::Money, Cell::Int(units)) => crate::amount::Amount::money(*units).to_string(),
        _ => as_stored(cell),
    }
}
