//! A real send of a rule's message to one's own address, marked as a test.
//!
//! 1. It is counted nowhere: it is no touch of the customer, takes no place under caps, no budget and no code, and no
//!    link or key of it speaks for the customer. The log shows it as a test.
//! 2. It goes past consent, hours, caps and holdouts, which are about the customer. What is about the address or the
//!    whole house holds: suppressions, `only_to`, pauses of everything, of the channel and of a provider.
//! 3. It is written down once the provider has answered: it is no customer's message, and nothing waits for it.

use super::recheck::kept_text;
use super::sample::{Sample, Samples, Unsaid};
use crate::channels::{Outgoing, Provider, Sent};
use crate::contact::is_covered;
use crate::courtesy::pauses::{Pauses, Scope};
use crate::data::suppress::Hasher;
use crate::ids;
use crate::messages::Words;
use crate::rules::{Channel, Purpose};
use crate::shell::word;
use crate::store::db::{Db, StoreError};
use crate::store::test_sends::{self, TestSent};
use crate::store::{pauses, suppressions};
use crate::tokens;
use crate::touchpoints::{Reason, State};
use std::collections::BTreeMap;

/// Why nothing was sent, as far as we know.
#[derive(Debug, thiserror::Error)]
pub enum TestRefused {
    #[error("no message comes out: {0}: {1}")]
    Unsaid(Reason, String),
    #[error("{0} is suppressed (scope {1}): nothing is sent there, tests neither; `plusone suppress list` shows why")]
    Suppressed(String, String),
    #[error("`only_to` of [guard] lets nothing go to {0}")]
    NotAllowed(String),
    #[error("{0} is paused: `plusone resume {scope}` lets it go on", scope = word(.0))]
    Paused(String),
    #[error("no provider of {0} can be used: {1}")]
    NoProvider(Channel, String),
    #[error("provider {provider} refuses it: {why}")]
    Refused { provider: String, why: String },
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<Unsaid> for TestRefused {
    fn from((reason, why): Unsaid) -> Self {
        Self::Unsaid(reason, why)
    }
}

/// A test that went out, or may have.
#[derive(Debug)]
pub struct Gone {
    pub touchpoint: String,
    pub provider: String,
    pub state: State,
    /// What the provider said, or why nobody knows whether it arrived.
    pub answer: String,
    pub words: Words,
}

/// Sends the sample's message to `to`, an address in stored form that fits the channel.
///
/// # Errors
/// [`TestRefused`] where nothing went out.
pub async fn send(
    samples: &Samples<'_>,
    sample: &Sample,
    locale: Option<&str>,
    to: &str,
    providers: &BTreeMap<String, Provider>,
) -> Result<Gone, TestRefused> {
    let words = marked(samples.words(sample, locale)?);
    let purpose = if samples.is_promotional(sample) { Purpose::Promotional } else { Purpose::Transactional };
    may_go(samples, to, purpose).await?;
    let pauses = pauses::load(samples.db).await?;
    let outgoing = outgoing(samples, sample, to, words);
    let (provider, sent) = attempt(samples, &pauses, providers, &outgoing).await?;
    let (state, answer, provider_id, units) = match sent {
        Sent::Accepted { provider_id, answer, units } => (State::Sent, answer, provider_id, units),
        Sent::InDoubt { why } => (State::Failed, why, None, None),
        Sent::NotNow { why, .. } | Sent::Never { why, .. } => return Err(TestRefused::Refused { provider, why }),
    };
    let settings = &samples.workspace.project.settings;
    let price = settings.providers.get(&provider).and_then(|settings| settings.price.get(&samples.channel).copied());
    let record = TestSent {
        id: &outgoing.touchpoint,
        customer: &sample.customer,
        entity: &sample.entity,
        rule: samples.rule,
        purpose,
        channel: samples.channel,
        address: to,
        provider: &provider,
        provider_id: provider_id.as_deref(),
        cost: price.map(|price| price.saturating_mul(units.unwrap_or(1))),
        locale: &outgoing.locale,
        subject: outgoing.words.subject.as_deref(),
        words: kept_text(&outgoing.words, samples.now),
        state,
        reason: (state == State::Failed).then_some(Reason::OutcomeUnknown),
        answer: &answer,
        now: samples.now,
    };
    test_sends::write(samples.db, &record).await?;
    Ok(Gone { touchpoint: outgoing.touchpoint, provider, state, answer, words: outgoing.words })
}

/// Words that nobody takes for the real message.
fn marked(mut words: Words) -> Words {
    for (part, mark) in [(&mut words.subject, "[Test] "), (&mut words.sms, "Test: "), (&mut words.voice, "Test. ")] {
        if let Some(text) = part {
            text.insert_str(0, mark);
        }
    }
    // nobody listens to the keys of a test
    words.menu.clear();
    words
}

/// Whether anything may go to this address now.
async fn may_go(samples: &Samples<'_>, to: &str, purpose: Purpose) -> Result<(), TestRefused> {
    if !samples.workspace.project.settings.guard.allows(to) {
        return Err(TestRefused::NotAllowed(to.to_owned()));
    }
    let scope = suppressed(samples.db, samples, to, purpose).await?;
    scope.map_or(Ok(()), |scope| Err(TestRefused::Suppressed(to.to_owned(), scope)))
}

async fn suppressed(db: &Db, samples: &Samples<'_>, to: &str, purpose: Purpose) -> Result<Option<String>, StoreError> {
    let hash = Hasher::load(db).await?.hash(to);
    let found = suppressions::lookup(db, &[hash], samples.now).await?;
    let topic = &samples.rule.topic;
    Ok(found.into_iter().map(|found| found.scope).find(|scope| is_covered(scope, topic, purpose, samples.channel)))
}

fn outgoing(samples: &Samples<'_>, sample: &Sample, to: &str, words: Words) -> Outgoing {
    let (workspace, channel) = (samples.workspace, samples.channel);
    let settings = &workspace.project.settings;
    let occurrence = test_sends::occurrence(samples.now);
    Outgoing {
        touchpoint: ids::touchpoint(&samples.rule.name, &sample.customer, &occurrence, 0),
        channel,
        from: settings.channels.get(&channel).map(|channel| channel.from.clone()).unwrap_or_default(),
        to: to.to_owned(),
        locale: words.locale.clone(),
        words,
        promotional: samples.is_promotional(sample),
        unsubscribe: samples
            .is_promotional(sample)
            .then(|| workspace.link(tokens::Purpose::Unsubscribe, None))
            .flatten(),
        date: samples.now,
        callback: None,
        test: true,
    }
}

/// Asks the channel's providers in their order; the next is asked only where one certainly took nothing for now.
async fn attempt(
    samples: &Samples<'_>,
    pauses: &Pauses,
    providers: &BTreeMap<String, Provider>,
    outgoing: &Outgoing,
) -> Result<(String, Sent), TestRefused> {
    let now = samples.now;
    for scope in [Scope::All, Scope::Channel(samples.channel)] {
        if pauses.holds(&scope, now) {
            return Err(TestRefused::Paused(scope.to_string()));
        }
    }
    let channels = &samples.workspace.project.settings.channels;
    let names = channels.get(&samples.channel).map_or(&[][..], |channel| &channel.providers);
    let mut refusals = Vec::new();
    for name in names {
        let Some(provider) = providers.get(name) else { continue };
        if pauses.holds(&Scope::Provider(name.clone()), now) {
            refusals.push(format!("{name} is paused"));
            continue;
        }
        let mut connection = provider.connection();
        let sent = match connection.prepare(outgoing) {
            Ok(prepared) => connection.send(&prepared, None).await,
            Err(refused) => refused.into(),
        };
        connection.close().await;
        match sent {
            Sent::NotNow { why, .. } => refusals.push(format!("{name}: {why}")),
            sent => return Ok((name.clone(), sent)),
        }
    }
    let why = if refusals.is_empty() { "the settings name none".to_owned() } else { refusals.join("; ") };
    Err(TestRefused::NoProvider(samples.channel, why))
}
