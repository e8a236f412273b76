//! The offsets of time zones as a table, so that SQL can tell the local date of an instant without asking a zone.
//!
//! 1. A zone stands there under each name that the data has for it: `Europe/London`, `europe/london`.
//! 2. What the table has of a zone is of this program's release of the time zone database, or is written anew.

use super::db::{Db, Result, Tx};
use crate::catalogue::{Catalogue, quoted};
use crate::expr::calendar;
use crate::ids::bucket_of;
use crate::sql::{ColumnType, Sql};
use crate::time::{Tz, zone_named};
use std::collections::{BTreeSet, HashSet};

/// Makes sure that `zone_offsets` has all of every zone. Writes, and so waits for whoever is writing, only where
/// something is missing.
///
/// # Errors
/// When the database refuses.
pub async fn prepare(db: &Db, zones: impl IntoIterator<Item = Tz>) -> Result<()> {
    let names: BTreeSet<String> = zones.into_iter().map(|zone| zone.name().to_owned()).collect();
    prepare_names(db, names.iter().map(String::as_str)).await
}

/// The same of zones by the names that the data has for them; a name of no zone is left out.
///
/// # Errors
/// When the database refuses.
pub async fn prepare_names(db: &Db, names: impl IntoIterator<Item = &str>) -> Result<()> {
    let known = Sql::new("select zone from zone_releases where release = $1").with(RELEASE);
    let known: HashSet<String> = db.fetch(known).await?.iter().map(|row| row.text(0).to_owned()).collect();
    for name in names.into_iter().filter(|name| !known.contains(*name)) {
        if let Some(zone) = zone_named(name) {
            let mut tx = db.begin().await?;
            write(&mut tx, name, zone).await?;
            tx.commit().await?;
        }
    }
    Ok(())
}

/// The zones of customers as the data has them, and `None` for those without; empty where no field has them.
///
/// # Errors
/// When the database refuses.
pub async fn in_use(db: &Db, catalogue: &Catalogue) -> Result<Vec<Option<String>>> {
    let Some(field) = &catalogue.roles.time_zone else { return Ok(Vec::new()) };
    let (field, table) = (quoted(field), catalogue.customer().table());
    let rows = db.fetch(Sql::new(format!("select distinct {field} from {table} order by 1"))).await?;
    Ok(rows.iter().map(|row| row.opt_text(0).map(str::to_owned)).collect())
}

/// The zone of one customer as the data has it.
///
/// # Errors
/// When the database refuses.
pub async fn of_customer(db: &Db, catalogue: &Catalogue, customer: &str) -> Result<Option<String>> {
    let Some(field) = &catalogue.roles.time_zone else { return Ok(None) };
    let (field, table, id) = (quoted(field), catalogue.customer().table(), catalogue.id_of_customer());
    let sql = format!("select {field} from {table} where \"_bucket\" = $1 and {id} = $2");
    let row = db.fetch_one(Sql::new(sql).with(bucket_of(customer)).with(customer)).await?;
    Ok(row.and_then(|row| row.opt_text(0).map(str::to_owned)))
}

/// Of the time zone database that `chrono-tz` was made from.
const RELEASE: &str = chrono_tz::IANA_TZDB_VERSION;

/// Makes sure that `zone_offsets` has all of `zone`, as this program's own tz data knows it.
///
/// # Errors
/// When the database refuses.
pub async fn ensure(tx: &mut Tx, zone: Tz) -> Result<()> {
    write(tx, zone.name(), zone).await
}

async fn write(tx: &mut Tx, name: &str, zone: Tz) -> Result<()> {
    let offsets = calendar::offsets(zone);
    tx.execute(Sql::new("delete from zone_offsets where zone = $1").with(name)).await?;
    let columns = [("from_at", ColumnType::Int), ("offset_micros", ColumnType::Int)];
    let mut insert = Sql::new("insert into zone_offsets (zone, from_at, offset_micros) select ");
    insert.bind(name).push(", from_at, offset_micros from ");
    let rows = serde_json::Value::from_iter(offsets.iter().map(|(from, offset)| serde_json::json!([from, offset])));
    let place = insert.reserve(rows.to_string());
    insert.push(&tx.dialect().rows(&place, &columns, "r"));
    tx.execute(insert).await?;
    let release = "insert into zone_releases (zone, release) values ($1, $2) \
                   on conflict (zone) do update set release = excluded.release";
    tx.execute(Sql::new(release).with(name).with(RELEASE)).await?;
    Ok(())
}
