//! Strays: rows that belong to a customer of whom no row is there. They may be early, or their customer never comes.

use super::db::{Db, Result};
use crate::catalogue::{Catalogue, Entity, quoted};
use crate::sql::Sql;

/// How many rows of `entity` are strays. A row that names nobody is none.
pub async fn count(db: &Db, catalogue: &Catalogue, entity: &Entity) -> Result<i64> {
    let Some(from) = from(catalogue, entity) else { return Ok(0) };
    let row = db.fetch_one(Sql::new(format!("select count(*) {from}"))).await?;
    Ok(row.map_or(0, |row| row.int(0)))
}

/// The keys of a few of them.
pub async fn some(db: &Db, catalogue: &Catalogue, entity: &Entity) -> Result<Vec<String>> {
    let Some(from) = from(catalogue, entity) else { return Ok(Vec::new()) };
    let rows = db.fetch(Sql::new(format!("select cast(c.{} as text) {from} limit 3", quoted(&entity.key)))).await?;
    Ok(rows.iter().map(|row| row.text(0).to_owned()).collect())
}

/// `from … where …` of the strays; `None` for customers themselves and shared tables.
fn from(catalogue: &Catalogue, entity: &Entity) -> Option<String> {
    let path = catalogue.path_to_customer(&entity.name)?;
    let (link, table) = (path.first()?, entity.table());
    Some(if path.len() == 1 {
        format!(
            "from {table} as c where c.\"_customer\" is not null and not exists (select 1 from {} as p \
             where p.\"_bucket\" = c.\"_bucket\" and p.{} = c.\"_customer\")",
            catalogue.customer().table(),
            catalogue.id_of_customer()
        )
    } else {
        format!("from {table} as c where c.\"_customer\" is null and c.{} is not null", quoted(&link.field))
    })
}
