//! Rules that an analyst would write, on public data sets, against what Python's csv module says they reach.
//!
//! 1. The homes and the Python scripts: `tests/real`. The data lies beside the project; without it these are left out.
//! 2. Counts and customers are compared, both of who is told and of who is refused and why.

use crate::harness::home::{Home, Ran};
use crate::harness::{mail, postgres::Database, python, root, shared};
use serde_json::{Map, Value};
use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::process::Command;

/// A home for real data with its oracle.
struct Shop {
    home: Home,
    oracle: PathBuf,
    data: PathBuf,
    at: &'static str,
}

impl Shop {
    /// Copies `tests/real/<name>`, makes the files and imports them.
    fn open(name: &str, at: &'static str, database: Option<&Database>) -> Option<Self> {
        let data = shared("data")?;
        let mut home = Home::copy_of(&format!("tests/real/{name}"));
        if let Some(database) = database {
            home = home.with("PLUSONE_DATABASE__URL", &database.url);
        }
        let shop = Self { home, oracle: root().join(format!("tests/real/{name}.py")), data, at };
        shop.python("python3".into(), &["make"], &[&shop.home.path().to_string_lossy()]);
        Some(shop)
    }

    /// Imports a file of the home or of the data sets; every row must be taken.
    fn import(&self, entity: &str, file: &str) {
        let file = if file.starts_with("completejourney") { self.data.join(file) } else { self.home.path().join(file) };
        self.home.plusone(&["import", entity, &file.to_string_lossy()]).ended_with(0);
    }

    fn python(&self, python: PathBuf, before: &[&str], after: &[&str]) -> String {
        let said = Command::new(python).arg(&self.oracle).args(before).arg(&self.data).args(after).output();
        let said = said.expect("Python starts");
        assert!(said.status.success(), "{}", String::from_utf8_lossy(&said.stderr));
        String::from_utf8(said.stdout).expect("JSON is UTF-8")
    }

    fn expected(&self, rule: &str) -> Value {
        serde_json::from_str(&self.python("python3".into(), &["expect"], &[rule])).expect("JSON")
    }

    fn once(&self, options: &[&str]) -> Ran {
        self.home.plusone(&[&["once", "--at", self.at, "--json"], options].concat()).ended_with(0)
    }

    /// The customers of the touchpoints of a rule, in order; with one entry for each touchpoint.
    fn customers(&self, rule: &str, filter: &[&str]) -> Vec<String> {
        let log = ["log", "--rule", rule, "--limit", "1000000", "--json"];
        let lines = self.home.plusone(&[&log, filter].concat()).ended_with(0).json_lines();
        let mut customers: Vec<String> = lines.iter().map(|line| text(&line["customer"]).to_owned()).collect();
        customers.sort();
        customers
    }

    /// Compares one rule of `once --json` with the oracle: counts, then customers.
    fn check(&self, pass: &Value, rule: &str) {
        let expected = self.expected(rule);
        let count = |name: &str| texts(&expected[name]).len();
        let mut skipped = expected["skipped"].as_object().cloned().unwrap_or_default();
        let budget = expected["budget"].as_u64().map(|budget| usize::try_from(budget).expect("it is small"));
        let planned = budget.map_or(count("planned"), |budget| budget.min(count("planned")));

        let counts = counts(pass, rule);
        assert_eq!(counts["matched"], count("matched"), "matched by {rule}: {counts:?}");
        assert_eq!(counts["planned"], planned, "planned by {rule}: {counts:?}");
        assert_eq!(counts["deferred"], count("deferred"), "deferred by {rule}: {counts:?}");
        let told = self.customers(rule, &["--state", "planned"]);
        if planned == count("planned") {
            assert_eq!(told, texts(&expected["planned"]), "{rule}");
        } else {
            let without_offer = self.customers(rule, &["--state", "skipped", "--reason", "no_budget"]);
            assert_eq!(told.len(), planned, "{rule}");
            let mut all = [told, without_offer.clone()].concat();
            all.sort();
            assert_eq!(all, texts(&expected["planned"]), "{rule}");
            skipped.insert("no_budget".to_owned(), without_offer.into());
        }
        self.check_skipped(pass, rule, &skipped);
    }

    fn check_skipped(&self, pass: &Value, rule: &str, expected: &Map<String, Value>) {
        let of_rule = rule_of(pass, rule)["skipped"].as_object().cloned().unwrap_or_default();
        let counted: BTreeMap<&str, u64> = of_rule
            .iter()
            .map(|(reason, n)| (reason.as_str(), n.as_u64().expect("a count")))
            .filter(|(_, n)| *n > 0)
            .collect();
        let wanted: BTreeMap<&str, u64> =
            expected.iter().map(|(reason, who)| (reason.as_str(), texts(who).len() as u64)).collect();
        assert_eq!(counted, wanted, "{rule}");
        for (reason, who) in expected {
            assert_eq!(
                self.customers(rule, &["--state", "skipped", "--reason", reason]),
                texts(who),
                "{rule}: {reason}"
            );
        }
    }
}

fn cdnow(database: Option<&Database>) -> Option<Shop> {
    let shop = Shop::open("cdnow", "1998-07-01T09:00:00Z", database)?;
    shop.import("customer", "customers.csv");
    shop.import("order", "orders.csv");
    Some(shop)
}

fn journey(database: Option<&Database>) -> Option<Shop> {
    let shop = Shop::open("journey", "2017-06-20T16:00:00Z", database)?;
    shop.import("customer", "customers.csv");
    shop.import("campaign", "completejourney_campaign_descriptions.csv");
    shop.import("invitation", "invitations.csv");
    shop.import("redemption_slip", "slips.csv");
    shop.import("basket", "completejourney_baskets_400hh.csv");
    Some(shop)
}

fn check_all(shop: &Shop, rules: &[&str]) {
    let pass = shop.once(&["--no-send"]).json();
    for rule in rules {
        shop.check(&pass, rule);
    }
}

#[test]
#[ignore = "imports 69,659 orders: tests/run runs it on the release build"]
fn the_rules_of_the_cd_shop_reach_whom_python_says() {
    let Some(shop) = cdnow(None) else { return };
    check_all(&shop, &["win-back", "tenth-order", "regular", "big-spender"]);
}

#[test]
#[ignore = "imports 69,659 orders: tests/run runs it on the release build"]
fn the_rules_of_the_cd_shop_reach_the_same_on_postgresql() {
    let Some(database) = Database::create() else { return };
    let Some(shop) = cdnow(Some(&database)) else { return };
    check_all(&shop, &["win-back", "tenth-order", "regular", "big-spender"]);
}

#[test]
#[ignore = "imports 39,868 baskets: tests/run runs it on the release build"]
fn the_rules_of_the_grocery_reach_whom_python_says() {
    let Some(shop) = journey(None) else { return };
    check_all(&shop, &["coupon-reminder", "tenth-basket", "lapsed", "family-hours"]);
}

#[test]
#[ignore = "imports 39,868 baskets: tests/run runs it on the release build"]
fn the_rules_of_the_grocery_reach_the_same_on_postgresql() {
    let Some(database) = Database::create() else { return };
    let Some(shop) = journey(Some(&database)) else { return };
    check_all(&shop, &["coupon-reminder", "tenth-basket", "lapsed", "family-hours"]);
}

#[test]
#[ignore = "imports 69,659 orders: tests/run runs it on the release build"]
fn a_second_import_changes_nothing_and_a_second_pass_tells_nobody_again() {
    let Some(shop) = cdnow(None) else { return };
    shop.once(&["--rule", "big-spender", "--no-send"]);
    let first = shop.customers("big-spender", &[]);
    assert!(!first.is_empty());
    shop.import("customer", "customers.csv");
    shop.import("order", "orders.csv");
    shop.once(&["--rule", "big-spender", "--no-send"]);
    assert_eq!(shop.customers("big-spender", &[]), first);
}

/// Those in the US have a quiet night until seven; everybody else gets a mail with a code of their own.
#[test]
#[ignore = "imports 69,659 orders: tests/run runs it on the release build"]
fn the_tenth_order_really_sends_one_code_to_each() {
    let Some(shop) = cdnow(None) else { return };
    let expected = shop.expected("tenth-order");
    let pass = shop.once(&["--rule", "tenth-order"]).json();
    let later = texts(&expected["deferred"]);
    let now: Vec<String> =
        texts(&expected["planned"]).into_iter().filter(|customer| !later.contains(customer)).collect();
    assert_eq!(pass["delivery"]["sent"], now.len(), "{}", pass["delivery"]);

    let mails = mail::read(&shop.home.path().join("var/outbox"));
    let mut told: Vec<String> = mails.iter().map(|mail| text(&mail["addresses"]["to"][0][1]).to_owned()).collect();
    told.sort();
    assert_eq!(told, now.iter().map(|customer| format!("c{customer}@customers.test")).collect::<Vec<_>>());
    let code = |mail: &Value| {
        let body = mail::part(mail, "text/plain").expect("the template is text").to_owned();
        let (_, after) = body.split_once("The code is ").expect("the template says so");
        after.trim_end().trim_end_matches('.').to_owned()
    };
    let codes: BTreeSet<String> = mails.iter().map(code).collect();
    assert_eq!(codes.len(), mails.len(), "each code once");
    assert!(codes.iter().all(|code| code.starts_with("CD-") && code.len() == "CD-########".len()), "{codes:?}");
    assert!(mails.iter().all(|mail| mail["defects"].as_array().is_some_and(Vec::is_empty)));
    assert_eq!(shop.customers("tenth-order", &["--state", "sent"]), now);
}

/// The data has numbers as people write them; they go out as E.164, as the phonenumbers package reads them.
#[test]
#[ignore = "imports 39,868 baskets: tests/run runs it on the release build"]
fn the_coupon_reminder_goes_to_numbers_in_international_form() {
    let (Some(shop), Some(python)) = (journey(None), python()) else { return };
    let numbers: BTreeMap<String, String> = serde_json::from_str(&shop.python(python, &["phones"], &[])).expect("JSON");
    shop.once(&["--rule", "coupon-reminder"]);
    let planned = texts(&shop.expected("coupon-reminder")["planned"]);
    let mut wanted: Vec<&String> = planned.iter().map(|id| &numbers[id]).collect();
    wanted.sort();
    let outbox = std::fs::read_dir(shop.home.path().join("var/outbox")).expect("the folder outbox is there");
    let mut told: Vec<String> = outbox.map(|entry| recipient(&entry.expect("a file").path())).collect();
    told.sort();
    assert_eq!(told.iter().collect::<Vec<_>>(), wanted);
}

/// The number in a `.sms.json` that is not the shop's own.
fn recipient(file: &std::path::Path) -> String {
    let sms: Value = serde_json::from_slice(&std::fs::read(file).expect("the file is there")).expect("JSON");
    let values = sms.as_object().expect("an object").values().filter_map(Value::as_str);
    let mut numbers = values.filter(|value| value.starts_with("+1") && *value != "+12025550100");
    numbers.next().unwrap_or_else(|| panic!("no recipient in {sms}")).to_owned()
}

fn rule_of<'a>(pass: &'a Value, rule: &str) -> &'a Value {
    let rules = pass["rules"].as_array().unwrap_or_else(|| panic!("rules is a list in {pass}"));
    rules.iter().find(|entry| entry["rule"] == rule).unwrap_or_else(|| panic!("{rule} was not run: {pass}"))
}

/// The numbers of a rule in `once --json`.
fn counts(pass: &Value, rule: &str) -> BTreeMap<String, usize> {
    let of_rule = rule_of(pass, rule).as_object().expect("an object");
    let number = |value: &Value| value.as_u64().map(|n| usize::try_from(n).expect("a count"));
    of_rule.iter().filter_map(|(name, value)| Some((name.clone(), number(value)?))).collect()
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_else(|| panic!("{value} is not text"))
}

fn texts(value: &Value) -> Vec<String> {
    value.as_array().map(|list| list.iter().map(|item| text(item).to_owned()).collect()).unwrap_or_default()
}
