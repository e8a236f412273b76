//! What plusone itself says to customers on the phone: the way out of text messages and calls, by language.
//!
//! 1. A text message's words are written in the GSM alphabet: they never double what a message costs.
//! 2. A language that is not here has no words; `check` then asks for the business's own.

/// The sentences of one language. `{key}`, `{name}`, `{topics}` and `{contact}` stand for what belongs there.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Phrases {
    /// The language alone, as BCP 47 has it.
    pub language: &'static str,
    /// Under a promotional text message.
    pub opt_out: &'static str,
    /// The answer to `HELP`.
    pub help: &'static str,
    /// How a promotional call begins: who calls.
    pub caller: &'static str,
    /// The key that ends all calls.
    pub press_to_stop: &'static str,
    /// The key that says the call again.
    pub press_to_repeat: &'static str,
    /// After the key that ends all calls.
    pub stopped: &'static str,
    /// After a key that does nothing.
    pub wrong_key: &'static str,
}

/// Every language there is, English first.
pub const ALL: [Phrases; 4] = [
    Phrases {
        language: "en",
        opt_out: "Reply STOP to opt out.",
        help: "{name} writes about: {topics}. Reply STOP to get no more text messages. Questions: {contact}",
        caller: "This is {name}.",
        press_to_stop: "To get no more calls from us, press {key}.",
        press_to_repeat: "To hear this again, press {key}.",
        stopped: "We will not call you again. Goodbye.",
        wrong_key: "This key does nothing here.",
    },
    Phrases {
        language: "fr",
        opt_out: "Répondez STOP pour vous désabonner.",
        help: "{name} vous écrit au sujet de : {topics}. Répondez STOP pour ne plus recevoir de SMS. Questions : {contact}",
        caller: "Ici {name}.",
        press_to_stop: "Pour ne plus être appelé, tapez {key}.",
        press_to_repeat: "Pour réécouter ce message, tapez {key}.",
        stopped: "Nous ne vous appellerons plus. Au revoir.",
        wrong_key: "Cette touche n'a pas d'effet ici.",
    },
    Phrases {
        language: "de",
        opt_out: "Abmelden: mit STOP antworten.",
        help: "{name} schreibt über: {topics}. Mit STOP antworten, um keine SMS mehr zu erhalten. Fragen: {contact}",
        caller: "Hier ist {name}.",
        press_to_stop: "Wenn Sie keine Anrufe mehr von uns möchten, drücken Sie die {key}.",
        press_to_repeat: "Um dies noch einmal zu hören, drücken Sie die {key}.",
        stopped: "Wir rufen Sie nicht mehr an. Auf Wiederhören.",
        wrong_key: "Diese Taste hat hier keine Wirkung.",
    },
    Phrases {
        language: "es",
        opt_out: "Responda STOP para darse de baja.",
        help: "{name} escribe sobre: {topics}. Responda STOP para no recibir SMS. Preguntas: {contact}",
        caller: "Le llama {name}.",
        press_to_stop: "Si no desea recibir llamadas nuestras, pulse {key}.",
        press_to_repeat: "Para volver a escuchar este mensaje, pulse {key}.",
        stopped: "No volveremos a llamarle. Adiós.",
        wrong_key: "Esta tecla no hace nada aquí.",
    },
];

/// The sentences in the language of `locale` (BCP 47).
///
/// ```
/// use plusone::courtesy::phrases;
/// assert_eq!(phrases::of("fr-CA").map(|phrases| phrases.language), Some("fr"));
/// assert_eq!(phrases::of("nl"), None);
/// ```
pub fn of(locale: &str) -> Option<&'static Phrases> {
    let language = locale.split(['-', '_']).next().unwrap_or_default();
    ALL.iter().find(|phrases| phrases.language.eq_ignore_ascii_case(language))
}

/// The sentences in the language of `locale`, or English.
pub fn of_or_english(locale: &str) -> &'static Phrases {
    of(locale).unwrap_or(&ALL[0])
}

/// Whether a text names a word that customers can answer with to stop: a word of the list in capitals.
pub fn names_a_keyword(text: &str) -> bool {
    let is_keyword = |word: &str| matches!(word, "STOP" | "STOPALL" | "UNSUBSCRIBE" | "ARRET");
    text.split(|c: char| !c.is_alphanumeric()).any(is_keyword)
}

#[cfg(test)]
mod tests {
    use super::{ALL, names_a_keyword};
    use crate::messages::segments::{Encoding, segments};

    #[test]
    fn the_words_under_a_text_message_cost_no_second_alphabet() {
        for phrases in ALL {
            assert_eq!(segments(phrases.opt_out).encoding, Encoding::Gsm7, "{}", phrases.opt_out);
            assert!(phrases.opt_out.len() <= 40 && names_a_keyword(phrases.opt_out), "{}", phrases.opt_out);
            assert!(names_a_keyword(phrases.help));
        }
    }

    #[test]
    fn every_sentence_names_what_it_is_about() {
        for phrases in ALL {
            for (text, names) in [
                (phrases.help, &["{name}", "{topics}", "{contact}"][..]),
                (phrases.caller, &["{name}"]),
                (phrases.press_to_stop, &["{key}"]),
                (phrases.press_to_repeat, &["{key}"]),
            ] {
                assert!(names.iter().all(|name| text.contains(name)), "{text}");
            }
        }
    }

    #[test]
    fn a_keyword_is_a_word_in_capitals() {
        for text in ["Reply STOP.", "(STOP)", "STOP au 36111", "ARRET"] {
            assert!(names_a_keyword(text), "{text}");
        }
        for text in ["do not stop", "STOPPED", "Stop by our shop", ""] {
            assert!(!names_a_keyword(text), "{text}");
        }
    }
}
