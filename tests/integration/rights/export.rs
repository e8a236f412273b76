//! What is held about a person, as they are handed it.

use crate::harness::home::Home;
use crate::shop::{Shop, customers, on_both, rule};
use serde_json::Value;

const COOKIE: &str = "description = \"A cookie\"\nvalue = 2.50\ncost = 0.80\nbudget = { total = 500 }\n\
                      code = { pattern = \"COOKIE-######\" }\n";

/// Ada, whose name is markup, with a message, a consent, a code, a suppression, a pause and a cart; and Bob.
async fn live(home: &Home) -> Shop {
    home.write("config/rules/gift.toml", &rule(&[("offer", "[\"cookie\"]"), ("topic", "\"offers\"")]));
    home.write("config/offers/cookie.toml", COOKIE);
    home.write(
        "customers.csv",
        &customers(&["ada,ada@one.test,<b>Ada</b>,gold,true", "bob,bob@one.test,Bob,basic,true"]),
    );
    home.write("carts.csv", "id,customer_id,status\ncart-of-ada,ada,open\ncart-of-bob,bob,open\n");
    let mut shop = Shop::open(home, "2026-11-03T12:00:00Z").await;
    shop.pass("2026-11-03T12:00:00Z").await;
    assert_eq!(shop.send("2026-11-03T12:00:00Z").await["sent"], 2);
    home.plusone(&["suppress", "add", "ada@one.test", "--scope", "topic:surveys", "--reason", "asked"]).ended_with(0);
    home.plusone(&["pause", "ada"]).ended_with(0);
    shop
}

#[tokio::test]
async fn everything_about_one_person_and_nothing_about_another() {
    on_both("", async |home| {
        let shop = live(&home).await;
        home.plusone(&["export", "ada@one.test", "--out", "var"]).ended_with(0);
        let whole: Value = serde_json::from_str(&home.read("var/export-ada.json")).expect("one document");
        assert_eq!(whole["about"]["customer"], "ada");
        let records = whole["records"].as_object().expect("records by section");
        let sections: Vec<&str> = records.keys().map(String::as_str).collect();
        let kept = ["consents", "offer_grants", "suppressions", "pauses", "address_places"];
        assert_eq!(sections, [&["customer", "cart"][..], &kept, &["touchpoints"]].concat());
        assert_eq!(records["customer"][0]["first_name"], "<b>Ada</b>");
        assert_eq!(records["cart"][0]["id"], "cart-of-ada");
        let consent = &records["consents"][0];
        assert_eq!((&consent["value"], &consent["source"]), (&true.into(), &"the shop".into()));
        let code = records["offer_grants"][0]["code"].as_str().expect("a code").to_owned();
        assert_eq!(records["suppressions"][0]["scope"], "topic:surveys");
        let message = &records["touchpoints"][0];
        assert!(message["words"]["text"].as_str().expect("a text").contains("Hello <b>Ada</b>"), "{message}");
        assert!(message["events"].as_array().expect("events").len() >= 2, "{message}");
        assert!(message["gates"].is_array() && message["facts"].is_object(), "{message}");

        let page = home.read("var/export-ada.html");
        for told in
            ["Hello &lt;b&gt;Ada&lt;/b&gt;", "cart-of-ada", &code, "3 November 2026, 12:00", "the shop", "asked"]
        {
            assert!(page.contains(told), "{told}");
        }
        assert!(!page.contains("<b>") && !page.contains("<script") && !page.contains("=\"http"));
        for text in [page, home.read("var/export-ada.json")] {
            assert!(!text.contains("bob"), "nothing of another customer");
        }

        let refused = home.plusone(&["export", "ada", "--out", "var"]).ended_with(1);
        assert!(refused.stderr.contains("is there already"), "{}", refused.stderr);
        assert!(home.read("var/export-ada.html").ends_with("</html>\n"), "what is there stays");

        let lines = home.plusone(&["export", "ada", "--json"]).ended_with(0).json_lines();
        assert_eq!(lines[0]["record"], "export");
        let count: usize = records.values().map(|section| section.as_array().expect("a list").len()).sum();
        assert_eq!(lines.len(), 1 + count);
        drop(shop);
    })
    .await;
}

#[tokio::test]
async fn what_is_kept_of_an_entity_that_is_no_longer_declared_is_told_and_erased() {
    on_both("", async |home| {
        let shop = live(&home).await;
        let data = home.read("config/data.toml");
        let (before, _) = data.split_once("[cart]").expect("carts are declared");
        home.write("config/data.toml", before);
        let lines = home.plusone(&["export", "ada", "--json"]).ended_with(0).json_lines();
        assert!(lines.iter().any(|line| line["record"] == "cart" && line["data"]["id"] == "cart-of-ada"));
        home.plusone(&["erase", "ada", "--yes"]).ended_with(0);
        assert_eq!(shop.number("select count(*) from d_cart").await, 1);
    })
    .await;
}

#[cfg(unix)]
#[tokio::test]
async fn only_the_owner_may_read_an_export_and_the_database() {
    use std::os::unix::fs::PermissionsExt;
    on_both("", async |home| {
        live(&home).await;
        home.plusone(&["export", "ada"]).ended_with(0);
        for name in ["export-ada.json", "export-ada.html", "var/plusone.db", "var/plusone.db-wal"] {
            // Where the records lie in PostgreSQL there is no file.
            if name.starts_with("var") && !home.path().join(name).exists() {
                continue;
            }
            let mode = std::fs::metadata(home.path().join(name)).expect("a file").permissions().mode();
            assert_eq!(mode & 0o777, 0o600, "{name}");
        }
    })
    .await;
}
