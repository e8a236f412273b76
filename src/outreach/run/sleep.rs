//! What a rehearsal need not judge again: refusals that stand sleep until they may be other.

use super::Writer;
use crate::plan::Counts;
use crate::plan::audience::Asleep;
use crate::plan::candidate::{Address, Candidate};
use crate::plan::decide::Case;
use crate::plan::standing::{Standing, standing};
use crate::store::db::{Result, Tx};
use crate::store::rehearsal::sleepers;
use crate::time::{Date, Span, Timestamp};
use crate::touchpoints::Reason;

impl Writer<'_> {
    /// Until when a refusal is not judged again, where a rehearsal is certain of it.
    pub(super) fn asleep_until(&self, candidate: &Candidate, reason: Reason) -> Option<Timestamp> {
        let (rule, policy) = (self.question.rule, self.question.policy());
        let case = Case { rule, candidate, policy: &policy, now: self.question.as_of, turns: None };
        let until = match standing(case, reason, &self.question.offers, self.shares_address(candidate))? {
            Standing::Until(instant) => instant,
            Standing::WhileBudgetIsOut => self.end_of_day(),
        };
        Some(until.minus(Span::from_micros(1)))
    }

    /// Whether another customer has one of the candidate's addresses, or may have.
    fn shares_address(&self, candidate: &Candidate) -> bool {
        let is_shared = |address: &Address| match address {
            Address::Good(address) => {
                // The database tells small letters from capitals in ASCII alone.
                !address.is_ascii() || self.sleep.is_none_or(|shared| shared.contains(&address.to_lowercase()))
            }
            Address::None | Address::Bad(_) => false,
        };
        is_shared(&candidate.email) || is_shared(&candidate.phone)
    }

    /// When the budget of the tick's day is over.
    fn end_of_day(&self) -> Timestamp {
        Date::from_days(self.day().days() + 1).start(self.project.settings.business.time_zone)
    }

    /// Who need not be judged behind those who are counted.
    pub(super) fn asleep(&self, counts: &Counts) -> Asleep {
        if self.is_out(counts) { Asleep::ByBudget } else { self.question.asleep }
    }

    /// Whether budget was found to be out.
    fn is_out(&self, counts: &Counts) -> bool {
        self.sleep.is_some() && counts.skipped.contains_key(&Reason::NoBudget)
    }

    /// Nobody waits for budget any more today.
    pub(super) async fn close_budget(&self, tx: &mut Tx, counts: &Counts) -> Result<()> {
        if self.is_out(counts) {
            let until = self.end_of_day().minus(Span::from_micros(1));
            sleepers::lay_all_without_budget(tx, &self.question.rule.name, until).await?;
        }
        Ok(())
    }
}
