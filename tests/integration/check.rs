//! `plusone check` beyond the files themselves: the tests of rules, the data in the database, hours, what nothing uses.

use crate::harness::home::{Home, Settings};
use std::collections::BTreeMap;

const DATA: &str = r#"[customer]
key = "id"
source = "customers.csv"
roles = { email = "email" }
[customer.fields]
id = "text"
email = "text"
tier = "text"
points = "integer"
joined_on = "date"
[order]
key = "id"
belongs_to = { customer = "customer_id" }
[order.fields]
id = "text"
customer_id = "text"
total = "money"
placed_at = "timestamp"
[order_line]
key = "id"
plural = "lines"
belongs_to = { order = "order_id", product = "product_id" }
[order_line.fields]
id = "text"
order_id = "text"
product_id = "text"
quantity = "integer"
[product]
key = "id"
[product.fields]
id = "text"
name = "text"
"#;

fn rule(when: &str) -> String {
    format!(
        "live = true\nkind = \"reminder\"\ntopic = \"reminders\"\nschedule = \"every day at 09:00\"\n{when}\n\
         channels = [\"email\"]\ntemplate = \"letter\"\n"
    )
}

fn home() -> Home {
    Home::new()
        .settings(&Settings::default())
        .file("config/data.toml", DATA)
        .file("customers.csv", "id,email,tier,points,joined_on\n")
        .file("templates/letter/subject.hbs", "News")
        .file("templates/letter/email.txt.hbs", "Good news.")
}

/// The messages of a kind that `check --json` gives.
fn said(home: &Home, code: i32) -> Vec<String> {
    let lines = home.plusone(&["check", "--json"]).ended_with(code).json_lines();
    let text = |line: &serde_json::Value| {
        let of = |name: &str| line[name].as_str().unwrap_or_default().to_owned();
        format!("{}:{}: {}", of("file"), line["line"], of("message"))
    };
    lines.iter().map(text).collect()
}

/// Every file under a home with its content.
fn everything(home: &Home) -> BTreeMap<String, Vec<u8>> {
    fn walk(folder: &std::path::Path, all: &mut BTreeMap<String, Vec<u8>>) {
        for entry in std::fs::read_dir(folder).expect("the home is ours") {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                walk(&path, all);
            } else if !path.to_string_lossy().ends_with("-shm") {
                // What is left out holds no data: SQLite's index of its log, which readers mark with where they are.
                all.insert(path.display().to_string(), std::fs::read(&path).expect("the home is ours"));
            }
        }
    }
    let mut all = BTreeMap::new();
    walk(home.path(), &mut all);
    all
}

#[test]
fn the_tests_of_the_sample_pass() {
    let home = Home::new();
    home.copy("config");
    home.copy("templates");
    let ran = home.plusone(&["check"]).ended_with(0);
    assert!(ran.stdout.contains("no problems"), "{}", ran.stdout);
    assert!(ran.stdout.contains(" tests passed"), "{}", ran.stdout);
    let rules = std::fs::read_dir(home.path().join("config/rules")).expect("the sample has rules");
    let names: Vec<String> =
        rules.map(|file| file.expect("a file").file_name().to_string_lossy().into_owned()).collect();
    for name in names.iter().filter(|name| !name.ends_with(".test.toml")) {
        let test = name.replace(".toml", ".test.toml");
        assert!(names.contains(&test), "the rule {name} of the sample has no tests");
    }
}

#[test]
fn a_test_sees_rows_within_rows_and_what_they_belong_to() {
    let when =
        r#"when = 'customer.orders.exists(o, o.lines.exists(l, l.quantity >= 2 && l.product.name == "House beans"))'"#;
    let test = |name: &str, product: &str, expect: &str| {
        format!(
            "[[test]]\nname = \"{name}\"\nnow = \"2026-11-23 12:00\"\ncustomer = {{ id = \"ben\", email = \"ben@shop.test\" }}\n\
             orders = [{{ id = \"o1\", total = \"12.50\", lines = [{{ quantity = 2, product = {{ name = \"{product}\" }} }}] }}]\n\
             expect = {expect}\n"
        )
    };
    // Both say `ben` and `o1`: each has its own.
    let tests =
        [test("beans", "House beans", "{ state = \"planned\" }"), test("tea", "Tea", "\"not selected\"")].concat();
    let home = home().file("config/rules/beans.toml", &rule(when)).file("config/rules/beans.test.toml", &tests);
    let ran = home.plusone(&["check"]).ended_with(0);
    assert!(ran.stdout.contains("2 tests passed"), "{}", ran.stdout);
}

#[test]
fn a_failing_test_says_what_came_out_and_why() {
    let test = "[[test]]\nname = \"a gold customer\"\nnow = 2026-11-23T12:00:00Z\n\
                customer = { email = \"ben@shop.test\", tier = \"silver\" }\nexpect = { channel = \"email\" }\n";
    let home = home()
        .file("config/rules/gold.toml", &rule("when = 'customer.tier == \"gold\"'"))
        .file("config/rules/gold.test.toml", test);
    let ran = home.plusone(&["check"]).ended_with(2);
    for part in [
        "the test `a gold customer` expects: planned, by email; what comes out: not selected",
        "config/rules/gold.test.toml:5:10",
        "STOPS      customer.tier == \"gold\" is false  [customer.tier = silver]",
        "the customer of `a gold customer`",
    ] {
        assert!(ran.stdout.contains(part), "{part} is missing in {}", ran.stdout);
    }
    let broken = home.plusone(&["who", "gold"]).ended_with(0);
    assert!(!broken.stderr.contains("test"), "a test that fails breaks no rule: {}", broken.stderr);
}

#[test]
fn what_the_rule_sent_before_counts_in_a_test() {
    let test = |name: &str, sent: &str, expect: &str| {
        format!(
            "[[test]]\nname = \"{name}\"\nnow = 2026-11-23T12:00:00Z\ncustomer = {{ email = \"ben@shop.test\", tier = \"gold\" }}\n\
             touchpoints = [{{ sent_at = \"{sent}\" }}]\nexpect = {expect}\n"
        )
    };
    let tests = [
        test("three days ago", "now-3d", "{ skipped = \"again_too_soon\" }"),
        test("three weeks ago", "now-21d", "{ state = \"planned\" }"),
    ];
    let rule = rule("when = 'customer.tier == \"gold\"'\nagain_after = \"14d\"");
    let home = home().file("config/rules/gold.toml", &rule).file("config/rules/gold.test.toml", &tests.concat());
    assert_eq!(said(&home, 0), Vec::<String>::new());
}

/// A test of the rule `news` for one customer.
fn test_of_news(name: &str, given: &str, expect: &str) -> String {
    format!("[[test]]\nname = \"{name}\"\nnow = 2026-11-23T12:00:00Z\n{given}\nexpect = {expect}\n")
}

#[test]
fn a_test_that_expects_a_variant_is_about_somebody_who_gets_it() {
    let variants = "[[variants]]\nname = \"rare\"\nshare = \"0.01%\"\n[[variants]]\nname = \"plain\"\nshare = \"99.99%\"\n\
                    subject = \"Plain news\"\n";
    let somebody = "customer = { email = \"ben@shop.test\" }";
    let known = "customer = { id = \"ben\", email = \"ben@shop.test\" }";
    let tests = [
        test_of_news("one in ten thousand", somebody, "{ variant = \"rare\" }"),
        test_of_news("all others", somebody, "{ variant = \"plain\", channel = \"email\" }"),
        test_of_news("Ben", known, "{ variant = \"plain\" }"),
    ];
    let home = home()
        .file("config/rules/news.toml", &format!("{}{variants}", rule("")))
        .file("config/rules/news.test.toml", &tests.concat());
    let ran = home.plusone(&["check"]).ended_with(0);
    assert!(ran.stdout.contains("3 tests passed"), "{}", ran.stdout);
    // Whose key is written has the variant that is theirs.
    home.write("config/rules/news.test.toml", &test_of_news("Ben", known, "{ variant = \"rare\" }"));
    let ran = home.plusone(&["check"]).ended_with(2);
    let message = "the test `Ben` expects: planned, variant rare; what comes out: planned, by email, variant plain, without an offer";
    assert!(ran.stdout.contains(message), "{}", ran.stdout);
}

#[test]
fn a_test_of_a_rule_that_waits_for_an_event_says_which_one_came() {
    let waits = |for_each: &str, when: &str| {
        rule(&format!("for_each = \"{for_each}\"\n{when}"))
            .replace("schedule = \"every day at 09:00\"", "on_event = \"Order Completed\"")
    };
    let event = |name: &str, total: u32| {
        format!(
            "customer = {{ email = \"ben@shop.test\", tier = \"gold\" }}\n\
             events = [{{ name = \"{name}\", at = \"now-1h\", total = {total} }}]"
        )
    };
    let tests = [
        test_of_news("a large order", &event("Order Completed", 60), "{ state = \"planned\" }"),
        test_of_news("a small one", &event("Order Completed", 6), "\"not selected\""),
        test_of_news("another event", &event("Order Cancelled", 60), "\"not selected\""),
    ]
    .concat();
    let home = home()
        .file("config/data.toml", &format!("{DATA}[event.\"Order Completed\".fields]\ntotal = \"money\"\n"))
        .file("config/rules/news.toml", &waits("event", "when = 'event.total >= 50'"))
        .file("config/rules/news.test.toml", &tests);
    let ran = home.plusone(&["check"]).ended_with(0);
    assert!(ran.stdout.contains("3 tests passed"), "{}", ran.stdout);
    // Of a rule about something else the event only says whom to look at.
    home.write("config/rules/news.toml", &waits("customer", "when = 'customer.tier == \"gold\"'"));
    let wrong = test_of_news("another event", &event("Order Completd", 60), "{ state = \"planned\" }");
    home.write("config/rules/news.test.toml", &format!("{}{wrong}", &tests[..tests.rfind("[[test]]").expect("three")]));
    let ran = home.plusone(&["check"]).ended_with(2);
    let small = "the test `a small one` expects: not selected; what comes out: planned";
    let said = ["STOPS      on_event = \"Order Completed\"", small];
    assert!(said.iter().all(|part| ran.stdout.contains(part)), "{}", ran.stdout);
}

#[test]
fn an_event_that_never_came_is_told_of_once_others_have() {
    let waits = |event: &str| {
        let rule = rule("").replace("schedule = \"every day at 09:00\"", &format!("on_event = \"{event}\""));
        format!("{rule}for_each = \"event\"\n")
    };
    let home = home()
        .file("config/rules/done.toml", &waits("Order Completed"))
        .file("config/rules/near.toml", &waits("Order Completd"))
        .file("config/rules/far.toml", &waits("Newsletter Read"));
    home.write("customers.csv", "id,email,tier,points,joined_on\n1,a@shop.test,gold,12,2026-01-01\n");
    home.plusone(&["once", "--no-send"]).ended_with(0);
    assert_eq!(said(&home, 0), Vec::<String>::new(), "nothing came yet");
    home.write("events.csv", "id,customer_id,name,at\ne1,1,Order Completed,2026-11-03T12:00:00Z\n");
    home.plusone(&["import", "event", "events.csv"]).ended_with(0);
    assert_eq!(
        said(&home, 0),
        [
            "config/rules/far.toml:4: no event `Newsletter Read` has ever come in, though others have",
            "config/rules/near.toml:4: no event `Order Completd` has ever come in, though others have",
        ]
    );
    let ran = home.plusone(&["check"]).ended_with(0);
    for help in ["the nearest that came is `Order Completed`", "among those that came are `Order Completed`"] {
        assert!(ran.stdout.contains(help), "{}", ran.stdout);
    }
}

#[test]
fn a_look_at_the_data_makes_and_changes_nothing() {
    let home = home().file("config/rules/gold.toml", &rule("when = 'customer.points >= 10'"));
    home.write(
        "customers.csv",
        "id,email,tier,points,joined_on\n1,a@shop.test,gold,12,2026-01-01\n2,b@shop.test,gold,5,\n",
    );
    let before = everything(&home);
    home.plusone(&["check"]).ended_with(0);
    assert!(everything(&home) == before, "a check makes no database");
    home.plusone(&["once", "--no-send"]).ended_with(0);
    let before = everything(&home);
    let ran = home.plusone(&["check"]).ended_with(0);
    assert!(ran.stdout.contains("matches now: 1 of 2 customers"), "{}", ran.stdout);
    let after = everything(&home);
    assert_eq!(after.keys().collect::<Vec<_>>(), before.keys().collect::<Vec<_>>());
    assert!(after == before, "a check changes no database");
}

#[test]
fn conditions_that_tell_nobody_from_anybody_are_told_of_by_the_data() {
    let mut rows = String::from("id,email,tier,points,joined_on\n");
    for number in 0..120 {
        let tier = if number % 2 == 0 { "gold" } else { "silver" };
        rows.push_str(&format!("{number},c{number}@shop.test,{tier},{number},2026-01-01\n"));
    }
    let home = home()
        .file("config/rules/all.toml", &rule("when = ['customer.points >= 0', 'customer.tier == \"gold\"']"))
        .file("config/rules/none.toml", &rule("when = 'customer.tier == \"platinum\"'"))
        .file("config/rules/odd.toml", &rule("when = ['customer.tier == \"gold\"', 'customer.points in [1, 3, 5]']"))
        .file("config/rules/soon.toml", &rule("when = 'customer.joined_on > today()'"))
        .file("config/rules/nobody.toml", &rule("unless = 'customer.points < 1000'"))
        .file("config/rules/never.toml", &rule("unless = ['customer.points > 1000', 'customer.joined_on > today()']"));
    home.write("customers.csv", &rows);
    assert_eq!(said(&home, 0), Vec::<String>::new(), "without a database nothing is said of data");
    home.plusone(&["once", "--no-send"]).ended_with(0);
    assert_eq!(
        said(&home, 0),
        [
            "config/rules/all.toml:5: this is true of all of the 120 customers, so it leaves nobody out",
            "config/rules/never.toml:5: this is true of none of the 120 customers, so it keeps nobody back",
            "config/rules/nobody.toml:5: this is true of all of the 120 customers, so the rule reaches nobody",
            "config/rules/none.toml:5: this is true of none of the 120 customers, so the rule reaches nobody",
            "config/rules/odd.toml:5: each condition is true of some, all together of none of the 120 customers",
        ]
    );
    let help = |tier: &str| {
        home.write(
            "config/rules/none.toml",
            &rule(&format!("when = 'customer.tier == \"{tier}\" && customer.points > 5'")),
        );
        home.plusone(&["check"]).ended_with(0).stdout
    };
    let said = help("Gold");
    assert!(said.contains("help: the nearest that is there is `gold`; texts count to the letter"), "{said}");
    let said = help("platinum");
    assert!(
        said.contains("help: texts count to the letter; among those that are there are `gold`, `silver`"),
        "{said}"
    );
}

#[test]
fn a_rule_that_always_meets_silence_is_told_of() {
    let settings =
        Settings { more: "[courtesy]\nquiet_hours = { email = \"22:00-07:00\" }\n".to_owned(), ..Settings::default() };
    let at = |time: &str| rule("expires_after = \"2h\"").replace("09:00", time);
    let home = home()
        .settings(&settings)
        .file("config/rules/night.toml", &at("03:00"))
        .file("config/rules/dawn.toml", &at("06:00"))
        .file("config/rules/day.toml", &at("12:00"));
    let told =
        "config/rules/night.toml:4: whenever this rule looks, its channels are silent until its messages have expired";
    assert_eq!(said(&home, 0), [told]);
}

#[test]
fn templates_and_partials_that_nothing_uses_are_told_of() {
    let home = home()
        .file("config/rules/gold.toml", &rule(""))
        .file("templates/old/subject.hbs", "Old news")
        .file("templates/letter/email.txt.hbs", "Good news. {{> end}}")
        .file("templates/_partials/end.hbs", "Yours.")
        .file("templates/_partials/start.hbs", "Dear {{customer.email}}");
    assert_eq!(
        said(&home, 0),
        [
            "templates/_partials/start.hbs:1: no template uses the partial `start`",
            "templates/old/subject.hbs:1: no rule uses the template `old`",
        ]
    );
    home.write("templates/letter/email.txt.hbs", "Good news.");
    assert_eq!(said(&home, 0)[0], "templates/_partials/end.hbs:1: no template uses the partials `end`, `start`");
    for path in [
        "config/rules/gold.toml",
        "templates/letter/email.txt.hbs",
        "templates/letter/subject.hbs",
        "templates/old/subject.hbs",
    ] {
        std::fs::remove_file(home.path().join(path)).expect("it was written");
    }
    assert_eq!(said(&home, 0), Vec::<String>::new(), "before there is a template they wait for it");
}

#[test]
fn explain_lists_what_can_be_named_and_called() {
    let home = home();
    let fields = home.plusone(&["explain", "fields", "order"]).ended_with(0).stdout;
    assert!(fields.contains("order.total: money; may be missing\n      order.total >= 20"), "{fields}");
    assert!(fields.contains("order.lines: list of order_line"), "{fields}");
    let ran = home.plusone(&["explain", "fields", "oder"]).ended_with(2);
    assert!(ran.stderr.contains("closest: order"), "{}", ran.stderr);
    let functions = home.plusone(&["explain", "functions", "--json"]).ended_with(0).json();
    assert!(functions.as_array().expect("a list").iter().any(|one| one["name"] == "ago"), "{functions}");
    let reason = home.plusone(&["explain", "reasons", "capped"]).ended_with(0).stdout;
    assert!(reason.contains("capped: the customer has had as many messages"), "{reason}");
    assert!(home.plusone(&["explain", "helpers"]).ended_with(0).stdout.contains("{{money cart.total}}"));
}
