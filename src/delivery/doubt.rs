//! What becomes of messages in doubt: the provider is asked where it can be, then the rule's `on_doubt` decides.
//!
//! 1. A provider's yes is believed at once, its no only after a grace longer than its slowest write.
//! 2. What nobody can say is never guessed in silence: `resend` once and flagged, then as `ask`, which waits for a
//!    person; `drop` counts as spent and is never sent again.

use super::engine::{Delivery, Shared};
use super::recheck::words_of;
use crate::channels::{Found, Outgoing, Provider};
use crate::offers::grant::Shown;
use crate::rules::OnDoubt;
use crate::store::db::Result;
use crate::store::delivery::{self as statements, Doubt, Resolution};
use crate::store::leases;
use crate::store::offers::grants;
use crate::time::{Span, Timestamp};
use crate::touchpoints::State;
use std::collections::HashSet;

/// How many doubts are looked at in one go.
const BATCH: i64 = 500;

/// How long a provider's "no such message" is not believed.
const GRACE: Span = Span::from_seconds(120);

/// How long a provider that does not answer is asked what became of a message.
const ASKED_FOR: Span = Span::from_seconds(900);

/// Looks at every doubt that has not been put to a person yet.
///
/// # Errors
/// When the database refuses.
pub async fn settle(delivery: &Delivery) -> Result<()> {
    let shared = &delivery.shared;
    let now = shared.clock.now();
    let doubts = statements::doubts(&shared.db, now, BATCH).await?;
    let mut resolutions = Vec::new();
    let mut settlements = Vec::new();
    for doubt in &doubts {
        let provider = delivery.provider(&doubt.provider);
        if let Some(resolution) = resolve(shared, doubt, provider, now).await? {
            // A message that is not sent again may have arrived: its offer is spent.
            if matches!(resolution.to, State::Sent | State::Failed) {
                settlements.push((doubt.bucket, doubt.id.as_str(), Shown::Yes));
            }
            resolutions.push(resolution);
        }
    }
    if resolutions.is_empty() {
        return Ok(());
    }
    let mut tx = shared.db.begin().await?;
    let buckets: HashSet<i64> = resolutions.iter().map(|one| one.bucket).collect();
    if !leases::lock_some(&mut tx, &shared.lease, &buckets).await? {
        return Ok(());
    }
    statements::resolve(&mut tx, &resolutions, now).await?;
    grants::settle(&mut tx, &settlements, now).await?;
    tx.commit().await
}

/// How a doubt ends now, or `None` while it is too early to say.
async fn resolve(
    shared: &Shared,
    doubt: &Doubt,
    provider: Option<&Provider>,
    now: Timestamp,
) -> Result<Option<Resolution>> {
    let found = match provider {
        Some(provider) => provider.look_up(&outgoing(shared, doubt), doubt.doubt_at).await,
        None => Found::CannotSay { why: "the provider is no longer configured".to_owned() },
    };
    let found = without_others(shared, found).await?;
    let early = now < doubt.doubt_at.plus(GRACE);
    let to = |to, provider_id, possible_duplicate, detail: String| {
        let (bucket, id, version) = (doubt.bucket, doubt.id.clone(), doubt.version);
        Some(Resolution { bucket, id, version, to, provider_id, possible_duplicate, detail })
    };
    Ok(match found {
        Found::Yes { provider_ids } => {
            to(State::Sent, provider_ids.into_iter().next(), false, "the provider has it".to_owned())
        }
        // A folder writes before it answers: its no is true at once.
        Found::No if early && !matches!(provider, Some(Provider::Folder(_))) => None,
        Found::No => to(State::Planned, None, false, "the provider does not have it: it goes again".to_owned()),
        // A provider that can be asked and does not answer just now is asked again before anything is guessed.
        Found::CannotSay { .. }
            if matches!(provider, Some(Provider::Twilio(_))) && now < doubt.doubt_at.plus(ASKED_FOR) =>
        {
            None
        }
        Found::CannotSay { why } => match doubt.on_doubt.parse().unwrap_or(OnDoubt::Ask) {
            OnDoubt::Resend if !doubt.possible_duplicate => {
                to(State::Planned, None, true, format!("{why}: it goes again, perhaps a second time"))
            }
            // In doubt a second time: one of the two may have arrived, and only a person can say.
            OnDoubt::Resend | OnDoubt::Ask => {
                to(State::InDoubt, None, false, format!("{why}: `plusone resolve` settles it"))
            }
            OnDoubt::Drop => to(State::Failed, None, false, format!("{why}: it is not sent again")),
        },
    })
}

/// What was found, without the records that are other touchpoints' own.
async fn without_others(shared: &Shared, found: Found) -> Result<Found> {
    let Found::Yes { mut provider_ids } = found else { return Ok(found) };
    let known = statements::known_provider_ids(&shared.db, &provider_ids).await?;
    provider_ids.retain(|id| !known.contains(id));
    Ok(if provider_ids.is_empty() { Found::No } else { Found::Yes { provider_ids } })
}

fn outgoing(shared: &Shared, doubt: &Doubt) -> Outgoing {
    let words = doubt.words.as_deref().and_then(|words| serde_json::from_str(words).ok()).map(words_of);
    let workspace = shared.workspace();
    let channel = workspace.project.settings.channels.get(&doubt.channel);
    Outgoing {
        touchpoint: doubt.id.clone(),
        channel: doubt.channel,
        from: channel.map(|channel| channel.from.clone()).unwrap_or_default(),
        to: doubt.address.clone(),
        words: words.unwrap_or_default(),
        locale: String::new(),
        promotional: false,
        callback: None,
        test: false,
        unsubscribe: None,
        date: doubt.doubt_at,
    }
}
