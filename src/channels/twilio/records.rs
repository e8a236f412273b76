//! Twilio's lists of messages and calls, compared with a message whose answer was lost.
//!
//! 1. A message is recognised by recipient, sender, time and text; a call by recipient, sender and time, because the
//!    list does not tell what was said.
//! 2. "No" is said only of a list that is known to reach back far enough and whose texts are there to compare.

use crate::channels::{Found, Outgoing};
use crate::rules::Channel;
use crate::time::{Span, Timestamp};
use serde::Deserialize;

/// How far Twilio's clock and ours may differ.
const SKEW: Span = Span::from_seconds(120);
/// Records asked for: the newest of one recipient.
pub(super) const PAGE: usize = 100;

#[derive(Deserialize, Default)]
#[serde(default)]
struct List {
    messages: Vec<Record>,
    calls: Vec<Record>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Record {
    sid: String,
    to: Option<String>,
    from: Option<String>,
    messaging_service_sid: Option<String>,
    body: Option<String>,
    /// RFC 2822.
    date_created: Option<String>,
}

/// Whether the list `bytes` has `message`, sent at or after `since`.
pub(super) fn find(bytes: &[u8], message: &Outgoing, since: Timestamp) -> Found {
    let cannot = |why: &str| Found::CannotSay { why: why.to_owned() };
    let Ok(List { messages, calls }) = serde_json::from_slice(bytes) else {
        return cannot("twilio's list cannot be read");
    };
    let records = if message.channel == Channel::Voice { calls } else { messages };
    let whole = records.len() < PAGE || records.iter().any(|record| record.is_before(since));
    let near: Vec<&Record> =
        records.iter().filter(|record| record.is_between(message) && !record.is_before(since)).collect();
    if message.channel == Channel::Voice {
        return conclude(near.iter().map(|record| record.sid.clone()).collect(), whole);
    }
    let ours = |record: &&&Record| record.body.as_deref().is_some_and(|body| same_text(body, message));
    let matching: Vec<String> = near.iter().filter(ours).map(|record| record.sid.clone()).collect();
    let redacted = near.iter().any(|record| record.body.as_deref().is_none_or(str::is_empty));
    if matching.is_empty() && redacted {
        return cannot("twilio keeps no texts for this account");
    }
    conclude(matching, whole)
}

fn conclude(provider_ids: Vec<String>, whole: bool) -> Found {
    match (provider_ids.is_empty(), whole) {
        (false, _) => Found::Yes { provider_ids },
        (true, true) => Found::No,
        (true, false) => {
            Found::CannotSay { why: "twilio's list for this number does not reach back far enough".to_owned() }
        }
    }
}

impl Record {
    fn is_before(&self, since: Timestamp) -> bool {
        let created = self.date_created.as_deref().and_then(|text| chrono::DateTime::parse_from_rfc2822(text).ok());
        created.is_some_and(|at| Timestamp::from_seconds(at.timestamp()) < since.minus(SKEW))
    }

    fn is_between(&self, message: &Outgoing) -> bool {
        let from_us = [&self.from, &self.messaging_service_sid].into_iter().flatten().any(|from| *from == message.from);
        self.to.as_deref() == Some(&message.to) && from_us
    }
}

/// A trial account puts a sentence of its own before the text.
fn same_text(body: &str, message: &Outgoing) -> bool {
    message.words.sms.as_deref().is_some_and(|text| body.trim_end().ends_with(text.trim()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::messages::Words;

    fn message(channel: Channel) -> Outgoing {
        Outgoing {
            touchpoint: "5f0c2a9e-3a53-8d1c-9e0b-0d6a4f1b2c3d".to_owned(),
            channel,
            from: "+442071838750".to_owned(),
            to: "+447700900123".to_owned(),
            words: Words { sms: Some("On its way".to_owned()), voice: Some("Hello".to_owned()), ..Words::default() },
            locale: "en-GB".to_owned(),
            promotional: false,
            unsubscribe: None,
            date: since(),
            callback: None,
            test: false,
        }
    }

    fn since() -> Timestamp {
        "2026-11-22T07:00:00Z".parse().expect("a good instant")
    }

    fn record(sid: &str, body: &str, time: &str) -> String {
        format!(
            r#"{{"sid": "{sid}", "to": "+447700900123", "from": "+442071838750", "body": "{body}", "status": "sent",
                "messaging_service_sid": null, "date_created": "Sun, 22 Nov 2026 {time} +0000", "date_sent": null}}"#
        )
    }

    fn find_in(records: &[String]) -> Found {
        find(format!(r#"{{"messages": [{}]}}"#, records.join(",")).as_bytes(), &message(Channel::Sms), since())
    }

    #[test]
    fn the_same_text_to_the_same_number_is_found() {
        let records = [record("SM2", "On its way", "07:00:05"), record("SM1", "Something else", "07:00:01")];
        assert_eq!(find_in(&records), Found::Yes { provider_ids: vec!["SM2".to_owned()] });
        let trial = record("SM3", "Sent from your Twilio trial account - On its way", "07:00:05");
        assert_eq!(find_in(&[trial]), Found::Yes { provider_ids: vec!["SM3".to_owned()] });
    }

    #[test]
    fn other_texts_times_and_senders_are_not_ours() {
        assert_eq!(find_in(&[]), Found::No);
        assert_eq!(find_in(&[record("SM1", "Something else", "07:00:01")]), Found::No);
        assert_eq!(find_in(&[record("SM1", "On its way", "06:50:00")]), Found::No);
        let other = Outgoing { from: "+15550001".to_owned(), ..message(Channel::Sms) };
        let list = format!(r#"{{"messages": [{}]}}"#, record("SM1", "On its way", "07:00:01"));
        assert_eq!(find(list.as_bytes(), &other, since()), Found::No);
    }

    #[test]
    fn no_is_not_said_of_a_list_that_cannot_prove_it() {
        let full: Vec<String> = (0..PAGE).map(|n| record(&format!("SM{n}"), "Something else", "07:01:00")).collect();
        assert!(matches!(find_in(&full), Found::CannotSay { .. }));
        assert!(matches!(find_in(&[record("SM1", "", "07:00:01")]), Found::CannotSay { .. }));
        assert!(matches!(find(b"<html>", &message(Channel::Sms), since()), Found::CannotSay { .. }));
    }

    #[test]
    fn a_call_is_recognised_by_numbers_and_time() {
        let list = r#"{"calls": [{"sid": "CA1", "to": "+447700900123", "from": "+442071838750",
            "date_created": "Sun, 22 Nov 2026 07:00:02 +0000", "start_time": null, "status": "queued"}]}"#;
        let found = find(list.as_bytes(), &message(Channel::Voice), since());
        assert_eq!(found, Found::Yes { provider_ids: vec!["CA1".to_owned()] });
    }
}
