//! The calendar: how many messages and refusals there are on each day.

use super::super::Simulated;
use super::put;
use crate::amount::grouped;
use crate::outreach::simulate::forecast::Figures;
use crate::time::Date;
use chrono::Datelike;

/// A sheet of weeks, Monday first: every day of the time, so that pauses are seen; a day with numbers leads to them.
pub(super) fn sheet(page: &mut String, simulated: &Simulated<'_>) {
    let forecast = &simulated.forecast;
    let Some(first) = simulated.days().next() else { return };
    page.push_str("<h2>Calendar</h2>\n<ol class=\"month\">\n");
    for name in ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"] {
        put(page, format_args!("<li class=\"head\" aria-hidden=\"true\">{name}</li>"));
    }
    for _ in 0..first.naive().weekday().num_days_from_monday() {
        page.push_str("<li aria-hidden=\"true\"></li>");
    }
    for day in simulated.days() {
        let figures = forecast.of_day(day);
        let name = day_in_month(day, day == first);
        if figures == Figures::default() {
            put(page, format_args!("<li class=\"day none\">{name}</li>\n"));
            continue;
        }
        put(page, format_args!("<li class=\"day\"><a href=\"#d{day}\">{name}"));
        if figures.messages() > 0 || figures.refusals() == 0 {
            let count = grouped(figures.messages());
            // On a phone a day is as wide as five figures.
            let class = if count.len() > 5 { " class=\"long\"" } else { "" };
            put(page, format_args!("<b{class}>{count}</b>"));
        }
        if figures.refusals() > 0 {
            put(page, format_args!("<span class=\"more\">{} refused</span>", grouped(figures.refusals())));
        }
        page.push_str("</a></li>\n");
    }
    page.push_str("</ol>\n");
}

/// `23 Nov`; on a phone the month only where it begins.
fn day_in_month(day: Date, is_first: bool) -> String {
    let date = day.naive();
    let class = if is_first || date.day() == 1 { "begins" } else { "month-name" };
    date.format(&format!("%-d <i class=\"{class}\">%b</i>")).to_string()
}
