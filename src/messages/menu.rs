//! What the keys of a call do: the menu of a template as its `voice.toml` says it, and as one call was made with it.
//!
//! 1. A key does one of three things, and everything it does is done while the call lasts: nobody is called back.
//! 2. The menu of a call is kept with its words, so that a key does what that very call said, whatever the template says
//!    by then.

use crate::courtesy::phrases::{self, Phrases};
use crate::problem::Source;
use crate::rules::words;
use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

/// A key of a phone: `0` to `9`.
pub type Digit = u8;

/// What a key does.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Does {
    /// Nobody is called at this number again; the call ends.
    Stop,
    /// The call is said again.
    Repeat,
    /// Says something more.
    Say,
}

words!(Does { Stop = "stop", Repeat = "repeat", Say = "say" });

/// A key as a template's `voice.toml` has it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Key {
    pub does: Does,
    /// How the call announces the key; our own sentence where absent.
    pub prompt: Option<String>,
    /// What is said once it is pressed; our own sentence where absent.
    pub says: Option<String>,
}

/// The keys of a template, by digit.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Menu {
    pub keys: BTreeMap<Digit, Key>,
}

/// A menu and the file that says it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct MenuFile {
    pub menu: Menu,
    pub source: Source,
}

/// A key of one call: everything in that call's words.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Choice {
    pub key: Digit,
    pub does: Does,
    /// What is said once it is pressed; empty for a key that repeats.
    pub says: String,
}

/// What a call says and what its keys do.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Call {
    /// All that is spoken before a key is pressed.
    pub spoken: String,
    pub choices: Vec<Choice>,
}

/// What a call's words are made of, besides the template's own.
#[derive(Clone, Copy, Debug)]
pub struct Terms<'a> {
    /// Our own sentences in the language of the call, where there are any.
    pub phrases: Option<&'a Phrases>,
    /// Who calls.
    pub business: &'a str,
    /// The key that stops where the menu has none.
    pub stop_key: Digit,
    pub promotional: bool,
}

impl Menu {
    /// The key that stops, if the menu has one.
    pub fn stops_with(&self) -> Option<Digit> {
        self.keys.iter().find(|(_, key)| key.does == Does::Stop).map(|(digit, _)| *digit)
    }

    /// Whether anything of it is said in words of its own.
    pub fn speaks(&self) -> bool {
        self.keys.values().any(|key| key.prompt.is_some() || key.says.is_some())
    }

    /// The words of one call: `text` with every key announced. Each call can be stopped; a promotional one says at its
    /// very beginning who calls and which key stops (47 CFR 64.1200(b)(3)), any other at its end. In a language that we
    /// have no sentences for, only the menu's own words are said.
    pub fn call(&self, text: &str, terms: Terms<'_>) -> Call {
        let mut keys = self.keys.clone();
        if self.stops_with().is_none() && terms.phrases.is_some() {
            keys.entry(terms.stop_key).or_insert(Key { does: Does::Stop, prompt: None, says: None });
        }
        let (mut first, mut last) = (Vec::new(), Vec::new());
        let phrases = terms.phrases.unwrap_or(&phrases::ALL[0]);
        if let Some(phrases) = terms.phrases.filter(|_| terms.promotional) {
            first.push(phrases.caller.replace("{name}", terms.business));
        }
        for (digit, key) in &keys {
            let comes_first = terms.promotional && key.does == Does::Stop;
            let prompts = if comes_first { &mut first } else { &mut last };
            prompts.extend(prompt(*digit, key, phrases));
        }
        let spoken = first.into_iter().chain([text.to_owned()]).chain(last).collect::<Vec<_>>().join(" ");
        let choice = |(digit, key): (&Digit, &Key)| Choice {
            key: *digit,
            does: key.does,
            says: match key.does {
                Does::Stop => key.says.clone().unwrap_or_else(|| phrases.stopped.to_owned()),
                Does::Repeat => String::new(),
                Does::Say => key.says.clone().unwrap_or_default(),
            },
        };
        Call { spoken, choices: keys.iter().map(choice).collect() }
    }
}

fn prompt(digit: Digit, key: &Key, phrases: &Phrases) -> Option<String> {
    let ours = match key.does {
        Does::Stop => phrases.press_to_stop,
        Does::Repeat => phrases.press_to_repeat,
        Does::Say => return key.prompt.clone(),
    };
    Some(key.prompt.clone().unwrap_or_else(|| ours.replace("{key}", &digit.to_string())))
}

/// `9 stop We will not call you again.`: a line for each key, as it is kept with a call's words.
pub fn written(choices: &[Choice]) -> String {
    let line = |choice: &Choice| format!("{} {} {}", choice.key, choice.does, choice.says).trim_end().to_owned();
    choices.iter().map(line).collect::<Vec<_>>().join("\n")
}

/// Choices as [`written`] wrote them; a line that is none is left out.
pub fn read(written: &str) -> Vec<Choice> {
    let choice = |line: &str| {
        let mut parts = line.splitn(3, ' ');
        let key = parts.next()?.parse().ok().filter(|digit| *digit <= 9)?;
        let does = parts.next()?.parse().ok()?;
        Some(Choice { key, does, says: parts.next().unwrap_or_default().to_owned() })
    };
    written.lines().filter_map(choice).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::courtesy::phrases;

    fn terms(promotional: bool) -> Terms<'static> {
        Terms { phrases: phrases::of("en"), business: "Harbour", stop_key: 9, promotional }
    }

    fn key(does: Does, prompt: Option<&str>, says: Option<&str>) -> Key {
        Key { does, prompt: prompt.map(str::to_owned), says: says.map(str::to_owned) }
    }

    #[test]
    fn a_promotional_call_begins_with_who_calls_and_how_to_stop() {
        let call = Menu::default().call("A cookie waits.", terms(true));
        assert_eq!(call.spoken, "This is Harbour. To get no more calls from us, press 9. A cookie waits.");
        assert_eq!(call.choices.len(), 1);
        assert_eq!((call.choices[0].key, call.choices[0].does), (9, Does::Stop));
        let plain = Menu::default().call("Your table is ready.", terms(false));
        assert_eq!(plain.spoken, "Your table is ready. To get no more calls from us, press 9.");
    }

    #[test]
    fn a_menus_own_words_and_keys_stand() {
        let menu = Menu {
            keys: BTreeMap::from([
                (1, key(Does::Repeat, None, None)),
                (2, key(Does::Say, Some("For our hours, press 2."), Some("Nine to five."))),
                (8, key(Does::Stop, Some("To stop, press 8."), Some("Done."))),
            ]),
        };
        let call = menu.call("Hello.", terms(false));
        assert_eq!(call.spoken, "Hello. To hear this again, press 1. For our hours, press 2. To stop, press 8.");
        assert_eq!(call.choices.iter().map(|choice| choice.key).collect::<Vec<_>>(), [1, 2, 8]);
        assert_eq!(written(&call.choices), "1 repeat\n2 say Nine to five.\n8 stop Done.");
        assert_eq!(read(&written(&call.choices)), call.choices);
        assert_eq!(read("x\n10 stop\n3 fly away\n"), []);
        let elsewhere = menu.call("Hallo.", Terms { phrases: None, ..terms(true) });
        assert_eq!(elsewhere.spoken.split(" Hallo.").next(), Some("To stop, press 8."));
        assert_eq!(Menu::default().call("Hallo.", Terms { phrases: None, ..terms(false) }).spoken, "Hallo.");
    }
}
