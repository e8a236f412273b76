//! What a text message that a customer sends back means: stop, start again, help, or an ordinary answer.
//!
//! The words are those of Twilio's own list and of 47 CFR 64.1200(a)(10), and what people write in their place.
//!
//! 1. Compared is the folded text ([`fold`]): compatibility forms, case, punctuation, emoji and blanks do not matter.
//! 2. A text that is one of the words, or has one among at most [`FEW`] words, is a stop. Longer texts stop by what
//!    nobody says otherwise ("remove me"). What is no plain word is a stop all the same, and a person looks at it.
//! 3. In doubt it is a stop: a message too few can be made good, a message too many cannot.
//! 4. Nothing said in passing is a yes: only `START` or `UNSTOP` alone takes back a stop, and `YES` means nothing here.

use unicode_normalization::UnicodeNormalization;

/// The most words of a text in which one word decides.
pub const FEW: usize = 5;

/// What a reply asks for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Meaning {
    Stop,
    /// Takes back a stop that was said before; never a yes to anything.
    Start,
    Help,
    /// Somebody wants to talk: a person's business.
    Other,
}

impl Meaning {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Stop => "stop",
            Self::Start => "start",
            Self::Help => "help",
            Self::Other => "other",
        }
    }
}

/// What a reply means, and by what.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Reply {
    pub meaning: Meaning,
    /// The word or phrase that decided, as it stands in the lists.
    pub keyword: Option<&'static str>,
    /// Whether a person should look: the text says stop in its own way.
    pub review: bool,
}

/// Each alone, or among few words, is a stop.
const STOP: [&str; 11] =
    ["STOP", "STOPALL", "STOP ALL", "UNSUBSCRIBE", "CANCEL", "END", "QUIT", "REVOKE", "OPTOUT", "OPT OUT", "ARRET"];

/// What people write for it, among few words.
const SOFT: [&str; 47] = [
    "ARRÊT",
    "ARRETE",
    "ARRÊTE",
    "ARRETEZ",
    "ARRÊTEZ",
    "ARRETER",
    "ARRÊTER",
    "DESABONNER",
    "DÉSABONNER",
    "DESINSCRIRE",
    "DÉSINSCRIRE",
    "STOPP",
    "STOPPEN",
    "ABMELDEN",
    "ABBESTELLEN",
    "AUFHÖREN",
    "AUFHOEREN",
    "ABMELDUNG",
    "AUSTRAGEN",
    "BAJA",
    "ALTO",
    "PARAR",
    "PAREN",
    "CANCELAR",
    "DETENER",
    "BASTA",
    "ANNULLA",
    "CANCELLAMI",
    "DISISCRIVIMI",
    "SAIR",
    "PARE",
    "AFMELDEN",
    "UITSCHRIJVEN",
    "AVSLUTA",
    "AVREGISTRERA",
    "AFMELD",
    "WYPISZ",
    "СТОП",
    "ОТПИСАТЬСЯ",
    "ОТПИСКА",
    "STPO",
    "SOTP",
    "STOPIT",
    "UNSUB",
    "UNSUSCRIBE",
    "UNSUBCRIBE",
    "NOT INTERESTED",
];

/// What nobody says otherwise, in a text of any length. None is part of the opt-out words of our own messages, which
/// telephones quote back.
const ANYWHERE: [&str; 45] = [
    "STOP SENDING",
    "STOP TEXTING",
    "STOP MESSAGING",
    "STOP WRITING",
    "STOP CALLING",
    "STOP CONTACTING",
    "STOP BOTHERING",
    "STOP SPAMMING",
    "QUIT TEXTING",
    "UNSUBSCRIBE ME",
    "OPT ME OUT",
    "REMOVE ME",
    "REMOVE MY NUMBER",
    "DELETE MY NUMBER",
    "TAKE ME OFF",
    "LEAVE ME ALONE",
    "DONT TEXT",
    "DO NOT TEXT",
    "DONT MESSAGE",
    "DO NOT MESSAGE",
    "DONT CONTACT",
    "DO NOT CONTACT",
    "DONT WRITE",
    "DO NOT WRITE",
    "DONT SEND ME",
    "NO MORE TEXTS",
    "NO MORE MESSAGES",
    "NO MORE SMS",
    "NE PLUS RECEVOIR",
    "NE PLUS ME CONTACTER",
    "NE MENVOYEZ PLUS",
    "PLUS DE MESSAGES",
    "PLUS DE SMS",
    "KEINE SMS MEHR",
    "KEINE NACHRICHTEN MEHR",
    "KEINE WERBUNG",
    "NICHT MEHR SCHREIBEN",
    "MELDEN SIE MICH AB",
    "NO ME ENVIEN",
    "NO ME ENVÍEN",
    "NO QUIERO RECIBIR",
    "DAR DE BAJA",
    "DARME DE BAJA",
    "NO MAS MENSAJES",
    "NO MÁS MENSAJES",
];

/// Alone, the person's way to take a stop back.
const START: [&str; 2] = ["START", "UNSTOP"];
/// Alone, a question of who writes.
const HELP: [&str; 5] = ["HELP", "INFO", "AIDE", "HILFE", "AYUDA"];
/// Alone, what is too common a phrase to decide among others.
const ALONE: [&str; 3] = ["NO MORE", "GO AWAY", "WRONG NUMBER"];

/// Reads a reply.
///
/// ```
/// use plusone::courtesy::reply::{Meaning, read};
/// assert_eq!(read(" Stop! 😡").meaning, Meaning::Stop);
/// assert_eq!(read("thanks, see you at 5").meaning, Meaning::Other);
/// ```
pub fn read(text: &str) -> Reply {
    let folded = fold(text);
    let is = |list: &[&'static str]| list.iter().copied().find(|word| *word == folded);
    let few = folded.split(' ').count() <= FEW;
    let among = |list: &[&'static str]| list.iter().copied().find(|phrase| holds(&folded, phrase));
    let reply = |meaning, keyword, review| Reply { meaning, keyword, review };
    if let Some(word) = is(&STOP) {
        return reply(Meaning::Stop, Some(word), false);
    }
    if let Some(word) = is(&START) {
        return reply(Meaning::Start, Some(word), false);
    }
    if let Some(word) = is(&HELP) {
        return reply(Meaning::Help, Some(word), false);
    }
    let in_few = if few { among(&STOP).or_else(|| among(&SOFT)).or_else(|| is(&ALONE)) } else { None };
    match in_few.or_else(|| among(&ANYWHERE)) {
        Some(phrase) => reply(Meaning::Stop, Some(phrase), true),
        None => reply(Meaning::Other, None, false),
    }
}

/// A text as it is compared: NFKC, upper case, apostrophes and invisible characters gone, all else that is no letter
/// or digit a blank, blanks collapsed, and letters written one by one (`S.T.O.P`) put together.
pub fn fold(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    for c in text.nfkc().flat_map(char::to_uppercase).nfkc() {
        match c {
            '\''
            | '\u{2018}'
            | '\u{2019}'
            | '\u{02bc}'
            | '`'
            | '\u{ad}'
            | '\u{200b}'..='\u{200f}'
            | '\u{2060}'
            | '\u{fe0e}'
            | '\u{fe0f}'
            | '\u{feff}' => {}
            c if c.is_alphanumeric() => plain.push(c),
            _ => plain.push(' '),
        }
    }
    let words: Vec<&str> = plain.split_whitespace().collect();
    let is_spelt = words.len() > 2 && words.iter().all(|word| word.chars().count() == 1);
    words.join(if is_spelt { "" } else { " " })
}

/// Whether `phrase` stands in `folded`, at the bounds of words.
fn holds(folded: &str, phrase: &str) -> bool {
    folded.match_indices(phrase).any(|(at, _)| {
        let end = at + phrase.len();
        let starts = at == 0 || folded[..at].ends_with(' ');
        starts && (end == folded.len() || folded[end..].starts_with(' '))
    })
}

#[cfg(test)]
mod tests;
