//! The words of the public pages: one Fluent file per language, embedded; English, French, German and Spanish.
//!
//! 1. Every language has every key, with the same arguments: a test compares them.
//! 2. A customer's language is what they chose, else that of the data, else the business's, else English.

use fluent_bundle::concurrent::FluentBundle;
use fluent_bundle::{FluentArgs, FluentResource};
use std::collections::BTreeMap;
use std::sync::LazyLock;
use unic_langid::LanguageIdentifier;

/// The languages there are, by code, each with its own name.
pub const LANGUAGES: [(&str, &str, &str); 4] = [
    ("en", "English", include_str!("texts/en.ftl")),
    ("fr", "Français", include_str!("texts/fr.ftl")),
    ("de", "Deutsch", include_str!("texts/de.ftl")),
    ("es", "Español", include_str!("texts/es.ftl")),
];

type Bundles = BTreeMap<&'static str, FluentBundle<FluentResource>>;

static BUNDLES: LazyLock<Bundles> = LazyLock::new(|| {
    let bundle = |(code, _, source): (&'static str, &str, &str)| {
        let language: LanguageIdentifier = code.parse().expect("the codes are languages");
        let mut bundle = FluentBundle::new_concurrent(vec![language]);
        // All of these languages are written from left to right: no marks around what is put in.
        bundle.set_use_isolating(false);
        let resource = FluentResource::try_new(source.to_owned()).expect("a test reads every file");
        bundle.add_resource(resource).expect("a test looks for keys that are there twice");
        (code, bundle)
    };
    LANGUAGES.into_iter().map(bundle).collect()
});

/// The texts of one language.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Texts {
    /// Its code, such as `fr`.
    pub language: &'static str,
}

impl Texts {
    /// The first of these locales (BCP 47) whose language there is; English where there is none.
    pub fn of<'a>(locales: impl IntoIterator<Item = &'a str>) -> Self {
        let code = |locale: &str| {
            let language = locale.trim().split(['-', '_']).next().unwrap_or_default().to_ascii_lowercase();
            LANGUAGES.iter().find(|(code, ..)| *code == language).map(|(code, ..)| *code)
        };
        Self { language: locales.into_iter().find_map(code).unwrap_or("en") }
    }

    /// The languages that a browser asks for (RFC 9110, 12.5.4), then the business's own.
    pub fn accepted(header: &str, business: &str) -> Self {
        let wanted = header.split(',').map(|range| range.split(';').next().unwrap_or_default());
        Self::of(wanted.chain([business]))
    }

    /// The text of `key`, with what is to be put into it.
    pub fn say(self, key: &str, arguments: &[(&str, &str)]) -> String {
        let bundle = &BUNDLES[self.language];
        let Some(pattern) = bundle.get_message(key).and_then(|message| message.value()) else {
            debug_assert!(false, "no text is called {key}");
            return key.to_owned();
        };
        let mut given = FluentArgs::new();
        for (name, value) in arguments {
            given.set(*name, (*value).to_owned());
        }
        let mut faults = Vec::new();
        let text = bundle.format_pattern(pattern, Some(&given), &mut faults).into_owned();
        debug_assert!(faults.is_empty(), "{key}: {faults:?}");
        text
    }
}

#[cfg(test)]
mod tests {
    use super::{LANGUAGES, Texts};
    use std::collections::{BTreeMap, BTreeSet};

    /// The keys of a file, each with the names it puts in.
    fn keys(source: &str) -> BTreeMap<String, BTreeSet<String>> {
        let mut keys = BTreeMap::new();
        for line in source.lines().filter(|line| !line.starts_with('#') && !line.trim().is_empty()) {
            let (key, text) = line.split_once(" = ").unwrap_or_else(|| panic!("one line a text: {line}"));
            let names = text.split("{ $").skip(1).filter_map(|rest| Some(rest.split_once(" }")?.0.to_owned()));
            assert!(keys.insert(key.to_owned(), names.collect()).is_none(), "{key} is there twice");
        }
        keys
    }

    #[test]
    fn every_language_has_every_text_with_the_same_arguments() {
        let english = keys(LANGUAGES[0].2);
        assert!(english.len() > 50);
        for (code, _, source) in LANGUAGES {
            let own = keys(source);
            for (key, names) in &english {
                assert_eq!(own.get(key), Some(names), "{code}: {key}");
                let given: Vec<(&str, &str)> = names.iter().map(|name| (name.as_str(), "X")).collect();
                let said = Texts::of([code]).say(key, &given);
                assert!(!said.is_empty() && !said.contains('{'), "{code}: {said}");
            }
            assert_eq!(own.len(), english.len(), "{code}");
        }
    }

    #[test]
    fn the_language_is_the_first_that_there_is() {
        for (locales, language) in
            [(vec!["fr-CA", "de"], "fr"), (vec!["pt-BR", "de_AT"], "de"), (vec!["", "pt"], "en"), (vec!["ES"], "es")]
        {
            assert_eq!(Texts::of(locales.iter().copied()).language, language, "{locales:?}");
        }
        assert_eq!(Texts::accepted("ja, fr;q=0.8, en;q=0.5", "de-DE").language, "fr");
        assert_eq!(Texts::accepted("", "de-DE").language, "de");
    }
}
