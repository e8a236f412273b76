//! The sample business: its first pass is modest, each of its rules reaches somebody, and an event brings up the last.

use crate::harness::home::Home;
use std::collections::BTreeMap;

/// How many each rule plans in one pass at `at`.
fn planned(home: &Home, at: &str) -> BTreeMap<String, i64> {
    let pass = home.plusone(&["once", "--no-send", "--at", at, "--json"]).ended_with(0).json();
    let rules = pass["rules"].as_array().expect("a list").iter();
    rules.map(|one| (one["rule"].as_str().expect("a name").to_owned(), one["planned"].as_i64().unwrap_or(0))).collect()
}

#[test]
fn every_rule_of_the_sample_reaches_somebody_on_any_day() {
    for day in ["2026-11-24", "2027-02-28", "2028-02-29"] {
        let home = Home::new();
        for folder in ["config", "templates"] {
            home.copy(folder);
        }
        let first = planned(&home, &format!("{day} 12:00"));
        let expected = [
            ("abandoned-cart", 2),
            ("birthday", 1),
            ("card-expiring", 2),
            ("delivery-survey", 0),
            ("delivery-update", 4),
            ("invoice-call", 2),
            ("tasting-reminder", 4),
            ("tenth-order", 2),
            ("win-back", 1),
        ];
        let at_least = |(rule, count): &(&str, i64)| first.get(*rule).is_some_and(|planned| planned >= count);
        assert!(expected.iter().all(at_least) && first.len() == expected.len(), "{day}: {first:?}");
        assert!(first.values().sum::<i64>() <= 24, "{day}: {first:?}");
        let event = format!("id,customer_id,name,at,parcel\ne1,c02,Parcel Delivered,{day}T12:01:00Z,HC-20399\n");
        home.write("events.csv", &event);
        home.plusone(&["import", "event", "events.csv"]).ended_with(0);
        assert_eq!(planned(&home, &format!("{day} 12:02"))["delivery-survey"], 1, "{day}");
    }
}
