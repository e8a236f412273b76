//! What becomes of messages in a rehearsal: nothing is sent, and each is written down as if it had been.

use crate::rules::Channel;
use crate::sql::{ColumnType, Sql};
use crate::store::db::{Db, Result, Row, Tx};
use crate::time::Timestamp;
use crate::touchpoints::{Reason, State};
use serde_json::json;
use std::collections::BTreeSet;

const TEXT: ColumnType = ColumnType::Text;
const INT: ColumnType = ColumnType::Int;

/// What becomes of one claimed message.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Fate {
    pub bucket: i64,
    pub id: String,
    pub state: State,
    pub reason: Option<Reason>,
    /// When it is due again, where it waits on.
    pub due_at: Option<Timestamp>,
    /// Of what was sent; money, scaled.
    pub cost: Option<i64>,
}

/// Writes down what became of claimed messages: at the moment at which each was due, or at `since` if that is later.
///
/// # Errors
/// When the database refuses.
pub async fn settle(tx: &mut Tx, fates: &[Fate], since: Timestamp) -> Result<()> {
    let columns = [("bucket", INT), ("id", TEXT), ("state", TEXT), ("reason", TEXT), ("due_at", INT), ("cost", INT)];
    let row = |fate: &Fate| {
        let (reason, due_at) = (fate.reason.map(Reason::as_str), fate.due_at.map(Timestamp::micros));
        json!([fate.bucket, fate.id, fate.state.as_str(), reason, due_at, fate.cost])
    };
    let rows = serde_json::Value::from_iter(fates.iter().map(row));
    let item = tx.dialect().rows("$1", &columns, "r");
    let at = "max(touchpoints.due_at, $2)";
    let update = format!(
        "update touchpoints set state = r.state, reason = r.reason, version = version + 1, updated_at = {at}, \
         due_at = coalesce(r.due_at, touchpoints.due_at), cost = r.cost, owner = null, epoch = null, \
         sent_at = case when r.state = 'sent' then {at} else sent_at end from {item} \
         where touchpoints.bucket = r.bucket and touchpoints.id = r.id and touchpoints.state = 'claimed'"
    );
    tx.execute(Sql::new(update).with(rows.to_string()).with(since)).await.map(|_| ())
}

/// Which messages need no last look: of these rules (a JSON array of arrays of one name), planned in the rehearsal,
/// which `began` then, and waiting for no place.
#[derive(Clone, Debug)]
pub struct Ordinary {
    pub rules: String,
    pub began: Timestamp,
    /// By channel; money, scaled.
    pub prices: Vec<(Channel, i64)>,
}

/// Sends every ordinary message that is due by `until`, each when it was due. Gives how many.
///
/// # Errors
/// When the database refuses.
pub async fn send(db: &Db, ordinary: &Ordinary, until: Timestamp) -> Result<u64> {
    let mut sql = Sql::default();
    sql.push("update touchpoints set state = 'sent', reason = null, version = version + 1, sent_at = due_at, ");
    sql.push("updated_at = due_at, cost = case channel");
    for (channel, price) in &ordinary.prices {
        sql.push(&format!(" when '{channel}' then ")).bind(*price);
    }
    let began = sql.reserve(ordinary.began);
    sql.push(" else 0 end where state = 'planned' and due_at <= ").bind(until);
    sql.push(&format!(
        " and due_at >= {began} and updated_at >= {began} and counts in (0, 1) and due_at <= expires_at"
    ));
    let place = sql.reserve(ordinary.rules.as_str());
    sql.push(&format!(" and rule in (select name from {})", db.dialect().rows(&place, &[("name", TEXT)], "r")));
    let sent = db.execute(sql).await?;
    if sent > 0 {
        let spend = "update offer_grants set state = 'spent', settled_at = $1 where state = 'reserved' and exists \
                     (select 1 from touchpoints t where t.bucket = offer_grants.bucket \
                     and t.id = offer_grants.touchpoint and t.state = 'sent')";
        db.execute(Sql::new(spend).with(until)).await?;
    }
    Ok(sent)
}

/// Whether any planned message is due by `until`.
///
/// # Errors
/// When the database refuses.
pub async fn is_due(db: &Db, until: Timestamp) -> Result<bool> {
    let any = "select 1 from touchpoints where state = 'planned' and due_at <= $1 limit 1";
    Ok(db.fetch_one(Sql::new(any).with(until)).await?.is_some())
}

/// The first moment after `now` at which a message is due that is to be looked at then: one that waits for a place, or
/// one of these rules (a JSON array of arrays of one name).
///
/// # Errors
/// When the database refuses.
pub async fn next_look(db: &Db, rules: &str, now: Timestamp) -> Result<Option<Timestamp>> {
    let mut sql = Sql::default();
    let after = sql.reserve(now);
    let place = sql.reserve(rules);
    sql.push(&format!(
        "select min(due_at) from (select min(due_at) as due_at from touchpoints where state = 'planned' \
         and counts not in (0, 1) and due_at > {after} union all select (select min(t.due_at) from touchpoints t \
         where t.state = 'planned' and t.rule = r.name and t.due_at > {after}) from {}) as looks",
        db.dialect().rows(&place, &[("name", TEXT)], "r")
    ));
    let row = db.fetch_one(sql).await?;
    Ok(row.and_then(|row| row.opt_int(0)).map(Timestamp::from_micros))
}

/// When messages are due that were planned before `began`.
///
/// # Errors
/// When the database refuses.
pub async fn due_before(db: &Db, began: Timestamp) -> Result<BTreeSet<Timestamp>> {
    let sql = "select distinct due_at from touchpoints where state = 'planned' and updated_at < $1 and due_at > $1";
    let rows = db.fetch(Sql::new(sql).with(began)).await?;
    Ok(rows.iter().map(|row| Timestamp::from_micros(row.int(0))).collect())
}

/// How many were refused before `began` and came to nothing else, by rule and reason.
///
/// # Errors
/// When the database refuses.
pub async fn refused_before(db: &Db, began: Timestamp) -> Result<Vec<(String, Reason, u64)>> {
    let sql = "select rule, reason, count(*) from touchpoints where state = 'skipped' and updated_at < $1 \
               and reason is not null group by rule, reason order by rule, count(*) desc";
    let rows = db.fetch(Sql::new(sql).with(began)).await?;
    let read = |row: &Row| Some((row.text(0).to_owned(), row.text(1).parse().ok()?, row.int(2).unsigned_abs()));
    Ok(rows.iter().filter_map(read).collect())
}

/// Bucket and key of the customers of whom a touchpoint was written at `since` or later.
///
/// # Errors
/// When the database refuses.
pub async fn written_since(db: &Db, since: Timestamp) -> Result<Vec<(i64, String)>> {
    let sql = Sql::new("select distinct bucket, customer from touchpoints where updated_at >= $1").with(since);
    let rows = db.fetch_as_one(sql, 2).await?;
    Ok(rows.iter().map(|row| (row.int(0), row.text(1).to_owned())).collect())
}

/// What a rehearsal looks for again and again, and a daemon does not.
pub(super) const INDEXES: &str = "
    create index rehearsal_due on touchpoints (due_at) where state = 'planned';
    create index rehearsal_waiting on touchpoints (due_at) where state = 'planned' and counts not in (0, 1);
    create index rehearsal_of_rule on touchpoints (rule, due_at) where state = 'planned';
    create index rehearsal_written on touchpoints (updated_at);
    create index rehearsal_reserved on offer_grants (bucket, touchpoint) where state = 'reserved';
";
