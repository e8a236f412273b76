//! The laws that come with the program, and what a home makes of them.

use super::*;
use crate::courtesy::zones;
use crate::rules::Purpose;
use crate::time::Weekday;

fn legal(courtesy: &str) -> (LegalHours, Vec<String>) {
    let source = Source::new("plusone.toml", courtesy);
    let mut problems = Vec::new();
    let tree = node::parse(&source, &Environment::default(), &mut problems).expect("TOML");
    let legal = read(Reader::new(&tree, &keys::settings::COURTESY), &mut problems);
    (legal, problems.iter().map(ToString::to_string).collect())
}

/// Whether a promotional message may go at noon and at half past twenty of a day.
fn open(legal: &LegalHours, country: &str, region: Option<&str>, channel: Channel, day: Weekday) -> (bool, bool) {
    let at = |minute| {
        let mut hours = legal.of(country, region, channel, Purpose::Promotional);
        hours.all(|hours| hours.opens(day, minute, || false).is_none())
    };
    (at(12 * 60), at(20 * 60 + 30))
}

#[test]
fn every_law_names_its_source_and_its_date() {
    let source = Source::new("legal_hours.toml", LAWS);
    let tree = node::parse(&source, &Environment::default(), &mut Vec::new()).expect("TOML");
    let laws = tree.get("hours").map_or(&[][..], Node::one_or_many);
    assert!(laws.len() > 20);
    for law in laws {
        let keys: Vec<&str> =
            law.entries().iter().map(|entry| entry.key.as_str()).filter(|key| *key != "region").collect();
        assert_eq!(keys, ["country", "channels", "open", "basis", "source", "checked"]);
        assert!(matches!(law.get("basis").and_then(Node::text), Some("law" | "practice")));
        assert!(law.get("source").and_then(Node::text).is_some_and(|source| source.len() > 20));
        let country = law.get("country").and_then(Node::text).unwrap_or_default();
        assert!(!zones::of_country(country).is_empty(), "{country}");
    }
    assert!(built_in().values().flatten().all(|law| !law.channels.is_empty()));
}

#[test]
fn the_laws_of_the_table_hold_without_a_word_of_the_home() {
    let (legal, problems) = legal("");
    assert_eq!(problems, Vec::<String>::new());
    use Channel::{Email, Sms, Voice};
    assert_eq!(open(&legal, "US", Some("NY"), Sms, Weekday::Sun), (true, true));
    assert_eq!(open(&legal, "US", Some("FL"), Sms, Weekday::Sun), (true, false));
    assert_eq!(open(&legal, "US", Some("AL"), Voice, Weekday::Sun), (false, false));
    assert_eq!(open(&legal, "US", None, Voice, Weekday::Sun), (false, false), "the strictest of its states");
    assert_eq!(open(&legal, "US", None, Voice, Weekday::Wed), (true, false));
    assert_eq!(open(&legal, "FR", None, Voice, Weekday::Sat), (false, false));
    assert_eq!(open(&legal, "GB", None, Sms, Weekday::Sun), (true, true), "no law: only quiet hours");
    assert_eq!(open(&legal, "US", None, Email, Weekday::Sun), (true, true));
}

#[test]
fn a_home_says_what_holds_in_the_place_of_a_law() {
    let (legal, problems) = legal(
        "[legal_hours]\nvoice = '09:00-18:00'\n[legal_hours.countries]\nUS = { sms = '10:00-22:00' }\n\
         US-KY = { sms = '11:00-12:00' }\nDE = { voice = ['Mon-Fri 10:00-17:00'] }\n",
    );
    assert_eq!(problems, Vec::<String>::new());
    assert_eq!(open(&legal, "US", Some("AL"), Channel::Sms, Weekday::Sun), (true, true));
    assert_eq!(open(&legal, "US", Some("KY"), Channel::Sms, Weekday::Sun), (false, false));
    assert_eq!(open(&legal, "US", Some("AL"), Channel::Voice, Weekday::Sun), (false, false), "calls as before");
    assert_eq!(open(&legal, "DE", None, Channel::Voice, Weekday::Sat), (false, false));
    let own: Vec<_> = legal.of("DE", None, Channel::Voice, Purpose::Transactional).collect();
    assert_eq!(own, [&OpenHours::read(["09:00-18:00"]).expect("hours")], "the business's own bind every message");
}

#[test]
fn what_is_no_country_and_what_never_opens_is_told() {
    let (_, problems) =
        legal("[legal_hours]\nsms = 'not on holidays'\ncountries = { Britain = { sms = '08:00-21:00' } }\n");
    assert_eq!(problems.len(), 2, "{problems:?}");
    assert!(problems[0].contains("no hour is open"), "{problems:?}");
    assert!(problems[1].contains("`Britain` is no country"), "{problems:?}");
}
