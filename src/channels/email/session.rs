//! An SMTP connection, kept open between messages, and the transaction that knows where it stands.
//!
//! 1. One recipient per transaction: nothing is half accepted, and no customer sees another's address.
//! 2. The connection is put back only after a transaction that left it usable. An answer out of order, a time-out, a
//!    dropped future: each closes it.
//! 3. No NOOP to ask whether a kept connection still lives: its first command finds out, and is said again on a new
//!    connection, once, because nothing of the message had been answered.
//! 4. The time-outs are those of RFC 5321, 4.5.3.2; the final dot has ten minutes, because a relay that is asked again
//!    too early takes the message twice (RFC 1047).

use super::answer::{Cause, Failure, Step, queue_id};
use super::compose::Mail;
use super::relay::Relay;
use super::wire::{COMMAND_LIMIT, Wire};
use crate::channels::Sent;
use lettre::transport::smtp::authentication::DEFAULT_MECHANISMS;
use lettre::transport::smtp::client::AsyncSmtpConnection;
use lettre::transport::smtp::commands::{Data, Mail as MailCommand, Quit, Rcpt, Rset};
use lettre::transport::smtp::extension::{Extension, MailBodyParameter, MailParameter};
use lettre::transport::smtp::response::Response;
use lettre::transport::smtp::{Error, response::Severity};
use std::error::Error as _;
use std::fmt::Display;
use std::pin::pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use tokio::time::timeout;

const DATA_LIMIT: Duration = Duration::from_secs(120);
/// For the message itself; RFC 5321 gives three minutes to each block of it.
const CONTENT_LIMIT: Duration = Duration::from_secs(300);
const DOT_LIMIT: Duration = Duration::from_secs(600);

/// One line to a relay, opened when first needed.
#[derive(Debug)]
pub struct Connection {
    relay: Relay,
    session: Option<Session>,
}

impl Connection {
    pub fn new(relay: Relay) -> Self {
        Self { relay, session: None }
    }

    /// Sends one message and says what became of it.
    pub async fn send(&mut self, mail: &Mail) -> Sent {
        if let Some(kept) = self.session.take() {
            match self.transact(kept, mail).await {
                Err(failure) if failure.is_of_a_stale_line() => {}
                ended => return self.sent(ended),
            }
        }
        match Session::open(&self.relay).await {
            Ok(fresh) => {
                let ended = self.transact(fresh, mail).await;
                self.sent(ended)
            }
            Err(why) => Sent::NotNow { why, code: None, after: None },
        }
    }

    async fn transact(&mut self, mut session: Session, mail: &Mail) -> Result<String, Failure> {
        let ended = session.transact(mail).await;
        if ended.as_ref().err().is_none_or(Failure::leaves_the_line_usable) {
            self.session = Some(session);
        }
        ended
    }

    fn sent(&self, ended: Result<String, Failure>) -> Sent {
        match ended {
            Ok(answer) => Sent::Accepted { provider_id: queue_id(&answer), answer, units: None },
            Err(failure) => failure.sent(&self.relay.settings().place()),
        }
    }

    /// Says QUIT, without waiting for the answer.
    pub async fn close(self) {
        if let Some(session) = self.session {
            session.close().await;
        }
    }
}

/// An open connection after EHLO, TLS and log-in.
pub(super) struct Session {
    smtp: AsyncSmtpConnection,
    /// A transaction was begun and not ended: it must be reset before the next.
    begun: bool,
}

impl std::fmt::Debug for Session {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Session").field("begun", &self.begun).finish_non_exhaustive()
    }
}

impl Session {
    /// Connects, greets, protects the line and logs in.
    ///
    /// # Errors
    /// The step that failed and why, for the log. Nothing was sent.
    pub(super) async fn open(relay: &Relay) -> Result<Self, String> {
        let settings = relay.settings();
        let place = settings.place();
        let wire = Wire::open(settings).await?;
        let name = wire.client_id();
        let greeted = timeout(COMMAND_LIMIT, AsyncSmtpConnection::connect_with_transport(Box::new(wire), &name)).await;
        let mut smtp = greeted
            .map_err(|_| format!("the relay {place} did not greet in {} s", COMMAND_LIMIT.as_secs()))?
            .map_err(|error| format!("the relay {place} does not take mail now: {}", shown(&error)))?;
        if let Some(credentials) = &settings.credentials {
            let logged_in = timeout(COMMAND_LIMIT, smtp.auth(DEFAULT_MECHANISMS, credentials)).await;
            logged_in
                .map_err(|_| format!("the relay {place} did not answer the log-in in {} s", COMMAND_LIMIT.as_secs()))?
                .map_err(|error| format!("the relay {place} refused the log-in: {}", shown(&error)))?;
        }
        Ok(Self { smtp, begun: false })
    }

    /// MAIL, RCPT, DATA, the message, the dot. Gives the relay's answer to the dot.
    async fn transact(&mut self, mail: &Mail) -> Result<String, Failure> {
        if self.begun {
            self.command(Step::Reset, Rset, COMMAND_LIMIT).await?;
            self.begun = false;
        }
        let parameters = self.parameters(mail)?;
        self.begun = true;
        let sender = MailCommand::new(Some(mail.from().to_lettre()), parameters);
        self.command(Step::Mail, sender, COMMAND_LIMIT).await?;
        self.command(Step::Rcpt, Rcpt::new(mail.to().to_lettre(), Vec::new()), COMMAND_LIMIT).await?;
        let go = self.command(Step::Data, Data, DATA_LIMIT).await?;
        if go.code().severity != Severity::PositiveIntermediate {
            return Err(lost(Step::Data, format!("answered {} where 354 was due", go.code()), false));
        }
        let taken = self.content(mail.bytes()).await?;
        if taken.code().severity != Severity::PositiveCompletion {
            return Err(lost(Step::Dot, format!("answered {} where 250 was due", taken.code()), false));
        }
        self.begun = false;
        Ok(taken.message().collect::<Vec<_>>().join(" "))
    }

    /// What MAIL must announce. An address that needs SMTPUTF8 cannot go through a relay without it.
    fn parameters(&self, mail: &Mail) -> Result<Vec<MailParameter>, Failure> {
        if !mail.needs_utf8() {
            return Ok(Vec::new());
        }
        if !self.smtp.server_info().supports_feature(Extension::SmtpUtfEight) {
            let why = "offers no SMTPUTF8, which an address with other letters before the `@` needs".to_owned();
            return Err(Failure { step: Step::Mail, cause: Cause::Unfit { why } });
        }
        Ok(vec![MailParameter::SmtpUtfEight, MailParameter::Body(MailBodyParameter::EightBitMime)])
    }

    async fn command<C: Display>(&mut self, step: Step, command: C, limit: Duration) -> Result<Response, Failure> {
        match timeout(limit, self.smtp.command(command)).await {
            Ok(answered) => answered.map_err(|error| failure(step, &error)),
            Err(_) => Err(silence(step, limit)),
        }
    }

    /// Writes the message and the dot, and reads the answer. lettre asks its iterator for more just before it writes
    /// the dot: that moment parts "not sent" from "in doubt".
    async fn content(&mut self, bytes: &[u8]) -> Result<Response, Failure> {
        // The dot brings the line end before it.
        let bytes = bytes.strip_suffix(b"\r\n").unwrap_or(bytes);
        let dotted = AtomicBool::new(false);
        let end = std::iter::from_fn(|| {
            dotted.store(true, Ordering::SeqCst);
            None
        });
        let step = || if dotted.load(Ordering::SeqCst) { Step::Dot } else { Step::Content };
        let mut writing = pin!(self.smtp.message_iter(std::iter::once(bytes).chain(end)));
        let mut answered = timeout(CONTENT_LIMIT, &mut writing).await;
        if answered.is_err() && step() == Step::Dot {
            answered = timeout(DOT_LIMIT, &mut writing).await;
        }
        let answered =
            answered.map_err(|_| silence(step(), if step() == Step::Dot { DOT_LIMIT } else { CONTENT_LIMIT }))?;
        let answered = answered.map_err(|error| failure(step(), &error));
        if answered.as_ref().is_err_and(|failure| matches!(failure.cause, Cause::Answer { .. })) {
            self.begun = false;
        }
        answered
    }

    /// Says QUIT; polled once, so the command is written and its answer not waited for.
    pub(super) async fn close(mut self) {
        let _ = timeout(Duration::ZERO, self.smtp.command(Quit)).await;
    }
}

fn lost(step: Step, why: String, timed_out: bool) -> Failure {
    Failure { step, cause: Cause::Lost { why, timed_out } }
}

fn silence(step: Step, limit: Duration) -> Failure {
    lost(step, format!("no answer in {} s", limit.as_secs()), true)
}

fn failure(step: Step, error: &Error) -> Failure {
    match error.status() {
        Some(code) => Failure { step, cause: Cause::Answer { code: code.into(), text: detail(error) } },
        None => lost(step, shown(error), false),
    }
}

/// A relay's own words, or the system's.
fn detail(error: &Error) -> String {
    error.source().map_or_else(|| error.to_string(), ToString::to_string)
}

fn shown(error: &Error) -> String {
    match error.status() {
        Some(code) => format!("{code} {}", detail(error)),
        None => detail(error),
    }
}
