//! What tests leave in the log: one touchpoint, its words and one event, marked so that nothing counts them.

use super::db::{Db, Result};
use crate::ids::bucket_of;
use crate::rules::{Channel, OnDoubt, Purpose, Rule};
use crate::sql::Sql;
use crate::time::Timestamp;
use crate::touchpoints::{Reason, State};

/// A test that went out, or may have.
#[derive(Debug)]
pub struct TestSent<'a> {
    pub id: &'a str,
    pub customer: &'a str,
    /// The key of the `for_each` row.
    pub entity: &'a str,
    pub rule: &'a Rule,
    pub purpose: Purpose,
    pub channel: Channel,
    pub address: &'a str,
    pub provider: &'a str,
    pub provider_id: Option<&'a str>,
    /// Money, scaled.
    pub cost: Option<i64>,
    pub locale: &'a str,
    pub subject: Option<&'a str>,
    /// JSON by part.
    pub words: String,
    pub state: State,
    pub reason: Option<Reason>,
    /// What its event says.
    pub answer: &'a str,
    pub now: Timestamp,
}

/// A test is an occurrence of its own: no rule's `once_per` gives such a one.
pub fn occurrence(now: Timestamp) -> String {
    format!("test {now}")
}

/// Writes a test down.
pub async fn write(db: &Db, test: &TestSent<'_>) -> Result<()> {
    let bucket = bucket_of(test.customer);
    let mut tx = db.begin().await?;
    tx.execute(touchpoint(bucket, test)).await?;
    let words = Sql::new("insert into touchpoint_words (bucket, touchpoint, words) values ($1, $2, $3)");
    tx.execute(words.with(bucket).with(test.id).with(test.words.as_str())).await?;
    let event = Sql::new(
        "insert into touchpoint_events (bucket, touchpoint, n, at, kind, detail) values ($1, $2, 1, $3, $4, $5)",
    );
    let detail = test.answer.replace('\0', "\u{fffd}");
    tx.execute(event.with(bucket).with(test.id).with(test.now).with(test.state.as_str()).with(detail)).await?;
    tx.commit().await
}

fn touchpoint(bucket: i64, test: &TestSent<'_>) -> Sql {
    let rule = test.rule;
    let mut sql = Sql::default();
    sql.push(
        "insert into touchpoints (bucket, id, rule, rule_version, kind, topic, purpose, customer, entity_kind, \
         entity_id, occurrence, step, run_id, as_of, channel, address, state, reason, due_at, priority, on_doubt, \
         attempts, provider, provider_id, cost, locale, subject, possible_duplicate, test, counts, version, created_at, \
         updated_at, sent_at) values (",
    );
    sql.bind(bucket).push(", ").bind(test.id).push(", ").bind(&rule.name).push(", ").bind(&rule.version);
    sql.push(", ").bind(rule.kind.as_str()).push(", ").bind(&rule.topic).push(", ").bind(test.purpose.as_str());
    sql.push(", ").bind(test.customer).push(", ").bind(&rule.for_each).push(", ").bind(test.entity);
    sql.push(", ").bind(occurrence(test.now)).push(", 0, '', ");
    let now = sql.reserve(test.now);
    sql.push(&format!("{now}, ")).bind(test.channel.as_str()).push(", ").bind(test.address);
    sql.push(", ").bind(test.state.as_str()).push(", ").bind(test.reason.map(Reason::as_str));
    sql.push(&format!(", {now}, ")).bind(i64::from(rule.priority)).push(", ").bind(OnDoubt::Drop.as_str());
    sql.push(", 1, ").bind(test.provider).push(", ").bind(test.provider_id).push(", ").bind(test.cost);
    sql.push(", ").bind(test.locale).push(", ").bind(test.subject);
    sql.push(&format!(", 0, 1, 0, 1, {now}, {now}, "));
    sql.bind((test.state == State::Sent).then_some(test.now)).push(")");
    sql
}
