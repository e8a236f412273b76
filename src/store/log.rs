//! Reading touchpoints: the log with its filters, one touchpoint with all that is known of it.
//!
//! 1. The log is streamed, newest first; nothing here holds more than one row of it.
//! 2. An id's first byte is its bucket, so an id or its beginning is found by the primary key.

use super::db::{Db, Result, Row, StoreError};
use crate::ids::bucket_of;
use crate::rules::{Channel, Purpose};
use crate::sql::{ColumnType, Sql};
use crate::time::Timestamp;
use crate::touchpoints::{Contact, Detail, Event, Reason, State, Touchpoint};
use futures_util::stream::{BoxStream, StreamExt};
use std::collections::{HashMap, HashSet};
use std::fmt::Display;
use std::str::FromStr;

/// The columns of a [`Touchpoint`], in the order in which [`touchpoint`] reads them.
pub const COLUMNS: &str = "bucket, id, rule, rule_version, kind, topic, purpose, customer, entity_kind, entity_id, \
    occurrence, step, run_id, as_of, channel, address, state, reason, due_at, expires_at, priority, on_doubt, owner, \
    epoch, doubt_at, attempts, provider, provider_id, cost, offer, code, variant, locale, subject, \
    possible_duplicate, test, version, created_at, updated_at, sent_at";

/// True of every open touchpoint but the planned ones. SQLite uses the index of these only where a statement repeats
/// its condition word by word, so a statement about one of these states says this too.
pub const OPEN: &str = "state in ('claimed', 'dispatching', 'in_doubt', 'held')";

/// True of every planned touchpoint: a condition that the index of what is due can be searched by, whatever lane it
/// waits in.
pub fn waiting() -> String {
    let words = |words: &mut dyn Iterator<Item = &'static str>| {
        words.map(|word| format!("'{word}'")).collect::<Vec<_>>().join(", ")
    };
    let channels = words(&mut Channel::ALL.iter().map(|channel| channel.as_str()));
    let purposes = words(&mut Purpose::ALL.iter().map(|purpose| purpose.as_str()));
    format!("state = 'planned' and channel in ({channels}) and purpose in ({purposes})")
}

/// The shortest beginning of an id that names a touchpoint, in characters.
pub const SHORTEST_ID: usize = 8;

/// Which touchpoints; every filter that is set must hold.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Filter {
    pub customer: Option<String>,
    pub rule: Option<String>,
    pub channel: Option<Channel>,
    pub state: Option<State>,
    pub reason: Option<Reason>,
    /// Written at or after.
    pub since: Option<Timestamp>,
    /// Written before.
    pub until: Option<Timestamp>,
    pub limit: Option<i64>,
}

impl Filter {
    fn sql(&self) -> Sql {
        let mut sql = Sql::new(format!("select {COLUMNS} from touchpoints where 1 = 1"));
        if let Some(customer) = &self.customer {
            sql.push(" and bucket = ").bind(bucket_of(customer)).push(" and customer = ").bind(customer);
        }
        if let Some(rule) = &self.rule {
            sql.push(" and rule = ").bind(rule);
        }
        if let Some(channel) = self.channel {
            sql.push(" and channel = ").bind(channel.as_str());
        }
        if let Some(state) = self.state {
            // One of our own words, as a literal: a partial index is used only where the text proves its condition.
            sql.push(&format!(" and state = '{state}'"));
            if matches!(state, State::Claimed | State::Dispatching | State::InDoubt | State::Held) {
                sql.push(&format!(" and {OPEN}"));
            }
        }
        if let Some(reason) = self.reason {
            sql.push(" and reason = ").bind(reason.as_str());
        }
        if let Some(since) = self.since {
            sql.push(" and created_at >= ").bind(since);
        }
        if let Some(until) = self.until {
            sql.push(" and created_at < ").bind(until);
        }
        sql.push(" order by created_at desc, id desc");
        if let Some(limit) = self.limit {
            sql.push(" limit ").bind(limit);
        }
        sql
    }
}

/// The touchpoints that `filter` leaves, newest first.
pub fn log(db: &Db, filter: &Filter) -> BoxStream<'static, Result<Touchpoint>> {
    db.stream(filter.sql()).map(|row| row.and_then(|row| touchpoint(&row))).boxed()
}

/// What was decided about a customer under a rule by the instant `at`: as of it or before, or with an event by then.
/// Newest first, a few at most.
pub async fn decided_by(db: &Db, rule: &str, customer: &str, at: Timestamp) -> Result<Vec<Touchpoint>> {
    let sql = format!(
        "select {COLUMNS} from touchpoints where bucket = $1 and customer = $2 and rule = $3 and (as_of <= $4 or exists \
         (select 1 from touchpoint_events e where e.bucket = touchpoints.bucket and e.touchpoint = touchpoints.id \
         and e.at <= $4)) order by as_of desc, id limit 50"
    );
    let rows = db.fetch(Sql::new(sql).with(bucket_of(customer)).with(customer).with(rule).with(at)).await?;
    rows.iter().map(touchpoint).collect()
}

/// Which of these customers and rows, all of one bucket, a rule has touched before, under whatever occurrence.
pub async fn touched(
    db: &Db,
    rule: &str,
    bucket: i64,
    asked: &[(String, String)],
) -> Result<HashSet<(String, String)>> {
    let mut found = HashSet::new();
    for asked in asked.chunks(1_000) {
        let columns = [("customer", ColumnType::Text), ("entity", ColumnType::Text)];
        let sql = format!(
            "select distinct r.customer, r.entity from {} join touchpoints t on t.bucket = $2 and t.customer = r.customer \
             and t.rule = $3 and t.entity_id = r.entity and t.step = 0 and t.state <> 'skipped'",
            db.dialect().rows("$1", &columns, "r")
        );
        let asked = serde_json::to_string(asked).expect("text serialises");
        let rows = db.fetch(Sql::new(sql).with(asked).with(bucket).with(rule)).await?;
        found.extend(rows.iter().map(|row| (row.text(0).to_owned(), row.text(1).to_owned())));
    }
    Ok(found)
}

/// What an id, or its beginning, names.
#[derive(Clone, PartialEq, Debug)]
pub enum Named {
    Nothing,
    One(Box<Touchpoint>),
    /// More than one begins so; a few of them.
    Several(Vec<Touchpoint>),
}

/// The touchpoint whose id is `text` or begins with it: at least [`SHORTEST_ID`] characters, in any case.
pub async fn by_id(db: &Db, text: &str) -> Result<Named> {
    let Some((first, last)) = id_range(text) else { return Ok(Named::Nothing) };
    let bucket = i64::from_str_radix(&first[..2], 16).expect("a range of ids is hexadecimal");
    let sql = Sql::new(format!(
        "select {COLUMNS} from touchpoints where bucket = $1 and id between $2 and $3 order by id limit 5"
    ));
    let rows = db.fetch(sql.with(bucket).with(first).with(last)).await?;
    let mut found = rows.iter().map(touchpoint).collect::<Result<Vec<_>>>()?;
    Ok(match found.len() {
        0 => Named::Nothing,
        1 => Named::One(Box::new(found.remove(0))),
        _ => Named::Several(found),
    })
}

/// The first and the last id that begin with `text`. Both are whole ids, so that every collation orders what lies
/// between them alike.
pub(super) fn id_range(text: &str) -> Option<(String, String)> {
    const SHAPE: &str = "00000000-0000-0000-0000-000000000000";
    let text = text.to_ascii_lowercase();
    let fits = |(given, shape): (char, char)| if shape == '-' { given == '-' } else { given.is_ascii_hexdigit() };
    if text.len() < SHORTEST_ID || text.len() > SHAPE.len() || !text.chars().zip(SHAPE.chars()).all(fits) {
        return None;
    }
    let rest = &SHAPE[text.len()..];
    Some((format!("{text}{rest}"), format!("{text}{}", rest.replace('0', "f"))))
}

/// All that is known of `touchpoint`: its facts, gates, words and events.
pub async fn detail(db: &Db, touchpoint: Touchpoint) -> Result<Detail> {
    let key = |text: &str| Sql::new(text).with(touchpoint.bucket).with(&touchpoint.id);
    let long = db.fetch_one(key("select facts, gates from touchpoints where bucket = $1 and id = $2")).await?;
    let words = "select words from touchpoint_words where bucket = $1 and touchpoint = $2";
    let words = db.fetch_one(key(words)).await?;
    let events = "select n, at, kind, detail from touchpoint_events where bucket = $1 and touchpoint = $2 order by n";
    let events = db.fetch(key(events)).await?;
    let text = |row: &Option<Row>, index| row.as_ref().and_then(|row| row.opt_text(index)).map(str::to_owned);
    Ok(Detail {
        facts: text(&long, 0),
        gates: text(&long, 1),
        words: text(&words, 0),
        events: events.iter().map(event).collect(),
        touchpoint,
    })
}

/// What was said with the newest refusal of each of these touchpoints (bucket, id), by id.
pub async fn refusals(db: &Db, touchpoints: &[(i64, &str)]) -> Result<HashMap<String, String>> {
    let columns = [("bucket", ColumnType::Int), ("touchpoint", ColumnType::Text)];
    let sql = format!(
        "select e.touchpoint, e.detail from {} join touchpoint_events e on e.bucket = r.bucket \
         and e.touchpoint = r.touchpoint where e.kind = $2 and e.detail is not null order by e.n",
        db.dialect().rows("$1", &columns, "r")
    );
    let keys = serde_json::to_string(touchpoints).expect("keys serialise");
    let rows = db.fetch(Sql::new(sql).with(keys).with(State::Skipped.as_str())).await?;
    Ok(rows.iter().map(|row| (row.text(0).to_owned(), row.text(1).to_owned())).collect())
}

fn event(row: &Row) -> Event {
    Event {
        n: row.int(0),
        at: Timestamp::from_micros(row.int(1)),
        kind: row.text(2).to_owned(),
        detail: row.opt_text(3).map(str::to_owned),
    }
}

/// Reads a row of [`COLUMNS`].
///
/// # Errors
/// When a word in it is not one that this program knows: a newer one wrote it.
pub fn touchpoint(row: &Row) -> Result<Touchpoint> {
    let mut next = Columns { row, index: 0 };
    Ok(Touchpoint {
        bucket: next.int(),
        id: next.text(),
        rule: next.text(),
        rule_version: next.text(),
        kind: next.word()?,
        topic: next.text(),
        purpose: next.word()?,
        customer: next.text(),
        entity_kind: next.text(),
        entity_id: next.text(),
        occurrence: next.text(),
        step: next.int(),
        run_id: next.text(),
        as_of: Timestamp::from_micros(next.int()),
        channel: next.opt_word()?,
        address: next.opt_text().map(Contact::new),
        state: next.word()?,
        reason: next.opt_word()?,
        due_at: next.opt_time(),
        expires_at: next.opt_time(),
        priority: next.int(),
        on_doubt: next.word()?,
        owner: next.opt_text(),
        epoch: next.opt_int(),
        doubt_at: next.opt_time(),
        attempts: next.int(),
        provider: next.opt_text(),
        provider_id: next.opt_text(),
        cost: next.opt_int(),
        offer: next.opt_text(),
        code: next.opt_text(),
        variant: next.opt_text(),
        locale: next.opt_text(),
        subject: next.opt_text(),
        possible_duplicate: next.int() != 0,
        test: next.int() != 0,
        version: next.int(),
        created_at: Timestamp::from_micros(next.int()),
        updated_at: Timestamp::from_micros(next.int()),
        sent_at: next.opt_time(),
    })
}

/// A row read from its first column to its last.
struct Columns<'a> {
    row: &'a Row,
    index: usize,
}

impl Columns<'_> {
    fn step(&mut self) -> usize {
        self.index += 1;
        self.index - 1
    }

    fn int(&mut self) -> i64 {
        let index = self.step();
        self.row.int(index)
    }

    fn opt_int(&mut self) -> Option<i64> {
        let index = self.step();
        self.row.opt_int(index)
    }

    fn opt_time(&mut self) -> Option<Timestamp> {
        self.opt_int().map(Timestamp::from_micros)
    }

    fn text(&mut self) -> String {
        let index = self.step();
        self.row.text(index).to_owned()
    }

    fn opt_text(&mut self) -> Option<String> {
        let index = self.step();
        self.row.opt_text(index).map(str::to_owned)
    }

    fn word<T: FromStr<Err: Display>>(&mut self) -> Result<T> {
        self.text().parse().map_err(unknown_word)
    }

    fn opt_word<T: FromStr<Err: Display>>(&mut self) -> Result<Option<T>> {
        self.opt_text().map(|text| text.parse().map_err(unknown_word)).transpose()
    }
}

fn unknown_word(error: impl Display) -> StoreError {
    StoreError::Column(error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_beginning_of_an_id_spans_whole_ids() {
        let (first, last) = id_range("0A1b2c3d-4").expect("a beginning");
        assert_eq!(first, "0a1b2c3d-4000-0000-0000-000000000000");
        assert_eq!(last, "0a1b2c3d-4fff-ffff-ffff-ffffffffffff");
        let whole = "0a1b2c3d-4e5f-8a7b-8c9d-0e1f2a3b4c5d";
        assert_eq!(id_range(whole), Some((whole.to_owned(), whole.to_owned())));
    }

    #[test]
    fn what_cannot_begin_an_id_spans_nothing() {
        for text in ["", "0a1b2c3", "0a1b2c3g", "0a1b2c3d4", "é0a1b2c3", "0a1b2c3d-4e5f-8a7b-8c9d-0e1f2a3b4c5d0"] {
            assert_eq!(id_range(text), None, "{text}");
        }
    }

    #[tokio::test]
    async fn what_is_open_and_who_it_is_for_is_found_by_an_index() {
        let folder = tempfile::tempdir().expect("a folder");
        let db = Db::open("sqlite://trial.db", folder.path()).await.expect("a database");
        crate::store::migrate::migrate(&db).await.expect("the schema");
        let state = |state| Filter { state: Some(state), ..Filter::default() };
        for (filter, index) in [
            (state(State::InDoubt), "touchpoints_open"),
            (state(State::Held), "touchpoints_open"),
            (Filter { customer: Some("17".into()), ..Filter::default() }, "touchpoints_key"),
            (Filter { limit: Some(1), ..Filter::default() }, "touchpoints_created"),
        ] {
            let mut sql = filter.sql();
            sql.text.insert_str(0, "explain query plan ");
            let plan: Vec<String> =
                db.fetch(sql).await.expect("a plan").iter().map(|row| row.text(3).to_owned()).collect();
            assert!(plan[0].contains(index), "{filter:?}: {plan:?}");
        }
    }
}
