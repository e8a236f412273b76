//! A rule's meaning: when, for whom, what, how. Files become rules in `config`; nothing here reads a file.

use crate::catalogue::Catalogue;
use crate::courtesy::caps::OnCap;
use crate::expr::{Clause, Moment};
use crate::schedule::Schedule;
use crate::settings::Rate;
use crate::time::{Span, Timestamp, Tz};
use std::fmt;
use std::str::FromStr;

pub mod variants;

pub use variants::Variant;

/// What a rule is, which sets its defaults.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Kind {
    Status,
    Reminder,
    Offer,
    Survey,
}

/// A way to reach a customer.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Channel {
    Email,
    Sms,
    Voice,
}

/// What the law asks of a message.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Purpose {
    Transactional,
    Promotional,
}

/// What becomes of a message of which nobody can say whether it was sent.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum OnDoubt {
    Resend,
    Ask,
    Drop,
}

/// Which of the ticks missed while the daemon was down are made up for.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum CatchUp {
    None,
    Latest,
    All,
}

/// What happens to those who match already when the rule first goes live.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Existing {
    Include,
    Skip,
}

/// Whether a rule sends: never (a draft), always, or within `[from, until)`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Live {
    Draft,
    Always,
    Between { from: Option<Timestamp>, until: Option<Timestamp> },
}

impl Live {
    pub fn at(self, now: Timestamp) -> bool {
        match self {
            Self::Draft => false,
            Self::Always => true,
            Self::Between { from, until } => {
                from.is_none_or(|from| from <= now) && until.is_none_or(|until| now < until)
            }
        }
    }
}

/// A calendar period of `once_per`.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Period {
    Day,
    Week,
    Month,
    Year,
}

/// One part of what makes a message for a customer unique under a rule.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum OncePart {
    /// The customer alone: once, ever. Adds nothing to the occurrence.
    Customer,
    /// The key of the `for_each` entity, or of an entity it belongs to.
    Entity(String),
    /// `entity.field`.
    Field {
        entity: String,
        field: String,
    },
    Period(Period),
}

/// How occurrences of a rule are told apart.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum OncePer {
    Parts(Vec<OncePart>),
    /// Numbered times `#1`, `#2`: a customer rule with `again_after` and no `once_per`.
    Numbered,
}

/// A rule as it is in force.
#[derive(Clone, PartialEq, Debug)]
pub struct Rule {
    /// The file's stem; its history hangs on it.
    pub name: String,
    /// The content hash of the rule's file, its template and its offers.
    pub version: String,
    pub description: String,
    pub live: Live,
    pub kind: Kind,
    pub topic: String,
    /// The topic's purpose. A message that carries an offer is promotional whatever this says.
    pub purpose: Purpose,
    /// [`Schedule::Manual`] for a rule that waits for an event.
    pub schedule: Schedule,
    /// The name of the event that it waits for, in the place of a schedule.
    pub on_event: Option<String>,
    /// Of the schedule and of the calendar in conditions and periods; where these are the customer's, of customers
    /// without a zone.
    pub time_zone: Tz,
    /// `time_zone = "customer"`: a time of day comes for each customer when their own clock shows it.
    pub in_customers_time: bool,
    pub catch_up: CatchUp,
    pub catch_up_window: Span,
    pub for_each: String,
    pub when: Vec<Clause>,
    pub unless: Vec<Clause>,
    pub once_per: OncePer,
    pub again_after: Option<Span>,
    /// In order of preference; with variants, those of any.
    pub channels: Vec<Channel>,
    pub template: String,
    /// 0 to 100; who is served first.
    pub priority: u8,
    pub expires_after: Span,
    pub recheck: bool,
    /// In order: the first one the customer is eligible for and that has budget. With variants, those of any.
    pub offers: Vec<String>,
    /// In the order in which they are written; see [`Rule::variant_of`].
    pub variants: Vec<Variant>,
    /// As written; see [`Rule::on_doubt`] for what holds.
    pub on_doubt: Option<OnDoubt>,
    pub existing: Existing,
    pub was: Option<String>,
    /// At most so many messages in so long; those that wait get turns.
    pub pace: Option<Rate>,
    /// Whether its messages take places under the caps.
    pub counts_toward_cap: bool,
    pub on_cap: OnCap,
    /// Passes quiet hours and caps; never legal hours or a stop.
    pub urgent: bool,
    /// A share of its audience that is not written to, in parts per million.
    pub holdout: u32,
    pub goal: Option<Goal>,
    /// The topic's condition that says who has bought, where a purchase may stand for a yes.
    pub soft_opt_in: Option<Clause>,
    /// plusone's own rule that asks for the confirmation of a yes to its topic (double opt-in).
    pub confirms: bool,
}

/// What counts as success of a rule's messages.
#[derive(Clone, PartialEq, Debug)]
pub struct Goal {
    /// All must hold; they may read `touchpoint.at`.
    pub when: Vec<Clause>,
    /// How long after a message it still counts.
    pub within: Span,
}

impl Rule {
    /// When it looks, in plain words.
    pub fn rhythm(&self) -> String {
        match &self.on_event {
            Some(event) => format!("when `{event}` comes in"),
            None => self.schedule.describe(),
        }
    }

    /// The instant `now` with the rule's calendar.
    pub const fn moment(&self, now: Timestamp, catalogue: &Catalogue) -> Moment {
        let in_customers_time = self.in_customers_time && catalogue.roles.time_zone.is_some();
        Moment { now, zone: self.time_zone, in_customers_time }
    }

    /// Whether any message of the rule is judged as promotional: by its topic, or by an offer that it may carry.
    pub fn may_be_promotional(&self) -> bool {
        self.purpose == Purpose::Promotional || !self.offers.is_empty()
    }

    /// What becomes of a message in doubt on `channel`. Unless the rule says so itself: a call is dropped, a status or
    /// reminder is sent again, of an offer or survey somebody is asked.
    pub const fn on_doubt(&self, channel: Channel) -> OnDoubt {
        match (self.on_doubt, channel, self.kind) {
            (Some(written), _, _) => written,
            (None, Channel::Voice, _) => OnDoubt::Drop,
            (None, _, Kind::Status | Kind::Reminder) => OnDoubt::Resend,
            (None, _, Kind::Offer | Kind::Survey) => OnDoubt::Ask,
        }
    }
}

/// Gives an enum its words: `as_str`, `ALL`, `Display` and `FromStr` (the error lists what is known).
macro_rules! words {
    ($name:ident { $($variant:ident = $word:literal),+ $(,)? }) => {
        impl $name {
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];

            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $word),+ }
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(self.as_str())
            }
        }

        impl FromStr for $name {
            type Err = String;

            fn from_str(text: &str) -> Result<Self, String> {
                match text {
                    $($word => Ok(Self::$variant),)+
                    _ => Err(format!("`{text}` is not one of {}", [$(concat!("`", $word, "`")),+].join(", "))),
                }
            }
        }
    };
}
pub(crate) use words;

words!(Kind { Status = "status", Reminder = "reminder", Offer = "offer", Survey = "survey" });
words!(Channel { Email = "email", Sms = "sms", Voice = "voice" });
words!(Purpose { Transactional = "transactional", Promotional = "promotional" });
words!(OnDoubt { Resend = "resend", Ask = "ask", Drop = "drop" });
words!(CatchUp { None = "none", Latest = "latest", All = "all" });
words!(Existing { Include = "include", Skip = "skip" });
words!(Period { Day = "day", Week = "week", Month = "month", Year = "year" });
