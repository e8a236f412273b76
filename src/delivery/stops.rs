//! Stops that were committed between the last look at a message and its mark.
//!
//! Asked within the transaction that marks, while the count of stops is held: what is read here is all that was
//! committed before the mark. A few statements for all messages, and only when the count has moved.

use crate::contact::is_covered;
use crate::courtesy::consent::{Answer, Entry, Source, SourceKind};
use crate::data::suppress::Hasher;
use crate::store::consents;
use crate::store::db::{Db, Result, Tx};
use crate::store::outcomes::Mark;
use crate::store::{pauses, suppressions};
use crate::time::Timestamp;
use crate::touchpoints::{Reason, State};
use std::collections::HashMap;

/// What stopped a message, and where it goes: a pause puts it back, all else ends it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Stop {
    pub to: State,
    pub reason: Reason,
}

/// The messages of `marks` that may no longer go, by their ids.
pub async fn stopped(db: &Db, tx: &mut Tx, marks: &[&Mark], now: Timestamp) -> Result<HashMap<String, Stop>> {
    let mut stopped = HashMap::new();
    let pauses = pauses::load(db).await?;
    for mark in marks {
        let going = &mark.going;
        if pauses.is_paused(&going.rule, Some(going.channel), Some(&mark.provider), &going.customer, now) {
            stopped.insert(mark.id.clone(), Stop { to: State::Planned, reason: Reason::Paused });
        }
    }
    for (place, said) in consents::current(tx, &questions(marks)).await? {
        if said.answer == Answer::No {
            stopped.insert(marks[place].id.clone(), Stop { to: State::Skipped, reason: Reason::NoConsent });
        }
    }
    for id in suppressed(db, marks, now).await? {
        stopped.insert(id, Stop { to: State::Skipped, reason: Reason::Suppressed });
    }
    Ok(stopped)
}

/// What is asked of the ledger; of an entry that is asked for, only whom and what it is about is looked at.
fn questions(marks: &[&Mark]) -> Vec<Entry> {
    let asking = Source::new(SourceKind::Unknown, "");
    let question = |mark: &&Mark| {
        let (going, never) = (&mark.going, Timestamp::from_micros(0));
        Entry::said(&going.customer, &going.topic, going.channel.as_str(), Answer::No, never, asking.clone())
    };
    marks.iter().map(question).collect()
}

async fn suppressed(db: &Db, marks: &[&Mark], now: Timestamp) -> Result<Vec<String>> {
    if !suppressions::is_any(db).await? {
        return Ok(Vec::new());
    }
    let hasher = Hasher::load(db).await?;
    let mut by_hash: HashMap<String, Vec<&Mark>> = HashMap::new();
    for mark in marks {
        by_hash.entry(hasher.hash(&mark.address)).or_default().push(mark);
    }
    let hashes: Vec<String> = by_hash.keys().cloned().collect();
    let mut ids = Vec::new();
    for found in suppressions::lookup(db, &hashes, now).await? {
        let of = by_hash.get(&found.address_hash).into_iter().flatten();
        let covered = of.filter(|mark| {
            let going = &mark.going;
            is_covered(&found.scope, &going.topic, going.purpose, going.channel)
        });
        ids.extend(covered.map(|mark| mark.id.clone()));
    }
    Ok(ids)
}
