//! Receipts: what a provider tells of a message that it took.
//!
//! 1. A message arrives once: doubled, late and reordered receipts end in the same state.
//! 2. A receipt that is faster than our own note of the sending waits for it, [`PATIENCE`] long.
//! 3. A receipt ends a doubt: who tells of a message has it.

use super::{replies, stop};
use crate::channels::twilio::notice::{Fate, Receipt};
use crate::contact::{is_good_phone, mask};
use crate::data::suppress::Hasher;
use crate::rules::Channel;
use crate::store::db::{Db, Result, Tx};
use crate::store::feedback::{self, Notice, Subject};
use crate::store::suppressions::{self, Suppression};
use crate::time::{Span, Timestamp};
use crate::touchpoints::State;

/// The event of a touchpoint of which something was told that moves it nowhere.
const TOLD: &str = "receipt";
/// How long a receipt waits for its message.
const PATIENCE: Span = Span::from_days(7);
/// How long an event is known by its name: longer than any provider repeats itself.
const MEMORY: Span = Span::from_days(30);
/// How many waiting receipts are looked at in one pass.
const CHUNK: i64 = 500;

/// What a receipt did.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Taken {
    /// The touchpoint says so now, or has said so before.
    Applied,
    /// Told before.
    Again,
    /// It waits for its touchpoint.
    Waits,
    /// It says nothing that is not known.
    Nothing,
}

/// Takes a receipt. `touchpoint` is the id that our own address of the callback names.
///
/// # Errors
/// When the database refuses; nothing of it is taken then.
pub async fn take(
    db: &Db,
    provider: &str,
    touchpoint: Option<&str>,
    receipt: &Receipt,
    now: Timestamp,
) -> Result<Taken> {
    if receipt.for_operator {
        tracing::warn!(provider.name = provider, code = receipt.code, "the provider's account needs a look");
    }
    let hasher = if receipt.opted_out || receipt.bad_address { Some(Hasher::load(db).await?) } else { None };
    let notice = notice(provider, touchpoint, receipt, now);
    let mut tx = db.begin().await?;
    let subject = find(&mut tx, &notice).await?;
    let in_doubt = subject.as_ref().is_some_and(|subject| subject.state == State::InDoubt);
    if receipt.fate == Fate::Taken && !in_doubt {
        return Ok(Taken::Nothing);
    }
    if !feedback::note(&mut tx, &notice).await? {
        return Ok(Taken::Again);
    }
    if let Some(hasher) = &hasher {
        never_again(&mut tx, hasher, receipt, now).await?;
    }
    let applied = match &subject {
        Some(subject) => apply(&mut tx, subject, &notice, now).await?,
        None => false,
    };
    if !applied {
        feedback::set_pending(&mut tx, &notice, true).await?;
        tracing::debug!(provider.name = provider, id = receipt.sid, "a receipt waits for its message");
    }
    tx.commit().await?;
    Ok(if applied { Taken::Applied } else { Taken::Waits })
}

fn notice(provider: &str, touchpoint: Option<&str>, receipt: &Receipt, now: Timestamp) -> Notice {
    let kind = match receipt.fate {
        Fate::Taken => State::Sent.as_str(),
        Fate::Delivered => State::Delivered.as_str(),
        Fate::Bounced => State::Bounced.as_str(),
        Fate::Missed => TOLD,
    };
    let code = receipt.code.map(|code| format!(" ({code})")).unwrap_or_default();
    Notice {
        provider: provider.to_owned(),
        event: format!("{}:{}", receipt.sid, receipt.status),
        kind: kind.to_owned(),
        touchpoint: touchpoint.map(str::to_owned),
        provider_id: Some(receipt.sid.clone()),
        detail: Some(format!("{provider}: {}{code}", receipt.status)),
        at: now,
    }
}

/// The touchpoint that a notice is about. One that the provider knows by another name was sent again since.
async fn find(tx: &mut Tx, notice: &Notice) -> Result<Option<Subject>> {
    let sid = notice.provider_id.as_deref().unwrap_or_default();
    let named = match &notice.touchpoint {
        Some(id) => feedback::by_id(tx, id).await?,
        None => feedback::by_provider_id(tx, &notice.provider, sid).await?,
    };
    let is_same = |subject: &Subject| {
        subject.provider.as_ref().is_none_or(|provider| *provider == notice.provider)
            && subject.provider_id.as_ref().is_none_or(|known| known == sid)
    };
    Ok(named.filter(is_same))
}

/// Moves the touchpoint as the notice says; false while it is too early.
async fn apply(tx: &mut Tx, subject: &Subject, notice: &Notice, now: Timestamp) -> Result<bool> {
    let sid = notice.provider_id.as_deref().unwrap_or_default();
    let detail = notice.detail.as_deref();
    let mut state = subject.state;
    if state == State::InDoubt && feedback::was_sent(tx, subject, sid, "the provider tells of it", now).await? {
        state = State::Sent;
    }
    let to = notice.kind.parse::<State>().ok();
    Ok(match (state, to) {
        (State::Sent, Some(State::Sent)) => true,
        (State::Sent, Some(to)) => feedback::arrive(tx, subject, to, detail, now).await?,
        (State::Delivered | State::Bounced, Some(to)) if state == to => true,
        (State::Sent | State::Delivered | State::Bounced | State::Failed, _) => {
            feedback::add_event(tx, subject, TOLD, detail, now).await?
        }
        _ => false,
    })
}

/// Writes down that nothing is to be sent to the number any more: its owner said stop, or it takes no text messages.
async fn never_again(tx: &mut Tx, hasher: &Hasher, receipt: &Receipt, now: Timestamp) -> Result<()> {
    let Some(number) = receipt.to.as_deref().filter(|number| is_good_phone(number)) else { return Ok(()) };
    let reason = if receipt.opted_out { stop::REASON } else { "hard_bounce" };
    let (hash, scope, shown) = (hasher.hash(number), stop::scope(Channel::Sms), mask(number));
    let suppression = Suppression::of(&hash, &scope, &shown, reason, now, "receipt of the provider");
    suppressions::add(tx, &[suppression]).await.map(|_| ())
}

/// Takes the receipts and replies that waited and whose touchpoints are ready now. What waits too long is let go, and
/// what was told long ago is forgotten.
///
/// # Errors
/// When the database refuses.
pub async fn settle_pending(db: &Db, now: Timestamp) -> Result<()> {
    for notice in feedback::pending(db, CHUNK).await? {
        let mut tx = db.begin().await?;
        if !feedback::set_pending(&mut tx, &notice, false).await? {
            continue;
        }
        let applied = if notice.kind == replies::KIND {
            tell_reply(&mut tx, &notice, now).await?
        } else {
            match find(&mut tx, &notice).await? {
                Some(subject) => apply(&mut tx, &subject, &notice, now).await?,
                None => false,
            }
        };
        if applied || now.since(notice.at) > PATIENCE {
            tx.commit().await?;
        }
    }
    feedback::forget(db, now.minus(MEMORY)).await
}

/// Tells the touchpoint of a reply, or of a key; false while a daemon has it in hand.
async fn tell_reply(tx: &mut Tx, notice: &Notice, now: Timestamp) -> Result<bool> {
    let Some(id) = &notice.touchpoint else { return Ok(true) };
    let Some(subject) = feedback::by_id(tx, id).await? else { return Ok(true) };
    let detail = match &notice.detail {
        Some(detail) => Some(detail.clone()),
        None => feedback::reply(tx, subject.bucket, &notice.provider, &notice.event)
            .await?
            .map(|(words, meaning, review)| replies::event(&words, &meaning, review)),
    };
    feedback::add_event(tx, &subject, replies::KIND, detail.as_deref(), now).await
}
