//! How the messages of each rule were received: bounces and complaints against what was sent, counted by indexes.
//!
//! 1. A message counts as bounced when its receipt says so, or when the provider refused its address as one that does
//!    not exist: the event of that begins with [`bad_address`]'s word.
//! 2. What happened before the rule was let go on last does not count.

use super::db::{Db, Result, Row};
use crate::courtesy::reception::{Reception, WINDOW};
use crate::settings::Guard;
use crate::sql::Sql;
use crate::time::Timestamp;
use crate::touchpoints::Reason;

/// What the provider said of an address that does not exist, as its event says it.
pub fn bad_address(said: &str) -> String {
    format!("{}: {said}", Reason::BadAddress)
}

/// Which rules are looked at. One of which nothing bounced and that nobody complained about is left out.
#[derive(Clone, Copy, Debug)]
pub enum Of<'a> {
    /// This one, to the last message.
    Rule(&'a str),
    /// Those of which something bounced, or was complained about, at or after; their messages are counted until there
    /// are so many that the share is small.
    All { news_since: Timestamp },
}

/// How the messages of rules were received.
pub async fn of_rules(db: &Db, guard: &Guard, of: Of<'_>, now: Timestamp) -> Result<Vec<(String, Reception)>> {
    let since = now.minus(WINDOW);
    let rows = db.fetch(bad(of, since)).await?;
    let mut receptions = Vec::new();
    for row in &rows {
        let (rule, from) = (row.text(0), row.opt_int(3).map_or(since, Timestamp::from_micros).max(since));
        let mut reception = Reception { tried: 0, bounced: count(row, 1), complained: count(row, 2) };
        let enough = match of {
            Of::Rule(_) => u64::MAX,
            Of::All { .. } => reception.enough(guard),
        };
        reception.tried = sent(db, rule, from, enough).await? + count(row, 4);
        receptions.push((rule.to_owned(), reception));
    }
    Ok(receptions)
}

fn count(row: &Row, index: usize) -> u64 {
    u64::try_from(row.int(index)).unwrap_or(0)
}

/// Per rule: bounced, complained, since when it is counted, and those bounced that were never taken by a provider.
fn bad(of: Of<'_>, since: Timestamp) -> Sql {
    let mut sql = Sql::default();
    let since = sql.reserve(since);
    let (of_rule, news) = match of {
        Of::Rule(rule) => (format!(" and t.rule = {}", sql.reserve(rule)), String::new()),
        Of::All { news_since } => (String::new(), format!(" having max(x.at) >= {}", sql.reserve(news_since))),
    };
    let refused = format!("e.detail like {}", sql.reserve(bad_address("%")));
    sql.push(&format!(
        "select x.rule, cast(sum(x.bounced) as bigint), cast(sum(x.complained) as bigint), max(s.counted_from), \
         cast(sum(x.refused) as bigint) from \
         (select t.rule, t.updated_at as at, 1 as bounced, 0 as complained, \
         case when t.sent_at is null then 1 else 0 end as refused from touchpoints t \
         where t.state in ('failed', 'bounced') and t.updated_at >= {since} and t.test = 0{of_rule} \
         and (t.state = 'bounced' or exists (select 1 from touchpoint_events e where e.bucket = t.bucket \
         and e.touchpoint = t.id and e.kind = 'failed' and {refused})) \
         union all \
         select t.rule, min(e.at), 0, 1, 0 from touchpoint_events e \
         join touchpoints t on t.bucket = e.bucket and t.id = e.touchpoint \
         where e.kind = 'complained' and e.at >= {since} and t.test = 0{of_rule} group by t.bucket, t.id, t.rule) x \
         left join rule_states s on s.rule = x.rule \
         where s.counted_from is null or x.at > s.counted_from group by x.rule{news} order by x.rule"
    ));
    sql
}

/// How many messages of a rule were sent at or after `from`, `limit` at most. What was planned long before is not
/// looked for: no message waits for so long.
async fn sent(db: &Db, rule: &str, from: Timestamp, limit: u64) -> Result<u64> {
    let sql = "select count(*) from (select 1 as one from touchpoints where rule = $1 and created_at >= $2 \
               and sent_at >= $3 and test = 0 limit $4) s";
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    let sql = Sql::new(sql).with(rule).with(from.minus(WINDOW)).with(from).with(limit);
    Ok(db.fetch_one(sql).await?.map_or(0, |row| count(&row, 0)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::migrate::migrate;

    #[tokio::test]
    async fn bounces_and_complaints_are_found_by_their_indexes() {
        let folder = tempfile::tempdir().expect("a folder");
        let db = Db::open("sqlite://test.db", folder.path()).await.expect("a database");
        migrate(&db).await.expect("a schema");
        let at = Timestamp::from_seconds(0);
        for of in [Of::All { news_since: at }, Of::Rule("note")] {
            let mut sql = bad(of, at);
            sql.text.insert_str(0, "explain query plan ");
            let plan = db.fetch(sql).await.expect("a plan");
            let steps: Vec<&str> = plan.iter().map(|row| row.text(3)).collect();
            for index in ["INDEX touchpoints_refused (updated_at>?)", "INDEX touchpoint_events_complained (at>?)"] {
                assert!(steps.iter().any(|step| step.contains(index)), "{index}: {steps:?}");
            }
            assert!(!steps.iter().any(|step| step.starts_with("SCAN t") || step.starts_with("SCAN e")), "{steps:?}");
        }
    }
}
