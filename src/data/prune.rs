//! Forgetting in time: `[retention]` says after how long the words of messages go, and after how long all but the bare
//! row of a touchpoint.
//!
//! 1. Age counts from when a touchpoint was written. What is still to be sent or settled, and has time left, is left
//!    alone; its words go at the latest when its row becomes bare.
//! 2. What must survive is in `store::prune`: a pruned database, planned again, sends nothing that it has sent before.
//! 3. Work is bounded: chunks of one short transaction each, at most as many as the caller allows, with as much rest
//!    between them as they took. How far it has come is committed with each chunk, so that it goes on from there.

use crate::settings::Retention;
use crate::store::address_places;
use crate::store::db::{Db, Result};
use crate::store::prune::{self, Lost, Mark, Old};
use crate::time::Timestamp;
use std::time::{Duration, Instant};

/// How often a chunk is tried again in whose buckets a daemon works.
const TRIES: u32 = 50;
const PAUSE: Duration = Duration::from_millis(100);

/// What is forgotten, under the name of its mark.
const WORDS: &str = "words";
const TOUCHPOINTS: &str = "touchpoints";
const CODES: &str = "codes";

/// How much is done at once.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Bounds {
    /// Chunks of each kind, at most.
    pub chunks: u32,
    /// Whether to count only.
    pub dry_run: bool,
}

impl Bounds {
    /// Everything there is to do.
    pub const ALL: Self = Self { chunks: u32::MAX, dry_run: false };
    /// What a daemon does at a time, beside its work.
    pub const A_LITTLE: Self = Self { chunks: 200, dry_run: false };
}

/// What was forgotten.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Forgotten {
    /// Messages whose words went.
    pub words: u64,
    /// Touchpoints of which the bare row is left.
    pub touchpoints: u64,
    /// Refusals that went altogether.
    pub refusals: u64,
    /// Codes that nobody can use any more.
    pub codes: u64,
    /// Replies of customers whose words went.
    pub replies: u64,
    /// What providers told of messages.
    pub receipts: u64,
    /// Addresses that were remembered so that nobody else under them gets the same.
    pub places: u64,
    /// Whether there is more to do.
    pub more: bool,
}

/// Forgets what is old by `retention` at `now`.
///
/// # Errors
/// When the database refuses; what was committed stays, and the next call goes on from there.
pub async fn prune(db: &Db, retention: &Retention, now: Timestamp, bounds: Bounds) -> Result<Forgotten> {
    let mut told = Forgotten::default();
    let walk = Walk { db, now, bounds };
    walk.touchpoints(WORDS, now.minus(retention.words), &mut told).await?;
    let before = now.minus(retention.touchpoints);
    walk.touchpoints(TOUCHPOINTS, before, &mut told).await?;
    walk.codes(before, &mut told).await?;
    walk.replies(now.minus(retention.words), before, &mut told).await?;
    told.receipts = walk.receipts(before).await?;
    told.places = walk.places(before).await?;
    Ok(told)
}

struct Walk<'a> {
    db: &'a Db,
    now: Timestamp,
    bounds: Bounds,
}

impl Walk<'_> {
    /// From the mark of `what` to `before`, chunk by chunk.
    async fn touchpoints(&self, what: &str, before: Timestamp, told: &mut Forgotten) -> Result<()> {
        let mut mark = prune::mark(self.db, what).await?;
        for _ in 0..self.bounds.chunks {
            let begun = Instant::now();
            let rows = prune::older(self.db, &mark, before, self.now).await?;
            let Some(last) = rows.last() else { return Ok(()) };
            mark = Mark { number: last.created_at, id: last.id.clone() };
            let rows: Vec<Old> = rows.into_iter().filter(|row| !row.is_open).collect();
            let lost = if self.bounds.dry_run {
                self.count(what, &rows).await?
            } else if let Some(lost) = self.forget(what, &rows, &mark).await? {
                lost
            } else {
                break;
            };
            told.words += lost.words;
            told.touchpoints += lost.bared;
            told.refusals += lost.refusals;
            self.rest(begun).await;
        }
        told.more = true;
        Ok(())
    }

    /// One chunk and its mark; `None` where daemons never let go of its buckets.
    async fn forget(&self, what: &str, rows: &[Old], mark: &Mark) -> Result<Option<Lost>> {
        for _ in 0..TRIES {
            let mut tx = self.db.begin().await?;
            if prune::lock(&mut tx, rows).await? {
                let (refusals, touched) = split(what, rows);
                let mut lost = Lost { words: prune::forget_words(&mut tx, rows).await?, ..Lost::default() };
                if what == TOUCHPOINTS {
                    lost.bared = prune::make_bare(&mut tx, &touched).await?;
                    lost.refusals = prune::remove_refusals(&mut tx, &refusals).await?;
                }
                prune::set_mark(&mut tx, what, mark).await?;
                tx.commit().await?;
                return Ok(Some(lost));
            }
            drop(tx);
            tokio::time::sleep(PAUSE).await;
        }
        Ok(None)
    }

    async fn count(&self, what: &str, rows: &[Old]) -> Result<Lost> {
        let (refusals, touched) = split(what, rows);
        if what == WORDS {
            return Ok(Lost { words: prune::with_words(self.db, rows).await?, ..Lost::default() });
        }
        let bared = prune::with_more(self.db, &touched).await?;
        Ok(Lost { bared, refusals: refusals.len() as u64, ..Lost::default() })
    }

    /// Round and round over the grants: what is of use now may be of none in a year.
    async fn codes(&self, before: Timestamp, told: &mut Forgotten) -> Result<()> {
        let mut mark = if self.bounds == Bounds::A_LITTLE { prune::mark(self.db, CODES).await? } else { Mark::START };
        for _ in 0..self.bounds.chunks {
            let begun = Instant::now();
            let next = prune::next_grants(self.db, &mark).await?;
            let until = next.clone().unwrap_or(Mark::START);
            if self.bounds.dry_run {
                let Some(until) = next else { return Ok(()) };
                told.codes += prune::useless_codes(self.db, &mark, &until, before, self.now).await?;
            } else {
                let mut tx = self.db.begin().await?;
                told.codes += prune::forget_codes(&mut tx, &mark, &until, before, self.now).await?;
                prune::set_mark(&mut tx, CODES, &until).await?;
                tx.commit().await?;
            }
            if until == Mark::START {
                return Ok(());
            }
            mark = until;
            self.rest(begun).await;
        }
        Ok(())
    }

    /// What customers wrote back: its words go with the words of messages, the rest with the rest of touchpoints.
    async fn replies(&self, words: Timestamp, all: Timestamp, told: &mut Forgotten) -> Result<()> {
        if self.bounds.dry_run {
            told.replies += prune::spoken_replies(self.db, words).await?;
            return Ok(());
        }
        for _ in 0..self.bounds.chunks {
            let begun = Instant::now();
            let spoken = prune::forget_reply_words(self.db, words).await?;
            let gone = prune::forget_replies(self.db, all).await?;
            told.replies += spoken;
            if spoken + gone == 0 {
                return Ok(());
            }
            self.rest(begun).await;
        }
        told.more = true;
        Ok(())
    }

    /// What providers told before `before`, the oldest first.
    async fn receipts(&self, before: Timestamp) -> Result<u64> {
        if self.bounds.dry_run {
            return prune::old_receipts(self.db, before).await;
        }
        let mut all = 0;
        for _ in 0..self.bounds.chunks {
            let begun = Instant::now();
            match prune::forget_receipts(self.db, before).await? {
                0 => break,
                some => all += some,
            }
            self.rest(begun).await;
        }
        Ok(all)
    }

    /// Whose address had what before `before`, the oldest first.
    async fn places(&self, before: Timestamp) -> Result<u64> {
        if self.bounds.dry_run {
            return address_places::old(self.db, before).await;
        }
        let mut all = 0;
        for _ in 0..self.bounds.chunks {
            let begun = Instant::now();
            match address_places::forget(self.db, before, prune::CHUNK).await? {
                0 => break,
                some => all += some,
            }
            self.rest(begun).await;
        }
        Ok(all)
    }

    /// Leaves the database to others for as long as it was taken up.
    async fn rest(&self, begun: Instant) {
        if !self.bounds.dry_run {
            tokio::time::sleep(begun.elapsed().min(PAUSE)).await;
        }
    }
}

/// Refusals that nothing rests on, and the others.
fn split(what: &str, rows: &[Old]) -> (Vec<Old>, Vec<Old>) {
    rows.iter().cloned().partition(|row| what == TOUCHPOINTS && row.is_bare_refusal)
}
