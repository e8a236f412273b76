//! Budget for the messages of one chunk: taken as a block before it is decided about, what is left given back behind it.

use super::Writer;
use crate::outreach::judge::Judged;
use crate::store::db::{Result, Tx};
use crate::store::offers::{self as ledger, grants};

/// What was taken out of the budgets for one chunk, by the offer's place in the rule's list: one code, or none for an
/// offer without codes, for each grant that is paid for.
pub(super) struct Blocks {
    taken: Vec<Vec<Option<String>>>,
    used: Vec<usize>,
}

impl Blocks {
    pub(super) async fn reserve(tx: &mut Tx, writer: &Writer<'_>, chunk: &[Judged]) -> Result<Self> {
        let offers = &writer.question.offers;
        ledger::lock(tx, offers, writer.day()).await?;
        let mut taken = Vec::new();
        for (place, offer) in offers.iter().enumerate() {
            let wanted = chunk.iter().filter(|one| one.candidate.offers.get(place).is_some_and(|facts| facts.eligible));
            let wanted = wanted.count() as u64;
            taken.push(if wanted == 0 { Vec::new() } else { grants::take(tx, offer, writer.day(), wanted).await? });
        }
        Ok(Self { used: vec![0; taken.len()], taken })
    }

    /// One grant of the offer at `place`, if there is one left.
    pub(super) fn take(&mut self, place: usize) -> bool {
        let is_left = self.used[place] < self.taken[place].len();
        self.used[place] += usize::from(is_left);
        is_left
    }

    /// The code of the grant that was taken last.
    pub(super) fn code(&self, place: usize) -> Option<String> {
        self.taken[place].get(self.used[place].checked_sub(1)?).cloned().flatten()
    }

    /// Gives back what was not used.
    pub(super) async fn give_back(self, tx: &mut Tx, writer: &Writer<'_>) -> Result<()> {
        for (place, offer) in writer.question.offers.iter().enumerate() {
            let rest = &self.taken[place][self.used[place]..];
            if !rest.is_empty() {
                grants::give_back(tx, offer, writer.day(), rest).await?;
            }
        }
        Ok(())
    }
}
