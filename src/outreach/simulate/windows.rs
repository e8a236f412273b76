//! Windows of time in which a rule may have candidates: most ticks have none, and are not planned at all.
//!
//! 1. A window is asked once which rows may be candidates at any of its instants; the windows within it, down to the
//!    tick, are asked only of those rows.
//! 2. A row that is left out of a window is no candidate at its ticks, or one that is settled already: the data stand
//!    still, and what was touched stays touched. Where that is not so, [`Windows::forget`] begins anew.
//! 3. Rules that read touchpoints, which do not stand still, are asked at every tick about everybody.

use crate::app::App;
use crate::catalogue::CUSTOMER;
use crate::courtesy::pauses::Pauses;
use crate::ids::BUCKETS;
use crate::outreach::judge::Question;
use crate::plan::audience::Among;
use crate::rules::Rule;
use crate::sql::Sql;
use crate::store::db::{Db, Result};
use crate::time::{Span, Timestamp};
use crate::touchpoints::Reason;
use std::collections::BTreeMap;
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
    These(Arc<str>),
    None,
}

struct Open {
    until: Timestamp,
    rows: Rows,
}

/// The windows that are open, by rule.
pub(super) struct Windows {
    open: BTreeMap<String, Vec<Open>>,
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
        Ok(Self { open: BTreeMap::new(), standing, to })
    }

    /// What is known of the rule is no longer so.
    pub(super) fn forget(&mut self, rule: &str) {
        self.open.remove(rule);
    }

    /// The rows that may be candidates of `rule` at `now`.
    pub(super) async fn rows(&mut self, app: &App, rule: &Rule, now: Timestamp) -> Result<Rows> {
        if !stands_still(rule, app) {
            return Ok(Rows::All);
        }
        let mut open = self.open.remove(&rule.name).unwrap_or_default();
        while open.last().is_some_and(|window| window.until < now) {
            open.pop();
        }
        while open.len() < SPANS.len() {
            let within = open.last();
            if let Some(Open { rows: Rows::None, .. }) = within {
                break;
            }
            let until = now.plus(SPANS[open.len()]).min(within.map_or(self.to, |within| within.until));
            let rows = within.map_or(Rows::All, |within| within.rows.clone());
            let rows = self.ask(app, rule, (now, until), rows).await?;
            open.push(Open { until, rows });
        }
        let rows = open.last().map_or(Rows::All, |window| window.rows.clone());
        self.open.insert(rule.name.clone(), open);
        Ok(rows)
    }

    async fn ask(&self, app: &App, rule: &Rule, (from, until): (Timestamp, Timestamp), within: Rows) -> Result<Rows> {
        let pauses = Pauses::default();
        let project = &app.workspace.project;
        let question = Question::new(project, rule, from, &pauses, false, app.db.dialect());
        let among = match &within {
            Rows::All => Among::Buckets(0, BUCKETS - 1),
            Rows::These(rows) => Among::Rows(rows),
            Rows::None => return Ok(Rows::None),
        };
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

/// Whether nothing that the rule's conditions read is written by a rehearsal.
fn stands_still(rule: &Rule, app: &App) -> bool {
    let reads = rule.when.iter().chain(&rule.unless).any(crate::expr::Clause::reads_touchpoints);
    let entity = app.workspace.project.catalogue.entity(&rule.for_each);
    let is_own =
        rule.for_each == CUSTOMER || entity.is_some_and(|entity| entity.place != crate::catalogue::Place::BuiltIn);
    is_own && !reads
}
