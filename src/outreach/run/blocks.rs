//! Budget for the messages of one chunk: taken as a block before it is decided about, what is left given back behind it.

use super::Writer;
use crate::offers::Spent;
use crate::outreach::judge::Judged;
use crate::store::db::{Result, Tx};
use crate::store::offers as ledger;
use crate::store::offers::grants::{self, Block};

/// What was taken out of the budgets for one chunk, by the offer's place in the rule's list.
pub(super) struct Blocks {
    taken: Vec<Block>,
    used: Vec<usize>,
}

impl Blocks {
    pub(super) async fn reserve(tx: &mut Tx, writer: &Writer<'_>, chunk: &[Judged]) -> Result<Self> {
        let offers = &writer.question.offers;
        ledger::lock(tx, offers, writer.day()).await?;
        let mut taken = Vec::new();
        for (place, offer) in offers.iter().enumerate() {
            let wanted = chunk.iter().filter(|one| one.candidate.offers.get(place).is_some_and(|facts| facts.eligible));
            taken.push(grants::take(tx, offer, writer.day(), wanted.count() as u64).await?);
        }
        Ok(Self { used: vec![0; taken.len()], taken })
    }

    /// One grant of the offer at `place`.
    ///
    /// # Errors
    /// What there is no more of.
    pub(super) fn take(&mut self, place: usize) -> std::result::Result<(), Spent> {
        if self.used[place] == self.taken[place].codes.len() {
            return Err(self.taken[place].until);
        }
        self.used[place] += 1;
        Ok(())
    }

    /// The code of the grant that was taken last.
    pub(super) fn code(&self, place: usize) -> Option<String> {
        self.taken[place].codes.get(self.used[place].checked_sub(1)?).cloned().flatten()
    }

    /// Gives back what was not used.
    pub(super) async fn give_back(self, tx: &mut Tx, writer: &Writer<'_>) -> Result<()> {
        for (place, offer) in writer.question.offers.iter().enumerate() {
            let rest = &self.taken[place].codes[self.used[place]..];
            if !rest.is_empty() {
                grants::give_back(tx, offer, writer.day(), rest).await?;
            }
        }
        Ok(())
    }
}
