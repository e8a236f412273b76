//! The laws of the fold, and how an entry is told.

use super::{Answer, EVERY_CHANNEL, Entry, Source, SourceKind, current, deciding};
use crate::time::{Span, Timestamp, Tz};
use proptest::prelude::*;

fn entry(channel: &str, answer: Answer, at: i64) -> Entry {
    let source = Source::new(SourceKind::Support, "desk");
    Entry::said("1", "offers", channel, answer, Timestamp::from_seconds(at), source)
}

prop_compose! {
    fn any_entry()(channel in 0..3_usize, answer in 0..3_i64, at in 0..6_i64) -> Entry {
        entry(["email", "sms", EVERY_CHANNEL][channel], Answer::of_code(answer), at)
    }
}

proptest! {
    #[test]
    fn the_order_of_writing_does_not_matter(ledger in prop::collection::vec(any_entry(), 0..8), by in 0..8_usize) {
        let mut turned = ledger.clone();
        turned.reverse();
        let by = by.min(turned.len());
        turned.rotate_left(by);
        prop_assert_eq!(current(&ledger, "offers", "email"), current(&turned, "offers", "email"));
    }

    #[test]
    fn a_no_at_the_latest_instant_always_wins(ledger in prop::collection::vec(any_entry(), 0..8)) {
        let last = ledger.iter().map(|entry| entry.at.micros()).max().unwrap_or(0) / 1_000_000;
        for (channel, at) in [("email", last), (EVERY_CHANNEL, last), ("email", last + 1)] {
            let mut ledger = ledger.clone();
            ledger.push(entry(channel, Answer::No, at));
            prop_assert_eq!(current(&ledger, "offers", "email"), Some(Answer::No));
        }
    }

    #[test]
    fn nothing_counts_as_a_yes_that_was_not_said_after_the_last_no(ledger in prop::collection::vec(any_entry(), 0..8)) {
        if let Some(decided) = deciding(&ledger, "offers", "email").filter(|entry| entry.answer != Answer::No) {
            let nos = ledger.iter().filter(|one| one.answer == Answer::No && one.is_about("offers", "email"));
            prop_assert!(nos.into_iter().all(|no| no.at < decided.at));
        }
    }
}

#[test]
fn a_yes_that_waits_takes_no_yes_back() {
    let ledger = [entry("email", Answer::Yes, 1), entry("email", Answer::Pending, 2)];
    assert_eq!(current(&ledger, "offers", "email"), Some(Answer::Yes));
    let ledger = [entry("email", Answer::No, 1), entry("email", Answer::Pending, 2)];
    assert_eq!(current(&ledger, "offers", "email"), Some(Answer::Pending));
    assert_eq!(current(&ledger, "offers", "sms"), None);
}

#[test]
fn an_entry_is_told_in_plain_words() {
    let at: Timestamp = "2026-05-03T10:00:00Z".parse().expect("an instant");
    let source = Source::new(SourceKind::Data, "checkout of the web shop");
    let said = Entry::said("1", "offers", "email", Answer::Yes, at, source).shown(Some("Send me treats".to_owned()));
    let expected =
        "said yes to Treats and offers by email on 3 May 2026 (checkout of the web shop), shown “Send me treats”";
    assert_eq!(said.told("Treats and offers", Tz::UTC), expected);
    let later = at.plus(Span::from_days(1));
    assert_eq!(said.clone().recorded(later).told("Treats and offers", Tz::UTC), expected, "its own time");
    let undated = "said yes to Treats and offers by email, known since the import of 3 May 2026 (checkout of the web \
                   shop), shown “Send me treats”";
    assert_eq!(said.recorded(at).told("Treats and offers", Tz::UTC), undated);
}
