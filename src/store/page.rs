//! One customer on one page: who they are, what they agreed to, what is planned, what they got, which offers.
//!
//! Everything is read from the customer's bucket by its keys. Sentences for people are `cli`'s.

use super::consents::Entry;
use super::db::{Cell, Db, Result, Row};
use super::log::{COLUMNS, touchpoint};
use super::replies::{self, Reply, Wanted};
use crate::amount::Amount;
use crate::catalogue::{Catalogue, Entity, Field, Place, Type, quoted};
use crate::courtesy::consent::deciding;
use crate::ids::bucket_of;
use crate::offers::grant::GrantState;
use crate::sql::Sql;
use crate::time::{Date, Timestamp};
use crate::touchpoints::Touchpoint;
use crate::touchpoints::record::{money_json, time_json};
use serde_json::{Map, Value, json};
use std::collections::BTreeSet;

/// An offer that was given, or is about to be.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Grant {
    pub touchpoint: String,
    pub offer: String,
    pub code: Option<String>,
    pub state: GrantState,
    /// What it is worth to the customer; money, scaled.
    pub value: i64,
    pub granted_at: Timestamp,
    pub expires_at: Option<Timestamp>,
}

impl Grant {
    /// What [`Grant::read`] reads, of `offer_grants g`.
    pub(super) const COLUMNS: &str = "g.touchpoint, g.offer, g.code, g.state, g.value, g.granted_at, g.expires_at";

    pub(super) fn read(row: &Row) -> Self {
        Self {
            touchpoint: row.text(0).to_owned(),
            offer: row.text(1).to_owned(),
            code: row.opt_text(2).map(str::to_owned),
            state: row.text(3).parse().unwrap_or(GrantState::Reserved),
            value: row.int(4),
            granted_at: Timestamp::from_micros(row.int(5)),
            expires_at: row.opt_int(6).map(Timestamp::from_micros),
        }
    }
}

/// How many rows of an entity a customer has, and the newest of them.
#[derive(Clone, PartialEq, Debug)]
pub struct Rows {
    /// The entity's name and, as data.toml calls many of it, its plural.
    pub entity: String,
    pub plural: String,
    pub count: i64,
    /// By the latest time in them; by their key where they have none. Each field's value in the catalogue's order.
    pub newest: Vec<Map<String, Value>>,
}

/// How many rows of an entity the page holds.
const ROWS: i64 = 5;

#[derive(Clone, PartialEq, Debug)]
pub struct CustomerPage {
    pub customer: String,
    /// The customer's own fields in the catalogue's order; `None` when their row is gone.
    pub fields: Option<Map<String, Value>>,
    /// The entries that decide for the topics and channels that the customer ever answered.
    pub consents: Vec<Entry>,
    /// Their rows of each entity that has any.
    pub rows: Vec<Rows>,
    /// What waits, the soonest first.
    pub planned: Vec<Touchpoint>,
    /// The latest of everything else, newest first.
    pub touchpoints: Vec<Touchpoint>,
    pub offers: Vec<Grant>,
    /// What they wrote back, newest first.
    pub replies: Vec<Reply>,
}

/// The page of `customer`, with at most `limit` touchpoints; `None` when nothing at all is known of them.
pub async fn customer_page(db: &Db, catalogue: &Catalogue, customer: &str, limit: i64) -> Result<Option<CustomerPage>> {
    let page = CustomerPage {
        customer: customer.to_owned(),
        fields: fields(db, catalogue, customer).await?,
        consents: consents(db, customer).await?,
        rows: rows(db, catalogue, customer).await?,
        planned: touchpoints(db, customer, "state in ('planned', 'claimed', 'held') order by due_at, id", limit)
            .await?,
        touchpoints: {
            let rest = "state not in ('planned', 'claimed', 'held') order by created_at desc, id desc";
            touchpoints(db, customer, rest, limit).await?
        },
        offers: grants(db, customer, limit).await?,
        replies: {
            let customer = Some(customer.to_owned());
            replies::list(db, &Wanted { customer, limit: Some(limit), ..Wanted::default() }).await?
        },
    };
    let known = page.fields.is_some()
        || !page.consents.is_empty()
        || !page.planned.is_empty()
        || !page.touchpoints.is_empty()
        || !page.offers.is_empty()
        || !page.replies.is_empty();
    Ok(known.then_some(page))
}

async fn fields(db: &Db, catalogue: &Catalogue, customer: &str) -> Result<Option<Map<String, Value>>> {
    let entity = catalogue.customer();
    let columns: Vec<String> = entity.fields.iter().map(|field| quoted(&field.name)).collect();
    let (columns, table, id) = (columns.join(", "), entity.table(), catalogue.id_of_customer());
    let sql = format!("select {columns} from {table} where _bucket = $1 and {id} = $2");
    let row = db.fetch_one(Sql::new(sql).with(bucket_of(customer)).with(customer)).await?;
    Ok(row.as_ref().map(|row| values(entity, row)))
}

/// A row that was read field by field.
fn values(entity: &Entity, row: &super::db::Row) -> Map<String, Value> {
    let cells = entity.fields.iter().enumerate();
    cells.map(|(index, field)| (field.name.clone(), field_json(field, row.cell(index)))).collect()
}

/// A field's value as JSON: decimals and money as text with all digits, dates and times as ISO 8601.
fn field_json(field: &Field, cell: &Cell) -> Value {
    match (cell, field.ty) {
        (Cell::Null, _) => Value::Null,
        (Cell::Text(text), _) => Value::String(text.clone()),
        (Cell::Int(value), Type::Boolean) => Value::Bool(*value != 0),
        (Cell::Int(value), Type::Date) => Value::String(Date::from_days(*value).to_string()),
        (Cell::Int(value), Type::Timestamp) => Value::String(Timestamp::from_micros(*value).to_string()),
        (Cell::Int(value), Type::Money) => Value::String(Amount::money(*value).to_string()),
        (Cell::Int(value), Type::Decimal(scale)) => Value::String(Amount { units: *value, scale }.to_string()),
        (Cell::Int(value), Type::Integer | Type::Text) => Value::from(*value),
    }
}

/// The customer's rows of the entities that belong to a customer directly.
async fn rows(db: &Db, catalogue: &Catalogue, customer: &str) -> Result<Vec<Rows>> {
    let mut all = Vec::new();
    for entity in catalogue.entities.values().filter(|entity| entity.place != Place::BuiltIn) {
        let Some([_]) = catalogue.path_to_customer(&entity.name).as_deref() else { continue };
        let of = |sql: String| Sql::new(sql).with(bucket_of(customer)).with(customer);
        let from = format!("from {} where _bucket = $1 and _customer = $2", entity.table());
        let count = db.fetch_one(of(format!("select count(*) {from}"))).await?.map_or(0, |row| row.int(0));
        if count == 0 {
            continue;
        }
        let is = |ty: Type| entity.fields.iter().find(move |field| field.ty == ty);
        let by = is(Type::Timestamp).or_else(|| is(Type::Date)).map_or(&entity.key, |field| &field.name);
        let columns: Vec<String> = entity.fields.iter().map(|field| quoted(&field.name)).collect();
        let newest = format!(
            "select {} {from} order by {by} is null, {by} desc, {} desc limit $3",
            columns.join(", "),
            quoted(&entity.key),
            by = quoted(by)
        );
        let newest = db.fetch(of(newest).with(ROWS)).await?.iter().map(|row| values(entity, row)).collect();
        all.push(Rows { entity: entity.name.clone(), plural: entity.plural.clone(), count, newest });
    }
    Ok(all)
}

async fn consents(db: &Db, customer: &str) -> Result<Vec<Entry>> {
    let ledger = super::consents::ledger(db, bucket_of(customer), customer).await?;
    let asked: BTreeSet<(&str, &str)> = ledger.iter().map(|one| (one.topic.as_str(), one.channel.as_str())).collect();
    let deciding = asked.into_iter().filter_map(|(topic, channel)| deciding(&ledger, topic, channel));
    // An answer on every channel decides each of them, and is told once.
    let mut told: Vec<Entry> = Vec::new();
    for entry in deciding {
        if !told.contains(entry) {
            told.push(entry.clone());
        }
    }
    Ok(told)
}

async fn touchpoints(db: &Db, customer: &str, rest: &str, limit: i64) -> Result<Vec<Touchpoint>> {
    let sql = format!("select {COLUMNS} from touchpoints where bucket = $1 and customer = $2 and {rest} limit $3");
    let rows = db.fetch(Sql::new(sql).with(bucket_of(customer)).with(customer).with(limit)).await?;
    rows.iter().map(touchpoint).collect()
}

async fn grants(db: &Db, customer: &str, limit: i64) -> Result<Vec<Grant>> {
    let sql = format!(
        "select {} from offer_grants g where g.bucket = $1 and g.customer = $2 \
         order by g.granted_at desc, g.touchpoint limit $3",
        Grant::COLUMNS
    );
    let rows = db.fetch(Sql::new(sql).with(bucket_of(customer)).with(customer).with(limit)).await?;
    Ok(rows.iter().map(Grant::read).collect())
}

impl CustomerPage {
    /// The text of the field that `role` names, where there is one.
    pub fn field(&self, role: Option<&str>) -> Option<&str> {
        self.fields.as_ref()?.get(role?)?.as_str()
    }

    pub fn to_json(&self, catalogue: &Catalogue, currency: &str) -> Value {
        let roles = &catalogue.roles;
        let list = |touchpoints: &[Touchpoint]| touchpoints.iter().map(|one| one.to_json(currency)).collect::<Value>();
        json!({
            "customer": self.customer,
            "name": self.field(roles.name.as_deref()),
            "email": self.field(roles.email.as_deref()),
            "phone": self.field(roles.phone.as_deref()),
            "locale": self.field(roles.locale.as_deref()),
            "time_zone": self.field(roles.time_zone.as_deref()),
            "country": self.field(roles.country.as_deref()),
            "fields": self.fields,
            "consents": self.consents.iter().map(Entry::to_json).collect::<Value>(),
            "rows": self.rows.iter().map(|rows| json!({
                "entity": rows.entity, "count": rows.count, "newest": rows.newest,
            })).collect::<Value>(),
            "planned": list(&self.planned),
            "touchpoints": list(&self.touchpoints),
            "offers": self.offers.iter().map(|grant| grant.to_json(currency)).collect::<Value>(),
            "replies": self.replies.iter().map(Reply::to_json).collect::<Value>(),
        })
    }
}

impl Grant {
    pub(super) fn to_json(&self, currency: &str) -> Value {
        json!({
            "offer": self.offer,
            "code": self.code,
            "state": self.state.as_str(),
            "value": money_json(Some(self.value), currency),
            "granted_at": self.granted_at.to_string(),
            "expires_at": time_json(self.expires_at),
            "touchpoint": self.touchpoint,
        })
    }
}
