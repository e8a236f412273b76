//! The report's charts, made here as SVG. Each says in words what it shows; its numbers stand in a table beside it.

use super::super::{Step, said};
use super::{escaped, put};
use crate::report::interval::Interval;
use crate::report::{GoalReport, RuleReport, percent, share};

/// A bar for each step, as long as its share of those matched.
pub(super) fn funnel(page: &mut String, rule: &str, steps: &[Step]) {
    const ROW: usize = 30;
    const LEFT: f64 = 170.0;
    const LONGEST: f64 = 150.0;
    let all = steps.first().and_then(|step| step.count).unwrap_or(0);
    let told: Vec<String> = steps.iter().map(|step| format!("{} {}", step.name, said(step, all).0)).collect();
    put(
        page,
        format_args!(
            "<svg viewBox=\"0 0 480 {}\" role=\"img\" aria-label=\"{}\">\n",
            steps.len() * ROW + 4,
            escaped(&format!("The funnel of {rule}: {}", told.join(", ")))
        ),
    );
    for (place, step) in steps.iter().enumerate() {
        let count = step.count.unwrap_or(0);
        let width = (share(count, all) * LONGEST).max(if count > 0 { 2.0 } else { 0.0 });
        let (number, part) = said(step, all);
        let told = if step.count.is_some() { format!("{number} ({part})") } else { number };
        let (top, text) = (place * ROW + 4, place * ROW + 21);
        let class = match (step.depth, step.name) {
            (_, "refused" | "failed" | "expired" | "cancelled" | "bounced" | "complained about") => "grey",
            (_, "sent" | "reached the goal" | "delivered") => "bar",
            _ => "pale",
        };
        put(
            page,
            format_args!(
                "<text x=\"{}\" y=\"{text}\">{}</text><rect class=\"{class}\" x=\"{LEFT}\" y=\"{top}\" width=\"{width:.1}\" \
                 height=\"24\" rx=\"3\"/><text x=\"{:.1}\" y=\"{text}\">{told}</text>\n",
                step.depth * 8,
                step.name,
                LEFT + width + 8.0,
            ),
        );
    }
    page.push_str("</svg>\n");
}

/// A line for each variant of which something was sent, all on one scale that begins at nothing.
pub(super) fn rates(page: &mut String, rule: &RuleReport) {
    const ROW: usize = 34;
    const LEFT: f64 = 160.0;
    const LONGEST: f64 = 230.0;
    let rates: Vec<_> = rule.variants.iter().filter_map(|variant| Some((&variant.name, variant.rate()?))).collect();
    let widest = rates.iter().map(|(_, rate)| rate.high).fold(0.01, f64::max);
    let at = |value: f64| LEFT + value / widest * LONGEST;
    let told: Vec<String> = rates
        .iter()
        .map(|(name, rate)| format!("{name} {} ({} to {})", percent(rate.value), percent(rate.low), percent(rate.high)))
        .collect();
    if rates.is_empty() {
        return;
    }
    let label = escaped(&format!("How many reached the goal, by variant: {}", told.join(", ")));
    let height = rates.len() * ROW + 4;
    put(page, format_args!("<svg viewBox=\"0 0 480 {height}\" role=\"img\" aria-label=\"{label}\">\n"));
    for (place, (name, rate)) in rates.iter().enumerate() {
        let (middle, text) = (place * ROW + 18, place * ROW + 23);
        put(
            page,
            format_args!(
                "<text x=\"0\" y=\"{text}\">{}</text><line class=\"reach\" x1=\"{:.1}\" y1=\"{middle}\" x2=\"{:.1}\" \
                 y2=\"{middle}\"/><circle class=\"dot\" cx=\"{:.1}\" cy=\"{middle}\" r=\"7\"/>\
                 <text x=\"{:.1}\" y=\"{text}\">{}</text>\n",
                escaped(&short(name)),
                at(rate.low),
                at(rate.high),
                at(rate.value),
                at(rate.high) + 14.0,
                percent(rate.value),
            ),
        );
    }
    page.push_str(
        "</svg>\n<p class=\"about\">The dot is the share that reached the goal as it was counted; the line is where the true \
         share lies, 95 times of 100.</p>\n",
    );
}

/// A name as long as there is room for.
fn short(name: &str) -> String {
    const ROOM: usize = 18;
    if name.chars().count() <= ROOM { name.to_owned() } else { name.chars().take(ROOM - 1).chain(['…']).collect() }
}

/// The difference that the message made, as a dot with its interval on a line around zero.
pub(super) fn interval(page: &mut String, goal: &GoalReport, lift: Interval) {
    let widest = lift.low.abs().max(lift.high.abs()).max(0.01) * 1.15;
    let at = |value: f64| 240.0 + value / widest * 200.0;
    let points = |value: f64| format!("{:+.1}", value * 100.0);
    put(
        page,
        format_args!(
            "<svg viewBox=\"0 0 480 84\" role=\"img\" aria-label=\"{}\">\n\
             <line class=\"zero\" x1=\"240\" y1=\"28\" x2=\"240\" y2=\"56\"/>\
             <text x=\"240\" y=\"76\" text-anchor=\"middle\">no difference</text>\
             <line class=\"reach\" x1=\"{low:.1}\" y1=\"42\" x2=\"{high:.1}\" y2=\"42\"/>\
             <circle class=\"dot\" cx=\"{:.1}\" cy=\"42\" r=\"7\"/>\
             <text x=\"{low:.1}\" y=\"20\" text-anchor=\"end\">{}</text><text x=\"{high:.1}\" y=\"20\">{}</text>\n</svg>\n\
             <p class=\"about\">The dot is the difference as it was counted, in points of a hundred; the line is where the true \
             one lies, 95 times of 100.</p>\n",
            escaped(&format!("The difference in points, with its interval: {}", goal.sentence())),
            at(lift.value),
            points(lift.low),
            points(lift.high),
            low = at(lift.low),
            high = at(lift.high),
        ),
    );
}
