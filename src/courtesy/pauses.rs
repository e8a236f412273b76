//! Pauses: what somebody told to wait, and until when. Pure; the table is read and written by `store::pauses`.
//!
//! 1. A pause holds for `[paused_at, paused_until)`, or until it is taken back.
//! 2. A message waits when anything it goes through is paused: everything, its rule, channel, provider or customer.

use crate::rules::Channel;
use crate::time::Timestamp;
use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

/// What is paused.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Scope {
    All,
    Rule(String),
    Channel(Channel),
    Provider(String),
    Customer(String),
}

impl fmt::Display for Scope {
    /// As it is stored: `all`, `rule:x`, `channel:sms`, `provider:p`, `customer:17`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::All => f.write_str("all"),
            Self::Rule(name) => write!(f, "rule:{name}"),
            Self::Channel(channel) => write!(f, "channel:{channel}"),
            Self::Provider(name) => write!(f, "provider:{name}"),
            Self::Customer(id) => write!(f, "customer:{id}"),
        }
    }
}

impl FromStr for Scope {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || format!("`{text}` is not one of `all`, `rule:`, `channel:`, `provider:`, `customer:`");
        if text == "all" {
            return Ok(Self::All);
        }
        let (kind, name) = text.split_once(':').ok_or_else(wrong)?;
        let named = || Some(name.to_owned()).filter(|name| !name.is_empty()).ok_or_else(wrong);
        match kind {
            "rule" => named().map(Self::Rule),
            "channel" => name.parse().map(Self::Channel),
            "provider" => named().map(Self::Provider),
            "customer" => named().map(Self::Customer),
            _ => Err(wrong()),
        }
    }
}

/// One pause.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Pause {
    pub scope: Scope,
    pub paused_at: Timestamp,
    /// Until it is taken back, where absent.
    pub paused_until: Option<Timestamp>,
    /// Why, where nobody told it to: a rule that paused itself.
    pub reason: Option<String>,
}

impl Pause {
    pub fn holds_at(&self, now: Timestamp) -> bool {
        self.paused_until.is_none_or(|until| now < until)
    }
}

/// All pauses of one moment.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Pauses(BTreeMap<Scope, Pause>);

impl FromIterator<Pause> for Pauses {
    fn from_iter<I: IntoIterator<Item = Pause>>(pauses: I) -> Self {
        Self(pauses.into_iter().map(|pause| (pause.scope.clone(), pause)).collect())
    }
}

impl Pauses {
    /// The pauses that hold at `now`.
    pub fn at(&self, now: Timestamp) -> impl Iterator<Item = &Pause> {
        self.0.values().filter(move |pause| pause.holds_at(now))
    }

    /// Whether `scope` itself is paused.
    pub fn holds(&self, scope: &Scope, now: Timestamp) -> bool {
        self.0.get(scope).is_some_and(|pause| pause.holds_at(now))
    }

    /// Whether a message waits; what is not decided yet (a channel, a provider) is left out.
    pub fn is_paused(
        &self,
        rule: &str,
        channel: Option<Channel>,
        provider: Option<&str>,
        customer: &str,
        now: Timestamp,
    ) -> bool {
        self.first(rule, channel, provider, customer, now).is_some()
    }

    /// The widest pause that a message waits for.
    pub fn first(
        &self,
        rule: &str,
        channel: Option<Channel>,
        provider: Option<&str>,
        customer: &str,
        now: Timestamp,
    ) -> Option<&Pause> {
        // The usual answer costs nothing: this is asked for every message.
        if self.0.is_empty() {
            return None;
        }
        let scopes = [
            Some(Scope::All),
            Some(Scope::Rule(rule.to_owned())),
            channel.map(Scope::Channel),
            provider.map(|name| Scope::Provider(name.to_owned())),
            Some(Scope::Customer(customer.to_owned())),
        ];
        scopes.into_iter().flatten().find_map(|scope| self.0.get(&scope).filter(|pause| pause.holds_at(now)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOON: Timestamp = Timestamp::from_seconds(1_000);

    fn pauses(list: &[(&str, Option<i64>)]) -> Pauses {
        let pause = |(scope, until): &(&str, Option<i64>)| Pause {
            scope: scope.parse().expect("a good scope"),
            paused_at: Timestamp::from_seconds(1),
            paused_until: until.map(Timestamp::from_seconds),
            reason: None,
        };
        list.iter().map(pause).collect()
    }

    fn waits(list: &[(&str, Option<i64>)]) -> bool {
        pauses(list).is_paused("winback", Some(Channel::Sms), Some("twilio"), "17", NOON)
    }

    #[test]
    fn a_message_waits_for_anything_it_goes_through() {
        for scope in ["all", "rule:winback", "channel:sms", "provider:twilio", "customer:17"] {
            assert!(waits(&[(scope, None)]), "{scope}");
        }
        for scope in ["rule:birthday", "channel:email", "provider:relay", "customer:1"] {
            assert!(!waits(&[(scope, None)]), "{scope}");
        }
        assert!(!waits(&[]));
    }

    #[test]
    fn a_pause_ends_at_its_end() {
        assert!(waits(&[("all", Some(1_001))]));
        assert!(!waits(&[("all", Some(1_000))]));
        assert!(waits(&[("all", Some(999)), ("customer:17", None)]));
    }

    #[test]
    fn what_is_not_decided_yet_is_not_asked() {
        let paused = pauses(&[("channel:sms", None), ("provider:twilio", None)]);
        assert!(!paused.is_paused("winback", None, None, "17", NOON));
    }

    #[test]
    fn scopes_are_read_as_they_are_written() {
        for text in ["all", "rule:a-b", "channel:voice", "provider:p", "customer:a:b"] {
            assert_eq!(text.parse::<Scope>().expect("a good scope").to_string(), text);
        }
        for text in ["", "ALL", "rule:", "channel:fax", "customer", "x:y"] {
            assert!(text.parse::<Scope>().is_err(), "{text}");
        }
    }
}
