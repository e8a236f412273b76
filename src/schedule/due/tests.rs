//! Which ticks are due after a start, a pause and a crash.

use super::*;
use chrono_tz::Europe::London;

fn at(text: &str) -> Timestamp {
    text.parse().expect("a test writes a good instant")
}

fn due(text: &str, live: &str, last: Option<&str>, catch_up: CatchUp, now: &str) -> Vec<String> {
    let schedule = Schedule::parse(text, London).expect("a good schedule");
    let timetable = Timetable {
        schedule: &schedule,
        zone: London,
        live_since: at(live),
        last_run: last.map(at),
        catch_up,
        catch_up_window: "6h".parse().expect("a span"),
    };
    timetable.due(at(now)).instants.iter().map(ToString::to_string).collect()
}

const NOON: &str = "2026-11-03T12:00:00Z";

#[test]
fn a_rule_that_keeps_looking_is_due_at_once_when_it_goes_live() {
    let list = due("every hour", "2026-11-03T12:20:00Z", None, CatchUp::None, "2026-11-03T12:20:05Z");
    assert_eq!(list, [NOON]);
    let again = due("every hour", "2026-11-03T12:20:00Z", Some(NOON), CatchUp::Latest, "2026-11-03T12:59:00Z");
    assert!(again.is_empty(), "{again:?}");
}

#[test]
fn a_fixed_time_of_day_waits_for_the_next_one() {
    let live = "2026-11-03T14:00:00Z";
    assert!(due("every day at 09:00", live, None, CatchUp::All, live).is_empty());
    assert_eq!(due("every day at 14:00", live, None, CatchUp::Latest, live), [live]);
    let next_day = due("every day at 09:00", live, None, CatchUp::Latest, "2026-11-04T09:00:30Z");
    assert_eq!(next_day, ["2026-11-04T09:00:00Z"]);
}

#[test]
fn missed_ticks_are_made_up_for_as_the_rule_says() {
    let (live, last, now) = ("2026-01-01T00:00:00Z", Some("2026-11-03T09:00:00Z"), "2026-11-03T12:20:00Z");
    assert!(due("every hour", live, last, CatchUp::None, now).is_empty());
    assert_eq!(due("every hour", live, last, CatchUp::Latest, now), [NOON]);
    let all = due("every hour", live, last, CatchUp::All, now);
    assert_eq!(all, ["2026-11-03T10:00:00Z", "2026-11-03T11:00:00Z", NOON]);
    assert_eq!(due("every hour", live, last, CatchUp::None, "2026-11-03T12:00:09Z"), [NOON]);
}

#[test]
fn what_lies_outside_the_window_is_not_made_up_for() {
    let (live, last) = ("2026-01-01T00:00:00Z", Some("2026-11-02T09:00:00Z"));
    assert!(due("every day at 09:00", live, last, CatchUp::All, "2026-11-03T15:00:01Z").is_empty());
    assert_eq!(due("every day at 09:00", live, last, CatchUp::All, "2026-11-03T15:00:00Z"), ["2026-11-03T09:00:00Z"]);
    let all = due("every hour", live, Some("2026-11-01T00:00:00Z"), CatchUp::All, NOON);
    assert_eq!((all.len(), all[0].as_str(), all[6].as_str()), (7, "2026-11-03T06:00:00Z", NOON));
}

#[test]
fn one_instant_runs_once_and_only_if_the_rule_was_live_by_then() {
    let early = "2026-11-01T00:00:00Z";
    assert_eq!(due("2026-11-03 12:00", early, None, CatchUp::Latest, "2026-11-03T13:00:00Z"), [NOON]);
    assert!(due("2026-11-03 12:00", early, Some(NOON), CatchUp::Latest, "2026-11-03T13:00:00Z").is_empty());
    assert!(due("2026-11-03 12:00", "2026-11-03T12:30:00Z", None, CatchUp::Latest, "2026-11-03T13:00:00Z").is_empty());
    assert!(due("manual", early, None, CatchUp::All, NOON).is_empty());
}

#[test]
fn the_next_look_is_the_next_tick() {
    let schedule = Schedule::parse("every hour", London).expect("a schedule");
    let timetable = |live: &str| Timetable {
        schedule: &schedule,
        zone: London,
        live_since: at(live),
        last_run: None,
        catch_up: CatchUp::Latest,
        catch_up_window: Span::from_days(1),
    };
    assert_eq!(timetable("2026-01-01T00:00:00Z").due(at(NOON)).next, Some(at("2026-11-03T13:00:00Z")));
    let later = timetable("2026-12-01T08:30:00Z").due(at(NOON));
    assert_eq!((later.instants.len(), later.next), (0, Some(at("2026-12-01T08:30:00Z"))));
}

#[test]
fn a_long_silence_keeps_the_newest_ticks() {
    let schedule = Schedule::parse("every minute", London).expect("a schedule");
    let timetable = Timetable {
        schedule: &schedule,
        zone: London,
        live_since: at("2026-01-01T00:00:00Z"),
        last_run: Some(at("2026-10-01T00:00:00Z")),
        catch_up: CatchUp::All,
        catch_up_window: Span::from_days(14),
    };
    let due = timetable.due(at(NOON));
    assert_eq!(due.instants.len(), MAX_CAUGHT_UP);
    assert_eq!(due.instants.last(), Some(&at(NOON)));
    assert!(due.instants.is_sorted());
}
