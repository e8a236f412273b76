//! What a forecast has to give: each offer's room and the turns of a pace, counted down in memory.

use crate::outreach::judge::Question;
use crate::plan::pace::Turns;
use crate::store::db::{Db, Result};
use crate::store::offers::room::room;
use crate::store::pace;
use std::collections::BTreeMap;

/// How many more of each of a rule's offers can be given, in the rule's order; `None` where nothing limits them.
#[derive(Clone, Debug, Default)]
pub struct Stock(Vec<Option<u64>>);

impl Stock {
    /// What a tick as of the question's instant would find.
    pub async fn load(db: &Db, question: &Question<'_>) -> Result<Self> {
        let day = question.as_of.date(question.project.settings.business.time_zone);
        let mut left = Vec::with_capacity(question.offers.len());
        for offer in &question.offers {
            left.push(room(db, offer, day, question.as_of).await?);
        }
        Ok(Self(left))
    }

    /// More than enough of each of so many offers.
    pub fn plenty(offers: usize) -> Self {
        Self(vec![None; offers])
    }

    /// Takes one of the offer at `place`, if there is one left.
    pub const fn take(&mut self, place: usize) -> bool {
        match &mut self.0.as_mut_slice()[place] {
            None => true,
            Some(0) => false,
            Some(left) => {
                *left -= 1;
                true
            }
        }
    }

    /// Whether any of it can run out.
    pub fn is_limited(&self) -> bool {
        self.0.iter().any(Option::is_some)
    }
}

/// The turns that a rule with a pace has left.
pub async fn turns(db: &Db, question: &Question<'_>) -> Result<Option<Turns>> {
    let (Some(rate), from) = (question.rule.pace, question.as_of) else { return Ok(None) };
    let start = Turns::new(rate, from, BTreeMap::new()).period_of(from);
    let gone = pace::gone(db.fetch(pace::since(&question.rule.name, start)).await?);
    Ok(Some(Turns::new(rate, from, gone)))
}
