//! Messages that wait for a place under the caps (`on_cap = "defer"`), when they are due.
//!
//! 1. A waiting message asks again, and takes its place before it may go. It counts what has a place: what was sent,
//!    and what may still go and does not wait itself, or two that wait would wait for each other.
//! 2. The claimer looks at one batch after the other, so no two waiting messages take one place.

use super::{Current, Held, Look};
use crate::courtesy::caps::Taken;
use crate::outreach::complete;
use crate::plan::candidate::Candidate;
use crate::plan::decide::Case;
use crate::plan::route;
use crate::store::caps;
use crate::store::db::Result;
use crate::store::delivery::Claimed;
use crate::store::leases;
use crate::time::Timestamp;
use crate::touchpoints::{Reason, State};
use std::collections::{HashMap, HashSet};

impl Look<'_> {
    /// Adds what has places as of `now`, where any of these messages waits for one.
    pub(super) async fn add_taken(
        &self,
        claimed: &[Claimed],
        candidates: &mut [Candidate],
        now: Timestamp,
    ) -> Result<()> {
        if claimed.iter().any(|one| one.waits) {
            complete::add_taken(&self.shared.db, &self.caps, now, candidates).await?;
            candidates.iter_mut().for_each(|candidate| candidate.taken.retain(|one| !one.waits));
        }
        Ok(())
    }

    /// A message that waits goes once there is a place for it; it waits on where that will be before it expires.
    pub(super) fn place(&self, one: &Claimed, case: Case<'_>) -> std::result::Result<(), Held> {
        let full = if one.waits { route::full(case, self.channel, one.purpose, case.now) } else { None };
        let Some(full) = full else { return Ok(()) };
        let (state, due_at) =
            if full.free_at <= one.expires_at { (State::Planned, Some(full.free_at)) } else { (State::Skipped, None) };
        let due = due_at.map(|due| format!("due {due}, ")).unwrap_or_default();
        Err((state, Reason::Capped, Some(format!("{}: {due}{}", Reason::Capped, full.detail)), due_at))
    }

    /// The place of a waiting message that goes now, for the next of the same customer.
    pub(super) fn note_place(&self, one: &Claimed, current: &mut HashMap<String, Current>, now: Timestamp) {
        if !one.waits || !self.rule.counts_toward_cap {
            return;
        }
        for other in current.values_mut().filter(|other| other.candidate.customer == one.customer) {
            other.candidate.taken.push(Taken {
                rule: self.rule.name.clone(),
                topic: self.rule.topic.clone(),
                purpose: one.purpose,
                channel: self.channel,
                at: now,
                is_open: true,
                waits: false,
            });
        }
    }

    /// Gives waiting messages that go now their places before anything else: one that is no longer ours goes nowhere.
    pub(super) async fn admit(&self, going: &mut Vec<(Claimed, String)>) -> Result<()> {
        let keys: Vec<(i64, &str)> =
            going.iter().filter(|(one, _)| one.waits).map(|(one, _)| (one.bucket, one.id.as_str())).collect();
        if keys.is_empty() {
            return Ok(());
        }
        let mut tx = self.shared.db.begin().await?;
        let buckets: HashSet<i64> = keys.iter().map(|(bucket, _)| *bucket).collect();
        let is_ours = leases::lock_some(&mut tx, &self.shared.lease, &buckets).await?;
        let admitted = if is_ours { caps::admit(&mut tx, &self.shared.lease, &keys).await? } else { Vec::new() };
        tx.commit().await?;
        going.retain(|(one, _)| !one.waits || admitted.contains(&one.id));
        Ok(())
    }
}
