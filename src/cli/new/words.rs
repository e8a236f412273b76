//! The words that a new message begins with, by language. What stands in `[[ ]]` only the business knows.

use crate::rules::Channel;
use std::fmt::Write;

/// The sentences of one language.
struct Words {
    /// As BCP 47 has it.
    language: &'static str,
    hello: &'static str,
    subject: &'static str,
    body: &'static str,
    bye: &'static str,
    why: &'static str,
    stop: &'static str,
}

/// Every language there is, English first: the others' is English.
const ALL: [Words; 4] = [
    Words {
        language: "en",
        hello: "Hello",
        subject: "your subject",
        body: "your words",
        bye: "Best wishes,",
        why: "Why did I get this?",
        stop: "Unsubscribe",
    },
    Words {
        language: "de",
        hello: "Guten Tag",
        subject: "Ihr Betreff",
        body: "Ihr Text",
        bye: "Herzliche Grüße",
        why: "Warum erhalte ich diese E-Mail?",
        stop: "Abmelden",
    },
    Words {
        language: "fr",
        hello: "Bonjour",
        subject: "votre objet",
        body: "votre texte",
        bye: "Bien à vous,",
        why: "Pourquoi ai-je reçu ce message ?",
        stop: "Se désabonner",
    },
    Words {
        language: "es",
        hello: "Hola",
        subject: "su asunto",
        body: "su texto",
        bye: "Un saludo,",
        why: "¿Por qué recibo este correo?",
        stop: "Darse de baja",
    },
];

/// A message to begin with.
pub struct Message<'a> {
    pub locale: &'a str,
    /// The customer's field with a name to greet by.
    pub name: Option<&'a str>,
    /// What can be printed, as tags.
    pub printed: Vec<String>,
    pub promotional: bool,
    /// Whether the home has the partials `letter-start` and `letter-end`.
    pub framed: bool,
}

impl Message<'_> {
    /// The files of the template: their names and texts.
    pub fn parts(&self, channel: Channel) -> Vec<(&'static str, String)> {
        let words = self.words();
        let body = format!("[[{}]]", words.body);
        match channel {
            Channel::Email => {
                vec![("subject.hbs", format!("[[{}]]\n", words.subject)), ("email.html.hbs", self.letter(&body))]
            }
            Channel::Sms => vec![("sms.hbs", format!("{}{{{{business.name}}}}: {body}\n", self.known()))],
            Channel::Voice => vec![("voice.hbs", format!("{}{}. {body}\n", self.known(), self.hello()))],
        }
    }

    fn words(&self) -> &'static Words {
        let language = self.locale.split(['-', '_']).next().unwrap_or_default();
        ALL.iter().find(|words| words.language.eq_ignore_ascii_case(language)).unwrap_or(&ALL[0])
    }

    fn hello(&self) -> String {
        let hello = self.words().hello;
        let name = self.name.map(|name| format!("{{{{#if customer.{name}}}}} {{{{customer.{name}}}}}{{{{/if}}}}"));
        format!("{hello}{}", name.unwrap_or_default())
    }

    /// A comment with what can be printed, each as it is written into a sentence.
    fn known(&self) -> String {
        let mut text =
            "{{!-- What is known, to be copied into a sentence. What may be missing stands in an #if:\n".to_owned();
        self.printed.iter().for_each(|tag| writeln!(text, "{tag}").expect("text is written to memory"));
        text + "--}}\n"
    }

    fn letter(&self, body: &str) -> String {
        let words = self.words();
        let mut text = self.known();
        text += &match self.framed {
            true => format!("{{{{> letter-start lang=\"{}\"}}}}\n", words.language),
            false => format!("<!doctype html>\n<html lang=\"{}\">\n<body>\n", words.language),
        };
        let _ =
            write!(text, "<p>{},</p>\n<p>{body}</p>\n<p>{}<br>\n{{{{business.name}}}}</p>\n", self.hello(), words.bye);
        let link = |purpose: &str, said: &str| format!("<a href=\"{{{{links.{purpose}}}}}\">{said}</a>");
        if self.promotional {
            let _ = writeln!(
                text,
                "<p class=\"small\">{} · {}</p>",
                link("why", words.why),
                link("unsubscribe", words.stop)
            );
        }
        text += match self.framed {
            true => "{{> letter-end}}\n",
            false => "<p>{{business.name}}, {{business.postal_address}}</p>\n</body>\n</html>\n",
        };
        text
    }
}
