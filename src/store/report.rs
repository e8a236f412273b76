//! The numbers of the report, counted in the database: one statement for each kind of number, whatever the number of
//! touchpoints and rules, and in bounded memory.

use super::db::{Db, Result, Row};
use crate::catalogue::Catalogue;
use crate::report::variants::VariantReport;
use crate::report::{GoalReport, Group, Report, RuleReport, TimeToSend, goal};
use crate::rules::{Rule, Variant};
use crate::sql::Sql;
use crate::time::{Span, Timestamp};
use crate::touchpoints::State;
use crate::touchpoints::later::Later;
use std::collections::BTreeMap;

/// Of which touchpoints.
#[derive(Clone, Copy, Debug, Default)]
pub struct Filter<'a> {
    pub rule: Option<&'a str>,
    /// Written at or after.
    pub since: Option<Timestamp>,
}

impl Filter<'_> {
    /// Appends the condition on the touchpoints `t`.
    fn push(self, sql: &mut Sql) {
        sql.push(" t.test = 0");
        if let Some(rule) = self.rule {
            sql.push(" and t.rule = ").bind(rule);
        }
        if let Some(since) = self.since {
            sql.push(" and t.created_at >= ").bind(since);
        }
    }

    fn statement(self, before: &str, after: &str) -> Sql {
        let mut sql = Sql::new(before);
        self.push(&mut sql);
        sql.push(after);
        sql
    }
}

/// The report of `rules`, and of those that left touchpoints and are gone, in the order of their names.
pub async fn report(
    db: &Db,
    rules: &[Rule],
    catalogue: &Catalogue,
    filter: Filter<'_>,
    now: Timestamp,
) -> Result<Report> {
    let mut reports: BTreeMap<String, RuleReport> = BTreeMap::new();
    for rule in rules.iter().filter(|rule| filter.rule.is_none_or(|only| only == rule.name)) {
        let report = reports.entry(rule.name.clone()).or_default();
        report.description.clone_from(&rule.description);
        report.variants = rule.variants.iter().map(of_rule).collect();
        if let Some(yardstick) = report.variants.first_mut() {
            yardstick.is_yardstick = true;
        }
        if let Some(goal) = &rule.goal {
            reached(db, rule, goal, catalogue, filter, now, report).await?;
        }
    }
    count_states(db, filter, &mut reports).await?;
    count_customers(db, filter, &mut reports).await?;
    measure_times(db, filter, &mut reports).await?;
    count_complaints(db, filter, &mut reports).await?;
    count_offers(db, filter, &mut reports).await?;
    let rules = reports.into_iter().map(|(rule, report)| RuleReport { rule, ..report }).collect();
    Ok(Report { at: now, since: filter.since, later: later(db, filter, now).await?, rules })
}

/// What of these touchpoints is of later than `now`; where none is, the last run that is.
pub async fn later(db: &Db, filter: Filter<'_>, now: Timestamp) -> Result<Option<Later>> {
    let mut sql = filter.statement("select count(*), max(t.created_at) from touchpoints t where", "");
    sql.push(" and t.created_at > ").bind(now);
    let later = |row: &Row| Some(Later { count: count(row, 0), until: Timestamp::from_micros(row.opt_int(1)?) });
    let touchpoints = db.fetch_one(sql).await?.as_ref().and_then(later);
    if touchpoints.is_some() {
        return Ok(touchpoints);
    }
    let mut sql = Sql::new("select cast(0 as bigint), max(instant) from runs where instant > ");
    sql.bind(filter.since.map_or(now, |since| since.max(now)));
    if let Some(rule) = filter.rule {
        sql.push(" and rule = ").bind(rule);
    }
    Ok(db.fetch_one(sql).await?.as_ref().and_then(later))
}

fn of_rule(variant: &Variant) -> VariantReport {
    VariantReport { name: variant.name.clone(), share: Some(variant.share), ..VariantReport::default() }
}

/// The report of a variant; one that the rule has no more is added.
fn variant<'r>(report: &'r mut RuleReport, name: &str) -> &'r mut VariantReport {
    let known = report.variants.iter().position(|known| known.name == name);
    let place = known.unwrap_or_else(|| {
        report.variants.push(VariantReport { name: name.to_owned(), ..VariantReport::default() });
        report.variants.len() - 1
    });
    &mut report.variants[place]
}

async fn count_states(db: &Db, filter: Filter<'_>, reports: &mut BTreeMap<String, RuleReport>) -> Result<()> {
    let sql = filter.statement(
        "select t.rule, t.state, t.reason, cast(sum(case when t.step = 0 then 1 else 0 end) as bigint), \
         cast(sum(coalesce(t.cost, 0)) as bigint), t.variant from touchpoints t where",
        " group by t.rule, t.state, t.reason, t.variant order by t.variant",
    );
    for row in db.fetch_sorting(sql).await? {
        let report = reports.entry(row.text(0).to_owned()).or_default();
        let state = row.text(1).parse().expect("the table holds states of ours");
        let reason = row.opt_text(2).and_then(|reason| reason.parse().ok());
        report.funnel.add(state, reason, count(&row, 3));
        if let Some(name) = row.opt_text(5) {
            let variant = variant(report, name);
            variant.cost += row.int(4);
            if matches!(state, State::Sent | State::Delivered | State::Bounced) {
                variant.sent += count(&row, 3);
            }
        }
        report.cost += row.int(4);
    }
    Ok(())
}

/// How many different customers a provider took something for.
async fn count_customers(db: &Db, filter: Filter<'_>, reports: &mut BTreeMap<String, RuleReport>) -> Result<()> {
    let sql = filter.statement(
        "select t.rule, count(distinct t.customer) from touchpoints t where t.sent_at is not null and t.step = 0 and",
        " group by t.rule",
    );
    for row in db.fetch_sorting(sql).await? {
        reports.entry(row.text(0).to_owned()).or_default().reach = count(&row, 1);
    }
    Ok(())
}

/// How long messages took: counted by whole seconds, from an hour on by minutes, so that nothing is sorted and what
/// comes back does not grow with the log.
async fn measure_times(db: &Db, filter: Filter<'_>, reports: &mut BTreeMap<String, RuleReport>) -> Result<()> {
    let sql = filter.statement(
        "select s.rule, case when s.took < 3600 then s.took else s.took / 60 * 60 end as seconds, count(*) from \
         (select t.rule, (t.sent_at - t.created_at) / 1000000 as took from touchpoints t \
         where t.sent_at is not null and t.step = 0 and",
        ") s group by 1, 2 order by 1, 2",
    );
    let mut times: BTreeMap<String, Vec<(Span, u64)>> = BTreeMap::new();
    for row in db.fetch_sorting(sql).await? {
        let took = Span::from_seconds(row.int(1).max(0));
        times.entry(row.text(0).to_owned()).or_default().push((took, count(&row, 2)));
    }
    for (rule, times) in times {
        reports.entry(rule).or_default().time_to_send = TimeToSend::of(&times);
    }
    Ok(())
}

async fn count_complaints(db: &Db, filter: Filter<'_>, reports: &mut BTreeMap<String, RuleReport>) -> Result<()> {
    let sql = filter.statement(
        "select t.rule, count(distinct t.id) from touchpoint_events e \
         join touchpoints t on t.bucket = e.bucket and t.id = e.touchpoint where e.kind = 'complained' and",
        " group by t.rule",
    );
    for row in db.fetch_sorting(sql).await? {
        reports.entry(row.text(0).to_owned()).or_default().funnel.complained = count(&row, 1);
    }
    Ok(())
}

/// What the offers cost that customers have got: an offer that lapsed has cost nothing.
async fn count_offers(db: &Db, filter: Filter<'_>, reports: &mut BTreeMap<String, RuleReport>) -> Result<()> {
    let sql = filter.statement(
        "select t.rule, cast(sum(g.cost) as bigint) from offer_grants g \
         join touchpoints t on t.bucket = g.bucket and t.id = g.touchpoint \
         where g.state in ('spent', 'redeemed', 'expired') and",
        " group by t.rule",
    );
    for row in db.fetch_sorting(sql).await? {
        reports.entry(row.text(0).to_owned()).or_default().offer_cost = row.int(1);
    }
    Ok(())
}

async fn reached(
    db: &Db,
    rule: &Rule,
    goal: &crate::rules::Goal,
    catalogue: &Catalogue,
    filter: Filter<'_>,
    now: Timestamp,
    report: &mut RuleReport,
) -> Result<()> {
    let (mut sent, mut held_out) = (Group::default(), Group::default());
    for row in db.fetch_sorting(goal::counts(rule, goal, catalogue, db.dialect(), filter.since, now)).await? {
        let group = Group { count: count(&row, 1), reached: count(&row, 2), open: count(&row, 3) };
        if let Some(name) = row.opt_text(4) {
            variant(report, name).goal = Some(group);
        }
        if row.int(0) == 1 { &mut held_out } else { &mut sent }.add(group);
    }
    // Of whom nothing was sent yet nobody can have reached it.
    for variant in &mut report.variants {
        variant.goal.get_or_insert_default();
    }
    let when = goal.when.iter().map(|clause| clause.text.clone()).collect();
    report.goal = Some(GoalReport { when, within: goal.within, sent, held_out });
    Ok(())
}

fn count(row: &Row, index: usize) -> u64 {
    u64::try_from(row.int(index)).unwrap_or(0)
}
