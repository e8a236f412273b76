//! The statements of what comes back: events by their names, receipts and replies on touchpoints.
//!
//! 1. An event is written once; whoever writes it second learns so and changes nothing.
//! 2. A touchpoint that a daemon has in hand is never touched from here: its outcome counts on its version. What comes
//!    too early waits in `provider_events`.
//! 3. A state only moves as `touchpoints::state` says.

use super::db::{Db, Result, Row, Tx};
use super::offers::grants;
use crate::ids::bucket_of;
use crate::offers::grant::Shown;
use crate::rules::Channel;
use crate::sql::{ColumnType, Sql};
use crate::time::Timestamp;
use crate::touchpoints::State;
use std::collections::HashSet;

/// Something a provider told.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Notice {
    pub provider: String,
    /// The provider's name for it, unique among all it tells.
    pub event: String,
    /// The touchpoint's event that it becomes: `delivered`, `bounced`, `sent`, `replied`.
    pub kind: String,
    pub touchpoint: Option<String>,
    /// The provider's name for the message.
    pub provider_id: Option<String>,
    /// What the touchpoint's event says.
    pub detail: Option<String>,
    pub at: Timestamp,
}

/// A touchpoint, as far as feedback is about it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Subject {
    pub bucket: i64,
    pub id: String,
    pub state: State,
    pub channel: Option<Channel>,
    pub address: Option<String>,
    pub customer: String,
    pub provider: Option<String>,
    pub provider_id: Option<String>,
    pub offer: Option<String>,
    pub locale: Option<String>,
}

const SUBJECT: &str = "bucket, id, state, channel, address, customer, provider, provider_id, offer, locale";

fn subject(row: &Row) -> Subject {
    let text = |index| row.opt_text(index).map(str::to_owned);
    Subject {
        bucket: row.int(0),
        id: row.text(1).to_owned(),
        state: row.text(2).parse().expect("the table holds states of ours"),
        channel: row.opt_text(3).and_then(|channel| channel.parse().ok()),
        address: text(4),
        customer: row.text(5).to_owned(),
        provider: text(6),
        provider_id: text(7),
        offer: text(8),
        locale: text(9),
    }
}

/// The touchpoint with this id.
pub async fn by_id(tx: &mut Tx, id: &str) -> Result<Option<Subject>> {
    let Some(sql) = of_id(id) else { return Ok(None) };
    Ok(tx.fetch_one(sql).await?.as_ref().map(subject))
}

/// As [`by_id`], outside of a transaction.
pub async fn look_up(db: &Db, id: &str) -> Result<Option<Subject>> {
    let Some(sql) = of_id(id) else { return Ok(None) };
    Ok(db.fetch_one(sql).await?.as_ref().map(subject))
}

fn of_id(id: &str) -> Option<Sql> {
    let bucket = i64::from_str_radix(id.get(..2)?, 16).ok()?;
    let sql = format!("select {SUBJECT} from touchpoints where bucket = $1 and id = $2");
    Some(Sql::new(sql).with(bucket).with(id))
}

/// The touchpoint that the provider knows by this name.
pub async fn by_provider_id(tx: &mut Tx, provider: &str, provider_id: &str) -> Result<Option<Subject>> {
    let sql = format!("select {SUBJECT} from touchpoints where provider_id = $1 and provider = $2 limit 1");
    Ok(tx.fetch_one(Sql::new(sql).with(provider_id).with(provider)).await?.as_ref().map(subject))
}

/// The latest text message that went to a number.
pub async fn latest_text(tx: &mut Tx, number: &str) -> Result<Option<Subject>> {
    let sql = format!(
        "select {SUBJECT} from touchpoints where address = $1 and channel = 'sms' and sent_at is not null \
         and test = 0 order by sent_at desc limit 1"
    );
    Ok(tx.fetch_one(Sql::new(sql).with(number)).await?.as_ref().map(subject))
}

/// The words that a touchpoint was sent with, as JSON by part.
pub async fn words(db: &Db, of: &Subject) -> Result<Option<String>> {
    let sql = Sql::new("select words from touchpoint_words where bucket = $1 and touchpoint = $2");
    Ok(db.fetch_one(sql.with(of.bucket).with(&of.id)).await?.map(|row| row.text(0).to_owned()))
}

/// Writes an event down; false where it is known already.
pub async fn note(tx: &mut Tx, notice: &Notice) -> Result<bool> {
    let sql = "insert into provider_events \
               (bucket, provider, event_id, kind, touchpoint, provider_id, detail, at, pending) \
               values ($1, $2, $3, $4, $5, $6, $7, $8, 0) on conflict do nothing";
    let sql = Sql::new(sql).with(bucket_of(&notice.event)).with(&notice.provider).with(&notice.event);
    let sql = sql.with(&notice.kind).with(notice.touchpoint.clone()).with(notice.provider_id.clone());
    Ok(tx.execute(sql.with(notice.detail.clone()).with(notice.at)).await? == 1)
}

/// Lets an event wait, or wait no more; false where it stood so already.
pub async fn set_pending(tx: &mut Tx, notice: &Notice, pending: bool) -> Result<bool> {
    let sql = "update provider_events set pending = $1 where bucket = $2 and provider = $3 and event_id = $4 \
               and pending <> $1";
    let sql = Sql::new(sql).with(i64::from(pending)).with(bucket_of(&notice.event)).with(&notice.provider);
    Ok(tx.execute(sql.with(&notice.event)).await? == 1)
}

/// Events that wait, the oldest first.
pub async fn pending(db: &Db, limit: i64) -> Result<Vec<Notice>> {
    let sql = "select provider, event_id, kind, touchpoint, provider_id, detail, at from provider_events \
               where pending = 1 order by at limit $1";
    let text = |row: &Row, index| row.opt_text(index).map(str::to_owned);
    let notice = |row: &Row| Notice {
        provider: row.text(0).to_owned(),
        event: row.text(1).to_owned(),
        kind: row.text(2).to_owned(),
        touchpoint: text(row, 3),
        provider_id: text(row, 4),
        detail: text(row, 5),
        at: Timestamp::from_micros(row.int(6)),
    };
    Ok(db.fetch(Sql::new(sql).with(limit)).await?.iter().map(notice).collect())
}

/// Forgets events that were told before `before` and wait for nothing: no provider repeats itself for so long.
pub async fn forget(db: &Db, before: Timestamp) -> Result<()> {
    let old = "select 1 from provider_events where pending = 0 and at < $1 limit 1";
    if db.fetch_one(Sql::new(old).with(before)).await?.is_some() {
        db.execute(Sql::new("delete from provider_events where pending = 0 and at < $1").with(before)).await?;
    }
    Ok(())
}

/// Moves a touchpoint that was sent to where it arrived, or did not; false where it is in another state.
pub async fn arrive(tx: &mut Tx, of: &Subject, to: State, detail: Option<&str>, now: Timestamp) -> Result<bool> {
    assert!(State::Sent.may_become(to), "what was sent never becomes `{to}`");
    let sql = "update touchpoints set state = $1, version = version + 1, updated_at = $2 \
               where bucket = $3 and id = $4 and state = 'sent' returning version";
    let sql = Sql::new(sql).with(to.as_str()).with(now).with(of.bucket).with(&of.id);
    let Some(row) = tx.fetch_one(sql).await? else { return Ok(false) };
    event(tx, of, row.int(0), to.as_str(), detail, now).await?;
    Ok(true)
}

/// Ends a doubt by evidence: the provider has the message. False where it is not in doubt.
pub async fn was_sent(tx: &mut Tx, of: &Subject, provider_id: &str, detail: &str, now: Timestamp) -> Result<bool> {
    let sql = "update touchpoints set state = 'sent', sent_at = coalesce(sent_at, doubt_at, $1), \
               provider_id = coalesce(provider_id, $2), reason = null, owner = null, epoch = null, \
               version = version + 1, updated_at = $1 \
               where bucket = $3 and id = $4 and state = 'in_doubt' returning version";
    let sql = Sql::new(sql).with(now).with(provider_id).with(of.bucket).with(&of.id);
    let Some(row) = tx.fetch_one(sql).await? else { return Ok(false) };
    event(tx, of, row.int(0), State::Sent.as_str(), Some(detail), now).await?;
    if of.offer.is_some() {
        grants::settle(tx, &[(of.bucket, of.id.as_str(), Shown::Yes)], now).await?;
    }
    Ok(true)
}

/// Writes an event of a touchpoint that no daemon has in hand; false where one has.
pub async fn add_event(tx: &mut Tx, of: &Subject, kind: &str, detail: Option<&str>, now: Timestamp) -> Result<bool> {
    let sql = "update touchpoints set version = version + 1, updated_at = $1 where bucket = $2 and id = $3 \
               and state in ('sent', 'delivered', 'bounced', 'failed') returning version";
    let Some(row) = tx.fetch_one(Sql::new(sql).with(now).with(of.bucket).with(&of.id)).await? else {
        return Ok(false);
    };
    event(tx, of, row.int(0), kind, detail, now).await?;
    Ok(true)
}

async fn event(tx: &mut Tx, of: &Subject, n: i64, kind: &str, detail: Option<&str>, now: Timestamp) -> Result<()> {
    let sql = "insert into touchpoint_events (bucket, touchpoint, n, at, kind, detail) values ($1, $2, $3, $4, $5, $6)";
    let sql = Sql::new(sql).with(of.bucket).with(&of.id).with(n).with(now).with(kind).with(detail);
    tx.execute(sql).await.map(|_| ())
}

/// What a customer wrote back.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Reply {
    pub bucket: i64,
    pub provider: String,
    pub event: String,
    pub customer: Option<String>,
    pub touchpoint: Option<String>,
    pub channel: Channel,
    pub address_hash: String,
    /// The number, masked.
    pub shown: String,
    /// Word for word.
    pub words: String,
    pub meaning: &'static str,
    pub keyword: Option<&'static str>,
    pub review: bool,
    pub at: Timestamp,
}

/// What is kept of a reply, as its touchpoint's event tells it; `None` where its words were forgotten meanwhile.
pub async fn reply(tx: &mut Tx, bucket: i64, provider: &str, event: &str) -> Result<Option<(String, String, bool)>> {
    let sql = "select words, meaning, review from replies where bucket = $1 and provider = $2 and event_id = $3";
    let row = tx.fetch_one(Sql::new(sql).with(bucket).with(provider).with(event)).await?;
    Ok(row.map(|row| (row.text(0).to_owned(), row.text(1).to_owned(), row.int(2) == 1)))
}

/// Keeps a reply.
pub async fn add_reply(tx: &mut Tx, reply: &Reply) -> Result<()> {
    let sql = "insert into replies (bucket, provider, event_id, customer, touchpoint, channel, address_hash, shown, \
               words, meaning, keyword, review, at) values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13) \
               on conflict do nothing";
    let sql = Sql::new(sql).with(reply.bucket).with(&reply.provider).with(&reply.event);
    let sql = sql.with(reply.customer.clone()).with(reply.touchpoint.clone()).with(reply.channel.as_str());
    let sql = sql.with(&reply.address_hash).with(&reply.shown).with(&reply.words).with(reply.meaning);
    let sql = sql.with(reply.keyword).with(i64::from(reply.review)).with(reply.at);
    tx.execute(sql).await.map(|_| ())
}

/// Those of `asked` (a message's id and number) whose number an earlier promotional text message has reached: it said
/// how to stop them.
pub async fn told_before(db: &Db, asked: &[(&str, &str)]) -> Result<HashSet<String>> {
    if asked.is_empty() {
        return Ok(HashSet::new());
    }
    let columns = [("id", ColumnType::Text), ("number", ColumnType::Text)];
    let sql = format!(
        "select r.id from {} where exists (select 1 from touchpoints t where t.address = r.number \
         and t.channel = 'sms' and t.sent_at is not null and t.purpose = 'promotional' and t.test = 0)",
        db.dialect().rows("$1", &columns, "r")
    );
    let rows = db.fetch(Sql::new(sql).with(serde_json::to_string(asked).expect("text is JSON"))).await?;
    Ok(rows.iter().map(|row| row.text(0).to_owned()).collect())
}
