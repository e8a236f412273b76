//! The line to a relay: TCP without Nagle's delay, TLS from the start or after STARTTLS.
//!
//! 1. Everything that is said in clear before STARTTLS is forgotten with the handshake, and a relay (or someone on the
//!    way) that says more in clear than it was asked is refused: replies put in before TLS are never believed.
//! 2. A reply is decided by its digits. Bytes beyond ASCII become `?`, so that no relay's language makes a doubt.
//! 3. A line that was to be protected and is not is no line.

use super::relay::{Security, Settings, Tls};
use lettre::transport::smtp::client::AsyncTokioStream;
use lettre::transport::smtp::extension::ClientId;
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, ReadBuf};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::client::TlsStream;

/// For TCP's and TLS's handshakes; RFC 5321 names none.
const CONNECT_LIMIT: Duration = Duration::from_secs(30);
/// RFC 5321, 4.5.3.2.1: for the greeting and for each answer before DATA.
pub(super) const COMMAND_LIMIT: Duration = Duration::from_secs(300);
/// A greeting or an EHLO answer longer than this is not one.
const MAX_REPLY: usize = 16 * 1024;
/// What a relay would say if it greeted again after STARTTLS: the library that speaks from here on waits for it.
const GREETING_AFTER_STARTTLS: &[u8] = b"220 ready\r\n";

/// A line that is ready for SMTP's first greeting.
#[derive(Debug)]
pub(super) struct Wire {
    stream: Stream,
    /// Bytes to be read before those of the stream.
    before: &'static [u8],
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
        let mut tcp = connected
            .map_err(|_| format!("the relay {place} cannot be reached: no answer in {} s", CONNECT_LIMIT.as_secs()))?
            .map_err(|error| format!("the relay {place} cannot be reached: {error}"))?;
        tcp.set_nodelay(true).map_err(|error| format!("the relay {place}: {error}"))?;
        match &relay.security {
            Security::None => Ok(Self { stream: Stream::Plain(tcp), before: b"" }),
            Security::Implicit(tls) => Ok(Self { stream: encrypt(tls, tcp, &place).await?, before: b"" }),
            Security::StartTls(tls) => {
                let asked = timeout(COMMAND_LIMIT, ask_for_tls(&mut tcp)).await;
                asked
                    .map_err(|_| format!("the relay {place} did not answer in {} s", COMMAND_LIMIT.as_secs()))?
                    .map_err(|why| format!("the relay {place} {why}"))?;
                Ok(Self { stream: encrypt(tls, tcp, &place).await?, before: GREETING_AFTER_STARTTLS })
            }
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

/// Greeting, EHLO, STARTTLS, on the bare stream. The error ends a sentence that begins with "the relay …".
async fn ask_for_tls(tcp: &mut TcpStream) -> Result<(), String> {
    let greeting = reply(tcp).await?;
    if greeting.code() != "220" {
        return Err(format!("does not take mail now: {}", greeting.shown()));
    }
    let name = tcp.local_addr().map_or_else(|_| ClientId::default(), literal);
    say(tcp, &format!("EHLO {name}\r\n")).await?;
    let features = reply(tcp).await?;
    if features.code() != "250" {
        return Err(format!("refused EHLO: {}", features.shown()));
    }
    if !features.offers("STARTTLS") {
        return Err("offers no STARTTLS, and nothing is sent in clear (`?tls=none` would allow it)".to_owned());
    }
    say(tcp, "STARTTLS\r\n").await?;
    let ready = reply(tcp).await?;
    if ready.code() != "220" {
        return Err(format!("refused STARTTLS: {}", ready.shown()));
    }
    Ok(())
}

async fn say(tcp: &mut TcpStream, command: &str) -> Result<(), String> {
    tcp.write_all(command.as_bytes()).await.map_err(|error| format!("hung up: {error}"))
}

/// One whole reply in clear: lines that end in CRLF, the last one marked by a space after its code.
struct Reply(String);

impl Reply {
    fn code(&self) -> &str {
        self.0.get(..3).unwrap_or_default()
    }

    fn offers(&self, keyword: &str) -> bool {
        self.0
            .lines()
            .skip(1)
            .filter_map(|line| line.get(4..))
            .any(|offer| offer.split_whitespace().next().is_some_and(|word| word.eq_ignore_ascii_case(keyword)))
    }

    fn shown(&self) -> String {
        self.0.lines().collect::<Vec<_>>().join(" / ")
    }
}

/// Reads one reply and refuses bytes after it: every command waits for its answer, so none can be due.
async fn reply(tcp: &mut TcpStream) -> Result<Reply, String> {
    let mut bytes = Vec::with_capacity(512);
    loop {
        if let Some(end) = end_of_reply(&bytes) {
            if end < bytes.len() {
                return Err("says more in clear than it was asked: someone may be on the line".to_owned());
            }
            return Ok(Reply(String::from_utf8_lossy(&bytes).into_owned()));
        }
        if bytes.len() > MAX_REPLY {
            return Err("answers without end".to_owned());
        }
        let read = tcp.read_buf(&mut bytes).await.map_err(|error| format!("hung up: {error}"))?;
        if read == 0 {
            return Err("hung up before it had answered".to_owned());
        }
    }
}

/// Where the first whole reply in `bytes` ends.
fn end_of_reply(bytes: &[u8]) -> Option<usize> {
    let mut start = 0;
    for line in bytes.split_inclusive(|byte| *byte == b'\n') {
        let end = start + line.len();
        if !line.ends_with(b"\n") {
            return None;
        }
        if line.get(3) != Some(&b'-') {
            return Some(end);
        }
        start = end;
    }
    None
}

impl AsyncTokioStream for Wire {
    fn peer_addr(&self) -> io::Result<SocketAddr> {
        self.tcp().peer_addr()
    }
}

impl AsyncRead for Wire {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        if !self.before.is_empty() {
            let (now, later) = self.before.split_at(self.before.len().min(buf.remaining()));
            buf.put_slice(now);
            self.before = later;
            return Poll::Ready(Ok(()));
        }
        let known = buf.filled().len();
        let read = match &mut self.stream {
            Stream::Plain(tcp) => Pin::new(tcp).poll_read(cx, buf),
            Stream::Tls(tls) => Pin::new(tls).poll_read(cx, buf),
        };
        for byte in buf.filled_mut()[known..].iter_mut().filter(|byte| !byte.is_ascii()) {
            *byte = b'?';
        }
        read
    }
}

impl AsyncWrite for Wire {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        match &mut self.stream {
            Stream::Plain(tcp) => Pin::new(tcp).poll_write(cx, bytes),
            Stream::Tls(tls) => Pin::new(tls).poll_write(cx, bytes),
        }
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match &mut self.stream {
            Stream::Plain(tcp) => Pin::new(tcp).poll_flush(cx),
            Stream::Tls(tls) => Pin::new(tls).poll_flush(cx),
        }
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match &mut self.stream {
            Stream::Plain(tcp) => Pin::new(tcp).poll_shutdown(cx),
            Stream::Tls(tls) => Pin::new(tls).poll_shutdown(cx),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reply_ends_with_the_line_that_has_no_hyphen_after_its_code() {
        assert_eq!(end_of_reply(b"250-mail.test\r\n250 STARTTLS\r\n"), Some(29));
        assert_eq!(end_of_reply(b"250-mail.test\r\n250 STARTTLS\r"), None);
        assert_eq!(end_of_reply(b"220 ready\r\n250-AUTH PLAIN\r\n"), Some(11));
        assert_eq!(end_of_reply(b"250-mail.test\r\n"), None);
        assert_eq!(end_of_reply(b""), None);
    }

    #[test]
    fn an_offer_is_a_whole_word_in_any_case_after_the_first_line() {
        let reply = |text: &str| Reply(text.to_owned());
        assert!(reply("250-mail.test\r\n250-SIZE 100\r\n250 starttls\r\n").offers("STARTTLS"));
        assert!(!reply("250 STARTTLS\r\n").offers("STARTTLS"));
        assert!(!reply("250-mail.test\r\n250 XSTARTTLS\r\n").offers("STARTTLS"));
    }
}
