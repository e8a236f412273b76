//! What the desk sees and turns: log, show, find, customer, status, pause, approve, cancel, resolve, on both databases.

use crate::databases::{Trial, databases, script};
use clap::Parser;
use plusone::catalogue::{Catalogue, Entity, Field, Link, Roles, Type};
use plusone::cli::desk::{self, Desk};
use plusone::cli::opened::Opened;
use plusone::ids::bucket_of;
use plusone::rules::Channel;
use plusone::settings::{
    Business, ChannelSettings, Guard, LogFormat, ProviderSettings, Retention, Secret, Settings, Way, Web,
};
use plusone::sql::Sql;
use plusone::store::db::Db;
use plusone::store::pauses;
use plusone::time::Timestamp;
use serde_json::{Value, json};
use std::collections::{BTreeMap, HashSet};

const NOW: &str = "2026-11-03T12:00:00Z";
const DATA: &str = r#"
create table "d_customer" ("_bucket" bigint, "_customer" text, "id" text, "email" text, "phone" text,
    "first_name" text, "last_name" text, "tier" text, "spent" bigint, "born_on" bigint);
create table "d_order" ("_bucket" bigint, "_customer" text, "id" bigint, "customer_id" text);
"#;

#[derive(Parser)]
struct CommandLine {
    #[command(subcommand)]
    desk: Desk,
}

fn now() -> Timestamp {
    NOW.parse().expect("an instant")
}

fn at(text: &str) -> i64 {
    text.parse::<Timestamp>().expect("an instant").micros()
}

fn settings() -> Settings {
    let business = Business {
        name: "Harbour Coffee Club".into(),
        postal_address: None,
        phone: None,
        email: None,
        website: None,
        logo: None,
        colour: None,
        time_zone: chrono_tz::Europe::London,
        locale: "en-GB".into(),
        country: "GB".into(),
        currency: "GBP".into(),
    };
    let outbox = ProviderSettings { way: Way::Folder { path: "out".into() }, rate: None, price: BTreeMap::new() };
    let email = ChannelSettings { from: "Harbour <hello@harbour.example>".into(), providers: vec!["outbox".into()] };
    Settings {
        business,
        database_url: Secret::new("sqlite://trial.db"),
        way_out: plusone::settings::WayOut::default(),
        web: Web { listen: "127.0.0.1:0".into(), public_url: "http://127.0.0.1".into() },
        channels: BTreeMap::from([(Channel::Email, email)]),
        providers: BTreeMap::from([("outbox".to_owned(), outbox)]),
        topics: BTreeMap::new(),
        quiet_hours: BTreeMap::new(),
        legal_hours: plusone::courtesy::legal_hours::LegalHours::default(),
        caps: Vec::new(),
        holdout: 0,
        no_promotions_while: Vec::new(),
        guard: Guard::default(),
        retention: Retention::default(),
        log: LogFormat::Text,
    }
}

fn catalogue() -> Catalogue {
    let mut customer = Entity::new("customer", "id");
    for name in ["email", "phone", "first_name", "last_name"] {
        customer.fields.push(Field::new(name, Type::Text));
    }
    let tier = Field { one_of: vec!["basic".into(), "gold".into()], ..Field::new("tier", Type::Text) };
    customer.fields.extend([tier, Field::new("spent", Type::Money), Field::new("born_on", Type::Date)]);
    let mut order = Entity::new("order", "id");
    order.fields = vec![Field::new("id", Type::Integer), Field::new("customer_id", Type::Text)];
    order.belongs_to = vec![Link { entity: "customer".into(), field: "customer_id".into() }];
    let roles = Roles {
        email: Some("email".into()),
        phone: Some("phone".into()),
        name: Some("first_name".into()),
        ..Roles::default()
    };
    let entities = [customer, order].map(|entity| (entity.name.clone(), entity));
    Catalogue { entities: BTreeMap::from(entities), roles, consent: Vec::new(), events: Vec::new() }
}

/// A touchpoint as a test writes it; what it does not say is as usual.
struct Row {
    rule: &'static str,
    customer: &'static str,
    occurrence: String,
    run: &'static str,
    state: &'static str,
    reason: Option<&'static str>,
    channel: &'static str,
    created_at: i64,
    offer: Option<&'static str>,
    provider_id: Option<&'static str>,
}

impl Default for Row {
    fn default() -> Self {
        Self {
            rule: "winback",
            customer: "17",
            occurrence: "-".into(),
            run: "11111111-0000-8000-8000-000000000000",
            state: "sent",
            reason: None,
            channel: "email",
            created_at: at("2026-11-02T09:00:00Z"),
            offer: None,
            provider_id: None,
        }
    }
}

impl Row {
    fn id(&self) -> String {
        plusone::ids::touchpoint(self.rule, self.customer, &self.occurrence, 0)
    }

    async fn insert(&self, db: &Db) -> String {
        let id = self.id();
        let sql = Sql::new(
            "insert into touchpoints (bucket, id, rule, rule_version, kind, topic, purpose, customer, entity_kind, \
             entity_id, occurrence, step, run_id, as_of, channel, address, state, reason, due_at, expires_at, \
             priority, on_doubt, attempts, offer, provider_id, subject, facts, gates, cost, possible_duplicate, test, \
             version, doubt_at, created_at, updated_at) values ($1, $2, $3, 'v1', 'reminder', 'offers', \
             'promotional', $4, 'customer', $4, $5, 0, $6, $7, $8, 'ada@harbour.example', $9, $10, $7, $7 + 864000000000, \
             50, 'ask', 1, $11, $12, 'We miss you', '{\"customer.tier\":\"gold\"}', \
             '[[\"consent\",\"since May\"]]', 400, 0, 0, 1, $7, \
             $7, $7)",
        );
        let sql = sql.with(bucket_of(self.customer)).with(&id).with(self.rule).with(self.customer);
        let sql = sql.with(&self.occurrence).with(self.run).with(self.created_at).with(self.channel);
        let sql = sql.with(self.state).with(self.reason).with(self.offer).with(self.provider_id);
        db.execute(sql).await.expect("a touchpoint");
        let event = "insert into touchpoint_events values ($1, $2, 1, $3, $4, 'as the test wrote it')";
        let event = Sql::new(event).with(bucket_of(self.customer)).with(&id).with(self.created_at).with(self.state);
        db.execute(event).await.expect("an event");
        id
    }
}

async fn insert_run(db: &Db, id: &str, rule: &str, state: &str) {
    let sql = "insert into runs (id, rule, rule_version, instant, cause, state, reason, parts, parts_done, counts, \
               created_at) values ($1, $2, 'v1', $3, 'schedule', $4, 'more than max_recipients', 1, 1, \
               '{\"matched\":3,\"planned\":3}', $3)";
    let sql = Sql::new(sql).with(id).with(rule).with(at("2026-11-02T09:00:00Z")).with(state);
    db.execute(sql).await.expect("a run");
}

async fn insert_customer(db: &Db, id: &str, email: &str, phone: &str, first: &str, last: &str) {
    let sql = "insert into \"d_customer\" values ($1, $2, $2, $3, $4, $5, $6, 'gold', 125000, 11016)";
    let sql = Sql::new(sql).with(bucket_of(id)).with(id).with(email).with(phone).with(first).with(last);
    db.execute(sql).await.expect("a customer");
}

/// Every kind of database with customers 17 (Ada) and 18 (Grace), and Ada's order 1234.
async fn desks() -> Vec<(Trial, Opened)> {
    let mut desks = Vec::new();
    for trial in databases().await {
        let db = trial.db.clone();
        script(&db, DATA).await;
        insert_customer(&db, "17", "Ada@harbour.example", "+442079460018", "Ada", "Lovelace").await;
        insert_customer(&db, "18", "grace@navy.example", "+442079460019", "Grace", "Hopper").await;
        let order = Sql::new("insert into \"d_order\" values ($1, '17', 1234, '17')").with(bucket_of("17"));
        db.execute(order).await.expect("an order");
        let opened = Opened {
            db,
            home: std::path::PathBuf::from("."),
            settings: settings(),
            catalogue: catalogue(),
            rules: Vec::new(),
            broken: Vec::new(),
            now: now(),
        };
        desks.push((trial, opened));
    }
    desks
}

/// What a command prints, or the message and exit code of its failure.
async fn told(opened: &Opened, json: bool, line: &[&str]) -> Result<String, (String, u8)> {
    let line = CommandLine::try_parse_from([&["plusone"], line].concat()).expect("a good command line");
    let mut out = Vec::new();
    let answer = desk::run(opened, json, &line.desk, &mut out).await;
    answer.map_err(|failure| (failure.message, failure.exit))?;
    Ok(String::from_utf8(out).expect("text"))
}

async fn said(opened: &Opened, line: &[&str]) -> String {
    told(opened, false, line).await.expect("an answer")
}

async fn document(opened: &Opened, line: &[&str]) -> Value {
    serde_json::from_str(&told(opened, true, line).await.expect("an answer")).expect("one JSON document")
}

async fn ids(opened: &Opened, line: &[&str]) -> Vec<String> {
    let text = told(opened, true, line).await.expect("an answer");
    let id =
        |line: &str| serde_json::from_str::<Value>(line).expect("NDJSON")["id"].as_str().expect("an id").to_owned();
    text.lines().map(id).collect()
}

async fn refused(opened: &Opened, line: &[&str]) -> (String, u8) {
    told(opened, false, line).await.expect_err("a refusal")
}

#[tokio::test]
async fn the_log_is_newest_first_and_every_filter_narrows_it() {
    for (trial, opened) in desks().await {
        let db = &opened.db;
        let hour = 3_600_000_000;
        let start = at("2026-11-02T09:00:00Z");
        let old = Row { created_at: start, ..Row::default() }.insert(db).await;
        let sms = Row { rule: "birthday", channel: "sms", created_at: start + hour, ..Row::default() }.insert(db).await;
        let refused_row = Row {
            customer: "18",
            state: "skipped",
            reason: Some("no_consent"),
            created_at: start + 2 * hour,
            ..Row::default()
        };
        let skipped = refused_row.insert(db).await;
        let doubt = Row { rule: "survey", state: "in_doubt", created_at: start + 3 * hour, ..Row::default() };
        let doubt = doubt.insert(db).await;
        let name = trial.name;
        let all = [&doubt, &skipped, &sms, &old].map(String::clone);
        assert_eq!(ids(&opened, &["log"]).await, all, "{name}");
        assert_eq!(ids(&opened, &["log", "--limit", "2"]).await, all[..2], "{name}");
        for (line, expected) in [
            (vec!["log", "--customer", "18"], vec![&skipped]),
            (vec!["log", "--customer", "order:1234"], vec![&doubt, &sms, &old]),
            (vec!["log", "--customer", "020 7946 0019"], vec![&skipped]),
            (vec!["log", "--rule", "birthday"], vec![&sms]),
            (vec!["log", "--channel", "sms"], vec![&sms]),
            (vec!["log", "--state", "in_doubt"], vec![&doubt]),
            (vec!["log", "--reason", "no_consent"], vec![&skipped]),
            (vec!["log", "--since", "2026-11-02 11:00"], vec![&doubt, &skipped]),
            (vec!["log", "--until", "2026-11-02T11:00:00Z"], vec![&sms, &old]),
            (vec!["log", "--since", "-26h", "--until", "-24h"], vec![&sms, &skipped].into_iter().rev().collect()),
            (vec!["log", "--rule", "nobody"], vec![]),
        ] {
            let found = ids(&opened, &line).await;
            assert_eq!(found.iter().collect::<Vec<_>>(), expected, "{name}: {line:?}");
        }
        let text = said(&opened, &["log", "--limit", "3"]).await;
        assert!(text.contains("no_consent: the customer has not said yes"), "{name}: {text}");
        assert!(
            text.contains("3 touchpoints, newest first") && text.contains("there are older ones"),
            "{name}: {text}"
        );
        let (message, exit) = refused(&opened, &["log", "--state", "sennt"]).await;
        assert_eq!(exit, 2);
        assert!(message.contains("`sennt` is no state, the nearest is `sent`"), "{message}");
    }
}

#[tokio::test]
async fn a_touchpoint_is_read_with_its_stable_names() {
    for (trial, opened) in desks().await {
        let id = Row { offer: Some("cookie"), provider_id: Some("SM1"), ..Row::default() }.insert(&opened.db).await;
        let words = "insert into touchpoint_words values ($1, $2, $3)";
        let text = json!({"subject": "We miss you", "text": "Hello Ada\nCome back", "html": "<p>x</p>"}).to_string();
        opened.db.execute(Sql::new(words).with(bucket_of("17")).with(&id).with(text)).await.expect("words");
        let shown = document(&opened, &["show", &id.to_uppercase()[..8]]).await;
        let names: Vec<&str> = shown.as_object().expect("an object").keys().map(String::as_str).collect();
        let design = "id rule rule_version kind topic purpose customer entity occurrence step channel address state \
                      reason due_at sent_at provider provider_id attempts cost offer code variant locale subject \
                      possible_duplicate test created_at updated_at words facts gates events consent";
        assert_eq!(names, design.split_whitespace().collect::<Vec<_>>(), "{}", trial.name);
        assert_eq!(shown["entity"], json!({"kind": "customer", "id": "17"}));
        assert_eq!(shown["cost"], json!({"amount": "0.0400", "currency": "GBP"}));
        assert_eq!(shown["created_at"], "2026-11-02T09:00:00Z");
        assert_eq!((&shown["sent_at"], &shown["test"]), (&Value::Null, &json!(false)));
        assert_eq!(shown["words"]["text"], "Hello Ada\nCome back");
        assert_eq!(shown["facts"]["customer.tier"], "gold");
        assert_eq!(shown["gates"][0]["gate"], "consent");
        assert_eq!(shown["events"][0]["detail"], "as the test wrote it");
        let text = said(&opened, &["show", &id]).await;
        for part in ["email to ada@harbour.example", "    Come back", "html: 8 characters", "consent: since May"] {
            assert!(text.contains(part), "{}: {part} in {text}", trial.name);
        }
        assert!(refused(&opened, &["show", "00000000"]).await.0.contains("no touchpoint has an id"));
    }
}

#[tokio::test]
async fn a_beginning_that_names_two_touchpoints_is_refused_with_both() {
    for (_, opened) in desks().await {
        let id = Row::default().insert(&opened.db).await;
        let twin = format!("{}ffff", &id[..32]);
        let copy = "insert into touchpoints (bucket, id, rule, rule_version, kind, topic, purpose, customer, \
                    entity_kind, entity_id, occurrence, step, run_id, as_of, state, priority, on_doubt, attempts, \
                    possible_duplicate, test, version, created_at, updated_at) select bucket, $1, rule, rule_version, \
                    kind, topic, purpose, customer, entity_kind, entity_id, 'twin', step, run_id, as_of, state, \
                    priority, on_doubt, attempts, possible_duplicate, test, version, created_at, updated_at \
                    from touchpoints where id = $2";
        opened.db.execute(Sql::new(copy).with(&twin).with(&id)).await.expect("a twin");
        let (message, exit) = refused(&opened, &["show", &id[..8]]).await;
        assert_eq!(exit, 1);
        assert!(message.contains(&id) && message.contains(&twin), "{message}");
        assert!(said(&opened, &["show", &twin]).await.contains(&twin));
    }
}

#[tokio::test]
async fn a_customer_is_found_by_whatever_is_at_hand() {
    for (trial, opened) in desks().await {
        let id = Row { provider_id: Some("SM0123"), offer: Some("cookie"), ..Row::default() }.insert(&opened.db).await;
        let grant = "insert into offer_grants values ($1, $2, 'cookie', 'COOKIE-7K', '17', 10000, 25000, '2026-11-02', \
                     'spent', $3, null, null)";
        let grant = Sql::new(grant).with(bucket_of("17")).with(&id).with(at("2026-11-02T09:00:00Z"));
        opened.db.execute(grant).await.expect("a grant");
        for (text, by) in [
            ("17", "id"),
            ("1234", "order 1234"),
            ("020 7946 0018", "phone"),
            ("+44 (0)20 7946-0018", "phone"),
            ("7946 0018", "phone"),
            ("ada@HARBOUR.example", "text"),
            ("lovelace ada", "text"),
        ] {
            let found = document(&opened, &["find", text]).await;
            assert_eq!(found["customers"][0]["customer"], "17", "{}: {text}: {found}", trial.name);
            assert_eq!(found["customers"][0]["matched"], by, "{}: {text}", trial.name);
            assert_eq!(found["customers"].as_array().map(Vec::len), Some(1), "{}: {text}", trial.name);
        }
        let message_id = format!("<{id}@harbour.example>");
        for text in [&id[..8], &message_id, "cookie-7k", "SM0123"] {
            let found = document(&opened, &["find", text]).await;
            assert_eq!(found["touchpoints"][0]["id"], id.as_str(), "{}: {text}", trial.name);
        }
        for text in ["gold", "100%", "_", "no such person"] {
            assert!(said(&opened, &["find", text]).await.contains("Nobody"), "{}: {text}", trial.name);
        }
    }
}

#[tokio::test]
async fn a_customers_page_says_who_they_are_and_what_they_agreed_to() {
    for (trial, opened) in desks().await {
        Row { state: "planned", occurrence: "next".into(), ..Row::default() }.insert(&opened.db).await;
        Row::default().insert(&opened.db).await;
        for (topic, when, value) in [("offers", 1, 1), ("offers", 5, 0), ("offers", 5, 1), ("surveys", 2, 1)] {
            let sql = "insert into consents (bucket, customer, topic, channel, at, value, source, recorded_at) \
                       values ($1, '17', $2, 'email', $3, $4, 'the shop', $3)";
            let sql = Sql::new(sql).with(bucket_of("17")).with(topic).with(when * 1_000_000_i64).with(i64::from(value));
            opened.db.execute(sql).await.expect("an answer");
        }
        let page = document(&opened, &["customer", "ADA@harbour.example"]).await;
        let name = trial.name;
        assert_eq!((&page["name"], &page["fields"]["spent"]), (&json!("Ada"), &json!("12.5000")), "{name}");
        assert_eq!(page["fields"]["born_on"], "2000-02-29", "{name}");
        let answers =
            [&page["consents"][0], &page["consents"][1]].map(|one| (one["topic"].clone(), one["value"].clone()));
        assert_eq!(answers, [(json!("offers"), json!(false)), (json!("surveys"), json!(true))], "{name}");
        assert_eq!(page["planned"].as_array().map(Vec::len), Some(1), "{name}");
        for id in 1..=7 {
            let sql = Sql::new("insert into \"d_order\" values ($1, '17', $2, '17')").with(bucket_of("17")).with(id);
            opened.db.execute(sql).await.expect("an order");
        }
        let page = document(&opened, &["customer", "17"]).await;
        let orders = &page["rows"][0];
        assert_eq!((&orders["entity"], &orders["count"]), (&json!("order"), &json!(8)), "{name}");
        assert_eq!((&orders["newest"][0]["id"], &orders["newest"][5]), (&json!(1234), &Value::Null), "{name}");
        assert_eq!(page["touchpoints"][0]["state"], "sent", "{name}");
        let text = said(&opened, &["customer", "17"]).await;
        assert!(text.contains("Lovelace") && text.contains("We miss you"), "{name}: {text}");
        assert!(text.contains("orders: 8, the newest 5\n  id\n  1234\n  7\n"), "{name}: {text}");
        let (message, _) = refused(&opened, &["customer", "ordr:1"]).await;
        assert!(message.contains("the nearest is `order`"), "{message}");
    }
}

#[tokio::test]
async fn what_is_paused_waits_until_it_is_resumed() {
    for (trial, opened) in desks().await {
        let db = &opened.db;
        let sql =
            "insert into rule_states (rule, version, conditions_hash, template) values ('winback', 'v', 'c', 't')";
        db.execute(Sql::new(sql)).await.expect("a rule");
        let waits = async |customer: &str| {
            let pauses = pauses::load(db).await.expect("pauses");
            pauses.is_paused("winback", Some(Channel::Email), Some("outbox"), customer, now())
        };
        for (what, reaches_18) in
            [("all", true), ("winback", true), ("channel:email", true), ("provider:outbox", true), ("17", false)]
        {
            said(&opened, &["pause", what]).await;
            said(&opened, &["pause", what, "--until", "+1h"]).await;
            assert!(waits("17").await, "{}: {what}", trial.name);
            assert_eq!(waits("18").await, reaches_18, "{}: {what}", trial.name);
            assert!(said(&opened, &["resume", what]).await.starts_with("Resumed"), "{}: {what}", trial.name);
            assert!(!waits("17").await, "{}: {what}", trial.name);
            assert!(said(&opened, &["resume", what]).await.starts_with("Nothing to do"), "{}: {what}", trial.name);
        }
        for (line, says) in [
            (vec!["pause", "winbak"], "the nearest is `winback`"),
            (vec!["pause", "provider:outbux"], "the nearest is `outbox`"),
            (vec!["pause", "channel:fax"], "`fax` is not one of"),
            (vec!["pause", "all", "--until", "yesterday"], "has already ended"),
        ] {
            let (message, _) = refused(&opened, &line).await;
            assert!(message.contains(says), "{line:?}: {message}");
        }
        assert_eq!(pauses::load(db).await.expect("pauses").at(now()).count(), 0, "{}", trial.name);
    }
}

/// Each touchpoint has one event per version, numbered from 1, and its last event is its state.
async fn assert_events_match(db: &Db) {
    let sql = "select t.id, t.state, t.version, e.n, e.kind from touchpoints t join touchpoint_events e \
               on e.bucket = t.bucket and e.touchpoint = t.id order by t.id, e.n";
    let rows = db.fetch(Sql::new(sql)).await.expect("rows");
    let mut last: BTreeMap<String, (i64, i64, String, String)> = BTreeMap::new();
    for row in &rows {
        let seen = last.get(row.text(0)).map_or(0, |(_, n, _, _)| *n);
        assert_eq!(row.int(3), seen + 1, "events of {} are numbered without gaps", row.text(0));
        let entry = (row.int(2), row.int(3), row.text(1).to_owned(), row.text(4).to_owned());
        last.insert(row.text(0).to_owned(), entry);
    }
    for (id, (version, n, state, kind)) in last {
        assert_eq!((version, state), (n, kind), "the last event of {id}");
    }
}

async fn states(db: &Db, run: &str) -> HashSet<String> {
    let sql = Sql::new("select distinct state from touchpoints where run_id = $1").with(run);
    db.fetch(sql).await.expect("states").iter().map(|row| row.text(0).to_owned()).collect()
}

const BIG: &str = "22222222-0000-8000-8000-000000000000";
const OTHER: &str = "33333333-0000-8000-8000-000000000000";

/// A held run of 2,500 touchpoints, and another one of one.
async fn held_runs(db: &Db) {
    insert_run(db, BIG, "winback", "held").await;
    insert_run(db, OTHER, "birthday", "held").await;
    let mut tx = db.begin().await.expect("a transaction");
    let series = "with recursive n(i) as (select 1 union all select i + 1 from n where i < 2500) ";
    let id = match db.dialect() {
        plusone::sql::Dialect::Sqlite => "printf('%02x000000-0000-8000-8000-%012x', i % 256, i)",
        plusone::sql::Dialect::Postgres => {
            "lpad(to_hex(i % 256), 2, '0') || '000000-0000-8000-8000-' || lpad(to_hex(i), 12, '0')"
        }
    };
    let columns = "bucket, id, rule, rule_version, kind, topic, purpose, customer, entity_kind, entity_id, \
                   occurrence, step, run_id, as_of, state, reason, due_at, priority, on_doubt, attempts, \
                   possible_duplicate, test, version, created_at, updated_at";
    let insert = format!(
        "insert into touchpoints ({columns}) {series} select i % 256, {id}, 'winback', 'v', 'reminder', 'offers', \
         'promotional', cast(i as text), 'customer', cast(i as text), '-', 0, $1, 1, 'held', 'guard', 1, 50, 'ask', 0, 0, 0, \
         1, 1, 1 from n"
    );
    tx.execute(Sql::new(insert).with(BIG)).await.expect("touchpoints");
    let events = "insert into touchpoint_events select bucket, id, 1, 1, 'held', null from touchpoints";
    tx.execute(Sql::new(events)).await.expect("events");
    tx.commit().await.expect("committed");
    Row { rule: "birthday", run: OTHER, state: "held", offer: Some("cookie"), ..Row::default() }.insert(db).await;
}

#[tokio::test]
async fn an_approved_run_goes_out_whole_and_only_once() {
    for (trial, opened) in desks().await {
        held_runs(&opened.db).await;
        let text = said(&opened, &["approve", &BIG[..8]]).await;
        assert!(text.contains("2,500 messages will be sent"), "{}: {text}", trial.name);
        assert_eq!(states(&opened.db, BIG).await, HashSet::from(["planned".to_owned()]), "{}", trial.name);
        assert_eq!(states(&opened.db, OTHER).await, HashSet::from(["held".to_owned()]), "{}", trial.name);
        assert_eq!(ids(&opened, &["log", "--reason", "guard"]).await, Vec::<String>::new(), "{}", trial.name);
        assert_events_match(&opened.db).await;
        let run = opened.db.fetch(Sql::new("select state, released_by, released_at from runs where id = $1").with(BIG));
        let run = run.await.expect("the run");
        assert_eq!((run[0].text(0), run[0].text(1), run[0].int(2)), ("released", "command line", now().micros()));
        for command in ["approve", "cancel"] {
            let (message, exit) = refused(&opened, &[command, BIG]).await;
            assert!(message.contains("is `released`: only a run that is `held`"), "{}: {message}", trial.name);
            assert_eq!(exit, 1);
        }
    }
}

#[tokio::test]
async fn a_cancelled_run_and_a_cancelled_rule_send_nothing() {
    for (trial, opened) in desks().await {
        held_runs(&opened.db).await;
        said(&opened, &["cancel", OTHER]).await;
        assert_eq!(states(&opened.db, OTHER).await, HashSet::from(["cancelled".to_owned()]), "{}", trial.name);
        let planned = Row { occurrence: "planned".into(), state: "planned", ..Row::default() }.insert(&opened.db).await;
        let claimed = Row { occurrence: "claimed".into(), state: "claimed", ..Row::default() }.insert(&opened.db).await;
        let sql =
            "insert into rule_states (rule, version, conditions_hash, template) values ('winback', 'v', 'c', 't')";
        opened.db.execute(Sql::new(sql)).await.expect("a rule");
        let answer = document(&opened, &["cancel", "winback"]).await;
        let expected = json!({"rule": "winback", "runs": 1, "cancelled": 2501, "on_their_way": 1});
        assert_eq!(answer, expected, "{}", trial.name);
        assert_events_match(&opened.db).await;
        assert_eq!(document(&opened, &["show", &planned]).await["state"], "cancelled", "{}", trial.name);
        assert_eq!(document(&opened, &["show", &claimed]).await["state"], "claimed", "{}", trial.name);
        let (message, _) = refused(&opened, &["cancel", "winbak"]).await;
        assert!(message.contains("the nearest rule is `winback`"), "{message}");
    }
}

#[tokio::test]
async fn a_doubt_is_settled_once_and_nothing_else_is() {
    for (trial, opened) in desks().await {
        let name = trial.name;
        let doubt = |occurrence: &str| Row { occurrence: occurrence.into(), state: "in_doubt", ..Row::default() };
        let sent = doubt("a").insert(&opened.db).await;
        let again = doubt("b").insert(&opened.db).await;
        said(&opened, &["resolve", &sent, "sent"]).await;
        let shown = document(&opened, &["show", &sent]).await;
        assert_eq!((&shown["state"], &shown["sent_at"]), (&json!("sent"), &json!("2026-11-02T09:00:00Z")), "{name}");
        assert_eq!(shown["events"][1]["detail"], json!({"from": "in_doubt", "by": "resolve"}), "{name}");
        said(&opened, &["resolve", &again, "not-sent"]).await;
        let shown = document(&opened, &["show", &again]).await;
        assert_eq!((&shown["state"], &shown["due_at"]), (&json!("planned"), &json!(NOW)), "{name}");
        assert_events_match(&opened.db).await;
        let (message, exit) = refused(&opened, &["resolve", &sent, "not-sent"]).await;
        assert_eq!((message.contains("is `sent`: only one that is `in_doubt`"), exit), (true, 1), "{name}: {message}");
    }
}

#[tokio::test]
async fn status_says_what_is_to_be_looked_at() {
    for (trial, opened) in desks().await {
        let name = trial.name;
        let lease = "insert into leases values (0, 'daemon-1', 1, $1), (1, 'daemon-1', 1, $1), (2, 'old', 1, 5)";
        opened.db.execute(Sql::new(lease).with(now().micros() + 1)).await.expect("leases");
        assert!(said(&opened, &["status"]).await.starts_with("All is well."), "{name}");
        held_runs(&opened.db).await;
        Row { state: "planned", ..Row::default() }.insert(&opened.db).await;
        Row { state: "in_doubt", occurrence: "x".into(), ..Row::default() }.insert(&opened.db).await;
        said(&opened, &["pause", "channel:sms", "--until", "tomorrow"]).await;
        let status = document(&opened, &["status"]).await;
        assert_eq!((&status["well"], &status["in_doubt"]), (&json!(false), &json!(1)), "{name}");
        let lane = json!({"channel": "email", "purpose": "promotional", "waiting": 1, "due": 1,
            "first_due_at": "2026-11-02T09:00:00Z", "oldest_age_seconds": 97_200});
        assert_eq!(status["waiting"], json!([lane]), "{name}");
        let held = status["held_runs"].as_array().expect("held runs");
        let held: HashSet<(&str, i64)> = held
            .iter()
            .map(|run| (run["rule"].as_str().expect("a rule"), run["touchpoints"].as_i64().expect("a count")))
            .collect();
        assert_eq!(held, HashSet::from([("winback", 2500), ("birthday", 1)]), "{name}");
        assert_eq!(status["pauses"][0]["scope"], "channel:sms", "{name}");
        let fresh: Vec<&Value> =
            status["daemons"].as_array().expect("daemons").iter().map(|one| &one["fresh"]).collect();
        assert_eq!(fresh, [&json!(true), &json!(false)], "{name}");
        let text = said(&opened, &["status"]).await;
        for part in [
            "the oldest message that is due has waited for 27 hours",
            "1 message in doubt",
            "a run of winback with 2,500 messages waits: `plusone approve 22222222`",
            "channel:sms since 2026-11-03 12:00, until 2026-11-04 00:00",
            "daemon-1 is at work (2 of 256 buckets)",
        ] {
            assert!(text.contains(part), "{name}: {part} in {text}");
        }
    }
}
