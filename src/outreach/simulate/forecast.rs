//! What a rehearsal came to, in numbers: by day, by rule, by reason, and what a person should look at.
//!
//! Pure: lines in the order of time in, [`Forecast`] out. Memory follows the busiest day, not the number of messages.

use crate::rules::Channel;
use crate::store::rehearsal::lines::Line;
use crate::time::{Date, Timestamp, Tz};
use crate::touchpoints::{Reason, State};
use std::collections::{BTreeMap, HashMap};

/// From so many rules on that write to the same people on one day, the day is told.
const TOGETHER: usize = 3;

/// What is counted of a rule on a day, of a rule, of a day.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Figures {
    pub sent: BTreeMap<Channel, u64>,
    pub held_out: u64,
    /// Not written to, by the reason that stood at the end.
    pub refused: BTreeMap<Reason, u64>,
    /// Sending, by the providers' prices; money, scaled.
    pub cost: i64,
    /// Offers that were given, by name: how many, and what they cost.
    pub offers: BTreeMap<String, (u64, i64)>,
}

impl Figures {
    pub fn messages(&self) -> u64 {
        self.sent.values().sum()
    }

    pub fn refusals(&self) -> u64 {
        self.refused.values().sum()
    }

    /// What the offers cost; money, scaled.
    pub fn offer_cost(&self) -> i64 {
        self.offers.values().map(|(_, cost)| cost).sum()
    }

    fn add(&mut self, line: &Line) {
        match (line.state, line.channel, line.reason) {
            (State::Sent, Some(channel), _) => {
                *self.sent.entry(channel).or_default() += 1;
                self.cost += line.cost;
                if let Some(offer) = &line.offer {
                    let given = self.offers.entry(offer.clone()).or_default();
                    *given = (given.0 + 1, given.1 + line.offer_cost);
                }
            }
            (State::HeldOut, ..) => self.held_out += 1,
            (State::Skipped | State::Expired, _, Some(reason)) => *self.refused.entry(reason).or_default() += 1,
            _ => {}
        }
    }
}

/// Several rules that write to the same people on one day.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Crowd {
    pub day: Date,
    pub rules: Vec<String>,
    pub people: u64,
}

/// The numbers of a rehearsal.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Forecast {
    /// By the business's day and the rule.
    pub days: BTreeMap<Date, BTreeMap<String, Figures>>,
    /// What comes before the time that is told of.
    pub before: Figures,
    /// Messages that are due after the end.
    pub waiting: BTreeMap<String, u64>,
    /// The day's most frequent company of [`TOGETHER`] rules or more.
    pub crowds: Vec<Crowd>,
}

impl Forecast {
    /// The sums of a day.
    pub fn of_day(&self, day: Date) -> Figures {
        sum(self.days.get(&day).into_iter().flat_map(BTreeMap::values))
    }

    /// The sums of a rule.
    pub fn of_rule(&self, rule: &str) -> Figures {
        sum(self.days.values().filter_map(|rules| rules.get(rule)))
    }

    /// The sums of everything.
    pub fn total(&self) -> Figures {
        sum(self.days.values().flat_map(BTreeMap::values))
    }

    /// Rules of which anything was written down, in the order of their names.
    pub fn rules(&self) -> Vec<&str> {
        let mut rules: Vec<&str> = self.days.values().flat_map(BTreeMap::keys).map(String::as_str).collect();
        rules.extend(self.waiting.keys().map(String::as_str));
        rules.sort_unstable();
        rules.dedup();
        rules
    }
}

fn sum<'a>(figures: impl Iterator<Item = &'a Figures>) -> Figures {
    let mut sum = Figures::default();
    for one in figures {
        one.sent.iter().for_each(|(channel, count)| *sum.sent.entry(*channel).or_default() += count);
        one.refused.iter().for_each(|(reason, count)| *sum.refused.entry(*reason).or_default() += count);
        for (offer, (count, cost)) in &one.offers {
            let given = sum.offers.entry(offer.clone()).or_default();
            *given = (given.0 + count, given.1 + cost);
        }
        sum.held_out += one.held_out;
        sum.cost += one.cost;
    }
    sum
}

/// Gathers lines that come in the order of time.
#[derive(Debug)]
pub struct Gatherer {
    zone: Tz,
    from: Timestamp,
    to: Timestamp,
    /// The rules that are asked about; all where empty.
    only: Vec<String>,
    forecast: Forecast,
    today: Option<Date>,
    /// Who was written to today, and by which rules.
    company: HashMap<String, Vec<String>>,
}

impl Gatherer {
    /// For `[from, to)`, with days of `zone`.
    pub fn new(zone: Tz, from: Timestamp, to: Timestamp, only: &[String]) -> Self {
        let (forecast, company) = (Forecast::default(), HashMap::new());
        Self { zone, from, to, only: only.to_vec(), forecast, today: None, company }
    }

    /// Whether the line is one that is asked about.
    pub fn is_asked(&self, line: &Line) -> bool {
        let is_waiting = line.state == State::Planned;
        self.is_of_rules(line) && line.at >= self.from && (is_waiting || line.at < self.to)
    }

    fn is_of_rules(&self, line: &Line) -> bool {
        self.only.is_empty() || self.only.contains(&line.rule)
    }

    pub fn add(&mut self, line: &Line) {
        let day = line.at.date(self.zone);
        if self.today != Some(day) {
            self.end_day();
            self.today = Some(day);
        }
        if line.state == State::Sent && line.at >= self.from {
            let rules = self.company.entry(line.customer.clone()).or_default();
            if !rules.contains(&line.rule) {
                rules.push(line.rule.clone());
            }
        }
        if self.is_of_rules(line) && line.at < self.from {
            self.forecast.before.add(line);
        }
        if !self.is_asked(line) {
            return;
        }
        if line.state == State::Planned {
            *self.forecast.waiting.entry(line.rule.clone()).or_default() += 1;
            return;
        }
        self.forecast.days.entry(day).or_default().entry(line.rule.clone()).or_default().add(line);
    }

    pub fn end(mut self) -> Forecast {
        self.end_day();
        self.forecast
    }

    fn end_day(&mut self) {
        let mut companies: BTreeMap<Vec<String>, u64> = BTreeMap::new();
        for (_, mut rules) in self.company.drain() {
            if rules.len() >= TOGETHER && (self.only.is_empty() || rules.iter().any(|rule| self.only.contains(rule))) {
                rules.sort_unstable();
                *companies.entry(rules).or_default() += 1;
            }
        }
        let largest = companies.into_iter().max_by_key(|(_, people)| *people);
        if let (Some(day), Some((rules, people))) = (self.today, largest) {
            self.forecast.crowds.push(Crowd { day, rules, people });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(rule: &str, customer: &str, state: State, at: &str) -> Line {
        Line {
            id: String::new(),
            rule: rule.to_owned(),
            customer: customer.to_owned(),
            entity: customer.to_owned(),
            occurrence: "-".to_owned(),
            channel: (state != State::Skipped).then_some(Channel::Email),
            state,
            reason: (state == State::Skipped).then_some(Reason::Capped),
            at: at.parse().expect("an instant"),
            offer: (rule == "treat").then(|| "cookie".to_owned()),
            offer_cost: if rule == "treat" { 8_000 } else { 0 },
            cost: 10,
        }
    }

    fn gathered(only: &[String]) -> Forecast {
        let (from, to) = ("2026-12-01T00:00:00Z", "2026-12-03T00:00:00Z");
        let at = |text: &str| text.parse().expect("an instant");
        let mut gatherer = Gatherer::new(chrono_tz::Europe::London, at(from), at(to), only);
        for line in [
            line("note", "17", State::Sent, "2026-11-30T23:59:00Z"),
            line("note", "17", State::Sent, "2026-12-01T09:00:00Z"),
            line("treat", "17", State::Sent, "2026-12-01T10:00:00Z"),
            line("thanks", "17", State::Sent, "2026-12-01T23:00:00Z"),
            line("treat", "18", State::Skipped, "2026-12-02T10:00:00Z"),
            line("note", "18", State::HeldOut, "2026-12-02T10:00:00Z"),
            line("note", "19", State::Planned, "2026-12-03T08:00:00Z"),
        ] {
            gatherer.add(&line);
        }
        gatherer.end()
    }

    #[test]
    fn lines_are_counted_by_day_and_rule_and_what_waits_is_told_apart() {
        let forecast = gathered(&[]);
        let days: Vec<String> = forecast.days.keys().map(ToString::to_string).collect();
        assert_eq!(days, ["2026-12-01", "2026-12-02"]);
        let total = forecast.total();
        assert_eq!((total.messages(), total.refusals(), total.held_out), (3, 1, 1));
        assert_eq!((total.cost, total.offer_cost()), (30, 8_000));
        assert_eq!((forecast.before.messages(), forecast.before.cost), (1, 10));
        assert_eq!(forecast.waiting["note"], 1);
        assert_eq!(forecast.rules(), ["note", "thanks", "treat"]);
    }

    #[test]
    fn rules_that_write_to_the_same_people_on_one_day_are_told() {
        let forecast = gathered(&[]);
        let [crowd] = &forecast.crowds[..] else { panic!("one day: {:?}", forecast.crowds) };
        assert_eq!((crowd.people, crowd.rules.len()), (1, 3));
    }

    #[test]
    fn of_one_rule_its_own_lines_count_and_the_company_it_keeps() {
        let forecast = gathered(&["treat".to_owned()]);
        assert_eq!(forecast.rules(), ["treat"]);
        assert_eq!(forecast.before.messages(), 0, "what came before is another's");
        assert_eq!(forecast.crowds.len(), 1);
    }
}
