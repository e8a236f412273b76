//! Schedules read, read back, and followed across changes of the clock.

use super::*;
use chrono_tz::{Africa::Cairo, America::New_York, Asia::Kolkata, Australia::Lord_Howe, Europe::London, UTC};

fn at(text: &str) -> Timestamp {
    text.parse().expect("a test writes a good instant")
}

fn schedule(text: &str) -> Schedule {
    Schedule::parse(text, UTC).unwrap_or_else(|fault| panic!("{text}: {fault}"))
}

fn fault(text: &str) -> Fault {
    match Schedule::parse(text, UTC) {
        Ok(schedule) => panic!("{text:?} was read as {}", schedule.describe()),
        Err(fault) => fault,
    }
}

/// The ticks of `[from, until)`, as the local clock shows them, with the offset.
fn ticks(text: &str, zone: Tz, from: &str, until: &str) -> Vec<String> {
    let schedule = schedule(text);
    let mut after = at(from).minus(Span::from_micros(1));
    let mut list = Vec::new();
    while let Some(tick) = schedule.next_after(after, zone).filter(|tick| *tick < at(until)) {
        list.push(tick.utc().with_timezone(&zone).format("%d %H:%M%z").to_string());
        after = tick;
    }
    list
}

#[test]
fn sentences_are_read_back_in_one_way() {
    for (written, read_back) in [
        ("every minute", "every minute"),
        ("every 1 minute", "every minute"),
        ("Every 15 Minutes", "every 15 minutes"),
        ("every 60 minutes", "every hour"),
        ("every hour", "every hour"),
        ("every 6 hours", "every 6 hours"),
        ("every day at noon", "every day at 12:00"),
        ("every weekday at 9am", "every weekday at 09:00"),
        ("every weekend at midnight and 5:30pm", "every weekend at 00:00 and 17:30"),
        ("every day at 9:05 and 17:35", "every day at 09:05 and 17:35"),
        ("every day at 17:35, 9:05, and 12am", "every day at 00:00, 09:05 and 17:35"),
        ("every monday, tuesday and friday at 09:00", "every monday, tuesday and friday at 09:00"),
        ("every friday and monday at 12pm", "every monday and friday at 12:00"),
        ("on the 1st of the month at 09:00", "on the 1st of the month at 09:00"),
        ("on the last day, 15th and 1st of the month at 9am", "on the 1st, 15th and last day of the month at 09:00"),
        ("on the last day of the month at 17:00", "on the last day of the month at 17:00"),
        ("every year on 24 december at noon", "every year on 24 december at 12:00"),
        ("  manual ", "only by `plusone fire`"),
        ("2026-12-01 10:00", "once, on 2026-12-01 at 10:00"),
    ] {
        let schedule = schedule(written);
        assert_eq!(schedule.describe(), read_back, "{written}");
        if !matches!(schedule, Schedule::Manual | Schedule::Once { .. }) {
            assert_eq!(self::schedule(read_back), schedule, "{read_back}");
        }
    }
}

#[test]
fn cron_is_read_back_in_words() {
    for (written, read_back) in [
        ("0 9 * * *", "every day at 09:00"),
        ("@daily", "every day at 00:00"),
        ("0 9 * * MON-FRI", "at 09:00 on monday to friday"),
        ("30 8,17 1,15 * *", "at 08:30 and 17:30 on day 1 and 15 of the month"),
        ("0 9 L * *", "at 09:00 on the last day of the month"),
        ("0 9 1 1 *", "at 09:00 on day 1 of the month in january"),
        ("0 9 1 * 5", "at 09:00 on day 1 of the month or on friday"),
        ("0 9 * * FRI#2", "at 09:00 on the 2nd friday of the month"),
        ("0 9 * * 5L", "at 09:00 on the last friday of the month"),
        ("*/15 * * * *", "every 15 minutes, by the local clock"),
        ("@hourly", "at the full hour, by the local clock"),
        ("0 9-17 * * 1-5", "at the full hour in hour 9 to 17 on monday to friday, by the local clock"),
    ] {
        assert_eq!(schedule(written).describe(), read_back, "{written}");
    }
}

#[test]
fn what_is_not_in_the_grammar_is_refused_with_the_nearest_sentence() {
    for (written, wrong, cure) in [
        ("every weekdy at 9am", "weekdy", "`every weekday at 9am`"),
        ("every mondays at 09:00", "mondays", "`every monday at 09:00`"),
        ("every 45 minutes", "45", "`every 30 minutes`"),
        ("every 90 minutes", "90", "`every 60 minutes`"),
        ("every 5 hours", "5", "`every 4 hours`"),
        ("every 0 minutes", "0", "`every minute`"),
        ("every day", "", "`every day at 09:00`"),
        ("daily", "daily", "`every day at 09:00`"),
        ("each morning at 9", "each", "`every day at 09:00`"),
        ("weekdays at 9", "weekdays", "`every weekday at 09:00`"),
        ("every tuesday 9:00", "9:00", "`every tuesday at 9:00`"),
        ("24.12.2026 10:00", "24.12.2026", "`2026-12-24 10:00`"),
        ("every weekday at 9am sharp", "sharp", "`every weekday at 9am`"),
        ("every day at 10 Uhr", "10", "`every day at 10:00`"),
        ("every day um 10 Uhr", "um", "`every day at 10:00`"),
        ("every monday at 7 o'clock", "7", "`every monday at 07:00`"),
        ("jeden Tag um 10 Uhr", "jeden", "such as `every day at 10:00`, `every monday at 17:00` or `every hour`"),
        ("wenn es passt", "wenn", "such as `every day at 10:00`"),
        ("every day at 25:00", "25:00", "`every day at 09:00`"),
        ("on the 32nd of the month at 09:00", "32nd", "month at 09:00`"),
        ("on the 1th of the month at 09:00", "1th", "`on the 1st of the month at 09:00`"),
        ("every year on 30 february at noon", "30", "february has 29 days"),
        ("", "", "sentence"),
        ("2026-13-01 10:00", "2026-13-01 10:00", "2026-12-01 10:00"),
        ("2026-12-01", "2026-12-01", "2026-12-01 10:00"),
    ] {
        let fault = fault(written);
        assert_eq!(&written[fault.span.clone()], wrong, "{written}: {fault}");
        assert!(fault.help.as_deref().is_some_and(|help| help.contains(cure)), "{written}: {fault}");
    }
}

#[test]
fn cron_is_refused_at_the_field_that_is_wrong() {
    for (written, wrong, cure) in [
        ("*/15 * * * * *", "*/15", "`* * * * *`"),
        ("0 9 ? * MON", "?", "write `*`"),
        ("0 9 * *", "0 9 * *", "five fields"),
        ("61 9 * * *", "61", "0 to 59"),
        ("*/0 * * * *", "*/0", "0 to 59"),
        ("0 17-9 * * *", "17-9", "0 to 23"),
        ("0 9 * MON *", "MON", "JAN to DEC"),
        ("0 9 * * JAN", "JAN", "SUN to SAT"),
        ("0 9 * * MONDAY", "MONDAY", "SUN to SAT"),
        ("0 9 30 2 *", "0 9 30 2 *", "five fields"),
        ("@dayly", "@dayly", "`@daily`"),
        ("@reboot", "@reboot", "`@hourly`"),
    ] {
        let fault = fault(written);
        assert_eq!(&written[fault.span.clone()], wrong, "{written}: {fault}");
        assert!(fault.help.as_deref().is_some_and(|help| help.contains(cure)), "{written}: {fault}");
    }
}

#[test]
fn a_fixed_time_in_a_gap_ticks_at_the_first_instant_after_it() {
    let list = ticks("every day at 02:30", New_York, "2027-03-13T00:00:00Z", "2027-03-16T00:00:00Z");
    assert_eq!(list, ["13 02:30-0500", "14 03:00-0400", "15 02:30-0400"]);
    let list = ticks("30 1 * * *", London, "2027-03-27T00:00:00Z", "2027-03-30T00:00:00Z");
    assert_eq!(list, ["27 01:30+0000", "28 02:00+0100", "29 01:30+0100"]);
    let list = ticks("every day at 02:15", Lord_Howe, "2026-10-02T12:00:00Z", "2026-10-05T00:00:00Z");
    assert_eq!(list, ["03 02:15+1030", "04 02:30+1100", "05 02:15+1100"]);
    let list = ticks("every day at midnight", Cairo, "2027-04-28T12:00:00Z", "2027-05-01T12:00:00Z");
    assert_eq!(list, ["29 00:00+0200", "30 01:00+0300", "01 00:00+0300"]);
}

#[test]
fn a_fixed_time_in_a_repeat_ticks_at_its_first_pass_only() {
    let list = ticks("every day at 01:30", New_York, "2026-10-31T00:00:00Z", "2026-11-03T00:00:00Z");
    assert_eq!(list, ["31 01:30-0400", "01 01:30-0400", "02 01:30-0500"]);
    let list = ticks("30 1,13 * * *", London, "2026-10-25T00:00:00Z", "2026-10-26T00:00:00Z");
    assert_eq!(list, ["25 01:30+0100", "25 13:30+0000"]);
    let list = ticks("every day at 23:00", Cairo, "2026-10-29T00:00:00Z", "2026-10-31T00:00:00Z");
    assert_eq!(list, ["29 23:00+0300", "30 23:00+0200"]);
}

#[test]
fn intervals_count_in_utc_and_know_no_clock_change() {
    let list = ticks("every 15 minutes", London, "2026-10-25T00:30:00Z", "2026-10-25T01:31:00Z");
    assert_eq!(list, ["25 01:30+0100", "25 01:45+0100", "25 01:00+0000", "25 01:15+0000", "25 01:30+0000"]);
    let list = ticks("every hour", Kolkata, "2026-10-25T00:00:00Z", "2026-10-25T02:00:00Z");
    assert_eq!(list, ["25 05:30+0530", "25 06:30+0530"]);
    assert_eq!(schedule("every 6 hours").latest(at("2026-10-25T05:59:59Z"), London), Some(at("2026-10-25T00:00:00Z")));
    assert_eq!(schedule("every hour").latest(at("1969-12-31T23:59:59Z"), London), Some(at("1969-12-31T23:00:00Z")));
}

#[test]
fn cron_with_steps_follows_the_local_clock() {
    let list = ticks("*/30 * * * *", London, "2026-10-25T00:00:00Z", "2026-10-25T02:30:00Z");
    assert_eq!(list, ["25 01:00+0100", "25 01:30+0100", "25 01:00+0000", "25 01:30+0000", "25 02:00+0000"]);
    let list = ticks("*/30 1-2 * * *", London, "2027-03-28T00:00:00Z", "2027-03-28T12:00:00Z");
    assert_eq!(list, ["28 02:00+0100", "28 02:30+0100"]);
    let list = ticks("*/30 2 * * *", New_York, "2027-03-14T00:00:00Z", "2027-03-15T12:00:00Z");
    assert_eq!(list, ["15 02:00-0400", "15 02:30-0400"]);
}

#[test]
fn dates_that_do_not_exist_have_no_ticks() {
    let list = ticks("on the 31st of the month at noon", UTC, "2026-01-01T00:00:00Z", "2026-08-01T00:00:00Z");
    assert_eq!(list, ["31 12:00+0000"; 4]);
    let apia = chrono_tz::Pacific::Apia;
    let list = ticks("every day at 09:00", apia, "2011-12-29T00:00:00Z", "2012-01-01T00:00:00Z");
    assert_eq!(list, ["29 09:00-1000", "31 09:00+1400", "01 09:00+1400"]);
    let list = ticks("every year on 29 february at noon", UTC, "2027-01-01T00:00:00Z", "2029-01-01T00:00:00Z");
    assert_eq!(list, ["28 12:00+0000", "29 12:00+0000"]);
    let leap_monday = schedule("0 9 29 2 +MON");
    assert_eq!(leap_monday.next_after(at("2096-03-01T00:00:00Z"), UTC), Some(at("2112-02-29T09:00:00Z")));
}

#[test]
fn one_instant_is_taken_in_the_rules_zone_and_ticks_once() {
    let once = Schedule::parse("2026-12-01 10:00", New_York).expect("an instant");
    let instant = at("2026-12-01T15:00:00Z");
    assert_eq!(once.next_after(at("2026-01-01T00:00:00Z"), New_York), Some(instant));
    assert_eq!(once.next_after(instant, New_York), None);
    assert_eq!(once.latest(instant, New_York), Some(instant));
    assert_eq!(once.latest(at("2026-12-01T14:59:59Z"), New_York), None);
    assert_eq!(schedule("manual").next_after(instant, UTC), None);
}

#[test]
fn a_schedule_keeps_looking_when_its_ticks_are_at_most_an_hour_apart() {
    for text in
        ["every minute", "every hour", "every 30 minutes", "*/15 * * * *", "@hourly", "0,45 * * * *", "7 * 1-31 * 0-6"]
    {
        assert!(schedule(text).keeps_looking(), "{text}");
    }
    for text in [
        "every 2 hours",
        "every day at 09:00",
        "manual",
        "2026-12-01 10:00",
        "*/15 9-17 * * *",
        "* * * * MON",
        "* * 1 * *",
    ] {
        assert!(!schedule(text).keeps_looking(), "{text}");
    }
}

#[test]
fn times_of_day_are_read_exactly() {
    for (text, minutes) in [("9am", 540), ("12am", 0), ("12pm", 720), ("5:30pm", 1050), ("00:00", 0), ("23:59", 1439)] {
        assert_eq!(sentence::time_of_day(text), Some(minutes), "{text}");
    }
    for text in ["9", "13pm", "0am", "24:00", "9:5", "9:60", "+9am", "009:00", "9:00:00", ":30", "am", "٩am"] {
        assert_eq!(sentence::time_of_day(text), None, "{text}");
    }
}
