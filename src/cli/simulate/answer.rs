//! A simulation for machines: one document, with the names of `once` and `report`.

use super::Simulated;
use super::tell::notices;
use crate::amount::Amount;
use crate::outreach::simulate::forecast::Figures;
use serde_json::{Map, Value, json};

/// The whole answer.
pub(super) fn json(simulated: &Simulated<'_>) -> Value {
    let forecast = &simulated.forecast;
    let of_rules = |rules: Vec<(&str, Figures)>| {
        let rules = rules.into_iter().map(|(rule, figures)| {
            let mut value = figures_json(&figures, simulated.currency);
            value.insert("rule".to_owned(), json!(rule));
            Value::Object(value)
        });
        Value::Array(rules.collect())
    };
    let days = forecast.days.iter().map(|(day, rules)| {
        let mut value = figures_json(&forecast.of_day(*day), simulated.currency);
        value.insert("day".to_owned(), json!(day.to_string()));
        value.insert(
            "rules".to_owned(),
            of_rules(rules.iter().map(|(rule, one)| (rule.as_str(), one.clone())).collect()),
        );
        Value::Object(value)
    });
    let days = Value::Array(days.collect());
    let rules = forecast.rules().into_iter().map(|rule| (rule, forecast.of_rule(rule)));
    let held = simulated.rehearsal.held.iter().map(|run| {
        json!({ "rule": run.rule, "instant": run.instant.to_string(), "planned": run.planned, "reason": run.reason })
    });
    let before = simulated.refused_before.iter();
    let before =
        before.map(|(rule, reason, count)| json!({ "rule": rule, "reason": reason.to_string(), "count": count }));
    let mut total = figures_json(&forecast.total(), simulated.currency);
    total.insert("waiting".to_owned(), json!(forecast.waiting.values().sum::<u64>()));
    json!({
        "from": simulated.from.to_string(),
        "to": simulated.to.to_string(),
        "as_of": simulated.now.to_string(),
        "total": total,
        "days": days,
        "rules": of_rules(rules.collect()),
        "refused_before": Value::Array(before.collect()),
        "before": figures_json(&forecast.before, simulated.currency),
        "held": Value::Array(held.collect()),
        "as_live": simulated.as_live,
        "drafts": simulated.drafts,
        "notices": notices(simulated),
    })
}

fn figures_json(figures: &Figures, currency: &str) -> Map<String, Value> {
    let amount = |units: i64| json!({ "amount": Amount::money(units).to_string(), "currency": currency });
    let sent: Map<String, Value> =
        figures.sent.iter().map(|(channel, count)| (channel.to_string(), json!(count))).collect();
    let refused: Map<String, Value> =
        figures.refused.iter().map(|(reason, count)| (reason.to_string(), json!(count))).collect();
    let offers = figures
        .offers
        .iter()
        .map(|(offer, (count, cost))| json!({ "offer": offer, "given": count, "cost": amount(*cost) }));
    let entries = [
        ("messages", json!(figures.messages())),
        ("sent", Value::Object(sent)),
        ("held_out", json!(figures.held_out)),
        ("skipped", Value::Object(refused)),
        ("cost", amount(figures.cost)),
        ("offers", Value::Array(offers.collect())),
        ("offer_cost", amount(figures.offer_cost())),
    ];
    entries.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
}
