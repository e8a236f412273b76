//! One message of a preview: what it says, part by part, for a terminal and for machines.

use crate::amount::counted;
use crate::cli::print::{plain, say};
use crate::delivery::sample::{Sample, Samples, Unsaid};
use crate::messages::menu::{Choice, Does};
use crate::messages::remarks::remarks;
use crate::messages::segments::segments;
use crate::messages::{Words, preheader};
use crate::rules::{Channel, Rule};
use serde_json::{Value, json};
use std::io;

/// A message for one customer on one channel in one language.
pub struct Shown {
    pub customer: String,
    /// The key of the row that it is about.
    pub entity: String,
    pub is_selected: bool,
    /// Why this customer was taken, where nobody asked for them.
    pub why: Option<String>,
    pub channel: Channel,
    /// The rule's variant that the customer gets.
    pub variant: Option<String>,
    pub words: Result<Words, Unsaid>,
    /// The language that was asked for.
    asked: Option<String>,
}

impl Shown {
    pub fn of(samples: &Samples<'_>, sample: &Sample, why: Option<String>, locale: Option<&str>) -> Self {
        Self {
            customer: sample.customer.clone(),
            entity: sample.entity.clone(),
            is_selected: sample.is_selected,
            why,
            channel: samples.channel,
            variant: samples.rule.variant_of(&sample.customer).map(|variant| variant.name.clone()),
            words: samples.words(sample, locale),
            asked: locale.map(str::to_owned),
        }
    }

    /// The language that it is written in.
    pub fn locale(&self) -> &str {
        match &self.words {
            Ok(words) => &words.locale,
            Err(_) => self.asked.as_deref().unwrap_or_default(),
        }
    }

    /// `email in en-GB, for customer c01`.
    pub fn heading(&self) -> String {
        let locale = self.locale();
        let language = if locale.is_empty() { String::new() } else { format!(" in {locale}") };
        let variant = self.variant.as_ref().map(|variant| format!(", variant {variant}")).unwrap_or_default();
        format!("{}{language}, for customer {}{variant}", self.channel, self.customer)
    }

    /// What is worth a second thought, and why the customer was taken.
    pub fn remarks(&self) -> Vec<String> {
        let mut all = self.words.as_ref().map(remarks).unwrap_or_default();
        if let (Some(asked), Ok(words)) = (&self.asked, &self.words)
            && asked.split('-').next() != words.locale.split('-').next()
        {
            all.push(format!("the template has no words in {asked}: customers read the ones in {}", words.locale));
        }
        all
    }
}

pub fn to_json(rule: &Rule, shown: &[Shown]) -> Value {
    json!({ "rule": rule.name, "messages": shown.iter().map(one_json).collect::<Vec<_>>() })
}

fn one_json(shown: &Shown) -> Value {
    let mut one = json!({
        "channel": shown.channel.as_str(), "locale": shown.locale(), "customer": shown.customer,
        "entity": shown.entity, "selected": shown.is_selected, "why": shown.why,
        "variant": shown.variant,
    });
    match &shown.words {
        Ok(words) => {
            let sms = words.sms.as_ref().map(|text| {
                let size = segments(text);
                json!({ "text": text, "encoding": size.encoding.as_str(), "segments": size.count, "units": size.units,
                        "forced_by": size.forced_by, "forced_at": size.forced_at })
            });
            let menu = words.menu.iter().map(
                |choice| json!({ "key": choice.key.to_string(), "does": choice.does.as_str(), "says": choice.says }),
            );
            one["subject"] = json!(words.subject);
            one["preheader"] = json!(words.html.as_deref().and_then(preheader));
            one["html"] = json!(words.html);
            one["text"] = json!(words.text);
            one["sms"] = json!(sms);
            one["voice"] = json!(words.voice);
            one["menu"] = words.voice.as_ref().map_or(Value::Null, |_| menu.collect());
            one["remarks"] = json!(shown.remarks());
        }
        Err((reason, why)) => one["error"] = json!({ "reason": reason.as_str(), "detail": why }),
    }
    one
}

/// Prints a message for people; with a heading where it is one of several.
pub fn print(shown: &Shown, is_one_of_several: bool) -> io::Result<()> {
    if is_one_of_several || shown.why.is_some() {
        say(format_args!("== {} ==", plain(&shown.heading())))?;
    }
    if let Some(why) = &shown.why {
        say(format_args!("-- {} --", plain(why)))?;
    }
    match &shown.words {
        Err((reason, why)) => say(format_args!("-- no message: {reason}: {} --", plain(why)))?,
        Ok(words) => parts(words)?,
    }
    shown.remarks().iter().try_for_each(|remark| say(format_args!("-- note: {} --", plain(remark))))
}

fn parts(words: &Words) -> io::Result<()> {
    if let Some(subject) = &words.subject {
        say(format_args!("Subject:   {subject}"))?;
        if let Some(preheader) = words.html.as_deref().and_then(preheader) {
            say(format_args!("Preheader: {preheader}"))?;
        }
        say("")?;
    }
    for part in [&words.text, &words.voice].into_iter().flatten() {
        say(part.trim_end())?;
    }
    words.menu.iter().try_for_each(|choice| say(format_args!("-- {} --", key(choice))))?;
    if let Some(html) = &words.html {
        let count = html.chars().count();
        say(format_args!("-- and as HTML, {count} characters: --open shows it in a browser, --html prints it --"))?;
    }
    if let Some(text) = &words.sms {
        say(text)?;
        say(format_args!("-- {} --", size(text)))?;
    }
    Ok(())
}

/// `key 9 stops all calls, and says: …`.
pub fn key(choice: &Choice) -> String {
    let does = match choice.does {
        Does::Stop => "stops all calls",
        Does::Repeat => "says the call again",
        Does::Say => "says more",
    };
    let says = if choice.says.is_empty() { String::new() } else { format!(": {}", choice.says) };
    format!("key {} {does}{says}", choice.key)
}

/// `1 segment, GSM-7, 43 of 160`, and what forced the dearer encoding.
pub fn size(text: &str) -> String {
    let size = segments(text);
    let forced = size.forced_by.zip(size.forced_at);
    let forced = forced.map(|(c, at)| format!(", since character {at} is `{c}`")).unwrap_or_default();
    let (alone, each) = size.encoding.limits();
    let room = if size.count == 1 { alone } else { each * size.count };
    let segments = counted(size.count, "segment");
    format!("{segments}, {} of {room} units in {}{forced}", size.units, size.encoding.as_str())
}
