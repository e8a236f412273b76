//! Moments at which a customer is left alone, and the way a customer is reached otherwise.

use crate::harness::home::Home;
use crate::shop::{NOON, Shop, at, customers, on_both, rule};
use plusone::config::load;
use plusone::sql::Sql;
use plusone::touchpoints::Reason;

const BAD_MOMENT: &str = "[courtesy]\nno_promotions_while = { unhappy = 'customer.tier == \"cross\"' }\n";
const PEOPLE: [&str; 3] =
    ["ann,ann@shop.test,Ann,cross,yes", "ben,ben@shop.test,Ben,,yes", "cem,cem@shop.test,Cem,calm,yes"];

fn offers_rule() -> String {
    rule(&[("topic", "\"offers\"")])
}

async fn told(shop: &Shop, rule: &str) -> String {
    let sql = "select gates from touchpoints where rule = $1";
    let row = shop.app.db.fetch_one(Sql::new(sql).with(rule)).await.expect("the log");
    row.expect("a touchpoint").opt_text(0).unwrap_or_default().to_owned()
}

/// The settings, the rule's keys, and what `check` says.
type Case<'a> = (&'a str, &'a [(&'a str, &'a str)], &'a str);

#[tokio::test(flavor = "multi_thread")]
async fn nothing_promotional_goes_at_a_bad_moment_and_an_unknown_one_stops_nothing() {
    on_both(BAD_MOMENT, async |home| {
        home.write("customers.csv", &customers(&PEOPLE));
        home.write("config/rules/treat.toml", &offers_rule());
        home.write("config/rules/note.toml", &rule(&[]));
        let mut shop = Shop::open(&home, NOON).await;
        let runs = shop.pass(NOON).await.runs;
        let planned: Vec<(&str, u64)> = runs.iter().map(|run| (run.rule.as_str(), run.counts.planned)).collect();
        assert_eq!(planned, [("note", 3), ("treat", 2)]);
        assert_eq!(runs[1].counts.skipped[&Reason::BadMoment], 1);
        let named = "select count(*) from touchpoint_events where detail = 'bad_moment: unhappy'";
        assert_eq!(shop.number(named).await, 1);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bad_moment_that_began_since_is_seen_at_sending() {
    on_both(BAD_MOMENT, async |home| {
        home.write("customers.csv", &customers(&PEOPLE[1..2]));
        home.write("config/rules/treat.toml", &offers_rule());
        let mut shop = Shop::open(&home, NOON).await;
        assert_eq!(shop.tick(NOON).await.counts.planned, 1);
        home.write("customers.csv", &customers(&["ben,ben@shop.test,Ben,cross,yes"]));
        shop.app.plan(&shop.lease, at(NOON), Some("nobody")).await.expect("data is read");
        assert_eq!(shop.send("2026-11-03T12:10:00Z").await["skipped"], 1);
        assert_eq!(shop.log().await, ["ben - skipped bad_moment"]);
        home.write("customers.csv", &customers(&PEOPLE[1..2]));
        assert_eq!(shop.tick("2026-11-03T13:00:00Z").await.counts.planned, 1, "the moment has passed");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_test_systems_list_is_asked_again_at_sending() {
    on_both("", async |home| {
        home.write("customers.csv", &customers(&PEOPLE[1..2]));
        home.write("config/rules/note.toml", &rule(&[]));
        let mut shop = Shop::open(&home, NOON).await;
        assert_eq!(shop.tick(NOON).await.counts.planned, 1);
        let settings = home.read("config/plusone.toml");
        home.write("config/plusone.toml", &format!("{settings}[guard]\nonly_to = [\"*@elsewhere.test\"]\n"));
        shop.reload().await;
        assert_eq!(shop.send(NOON).await["skipped"], 1);
        assert_eq!(shop.log().await, ["ben - skipped not_allowed_here"]);
    })
    .await;
}

async fn prefer(shop: &Shop, channels: &str) {
    let sql = "insert into preferences (bucket, customer, channels, updated_at) values ($1, 'ben', $2, 0)";
    let sql = Sql::new(sql).with(plusone::ids::bucket_of("ben")).with(channels);
    shop.app.db.execute(sql).await.expect("a preference");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_customers_own_order_goes_first_and_a_channel_without_consent_is_passed_over() {
    on_both("", async |home| {
        home.write("customers.csv", &customers(&PEOPLE[1..2]));
        home.write("config/rules/note.toml", &rule(&[("channels", "[\"email\", \"sms\"]")]));
        let promotional = [("channels", "[\"email\", \"sms\"]"), ("topic", "\"offers\"")];
        home.write("config/rules/treat.toml", &rule(&promotional));
        let mut shop = Shop::open(&home, NOON).await;
        shop.app.plan(&shop.lease, at(NOON), Some("nobody")).await.expect("data is read");
        prefer(&shop, "sms email").await;
        shop.pass(NOON).await;
        assert!(told(&shop, "note").await.contains(r#"["channel","sms"]"#));
        let treat = told(&shop, "treat").await;
        assert!(
            treat.contains(r#"["channel","email"],["consent","yes"],["passed_over","sms: no consent"]"#),
            "{treat}"
        );
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_preferred_channel_is_waited_for_where_its_silence_ends_in_time_and_passed_over_where_not() {
    let more = "[courtesy]\nquiet_hours = { sms = \"08:00-18:00\" }\n";
    on_both(more, async |home| {
        home.write("customers.csv", &customers(&PEOPLE[1..2]));
        let keys = |expires: &'static str| rule(&[("channels", "[\"email\", \"sms\"]"), ("expires_after", expires)]);
        home.write("config/rules/long.toml", &keys("\"12h\""));
        home.write("config/rules/short.toml", &keys("\"2h\""));
        let mut shop = Shop::open(&home, NOON).await;
        shop.app.plan(&shop.lease, at(NOON), Some("nobody")).await.expect("data is read");
        prefer(&shop, "sms").await;
        shop.pass(NOON).await;
        let long = told(&shop, "long").await;
        assert!(long.contains(r#"["channel","sms"],["hours","waits until 2026-11-03 18:"#), "{long}");
        let short = told(&shop, "short").await;
        assert!(short.contains(r#"["channel","email"],["passed_over","sms: too late ("#), "{short}");
    })
    .await;
}

/// `file:line:column message` of every problem of a home with these settings and this rule.
fn problems(more: &str, keys: &[(&str, &str)]) -> Vec<String> {
    let settings = crate::harness::home::Settings { more: more.to_owned(), ..Default::default() };
    let home: Home = crate::shop::home(&settings);
    home.write("config/rules/note.toml", &rule(keys));
    home.write("config/offers/cookie.toml", "description = \"A cookie\"\nvalue = 2.50\nbudget = { total = 100 }\n");
    let problems = load(home.path()).problems;
    // The shop's rules are for everybody, and `check` says so.
    let others = problems.iter().filter(|problem| !problem.message.contains("cannot be false"));
    others.map(ToString::to_string).collect()
}

#[test]
fn what_cannot_be_meant_is_an_error_at_its_place() {
    let cases: [Case<'_>; 7] = [
        ("", &[("urgent", "true"), ("topic", "\"offers\"")], "a promotional message is never urgent"),
        ("", &[("urgent", "true"), ("offer", "\"cookie\"")], "a message that carries an offer is never urgent"),
        ("", &[("holdout", "\"5%\"")], "some customers will not hear what they wait for"),
        ("[courtesy]\ncaps = [{ topic = \"offer\", max = 1, per = \"day\" }]", &[], "there is no topic `offer`"),
        ("[courtesy]\ncaps = [{ max = 0, per = \"day\" }]", &[], "0 is out of range"),
        ("[courtesy]\ncaps = [{ max = 1, per = \"year\" }]", &[], "`year` is not a time that places are counted in"),
        ("[courtesy]\nno_promotions_while = { x = 'customer.teir == \"x\"' }", &[], "`teir`"),
    ];
    for (more, keys, wanted) in cases {
        let told = problems(more, keys);
        assert_eq!(told.len(), 1, "{wanted}: {told:?}");
        assert!(told[0].contains(wanted), "{wanted}: {told:?}");
    }
    assert_eq!(problems(BAD_MOMENT, &[("urgent", "true")]), Vec::<String>::new());
}
