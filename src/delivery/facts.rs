//! The data that templates read, fetched for a chunk of messages at once: one statement for the rows, one for each
//! list, whatever the number of messages.

use crate::catalogue::{CUSTOMER, Catalogue, Entity, Field, Storage, quoted};
use crate::messages::MAX_LIST;
use crate::messages::Needs;
use crate::messages::context::{Record, Value};
use crate::messages::needs::{List, Order, Shape};
use crate::rules::{Channel, Rule};
use crate::sql::{ColumnType, Sql};
use crate::store::db::{Cell, Db, Result, Row};
use crate::store::delivery::Claimed;
use crate::workspace::Workspace;
use std::collections::{BTreeMap, HashMap};
use std::future::Future;
use std::pin::Pin;

/// What the template reads of the data for one message: `customer` and the rule's entity, by name.
pub type Facts = Record;

/// A row's place: its customer's bucket (0 for a shared table) and its key.
type Key = (i64, String);

/// The facts of each message, by the key of its `for_each` row.
pub async fn of(
    db: &Db,
    workspace: &Workspace,
    rule: &Rule,
    channel: Channel,
    claimed: &[&Claimed],
) -> Result<HashMap<String, Facts>> {
    let keys: Vec<(Key, Key)> =
        claimed.iter().map(|one| ((one.bucket, one.customer.clone()), (one.bucket, one.entity.clone()))).collect();
    of_rows(db, workspace, rule, channel, &keys).await
}

/// The facts of each pair of a customer and a row of the rule's entity, by the row's key.
pub async fn of_rows(
    db: &Db,
    workspace: &Workspace,
    rule: &Rule,
    channel: Channel,
    keys: &[(Key, Key)],
) -> Result<HashMap<String, Facts>> {
    let catalogue = &workspace.project.catalogue;
    let templates = workspace.templates.all_of(rule);
    if templates.is_empty() || keys.is_empty() {
        return Ok(HashMap::new());
    }
    let needs = Needs::of(&templates, catalogue, &rule.for_each, &[channel]);
    let reader = Reader { db, catalogue };
    let customers: Vec<Key> = keys.iter().map(|(customer, _)| customer.clone()).collect();
    let mut customers = reader.rows(CUSTOMER, &needs.customer, &customers).await?;
    let rows: Vec<Key> = keys.iter().map(|(_, row)| row.clone()).collect();
    let mut rows =
        if rule.for_each == CUSTOMER { HashMap::new() } else { reader.rows(&rule.for_each, &needs.row, &rows).await? };
    let mut all = HashMap::with_capacity(keys.len());
    for ((_, customer), (_, row)) in keys {
        if all.contains_key(row) {
            continue;
        }
        let mut facts = Record::new();
        if rule.for_each == CUSTOMER {
            facts.insert(CUSTOMER.to_owned(), Value::Record(customers.remove(customer).unwrap_or_default()));
        } else {
            let record = customers.get(customer).cloned().unwrap_or_default();
            facts.insert(CUSTOMER.to_owned(), Value::Record(record));
            facts.insert(rule.for_each.clone(), Value::Record(rows.remove(row).unwrap_or_default()));
        }
        all.insert(row.clone(), facts);
    }
    Ok(all)
}

struct Reader<'a> {
    db: &'a Db,
    catalogue: &'a Catalogue,
}

/// A row that was read, with the key of the row that it was asked for.
struct Read {
    asked_for: String,
    key: Key,
    record: Record,
}

/// What is selected of a shape: columns in order, and the joins that reach them.
struct Columns<'a> {
    text: String,
    joins: String,
    /// The relation that leads to each column's row, the field, and whether it is that row's key.
    fields: Vec<(Vec<String>, &'a Field, bool)>,
    aliases: usize,
}

impl<'a> Reader<'a> {
    /// Rows of `entity` by their keys.
    async fn rows(&self, entity: &str, shape: &Shape, keys: &[Key]) -> Result<HashMap<String, Record>> {
        let entity = self.entity(entity);
        let columns = self.columns(entity, shape);
        let mut sql = self.asked(keys);
        let key = text_of("x", entity.key_field());
        let bucket = self.bucket(entity, "r");
        sql.push(&format!(
            "select r.key, {bucket}, {key}{} from asked r join {} x on {key} = r.key{}{}",
            columns.text,
            entity.table(),
            self.same_bucket(entity, "x", "r.bucket"),
            columns.joins
        ));
        let read = self.read(entity, shape, &columns, sql).await?;
        Ok(read.into_iter().map(|row| (row.asked_for, row.record)).collect())
    }

    /// The first rows of a list, in each of its orders, for each parent; ascending by key.
    async fn list(&self, parent: &str, name: &str, list: &List, parents: &[Key]) -> Result<Vec<Read>> {
        let (link, child) = self.catalogue.many(parent, name).expect("the template was checked against the catalogue");
        let columns = self.columns(child, &list.rows);
        let key = text_of("x", child.key_field());
        let link_field = child.field(&link.field).expect("config knows the field of belongs_to");
        let parent_key = text_of("x", link_field);
        let ranks = list.orders.iter().map(|order| {
            let first = match order {
                Order::Key => String::new(),
                Order::Greatest(field) => {
                    let field = quoted(field);
                    format!("case when x.{field} is null then 1 else 0 end, x.{field} desc, ")
                }
            };
            format!("row_number() over (partition by r.key order by {first}x.{})", quoted(&child.key))
        });
        let ranks: Vec<String> = ranks.enumerate().map(|(place, rank)| format!("{rank} as n{place}")).collect();
        let within = (0..ranks.len()).map(|place| format!("x.n{place} <= {MAX_LIST}")).collect::<Vec<_>>().join(" or ");
        let mut sql = self.asked(parents);
        sql.push(&format!(
            "select x.asked_for, {}, {key}{} from (select x.*, r.key as asked_for, {} from asked r join {} x on {parent_key} = r.key{}) x{} \
             where {within} order by x.asked_for, x.{}",
            self.bucket_of(child, "x"),
            columns.text,
            ranks.join(", "),
            child.table(),
            self.same_bucket_as_parent(parent, child),
            columns.joins,
            quoted(&child.key),
        ));
        self.read(child, &list.rows, &columns, sql).await
    }

    /// Runs a statement whose columns are the key asked for, the bucket, the row's own key and then `columns`; adds
    /// the lists.
    fn read<'f>(
        &'f self,
        entity: &'f Entity,
        shape: &'f Shape,
        columns: &'f Columns<'_>,
        sql: Sql,
    ) -> Pin<Box<dyn Future<Output = Result<Vec<Read>>> + Send + 'f>> {
        Box::pin(async move {
            let rows = self.db.fetch_as_one(sql, columns.fields.len() + 3).await?;
            let mut read: Vec<Read> = rows.iter().map(|row| one(row, columns)).collect();
            self.add_lists(entity, shape, &mut Vec::new(), &mut read).await?;
            Ok(read)
        })
    }

    fn add_lists<'f>(
        &'f self,
        entity: &'f Entity,
        shape: &'f Shape,
        path: &'f mut Vec<String>,
        read: &'f mut Vec<Read>,
    ) -> Pin<Box<dyn Future<Output = Result<()>> + Send + 'f>> {
        Box::pin(async move {
            for (name, list) in &shape.lists {
                let parents: Vec<(usize, Key)> = read
                    .iter()
                    .enumerate()
                    .filter_map(|(place, row)| Some((place, (row.key.0, key_at(row, path, entity)?))))
                    .collect();
                let keys: Vec<Key> = parents.iter().map(|(_, key)| key.clone()).collect();
                let mut by_parent: BTreeMap<String, Vec<Value>> = BTreeMap::new();
                if !keys.is_empty() {
                    for row in self.list(&entity.name, name, list, &keys).await? {
                        by_parent.entry(row.asked_for).or_default().push(Value::Record(row.record));
                    }
                }
                for (place, (_, key)) in parents {
                    let rows = by_parent.get(&key).cloned().unwrap_or_default();
                    at(&mut read[place].record, path).insert(name.clone(), Value::List(rows));
                }
            }
            for (name, inner) in &shape.ones {
                path.push(name.clone());
                self.add_lists(self.entity(name), inner, path, read).await?;
                path.pop();
            }
            Ok(())
        })
    }

    /// The keys as a common table expression `asked(bucket, key)`.
    fn asked(&self, keys: &[Key]) -> Sql {
        let mut keys = keys.to_vec();
        keys.sort();
        keys.dedup();
        let mut sql = Sql::default();
        let data = sql.reserve(serde_json::to_string(&keys).expect("text and integers serialise"));
        let columns = [("bucket", ColumnType::Int), ("key", ColumnType::Text)];
        let item = self.db.dialect().rows(&data, &columns, "r");
        sql.push(&format!("with asked as materialized (select r.bucket, r.key from {item}) "));
        sql
    }

    fn columns(&self, entity: &'a Entity, shape: &Shape) -> Columns<'a> {
        let mut columns = Columns { text: String::new(), joins: String::new(), fields: Vec::new(), aliases: 0 };
        self.push_columns(entity, shape, "x", &mut Vec::new(), &mut columns);
        columns
    }

    fn push_columns(
        &self,
        entity: &'a Entity,
        shape: &Shape,
        alias: &str,
        path: &mut Vec<String>,
        columns: &mut Columns<'a>,
    ) {
        let fields =
            entity.fields.iter().filter(|field| shape.fields.contains(&field.name) || field.name == entity.key);
        for field in fields {
            columns.text.push_str(&format!(", {alias}.{}", quoted(&field.name)));
            columns.fields.push((path.clone(), field, field.name == entity.key));
        }
        for (name, inner) in &shape.ones {
            let (link, parent) =
                self.catalogue.one(&entity.name, name).expect("the template was checked against the catalogue");
            columns.aliases += 1;
            let joined = format!("o{}", columns.aliases);
            let on = format!("{joined}.{} = {alias}.{}", quoted(&parent.key), quoted(&link.field));
            let bucket = if self.catalogue.is_owned(&entity.name) {
                self.same_bucket(parent, &joined, &format!("{alias}._bucket"))
            } else {
                String::new()
            };
            columns.joins.push_str(&format!(" left join {} {joined} on {on}{bucket}", parent.table()));
            path.push(name.clone());
            self.push_columns(parent, inner, &joined, path, columns);
            path.pop();
        }
    }

    fn entity(&self, name: &str) -> &'a Entity {
        self.catalogue.entity(name).expect("the template was checked against the catalogue")
    }

    /// The condition that `alias` lies in a bucket, where it lies in one at all.
    fn same_bucket(&self, entity: &Entity, alias: &str, bucket: &str) -> String {
        if self.catalogue.is_owned(&entity.name) { format!(" and {alias}._bucket = {bucket}") } else { String::new() }
    }

    fn same_bucket_as_parent(&self, parent: &str, child: &Entity) -> String {
        if self.catalogue.is_owned(parent) { self.same_bucket(child, "x", "r.bucket") } else { String::new() }
    }

    fn bucket(&self, entity: &Entity, asked: &str) -> String {
        if self.catalogue.is_owned(&entity.name) { format!("{asked}.bucket") } else { "0".to_owned() }
    }

    fn bucket_of(&self, entity: &Entity, alias: &str) -> String {
        if self.catalogue.is_owned(&entity.name) { format!("{alias}._bucket") } else { "0".to_owned() }
    }
}

fn one(row: &Row, columns: &Columns<'_>) -> Read {
    let mut record = Record::new();
    let fields = || columns.fields.iter().enumerate().map(|(place, field)| (place + 3, field));
    let absent: Vec<&Vec<String>> = fields()
        .filter(|(column, (_, _, is_key))| *is_key && row.cell(*column) == &Cell::Null)
        .map(|(_, (path, ..))| path)
        .collect();
    for (column, (path, field, _)) in fields() {
        if absent.iter().any(|absent| path.starts_with(absent)) {
            continue;
        }
        let value = match field.ty.storage() {
            Storage::Text => Value::from_text(row.opt_text(column)),
            Storage::Integer => Value::from_integer(field.ty, row.opt_int(column)),
        };
        at(&mut record, path).insert(field.name.clone(), value);
    }
    let text = |column: usize| row.opt_text(column).unwrap_or_default().to_owned();
    Read { asked_for: text(0), key: (row.opt_int(1).unwrap_or(0), text(2)), record }
}

/// The record at the end of a path of relations, made where it is not there yet.
fn at<'r>(record: &'r mut Record, path: &[String]) -> &'r mut Record {
    path.iter().fold(record, |record, name| {
        let inner = record.entry(name.clone()).or_insert_with(|| Value::Record(Record::new()));
        if !matches!(inner, Value::Record(_)) {
            *inner = Value::Record(Record::new());
        }
        match inner {
            Value::Record(inner) => inner,
            _ => unreachable!("it was just made a record"),
        }
    })
}

/// The key of the row at the end of a path; `None` where there is no such row.
fn key_at(read: &Read, path: &[String], entity: &Entity) -> Option<String> {
    if path.is_empty() {
        return Some(read.key.1.clone());
    }
    let mut record = &read.record;
    for name in path {
        match record.get(name)? {
            Value::Record(inner) => record = inner,
            _ => return None,
        }
    }
    match record.get(&entity.key)? {
        Value::Text(key) => Some(key.clone()),
        Value::Integer(key) => Some(key.to_string()),
        _ => None,
    }
}

/// A key or link as text.
fn text_of(alias: &str, field: &Field) -> String {
    let column = format!("{alias}.{}", quoted(&field.name));
    if field.ty.storage() == Storage::Text { column } else { format!("cast({column} as text)") }
}
