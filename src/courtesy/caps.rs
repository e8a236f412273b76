//! Caps: at most so many messages to one customer in so long.
//!
//! Pure: what has taken places is brought by the caller, who reads it from the log; there is no table of places.
//!
//! 1. A message takes a place from the moment it is planned until it is certain that it was not sent. While it may
//!    still go it counts at every time; once it was sent it counts where it was sent. Nothing need be given back: the
//!    state says it.
//! 2. Windows are rolling (`7d`: more than so long ago is over) or the customer's calendar (`day`, `week` from Monday,
//!    `month`). What was sent at or after the window's start counts, later than the asked instant too: a tick that is
//!    planned late looks back from its own instant.
//! 3. A message that waits for a place takes it only when it is let go ([`Taken::waits`]): it asks again then.
//!
//! No cap is ever exceeded. Of the messages that one window of a cap holds take the one that was decided about last, N.
//! Planning for one customer is serial, so when N was decided each of the others was planned already. It could still go,
//! and was counted; or it was sent in that window, and was counted, since N goes at its due time or later and so the
//! window that ends at N's due time begins no later than the one that holds them all. So N was counted as one too many,
//! and was refused. A message that waits is counted by those planned after it, as every message that may still go; when
//! it is let go it counts those that have a place, and one planner's unfinished work has counted it. The tests hold
//! histories of several daemons with crashes to this.

use crate::rules::{Channel, Purpose, Rule};
use crate::time::{Date, Span, Timestamp, Tz};
use chrono::{Datelike, Days, Months, NaiveDate};
use std::cmp::Reverse;
use std::fmt;
use std::str::FromStr;

/// One entry of `[courtesy] caps`: messages that fit every selector, at most `max` of them in a window.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Cap {
    pub purpose: Option<Purpose>,
    pub topic: Option<String>,
    pub channel: Option<Channel>,
    pub max: usize,
    pub per: Window,
}

/// How long a place is taken.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Window {
    Rolling(Span),
    /// Calendar periods in the customer's zone.
    Day,
    /// From Monday.
    Week,
    Month,
}

/// What becomes of a message that meets a full cap.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum OnCap {
    /// It is skipped as `capped`.
    Drop,
    /// It waits for a place, if one comes free before it expires.
    Defer,
}

crate::rules::words!(OnCap { Drop = "drop", Defer = "defer" });

/// A message that has taken a place, or will.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Taken {
    pub rule: String,
    pub topic: String,
    pub purpose: Purpose,
    pub channel: Channel,
    /// When it was sent; while it may still go, when it is due.
    pub at: Timestamp,
    pub is_open: bool,
    /// It waits for a place itself.
    pub waits: bool,
}

/// A message that is asked about.
#[derive(Clone, Copy, Debug)]
pub struct Asked<'a> {
    pub topic: &'a str,
    pub purpose: Purpose,
    pub channel: Channel,
    /// When it is due.
    pub at: Timestamp,
    /// The customer's.
    pub zone: Tz,
}

/// A cap that has no place left.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Full {
    /// What took the places, and the cap in words.
    pub detail: String,
    /// When there will be a place under every cap, if what is planned goes when it is due.
    pub free_at: Timestamp,
}

/// The first cap that has no place left for a message; `None` where every cap has one.
pub fn full(caps: &[&Cap], taken: &[Taken], asked: Asked<'_>) -> Option<Full> {
    let mut first = None;
    let mut free_at = asked.at;
    for cap in caps.iter().filter(|cap| cap.covers(asked.topic, asked.purpose, asked.channel)) {
        let covered = || taken.iter().filter(|one| cap.covers(&one.topic, one.purpose, one.channel));
        let counted: Vec<&Taken> =
            covered().filter(|one| one.is_open || cap.per.holds(one.at, asked.at, asked.zone)).collect();
        if counted.len() < cap.max {
            continue;
        }
        let gone = |one: &Taken| if one.is_open { one.at.max(asked.at) } else { one.at };
        let mut frees: Vec<Timestamp> = covered().map(|one| cap.per.end(gone(one), asked.zone)).collect();
        frees.sort_unstable();
        free_at = free_at.max(frees[frees.len() - cap.max]);
        first.get_or_insert_with(|| format!("{}; {cap}", told(&counted, asked.zone)));
    }
    first.map(|detail| Full { detail, free_at })
}

/// Up to when a message that is due then meets a full cap at least, whenever what is planned goes that is due earlier:
/// [`Full::free_at`] may be later, this is never too late.
pub fn full_until(caps: &[&Cap], taken: &[Taken], asked: Asked<'_>) -> Option<Timestamp> {
    let until = |cap: &Cap| {
        let covered = taken.iter().filter(|one| cap.covers(&one.topic, one.purpose, one.channel));
        let mut frees: Vec<Timestamp> = covered.map(|one| cap.per.end(one.at, asked.zone)).collect();
        frees.sort_unstable();
        frees.get(frees.len().checked_sub(cap.max)?).copied()
    };
    caps.iter().filter(|cap| cap.covers(asked.topic, asked.purpose, asked.channel)).filter_map(|cap| until(cap)).max()
}

const DAY: i64 = 86_400;

/// How many of those that took the places are named.
const NAMED: usize = 3;

/// `by abandoned-cart, sent 3 Nov`: the latest first.
fn told(counted: &[&Taken], zone: Tz) -> String {
    let mut counted = counted.to_vec();
    counted.sort_by_key(|one| (Reverse((one.is_open, one.at)), &one.rule));
    let one = |one: &&Taken| {
        let day = one.at.local(zone).format("%-d %b");
        format!("{}, {} {day}", one.rule, if one.is_open { "planned for" } else { "sent" })
    };
    let named: Vec<String> = counted.iter().take(NAMED).map(one).collect();
    let more = counted.len().saturating_sub(NAMED);
    let more = if more > 0 { format!(" and {more} more") } else { String::new() };
    format!("by {}{more}", named.join(" and by "))
}

impl Cap {
    /// Whether the cap counts a message like this.
    pub fn covers(&self, topic: &str, purpose: Purpose, channel: Channel) -> bool {
        self.purpose.is_none_or(|of| of == purpose)
            && self.topic.as_deref().is_none_or(|of| of == topic)
            && self.channel.is_none_or(|of| of == channel)
    }

    /// Whether it may count a message of the rule, with or without its offer.
    fn may_cover(&self, rule: &Rule) -> bool {
        let purposes = [Some(rule.purpose), rule.may_be_promotional().then_some(Purpose::Promotional)];
        let mut messages = purposes
            .into_iter()
            .flatten()
            .flat_map(|purpose| rule.channels.iter().map(move |channel| (purpose, *channel)));
        messages.any(|(purpose, channel)| self.covers(&rule.topic, purpose, channel))
    }
}

/// The caps that the rule's messages are subject to; none for a rule that is urgent.
pub fn of_rule<'a>(caps: &'a [Cap], rule: &Rule) -> Vec<&'a Cap> {
    caps.iter().filter(|cap| !rule.urgent && cap.may_cover(rule)).collect()
}

/// How far back from an instant the caps look at most.
pub fn reach(caps: &[&Cap]) -> Span {
    caps.iter().map(|cap| cap.per.reach()).max().unwrap_or_default()
}

impl Window {
    /// Whether a message sent at `sent` counts at `at`.
    pub fn holds(self, sent: Timestamp, at: Timestamp, zone: Tz) -> bool {
        match self {
            Self::Rolling(span) => sent > at.minus(span),
            _ => sent >= self.first_day(at, zone).start(zone),
        }
    }

    /// From when on a message sent at `sent` counts no more.
    pub fn end(self, sent: Timestamp, zone: Tz) -> Timestamp {
        let first = || self.first_day(sent, zone).naive();
        let next = match self {
            Self::Rolling(span) => return sent.plus(span),
            Self::Day => first().checked_add_days(Days::new(1)),
            Self::Week => first().checked_add_days(Days::new(7)),
            Self::Month => first().checked_add_months(Months::new(1)),
        };
        Date::from_naive(next.unwrap_or(NaiveDate::MAX)).start(zone)
    }

    /// The first day of the calendar period that `at` lies in.
    fn first_day(self, at: Timestamp, zone: Tz) -> Date {
        let day = at.date(zone);
        let date = day.naive();
        let before = match self {
            Self::Rolling(_) | Self::Day => 0,
            Self::Week => date.weekday().num_days_from_monday(),
            Self::Month => date.day0(),
        };
        Date::from_days(day.days() - i64::from(before))
    }

    /// At least as long as any window of this kind; a local day may last two.
    const fn reach(self) -> Span {
        match self {
            Self::Rolling(span) => span,
            Self::Day => Span::from_days(2),
            Self::Week => Span::from_days(8),
            Self::Month => Span::from_days(32),
        }
    }
}

impl FromStr for Window {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        match text {
            "day" => Ok(Self::Day),
            "week" => Ok(Self::Week),
            "month" => Ok(Self::Month),
            span => span.parse().ok().filter(|span: &Span| span.micros() > 0).map(Self::Rolling).ok_or(()),
        }
    }
}

impl fmt::Display for Cap {
    /// `at most 2 promotional in 7d`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "at most {}", self.max)?;
        if let Some(purpose) = self.purpose {
            write!(f, " {purpose}")?;
        }
        if let Some(topic) = &self.topic {
            write!(f, " of {topic}")?;
        }
        if let Some(channel) = self.channel {
            write!(f, " by {channel}")?;
        }
        match self.per {
            // In days where it is days: `7d` says more than `1w` where others are calendar weeks.
            Window::Rolling(span) if span.seconds() % DAY == 0 => write!(f, " in {}d", span.seconds() / DAY),
            Window::Rolling(span) => write!(f, " in {span}"),
            Window::Day => f.write_str(" a day"),
            Window::Week => f.write_str(" a week"),
            Window::Month => f.write_str(" a month"),
        }
    }
}

#[cfg(test)]
mod tests;
