//! One connection to a provider: takes messages from the lines, has them marked, sends them, hands in the outcomes.
//!
//! 1. While a message is on the wire, the marks of the next ones are being written.
//! 2. A message holds one of the connection's permits from its mark until its outcome is handed in. What takes its place
//!    is marked after that, so in the same transaction or a later one: a crash leaves at most `window` messages per
//!    connection in doubt.
//! 3. What is paused, or left when the daemon stops, goes back to planned untouched.

use super::canary;
use super::committer::{Committer, Entry, Marked, Settlement};
use super::engine::Shared;
use super::queue::Exit;
use super::retry;
use crate::channels::{Connection, Outgoing, Prepared, Sent};
use crate::metrics;
use crate::offers::grant::Shown;
use crate::store::delivery::Claimed;
use crate::store::outcomes::{Going, Mark, Outcome};
use crate::store::reception;
use crate::time::Timestamp;
use crate::touchpoints::{Reason, State};
use std::collections::VecDeque;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, oneshot};

/// A message on its way: claimed, re-checked, rendered.
#[derive(Clone, Debug)]
pub struct Parcel {
    pub claimed: Claimed,
    pub outgoing: Outgoing,
    /// JSON by part, where no earlier attempt has kept the words.
    pub words: Option<String>,
    pub topic: String,
    /// The count of stops before it was looked at.
    pub stops: i64,
}

struct Ready {
    parcel: Parcel,
    prepared: Prepared,
    permit: OwnedSemaphorePermit,
}

/// Messages whose marks are being written.
struct Window {
    messages: Vec<Ready>,
    go: oneshot::Receiver<Marked>,
}

/// The work of one connection.
pub struct Line {
    pub shared: Arc<Shared>,
    /// The provider's name and place.
    pub provider: Arc<super::engine::Way>,
    pub exit: Arc<Exit<Parcel>>,
    pub committer: Committer,
    /// How many messages may be marked and not yet settled.
    pub window: usize,
}

impl Line {
    /// Works until the lines are closed.
    pub async fn work(self) {
        let permits = Arc::new(Semaphore::new(self.window));
        let mut connection = self.provider.provider.connection();
        let mut pending = VecDeque::new();
        let mut marked: VecDeque<Window> = VecDeque::new();
        loop {
            if pending.is_empty() {
                let idle = marked.is_empty();
                let taken = if idle { self.exit.take(self.window).await } else { self.exit.take_now(self.window) };
                if taken.is_empty() && idle {
                    break;
                }
                pending.extend(taken);
            }
            let mut batch = self.batch(&mut pending, &permits, &connection).await;
            let marking = !batch.is_empty();
            if marking {
                let marks = batch.iter_mut().map(|ready| self.mark(&mut ready.parcel)).collect();
                marked.push_back(Window { messages: batch, go: self.committer.mark(marks).await });
            }
            match marked.pop_front() {
                Some(window) if !marking || !marked.is_empty() => {
                    let next = marked.front().and_then(|next| next.messages.first());
                    self.send(window, next, &mut connection).await;
                }
                Some(window) => marked.push_front(window),
                None if !pending.is_empty() => self.wait(&permits).await,
                None => {}
            }
        }
        connection.close().await;
    }

    /// As many messages as permits, the provider's rate and half a window allow now.
    async fn batch(
        &self,
        pending: &mut VecDeque<Parcel>,
        permits: &Arc<Semaphore>,
        connection: &Connection,
    ) -> Vec<Ready> {
        let mut batch = Vec::new();
        while batch.len() < self.window.div_ceil(2) {
            let Some(parcel) = pending.front() else { break };
            let why = if self.shared.is_withheld(&parcel.claimed, parcel.outgoing.channel, &self.provider.name) {
                Some("put back: paused, or the daemon stops")
            } else if self.provider.resting_until(self.shared.clock.now()).is_some() {
                Some("put back: the provider cannot be reached")
            } else {
                None
            };
            if let Some(why) = why {
                let parcel = pending.pop_front().expect("it was at the front");
                self.hand_back(&parcel, why).await;
                continue;
            }
            let Ok(permit) = Arc::clone(permits).try_acquire_owned() else { break };
            if !self.provider.rate_allows() {
                break;
            }
            let parcel = pending.pop_front().expect("it was at the front");
            match connection.prepare(&parcel.outgoing) {
                Ok(prepared) => batch.push(Ready { parcel, prepared, permit }),
                Err(refused) => {
                    let detail = format!("{}: {}", Reason::ProviderRefused, refused.why);
                    self.settle(&parcel, State::Claimed, State::Failed, Some(Reason::ProviderRefused), detail, None)
                        .await;
                }
            }
        }
        batch
    }

    /// Waits for what kept [`Line::batch`] from giving anything.
    async fn wait(&self, permits: &Semaphore) {
        match self.provider.rate_holds_for() {
            Some(span) => self.shared.sleep(span).await,
            None => drop(permits.acquire().await),
        }
    }

    /// The mark of a message; it takes the words that are to be kept with it.
    fn mark(&self, parcel: &mut Parcel) -> Mark {
        Mark {
            bucket: parcel.claimed.bucket,
            id: parcel.claimed.id.clone(),
            provider: self.provider.name.clone(),
            address: parcel.outgoing.to.clone(),
            locale: parcel.outgoing.locale.clone(),
            subject: parcel.outgoing.words.subject.clone(),
            words: parcel.words.take(),
            going: Going {
                rule: parcel.claimed.rule.clone(),
                topic: parcel.topic.clone(),
                customer: parcel.claimed.customer.clone(),
                channel: parcel.outgoing.channel,
                purpose: parcel.claimed.purpose,
                version: parcel.claimed.version,
                carries_offer: parcel.claimed.offer.is_some(),
                stops: parcel.stops,
            },
        }
    }

    /// Sends what may go of a window; `after` is the message that will follow it, if all goes on as it should.
    async fn send(&self, window: Window, after: Option<&Ready>, connection: &mut Connection) {
        // No answer: the committer has stopped, and nothing goes.
        let marked = window.go.await.unwrap_or_default();
        for stop in marked.stopped.values().filter(|stop| stop.to == State::Skipped) {
            self.shared.tally.count(stop.to);
            self.shared.metrics.suppressed(stop.reason, 1);
        }
        let going = window.messages.into_iter().filter(|ready| marked.go.contains(&ready.parcel.claimed.id));
        let mut going = going.peekable();
        while let Some(ready) = going.next() {
            let began = Instant::now();
            let next = going.peek().or(after).map(|next| &next.prepared);
            let sent = connection.send(&ready.prepared, next).await;
            self.outcome(&ready.parcel, sent, began.elapsed()).await;
            drop(ready.permit);
        }
    }

    async fn outcome(&self, parcel: &Parcel, sent: Sent, took: Duration) {
        let now = self.shared.clock.now();
        let reached = !matches!(sent, Sent::NotNow { code: None, .. });
        self.provider.heard(reached, now);
        let channel = parcel.outgoing.channel;
        let mut outcome = self.from(parcel, State::Dispatching);
        let mut bounced = false;
        match sent {
            Sent::Accepted { provider_id, answer, units } => {
                outcome.to = State::Sent;
                outcome.provider_id = provider_id.map(|id| with_code(&id, None));
                outcome.cost = self.provider.price(channel).map(|price| price.saturating_mul(units.unwrap_or(1)));
                outcome.detail = Some(with_code(&answer, None));
            }
            Sent::NotNow { why, code, after } => {
                let attempts = parcel.claimed.attempts + 1;
                outcome.due_at = retry::next(&parcel.claimed.id, attempts, after, now, parcel.claimed.expires_at);
                outcome.to = if outcome.due_at.is_some() { State::Planned } else { State::Failed };
                outcome.reason = outcome.due_at.is_none().then_some(Reason::AttemptsExhausted);
                outcome.detail = Some(with_code(&why, code.as_deref()));
            }
            Sent::Never { why, code, bad_address, opted_out } => {
                outcome.to = State::Failed;
                outcome.reason = Some(Reason::ProviderRefused);
                let said = with_code(&why, code.as_deref());
                outcome.detail = Some(if bad_address { reception::bad_address(&said) } else { said });
                bounced = bad_address;
                if bad_address || opted_out {
                    self.shared.never_again(&parcel.outgoing.to, channel, opted_out).await;
                }
            }
            Sent::InDoubt { why } => {
                outcome.to = State::InDoubt;
                outcome.detail = Some(with_code(&why, None));
            }
        }
        let (metrics, purpose) = (&self.shared.metrics, parcel.claimed.purpose);
        metrics.sent(channel, &self.provider.name, purpose, outcome_metric(outcome.to), took);
        let was_sent = outcome.to == State::Sent;
        self.hand_in(parcel, outcome).await;
        if was_sent || bounced {
            canary::heard(&self.shared, &self.committer, &parcel.claimed.rule, bounced).await;
        }
    }

    /// Back to planned as it was: due when it was due, and no attempt.
    async fn hand_back(&self, parcel: &Parcel, why: &str) {
        let mut outcome = self.from(parcel, State::Claimed);
        outcome.to = State::Planned;
        outcome.detail = Some(why.to_owned());
        self.committer.hand_in(Entry::Outcome { outcome, settlement: None }).await;
    }

    async fn settle(
        &self,
        parcel: &Parcel,
        from: State,
        to: State,
        reason: Option<Reason>,
        detail: String,
        due_at: Option<Timestamp>,
    ) {
        let outcome = Outcome { to, reason, detail: Some(detail), due_at, ..self.from(parcel, from) };
        self.hand_in(parcel, outcome).await;
    }

    fn from(&self, parcel: &Parcel, from: State) -> Outcome {
        Outcome {
            bucket: parcel.claimed.bucket,
            id: parcel.claimed.id.clone(),
            version: parcel.claimed.version,
            from,
            to: from,
            reason: None,
            detail: None,
            due_at: None,
            provider_id: None,
            cost: None,
        }
    }

    async fn hand_in(&self, parcel: &Parcel, outcome: Outcome) {
        self.shared.tally.count(outcome.to);
        let settlement = settlement(&parcel.claimed, outcome.to);
        self.committer.hand_in(Entry::Outcome { outcome, settlement }).await;
    }
}

/// What an outcome means for the offer that the message carried: spent once it is sent, released once it will not be.
pub fn settlement(claimed: &Claimed, to: State) -> Option<Settlement> {
    claimed.offer.as_ref()?;
    let shown = match to {
        State::Sent => Shown::Yes,
        State::Failed | State::Skipped | State::Expired | State::Cancelled => Shown::No,
        _ => return None,
    };
    Some(Settlement { bucket: claimed.bucket, touchpoint: claimed.id.clone(), shown })
}

const fn outcome_metric(state: State) -> metrics::Outcome {
    match state {
        State::Sent => metrics::Outcome::Sent,
        State::Planned => metrics::Outcome::Retry,
        State::InDoubt => metrics::Outcome::InDoubt,
        _ => metrics::Outcome::Failed,
    }
}

/// What the other side said, with its code. PostgreSQL's text has no NUL, and an outcome must never be refused.
fn with_code(why: &str, code: Option<&str>) -> String {
    let why = &why.replace('\0', "\u{fffd}");
    code.map_or_else(
        || why.to_owned(),
        |code| if why.contains(code) { why.to_owned() } else { format!("{code} {why}") },
    )
}
