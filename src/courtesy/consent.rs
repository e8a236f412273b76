//! The ledger of consent in its meaning: entries with what proves them, and the answer that they add up to.
//!
//! 1. The ledger is append-only. What counts is its fold, [`deciding`]: what was said after the last no, or that no.
//!    Of a yes and a no at one instant the no counts.
//! 2. A yes that waits for its confirmation takes nothing back: it counts only where no yes stands.
//! 3. The order in which entries were written down does not matter, only the time at which they were said.
//! 4. An answer about every channel ([`EVERY_CHANNEL`]) is an answer about each.
//!
//! [`current_sql`] says the same to a database; a test holds both to each other.

use crate::ids::bucket_of;
use crate::rules::words;
use crate::time::{Timestamp, Tz};
use serde_json::{Value, json};
use std::fmt;
use std::str::FromStr;

/// Stands for every channel.
pub const EVERY_CHANNEL: &str = "*";

/// What a customer says about a topic on a channel.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Answer {
    No,
    Yes,
    /// A yes that counts once the customer has confirmed it.
    Pending,
}

words!(Answer { No = "no", Yes = "yes", Pending = "pending" });

impl Answer {
    /// As the ledger's column holds it.
    pub const fn code(self) -> i64 {
        match self {
            Self::No => 0,
            Self::Yes => 1,
            Self::Pending => 2,
        }
    }

    /// What a column holds; whatever is none of ours is a no.
    pub const fn of_code(code: i64) -> Self {
        match code {
            1 => Self::Yes,
            2 => Self::Pending,
            _ => Self::No,
        }
    }
}

/// The way on which an answer came.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum SourceKind {
    /// A column of the customer data (`[customer.consent]`).
    Data,
    /// A list (`plusone consent import`).
    Import,
    Api,
    PreferencePage,
    /// The page behind the unsubscribe link.
    UnsubscribePage,
    /// RFC 8058: the button of the customer's mail program.
    OneClick,
    Reply,
    /// A key pressed in a call.
    CallKey,
    /// Told to a person, who wrote it down.
    Support,
    /// The link in the mail that asks for it.
    Confirmation,
    /// Written down before the ledger kept this.
    Unknown,
}

words!(SourceKind {
    Data = "data",
    Import = "import",
    Api = "api",
    PreferencePage = "preference_page",
    UnsubscribePage = "unsubscribe_page",
    OneClick = "one_click",
    Reply = "reply",
    CallKey = "call_key",
    Support = "support",
    Confirmation = "confirmation",
    Unknown = "unknown",
});

/// Where an answer came from: the way, and the words of whoever wrote it down.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Source {
    pub kind: SourceKind,
    /// `checkout of the web shop`, `support: Ann`.
    pub words: String,
}

impl Source {
    pub fn new(kind: SourceKind, words: impl Into<String>) -> Self {
        Self { kind, words: words.into() }
    }

    /// Reads `support: Ann`: a kind, a colon, anything. Other words are of the kind `otherwise`.
    ///
    /// ```
    /// use plusone::courtesy::consent::{Source, SourceKind};
    /// assert_eq!(Source::read("reply: STOP", SourceKind::Support).kind, SourceKind::Reply);
    /// assert_eq!(Source::read("at the till", SourceKind::Support).kind, SourceKind::Support);
    /// ```
    pub fn read(words: &str, otherwise: SourceKind) -> Self {
        let kind = words.split_once(':').and_then(|(kind, _)| SourceKind::from_str(kind.trim()).ok());
        Self::new(kind.unwrap_or(otherwise), words)
    }
}

/// One entry of the ledger. Made with [`Entry::said`], so that what it can prove may grow.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Entry {
    pub bucket: i64,
    pub customer: String,
    pub topic: String,
    /// A channel, or [`EVERY_CHANNEL`].
    pub channel: String,
    pub at: Timestamp,
    pub answer: Answer,
    pub source: Source,
    /// From where, when it came over the network.
    pub ip: Option<String>,
    /// The whole wording that the customer was shown. Kept once, however many answered it.
    pub wording: Option<String>,
    /// Whatever else proves it: a reply word for word, the number of a ticket, a message's id.
    pub evidence: Option<String>,
    /// Whether `at` is when the data with it were read, as they do not tell when it was said.
    pub is_undated: bool,
}

impl Entry {
    /// That a customer gave this answer at this time.
    pub fn said(customer: &str, topic: &str, channel: &str, answer: Answer, at: Timestamp, source: Source) -> Self {
        Self {
            bucket: bucket_of(customer),
            customer: customer.to_owned(),
            topic: topic.to_owned(),
            channel: channel.to_owned(),
            at,
            answer,
            source,
            ip: None,
            wording: None,
            evidence: None,
            is_undated: false,
        }
    }

    #[must_use]
    pub fn from_ip(self, ip: Option<String>) -> Self {
        Self { ip, ..self }
    }

    #[must_use]
    pub fn shown(self, wording: Option<String>) -> Self {
        Self { wording, ..self }
    }

    #[must_use]
    pub fn proved_by(self, evidence: Option<String>) -> Self {
        Self { evidence, ..self }
    }

    /// With the time at which it was written down: data that tell no time have that one.
    #[must_use]
    pub fn recorded(self, at: Timestamp) -> Self {
        Self { is_undated: self.source.kind == SourceKind::Data && self.at == at, ..self }
    }

    /// As `consent show`, `customer` and the API tell it. `value` is null for a yes that waits for its confirmation;
    /// where `undated` is true `at` is when the answer was imported.
    pub fn to_json(&self) -> Value {
        json!({
            "topic": self.topic,
            "channel": self.channel,
            "value": match self.answer { Answer::Yes => Some(true), Answer::No => Some(false), Answer::Pending => None },
            "answer": self.answer.as_str(),
            "at": self.at.to_string(),
            "undated": self.is_undated,
            "source": self.source.words,
            "source_kind": self.source.kind.as_str(),
            "ip": self.ip,
            "wording": self.wording,
            "evidence": self.evidence,
        })
    }

    /// The entry as a sentence without its subject: `said yes to Treats and offers by email on 3 May 2026 (checkout of
    /// the web shop)`; where nobody knows when it was said, since when it is known. `topic` is what customers call it.
    pub fn told(&self, topic: &str, zone: Tz) -> String {
        let answer = match self.answer {
            Answer::Yes => "yes",
            Answer::No => "no",
            Answer::Pending => "yes, not confirmed yet,",
        };
        let channel = match self.channel.as_str() {
            EVERY_CHANNEL => "on every channel",
            "email" => "by email",
            "sms" => "by text message",
            "voice" => "by phone",
            other => other,
        };
        let on = self.at.local(zone).format("%-d %B %Y");
        let how = match self.source.kind {
            SourceKind::Confirmation => "confirmed by the link in a mail; first said at: ",
            SourceKind::PreferencePage => "on the preference page: ",
            SourceKind::UnsubscribePage => "on the unsubscribe page: ",
            SourceKind::OneClick => "by the unsubscribe button of their mail program: ",
            SourceKind::Reply => "by a reply: ",
            SourceKind::CallKey => "by a key in a call: ",
            _ => "",
        };
        let when = if self.is_undated { format!(", known since the import of {on}") } else { format!(" on {on}") };
        let mut told = format!("said {answer} to {topic} {channel}{when} ({how}{})", self.source.words);
        if let Some(wording) = &self.wording {
            told.push_str(&format!(", shown “{wording}”"));
        }
        if let Some(evidence) = &self.evidence {
            told.push_str(&format!(", proof: {evidence}"));
        }
        told
    }

    /// Whether it says anything about a topic on a channel.
    pub fn is_about(&self, topic: &str, channel: &str) -> bool {
        self.topic == topic && (self.channel == channel || self.channel == EVERY_CHANNEL)
    }
}

/// The entry that decides about a topic on a channel, from a customer's ledger in any order: the latest yes after the
/// last no, else the latest pending yes after it, else that no.
pub fn deciding<'a>(ledger: &'a [Entry], topic: &str, channel: &str) -> Option<&'a Entry> {
    let latest = |answer: Answer| {
        let said = ledger.iter().filter(|entry| entry.answer == answer && entry.is_about(topic, channel));
        // Of several with one time the one with the smallest words, whatever the order.
        said.max_by(|a, b| a.at.cmp(&b.at).then_with(|| b.source.words.cmp(&a.source.words)))
    };
    let no = latest(Answer::No);
    let stands = |entry: &&Entry| no.is_none_or(|no| entry.at > no.at);
    latest(Answer::Yes).filter(stands).or_else(|| latest(Answer::Pending).filter(stands)).or(no)
}

/// The current answer about a topic on a channel.
pub fn current(ledger: &[Entry], topic: &str, channel: &str) -> Option<Answer> {
    deciding(ledger, topic, channel).map(|entry| entry.answer)
}

/// A scalar subquery for the current answer of a customer about a topic on a channel: [`Answer::code`], or NULL where
/// there is none. The arguments are SQL expressions: columns of the query around it, or places of binds.
///
/// ```
/// let sql = plusone::courtesy::consent::current_sql("c.\"_bucket\"", "c.\"_customer\"", "$1", "$2");
/// assert!(sql.ends_with("from consents as k where k.bucket = c.\"_bucket\" and k.customer = c.\"_customer\" \
///                        and k.topic = $1 and k.channel in ($2, '*'))"));
/// ```
pub fn current_sql(bucket: &str, customer: &str, topic: &str, channel: &str) -> String {
    let last = |answer: Answer| format!("max(case k.value when {} then k.at end)", answer.code());
    let stands = |answer: Answer| {
        let (said, no) = (last(answer), last(Answer::No));
        format!("when {said} > coalesce({no}, {}) then {}", -i64::MAX, answer.code())
    };
    let (yes, pending) = (stands(Answer::Yes), stands(Answer::Pending));
    format!(
        "(select case {yes} {pending} when count(*) > 0 then 0 end from consents as k where k.bucket = {bucket} \
         and k.customer = {customer} and k.topic = {topic} and k.channel in ({channel}, '{EVERY_CHANNEL}'))"
    )
}

#[cfg(test)]
mod tests;
