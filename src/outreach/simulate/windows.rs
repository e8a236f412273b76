//! Windows of time in which a rule may have candidates: most ticks have none, and are not planned at all.
//!
//! 1. A window is asked once which rows may be candidates at any of its instants; the windows within it, down to the
//!    tick, are asked only of those rows.
//! 2. A row that is left out of a window is no candidate at its ticks, or one that is settled already: the data stand
//!    still, and what was touched stays touched. Where that is not so, [`Windows::forget`] begins anew.
//! 3. Touchpoints do not stand still: of rules that read them the customers of whom one was written are asked again.

use crate::app::App;
use crate::courtesy::pauses::Pauses;
use crate::expr::Clause;
use crate::ids::BUCKETS;
use crate::outreach::judge::Question;
use crate::plan::audience::Among;
use crate::rules::Rule;
use crate::sql::Sql;
use crate::store::db::{Db, Result};
use crate::store::rehearsal::fates;
use crate::time::{Span, Timestamp};
use crate::touchpoints::Reason;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// How long the windows are, the widest first.
const SPANS: [Span; 5] = [
    Span::from_days(31),
    Span::from_days(3),
    Span::from_seconds(8 * 3_600),
    Span::from_seconds(90 * 60),
    Span::from_seconds(0),
];

/// How many rows are kept of a window; where there are more, the windows within it are asked about all.
const KEPT: usize = 100_000;

/// Rows that may be candidates.
#[derive(Clone, Debug)]
pub(super) enum Rows {
    All,
    /// A JSON array of `[bucket, entity key]`.
    These(Arc<str>),
    None,
}

struct Open {
    until: Timestamp,
    rows: Rows,
    /// Rows of customers of whom something was written since it was asked.
    more: BTreeSet<(i64, String)>,
}

impl Open {
    fn all(&self) -> Rows {
        if self.more.is_empty() {
            return self.rows.clone();
        }
        let more = serde_json::to_string(&self.more).expect("text and integers are JSON");
        match &self.rows {
            Rows::All => Rows::All,
            Rows::None => Rows::These(more.into()),
            Rows::These(rows) => Rows::These(format!("{},{}", &rows[..rows.len() - 1], &more[1..]).into()),
        }
    }
}

/// The windows of one rule, the widest first.
struct OfRule {
    open: Vec<Open>,
    /// When they were asked last.
    asked: Timestamp,
}

/// The windows that are open, by rule.
pub(super) struct Windows {
    of: BTreeMap<String, OfRule>,
    /// Reasons for which a refusal stands while the data do.
    standing: Vec<Reason>,
    to: Timestamp,
}

impl Windows {
    pub(super) async fn new(db: &Db, to: Timestamp) -> Result<Self> {
        let mut standing = vec![
            Reason::BeforeStart,
            Reason::NoAddress,
            Reason::BadAddress,
            Reason::NoConsent,
            Reason::Unconfirmed,
            Reason::NotAllowedHere,
        ];
        let ends = Sql::new("select 1 from suppressions where expires_at is not null limit 1");
        if db.fetch_one(ends).await?.is_none() {
            standing.push(Reason::Suppressed);
        }
        Ok(Self { of: BTreeMap::new(), standing, to })
    }

    /// What is known of the rule is no longer so.
    pub(super) fn forget(&mut self, rule: &str) {
        self.of.remove(rule);
    }

    /// The rows that may be candidates of `rule` at `now`.
    pub(super) async fn rows(&mut self, app: &App, rule: &Rule, now: Timestamp) -> Result<Rows> {
        let mut known = self.of.remove(&rule.name).unwrap_or(OfRule { open: Vec::new(), asked: now });
        while known.open.last().is_some_and(|window| window.until < now) {
            known.open.pop();
        }
        if reads_touchpoints(rule) {
            self.add_written(app, rule, now, &mut known).await?;
        }
        while known.open.len() < SPANS.len() {
            let within = known.open.last();
            let rows = within.map_or(Rows::All, Open::all);
            if matches!(rows, Rows::None) {
                break;
            }
            let until = now.plus(SPANS[known.open.len()]).min(within.map_or(self.to, |within| within.until));
            let rows = self.ask(app, rule, (now, until), among(&rows)).await?;
            known.open.push(Open { until, rows, more: BTreeSet::new() });
        }
        let rows = known.open.last().map_or(Rows::All, Open::all);
        self.of.insert(rule.name.clone(), OfRule { asked: now, ..known });
        Ok(rows)
    }

    /// Adds to the windows the rows of customers of whom a touchpoint was written since they were asked.
    async fn add_written(&self, app: &App, rule: &Rule, now: Timestamp, known: &mut OfRule) -> Result<()> {
        let Some(until) = known.open.first().map(|widest| widest.until) else { return Ok(()) };
        let written = fates::written_since(&app.db, known.asked).await?;
        if written == "[]" {
            return Ok(());
        }
        match self.ask(app, rule, (now, until), Among::Customers(&written)).await? {
            Rows::None => {}
            Rows::All => known.open.clear(),
            Rows::These(rows) => {
                let rows: BTreeSet<(i64, String)> = serde_json::from_str(&rows).expect("rows of our own statement");
                for window in &mut known.open {
                    window.more.extend(rows.iter().cloned());
                }
            }
        }
        Ok(())
    }

    async fn ask(
        &self,
        app: &App,
        rule: &Rule,
        (from, until): (Timestamp, Timestamp),
        among: Among<'_>,
    ) -> Result<Rows> {
        let pauses = Pauses::default();
        let question = Question::new(&app.workspace.project, rule, from, &pauses, false, app.db.dialect());
        // A purchase that stands for a yes may lie too far back one day.
        let standing: Vec<Reason> = self
            .standing
            .iter()
            .copied()
            .filter(|reason| rule.soft_opt_in.is_none() || !matches!(reason, Reason::NoConsent | Reason::Unconfirmed))
            .collect();
        let sql = question.audience().possible(among, until, &standing).as_one(app.db.dialect(), 2);
        let Some(row) = app.db.fetch_one(sql).await? else { return Ok(Rows::None) };
        let rows = row.text(0);
        // At least as many as there are rows, and one bracket around them.
        let count = rows.bytes().filter(|byte| *byte == b'[').count() - 1;
        Ok(match count {
            0 => Rows::None,
            1..KEPT => Rows::These(rows.into()),
            _ => Rows::All,
        })
    }
}

fn among(rows: &Rows) -> Among<'_> {
    match rows {
        Rows::These(rows) => Among::Rows(rows),
        Rows::All | Rows::None => Among::Buckets(0, BUCKETS - 1),
    }
}

/// Whether what the rule's conditions read is written by the rehearsal itself.
fn reads_touchpoints(rule: &Rule) -> bool {
    rule.for_each == "touchpoint" || rule.when.iter().chain(&rule.unless).any(Clause::reads_touchpoints)
}
