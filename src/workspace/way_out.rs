//! The way out in every promotional text message and every call: words under the one, a key in the other.
//!
//! 1. What is added is part of the message's words: previewed, counted, kept and shown like all of them.
//! 2. A promotional call whose keys reach nobody is not made.

use super::{Recipient, Workspace};
use crate::channels::Callback;
use crate::courtesy::phrases;
use crate::messages::menu::{Choice, Terms};
use crate::messages::{Template, Words};
use crate::rules::Channel;
use crate::settings::EveryText;
use crate::tokens::Purpose;
use crate::touchpoints::Reason;

impl Workspace {
    /// Where the provider may tell about a message, and for a call which key was pressed.
    pub fn callback(&self, channel: Channel, touchpoint: &str) -> Option<Callback> {
        let token = match channel {
            Channel::Email => return None,
            Channel::Sms => None,
            Channel::Voice => self.keys.as_ref()?.sign(Purpose::Voice, touchpoint, &[]),
        };
        Some(Callback { public_url: self.project.settings.web.public_url.clone(), token })
    }

    /// The rendered words with their way out.
    pub(super) fn with_way_out(
        &self,
        template: &Template,
        to: &Recipient<'_>,
        mut words: Words,
    ) -> Result<Words, (Reason, String)> {
        if let Some(text) = words.sms.take() {
            words.sms = Some(self.text(template, to, &words.locale, text));
        }
        if let Some(spoken) = words.voice.take() {
            let (spoken, menu) = self.call(template, to, &words.locale, spoken)?;
            (words.voice, words.menu) = (Some(spoken), menu);
        }
        Ok(words)
    }

    fn text(&self, template: &Template, to: &Recipient<'_>, locale: &str, text: String) -> String {
        let settings = &self.project.settings;
        let is_due = match settings.way_out.every {
            EveryText::Always => true,
            EveryText::First => !to.was_told,
            EveryText::Never => false,
        };
        let says_it = template.says_stop(to.locale.unwrap_or(&settings.business.locale));
        if !to.promotional || !is_due || says_it || settings.one_way_sender().is_some() {
            return text;
        }
        let words = settings.way_out.words(locale).unwrap_or(phrases::ALL[0].opt_out);
        format!("{text} {words}")
    }

    fn call(
        &self,
        template: &Template,
        to: &Recipient<'_>,
        locale: &str,
        spoken: String,
    ) -> Result<(String, Vec<Choice>), (Reason, String)> {
        let settings = &self.project.settings;
        if !settings.keys_work() {
            let why = "no key that is pressed reaches plusone: `web.public_url` is not on the web";
            return if to.promotional { Err((Reason::RenderError, why.to_owned())) } else { Ok((spoken, Vec::new())) };
        }
        let terms = Terms {
            phrases: phrases::of(locale),
            business: &settings.business.name,
            stop_key: settings.way_out.stop_key,
            promotional: to.promotional,
        };
        let menu = template.menu(to.locale.unwrap_or(&settings.business.locale));
        let call = menu.call(&spoken, terms);
        Ok((call.spoken, call.choices))
    }
}
