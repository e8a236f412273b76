//! The canary: a rule whose messages bounce, or are complained about, more than `[guard]` allows pauses itself.
//!
//! 1. The records decide, counted in one statement; what is counted here only says when to ask them.
//! 2. A rule whose messages are received well costs nothing: nothing is kept of it.
//! 3. The pause holds at once for this daemon's connections: what is on the wire finishes, nothing else goes.

use super::committer::Committer;
use super::engine::Shared;
use crate::courtesy::reception::Reception;
use crate::settings::Guard;
use crate::store::db::{Db, Result};
use crate::store::pauses;
use crate::store::reception::{self, Of};
use crate::time::{Span, Timestamp};
use std::collections::HashMap;
use std::sync::Mutex;

/// How often all rules are looked at.
const EVERY: Span = Span::from_seconds(60);
/// How late a receipt may be and still be counted at once.
const LATE: Span = Span::from_days(1);

/// What this daemon has heard since the records were asked last, with what they said, by rule.
#[derive(Default)]
pub struct Canary(Mutex<HashMap<String, Reception>>);

impl Canary {
    /// Counts one answer; says whether the records are to be asked.
    fn count(&self, rule: &str, bounced: bool, guard: &Guard) -> bool {
        let mut known = self.0.lock().expect("nobody panics while holding it");
        match known.get_mut(rule) {
            None => bounced,
            Some(reception) => {
                reception.tried += 1;
                reception.bounced += u64::from(bounced);
                reception.too_bad(guard).is_some()
            }
        }
    }

    /// Takes what the records say for what is known: nothing, where they say nothing of the rule.
    fn set(&self, rule: &str, reception: Option<Reception>) {
        let mut known = self.0.lock().expect("nobody panics while holding it");
        match reception {
            Some(reception) => known.insert(rule.to_owned(), reception),
            None => known.remove(rule),
        };
    }
}

/// Takes note of a provider's answer to a message of `rule`, whose outcome was handed in: it was sent, or its address
/// does not exist.
pub async fn heard(shared: &Shared, committer: &Committer, rule: &str, bounced: bool) {
    let workspace = shared.workspace();
    let guard = &workspace.project.settings.guard;
    if !shared.canary.count(rule, bounced, guard) {
        return;
    }
    committer.flush().await;
    if let Err(error) = ask(shared, guard, rule).await {
        tracing::error!(rule.name = rule, %error, "bounces could not be counted");
    }
}

async fn ask(shared: &Shared, guard: &Guard, rule: &str) -> Result<()> {
    let now = shared.clock.now();
    let receptions = reception::of_rules(&shared.db, guard, Of::Rule(rule), now).await?;
    let reception = receptions.first().map(|(_, reception)| *reception);
    shared.canary.set(rule, reception);
    if let Some(reception) = reception
        && judge(&shared.db, guard, rule, reception, now).await?
    {
        shared.read_pauses().await?;
    }
    Ok(())
}

/// When all rules were looked at last: what receipts tell is counted once a minute, however often it is asked.
#[derive(Default)]
pub struct Looks(Mutex<Option<Timestamp>>);

impl Looks {
    /// Pauses every rule whose messages were received too badly. After the first look only those are counted of which
    /// something was told since, or a day before: receipts come late.
    ///
    /// # Errors
    /// When the database refuses.
    pub async fn look(&self, db: &Db, guard: &Guard, now: Timestamp) -> Result<()> {
        let last = *self.0.lock().expect("nobody panics while holding it");
        if last.is_some_and(|last| last <= now && now.since(last) < EVERY) {
            return Ok(());
        }
        let news_since = last.map_or(Timestamp::from_micros(0), |last| last.minus(LATE));
        for (rule, reception) in reception::of_rules(db, guard, Of::All { news_since }, now).await? {
            judge(db, guard, &rule, reception, now).await?;
        }
        *self.0.lock().expect("nobody panics while holding it") = Some(now);
        Ok(())
    }
}

/// Pauses a rule if it must be; says whether it has just been.
async fn judge(db: &Db, guard: &Guard, rule: &str, reception: Reception, now: Timestamp) -> Result<bool> {
    let Some(reason) = reception.too_bad(guard) else { return Ok(false) };
    let is_new = pauses::pause_itself(db, rule, &reason, now).await?;
    if is_new {
        tracing::warn!(rule.name = rule, %reason, "the rule has paused itself until `plusone resume`");
    }
    Ok(is_new)
}
