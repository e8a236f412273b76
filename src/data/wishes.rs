//! What customers ask for on the public pages, written down: to leave, to come back, how they want to be reached.
//!
//! 1. A wish that changes nothing writes nothing: the same form twice is the same as once.
//! 2. A no counts from now on whatever is in the ledger, dated in the future or not; so does an explicit yes.
//! 3. Coming back restores what was there before leaving, and no more: who never agreed to text messages gets none.
//! 4. A letter that one waits for and that carried an offer is left as what made it promotional: offers stop, the
//!    letters go on.

use super::DataError;
use super::person::{EXTRAS, Person};
use super::suppress::{self, Hasher, Wish};
use crate::contact::Ground;
use crate::courtesy::consent::{Answer, EVERY_CHANNEL, Source, SourceKind, current};
use crate::courtesy::pauses::Scope;
use crate::courtesy::preferences::Preferences;
use crate::rules::{Channel, Purpose};
use crate::settings::{Business, Settings};
use crate::store::consents::{self, Entry};
use crate::store::db::Db;
use crate::store::{pauses, preferences, suppressions};
use crate::time::{Span, Timestamp};
use crate::touchpoints::Touchpoint;

/// How long a pause lasts that a customer asks for.
pub const PAUSE: Span = Span::from_days(30);

/// How a wish came, and what can prove it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Proof<'a> {
    /// The page or header that it came by.
    pub kind: SourceKind,
    /// The id of the touchpoint whose link was followed.
    pub touchpoint: &'a str,
    /// The address from which it came.
    pub ip: Option<String>,
    /// The words that the customer was shown.
    pub wording: String,
}

/// What a message is left as.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Leaving {
    /// Its topic.
    Topic,
    /// Offers and surprises, because its topic is one that is not promotional by itself.
    Extras,
}

/// What leaving by a link in `touchpoint` means.
pub fn leaving(touchpoint: &Touchpoint, settings: &Settings) -> Leaving {
    let topic = settings.topics.get(&touchpoint.topic).map(|topic| topic.purpose);
    match (touchpoint.purpose, topic) {
        (Purpose::Promotional, Some(Purpose::Transactional)) => Leaving::Extras,
        _ => Leaving::Topic,
    }
}

/// One answer about a topic on a channel, or on every one.
struct Said<'a> {
    topic: &'a str,
    channel: Option<Channel>,
    value: bool,
}

impl Person {
    /// Whether nothing of a topic reaches them any more.
    pub fn has_left(&self, topic: &str, purpose: Purpose) -> bool {
        Channel::ALL.iter().all(|channel| !self.gets(topic, purpose, *channel))
    }

    /// Whether somebody has said no to all of a topic.
    fn has_refused(&self, topic: &str) -> bool {
        Channel::ALL.iter().all(|channel| current(&self.ledger, topic, channel.as_str()) == Some(Answer::No))
    }

    /// Leaves a topic on every channel.
    pub async fn leave_topic(&mut self, db: &Db, topic: &str, proof: &Proof<'_>, now: Timestamp) -> Outcome {
        if self.has_refused(topic) {
            return Ok(());
        }
        self.write(db, &[Said { topic, channel: None, value: false }], proof, now).await
    }

    /// Takes leaving a topic back: each channel answers again as it did before.
    pub async fn return_to_topic(
        &mut self,
        db: &Db,
        (topic, purpose): (&str, Purpose),
        of: Option<Channel>,
        proof: &Proof<'_>,
        now: Timestamp,
    ) -> Outcome {
        let left = |entry: &&Entry| {
            let by_link = matches!(entry.source.kind, SourceKind::OneClick | SourceKind::UnsubscribePage);
            entry.topic == topic && entry.answer == Answer::No && by_link
        };
        let before: Vec<Entry> = self.ledger.iter().filter(|entry| !left(entry)).cloned().collect();
        let had = |channel: Channel| match current(&before, topic, channel.as_str()) {
            Some(Answer::Pending) | None => purpose == Purpose::Transactional,
            Some(answer) => answer == Answer::Yes,
        };
        let mut back: Vec<Channel> = Channel::ALL.iter().copied().filter(|channel| had(*channel)).collect();
        // Whoever got a message by some other right comes back to the channel it came by.
        if back.is_empty() {
            back.extend(of);
        }
        back.retain(|channel| !self.gets(topic, purpose, *channel));
        let answers: Vec<Said<'_>> =
            back.into_iter().map(|channel| Said { topic, channel: Some(channel), value: true }).collect();
        self.write(db, &answers, proof, now).await
    }

    /// Confirms what they said yes to under a topic, by the link of the message that asked; false where nothing waits.
    pub async fn confirm(
        &mut self,
        db: &Db,
        topic: &str,
        proof: &Proof<'_>,
        now: Timestamp,
    ) -> Result<bool, DataError> {
        let (ip, evidence) = (proof.ip.clone(), Some(proof.touchpoint.to_owned()));
        let mut tx = db.begin().await?;
        let confirmed = consents::confirm(&mut tx, &self.customer, topic, ip, evidence, now).await?;
        tx.commit().await?;
        Ok(!confirmed.is_empty())
    }

    /// Sets each topic on each of these channels to what the form says; what is so already is left as it is.
    pub async fn choose(
        &mut self,
        db: &Db,
        settings: &Settings,
        wanted: &[(String, Channel, bool)],
        proof: &Proof<'_>,
        now: Timestamp,
    ) -> Outcome {
        let differs = |(topic, channel, value): &&(String, Channel, bool)| {
            settings.topics.get(topic).is_some_and(|known| self.gets(topic, known.purpose, *channel) != *value)
        };
        let answers: Vec<Said<'_>> = wanted
            .iter()
            .filter(differs)
            .map(|(topic, channel, value)| Said { topic, channel: Some(*channel), value: *value })
            .collect();
        self.write(db, &answers, proof, now).await
    }

    /// Stops or allows offers and surprises in messages of any topic.
    pub async fn set_extras(
        &mut self,
        db: &Db,
        business: &Business,
        allowed: bool,
        proof: &Proof<'_>,
        now: Timestamp,
    ) -> Outcome {
        if self.no_extras != allowed {
            return Ok(());
        }
        for address in self.addresses() {
            let reason = Ground::Unsubscribe.as_str();
            if allowed {
                // What somebody else has suppressed stays suppressed.
                let hash = Hasher::load(db).await?.hash(address);
                let mut tx = db.begin().await?;
                suppressions::lift(&mut tx, &hash, EXTRAS, reason).await?;
                tx.commit().await?;
            } else {
                let wish = Wish { scope: Some(EXTRAS), ..Wish::of(address, reason, proof.kind.as_str()) };
                suppress::add(db, business, wish, now).await?;
            }
        }
        self.no_extras = !allowed;
        Ok(())
    }

    /// Keeps how they want to be reached.
    pub async fn prefer(&mut self, db: &Db, said: Preferences, now: Timestamp) -> Outcome {
        if self.preferences == said {
            return Ok(());
        }
        let mut tx = db.begin().await?;
        preferences::save(&mut tx, self.bucket, &self.customer, &said, now).await?;
        tx.commit().await?;
        self.preferences = said;
        Ok(())
    }

    /// Pauses everything for [`PAUSE`], or goes on; a pause that holds is not made longer.
    pub async fn pause(&mut self, db: &Db, wanted: bool, now: Timestamp) -> Outcome {
        let scope = Scope::Customer(self.customer.clone());
        match (wanted, self.paused) {
            (true, None) => {
                let until = now.plus(PAUSE);
                pauses::pause(db, &scope, Some(until), now).await?;
                self.paused = Some(Some(until));
            }
            (false, Some(_)) => {
                pauses::resume(db, &scope, now).await?;
                self.paused = None;
            }
            _ => {}
        }
        Ok(())
    }

    /// Adds answers to the ledger, each later than what was said of its topic before.
    async fn write(&mut self, db: &Db, answers: &[Said<'_>], proof: &Proof<'_>, now: Timestamp) -> Outcome {
        if answers.is_empty() {
            return Ok(());
        }
        let entry = |answer: &Said<'_>| {
            let said = self.ledger.iter().filter(|entry| entry.topic == answer.topic).map(|entry| entry.at).max();
            let at = said.map_or(now, |last| now.max(last.plus(Span::from_micros(1))));
            let channel = answer.channel.map_or(EVERY_CHANNEL, |channel| channel.as_str());
            let value = if answer.value { Answer::Yes } else { Answer::No };
            let source = Source::new(proof.kind, proof.kind.as_str().replace('_', " "));
            Entry::said(&self.customer, answer.topic, channel, value, at, source)
                .from_ip(proof.ip.clone())
                .shown(Some(proof.wording.clone()))
                .proved_by(Some(proof.touchpoint.to_owned()))
        };
        let entries: Vec<Entry> = answers.iter().map(entry).collect();
        let hasher = Hasher::load(db).await?;
        let mut tx = db.begin().await?;
        consents::add(&mut tx, &entries, now).await?;
        // A fresh yes takes back what their own unsubscribe did to that address, never a bounce or a complaint.
        for answer in answers.iter().filter(|answer| answer.value) {
            if let Some((channel, address)) = answer.channel.and_then(|channel| Some((channel, self.address(channel)?)))
            {
                suppress::lift_for_a_yes(&mut tx, &hasher, address, answer.topic, channel).await?;
            }
        }
        tx.commit().await?;
        self.ledger.extend(entries);
        Ok(())
    }
}

/// Whether it is written down.
pub type Outcome = Result<(), DataError>;
