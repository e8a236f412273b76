//! Finding customers and touchpoints by whatever somebody has at hand: a name, an address, a phone number, an order
//! number, a code, a provider's id.
//!
//! 1. Exact answers (a key, a phone number, a code, an id) come before those that only contain the text.
//! 2. Every word of the text must stand somewhere in the customer's texts, in any order and case of A–Z.
//! 3. What is read of customer data is read through the tables of the catalogue; values are only bound.

use super::db::{Db, Result, Row};
use super::log::{COLUMNS, Named, by_id, touchpoint};
use crate::catalogue::{CUSTOMER, Catalogue, Entity, Place, Storage, Type, quoted};
use crate::sql::{ColumnType, Sql};
use crate::touchpoints::Touchpoint;
use serde_json::{Value, json};
use std::collections::HashMap;

/// What is looked for.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Needle {
    pub text: String,
    /// The text as a phone number in E.164, where it is one.
    pub phone: Option<String>,
}

/// A customer, and what of them matched.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct FoundCustomer {
    pub customer: String,
    pub name: Option<String>,
    pub email: Option<String>,
    pub phone: Option<String>,
    /// `id`, `phone`, `text`, or an entity and its key: `order 1234`.
    pub matched: String,
}

#[derive(Clone, PartialEq, Debug, Default)]
pub struct Found {
    pub customers: Vec<FoundCustomer>,
    pub touchpoints: Vec<Touchpoint>,
}

impl FoundCustomer {
    pub fn to_json(&self) -> Value {
        json!({
            "customer": self.customer,
            "name": self.name,
            "email": self.email,
            "phone": self.phone,
            "matched": self.matched,
        })
    }
}

impl Found {
    pub fn to_json(&self, currency: &str) -> Value {
        json!({
            "customers": self.customers.iter().map(FoundCustomer::to_json).collect::<Value>(),
            "touchpoints": self.touchpoints.iter().map(|found| found.to_json(currency)).collect::<Value>(),
        })
    }
}

/// At most `limit` customers and `limit` touchpoints that `needle` names.
pub async fn find(db: &Db, catalogue: &Catalogue, needle: &Needle, limit: usize) -> Result<Found> {
    let mut hits: Vec<(String, String)> = Vec::new();
    for (customer, entity) in by_key(db, catalogue, &needle.text).await? {
        let matched = if entity == CUSTOMER { "id".to_owned() } else { format!("{entity} {}", needle.text.trim()) };
        hits.push((customer, matched));
    }
    if hits.is_empty() {
        hits.extend(by_owner(db, catalogue, needle.text.trim()).await?);
    }
    if let Some(phone) = &needle.phone {
        hits.extend(by_role(db, catalogue, Role::Phone, phone).await?.into_iter().map(|id| (id, "phone".to_owned())));
    }
    if let Some(digits) = part_of_phone(&needle.text) {
        let found = by_part_of_phone(db, catalogue, &digits, limit).await?;
        hits.extend(found.into_iter().map(|id| (id, "phone".to_owned())));
    }
    hits.extend(by_words(db, catalogue, &needle.text, limit).await?.into_iter().map(|id| (id, "text".to_owned())));
    let mut seen = std::collections::HashSet::new();
    hits.retain(|(customer, _)| seen.insert(customer.clone()));
    hits.truncate(limit);
    Ok(Found {
        customers: name_all(db, catalogue, hits).await?,
        touchpoints: touchpoints(db, needle.text.trim(), limit).await?,
    })
}

/// The customers whose data holds a row with this key, with the entity it belongs to.
pub async fn by_key(db: &Db, catalogue: &Catalogue, key: &str) -> Result<Vec<(String, String)>> {
    let mut found = Vec::new();
    let owned = |entity: &&Entity| entity.place != Place::BuiltIn && catalogue.is_owned(&entity.name);
    for entity in catalogue.entities.values().filter(owned) {
        for customer in owners_of(db, entity, key).await? {
            found.push((customer, entity.name.clone()));
        }
    }
    // The customer's own key first.
    found.sort_by_key(|(_, entity)| entity != CUSTOMER);
    Ok(found)
}

/// A row, of each entity that has one, that names a customer with this id of whom nothing else is known.
async fn by_owner(db: &Db, catalogue: &Catalogue, id: &str) -> Result<Vec<(String, String)>> {
    let mut found = Vec::new();
    for entity in catalogue.entities.values().filter(|entity| entity.place == Place::Own && entity.name != CUSTOMER) {
        if catalogue.is_owned(&entity.name) {
            let key = quoted(&entity.key);
            let sql = format!(
                "select cast({key} as text) from {} where _bucket = $1 and _customer = $2 order by {key} limit 1",
                entity.table()
            );
            let row = db.fetch_one(Sql::new(sql).with(crate::ids::bucket_of(id)).with(id)).await?;
            found.extend(row.map(|row| (id.to_owned(), format!("{} {}", entity.name, row.text(0)))));
        }
    }
    Ok(found)
}

/// The customers who own the row of `entity` with this key.
pub async fn owners_of(db: &Db, entity: &Entity, key: &str) -> Result<Vec<String>> {
    let mut sql = Sql::new(format!("select _customer from {} where {} = ", entity.table(), quoted(&entity.key)));
    match entity.key_field().ty.storage() {
        Storage::Text => sql.bind(key.trim()),
        Storage::Integer => match key.trim().parse::<i64>() {
            Ok(key) => sql.bind(key),
            Err(_) => return Ok(Vec::new()),
        },
    };
    sql.push(" and _customer is not null limit 20");
    Ok(db.fetch(sql).await?.iter().map(|row| row.text(0).to_owned()).collect())
}

/// A way to reach a customer, by the role of its field.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Role {
    Email,
    Phone,
}

/// The customers whose address or number is exactly this one; case of A–Z does not matter.
pub async fn by_role(db: &Db, catalogue: &Catalogue, role: Role, value: &str) -> Result<Vec<String>> {
    let field = match role {
        Role::Email => catalogue.roles.email.as_deref(),
        Role::Phone => catalogue.roles.phone.as_deref(),
    };
    let Some(field) = field.filter(|field| catalogue.customer().field(field).is_some()) else { return Ok(Vec::new()) };
    let column = quoted(field);
    let column = if role == Role::Email { format!("lower({column})") } else { column };
    let mut sql = Sql::new(format!("select _customer from {} where {column} = ", catalogue.customer().table()));
    let value = value.trim();
    sql.bind(if role == Role::Email { value.to_ascii_lowercase() } else { value.to_owned() });
    sql.push(" order by _customer limit 20");
    Ok(db.fetch(sql).await?.iter().map(|row| row.text(0).to_owned()).collect())
}

/// The digits of what may be a part of a phone number, however it is written: `(020) 7946` is `207946`. Zeros before it
/// stand for a country or an area and not in the stored number.
fn part_of_phone(text: &str) -> Option<String> {
    let is_of_phone = |c: char| c.is_ascii_digit() || " ()-./+".contains(c);
    let digits: String = text.chars().filter(char::is_ascii_digit).collect();
    let digits = digits.trim_start_matches('0');
    (text.chars().all(is_of_phone) && digits.len() >= 4).then(|| digits.to_owned())
}

/// The customers in whose phone number these digits stand together.
async fn by_part_of_phone(db: &Db, catalogue: &Catalogue, digits: &str, limit: usize) -> Result<Vec<String>> {
    let field = catalogue.roles.phone.as_deref().and_then(|field| catalogue.customer().field(field));
    let Some(field) = field else { return Ok(Vec::new()) };
    let table = catalogue.customer().table();
    let sql =
        format!("select _customer from {table} where {} like $1 order by _customer limit $2", quoted(&field.name));
    let sql = Sql::new(sql).with(format!("%{digits}%")).with(i64::try_from(limit).unwrap_or(i64::MAX));
    Ok(db.fetch(sql).await?.iter().map(|row| row.text(0).to_owned()).collect())
}

/// The customers in whose texts every word stands. Reads every customer where nothing narrows it down.
async fn by_words(db: &Db, catalogue: &Catalogue, text: &str, limit: usize) -> Result<Vec<String>> {
    let words: Vec<String> = text.split_whitespace().map(str::to_lowercase).collect();
    let customer = catalogue.customer();
    // A word out of a short list (`gold`) tells nobody apart.
    let told_apart = customer.fields.iter().filter(|field| field.ty == Type::Text && field.one_of.is_empty());
    let columns: Vec<String> = told_apart.map(|field| format!("lower({})", quoted(&field.name))).collect();
    if words.is_empty() || columns.is_empty() {
        return Ok(Vec::new());
    }
    let mut sql = Sql::new(format!("select _customer from {} where 1 = 1", customer.table()));
    for word in words {
        let place = sql.reserve(format!("%{}%", word.replace('\\', "\\\\").replace('%', "\\%").replace('_', "\\_")));
        let any: Vec<String> = columns.iter().map(|column| format!("{column} like {place} escape '\\'")).collect();
        sql.push(&format!(" and ({})", any.join(" or ")));
    }
    sql.push(" order by _customer limit ").bind(limit as i64);
    Ok(db.fetch(sql).await?.iter().map(|row| row.text(0).to_owned()).collect())
}

/// Whether another customer has the address or the number of this one; case of A–Z does not matter.
pub async fn shares_an_address(db: &Db, catalogue: &Catalogue, customer: &str) -> Result<bool> {
    let (table, roles) = (catalogue.customer().table(), &catalogue.roles);
    let same = |field: &String| format!("lower(o.{0}) = lower(me.{0})", quoted(field));
    let same: Vec<String> = roles.email.iter().chain(&roles.phone).map(same).collect();
    if same.is_empty() {
        return Ok(false);
    }
    let sql = format!(
        "select 1 from {table} me join {table} o on ({}) and o._customer <> me._customer \
         where me._bucket = $1 and me._customer = $2 limit 1",
        same.join(" or ")
    );
    let sql = Sql::new(sql).with(crate::ids::bucket_of(customer)).with(customer);
    Ok(db.fetch_one(sql).await?.is_some())
}

/// What a customer is called, and where they can be written to.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Called {
    pub name: Option<String>,
    /// The email address, or where there is none the phone number.
    pub address: Option<String>,
}

impl Called {
    /// The name, or the address of whom no name is known.
    pub fn told(&self) -> Option<&str> {
        self.name.as_deref().or(self.address.as_deref())
    }
}

/// What these customers are called, given as bucket and id; of whom nothing is known is left out.
pub async fn called(db: &Db, catalogue: &Catalogue, keys: &[(i64, &str)]) -> Result<HashMap<String, Called>> {
    let customer = catalogue.customer();
    let roles = [&catalogue.roles.name, &catalogue.roles.email, &catalogue.roles.phone];
    let [name, email, phone] = roles.map(|field| column(customer, field));
    let rows = db.dialect().rows("$1", &[("bucket", ColumnType::Int), ("id", ColumnType::Text)], "r");
    let sql = format!(
        "select r.id, {name}, coalesce({email}, {phone}) from {rows} join {} c on c._bucket = r.bucket and c.{} = r.id",
        customer.table(),
        catalogue.id_of_customer()
    );
    let keys = serde_json::to_string(keys).expect("text and integers serialise");
    let called = |row: &Row| {
        let text = |place| row.opt_text(place).map(str::to_owned);
        (row.text(0).to_owned(), Called { name: text(1), address: text(2) })
    };
    Ok(db.fetch(Sql::new(sql).with(keys)).await?.iter().map(called).collect())
}

/// The column of a role of the customer `c`, where there is one that holds text.
fn column(customer: &Entity, field: &Option<String>) -> String {
    match field.as_deref().and_then(|name| customer.field(name)) {
        Some(field) if field.ty.storage() == Storage::Text => format!("c.{}", quoted(&field.name)),
        _ => "cast(null as text)".to_owned(),
    }
}

/// Adds each customer's name and addresses, keeping the order.
async fn name_all(db: &Db, catalogue: &Catalogue, hits: Vec<(String, String)>) -> Result<Vec<FoundCustomer>> {
    let customer = catalogue.customer();
    let roles = [&catalogue.roles.name, &catalogue.roles.email, &catalogue.roles.phone];
    let columns = roles.map(|field| column(customer, field)).join(", ");
    let keys: Value = hits.iter().map(|(id, _)| json!([crate::ids::bucket_of(id), id])).collect();
    let rows = db.dialect().rows("$1", &[("bucket", ColumnType::Int), ("id", ColumnType::Text)], "r");
    let sql = format!(
        "select r.id, {columns} from {rows} join {} c on c._bucket = r.bucket and c.{} = r.id",
        customer.table(),
        catalogue.id_of_customer()
    );
    let rows = db.fetch(Sql::new(sql).with(keys.to_string())).await?;
    let text = |row: Option<&Row>, index| row.and_then(|row| row.opt_text(index)).map(str::to_owned);
    let named = |(id, matched): (String, String)| {
        let row = rows.iter().find(|row| row.text(0) == id);
        let matched = if row.is_some() { matched } else { format!("{matched}; no row of the customer is there") };
        FoundCustomer { name: text(row, 1), email: text(row, 2), phone: text(row, 3), customer: id, matched }
    };
    Ok(hits.into_iter().map(named).collect())
}

/// The touchpoints with this id (or its beginning, or the Message-ID made of it), code or provider's id.
async fn touchpoints(db: &Db, text: &str, limit: usize) -> Result<Vec<Touchpoint>> {
    let id = text.trim_start_matches('<').split('@').next().unwrap_or(text);
    let mut found = match by_id(db, id).await? {
        Named::Nothing => Vec::new(),
        Named::One(one) => vec![*one],
        Named::Several(several) => several,
    };
    let sql = format!(
        "select {COLUMNS} from (select bucket as hit_bucket, touchpoint as hit_id from offer_grants \
         where code in ($1, $2) union select bucket, id from touchpoints where provider_id = $1) hits \
         join touchpoints on bucket = hit_bucket and id = hit_id order by created_at desc, id desc limit $3"
    );
    let sql = Sql::new(sql).with(text).with(text.to_uppercase()).with(limit as i64);
    for row in db.fetch(sql).await? {
        let other = touchpoint(&row)?;
        if !found.contains(&other) {
            found.push(other);
        }
    }
    found.truncate(limit);
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::part_of_phone;

    #[test]
    fn a_part_of_a_phone_number_is_read_in_any_notation() {
        for (text, digits) in [
            ("(020) 7946", Some("207946")),
            ("+44 20 7946", Some("44207946")),
            ("0044.20-79", Some("442079")),
            ("0123", None),
            ("order 1234", None),
            ("", None),
        ] {
            assert_eq!(part_of_phone(text).as_deref(), digits, "{text}");
        }
    }
}
