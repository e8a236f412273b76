//! No history ever exceeds a cap: random rules, caps, customers and clocks, retries, crashes, daemons that take each other
//! over, on both databases. What was sent is read from the log and counted here by other means than the program's.
//!
//! 1. A history follows from its seed, but for what runs at once: that is decided by the machine.
//! 2. The same histories without their caps exceed them: the count can fail.

use crate::harness::home::{Home, Settings};
use crate::harness::postgres::Database;
use crate::shop::{WAY_OUT, at, home, rule};
use chrono::{DateTime, Datelike, NaiveDate};
use chrono_tz::Tz;
use plusone::app::App;
use plusone::clock::Clock;
use plusone::problem::Severity;
use plusone::sql::{Dialect, Sql};
use plusone::store::leases::Lease;
use plusone::time::{Span, Timestamp};
use rand::rngs::StdRng;
use rand::seq::IndexedRandom;
use rand::{RngExt, SeedableRng};
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

const DATA: &str = r#"
[customer]
source = "customers.csv"
key = "id"
roles = { email = "email", phone = "phone", time_zone = "zone" }
[customer.fields]
id = "text"
email = "text"
phone = "text"
zone = "text"
yes = "boolean"
[customer.consent]
offers = { email = "yes", sms = "yes", voice = "yes", source = "the shop" }
"#;

const ZONES: [&str; 5] = ["Europe/London", "America/New_York", "Pacific/Auckland", "Asia/Kolkata", ""];
const BUSINESS: &str = "Europe/London";

/// One entry of `caps`, as the count understands it.
#[derive(Clone, Debug)]
struct Cap {
    purpose: Option<&'static str>,
    topic: Option<&'static str>,
    channel: Option<&'static str>,
    max: usize,
    per: &'static str,
}

/// A shop that follows from a seed.
struct World {
    chance: StdRng,
    caps: Vec<Cap>,
    /// Names of rules whose messages take no place, or pass.
    exempt: BTreeSet<String>,
    zones: BTreeMap<String, Tz>,
    rules: Vec<(String, String)>,
}

/// A message that was sent.
struct Sent {
    customer: String,
    rule: String,
    topic: String,
    purpose: String,
    channel: String,
    /// Microseconds.
    at: i64,
}

impl World {
    fn new(seed: u64) -> Self {
        let mut chance = StdRng::seed_from_u64(seed);
        let caps = (0..chance.random_range(1..4)).map(|_| cap(&mut chance)).collect();
        let mut world = Self { chance, caps, exempt: BTreeSet::new(), zones: BTreeMap::new(), rules: Vec::new() };
        for number in 0..world.chance.random_range(3..6) {
            world.add_rule(format!("rule-{number}"));
        }
        world
    }

    fn add_rule(&mut self, name: String) {
        let pick = |chance: &mut StdRng, words: &[&'static str]| *words.choose(chance).expect("some");
        let chance = &mut self.chance;
        let promotional = chance.random_bool(0.5);
        let urgent = !promotional && chance.random_bool(0.1);
        let counts = chance.random_bool(0.85);
        if urgent || !counts {
            self.exempt.insert(name.clone());
        }
        let channels =
            ["[\"email\"]", "[\"sms\", \"email\"]", "[\"voice\", \"sms\"]", "[\"email\", \"sms\", \"voice\"]"];
        let keys = [
            ("topic", if promotional { "\"offers\"" } else { "\"reminders\"" }),
            ("schedule", pick(chance, &["\"every hour\"", "\"every 3 hours\"", "\"every 6 hours\""])),
            ("again_after", pick(chance, &["\"1h\"", "\"5h\"", "\"1d\""])),
            ("channels", pick(chance, &channels)),
            ("expires_after", pick(chance, &["\"2h\"", "\"12h\"", "\"3d\"", "\"8d\""])),
            ("on_cap", pick(chance, &["\"drop\"", "\"defer\"", "\"defer\""])),
            ("on_doubt", pick(chance, &["\"resend\"", "\"drop\""])),
            ("priority", pick(chance, &["10", "50", "90"])),
            ("urgent", if urgent { "true" } else { "false" }),
            ("counts_toward_cap", if counts { "true" } else { "false" }),
        ];
        self.rules.push((name, rule(&keys)));
    }

    /// Writes the shop; without its caps where they are to be ignored.
    fn home(&mut self, database: Option<&Database>, capped: bool) -> Home {
        let caps: Vec<String> = self.caps.iter().map(Cap::toml).collect();
        let caps = if capped { format!("caps = [{}]\n", caps.join(", ")) } else { String::new() };
        let quiet = if self.chance.random_bool(0.5) { "quiet_hours = { email = \"22:00-07:00\" }\n" } else { "" };
        let mut settings = Settings {
            more: format!("[courtesy]\n{caps}{quiet}[guard]\nmax_share = \"100%\"\n"),
            ..Settings::default()
        };
        if let Some(database) = database {
            settings.database.clone_from(&database.url);
        }
        let home = home(&settings).file("config/data.toml", DATA);
        home.write("templates/note/email.txt.hbs", WAY_OUT);
        home.write("templates/note/voice.hbs", "Hello");
        let mut people = "id,email,phone,zone,yes\n".to_owned();
        for number in 0..8 {
            let zone = ZONES.choose(&mut self.chance).expect("some");
            people.push_str(&format!("c{number},c{number}@shop.test,+4479111{},{zone},yes\n", 20_000 + number));
            let zone = if zone.is_empty() { BUSINESS } else { zone };
            self.zones.insert(format!("c{number}"), zone.parse().expect("a zone"));
        }
        home.write("customers.csv", &people);
        for (name, text) in &self.rules {
            home.write(&format!("config/rules/{name}.toml"), text);
        }
        home
    }

    /// Every window that holds more than its cap allows.
    fn exceeded(&self, log: &[Sent]) -> Vec<String> {
        let mut told = Vec::new();
        for cap in &self.caps {
            let mut by_customer: BTreeMap<&str, Vec<i64>> = BTreeMap::new();
            for one in log.iter().filter(|one| !self.exempt.contains(&one.rule) && cap.covers(one)) {
                by_customer.entry(&one.customer).or_default().push(one.at);
            }
            for (customer, times) in by_customer {
                let most = cap.most(&times, self.zones[customer]);
                if most > cap.max {
                    told.push(format!("{customer} got {most} under {cap:?}: {times:?}"));
                }
            }
        }
        told
    }
}

fn cap(chance: &mut StdRng) -> Cap {
    let some = |chance: &mut StdRng, words: &[&'static str]| {
        if chance.random_bool(0.35) { words.choose(chance).copied() } else { None }
    };
    Cap {
        purpose: some(chance, &["promotional", "transactional"]),
        topic: None,
        channel: some(chance, &["email", "sms", "voice"]),
        max: chance.random_range(1..4),
        per: ["day", "week", "month", "5h", "36h", "3d", "7d"].choose(chance).expect("some"),
    }
    .with_topic(chance.random_bool(0.3))
}

impl Cap {
    fn with_topic(self, has_one: bool) -> Self {
        let topic = if self.purpose == Some("transactional") { "reminders" } else { "offers" };
        Self { topic: has_one.then_some(topic), ..self }
    }

    fn toml(&self) -> String {
        let selector =
            |key: &str, word: Option<&str>| word.map(|word| format!("{key} = \"{word}\", ")).unwrap_or_default();
        let selectors = [("purpose", self.purpose), ("topic", self.topic), ("channel", self.channel)];
        let selectors: String = selectors.iter().map(|(key, word)| selector(key, *word)).collect();
        format!("{{ {selectors}max = {}, per = \"{}\" }}", self.max, self.per)
    }

    fn covers(&self, one: &Sent) -> bool {
        self.purpose.is_none_or(|word| word == one.purpose)
            && self.topic.is_none_or(|word| word == one.topic)
            && self.channel.is_none_or(|word| word == one.channel)
    }

    /// How many of these instants the fullest window holds.
    fn most(&self, times: &[i64], zone: Tz) -> usize {
        let day = |micros: &i64| -> NaiveDate {
            DateTime::from_timestamp_micros(*micros).expect("an instant").with_timezone(&zone).date_naive()
        };
        let calendar = |window: fn(NaiveDate) -> (i32, u32)| {
            let mut windows: BTreeMap<(i32, u32), usize> = BTreeMap::new();
            times.iter().for_each(|time| *windows.entry(window(day(time))).or_default() += 1);
            windows.into_values().max().unwrap_or(0)
        };
        match self.per {
            "day" => calendar(|day| (day.year(), day.ordinal())),
            "week" => calendar(|day| (day.iso_week().year(), day.iso_week().week())),
            "month" => calendar(|day| (day.year(), day.month())),
            span => {
                let span = span.parse::<Span>().expect("a span").micros();
                let ending = |end: &i64| times.iter().filter(|time| *time <= end && **time > end - span).count();
                times.iter().map(ending).max().unwrap_or(0)
            }
        }
    }
}

/// What a history did.
#[derive(Default, Debug)]
struct Did {
    sent: usize,
    capped: i64,
    waited: i64,
    asked_again: i64,
}

/// Daemons at work on one shop.
struct History {
    world: World,
    home: Home,
    app: App,
    lease: Lease,
    now: Timestamp,
    takeovers: u32,
}

impl History {
    async fn begin(seed: u64, database: Option<&Database>, capped: bool) -> Self {
        let mut world = World::new(seed);
        let home = world.home(database, capped);
        let now = at("2026-10-22T06:00:00Z");
        let app = open(&home, now).await;
        let lease = app.lease("daemon 0", true).await.expect("nobody else has it");
        Self { world, home, app, lease, now, takeovers: 0 }
    }

    async fn step(&mut self) {
        let chance = &mut self.world.chance;
        let minutes = *[1, 10, 60, 60, 180, 420, 1_200].choose(chance).expect("some");
        self.now = self.now.plus(Span::from_seconds(60 * minutes));
        self.app.clock = Clock::manual(self.now);
        match chance.random_range(0..10) {
            0 => self.crash("claimed").await,
            1 => self.crash("dispatching").await,
            2 => self.break_off().await,
            3 => self.late().await,
            4 => self.overlap().await,
            5 => self.race().await,
            6 => {
                let (planned, delivered) =
                    tokio::join!(self.app.plan(&self.lease, self.now, None), self.app.deliver(&self.lease));
                planned.expect("planned");
                delivered.expect("delivered");
            }
            _ => {
                self.app.plan(&self.lease, self.now, None).await.expect("planned");
                self.app.deliver(&self.lease).await.expect("delivered");
            }
        }
    }

    /// A daemon dies with messages in hand, and another takes over.
    async fn crash(&mut self, state: &str) {
        self.app.plan(&self.lease, self.now, None).await.expect("planned");
        let doubt = if state == "dispatching" { ", doubt_at = $2, attempts = 1, provider = 'outbox'" } else { "" };
        let text = format!(
            "update touchpoints set state = '{state}', owner = 'gone', epoch = 0{doubt} where state = 'planned' \
             and due_at <= $2 and bucket % 3 = $1 and counts in (0, 1)"
        );
        let sql = Sql::new(text).with(i64::from(self.takeovers) % 3).with(self.now);
        self.app.db.execute(sql).await.expect("a good statement");
        self.take_over().await;
    }

    /// A daemon is stopped in the middle of whatever it does.
    async fn break_off(&mut self) {
        let patience = Duration::from_micros(self.world.chance.random_range(100..40_000));
        let work = async {
            let (planned, delivered) =
                tokio::join!(self.app.plan(&self.lease, self.now, None), self.app.deliver(&self.lease));
            (planned.is_ok(), delivered.is_ok())
        };
        let _ = tokio::time::timeout(patience, work).await;
        self.take_over().await;
    }

    /// A provider says "not now" to what is due: it is tried later.
    async fn late(&mut self) {
        self.app.plan(&self.lease, self.now, None).await.expect("planned");
        let later = self.now.plus(Span::from_seconds(60 * self.world.chance.random_range(1..600)));
        let text = "update touchpoints set due_at = $1 where state = 'planned' and due_at <= $2 and bucket % 2 = 0";
        self.app.db.execute(Sql::new(text).with(later).with(self.now)).await.expect("a good statement");
        self.app.deliver(&self.lease).await.expect("delivered");
    }

    /// A daemon that lost its buckets goes on for a while beside the one that took them over.
    async fn overlap(&mut self) {
        let mut old = open(&self.home, self.now).await;
        std::mem::swap(&mut old, &mut self.app);
        let old_lease = self.lease.clone();
        let (_, _, ()) = tokio::join!(old.plan(&old_lease, self.now, None), old.deliver(&old_lease), async {
            self.takeovers += 1;
            self.lease = self.app.lease(&format!("daemon {}", self.takeovers), true).await.expect("taken over");
            let plan = self.app.plan(&self.lease, self.now, None);
            let (planned, delivered) = tokio::join!(plan, self.app.deliver(&self.lease));
            delivered.expect("delivered");
            // What two daemons planned at once is planned anew.
            drop(planned);
        });
        old.db.close().await;
    }

    /// Three daemons want the same buckets at once, each begins to plan and to deliver with what it got, and takes its
    /// turns with the others wherever one of them waits. The last to get the buckets goes on.
    async fn race(&mut self) {
        let delays: Vec<u32> = (0..3).map(|_| self.world.chance.random_range(0..40)).collect();
        let daemon = async |number: u32, delay: u32| {
            let app = open(&self.home, self.now).await;
            let Ok(lease) = app.lease(&format!("daemon {number}"), true).await else { return (app, None) };
            for _ in 0..delay {
                tokio::task::yield_now().await;
            }
            // Who has lost the buckets meanwhile is refused; who has not, works.
            let _ = tokio::join!(app.plan(&lease, self.now, None), app.deliver(&lease));
            (app, Some(lease))
        };
        let first = self.takeovers + 1;
        let (one, two, three) =
            tokio::join!(daemon(first, delays[0]), daemon(first + 1, delays[1]), daemon(first + 2, delays[2]));
        for (app, _) in [one, two, three] {
            app.db.close().await;
        }
        self.takeovers += 3;
        self.take_over().await;
        self.app.plan(&self.lease, self.now, None).await.expect("planned");
        self.app.deliver(&self.lease).await.expect("delivered");
    }

    async fn take_over(&mut self) {
        let old = std::mem::replace(&mut self.app, open(&self.home, self.now).await);
        self.takeovers += 1;
        self.lease = self.app.lease(&format!("daemon {}", self.takeovers), true).await.expect("taken over");
        drop(old);
    }

    async fn number(&self, sql: &str) -> i64 {
        self.app.db.fetch_one(Sql::new(sql)).await.expect("a good statement").map_or(0, |row| row.int(0))
    }

    async fn log(&self) -> Vec<Sent> {
        let sql = "select customer, rule, topic, purpose, channel, sent_at from touchpoints \
                   where state in ('sent', 'delivered', 'bounced') order by sent_at";
        let rows = self.app.db.fetch(Sql::new(sql)).await.expect("the log");
        let text = |row: &plusone::store::db::Row, column| row.text(column).to_owned();
        rows.iter()
            .map(|row| Sent {
                customer: text(row, 0),
                rule: text(row, 1),
                topic: text(row, 2),
                purpose: text(row, 3),
                channel: text(row, 4),
                at: row.int(5),
            })
            .collect()
    }
}

async fn open(home: &Home, now: Timestamp) -> App {
    let app = App::open(home.path(), Clock::manual(now)).await.unwrap_or_else(|error| panic!("{error:?}"));
    let errors = app.workspace.problems.iter().filter(|problem| problem.severity == Severity::Error);
    assert_eq!(errors.map(ToString::to_string).collect::<Vec<_>>(), Vec::<String>::new());
    app
}

/// Lives one history and gives what exceeded a cap in it.
async fn live(seed: u64, database: Option<&Database>, capped: bool, steps: usize, did: &mut Did) -> Vec<String> {
    let mut history = History::begin(seed, database, capped).await;
    for _ in 0..steps {
        history.step().await;
    }
    let log = history.log().await;
    did.sent += log.len();
    did.capped += history.number("select count(*) from touchpoint_events where detail like 'capped: by%'").await;
    let waited = "select count(*) from touchpoint_events where kind = 'planned' and detail like 'capped: due%'";
    did.waited += history.number(waited).await;
    let again = "select count(*) from touchpoint_events e where e.kind = 'planned' and e.detail like 'capped: due%' \
                 and exists (select 1 from touchpoint_events b where b.bucket = e.bucket and b.touchpoint = e.touchpoint \
                 and b.n = e.n - 1 and b.kind = 'planned')";
    did.asked_again += history.number(again).await;
    let exceeded = history.world.exceeded(&log);
    history.app.db.close().await;
    exceeded
}

/// Lives the histories of the seeds, each in a database of its own: none may exceed a cap.
async fn none_exceeds(seeds: std::ops::Range<u64>, steps: usize, dialect: Dialect) {
    let mut did = Did::default();
    for seed in seeds {
        let database = match dialect {
            Dialect::Sqlite => None,
            Dialect::Postgres => match Database::create() {
                None => return,
                some => some,
            },
        };
        let exceeded = live(seed, database.as_ref(), true, steps, &mut did).await;
        assert_eq!(exceeded, Vec::<String>::new(), "seed {seed}");
    }
    assert!(did.sent > 100 && did.capped > 5 && did.waited > 5, "{did:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn no_history_exceeds_any_cap() {
    none_exceeds(4..10, 25, Dialect::Sqlite).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn no_history_on_postgresql_exceeds_any_cap() {
    none_exceeds(4..10, 25, Dialect::Postgres).await;
}

/// More and longer histories than every run has time for.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "minutes long: tests/run runs it"]
async fn no_long_history_exceeds_any_cap() {
    none_exceeds(20..30, 60, Dialect::Sqlite).await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "minutes long: tests/run runs it"]
async fn no_long_history_on_postgresql_exceeds_any_cap() {
    none_exceeds(20..30, 60, Dialect::Postgres).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn histories_without_their_caps_exceed_them() {
    let mut did = Did::default();
    let mut exceeded = 0;
    for seed in 0..3 {
        exceeded += live(seed, None, false, 16, &mut did).await.len();
    }
    assert!(exceeded > 5, "{exceeded} windows of {did:?}");
}
