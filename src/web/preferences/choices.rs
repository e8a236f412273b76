//! What the form of the preference centre says: as things are, and as somebody has filled it in.

use crate::courtesy::preferences::Preferences;
use crate::courtesy::quiet_hours::{Silence, minute};
use crate::rules::Channel;
use crate::settings::QuietWindow;
use crate::time::Weekday;
use crate::web::form::Form;
use crate::web::texts::LANGUAGES;
use crate::web::visit::Visit;

/// A field that every form of ours sends: without it a missing tick means nothing.
pub const WHOLE: &str = "form";
pub const FIRST: &str = "first";
pub const SECOND: &str = "second";
pub const LANGUAGE: &str = "language";
pub const FROM: &str = "quiet-from";
pub const UNTIL: &str = "quiet-until";
pub const EXTRAS: &str = "extras";
pub const PAUSE: &str = "pause";

pub const DAYS: [Weekday; 7] =
    [Weekday::Mon, Weekday::Tue, Weekday::Wed, Weekday::Thu, Weekday::Fri, Weekday::Sat, Weekday::Sun];

/// The tick for a topic on a channel.
pub fn tick(topic: &str, channel: Channel) -> String {
    format!("yes.{topic}.{channel}")
}

/// The tick for a day of silence.
pub fn day(day: Weekday) -> String {
    format!("day.{day}")
}

/// A field that cannot be saved, and the text that says why.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Fault {
    pub field: &'static str,
    pub text: &'static str,
}

/// A form's content.
#[derive(Clone, PartialEq, Debug)]
pub struct Choices {
    /// Each topic on each channel that can reach them.
    pub topics: Vec<(String, Channel, bool)>,
    pub extras: bool,
    pub preferences: Preferences,
    /// As they were typed: `21:00`.
    pub quiet: (String, String),
    pub pause: bool,
}

impl Choices {
    /// As things are.
    pub fn now(visit: &Visit) -> Self {
        let person = &visit.person;
        let daily = person.preferences.quiet.iter().find_map(|window| match window {
            QuietWindow::Daily { .. } => {
                let text = window.to_string();
                text.split_once('-').map(|(from, until)| (from.to_owned(), until.to_owned()))
            }
            QuietWindow::Weekday(_) | QuietWindow::Holidays => None,
        });
        Self {
            topics: answers(visit, |topic, purpose, channel| person.gets(topic, purpose, channel)),
            extras: !person.no_extras,
            preferences: person.preferences.clone(),
            quiet: daily.unwrap_or_default(),
            pause: person.paused.is_some(),
        }
    }

    /// As a form says, with what is wrong in it.
    pub fn read(visit: &Visit, form: &Form) -> (Self, Vec<Fault>) {
        let mut faults = Vec::new();
        let quiet = (clock(form.get(FROM)), clock(form.get(UNTIL)));
        let preferences = Preferences {
            channels: channels(visit, form, &mut faults),
            locale: language(visit, form.get(LANGUAGE)),
            quiet: windows(visit, form, &quiet, &mut faults),
        };
        let choices = Self {
            topics: answers(visit, |topic, _, channel| form.has(&tick(topic, channel))),
            extras: form.has(EXTRAS),
            preferences,
            quiet,
            pause: form.has(PAUSE),
        };
        (choices, faults)
    }
}

fn answers(
    visit: &Visit,
    mut is_yes: impl FnMut(&str, crate::rules::Purpose, Channel) -> bool,
) -> Vec<(String, Channel, bool)> {
    let channels = visit.person.channels(visit.settings());
    let mut answers = Vec::new();
    for (name, topic) in &visit.settings().topics {
        answers.extend(channels.iter().map(|channel| (name.clone(), *channel, is_yes(name, topic.purpose, *channel))));
    }
    answers
}

/// `21:00` of what a browser sends, which may add seconds.
fn clock(text: &str) -> String {
    text.chars().take(5).collect()
}

fn channels(visit: &Visit, form: &Form, faults: &mut Vec<Fault>) -> Vec<Channel> {
    let reachable = visit.person.channels(visit.settings());
    let one = |field: &str| form.get(field).parse::<Channel>().ok().filter(|channel| reachable.contains(channel));
    let (first, second) = (one(FIRST), one(SECOND));
    if first.is_some() && first == second {
        faults.push(Fault { field: SECOND, text: "preferences-second-same" });
    }
    let mut order: Vec<Channel> = first.into_iter().chain(second).collect();
    order.dedup();
    order
}

/// The locales that can be chosen, each with its language's own name: the one of their data where that fits, so that
/// dates and numbers stay as they know them.
pub fn languages(visit: &Visit) -> Vec<(String, &'static str)> {
    let business = Some(visit.settings().business.locale.clone());
    let known = [&visit.person.preferences.locale, &visit.person.locale, &business];
    let locale = |code: &str| {
        let fits = |locale: &&String| locale.split(['-', '_']).next() == Some(code);
        known.into_iter().flatten().find(fits).cloned().unwrap_or_else(|| code.to_owned())
    };
    LANGUAGES.iter().map(|(code, name, _)| (locale(code), *name)).collect()
}

/// The locale that was chosen; one that nobody offered is no choice.
fn language(visit: &Visit, said: &str) -> Option<String> {
    languages(visit).into_iter().map(|(locale, _)| locale).find(|locale| locale == said)
}

/// The windows that a form says. It does not ask about holidays: who keeps them quiet keeps them so.
fn windows(visit: &Visit, form: &Form, (from, until): &(String, String), faults: &mut Vec<Fault>) -> Vec<QuietWindow> {
    let mut windows: Vec<QuietWindow> = Vec::new();
    match (minute(from), minute(until)) {
        _ if from.is_empty() && until.is_empty() => {}
        (Some(from), Some(until)) if from != until => windows.push(QuietWindow::Daily { from, until }),
        _ => faults.push(Fault { field: FROM, text: "preferences-quiet-fault" }),
    }
    windows.extend(DAYS.into_iter().filter(|one| form.has(&day(*one))).map(QuietWindow::Weekday));
    let said = &visit.person.preferences.quiet;
    windows.extend(said.iter().filter(|window| **window == QuietWindow::Holidays).cloned());
    if (Silence { quiet: vec![&windows], ..Silence::default() }).covers_whole_week() {
        faults.push(Fault { field: FROM, text: "preferences-quiet-all" });
    }
    windows
}
