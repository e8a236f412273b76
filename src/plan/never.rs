//! Rules whose every message would meet hours in which it may not go, until it expires.
//!
//! That hours leave no minute of a week at all is told by `config`; here the rule's own ticks are asked.

use crate::courtesy::quiet_hours::{Silence, Verdict};
use crate::rules::{Channel, Kind, Purpose, Rule};
use crate::settings::{Settings, Topic};
use crate::time::Timestamp;

/// How many of the next ticks are asked: a rule of every quarter of an hour is asked for a day, one of every day for
/// three months.
const TICKS: usize = 96;

/// Whether none of the rule's next messages could go on any of its channels, for a customer in the business's country.
pub fn never_goes(rule: &Rule, settings: &Settings, now: Timestamp) -> bool {
    let next = |after: &Timestamp| rule.schedule.next_after(*after, rule.time_zone);
    let mut ticks = std::iter::successors(next(&now), next).take(TICKS).peekable();
    if ticks.peek().is_none() || rule.channels.is_empty() {
        return false;
    }
    let silences: Vec<Silence<'_>> = rule.channels.iter().map(|channel| silence(rule, settings, *channel)).collect();
    let zone = if rule.in_customers_time { rule.time_zone } else { settings.business.time_zone };
    ticks.all(|tick| {
        let last = tick.plus(rule.expires_after);
        let kept =
            |silence: &Silence<'_>| matches!(silence.verdict(tick, &[zone]), Verdict::Defer { until } if until > last);
        silences.iter().all(kept)
    })
}

fn silence<'a>(rule: &Rule, settings: &'a Settings, channel: Channel) -> Silence<'a> {
    let topic = settings.topics.get(&rule.topic).map(|Topic { quiet_hours, .. }| quiet_hours);
    let quiet = [settings.quiet_hours.get(&channel), topic];
    let country = settings.business.country.as_str();
    // A transactional message goes without its offer where that is refused.
    let purpose = if rule.kind == Kind::Offer { Purpose::Promotional } else { rule.purpose };
    Silence {
        quiet: quiet.into_iter().flatten().filter(|_| !rule.urgent).map(Vec::as_slice).collect(),
        open: settings.legal_hours.of(country, None, channel, purpose).collect(),
        country,
    }
}
