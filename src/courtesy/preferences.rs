//! What a customer asked for: which channel first, in which language, at which hours not.
//!
//! Kept as text, one row per customer; what no longer reads (a channel or zone that went) is as if it were not said.

use crate::rules::Channel;
use crate::settings::QuietWindow;

#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Preferences {
    /// In the customer's order; channels not named come after these, in the rule's order.
    pub channels: Vec<Channel>,
    /// BCP 47; goes before the language of the data.
    pub locale: Option<String>,
    /// When nothing is to reach them on any channel, in their local time.
    pub quiet: Vec<QuietWindow>,
}

impl Preferences {
    /// From the columns of the table: channels and windows by blanks.
    ///
    /// ```
    /// use plusone::courtesy::preferences::Preferences;
    /// use plusone::rules::Channel;
    /// let said = Preferences::read(Some("sms email"), Some("fr"), Some("21:00-08:00"));
    /// assert_eq!(said.channels, [Channel::Sms, Channel::Email]);
    /// assert_eq!(said.quiet.len(), 1);
    /// ```
    pub fn read(channels: Option<&str>, locale: Option<&str>, quiet: Option<&str>) -> Self {
        let channels = channels.unwrap_or_default().split_whitespace();
        let quiet = quiet.unwrap_or_default().split_whitespace();
        Self {
            channels: channels.filter_map(|word| word.parse().ok()).collect(),
            locale: locale.map(str::to_owned),
            quiet: quiet.filter_map(|word| word.parse().ok()).collect(),
        }
    }

    /// The channels as the table holds them; `None` where none is preferred.
    pub fn channels_text(&self) -> Option<String> {
        Some(self.channels.iter().map(|channel| channel.as_str()).collect::<Vec<_>>().join(" "))
            .filter(|text| !text.is_empty())
    }

    /// The quiet hours as the table holds them; `None` where there are none.
    pub fn quiet_text(&self) -> Option<String> {
        Some(self.quiet.iter().map(ToString::to_string).collect::<Vec<_>>().join(" ")).filter(|text| !text.is_empty())
    }
}
