//! The closed grammar of schedules in plain English.
//!
//! ```text
//! every minute | every hour | every N minutes (N divides 60) | every N hours (N divides 24)
//! every day | weekday | weekend | monday[, tuesday and friday] at TIME[, TIME and TIME]
//! on the 1st[, 15th and last day] of the month at TIME
//! every year on 24 december at TIME
//! TIME = 17:00 | 9am | 5:30pm | noon | midnight
//! ```
//!
//! 1. A sentence is read to its end or refused: nothing in it is skipped, nothing is guessed.
//! 2. A refusal names the place and the nearest sentence.

use super::Schedule;
use super::calendar::{Calendar, Dates, Pace};
use super::nearest::nearest_sentence;
use crate::problem::Fault;
use crate::time::Span;
use std::ops::Range;

pub(super) const WEEKDAYS: [&str; 7] = ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"];
pub(super) const MONTHS: [&str; 12] = [
    "january",
    "february",
    "march",
    "april",
    "may",
    "june",
    "july",
    "august",
    "september",
    "october",
    "november",
    "december",
];
const DAYS_IN_MONTH: [u32; 12] = [31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
/// Every day, Monday to Friday, Saturday and Sunday.
pub(super) const EVERY_DAY: u8 = 0b111_1111;
pub(super) const WORKING_DAYS: u8 = 0b001_1111;
pub(super) const WEEKEND: u8 = 0b110_0000;

/// # Errors
/// One fault at the word where reading stopped, with the nearest sentence.
pub(super) fn parse(text: &str) -> Result<Schedule, Fault> {
    let mut reader = Reader { tokens: tokens(text), next: 0, end: text.trim_end().len() };
    reader.sentence().map_err(|stop| stop.fault(text))
}

/// Why reading stopped: where, and what is known about it.
struct Stop {
    span: Range<usize>,
    message: Option<String>,
    help: Option<String>,
}

impl Stop {
    fn fault(self, text: &str) -> Fault {
        let message = self.message.unwrap_or_else(|| match text.get(self.span.clone()) {
            Some(word) if !word.is_empty() => format!("the schedule cannot be read from `{word}` on"),
            _ if text.trim().is_empty() => "the schedule is empty".to_owned(),
            _ => "the schedule ends too early".to_owned(),
        });
        let help = self.help.unwrap_or_else(|| match nearest_sentence(text) {
            Some(near) => format!("the nearest sentence is `{near}`"),
            None => "a sentence is such as `every day at 10:00`, `every monday at 17:00` or `every hour`".to_owned(),
        });
        Fault::new(self.span, message).help(help)
    }
}

pub(super) struct Token {
    span: Range<usize>,
    /// In lower case.
    pub(super) word: String,
}

/// Words and commas with their places.
pub(super) fn tokens(text: &str) -> Vec<Token> {
    let mut tokens = Vec::new();
    for chunk in text.split_whitespace() {
        let mut start = chunk.as_ptr() as usize - text.as_ptr() as usize;
        for piece in chunk.split_inclusive(',') {
            let word = piece.strip_suffix(',').unwrap_or(piece);
            if !word.is_empty() {
                tokens.push(Token { span: start..start + word.len(), word: word.to_lowercase() });
            }
            if word.len() < piece.len() {
                tokens.push(Token { span: start + word.len()..start + piece.len(), word: ",".to_owned() });
            }
            start += piece.len();
        }
    }
    tokens
}

struct Reader {
    tokens: Vec<Token>,
    next: usize,
    /// Where the text ends.
    end: usize,
}

type Read<T> = Result<T, Stop>;

impl Reader {
    fn sentence(&mut self) -> Read<Schedule> {
        let schedule = match self.peek() {
            Some("every") => {
                self.next += 1;
                self.every()?
            }
            Some("on") => {
                self.next += 1;
                self.on()?
            }
            _ => return Err(self.stop()),
        };
        if self.next < self.tokens.len() { Err(self.stop()) } else { Ok(schedule) }
    }

    fn peek(&self) -> Option<&str> {
        self.tokens.get(self.next).map(|token| token.word.as_str())
    }

    /// Reading stops at the next word.
    fn stop(&self) -> Stop {
        let span = self.tokens.get(self.next).map_or(self.end..self.end, |token| token.span.clone());
        Stop { span, message: None, help: None }
    }

    fn stop_because(&self, message: String, help: impl Into<String>) -> Stop {
        Stop { message: Some(message), help: Some(help.into()), ..self.stop() }
    }

    fn expect(&mut self, word: &str) -> Read<()> {
        if self.peek() == Some(word) {
            self.next += 1;
            Ok(())
        } else {
            Err(self.stop())
        }
    }

    /// Takes the next word if `read` makes something of it.
    fn take<T>(&mut self, read: impl Fn(&str) -> Option<T>) -> Read<T> {
        match self.peek().and_then(read) {
            Some(value) => {
                self.next += 1;
                Ok(value)
            }
            None => Err(self.stop()),
        }
    }

    /// `a`, `a and b`, `a, b and c`.
    fn list<T>(&mut self, item: impl Fn(&mut Self) -> Read<T>) -> Read<Vec<T>> {
        let mut items = vec![item(self)?];
        while matches!(self.peek(), Some("," | "and")) {
            let comma = self.peek() == Some(",");
            self.next += 1;
            if comma && self.peek() == Some("and") {
                self.next += 1;
            }
            items.push(item(self)?);
        }
        Ok(items)
    }

    fn every(&mut self) -> Read<Schedule> {
        let word = self.peek().unwrap_or_default().to_owned();
        if let Ok(count) = word.parse::<i64>() {
            return self.interval(count);
        }
        let days = match word.as_str() {
            "minute" => return self.interval_of(60),
            "hour" => return self.interval_of(3_600),
            "year" => return self.yearly(),
            "day" => EVERY_DAY,
            "weekday" => WORKING_DAYS,
            "weekend" => WEEKEND,
            _ => {
                let days = self.list(|reader| reader.take(weekday))?;
                return self.at_times(Dates::Weekdays(days.into_iter().fold(0, |set, day| set | 1 << day)));
            }
        };
        self.next += 1;
        self.at_times(Dates::Weekdays(days))
    }

    fn interval_of(&mut self, seconds: i64) -> Read<Schedule> {
        self.next += 1;
        Ok(Schedule::Every(Span::from_seconds(seconds)))
    }

    /// `N minutes` and `N hours`, standing at `N`.
    fn interval(&mut self, count: i64) -> Read<Schedule> {
        let unit = self.tokens.get(self.next + 1).map(|token| token.word.clone()).unwrap_or_default();
        let (whole, seconds, plural, of) = match unit.as_str() {
            "minute" | "minutes" => (60, 60, "minutes", "an hour"),
            "hour" | "hours" => (24, 3_600, "hours", "a day"),
            _ => {
                self.next += 1;
                return Err(self.stop());
            }
        };
        if count < 1 || whole % count != 0 {
            let divisors = (1..=whole).filter(|divisor| whole % divisor == 0);
            let near = divisors.min_by_key(|divisor| divisor.abs_diff(count)).expect("1 divides");
            let near = if near == 1 { plural.trim_end_matches('s').to_owned() } else { format!("{near} {plural}") };
            return Err(self.stop_because(
                format!("{count} {plural} do not divide {of}, so the ticks would not be evenly spaced"),
                format!("the nearest sentence is `every {near}`"),
            ));
        }
        self.next += 1;
        self.interval_of(count * seconds)
    }

    /// `at TIME[, TIME and TIME]`.
    fn at_times(&mut self, dates: Dates) -> Read<Schedule> {
        self.expect("at")?;
        let times = self.list(|reader| reader.take(time_of_day))?;
        Ok(Schedule::Calendar(Calendar::new(dates, times, Pace::Fixed)))
    }

    /// `at TIME`.
    fn at_time(&mut self, dates: Dates) -> Read<Schedule> {
        self.expect("at")?;
        let time = self.take(time_of_day)?;
        Ok(Schedule::Calendar(Calendar::new(dates, vec![time], Pace::Fixed)))
    }

    /// `year on 24 december at TIME`, standing at `year`.
    fn yearly(&mut self) -> Read<Schedule> {
        self.next += 1;
        self.expect("on")?;
        let day = self.take(|word| word.parse::<u32>().ok())?;
        let month = self.take(|word| MONTHS.iter().position(|month| *month == word))?;
        if day == 0 || day > DAYS_IN_MONTH[month] {
            self.next -= 2;
            let last = DAYS_IN_MONTH[month];
            let name = MONTHS[month];
            return Err(self.stop_because(format!("there is no {day} {name}"), format!("{name} has {last} days")));
        }
        self.at_time(Dates::OfYear { month: u32::try_from(month + 1).expect("twelve months"), day })
    }

    /// `the 1st[, 15th and last day] of the month at TIME`.
    fn on(&mut self) -> Read<Schedule> {
        self.expect("the")?;
        let days = self.list(|reader| {
            if reader.peek() == Some("last") {
                reader.next += 1;
                reader.expect("day")?;
                return Ok(0);
            }
            reader.take(ordinal)
        })?;
        self.expect("of")?;
        self.expect("the")?;
        self.expect("month")?;
        self.at_time(Dates::OfMonth(days.into_iter().fold(0, |set, day| set | 1 << day)))
    }
}

fn weekday(word: &str) -> Option<usize> {
    WEEKDAYS.iter().position(|day| *day == word)
}

/// `1st`, `2nd`, `3rd`, `4th` … `31st`.
pub(super) fn with_suffix(day: u32) -> String {
    let suffix = match (day % 10, day / 10) {
        (_, 1) => "th",
        (1, _) => "st",
        (2, _) => "nd",
        (3, _) => "rd",
        _ => "th",
    };
    format!("{day}{suffix}")
}

fn ordinal(word: &str) -> Option<u32> {
    (1..=31).find(|day| with_suffix(*day) == word)
}

/// Minutes after midnight: `17:00`, `9am`, `5:30pm`, `noon`, `midnight`.
pub(super) fn time_of_day(word: &str) -> Option<u16> {
    match word {
        "noon" => return Some(12 * 60),
        "midnight" => return Some(0),
        _ => {}
    }
    let half_day =
        [("am", 0), ("pm", 12 * 60)].into_iter().find_map(|(suffix, add)| Some((word.strip_suffix(suffix)?, add)));
    let clock = half_day.map_or(word, |(clock, _)| clock);
    let (hour, minute) = match clock.split_once(':') {
        Some((hour, minute)) if minute.len() == 2 => (hour, minute),
        None if half_day.is_some() => (clock, "0"),
        _ => return None,
    };
    let number = |digits: &str| {
        let digits_only = (1..=2).contains(&digits.len()) && digits.bytes().all(|byte| byte.is_ascii_digit());
        digits_only.then(|| digits.parse::<u16>().ok()).flatten()
    };
    let (hour, minute) = (number(hour)?, number(minute)?);
    match half_day {
        _ if minute > 59 => None,
        Some((_, add)) => (1..=12).contains(&hour).then(|| hour % 12 * 60 + minute + add),
        None => (hour < 24).then(|| hour * 60 + minute),
    }
}

/// Whether `text` is a sentence of the grammar.
pub(super) fn reads(text: &str) -> bool {
    let mut reader = Reader { tokens: tokens(text), next: 0, end: text.len() };
    reader.sentence().is_ok()
}
