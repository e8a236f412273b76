//! When messages go: legal hours, zones that are not known, pace, and schedules in the customer's own time.

mod own_time;
mod pace;

use crate::harness::home::{Home, Settings};
use crate::harness::postgres::Database;
use crate::harness::root;
use crate::shop::{Shop, rule};
use plusone::touchpoints::Reason;

/// Customers with a zone, a country and a region.
const DATA: &str = r#"
[customer]
source = "customers.csv"
key = "id"
roles = { email = "email", phone = "phone", time_zone = "zone", country = "country", region = "state" }
[customer.fields]
id = "text"
email = "text"
phone = "text"
first_name = "text"
zone = "text"
country = "text"
state = "text"
ok = "boolean"
[customer.consent]
offers = { email = "ok", sms = "ok", source = "the shop" }
"#;

/// Runs `test` on a shop with more settings and these customers (`id,zone,country,state,phone`), on each database.
async fn on_both(more: &str, customers: &[&str], test: impl AsyncFn(Home)) {
    let settings = Settings { more: more.to_owned(), ..Settings::default() };
    let home = |settings: &Settings| {
        let home = crate::shop::home(settings);
        home.write("config/data.toml", DATA);
        write_customers(&home, customers);
        home
    };
    test(home(&settings)).await;
    if let Some(database) = Database::create() {
        test(home(&Settings { database: database.url.clone(), ..settings })).await;
    }
}

fn write_customers(home: &Home, rows: &[&str]) {
    let mut text = "id,zone,country,state,phone,email,ok\n".to_owned();
    for row in rows {
        let id = row.split(',').next().expect("an id");
        text.push_str(&format!("{row},{id}@shop.test,yes\n"));
    }
    home.write("customers.csv", &text);
}

/// An offer's text message each hour to everybody.
fn treat(keys: &[(&str, &str)]) -> String {
    let usual = [("topic", "\"offers\""), ("channels", "[\"sms\"]"), ("expires_after", "\"2d\"")];
    rule(&[&usual[..], keys].concat())
}

/// `customer due_at` of every planned message.
async fn due(shop: &Shop) -> Vec<String> {
    let rows =
        plusone::sql::Sql::new("select customer, due_at from touchpoints where state = 'planned' order by due_at, 1");
    let rows = shop.app.db.fetch(rows).await.expect("the log");
    let text = |row: &plusone::store::db::Row| {
        let due = plusone::time::Timestamp::from_micros(row.int(1)).to_string();
        format!("{} {due}", row.text(0))
    };
    rows.iter().map(text).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_law_binds_what_is_promotional_where_the_customer_is() {
    let customers = [
        "ny,America/New_York,US,NY,+12125550123",
        "fl,America/New_York,US,us-fl,+12125550124",
        "any,America/New_York,US,,+12125550125",
        "gb,Europe/London,GB,,+447911123456",
    ];
    on_both("", &customers, async |home| {
        home.write("config/rules/treat.toml", &treat(&[]));
        home.write("config/rules/note.toml", &rule(&[("channels", "[\"sms\"]"), ("topic", "\"reminders\"")]));
        // Half past eight of a Tuesday evening in New York, half past one in the night in London.
        let mut shop = Shop::open(&home, "2026-11-04T01:30:00Z").await;
        let planned = shop.pass("2026-11-04T01:30:00Z").await;
        let counts = |name: &str| &planned.runs.iter().find(|run| run.rule == name).expect("a run").counts;
        assert_eq!(
            (counts("note").planned, counts("note").deferred),
            (4, 0),
            "laws leave transactional messages alone"
        );
        assert_eq!((counts("treat").planned, counts("treat").deferred), (4, 2));
        let due: Vec<String> = due(&shop).await.into_iter().skip(6).collect();
        assert!(due[0].starts_with("fl 2026-11-04T13:") && due[0].as_str() < "fl 2026-11-04T13:15", "{due:?}");
        assert!(due[1].starts_with("any 2026-11-04T15:0") || due[1].starts_with("any 2026-11-04T15:1"), "{due:?}");
        let event =
            shop.number("select count(*) from touchpoint_events where detail like 'legal_hours: due 2026-11-04T1%'");
        assert_eq!(event.await, 2);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_business_own_hours_bind_every_message_and_what_finds_no_hour_is_refused() {
    let more = "[courtesy]\nlegal_hours = { sms = [\"Mon-Fri 09:00-12:00\", \"not on holidays\"] }\n";
    on_both(more, &["gb,Europe/London,GB,,+447911123456"], async |home| {
        home.write("config/rules/note.toml", &rule(&[("channels", "[\"sms\"]"), ("expires_after", "\"20h\"")]));
        let mut shop = Shop::open(&home, "2026-11-03T12:00:00Z").await;
        let run = shop.tick("2026-11-03T12:00:00Z").await;
        assert_eq!(run.counts.skipped.get(&Reason::OutsideLegalHours), Some(&1), "21 hours to nine: {:?}", run.counts);
        let detail = "select count(*) from touchpoint_events where detail = \
                      'outside_legal_hours: legal hours begin at 2026-11-04 09:00, after it expires'";
        assert_eq!(shop.number(detail).await, 1);
        let run = shop.tick("2026-11-03T13:00:00Z").await;
        assert_eq!((run.counts.planned, run.counts.deferred), (1, 1), "20 hours to nine");
        assert_eq!(shop.log().await, ["gb - planned -"]);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn where_the_zone_is_not_known_every_zone_of_the_country_must_agree() {
    let customers = ["country,,US,NY,+447911123450", "phone,Nowhere/City,,,+12125550125", "paris,,FR,,", "none,,,,"];
    let more = "[courtesy]\nquiet_hours = { email = \"20:00-09:00\" }\n";
    on_both(more, &customers, async |home| {
        home.write("config/rules/note.toml", &rule(&[]));
        let mut shop = Shop::open(&home, "2026-11-03T08:30:00Z").await;
        shop.tick("2026-11-03T08:30:00Z").await;
        let due = due(&shop).await;
        assert!(due[0].starts_with("paris 2026-11-03T08:"), "France has one zone, where it is half past nine: {due:?}");
        assert!(due[1].starts_with("none 2026-11-03T09:"), "the business's zone: {due:?}");
        // Nine in Honolulu; Adak, in the same hours, agrees.
        assert!(due[2..].iter().all(|line| line.contains(" 2026-11-03T19:")), "{due:?}");
        // At the claim the same zones are asked.
        assert_eq!(shop.send("2026-11-03T18:59:00Z").await["sent"], 2);
        assert_eq!(shop.send("2026-11-03T19:15:00Z").await["sent"], 2);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_topic_has_quiet_hours_of_its_own_and_holidays_are_quiet_where_they_are_kept() {
    let customers = ["gb,Europe/London,GB,,", "fr,Europe/Paris,FR,,"];
    let topics =
        "[topics.news]\npurpose = \"transactional\"\nname = \"News\"\nquiet_hours = [\"18:00-10:00\", \"holidays\"]\n";
    on_both(topics, &customers, async |home| {
        home.write("config/rules/news.toml", &rule(&[("topic", "\"news\""), ("expires_after", "\"3d\"")]));
        home.write("config/rules/note.toml", &rule(&[]));
        // The evening before Bastille Day.
        let mut shop = Shop::open(&home, "2027-07-13T18:00:00Z").await;
        let planned = shop.pass("2027-07-13T18:00:00Z").await;
        assert_eq!(planned.runs.iter().map(|run| run.counts.deferred).sum::<u64>(), 2, "only the topic's");
        let due: Vec<String> = due(&shop).await.into_iter().skip(2).collect();
        assert!(due[0].starts_with("gb 2027-07-14T09:"), "{due:?}");
        assert!(due[1].starts_with("fr 2027-07-15T08:"), "{due:?}");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_urgent_message_passes_quiet_hours_and_never_legal_hours() {
    let more = "[courtesy]\nquiet_hours = { sms = \"18:00-09:00\" }\nlegal_hours = { sms = \"08:00-21:00\" }\n\
                caps = [{ channel = \"sms\", max = 1, per = \"day\" }]\n";
    on_both(more, &["gb,Europe/London,GB,,+447911123456"], async |home| {
        let keys = |urgent| rule(&[("channels", "[\"sms\"]"), ("expires_after", "\"2d\""), ("urgent", urgent)]);
        home.write("config/rules/note.toml", &keys("false"));
        home.write("config/rules/alarm.toml", &keys("true"));
        // Seven in the evening is quiet and legal: the urgent one goes.
        let mut shop = Shop::open(&home, "2026-11-03T19:00:00Z").await;
        shop.pass("2026-11-03T19:00:00Z").await;
        assert_eq!(shop.send("2026-11-03T19:00:00Z").await["sent"], 1);
        let first = "select count(*) from touchpoints where rule = 'alarm' and state = 'sent'";
        assert_eq!(shop.number(first).await, 1);
        // Half past nine is neither: the urgent one waits for eight in the morning, and passes the quiet hour then.
        home.write("config/rules/alarm.toml", &format!("{}once_per = \"day\"\n", keys("true")));
        write_customers(&home, &["gb,Europe/London,GB,,+447911123456", "ie,Europe/London,GB,,+447911123457"]);
        shop.reload().await;
        shop.pass("2026-11-03T21:30:00Z").await;
        assert_eq!(shop.send("2026-11-03T21:30:00Z").await["sent"], 0, "a phone never rings outside legal hours");
        let due = due(&shop).await;
        assert!(
            due.iter().any(|line| line.starts_with("ie 2026-11-04T08:") && line.as_str() < "ie 2026-11-04T08:15:01Z"),
            "{due:?}"
        );
        let told = "select count(*) from touchpoint_events where detail like 'legal_hours: due 2026-11-04T08:%'";
        assert!(shop.number(told).await >= 1);
        // What was planned in time and comes late is asked again: nothing goes before eight.
        shop.execute("update touchpoints set due_at = as_of where state = 'planned'").await;
        assert_eq!(shop.send("2026-11-04T07:59:00Z").await["sent"], 0);
        assert!(shop.send("2026-11-04T08:15:00Z").await["sent"].as_i64() >= Some(1));
    })
    .await;
}

/// What is told of rules that can never send.
fn never(shop: &Shop) -> Vec<String> {
    let told = shop.app.workspace.problems.iter().map(ToString::to_string);
    told.filter(|told| told.contains("nothing of this rule can ever go by email")).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn check_warns_of_hours_that_leave_no_minute() {
    let more = "[courtesy]\nquiet_hours = { email = \"10:00-09:00\" }\nlegal_hours = { email = \"09:30-11:00\" }\n";
    on_both(more, &[], async |home| {
        home.write("config/rules/note.toml", &rule(&[]));
        let shop = Shop::open(&home, "2026-11-03T12:00:00Z").await;
        assert_eq!(never(&shop), Vec::<String>::new(), "from half past nine to ten");
        home.write("config/rules/note.toml", &rule(&[("time_zone", "\"customer\"")]));
        let toml = home.read("config/plusone.toml").replace("09:30-11:00", "10:00-11:00");
        home.write("config/plusone.toml", &toml);
        let shop = Shop::open(&home, "2026-11-03T12:00:00Z").await;
        assert_eq!(never(&shop).len(), 1, "{:?}", shop.app.workspace.problems);
        home.write("config/rules/note.toml", &rule(&[("urgent", "true")]));
        let shop = Shop::open(&home, "2026-11-03T12:00:00Z").await;
        assert_eq!(never(&shop), Vec::<String>::new(), "an urgent message passes quiet hours");
    })
    .await;
}

#[test]
fn holidays_are_those_of_their_source() {
    let Some(python) = crate::harness::python() else { return };
    let script = root().join("tests/parts/holidays_of_countries.py");
    let made = std::process::Command::new(python).arg(script).output().expect("Python starts");
    let said = String::from_utf8_lossy(&made.stderr);
    if said.contains("No module named") {
        return crate::harness::missing("python-packages");
    }
    let ours = std::fs::read_to_string(root().join("src/courtesy/holidays.txt")).expect("the file");
    let theirs = String::from_utf8(made.stdout).expect("text");
    assert!(made.status.success(), "{said}");
    for (ours, theirs) in ours.lines().zip(theirs.lines()) {
        assert_eq!(ours, theirs);
    }
    assert_eq!(ours.lines().count(), theirs.lines().count());
}
