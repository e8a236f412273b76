//! The last look before a message goes: what may have changed since it was planned.
//!
//! The data is that of this moment, `now` in the conditions is still the tick's: the re-check catches what changed
//! (paid, cancelled, unsubscribed), not that time went by. Lateness is the business of `expires_after`.

use super::connection::Parcel;
use super::engine::Shared;
use super::facts;
use crate::channels::Outgoing;
use crate::courtesy::caps::{self, Cap};
use crate::messages::{Words, menu};
use crate::offers::Offer;
use crate::outreach::complete::complete;
use crate::plan::audience::{Among, Asleep, Audience};
use crate::plan::candidate::Candidate;
use crate::plan::decide::{Case, Policy};
use crate::plan::hour::{Deferral, Hour, hour};
use crate::plan::route;
use crate::rules::{Channel, Purpose, Rule};
use crate::settings::EveryText;
use crate::store::db::Result;
use crate::store::delivery::Claimed;
use crate::store::feedback;
use crate::time::Timestamp;
use crate::tokens;
use crate::touchpoints::{Reason, State};
use crate::workspace::{Recipient, Workspace};
use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;

mod waiting;

/// What the last look says of a claimed message.
#[derive(Debug)]
pub enum Verdict {
    Send(Box<Parcel>),
    /// It does not go now: its next state, the reason, what the event says, and when it is due again.
    Settle(Box<Claimed>, State, Option<Reason>, Option<String>, Option<Timestamp>),
}

/// Looks at claimed messages once more and renders those that go. One set of statements per rule and tick. `stops` is
/// the count of stops that was read before.
pub async fn ready(shared: &Shared, channel: Channel, stops: i64, claimed: Vec<Claimed>) -> Result<Vec<Verdict>> {
    let workspace = shared.workspace();
    let mut verdicts = Vec::new();
    for ((rule, as_of), claimed) in by_tick(claimed) {
        match workspace.project.rules.get(&rule) {
            Some(rule) => {
                let caps = caps::of_rule(&workspace.project.settings.caps, rule);
                let look = Look { shared, workspace: &workspace, rule, caps, channel, as_of, stops };
                verdicts.extend(look.at(claimed).await?);
            }
            None => verdicts.extend(claimed.into_iter().map(|one| {
                let detail = Some("the rule is not in force".to_owned());
                Verdict::Settle(Box::new(one), State::Cancelled, None, detail, None)
            })),
        }
    }
    Ok(verdicts)
}

/// The messages of each rule and tick.
fn by_tick(claimed: Vec<Claimed>) -> BTreeMap<(String, Timestamp), Vec<Claimed>> {
    let mut ticks: BTreeMap<(String, Timestamp), Vec<Claimed>> = BTreeMap::new();
    for one in claimed {
        ticks.entry((one.rule.clone(), one.as_of)).or_default().push(one);
    }
    ticks
}

/// What the last look says of messages whose words nobody asks for.
#[derive(Debug, Default)]
pub struct Judged {
    pub going: Vec<Claimed>,
    pub held: Vec<(Claimed, Held)>,
}

/// As [`ready`], for a rehearsal: nothing is rendered. A message of a rule that is not in force is left alone.
///
/// # Errors
/// When the database refuses.
pub async fn judge(shared: &Shared, channel: Channel, claimed: Vec<Claimed>) -> Result<Judged> {
    let workspace = shared.workspace();
    let mut judged = Judged::default();
    for ((rule, as_of), claimed) in by_tick(claimed) {
        let Some(rule) = workspace.project.rules.get(&rule) else { continue };
        let caps = caps::of_rule(&workspace.project.settings.caps, rule);
        let look = Look { shared, workspace: &workspace, rule, caps, channel, as_of, stops: 0 };
        let seen = look.see(claimed).await?;
        judged.going.extend(seen.going.into_iter().map(|(one, _)| one));
        judged.held.extend(seen.held);
    }
    Ok(judged)
}

/// Why a message does not go now: its next state, the reason, what the event says, when it is due again.
pub type Held = (State, Reason, Option<String>, Option<Timestamp>);

/// Messages of one rule and tick on one channel.
struct Look<'a> {
    shared: &'a Shared,
    workspace: &'a Arc<Workspace>,
    rule: &'a Rule,
    caps: Vec<&'a Cap>,
    channel: Channel,
    as_of: Timestamp,
    /// The count of stops before anything was read.
    stops: i64,
}

/// A customer as they are now, and whether the conditions still hold.
struct Current {
    candidate: Candidate,
    holds: bool,
}

impl Current {
    /// Whether the customer is still eligible for what they are about to be given.
    fn may_have(&self, offer: Option<&str>, rule: &Rule) -> bool {
        let place = offer.and_then(|offer| rule.offers.iter().position(|name| name == offer));
        place.and_then(|place| self.candidate.offers.get(place)).is_none_or(|facts| facts.eligible)
    }
}

/// Messages that were looked at, before they have words.
struct Seen {
    /// With their addresses.
    going: Vec<(Claimed, String)>,
    held: Vec<(Claimed, Held)>,
    /// By the key of the message's entity.
    current: HashMap<String, Current>,
}

impl Look<'_> {
    async fn see(&self, claimed: Vec<Claimed>) -> Result<Seen> {
        let now = self.shared.clock.now();
        let mut current = self.current(&claimed, now).await?;
        let (mut going, mut held) = (Vec::new(), Vec::new());
        for one in claimed {
            match self.judge(&one, current.get(&one.entity), now) {
                Ok(address) => {
                    self.note_place(&one, &mut current, now);
                    going.push((one, address));
                }
                Err(why) => held.push((one, why)),
            }
        }
        self.admit(&mut going).await?;
        Ok(Seen { going, held, current })
    }

    async fn at(&self, claimed: Vec<Claimed>) -> Result<Vec<Verdict>> {
        let Seen { going, held, current } = self.see(claimed).await?;
        let settle = |(one, (state, reason, detail, due_at))| {
            Verdict::Settle(Box::new(one), state, Some(reason), detail, due_at)
        };
        let mut verdicts: Vec<Verdict> = held.into_iter().map(settle).collect();
        let fresh: Vec<&Claimed> = going.iter().map(|(one, _)| one).filter(|one| one.words.is_none()).collect();
        let mut facts = facts::of(&self.shared.db, self.workspace, self.rule, self.channel, &fresh).await?;
        let told = self.told(&going).await?;
        for (one, address) in going {
            let candidate = &current[&one.entity].candidate;
            let record = facts.remove(&one.entity).unwrap_or_default();
            verdicts.push(self.render(one, address, candidate, record, &told));
        }
        Ok(verdicts)
    }

    /// The messages to numbers that were told before how to stop text messages; asked only where that matters.
    async fn told(&self, going: &[(Claimed, String)]) -> Result<HashSet<String>> {
        let settings = &self.workspace.project.settings;
        if self.channel != Channel::Sms || settings.way_out.every != EveryText::First {
            return Ok(HashSet::new());
        }
        let asked = going.iter().filter(|(one, _)| one.purpose == Purpose::Promotional && one.words.is_none());
        let asked: Vec<_> = asked.map(|(one, address)| (one.id.as_str(), address.as_str())).collect();
        feedback::told_before(&self.shared.db, &asked).await
    }

    async fn current(&self, claimed: &[Claimed], now: Timestamp) -> Result<HashMap<String, Current>> {
        let db = &self.shared.db;
        let offers: Vec<&Offer> =
            self.rule.offers.iter().filter_map(|name| self.workspace.project.offers.get(name)).collect();
        let audience = Audience {
            rule: self.rule,
            offers: &offers,
            bad_moments: &self.workspace.project.settings.no_promotions_while,
            catalogue: &self.workspace.project.catalogue,
            dialect: db.dialect(),
            as_of: self.as_of,
            fires: None,
            asleep: Asleep::Nobody,
        };
        let keys: Vec<(i64, &str)> = claimed.iter().map(|one| (one.bucket, one.entity.as_str())).collect();
        let keys = serde_json::to_string(&keys).expect("text and integers serialise");
        let rows = db.fetch_as_one(audience.recheck(Among::Rows(&keys)), audience.facts_from() + 1).await?;
        let mut candidates: Vec<Candidate> = rows.iter().map(|row| audience.read(row)).collect();
        complete(db, &mut candidates, now).await?;
        self.add_taken(claimed, &mut candidates, now).await?;
        let holds = rows.iter().map(|row| row.opt_int(audience.facts_from()) == Some(1));
        let current = candidates.into_iter().zip(holds);
        Ok(current.map(|(candidate, holds)| (candidate.entity.clone(), Current { candidate, holds })).collect())
    }

    fn judge(&self, one: &Claimed, current: Option<&Current>, now: Timestamp) -> std::result::Result<String, Held> {
        if now > one.expires_at {
            let detail = format!("{}: was to be sent by {}", Reason::Expired, one.expires_at);
            return Err((State::Expired, Reason::Expired, Some(detail), None));
        }
        if !self.rule.live.at(now) {
            let detail = format!("{}: the rule is not live", Reason::Paused);
            return Err((State::Skipped, Reason::Paused, Some(detail), None));
        }
        let settings = &self.workspace.project.settings;
        let pauses = self.shared.pauses();
        if pauses.is_paused(&self.rule.name, Some(self.channel), None, &one.customer, now) {
            return Err((State::Planned, Reason::Paused, None, None));
        }
        let gone = (State::Skipped, Reason::NoLongerTrue, None, None);
        // A row that has changed hands is another customer's business.
        let current = current.filter(|current| current.candidate.customer == one.customer).ok_or(gone.clone())?;
        if self.rule.recheck && !current.holds {
            return Err(gone);
        }
        if self.rule.recheck && !current.may_have(one.offer.as_deref(), self.rule) {
            return Err((State::Skipped, Reason::NotEligible, None, None));
        }
        let policy = Policy {
            quiet_hours: &settings.quiet_hours,
            topic_quiet: settings.topics.get(&self.rule.topic).map_or(&[], |topic| &topic.quiet_hours),
            legal_hours: &settings.legal_hours,
            country: &settings.business.country,
            caps: &self.caps,
            holdout: 0,
            guard: &settings.guard,
            pauses: &pauses,
            zone: settings.business.time_zone,
            first_run: false,
        };
        let case = Case { rule: self.rule, candidate: &current.candidate, policy: &policy, now, turns: None };
        if let Err((reason, names)) = route::moment(&current.candidate, one.purpose) {
            let detail = names.map(|names| format!("{reason}: {names}"));
            return Err((State::Skipped, reason, detail, None));
        }
        let address =
            route::open(case, self.channel, one.purpose).map_err(|reason| (State::Skipped, reason, None, None))?;
        match hour(case, self.channel, one.purpose, one.expires_at, || one.id.clone()) {
            Hour::Now => self.place(one, case).map(|()| address),
            Hour::Never(reason @ Reason::OutsideLegalHours, detail) => {
                Err((State::Skipped, reason, Some(format!("{reason}: {detail}")), None))
            }
            Hour::Never(reason, detail) => Err((State::Expired, reason, Some(format!("{reason}: {detail}")), None)),
            Hour::Later(until, why) => {
                let why = why.unwrap_or(Deferral::QuietHours);
                Err((State::Planned, Reason::QuietHours, Some(format!("{why}: due {until}")), Some(until)))
            }
        }
    }

    fn recipient<'r>(&self, one: &'r Claimed, candidate: &'r Candidate, told: &HashSet<String>) -> Recipient<'r> {
        Recipient {
            touchpoint: Some(&one.id),
            channel: self.channel,
            locale: candidate.locale.as_deref(),
            zone: candidate.zone,
            offer: one.offer.as_deref(),
            code: one.code.as_deref(),
            variant: one.variant.as_deref(),
            promotional: one.purpose == Purpose::Promotional,
            was_told: told.contains(&one.id),
            as_of: one.as_of,
            now: self.shared.clock.now(),
        }
    }

    fn render(
        &self,
        one: Claimed,
        address: String,
        candidate: &Candidate,
        facts: facts::Facts,
        told: &HashSet<String>,
    ) -> Verdict {
        let kept = one.words.as_deref().and_then(|words| serde_json::from_str::<BTreeMap<String, String>>(words).ok());
        let now = self.shared.clock.now();
        let (words, date, fresh) = match kept {
            Some(parts) => {
                let date = parts.get(DATE).and_then(|date| date.parse().ok()).unwrap_or(now);
                (words_of(parts), date, false)
            }
            None => match self.workspace.words(self.rule, &self.recipient(&one, candidate, told), facts) {
                Ok(words) => (words, now, true),
                Err((reason, why)) => {
                    let detail = Some(format!("{reason}: {why}"));
                    return Verdict::Settle(Box::new(one), State::Skipped, Some(reason), detail, None);
                }
            },
        };
        let settings = &self.workspace.project.settings;
        let kept = fresh.then(|| kept_text(&words, date));
        let promotional = one.purpose == Purpose::Promotional;
        let unsubscribe =
            promotional.then(|| self.workspace.link(tokens::Purpose::Unsubscribe, Some(&one.id))).flatten();
        let outgoing = Outgoing {
            touchpoint: one.id.clone(),
            channel: self.channel,
            from: settings.channels.get(&self.channel).map(|channel| channel.from.clone()).unwrap_or_default(),
            to: address,
            locale: words.locale.clone(),
            words,
            promotional,
            unsubscribe,
            callback: self.workspace.callback(self.channel, &one.id),
            date,
            test: false,
        };
        let topic = self.rule.topic.clone();
        Verdict::Send(Box::new(Parcel { claimed: one, outgoing, words: kept, topic, stops: self.stops }))
    }
}

/// Beside the words: what the keys of a call do, a line for each.
pub const MENU: &str = "menu";

/// Beside the words: when they were first sent, which every attempt says.
const DATE: &str = "date";

/// Words as they are kept with their touchpoint.
pub(super) fn kept_text(words: &Words, date: Timestamp) -> String {
    let date = date.to_string();
    let menu = menu::written(&words.menu);
    let mut parts = parts_of(words);
    parts.insert(DATE, &date);
    if !menu.is_empty() {
        parts.insert(MENU, &menu);
    }
    // all at once: a text that grows while it is written is copied again and again
    let size = parts.iter().map(|(name, part)| name.len() + part.len() + part.len() / 8 + 8).sum();
    let mut text = Vec::with_capacity(size);
    serde_json::to_writer(&mut text, &parts).expect("text serialises");
    String::from_utf8(text).expect("JSON is text")
}

/// Words by the names they are kept under.
fn parts_of(words: &Words) -> BTreeMap<&'static str, &str> {
    let locale = Some(("locale", words.locale.as_str()));
    let parts = [
        ("subject", &words.subject),
        ("html", &words.html),
        ("text", &words.text),
        ("sms", &words.sms),
        ("voice", &words.voice),
    ];
    let parts = parts.into_iter().filter_map(|(name, part)| Some((name, part.as_deref()?)));
    parts.chain(locale).collect()
}

/// Words as they were kept.
pub fn words_of(mut parts: BTreeMap<String, String>) -> Words {
    Words {
        locale: parts.remove("locale").unwrap_or_default(),
        subject: parts.remove("subject"),
        html: parts.remove("html"),
        text: parts.remove("text"),
        sms: parts.remove("sms"),
        voice: parts.remove("voice"),
        menu: parts.remove(MENU).map(|written| menu::read(&written)).unwrap_or_default(),
    }
}
