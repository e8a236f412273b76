//! `plusone offers`: each offer's budget, and what became of what was given; of one offer also what it is, and to whom it
//! was given last.

mod one;

use super::print::{say, say_json};
use super::{Answer, Global, open};
use crate::amount::{Amount, grouped};
use crate::clock::Clock;
use crate::offers::Offer;
use crate::offers::grant::GrantState;
use crate::store::offers::summary::{Share, Summary, summaries};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::process::ExitCode;

#[derive(clap::Args)]
pub struct Options {
    /// Only this offer, with what it is and to whom it was given last
    pub offer: Option<String>,
    /// How many of those it was given to [default: 20]
    #[arg(long, value_name = "N", requires = "offer", value_parser = clap::value_parser!(i64).range(1..))]
    pub limit: Option<i64>,
}

pub async fn run(global: &Global, options: &Options) -> Answer {
    let app = open(global, Clock::System).await?;
    let business = &app.workspace.project.settings.business;
    let today = app.clock.now().date(business.time_zone);
    if let Some(name) = &options.offer {
        return one::run(&app, name, options.limit, today, global.json).await;
    }
    let offers = app.workspace.project.offers.values().collect::<Vec<_>>();
    let summaries = summaries(&app.db, &offers, today).await?;
    let currency = business.currency.as_str();
    if global.json {
        let list: Vec<Value> = summaries.iter().map(|summary| as_json(summary, currency)).collect();
        say_json(json!({ "today": today.to_string(), "offers": list }))?;
    } else if summaries.is_empty() {
        say("No offers yet: an offer is a file in config/offers/.")?;
    } else {
        let texts: Vec<String> = summaries.iter().map(|summary| as_text(summary, currency)).collect();
        say(texts.join("\n\n"))?;
    }
    Ok(ExitCode::SUCCESS)
}

fn unknown(name: &str, offers: &BTreeMap<String, Offer>) -> super::Failure {
    let near = crate::problem::nearest(name, offers.keys().map(String::as_str));
    let cure = near.map_or_else(String::new, |near| format!(" (the nearest name is `{near}`)"));
    super::Failure::usage(format!("there is no offer `{name}`{cure}"))
}

fn as_json(summary: &Summary, currency: &str) -> Value {
    let money = |units: i64| money_json(units, currency);
    let mut json = json!({
        "offer": summary.offer,
        "budget": { "total": summary.total.map(money), "per_day": summary.per_day.map(money) },
        "left": summary.left.map(money),
        "left_today": summary.left_today.map(money),
        "codes_left": summary.codes_left,
    });
    for (state, share) in summary.all.each() {
        json[state.as_str()] = share_json(share, currency);
    }
    json
}

fn money_json(units: i64, currency: &str) -> Value {
    json!({ "amount": Amount::money(units).to_string(), "currency": currency })
}

fn share_json(share: Share, currency: &str) -> Value {
    json!({ "count": share.count, "cost": money_json(share.cost, currency) })
}

fn as_text(summary: &Summary, currency: &str) -> String {
    let money = |units: i64| format!("{} {currency}", super::print::money(units));
    let of = |left: Option<i64>, cap: Option<i64>| Some(format!("{} of {}", money(left?), money(cap?)));
    let left = [
        ("left", of(summary.left, summary.total).or_else(|| Some("no limit in total".to_owned()))),
        ("left today", of(summary.left_today, summary.per_day)),
    ];
    let given = summary.all.each().map(|(state, share)| {
        let back = if state == GrantState::Lapsed { ", back in the budget" } else { "" };
        let told = (share.count > 0).then(|| format!("{} ({}){back}", grouped(share.count), money(share.cost)));
        (state.told(), told)
    });
    let lines = left.into_iter().chain(given).chain([("codes left", summary.codes_left.map(codes))]);
    let lines = lines.filter_map(|(name, text)| Some(format!("  {name:<11}{}", text?)));
    std::iter::once(summary.offer.clone()).chain(lines).collect::<Vec<_>>().join("\n")
}

/// What a pattern can still give is mostly more than anyone will.
fn codes(left: u64) -> String {
    if left > PLENTY { format!("more than {}", grouped(PLENTY)) } else { grouped(left) }
}

/// From so many codes on it does not matter how many.
const PLENTY: u64 = 1_000_000;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::offers::summary::Shares;

    fn summary() -> Summary {
        Summary {
            offer: "free-cookie".to_owned(),
            total: Some(5_000_000),
            per_day: Some(500_000),
            all: Shares { reserved: Share { count: 2, cost: 16_000 }, ..Shares::default() },
            left: Some(4_984_000),
            left_today: Some(484_000),
            codes_left: Some(481_890_302),
            ..Summary::default()
        }
    }

    #[test]
    fn an_offer_is_shown_with_what_there_is_to_say() {
        let expected = "free-cookie\n  left       498.40 GBP of 500.00 GBP\n  left today 48.40 GBP of 50.00 GBP\n  \
                        reserved   2 (1.60 GBP)\n  codes left more than 1,000,000";
        assert_eq!(as_text(&summary(), "GBP"), expected);
    }

    #[test]
    fn the_json_names_every_part_and_absent_is_null() {
        let json = as_json(&Summary { per_day: None, left_today: None, ..summary() }, "GBP");
        assert_eq!(json["left"], json!({ "amount": "498.4000", "currency": "GBP" }));
        assert_eq!(json["reserved"]["count"], 2);
        assert_eq!((&json["left_today"], &json["budget"]["per_day"]), (&Value::Null, &Value::Null));
    }
}
