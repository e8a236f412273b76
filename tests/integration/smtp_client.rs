//! A client that speaks just enough SMTP to try the servers, and to send as a careless program would.

use crate::harness::socket;
use std::io::{BufRead, BufReader, Write};
use std::net::TcpStream;
use std::time::Duration;

pub struct Client {
    stream: BufReader<TcpStream>,
}

/// What the server made of a message.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Answer {
    Accepted,
    /// The code and the enhanced code, or what stands in their place.
    Refused(String),
    /// The connection ended before an answer.
    Lost,
}

impl Client {
    pub fn connect(port: u16) -> std::io::Result<Self> {
        let stream = TcpStream::connect(socket(port))?;
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(Duration::from_secs(30)))?;
        let mut client = Self { stream: BufReader::new(stream) };
        client.reply()?;
        client.command("EHLO client.test")?;
        Ok(client)
    }

    /// One message in one transaction; the envelope sender carries the Message-ID's local part.
    pub fn send(&mut self, recipient: &str, message_id: &str) -> Answer {
        self.transact(recipient, message_id).unwrap_or(Answer::Lost)
    }

    fn transact(&mut self, recipient: &str, message_id: &str) -> std::io::Result<Answer> {
        let local = message_id.split('@').next().unwrap_or_default();
        for command in
            [format!("MAIL FROM:<bounces+{local}@sender.test>"), format!("RCPT TO:<{recipient}>"), "DATA".into()]
        {
            let reply = self.command(&command)?;
            if !reply.starts_with(['2', '3']) {
                self.command("RSET")?;
                return Ok(Answer::Refused(reply.split(' ').take(2).collect::<Vec<_>>().join(" ")));
            }
        }
        let message = format!(
            "Message-ID: <{message_id}>\r\nFrom: shop@sender.test\r\nTo: {recipient}\r\nSubject: Hello\r\n\r\nHello.\r\n."
        );
        let reply = self.command(&message)?;
        Ok(if reply.starts_with('2') { Answer::Accepted } else { Answer::Refused(reply) })
    }

    fn command(&mut self, line: &str) -> std::io::Result<String> {
        self.stream.get_mut().write_all(format!("{line}\r\n").as_bytes())?;
        self.reply()
    }

    /// The last line of a reply.
    fn reply(&mut self) -> std::io::Result<String> {
        loop {
            let mut line = String::new();
            if self.stream.read_line(&mut line)? == 0 {
                return Err(std::io::ErrorKind::UnexpectedEof.into());
            }
            if line.as_bytes().get(3) != Some(&b'-') {
                return Ok(line.trim_end().to_owned());
            }
        }
    }
}
