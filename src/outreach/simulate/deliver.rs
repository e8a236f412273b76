//! What becomes of messages when they are due in a rehearsal.
//!
//! 1. The last look is the real one, and what passes it is sent. It is left out where it cannot find anything else than
//!    planning did: those messages are sent by one statement.
//! 2. A message is settled at the moment at which it is due, whenever that is written down.

use super::walk::Walk;
use crate::app::{App, AppError};
use crate::courtesy::pauses::{Pauses, Scope};
use crate::delivery::connection::settlement;
use crate::delivery::recheck::{self, Judged};
use crate::expr::Clause;
use crate::rules::{Channel, Live, Rule};
use crate::store::delivery::{self, Lane, Withheld};
use crate::store::offers::grants;
use crate::store::rehearsal::fates::{self, Fate, Ordinary};
use crate::time::{Span, Timestamp};
use crate::touchpoints::State;
use std::collections::BTreeSet;

/// The entity of plusone's own touchpoints.
const TOUCHPOINT: &str = "touchpoint";

/// What is claimed: what is due by `until`, and when it counts as settled at the earliest.
struct Turn {
    until: Timestamp,
    since: Timestamp,
    withheld: Withheld,
}

/// How many messages are looked at by one set of statements.
const CLAIM: usize = 512;

/// Which rules' messages can be sent as they were planned, and which are looked at when they are due.
pub(super) struct Lots {
    ordinary: Ordinary,
    /// Names of the other rules: a JSON array of arrays of one.
    looked_at: String,
    /// What was due before counts as due then: when the rehearsal began, or now where a pause may just have ended.
    since: Option<Timestamp>,
    /// When messages are due that were planned before: they are looked at then, of whatever rule they are.
    before: BTreeSet<Timestamp>,
}

impl Lots {
    /// The last look would find what planning found: the data stand still, and nothing is paused. Only what reads
    /// touchpoints may find others by then, and a rule may be live no longer.
    pub(super) async fn cast(app: &App, pauses: &Pauses, began: Timestamp) -> Result<Self, AppError> {
        let project = &app.workspace.project;
        let settings = &project.settings;
        let bad_moments = settings.no_promotions_while.iter().any(|moment| moment.clause.reads_touchpoints());
        let reads = |rule: &Rule| {
            let offers = rule.offers.iter().filter_map(|name| project.offers.get(name));
            let mut clauses = rule.when.iter().chain(&rule.unless).chain(offers.flat_map(|offer| &offer.eligible));
            clauses.any(Clause::reads_touchpoints)
                || rule.may_be_promotional() && bad_moments
                || rule.for_each == TOUCHPOINT
        };
        let is_paused = pauses.at(began).next().is_some();
        let (ordinary, others): (Vec<&Rule>, Vec<&Rule>) =
            project.rules.values().partition(|rule| !is_paused && rule.live == Live::Always && !reads(rule));
        let names = |rules: Vec<&Rule>| {
            let names = rules.into_iter().map(|rule| serde_json::json!([rule.name]));
            serde_json::Value::Array(names.collect()).to_string()
        };
        let prices = Channel::ALL.iter().map(|channel| (*channel, settings.price(*channel))).collect();
        let ordinary = Ordinary { rules: names(ordinary), began, prices };
        let before = fates::due_before(&app.db, began).await?;
        Ok(Self { ordinary, looked_at: names(others), since: (!is_paused).then_some(began), before })
    }

    /// The first moment after `now` at which something is to be looked at.
    pub(super) async fn next(&self, app: &App, now: Timestamp) -> Result<Option<Timestamp>, AppError> {
        let next = fates::next_look(&app.db, &self.looked_at, now).await?;
        let before = self.before.range(now.plus(Span::from_micros(1))..).next().copied();
        Ok(next.into_iter().chain(before).min())
    }
}

impl Walk<'_> {
    /// Settles all that is due by `until`, in rounds over the lanes like the claimer's. Gives the rules of which a
    /// message did not go: their customers may be candidates again.
    pub(super) async fn deliver(&self, lots: &Lots, until: Timestamp) -> Result<BTreeSet<String>, AppError> {
        let db = &self.app.db;
        let mut stopped = BTreeSet::new();
        if !fates::is_due(db, until).await? {
            return Ok(stopped);
        }
        fates::send(db, &lots.ordinary, until).await?;
        if !fates::is_due(db, until).await? {
            return Ok(stopped);
        }
        let turn = Turn { until, since: lots.since.unwrap_or(self.app.clock.now()), withheld: self.withheld() };
        loop {
            let mut claimed = 0;
            for lane in Lane::all().filter(|lane| self.is_open(*lane)) {
                claimed += self.claim(lane, &turn, &mut stopped).await?;
            }
            if claimed == 0 {
                return Ok(stopped);
            }
        }
    }

    fn withheld(&self) -> Withheld {
        let mut withheld = Withheld::default();
        for pause in self.shared.pauses().at(self.app.clock.now()) {
            match &pause.scope {
                Scope::Rule(rule) => withheld.rules.push(rule.clone()),
                Scope::Customer(customer) => withheld.customers.push(customer.clone()),
                Scope::All | Scope::Channel(_) | Scope::Provider(_) => {}
            }
        }
        withheld
    }

    /// Whether the lane's channel has a provider that is not paused.
    fn is_open(&self, lane: Lane) -> bool {
        let now = self.app.clock.now();
        let pauses = self.shared.pauses();
        let channels = &self.app.workspace.project.settings.channels;
        let providers = channels.get(&lane.channel).map(|settings| settings.providers.as_slice()).unwrap_or_default();
        !pauses.holds(&Scope::All, now)
            && !pauses.holds(&Scope::Channel(lane.channel), now)
            && providers.iter().any(|name| !pauses.holds(&Scope::Provider(name.clone()), now))
    }

    async fn claim(&self, lane: Lane, turn: &Turn, stopped: &mut BTreeSet<String>) -> Result<usize, AppError> {
        let db = &self.app.db;
        let keys = delivery::peek(db, lane, &turn.withheld, turn.until, CLAIM).await?;
        if keys.is_empty() {
            return Ok(0);
        }
        let mut tx = db.begin().await?;
        let Some(claimed) = delivery::take(&mut tx, self.lease, &keys).await? else { return Ok(0) };
        tx.commit().await?;
        let count = claimed.len();
        let judged = recheck::judge(self.shared, lane.channel, claimed).await?;
        stopped.extend(judged.held.iter().map(|(one, _)| one.rule.clone()));
        self.settle(lane, &judged, turn.since).await?;
        Ok(count)
    }

    async fn settle(&self, lane: Lane, judged: &Judged, since: Timestamp) -> Result<(), AppError> {
        let price = self.app.workspace.project.settings.price(lane.channel);
        let sent = judged.going.iter().map(|one| Fate {
            bucket: one.bucket,
            id: one.id.clone(),
            state: State::Sent,
            reason: None,
            due_at: None,
            cost: Some(price),
        });
        let held = judged.held.iter().map(|(one, (state, reason, _, due_at))| Fate {
            bucket: one.bucket,
            id: one.id.clone(),
            state: *state,
            reason: Some(*reason),
            due_at: *due_at,
            cost: None,
        });
        let fates: Vec<Fate> = sent.chain(held).collect();
        let offers = judged.going.iter().map(|one| settlement(one, State::Sent));
        let offers = offers.chain(judged.held.iter().map(|(one, (state, ..))| settlement(one, *state)));
        let offers: Vec<_> = offers.flatten().collect();
        let shown: Vec<_> = offers.iter().map(crate::delivery::committer::Settlement::fate).collect();
        let mut tx = self.app.db.begin().await?;
        fates::settle(&mut tx, &fates, since).await?;
        grants::settle(&mut tx, &shown, self.app.clock.now()).await?;
        tx.commit().await?;
        Ok(())
    }
}
