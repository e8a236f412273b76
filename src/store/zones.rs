//! The offsets of time zones as a table, so that SQL can tell the local date of an instant without asking a zone.

use super::db::{Db, Result, Row, Tx};
use crate::expr::calendar;
use crate::sql::{ColumnType, Sql};
use crate::time::Tz;
use std::collections::HashSet;

/// Makes sure that `zone_offsets` has all of every zone. Writes, and so waits for whoever is writing, only where
/// something is missing.
///
/// # Errors
/// When the database refuses.
pub async fn prepare(db: &Db, zones: impl IntoIterator<Item = Tz>) -> Result<()> {
    for zone in zones.into_iter().collect::<HashSet<_>>() {
        if !is_stored(&db.fetch(stored(zone)).await?, zone) {
            let mut tx = db.begin().await?;
            ensure(&mut tx, zone).await?;
            tx.commit().await?;
        }
    }
    Ok(())
}

fn stored(zone: Tz) -> Sql {
    Sql::new("select from_at, offset_micros from zone_offsets where zone = $1 order by from_at").with(zone.name())
}

fn is_stored(rows: &[Row], zone: Tz) -> bool {
    rows.iter().map(|row| (row.int(0), row.int(1))).eq(calendar::offsets(zone).iter().copied())
}

/// Makes sure that `zone_offsets` has all of `zone`, as this program's own tz data knows it.
///
/// # Errors
/// When the database refuses.
pub async fn ensure(tx: &mut Tx, zone: Tz) -> Result<()> {
    if is_stored(&tx.fetch(stored(zone)).await?, zone) {
        return Ok(());
    }
    let offsets = calendar::offsets(zone);
    tx.execute(Sql::new("delete from zone_offsets where zone = $1").with(zone.name())).await?;
    let columns = [("from_at", ColumnType::Int), ("offset_micros", ColumnType::Int)];
    let mut insert = Sql::new("insert into zone_offsets (zone, from_at, offset_micros) select ");
    insert.bind(zone.name()).push(", from_at, offset_micros from ");
    let rows = serde_json::Value::from_iter(offsets.iter().map(|(from, offset)| serde_json::json!([from, offset])));
    let place = insert.reserve(rows.to_string());
    insert.push(&tx.dialect().rows(&place, &columns, "r"));
    tx.execute(insert).await?;
    Ok(())
}
