//! What is worth a second thought in a message that can be sent: what it costs and what its readers will not see.
//!
//! 1. A remark names the part, the measure and the cure. It never keeps a message from being sent.
//! 2. The limits are those of mail readers, networks and patience, with their source beside them.

use crate::messages::segments::{Encoding, segments};
use crate::messages::{Words, preheader};

/// Characters of a subject that lists of mails show on a wide screen; phones show about half.
const SUBJECT: usize = 60;
/// Gmail cuts a mail after so many bytes of HTML and hides what follows, the way out with it.
const CLIPPED: usize = 102 * 1024;
/// Words a minute of an easy voice, and how many seconds most people listen to.
const WORDS_A_MINUTE: usize = 150;
const LISTENED: usize = 45;

/// What is worth a second thought in `words`, a sentence each.
pub fn remarks(words: &Words) -> Vec<String> {
    let subject = words.subject.as_deref().and_then(subject);
    let html = words.html.as_deref().map(html).unwrap_or_default();
    let sms = words.sms.as_deref().and_then(sms);
    subject.into_iter().chain(html).chain(sms).chain(words.voice.as_deref().and_then(voice)).collect()
}

fn subject(subject: &str) -> Option<String> {
    let length = subject.chars().count();
    let shown: String = subject.chars().take(SUBJECT).collect();
    (length > SUBJECT).then(|| {
        format!("the subject has {length} characters and lists of mails show about {SUBJECT}: `{}…`", shown.trim_end())
    })
}

fn html(html: &str) -> Vec<String> {
    let mut remarks = Vec::new();
    if preheader(html).is_none() {
        remarks.push("the mail has no words in its HTML: an inbox shows nothing beside the subject".to_owned());
    }
    if html.len() > CLIPPED {
        let size = html.len() / 1024;
        remarks.push(format!("the HTML has {size} KB: Gmail cuts a mail after 102 KB, with the way out at its end"));
    }
    remarks
}

fn sms(text: &str) -> Option<String> {
    let size = segments(text);
    if size.count == 1 {
        return None;
    }
    let (alone, _) = size.encoding.limits();
    let over = size.units - alone;
    let fits = |cure: &str| format!("the text costs {} SMS: {over} too many for one; {cure}", size.count);
    Some(match (size.encoding, size.forced_by, size.forced_at) {
        (Encoding::Ucs2, Some(character), Some(place)) => {
            let plain = |c: &char| segments(c.encode_utf8(&mut [0; 4])).encoding == Encoding::Gsm7;
            let without: String = text.chars().filter(plain).collect();
            let then = segments(&without).count;
            fits(&format!("without characters such as `{character}` (number {place}) it would cost {then}"))
        }
        _ => fits("shorten it"),
    })
}

fn voice(spoken: &str) -> Option<String> {
    let seconds = spoken.split_whitespace().count() * 60 / WORDS_A_MINUTE;
    (seconds > LISTENED).then(|| format!("the call takes about {seconds} seconds: few listen for more than {LISTENED}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(words: &Words) -> Vec<String> {
        remarks(words)
    }

    #[test]
    fn a_short_message_needs_no_second_thought() {
        let words = Words {
            subject: Some("Your table is ready".to_owned()),
            html: Some("<p>Come in.</p>".to_owned()),
            sms: Some("Your table is ready".to_owned()),
            voice: Some("Your table is ready.".to_owned()),
            ..Words::default()
        };
        assert_eq!(said(&words), Vec::<String>::new());
    }

    #[test]
    fn what_is_too_long_is_told_with_its_measure() {
        let long = Words { subject: Some("a".repeat(61)), html: Some("<p></p>".to_owned()), ..Words::default() };
        let [subject, html] = &said(&long)[..] else { panic!("{:?}", said(&long)) };
        assert!(subject.starts_with("the subject has 61 characters and lists of mails show about 60"), "{subject}");
        assert!(html.starts_with("the mail has no words"), "{html}");
        let heavy = Words { html: Some(format!("<p>{}</p>", "a".repeat(CLIPPED))), ..Words::default() };
        assert!(said(&heavy)[0].starts_with("the HTML has 102 KB"));
        let call = Words { voice: Some("word ".repeat(150)), ..Words::default() };
        assert_eq!(said(&call), ["the call takes about 60 seconds: few listen for more than 45"]);
    }

    #[test]
    fn a_text_of_several_parts_names_what_would_make_it_one() {
        let text = |sms: String| said(&Words { sms: Some(sms), ..Words::default() });
        assert_eq!(text("a".repeat(160)), Vec::<String>::new());
        assert_eq!(text("a".repeat(165)), ["the text costs 2 SMS: 5 too many for one; shorten it"]);
        let forced = format!("It’s {}", "a".repeat(80));
        let cure = "without characters such as `’` (number 3) it would cost 1";
        assert_eq!(text(forced), [format!("the text costs 2 SMS: 15 too many for one; {cure}")]);
    }
}
