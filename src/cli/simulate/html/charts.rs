//! Bars for each day, made here as SVG: what goes on which channel, of all rules and of one.

use super::super::Simulated;
use super::super::tell::day_name;
use super::{escaped, put};
use crate::amount::grouped;
use crate::outreach::simulate::forecast::Figures;
use crate::rules::Channel;
use crate::time::Date;

const WIDTH: f64 = 720.0;
/// Above the bars, so that the number at the top is whole in the large letters of a phone, too.
const TOP: f64 = 24.0;
/// What a digit takes in these letters, and half of a day's name.
const DIGIT: f64 = 14.0;
const HALF: f64 = 42.0;

/// The bars of all rules.
pub(super) fn days(page: &mut String, simulated: &Simulated<'_>) {
    let days = all_days(simulated, |day| simulated.forecast.of_day(day));
    bars(page, "All messages a day", &days, 180.0);
}

/// The bars of one rule, smaller.
pub(super) fn of_rule(page: &mut String, simulated: &Simulated<'_>, rule: &str) {
    let figures = |day: Date| {
        let of_day = simulated.forecast.days.get(&day);
        of_day.and_then(|rules| rules.get(rule)).cloned().unwrap_or_default()
    };
    let days = all_days(simulated, figures);
    bars(page, &format!("Messages of {rule} a day"), &days, 70.0);
}

fn all_days(simulated: &Simulated<'_>, figures: impl Fn(Date) -> Figures) -> Vec<(Date, Figures)> {
    simulated.days().map(|day| (day, figures(day))).collect()
}

#[expect(clippy::cast_precision_loss, reason = "a drawing needs no more than 52 bits")]
fn height_of(count: u64, most: u64, height: f64) -> f64 {
    count as f64 / most as f64 * height
}

#[expect(clippy::cast_precision_loss, reason = "there are at most some hundred days")]
fn bars(page: &mut String, what: &str, days: &[(Date, Figures)], height: f64) {
    let most = days.iter().map(|(_, figures)| figures.messages()).max().unwrap_or(0);
    if most == 0 {
        page.push_str("<p>No messages.</p>\n");
        return;
    }
    let (peak, _) = days.iter().max_by_key(|(_, figures)| figures.messages()).expect("there is a day");
    let told = format!("{what}: {} at most, on {}", grouped(most), day_name(*peak));
    let highest = grouped(most);
    let left = DIGIT.mul_add(highest.len() as f64, 10.0).max(44.0);
    let (bottom, beside) = (height + TOP, left - 6.0);
    put(
        page,
        format_args!(
            "<svg viewBox=\"0 0 {WIDTH} {}\" role=\"img\" aria-label=\"{}\">\n<line class=\"axis\" x1=\"{left}\" y1=\"{TOP}\" x2=\"{WIDTH}\" \
             y2=\"{TOP}\"/><line class=\"axis\" x1=\"{left}\" y1=\"{bottom}\" x2=\"{WIDTH}\" y2=\"{bottom}\"/>\
             <text x=\"{beside}\" y=\"{}\" text-anchor=\"end\">{highest}</text><text x=\"{beside}\" y=\"{bottom}\" text-anchor=\"end\">0</text>\n",
            bottom + 36.0,
            escaped(&told),
            TOP + 4.0,
        ),
    );
    let step = (WIDTH - left) / days.len() as f64;
    let named = days.len().div_ceil(10).max(1);
    for (place, (day, figures)) in days.iter().enumerate() {
        let x = (place as f64).mul_add(step, left);
        let mut y = bottom;
        put(page, format_args!("<g><title>{}: {}</title>", day_name(*day), channels(figures)));
        for channel in Channel::ALL {
            let count = figures.sent.get(channel).copied().unwrap_or(0);
            if count > 0 {
                let tall = height_of(count, most, height).max(1.0);
                y -= tall;
                let (x, wide) = (x + step * 0.1, step * 0.8);
                put(
                    page,
                    format_args!(
                        "<rect class=\"{channel}\" x=\"{x:.1}\" y=\"{y:.1}\" width=\"{wide:.1}\" height=\"{tall:.1}\"/>"
                    ),
                );
            }
        }
        page.push_str("</g>");
        if place % named == 0 {
            let (x, y) = (x + step / 2.0, bottom + 28.0);
            let (x, anchor) = if x + HALF > WIDTH { (WIDTH, "end") } else { (x, "middle") };
            let name = day.naive().format("%-d %b");
            let class = if place / named % 2 == 1 { " class=\"second\"" } else { "" };
            put(page, format_args!("<text{class} x=\"{x:.1}\" y=\"{y}\" text-anchor=\"{anchor}\">{name}</text>"));
        }
        page.push('\n');
    }
    page.push_str("</svg>\n");
}

/// `email 3, sms 1`.
fn channels(figures: &Figures) -> String {
    let told = figures.sent.iter().map(|(channel, count)| format!("{channel} {}", grouped(*count)));
    let told: Vec<String> = told.collect();
    if told.is_empty() { "nothing".to_owned() } else { told.join(", ") }
}
