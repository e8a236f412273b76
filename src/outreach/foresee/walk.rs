//! A forecast as it goes: everybody whom a rule matches, in the order of the run, a chunk at a time.

use super::stock::{Stock, turns};
use super::{Fate, Foresight};
use crate::data::suppress::Hasher;
use crate::ids::BUCKETS;
use crate::offers::Spent;
use crate::outreach::addresses;
use crate::outreach::judge::{Chunks, Judged, Question};
use crate::plan::Counts;
use crate::plan::audience::Among;
use crate::plan::decide::{Case, Decision, decide};
use crate::plan::meanwhile::Meanwhile;
use crate::store::db::Result;
use crate::store::runs;

/// What was given so far, and who comes next.
pub struct Walk<'q> {
    foresight: &'q Foresight<'q>,
    question: &'q Question<'q>,
    chunks: Chunks<'q>,
    hasher: Option<Hasher>,
    stock: Stock,
    meanwhile: Meanwhile,
    repeated: u64,
    counts: Counts,
}

impl<'q> Walk<'q> {
    /// Begins with the first bucket. What was touched already is passed over and counted, unless `with_touched`.
    pub async fn begin(foresight: &'q Foresight<'q>, question: &'q Question<'q>, with_touched: bool) -> Result<Self> {
        let db = foresight.db;
        let among = Among::Buckets(0, BUCKETS - 1);
        let hasher = addresses::hasher(db, foresight.rule).await?;
        let stock = Stock::load(db, question).await?;
        let mut counts = Counts::default();
        // What never ran has touched nobody, and need not be counted.
        if runs::any(db, &foresight.rule.name).await? {
            let touched = db.fetch_one(question.audience().touched(among)).await?;
            counts.already_touched = touched.map_or(0, |row| u64::try_from(row.int(0)).unwrap_or(0));
        }
        let meanwhile = Meanwhile::paced(turns(db, question).await?);
        let chunks = question.foreseen(db, among, with_touched);
        Ok(Self { foresight, question, chunks, hasher, stock, meanwhile, repeated: 0, counts })
    }

    /// The next chunk, decided about; `None` at the end.
    pub async fn next(&mut self) -> Result<Option<Vec<Fate>>> {
        let Some(mut chunk) = self.chunks.next(&mut self.repeated).await? else { return Ok(None) };
        self.foresight.hold_addresses(self.question, self.hasher.as_ref(), &mut chunk).await?;
        let mut fates = Vec::with_capacity(chunk.len());
        for judged in chunk {
            fates.push(self.fate(judged));
        }
        Ok(Some(fates))
    }

    fn fate(&mut self, mut judged: Judged) -> Fate {
        let (foresight, question) = (self.foresight, self.question);
        let decision = match already(foresight, question, &judged) {
            Some(decision) => decision,
            None => {
                let (stock, meanwhile) = (&mut self.stock, &mut self.meanwhile);
                foresight.decide(question, &mut judged, stock, meanwhile, &mut self.counts)
            }
        };
        Fate { judged, decision }
    }

    /// The counts of the run, once it has come to its end.
    pub fn counts(mut self) -> Counts {
        self.counts.already_touched += self.repeated;
        self.counts
    }
}

/// The decision about a row that was touched already: it takes nothing from anybody.
pub(super) fn already(foresight: &Foresight<'_>, question: &Question<'_>, judged: &Judged) -> Option<Decision> {
    judged.candidate.existing.as_ref().filter(|row| row.state.counts_as_touched())?;
    let (rule, candidate, policy) = (foresight.rule, &judged.candidate, &question.policy());
    Some(decide(Case { rule, candidate, policy, now: foresight.at, turns: None }, &mut |_| Err(Spent::Total)))
}
