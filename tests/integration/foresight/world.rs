//! A random shop: customers who share addresses or have none, carts, rules of every shape, offers with tiny budgets, caps,
//! hours, holdouts, and a life of some days. It follows from its seed.

use crate::harness::home::{Home, Settings};
use crate::harness::postgres::Database;
use crate::shop::{WAY_OUT, at, home, rule};
use plusone::app::App;
use plusone::clock::Clock;
use plusone::courtesy::pauses::Scope;
use plusone::data::suppress::{self, Wish};
use plusone::problem::Severity;
use plusone::rules::Channel;
use plusone::store::leases::Lease;
use plusone::store::pauses;
use plusone::time::{Span, Timestamp};
use rand::rngs::StdRng;
use rand::seq::IndexedRandom;
use rand::{RngExt, SeedableRng};

const DATA: &str = r#"
[customer]
source = "customers.csv"
key = "id"
roles = { email = "email", phone = "phone", time_zone = "zone", country = "country" }
[customer.fields]
id = "text"
email = "text"
phone = "text"
zone = "text"
country = "text"
tier = "text"
points = "integer"
email_ok = "boolean"
sms_ok = "boolean"
[customer.consent]
offers = { email = "email_ok", sms = "sms_ok", voice = "sms_ok", source = "the shop" }
[cart]
source = "carts.csv"
key = "id"
belongs_to = { customer = "customer_id" }
[cart.fields]
id = "text"
customer_id = "text"
status = "text"
total = "integer"
"#;

const ZONES: [&str; 5] = ["Europe/London", "America/New_York", "Pacific/Auckland", "Asia/Kolkata", ""];
const PEOPLE: usize = 16;

/// A shop at work.
pub struct World {
    pub chance: StdRng,
    pub home: Home,
    pub app: App,
    pub lease: Lease,
    pub now: Timestamp,
    pub rules: Vec<String>,
}

fn pick(chance: &mut StdRng, words: &[&'static str]) -> &'static str {
    words.choose(chance).expect("some")
}

/// `key = value` now and then.
fn some(
    chance: &mut StdRng,
    share: f64,
    keys: &mut Vec<(&'static str, &'static str)>,
    key: &'static str,
    of: &[&'static str],
) {
    if chance.random_bool(share) {
        keys.push((key, pick(chance, of)));
    }
}

fn rule_text(chance: &mut StdRng) -> String {
    let of_carts = chance.random_bool(0.5);
    let promotional = chance.random_bool(0.5);
    let mut keys = vec![
        ("topic", if promotional { "\"offers\"" } else { "\"reminders\"" }),
        ("schedule", pick(chance, &["\"every hour\"", "\"every 3 hours\"", "\"every 6 hours\""])),
        ("for_each", if of_carts { "\"cart\"" } else { "\"customer\"" }),
        (
            "channels",
            pick(
                chance,
                &["[\"email\"]", "[\"sms\", \"email\"]", "[\"voice\", \"sms\"]", "[\"email\", \"sms\", \"voice\"]"],
            ),
        ),
        ("expires_after", pick(chance, &["\"2h\"", "\"12h\"", "\"3d\""])),
        ("on_cap", pick(chance, &["\"drop\"", "\"defer\""])),
        ("kind", pick(chance, &["\"reminder\"", "\"reminder\"", "\"status\"", "\"survey\""])),
    ];
    let when: &[&str] = match of_carts {
        true => &["['cart.status == \"open\"']", "['cart.total > 20', 'customer.tier != \"none\"']"],
        false => {
            &["['has(customer.id)']", "['customer.points >= 10']", "['customer.carts.exists(c, c.status == \"open\")']"]
        }
    };
    keys.push(("when", pick(chance, when)));
    some(chance, 0.3, &mut keys, "unless", &["['customer.tier == \"gold\"']", "['customer.points > 40']"]);
    some(chance, 0.4, &mut keys, "again_after", &["\"1h\"", "\"5h\"", "\"1d\""]);
    let once: &[&str] = match of_carts {
        true => &["[\"cart\"]", "[\"cart\", \"day\"]", "\"customer\"", "\"cart.status\"", "\"day\""],
        false => &["\"customer\"", "\"day\"", "\"week\""],
    };
    some(chance, 0.6, &mut keys, "once_per", once);
    some(chance, 0.5, &mut keys, "offer", &["[\"cookie\"]", "[\"cookie\", \"mug\"]", "[\"mug\"]"]);
    some(chance, 0.4, &mut keys, "holdout", &["\"20%\"", "\"50%\""]);
    some(chance, 0.2, &mut keys, "pace", &["\"3/h\"", "\"10/h\""]);
    some(chance, 0.6, &mut keys, "existing", &["\"skip\"", "\"include\"", "\"include\"", "\"include\""]);
    some(chance, 0.1, &mut keys, "urgent", &["true"]);
    if promotional || keys.iter().any(|(key, _)| *key == "offer") {
        keys.retain(|(key, _)| *key != "urgent");
    }
    rule(&keys)
}

const OFFERS: [&str; 6] = [
    "value = 2.50\ncost = 1.00\nbudget = { total = 4 }\n",
    "value = 2.50\ncost = 1.00\nbudget = { total = 9, per_day = 2 }\nper_customer = { max = 1, per = \"2d\" }\n",
    "value = 2.50\ncost = 0.80\nbudget = { per_day = 3 }\neligible = ['customer.points > 15']\n",
    "value = 2.50\ncost = 1.00\nbudget = { total = 5 }\nvalid_for = \"4h\"\nunused = \"return\"\ncode = { pattern = \"C-######\" }\n",
    "value = 2.50\ncost = 0.10\nbudget = { total = 100 }\ncode = { file = \"codes.txt\" }\n",
    "value = 2.50\nbudget = { total = 100 }\n",
];

fn settings(chance: &mut StdRng, database: Option<&Database>) -> Settings {
    let mut courtesy = "[courtesy]\n".to_owned();
    if chance.random_bool(0.6) {
        let cap = pick(
            chance,
            &[
                "{ max = 1, per = \"day\" }",
                "{ purpose = \"promotional\", max = 2, per = \"36h\" }",
                "{ channel = \"email\", max = 2, per = \"5h\" }",
            ],
        );
        courtesy.push_str(&format!("caps = [{cap}]\n"));
    }
    if chance.random_bool(0.5) {
        courtesy.push_str(
            "quiet_hours = { email = \"20:00-07:00\", sms = [\"20:00-09:00\", \"Sun\"], voice = \"18:00-10:00\" }\n",
        );
    }
    if chance.random_bool(0.4) {
        courtesy.push_str("holdout = \"20%\"\n");
    }
    if chance.random_bool(0.4) {
        courtesy.push_str("no_promotions_while = { angry = 'customer.points < 8' }\n");
    }
    let guard = pick(
        chance,
        &[
            "max_share = \"100%\"\n",
            "max_share = \"100%\"\nmax_recipients = 2\n",
            "only_to = [\"*@shop.test\", \"+4479*\"]\n",
        ],
    );
    let mut settings = Settings { more: format!("{courtesy}[guard]\n{guard}"), ..Settings::default() };
    if let Some(database) = database {
        settings.database.clone_from(&database.url);
    }
    settings
}

impl World {
    pub async fn begin(seed: u64, database: Option<&Database>) -> Self {
        let mut chance = StdRng::seed_from_u64(seed);
        let home = home(&settings(&mut chance, database)).file("config/data.toml", DATA);
        home.write("templates/note/email.txt.hbs", WAY_OUT);
        home.write("templates/note/sms.hbs", "Hello");
        home.write("templates/note/voice.hbs", "Hello");
        home.write("codes.txt", "A1\nA2\nA3\nA4\nA5\n");
        for offer in ["cookie", "mug"] {
            let text = format!("description = \"A {offer}\"\n{}", pick(&mut chance, &OFFERS));
            home.write(&format!("config/offers/{offer}.toml"), &text);
        }
        let rules: Vec<String> = (0..chance.random_range(2..5)).map(|number| format!("rule-{number}")).collect();
        for name in &rules {
            home.write(&format!("config/rules/{name}.toml"), &rule_text(&mut chance));
        }
        let now = at("2026-10-22T06:00:00Z");
        write_data(&home, &mut chance);
        let app = App::open(home.path(), Clock::manual(now)).await.unwrap_or_else(|error| panic!("{error:?}"));
        let errors = app.workspace.problems.iter().filter(|problem| problem.severity == Severity::Error);
        assert_eq!(errors.map(ToString::to_string).collect::<Vec<_>>(), Vec::<String>::new(), "seed {seed}");
        let lease = app.lease("the test", true).await.expect("nobody else has it");
        Self { chance, home, app, lease, now, rules }
    }

    /// Some time goes by: people change, stop and come back, rules tick, messages go.
    pub async fn live(&mut self) {
        let minutes = *[10, 60, 60, 180, 420, 1_200].choose(&mut self.chance).expect("some");
        self.pass_by(minutes);
        if self.chance.random_bool(0.5) {
            write_data(&self.home, &mut self.chance);
        }
        if self.chance.random_bool(0.3) {
            self.suppress().await;
        }
        if self.chance.random_bool(0.2) {
            self.pause().await;
        }
        self.app.plan(&self.lease, self.now, None).await.expect("planned");
        if self.chance.random_bool(0.7) {
            self.app.deliver(&self.lease).await.expect("delivered");
        }
    }

    pub fn pass_by(&mut self, minutes: i64) {
        self.now = self.now.plus(Span::from_seconds(60 * minutes));
        self.app.clock = Clock::manual(self.now);
    }

    pub async fn suppress(&mut self) {
        let number = self.chance.random_range(0..PEOPLE);
        let address = format!("c{number}@shop.test");
        let scope = *[None, Some("promotional")].choose(&mut self.chance).expect("some");
        let until = self.chance.random_bool(0.5).then(|| self.now.plus(Span::from_seconds(7_200)));
        let wish = Wish { address: &address, scope, reason: "manual", evidence: None, until, source: "the test" };
        suppress::add(&self.app.db, &self.app.workspace.project.settings.business, wish, self.now)
            .await
            .expect("added");
    }

    async fn pause(&mut self) {
        let until = Some(self.now.plus(Span::from_seconds(3 * 3_600)));
        let scope = match self.chance.random_range(0..3) {
            0 => Scope::Customer(format!("c{}", self.chance.random_range(0..PEOPLE))),
            1 => Scope::Channel(Channel::Email),
            _ => Scope::Rule(self.rules[0].clone()),
        };
        pauses::pause(&self.app.db, &scope, until, self.now).await.expect("paused");
    }
}

/// New files of people and carts; whoever is there stays there.
pub fn write_data(home: &Home, chance: &mut StdRng) {
    let mut people = "id,email,phone,zone,country,tier,points,email_ok,sms_ok\n".to_owned();
    let mut carts = "id,customer_id,status,total\n".to_owned();
    for number in 0..PEOPLE {
        // Two of them have the address of another, two none, one a broken one.
        let email = match number {
            3 | 4 => "c2@shop.test".to_owned(),
            5 => String::new(),
            6 => "nowhere".to_owned(),
            7 => "c7@elsewhere.test".to_owned(),
            _ => format!("c{number}@shop.test"),
        };
        let phone = match number {
            8 | 9 => "+447911120001".to_owned(),
            10 | 5 => String::new(),
            _ => format!("+4479111{}", 20_000 + number),
        };
        let zone = pick(chance, &ZONES);
        let country = pick(chance, &["GB", "US", "NZ", ""]);
        let tier = pick(chance, &["gold", "silver", ""]);
        let points = chance.random_range(0..50);
        let yes = |chance: &mut StdRng| if chance.random_bool(0.75) { "yes" } else { "no" };
        let (email_ok, sms_ok) = (yes(chance), yes(chance));
        people.push_str(&format!("c{number},{email},{phone},{zone},{country},{tier},{points},{email_ok},{sms_ok}\n"));
        for cart in 0..chance.random_range(0..3) {
            let status = pick(chance, &["open", "open", "paid"]);
            carts.push_str(&format!("k{number}-{cart},c{number},{status},{}\n", chance.random_range(0..60)));
        }
    }
    home.write("customers.csv", &people);
    // never without rows: an empty source is refused
    carts.push_str("k-last,c0,open,30\n");
    home.write("carts.csv", &carts);
}
