//! What a forecast has to give: each offer's room and the turns of a pace, counted down in memory.

use crate::offers::Spent;
use crate::outreach::judge::Question;
use crate::plan::pace::Turns;
use crate::store::db::{Db, Result};
use crate::store::offers::room::{Room, room};
use crate::store::pace;
use std::collections::BTreeMap;

/// What there is of each of a rule's offers, in the rule's order; `None` where nothing limits it.
#[derive(Clone, Debug, Default)]
pub struct Stock(Vec<Option<Room>>);

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

    /// Takes one of the offer at `place`.
    ///
    /// # Errors
    /// What there is no more of.
    pub fn take(&mut self, place: usize) -> std::result::Result<(), Spent> {
        match &mut self.0[place] {
            Some(Room { left: 0, until }) => Err(*until),
            Some(room) => {
                room.left -= 1;
                Ok(())
            }
            None => Ok(()),
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
