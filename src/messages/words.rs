//! The words of one message, part by part, ready for a channel.
//!
//! 1. A subject is one line. SMS and spoken text carry no blanks that nobody needs.
//! 2. A message without words is none: an empty part is an error.
//! 3. The text of a mail is its own part where that speaks the HTML's language, else it is made from the HTML.

use crate::messages::context::Record;
use crate::messages::format::{Formats, locale};
use crate::messages::library::{Part, Template};
use crate::messages::menu::Choice;
use crate::messages::render::{self, RenderError};
use crate::messages::{html, plain, style};
use crate::rules::Channel;
use crate::time::Tz;

/// Who is spoken to.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Env<'a> {
    /// The customer's, BCP 47; the business's for a customer without one.
    pub locale: &'a str,
    /// The customer's, or the business's.
    pub zone: Tz,
    /// What a template's own folder is written in.
    pub business_locale: &'a str,
    /// ISO 4217.
    pub currency: &'a str,
}

/// What is said; the parts of other channels are absent.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Words {
    /// The locale the words are in.
    pub locale: String,
    /// One line.
    pub subject: Option<String>,
    pub html: Option<String>,
    pub text: Option<String>,
    pub sms: Option<String>,
    /// To be spoken: plain text.
    pub voice: Option<String>,
    /// What the keys of the call do; empty for what is no call.
    pub menu: Vec<Choice>,
}

impl Template {
    /// Makes the words of one message. `data` holds `customer`, the rule's entity, `business`, `now` and, with an
    /// offer, `offer`: at least what [`Template::needs`] names.
    ///
    /// # Errors
    /// [`RenderError::MissingValue`] where this customer lacks a value, else what is wrong with template or data.
    pub fn render(&self, channel: Channel, env: &Env<'_>, data: &Record) -> Result<Words, RenderError> {
        let message = Message { template: self, channel, env, data };
        match channel {
            Channel::Email => message.email(),
            Channel::Sms => {
                let (locale, sms) = message.needed(Part::Sms, "sms.hbs")?;
                Ok(Words { locale, sms: Some(filled(compact(&sms), "SMS")?), ..Words::default() })
            }
            Channel::Voice => {
                let (locale, voice) = message.needed(Part::Voice, "voice.hbs")?;
                Ok(Words { locale, voice: Some(filled(one_line(&voice), "spoken text")?), ..Words::default() })
            }
        }
    }
}

struct Message<'a> {
    template: &'a Template,
    channel: Channel,
    env: &'a Env<'a>,
    data: &'a Record,
}

impl Message<'_> {
    /// A part's text and the locale it was found for.
    fn part(&self, part: Part) -> Result<Option<(String, String)>, RenderError> {
        let Some((found, tree)) = self.template.part(part, self.env.locale) else { return Ok(None) };
        let words = if found.is_empty() { self.env.business_locale } else { found };
        let customers = locale(self.env.locale).map_or(self.env.business_locale, |_| self.env.locale);
        let formats = Formats::new(customers, words, self.env.zone, self.env.currency);
        let mut text = render::render(tree, part.escape(), &formats, self.data)?;
        if tree.styles_late {
            text = style::inline_message(&text).map_err(RenderError::Styles)?;
        }
        Ok(Some((found.to_owned(), text)))
    }

    fn needed(&self, part: Part, name: &'static str) -> Result<(String, String), RenderError> {
        let (found, text) =
            self.part(part)?.ok_or(RenderError::NoPart { channel: self.channel.as_str(), part: name })?;
        Ok((self.locale(found), text))
    }

    fn locale(&self, found: String) -> String {
        if found.is_empty() { self.env.business_locale.to_owned() } else { found }
    }

    fn email(&self) -> Result<Words, RenderError> {
        let (_, subject) = self.needed(Part::Subject, "subject.hbs")?;
        let html = self.part(Part::Html)?;
        if let Some((_, html)) = &html {
            html::check_links(html).map_err(RenderError::BadLink)?;
        }
        let spoken = |part| self.template.part(part, self.env.locale).map_or(0, |(found, _)| found.len());
        let has_own_text = html.is_none() || spoken(Part::Text) >= spoken(Part::Html);
        let own = if has_own_text { self.part(Part::Text)? } else { None };
        let (found, text) = match (&html, own) {
            (None, None) => {
                return Err(RenderError::NoPart { channel: "email", part: "email.html.hbs or email.txt.hbs" });
            }
            (Some((found, html)), None) => (found.clone(), plain::from_html(html)?),
            (html, Some((own, text))) => (html.as_ref().map_or(own, |(found, _)| found.clone()), text),
        };
        Ok(Words {
            locale: self.locale(found),
            subject: Some(filled(one_line(&subject), "subject")?),
            html: html.map(|(_, html)| filled(html, "HTML")).transpose()?,
            text: Some(filled(paragraphs(&text), "text")?),
            ..Words::default()
        })
    }
}

fn filled(text: String, part: &'static str) -> Result<String, RenderError> {
    if text.trim().is_empty() { Err(RenderError::Empty(part)) } else { Ok(text) }
}

/// One line: every run of blanks, line ends and controls is one space.
fn one_line(text: &str) -> String {
    let words = text.split(|c: char| c.is_whitespace() || c.is_control()).filter(|word| !word.is_empty());
    words.collect::<Vec<_>>().join(" ")
}

/// Lines without blanks at their ends, at most one empty line between two.
fn paragraphs(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut empty = 0;
    for line in text.lines().map(str::trim_end) {
        if line.is_empty() {
            empty += 1;
            continue;
        }
        if !out.is_empty() {
            out.push_str(if empty > 0 { "\n\n" } else { "\n" });
        }
        empty = 0;
        out.push_str(line);
    }
    out.push('\n');
    out
}

/// Lines with single plain spaces between words: in an SMS every character costs, and one no-break space, as languages
/// write it within amounts and times, would double the price of the whole text.
fn compact(text: &str) -> String {
    let lines: Vec<String> = text.lines().map(|line| line.split_whitespace().collect::<Vec<_>>().join(" ")).collect();
    paragraphs(&lines.join("\n")).trim().to_owned()
}
