//! Caps on examples, and the laws of their windows on random instants.

use super::*;
use chrono_tz::Europe::London;
use proptest::prelude::*;

fn at(text: &str) -> Timestamp {
    text.parse().expect("an instant")
}

fn cap(max: usize, per: &str) -> Cap {
    Cap { purpose: None, topic: None, channel: None, max, per: per.parse().expect("a window") }
}

fn sent(rule: &str, when: &str) -> Taken {
    Taken {
        rule: rule.to_owned(),
        topic: "offers".to_owned(),
        purpose: Purpose::Promotional,
        channel: Channel::Email,
        at: at(when),
        is_open: false,
        waits: false,
    }
}

fn open(rule: &str, due: &str) -> Taken {
    Taken { is_open: true, ..sent(rule, due) }
}

fn asked(when: &str) -> Asked<'static> {
    Asked { topic: "offers", purpose: Purpose::Promotional, channel: Channel::Email, at: at(when), zone: London }
}

#[test]
fn a_rolling_window_forgets_what_was_sent_longer_ago() {
    let weekly = cap(1, "7d");
    let taken = [sent("cart", "2026-11-03T12:00:00Z")];
    let full_at = |when| full(&[&weekly], &taken, asked(when));
    let full_then = full_at("2026-11-10T11:59:59Z").expect("full");
    assert_eq!(full_then.free_at, at("2026-11-10T12:00:00Z"));
    assert_eq!(full_then.detail, "by cart, sent 3 Nov; at most 1 in 7d");
    assert_eq!(full_at("2026-11-10T12:00:00Z"), None);
}

#[test]
fn calendar_windows_begin_at_the_customers_midnight() {
    // British Summer Time: midnight of the 1st of July is 23:00 UTC.
    for (per, when, is_full) in [
        ("day", "2026-06-30T22:59:00Z", true),
        ("day", "2026-06-30T23:00:00Z", false),
        ("month", "2026-06-30T22:59:00Z", true),
        ("month", "2026-06-30T23:00:00Z", false),
        ("week", "2026-07-05T22:59:00Z", true),
        ("week", "2026-07-05T23:00:00Z", false),
    ] {
        let taken = [sent("cart", "2026-06-30T09:00:00Z")];
        assert_eq!(full(&[&cap(1, per)], &taken, asked(when)).is_some(), is_full, "{per} {when}");
    }
}

#[test]
fn what_may_still_go_counts_whenever_it_is_due() {
    for due in ["2026-11-01T09:00:00Z", "2026-11-03T12:00:00Z", "2026-12-24T09:00:00Z"] {
        assert!(full(&[&cap(1, "day")], &[open("cart", due)], asked("2026-11-03T12:00:00Z")).is_some(), "{due}");
    }
}

#[test]
fn a_cap_counts_what_fits_every_selector() {
    let offers_by_email = Cap { channel: Some(Channel::Email), topic: Some("offers".to_owned()), ..cap(1, "day") };
    let taken = sent("cart", "2026-11-03T09:00:00Z");
    let asked = asked("2026-11-03T12:00:00Z");
    let is_full = |one: &Taken| full(&[&offers_by_email], std::slice::from_ref(one), asked).is_some();
    assert!(is_full(&taken));
    assert!(!is_full(&Taken { channel: Channel::Sms, ..taken.clone() }));
    assert!(!is_full(&Taken { topic: "surveys".to_owned(), ..taken.clone() }));
    assert!(full(&[&offers_by_email], &[taken], Asked { channel: Channel::Sms, ..asked }).is_none());
}

#[test]
fn a_place_is_free_once_every_cap_has_one() {
    let (daily, weekly) = (cap(1, "day"), cap(3, "week"));
    let taken =
        [sent("a", "2026-11-02T09:00:00Z"), sent("b", "2026-11-03T09:00:00Z"), open("c", "2026-11-04T09:00:00Z")];
    let full = full(&[&daily, &weekly], &taken, asked("2026-11-03T12:00:00Z")).expect("full");
    assert_eq!(full.free_at, at("2026-11-09T00:00:00Z"));
    assert_eq!(full.detail, "by c, planned for 4 Nov and by b, sent 3 Nov; at most 1 a day");
}

#[test]
fn caps_say_what_they_allow() {
    let cap = Cap { purpose: Some(Purpose::Promotional), topic: Some("treats".to_owned()), ..cap(2, "2w") };
    assert_eq!(cap.to_string(), "at most 2 promotional of treats in 14d");
    assert!("0d".parse::<Window>().is_err() && "year".parse::<Window>().is_err());
}

proptest! {
    /// What the decision relies on: a place that is taken stays so until `end` and is free from then on, and no window
    /// reaches further back than `reach` says.
    #[test]
    fn a_window_holds_until_its_end(
        sent in 1_700_000_000_i64..2_500_000_000,
        later in 0_i64..40 * 86_400,
        per in prop::sample::select(vec!["day", "week", "month", "36h", "7d"]),
        zone in prop::sample::select(vec![London, Tz::America__New_York, Tz::Australia__Lord_Howe, Tz::Africa__Cairo, Tz::Pacific__Apia]),
    ) {
        let window: Window = per.parse().expect("a window");
        let (sent, at) = (Timestamp::from_seconds(sent), Timestamp::from_seconds(sent + later));
        prop_assert_eq!(window.holds(sent, at, zone), at < window.end(sent, zone));
        prop_assert!(!window.holds(sent, at, zone) || at.since(sent) <= window.reach());
    }
}
