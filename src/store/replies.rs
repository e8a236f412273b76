//! Replies as support reads them: what customers wrote back, newest first, and which of them wait for a person.

use super::db::{Db, Result, Row, Tx};
use crate::ids::bucket_of;
use crate::sql::Sql;
use crate::time::Timestamp;
use serde_json::{Value, json};

/// What a customer wrote back.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Reply {
    /// The provider's name for it.
    pub id: String,
    pub customer: Option<String>,
    /// The text message that it answers.
    pub touchpoint: Option<String>,
    pub channel: String,
    /// The number, masked.
    pub from: String,
    /// Word for word; empty where they were forgotten.
    pub words: String,
    /// stop, start, help or other.
    pub meaning: String,
    /// Whether it waits for a person: it was read as a stop, and said so in its own way.
    pub review: bool,
    pub at: Timestamp,
}

const COLUMNS: &str = "event_id, customer, touchpoint, channel, shown, words, meaning, review, at";

fn reply(row: &Row) -> Reply {
    let text = |index| row.opt_text(index).map(str::to_owned);
    Reply {
        id: row.text(0).to_owned(),
        customer: text(1),
        touchpoint: text(2),
        channel: row.text(3).to_owned(),
        from: row.text(4).to_owned(),
        words: row.text(5).to_owned(),
        meaning: row.text(6).to_owned(),
        review: row.int(7) == 1,
        at: Timestamp::from_micros(row.int(8)),
    }
}

impl Reply {
    pub fn to_json(&self) -> Value {
        json!({
            "id": self.id,
            "customer": self.customer,
            "touchpoint": self.touchpoint,
            "channel": self.channel,
            "from": self.from,
            "words": self.words,
            "meaning": self.meaning,
            "review": self.review,
            "at": self.at.to_string(),
        })
    }
}

/// Which replies are wanted.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Wanted {
    pub customer: Option<String>,
    pub since: Option<Timestamp>,
    pub until: Option<Timestamp>,
    pub limit: Option<i64>,
}

/// Those that are wanted, newest first.
pub async fn list(db: &Db, wanted: &Wanted) -> Result<Vec<Reply>> {
    let mut sql = Sql::new(format!("select {COLUMNS} from replies where 1 = 1"));
    if let Some(customer) = &wanted.customer {
        sql.push(" and bucket = ").bind(bucket_of(customer)).push(" and customer = ").bind(customer);
    }
    if let Some(since) = wanted.since {
        sql.push(" and at >= ").bind(since);
    }
    if let Some(until) = wanted.until {
        sql.push(" and at < ").bind(until);
    }
    sql.push(" order by at desc, event_id");
    if let Some(limit) = wanted.limit {
        sql.push(" limit ").bind(limit);
    }
    Ok(db.fetch(sql).await?.iter().map(reply).collect())
}

/// How many wait for a person.
pub async fn waiting(db: &Db) -> Result<i64> {
    let row = db.fetch_one(Sql::new("select count(*) from replies where review = 1")).await?;
    Ok(row.map_or(0, |row| row.int(0)))
}

/// The replies whose id is or begins with `text`.
pub async fn named(db: &Db, text: &str) -> Result<Vec<Reply>> {
    let sql = format!(
        "select {COLUMNS} from replies where substr(event_id, 1, cast($1 as integer)) = $2 order by at desc limit 10"
    );
    let length = i64::try_from(text.chars().count()).unwrap_or(i64::MAX);
    Ok(db.fetch(Sql::new(sql).with(length).with(text)).await?.iter().map(reply).collect())
}

/// Takes down that somebody has looked at a reply.
pub async fn settle(tx: &mut Tx, id: &str) -> Result<()> {
    let sql = "update replies set review = 0 where event_id = $1";
    tx.execute(Sql::new(sql).with(id)).await.map(drop)
}
