//! What a relay's answer means, by the step at which it came (RFC 5321, RFC 3463).
//!
//! 1. Only one step can leave a doubt: from the first byte of the final dot until its answer is read.
//! 2. 4xx is "not now", 5xx is "never"; what a relay says about the log-in is about the configuration, and so is a
//!    reason to wait.
//! 3. An address is called bad only where the answer says that it does not exist, never for a policy or the content.

use crate::channels::Sent;

/// A step of a transaction, in the order of time.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) enum Step {
    Reset,
    Mail,
    Rcpt,
    Data,
    Content,
    Dot,
}

impl Step {
    const fn name(self) -> &'static str {
        match self {
            Self::Reset => "RSET",
            Self::Mail => "MAIL",
            Self::Rcpt => "RCPT",
            Self::Data => "DATA",
            Self::Content => "the message",
            Self::Dot => "the end of the message",
        }
    }
}

/// A transaction that ended early.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Failure {
    pub(super) step: Step,
    pub(super) cause: Cause,
}

#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) enum Cause {
    /// The relay answered no.
    Answer { code: u16, text: String },
    /// The relay lacks what the message needs, and was not asked.
    Unfit { why: String },
    /// No answer, or none that can be read.
    Lost { why: String, timed_out: bool },
}

/// 421: the relay closes the line.
const CLOSING: u16 = 421;
/// 503: a command out of order; what the relay believes about this line is not what we believe.
const OUT_OF_ORDER: u16 = 503;
/// RFC 4954: a log-in is wanted, or was not good enough.
const LOG_IN: [u16; 4] = [530, 534, 535, 538];
/// RFC 7504 and 7505: the domain takes no mail at all.
const NO_MAIL_THERE: u16 = 556;
/// RFC 3463 with RFC 7505: what says that an address does not exist.
const NO_SUCH_ADDRESS: [&str; 6] = ["5.1.1", "5.1.2", "5.1.3", "5.1.6", "5.1.10", "5.2.1"];

impl Failure {
    /// Whether another transaction may follow on the same line.
    pub(super) const fn leaves_the_line_usable(&self) -> bool {
        match self.cause {
            Cause::Answer { code, .. } => code != CLOSING && code != OUT_OF_ORDER,
            Cause::Unfit { .. } => true,
            Cause::Lost { .. } => false,
        }
    }

    /// Whether a kept line simply was closed meanwhile: nothing of this message had been answered yet.
    pub(super) fn is_of_a_stale_line(&self) -> bool {
        let closed = match self.cause {
            Cause::Answer { code, .. } => code == CLOSING,
            Cause::Unfit { .. } => false,
            Cause::Lost { timed_out, .. } => !timed_out,
        };
        closed && self.step <= Step::Mail
    }

    /// The word for the touchpoint.
    pub(super) fn sent(self, place: &str) -> Sent {
        let step = self.step.name();
        match self.cause {
            Cause::Lost { why, .. } if self.step == Step::Dot => {
                Sent::InDoubt { why: format!("the relay {place} may have taken the message: {why} after {step}") }
            }
            Cause::Lost { why, .. } => {
                Sent::NotNow { why: format!("the relay {place}: {why} at {step}"), code: None, after: None }
            }
            Cause::Unfit { why } => {
                let why = format!("the relay {place} {why}");
                Sent::Never { why, code: None, bad_address: false, opted_out: false }
            }
            Cause::Answer { code, text } => answered(self.step, code, &text, place),
        }
    }
}

fn answered(step: Step, code: u16, text: &str, place: &str) -> Sent {
    let why = format!("the relay {place} answered {code} {text} to {}", step.name());
    let enhanced = enhanced(text);
    let shown = Some(enhanced.map_or_else(|| code.to_string(), |enhanced| format!("{code} {enhanced}")));
    if LOG_IN.contains(&code) {
        return Sent::NotNow { why, code: None, after: None };
    }
    if code < 500 || code == OUT_OF_ORDER {
        return Sent::NotNow { why, code: shown, after: None };
    }
    let about_recipient = matches!(step, Step::Rcpt | Step::Dot);
    let says_absent = code == NO_MAIL_THERE || enhanced.is_some_and(|enhanced| NO_SUCH_ADDRESS.contains(&enhanced));
    Sent::Never { why, code: shown, bad_address: about_recipient && says_absent, opted_out: false }
}

/// The enhanced status code (RFC 3463) at the start of a reply's text: `5.1.1`.
fn enhanced(text: &str) -> Option<&str> {
    let word = text.split_whitespace().next()?;
    let mut parts = word.split('.');
    let number = |part: &str| (1..=3).contains(&part.len()) && part.bytes().all(|byte| byte.is_ascii_digit());
    let good = matches!(parts.next()?, "2" | "4" | "5") && number(parts.next()?) && number(parts.next()?);
    (good && parts.next().is_none()).then_some(word)
}

/// The id under which the relay keeps the message, where its answer names one as Postfix, Exim and others do:
/// `2.0.0 Ok: queued as 4Zx`, `OK id=1tXyz-000`.
pub(super) fn queue_id(text: &str) -> Option<String> {
    let after = |mark: &str| text.split_once(mark).map(|(_, rest)| rest);
    let word = after("queued as ").or_else(|| after("id="))?.split_whitespace().next()?;
    let id = word.trim_matches(|c: char| !c.is_ascii_alphanumeric());
    (!id.is_empty()).then(|| id.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(step: Step, code: u16, text: &str) -> Sent {
        Failure { step, cause: Cause::Answer { code, text: text.to_owned() } }.sent("mail.test:25")
    }

    fn lost(step: Step) -> Failure {
        Failure { step, cause: Cause::Lost { why: "connection reset".to_owned(), timed_out: false } }
    }

    fn code_of(sent: &Sent) -> Option<&str> {
        match sent {
            Sent::NotNow { code, .. } | Sent::Never { code, .. } => code.as_deref(),
            _ => None,
        }
    }

    #[test]
    fn only_a_lost_answer_to_the_dot_leaves_a_doubt() {
        for step in [Step::Reset, Step::Mail, Step::Rcpt, Step::Data, Step::Content] {
            assert!(matches!(lost(step).sent("x"), Sent::NotNow { .. }), "{step:?}");
        }
        assert!(matches!(lost(Step::Dot).sent("x"), Sent::InDoubt { .. }));
        assert!(matches!(answer(Step::Dot, 451, "4.3.0 later"), Sent::NotNow { .. }));
        assert!(matches!(answer(Step::Dot, 554, "5.7.1 spam"), Sent::Never { bad_address: false, .. }));
    }

    #[test]
    fn an_absent_mailbox_is_a_bad_address_and_a_policy_is_not() {
        for text in ["5.1.1 no such user", "5.1.2 no such host", "5.1.10 null MX", "5.2.1 disabled"] {
            assert!(matches!(answer(Step::Rcpt, 550, text), Sent::Never { bad_address: true, .. }), "{text}");
        }
        for text in ["5.7.1 blocked", "5.2.2 full", "5.7.26 unauthenticated", "go away", "5.1.8 bad sender"] {
            assert!(matches!(answer(Step::Rcpt, 550, text), Sent::Never { bad_address: false, .. }), "{text}");
        }
        assert!(matches!(answer(Step::Mail, 550, "5.1.1 sender unknown"), Sent::Never { bad_address: false, .. }));
        assert!(matches!(answer(Step::Rcpt, 556, "no mail here"), Sent::Never { bad_address: true, .. }));
    }

    #[test]
    fn a_refused_log_in_is_a_reason_to_wait() {
        for code in LOG_IN {
            assert!(matches!(answer(Step::Mail, code, "5.7.0 log in first"), Sent::NotNow { code: None, .. }));
        }
    }

    #[test]
    fn the_code_is_the_reply_code_with_the_enhanced_one() {
        assert_eq!(code_of(&answer(Step::Rcpt, 450, "4.7.1 Greylisted")), Some("450 4.7.1"));
        assert_eq!(code_of(&answer(Step::Rcpt, 550, "no such user")), Some("550"));
        assert_eq!(code_of(&answer(Step::Rcpt, 550, "5.1.1000 no")), Some("550"));
        assert_eq!(code_of(&answer(Step::Rcpt, 550, "5.1.1.1 no")), Some("550"));
    }

    #[test]
    fn only_the_first_command_on_a_kept_line_may_find_it_stale() {
        assert!(lost(Step::Mail).is_of_a_stale_line());
        assert!(lost(Step::Reset).is_of_a_stale_line());
        assert!(!lost(Step::Rcpt).is_of_a_stale_line());
        let closing =
            Failure { step: Step::Mail, cause: Cause::Answer { code: 421, text: "4.4.2 timeout".to_owned() } };
        assert!(closing.is_of_a_stale_line() && !closing.leaves_the_line_usable());
        let slow = Failure { step: Step::Mail, cause: Cause::Lost { why: "no answer".to_owned(), timed_out: true } };
        assert!(!slow.is_of_a_stale_line());
    }

    #[test]
    fn the_relays_own_id_is_kept() {
        assert_eq!(queue_id("2.0.0 Ok: queued as 4ZxW1B2c").as_deref(), Some("4ZxW1B2c"));
        assert_eq!(queue_id("OK id=1tXyz-0003Ab-CD").as_deref(), Some("1tXyz-0003Ab-CD"));
        assert_eq!(queue_id("2.0.0 Ok"), None);
    }
}
