//! What customers asked for on the preference page, one row each.

use super::db::{Db, Result, Row, Tx};
use crate::courtesy::preferences::Preferences;
use crate::sql::{ColumnType, Sql};
use crate::time::Timestamp;

/// Whether anybody has any: where nobody has, none need be looked up.
pub async fn is_any(db: &Db) -> Result<bool> {
    Ok(db.fetch_one(Sql::new("select 1 from preferences limit 1")).await?.is_some())
}

/// The preferences of those of `asked` (bucket and customer) that have some, with their place in `asked`.
pub async fn of(db: &Db, asked: &[(i64, &str)]) -> Result<Vec<(usize, Preferences)>> {
    let tuples: Vec<(usize, i64, &str)> =
        asked.iter().enumerate().map(|(place, (bucket, customer))| (place, *bucket, *customer)).collect();
    let columns = [("i", ColumnType::Int), ("b", ColumnType::Int), ("c", ColumnType::Text)];
    let item = db.dialect().rows("$1", &columns, "r");
    let text = format!(
        "select r.i, p.channels, p.locale, p.quiet from {item} \
         cross join preferences p where p.bucket = r.b and p.customer = r.c"
    );
    let json = serde_json::to_string(&tuples).expect("text and integers are JSON");
    let read = |row: &Row| {
        let place = usize::try_from(row.int(0)).expect("the place that was sent");
        (place, Preferences::read(row.opt_text(1), row.opt_text(2), row.opt_text(3)))
    };
    Ok(db.fetch(Sql::new(text).with(json)).await?.iter().map(read).collect())
}

/// Puts a customer's preferences in the place of those before.
pub async fn save(tx: &mut Tx, bucket: i64, customer: &str, said: &Preferences, now: Timestamp) -> Result<()> {
    let text = "insert into preferences (bucket, customer, channels, locale, quiet, updated_at) \
                values ($1, $2, $3, $4, $5, $6) on conflict (bucket, customer) do update set \
                channels = excluded.channels, locale = excluded.locale, quiet = excluded.quiet, \
                updated_at = excluded.updated_at";
    let sql = Sql::new(text).with(bucket).with(customer).with(said.channels_text());
    tx.execute(sql.with(said.locale.clone()).with(said.quiet_text()).with(now)).await.map(|_| ())
}
