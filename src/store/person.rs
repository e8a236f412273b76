//! Where a person's rows lie: every table with rows of customers, and how such rows are found.
//!
//! 1. A table of plusone's own that holds a customer's rows is named in [`TABLES`], or nothing would be exported or
//!    erased from it; a test compares the list with the schema.
//! 2. Tables of customer data are found by what the database knows of them, so that an entity that is no longer
//!    declared is not forgotten.
//! 3. A table of somebody else is never among them.

use super::db::{Db, Result, Row};
use crate::catalogue::quoted;
use crate::ids::bucket_of;
use crate::sql::{Dialect, Sql};
use futures_util::stream::BoxStream;

/// What a row names of the person it is about.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum By {
    /// The column `customer`.
    Customer,
    /// The column `touchpoint`.
    Touchpoint,
    /// The column `touchpoint`, in a bucket of the row's own.
    Notice,
}

/// A table of plusone's own with rows of customers.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Table {
    pub name: &'static str,
    pub by: By,
}

const fn table(name: &'static str, by: By) -> Table {
    Table { name, by }
}

/// Every table of the migrations with rows of customers. What hangs on touchpoints comes before these.
pub const TABLES: &[Table] = &[
    table("consents", By::Customer),
    table("offer_grants", By::Customer),
    table("event_inbox", By::Customer),
    table("preferences", By::Customer),
    table("replies", By::Customer),
    table("provider_events", By::Notice),
    table("address_places", By::Notice),
    table("touchpoint_words", By::Touchpoint),
    table("touchpoint_events", By::Touchpoint),
    table("touchpoints", By::Customer),
];

/// A table of customer data.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct DataTable {
    pub entity: String,
    /// The field that names a row.
    pub key: String,
}

impl DataTable {
    /// The table as SQL names it, quoted.
    pub fn name(&self) -> String {
        quoted(&format!("d_{}", self.entity))
    }
}

/// The tables of plusone's own that hold customers' data, declared still or not.
pub async fn data_tables(db: &Db) -> Result<Vec<DataTable>> {
    let sql = "select k.entity, k.type from entity_columns k \
               join entity_columns p on p.entity = k.entity and p.field = '_place' and p.type = 'own' \
               join entity_columns o on o.entity = k.entity and o.field = '_owner' and o.type <> '-' \
               where k.field = '_key' order by k.entity";
    let rows = db.fetch(Sql::new(sql)).await?;
    Ok(rows.iter().map(|row| DataTable { entity: row.text(0).to_owned(), key: row.text(1).to_owned() }).collect())
}

/// The names of a table's columns, in its order; `name` is not quoted.
pub async fn columns(db: &Db, name: &str) -> Result<Vec<String>> {
    let sql = match db.dialect() {
        Dialect::Sqlite => "select name from pragma_table_info($1) order by cid",
        Dialect::Postgres => {
            "select column_name::text from information_schema.columns \
             where table_name = $1 and table_schema = current_schema() order by ordinal_position"
        }
    };
    Ok(db.fetch(Sql::new(sql).with(name)).await?.iter().map(|row| row.text(0).to_owned()).collect())
}

/// The customer's rows of a table, as they come, with these columns.
pub fn rows(db: &Db, table: &Table, columns: &[String], customer: &str) -> BoxStream<'static, Result<Row>> {
    let columns = columns.iter().map(|column| quoted(column)).collect::<Vec<_>>().join(", ");
    let of_person = match table.by {
        By::Customer => "bucket = $1 and customer = $2",
        By::Touchpoint => {
            "bucket = $1 and touchpoint in (select id from touchpoints where bucket = $1 and customer = $2)"
        }
        By::Notice => "touchpoint in (select id from touchpoints where bucket = $1 and customer = $2)",
    };
    let sql = format!("select {columns} from {} where {of_person} order by {columns}", table.name);
    db.stream(Sql::new(sql).with(bucket_of(customer)).with(customer))
}

/// The customer's rows of a table of customer data, as they come; `table` and `columns` as SQL names them, `key` too.
pub fn data_rows(
    db: &Db,
    table: &str,
    columns: &[String],
    key: &str,
    customer: &str,
) -> BoxStream<'static, Result<Row>> {
    let sql = format!(
        "select {} from {table} where \"_bucket\" = $1 and \"_customer\" = $2 order by {key}",
        columns.join(", ")
    );
    db.stream(Sql::new(sql).with(bucket_of(customer)).with(customer))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::migrate::migrate;

    /// Tables with a bucket that hold no customer's rows.
    const OF_NOBODY: &[&str] = &["leases"];

    #[tokio::test]
    async fn every_table_with_rows_of_customers_is_known() {
        let folder = tempfile::tempdir().expect("a folder");
        let db = Db::open("sqlite://test.db", folder.path()).await.expect("a database");
        migrate(&db).await.expect("the schema");
        let found = "select m.name from sqlite_schema m join pragma_table_info(m.name) c where m.type = 'table' \
                     and c.name in ('bucket', 'customer', 'touchpoint') group by m.name order by m.name";
        let rows = db.fetch(Sql::new(found)).await.expect("tables");
        let mut found: Vec<&str> =
            rows.iter().map(|row| row.text(0)).filter(|name| !OF_NOBODY.contains(name)).collect();
        let mut known: Vec<&str> = TABLES.iter().map(|table| table.name).collect();
        found.sort_unstable();
        known.sort_unstable();
        assert_eq!(found, known, "a table with rows of customers is exported and erased only if it is in TABLES");
        for table in TABLES {
            let columns = columns(&db, table.name).await.expect("columns");
            let by = if table.by == By::Customer { "customer" } else { "touchpoint" };
            assert!(columns.iter().any(|column| column == by), "{}", table.name);
        }
    }
}
