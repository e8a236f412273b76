//! What planning writes: touchpoints and their first events, a chunk at a time, one statement each.

use super::db::{Result, Row, Tx};
use crate::plan::audience::Columns;
use crate::sql::{ColumnType, Dialect, Sql};
use crate::time::Timestamp;
use serde::ser::{Serialize, SerializeSeq, Serializer};
use std::collections::HashSet;

impl Columns for Row {
    fn text(&self, index: usize) -> Option<&str> {
        self.opt_text(index)
    }

    fn int(&self, index: usize) -> Option<i64> {
        self.opt_int(index)
    }
}

/// What all touchpoints of one run have in common.
#[derive(Clone, Debug)]
pub struct RunFacts<'a> {
    pub run_id: &'a str,
    pub rule: &'a str,
    pub rule_version: &'a str,
    pub kind: &'a str,
    pub topic: &'a str,
    pub entity_kind: &'a str,
    pub priority: i64,
    pub as_of: Timestamp,
    pub now: Timestamp,
}

/// One decision as it is written down: the columns of a touchpoint that differ within a run.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Planned {
    pub bucket: i64,
    pub id: String,
    /// The number of its event: 1 for a new row.
    pub version: i64,
    pub customer: String,
    pub entity: String,
    pub occurrence: String,
    pub purpose: String,
    pub channel: Option<String>,
    pub address: Option<String>,
    pub state: String,
    pub reason: Option<String>,
    pub due_at: Option<i64>,
    pub expires_at: i64,
    pub on_doubt: String,
    pub offer: Option<String>,
    pub code: Option<String>,
    pub variant: Option<String>,
    pub locale: Option<String>,
    pub facts: Option<String>,
    pub gates: Option<String>,
    /// Whether it takes a place under the caps: see [`super::caps::counts`].
    pub counts: i64,
    /// What its event says.
    pub detail: Option<String>,
}

const TEXT: ColumnType = ColumnType::Text;
const INT: ColumnType = ColumnType::Int;

/// The order of the fields of [`Planned`].
const COLUMNS: &[(&str, ColumnType)] = &[
    ("bucket", INT),
    ("id", TEXT),
    ("version", INT),
    ("customer", TEXT),
    ("entity", TEXT),
    ("occurrence", TEXT),
    ("purpose", TEXT),
    ("channel", TEXT),
    ("address", TEXT),
    ("state", TEXT),
    ("reason", TEXT),
    ("due_at", INT),
    ("expires_at", INT),
    ("on_doubt", TEXT),
    ("offer", TEXT),
    ("code", TEXT),
    ("variant", TEXT),
    ("locale", TEXT),
    ("facts", TEXT),
    ("gates", TEXT),
    ("counts", INT),
    ("detail", TEXT),
];

impl Serialize for Planned {
    /// As a sequence, in the order of [`COLUMNS`].
    fn serialize<S: Serializer>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error> {
        let mut row = serializer.serialize_seq(Some(COLUMNS.len()))?;
        row.serialize_element(&self.bucket)?;
        row.serialize_element(&self.id)?;
        row.serialize_element(&self.version)?;
        row.serialize_element(&self.customer)?;
        row.serialize_element(&self.entity)?;
        row.serialize_element(&self.occurrence)?;
        row.serialize_element(&self.purpose)?;
        row.serialize_element(&self.channel)?;
        row.serialize_element(&self.address)?;
        row.serialize_element(&self.state)?;
        row.serialize_element(&self.reason)?;
        row.serialize_element(&self.due_at)?;
        row.serialize_element(&self.expires_at)?;
        row.serialize_element(&self.on_doubt)?;
        row.serialize_element(&self.offer)?;
        row.serialize_element(&self.code)?;
        row.serialize_element(&self.variant)?;
        row.serialize_element(&self.locale)?;
        row.serialize_element(&self.facts)?;
        row.serialize_element(&self.gates)?;
        row.serialize_element(&self.counts)?;
        row.serialize_element(&self.detail)?;
        row.end()
    }
}

/// How many blanks a message that will be sent keeps free in its row: for its daemon's name, its provider, its subject,
/// its times. SQLite would split a page for each few rows that grow.
const ROOM: usize = 128;

/// Rows as a JSON array of arrays, for one bind. In the order in which they will be claimed: what is claimed, marked
/// and settled together then lies together, and a commit writes fewer pages.
fn to_rows(rows: &[Planned]) -> String {
    let mut rows: Vec<&Planned> = rows.iter().collect();
    rows.sort_unstable_by(|one, other| (one.bucket, &one.id).cmp(&(other.bucket, &other.id)));
    serde_json::to_string(&rows).expect("text and integers serialise")
}

/// Inserts decisions that have no row yet. A row that another run has written meanwhile is left as it is.
pub async fn insert(tx: &mut Tx, run: &RunFacts<'_>, rows: &[Planned]) -> Result<u64> {
    if rows.is_empty() {
        return Ok(0);
    }
    let dialect = tx.dialect();
    let mut sql = Sql::default();
    let data = sql.reserve(to_rows(rows));
    sql.push(
        "insert into touchpoints (bucket, id, rule, rule_version, kind, topic, purpose, customer, entity_kind, \
         entity_id, occurrence, step, run_id, as_of, channel, address, state, reason, due_at, expires_at, priority, \
         on_doubt, attempts, offer, code, variant, locale, possible_duplicate, test, facts, gates, counts, room, version, \
         created_at, updated_at) select r.bucket, r.id, ",
    );
    sql.bind(run.rule).push(", ").bind(run.rule_version).push(", ").bind(run.kind).push(", ").bind(run.topic);
    sql.push(", r.purpose, r.customer, ").bind(run.entity_kind).push(", r.entity, r.occurrence, 0, ").bind(run.run_id);
    sql.push(", ").bind(run.as_of).push(", r.channel, r.address, r.state, r.reason, r.due_at, r.expires_at, ");
    sql.bind(run.priority);
    sql.push(", r.on_doubt, 0, r.offer, r.code, r.variant, r.locale, 0, 0, r.facts, r.gates, r.counts, ");
    sql.push("case when r.state in ('planned', 'held') then ");
    sql.bind((dialect == Dialect::Sqlite).then(|| " ".repeat(ROOM))).push(" end, r.version, ");
    let now = sql.reserve(run.now);
    sql.push(&format!("{now}, {now} from {} where true on conflict do nothing", dialect.rows(&data, COLUMNS, "r")));
    tx.execute(sql).await
}

/// The ids of those of `rows` that this run has written.
pub async fn written(tx: &mut Tx, run: &RunFacts<'_>, rows: &[Planned]) -> Result<HashSet<String>> {
    let keys: Vec<_> = rows.iter().map(|row| (row.bucket, &row.id)).collect();
    let item = tx.dialect().rows("$1", &[("bucket", INT), ("id", TEXT)], "r");
    let sql = format!(
        "select t.id from {item} join touchpoints t on t.bucket = r.bucket and t.id = r.id where t.run_id = $2"
    );
    let keys = serde_json::to_string(&keys).expect("text and integers serialise");
    Ok(tx.fetch(Sql::new(sql).with(keys).with(run.run_id)).await?.iter().map(|row| row.text(0).to_owned()).collect())
}

/// Turns rows that stood as skipped into what was decided now. Guarded by the version that was read.
pub async fn update(tx: &mut Tx, run: &RunFacts<'_>, rows: &[Planned]) -> Result<u64> {
    if rows.is_empty() {
        return Ok(0);
    }
    let dialect = tx.dialect();
    let mut sql = Sql::default();
    let data = sql.reserve(to_rows(rows));
    let now = sql.reserve(run.now);
    sql.push("update touchpoints set rule_version = ").bind(run.rule_version).push(", run_id = ").bind(run.run_id);
    sql.push(", as_of = ").bind(run.as_of).push(", expires_at = r.expires_at");
    sql.push(&format!(
        ", occurrence = r.occurrence, entity_id = r.entity, purpose = r.purpose, channel = r.channel, \
         address = r.address, state = r.state, reason = r.reason, due_at = r.due_at, on_doubt = r.on_doubt, offer = r.offer, code = r.code, \
         variant = r.variant, locale = r.locale, facts = r.facts, gates = r.gates, counts = r.counts, version = r.version, updated_at = {now}, \
         created_at = case when r.state in ('planned', 'held_out') then {now} else touchpoints.created_at end from {} \
         where touchpoints.bucket = r.bucket and touchpoints.id = r.id and touchpoints.state = 'skipped' \
         and touchpoints.version = r.version - 1",
        dialect.rows(&data, COLUMNS, "r")
    ));
    tx.execute(sql).await
}

/// Moves standing refusals on to the current occurrence: nothing happened, so no event.
pub async fn move_on(tx: &mut Tx, rows: &[(i64, String, String)]) -> Result<u64> {
    if rows.is_empty() {
        return Ok(0);
    }
    let columns = [("bucket", INT), ("id", TEXT), ("occurrence", TEXT)];
    let data = serde_json::to_string(rows).expect("text and integers serialise");
    let sql = format!(
        "update touchpoints set occurrence = r.occurrence from {} where touchpoints.bucket = r.bucket \
         and touchpoints.id = r.id and touchpoints.state = 'skipped'",
        tx.dialect().rows("$1", &columns, "r")
    );
    tx.execute(Sql::new(sql).with(data)).await
}

/// Writes the event of each decision; its kind is the state.
pub async fn events(tx: &mut Tx, rows: &[Planned], now: Timestamp) -> Result<u64> {
    if rows.is_empty() {
        return Ok(0);
    }
    let columns = [("bucket", INT), ("touchpoint", TEXT), ("n", INT), ("kind", TEXT), ("detail", TEXT)];
    let tuples: Vec<_> = rows
        .iter()
        .map(|row| (row.bucket, &row.id, row.version, &row.state, row.detail.as_ref().or(row.reason.as_ref())))
        .collect();
    let data = serde_json::to_string(&tuples).expect("text and integers serialise");
    let sql = format!(
        "insert into touchpoint_events (bucket, touchpoint, n, at, kind, detail) \
         select r.bucket, r.touchpoint, r.n, $2, r.kind, r.detail from {} where true on conflict do nothing",
        tx.dialect().rows("$1", &columns, "r")
    );
    tx.execute(Sql::new(sql).with(data).with(now)).await
}
