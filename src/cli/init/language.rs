//! The languages that a new home folder can be written in.
//!
//! 1. What customers read is in the language; comments, as all documentation, are English.
//! 2. A language is written down as its difference from the English files: whole templates, and single texts of the
//!    configuration in the place of the English ones.

use std::str::FromStr;

/// A file by its path under the home folder, and its text.
pub type File = (&'static str, &'static str);

#[derive(Clone, Copy, Debug)]
pub struct Language {
    name: &'static str,
    pub templates: [File; 3],
    /// Texts of the configuration: the English one, and what takes its place.
    pub texts: &'static [(&'static str, &'static str)],
}

pub const ALL: [Language; 2] = [
    Language {
        name: "en",
        templates: [
            ("templates/welcome/subject.hbs", include_str!("templates/welcome/subject.hbs")),
            ("templates/welcome/email.html.hbs", include_str!("templates/welcome/email.html.hbs")),
            ("templates/_partials/letter-end.hbs", include_str!("../../../templates/_partials/letter-end.hbs")),
        ],
        texts: &[],
    },
    Language {
        name: "de",
        templates: [
            ("templates/welcome/subject.hbs", include_str!("de/welcome/subject.hbs")),
            ("templates/welcome/email.html.hbs", include_str!("de/welcome/email.html.hbs")),
            ("templates/_partials/letter-end.hbs", include_str!("de/letter-end.hbs")),
        ],
        texts: &[
            ("Europe/London", "Europe/Berlin"),
            ("\"en-GB\"", "\"de-DE\""),
            ("\"GB\"", "\"DE\""),
            ("\"GBP\"", "\"EUR\""),
            ("My business", "Meine Firma"),
            ("mybusiness.example", "meinefirma.example"),
            ("hello@", "hallo@"),
            ("1 Quay Street, Bristol BS1 4XX", "Hafenstraße 1, 20457 Hamburg"),
            ("\"Service messages\"", "\"Servicenachrichten\""),
            ("\"Treats and offers\"", "\"Angebote und Aktionen\""),
            ("\"customer file\"", "\"Kundendatei\""),
            ("\"Welcome a new customer by email, once\"", "\"Wir begrüßen neue Kunden einmal per E-Mail\""),
        ],
    },
];

impl Language {
    /// `text`, which is English, in this language.
    pub fn translated(&self, text: &str) -> String {
        self.texts.iter().fold(text.to_owned(), |text, (english, own)| text.replace(english, own))
    }
}

impl FromStr for Language {
    type Err = String;

    fn from_str(name: &str) -> Result<Self, String> {
        ALL.into_iter().find(|language| language.name == name).ok_or_else(|| {
            let names = ALL.map(|language| format!("`{}`", language.name)).join(", ");
            format!("there are {names}; for another, take one of these and translate the files under `templates`")
        })
    }
}
