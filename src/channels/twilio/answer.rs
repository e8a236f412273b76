//! What Twilio's answer to a message or a call means.
//!
//! 1. A request is decided by a whole answer alone. 408, every 5xx and an answer that breaks off leave a doubt, because
//!    neither request has a key that would make it safe to repeat (Twilio's error 20500 says so).
//! 2. Codes are a table with a default (Twilio asks for that, it splits codes): a refusal not listed is for good.
//! 3. What concerns the account and not the message is a reason to wait, and says that the operator is needed.

use crate::channels::Sent;
use crate::time::Span;
use serde::Deserialize;

/// A response, as far as it was read.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) retry_after: Option<Span>,
    /// The body, or why it broke off.
    pub(super) body: Result<Vec<u8>, String>,
}

/// The fields of a message, a call or an error that are read; the rest may change.
#[derive(Deserialize, Default, Debug)]
#[serde(default)]
struct Body {
    sid: Option<String>,
    status: serde_json::Value,
    /// A number in text form.
    num_segments: Option<String>,
    code: Option<u32>,
    message: Option<String>,
}

/// What a code says about the message, the recipient or the account.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Meaning {
    /// Too fast, or a queue is full.
    TooFast,
    OptedOut,
    BadAddress,
    /// The account or the sender is not fit; nothing about this message.
    Operator,
    Refused,
}

pub(super) fn meaning(code: u32) -> Meaning {
    match code {
        20429 | 30001 | 30022 => Meaning::TooFast,
        21610 => Meaning::OptedOut,
        21211 | 21214 | 21217 | 21614 | 30005 | 30006 => Meaning::BadAddress,
        20001..=20009 | 20404 | 30002 => Meaning::Operator,
        _ => Meaning::Refused,
    }
}

/// Refusals for good that a person at the business must look at: permissions, senders, registrations.
const FOR_THE_OPERATOR: [u32; 11] = [21212, 21408, 21603, 21606, 21608, 21612, 21659, 30007, 30023, 30032, 30034];

/// Whether a code is a matter of the account's settings.
pub(super) fn is_for_the_operator(code: u32) -> bool {
    meaning(code) == Meaning::Operator || FOR_THE_OPERATOR.contains(&code)
}

impl Answer {
    /// The word for the touchpoint.
    pub(super) fn sent(self) -> Sent {
        let status = self.status;
        match status {
            200..=299 => accepted(status, self.body),
            408 | 500.. => Sent::InDoubt { why: format!("twilio answered {status}: it may have taken the message") },
            _ => refused(status, self.retry_after, &self.body.unwrap_or_default()),
        }
    }
}

fn accepted(status: u16, body: Result<Vec<u8>, String>) -> Sent {
    let doubt = |why: String| Sent::InDoubt { why: format!("twilio answered {status}, and {why}") };
    let bytes = match body {
        Ok(bytes) => bytes,
        Err(why) => return doubt(format!("the rest of the answer was lost: {why}")),
    };
    let Ok(Body { sid: Some(sid), status: state, num_segments, .. }) = serde_json::from_slice(&bytes) else {
        return doubt("the answer names no message".to_owned());
    };
    let state = state.as_str().unwrap_or("accepted");
    Sent::Accepted {
        answer: format!("{state} as {sid}"),
        provider_id: Some(sid),
        units: num_segments.and_then(|count| count.parse().ok()),
    }
}

fn refused(status: u16, retry_after: Option<Span>, bytes: &[u8]) -> Sent {
    let body: Body = serde_json::from_slice(bytes).unwrap_or_default();
    let said = body.message.map_or_else(String::new, |message| format!(": {message}"));
    let named = body.code.map_or_else(|| status.to_string(), |code| format!("{status} ({code})"));
    let code = Some(body.code.map_or_else(|| status.to_string(), |code| code.to_string()));
    let meaning = match (status, body.code) {
        (429, _) => Meaning::TooFast,
        (_, Some(code)) => meaning(code),
        (300..=399 | 401 | 403 | 404 | 405 | 407 | 421, None) => Meaning::Operator,
        _ => Meaning::Refused,
    };
    let for_operator = meaning == Meaning::Operator || body.code.is_some_and(is_for_the_operator);
    let hint = if for_operator { " (the account's settings need a look)" } else { "" };
    let why = format!("twilio answered {named}{said}{hint}");
    match meaning {
        Meaning::TooFast => Sent::NotNow { why, code, after: retry_after },
        Meaning::Operator => Sent::NotNow { why, code: None, after: retry_after },
        Meaning::OptedOut | Meaning::BadAddress | Meaning::Refused => Sent::Never {
            why,
            code,
            bad_address: meaning == Meaning::BadAddress,
            opted_out: meaning == Meaning::OptedOut,
        },
    }
}

/// The `Retry-After` of RFC 9110, 10.2.3: seconds, or a date measured from the answer's own `Date`.
pub(super) fn retry_after(value: &str, date: Option<&str>) -> Option<Span> {
    if let Ok(seconds) = value.trim().parse::<u32>() {
        return Some(Span::from_seconds(i64::from(seconds)));
    }
    let at = |text: &str| chrono::DateTime::parse_from_rfc2822(text.trim()).ok().map(|at| at.timestamp());
    Some(Span::from_seconds((at(value)? - at(date?)?).max(0)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(status: u16, body: &str) -> Sent {
        Answer { status, retry_after: None, body: Ok(body.as_bytes().to_vec()) }.sent()
    }

    fn error(status: u16, code: u32) -> Sent {
        answer(status, &format!(r#"{{"code": {code}, "message": "no", "more_info": "x", "status": {status}}}"#))
    }

    #[test]
    fn a_message_that_was_taken_has_its_sid_and_segments() {
        let sent = answer(201, r#"{"sid": "SM1", "status": "queued", "num_segments": "2", "error_code": null}"#);
        let Sent::Accepted { provider_id, answer, units } = sent else { panic!("taken") };
        assert_eq!((provider_id.as_deref(), answer.as_str(), units), (Some("SM1"), "queued as SM1", Some(2)));
    }

    #[test]
    fn an_answer_that_breaks_off_or_says_nothing_leaves_a_doubt() {
        let cut = Answer { status: 201, retry_after: None, body: Err("connection reset".to_owned()) }.sent();
        assert!(matches!(cut, Sent::InDoubt { .. }));
        assert!(matches!(answer(201, r#"{"sid": "SM"#), Sent::InDoubt { .. }));
        assert!(matches!(answer(200, "<html>"), Sent::InDoubt { .. }));
        for status in [408, 500, 502, 503, 504, 599] {
            assert!(matches!(error(status, 20500), Sent::InDoubt { .. }), "{status}");
        }
    }

    #[test]
    fn too_fast_is_a_reason_to_wait_as_long_as_asked() {
        let slow_down = Answer { status: 429, retry_after: Some(Span::from_seconds(7)), body: Err("cut".to_owned()) };
        assert!(matches!(slow_down.sent(), Sent::NotNow { after: Some(span), .. } if span == Span::from_seconds(7)));
        for code in [20429, 30001, 30022] {
            assert!(matches!(error(400, code), Sent::NotNow { .. }), "{code}");
        }
    }

    #[test]
    fn a_stop_and_a_bad_number_are_told_apart_from_other_refusals() {
        assert!(matches!(error(400, 21610), Sent::Never { opted_out: true, bad_address: false, .. }));
        for code in [21211, 21614] {
            assert!(matches!(error(400, code), Sent::Never { opted_out: false, bad_address: true, .. }), "{code}");
        }
        let Sent::Never { why, code, bad_address, opted_out } = error(400, 21408) else { panic!("refused") };
        assert!(why.contains("need a look") && !bad_address && !opted_out, "{why}");
        assert_eq!(code.as_deref(), Some("21408"));
        assert!(matches!(error(400, 29_999), Sent::Never { bad_address: false, opted_out: false, .. }));
        assert!(matches!(answer(400, "not JSON"), Sent::Never { .. }));
    }

    #[test]
    fn what_concerns_the_account_waits_for_the_operator() {
        for (status, body) in [(401, r#"{"code": 20003}"#), (403, ""), (404, r#"{"code": 20404}"#), (301, "")] {
            let Sent::NotNow { why, code: None, .. } = answer(status, body) else {
                panic!("{status} is of the account")
            };
            assert!(why.contains("need a look"), "{why}");
        }
    }

    #[test]
    fn a_wait_is_read_in_seconds_and_as_a_date() {
        assert_eq!(retry_after("120", None), Some(Span::from_seconds(120)));
        let (date, later) = ("Sun, 22 Nov 2026 07:00:00 GMT", "Sun, 22 Nov 2026 07:01:30 GMT");
        assert_eq!(retry_after(later, Some(date)), Some(Span::from_seconds(90)));
        assert_eq!(retry_after(date, Some(later)), Some(Span::from_seconds(0)));
        assert_eq!(retry_after("soon", Some(date)), None);
        assert_eq!(retry_after(later, None), None);
    }
}
