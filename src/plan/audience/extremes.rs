//! The rows that a message fits worst: those with the longest values and those with the fewest, found by one statement.

use super::Audience;
use crate::catalogue::{CUSTOMER, Catalogue, Entity, Storage, quoted};
use crate::messages::needs::{Needs, Shape};
use crate::rules::Channel;
use crate::sql::Sql;

/// What a row of a list counts for beside the length of a value.
const ROW: usize = 40;

impl Audience<'_> {
    /// Bucket, customer and key of the `limit` longest rows and of the `limit` emptiest, by the values that `needs`
    /// names; of those that the rule matches, or of all. Text beyond ASCII counts twice for SMS: it costs twice.
    pub fn extremes(&self, needs: &Needs, channel: Channel, matching: bool, limit: u32) -> Sql {
        let mut measure = Measure::of(self.catalogue);
        measure.shape(self.catalogue.customer(), &needs.customer, "c");
        if self.rule.for_each != CUSTOMER {
            let entity = self.catalogue.entity(&self.rule.for_each).expect("config knows the for_each entity");
            measure.shape(entity, &needs.row, self.row_alias());
        }
        let factor = match channel {
            Channel::Sms if !measure.wide.is_empty() => {
                format!(" * case when {} then 2 else 1 end", measure.wide.join(" or "))
            }
            _ => String::new(),
        };
        let longest = sum(&measure.lengths).map(|sum| format!("({sum}){factor} desc, "));
        let emptiest = sum(&measure.absent).map(|sum| format!("{sum} desc, "));
        let mut sql = Sql::default();
        for (place, order) in [longest, emptiest].into_iter().enumerate() {
            sql.push(if place == 0 { "select * from (" } else { ") longest union select * from (" });
            sql.push("select c._bucket, ").push(&self.customer_key()).push(", ").push(&self.entity_key());
            self.from(&mut sql);
            sql.push(&measure.joins).push(" where true");
            if matching {
                self.push_conditions(&mut sql);
            }
            let order = order.unwrap_or_default();
            sql.push(&format!(" order by {order}1, 2, 3 limit {limit}"));
        }
        sql.push(") emptiest order by 1, 2, 3");
        sql
    }
}

/// The sum of terms, of which there are none where a template prints nothing of the data.
fn sum(terms: &[String]) -> Option<String> {
    (!terms.is_empty()).then(|| terms.join(" + "))
}

/// Terms of a row's length and of what it lacks.
struct Measure<'a> {
    catalogue: &'a Catalogue,
    joins: String,
    lengths: Vec<String>,
    wide: Vec<String>,
    absent: Vec<String>,
    aliases: usize,
}

impl<'a> Measure<'a> {
    fn of(catalogue: &'a Catalogue) -> Self {
        let (lengths, wide, absent) = (Vec::new(), Vec::new(), Vec::new());
        Self { catalogue, joins: String::new(), lengths, wide, absent, aliases: 0 }
    }

    fn shape(&mut self, entity: &'a Entity, shape: &Shape, alias: &str) {
        for field in entity.fields.iter().filter(|field| shape.fields.contains(&field.name)) {
            let column = format!("{alias}.{}", quoted(&field.name));
            self.absent.push(match field.ty.storage() {
                Storage::Text => format!("case when coalesce({column}, '') = '' then 1 else 0 end"),
                Storage::Integer => format!("case when {column} is null then 1 else 0 end"),
            });
            let text = if field.ty.storage() == Storage::Text { column } else { format!("cast({column} as text)") };
            self.lengths.push(format!("coalesce(length({text}), 0)"));
            if field.ty.storage() == Storage::Text {
                self.wide.push(format!("octet_length({text}) > length({text})"));
            }
        }
        for list in shape.lists.keys() {
            let Some((link, child)) = self.catalogue.many(&entity.name, list) else { continue };
            let bucket = self.same_bucket(&entity.name, alias, &child.name, "l");
            let rows = format!(
                "(select count(*) from {} l where l.{} = {alias}.{}{bucket})",
                child.table(),
                quoted(&link.field),
                quoted(&entity.key)
            );
            self.lengths.push(format!("{ROW} * {rows}"));
            self.absent.push(format!("case when {rows} = 0 then 1 else 0 end"));
        }
        for (name, inner) in &shape.ones {
            let Some((link, parent)) = self.catalogue.one(&entity.name, name) else { continue };
            self.aliases += 1;
            let joined = format!("x{}", self.aliases);
            let bucket = self.same_bucket(&entity.name, alias, &parent.name, &joined);
            self.joins.push_str(&format!(
                " left join {} {joined} on {joined}.{} = {alias}.{}{bucket}",
                parent.table(),
                quoted(&parent.key),
                quoted(&link.field)
            ));
            self.shape(parent, inner, &joined);
        }
    }

    /// The condition that two rows lie in one bucket, where both lie in one at all.
    fn same_bucket(&self, entity: &str, alias: &str, other: &str, joined: &str) -> String {
        let both = self.catalogue.is_owned(entity) && self.catalogue.is_owned(other);
        if both { format!(" and {joined}._bucket = {alias}._bucket") } else { String::new() }
    }
}
