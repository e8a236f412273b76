//! Variants: each customer gets theirs, sticky, with its own words, channel and offer, and the log says which.

use crate::harness::home::Home;
use crate::shop::{NOON, Shop, WAY_OUT, at, customers, on_both, rule};
use plusone::problem::Severity;
use plusone::sql::Sql;
use std::collections::BTreeMap;

const HALVES: &str = "[[variants]]\nname = \"plain\"\nshare = \"50%\"\n";

/// `count` customers who said yes to offers.
fn crowd(count: usize) -> String {
    let rows: Vec<String> = (0..count).map(|n| format!("c{n},c{n}@shop.test,Ann,gold,yes")).collect();
    customers(&rows.iter().map(String::as_str).collect::<Vec<_>>())
}

fn write(home: &Home, keys: &[(&str, &str)], variants: &str) {
    home.write("config/rules/note.toml", &format!("{}{variants}", rule(keys)));
}

/// The column of each customer's touchpoint.
async fn column(shop: &Shop, what: &str) -> BTreeMap<String, String> {
    let sql = format!("select customer, coalesce({what}, '-') from touchpoints");
    let rows = shop.app.db.fetch(Sql::new(sql)).await.expect("the log");
    rows.iter().map(|row| (row.text(0).to_owned(), row.text(1).to_owned())).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn each_variant_has_its_own_words_channel_and_subject_and_the_log_says_which() {
    on_both("", async |home| {
        home.write("customers.csv", &crowd(60));
        home.write("templates/other/subject.hbs", "Other words");
        home.write("templates/other/email.txt.hbs", &format!("Other {WAY_OUT}"));
        let variants = "[[variants]]\nname = \"plain\"\nshare = \"25%\"\n\
                        [[variants]]\nname = \"text\"\nshare = \"25%\"\nchannels = \"sms\"\n\
                        [[variants]]\nname = \"other\"\nshare = \"25%\"\ntemplate = \"other\"\n\
                        [[variants]]\nname = \"titled\"\nshare = \"25%\"\nsubject = \"For {{customer.id}}, {{variant}}\"\n";
        write(&home, &[], variants);
        let mut shop = Shop::open(&home, NOON).await;
        assert_eq!(shop.tick(NOON).await.counts.planned, 60);
        assert_eq!(shop.send("2026-11-03T12:01:00Z").await["sent"], 60);
        let rules = &shop.app.workspace.project.rules["note"];
        let (said, channels, subjects) =
            (column(&shop, "variant").await, column(&shop, "channel").await, column(&shop, "subject").await);
        for (customer, variant) in &said {
            assert_eq!(Some(variant.as_str()), rules.variant_of(customer).map(|variant| variant.name.as_str()));
            let (channel, subject) = match variant.as_str() {
                "plain" => ("email", "A note".to_owned()),
                "text" => ("sms", "-".to_owned()),
                "other" => ("email", "Other words".to_owned()),
                "titled" => ("email", format!("For {customer}, titled")),
                other => panic!("{other}"),
            };
            assert_eq!((&*channels[customer], &subjects[customer]), (channel, &subject), "{customer} {variant}");
        }
        let each: Vec<usize> =
            ["plain", "text", "other", "titled"].map(|name| said.values().filter(|said| *said == name).count()).into();
        assert!(each.iter().all(|count| *count > 5), "{each:?}");
        let (one, variant) = said.first_key_value().expect("somebody");
        let shown = home.plusone(&["log", "--customer", one]).ended_with(0).stdout;
        assert!(shown.contains(&format!("variant {variant}")), "{shown}");
        let log = home.plusone(&["log", "--customer", one, "--json"]).ended_with(0).json();
        assert_eq!(log["variant"], variant.as_str());
        let id = log["id"].as_str().expect("an id");
        assert!(home.plusone(&["show", id]).ended_with(0).stdout.contains(variant.as_str()));
        assert_eq!(home.plusone(&["show", id, "--json"]).ended_with(0).json()["variant"], variant.as_str());
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_why_and_preview_say_the_variant_before_anything_is_sent() {
    on_both("", async |home| {
        home.write("customers.csv", &crowd(3));
        let titled = "[[variants]]\nname = \"titled\"\nshare = \"50%\"\nsubject = \"Titled\"\n";
        write(&home, &[], &format!("{HALVES}{titled}"));
        let shop = Shop::open(&home, NOON).await;
        let expected =
            |customer: &str| shop.app.workspace.project.rules["note"].variant_of(customer).expect("one").name.clone();
        let who = home.plusone(&["who", "note", "--json"]).ended_with(0).json();
        let sample = who["sample"].as_array().expect("a sample");
        assert_eq!(sample.len(), 3);
        for one in sample {
            assert_eq!(one["variant"], expected(one["customer"].as_str().expect("a customer")).as_str());
        }
        let told = home.plusone(&["who", "note"]).ended_with(0).stdout;
        let why = home.plusone(&["why", "c0", "note"]).ended_with(0).stdout;
        let name = expected("c0");
        assert!(told.contains(&format!("email, variant {name}")), "{told}");
        assert!(why.contains(&format!("email, variant {name},")), "{why}");
        for customer in ["c0", "c1", "c2"] {
            let preview = home.plusone(&["preview", "note", "--customer", customer, "--json"]).ended_with(0).json();
            let subject = if expected(customer) == "titled" { "Titled" } else { "A note" };
            assert_eq!(preview["messages"][0]["subject"], subject, "{customer}");
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_variant_stays_the_same_from_message_to_message_and_those_held_out_have_none() {
    on_both("", async |home| {
        home.write("customers.csv", &crowd(80));
        let titled = "[[variants]]\nname = \"titled\"\nshare = \"50%\"\nsubject = \"Titled\"\n";
        write(&home, &[("once_per", "\"day\""), ("holdout", "\"25%\"")], &format!("{HALVES}{titled}"));
        let mut shop = Shop::open(&home, NOON).await;
        let run = shop.tick(NOON).await;
        assert_eq!(run.counts.planned + run.counts.held_out, 80);
        assert!(run.counts.held_out > 5);
        assert_eq!(
            shop.number("select count(*) from touchpoints where state = 'held_out' and variant is not null").await,
            0
        );
        assert_eq!(
            shop.number("select count(*) from touchpoints where state = 'planned' and variant is null").await,
            0
        );
        shop.tick("2026-11-04T12:00:00Z").await;
        let sql = "select count(*) from (select customer from touchpoints where state = 'planned' group by customer \
                   having count(distinct variant) > 1 or count(*) <> 2) x";
        assert_eq!(shop.number(sql).await, 0, "each has theirs on both days");
        for name in ["plain", "titled"] {
            let sql = format!("select count(*) from touchpoints where state = 'planned' and variant = '{name}'");
            assert!(shop.number(&sql).await > 20, "those held out are taken from both");
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_variants_offer_is_taken_from_its_own_budget_and_one_without_goes_without() {
    on_both("", async |home| {
        home.write("customers.csv", &crowd(60));
        for (name, total) in [("cookie", 500), ("tea", 3)] {
            let text =
                format!("description = \"A plus one\"\nvalue = 2.50\ncost = 1.00\nbudget = {{ total = {total} }}\n");
            home.write(&format!("config/offers/{name}.toml"), &text);
        }
        let variants = "[[variants]]\nname = \"none\"\nshare = \"40%\"\noffer = []\n\
                        [[variants]]\nname = \"cookie\"\nshare = \"30%\"\n\
                        [[variants]]\nname = \"tea\"\nshare = \"30%\"\noffer = \"tea\"\n";
        write(&home, &[("topic", "\"offers\""), ("offer", "\"cookie\"")], variants);
        let mut shop = Shop::open(&home, NOON).await;
        let run = shop.tick(NOON).await;
        let of = async |variant: &str| {
            shop.number(&format!("select count(*) from touchpoints where variant = '{variant}'")).await
        };
        let with =
            async |offer: &str| shop.number(&format!("select count(*) from touchpoints where offer = '{offer}'")).await;
        let (none, cookie, tea) = (of("none").await, of("cookie").await, of("tea").await);
        assert!(none > 10 && cookie > 8, "{none} {cookie}");
        assert_eq!((tea, with("tea").await, with("cookie").await), (3, 3, cookie));
        assert_eq!(
            shop.number("select count(*) from touchpoints where variant = 'none' and offer is not null").await,
            0
        );
        assert_eq!((shop.taken("cookie").await, shop.taken("tea").await), (cookie * 10_000, 30_000));
        let refused = run.counts.skipped.values().sum::<u64>();
        assert_eq!(run.counts.planned + refused, 60, "tea's budget refuses the rest of its variant");
        assert!(refused > 3);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_variant_that_is_gone_when_its_message_is_due_is_drawn_anew_at_the_next_tick() {
    on_both("", async |home| {
        home.write("customers.csv", &crowd(20));
        let titled = |name: &str| format!("[[variants]]\nname = \"{name}\"\nshare = \"50%\"\nsubject = \"Titled\"\n");
        write(&home, &[], &format!("{HALVES}{}", titled("old")));
        let mut shop = Shop::open(&home, NOON).await;
        shop.tick(NOON).await;
        let old = shop.number("select count(*) from touchpoints where variant = 'old'").await;
        assert!(old > 3);
        write(&home, &[], &format!("{HALVES}{}", titled("fresh")));
        shop.reload().await;
        assert_eq!(shop.send("2026-11-03T12:01:00Z").await["sent"], 20 - old);
        assert_eq!(
            shop.number("select count(*) from touchpoints where state = 'skipped' and reason = 'render_error'").await,
            old
        );
        shop.tick("2026-11-03T13:00:00Z").await;
        assert_eq!(shop.send("2026-11-03T13:01:00Z").await["sent"], old);
        assert_eq!(
            shop.number("select count(*) from touchpoints where variant = 'fresh' and state = 'sent'").await,
            old
        );
        assert_eq!(shop.app.clock.now(), at("2026-11-03T13:01:00Z"));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn every_variants_template_is_checked_and_what_changes_nothing_is_told() {
    on_both("", async |home| {
        home.write("customers.csv", &crowd(1));
        home.write("templates/broken/subject.hbs", "Hello {{customer.nam}}");
        home.write("templates/broken/email.txt.hbs", WAY_OUT);
        let mut shop = Shop::open(&home, NOON).await;
        let mut told = async |variants: &str| {
            write(&home, &[], &format!("{HALVES}{variants}"));
            shop.reload().await;
            let severity = |problem: &plusone::problem::Problem| {
                if problem.severity == Severity::Error { "error" } else { "warning" }
            };
            let problems = shop.app.workspace.problems.iter();
            problems.map(|problem| format!("{} {problem}\n", severity(problem))).collect::<String>()
        };
        let other = |keys: &str| format!("[[variants]]\nname = \"b\"\nshare = \"50%\"\n{keys}\n");
        assert!(told(&other("template = \"broken\"")).await.contains("error templates/broken/subject.hbs:1:"));
        let text = told(&other("subject = \"Hi {{customer.nam}}\"")).await;
        assert!(
            text.contains("error config/rules/note.toml:14:") && text.contains("customer has no field `nam`"),
            "{text}"
        );
        let text = told(&other("subject = \"Hi {{customer.first_name}}\"")).await;
        assert!(text.contains("may have no value"), "{text}");
        assert!(told(&other("channels = \"voice\"")).await.contains("has no `voice.hbs`, which voice needs"));
        let text = told(&other("")).await;
        assert!(
            text.contains("warning config/rules/note.toml:") && text.contains("`b` is the same message as `plain`"),
            "{text}"
        );
        home.write("templates/note/subject.hbs", "A note{{#if (eq variant \"b\")}}!{{/if}}");
        assert!(!told(&other("")).await.contains("same message"), "the template tells them apart");
        home.write("templates/note/fr/subject.hbs", "Un mot");
        let text = told(&other("subject = \"Titled\"")).await;
        assert!(text.contains("those who read `fr` keep the subject of `note`"), "{text}");
    })
    .await;
}
