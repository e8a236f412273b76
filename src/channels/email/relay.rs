//! A relay: where it is, how it is spoken to, and who logs in there.
//!
//! 1. `smtps://` is TLS from the first byte (port 465). `smtp://` is STARTTLS, required, never "if offered" (port 587
//!    with a user, else 25).
//! 2. `?tls=none` speaks in clear: for a relay on this host or in the same private network. Credentials go in clear to
//!    this host alone.
//! 3. A relay on a loopback address, without credentials, is spoken to in clear unless `?tls=required` says otherwise:
//!    nothing leaves the machine, and its certificate is seldom one that can be checked.
//! 4. A user and a password stand before the last `@` as they are; `%XX` in them is decoded.
//! 5. Neither the URL nor the password is ever shown.

use super::session::Session;
use crate::channels::{ChannelError, tls};
use crate::settings::Secret;
use lettre::transport::smtp::authentication::Credentials;
use reqwest::Url;
use rustls::pki_types::ServerName;
use std::net::IpAddr;
use std::path::Path;
use std::sync::Arc;
use tokio_rustls::TlsConnector;

/// A relay as configured. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Relay(Arc<Settings>);

#[derive(Debug)]
pub(super) struct Settings {
    pub(super) provider: String,
    pub(super) host: String,
    pub(super) port: u16,
    pub(super) security: Security,
    pub(super) credentials: Option<Credentials>,
    connections: usize,
}

/// How the line is protected.
#[derive(Clone)]
pub(super) enum Security {
    None,
    StartTls(Tls),
    Implicit(Tls),
}

/// What a handshake needs.
#[derive(Clone)]
pub(super) struct Tls {
    pub(super) connector: TlsConnector,
    pub(super) name: ServerName<'static>,
}

impl std::fmt::Debug for Security {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::None => "None",
            Self::StartTls(_) => "StartTls",
            Self::Implicit(_) => "Implicit",
        })
    }
}

/// What a relay's URL says, before any certificate is read.
#[derive(PartialEq, Eq, Debug)]
struct Line {
    host: String,
    port: u16,
    protection: Protection,
    credentials: Option<(String, String)>,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Protection {
    None,
    StartTls,
    Implicit,
}

impl Relay {
    /// Reads the URL and the certificates; connects nowhere.
    ///
    /// # Errors
    /// [`ChannelError`] where the URL is not one of a relay, or the certificates cannot be read.
    pub fn open(
        provider: &str,
        url: &Secret,
        connections: usize,
        ca_file: Option<&Path>,
    ) -> Result<Self, ChannelError> {
        let wrong = |why: String| ChannelError::Settings { provider: provider.to_owned(), why };
        let line = Line::read(url.expose()).map_err(wrong)?;
        let security = match line.protection {
            Protection::None => Security::None,
            Protection::StartTls => Security::StartTls(handshake(provider, &line.host, ca_file)?),
            Protection::Implicit => Security::Implicit(handshake(provider, &line.host, ca_file)?),
        };
        Ok(Self(Arc::new(Settings {
            provider: provider.to_owned(),
            host: line.host,
            port: line.port,
            security,
            credentials: line.credentials.map(|(user, password)| Credentials::new(user, password)),
            connections: connections.max(1),
        })))
    }

    pub fn connections(&self) -> usize {
        self.0.connections
    }

    pub(super) fn settings(&self) -> &Settings {
        &self.0
    }

    /// Connects, protects the line, logs in and says goodbye.
    ///
    /// # Errors
    /// [`ChannelError::Unreachable`] with the step that failed.
    pub async fn probe(&self) -> Result<String, ChannelError> {
        match Session::open(self).await {
            Ok(session) => {
                let answer = format!("{} is ready", self.0.place());
                session.close().await;
                Ok(answer)
            }
            Err(why) => Err(ChannelError::Unreachable { provider: self.0.provider.clone(), why }),
        }
    }
}

impl Settings {
    /// As logs show it.
    pub(super) fn place(&self) -> String {
        format!("{}:{}", self.host, self.port)
    }
}

fn handshake(provider: &str, host: &str, ca_file: Option<&Path>) -> Result<Tls, ChannelError> {
    let name = ServerName::try_from(host.to_owned()).map_err(|_| ChannelError::Settings {
        provider: provider.to_owned(),
        why: format!("`{host}` is not a name that a certificate can have"),
    })?;
    Ok(Tls { connector: TlsConnector::from(tls::client(provider, ca_file)?), name })
}

impl Line {
    fn read(url: &str) -> Result<Self, String> {
        // The user and password end at the last `@`, so that a password may hold what a URL would not allow.
        let (scheme, rest) = url.split_once("://").ok_or("`url` begins with neither `smtps://` nor `smtp://`")?;
        let (login, rest) = rest.rsplit_once('@').map_or((None, rest), |(login, rest)| (Some(login), rest));
        let implicit = match scheme {
            "smtps" => true,
            "smtp" => false,
            other => return Err(format!("`url` begins with `{other}://`: write `smtps://` or `smtp://`")),
        };
        let url = Url::parse(&format!("{scheme}://{rest}"))
            .map_err(|error| format!("`url` is not a URL ({error}): write `smtps://user:password@host:465`"))?;
        let host = url.host_str().unwrap_or_default().trim_matches(['[', ']']).to_owned();
        if host.is_empty() {
            return Err("`url` names no host".to_owned());
        }
        if !matches!(url.path(), "" | "/") || url.fragment().is_some() {
            return Err("`url` has something after the host that is not `?tls=…`".to_owned());
        }
        let credentials = login.map(credentials).transpose()?;
        let protection = protection(&url, implicit, &host, credentials.is_some())?;
        let usual = match (implicit, &credentials) {
            (true, _) => 465,
            (false, Some(_)) => 587,
            (false, None) => 25,
        };
        Ok(Self { host, port: url.port().unwrap_or(usual), protection, credentials })
    }
}

/// User and password, each percent-decoded where it is so written.
fn credentials(login: &str) -> Result<(String, String), String> {
    let plain = |text: &str| {
        let decoded = percent_encoding::percent_decode_str(text).decode_utf8();
        decoded.map(String::from).map_err(|_| "the user or password in `url` is not UTF-8".to_owned())
    };
    match login.split_once(':') {
        Some(("", _)) => Err("`url` has a password and no user".to_owned()),
        None | Some((_, "")) => Err("`url` has a user and no password".to_owned()),
        Some((user, password)) => Ok((plain(user)?, plain(password)?)),
    }
}

fn protection(url: &Url, implicit: bool, host: &str, credentials: bool) -> Result<Protection, String> {
    let mut wanted = None;
    for (key, value) in url.query_pairs() {
        wanted = match (key.as_ref(), value.as_ref()) {
            ("tls", "none") => Some(Protection::None),
            ("tls", "required") => Some(Protection::StartTls),
            ("tls", other) => return Err(format!("`tls={other}` in `url`: it is `tls=required` or `tls=none`")),
            (other, _) => return Err(format!("`{other}` in `url` is not known: only `tls` is")),
        };
    }
    let here = is_loopback(host);
    match (implicit, wanted) {
        (true, Some(Protection::None)) => Err("`url` says both `smtps://` and `tls=none`: write `smtp://`".to_owned()),
        (true, _) => Ok(Protection::Implicit),
        (false, Some(Protection::None)) if credentials && !here => {
            Err("`tls=none` would send the password in clear to another host: leave it out, or use `smtps://`"
                .to_owned())
        }
        (false, Some(wanted)) => Ok(wanted),
        (false, None) if here && !credentials => Ok(Protection::None),
        (false, None) => Ok(Protection::StartTls),
    }
}

fn is_loopback(host: &str) -> bool {
    host.eq_ignore_ascii_case("localhost") || host.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(url: &str) -> Result<(String, u16, Protection), String> {
        Line::read(url).map(|line| (line.host, line.port, line.protection))
    }

    fn good(host: &str, port: u16, protection: Protection) -> Result<(String, u16, Protection), String> {
        Ok((host.to_owned(), port, protection))
    }

    #[test]
    fn a_line_to_another_host_is_always_protected_unless_the_url_says_otherwise() {
        assert_eq!(line("smtps://u:p@mail.example"), good("mail.example", 465, Protection::Implicit));
        assert_eq!(line("smtp://u:p@mail.example"), good("mail.example", 587, Protection::StartTls));
        assert_eq!(line("smtp://mail.example"), good("mail.example", 25, Protection::StartTls));
        assert_eq!(line("smtp://mail.example:2525/?tls=none"), good("mail.example", 2525, Protection::None));
        assert_eq!(line("smtp://mail.example?tls=required"), good("mail.example", 25, Protection::StartTls));
    }

    #[test]
    fn a_relay_on_this_host_is_spoken_to_in_clear_until_there_are_credentials() {
        assert_eq!(line("smtp://127.0.0.62:2525"), good("127.0.0.62", 2525, Protection::None));
        assert_eq!(line("smtp://localhost"), good("localhost", 25, Protection::None));
        assert_eq!(line("smtp://[::1]:2525"), good("::1", 2525, Protection::None));
        assert_eq!(line("smtp://u:p@localhost"), good("localhost", 587, Protection::StartTls));
        assert_eq!(line("smtp://u:p@localhost?tls=none"), good("localhost", 587, Protection::None));
    }

    #[test]
    fn a_password_never_goes_in_clear_to_another_host() {
        assert!(line("smtp://u:p@mail.example?tls=none").expect_err("in clear").contains("in clear"));
    }

    #[test]
    fn a_password_stands_as_it_is_or_in_hexadecimal() {
        let login = |url: &str| Line::read(url).expect("a good URL").credentials;
        let expected = |user: &str, password: &str| Some((user.to_owned(), password.to_owned()));
        assert_eq!(
            login("smtps://ann%40harbour.example:p%2F%3F%23%25@mail.example"),
            expected("ann@harbour.example", "p/?#%")
        );
        assert_eq!(
            login("smtps://ann@harbour.example:p/?#:@%x@mail.example:465"),
            expected("ann@harbour.example", "p/?#:@%x")
        );
    }

    #[test]
    fn an_error_never_shows_the_login() {
        for url in [
            "smtps://ann:s3cret@",
            "smtps://ann:s3cret@mail.example/x",
            "smtp://ann:s3cret@mail.example?tls=none",
            "http://ann:s3cret@mail.example",
            "smtps://ann:s3cret@mail.example:99999",
        ] {
            let error = Line::read(url).expect_err(url);
            assert!(!error.contains("s3cret") && !error.contains("ann"), "{error}");
        }
    }

    #[test]
    fn a_url_that_is_none_of_a_relay_is_refused_with_the_way_out() {
        for url in [
            "mail.example:25",
            "https://mail.example",
            "smtp://",
            "smtp://u@mail.example",
            "smtp://:p@mail.example",
            "smtp://mail.example?tls=maybe",
            "smtp://mail.example?ssl=1",
            "smtps://mail.example?tls=none",
            "smtp://mail.example/x",
        ] {
            assert!(line(url).is_err(), "{url}");
        }
    }
}
