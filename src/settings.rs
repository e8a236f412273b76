//! The settings of `config/plusone.toml` in their meaning. Read and checked by `config`.

use crate::courtesy::legal_hours::LegalHours;
use crate::rules::{Channel, Purpose};
use crate::time::{Span, Tz, Weekday};
use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;

#[derive(Clone, PartialEq, Debug)]
pub struct Settings {
    pub business: Business,
    /// `sqlite://path` (relative paths are taken from the home folder) or `postgres://…`.
    pub database_url: Secret,
    pub web: Web,
    pub channels: BTreeMap<Channel, ChannelSettings>,
    pub providers: BTreeMap<String, ProviderSettings>,
    pub topics: BTreeMap<String, Topic>,
    pub quiet_hours: BTreeMap<Channel, Vec<QuietWindow>>,
    pub legal_hours: LegalHours,
    pub guard: Guard,
    pub log: LogFormat,
}

impl Settings {
    /// What one message on `channel` costs by the prices of its first provider, at one segment or minute; money,
    /// scaled. Zero where no price is given.
    pub fn price(&self, channel: Channel) -> i64 {
        let first = self.channels.get(&channel).and_then(|settings| settings.providers.first());
        first.and_then(|name| self.providers.get(name)?.price.get(&channel).copied()).unwrap_or(0)
    }
}

#[derive(Clone, PartialEq, Debug)]
pub struct Business {
    pub name: String,
    pub postal_address: Option<String>,
    pub phone: Option<String>,
    pub email: Option<String>,
    pub website: Option<String>,
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
    },
}

/// `100/s`, `200/h`: so many in so long.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Rate {
    pub count: u32,
    pub per: Span,
}

#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Topic {
    pub purpose: Purpose,
    /// As customers read it.
    pub name: String,
    /// When its messages are silent on every channel, besides the channel's own hours.
    pub quiet_hours: Vec<QuietWindow>,
}

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

/// What a run may do without being asked about.
#[derive(Clone, PartialEq, Debug)]
pub struct Guard {
    pub max_recipients: Option<u64>,
    /// Of all customers, in parts per million; asked from 200 customers on.
    pub max_share: Option<u32>,
    /// Money, scaled.
    pub max_cost: Option<i64>,
    /// `*@harbour.example`, `+44207946*`; everyone else is skipped as `not_allowed_here`. Empty allows everyone.
    pub only_to: Vec<String>,
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
