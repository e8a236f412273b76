//! `offers NAME`: what an offer is, what became of it today and in all, and to whom it was given last.

use crate::harness::home::{Home, Settings};
use crate::harness::postgres::Database;
use crate::shop::{WAY_OUT, customers, home, rule};
use plusone::sql::Sql;
use plusone::store::db::Db;
use serde_json::Value;

const OFFER: &str = "description = \"A cookie\"\nvalue = 2.50\ncost = 0.80\nbudget = { total = 8, per_day = 2.40 }\n\
                     per_customer = { max = 1, per = \"300d\" }\neligible = ['customer.tier != \"basic\"']\n\
                     code = { pattern = \"COOKIE-######\" }\nvalid_for = \"30d\"\nunused = \"return\"\n";

/// Four gold customers and a treat for each, of which a day's budget pays three.
fn shop(database: &str) -> Home {
    let more = "[guard]\nmax_share = \"100%\"\n".to_owned();
    let home = home(&Settings { more, database: database.to_owned(), ..Settings::default() });
    let people = [
        "a,a@shop.test,Ada,gold,yes",
        "b,b@shop.test,Ben,gold,yes",
        "c,c@shop.test,,gold,yes",
        "d,d@shop.test,,gold,yes",
    ];
    home.write("customers.csv", &customers(&people));
    home.write("config/offers/cookie.toml", OFFER);
    home.write("templates/note/email.txt.hbs", WAY_OUT);
    home.write("config/rules/treat.toml", &rule(&[("topic", "\"offers\""), ("offer", "\"cookie\"")]));
    home.write("config/rules/idea.toml", &rule(&[("topic", "\"offers\""), ("offer", "\"cookie\""), ("live", "false")]));
    home
}

fn told(home: &Home, arguments: &[&str]) -> Value {
    home.plusone(&[&["offers", "cookie", "--json"], arguments].concat()).ended_with(0).json()["offers"][0].clone()
}

#[tokio::test]
async fn one_offer_is_told_with_what_it_is_and_to_whom_it_was_given() {
    is_told(&Settings::default().database).await;
    if let Some(database) = Database::create() {
        is_told(&database.url).await;
    }
}

async fn is_told(database: &str) {
    let home = shop(database);
    let before = home.plusone(&["offers", "cookie"]).ended_with(0).stdout;
    assert!(before.contains("Given to nobody yet."), "{before}");
    home.plusone(&["once"]).ended_with(0);
    let one = told(&home, &[]);
    assert_eq!(
        (&one["spent"]["count"], &one["of_today"]["spent"]["count"], &one["more"]),
        (&3.into(), &3.into(), &0.into())
    );
    let given = one["given"].as_array().expect("a list");
    assert_eq!(given.len(), 3);
    assert!(
        given.iter().all(|one| one["rule"] == "treat" && one["state"] == "spent" && one["offer"] == "cookie"),
        "{one:#}"
    );
    let code = given[0]["code"].as_str().expect("a code").to_owned();
    home.plusone(&["redeem", &code]).ended_with(0);
    // What was given on another day is not today's.
    let db = Db::open(database, home.path()).await.expect("the database is there");
    let elsewhere = "update offer_grants set day = '2026-01-01', granted_at = 0 where code <> $1";
    assert_eq!(db.execute(Sql::new(elsewhere).with(&code)).await.expect("written"), 2);
    let one = told(&home, &["--limit", "1"]);
    let counts = |of: &Value| (of["spent"]["count"].as_u64(), of["redeemed"]["count"].as_u64());
    assert_eq!((counts(&one), counts(&one["of_today"])), ((Some(2), Some(1)), (Some(0), Some(1))));
    assert_eq!((&one["left"]["amount"], &one["left_today"]["amount"]), (&"5.6000".into(), &"1.6000".into()));
    assert_eq!(
        (&one["more"], &one["given"][0]["code"], &one["given"][0]["state"]),
        (&2.into(), &code.as_str().into(), &"redeemed".into())
    );
    assert_eq!(
        (&one["per_customer"]["max"], &one["unused"], &one["in_force"], &one["rules"]),
        (&1.into(), &"return".into(), &true.into(), &serde_json::json!(["idea", "treat"]))
    );
    let text = home.plusone(&["offers", "cookie", "--limit", "1"]).ended_with(0).stdout;
    for said in [
        "cookie: A cookie\n",
        "2.50 GBP to the customer; one costs 0.80 GBP",
        "COOKIE-######, for each customer another",
        "gives it back into the budget",
        "1 time in 300 days",
        "customer.tier != \"basic\"",
        "idea (a draft), treat",
        "BUDGET                  TODAY         IN ALL\n  given at most           2.40 GBP      8.00 GBP\n",
        "  sent, not redeemed yet  -             2 (1.60 GBP)\n",
        "  redeemed                1 (0.80 GBP)  1 (0.80 GBP)\n",
        "  left                    1.60 GBP      5.60 GBP\n",
        code.as_str(),
        "… and 2 more; `--limit N` lists more",
    ] {
        assert!(text.contains(said), "{said}: {text}");
    }
    assert!(!text.contains("reserved"), "what never was is not told: {text}");
}

#[test]
fn of_an_offer_whose_file_is_gone_what_was_recorded_is_told() {
    let home = shop(&Settings::default().database);
    home.plusone(&["once"]).ended_with(0);
    for file in ["config/offers/cookie.toml", "config/rules/treat.toml", "config/rules/idea.toml"] {
        std::fs::remove_file(home.path().join(file)).expect("it was there");
    }
    let one = told(&home, &[]);
    assert_eq!(
        (&one["in_force"], &one["spent"]["count"], &one["rules"]),
        (&false.into(), &3.into(), &Value::Array(vec![]))
    );
    assert!(one.get("per_customer").is_some_and(Value::is_null) && one["left"].is_null(), "{one:#}");
    assert_eq!(one["given"].as_array().map(Vec::len), Some(3));
    let text = home.plusone(&["offers", "cookie", "--limit", "2"]).ended_with(0).stdout;
    for said in [
        "cookie: config/offers/cookie.toml is gone, or broken; so much was recorded\n",
        "GIVEN                   TODAY         IN ALL\n  sent, not redeemed yet  3 (2.40 GBP)  3 (2.40 GBP)\n",
        "treat",
        "… and 1 more; `--limit N` lists more",
    ] {
        assert!(text.contains(said), "{said}: {text}");
    }
    assert!(!text.contains("no limit") && !text.contains("given at most"), "a budget is not known: {text}");
    let ran = home.plusone(&["offers", "biscuit"]).ended_with(2);
    assert!(ran.stderr.contains("there is no offer `biscuit`"), "{}", ran.stderr);
}

#[test]
fn how_many_are_listed_is_asked_of_one_offer_only() {
    let home = shop(&Settings::default().database);
    let ran = home.plusone(&["offers", "--limit", "3"]).ended_with(2);
    assert!(ran.stderr.contains("<OFFER>") || ran.stderr.contains("[OFFER]"), "{}", ran.stderr);
    let ran = home.plusone(&["offers", "cokie"]).ended_with(2);
    assert!(ran.stderr.contains("the nearest name is `cookie`"), "{}", ran.stderr);
}
