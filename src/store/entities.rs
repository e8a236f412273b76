//! The tables of customer data: made from the catalogue, widened as fields are added, never rebuilt.
//!
//! What lies in somebody else's table is a view, written in [`super::foreign`].
//!
//! 1. Preparing twice changes nothing, and costs one read where nothing is to be done.
//! 2. A table's key, its way to the customer and its columns' types never change: a changed one is refused with the
//!    way out.
//! 3. A customer's data is kept in the order `(_bucket, key)`, and is found by `(_bucket, link)` for each link; on SQLite
//!    the planner is told so.

use super::db::{Db, Result, StoreError, Tx};
use super::foreign;
use super::statistics::{self, Assumed, OF_A_BUCKET, OF_ONE};
use crate::amount::SCALE;
use crate::catalogue::{CUSTOMER, Catalogue, Entity, Place, Storage, Type, quoted};
use crate::ids::content_hash;
use crate::sql::{Dialect, Sql};
use crate::time::Tz;
use std::collections::BTreeMap;

/// What `entity_columns` knows of an entity besides its fields.
const PLACE: &str = "_place";
const KEY: &str = "_key";
const OWNER: &str = "_owner";

/// PostgreSQL cuts identifiers at 63 bytes.
const MAX_IDENTIFIER: usize = 63;

/// Makes every table and view of the catalogue, or widens it. `zone` is the business's, for foreign times that name
/// none.
///
/// # Errors
/// [`StoreError::Schema`] where a change is refused; it says what to do instead.
pub async fn prepare(db: &Db, catalogue: &Catalogue, zone: Tz) -> Result<()> {
    let known = definitions(db).await?;
    let stale = stale(catalogue, &known, zone);
    if !stale.is_empty() {
        let mut tx = db.begin().await?;
        one_at_a_time(&mut tx).await?;
        for (entity, definition) in stale {
            prepare_entity(&mut tx, catalogue, entity, zone).await?;
            remember(&mut tx, &entity.name, &definition).await?;
        }
        tx.commit().await?;
    }
    foreign::sync_buckets(db, catalogue).await
}

/// A change of an entity that its table cannot follow.
#[derive(Debug)]
pub struct Refusal {
    pub entity: String,
    /// The field whose type is another, or the one that has become the key.
    pub field: String,
    pub why: String,
}

/// Why tables that are there cannot become what the catalogue wants: of each the first reason. Nothing is changed.
pub async fn refusals(db: &Db, catalogue: &Catalogue) -> Result<Vec<Refusal>> {
    let mut known: BTreeMap<String, BTreeMap<String, String>> = BTreeMap::new();
    for row in db.fetch(Sql::new("select entity, field, type from entity_columns")).await? {
        known.entry(row.text(0).to_owned()).or_default().insert(row.text(1).to_owned(), row.text(2).to_owned());
    }
    let own = catalogue.entities.values().filter(|entity| entity.place == Place::Own);
    let known = own.filter_map(|entity| Some((entity, known.get(&entity.name)?)));
    let was_own = known.filter(|(_, known)| known.get(PLACE).is_some_and(|place| place == "own"));
    Ok(was_own.filter_map(|(entity, known)| refusal(catalogue, entity, known)).collect())
}

/// The entities whose table or view is not as the catalogue wants it, parents before children. Where one view is
/// made anew all are: they may build on each other.
fn stale<'a>(catalogue: &'a Catalogue, known: &BTreeMap<String, String>, zone: Tz) -> Vec<(&'a Entity, String)> {
    let all = catalogue.entities.values().map(|entity| (entity, definition(catalogue, entity, zone)));
    let (mut stale, fresh): (Vec<_>, Vec<_>) = all.partition(|(entity, now)| known.get(&entity.name) != Some(now));
    let is_view = |entity: &Entity| matches!(entity.place, Place::InPlace(_));
    if stale.iter().any(|(entity, _)| is_view(entity)) {
        stale.extend(fresh.into_iter().filter(|(entity, _)| is_view(entity)));
    }
    stale.sort_by_key(|(entity, _)| catalogue.path_to_customer(&entity.name).map_or(0, |path| path.len()));
    stale
}

/// Hashes of what each entity's table was last made from, by entity.
async fn definitions(db: &Db) -> Result<BTreeMap<String, String>> {
    let rows = db.fetch(Sql::new("select name, value from meta where name like 'entity:%'")).await?;
    Ok(rows.iter().map(|row| (row.text(0)["entity:".len()..].to_owned(), row.text(1).to_owned())).collect())
}

async fn remember(tx: &mut Tx, entity: &str, definition: &str) -> Result<()> {
    let text = "insert into meta (name, value) values ($1, $2) on conflict (name) do update set value = excluded.value";
    tx.execute(Sql::new(text).with(format!("entity:{entity}")).with(definition)).await?;
    Ok(())
}

/// Two programs that prepare at once do it one after the other. SQLite has one writer anyway.
async fn one_at_a_time(tx: &mut Tx) -> Result<()> {
    match tx.dialect() {
        Dialect::Sqlite => Ok(()),
        Dialect::Postgres => tx.script("lock table entity_columns in exclusive mode").await,
    }
}

/// Everything that an entity's table or view depends on.
fn definition(catalogue: &Catalogue, entity: &Entity, zone: Tz) -> String {
    let fields = entity.fields.iter().map(|field| {
        let column = field.heading();
        format!("{} {} {column} {}", field.name, type_name(field.ty), field.index)
    });
    let links = entity.belongs_to.iter().map(|link| format!("{} {}", link.entity, link.field));
    let zone = entity.time_zone.unwrap_or(zone);
    let rest = [place_name(&entity.place), entity.key.clone(), owner(catalogue, entity), zone.to_string()];
    let parts: Vec<String> = fields.chain(links).chain(rest).collect();
    content_hash(&parts.iter().map(String::as_str).collect::<Vec<_>>())
}

fn place_name(place: &Place) -> String {
    match place {
        Place::Own => "own".to_owned(),
        Place::InPlace(table) => format!("in place {table}"),
        Place::BuiltIn => "built in, without tests".to_owned(),
    }
}

/// The entity's way to the customer, as the links' fields; `-` for a shared table.
fn owner(catalogue: &Catalogue, entity: &Entity) -> String {
    catalogue.path_to_customer(&entity.name).map_or("-".to_owned(), |path| {
        path.iter().map(|link| format!("{}>{}", link.field, link.entity)).collect::<Vec<_>>().join(" ")
    })
}

/// A type with all that its storage depends on.
fn type_name(ty: Type) -> String {
    match ty {
        Type::Decimal(scale) => format!("decimal({scale})"),
        _ => ty.name().to_owned(),
    }
}

async fn prepare_entity(tx: &mut Tx, catalogue: &Catalogue, entity: &Entity, zone: Tz) -> Result<()> {
    let known = columns(tx, &entity.name).await?;
    let was_own = known.get(PLACE).is_some_and(|place| place == "own");
    match &entity.place {
        Place::Own if was_own => widen(tx, catalogue, entity, &known).await,
        Place::Own => {
            if !known.is_empty() {
                foreign::drop_view(tx, entity).await?;
                forget(tx, &entity.name).await?;
            }
            create(tx, catalogue, entity).await
        }
        Place::InPlace(_) | Place::BuiltIn if was_own => Err(StoreError::Schema(format!(
            "`{0}` has a table of plusone's own with imported rows: read the other table under another name, or drop \
             {1} and delete the rows of `{0}` from entity_columns first",
            entity.name,
            entity.table()
        ))),
        Place::InPlace(table) => {
            foreign::make_view(tx, catalogue, entity, table, zone).await?;
            note_place(tx, entity, &known).await
        }
        Place::BuiltIn => {
            foreign::make_builtin(tx, entity).await?;
            note_place(tx, entity, &known).await
        }
    }
}

async fn note_place(tx: &mut Tx, entity: &Entity, known: &BTreeMap<String, String>) -> Result<()> {
    if known.is_empty() { note(tx, &entity.name, PLACE, "view").await } else { Ok(()) }
}

/// What is known of an entity's table: field to type.
async fn columns(tx: &mut Tx, entity: &str) -> Result<BTreeMap<String, String>> {
    let rows = tx.fetch(Sql::new("select field, type from entity_columns where entity = $1").with(entity)).await?;
    Ok(rows.iter().map(|row| (row.text(0).to_owned(), row.text(1).to_owned())).collect())
}

async fn note(tx: &mut Tx, entity: &str, field: &str, ty: &str) -> Result<()> {
    let text = "insert into entity_columns (entity, field, type) values ($1, $2, $3)";
    tx.execute(Sql::new(text).with(entity).with(field).with(ty)).await?;
    Ok(())
}

async fn forget(tx: &mut Tx, entity: &str) -> Result<()> {
    tx.execute(Sql::new("delete from entity_columns where entity = $1").with(entity)).await?;
    Ok(())
}

fn column_type(dialect: Dialect, ty: Type) -> String {
    match ty.storage() {
        Storage::Integer => "bigint".to_owned(),
        Storage::Text => format!("text{}", dialect.collate()),
    }
}

/// Makes the table of an entity that has none.
async fn create(tx: &mut Tx, catalogue: &Catalogue, entity: &Entity) -> Result<()> {
    let dialect = tx.dialect();
    let key = quoted(&entity.key);
    let owned = catalogue.is_owned(&entity.name);
    let mut parts: Vec<String> = Vec::new();
    if owned {
        parts.push("\"_bucket\" bigint not null".to_owned());
        parts.push(format!("\"_customer\" text{}", dialect.collate()));
    }
    parts.push("\"_row\" bigint not null".to_owned());
    for field in &entity.fields {
        let required = if field.name == entity.key { " not null" } else { "" };
        parts.push(format!("{} {}{required}", quoted(&field.name), column_type(dialect, field.ty)));
    }
    parts.push(format!("primary key ({})", if owned { format!("\"_bucket\", {key}") } else { key.clone() }));
    let rowid = if dialect == Dialect::Sqlite { " without rowid" } else { "" };
    tx.script(&format!("create table {} ({}){rowid}", entity.table(), parts.join(", "))).await?;
    for field in &entity.fields {
        note(tx, &entity.name, &field.name, &type_name(field.ty)).await?;
    }
    note(tx, &entity.name, PLACE, "own").await?;
    note(tx, &entity.name, KEY, &entity.key).await?;
    note(tx, &entity.name, OWNER, &owner(catalogue, entity)).await?;
    if owned {
        assume(tx, entity).await?;
    }
    // A customer's bucket follows from their key, so the primary key finds them; other rows may change hands.
    if owned && entity.name != CUSTOMER {
        let name = index_name(entity, "_key");
        tx.script(&format!("create unique index {name} on {} ({key})", entity.table())).await?;
    }
    index(tx, catalogue, entity).await?;
    statistics::take_up(tx).await
}

/// Has the planner find a row's children by their link, not by reading their bucket.
async fn assume(tx: &mut Tx, entity: &Entity) -> Result<()> {
    let bare = |name: String| name.trim_matches('"').to_owned();
    let (table, key) = (bare(entity.table()), bare(index_name(entity, "_key")));
    let links: Vec<String> = entity.belongs_to.iter().map(|link| bare(link_index(entity, &link.field))).collect();
    // the primary key of a table without rowid goes by the table's name
    let mut assumed = vec![Assumed { index: &table, rows_alike: &[OF_A_BUCKET, 1] }];
    assumed.push(Assumed { index: &key, rows_alike: &[1, 1] });
    assumed.extend(links.iter().map(|index| Assumed { index, rows_alike: &[OF_A_BUCKET, OF_ONE, 1] }));
    statistics::assume(tx, &table, &assumed).await
}

/// The name of the index that finds the rows of a bucket by a link.
fn link_index(entity: &Entity, field: &str) -> String {
    index_name(entity, &format!("{field}_by_bucket"))
}

/// Adds the columns and indexes that are missing.
async fn widen(tx: &mut Tx, catalogue: &Catalogue, entity: &Entity, known: &BTreeMap<String, String>) -> Result<()> {
    if let Some(refusal) = refusal(catalogue, entity, known) {
        return Err(StoreError::Schema(refusal.why));
    }
    let dialect = tx.dialect();
    for field in entity.fields.iter().filter(|field| !known.contains_key(&field.name)) {
        let column = format!("{} {}", quoted(&field.name), column_type(dialect, field.ty));
        tx.script(&format!("alter table {} add column {column}", entity.table())).await?;
        note(tx, &entity.name, &field.name, &type_name(field.ty)).await?;
    }
    index(tx, catalogue, entity).await
}

/// The first change that a table which is there does not follow.
fn refusal(catalogue: &Catalogue, entity: &Entity, known: &BTreeMap<String, String>) -> Option<Refusal> {
    const EMPTY: &str = "or begin with an empty database, where nothing was sent from this one";
    let name = &entity.name;
    let refusal = |field: &str, why: String| Some(Refusal { entity: name.clone(), field: field.to_owned(), why });
    for field in &entity.fields {
        let now = type_name(field.ty);
        let Some(was) = known.get(&field.name).filter(|was| **was != now) else { continue };
        let (other, ty, heading) = (&field.name, field.ty.name(), field.heading());
        let scale = match field.ty {
            Type::Decimal(scale) if scale != SCALE => format!(", scale = {scale}"),
            _ => String::new(),
        };
        let why = format!(
            "`{name}.{other}` is stored as {was} and cannot become {now}: declare a new field beside it, such as \
             `{other}_{ty} = {{ type = \"{ty}\"{scale}, column = \"{heading}\" }}`, and import again; {EMPTY}",
        );
        return refusal(other, why);
    }
    let (key, owner) = (&entity.key, owner(catalogue, entity));
    if let Some(was) = known.get(KEY).filter(|was| *was != key) {
        let heading = entity.key_field().heading();
        let cure = format!("keep `key = \"{was}\"` and call the field so: `{was} = {{ …, column = \"{heading}\" }}`");
        return refusal(key, format!("the key of `{name}` was `{was}` and cannot become `{key}`: {cure}; {EMPTY}"));
    }
    let was = known.get(OWNER).filter(|was| **was != owner)?;
    let cure = "declare the entity under a new name and import it again";
    refusal(
        key,
        format!("the way to the customer of `{name}` was `{was}` and cannot become `{owner}`: {cure}; {EMPTY}"),
    )
}

async fn index(tx: &mut Tx, catalogue: &Catalogue, entity: &Entity) -> Result<()> {
    let owned = catalogue.is_owned(&entity.name);
    let links = entity.belongs_to.iter().map(|link| (link.field.as_str(), owned));
    let fields = entity.fields.iter().filter(|field| field.index).map(|field| (field.name.as_str(), false));
    for (field, by_bucket) in links.chain(fields) {
        let name = if by_bucket { link_index(entity, field) } else { index_name(entity, field) };
        let columns = if by_bucket { format!("\"_bucket\", {}", quoted(field)) } else { quoted(field) };
        tx.script(&format!("create index if not exists {name} on {} ({columns})", entity.table())).await?;
    }
    Ok(())
}

fn index_name(entity: &Entity, what: &str) -> String {
    let name = format!("d_{}_{what}", entity.name);
    if name.len() <= MAX_IDENTIFIER { quoted(&name) } else { quoted(&format!("d_{}", content_hash(&[&name]))) }
}
