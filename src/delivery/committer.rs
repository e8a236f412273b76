//! The committer: marks of all connections and outcomes of all messages, one group to a transaction.
//!
//! While a group is being written the next one gathers by itself, so that the more there is to do, the more shares
//! one sync. A group that the database refuses is tried again until it takes it: an outcome is never dropped.

use crate::clock::Clock;
use crate::offers::grant::Shown;
use crate::store::db::{Db, Result, StoreError};
use crate::store::leases::Lease;
use crate::store::offers::grants;
use crate::store::outcomes::{self, Mark, Outcome};
use crate::time::Span;
use std::collections::HashSet;
use tokio::sync::{OwnedSemaphorePermit, mpsc, oneshot};

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
    /// A window of messages that are about to be on the wire; the answer names those that may go.
    Marks(Vec<Mark>, oneshot::Sender<HashSet<String>>),
    /// What became of a message, and of the offer it carried. The permit is given back once that is written.
    Outcome { outcome: Outcome, settlement: Option<Settlement>, permit: Option<OwnedSemaphorePermit> },
    /// Answered when everything before it is written.
    Flush(oneshot::Sender<()>),
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

    /// Marks a window and waits until the marks are synced: the ids of those messages that may go.
    pub async fn mark(&self, marks: Vec<Mark>) -> oneshot::Receiver<HashSet<String>> {
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

fn answer(group: impl Iterator<Item = Entry>, marked: &HashSet<String>) {
    for entry in group {
        match entry {
            Entry::Marks(marks, go) => {
                let ids = marks.into_iter().map(|mark| mark.id).filter(|id| marked.contains(id));
                let _ = go.send(ids.collect());
            }
            Entry::Flush(done) => {
                let _ = done.send(());
            }
            Entry::Outcome { permit, .. } => drop(permit),
        }
    }
}

/// Writes a group; gives the ids that were marked, or `None` when the buckets are no longer ours.
async fn write(db: &Db, lease: &Lease, clock: &Clock, group: &[Entry]) -> Result<Option<HashSet<String>>> {
    let marks: Vec<&Mark> =
        group.iter().flat_map(|entry| if let Entry::Marks(marks, _) = entry { &marks[..] } else { &[] }).collect();
    let mut settled: Vec<&Outcome> = Vec::new();
    let mut settlements: Vec<(i64, &str, Shown)> = Vec::new();
    for entry in group {
        if let Entry::Outcome { outcome, settlement, .. } = entry {
            settled.push(outcome);
            settlements.extend(settlement.as_ref().map(Settlement::fate));
        }
    }
    if marks.is_empty() && settled.is_empty() {
        return Ok(Some(HashSet::new()));
    }
    let now = clock.now();
    let mut tx = db.begin().await?;
    let marked = match outcomes::write(&mut tx, lease, &settled, &marks, now).await {
        Err(StoreError::LostLease) => return Ok(None),
        marked => marked?,
    };
    if !settlements.is_empty() {
        grants::settle(&mut tx, &settlements, now).await?;
    }
    tx.commit().await?;
    Ok(Some(marked))
}
