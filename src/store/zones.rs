//! The offsets of time zones as a table, so that SQL can tell the local date of an instant without asking a zone.

use super::db::{Result, Tx};
use crate::expr::calendar;
use crate::sql::{ColumnType, Sql};
use crate::time::Tz;

/// Makes sure that `zone_offsets` has all of `zone`, as this program's own tz data knows it.
///
/// # Errors
/// When the database refuses.
pub async fn ensure(tx: &mut Tx, zone: Tz) -> Result<()> {
    let offsets = calendar::offsets(zone);
    let stored = Sql::new("select from_at, offset_micros from zone_offsets where zone = $1 order by from_at");
    let rows = tx.fetch(stored.with(zone.name())).await?;
    if rows.iter().map(|row| (row.int(0), row.int(1))).eq(offsets.iter().copied()) {
        return Ok(());
    }
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
