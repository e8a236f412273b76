//! Channels: the ways out. Whom and when is decided before this module, what it says is rendered before it, and what
//! becomes of an answer is recorded after it (`delivery`). Here a message becomes bytes, the bytes go out, and the
//! answer of the other side becomes one of four words.
//!
//! 1. An answer is never guessed. What was refused is [`Sent::NotNow`] or [`Sent::Never`], what was taken is
//!    [`Sent::Accepted`], and what may have been taken is [`Sent::InDoubt`], however unlikely it was.
//! 2. [`Connection::prepare`] makes the same bytes from the same [`Outgoing`], and does no I/O.
//! 3. One message at a time per connection. A `send` that is dropped half-way closes its connection.
//! 4. Nothing here retries, with one exception: a kept SMTP connection that the relay had closed meanwhile is opened
//!    again before the first command of a message has been answered.
//! 5. Nothing here asks a clock for the date; time-outs are the only timers.

pub mod email;
pub mod folder;
pub mod rate;
mod tls;
pub mod twilio;

use crate::messages::Words;
use crate::rules::Channel;
use crate::settings::{ProviderSettings, Way};
use crate::time::{Span, Timestamp};
use std::path::{Path, PathBuf};

/// A message as delivery hands it over: all that the bytes on the wire depend on.
#[derive(Clone, PartialEq, Debug)]
pub struct Outgoing {
    /// The touchpoint's id, which travels with the message: the email's Message-ID, the file's name.
    pub touchpoint: String,
    pub channel: Channel,
    /// `Name <address>` for email; E.164 for SMS and voice, or a Twilio messaging service (`MG…`) for SMS.
    pub from: String,
    pub to: String,
    pub words: Words,
    /// BCP 47; the language in which a call is spoken.
    pub locale: String,
    pub promotional: bool,
    /// Where one POST leaves the message's topic (RFC 8058); email says so in its header.
    pub unsubscribe: Option<String>,
    /// The email's Date: the same on every attempt, so that every attempt has the same bytes.
    pub date: Timestamp,
    /// Where a provider may tell what became of it, and which key was pressed; none for email.
    pub callback: Option<Callback>,
    /// Marked as a test where that is not seen in the words: email says so in a header.
    pub test: bool,
}

/// Addresses at which a provider reaches plusone about one message.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Callback {
    /// `web.public_url`, without a slash at its end.
    pub public_url: String,
    /// The signed token of a call's keys.
    pub token: Option<String>,
}

impl Callback {
    /// Where `provider` tells what became of `touchpoint`.
    pub fn status(&self, provider: &str, touchpoint: &str) -> String {
        format!("{}/hooks/{provider}/status?touchpoint={touchpoint}", self.public_url)
    }

    /// Where `provider` tells which key was pressed after the call was said `turn` times.
    pub fn keys(&self, provider: &str, turn: u8) -> Option<String> {
        let token = self.token.as_ref()?;
        Some(format!("{}/hooks/{provider}/voice/{token}?turn={turn}", self.public_url))
    }
}

/// What became of one attempt.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Sent {
    Accepted {
        /// The provider's name for it: a queue id, a `SM…` or `CA…` sid, a file name.
        provider_id: Option<String>,
        /// The provider's answer, word for word, for the log.
        answer: String,
        /// Segments of an SMS, as the provider counted them.
        units: Option<i64>,
    },
    /// Certainly not sent; another attempt may be.
    NotNow {
        why: String,
        /// What the provider said of this message: `450 4.7.1`, `20429`. `None` where it said nothing of it: it cannot
        /// be reached, or serves this account at all no more, and another provider may do better.
        code: Option<String>,
        /// The provider asked not to be asked again before.
        after: Option<Span>,
    },
    /// Certainly not sent, and no attempt with these words to this address will be.
    Never {
        why: String,
        /// `550 5.1.1`, `21610`.
        code: Option<String>,
        /// The address does not exist: nothing else need be tried there.
        bad_address: bool,
        /// The provider knows of a stop by the recipient.
        opted_out: bool,
    },
    /// Perhaps sent. Never to be repeated without evidence.
    InDoubt { why: String },
}

/// A message that cannot be composed; as final as [`Sent::Never`].
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("{why}")]
pub struct Refused {
    pub why: String,
    pub bad_address: bool,
}

impl Refused {
    fn words(why: impl Into<String>) -> Self {
        Self { why: why.into(), bad_address: false }
    }

    fn address(why: impl Into<String>) -> Self {
        Self { why: why.into(), bad_address: true }
    }
}

impl From<Refused> for Sent {
    fn from(refused: Refused) -> Self {
        Self::Never { why: refused.why, code: None, bad_address: refused.bad_address, opted_out: false }
    }
}

/// What a provider knows of a message whose answer was lost.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Found {
    /// Its records that match, newest first, at least one. A record that another touchpoint already carries as its
    /// `provider_id` is that touchpoint's: leave it out before believing the rest.
    Yes {
        provider_ids: Vec<String>,
    },
    /// No record matches. Evidence only after a grace longer than the provider's slowest write.
    No,
    CannotSay {
        why: String,
    },
}

/// Why a provider cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ChannelError {
    #[error("provider `{provider}`: {why}")]
    Settings { provider: String, why: String },
    #[error("provider `{provider}`: cannot read {}: {source}", path.display())]
    Read { provider: String, path: PathBuf, source: std::io::Error },
    #[error("provider `{provider}`: {why}")]
    Unreachable { provider: String, why: String },
}

/// A configured way out. Cheap to clone.
#[derive(Clone, Debug)]
pub enum Provider {
    Folder(folder::Folder),
    Smtp(email::Relay),
    Twilio(twilio::Account),
}

/// One line to a provider, used by one message at a time.
#[derive(Debug)]
pub enum Connection {
    Folder(folder::Folder),
    Smtp(Box<email::Connection>),
    Twilio(twilio::Account),
}

/// A message in the bytes of its provider, ready to go.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Prepared {
    File(folder::File),
    Mail(email::Mail),
    Request(twilio::Request),
}

impl Provider {
    /// Reads the settings and the certificates they name; connects nowhere. `home` is the folder that relative paths
    /// are taken from.
    ///
    /// # Errors
    /// [`ChannelError::Settings`] where a URL or a file's content is wrong, [`ChannelError::Read`] where a file
    /// cannot be read.
    pub fn open(name: &str, settings: &ProviderSettings, home: &Path) -> Result<Self, ChannelError> {
        match &settings.way {
            Way::Folder { path } => Ok(Self::Folder(folder::Folder::new(name, home.join(path)))),
            Way::Smtp { url, connections, ca_file } => {
                let ca_file = ca_file.as_ref().map(|path| home.join(path));
                email::Relay::open(name, url, *connections, ca_file.as_deref()).map(Self::Smtp)
            }
            Way::Twilio { account_sid, auth_token, api_base, .. } => {
                twilio::Account::open(name, account_sid, auth_token, api_base.as_deref()).map(Self::Twilio)
            }
        }
    }

    /// Whether this provider has a way to send on `channel` at all.
    pub const fn serves(&self, channel: Channel) -> bool {
        match self {
            Self::Folder(_) => true,
            Self::Smtp(_) => matches!(channel, Channel::Email),
            Self::Twilio(_) => matches!(channel, Channel::Sms | Channel::Voice),
        }
    }

    /// How many connections are worth having side by side.
    pub fn connections(&self) -> usize {
        match self {
            Self::Folder(_) => folder::CONNECTIONS,
            Self::Smtp(relay) => relay.connections(),
            Self::Twilio(_) => twilio::CONNECTIONS,
        }
    }

    /// A new connection. Nothing is opened before it is needed.
    pub fn connection(&self) -> Connection {
        match self {
            Self::Folder(folder) => Connection::Folder(folder.clone()),
            Self::Smtp(relay) => Connection::Smtp(Box::new(email::Connection::new(relay.clone()))),
            Self::Twilio(account) => Connection::Twilio(account.clone()),
        }
    }

    /// Asks the provider whether it has `message`, which was sent at or after `since`. A folder proves both yes and
    /// no; Twilio's lists are compared by recipient, sender, time and (for an SMS) text; a relay cannot be asked.
    pub async fn look_up(&self, message: &Outgoing, since: Timestamp) -> Found {
        match self {
            Self::Folder(folder) => folder.look_up(message),
            Self::Smtp(_) => Found::CannotSay { why: "an SMTP relay cannot be asked what it has taken".to_owned() },
            Self::Twilio(account) => account.look_up(message, since).await,
        }
    }

    /// Does all that sending needs, short of sending: finds the folder writable, logs in at the relay, reads the
    /// account. The answer is one line for `doctor` and `/readyz`.
    ///
    /// # Errors
    /// [`ChannelError::Unreachable`] with the cause.
    pub async fn probe(&self) -> Result<String, ChannelError> {
        match self {
            Self::Folder(folder) => folder.probe().await,
            Self::Smtp(relay) => relay.probe().await,
            Self::Twilio(account) => account.probe().await,
        }
    }
}

impl Connection {
    /// Composes the bytes of `message`. May be called before the touchpoint is marked as dispatching.
    ///
    /// # Errors
    /// [`Refused`] where the message can never be sent this way: no words for the channel, an address that is none,
    /// a text beyond the provider's limit.
    pub fn prepare(&self, message: &Outgoing) -> Result<Prepared, Refused> {
        match self {
            Self::Folder(folder) => folder.prepare(message).map(Prepared::File),
            Self::Smtp(_) => email::prepare(message).map(Prepared::Mail),
            Self::Twilio(account) => account.prepare(message).map(Prepared::Request),
        }
    }

    /// Sends what [`prepare`](Self::prepare) of the same provider composed. The touchpoint must be marked as
    /// dispatching before. `next` is what will most likely be sent after it on this connection: a relay is told for
    /// whom that will be, and gets nothing of it; it need not be marked yet.
    pub async fn send(&mut self, prepared: &Prepared, next: Option<&Prepared>) -> Sent {
        match (self, prepared) {
            (Self::Folder(folder), Prepared::File(file)) => folder.send(file).await,
            (Self::Smtp(connection), Prepared::Mail(mail)) => {
                let next = next.and_then(|next| if let Prepared::Mail(next) = next { Some(next) } else { None });
                connection.send(mail, next).await
            }
            (Self::Twilio(account), Prepared::Request(request)) => account.send(request).await,
            _ => Sent::NotNow {
                why: "the message was prepared for a provider of another type".to_owned(),
                code: None,
                after: None,
            },
        }
    }

    /// Says goodbye without waiting for an answer.
    pub async fn close(self) {
        if let Self::Smtp(connection) = self {
            connection.close().await;
        }
    }
}

/// The touchpoint's id, held to what ids are made of: it becomes part of headers, paths and boundaries.
fn checked_id(message: &Outgoing) -> Result<&str, Refused> {
    let id = &message.touchpoint;
    if id.is_empty() || id.len() > 64 || !id.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-') {
        return Err(Refused::words(format!("`{id}` is not a touchpoint's id")));
    }
    Ok(id)
}

/// The part of `words` for `channel`, or the refusal that names it.
fn part(words: Option<&String>, channel: Channel) -> Result<&str, Refused> {
    words
        .map(String::as_str)
        .filter(|text| !text.trim().is_empty())
        .ok_or_else(|| Refused::words(format!("the message has no words for the channel `{channel}`")))
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn is_send<T: Send>(_: &T) {}

    #[tokio::test]
    async fn a_send_under_way_may_move_between_threads() {
        let provider = Provider::Folder(folder::Folder::new("outbox", PathBuf::from("outbox")));
        let mut connection = provider.connection();
        let prepared = Prepared::Mail(mail());
        let under_way = connection.send(&prepared, None);
        is_send(&under_way);
        assert!(matches!(under_way.await, Sent::NotNow { .. }), "a folder takes no mail for a relay");
        is_send(&provider.probe());
    }

    fn mail() -> email::Mail {
        email::prepare(&Outgoing {
            touchpoint: "5f0c2a9e-3a53-8d1c-9e0b-0d6a4f1b2c3d".to_owned(),
            channel: Channel::Email,
            from: "hello@harbour.example".to_owned(),
            to: "ann@customers.test".to_owned(),
            words: Words { subject: Some("Hello".to_owned()), text: Some("Hello".to_owned()), ..Words::default() },
            locale: "en-GB".to_owned(),
            promotional: false,
            unsubscribe: None,
            date: Timestamp::default(),
            callback: None,
            test: false,
        })
        .expect("a good message")
    }

    #[test]
    fn a_provider_serves_the_channels_it_has_a_way_for() {
        let served = |provider: &Provider| Channel::ALL.iter().filter(|channel| provider.serves(**channel)).count();
        let open = |way: Way| {
            let settings = ProviderSettings { way, rate: None, price: std::collections::BTreeMap::new() };
            Provider::open("p", &settings, Path::new("/home/shop"))
        };
        let relay = Way::Smtp { url: crate::settings::Secret::new("smtp://127.0.0.1"), connections: 20, ca_file: None };
        let relay = open(relay).expect("a good relay");
        assert_eq!((served(&relay), relay.connections()), (1, 20));
        let folder = open(Way::Folder { path: PathBuf::from("var/outbox") }).expect("a good folder");
        assert_eq!(served(&folder), 3);
        let Provider::Folder(folder) = folder else { panic!("a folder") };
        assert!(format!("{folder:?}").contains("/home/shop/var/outbox"));
    }
}
