//! A copy of everything that planning reads, in a scratch database: what is rehearsed in it touches nothing else.
//!
//! 1. What is copied is of one moment, and the database that it is copied from is only read.
//! 2. A table that is not named here is copied: a table that planning reads one day is not forgotten.
//! 3. Rows are copied by the bucket, as one text each: memory follows the largest bucket, not the audience.
//! 4. Words, facts and events stay where they are; nothing that is planned rests on them.

pub mod fates;
pub mod lines;
pub mod sleepers;

use super::db::{Db, Result, Row, Snapshot};
use crate::catalogue::{Catalogue, Entity, Place, quoted};
use crate::ids::BUCKETS;
use crate::progress::Progress;
use crate::sql::{ColumnType, Sql};
use crate::time::{Span, Timestamp};
use futures_util::StreamExt;

/// What a rehearsal makes for itself, or has no use for.
const LEFT_OUT: &[&str] = &[
    "schema_version",
    "entity_columns",
    "kept_files",
    "leases",
    "touchpoint_words",
    "touchpoint_events",
    "provider_events",
    "replies",
    "wordings",
    "rule_texts",
    "zone_offsets",
    "zone_releases",
];

/// How many rows of a table that is read in place are copied by one statement.
const CHUNK: usize = 2_000;

/// PostgreSQL takes a hundred values to make an array of.
const MAX_TOGETHER: usize = 90;

/// The same entities, each with a table of its own: a rehearsal has nothing to read in place.
pub fn own_tables(catalogue: &Catalogue) -> Catalogue {
    let mut own = catalogue.clone();
    for entity in own.entities.values_mut().filter(|entity| matches!(entity.place, Place::InPlace(_))) {
        entity.place = Place::Own;
    }
    own
}

/// Copies `from` into `scratch`, which has the tables of [`own_tables`] already. What was written at `now` counts as
/// written before. `catalogue` says what is read in place.
///
/// # Errors
/// When either database refuses.
pub async fn copy(from: &Db, scratch: &Db, catalogue: &Catalogue, now: Timestamp, progress: &Progress) -> Result<()> {
    let mut source = from.snapshot().await?;
    let tables = tables(scratch, catalogue, now).await?;
    let parts = |table: &Table| if table.bucket.is_some() { BUCKETS.unsigned_abs() } else { 1 };
    progress.expect(tables.iter().map(parts).sum());
    for table in &tables {
        // What the migrations wrote gives way to what is there, but not how the tables of the copy were made.
        if table.name != "meta" {
            scratch.execute(Sql::new(format!("delete from {}", quoted(&table.name)))).await?;
        }
        match &table.bucket {
            None => {
                copy_streamed(&mut source, scratch, table).await?;
                progress.add(1);
            }
            Some(column) => {
                for bucket in 0..BUCKETS {
                    copy_bucket(&mut source, scratch, table, column, bucket).await?;
                    progress.add(1);
                }
            }
        }
    }
    let mut tx = scratch.begin().await?;
    tx.script(fates::INDEXES).await?;
    tx.script(sleepers::COLUMN).await?;
    tx.commit().await
}

/// A table to be copied.
struct Table {
    name: String,
    columns: Vec<(String, ColumnType)>,
    /// What is read for each column, in their order.
    values: Vec<String>,
    /// Which rows, as a condition.
    rows: String,
    /// The column that cuts it into pieces, where it has one and reading by it is cheap.
    bucket: Option<String>,
}

async fn tables(scratch: &Db, catalogue: &Catalogue, now: Timestamp) -> Result<Vec<Table>> {
    let all = "select name from sqlite_schema where type = 'table' and name not like 'sqlite_%' order by name";
    let mut tables = Vec::new();
    for row in scratch.fetch(Sql::new(all)).await? {
        let name = row.text(0);
        if !LEFT_OUT.contains(&name) {
            let columns = Sql::new("select name, type from pragma_table_info($1)").with(name);
            tables.push(table(name, &scratch.fetch(columns).await?, catalogue, now));
        }
    }
    Ok(tables)
}

fn table(name: &str, columns: &[Row], catalogue: &Catalogue, now: Timestamp) -> Table {
    let is_int = |row: &Row| row.text(1).eq_ignore_ascii_case("bigint");
    let ty = |row: &Row| if is_int(row) { ColumnType::Int } else { ColumnType::Text };
    let columns: Vec<(String, ColumnType)> = columns.iter().map(|row| (row.text(0).to_owned(), ty(row))).collect();
    let is_in_place =
        |entity: &&Entity| matches!(entity.place, Place::InPlace(_)) && entity.table().trim_matches('"') == name;
    let in_place = catalogue.entities.values().find(is_in_place);
    let bucket = ["bucket", "_bucket"].into_iter().find(|column| columns.iter().any(|(name, _)| name == column));
    let bucket = bucket.filter(|_| in_place.is_none() && columns.len() <= MAX_TOGETHER).map(str::to_owned);
    let value = |(column, _): &(String, ColumnType)| value(name, column, in_place.is_some(), now);
    let rows = match (name, in_place) {
        // How each table was made is the copy's own affair.
        ("meta", _) => " where name not like 'entity:%'".to_owned(),
        (_, Some(entity)) => format!(" where {} is not null", quoted(&entity.key)),
        _ => String::new(),
    };
    Table { name: name.to_owned(), values: columns.iter().map(value).collect(), columns, rows, bucket }
}

/// What is copied for a column.
fn value(table: &str, column: &str, in_place: bool, now: Timestamp) -> String {
    match (table, column) {
        ("touchpoints", "facts" | "gates" | "subject" | "owner" | "provider_id") => "null".to_owned(),
        // Whatever a daemon has in hand is settled by the first lease on the copy.
        ("touchpoints", "epoch") => "case when epoch is null then null else 0 end".to_owned(),
        ("touchpoints", "updated_at") => {
            let (now, before) = (now.micros(), now.minus(Span::from_micros(1)).micros());
            format!("case when updated_at >= {now} then {before} else updated_at end")
        }
        (_, "_row") if in_place => "0".to_owned(),
        _ => quoted(column),
    }
}

impl Table {
    fn select(&self) -> String {
        format!("select {} from {}{}", self.values.join(", "), quoted(&self.name), self.rows)
    }

    fn insert(&self, rows: String) -> Sql {
        let columns: Vec<(&str, ColumnType)> = self.columns.iter().map(|(name, ty)| (name.as_str(), *ty)).collect();
        let names: Vec<String> = columns.iter().map(|(name, _)| quoted(name)).collect();
        let names = names.join(", ");
        let item = crate::sql::Dialect::Sqlite.rows("$1", &columns, "r");
        let name = quoted(&self.name);
        Sql::new(format!("insert into {name} ({names}) select {names} from {item} where true on conflict do nothing"))
            .with(rows)
    }
}

async fn copy_bucket(source: &mut Snapshot, scratch: &Db, table: &Table, column: &str, bucket: i64) -> Result<()> {
    let select = Sql::new(format!("{} where {} = $1", table.select(), quoted(column))).with(bucket);
    let rows = source.fetch(select.as_one(source.dialect(), table.columns.len())).await?;
    let rows = rows.first().map_or("[]", |row| row.text(0));
    if rows.len() > 2 {
        scratch.execute(table.insert(rows.to_owned())).await?;
    }
    Ok(())
}

async fn copy_streamed(source: &mut Snapshot, scratch: &Db, table: &Table) -> Result<()> {
    let mut rows = source.stream(Sql::new(table.select())).chunks(CHUNK);
    while let Some(chunk) = rows.next().await {
        let chunk = chunk.into_iter().collect::<Result<Vec<Row>>>()?;
        let cells: Vec<serde_json::Value> = chunk.iter().map(Row::to_json).collect();
        scratch.execute(table.insert(serde_json::Value::Array(cells).to_string())).await?;
    }
    Ok(())
}
