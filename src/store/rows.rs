//! Rows of customer data, in bulk: what is there, what goes, what comes, and whose it is.
//!
//! What to write is decided in `data`; nothing here compares values.
//!
//! 1. One statement serves a thousand rows, handed over as one bind.
//! 2. A changed row is taken out and put in again: its bucket, which is part of its key, may have changed with it.

use super::db::{Cell, Db, Result, Row, Tx};
use crate::catalogue::{CUSTOMER, Catalogue, Entity, Link, Storage, Type, quoted};
use crate::sql::{Bind, ColumnType, Dialect, Sql};
use futures_util::stream::BoxStream;

/// A row as it is written.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Record {
    /// In the order of the entity's fields.
    pub values: Vec<Cell>,
    /// 0 while the owner is not known, and for shared tables.
    pub bucket: i64,
    /// The owner's key.
    pub customer: Option<String>,
    /// What the row was made from; two rows with one digest are the same.
    pub digest: i64,
}

/// What the table holds under a key.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Existing {
    /// Which of the rows that were asked for.
    pub index: usize,
    pub digest: i64,
    pub bucket: i64,
    pub customer: Option<String>,
    /// The fields that were asked for, in that order.
    pub values: Vec<Cell>,
}

/// Rows that moved to another owner: key, old bucket, new bucket, new owner.
pub type Moved = Vec<(Cell, i64, i64, Option<String>)>;

/// Rows as a JSON array of arrays, for [`Dialect::rows`].
#[derive(Debug)]
struct Rows(Vec<u8>);

impl Rows {
    fn new() -> Self {
        Self(vec![b'['])
    }

    fn row(&mut self) -> &mut Self {
        self.0.extend_from_slice(if self.0.len() == 1 { b"[" } else { b",[" });
        self
    }

    fn end(&mut self) {
        self.0.push(b']');
    }

    fn separate(&mut self) {
        if !matches!(self.0.last(), Some(b'[')) {
            self.0.push(b',');
        }
    }

    fn cell(&mut self, cell: &Cell) -> &mut Self {
        match cell {
            Cell::Null => {
                self.separate();
                self.0.extend_from_slice(b"null");
                self
            }
            Cell::Int(value) => self.int(*value),
            Cell::Text(value) => self.text(Some(value)),
        }
    }

    fn int(&mut self, value: i64) -> &mut Self {
        self.separate();
        serde_json::to_writer(&mut self.0, &value).expect("a number is written to memory");
        self
    }

    fn text(&mut self, value: Option<&str>) -> &mut Self {
        self.separate();
        serde_json::to_writer(&mut self.0, &value).expect("text is written to memory");
        self
    }

    fn json(mut self) -> String {
        self.0.push(b']');
        String::from_utf8(self.0).expect("JSON is UTF-8")
    }
}

const fn column_type(ty: Type) -> ColumnType {
    match ty.storage() {
        Storage::Text => ColumnType::Text,
        Storage::Integer => ColumnType::Int,
    }
}

/// The place of the key among an entity's fields.
fn key_index(entity: &Entity) -> usize {
    entity.fields.iter().position(|field| field.name == entity.key).expect("an entity has its key field")
}

/// Keeps other imports of the same entity out until the transaction ends. SQLite has one writer anyway.
pub async fn lock(tx: &mut Tx, entity: &Entity) -> Result<()> {
    match tx.dialect() {
        Dialect::Sqlite => Ok(()),
        Dialect::Postgres => tx.script(&format!("lock table {} in share row exclusive mode", entity.table())).await,
    }
}

/// What the table holds under the keys of `records`, with the fields named by `wanted`.
pub async fn existing(
    tx: &mut Tx,
    entity: &Entity,
    owned: bool,
    records: &[Record],
    wanted: &[&str],
) -> Result<Vec<Existing>> {
    let key = key_index(entity);
    let mut rows = Rows::new();
    for (index, record) in records.iter().enumerate() {
        let index = i64::try_from(index).expect("a chunk is small");
        rows.row().int(index).cell(&record.values[key]).int(record.bucket).end();
    }
    let columns = [("i", ColumnType::Int), ("k", column_type(entity.key_field().ty)), ("b", ColumnType::Int)];
    let item = tx.dialect().rows("$1", &columns, "r");
    let mut text = String::from("select r.i, d.\"_row\"");
    text.push_str(if owned { ", d.\"_bucket\", d.\"_customer\"" } else { ", 0, null" });
    wanted.iter().for_each(|field| text.push_str(&format!(", d.{}", quoted(field))));
    text.push_str(&format!(" from {item} cross join {} as d where d.{} = r.k", entity.table(), quoted(&entity.key)));
    if entity.name == CUSTOMER {
        text.push_str(" and d.\"_bucket\" = r.b");
    }
    let found = tx.fetch(Sql::new(text).with(rows.json())).await?;
    Ok(found.iter().map(read_existing).collect())
}

fn read_existing(row: &Row) -> Existing {
    Existing {
        index: usize::try_from(row.int(0)).expect("the index that was sent"),
        digest: row.int(1),
        bucket: row.int(2),
        customer: row.opt_text(3).map(str::to_owned),
        values: (4..row.len()).map(|index| row.cell(index).clone()).collect(),
    }
}

/// Whether the table has no row at all.
pub async fn is_empty(db: &Db, entity: &Entity) -> Result<bool> {
    Ok(db.fetch_one(Sql::new(format!("select 1 from {} limit 1", entity.table()))).await?.is_none())
}

/// How many rows the table has.
pub async fn count(db: &Db, entity: &Entity) -> Result<u64> {
    let row = db.fetch_one(Sql::new(format!("select count(*) from {}", entity.table()))).await?;
    Ok(row.map_or(0, |row| u64::try_from(row.int(0)).unwrap_or(0)))
}

/// Every key with its bucket, as they come.
pub fn keys(db: &Db, entity: &Entity, owned: bool) -> BoxStream<'static, Result<Row>> {
    let bucket = if owned { "\"_bucket\"" } else { "0" };
    db.stream(Sql::new(format!("select {}, {bucket} from {}", quoted(&entity.key), entity.table())))
}

/// Adds rows; gives how many. With `if_absent` those whose key is taken are passed over.
pub async fn insert(tx: &mut Tx, entity: &Entity, owned: bool, records: &[&Record], if_absent: bool) -> Result<u64> {
    let mut rows = Rows::new();
    for record in records {
        rows.row().int(record.digest);
        if owned {
            rows.int(record.bucket).text(record.customer.as_deref());
        }
        record.values.iter().for_each(|value| {
            rows.cell(value);
        });
        rows.end();
    }
    let own: &[(&str, ColumnType)] = if owned {
        &[("_row", ColumnType::Int), ("_bucket", ColumnType::Int), ("_customer", ColumnType::Text)]
    } else {
        &[("_row", ColumnType::Int)]
    };
    let fields = entity.fields.iter().map(|field| (field.name.as_str(), column_type(field.ty)));
    let columns: Vec<(&str, ColumnType)> = own.iter().copied().chain(fields).collect();
    let names = columns.iter().map(|(name, _)| quoted(name)).collect::<Vec<_>>().join(", ");
    let item = tx.dialect().rows("$1", &columns, "r");
    let conflict = if if_absent { " on conflict do nothing" } else { "" };
    let text = format!("insert into {} ({names}) select {names} from {item} where true{conflict}", entity.table());
    tx.execute(Sql::new(text).with(rows.json())).await
}

/// Takes rows out by key and bucket; gives how many.
pub async fn remove(tx: &mut Tx, entity: &Entity, owned: bool, keys: &[(&Cell, i64)]) -> Result<u64> {
    let mut rows = Rows::new();
    for (key, bucket) in keys {
        rows.row().cell(key).int(*bucket).end();
    }
    let item = tx.dialect().rows("$1", &[("k", column_type(entity.key_field().ty)), ("b", ColumnType::Int)], "r");
    let key = quoted(&entity.key);
    let condition = if owned {
        format!("(\"_bucket\", {key}) in (select r.b, r.k from {item})")
    } else {
        format!("{key} in (select r.k from {item})")
    };
    tx.execute(Sql::new(format!("delete from {} where {condition}", entity.table())).with(rows.json())).await
}

/// The owners of the parents that `links` name: for each parent found its place in `links`, bucket and customer.
pub async fn owners(
    tx: &mut Tx,
    parent: &Entity,
    links: &[(usize, &Cell)],
) -> Result<Vec<(usize, i64, Option<String>)>> {
    let mut rows = Rows::new();
    for (index, link) in links {
        rows.row().int(i64::try_from(*index).expect("a chunk is small")).cell(link).end();
    }
    let columns = [("i", ColumnType::Int), ("k", column_type(parent.key_field().ty))];
    let item = tx.dialect().rows("$1", &columns, "r");
    let text = format!(
        "select r.i, p.\"_bucket\", p.\"_customer\" from {item} cross join {} as p where p.{} = r.k",
        parent.table(),
        quoted(&parent.key)
    );
    let found = tx.fetch(Sql::new(text).with(rows.json())).await?;
    let read = |row: &Row| {
        let index = usize::try_from(row.int(0)).expect("the index that was sent");
        (index, row.int(1), row.opt_text(2).map(str::to_owned))
    };
    Ok(found.iter().map(read).collect())
}

/// The entities whose owner is found through `parent`, with the link that leads there.
pub fn children<'a>(catalogue: &'a Catalogue, parent: &Entity) -> Vec<(&'a Entity, &'a Link)> {
    let through = |child: &'a Entity| {
        let path = catalogue.path_to_customer(&child.name)?;
        let first = *path.first()?;
        (path.len() > 1 && first.entity == parent.name).then_some((child, first))
    };
    let own = catalogue.entities.values().filter(|child| child.place == crate::catalogue::Place::Own);
    own.filter_map(through).collect()
}

/// Moves the rows that belong to `moved` parents to the parents' new owner; gives which rows moved.
pub async fn follow(tx: &mut Tx, child: &Entity, link: &Link, moved: &Moved) -> Result<Moved> {
    let mut rows = Rows::new();
    for (key, old, bucket, customer) in moved {
        rows.row().cell(key).int(*old).int(*bucket).text(customer.as_deref()).end();
    }
    let link_type = child.field(&link.field).map_or(ColumnType::Text, |field| column_type(field.ty));
    let columns = [("k", link_type), ("old", ColumnType::Int), ("b", ColumnType::Int), ("c", ColumnType::Text)];
    let item = tx.dialect().rows("$1", &columns, "r");
    let (table, field, key) = (child.table(), quoted(&link.field), quoted(&child.key));
    // The old bucket is part of the answer and cannot be returned from an update, so the rows are read first.
    let text = format!(
        "select c.{key}, r.old, r.b, r.c from {item} cross join {table} as c \
         where c.\"_bucket\" = r.old and c.{field} = r.k and c.\"_customer\" is distinct from r.c"
    );
    let found = tx.fetch(Sql::new(text).with(rows.json())).await?;
    let followed: Moved = found
        .iter()
        .map(|row| (row.cell(0).clone(), row.int(1), row.int(2), row.opt_text(3).map(str::to_owned)))
        .collect();
    hand_over(tx, child, &followed).await?;
    Ok(followed)
}

/// Rows without an owner whose parent now has one; at most `limit`.
pub async fn orphans(tx: &mut Tx, child: &Entity, link: &Link, parent: &Entity, limit: i64) -> Result<Moved> {
    let text = format!(
        "select c.{}, p.\"_bucket\", p.\"_customer\" from {} as c cross join {} as p \
         where c.\"_bucket\" = 0 and c.\"_customer\" is null and p.{} = c.{} and p.\"_customer\" is not null limit $1",
        quoted(&child.key),
        child.table(),
        parent.table(),
        quoted(&parent.key),
        quoted(&link.field)
    );
    let found = tx.fetch(Sql::new(text).with(limit)).await?;
    Ok(found.iter().map(|row| (row.cell(0).clone(), 0, row.int(1), row.opt_text(2).map(str::to_owned))).collect())
}

/// Writes the new owners of `moved` rows.
pub async fn hand_over(tx: &mut Tx, entity: &Entity, moved: &Moved) -> Result<()> {
    if moved.is_empty() {
        return Ok(());
    }
    let mut rows = Rows::new();
    for (key, old, bucket, customer) in moved {
        rows.row().cell(key).int(*old).int(*bucket).text(customer.as_deref()).end();
    }
    let key_type = column_type(entity.key_field().ty);
    let columns = [("k", key_type), ("old", ColumnType::Int), ("b", ColumnType::Int), ("c", ColumnType::Text)];
    let item = tx.dialect().rows("$1", &columns, "r");
    let text = format!(
        "update {0} set \"_bucket\" = r.b, \"_customer\" = r.c from {item} \
         where {0}.\"_bucket\" = r.old and {0}.{1} = r.k",
        entity.table(),
        quoted(&entity.key)
    );
    tx.execute(Sql::new(text).with(rows.json())).await?;
    Ok(())
}

/// The owners of the rows whose `field` is `text`, each once; `bucket` where it is known.
pub async fn owners_by(db: &Db, entity: &Entity, field: &str, text: &str, bucket: Option<i64>) -> Result<Vec<String>> {
    let declared = entity.field(field).map_or(Type::Text, |field| field.ty);
    let wanted = match column_type(declared) {
        ColumnType::Text => Bind::from(text),
        ColumnType::Int => match text.parse::<i64>() {
            Ok(number) => Bind::from(number),
            Err(_) => return Ok(Vec::new()),
        },
    };
    let mut sql = Sql::new(format!("select distinct \"_customer\" from {} where ", entity.table()));
    if text.contains('@') {
        // Nobody remembers the capitals of a mail address.
        sql.push(&format!("lower({}) = lower(", quoted(field))).bind(wanted).push(")");
    } else {
        sql.push(&format!("{} = ", quoted(field))).bind(wanted);
    }
    sql.push(" and \"_customer\" is not null");
    if let Some(bucket) = bucket {
        sql.push(" and \"_bucket\" = ").bind(bucket);
    }
    sql.push(" order by 1");
    Ok(db.fetch(sql).await?.iter().map(|row| row.text(0).to_owned()).collect())
}
