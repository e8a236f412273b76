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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalogue::{CUSTOMER, Field, Link, Roles, Type};
    use crate::store::{entities, migrate};
    use crate::time::Tz;

    #[tokio::test]
    async fn the_customer_of_each_row_is_found_by_the_primary_key() {
        let mut order = Entity::new("order", "id");
        order.fields.push(Field::new("customer_id", Type::Text));
        order.belongs_to.push(Link { entity: CUSTOMER.to_owned(), field: "customer_id".to_owned() });
        let all = [Entity::new(CUSTOMER, "id"), order.clone()].map(|entity| (entity.name.clone(), entity)).into();
        let catalogue = Catalogue { entities: all, roles: Roles::default(), consent: Vec::new(), events: Vec::new() };
        let folder = tempfile::tempdir().expect("a folder");
        let db = Db::open("sqlite://trial.db", folder.path()).await.expect("a database");
        migrate::migrate(&db).await.expect("the schema");
        entities::prepare(&db, &catalogue, Tz::UTC).await.expect("tables");
        let from = from(&catalogue, &order).expect("orders belong to customers");
        let plan = db.fetch(Sql::new(format!("explain query plan select count(*) {from}"))).await.expect("a plan");
        let plan: Vec<&str> = plan.iter().map(|row| row.text(3)).collect();
        assert!(plan.contains(&"SEARCH p USING PRIMARY KEY (_bucket=? AND id=?)"), "{plan:?}");
    }
}
