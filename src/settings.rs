//! The settings of `config/plusone.toml` in their meaning. Read and checked by `config`.

mod held;

use crate::courtesy::caps::Cap;
use crate::courtesy::consent::Answer;
use crate::courtesy::legal_hours::LegalHours;
use crate::courtesy::phrases;
use crate::expr::Clause;
use crate::rules::{Channel, Purpose, words};
use crate::time::{Span, Tz, Weekday};
use core::net::IpAddr;
use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;

#[derive(Clone, PartialEq, Debug)]
pub struct Settings {
    pub business: Business,
    /// `sqlite://path` (relative paths are taken from the home folder) or `postgres://…`.
    pub database_url: Secret,
    pub web: Web,
    pub channels: BTreeMap<Channel, ChannelSettings>,
    pub way_out: WayOut,
    pub providers: BTreeMap<String, ProviderSettings>,
    pub topics: BTreeMap<String, Topic>,
    pub quiet_hours: BTreeMap<Channel, Vec<QuietWindow>>,
    pub legal_hours: LegalHours,
    pub caps: Vec<Cap>,
    /// A share of customers who get nothing promotional, in parts per million.
    pub holdout: u32,
    pub no_promotions_while: Vec<BadMoment>,
    pub guard: Guard,
    pub retention: Retention,
    pub log: LogFormat,
}

impl Settings {
    /// Whether a key pressed in a call reaches plusone: no provider of calls is cut off from `web.public_url`.
    pub fn keys_work(&self) -> bool {
        let names = self.channels.get(&Channel::Voice).map_or(&[][..], |voice| &voice.providers);
        let ways = names.iter().filter_map(|name| self.providers.get(name)).map(|provider| &provider.way);
        ways.into_iter().all(|way| match way {
            Way::Twilio { api_base, .. } => can_be_called(&self.web.public_url, api_base.as_deref()),
            Way::Folder { .. } | Way::Smtp { .. } => true,
        })
    }

    /// The sender of text messages where it is a name, which nobody can answer.
    pub fn one_way_sender(&self) -> Option<&str> {
        let sender = self.channels.get(&Channel::Sms)?.from.as_str();
        let is_name = sender.bytes().any(|byte| byte.is_ascii_alphabetic()) && !is_messaging_service(sender);
        is_name.then_some(sender)
    }

    /// What one message on `channel` costs by the prices of its first provider, at one segment or minute; money,
    /// scaled. Zero where no price is given.
    pub fn price(&self, channel: Channel) -> i64 {
        let first = self.channels.get(&channel).and_then(|settings| settings.providers.first());
        first.and_then(|name| self.providers.get(name)?.price.get(&channel).copied()).unwrap_or(0)
    }
}

/// How customers stop text messages and calls by answering them.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct WayOut {
    /// Which promotional text messages say it.
    pub every: EveryText,
    /// The business's own words for it, by locale.
    pub words: BTreeMap<String, String>,
    /// The key that stops, in calls whose menu has none; `0` to `9`.
    pub stop_key: u8,
}

/// Which promotional text messages carry the words by which a customer can stop them.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum EveryText {
    #[default]
    Always,
    /// The first to a number.
    First,
    /// None: the templates say it themselves.
    Never,
}

impl WayOut {
    /// The words under a promotional text message in the language of `locale` (BCP 47): the business's, or ours.
    pub fn words(&self, locale: &str) -> Option<&str> {
        let language = locale.split('-').next().unwrap_or_default();
        let own = self.words.get(locale).or_else(|| self.words.get(language)).map(String::as_str);
        own.or_else(|| phrases::of(locale).map(|phrases| phrases.opt_out))
    }
}

/// Whether a provider can reach `public_url`: an address on the web by HTTPS. A provider on this very host, as tests
/// have it, reaches everything.
///
/// ```
/// use plusone::settings::can_be_called;
/// assert!(can_be_called("https://plus.harbour.example", None));
/// assert!(!can_be_called("https://127.0.0.1:8470", None) && !can_be_called("http://plus.harbour.example", None));
/// assert!(can_be_called("http://127.0.0.1:8470", Some("http://127.0.0.1:4010")));
/// ```
pub fn can_be_called(public_url: &str, api_base: Option<&str>) -> bool {
    let is_abroad = public_url.starts_with("https://") && !is_this_host(public_url);
    is_abroad || api_base.is_some_and(is_this_host)
}

fn is_this_host(url: &str) -> bool {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    let host = match authority.split_once(']') {
        Some((address, _)) => address.trim_start_matches('['),
        None => authority.split(':').next().unwrap_or_default(),
    };
    let is_loopback = host.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback() || ip.is_unspecified());
    is_loopback || host.eq_ignore_ascii_case("localhost") || host.to_ascii_lowercase().ends_with(".localhost")
}

#[derive(Clone, PartialEq, Debug)]
pub struct Business {
    pub name: String,
    pub postal_address: Option<String>,
    pub phone: Option<String>,
    pub email: Option<String>,
    pub website: Option<String>,
    /// A picture shown on the pages for customers: a file from the home folder, or a `data:` address.
    pub logo: Option<String>,
    /// `#rrggbb`, for buttons and links on these pages.
    pub colour: Option<String>,
    /// For customers without one.
    pub time_zone: Tz,
    /// BCP 47.
    pub locale: String,
    /// ISO 3166-1 alpha-2: how phone numbers without a `+` are read.
    pub country: String,
    /// ISO 4217.
    pub currency: String,
}

#[derive(Clone, PartialEq, Debug)]
pub struct Web {
    pub listen: String,
    pub public_url: String,
}

#[derive(Clone, PartialEq, Debug)]
pub struct ChannelSettings {
    /// `Name <address>` for email, E.164 for SMS and voice.
    pub from: String,
    /// Names of providers: the first healthy one, then the next.
    pub providers: Vec<String>,
}

#[derive(Clone, PartialEq, Debug)]
pub struct ProviderSettings {
    pub way: Way,
    /// Messages per second; unlimited where absent.
    pub rate: Option<Rate>,
    /// What one SMS segment or one minute of a call costs, scaled as [`crate::amount::Amount`] money.
    pub price: BTreeMap<Channel, i64>,
}

/// How a provider is reached.
#[derive(Clone, PartialEq, Debug)]
pub enum Way {
    /// Every message as a file: `.eml`, `.sms.json`, `.call.json`.
    Folder {
        path: PathBuf,
    },
    Smtp {
        url: Secret,
        connections: usize,
        ca_file: Option<PathBuf>,
    },
    Twilio {
        account_sid: String,
        auth_token: Secret,
        api_base: Option<String>,
        /// Keys that webhooks are signed with instead of the token, by their ids.
        webhook_keys: BTreeMap<String, Secret>,
    },
}

/// Whether a sender is a Twilio messaging service: `MG` and 32 hexadecimal digits.
fn is_messaging_service(sender: &str) -> bool {
    sender.len() == 34 && sender.starts_with("MG")
}

/// `100/s`, `200/h`: so many in so long.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Rate {
    pub count: u32,
    pub per: Span,
}

#[derive(Clone, PartialEq, Debug)]
pub struct Topic {
    pub purpose: Purpose,
    /// As customers read it.
    pub name: String,
    /// When its messages are silent on every channel, besides the channel's own hours.
    pub quiet_hours: Vec<QuietWindow>,
    /// What it takes that a promotional message may go.
    pub opt_in: OptIn,
    /// With [`OptIn::Soft`]: who has bought. A condition on the customer.
    pub soft_opt_in: Option<Clause>,
}

impl Topic {
    /// A topic whose yes counts as it is given.
    pub fn single(purpose: Purpose, name: &str) -> Self {
        Self { purpose, name: name.to_owned(), opt_in: OptIn::Single, soft_opt_in: None, quiet_hours: Vec::new() }
    }

    /// The answer that a customer's yes or no is: under a double opt-in a yes waits for its confirmation.
    pub const fn answer(&self, yes: bool) -> Answer {
        match (yes, self.opt_in) {
            (false, _) => Answer::No,
            (true, OptIn::Double) => Answer::Pending,
            (true, OptIn::Single | OptIn::Soft) => Answer::Yes,
        }
    }
}

/// What it takes that a promotional message may go.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum OptIn {
    /// A yes.
    Single,
    /// A yes that was confirmed by the link in a mail.
    Double,
    /// A yes; by email and SMS also a purchase, as long as the customer never said no (PECR, regulation 22).
    Soft,
}

words!(OptIn { Single = "single", Double = "double", Soft = "soft" });

/// A time of silence in the customer's local time.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum QuietWindow {
    /// Minutes after midnight, `[from, until)`; `from > until` crosses midnight.
    Daily { from: u16, until: u16 },
    /// The whole day.
    Weekday(Weekday),
    /// The whole day, wherever it is a public holiday in the customer's country.
    Holidays,
}

/// A condition on the customer under which nothing promotional goes to them.
#[derive(Clone, PartialEq, Debug)]
pub struct BadMoment {
    pub name: String,
    pub clause: Clause,
}

/// What a run, and a rule, may do without being asked about. No limits by default; `config` knows the usual ones.
#[derive(Clone, PartialEq, Debug)]
pub struct Guard {
    pub max_recipients: Option<u64>,
    /// Of all customers, in parts per million; asked from 200 customers on.
    pub max_share: Option<u32>,
    /// Money, scaled.
    pub max_cost: Option<i64>,
    /// How many times the median of the rule's last runs a run may reach.
    pub max_growth: u64,
    /// Of a rule's messages of seven days, in parts per million: more that bounced pause the rule.
    pub max_bounce: u32,
    /// The same of complaints.
    pub max_complaint: u32,
    /// `*@harbour.example`, `+44207946*`; everyone else is skipped as `not_allowed_here`. Empty allows everyone.
    pub only_to: Vec<String>,
}

/// After how long what is forgotten; counted from when a touchpoint was written.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Retention {
    /// The words of messages.
    pub words: Span,
    /// All of a touchpoint but its bare row.
    pub touchpoints: Span,
}

impl Default for Retention {
    fn default() -> Self {
        Self { words: Span::from_days(180), touchpoints: Span::from_days(3 * 365) }
    }
}

impl Default for Guard {
    fn default() -> Self {
        Self {
            max_recipients: None,
            max_share: None,
            max_cost: None,
            max_growth: u64::MAX,
            max_bounce: u32::MAX,
            max_complaint: u32::MAX,
            only_to: Vec::new(),
        }
    }
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum LogFormat {
    Text,
    Json,
}

/// A value that is never printed.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    pub fn new(value: impl Into<String>) -> Self {
        Self(value.into())
    }

    /// The value itself, for the one place that needs it.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[secret]")
    }
}
