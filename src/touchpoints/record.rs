//! A touchpoint as it is read back, and its JSON. Reading rows is `store`'s, sentences for people are `cli`'s.
//!
//! 1. The JSON names are stable: what is absent is null, a time is RFC 3339 in UTC, money names its currency.
//! 2. A [`Contact`] is masked wherever it is printed by accident (logs, panics); showing it is a call of its own.

use super::{Reason, State};
use crate::amount::Amount;
use crate::contact::mask;
use crate::rules::{Channel, Kind, OnDoubt, Purpose};
use crate::time::Timestamp;
use serde_json::{Value, json};
use std::fmt;

/// An email address or a phone number: whom a message went to.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Contact(String);

impl Contact {
    pub fn new(address: impl Into<String>) -> Self {
        Self(address.into())
    }

    /// The address itself, for those who may read it.
    pub fn clear(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Contact {
    /// Masked: enough to recognise, too little to write to.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&mask(&self.0))
    }
}

impl fmt::Debug for Contact {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

/// One touchpoint: every column but the two long ones, which [`Detail`] adds.
#[derive(Clone, PartialEq, Debug)]
pub struct Touchpoint {
    pub bucket: i64,
    pub id: String,
    pub rule: String,
    pub rule_version: String,
    pub kind: Kind,
    pub topic: String,
    pub purpose: Purpose,
    pub customer: String,
    pub entity_kind: String,
    pub entity_id: String,
    pub occurrence: String,
    pub step: i64,
    pub run_id: String,
    /// The tick's `now`.
    pub as_of: Timestamp,
    pub channel: Option<Channel>,
    pub address: Option<Contact>,
    pub state: State,
    pub reason: Option<Reason>,
    pub due_at: Option<Timestamp>,
    pub expires_at: Option<Timestamp>,
    pub priority: i64,
    pub on_doubt: OnDoubt,
    pub owner: Option<String>,
    pub epoch: Option<i64>,
    /// When it was marked as about to be sent.
    pub doubt_at: Option<Timestamp>,
    pub attempts: i64,
    pub provider: Option<String>,
    pub provider_id: Option<String>,
    /// Money, scaled.
    pub cost: Option<i64>,
    pub offer: Option<String>,
    pub code: Option<String>,
    pub variant: Option<String>,
    pub locale: Option<String>,
    pub subject: Option<String>,
    pub possible_duplicate: bool,
    pub test: bool,
    /// How many events it has.
    pub version: i64,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
    pub sent_at: Option<Timestamp>,
}

/// What happened to a touchpoint, in order.
#[derive(Clone, PartialEq, Debug)]
pub struct Event {
    pub n: i64,
    pub at: Timestamp,
    pub kind: String,
    /// JSON, or plain text.
    pub detail: Option<String>,
}

/// A touchpoint with all that is known of it.
#[derive(Clone, PartialEq, Debug)]
pub struct Detail {
    pub touchpoint: Touchpoint,
    /// The values the conditions read, as JSON.
    pub facts: Option<String>,
    /// The gates it passed, as JSON.
    pub gates: Option<String>,
    /// The words as sent by part, as JSON.
    pub words: Option<String>,
    pub events: Vec<Event>,
}

/// `at` as JSON: RFC 3339 in UTC, or null.
pub fn time_json(at: Option<Timestamp>) -> Value {
    at.map_or(Value::Null, |at| Value::String(at.to_string()))
}

/// Scaled money as JSON: `{"amount": "0.0400", "currency": "GBP"}`, or null.
pub fn money_json(units: Option<i64>, currency: &str) -> Value {
    units.map_or(Value::Null, |units| json!({ "amount": Amount::money(units).to_string(), "currency": currency }))
}

/// Text that holds JSON as what it holds; any other text as a string.
pub fn parsed_json(text: Option<&str>) -> Value {
    text.map_or(Value::Null, |text| serde_json::from_str(text).unwrap_or_else(|_| Value::String(text.to_owned())))
}

impl Touchpoint {
    /// The stable names of the log, the API and the exports; `currency` is the business's.
    pub fn to_json(&self, currency: &str) -> Value {
        json!({
            "id": self.id,
            "rule": self.rule,
            "rule_version": self.rule_version,
            "kind": self.kind.as_str(),
            "topic": self.topic,
            "purpose": self.purpose.as_str(),
            "customer": self.customer,
            "entity": { "kind": self.entity_kind, "id": self.entity_id },
            "occurrence": self.occurrence,
            "step": self.step,
            "channel": self.channel.map(Channel::as_str),
            "address": self.address.as_ref().map(Contact::clear),
            "state": self.state.as_str(),
            "reason": self.reason.map(Reason::as_str),
            "due_at": time_json(self.due_at),
            "sent_at": time_json(self.sent_at),
            "provider": self.provider,
            "provider_id": self.provider_id,
            "attempts": self.attempts,
            "cost": money_json(self.cost, currency),
            "offer": self.offer,
            "code": self.code,
            "variant": self.variant,
            "locale": self.locale,
            "subject": self.subject,
            "possible_duplicate": self.possible_duplicate,
            "test": self.test,
            "created_at": self.created_at.to_string(),
            "updated_at": self.updated_at.to_string(),
        })
    }
}

impl Event {
    pub fn to_json(&self) -> Value {
        json!({
            "n": self.n,
            "at": self.at.to_string(),
            "kind": self.kind,
            "detail": parsed_json(self.detail.as_deref()),
        })
    }
}

impl Detail {
    /// The touchpoint's names and `words`, `facts`, `gates`, `events`.
    pub fn to_json(&self, currency: &str) -> Value {
        let mut whole = self.touchpoint.to_json(currency);
        whole["words"] = parsed_json(self.words.as_deref());
        whole["facts"] = parsed_json(self.facts.as_deref());
        whole["gates"] = gates_json(self.gates.as_deref());
        whole["events"] = self.events.iter().map(Event::to_json).collect();
        whole
    }
}

/// The gates that were passed, as `why` tells them. Kept with a touchpoint is a name for each, or a name and a detail.
fn gates_json(kept: Option<&str>) -> Value {
    let Value::Array(gates) = parsed_json(kept) else { return Value::Null };
    let gate = |kept: &Value| {
        let name = kept.get(0).unwrap_or(kept);
        json!({ "gate": name, "passed": true, "reason": null, "detail": kept.get(1) })
    };
    gates.iter().map(gate).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_contact_is_masked_when_printed() {
        for clear in ["ada@harbour.example", "+442079460018", "12345", ""] {
            let contact = Contact::new(clear);
            assert_eq!(contact.to_string(), mask(clear));
            assert_eq!(format!("{contact:?}"), mask(clear));
            assert_eq!(contact.clear(), clear);
        }
    }

    #[test]
    fn money_names_its_currency_and_keeps_its_digits() {
        assert_eq!(money_json(Some(400), "GBP").to_string(), r#"{"amount":"0.0400","currency":"GBP"}"#);
        assert_eq!(money_json(None, "GBP"), Value::Null);
    }

    #[test]
    fn gates_are_told_in_one_form() {
        let told = gates_json(Some(r#"["pauses",["channel","email"]]"#));
        assert_eq!(told[0], json!({ "gate": "pauses", "passed": true, "reason": null, "detail": null }));
        assert_eq!(told[1]["detail"], "email");
        assert_eq!(gates_json(None), Value::Null);
    }

    #[test]
    fn a_detail_that_is_no_json_stays_text() {
        assert_eq!(parsed_json(Some(r#"{"a":1}"#)), json!({"a": 1}));
        assert_eq!(parsed_json(Some("550 no such user")), json!("550 no such user"));
        assert_eq!(parsed_json(None), Value::Null);
    }
}
