//! The form of the preference centre as a page, and what was saved as sentences.

use super::choices::{Choices, DAYS, EXTRAS, FIRST, FROM, Fault, LANGUAGE, PAUSE, SECOND, UNTIL, WHOLE};
use super::choices::{day, languages, tick};
use crate::messages::format::{DateForm, Formats};
use crate::rules::Channel;
use crate::settings::QuietWindow;
use crate::time::{Date, Weekday};
use crate::web::visit::Visit;
use axum::http::StatusCode;
use axum::response::Response;
use maud::{Markup, html};

/// The page with the form, and what is wrong in it.
pub fn page(visit: &Visit, status: StatusCode, choices: &Choices, faults: &[Fault]) -> Response {
    let addresses: Vec<String> = visit.person.addresses().into_iter().map(crate::contact::mask).collect();
    let body = html! {
        @if !faults.is_empty() { (summary(visit, faults)) }
        p { (visit.say("preferences-lead", &[("addresses", &addresses.join(", "))])) }
        form method="post" novalidate {
            input type="hidden" name=(WHOLE) value="1";
            (topics(visit, choices))
            (reach(visit, choices, faults))
            (silence(visit, choices, faults))
            (pause(visit, choices))
            button type="submit" { (visit.say("preferences-save", &[])) }
        }
    };
    visit.page_with(status, visit.say("preferences-heading", &[]), body)
}

/// What is wrong, at the top, each with the way to its field.
fn summary(visit: &Visit, faults: &[Fault]) -> Markup {
    html! {
        section.faults role="alert" {
            p { strong { (visit.say("preferences-faults", &[])) } }
            ul { @for fault in faults { li { a href={ "#" (fault.field) } { (visit.say(fault.text, &[])) } } } }
        }
    }
}

fn tick_box(name: &str, ticked: bool, text: &str) -> Markup {
    html! {
        label.tick {
            input type="checkbox" name=(name) value="yes" checked[ticked];
            span { (text) }
        }
    }
}

fn topics(visit: &Visit, choices: &Choices) -> Markup {
    let settings = visit.settings();
    html! {
        fieldset {
            legend { (visit.say("preferences-topics", &[])) }
            p.help { (visit.say("preferences-topics-help", &[])) }
            @for (name, topic) in &settings.topics {
                fieldset {
                    legend { (topic.name) }
                    @for (_, channel, yes) in choices.topics.iter().filter(|(of, ..)| of == name) {
                        (tick_box(&tick(name, *channel), *yes, &by(visit, *channel)))
                    }
                }
            }
            @if has_extras(visit) {
                (tick_box(EXTRAS, choices.extras, &visit.say("preferences-extras", &[])))
            } @else if choices.extras {
                input type="hidden" name=(EXTRAS) value="yes";
            }
        }
    }
}

/// Whether there is anything that could be added to a message.
fn has_extras(visit: &Visit) -> bool {
    !visit.workspace.project.offers.is_empty() || visit.person.no_extras
}

/// A channel with the masked address that it would use.
fn by(visit: &Visit, channel: Channel) -> String {
    let address = visit.person.masked(channel).unwrap_or_default();
    visit.say("and-by", &[("channel", &visit.channel(channel)), ("address", &address)])
}

/// What a field says of its fault, and the id by which it does.
fn fault(visit: &Visit, field: &str, faults: &[Fault]) -> (Option<String>, Markup) {
    let found: Vec<&Fault> = faults.iter().filter(|fault| fault.field == field).collect();
    let id = (!found.is_empty()).then(|| format!("{field}-fault"));
    let markup = html! {
        @if let Some(id) = &id {
            span.fault id=(id) { @for one in &found { (visit.say(one.text, &[])) " " } }
        }
    };
    (id, markup)
}

fn reach(visit: &Visit, choices: &Choices, faults: &[Fault]) -> Markup {
    let channels = visit.person.channels(visit.settings());
    let chosen = |place: usize| choices.preferences.channels.get(place).copied();
    let (described, told) = fault(visit, SECOND, faults);
    let select = |field: &str, text: &str, chosen: Option<Channel>, described: Option<&String>| {
        html! {
            div {
                label for=(field) { (visit.say(text, &[])) }
                select id=(field) name=(field) aria-invalid=[described.map(|_| "true")] aria-describedby=[described] {
                    option value="" selected[chosen.is_none()] { (visit.say("preferences-any", &[])) }
                    @for channel in &channels {
                        option value=(channel) selected[chosen == Some(*channel)] { (visit.channel(*channel)) }
                    }
                }
            }
        }
    };
    // Of a faulty form the second choice is the same as the first.
    let second = if described.is_some() { chosen(0) } else { chosen(1) };
    html! {
        fieldset {
            legend { (visit.say("preferences-reach", &[])) }
            @if channels.len() > 1 {
                div.pair {
                    (select(FIRST, "preferences-first", chosen(0), None))
                    (select(SECOND, "preferences-second", second, described.as_ref()))
                }
                (told)
            }
            (language(visit, choices))
        }
    }
}

fn language(visit: &Visit, choices: &Choices) -> Markup {
    let own = visit.person.locale.as_deref().unwrap_or(&visit.settings().business.locale);
    let own = crate::web::texts::Texts::of([own]).language;
    let languages = languages(visit);
    let name = crate::web::texts::LANGUAGES.iter().find(|(code, ..)| *code == own).map_or(own, |(_, name, _)| name);
    html! {
        label for=(LANGUAGE) { (visit.say("language", &[])) }
        select id=(LANGUAGE) name=(LANGUAGE) aria-describedby="language-help" {
            option value="" selected[choices.preferences.locale.is_none()] {
                (visit.say("preferences-language-any", &[("language", name)]))
            }
            @for (locale, name) in &languages {
                @let code = locale.split(['-', '_']).next();
                option value=(locale) lang=[code] selected[choices.preferences.locale.as_ref() == Some(locale)] { (name) }
            }
        }
        p.help id="language-help" { (visit.say("preferences-language-help", &[])) }
    }
}

fn silence(visit: &Visit, choices: &Choices, faults: &[Fault]) -> Markup {
    let (described, told) = fault(visit, FROM, faults);
    let invalid = described.as_ref().map(|_| "true");
    let described = described.unwrap_or_else(|| "quiet-help".to_owned());
    let quiet = |weekday: Weekday| choices.preferences.quiet.contains(&QuietWindow::Weekday(weekday));
    html! {
        fieldset {
            legend { (visit.say("preferences-quiet", &[])) }
            p.help id="quiet-help" {
                (visit.say("preferences-quiet-help", &[("zone", &visit.zone().name().replace('_', " "))]))
            }
            div.pair {
                div {
                    label for=(FROM) { (visit.say("preferences-quiet-from", &[])) }
                    input type="time" id=(FROM) name=(FROM) value=(choices.quiet.0)
                        aria-invalid=[invalid] aria-describedby=(described);
                }
                div {
                    label for=(UNTIL) { (visit.say("preferences-quiet-until", &[])) }
                    input type="time" id=(UNTIL) name=(UNTIL) value=(choices.quiet.1)
                        aria-invalid=[invalid] aria-describedby=(described);
                }
            }
            (told)
            fieldset {
                legend { (visit.say("preferences-days", &[])) }
                div.days {
                    @for weekday in DAYS { (tick_box(&day(weekday), quiet(weekday), &day_name(visit, weekday))) }
                }
            }
        }
    }
}

/// A weekday in the page's language.
fn day_name(visit: &Visit, weekday: Weekday) -> String {
    // Any week has them all: the fifth of January 1970 was a Monday.
    let date = Date::from_days(4 + i64::from(weekday.num_days_from_monday()));
    let language = visit.texts.language;
    let formats = Formats::new(language, language, visit.zone(), &visit.settings().business.currency);
    formats.date(date, DateForm::Weekday).unwrap_or_else(|_| weekday.to_string())
}

fn pause(visit: &Visit, choices: &Choices) -> Markup {
    let text = match visit.person.paused {
        None => visit.say("preferences-pause-month", &[]),
        Some(None) => visit.say("preferences-pause-open", &[]),
        Some(Some(until)) => visit.say("preferences-pause-until", &[("date", &visit.day(until))]),
    };
    html! {
        fieldset {
            legend { (visit.say("preferences-pause", &[])) }
            (tick_box(PAUSE, choices.pause, &text))
        }
    }
}

/// How things are, in sentences.
pub fn lines(visit: &Visit) -> Vec<String> {
    let (person, settings) = (&visit.person, visit.settings());
    let list =
        |channels: &[Channel]| channels.iter().map(|channel| visit.channel(*channel)).collect::<Vec<_>>().join(", ");
    let mut lines = Vec::new();
    for (name, topic) in &settings.topics {
        let mut channels = person.channels(settings);
        channels.retain(|channel| person.gets(name, topic.purpose, *channel));
        let channels = if channels.is_empty() { visit.say("saved-none", &[]) } else { list(&channels) };
        lines.push(visit.say("saved-topic", &[("topic", &topic.name), ("channels", &channels)]));
    }
    if has_extras(visit) {
        lines.push(visit.say(if person.no_extras { "saved-extras-no" } else { "saved-extras-yes" }, &[]));
    }
    let said = &person.preferences;
    if !said.channels.is_empty() {
        lines.push(visit.say("saved-order", &[("channels", &list(&said.channels))]));
    }
    if let Some(locale) = &said.locale {
        let name = languages(visit).into_iter().find(|(known, _)| known == locale).map(|(_, name)| name);
        lines.push(visit.say("saved-language", &[("language", name.unwrap_or(locale))]));
    }
    if !said.quiet.is_empty() {
        let hours = said.quiet.iter().map(|window| match window {
            QuietWindow::Weekday(weekday) => day_name(visit, *weekday),
            QuietWindow::Holidays => visit.say("saved-quiet-holidays", &[]),
            QuietWindow::Daily { .. } => window.to_string().replace('-', "–"),
        });
        lines.push(visit.say("saved-quiet", &[("hours", &hours.collect::<Vec<_>>().join(", "))]));
    }
    match person.paused {
        Some(Some(until)) => lines.push(visit.say("saved-pause", &[("date", &visit.day(until))])),
        Some(None) => lines.push(visit.say("saved-pause-open", &[])),
        None => {}
    }
    lines
}
