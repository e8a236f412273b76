//! Replies as people write them, and what must never be taken for a stop.

use super::{Meaning, fold, read};
use proptest::prelude::*;

/// Plainly a stop.
const STOPS: &[&str] = &[
    "STOP",
    "stop",
    "Stop.",
    " stop \n",
    "STOP!!!",
    "\u{ff33}\u{ff34}\u{ff2f}\u{ff30}",
    "St\u{200b}op",
    "S.T.O.P.",
    "s t o p",
    "🛑 STOP 🛑",
    "\"STOP\"",
    "StopAll",
    "stop all",
    "UNSUBSCRIBE",
    "Unsubscribe",
    "cancel",
    "END",
    "quit",
    "Revoke",
    "opt out",
    "OPT-OUT",
    "optout",
    "ARRET",
    "arret.",
];

/// A stop in somebody's own words: heard, and looked at by a person.
const LOOKED_AT: &[&str] = &[
    "stop please",
    "Please STOP",
    "STOP texting me",
    "pls stop this",
    "I said stop!",
    "don't stop",
    "unsubscribe me pls",
    "can you cancel this",
    "please remove me",
    "Remove me from your list, I never asked for any of this stuff",
    "No more",
    "no more texts thank you very much indeed",
    "Don’t text me",
    "dont text this number ever again please",
    "DO NOT CONTACT ME AGAIN UNDER ANY CIRCUMSTANCES",
    "leave me alone",
    "wrong number",
    "Go away",
    "please stop sending me these messages, I am not interested in any",
    "take me off this list right now please",
    "ARRÊT",
    "Arrêt SVP",
    "arrêtez !",
    "je veux me désabonner",
    "merci de ne plus me contacter à ce numéro, bonne journée",
    "je ne veux plus de SMS de votre part merci",
    "STOPP",
    "Stopp bitte",
    "bitte abmelden",
    "Abbestellen!",
    "Bitte keine Nachrichten mehr an diese Nummer schicken",
    "BAJA",
    "baja por favor",
    "por favor quiero darme de baja de esta lista",
    "No me envíen más mensajes por favor, gracias",
    "basta",
    "afmelden",
    "Uitschrijven aub",
    "СТОП",
    "стоп!",
    "Отписаться",
    "stpo",
    "unsub",
    "Not interested",
];

/// Ordinary answers, quotations of our own words, and what is no yes.
const OTHERS: &[&str] = &[
    "thanks, see you at 5",
    "Yes",
    "YES!",
    "oui",
    "Ja",
    "ok",
    "👍",
    "",
    "   ",
    "?",
    "Thanks 😊",
    "who is this?",
    "Can I bring my dog to the tasting on Friday?",
    "I will be ten minutes late",
    "See you at the weekend",
    "The parcel has not come yet",
    "Danke, bis morgen",
    "Merci beaucoup, à demain",
    "Gracias, nos vemos el martes",
    "The nonstop train is late",
    "unstoppable!",
    "Quitting time is six",
    "My friend Enda comes too",
    "legend",
    "Could we please move it to the end of next month?",
    "start at 9?",
    "please start again",
    "help me find the shop",
    "Liked “Harbour Coffee Club: a cookie for you. Reply STOP to opt out.”",
    "A aimé « Harbour : un biscuit pour vous. Répondez STOP pour vous désabonner. »",
    "no more than two sugars please",
    "What does REVOKE mean in your general terms and conditions of sale?",
];

fn verdict(text: &str) -> (Meaning, bool) {
    let reply = read(text);
    (reply.meaning, reply.review)
}

#[test]
fn every_reply_of_the_table_has_its_verdict() {
    assert!(STOPS.len() + LOOKED_AT.len() + OTHERS.len() >= 60);
    for (texts, expected) in
        [(STOPS, (Meaning::Stop, false)), (LOOKED_AT, (Meaning::Stop, true)), (OTHERS, (Meaning::Other, false))]
    {
        for text in texts {
            assert_eq!(verdict(text), expected, "{text:?} as {:?}", fold(text));
        }
    }
}

#[test]
fn a_stop_is_taken_back_and_help_is_given_only_by_the_word_alone() {
    for text in ["START", " start. ", "Unstop"] {
        assert_eq!(verdict(text), (Meaning::Start, false), "{text}");
    }
    for text in ["HELP", "help?", "Info", "AIDE", "Hilfe!", "ayuda"] {
        assert_eq!(verdict(text), (Meaning::Help, false), "{text}");
    }
}

#[test]
fn what_decided_is_named() {
    assert_eq!(read("would you STOP it").keyword, Some("STOP"));
    assert_eq!(read("opt-out").keyword, Some("OPT OUT"));
    assert_eq!(read("thanks").keyword, None);
}

/// Words of ordinary answers in some languages.
const ORDINARY: &[&str] = &[
    "thanks", "thank", "you", "see", "at", "5", "tomorrow", "great", "ok", "yes", "no", "please", "I", "will", "be",
    "late", "the", "parcel", "came", "table", "for", "two", "is", "fine", "call", "me", "my", "order", "when", "what",
    "time", "on", "Friday", "danke", "bis", "morgen", "ja", "gerne", "merci", "à", "demain", "oui", "je", "viens",
    "gracias", "hasta", "mañana", "sí", "coffee", "beans", "👍", "😊", "it's", "don’t", "know", "yet", "start", "help",
    "dog", "nonstop", "weekend",
];

proptest! {
    #[test]
    fn no_ordinary_answer_opts_anybody_out(
        words in proptest::collection::vec(proptest::sample::select(ORDINARY), 0..12),
        end in proptest::sample::select(&["", "!", ".", " :)", "?!", " \u{200d}"][..]),
    ) {
        let text = format!("{}{end}", words.join(" "));
        prop_assert_ne!(read(&text).meaning, Meaning::Stop, "{}", text);
    }

    #[test]
    fn any_text_is_read_and_folding_is_settled(text in "\\PC{0,60}") {
        let folded = fold(&text);
        prop_assert_eq!(fold(&folded), folded.clone());
        prop_assert!(!folded.contains("  "));
        read(&text);
    }

    #[test]
    fn a_stop_is_heard_however_it_is_dressed(
        word in proptest::sample::select(&super::STOP[..]),
        before in "[ .!,*\u{1f600}-\u{1f64f}\"-]{0,6}",
        after in "[ .!,*\u{1f600}-\u{1f64f}\"-]{0,6}",
        lower in any::<bool>(),
    ) {
        let word = if lower { word.to_lowercase() } else { word.to_owned() };
        let text = format!("{before}{word}{after}");
        prop_assert_eq!(verdict(&text), (Meaning::Stop, false), "{}", text);
    }
}
