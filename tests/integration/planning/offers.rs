//! Offers in planning and delivery: who gets which, what it takes out of the budget, and what comes back.

use crate::harness::home::Home;
use crate::shop::{NOON, Shop, at, customers, on_both, rule};
use plusone::store::offers::grants;
use plusone::touchpoints::Reason;

fn offer(keys: &str) -> String {
    format!("description = \"A plus one\"\nvalue = 2.50\ncost = 1.00\n{keys}\n")
}

fn offer_rule(keys: &[(&str, &str)]) -> String {
    let usual = [("kind", "\"offer\""), ("topic", "\"offers\""), ("offer", "[\"cookie\"]")];
    let usual: Vec<_> = usual.into_iter().filter(|(name, _)| keys.iter().all(|(key, _)| key != name)).collect();
    rule(&[&usual, keys].concat())
}

async fn assert_sound(shop: &Shop, name: &str) {
    let held = grants::held(&shop.app.db, name).await.expect("the ledger");
    assert_eq!(shop.taken(name).await, held["total"]);
}

const FIVE: [&str; 5] = [
    "a,a@shop.test,,gold,yes",
    "b,b@shop.test,,gold,yes",
    "c,c@shop.test,,gold,yes",
    "d,d@shop.test,,,yes",
    "e,e@shop.test,,gold,no",
];

async fn shop(offers: &[(&str, &str)], rules: &[(&str, String)], test: impl AsyncFn(Shop, &Home)) {
    on_both("", async |home| {
        home.write("customers.csv", &customers(&FIVE));
        for (name, keys) in offers {
            home.write(&format!("config/offers/{name}.toml"), &offer(keys));
        }
        for (name, text) in rules {
            home.write(&format!("config/rules/{name}.toml"), text);
        }
        test(Shop::open(&home, NOON).await, &home).await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_first_offer_that_fits_and_has_budget_is_given() {
    let offers = [
        ("cookie", "budget = { total = 2 }\neligible = ['customer.tier == \"gold\"']"),
        ("tea", "budget = { total = 1 }\neligible = ['customer.tier == \"gold\"']"),
    ];
    let rules = [("treat", offer_rule(&[("offer", "[\"cookie\", \"tea\"]")]))];
    shop(&offers, &rules, async |mut shop, _| {
        let run = shop.tick(NOON).await;
        assert_eq!(run.counts.planned, 3);
        assert_eq!(run.counts.skipped[&Reason::NotEligible], 1);
        assert_eq!(run.counts.skipped[&Reason::NoConsent], 1);
        assert_eq!((shop.taken("cookie").await, shop.taken("tea").await), (20_000, 10_000));
        assert_eq!(shop.number("select count(*) from touchpoints where offer = 'tea'").await, 1);
        assert_sound(&shop, "cookie").await;
        assert_eq!(shop.send("2026-11-03T12:05:00Z").await["sent"], 3);
        assert_eq!(shop.number("select count(*) from offer_grants where state = 'spent'").await, 3);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_days_budget_is_the_business_days_and_a_refusal_for_want_of_it_is_judged_again() {
    let offers = [("cookie", "budget = { total = 10, per_day = 2 }")];
    shop(&offers, &[("treat", offer_rule(&[]))], async |mut shop, _| {
        let run = shop.tick(NOON).await;
        assert_eq!((run.counts.planned, run.counts.skipped[&Reason::NoBudget]), (2, 2));
        let run = shop.tick("2026-11-03T13:00:00Z").await;
        assert_eq!((run.counts.planned, run.counts.skipped[&Reason::NoBudget]), (0, 2));
        let run = shop.tick("2026-11-04T00:00:00Z").await;
        assert_eq!(run.counts.planned, 2);
        assert_sound(&shop, "cookie").await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn two_carts_of_one_customer_in_one_tick_are_given_what_one_customer_may_have() {
    let keys = [("for_each", "\"cart\""), ("when", "['cart.status == \"open\"']")];
    let offers = [("cookie", "budget = { total = 10 }\nper_customer = { max = 1 }")];
    on_both("", async |home| {
        home.write("customers.csv", &customers(&FIVE));
        home.write("carts.csv", "id,customer_id,status\nk1,a,open\nk2,a,open\nk3,b,open\n");
        home.write("config/offers/cookie.toml", &offer(offers[0].1));
        home.write("config/rules/treat.toml", &offer_rule(&keys));
        let mut shop = Shop::open(&home, NOON).await;
        let run = shop.tick(NOON).await;
        assert_eq!((run.counts.planned, run.counts.skipped[&Reason::NotEligible]), (2, 1));
        assert_eq!(
            shop.number("select max(n) from (select count(*) as n from offer_grants group by customer) as g").await,
            1
        );
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_transactional_message_goes_without_an_offer_that_cannot_be_given() {
    let keys = [("kind", "\"reminder\""), ("topic", "\"reminders\"")];
    shop(&[("cookie", "budget = { total = 2 }")], &[("note", offer_rule(&keys))], async |mut shop, _| {
        let run = shop.tick(NOON).await;
        assert_eq!(run.counts.planned, 5, "no consent for the topic: nobody has the offer, everybody the message");
        assert_eq!(shop.taken("cookie").await, 0);
        assert_eq!(
            shop.number("select count(*) from touchpoints where purpose = 'transactional' and offer is null").await,
            5
        );
        let told = "select count(*) from touchpoints where gates like '%without its offer (no consent%'";
        assert_eq!(shop.number(told).await, 5);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_skipped_or_expires_before_it_is_sent_goes_back_to_the_budget() {
    let offers = [(
        "cookie",
        "budget = { total = 10 }\ncode = { file = \"codes.txt\" }\neligible = ['customer.tier == \"gold\"']",
    )];
    on_both("", async |home| {
        home.write("customers.csv", &customers(&FIVE));
        home.write("codes.txt", "ONE\nTWO\nTHREE\nTHREE\n\n");
        home.write("config/offers/cookie.toml", &offer(offers[0].1));
        home.write("config/rules/treat.toml", &offer_rule(&[("expires_after", "\"2h\"")]));
        let mut shop = Shop::open(&home, NOON).await;
        assert_eq!(shop.tick(NOON).await.counts.planned, 3);
        assert_eq!(shop.number("select count(*) from offer_codes where taken = 1").await, 3);
        home.write("customers.csv", &customers(&FIVE).replace("c@shop.test,,gold", "c@shop.test,,tin"));
        shop.app.plan(&shop.lease, at("2026-11-03T12:01:00Z"), Some("nobody")).await.expect("data is read");
        shop.execute("update touchpoints set expires_at = due_at where customer = 'b'").await;
        let sent = shop.send("2026-11-03T12:30:00Z").await;
        assert_eq!((&sent["sent"], &sent["skipped"], &sent["expired"]), (&1.into(), &1.into(), &1.into()));
        let expected = [
            "a - sent -",
            "b - expired expired",
            "c - skipped not_eligible",
            "d - skipped not_eligible",
            "e - skipped no_consent",
        ];
        assert_eq!(shop.log().await, expected);
        assert_eq!(shop.taken("cookie").await, 10_000);
        assert_eq!(shop.number("select count(*) from offer_codes where taken = 1").await, 1);
        assert_sound(&shop, "cookie").await;
        home.write("customers.csv", &customers(&FIVE));
        let run = shop.tick("2026-11-03T13:00:00Z").await;
        assert_eq!(run.counts.planned, 1, "judged again, with a code that was given back");
        assert_sound(&shop, "cookie").await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn new_codes_in_the_file_are_given_from_the_next_pass_on() {
    let keys = "budget = { total = 10 }\ncode = { file = \"codes.txt\" }";
    on_both("", async |home| {
        home.write("customers.csv", &customers(&FIVE));
        home.write("codes.txt", "\u{feff}ONE\r\n");
        home.write("config/offers/cookie.toml", &offer(keys));
        home.write("config/rules/treat.toml", &offer_rule(&[]));
        let mut shop = Shop::open(&home, NOON).await;
        let run = shop.tick(NOON).await;
        assert_eq!((run.counts.planned, run.counts.skipped[&Reason::NoBudget]), (1, 3));
        home.write("codes.txt", "ONE\nTWO\nTHREE\n");
        assert_eq!(shop.tick("2026-11-03T13:00:00Z").await.counts.planned, 2);
        assert_eq!(shop.number("select count(distinct code) from offer_grants").await, 3);
        assert_sound(&shop, "cookie").await;
    })
    .await;
}
