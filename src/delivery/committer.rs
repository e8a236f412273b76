//! The committer: marks of all connections and outcomes of all messages, one group to a transaction.
//!
//! Entries are written in the order in which they were handed in, those of one group at once: a mark that was handed in
//! after an outcome is never there without it.
//!
//! While a group is being written the next one gathers by itself, so that the more there is to do, the more shares
//! one sync. A group that the database refuses is tried again until it takes it: an outcome is never dropped. What was
//! stopped since it was looked at is not marked, and that is decided in the transaction that marks.

use super::stops::{self, Stop};
use crate::clock::Clock;
use crate::offers::grant::Shown;
use crate::store::db::{Db, Result, StoreError, Tx};
use crate::store::leases::Lease;
use crate::store::offers::grants;
use crate::store::outcomes::{Group, Mark, Outcome};
use crate::time::{Span, Timestamp};
use crate::touchpoints::State;
use std::collections::{HashMap, HashSet};
use tokio::sync::{mpsc, oneshot};

/// How much of a group is gathered at most.
const GROUP: usize = 1_000;
/// How often other tasks are let through before a group is written.
const ROUNDS: usize = 20;
/// How long the committer waits before it tries a refused group again.
const PATIENCE: Span = Span::from_millis(500);

/// What an outcome means for the offer that the message carried.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Settlement {
    pub bucket: i64,
    pub touchpoint: String,
    pub shown: Shown,
}

impl Settlement {
    pub fn fate(&self) -> (i64, &str, Shown) {
        (self.bucket, &self.touchpoint, self.shown)
    }
}

/// Something to be written.
#[derive(Debug)]
pub enum Entry {
    /// A window of messages that are about to be on the wire; the answer says which of them may go.
    Marks(Vec<Mark>, oneshot::Sender<Marked>),
    /// What became of a message, and of the offer it carried.
    Outcome { outcome: Outcome, settlement: Option<Settlement> },
    /// Answered when everything before it is written.
    Flush(oneshot::Sender<()>),
}

/// What became of marks, by the messages' ids.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Marked {
    /// Those that may go.
    pub go: HashSet<String>,
    /// Those that were stopped since they were looked at; that is written down already.
    pub stopped: HashMap<String, Stop>,
}

/// Where entries are handed in.
#[derive(Clone, Debug)]
pub struct Committer {
    entries: mpsc::Sender<Entry>,
}

impl Committer {
    /// Starts the committer; it ends when the last handle is dropped, or when the lease is lost.
    pub fn start(db: Db, lease: Lease, clock: Clock) -> (Self, tokio::task::JoinHandle<()>) {
        let (entries, inbox) = mpsc::channel(GROUP);
        let task = tokio::spawn(work(db, lease, clock, inbox));
        (Self { entries }, task)
    }

    /// Marks a window; the answer comes when the marks are synced.
    pub async fn mark(&self, marks: Vec<Mark>) -> oneshot::Receiver<Marked> {
        let (answer, go) = oneshot::channel();
        // A committer that has stopped drops the answer, and nothing goes.
        let _ = self.entries.send(Entry::Marks(marks, answer)).await;
        go
    }

    /// Hands in an entry that needs no answer.
    pub async fn hand_in(&self, entry: Entry) {
        // A committer that has stopped has lost its lease: whoever took over settles what was in hand.
        let _ = self.entries.send(entry).await;
    }

    /// Waits until all that was handed in before is written.
    pub async fn flush(&self) {
        let (answer, done) = oneshot::channel();
        if self.entries.send(Entry::Flush(answer)).await.is_ok() {
            let _ = done.await;
        }
    }
}

async fn work(db: Db, lease: Lease, clock: Clock, mut inbox: mpsc::Receiver<Entry>) {
    let mut group = Vec::with_capacity(GROUP);
    while inbox.recv_many(&mut group, GROUP).await > 0 {
        gather(&mut group, &mut inbox).await;
        let mut told = false;
        loop {
            match write(&db, &lease, &clock, &group).await {
                Ok(Some(marked)) => {
                    answer(group.drain(..), &marked);
                    break;
                }
                Ok(None) => {
                    tracing::error!("another daemon has taken over; this one writes and sends nothing more");
                    return;
                }
                Err(error) => {
                    if !std::mem::replace(&mut told, true) {
                        tracing::error!(%error, "outcomes cannot be written; sending waits until they can");
                    }
                    tokio::time::sleep(PATIENCE.to_std()).await;
                }
            }
        }
        if told {
            tracing::info!("outcomes are written again");
        }
    }
}

/// Lets every connection that is ready to hand something in do so before a sync is paid for: the dearest part of a
/// group is its commit, and a group of one costs as much as a group of forty.
async fn gather(group: &mut Vec<Entry>, inbox: &mut mpsc::Receiver<Entry>) {
    for _ in 0..ROUNDS {
        tokio::task::yield_now().await;
        while group.len() < GROUP
            && let Ok(entry) = inbox.try_recv()
        {
            group.push(entry);
        }
    }
}

fn answer(group: impl Iterator<Item = Entry>, marked: &Marked) {
    for entry in group {
        match entry {
            Entry::Marks(marks, go) => {
                let mut of_these = Marked::default();
                for Mark { id, .. } in marks {
                    if let Some(stop) = marked.stopped.get(&id) {
                        of_these.stopped.insert(id, *stop);
                    } else if marked.go.contains(&id) {
                        of_these.go.insert(id);
                    }
                }
                let _ = go.send(of_these);
            }
            Entry::Flush(done) => {
                let _ = done.send(());
            }
            Entry::Outcome { .. } => {}
        }
    }
}

/// Writes a group; `None` when the buckets are no longer ours.
async fn write(db: &Db, lease: &Lease, clock: &Clock, group: &[Entry]) -> Result<Option<Marked>> {
    let marks: Vec<&Mark> =
        group.iter().flat_map(|entry| if let Entry::Marks(marks, _) = entry { &marks[..] } else { &[] }).collect();
    let mut settled: Vec<&Outcome> = Vec::new();
    let mut settlements: Vec<Fate<'_>> = Vec::new();
    for entry in group {
        if let Entry::Outcome { outcome, settlement, .. } = entry {
            settled.push(outcome);
            settlements.extend(settlement.as_ref().map(Settlement::fate));
        }
    }
    if marks.is_empty() && settled.is_empty() {
        return Ok(Some(Marked::default()));
    }
    let now = clock.now();
    let hands = Hands { db, lease, now };
    match hands.write(&settled, &marks, settlements).await {
        Err(StoreError::LostLease) => Ok(None),
        written => written.map(Some),
    }
}

/// What becomes of the offer of a touchpoint (bucket, id).
type Fate<'a> = (i64, &'a str, Shown);

/// What writing needs.
struct Hands<'a> {
    db: &'a Db,
    lease: &'a Lease,
    now: Timestamp,
}

impl Hands<'_> {
    /// Writes a group in one go where it can be: nobody said stop meanwhile, and no offer is touched.
    async fn write(&self, settled: &[&Outcome], marks: &[&Mark], offers: Vec<Fate<'_>>) -> Result<Marked> {
        let count = marks.first().map(|mark| mark.going.stops);
        let is_simple = offers.is_empty() && marks.iter().all(|mark| Some(mark.going.stops) == count);
        if !is_simple {
            return self.write_in_steps(settled, marks, offers).await;
        }
        let group = Group { lease: self.lease, outcomes: settled, marks, now: self.now };
        let written = group.write_alone(self.db).await?;
        if written.stops == count {
            return Ok(Marked { go: written.marked, stopped: HashMap::new() });
        }
        // None of them was marked: all were looked at before the stop.
        self.write_in_steps(&[], marks, offers).await
    }

    async fn write_in_steps<'m>(
        &self,
        settled: &[&Outcome],
        marks: &[&'m Mark],
        mut offers: Vec<Fate<'m>>,
    ) -> Result<Marked> {
        let mut tx = self.db.begin().await?;
        let written = Group { lease: self.lease, outcomes: settled, marks, now: self.now }.write(&mut tx).await?;
        let mut marked = Marked { go: written.marked, stopped: HashMap::new() };
        if let Some(count) = written.stops {
            let late: Vec<&Mark> = marks.iter().copied().filter(|mark| mark.going.stops != count).collect();
            if !late.is_empty() {
                offers.extend(self.look_again(&mut tx, &late, count, &mut marked).await?);
            }
        }
        if !offers.is_empty() {
            grants::settle(&mut tx, &offers, self.now).await?;
        }
        tx.commit().await?;
        Ok(marked)
    }

    /// Looks again at messages that were looked at before the last stop, marks those that may go all the same and
    /// settles the others. Gives what that means for their offers.
    async fn look_again<'m>(
        &self,
        tx: &mut Tx,
        late: &[&'m Mark],
        count: i64,
        marked: &mut Marked,
    ) -> Result<Vec<Fate<'m>>> {
        let stopped = stops::stopped(self.db, tx, late, self.now).await?;
        let (ended, going): (Vec<&Mark>, Vec<&Mark>) = late.iter().partition(|mark| stopped.contains_key(&mark.id));
        let outcomes: Vec<Outcome> = ended.iter().map(|mark| outcome(mark, stopped[&mark.id])).collect();
        let going: Vec<Mark> = going.into_iter().map(|mark| looked_at(mark, count)).collect();
        let outcomes: Vec<&Outcome> = outcomes.iter().collect();
        let going: Vec<&Mark> = going.iter().collect();
        let group = Group { lease: self.lease, outcomes: &outcomes, marks: &going, now: self.now };
        marked.go.extend(group.write(tx).await?.marked);
        let freed = ended.iter().filter(|mark| mark.going.carries_offer && stopped[&mark.id].to == State::Skipped);
        let freed = freed.map(|mark| (mark.bucket, mark.id.as_str(), Shown::No)).collect();
        marked.stopped = stopped;
        Ok(freed)
    }
}

/// The mark of a message that was looked at while the count of stops was `count`.
fn looked_at(mark: &Mark, count: i64) -> Mark {
    let mut mark = mark.clone();
    mark.going.stops = count;
    mark
}

fn outcome(mark: &Mark, stop: Stop) -> Outcome {
    Outcome {
        bucket: mark.bucket,
        id: mark.id.clone(),
        version: mark.going.version,
        from: State::Claimed,
        to: stop.to,
        reason: Some(stop.reason),
        detail: (stop.to == State::Planned).then(|| "put back: paused".to_owned()),
        due_at: None,
        provider_id: None,
        cost: None,
    }
}
