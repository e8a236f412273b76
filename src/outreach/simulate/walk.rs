//! The walk through time: every moment at which a daemon would do something, one after the other.
//!
//! 1. At one moment what is due is planned first, then delivered, as by `once`.
//! 2. The first moment is a pass like any other: ticks that were missed before it are made up for.

use super::HeldRun;
use super::deliver::Lots;
use super::windows::{Rows, Windows};
use crate::app::{App, AppError};
use crate::delivery::engine::Shared;
use crate::outreach::guard;
use crate::outreach::run::{Rehearsed, Runner};
use crate::outreach::tick::{self, History};
use crate::progress::Progress;
use crate::rules::Rule;
use crate::store::leases::Lease;
use crate::store::runs::Run;
use crate::store::settle;
use crate::time::{Span, Timestamp};
use std::collections::BTreeMap;

const HOUR: Span = Span::from_seconds(3_600);

/// One rehearsal under way.
pub(super) struct Walk<'a> {
    pub(super) app: &'a App,
    pub(super) shared: &'a Shared,
    pub(super) lease: &'a Lease,
    pub(super) to: Timestamp,
}

/// What is told of a walk beside what it wrote.
#[derive(Default)]
pub(super) struct Told {
    pub(super) held: Vec<HeldRun>,
    pub(super) ticks: u64,
    /// Every moment at which there was something to do.
    pub(super) moments: Vec<Timestamp>,
}

/// What is due at one moment.
struct Ticks<'a> {
    rules: &'a [&'a Rule],
    customers: u64,
    windows: &'a mut Windows,
}

/// When each rule is to be looked at next.
type Agenda<'a> = BTreeMap<&'a str, (&'a Rule, Timestamp)>;

impl<'a> Walk<'a> {
    /// Walks to the end; `progress` counts hours.
    pub(super) async fn whole(&self, progress: &Progress) -> Result<Told, AppError> {
        let start = self.app.clock.now();
        progress.expect(hours(start, self.to));
        let mut told = Told::default();
        let first = self.app.plan(self.lease, start, None).await?;
        for run in first.runs {
            self.let_go(run, start, &mut told).await?;
        }
        let mut history = History::load_with_zones(&self.app.db, &self.app.workspace.project).await?;
        let lots = Lots::cast(self.app, &self.shared.pauses(), start).await?;
        self.deliver(&lots, start).await?;
        let mut windows = Windows::new(self.app, self.shared.pauses().at(start).next().is_some(), self.to).await?;
        let customers = guard::customers(&self.app.db, &self.app.workspace.project.catalogue).await?;
        let mut agenda = Agenda::new();
        for rule in self.app.workspace.project.rules.values() {
            look_again(rule, &history, start, &mut agenda);
        }
        while let Some(now) = self.next(&agenda, &lots).await? {
            told.moments.push(now);
            self.app.clock.advance(now.since(self.app.clock.now()));
            let mut stopped = self.deliver(&lots, now.minus(Span::from_micros(1))).await?;
            let rules: Vec<&Rule> = agenda.values().filter(|(_, at)| *at == now).map(|(rule, _)| *rule).collect();
            if !rules.is_empty() {
                let ticks = Ticks { rules: &rules, customers, windows: &mut windows };
                self.plan(ticks, &mut history, now, &mut told).await?;
                for rule in rules {
                    look_again(rule, &history, now, &mut agenda);
                }
            }
            stopped.append(&mut self.deliver(&lots, now).await?);
            stopped.iter().for_each(|rule| windows.forget(rule));
            progress.add(hours(start, now).saturating_sub(progress.done()));
        }
        progress.add(hours(start, self.to).saturating_sub(progress.done()));
        self.deliver(&lots, self.to.minus(Span::from_micros(1))).await?;
        Ok(told)
    }

    /// The next moment at which there is something to do.
    async fn next(&self, agenda: &Agenda<'_>, lots: &Lots) -> Result<Option<Timestamp>, AppError> {
        let now = self.app.clock.now();
        let tick = agenda.values().map(|(_, at)| *at).min();
        let due = lots.next(self.app, now).await?;
        let pauses = self.shared.pauses();
        let resumed = pauses.at(now).filter_map(|pause| pause.paused_until).min();
        Ok([tick, due, resumed].into_iter().flatten().min().filter(|at| *at < self.to))
    }

    /// Plans what is due of `rules`.
    async fn plan(
        &self,
        ticks: Ticks<'_>,
        history: &mut History,
        now: Timestamp,
        told: &mut Told,
    ) -> Result<(), AppError> {
        let (db, project) = (&self.app.db, &self.app.workspace.project);
        let Ticks { rules, customers, windows } = ticks;
        if rules.iter().any(|rule| rule.live.at(now) && !history.is_live(&rule.name)) {
            tick::take_stock(db, project, now).await?;
            history.read_states(db).await?;
        }
        if rules.iter().any(|rule| !rule.offers.is_empty()) {
            let has_come_back = self.app.settle_offers(now).await? > 0;
            windows.wake(db, now, has_come_back).await?;
        }
        let pauses = self.shared.pauses();
        let runner = Runner { db, project, lease: self.lease, pauses: &pauses };
        let (mut runs, mut empty) = (Vec::new(), Vec::new());
        for mut tick in runner.due(rules.iter().copied(), history, now, None, &[]) {
            let sleep = windows.sleep(&tick.rule.name);
            if sleep.is_some() {
                windows.wake(db, now, false).await?;
            }
            let rows = match windows.rows(self.app, tick.rule, tick.instant).await? {
                Rows::None => {
                    empty.push((tick.rule.name.clone(), tick.instant));
                    continue;
                }
                rows => rows.pieces(),
            };
            tick.rehearsed = Some(Rehearsed { rows, customers, sleep });
            let run = runner.run(tick, now).await?;
            windows.note(&run);
            runs.push(run);
        }
        told.ticks += empty.len() as u64;
        for (rule, instant) in empty {
            history.note(&rule, instant);
        }
        for run in runs {
            history.note(&run.rule, run.instant);
            if self.let_go(run, now, told).await? {
                history.read_states(db).await?;
            }
        }
        Ok(())
    }

    /// Counts a run, and approves it if it is held; says whether it was.
    async fn let_go(&self, run: Run, now: Timestamp, told: &mut Told) -> Result<bool, AppError> {
        told.ticks += 1;
        if run.state != "held" {
            return Ok(false);
        }
        let held = settle::Run { id: run.id, rule: run.rule.clone(), instant: run.instant, state: run.state };
        let mut tx = self.app.db.begin().await?;
        match settle::approve(&mut tx, &held, "rehearsal", now).await {
            Ok(_) => tx.commit().await?,
            Err(settle::SettleError::Store(error)) => return Err(error.into()),
            // Only what is held was to be approved, and nobody else is there to do it.
            Err(_) => return Ok(false),
        }
        let reason = run.reason.unwrap_or_default();
        told.held.push(HeldRun { rule: run.rule, instant: run.instant, planned: run.counts.held, reason });
        Ok(true)
    }
}

/// Writes down when `rule` is to be looked at next.
fn look_again<'a>(rule: &'a Rule, history: &History, now: Timestamp, agenda: &mut Agenda<'a>) {
    match history.due(rule, now).1 {
        Some(next) => agenda.insert(&rule.name, (rule, next)),
        None => agenda.remove(rule.name.as_str()),
    };
}

fn hours(from: Timestamp, to: Timestamp) -> u64 {
    u64::try_from(to.since(from).micros() / HOUR.micros()).unwrap_or(0)
}
