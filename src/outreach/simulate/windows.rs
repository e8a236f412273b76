//! Windows of time in which a rule may have candidates: most ticks have none, and are not planned at all.
//!
//! 1. A window is asked once which rows may be candidates at any of its instants; the windows within it, down to the
//!    tick, are asked only of those rows.
//! 2. A row that is left out of a window is no candidate at its ticks, or one that is settled already: the data stand
//!    still, and what was touched stays touched. Where that is not so, [`Windows::forget`] begins anew.
//! 3. Touchpoints do not stand still: of rules that read them the customers of whom one was written are asked again, of
//!    all others those whose refusals slept and were woken by one.

use crate::app::App;
use crate::config::Project;
use crate::courtesy::pauses::Pauses;
use crate::expr::Clause;
use crate::ids::BUCKETS;
use crate::offers::Offer;
use crate::outreach::judge::{CHUNK, Question};
use crate::plan::audience::Among;
use crate::plan::standing::may_stand;
use crate::rules::Rule;
use crate::sql::Sql;
use crate::store::db::{Db, Result};
use crate::store::rehearsal::{fates, sleepers};
use crate::store::runs::Run;
use crate::time::{Span, Timestamp};
use crate::touchpoints::Reason;
use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::sync::Arc;

/// How long the windows are, the widest first.
const SPANS: [Span; 5] = [
    Span::from_days(31),
    Span::from_days(3),
    Span::from_seconds(8 * 3_600),
    Span::from_seconds(90 * 60),
    Span::from_seconds(0),
];
/// Where the windows begin that are asked anew when many of their rows have fallen asleep.
const ANEW: usize = 2;
/// How many those are.
const MANY: u64 = 200;
/// What may be refused for as long as nothing is written about the customer: see [`crate::plan::standing`].
const ASLEEP: [Reason; 4] = [Reason::BadMoment, Reason::Capped, Reason::NoBudget, Reason::NotEligible];

/// How many rows are kept of a window; where there are more, the windows within it are asked about all.
const KEPT: usize = 100_000;

/// Rows that may be candidates.
#[derive(Clone, Debug)]
pub(super) enum Rows {
    All,
    /// A JSON array of `[bucket, entity key, customer]`.
    These(Arc<str>),
    None,
}

struct Open {
    until: Timestamp,
    rows: Rows,
    /// Rows of customers of whom something was written since it was asked.
    more: BTreeSet<(i64, String, String)>,
}

impl Rows {
    /// Piece by piece, in the order in which they are planned; all of them where absent.
    pub(super) fn pieces(&self) -> Option<Vec<Arc<str>>> {
        let Self::These(rows) = self else { return None };
        if count(rows) <= CHUNK {
            return Some(vec![Arc::clone(rows)]);
        }
        let mut rows: Vec<(i64, String, String)> = serde_json::from_str(rows).expect("rows of our own statement");
        rows.sort_unstable_by(|one, other| (one.0, &one.2, &one.1).cmp(&(other.0, &other.2, &other.1)));
        let piece = |rows: &[(i64, String, String)]| serde_json::to_string(rows).expect("text and integers are JSON");
        Some(rows.chunks(CHUNK).map(|rows| piece(rows).into()).collect())
    }
}

/// How many rows there are at most: as many as there are brackets, but for the one around them.
fn count(rows: &str) -> usize {
    rows.bytes().filter(|byte| *byte == b'[').count() - 1
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
    /// Customers whose refusals were woken since.
    woken: BTreeSet<(i64, String)>,
    /// Until when the windows within are not asked anew once more.
    settled_until: Timestamp,
}

/// The windows that are open, by rule.
pub(super) struct Windows {
    of: BTreeMap<String, OfRule>,
    /// Reasons for which a refusal stands while the data do.
    standing: Vec<Reason>,
    to: Timestamp,
    /// Rules whose refusals may sleep.
    sleeping: BTreeSet<String>,
    /// The addresses that several customers have.
    shared: Arc<HashSet<String>>,
    /// When sleepers were looked after last.
    looked: Timestamp,
}

impl Windows {
    pub(super) async fn new(app: &App, is_paused: bool, to: Timestamp) -> Result<Self> {
        let mut standing = vec![
            Reason::BeforeStart,
            Reason::NoAddress,
            Reason::BadAddress,
            Reason::NoConsent,
            Reason::Unconfirmed,
            Reason::NotAllowedHere,
        ];
        let ends = Sql::new("select 1 from suppressions where expires_at is not null limit 1");
        let mut sleeping = BTreeSet::new();
        if app.db.fetch_one(ends).await?.is_none() {
            standing.push(Reason::Suppressed);
            let names = rules_that_sleep(&app.workspace.project).filter(|_| !is_paused);
            sleeping = names.map(str::to_owned).collect();
        }
        let shared = Arc::new(sleepers::shared_addresses(&app.db, &app.workspace.project.catalogue).await?);
        Ok(Self { of: BTreeMap::new(), standing, to, sleeping, shared, looked: app.clock.now() })
    }

    /// Where refusals of the rule may sleep: the addresses that several customers have.
    pub(super) fn sleep(&self, rule: &str) -> Option<Arc<HashSet<String>>> {
        self.sleeping.contains(rule).then(|| Arc::clone(&self.shared))
    }

    /// Takes note of what a run refused.
    pub(super) fn note(&mut self, run: &Run) {
        let asleep: u64 = ASLEEP.iter().filter_map(|reason| run.counts.skipped.get(reason)).sum();
        if asleep > MANY
            && self.sleeping.contains(&run.rule)
            && let Some(known) = self.of.get_mut(&run.rule)
            && known.settled_until < run.instant
            && let Some(window) = known.open.get(ANEW)
        {
            known.settled_until = window.until;
            known.open.truncate(ANEW);
        }
    }

    /// Wakes those of whom a touchpoint was written since, and where `budget` has come back those who wait for it.
    pub(super) async fn wake(&mut self, db: &Db, now: Timestamp, budget: bool) -> Result<()> {
        let mut woken = sleepers::wake(db, self.looked).await?;
        if budget {
            woken.append(&mut sleepers::wake_for_budget(db).await?);
        }
        self.looked = now;
        for (rule, bucket, customer) in woken {
            if let Some(known) = self.of.get_mut(&rule) {
                known.woken.insert((bucket, customer));
            }
        }
        Ok(())
    }

    /// What is known of the rule is no longer so.
    pub(super) fn forget(&mut self, rule: &str) {
        self.of.remove(rule);
    }

    /// The rows that may be candidates of `rule` at `now`.
    pub(super) async fn rows(&mut self, app: &App, rule: &Rule, now: Timestamp) -> Result<Rows> {
        let new =
            OfRule { open: Vec::new(), asked: now, woken: BTreeSet::new(), settled_until: Timestamp::from_micros(0) };
        let mut known = self.of.remove(&rule.name).unwrap_or(new);
        while known.open.last().is_some_and(|window| window.until < now) {
            known.open.pop();
        }
        self.add_written(app, rule, now, &mut known).await?;
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

    /// Adds to the windows the rows of customers of whom a touchpoint was written since they were asked, where that
    /// changes anything.
    async fn add_written(&self, app: &App, rule: &Rule, now: Timestamp, known: &mut OfRule) -> Result<()> {
        let mut written = std::mem::take(&mut known.woken);
        let Some(until) = known.open.first().map(|widest| widest.until) else { return Ok(()) };
        if reads_touchpoints(rule) {
            written.extend(fates::written_since(&app.db, known.asked).await?);
        }
        if written.is_empty() {
            return Ok(());
        }
        let written = serde_json::to_string(&written).expect("text and integers are JSON");
        match self.ask(app, rule, (now, until), Among::Customers(&written)).await? {
            Rows::None => {}
            Rows::All => known.open.clear(),
            Rows::These(rows) => {
                let rows: BTreeSet<(i64, String, String)> =
                    serde_json::from_str(&rows).expect("rows of our own statement");
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
        let sql = question.audience().possible(among, until, &standing).as_one(app.db.dialect(), 3);
        let Some(row) = app.db.fetch_one(sql).await? else { return Ok(Rows::None) };
        let rows = row.text(0);
        Ok(match count(rows) {
            0 => Rows::None,
            1..KEPT => Rows::These(rows.into()),
            _ => Rows::All,
        })
    }
}

/// The rules whose refusals may sleep.
fn rules_that_sleep(project: &Project) -> impl Iterator<Item = &str> {
    let may = |rule: &&Rule| {
        let offers: Vec<&Offer> = rule.offers.iter().map(|name| &project.offers[name]).collect();
        may_stand(rule, &offers, &project.settings.no_promotions_while)
    };
    project.rules.values().filter(may).map(|rule| rule.name.as_str())
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
