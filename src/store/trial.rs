//! What rules are tried on in a scratch database, beside customer data: messages that were sent before.

use super::caps::counts;
use super::db::{Db, Result, Tx};
use crate::catalogue::{Catalogue, Place};
use crate::ids;
use crate::rules::{Channel, Rule};
use crate::sql::{Bind, Sql};
use crate::time::Timestamp;

/// A message that was sent before.
#[derive(Clone, Debug)]
pub struct Sent<'a> {
    pub rule: &'a Rule,
    pub customer: &'a str,
    /// The key of the row that it was about.
    pub entity: &'a str,
    pub occurrence: &'a str,
    pub channel: Channel,
    pub state: &'a str,
    pub at: Timestamp,
}

/// Writes a message that was sent before, as the log would have it.
///
/// # Errors
/// When the database refuses.
pub async fn add_sent(db: &Db, sent: &Sent<'_>) -> Result<()> {
    let Sent { rule, customer, entity, occurrence, channel, state, at } = *sent;
    let values: Vec<(&str, Bind)> = vec![
        ("bucket", ids::bucket_of(customer).into()),
        ("id", ids::touchpoint(&rule.name, customer, occurrence, 0).into()),
        ("rule", rule.name.as_str().into()),
        ("rule_version", rule.version.as_str().into()),
        ("kind", rule.kind.as_str().into()),
        ("topic", rule.topic.as_str().into()),
        ("purpose", rule.purpose.as_str().into()),
        ("customer", customer.into()),
        ("entity_kind", rule.for_each.as_str().into()),
        ("entity_id", entity.into()),
        ("occurrence", occurrence.into()),
        ("step", 0.into()),
        ("run_id", "before".into()),
        ("as_of", at.into()),
        ("channel", channel.as_str().into()),
        ("state", state.into()),
        ("due_at", at.into()),
        ("expires_at", at.plus(rule.expires_after).into()),
        ("priority", i64::from(rule.priority).into()),
        ("on_doubt", "ask".into()),
        ("attempts", 1.into()),
        ("possible_duplicate", 0.into()),
        ("test", 0.into()),
        ("version", 1.into()),
        ("created_at", at.into()),
        ("updated_at", at.into()),
        ("sent_at", at.into()),
        ("counts", counts(rule.counts_toward_cap, false).into()),
    ];
    let names: Vec<&str> = values.iter().map(|(name, _)| *name).collect();
    let mut sql = Sql::new(format!("insert into touchpoints ({}) values (", names.join(", ")));
    for (place, (_, value)) in values.into_iter().enumerate() {
        sql.push(if place > 0 { ", " } else { "" }).bind(value);
    }
    // Sent twice about the same: the log keeps the first.
    sql.push(") on conflict do nothing");
    db.execute(sql).await.map(drop)
}

/// Takes out everything that the next trial must not see.
///
/// # Errors
/// When the database refuses.
pub async fn empty(tx: &mut Tx, catalogue: &Catalogue) -> Result<()> {
    let entities = catalogue.entities.values().filter(|entity| entity.place == Place::Own);
    let tables = entities.map(crate::catalogue::Entity::table);
    let own = ["touchpoints", "consents"].map(str::to_owned);
    let statements: Vec<String> = tables.chain(own).map(|table| format!("delete from {table}")).collect();
    tx.script(&statements.join(";")).await
}
