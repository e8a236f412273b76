//! What was simulated in numbers: of each rule, of each reason, of each day.

use super::super::Simulated;
use super::super::before::HEADING;
use super::super::tell::day_name;
use super::{channel_name, channels, charts, put};
use crate::amount::{counted, grouped};
use crate::cli::markup::{escaped, sentence, wide_table};
use crate::cli::print::money;
use crate::outreach::simulate::forecast::Figures;
use crate::rules::Channel;

const END: &str = "</tbody>\n</table></div>\n";

pub(super) fn rules(page: &mut String, simulated: &Simulated<'_>) {
    page.push_str("<h2>Rules</h2>\n");
    let columns = Columns::of(simulated);
    columns.head(page, "All rules");
    for rule in simulated.forecast.rules() {
        let name = format!("<a href=\"#r-{0}\">{0}</a>", escaped(rule));
        columns.row(page, &name, &simulated.forecast.of_rule(rule));
    }
    page.push_str(END);
    let described = &simulated.rehearsal.workspace().project.rules;
    for rule in simulated.forecast.rules() {
        let name = escaped(rule);
        put(page, format_args!("<details id=\"r-{name}\" open>\n<summary><b>{name}</b></summary>\n"));
        if let Some(described) = described.get(rule).filter(|rule| !rule.description.is_empty()) {
            put(page, format_args!("<p class=\"about\">{}</p>\n", sentence(&described.description)));
        }
        charts::of_rule(page, simulated, rule);
        let figures = simulated.forecast.of_rule(rule);
        for (offer, (count, cost)) in &figures.offers {
            let (offer, cost, currency) = (escaped(offer), money(*cost), simulated.currency);
            put(page, format_args!("<p>{offer} is given {}: {cost} {currency}.</p>\n", counted(*count, "time")));
        }
        if !figures.refused.is_empty() {
            put(page, format_args!("<p>Refused: {}.</p>\n", reasons(&figures)));
        }
        page.push_str("</details>\n");
    }
}

/// `20 no consent, 3 paused`, the most frequent first.
fn reasons(figures: &Figures) -> String {
    let mut reasons: Vec<_> = figures.refused.iter().collect();
    reasons.sort_by_key(|(reason, count)| (std::cmp::Reverse(**count), **reason));
    reasons
        .iter()
        .map(|(reason, count)| format!("{} {}", grouped(**count), sentence(reason.told())))
        .collect::<Vec<_>>()
        .join(", ")
}

pub(super) fn refusals(page: &mut String, simulated: &Simulated<'_>) {
    let total = simulated.forecast.total();
    if total.refused.is_empty() {
        return;
    }
    page.push_str("<h2>Not written to, and why</h2>\n");
    page.push_str(&wide_table("Not written to, and why"));
    page.push_str("<thead><tr><th scope=\"col\">Reason</th>");
    page.push_str(
        "<th scope=\"col\" class=\"number\">How many</th><th scope=\"col\">What it means</th></tr></thead>\n<tbody>\n",
    );
    let mut reasons: Vec<_> = total.refused.iter().collect();
    reasons.sort_by_key(|(reason, count)| (std::cmp::Reverse(**count), **reason));
    for (reason, count) in reasons {
        let (count, told, meaning) = (grouped(*count), sentence(reason.told()), sentence(reason.meaning()));
        put(
            page,
            format_args!("<tr><th scope=\"row\">{told}</th><td class=\"number\">{count}</td><td>{meaning}</td></tr>\n"),
        );
    }
    page.push_str(END);
}

pub(super) fn refused_before(page: &mut String, simulated: &Simulated<'_>) {
    if simulated.refused_before.is_empty() {
        return;
    }
    put(page, format_args!("<h2>Refused before</h2>\n<p>{HEADING}.</p>\n"));
    page.push_str(&wide_table("Refused before"));
    page.push_str("<thead><tr><th scope=\"col\">Rule</th><th scope=\"col\">Reason</th>");
    page.push_str("<th scope=\"col\" class=\"number\">How many</th></tr></thead>\n<tbody>\n");
    for (rule, reason, count) in &simulated.refused_before {
        let (rule, told, count) = (escaped(rule), sentence(reason.told()), grouped(*count));
        put(
            page,
            format_args!("<tr><th scope=\"row\">{rule}</th><td>{told}</td><td class=\"number\">{count}</td></tr>\n"),
        );
    }
    page.push_str(END);
}

pub(super) fn each_day(page: &mut String, simulated: &Simulated<'_>) {
    if simulated.forecast.days.is_empty() {
        return;
    }
    page.push_str("<h2>Day by day</h2>\n");
    let columns = Columns::of(simulated);
    for (day, rules) in &simulated.forecast.days {
        let sum = simulated.forecast.of_day(*day);
        put(
            page,
            format_args!(
                "<details id=\"d{day}\">\n<summary><b>{}</b> – {}, {} refused</summary>\n",
                day_name(*day),
                counted(sum.messages(), "message"),
                grouped(sum.refusals())
            ),
        );
        columns.head(page, &day_name(*day));
        for (rule, figures) in rules {
            columns.row(page, &escaped(rule), figures);
        }
        page.push_str(END);
        for (rule, figures) in rules.iter().filter(|(_, figures)| figures.refusals() > 0) {
            put(page, format_args!("<p>Refused of {}: {}.</p>\n", escaped(rule), reasons(figures)));
        }
        page.push_str("</details>\n");
    }
}

/// What is told of rules in columns: what nobody met has none.
struct Columns<'a> {
    channels: Vec<Channel>,
    rest: Vec<&'a Column>,
}

/// A column beside the channels: its name, and what a rule has in it; nothing where it has nothing.
type Column = (&'static str, fn(&Figures) -> Option<String>);

const REST: [Column; 4] = [
    ("Sending", |figures| (figures.cost > 0).then(|| money(figures.cost))),
    ("Offers", |figures| (figures.offer_cost() > 0).then(|| money(figures.offer_cost()))),
    ("Held out", |figures| (figures.held_out > 0).then(|| grouped(figures.held_out))),
    ("Refused", |figures| (figures.refusals() > 0).then(|| grouped(figures.refusals()))),
];

impl Columns<'_> {
    fn of(simulated: &Simulated<'_>) -> Self {
        let total = simulated.forecast.total();
        let rest = REST.iter().filter(|(_, told)| told(&total).is_some()).collect();
        Self { channels: channels(simulated), rest }
    }

    fn head(&self, page: &mut String, what: &str) {
        page.push_str(&wide_table(what));
        page.push_str("<thead><tr><th scope=\"col\">Rule</th>");
        let names = self.channels.iter().map(|channel| channel_name(*channel));
        for name in names.chain(self.rest.iter().map(|(name, _)| *name)) {
            put(page, format_args!("<th scope=\"col\" class=\"number\">{name}</th>"));
        }
        page.push_str("</tr></thead>\n<tbody>\n");
    }

    /// A row of numbers; `name` is markup.
    fn row(&self, page: &mut String, name: &str, figures: &Figures) {
        put(page, format_args!("<tr><th scope=\"row\">{name}</th>"));
        let sent = |channel| figures.sent.get(channel).filter(|count| **count > 0).map(|count| grouped(*count));
        let rest = self.rest.iter().map(|(_, told)| told(figures));
        for told in self.channels.iter().map(sent).chain(rest) {
            put(page, format_args!("<td class=\"number\">{}</td>", told.unwrap_or_else(|| "–".to_owned())));
        }
        page.push_str("</tr>\n");
    }
}
