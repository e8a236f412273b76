//! Twilio: text messages (`Messages.json`) and calls (`Calls.json`) over its REST API of 2010-04-01.
//!
//! 1. A request is sent once. Redirects are not followed and nothing is repeated underneath.
//! 2. Refused before the first byte of a request (no route, no TLS) is "not now"; after it only a whole answer decides.
//! 3. Answers are read to a limit, and believed only as far as they parse.
//! 4. The token goes to no host in clear but this one.

mod answer;
pub mod notice;
mod records;
pub mod signature;
pub mod twiml;

use super::{Callback, ChannelError, Found, Outgoing, Refused, Sent, checked_id, part, tls};
use crate::rules::Channel;
use crate::settings::{Secret, can_be_called};
use crate::time::Timestamp;
use answer::Answer;
use reqwest::header::{DATE, HeaderMap, RETRY_AFTER};
use reqwest::{Client, Response, Url, redirect, retry};
use std::error::Error as _;
use std::sync::Arc;
use std::time::Duration;

/// Requests under way side by side; Twilio itself queues what is faster than the account allows.
pub const CONNECTIONS: usize = 8;

const API: &str = "https://api.twilio.com";
const CONNECT_LIMIT: Duration = Duration::from_secs(15);
/// For a request and its whole answer. Twilio gives up on its own side after 15 s.
const REQUEST_LIMIT: Duration = Duration::from_secs(60);
/// Well before the other side closes an idle connection: a request that meets its closing would be in doubt.
const IDLE_LIMIT: Duration = Duration::from_secs(20);
const MAX_ANSWER: usize = 1 << 20;
/// Twilio's limits: characters of a text message and of the TwiML in a request.
const MAX_TEXT: usize = 1_600;
const MAX_TWIML: usize = 4_000;

/// An account at Twilio. Cheap to clone; clones share their connections.
#[derive(Clone, Debug)]
pub struct Account(Arc<Settings>);

#[derive(Debug)]
struct Settings {
    provider: String,
    client: Client,
    /// `https://api.twilio.com/2010-04-01/Accounts/AC…`.
    base: String,
    sid: String,
    token: Secret,
    /// What the settings put in the place of Twilio's own address.
    api_base: Option<String>,
}

/// A request, ready to go.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Request {
    resource: &'static str,
    form: Vec<(&'static str, String)>,
}

impl Request {
    /// `Messages.json` or `Calls.json`.
    pub const fn resource(&self) -> &'static str {
        self.resource
    }

    /// The parameters by Twilio's names.
    pub fn form(&self) -> &[(&'static str, String)] {
        &self.form
    }
}

impl Account {
    /// Reads the settings; connects nowhere. `api_base` stands for Twilio's own address.
    ///
    /// # Errors
    /// [`ChannelError::Settings`] where the account's SID or `api_base` cannot be one.
    pub fn open(provider: &str, sid: &str, token: &Secret, api_base: Option<&str>) -> Result<Self, ChannelError> {
        let wrong = |why: String| ChannelError::Settings { provider: provider.to_owned(), why };
        if !sid.starts_with("AC") || !sid.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
            return Err(wrong(format!("`account_sid` is `{sid}`: it begins with `AC`, as Twilio's console shows it")));
        }
        let api = base(api_base.unwrap_or(API)).map_err(wrong)?;
        let client = Client::builder()
            .tls_backend_preconfigured(tls::client(provider, None)?.as_ref().clone())
            .redirect(redirect::Policy::none())
            .retry(retry::never())
            .connect_timeout(CONNECT_LIMIT)
            .timeout(REQUEST_LIMIT)
            .pool_idle_timeout(IDLE_LIMIT)
            .user_agent(concat!("plusone/", env!("CARGO_PKG_VERSION")))
            .build()
            .map_err(|error| wrong(format!("HTTP cannot be set up: {}", cause(&error))))?;
        Ok(Self(Arc::new(Settings {
            provider: provider.to_owned(),
            client,
            base: format!("{api}/2010-04-01/Accounts/{sid}"),
            sid: sid.to_owned(),
            token: token.clone(),
            api_base: api_base.map(str::to_owned),
        })))
    }

    /// Composes the request of a message.
    ///
    /// # Errors
    /// [`Refused`] without words for the channel, for a number that is not E.164, and beyond Twilio's limits.
    pub fn prepare(&self, message: &Outgoing) -> Result<Request, Refused> {
        checked_id(message)?;
        if !is_e164(&message.to) {
            return Err(Refused::address(format!("`{}` is not a phone number with its country code", message.to)));
        }
        match message.channel {
            Channel::Sms => self.text(message),
            Channel::Voice => self.call(message),
            Channel::Email => Err(Refused::words("twilio sends text messages and calls, no email")),
        }
    }

    fn text(&self, message: &Outgoing) -> Result<Request, Refused> {
        let body = part(message.words.sms.as_ref(), Channel::Sms)?;
        let length = body.chars().count();
        if length > MAX_TEXT {
            return Err(Refused::words(format!("the text has {length} characters; Twilio takes at most {MAX_TEXT}")));
        }
        let from = if message.from.starts_with("MG") { "MessagingServiceSid" } else { "From" };
        let mut form = vec![("To", message.to.clone()), (from, message.from.clone()), ("Body", body.to_owned())];
        form.extend(self.status_callback(message));
        Ok(Request { resource: "Messages.json", form })
    }

    fn call(&self, message: &Outgoing) -> Result<Request, Refused> {
        let spoken = part(message.words.voice.as_ref(), Channel::Voice)?;
        let keys = self.callback(message).filter(|_| !message.words.menu.is_empty());
        let action = keys.and_then(|callback| callback.keys(&self.0.provider, 1));
        if message.promotional && action.is_none() {
            return Err(Refused::words(
                "no key could stop this promotional call: Twilio cannot reach `web.public_url`",
            ));
        }
        let twiml = twiml::call(spoken, &message.locale, action.as_deref());
        let length = twiml.chars().count();
        if length > MAX_TWIML {
            return Err(Refused::words(format!(
                "the call's TwiML has {length} characters; Twilio takes at most {MAX_TWIML}"
            )));
        }
        let mut form = vec![("To", message.to.clone()), ("From", message.from.clone()), ("Twiml", twiml)];
        form.extend(self.status_callback(message));
        Ok(Request { resource: "Calls.json", form })
    }

    /// Where Twilio may reach plusone, if it can.
    fn callback<'m>(&self, message: &'m Outgoing) -> Option<&'m Callback> {
        let api_base = self.0.api_base.as_deref();
        message.callback.as_ref().filter(|callback| can_be_called(&callback.public_url, api_base))
    }

    fn status_callback(&self, message: &Outgoing) -> Option<(&'static str, String)> {
        let callback = self.callback(message)?;
        Some(("StatusCallback", callback.status(&self.0.provider, &message.touchpoint)))
    }

    pub(super) async fn send(&self, request: &Request) -> Sent {
        let asked = self.request(self.0.client.post(self.url(request.resource))).form(&request.form).send().await;
        match asked {
            Ok(response) => read(response).await.sent(),
            Err(error) if error.is_connect() || error.is_builder() => {
                let why = format!("twilio cannot be reached: {}", cause(&error));
                Sent::NotNow { why, code: None, after: None }
            }
            Err(error) => Sent::InDoubt { why: format!("twilio's answer was lost: {}", cause(&error)) },
        }
    }

    pub(super) async fn look_up(&self, message: &Outgoing, since: Timestamp) -> Found {
        let resource = if message.channel == Channel::Voice { "Calls.json" } else { "Messages.json" };
        let page = records::PAGE.to_string();
        let query = [("To", message.to.as_str()), ("PageSize", page.as_str())];
        match self.list(resource, &query).await {
            Ok(bytes) => records::find(&bytes, message, since),
            Err(why) => Found::CannotSay { why },
        }
    }

    pub(super) async fn probe(&self) -> Result<String, ChannelError> {
        match self.list("Messages.json", &[("PageSize", "1")]).await {
            Ok(_) => Ok(format!("the account {} can be read", self.0.sid)),
            Err(why) => Err(ChannelError::Unreachable { provider: self.0.provider.clone(), why }),
        }
    }

    async fn list(&self, resource: &str, query: &[(&str, &str)]) -> Result<Vec<u8>, String> {
        let url = Url::parse_with_params(&self.url(resource), query).map_err(|error| error.to_string())?;
        let asked = self.request(self.0.client.get(url)).send().await;
        let answer = read(asked.map_err(|error| format!("twilio cannot be asked: {}", cause(&error)))?).await;
        match (answer.status, answer.body) {
            (200, body) => body.map_err(|why| format!("twilio's list was cut: {why}")),
            (401 | 403, _) => Err("twilio refused `account_sid` and `auth_token`".to_owned()),
            (status, _) => Err(format!("twilio answered {status} when asked for its list")),
        }
    }

    fn url(&self, resource: &str) -> String {
        format!("{}/{resource}", self.0.base)
    }

    fn request(&self, request: reqwest::RequestBuilder) -> reqwest::RequestBuilder {
        request.basic_auth(&self.0.sid, Some(self.0.token.expose()))
    }
}

/// ITU E.164: a plus and 7 to 15 digits, the first not zero.
fn is_e164(number: &str) -> bool {
    number.strip_prefix('+').is_some_and(|digits| {
        (7..=15).contains(&digits.len()) && !digits.starts_with('0') && digits.bytes().all(|b| b.is_ascii_digit())
    })
}

/// The API's address without a slash at its end.
fn base(api_base: &str) -> Result<String, String> {
    let url = Url::parse(api_base).map_err(|error| format!("`api_base` is not a URL: {error}"))?;
    let here = url.host_str().is_some_and(|host| {
        let ip = host.trim_matches(['[', ']']).parse::<std::net::IpAddr>();
        host == "localhost" || ip.is_ok_and(|ip| ip.is_loopback())
    });
    match url.scheme() {
        "https" => Ok(api_base.trim_end_matches('/').to_owned()),
        "http" if here => Ok(api_base.trim_end_matches('/').to_owned()),
        "http" => Err("`api_base` would send `auth_token` in clear to another host: write `https://`".to_owned()),
        other => Err(format!("`api_base` begins with `{other}://`: write `https://`")),
    }
}

async fn read(mut response: Response) -> Answer {
    let status = response.status().as_u16();
    let header = |headers: &HeaderMap, name| headers.get(name).and_then(|value| value.to_str().ok()).map(str::to_owned);
    let date = header(response.headers(), DATE);
    let wait = header(response.headers(), RETRY_AFTER);
    let retry_after = wait.and_then(|wait| answer::retry_after(&wait, date.as_deref()));
    let mut bytes = Vec::new();
    let body = loop {
        match response.chunk().await {
            Ok(Some(chunk)) if bytes.len() + chunk.len() <= MAX_ANSWER => bytes.extend_from_slice(&chunk),
            Ok(Some(_)) => break Err(format!("it is longer than {MAX_ANSWER} bytes")),
            Ok(None) => break Ok(bytes),
            Err(error) => break Err(cause(&error)),
        }
    };
    Answer { status, retry_after, body }
}

/// The innermost cause: the outer ones only say that a request failed.
fn cause(error: &reqwest::Error) -> String {
    if error.is_timeout() {
        return "no answer in time".to_owned();
    }
    let mut cause: &dyn std::error::Error = match error.source() {
        Some(source) => source,
        None => return error.to_string(),
    };
    while let Some(source) = cause.source() {
        cause = source;
    }
    cause.to_string()
}

#[cfg(test)]
mod tests;
