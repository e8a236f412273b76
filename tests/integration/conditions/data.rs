//! A catalogue with every type and every shape of relation, and rows for it.

use plusone::catalogue::{CUSTOMER, Catalogue, Computed, Entity, Field, Link, Roles, Storage, Type};
use plusone::sql::{ColumnType, Dialect, Sql};
use plusone::store::db::{Db, Result};
use std::collections::BTreeMap;

/// A value as it is stored.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Cell {
    Int(i64),
    Text(String),
}

/// A row: what it has. What is missing has no entry.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Record {
    pub fields: BTreeMap<String, Cell>,
    pub bucket: i64,
    pub customer: String,
}

/// Rows by entity.
pub type Data = BTreeMap<String, Vec<Record>>;

fn entity(
    name: &str,
    plural: &str,
    fields: &[(&str, Type)],
    links: &[(&str, &str)],
    computed: &[(&str, &str)],
) -> Entity {
    let mut entity = Entity::new(name, "id");
    entity.plural = plural.to_owned();
    entity.fields.extend(fields.iter().map(|(name, ty)| Field::new(name, *ty)));
    for (target, field) in links {
        entity.fields.push(Field::new(field, Type::Text));
        entity.belongs_to.push(Link { entity: (*target).to_owned(), field: (*field).to_owned() });
    }
    entity.computed =
        computed.iter().map(|(name, text)| Computed { name: (*name).to_owned(), text: (*text).to_owned() }).collect();
    entity
}

/// Customers with orders of lines of products of shops, and carts that no customer need have.
pub fn catalogue() -> Catalogue {
    use Type::{Boolean, Date, Decimal, Integer, Money, Text, Timestamp};
    let entities = [
        entity(
            CUSTOMER,
            "customers",
            &[
                ("name", Text),
                ("tier", Text),
                ("points", Integer),
                ("visits", Integer),
                ("rate", Decimal(4)),
                ("score", Decimal(2)),
                ("spent", Money),
                ("vip", Boolean),
                ("birthday", Date),
                ("joined_on", Date),
                ("seen_at", Timestamp),
                ("time_zone", Text),
            ],
            &[],
            &[
                ("last_order_at", "customer.orders.max(o, o.placed_at)"),
                ("has_paid", "customer.orders.exists(o, o.paid)"),
                ("per_visit", "customer.spent / customer.visits"),
                ("worth", "customer.orders.sum(o, o.worth) + customer.spent"),
            ],
        ),
        entity(
            "order",
            "orders",
            &[
                ("total", Money),
                ("items", Integer),
                ("weight", Decimal(3)),
                ("status", Text),
                ("paid", Boolean),
                ("placed_at", Timestamp),
                ("ships_on", Date),
            ],
            &[("customer", "customer_id")],
            &[("worth", "order.total * 2"), ("of_vip", "customer.vip && order.paid")],
        ),
        entity(
            "order_line",
            "lines",
            &[("quantity", Integer), ("price", Money), ("gift", Boolean), ("note", Text)],
            &[("order", "order_id"), ("product", "product_id")],
            &[],
        ),
        entity(
            "product",
            "products",
            &[("name", Text), ("price", Money), ("since", Date)],
            &[("shop", "shop_id")],
            &[],
        ),
        entity("shop", "shops", &[("name", Text), ("opened_at", Timestamp)], &[], &[]),
    ];
    Catalogue {
        entities: entities.into_iter().map(|entity| (entity.name.clone(), entity)).collect(),
        roles: Roles { time_zone: Some("time_zone".to_owned()), ..Roles::default() },
        ..Catalogue::default()
    }
}

/// Makes a table for every entity and fills it.
pub async fn load(db: &Db, catalogue: &Catalogue, data: &Data) -> Result<()> {
    let mut tx = db.begin().await?;
    for entity in catalogue.entities.values() {
        let owned = catalogue.is_owned(&entity.name);
        let storage = |ty: Type| if ty.storage() == Storage::Text { "text" } else { "bigint" };
        let mut columns: Vec<(&str, &str)> =
            entity.fields.iter().map(|field| (field.name.as_str(), storage(field.ty))).collect();
        if owned {
            columns.extend([("_bucket", "bigint"), ("_customer", "text")]);
        }
        let declared: Vec<String> = columns.iter().map(|(name, ty)| format!("\"{name}\" {ty}")).collect();
        tx.script(&format!("create table {} ({})", entity.table(), declared.join(", "))).await?;
        let rows: Vec<serde_json::Value> = data
            .get(&entity.name)
            .map_or(&[][..], |rows| rows)
            .iter()
            .map(|row| {
                let cell = |name: &str| match (name, row.fields.get(name)) {
                    ("_bucket", _) => row.bucket.into(),
                    ("_customer", _) => row.customer.clone().into(),
                    (_, Some(Cell::Int(value))) => (*value).into(),
                    (_, Some(Cell::Text(value))) => value.clone().into(),
                    (_, None) => serde_json::Value::Null,
                };
                columns.iter().map(|(name, _)| cell(name)).collect()
            })
            .collect();
        insert(&mut tx, entity, &columns, rows).await?;
    }
    tx.commit().await
}

async fn insert(
    tx: &mut plusone::store::db::Tx,
    entity: &Entity,
    columns: &[(&str, &str)],
    rows: Vec<serde_json::Value>,
) -> Result<()> {
    let typed: Vec<(&str, ColumnType)> = columns
        .iter()
        .map(|(name, ty)| (*name, if *ty == "text" { ColumnType::Text } else { ColumnType::Int }))
        .collect();
    let names: Vec<String> = columns.iter().map(|(name, _)| format!("\"{name}\"")).collect();
    let from = dialect_rows(tx.dialect(), &typed);
    let text = format!("insert into {} ({}) select {} from {from}", entity.table(), names.join(", "), names.join(", "));
    tx.execute(Sql::new(text).with(serde_json::Value::from(rows).to_string())).await.map(|_| ())
}

fn dialect_rows(dialect: Dialect, columns: &[(&str, ColumnType)]) -> String {
    dialect.rows("$1", columns, "r")
}
