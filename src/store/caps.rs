//! What has taken places under the caps, read from the log, and the moment at which a waiting message takes its own.
//!
//! Which of it counts is for [`crate::courtesy::caps`].

use super::db::{Db, Result, Row, Tx};
use super::leases::Lease;
use crate::courtesy::caps::Taken;
use crate::sql::{ColumnType, Sql};
use crate::time::{Span, Timestamp};

const TEXT: ColumnType = ColumnType::Text;
const INT: ColumnType = ColumnType::Int;

/// How long after its last moment a message may still have been on its way to the wire.
const GRACE: Span = Span::from_days(2);

/// Whether and how a message counts, as `touchpoints.counts` has it.
pub const fn counts(takes_place: bool, waits: bool) -> i64 {
    match (takes_place, waits) {
        (false, false) => 0,
        (true, false) => 1,
        (true, true) => 2,
        (false, true) => -1,
    }
}

/// Whether a message waits for a place.
pub const fn waits(counts: i64) -> bool {
    matches!(counts, 2 | -1)
}

/// What has taken places from those of `asked` (bucket and customer), with their place in `asked`: what may still go
/// as of `as_of`, and what was sent since `since`. A message that may have been sent and is not tried again counts as
/// sent.
pub async fn taken(db: &Db, asked: &[(i64, &str)], since: Timestamp, as_of: Timestamp) -> Result<Vec<(usize, Taken)>> {
    let tuples: Vec<(usize, i64, &str)> =
        asked.iter().enumerate().map(|(place, (bucket, customer))| (place, *bucket, *customer)).collect();
    let item = db.dialect().rows("$1", &[("i", INT), ("b", INT), ("c", TEXT)], "r");
    let text = format!("select r.i, {COLUMNS} from {item} cross join touchpoints t where {TAKES}");
    let json = serde_json::to_string(&tuples).expect("text and integers are JSON");
    let sql = Sql::new(text).with(json).with(since.minus(GRACE)).with(since).with(as_of);
    let read = |row: &Row| (usize::try_from(row.int(0)).expect("the place that was sent"), read(row));
    Ok(db.fetch(sql).await?.iter().map(read).collect())
}

const COLUMNS: &str = "t.rule, t.topic, t.purpose, t.channel, coalesce(t.sent_at, t.doubt_at, t.due_at), t.due_at, \
                       case when t.sent_at is null and t.state <> 'failed' then 1 else 0 end, t.counts";

const TAKES: &str = "t.bucket = r.b and t.customer = r.c and t.counts > 0 and t.expires_at >= $2 and \
                     (t.state in ('claimed', 'dispatching', 'in_doubt') \
                     or t.state in ('planned', 'held') and t.expires_at >= $4 \
                     or t.state in ('sent', 'delivered', 'bounced') and t.sent_at >= $3 \
                     or t.state = 'failed' and t.reason = 'outcome_unknown' and t.doubt_at >= $3)";

fn read(row: &Row) -> Taken {
    let is_open = row.int(7) == 1;
    Taken {
        rule: row.text(1).to_owned(),
        topic: row.text(2).to_owned(),
        purpose: row.text(3).parse().expect("the table holds purposes of ours"),
        channel: row.text(4).parse().expect("what is planned has a channel of ours"),
        at: Timestamp::from_micros(if is_open { row.int(6) } else { row.int(5) }),
        is_open,
        waits: waits(row.int(8)),
    }
}

/// Lets waiting messages that this daemon has claimed go: from here on they have their places. Gives the ids of those
/// that may.
pub async fn admit(tx: &mut Tx, lease: &Lease, keys: &[(i64, &str)]) -> Result<Vec<String>> {
    let item = tx.dialect().rows("$1", &[("bucket", INT), ("id", TEXT)], "r");
    let text = format!(
        "update touchpoints set counts = case when touchpoints.counts > 0 then 1 else 0 end from {item} \
         where touchpoints.bucket = r.bucket and touchpoints.id = r.id and touchpoints.state = 'claimed' \
         and touchpoints.owner = $2 and touchpoints.epoch = $3 returning touchpoints.id"
    );
    let json = serde_json::to_string(keys).expect("text and integers are JSON");
    let sql = Sql::new(text).with(json).with(&lease.owner).with(lease.epoch);
    Ok(tx.fetch(sql).await?.iter().map(|row| row.text(0).to_owned()).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::migrate::migrate;

    #[tokio::test]
    async fn a_look_at_a_window_reads_that_window() {
        let folder = tempfile::tempdir().expect("a folder");
        let db = Db::open("sqlite://test.db", folder.path()).await.expect("a database");
        migrate(&db).await.expect("a schema");
        let item = db.dialect().rows("$1", &[("i", INT), ("b", INT), ("c", TEXT)], "r");
        let text =
            format!("explain query plan select r.i, {COLUMNS} from {item} cross join touchpoints t where {TAKES}");
        let sql = Sql::new(text).with("[]").with(0).with(0).with(0);
        let plan = db.fetch(sql).await.expect("a plan");
        let steps: Vec<&str> = plan.iter().map(|row| row.text(3)).collect();
        let wanted = "touchpoints_counted (bucket=? AND customer=? AND expires_at>?)";
        assert!(steps.iter().any(|step| step.contains(wanted)), "{steps:?}");
    }
}
