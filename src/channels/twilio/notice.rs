//! What Twilio tells of its own accord: a text message that came in, what became of one of ours, a key in a call.
//!
//! 1. Only what is signed (`signature`) is read here.
//! 2. Fields that are not known are nobody's business; a field that is needed and missing makes the notice unreadable.

use super::answer::{Meaning, is_for_the_operator, meaning};

/// A form as posted, decoded.
pub type Form = [(String, String)];

/// A text message from a customer.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Inbound {
    /// Twilio's name for it.
    pub sid: String,
    pub from: String,
    pub to: String,
    pub text: String,
    /// Twilio's own reading (`STOP`, `START`, `HELP`), where Advanced Opt-Out is on: it has answered already.
    pub opt_out: Option<String>,
}

/// What became of a message or a call.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Receipt {
    pub sid: String,
    /// Whom it was for.
    pub to: Option<String>,
    /// Twilio's word for it.
    pub status: String,
    pub fate: Fate,
    pub code: Option<u32>,
    /// The recipient told Twilio to stop.
    pub opted_out: bool,
    /// The number cannot take such messages.
    pub bad_address: bool,
    /// The account needs somebody's look.
    pub for_operator: bool,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Fate {
    /// On its way: Twilio has it.
    Taken,
    Delivered,
    /// It did not arrive and will not.
    Bounced,
    /// Nobody took the call, or it was called off: nothing is wrong with the number.
    Missed,
}

/// A key pressed in a call.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Pressed {
    /// Twilio's name for the call.
    pub sid: String,
    /// What was pressed, if anything: digits, `*` and `#`.
    pub digits: String,
}

fn field<'a>(form: &'a Form, name: &str) -> Option<&'a str> {
    form.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str()).filter(|value| !value.is_empty())
}

fn owned(form: &Form, name: &str) -> Option<String> {
    field(form, name).map(str::to_owned)
}

impl Inbound {
    pub fn read(form: &Form) -> Option<Self> {
        Some(Self {
            sid: owned(form, "MessageSid")?,
            from: owned(form, "From")?,
            to: owned(form, "To")?,
            text: owned(form, "Body").unwrap_or_default(),
            opt_out: owned(form, "OptOutType"),
        })
    }
}

impl Receipt {
    pub fn read(form: &Form) -> Option<Self> {
        let of_message = owned(form, "MessageSid").zip(owned(form, "MessageStatus"));
        let (sid, status) = of_message.or_else(|| owned(form, "CallSid").zip(owned(form, "CallStatus")))?;
        let code = field(form, "ErrorCode").and_then(|code| code.parse().ok());
        let meant = code.map(meaning);
        Some(Self {
            fate: fate(&status),
            to: owned(form, "To"),
            sid,
            status,
            code,
            opted_out: meant == Some(Meaning::OptedOut),
            bad_address: meant == Some(Meaning::BadAddress),
            for_operator: code.is_some_and(is_for_the_operator),
        })
    }
}

/// What a status of a message or a call says. One that is not known says that Twilio has it.
fn fate(status: &str) -> Fate {
    match status {
        "delivered" | "read" | "completed" => Fate::Delivered,
        "undelivered" | "failed" => Fate::Bounced,
        "busy" | "no-answer" | "canceled" => Fate::Missed,
        _ => Fate::Taken,
    }
}

impl Pressed {
    pub fn read(form: &Form) -> Option<Self> {
        Some(Self { sid: owned(form, "CallSid")?, digits: owned(form, "Digits").unwrap_or_default() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn form(fields: &[(&str, &str)]) -> Vec<(String, String)> {
        fields.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
    }

    fn receipt(status: &str, code: &str) -> Receipt {
        let form = form(&[("MessageSid", "SM1"), ("MessageStatus", status), ("ErrorCode", code), ("New", "x")]);
        Receipt::read(&form).expect("a receipt")
    }

    #[test]
    fn every_status_has_a_fate() {
        for status in ["accepted", "scheduled", "queued", "sending", "sent", "partially_delivered", "tomorrow's word"] {
            assert_eq!(receipt(status, "").fate, Fate::Taken, "{status}");
        }
        for status in ["undelivered", "failed"] {
            assert_eq!(receipt(status, "30003").fate, Fate::Bounced, "{status}");
        }
        assert_eq!((receipt("delivered", "").fate, receipt("read", "").fate), (Fate::Delivered, Fate::Delivered));
        let call =
            |status: &str| Receipt::read(&form(&[("CallSid", "CA1"), ("CallStatus", status)])).expect("a receipt");
        for (status, fate) in [
            ("ringing", Fate::Taken),
            ("completed", Fate::Delivered),
            ("failed", Fate::Bounced),
            ("busy", Fate::Missed),
            ("no-answer", Fate::Missed),
            ("canceled", Fate::Missed),
        ] {
            assert_eq!((call(status).fate, call(status).sid.as_str()), (fate, "CA1"), "{status}");
        }
    }

    #[test]
    fn a_code_says_whether_to_write_again() {
        for code in ["30005", "30006", "21211", "21614"] {
            assert!(receipt("undelivered", code).bad_address, "{code}");
        }
        assert!(receipt("failed", "21610").opted_out);
        assert!(receipt("undelivered", "30007").for_operator);
        let unreachable = receipt("undelivered", "30003");
        assert!(!unreachable.bad_address && !unreachable.opted_out && !unreachable.for_operator);
        assert_eq!(receipt("delivered", "").code, None);
    }

    #[test]
    fn what_is_needed_must_be_there() {
        assert_eq!(Receipt::read(&form(&[("MessageSid", "SM1")])), None);
        assert_eq!(Inbound::read(&form(&[("From", "+44")])), None);
        assert_eq!(Pressed::read(&form(&[("Digits", "9")])), None);
        let silent = Pressed::read(&form(&[("CallSid", "CA1")])).expect("a call");
        assert_eq!(silent.digits, "");
    }
}
