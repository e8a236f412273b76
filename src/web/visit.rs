//! Who follows a link: the token is verified, and the touchpoint and person behind it are loaded.
//!
//! 1. Whatever is wrong with a token (cut off, forged, another page's, of a touchpoint that is gone), the answer is the
//!    same 404.
//! 2. A page shows addresses masked, and nothing of anybody but the person of the touchpoint.

use super::Web;
use super::look::Page;
use super::problems::{busy, problem};
use super::texts::Texts;
use crate::data::DataError;
use crate::data::person::Person;
use crate::messages::format::{DateForm, Formats};
use crate::rules::{Channel, Purpose};
use crate::settings::Settings;
use crate::store::log::{Named, by_id};
use crate::store::token_keys;
use crate::time::{Span, Timestamp, Tz};
use crate::tokens::{self, Keyring};
use crate::touchpoints::Touchpoint;
use crate::workspace::Workspace;
use axum::http::StatusCode;
use axum::response::Response;
use maud::Markup;
use std::sync::Arc;

/// How long after a message its links may change preferences.
const EDITABLE: Span = Span::from_days(30);

/// Somebody at a page.
pub struct Visit {
    pub workspace: Arc<Workspace>,
    pub touchpoint: Touchpoint,
    pub person: Person,
    pub texts: Texts,
    pub now: Timestamp,
    keys: Keyring,
}

/// The answer where a link leads nowhere.
pub fn nowhere() -> Response {
    problem(StatusCode::NOT_FOUND, "this link leads nowhere")
}

/// The answer where the database refuses, or is away; its words are for the log.
pub fn broken(error: impl Into<DataError>) -> Response {
    let error = error.into();
    tracing::error!(%error, "a public page could not be served");
    if matches!(&error, DataError::Store(error) if error.is_away()) {
        return busy("the database is away; nothing was changed");
    }
    problem(StatusCode::INTERNAL_SERVER_ERROR, "something broke; nothing was changed")
}

/// The texts that somebody reads: as they chose, as their data says, as the business speaks.
fn texts_for(person: &Person, business: &str) -> Texts {
    let said = [&person.preferences.locale, &person.locale];
    Texts::of(said.into_iter().filter_map(|locale| locale.as_deref()).chain([business]))
}

impl Visit {
    /// Verifies `token` for `purpose` and loads whom it speaks for.
    ///
    /// # Errors
    /// The answer to give instead.
    pub async fn begin(web: &Web, purpose: tokens::Purpose, token: &str) -> Result<Self, Response> {
        let workspace = web.in_force.now();
        let now = web.clock.now();
        let keys = match &workspace.keys {
            Some(keys) if !keys.lacks_key_of(token) => keys.clone(),
            // Another daemon may have made a key since.
            _ => token_keys::load(&web.db, now).await.map_err(broken)?,
        };
        let claims = keys.verify(purpose, token).ok_or_else(nowhere)?;
        let Named::One(touchpoint) = by_id(&web.db, &claims.touchpoint).await.map_err(broken)? else {
            return Err(nowhere());
        };
        let project = &workspace.project;
        let business = &project.settings.business;
        let person = Person::load(&web.db, &project.catalogue, business, &touchpoint.customer, now).await;
        let person = person.map_err(broken)?;
        let texts = texts_for(&person, &business.locale);
        Ok(Self { workspace, touchpoint: *touchpoint, person, texts, now, keys })
    }

    /// The same, in the language that they have chosen meanwhile.
    pub fn in_language_now(self) -> Self {
        let texts = texts_for(&self.person, &self.settings().business.locale);
        Self { texts, ..self }
    }

    pub fn settings(&self) -> &Settings {
        &self.workspace.project.settings
    }

    pub fn business(&self) -> &str {
        &self.settings().business.name
    }

    /// The name of the message's topic, as customers read it, and what the law asks of it.
    pub fn topic(&self) -> (&str, Purpose) {
        let name = &self.touchpoint.topic;
        self.settings().topics.get(name).map_or((name, self.touchpoint.purpose), |topic| (&topic.name, topic.purpose))
    }

    /// Whether preferences may still be changed by a link of this message.
    pub fn is_editable(&self) -> bool {
        let touchpoint = &self.touchpoint;
        self.now.since(touchpoint.sent_at.unwrap_or(touchpoint.created_at)) <= EDITABLE
    }

    /// Where another page of the same message lies, seen from this one.
    pub fn link(&self, purpose: tokens::Purpose) -> String {
        let token = self.keys.sign(purpose, &self.touchpoint.id, &[]).unwrap_or_default();
        format!("../{}/{token}", purpose.path().unwrap_or_default())
    }

    /// Text `key`, with the business's and the topic's names among what can be put in.
    pub fn say(&self, key: &str, more: &[(&str, &str)]) -> String {
        let mut given = vec![("business", self.business()), ("topic", self.topic().0)];
        given.extend(more);
        self.texts.say(key, &given)
    }

    pub fn channel(&self, channel: Channel) -> String {
        self.texts.say(&format!("channel-{channel}"), &[])
    }

    /// The channel within a sentence.
    pub fn way(&self, channel: Channel) -> String {
        self.texts.say(&format!("way-{channel}"), &[])
    }

    /// Where this person lives, as far as is known.
    pub fn zone(&self) -> Tz {
        self.person.zone.unwrap_or(self.settings().business.time_zone)
    }

    /// A day in their language and time.
    pub fn day(&self, at: Timestamp) -> String {
        let locale = self.locale();
        let formats = Formats::new(&locale, &locale, self.zone(), &self.settings().business.currency);
        formats.date_of(at, DateForm::Long).unwrap_or_else(|_| at.date(self.zone()).to_string())
    }

    /// The locale in which dates are written: theirs, where the page speaks its language.
    fn locale(&self) -> String {
        let known =
            [&self.person.preferences.locale, &self.person.locale, &Some(self.settings().business.locale.clone())];
        let fits = |locale: &&String| locale.split(['-', '_']).next() == Some(self.texts.language);
        known.into_iter().flatten().find(fits).cloned().unwrap_or_else(|| self.texts.language.to_owned())
    }

    /// A page of theirs.
    pub fn page(&self, heading: String, body: Markup) -> Response {
        self.page_with(StatusCode::OK, heading, body)
    }

    pub fn page_with(&self, status: StatusCode, heading: String, body: Markup) -> Response {
        let business = &self.settings().business;
        Page { business, texts: self.texts, up: "../", heading, body }.answer(status)
    }
}
