//! Entities that are read in place, and plusone's own records.

use super::trial::{catalogue, databases, link, settings, texts};
use plusone::catalogue::{Entity, Field, Place, Type};
use plusone::ids::bucket_of;
use plusone::sql::Dialect;
use plusone::store::entities;

const SQLITE: &str = "
    create table shop_orders (nr integer primary key, cust text, total numeric, paid boolean, day text, at text);
    insert into shop_orders values
        (1, '7', 12.5, 1, '2026-11-03', '2026-11-03T09:00:00Z'),
        (2, '8', 'much', null, 'soon', null),
        (3, null, -9223372036854775808, 0, '1969-12-31', '1969-12-31T23:59:59.5Z');
    create table shop_lines (id text primary key, order_nr integer);
    insert into shop_lines values ('a', 1), ('b', 99);";

const POSTGRES: &str = "
    create table shop_orders (nr integer primary key, cust varchar(10), total numeric, paid boolean, day date, at timestamptz);
    insert into shop_orders values
        (1, '7', 12.5, true, '2026-11-03', '2026-11-03T09:00:00Z'),
        (2, '8', 'NaN', null, 'infinity', null),
        (3, null, 1e30, false, '1969-12-31', '1969-12-31T23:59:59.5Z');
    create table shop_lines (id text primary key, order_nr integer);
    insert into shop_lines values ('a', 1), ('b', 99);";

#[tokio::test]
async fn foreign_rows_take_the_form_of_our_own() {
    for (db, _folder) in databases().await {
        let mut tx = db.begin().await.expect("begun");
        let script = if db.dialect() == Dialect::Sqlite { SQLITE } else { POSTGRES };
        tx.script(script).await.expect("a foreign table");
        tx.commit().await.expect("committed");
        let mut order = Entity::new("order", "nr");
        order.place = Place::InPlace("shop_orders".to_owned());
        order.fields[0].ty = Type::Integer;
        order.fields.extend([
            Field { column: Some("cust".to_owned()), ..Field::new("customer_id", Type::Text) },
            Field::new("total", Type::Money),
            Field::new("paid", Type::Boolean),
            Field::new("day", Type::Date),
            Field::new("at", Type::Timestamp),
        ]);
        order.belongs_to.push(link("customer", "customer_id"));
        let mut line = Entity::new("order_line", "id");
        line.place = Place::InPlace("shop_lines".to_owned());
        line.fields.push(Field::new("order_nr", Type::Integer));
        line.belongs_to.push(link("order", "order_nr"));
        let mut catalogue = catalogue();
        catalogue.entities.extend([order, line].map(|entity| (entity.name.clone(), entity)));
        entities::prepare(&db, &catalogue, settings().business.time_zone).await.expect("prepared");

        let rows = texts(&db, "select nr, customer_id, total, paid, day, at from d_order order by nr").await;
        assert_eq!(rows[0], ["1", "7", "125000", "1", "20760", "1793696400000000"]);
        assert_eq!(rows[1], ["2", "8", "-", "-", "-", "-"]);
        assert_eq!(rows[2], ["3", "-", "-", "0", "-1", "-500000"]);
        let owners = texts(&db, "select _customer, _bucket from d_order order by nr").await;
        let owner = |id: &str| vec![id.to_owned(), bucket_of(id).to_string()];
        assert_eq!(owners, [owner("7"), owner("8"), vec!["-".to_owned(), "0".to_owned()]]);
        let lines = texts(&db, "select id, _customer, _bucket from d_order_line order by id").await;
        assert_eq!(lines[0][1..], owner("7"));
        assert_eq!(lines[1][1..], ["-", "0"]);

        let order = catalogue.entities.get_mut("order").expect("declared");
        order.fields[2].column = Some("totl".to_owned());
        let error = entities::prepare(&db, &catalogue, settings().business.time_zone).await.expect_err("refused");
        assert!(error.to_string().contains("the nearest is `total`"), "{error}");
    }
}

#[tokio::test]
async fn touchpoints_are_read_as_customers_data() {
    for (db, _folder) in databases().await {
        entities::prepare(&db, &catalogue(), settings().business.time_zone).await.expect("prepared");
        let columns = "id, customer_id, rule, kind, topic, channel, state, reason, occurrence, offer, code, sent_at, \
                       created_at, _bucket, _customer";
        assert!(texts(&db, &format!("select {columns} from d_touchpoint")).await.is_empty());
    }
}
