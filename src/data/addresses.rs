//! Email addresses and phone numbers, brought into one form.
//!
//! The only file that speaks to the crates `email_address` and `phonenumber`. What a stored one looks like is said in
//! [`crate::contact`].

use crate::contact::{is_good_email, is_good_phone};
use crate::courtesy::zones;
use email_address::{EmailAddress, Options};
use phonenumber::country::Id;
use phonenumber::metadata::DATABASE;

/// An email address with its domain in lower case; `None` for what is no addr-spec (RFC 5322, 3.4.1) without
/// quoting, comments and domain literals.
pub fn email(text: &str) -> Option<String> {
    let text = text.trim();
    let options = Options::default().without_display_text().without_domain_literal().with_required_tld();
    let parsed = EmailAddress::parse_with_options(text, options).ok()?;
    let address = format!("{}@{}", parsed.local_part(), parsed.domain().to_ascii_lowercase());
    is_good_email(&address).then_some(address)
}

/// A phone number in E.164 form; one without a country code is read as dialled in `country` (ISO 3166-1 alpha-2).
/// `None` for what is no number of that country's plan. A number that is in E.164 form already is taken as it is when
/// its country has numbers of that length: checking its digits too takes longer than writing its row.
pub fn phone(text: &str, country: Option<Id>) -> Option<String> {
    let text = text.trim();
    if is_good_phone(text) && has_a_length_of_its_country(&text[1..]) {
        return Some(text.to_owned());
    }
    let number = phonenumber::parse(country, text).ok()?;
    if !number.is_valid() || number.extension().is_some() {
        return None;
    }
    let written = number.format().mode(phonenumber::Mode::E164).to_string();
    is_good_phone(&written).then_some(written)
}

/// Whether `digits` are a calling code of one to three digits and as many more as numbers there have.
fn has_a_length_of_its_country(digits: &str) -> bool {
    let fits = |at: usize| {
        let (code, national) = digits.split_at(at);
        let regions = code.parse::<u16>().ok().and_then(|code| DATABASE.by_code(&code));
        let length = u16::try_from(national.len()).unwrap_or(u16::MAX);
        regions
            .unwrap_or_default()
            .iter()
            .any(|region| region.descriptors().general().possible_length().contains(&length))
    };
    // No calling code begins another.
    (1..=3).any(fits)
}

/// The countries (ISO 3166-1 alpha-2) that a number in E.164 form may be of, the likeliest first: of a calling code that
/// several share (`+1`) and whose clocks differ, the one whose numbers look so, where there is one; else all of them.
pub fn countries_of(phone: &str) -> Vec<String> {
    let digits = phone.trim_start_matches('+');
    let code =
        (1..=3).filter_map(|at| digits.get(..at)?.parse::<u16>().ok()).find(|code| DATABASE.by_code(code).is_some());
    let regions = code.and_then(|code| DATABASE.by_code(&code)).unwrap_or_default();
    let all = || regions.iter().map(|region| region.id().to_owned()).filter(|id| id.len() == 2).collect();
    let mut clocks = regions.iter().map(|region| zones::of_country(region.id()));
    let first = clocks.next();
    if clocks.all(|zones| Some(zones) == first) {
        return all();
    }
    let number = phonenumber::parse(None, phone).ok();
    let country = number.and_then(|number| number.country().id());
    country.map_or_else(all, |country| vec![country.as_ref().to_owned()])
}

/// The country that a two-letter code names, in either case.
pub fn country(code: &str) -> Option<Id> {
    code.trim().to_ascii_uppercase().parse().ok()
}

/// An address in the one form by which it is suppressed and looked up: email in lower case (the local part too: a
/// match must not be missed), phone in E.164.
pub fn normalised(text: &str, home: Option<Id>) -> Option<String> {
    if text.contains('@') { email(text).map(|address| address.to_lowercase()) } else { phone(text, home) }
}

#[cfg(test)]
mod tests {
    use super::{countries_of, country, email, phone};

    #[test]
    fn a_phone_number_is_read_in_any_notation() {
        let gb = country("gb");
        for text in ["020 7183 8750", "+44 20 7183 8750", "(020) 7183-8750", "0044 20 7183 8750", "+442071838750"] {
            assert_eq!(phone(text, gb).as_deref(), Some("+442071838750"), "{text}");
        }
        assert_eq!(phone("030 901820", country("DE")).as_deref(), Some("+4930901820"));
        for text in ["", "123", "07", "not a number", "+44 20", "+999 1234567", "+4420718387501234567"] {
            assert_eq!(phone(text, gb), None, "{text}");
        }
    }

    #[test]
    fn a_number_tells_the_country() {
        assert_eq!(countries_of("+442071838750")[0], "GB");
        assert_eq!(countries_of("+14165550123"), ["CA"]);
        assert_eq!(countries_of("+12125550123"), ["US"]);
        assert_eq!(countries_of("+4930901820"), ["DE"]);
        assert!(countries_of("+9990000000").is_empty());
    }

    #[test]
    fn an_email_address_is_one_plain_address() {
        assert_eq!(email(" Ann.Lee@Example.COM ").as_deref(), Some("Ann.Lee@example.com"));
        for text in [
            "",
            "ann",
            "ann@localhost",
            "Ann <ann@example.com>",
            "\"a b\"@example.com",
            "a@b@c.com",
            "ann@example.com, bob@example.com",
            "ann@[127.0.0.1]",
            "ann@exa mple.com",
            "jürgen@example.com",
        ] {
            assert_eq!(email(text), None, "{text}");
        }
    }
}
