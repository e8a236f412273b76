//! Customer data that lies in other tables: views that give it the form of plusone's own tables.
//!
//! 1. A view has a column for each field, stored as [`Type::storage`] says, and `_bucket` and `_customer` for a
//!    customer's data. What cannot be stored so (an infinite date, a number out of range) is NULL: no value in the
//!    data makes a statement fail.
//! 2. The foreign table is never written, and its columns are never guessed: one that is missing is named.
//! 3. SQLite has no SHA-256: there the buckets of foreign customers lie in `customer_buckets`, filled by
//!    [`sync_buckets`]; a customer not yet in it is in bucket 0 until then.

use super::db::{Db, Result, StoreError, Tx};
use crate::catalogue::{Catalogue, Entity, Field, Place, Type, quoted};
use crate::ids::bucket_of;
use crate::problem::nearest;
use crate::sql::{ColumnType, Dialect, Sql};
use crate::time::Tz;
use std::collections::BTreeMap;

/// How many customers get their bucket in one statement.
const CHUNK: i64 = 5_000;

const MAX_INTEGER: i64 = (1 << 53) - 1;

/// Makes the view over `table` anew.
pub(super) async fn make_view(
    tx: &mut Tx,
    catalogue: &Catalogue,
    entity: &Entity,
    table: &str,
    zone: Tz,
) -> Result<()> {
    let dialect = tx.dialect();
    let found = foreign_columns(tx, table).await?;
    if found.is_empty() {
        return Err(StoreError::Schema(format!(
            "`{}` is to be read from `{table}`, and the database has no such table or view",
            entity.name
        )));
    }
    if dialect == Dialect::Sqlite {
        let text = "create table if not exists customer_buckets (customer text not null primary key, \
                    bucket bigint not null) without rowid";
        tx.script(text).await?;
    }
    let zone = entity.time_zone.unwrap_or(zone);
    let mut columns = Vec::new();
    for field in &entity.fields {
        let ty = found.get(field.heading()).ok_or_else(|| no_column(entity, table, field, &found))?;
        let value = stored(dialect, field, ty, zone).ok_or_else(|| {
            StoreError::Schema(format!(
                "`{}.{}` is declared as {}, and `{table}.{}` is {ty}: cast it in a view and read that",
                entity.name,
                field.name,
                field.ty.name(),
                field.heading()
            ))
        })?;
        columns.push(format!("{value} as {}", quoted(&field.name)));
    }
    let mut from = format!("{} as t", quoted_path(table));
    if let Some(path) = catalogue.path_to_customer(&entity.name) {
        columns.extend(owner_columns(dialect, catalogue, entity, &path, &mut from));
    }
    drop_view(tx, entity).await?;
    tx.script(&format!("create view {} as select {} from {from}", entity.table(), columns.join(", "))).await
}

fn no_column(entity: &Entity, table: &str, field: &Field, found: &BTreeMap<String, String>) -> StoreError {
    let near = nearest(field.heading(), found.keys().map(String::as_str));
    let near = near.map(|name| format!("; the nearest is `{name}`")).unwrap_or_default();
    StoreError::Schema(format!(
        "`{}.{}` is to be read from column `{}` of `{table}`, which has no such column{near}",
        entity.name,
        field.name,
        field.heading()
    ))
}

/// `_bucket` and `_customer`; joins the parent to `from` where the way to the customer leads through one.
fn owner_columns(
    dialect: Dialect,
    catalogue: &Catalogue,
    entity: &Entity,
    path: &[&crate::catalogue::Link],
    from: &mut String,
) -> Vec<String> {
    let column = |name: &str| {
        let heading = entity.field(name).map_or(name, Field::heading);
        format!("cast(t.{} as text)", quoted(heading))
    };
    let customer = match path {
        [] => column(&entity.key),
        [link] => column(&link.field),
        [link, ..] => {
            let parent = catalogue.entity(&link.entity).expect("a path runs through declared entities");
            let key = format!("cast(p.{} as text)", quoted(&parent.key));
            from.push_str(&format!(" left join {} as p on {key} = {}", parent.table(), column(&link.field)));
            return vec![
                "coalesce(p.\"_bucket\", 0) as \"_bucket\"".to_owned(),
                "p.\"_customer\" as \"_customer\"".to_owned(),
            ];
        }
    };
    let bucket = match dialect {
        Dialect::Postgres => format!("coalesce(get_byte(sha256(convert_to({customer}, 'UTF8')), 0), 0)::bigint"),
        Dialect::Sqlite => {
            format!("coalesce((select b.bucket from customer_buckets as b where b.customer = {customer}), 0)")
        }
    };
    vec![format!("{bucket} as \"_bucket\""), format!("{customer}{} as \"_customer\"", dialect.collate())]
}

/// The view of a record of plusone's own.
pub(super) async fn make_builtin(tx: &mut Tx, entity: &Entity) -> Result<()> {
    if entity.name != "touchpoint" {
        return Err(StoreError::Schema(format!("plusone keeps no record named `{}`", entity.name)));
    }
    drop_view(tx, entity).await?;
    let columns = "id, customer as customer_id, rule, kind, topic, channel, state, reason, occurrence, offer, code, \
                   sent_at, created_at, bucket as \"_bucket\", customer as \"_customer\"";
    tx.script(&format!("create view {} as select {columns} from touchpoints where test = 0", entity.table())).await
}

/// Drops an entity's view and what is built on it.
pub(super) async fn drop_view(tx: &mut Tx, entity: &Entity) -> Result<()> {
    let cascade = if tx.dialect() == Dialect::Postgres { " cascade" } else { "" };
    tx.script(&format!("drop view if exists {}{cascade}", entity.table())).await
}

/// `schema.table` as SQL names it.
fn quoted_path(table: &str) -> String {
    table.split('.').map(quoted).collect::<Vec<_>>().join(".")
}

/// The columns of a foreign table with their types in lower case.
async fn foreign_columns(tx: &mut Tx, table: &str) -> Result<BTreeMap<String, String>> {
    let (schema, name) = table.rsplit_once('.').map_or((None, table), |(schema, name)| (Some(schema), name));
    let sql = match tx.dialect() {
        Dialect::Sqlite => Sql::new("select name, lower(type) from pragma_table_info($1)").with(name),
        Dialect::Postgres => Sql::new(
            "select column_name::text, data_type::text from information_schema.columns \
             where table_name = $1 and table_schema = coalesce($2, current_schema())",
        )
        .with(name)
        .with(schema),
    };
    let rows = tx.fetch(sql).await?;
    Ok(rows.iter().map(|row| (row.text(0).to_owned(), row.text(1).to_owned())).collect())
}

/// The expression that reads a foreign column in stored form; `None` where its type cannot give it.
fn stored(dialect: Dialect, field: &Field, ty: &str, zone: Tz) -> Option<String> {
    let column = format!("t.{}", quoted(field.heading()));
    match dialect {
        Dialect::Sqlite => Some(stored_sqlite(&column, field.ty)),
        Dialect::Postgres => stored_postgres(&column, field.ty, ty, zone),
    }
}

/// SQLite types values, not columns: what does not fit is NULL. Whole numbers in a time column are Unix seconds.
fn stored_sqlite(x: &str, ty: Type) -> String {
    let number = format!("typeof({x}) in ('integer', 'real')");
    match ty {
        Type::Text => format!("cast({x} as text)"),
        Type::Integer => {
            format!("case when {number} and {x} between -{MAX_INTEGER} and {MAX_INTEGER} then cast({x} as integer) end")
        }
        Type::Decimal(_) | Type::Money => {
            let factor = 10_i64.pow(u32::from(ty.scale().expect("a decimal has a scale")));
            let limit = MAX_INTEGER / factor;
            format!(
                "case when {number} and {x} between -{limit} and {limit} then cast(round({x} * {factor}) as integer) end"
            )
        }
        Type::Boolean => format!(
            "case when {number} then {x} <> 0 when lower({x}) in ('true', 't', 'yes', '1') then 1 \
             when lower({x}) in ('false', 'f', 'no', '0') then 0 end"
        ),
        Type::Date => format!(
            "cast(julianday(case typeof({x}) when 'integer' then date({x}, 'unixepoch') when 'text' then date({x}) end) \
             - 2440587.5 as integer)"
        ),
        Type::Timestamp => format!(
            "case typeof({x}) when 'integer' then {x} * 1000000 \
             when 'text' then cast(round(unixepoch({x}, 'subsec') * 1000) as integer) * 1000 end"
        ),
    }
}

fn stored_postgres(x: &str, ty: Type, column: &str, zone: Tz) -> Option<String> {
    let whole = matches!(column, "smallint" | "integer" | "bigint");
    let number = whole || matches!(column, "numeric" | "real" | "double precision" | "money");
    let zone = format!("'{}'", zone.name());
    Some(match (ty, column) {
        (Type::Text, _) => format!("cast({x} as text) collate \"C\""),
        (Type::Integer, _) if number => {
            let limits = format!("{x}::numeric between -{MAX_INTEGER} and {MAX_INTEGER}");
            format!("case when {limits} then round({x}::numeric)::bigint end")
        }
        (Type::Decimal(_) | Type::Money, _) if number => {
            let factor = 10_i64.pow(u32::from(ty.scale()?));
            let limit = i64::MAX / factor - 1;
            format!(
                "case when {x}::numeric between -{limit} and {limit} then round({x}::numeric * {factor})::bigint end"
            )
        }
        (Type::Boolean, "boolean") => format!("{x}::int::bigint"),
        (Type::Boolean, _) if whole => format!("({x} <> 0)::int::bigint"),
        (Type::Date, "date") => format!("case when isfinite({x}) then ({x} - date '1970-01-01')::bigint end"),
        (Type::Date, "timestamp without time zone") => {
            format!("case when isfinite({x}) then ({x}::date - date '1970-01-01')::bigint end")
        }
        (Type::Date, "timestamp with time zone") => {
            format!("case when isfinite({x}) then (({x} at time zone {zone})::date - date '1970-01-01')::bigint end")
        }
        (Type::Timestamp, "timestamp with time zone") => {
            format!("case when isfinite({x}) then (extract(epoch from {x}) * 1000000)::bigint end")
        }
        (Type::Timestamp, "timestamp without time zone" | "date") => format!(
            "case when isfinite({x}) then (extract(epoch from ({x}::timestamp at time zone {zone})) * 1000000)::bigint end"
        ),
        _ => return None,
    })
}

/// Gives foreign customers their buckets on SQLite; nothing to do on PostgreSQL, which computes them.
pub async fn sync_buckets(db: &Db, catalogue: &Catalogue) -> Result<()> {
    if db.dialect() == Dialect::Postgres {
        return Ok(());
    }
    for entity in catalogue.entities.values() {
        let near = catalogue.path_to_customer(&entity.name).is_some_and(|path| path.len() <= 1);
        if near && matches!(entity.place, Place::InPlace(_)) {
            while fill_buckets(db, entity).await? == CHUNK {}
        }
    }
    Ok(())
}

/// Adds up to [`CHUNK`] customers that have no bucket yet; gives how many there were.
async fn fill_buckets(db: &Db, entity: &Entity) -> Result<i64> {
    let text = format!(
        "select distinct \"_customer\" from {} as v where \"_customer\" is not null \
         and not exists (select 1 from customer_buckets as b where b.customer = v.\"_customer\") limit $1",
        entity.table()
    );
    let rows = db.fetch(Sql::new(text).with(CHUNK)).await?;
    if rows.is_empty() {
        return Ok(0);
    }
    let pairs: Vec<(&str, i64)> = rows.iter().map(|row| (row.text(0), bucket_of(row.text(0)))).collect();
    let item = db.dialect().rows("$1", &[("customer", ColumnType::Text), ("bucket", ColumnType::Int)], "r");
    let text =
        format!("insert into customer_buckets (customer, bucket) select customer, bucket from {item} where true");
    let json = serde_json::to_string(&pairs).expect("text and integers are JSON");
    db.execute(Sql::new(format!("{text} on conflict do nothing")).with(json)).await?;
    Ok(i64::try_from(rows.len()).unwrap_or(CHUNK))
}
