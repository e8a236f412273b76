//! An SMTP connection, kept open between messages, and the transaction that knows where it stands.
//!
//! 1. One recipient per transaction: nothing is half accepted, and no customer sees another's address.
//! 2. The connection is put back only after a transaction that left it usable. An answer out of order, a time-out, a
//!    dropped future: each closes it.
//! 3. No NOOP to ask whether a kept connection still lives: its first command finds out, and is said again on a new
//!    connection, once, because nothing of the message had been answered.
//! 4. Where the relay offers PIPELINING (RFC 2920), MAIL, RCPT and DATA go in one write, and that of the next message
//!    in the write that ends the one before; everywhere the message and its dot are one write. A relay that then wants
//!    the message after it refused the recipient gets no dot: the line is closed. So it is where the message that was
//!    announced does not come, or comes late: no relay is given half of one.
//! 5. The time-outs are those of RFC 5321, 4.5.3.2; the final dot has ten minutes, because a relay that is asked again
//!    too early takes the message twice (RFC 1047).

use super::address::Address;
use super::answer::{Cause, Failure, Step, queue_id};
use super::compose::Mail;
use super::relay::Relay;
use super::reply::Reply;
use super::wire::{COMMAND_LIMIT, Wire};
use crate::channels::Sent;
use lettre::transport::smtp::authentication::{Credentials, Mechanism};
use lettre::transport::smtp::commands::{Auth, Ehlo, Mail as MailCommand, Rcpt};
use lettre::transport::smtp::extension::{MailBodyParameter, MailParameter};
use lettre::transport::smtp::response::Response;
use memchr::memmem;
use std::fmt::{Display, Write as _};
use std::time::{Duration, Instant};
use tokio::time::timeout;

const DATA_LIMIT: Duration = Duration::from_secs(120);
/// For the message itself; RFC 5321 gives three minutes to each block of it.
const CONTENT_LIMIT: Duration = Duration::from_secs(300);
const DOT_LIMIT: Duration = Duration::from_secs(600);
/// How old an announcement may be: long before a relay stops waiting for the message, which could not be told from one
/// that it took.
const ANNOUNCED_LIMIT: Duration = Duration::from_secs(10);

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

    /// Sends one message and says what became of it. `next` is what will most likely follow it: it is announced with
    /// this one, where the relay takes that, and nothing of it is sent.
    pub async fn send(&mut self, mail: &Mail, next: Option<&Mail>) -> Sent {
        if let Some(kept) = self.session.take().filter(|kept| kept.expects(mail)) {
            match self.transact(kept, mail, next).await {
                Err(failure) if failure.is_of_a_stale_line() => {}
                ended => return self.sent(ended),
            }
        }
        match Session::open(&self.relay).await {
            Ok(fresh) => {
                let ended = self.transact(fresh, mail, next).await;
                self.sent(ended)
            }
            Err(why) => Sent::NotNow { why, code: None, after: None },
        }
    }

    async fn transact(&mut self, mut session: Session, mail: &Mail, next: Option<&Mail>) -> Result<String, Failure> {
        let ended = session.transact(mail, next).await;
        if !session.unsure && ended.as_ref().err().is_none_or(Failure::leaves_the_line_usable) {
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
#[derive(Debug)]
pub(super) struct Session {
    wire: Wire,
    takes_utf8: bool,
    /// Commands may follow each other without waiting for the answers between (RFC 2920).
    pipelines: bool,
    /// A transaction was begun and not ended: it must be reset before the next.
    begun: bool,
    /// What the relay believes about this line is not known: nothing more is said on it.
    unsure: bool,
    /// What was said of the next message already.
    announced: Option<Announced>,
}

/// The commands of a message that were written and not answered yet.
#[derive(Debug)]
struct Announced {
    envelope: Envelope,
    steps: Vec<Step>,
    at: Instant,
}

/// Sender and recipient: all that a relay is told before a message.
type Envelope = (Address, Address);

fn envelope(mail: &Mail) -> Envelope {
    (mail.from().clone(), mail.to().clone())
}

/// Which of several commands a relay offers to log in with is taken first; plain ones, because the line is protected.
const MECHANISMS: [(Mechanism, &str); 2] = [(Mechanism::Plain, "PLAIN"), (Mechanism::Login, "LOGIN")];
/// Questions that a log-in may have at most.
const MAX_CHALLENGES: usize = 10;

impl Session {
    /// Connects, greets, protects the line and logs in.
    ///
    /// # Errors
    /// The step that failed and why, for the log. Nothing was sent.
    pub(super) async fn open(relay: &Relay) -> Result<Self, String> {
        let settings = relay.settings();
        let place = settings.place();
        let mut wire = Wire::open(settings).await?;
        let greeted = timeout(COMMAND_LIMIT, greet(&mut wire)).await;
        let offers = greeted
            .map_err(|_| format!("the relay {place} did not greet in {} s", COMMAND_LIMIT.as_secs()))?
            .map_err(|why| format!("the relay {place} does not take mail now: {why}"))?;
        if let Some(credentials) = &settings.credentials {
            let logged_in = timeout(COMMAND_LIMIT, log_in(&mut wire, &offers, credentials)).await;
            logged_in
                .map_err(|_| format!("the relay {place} did not answer the log-in in {} s", COMMAND_LIMIT.as_secs()))?
                .map_err(|why| format!("the relay {place} refused the log-in: {why}"))?;
        }
        let (takes_utf8, pipelines) = (offers.offers("SMTPUTF8"), offers.offers("PIPELINING"));
        Ok(Self { wire, takes_utf8, pipelines, begun: false, unsure: false, announced: None })
    }

    /// Whether `mail` may come now: nothing was announced, or just this, and lately.
    fn expects(&self, mail: &Mail) -> bool {
        self.announced
            .as_ref()
            .is_none_or(|announced| announced.envelope == envelope(mail) && announced.at.elapsed() < ANNOUNCED_LIMIT)
    }

    /// MAIL, RCPT, DATA, the message, the dot. Gives the relay's answer to the dot.
    async fn transact(&mut self, mail: &Mail, next: Option<&Mail>) -> Result<String, Failure> {
        match self.announced.take() {
            Some(announced) => self.answers(&announced.steps).await?,
            None => {
                let commands = self.commands(mail)?;
                self.begun = true;
                if self.pipelines { self.all_at_once(&commands).await } else { self.one_by_one(&commands).await }?;
            }
        }
        let taken = self.content(mail.bytes(), next).await?;
        if !taken.is_done() {
            return Err(lost(Step::Dot, format!("answered {} where 250 was due", taken.code), false));
        }
        Ok(taken.text())
    }

    /// What comes before the message. An address that needs SMTPUTF8 cannot go through a relay without it.
    fn commands(&self, mail: &Mail) -> Result<Vec<(Step, String)>, Failure> {
        if mail.needs_utf8() && !self.takes_utf8 {
            let why = "offers no SMTPUTF8, which an address with other letters before the `@` needs".to_owned();
            return Err(Failure { step: Step::Mail, cause: Cause::Unfit { why } });
        }
        let parameters = if mail.needs_utf8() {
            vec![MailParameter::SmtpUtfEight, MailParameter::Body(MailBodyParameter::EightBitMime)]
        } else {
            Vec::new()
        };
        let reset = self.begun.then(|| (Step::Reset, "RSET\r\n".to_owned()));
        let envelope = [
            (Step::Mail, MailCommand::new(Some(mail.from().to_lettre()), parameters).to_string()),
            (Step::Rcpt, Rcpt::new(mail.to().to_lettre(), Vec::new()).to_string()),
            (Step::Data, "DATA\r\n".to_owned()),
        ];
        Ok(reset.into_iter().chain(envelope).collect())
    }

    async fn one_by_one(&mut self, commands: &[(Step, String)]) -> Result<(), Failure> {
        for (step, command) in commands {
            self.say(*step, command).await?;
            self.answer(*step).await?;
        }
        Ok(())
    }

    /// All commands in one write, then their answers.
    async fn all_at_once(&mut self, commands: &[(Step, String)]) -> Result<(), Failure> {
        let (steps, together) = joined(commands);
        self.say(steps[0], &together).await?;
        self.answers(&steps).await
    }

    /// The answers to commands that were written together. A relay that goes on to the message although it refused
    /// sender or recipient is not believed, and gets no dot.
    async fn answers(&mut self, steps: &[Step]) -> Result<(), Failure> {
        let mut refused: Option<Failure> = None;
        for step in steps {
            let answered = self.answer(*step).await;
            let goes_on = *step == Step::Data && answered.is_ok();
            match (&refused, answered) {
                (None, Err(failure)) if failure.leaves_the_line_usable() => refused = Some(failure),
                (None, Err(failure)) => return Err(failure),
                (Some(_), Err(Failure { cause: Cause::Lost { .. }, .. })) => self.unsure = true,
                _ => {}
            }
            if self.unsure || (goes_on && refused.is_some()) {
                self.unsure = true;
                break;
            }
        }
        refused.map_or(Ok(()), Err)
    }

    async fn say(&mut self, step: Step, text: &str) -> Result<(), Failure> {
        match timeout(COMMAND_LIMIT, self.wire.write(text.as_bytes(), &mut 0)).await {
            Ok(written) => written.map_err(|error| lost(step, format!("hung up: {error}"), false)),
            Err(_) => Err(silence(step, COMMAND_LIMIT)),
        }
    }

    /// The answer to a command before the message: the only good one to DATA is 354.
    async fn answer(&mut self, step: Step) -> Result<(), Failure> {
        let limit = if step == Step::Data { DATA_LIMIT } else { COMMAND_LIMIT };
        let reply = match timeout(limit, self.wire.reply()).await {
            Ok(heard) => heard.map_err(|why| lost(step, why, false))?,
            Err(_) => return Err(silence(step, limit)),
        };
        match (step, &reply) {
            (_, reply) if reply.code >= 400 => Err(refused(step, reply)),
            (Step::Data, reply) if reply.is_go_on() => Ok(()),
            (Step::Data, reply) => Err(lost(step, format!("answered {} where 354 was due", reply.code), false)),
            (_, reply) if reply.is_done() => Ok(()),
            (_, reply) => Err(lost(step, format!("answered {} where 250 was due", reply.code), false)),
        }
    }

    /// Writes the message with its dot, and what announces the next, in one piece, and reads the answer to the dot. From
    /// the moment that the system has taken a byte of the dot the relay may have the message.
    async fn content(&mut self, bytes: &[u8], next: Option<&Mail>) -> Result<Reply, Failure> {
        let mut stuffed = stuffed(bytes);
        let dot = stuffed.len() - DOT.len();
        // with the dot's answer, whatever it is, this transaction is over
        self.begun = false;
        let next = next.filter(|_| self.pipelines).and_then(|next| Some((envelope(next), self.commands(next).ok()?)));
        let announced = next.map(|(envelope, commands)| {
            let (steps, together) = joined(&commands);
            stuffed.extend_from_slice(together.as_bytes());
            Announced { envelope, steps, at: Instant::now() }
        });
        let mut handed_over = 0;
        let written = timeout(CONTENT_LIMIT, self.wire.write(&stuffed, &mut handed_over)).await;
        let step = if handed_over > dot { Step::Dot } else { Step::Content };
        written
            .map_err(|_| silence(step, CONTENT_LIMIT))?
            .map_err(|error| lost(step, format!("hung up: {error}"), false))?;
        self.begun = announced.is_some();
        self.announced = announced;
        let reply = match timeout(DOT_LIMIT, self.wire.reply()).await {
            Ok(heard) => heard.map_err(|why| lost(Step::Dot, why, false))?,
            Err(_) => return Err(silence(Step::Dot, DOT_LIMIT)),
        };
        if reply.code >= 400 { Err(refused(Step::Dot, &reply)) } else { Ok(reply) }
    }

    /// Says QUIT; polled once, so the command is written and its answer not waited for. A relay that waits for a message
    /// would take the word for a part of it: there the line just ends.
    pub(super) async fn close(mut self) {
        if self.announced.is_some() {
            return;
        }
        let _ = timeout(Duration::ZERO, self.wire.write(b"QUIT\r\n", &mut 0)).await;
    }
}

/// Greeting and EHLO; gives what the relay offers. The error says what it answered.
async fn greet(wire: &mut Wire) -> Result<Reply, String> {
    if wire.is_greeting_due {
        let greeting = wire.reply().await?;
        if !greeting.is_done() {
            return Err(greeting.shown());
        }
    }
    let offers = asked(wire, Ehlo::new(wire.client_id())).await?;
    if offers.is_done() { Ok(offers) } else { Err(offers.shown()) }
}

async fn log_in(wire: &mut Wire, offers: &Reply, credentials: &Credentials) -> Result<(), String> {
    let mechanism =
        MECHANISMS.iter().find(|(_, name)| offers.offers_with("AUTH", name)).map(|(mechanism, _)| *mechanism);
    let mechanism = mechanism.ok_or("it offers neither PLAIN nor LOGIN")?;
    let first = Auth::new(mechanism, credentials.clone(), None).map_err(|error| error.to_string())?;
    let mut reply = asked(wire, first).await?;
    for _ in 0..MAX_CHALLENGES {
        if reply.code != 334 {
            break;
        }
        let challenge: Response = format!("334 {}\r\n", reply.text()).parse().map_err(|_| "its challenge is none")?;
        let next = Auth::new_from_response(mechanism, credentials.clone(), &challenge);
        reply = asked(wire, next.map_err(|error| error.to_string())?).await?;
    }
    if reply.is_done() { Ok(()) } else { Err(reply.shown()) }
}

async fn asked(wire: &mut Wire, command: impl Display) -> Result<Reply, String> {
    let mut text = String::new();
    write!(text, "{command}").expect("a String takes all");
    wire.write(text.as_bytes(), &mut 0).await.map_err(|error| format!("hung up: {error}"))?;
    wire.reply().await
}

/// The steps of commands, and their text.
fn joined(commands: &[(Step, String)]) -> (Vec<Step>, String) {
    commands.iter().map(|(step, command)| (*step, command.as_str())).unzip()
}

/// The end of a message.
const DOT: &[u8] = b".\r\n";

/// The message as it goes over the line: dots at the start of a line doubled (RFC 5321, 4.5.2), the last line ended,
/// and the dot after it.
fn stuffed(bytes: &[u8]) -> Vec<u8> {
    let mut stuffed = Vec::with_capacity(bytes.len() + 64);
    if bytes.starts_with(b".") {
        stuffed.push(b'.');
    }
    let mut from = 0;
    for found in memmem::find_iter(bytes, b"\n.") {
        stuffed.extend_from_slice(&bytes[from..=found]);
        stuffed.push(b'.');
        from = found + 1;
    }
    stuffed.extend_from_slice(&bytes[from..]);
    if !bytes.ends_with(b"\r\n") {
        stuffed.extend_from_slice(b"\r\n");
    }
    stuffed.extend_from_slice(DOT);
    stuffed
}

fn refused(step: Step, reply: &Reply) -> Failure {
    Failure { step, cause: Cause::Answer { code: reply.code, text: reply.text() } }
}

fn lost(step: Step, why: String, timed_out: bool) -> Failure {
    Failure { step, cause: Cause::Lost { why, timed_out } }
}

fn silence(step: Step, limit: Duration) -> Failure {
    lost(step, format!("no answer in {} s", limit.as_secs()), true)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::{prop_assert, prop_assert_eq, proptest};

    #[test]
    fn a_line_that_begins_with_a_dot_gets_another() {
        assert_eq!(stuffed(b".a\r\n..\r\nb.\r\n.\r\n"), b"..a\r\n...\r\nb.\r\n..\r\n.\r\n");
        assert_eq!(stuffed(b"a"), b"a\r\n.\r\n");
        assert_eq!(stuffed(b"a\r\n"), b"a\r\n.\r\n");
    }

    proptest! {
        #[test]
        fn only_the_end_is_a_dot_alone(lines in proptest::collection::vec("[.a]{0,4}", 0..20)) {
            let message = lines.join("\r\n");
            let sent = String::from_utf8(stuffed(message.as_bytes())).expect("text");
            let (content, end) = sent.split_at(sent.len() - 3);
            prop_assert_eq!(end, ".\r\n");
            prop_assert!(content.ends_with("\r\n"));
            let heard: Vec<&str> = content.trim_end_matches("\r\n").split("\r\n").collect();
            prop_assert!(heard.iter().all(|line| *line != "."));
            let read: Vec<&str> = heard.iter().map(|line| line.strip_prefix('.').unwrap_or(line)).collect();
            let written = message.trim_end_matches("\r\n");
            prop_assert_eq!(read.join("\r\n"), written);
        }
    }
}
