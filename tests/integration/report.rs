//! The report: a funnel that adds up, goals counted within their time, the lift, and a page that stands alone.

use crate::harness::home::Settings;
use crate::harness::{chromium, node_modules};
use crate::pages::drive;
use crate::shop::{NOON, Shop, at, on_both, rule};
use plusone::report::{GoalReport, Report};
use plusone::store::report::{Filter, report};

const DATA: &str = r#"
[customer]
source = "customers.csv"
key = "id"
roles = { email = "email", name = "first_name" }
[customer.fields]
id = "text"
email = "text"
first_name = "text"
[order]
source = "orders.csv"
key = "id"
belongs_to = { customer = "customer_id" }
[order.fields]
id = "text"
customer_id = "text"
placed_at = "timestamp"
"#;

const GOAL: &str = "[goal]\nwhen = 'customer.orders.exists(o, o.placed_at > touchpoint.at)'\n";

/// The first ten ordered within three days, one later than that, one before; of those held out one ordered.
const ORDERS: &str = "id,customer_id,placed_at
1,c0,2026-11-03T15:00:00Z
2,c1,2026-11-03T15:00:00Z
3,c2,2026-11-03T15:00:00Z
4,c3,2026-11-03T15:00:00Z
5,c4,2026-11-03T15:00:00Z
6,c5,2026-11-03T15:00:00Z
7,c6,2026-11-03T15:00:00Z
8,c7,2026-11-03T15:00:00Z
9,c8,2026-11-04T15:00:00Z
10,c9,2026-11-06T11:59:00Z
11,c10,2026-11-06T12:02:00Z
12,c11,2026-11-03T11:00:00Z
13,c45,2026-11-03T15:00:00Z
";

/// Sixty customers, of whom three have no address and seventeen were held out. The rest got a note at noon.
async fn shop(home: &crate::harness::home::Home) -> Shop {
    let rows: String = (0..60)
        .map(|n| format!("c{n},{},\n", if n >= 57 { String::new() } else { format!("c{n}@shop.test") }))
        .collect();
    home.write("config/data.toml", DATA);
    home.write("customers.csv", &format!("id,email,first_name\n{rows}"));
    home.write("orders.csv", "id,customer_id,placed_at\n");
    home.write("config/rules/note.toml", &format!("description = \"A <b>note</b>\"\n{}{GOAL}", rule(&[])));
    home.write("config/rules/quiet.toml", &rule(&[("live", "false")]));
    let mut shop = Shop::open(home, NOON).await;
    let run = shop.tick(NOON).await;
    assert_eq!((run.counts.planned, run.counts.matched()), (57, 60));
    shop.execute(
        "update touchpoints set state = 'held_out' \
         where state = 'planned' and cast(substr(customer, 2) as bigint) between 40 and 56",
    )
    .await;
    assert_eq!(shop.send("2026-11-03T12:01:00Z").await["sent"], 40);
    home.write("orders.csv", ORDERS);
    shop.app.refresh().await.expect("read");
    shop
}

async fn made(shop: &Shop, filter: Filter<'_>, now: &str) -> Report {
    let project = &shop.app.workspace.project;
    let rules: Vec<_> = project.rules.values().cloned().collect();
    report(&shop.app.db, &rules, &project.catalogue, filter, at(now)).await.expect("a report")
}

fn goal(report: &Report) -> &GoalReport {
    report.rules[0].goal.as_ref().expect("a goal")
}

#[tokio::test(flavor = "multi_thread")]
async fn each_message_counts_once_and_goals_only_within_their_time() {
    on_both("", async |home| {
        let shop = shop(&home).await;
        let made_at = |now| made(&shop, Filter::default(), now);
        let whole = made_at("2026-11-20T12:00:00Z").await;
        let names: Vec<&str> = whole.rules.iter().map(|rule| rule.rule.as_str()).collect();
        assert_eq!(names, ["note", "quiet"]);
        let (note, funnel) = (&whole.rules[0], &whole.rules[0].funnel);
        assert_eq!((funnel.matched(), funnel.planned(), funnel.refusals(), funnel.held_out), (60, 40, 3, 17));
        assert_eq!((funnel.sent, funnel.failed, note.reach), (40, 0, 40));
        let time = note.time_to_send.expect("something was sent");
        assert_eq!((time.median.seconds(), time.most.seconds()), (60, 60));
        let goal = goal(&whole);
        assert_eq!((goal.sent.count, goal.sent.reached, goal.sent.open), (40, 10, 0));
        assert_eq!((goal.held_out.count, goal.held_out.reached, goal.held_out.open), (17, 1, 0));
        assert!(goal.sentence().contains("too few to tell"), "{}", goal.sentence());
        let early = made_at("2026-11-04T12:00:00Z").await;
        assert_eq!((self::goal(&early).sent.open, self::goal(&early).held_out.open), (30, 16));
        let later = Filter { since: Some(at("2026-11-04T00:00:00Z")), rule: Some("note") };
        let none = made(&shop, later, "2026-11-20T12:00:00Z").await;
        assert_eq!((none.rules.len(), none.rules[0].funnel.matched(), self::goal(&none).sent.count), (1, 0, 0));
        assert_eq!(whole.rules[1].funnel.matched(), 0);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_report_is_told_on_the_terminal_as_json_and_as_a_page_that_stands_alone() {
    on_both("", async |home| {
        let shop = shop(&home).await;
        shop.execute("update touchpoints set state = 'bounced' where customer = 'c20'").await;
        let told = home.plusone(&["report"]).ended_with(0).stdout;
        for line in
            ["note", "matched", "3 no address", "to 40 customers", "bounced", "Goal: 25.0% of 40", "Goal: none is set"]
        {
            assert!(told.contains(line), "{line}: {told}");
        }
        let json = home.plusone(&["report", "--rule", "note", "--since", "2026-11-01", "--json"]).ended_with(0).json();
        let note = &json["rules"][0];
        assert_eq!((&note["funnel"]["matched"], &note["funnel"]["refused"]["no_address"]), (&60.into(), &3.into()));
        assert_eq!(note["time_to_send"]["median_seconds"], 60);
        assert_eq!(note["goal"]["lift"]["conclusive"], false);
        assert_eq!(json["rules"].as_array().map(Vec::len), Some(1));
        let page = home.path().join("report.html");
        home.plusone(&["report", "--html", &page.to_string_lossy()]).ended_with(0);
        let page = home.read("report.html");
        for piece in
            ["<!doctype html>", "role=\"img\" aria-label=\"The funnel of note: matched 60", "A &lt;b&gt;note&lt;/b&gt;"]
        {
            assert!(page.contains(piece), "{piece}: {page}");
        }
        // What is code in a terminal is code here; nothing of ours is told as a word of programs.
        assert!(
            page.contains("none is set; <code>[goal]</code> in the rule") && !page.contains("no_address"),
            "{page}"
        );
        for outside in ["<script", "http://", "https://", "<link", "<img", "url("] {
            assert!(!page.contains(outside), "{outside}: {page}");
        }
        let unknown = home.plusone(&["report", "--rule", "nota"]).ended_with(2);
        assert!(unknown.stderr.contains("closest: note"), "{}", unknown.stderr);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_page_is_for_every_reader_on_a_phone_and_on_a_desk() {
    let (Some(modules), Some(browser)) = (node_modules(), chromium()) else { return };
    let home = crate::shop::home(&Settings::default());
    let _shop = with_variants(&home).await;
    home.write("config/rules/quiet.toml", &rule(&[("live", "false")]));
    home.plusone(&["report", "--html", "report.html"]).ended_with(0);
    let url = format!("file://{}", home.path().join("report.html").display());
    let words = ["95 times of 100", "Variants of note", "It has matched nobody."];
    let step = serde_json::json!({ "name": "report", "url": url, "expect": words, "whole": ".variants .wide" });
    let steps = serde_json::json!([step]);
    let seen = drive(&home, &modules, &browser, &steps);
    assert_eq!(seen["looked"], 4, "two widths, light and dark: {seen}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_later_than_now_is_counted_and_said() {
    on_both("", async |home| {
        let shop = shop(&home).await;
        let noon = made(&shop, Filter::default(), NOON).await;
        assert_eq!(noon.later, None, "what was written at this moment is not later");
        let before = made(&shop, Filter::default(), "2026-11-03T11:00:00Z").await;
        let later = before.later.expect("all of it");
        assert_eq!((later.count, later.until, before.rules[0].funnel.sent), (60, at(NOON), 40));
        let none = Filter { rule: Some("quiet"), ..Filter::default() };
        assert_eq!(made(&shop, none, "2026-11-03T11:00:00Z").await.later, None, "of that rule there is nothing");
        let sql = "update touchpoints set created_at = 4102444800000000 where customer in ('c1', 'c2')";
        shop.execute(sql).await;
        let said = "and 2 touchpoints of later than now, the last of 2100-01-01 00:00: `once --at` made them";
        let told = home.plusone(&["report"]).ended_with(0).stdout;
        assert!(told.lines().next().is_some_and(|line| line.ends_with(said)), "{told}");
        let json = home.plusone(&["report", "--json"]).ended_with(0).json();
        let later = serde_json::json!({ "count": 2, "until": "2100-01-01T00:00:00Z" });
        assert_eq!(json["later"], later);
        // `status` counts the same, and says so.
        let status = home.plusone(&["status"]).ended_with(0).stdout;
        let said = "by the way: 2 touchpoints of later than now, the last of 2100-01-01 00:00: `once --at` made them";
        assert!(status.contains(said), "{status}");
        assert_eq!(home.plusone(&["status", "--json"]).ended_with(0).json()["later"], later);
        // A run that wrote nothing is of later all the same.
        shop.execute("update touchpoints set created_at = 0").await;
        shop.execute("update runs set instant = 4102444800000000").await;
        let status = home.plusone(&["status"]).ended_with(0).stdout;
        let said = "a run of later than now that wrote nothing, of 2100-01-01 00:00: `once --at` made it\n";
        assert!(status.contains(&format!("by the way: {said}")), "{status}");
        let told = home.plusone(&["report"]).ended_with(0).stdout;
        assert!(
            told.split_inclusive('\n').next().is_some_and(|line| line.ends_with(&format!(", and {said}"))),
            "{told}"
        );
        let json = home.plusone(&["report", "--json"]).ended_with(0).json();
        assert_eq!(json["later"], serde_json::json!({ "count": 0, "until": "2100-01-01T00:00:00Z" }));
        let of_another = home.plusone(&["report", "--rule", "quiet"]).ended_with(0).stdout;
        assert!(of_another.starts_with("All touchpoints until") && !of_another.contains("later"), "{of_another}");
        let since = home.plusone(&["report", "--since", "2100-01-02"]).ended_with(0).stdout;
        assert!(since.starts_with("Touchpoints from") && !since.contains("later"), "{since}");
    })
    .await;
}

/// Of 60 customers 30 get each variant by the touchpoints written here; 4 and 15 of those sent reach the goal.
async fn with_variants(home: &crate::harness::home::Home) -> Shop {
    let variants = "[[variants]]\nname = \"plain\"\nshare = \"50%\"\n\
                    [[variants]]\nname = \"bold\"\nshare = \"50%\"\nsubject = \"Bold\"\n";
    let rows: String = (0..60).map(|n| format!("c{n},c{n}@shop.test,\n")).collect();
    home.write("config/data.toml", DATA);
    home.write("customers.csv", &format!("id,email,first_name\n{rows}"));
    home.write("orders.csv", "id,customer_id,placed_at\n");
    home.write("config/rules/note.toml", &format!("{}{GOAL}{variants}", rule(&[])));
    let mut shop = Shop::open(home, NOON).await;
    assert_eq!(shop.tick(NOON).await.counts.planned, 60);
    shop.execute(
        "update touchpoints set variant = case when cast(substr(customer, 2) as bigint) < 30 then 'plain' else 'bold' end",
    )
    .await;
    assert_eq!(shop.send("2026-11-03T12:01:00Z").await["sent"], 60);
    let reached = (0..4).chain(30..45);
    let orders: String = reached.map(|n| format!("{n},c{n},2026-11-03T15:00:00Z\n")).collect();
    home.write("orders.csv", &format!("id,customer_id,placed_at\n{orders}"));
    shop.app.refresh().await.expect("read");
    shop
}

#[tokio::test(flavor = "multi_thread")]
async fn variants_are_compared_by_their_goals_and_what_nothing_measures_is_no_zero() {
    on_both("", async |home| {
        let shop = with_variants(&home).await;
        let whole = made(&shop, Filter::default(), "2026-11-20T12:00:00Z").await;
        let [plain, bold] = &whole.rules[0].variants[..] else { panic!("two") };
        let numbers = |one: &plusone::report::variants::VariantReport| {
            let goal = one.goal.expect("a goal");
            (one.name.clone(), one.share, one.sent, goal.count, goal.reached)
        };
        assert_eq!(numbers(plain), ("plain".to_owned(), Some(500_000), 30, 30, 4));
        assert_eq!(numbers(bold), ("bold".to_owned(), Some(500_000), 30, 30, 15));
        assert_eq!((goal(&whole).sent.count, goal(&whole).sent.reached), (60, 19), "the rule's own is their sum");
        let told = home.plusone(&["report"]).ended_with(0).stdout;
        // Wilson's interval of 4 of 30 and Newcombe's of the difference to 15 of 30, by Python's statistics module.
        for piece in [
            "not measured",
            "nothing tracks it",
            "13.3%",
            "5.3% and 29.7%",
            "33.2% and 66.8%",
            "bold beats plain: between 13.2 and 55.3 points more reach the goal",
        ] {
            assert!(told.contains(piece), "{piece}: {told}");
        }
        let json = home.plusone(&["report", "--json"]).ended_with(0).json();
        let note = &json["rules"][0];
        assert_eq!(
            (&note["funnel"]["opened"], &note["funnel"]["clicked"]),
            (&serde_json::Value::Null, &serde_json::Value::Null)
        );
        assert!(note["funnel"]["delivered"].is_null(), "a folder sends no receipts");
        assert_eq!(note["variants"][1]["difference"]["conclusive"], true);
        assert_eq!(note["variants"][0]["difference"], serde_json::Value::Null, "it is the yardstick");
        home.plusone(&["report", "--html", "report.html"]).ended_with(0);
        let page = home.read("report.html");
        for piece in ["Variants of note", "How many reached the goal, by variant: plain 13.3%", "bold beats plain"] {
            assert!(page.contains(piece), "{piece}: {page}");
        }
        shop.execute("update touchpoints set state = 'delivered' where customer = 'c1'").await;
        assert!(home.plusone(&["report", "--json"]).ended_with(0).json()["rules"][0]["funnel"]["delivered"] == 1);
        let renamed = home.read("config/rules/note.toml").replace("\"bold\"", "\"loud\"");
        home.write("config/rules/note.toml", &renamed);
        let told = home.plusone(&["report"]).ended_with(0).stdout;
        assert!(told.contains("gone"), "what was sent under a name that is gone is shown still: {told}");
    })
    .await;
}
