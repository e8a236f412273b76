//! The line to a relay: TCP without Nagle's delay, TLS from the start or after STARTTLS.
//!
//! 1. Everything that is said in clear before STARTTLS is forgotten with the handshake, and a relay (or someone on the
//!    way) that says more in clear than it was asked is refused: replies put in before TLS are never believed.
//! 2. A reply is decided by its digits. Bytes beyond ASCII become `?`, so that no relay's language makes a doubt.
//! 3. A line that was to be protected and is not is no line.
//! 4. How much of what was to be written was handed to the system is always known: that parts "not sent" from "in
//!    doubt".

use super::relay::{Security, Settings, Tls};
use super::reply::Reply;
use lettre::transport::smtp::extension::ClientId;
use std::io;
use std::net::SocketAddr;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::client::TlsStream;

/// For TCP's and TLS's handshakes; RFC 5321 names none.
const CONNECT_LIMIT: Duration = Duration::from_secs(30);
/// RFC 5321, 4.5.3.2.1: for the greeting and for each answer before DATA.
pub(super) const COMMAND_LIMIT: Duration = Duration::from_secs(300);

/// A line that is ready for EHLO, or for the relay's greeting.
#[derive(Debug)]
pub(super) struct Wire {
    stream: Stream,
    /// The relay has not greeted yet.
    pub(super) is_greeting_due: bool,
    /// What was read and is not yet used.
    heard: Vec<u8>,
}

#[derive(Debug)]
enum Stream {
    Plain(TcpStream),
    Tls(Box<TlsStream<TcpStream>>),
}

impl Wire {
    /// Connects, and protects the line as `relay` wants it.
    ///
    /// # Errors
    /// The step that failed and why, for the log.
    pub(super) async fn open(relay: &Settings) -> Result<Self, String> {
        let place = relay.place();
        let connected = timeout(CONNECT_LIMIT, TcpStream::connect((relay.host.as_str(), relay.port))).await;
        let tcp = connected
            .map_err(|_| format!("the relay {place} cannot be reached: no answer in {} s", CONNECT_LIMIT.as_secs()))?
            .map_err(|error| format!("the relay {place} cannot be reached: {error}"))?;
        tcp.set_nodelay(true).map_err(|error| format!("the relay {place}: {error}"))?;
        let (stream, is_greeting_due) = match &relay.security {
            Security::None => (Stream::Plain(tcp), true),
            Security::Implicit(tls) => (encrypt(tls, tcp, &place).await?, true),
            Security::StartTls(tls) => {
                let mut clear = Self { stream: Stream::Plain(tcp), is_greeting_due: true, heard: Vec::new() };
                let asked = timeout(COMMAND_LIMIT, clear.ask_for_tls()).await;
                asked
                    .map_err(|_| format!("the relay {place} did not answer in {} s", COMMAND_LIMIT.as_secs()))?
                    .map_err(|why| format!("the relay {place} {why}"))?;
                let Stream::Plain(tcp) = clear.stream else { unreachable!("it was made in clear") };
                (encrypt(tls, tcp, &place).await?, false)
            }
        };
        Ok(Self { stream, is_greeting_due, heard: Vec::with_capacity(512) })
    }

    /// Greeting, EHLO, STARTTLS, in clear. The error ends a sentence that begins with "the relay …".
    async fn ask_for_tls(&mut self) -> Result<(), String> {
        let greeting = self.only_reply().await?;
        if greeting.code != 220 {
            return Err(format!("does not take mail now: {}", greeting.shown()));
        }
        let features = self.ask(&format!("EHLO {}\r\n", self.client_id())).await?;
        if features.code != 250 {
            return Err(format!("refused EHLO: {}", features.shown()));
        }
        if !features.offers("STARTTLS") {
            return Err("offers no STARTTLS, and nothing is sent in clear (`?tls=none` would allow it)".to_owned());
        }
        let ready = self.ask("STARTTLS\r\n").await?;
        if ready.code != 220 {
            return Err(format!("refused STARTTLS: {}", ready.shown()));
        }
        Ok(())
    }

    async fn ask(&mut self, command: &str) -> Result<Reply, String> {
        self.write(command.as_bytes(), &mut 0).await.map_err(|error| format!("hung up: {error}"))?;
        self.only_reply().await
    }

    /// Reads one reply and refuses bytes after it: every command in clear waits for its answer, so none can be due.
    async fn only_reply(&mut self) -> Result<Reply, String> {
        let reply = self.reply().await?;
        if self.heard.is_empty() {
            Ok(reply)
        } else {
            Err("says more in clear than it was asked: someone may be on the line".to_owned())
        }
    }

    /// Writes `bytes` and counts in `handed_over` how many of them the system has taken, also when it fails.
    pub(super) async fn write(&mut self, bytes: &[u8], handed_over: &mut usize) -> io::Result<()> {
        while *handed_over < bytes.len() {
            let rest = &bytes[*handed_over..];
            let taken = match &mut self.stream {
                Stream::Plain(tcp) => tcp.write(rest).await?,
                Stream::Tls(tls) => tls.write(rest).await?,
            };
            if taken == 0 {
                return Err(io::ErrorKind::WriteZero.into());
            }
            *handed_over += taken;
        }
        match &mut self.stream {
            Stream::Plain(_) => Ok(()),
            Stream::Tls(tls) => tls.flush().await,
        }
    }

    /// The next reply. The error ends a sentence that begins with "the relay …".
    pub(super) async fn reply(&mut self) -> Result<Reply, String> {
        loop {
            if let Some((reply, end)) = Reply::read(&self.heard)? {
                self.heard.drain(..end);
                return Ok(reply);
            }
            let known = self.heard.len();
            let read = match &mut self.stream {
                Stream::Plain(tcp) => tcp.read_buf(&mut self.heard).await,
                Stream::Tls(tls) => tls.read_buf(&mut self.heard).await,
            };
            if read.map_err(|error| format!("hung up: {error}"))? == 0 {
                return Err("hung up before it had answered".to_owned());
            }
            self.heard[known..].iter_mut().filter(|byte| !byte.is_ascii()).for_each(|byte| *byte = b'?');
        }
    }

    fn tcp(&self) -> &TcpStream {
        match &self.stream {
            Stream::Plain(tcp) => tcp,
            Stream::Tls(tls) => tls.get_ref().0,
        }
    }

    /// The name for EHLO: this end's address as a literal, which RFC 5321, 4.1.4 asks of a client without a name of
    /// its own in the DNS.
    pub(super) fn client_id(&self) -> ClientId {
        match self.tcp().local_addr() {
            Ok(address) => literal(address),
            Err(_) => ClientId::default(),
        }
    }
}

fn literal(address: SocketAddr) -> ClientId {
    match address {
        SocketAddr::V4(address) => ClientId::Ipv4(*address.ip()),
        SocketAddr::V6(address) => ClientId::Ipv6(*address.ip()),
    }
}

async fn encrypt(tls: &Tls, tcp: TcpStream, place: &str) -> Result<Stream, String> {
    let handshake = timeout(CONNECT_LIMIT, tls.connector.connect(tls.name.clone(), tcp)).await;
    let stream = handshake
        .map_err(|_| format!("the relay {place} did not end the TLS handshake in {} s", CONNECT_LIMIT.as_secs()))?
        .map_err(|error| {
            format!("no TLS with the relay {place}: {error} (a relay with a private authority needs its `ca_file`)")
        })?;
    Ok(Stream::Tls(Box::new(stream)))
}
