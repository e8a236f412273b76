//! The claimer: takes what is due, lane by lane, readies it, and puts it into the lines of its provider.
//!
//! 1. A lane is claimed from only while its provider's line has room, so that a slow provider holds up its own lane
//!    and no other, and a promotional crowd never stands before a transactional message.
//! 2. The first provider of a channel that is not resting is used; where all rest, the lane waits.

use super::committer::{Committer, Entry};
use super::connection::settlement;
use super::engine::{Outlet, Shared};
use super::recheck::{self, Verdict};
use crate::channels::Provider;
use crate::courtesy::pauses::Scope;
use crate::rules::Purpose;
use crate::store::db::Result;
use crate::store::delivery::{self, Claimed, Lane, Withheld};
use crate::store::outcomes::Outcome;
use crate::time::Timestamp;
use crate::touchpoints::State;
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

/// How many messages are claimed in one statement at most.
const CLAIM: usize = 512;

/// What one round came to.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Round {
    pub claimed: usize,
    /// A line had no room; there may be more to claim.
    pub is_full: bool,
}

/// When a lane is claimed from, how much, and after how many stops.
#[derive(Clone, Copy)]
struct Turn {
    room: usize,
    now: Timestamp,
    stops: i64,
}

pub struct Claimer {
    shared: Arc<Shared>,
    outlets: BTreeMap<String, Outlet>,
    committer: Committer,
}

impl Claimer {
    pub const fn new(shared: Arc<Shared>, outlets: BTreeMap<String, Outlet>, committer: Committer) -> Self {
        Self { shared, outlets, committer }
    }

    /// One round over all lanes.
    pub async fn claim_all(&self) -> Result<Round> {
        let now = self.shared.clock.now();
        // before anything is looked at: what is stopped from here on is heard at the mark
        let stops = self.shared.hear().await?;
        let withheld = self.withheld(now);
        let mut round = Round { claimed: 0, is_full: false };
        for lane in Lane::all() {
            let Some(outlet) = self.outlet(lane, now) else { continue };
            if outlet.entrance.is_full(lane.purpose) {
                round.is_full = true;
            } else {
                let room = outlet.entrance.room(lane.purpose).min(CLAIM);
                round.claimed += self.claim(lane, outlet, &withheld, Turn { room, now, stops }).await?;
            }
        }
        Ok(round)
    }

    /// Waits until a line that is full has room again.
    pub async fn room(&self) {
        let waits = self.outlets.values().flat_map(|outlet| {
            let full = Purpose::ALL.iter().filter(|purpose| outlet.entrance.is_full(**purpose));
            full.map(|purpose| Box::pin(outlet.entrance.wait(*purpose)))
        });
        let waits: Vec<_> = waits.collect();
        if !waits.is_empty() {
            futures_util::future::select_all(waits).await;
        }
    }

    /// When the next message is due, or the next resting provider is to be tried.
    pub async fn next_due(&self) -> Result<Option<Timestamp>> {
        let now = self.shared.clock.now();
        let resting = self.outlets.values().filter_map(|outlet| outlet.way.resting_until(now)).min();
        let due = delivery::next_due(&self.shared.db).await?;
        Ok(match (due, resting) {
            (Some(due), Some(resting)) if due <= now => Some(resting),
            (due, _) => due,
        })
    }

    pub fn provider(&self, name: &str) -> Option<&Provider> {
        self.outlets.get(name).map(|outlet| &outlet.way.provider)
    }

    fn withheld(&self, now: Timestamp) -> Withheld {
        let mut withheld = Withheld::default();
        for pause in self.shared.pauses().at(now) {
            match &pause.scope {
                Scope::Rule(rule) => withheld.rules.push(rule.clone()),
                Scope::Customer(customer) => withheld.customers.push(customer.clone()),
                Scope::All | Scope::Channel(_) | Scope::Provider(_) => {}
            }
        }
        withheld
    }

    /// The provider that a lane uses now: the first of its channel that neither rests nor is paused.
    fn outlet(&self, lane: Lane, now: Timestamp) -> Option<&Outlet> {
        let pauses = self.shared.pauses();
        if self.shared.is_stopping()
            || pauses.holds(&Scope::All, now)
            || pauses.holds(&Scope::Channel(lane.channel), now)
        {
            return None;
        }
        let workspace = self.shared.workspace();
        let names = &workspace.project.settings.channels.get(&lane.channel)?.providers;
        names
            .iter()
            .filter(|name| !pauses.holds(&Scope::Provider((*name).clone()), now))
            .filter_map(|name| self.outlets.get(name))
            .find(|outlet| outlet.way.resting_until(now).is_none())
    }

    async fn claim(&self, lane: Lane, outlet: &Outlet, withheld: &Withheld, turn: Turn) -> Result<usize> {
        let db = &self.shared.db;
        let keys = delivery::peek(db, lane, withheld, turn.now, turn.room).await?;
        if keys.is_empty() {
            return Ok(0);
        }
        let mut tx = db.begin().await?;
        let Some(mut claimed) = delivery::take(&mut tx, &self.shared.lease, &keys).await? else { return Ok(0) };
        tx.commit().await?;
        let count = claimed.len();
        let keys: Vec<(i64, String, i64)> =
            claimed.iter().map(|one| (one.bucket, one.id.clone(), one.version)).collect();
        match self.look_again(lane, turn.stops, &mut claimed).await {
            Ok(verdicts) => {
                for verdict in verdicts {
                    self.pass_on(lane, outlet, verdict).await;
                }
                Ok(count)
            }
            Err(error) => {
                self.put_back(keys).await;
                Err(error)
            }
        }
    }

    async fn look_again(&self, lane: Lane, stops: i64, claimed: &mut Vec<Claimed>) -> Result<Vec<Verdict>> {
        self.add_words(claimed).await?;
        recheck::ready(&self.shared, lane.channel, stops, std::mem::take(claimed)).await
    }

    /// What was claimed and could not be looked at again is planned as before: nobody else would free it.
    async fn put_back(&self, keys: Vec<(i64, String, i64)>) {
        for (bucket, id, version) in keys {
            let outcome = Outcome {
                bucket,
                id,
                version,
                from: State::Claimed,
                to: State::Planned,
                reason: None,
                detail: Some("put back: the database could not be read".to_owned()),
                due_at: None,
                provider_id: None,
                cost: None,
            };
            self.committer.hand_in(Entry::Outcome { outcome, settlement: None }).await;
        }
    }

    /// A message that was tried before goes out with the words it had then.
    async fn add_words(&self, claimed: &mut [Claimed]) -> Result<()> {
        let tried: Vec<(i64, &str)> =
            claimed.iter().filter(|one| one.attempts > 0).map(|one| (one.bucket, one.id.as_str())).collect();
        if tried.is_empty() {
            return Ok(());
        }
        let words: HashMap<String, String> = delivery::words(&self.shared.db, &tried).await?.into_iter().collect();
        for one in claimed {
            one.words = words.get(&one.id).cloned();
        }
        Ok(())
    }

    async fn pass_on(&self, lane: Lane, outlet: &Outlet, verdict: Verdict) {
        match verdict {
            Verdict::Send(parcel) => {
                // Nobody takes any more only when the daemon stops: the next one finds the claim and frees it.
                let _ = outlet.entrance.put(lane.purpose, *parcel).await;
            }
            Verdict::Settle(claimed, to, reason, detail, due_at) => {
                if to != State::Planned {
                    self.shared.tally.count(to);
                }
                if let Some(reason) = reason {
                    self.shared.metrics.suppressed(reason, 1);
                }
                let outcome = Outcome {
                    bucket: claimed.bucket,
                    id: claimed.id.clone(),
                    version: claimed.version,
                    from: State::Claimed,
                    to,
                    reason,
                    detail,
                    due_at,
                    provider_id: None,
                    cost: None,
                };
                let settlement = settlement(&claimed, to);
                self.committer.hand_in(Entry::Outcome { outcome, settlement }).await;
            }
        }
    }
}
