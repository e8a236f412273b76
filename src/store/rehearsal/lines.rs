//! What a rehearsal came to, read back from its database: one line for each touchpoint that it wrote, and for each
//! refusal that stood before.

use crate::rules::Channel;
use crate::sql::Sql;
use crate::store::db::{Db, Result, Row};
use crate::time::Timestamp;
use crate::touchpoints::{Reason, State};
use futures_util::StreamExt;
use futures_util::stream::BoxStream;

/// One touchpoint as it stands at the end of a rehearsal.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Line {
    pub id: String,
    pub rule: String,
    pub customer: String,
    /// The key of the row that the message is about.
    pub entity: String,
    pub occurrence: String,
    pub channel: Option<Channel>,
    pub state: State,
    pub reason: Option<Reason>,
    /// When it was sent; when it would have been or is to be; when it was refused.
    pub at: Timestamp,
    pub offer: Option<String>,
    /// What the offer costs; money, scaled.
    pub offer_cost: i64,
    /// What sending costs by the providers' prices, at one segment or minute; money, scaled.
    pub cost: i64,
}

const COLUMNS: &str = "t.id, t.rule, t.customer, t.entity_id, t.occurrence, t.channel, t.state, t.reason, \
     case when t.state in ('skipped', 'expired') then t.updated_at else coalesce(t.sent_at, t.due_at, t.updated_at) end, \
     t.offer, coalesce(g.cost, 0), coalesce(t.cost, 0)";

/// Everything that was written at `since` or later, in the order of time.
pub fn written(db: &Db, since: Timestamp) -> BoxStream<'static, Result<Line>> {
    lines(db, "t.updated_at >= $1", since)
}

/// The refusals that stood before `began` and to which nothing else came, in the order of time.
pub fn refused_before(db: &Db, began: Timestamp) -> BoxStream<'static, Result<Line>> {
    lines(db, "t.state = 'skipped' and t.updated_at < $1 and t.reason is not null", began)
}

fn lines(db: &Db, which: &str, at: Timestamp) -> BoxStream<'static, Result<Line>> {
    let sql = format!(
        "select {COLUMNS} from touchpoints t left join offer_grants g on g.bucket = t.bucket and g.touchpoint = t.id \
         and t.offer is not null where {which} order by 9, t.rule, t.customer, t.id"
    );
    db.stream(Sql::new(sql).with(at)).map(|row| row.map(|row| read(&row))).boxed()
}

fn read(row: &Row) -> Line {
    Line {
        id: row.text(0).to_owned(),
        rule: row.text(1).to_owned(),
        customer: row.text(2).to_owned(),
        entity: row.text(3).to_owned(),
        occurrence: row.text(4).to_owned(),
        channel: row.opt_text(5).and_then(|channel| channel.parse().ok()),
        state: row.text(6).parse().expect("the table holds states of ours"),
        reason: row.opt_text(7).and_then(|reason| reason.parse().ok()),
        at: Timestamp::from_micros(row.int(8)),
        offer: row.opt_text(9).map(str::to_owned),
        offer_cost: row.int(10),
        cost: row.int(11),
    }
}
