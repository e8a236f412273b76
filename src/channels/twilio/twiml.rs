//! TwiML: what a call says, and what Twilio is answered, as the XML that it reads.

/// A spoken text as a document: said once, then the call ends.
///
/// ```
/// use plusone::channels::twilio::twiml;
/// assert_eq!(twiml::say("Fish & chips", "en"), "<Response><Say language=\"en-US\">Fish &amp; chips</Say></Response>");
/// ```
pub fn say(spoken: &str, locale: &str) -> String {
    format!("<Response>{}</Response>", spoken_by(spoken, locale))
}

/// A spoken text during and shortly after which one key may be pressed, told to `action`.
pub fn ask(spoken: &str, locale: &str, action: &str) -> String {
    format!(
        "<Response><Gather input=\"dtmf\" numDigits=\"1\" timeout=\"5\" method=\"POST\" action=\"{}\">{}</Gather></Response>",
        escape(action),
        spoken_by(spoken, locale)
    )
}

/// A call: with keys where there is an `action` for them.
pub fn call(spoken: &str, locale: &str, action: Option<&str>) -> String {
    action.map_or_else(|| say(spoken, locale), |action| ask(spoken, locale, action))
}

/// The last words of a call.
pub fn end(spoken: &str, locale: &str) -> String {
    format!("<Response>{}<Hangup/></Response>", spoken_by(spoken, locale))
}

/// An answer that says nothing.
pub const NOTHING: &str = "<Response/>";

/// A text message as the answer to one.
pub fn text(answer: &str) -> String {
    format!("<Response><Message>{}</Message></Response>", escape(answer))
}

fn spoken_by(spoken: &str, locale: &str) -> String {
    format!("<Say language=\"{}\">{}</Say>", escape(language(locale)), escape(spoken))
}

/// The language tag for a locale. Twilio knows languages by region, so a language alone gets its usual one.
fn language(locale: &str) -> &str {
    match locale {
        "ca" => "ca-ES",
        "da" => "da-DK",
        "de" => "de-DE",
        "en" => "en-US",
        "es" => "es-ES",
        "fi" => "fi-FI",
        "fr" => "fr-FR",
        "it" => "it-IT",
        "ja" => "ja-JP",
        "ko" => "ko-KR",
        "nb" | "no" => "nb-NO",
        "nl" => "nl-NL",
        "pl" => "pl-PL",
        "pt" => "pt-PT",
        "ru" => "ru-RU",
        "sv" => "sv-SE",
        "zh" => "zh-CN",
        other => other,
    }
}

/// Text for an element or an attribute. What XML 1.0 cannot hold becomes a space.
fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len() + text.len() / 8);
    for c in text.chars() {
        match c {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&apos;"),
            '\t' | '\n' | '\r' => escaped.push(c),
            '\0'..='\u{1f}' | '\u{fffe}' | '\u{ffff}' => escaped.push(' '),
            _ => escaped.push(c),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn data_cannot_become_a_verb() {
        let said = say("</Say><Dial>+44900</Dial><Say>", "en-GB");
        assert!(!said.contains("<Dial>"), "{said}");
        assert_eq!(said.matches("<Say").count(), 1);
        assert!(!say("x", "en\" voice=\"man").contains("voice=\"man\""));
    }

    #[test]
    fn what_xml_cannot_hold_becomes_a_space() {
        assert_eq!(say("a\u{1}b\u{fffe}c\nd", "fr-CA"), "<Response><Say language=\"fr-CA\">a b c\nd</Say></Response>");
    }
}
