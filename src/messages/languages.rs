//! Partials whose words reach readers of another language.
//!
//! 1. A part speaks the language of its sub-folder, one without the business's; so does a partial.
//! 2. A partial that names a language in quotes (`{{#if (eq lang "fr")}}`) chooses its words for it by itself.
//! 3. The business's name and address are the same in every language.

use crate::messages::format::locale;
use crate::messages::library::{Templates, place};
use crate::messages::{plain, scan};
use crate::problem::{Problem, Source};
use crate::settings::Business;
use std::collections::{BTreeMap, BTreeSet};

impl Templates {
    /// A warning for each partial that several languages print and that says words in one of them.
    pub fn check_languages(&self, business: &Business) -> Vec<Problem> {
        let home = language(&business.locale);
        let mut printed: BTreeMap<&str, (&Source, BTreeSet<String>)> = BTreeMap::new();
        for (part_locale, tree) in self.iter().flat_map(|template| template.parts.values().flatten()) {
            let spoken = if part_locale.is_empty() { home.clone() } else { language(part_locale) };
            for partial in tree.sources.iter().skip(1).filter(|source| is_without_locale(source)) {
                printed.entry(&partial.name).or_insert((partial, BTreeSet::new())).1.insert(spoken.clone());
            }
        }
        let mut problems = Vec::new();
        for (partial, languages) in printed.into_values().filter(|(_, languages)| languages.len() > 1) {
            let is_known = |spoken: &String| {
                *spoken == home || ["\"", "'"].iter().any(|q| partial.text.contains(&format!("{q}{spoken}{q}")))
            };
            let others: Vec<String> = languages.into_iter().filter(|spoken| !is_known(spoken)).collect();
            if !others.is_empty() && has_words(&partial.text, business) {
                problems.push(warning(partial, &home, &others));
            }
        }
        problems
    }
}

fn warning(partial: &Source, home: &str, others: &[String]) -> Problem {
    let (folder, file) = partial.name.rsplit_once('/').unwrap_or(("", &partial.name));
    let name = file.trim_end_matches(".hbs");
    let spoken = others.iter().map(|spoken| format!("`{spoken}`")).collect::<Vec<_>>().join(", ");
    let paths = others.iter().map(|spoken| format!("`{folder}/{spoken}/{file}`")).collect::<Vec<_>>().join(", ");
    let message = format!("the words of the partial `{name}` are `{home}`, and messages in {spoken} print them");
    Problem::warning(partial, 0..0, message).help(format!("write them in that language, too: {paths}"))
}

/// The language of a locale: `fr` of `fr-CA`.
fn language(text: &str) -> String {
    locale(text).map_or_else(|| text.to_owned(), |locale| locale.id.language.to_string())
}

fn is_without_locale(partial: &Source) -> bool {
    place(&partial.name).is_ok_and(|found| found.is_some_and(|(.., locale)| locale.is_empty() || locale.ends_with('/')))
}

/// Whether a text says anything besides what its tags print and what the business is called.
fn has_words(text: &str, business: &Business) -> bool {
    let mut words = text.to_owned();
    for tag in scan::scan(text).unwrap_or_default().into_iter().rev() {
        words.replace_range(tag.span, "");
    }
    let address = business.postal_address.as_deref().unwrap_or_default();
    let own: BTreeSet<&str> = business.name.split_whitespace().chain(address.split_whitespace()).map(bare).collect();
    // `mj-style` is MJML's `style`, and no more to be read.
    let shown = plain::shown(&words.replace("mj-style", "style")).unwrap_or_default();
    shown.split_whitespace().map(bare).any(|word| is_word(word) && !own.contains(word))
}

fn bare(word: &str) -> &str {
    word.trim_matches(|c: char| !c.is_alphanumeric())
}

/// Addresses, numbers and single letters are no words of a language.
fn is_word(word: &str) -> bool {
    word.chars().count() > 1 && word.chars().all(|c| c.is_alphabetic() || "'’-".contains(c))
}
