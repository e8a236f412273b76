//! What a changed rule would change: two forecasts of one tick, of the rule in force and of the changed one, side by side.
//!
//! 1. Both judge the same data, history and moment. Reached is who would get it, or has had it.
//! 2. Whoever has had a message of the rule about the same row, would get none by the rule in force and one by the
//!    changed rule, would be written to again: that is never called new.
//! 3. Forecasts are compared bucket by bucket: what is remembered is a 256th part of the audience, whatever its size.

use super::foresee::walk::Walk;
use super::foresee::{Fate, Foresight};
use crate::plan::Counts;
use crate::plan::decide::Decision;
use crate::progress::Progress;
use crate::store::db::Result;
use crate::store::log;
use crate::touchpoints::Reason;
use std::collections::BTreeMap;

/// How many are named of each kind.
pub const EXAMPLES: usize = 10;

/// A customer, and the row it is about.
pub type Whom = (String, String);

/// So many, and the first of them.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Group {
    pub count: u64,
    pub examples: Vec<Whom>,
}

impl Group {
    fn add(&mut self, whom: Whom) {
        self.count += 1;
        if self.examples.len() < EXAMPLES {
            self.examples.push(whom);
        }
    }
}

/// What differs between two forecasts.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Difference {
    pub newly_reached: Group,
    pub no_longer_reached: Group,
    pub unchanged: Group,
    /// Should be none.
    pub sent_again: Group,
    /// Of the changed rule's run.
    pub counts: Counts,
}

impl Difference {
    /// Whether anybody is told apart by the change.
    pub const fn is_any(&self) -> bool {
        self.newly_reached.count + self.no_longer_reached.count + self.sent_again.count > 0
    }
}

/// What becomes of one row.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Reach {
    /// A message would go, or would but for a holdout.
    Goes,
    /// It went before.
    Had,
    Refused,
}

fn reach(decision: &Decision) -> Reach {
    match decision {
        Decision::Plan(_) | Decision::HoldOut(..) => Reach::Goes,
        Decision::Refuse(refusal) => match refusal.reason {
            Reason::AlreadyTouched | Reason::AgainTooSoon => Reach::Had,
            _ => Reach::Refused,
        },
    }
}

/// A walk with what it has read of the next bucket.
struct Side<'q> {
    walk: Walk<'q>,
    ahead: Vec<Fate>,
    at_end: bool,
}

type Reached = BTreeMap<Whom, Reach>;

impl Side<'_> {
    /// Everybody of a bucket; buckets are asked for in order.
    async fn bucket(&mut self, bucket: i64, progress: &Progress) -> Result<Reached> {
        let mut reached = Reached::new();
        loop {
            let until = self.ahead.partition_point(|fate| fate.judged.candidate.bucket <= bucket);
            for fate in self.ahead.drain(..until) {
                let candidate = fate.judged.candidate;
                reached.insert((candidate.customer, candidate.entity), reach(&fate.decision));
            }
            if !self.ahead.is_empty() || self.at_end {
                return Ok(reached);
            }
            match self.walk.next().await? {
                Some(fates) => {
                    progress.add(fates.len() as u64);
                    self.ahead = fates;
                }
                None => self.at_end = true,
            }
        }
    }
}

/// Compares `after` with `before`; without that the rule is new.
///
/// # Errors
/// When the database refuses.
pub async fn compare(before: Option<&Foresight<'_>>, after: &Foresight<'_>, progress: &Progress) -> Result<Difference> {
    let question = after.question();
    let mut new = Side { walk: Walk::begin(after, &question, true).await?, ahead: Vec::new(), at_end: false };
    let asked = before.map(|before| (before, before.question()));
    let mut old = match &asked {
        Some((before, question)) => {
            Some(Side { walk: Walk::begin(before, question, true).await?, ahead: Vec::new(), at_end: false })
        }
        None => None,
    };
    let mut difference = Difference::default();
    for bucket in 0..crate::ids::BUCKETS {
        let then = match &mut old {
            Some(side) => side.bucket(bucket, progress).await?,
            None => Reached::new(),
        };
        let now = new.bucket(bucket, progress).await?;
        sort_out(after, bucket, then, now, &mut difference).await?;
    }
    difference.counts = new.walk.counts();
    Ok(difference)
}

async fn sort_out(
    after: &Foresight<'_>,
    bucket: i64,
    mut then: Reached,
    now: Reached,
    difference: &mut Difference,
) -> Result<()> {
    let mut fresh = Vec::new();
    for (whom, reach) in now {
        match (then.remove(&whom), reach) {
            (Some(Reach::Goes), Reach::Goes) | (Some(Reach::Had), Reach::Had) => difference.unchanged.add(whom),
            (Some(Reach::Had), Reach::Goes) => difference.sent_again.add(whom),
            (Some(Reach::Refused) | None, Reach::Goes) => fresh.push(whom),
            (Some(Reach::Goes), Reach::Had | Reach::Refused) | (Some(Reach::Had), Reach::Refused) => {
                difference.no_longer_reached.add(whom);
            }
            (Some(Reach::Refused) | None, Reach::Had | Reach::Refused) => {}
        }
    }
    for (whom, _) in then.into_iter().filter(|(_, reach)| *reach != Reach::Refused) {
        difference.no_longer_reached.add(whom);
    }
    let had = log::touched(after.db, &after.rule.name, bucket, &fresh).await?;
    for whom in fresh {
        if had.contains(&whom) {
            difference.sent_again.add(whom);
        } else {
            difference.newly_reached.add(whom);
        }
    }
    Ok(())
}
